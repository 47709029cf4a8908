"""How fast the log is folded again, beside how fast it was taken in."""
from .. import charts, wording
from ..document import Section, Table, Text
from .parts import again, bar_figure, missing


def of_replay(replay):
    if not replay:
        return missing("replay", "Replay", "replay")
    first = replay.agreements[0]
    rows, cells = [], []
    for one in replay.agreements:
        for name, pace in (("run", one.live), ("replay", one.replay), ("replay of two agreements", one.compared)):
            rows.append(charts.Bar(f"{one.name}: {name}", f"{wording.rate(pace.rate.median)} events/s",
                                   [("other" if name == "run" else "solid", pace.rate.median, None)]))
            cells.append([one.name, name, wording.rate(pace.rate.median), wording.rate(pace.per_core.median),
                          wording.rate(pace.per_core_of_all.median)])
    table = Table(["agreement", "", "events/s", "per CPU second of the program", "… of broker and Redis, too"], cells,
                  {2, 3, 4})
    ratios = wording.listing(
        f"{wording.fixed(one.rate)} times the rate of `run` with {one.name} rules ({wording.fixed(one.per_core)} times "
        f"by CPU of the program, {wording.fixed(one.per_core_of_all)} by that of all)" for one in replay.agreements)
    return Section("replay", "Replay", f"The log is folded again {wording.fixed(first.rate)} times as fast as it was taken in", [
        Text(f"`baton replay` over {wording.count(replay.events)} events on all cores, start and end included: {ratios}."),
        bar_figure("Events per second, on the same topic and machine", rows, table),
        again(replay.run)])
