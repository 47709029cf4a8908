"""baton beside its peers: rates and costs."""
from .. import charts, pace, wording
from ..document import Figure, Section, Table, Text
from ..wording import PART_NAMES, PARTS
from .parts import NAMES, again, bar_figure, label, strong_rows

HOW = ("All read the same topic of {events} events, from the same broker and with the same Redis, in turns. A rate is "
       "judged from outside, by the offsets that the program's group has committed, from 10 % to 100 % of the topic, "
       "so that start-up and joins do not count. What each program published and stored was checked before its time "
       "counted.")
STREAMS = ("Kafka Streams is here twice. The first is as a team that runs Streams would write it: RocksDB, the store that "
           "Streams gives by default, Lettuce as the client of Redis and the JVM's own choice of garbage collector; "
           "settings tuned, events decoded by hand. The second has its store in memory, a client of Redis written for "
           "it and another collector: it is the harder to beat.")


def rates(compare):
    peers = sorted(compare.peers, key=lambda peer: -peer.rate.median)
    rows = [charts.Bar(label(peer), rate_text(peer.rate), [(fill(peer), peer.rate.median, rate_text(peer.rate))],
                       peer.promises, peer.rate.low, peer.rate.high, peer.name == "baton") for peer in peers]
    table = Table(["", "events/s", "lowest", "highest", "rounds", "baton ÷ it", "promises", "checked"],
                  [[label(peer), *[wording.grouped(value) for value in (peer.rate.median, peer.rate.low, peer.rate.high)],
                    str(peer.rounds), against(compare, peer), peer.promises, peer.verified] for peer in peers],
                  {1, 2, 3, 4, 5}, strong=strong_rows(rows))
    title = (f"baton takes in {wording.rate(compare.peer('baton').rate.median)} events per second, "
             f"{wording.fixed(compare.ratios['ceiling'])} of what a counting consumer reads")
    return Section("throughput", "Throughput", title, [
        Text(HOW.format(events=wording.count(compare.events))),
        *([Text(STREAMS)] if compare.peer("kafka_streams_tuned") else []),
        bar_figure("Events per second: median, with lowest and highest round", rows, table), *over_time(peers),
        *[Text(note_text(note)) for note in compare.notes], again(compare.run)])


def fill(peer):
    return "solid" if peer.name in ("baton", "ten", "forty") else "other"


def rate_text(rate):
    text = f"{wording.rate(rate.median)}/s"
    return text + (f" ({wording.rate(rate.low)} – {wording.rate(rate.high)})" if rate.high > rate.low else "")


def against(compare, peer):
    if peer.name == "ten":      # is kept the other way round
        return wording.fixed(1 / compare.ten) if compare.ten else ""
    if peer.name == "forty":
        return wording.fixed(compare.peer("baton").rate.median / peer.rate.median)
    return wording.fixed(compare.ratios[peer.name]) if peer.name in compare.ratios else ""


def note_text(note):
    name, colon, rest = note.partition(":")
    text = NAMES[name] + colon + rest if colon and name in NAMES else note
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def over_time(peers):
    found = [(peer, pace.along_topic(peer.curve)) for peer in sorted(peers, key=lambda peer: peer.name != "baton")]
    found = [(peer, points, wording.duration(peer.curve[-1][0])) for peer, points in found if points]
    if not found:
        return []
    lines = [charts.Line(f"{label(peer)} ({took})", points, marks=max(len(points) // 4, 1)) for peer, points, took in found]
    table = Table(["", "slowest stretch", "median stretch", "fastest stretch", "whole run"],
                  [[label(peer), *[wording.rate(value) for value in least_median_most(points)], took]
                   for peer, points, took in found], {1, 2, 3, 4})
    said = "; ".join(f"{row[0]}: {row[1]} to {row[3]} events per second" for row in table.rows)
    return [Figure("Events per second along the topic, one round of each (and how long that round took)",
                   lambda name, width: charts.along_topic(name, width, "Throughput over time", said, lines), table)]


def least_median_most(points):
    values = sorted(y for _, y in points)
    return values[0], values[len(values) // 2], values[-1]


def costs(compare):
    peers = sorted(compare.peers, key=lambda peer: peer.cost.total)
    cost = compare.peer("baton").cost
    rows = [charts.Bar(label(peer), f"{wording.fixed(peer.cost.total)} s", segments(peer.cost),
                       " + ".join(each(peer.cost)), strong=peer.name == "baton") for peer in peers]
    table = Table(["CPU seconds per million events", *PART_NAMES.values(), "together", "most memory"],
                  [[label(peer), *each(peer.cost), wording.fixed(peer.cost.total),
                    wording.size(peer.memory) if peer.memory else ""] for peer in peers], {1, 2, 3, 4, 5},
                  strong=strong_rows(rows))
    title = (f"A million events cost {wording.fixed(cost.total)} CPU seconds: {wording.fixed(cost.program)} in baton, "
             f"{wording.fixed(cost.broker)} in the broker, {wording.fixed(cost.redis)} in Redis")
    return Section("cost", "Cost", title, [
        Text("CPU time of the program, the broker and Redis over the same stretch of the topic, from the system's own "
             "accounts. A CPU second per million events is a microsecond per event."),
        bar_figure("CPU seconds per million events, by part", rows, table, charts.LEGEND), again(compare.run)])


def each(cost):
    return [wording.fixed(getattr(cost, part)) for part in PARTS]


def segments(cost):
    return [(charts.FILLS[part], getattr(cost, part), f"{PART_NAMES[part]}: {wording.fixed(getattr(cost, part))} s")
            for part in PARTS]
