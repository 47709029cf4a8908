"""Turns the committed offsets of a run into events per second along the topic."""

STEPS = 24
FROM = 0.1              # as the rate is judged: before it lie start, joins and a cold JIT


def crossing(curve, wanted):
    """When that many events were committed, between two looks."""
    before = None
    for at, committed in curve:
        if committed >= wanted:
            if before is None or committed == before[1]:
                return at
            share = (wanted - before[1]) / (committed - before[1])
            return before[0] + share * (at - before[0])
        before = (at, committed)
    return curve[-1][0]


def along_topic(curve):
    """[(share of the topic, events per second), …]; a step without a look in between joins the next one."""
    if len(curve) < 3 or curve[-1][1] <= 0:
        return []
    total, points = curve[-1][1], []
    last_share, last_at = FROM, crossing(curve, FROM * total)
    for step in range(1, STEPS + 1):
        share = FROM + (1 - FROM) * step / STEPS
        at = crossing(curve, share * total)
        if at - last_at >= 0.1:     # looks are 100 ms apart
            points.append(((last_share + share) / 2, (share - last_share) * total / (at - last_at)))
            last_share, last_at = share, at
    return points
