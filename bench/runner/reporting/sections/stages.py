"""What each part of the way can do alone, and which one limits."""
from .. import charts, wording
from ..document import Section, Table, Text
from ..wording import PART_NAMES, PARTS
from .parts import again, bar_figure, missing, strong_rows


def of_stages(stages):
    if not stages:
        return missing("stages", "Stages", "stages")
    text = (f"Each part of the way was run by itself on this machine. What they cost together allows about "
            f"{wording.rate(stages.events)} events per second, with {wording.fixed(stages.writes)} lead writes "
            f"per event; what holds it there: **{stages.limit}**"
            + (f", most of which goes into **{stages.largest}**." if stages.largest else "."))
    if stages.whole and stages.events:
        text += (f" baton as a whole was measured with {wording.rate(stages.whole)} events per second, "
                 f"{wording.fixed(stages.whole / stages.events)} of that.")
    title = f"What limits: {stages.limit}, at about {wording.rate(stages.events)} events per second"
    return Section("stages", "Stages", title,
                   [Text(text), held(stages), by_part(stages),
                    Text("Each part by itself, on all workers; CPU seconds per million of what it handles. "
                         + stages.transaction), each_alone(stages), again(stages.run)])


def held(stages):
    rows = []
    for holder in sorted(stages.holders, key=lambda holder: holder.events):
        limits = holder.label == stages.limit
        rows.append(charts.Bar(holder.label + (": the limit" if limits else ""), f"{wording.rate(holder.events)} events/s",
                               [("solid" if limits else "other", holder.events, None)], strong=limits))
    if stages.whole:
        rows.insert(0, charts.Bar("baton as measured", f"{wording.rate(stages.whole)} events/s",
                                  [("hatched", stages.whole, None)]))
    table = Table(["", "events/s"], [[row.label, row.value.removesuffix(" events/s")] for row in rows], {1},
                  strong=strong_rows(rows))
    return bar_figure("Events per second that each would allow, if the others were no limit", rows, table)


def by_part(stages):
    parts = sorted(stages.parts, key=lambda part: -part.cost)
    whole = sum(part.cost for part in parts) or 1
    shares = [f"{part.cost / whole * 100:.0f} %" for part in parts]
    rows = [charts.Bar(part.label, f"{wording.fixed(part.cost)} s, {share}",
                       [(charts.FILLS[part.place], part.cost, None)]) for part, share in zip(parts, shares)]
    table = Table(["part", "of", "CPU seconds per million events", "share"],
                  [[part.label, PART_NAMES[part.place], wording.fixed(part.cost), share]
                   for part, share in zip(parts, shares)], {2, 3})
    return bar_figure("What a million events cost at that rate, by part", rows, table, charts.LEGEND)


def each_alone(stages):
    rows = [[("… " if stage.of else "") + stage.label, f"{wording.rate(stage.rate)} {stage.unit}",
             *[wording.fixed(getattr(stage.cost, part)) if getattr(stage.cost, part) else "" for part in PARTS],
             wording.rate(stage.events) if stage.events else ""] for stage in stages.stages]
    return Table(["each alone", "per second", *PART_NAMES.values(), "enough for events/s"], rows, {1, 2, 3, 4, 5})
