"""How fast the log is folded again, beside how fast it was taken in."""
from .. import charts, wording
from ..document import Section, Table, Text
from .parts import again, bar_figure, missing


def of_run(times):
    return wording.listing(
        f"{wording.fixed(one.rate)} times the rate of `run` with {name} rules ({wording.fixed(one.per_core)} times by CPU of the "
        f"program, {wording.fixed(one.per_core_of_all)} by that of all)" for name, one in times)


def of_replay(replay):
    if not replay:
        return missing("replay", "Replay", "replay")
    first = replay.agreements[0]
    rows, cells = [], []
    for one in replay.agreements:
        for name, pace in (("run", one.live), ("replay", one.replay), ("replay of two agreements", one.compared),
                           ("replay of a saved log", one.saved)):
            rows.append(charts.Bar(f"{one.name}: {name}", f"{wording.rate(pace.rate.median)} events/s",
                                   [("other" if name == "run" else "solid", pace.rate.median, None)]))
            cells.append([one.name, name, wording.rate(pace.rate.median), wording.rate(pace.per_core.median),
                          wording.rate(pace.per_core_of_all.median)])
    table = Table(["agreement", "", "events/s", "per CPU second of the program", "… of broker and Redis, too"], cells,
                  {2, 3, 4})
    return Section("replay", "Replay", f"The log is folded again {wording.fixed(first.of_replay.rate)} times as fast as it was "
                   f"taken in, and {wording.fixed(first.of_saved.rate)} times from a log that was saved", [
        Text(f"`baton replay` over {wording.count(replay.events)} events on all cores, start and end included: "
             f"{of_run((one.name, one.of_replay) for one in replay.agreements)}. From a log that `--save` has kept, without "
             f"Kafka: {of_run((one.name, one.of_saved) for one in replay.agreements)}."),
        bar_figure("Events per second, on the same topic and machine", rows, table),
        again(replay.run)])
