"""From an event to its promotion."""
from .. import charts, wording
from ..document import Figure, Section, Table, Text
from .compare import least_median_most
from .parts import again, bar_figure, missing

LEGEND = [("hatched", "until the broker has the event"), ("solid", "until baton has written the promotion"),
          ("dotted", "until it is visible")]
GOALS = [(0.99, 0.050, "target 50 ms"), (0.999, 0.150, "target 150 ms")]
HOW = ("Time counts from the moment when the event should have been sent by plan, not when it was, so that a stall is "
       "seen by every event that it held up. A promotion is visible when a `read_committed` consumer has it.")


def of_latency(latency):
    if not latency:
        return missing("latency", "Latency", "latency")
    share = f", {wording.percentile(round(latency.share, 2))} of the highest sustained rate" if latency.share else ""
    title = f"A promotion is visible {percentile_text(latency.total, 0.5)} after its event"
    if latency.total.surely_at(0.99) is not None:
        title += f", {percentile_text(latency.total, 0.99)} at p99"
    return Section("latency", "Latency", title, [
        Text(f"At {wording.rate(latency.rate)} events per second{share}; {wording.grouped(latency.promotions)} "
             f"promotions. {HOW}"),
        by_percentile(latency), *slowest(latency), *along_seconds(latency), again(latency.run)])


def percentile_text(curve, share):
    """A ? behind what rests on a handful of values."""
    seconds = curve.at(share)
    if seconds is None:
        return ""
    return wording.duration(seconds) + ("" if curve.surely_at(share) is not None else " ?")


def by_percentile(latency):
    drawn = [latency.total] + ([latency.freshness] if latency.freshness else [])
    table = percentile_table(drawn + latency.parts)
    lines = [charts.Line(curve.label, curve.series, marks=max(len(curve.series) // 8, 1)) for curve in drawn]
    said = "; ".join(f"{row[0]}: " + ", ".join(f"{head} {cell}" for head, cell in zip(table.head[1:], row[1:]))
                     for row in table.rows[:len(drawn)])
    return Figure("Time by percentile; each further nine takes as much room as the one before",
                  lambda name, width: charts.percentiles(name, width, "Latency percentiles", said, lines, GOALS), table)


def percentile_table(curves):
    shares = sorted({share for curve in curves for share in curve.told})
    rows = [[curve.label, *[percentile_text(curve, share) for share in shares], wording.duration(curve.most),
             wording.grouped(curve.count)] for curve in curves]
    doubtful = any(curve.surely_at(share) is None for curve in curves for share in curve.told)
    return Table(["", *[wording.percentile(share) for share in shares], "longest", "how many"], rows,
                 set(range(1, len(shares) + 3)),
                 "?: fewer than ten values lie beyond; chance has a say" if doubtful else "")


def slowest(latency):
    told = [one for one in latency.slow if one.beyond <= latency.total.reliable_to + 1e-9]
    if not told:
        return []
    rows = []
    for one in told:
        times = (one.to_broker, one.in_baton, one.until_visible)
        rows.append(charts.Bar(f"the slowest {wording.percentile(1 - one.beyond)}",
                               f"{wording.duration(sum(times))} on average",
                               [(fill, time, text) for (fill, text), time in zip(LEGEND, times)],
                               " + ".join(wording.duration(time) for time in times)))
    table = Table(["", *[text for _, text in LEGEND]],
                  [[row.label, *[wording.duration(time) for _, time, _ in row.segments]] for row in rows], {1, 2, 3})
    return [bar_figure("Where the slowest ones spend their time", rows, table, LEGEND)]


def along_seconds(latency):
    if len(latency.per_second) < 3:
        return []
    marks = max(len(latency.per_second) // 8, 1)
    lines = [charts.Line("p50 of each second", [(second, p50) for second, p50, _ in latency.per_second], marks),
             charts.Line("p99 of each second", [(second, p99) for second, _, p99 in latency.per_second], marks)]
    table = Table(["", "least", "median", "most"],
                  [[line.label, *[wording.duration(value) for value in least_median_most(line.points)]]
                   for line in lines], {1, 2, 3})
    said = "; ".join(f"{row[0]}: {row[1]} to {row[3]}" for row in table.rows)
    return [Figure("Event to promotion, second by second",
                   lambda name, width: charts.by_second(name, width, "Latency over time", said, lines), table)]
