"""How the figures went from commit to commit."""
from .. import charts, wording
from ..document import Figure, Section, Table, Text

LEAST, MOST = 3, 24     # results
PEERS = ("ceiling", "naive", "kafka_streams", "kafka_streams_tuned")


def of_trend(history):
    if len(history) < LEAST:
        return None
    history = history[-MOST:]
    names = [(one.run.commit or "?") + ("+" if one.run.dirty else "") for one in history]
    ratios = [one.ratios["ceiling"] for one in history]
    lines = [charts.Line("baton ÷ counting consumer", list(enumerate(ratios)),
                         tips=[f"{name}: {wording.fixed(ratio)}" for name, ratio in zip(names, ratios)])]
    table = Table(["commit", "measured", "baton, events/s", "÷ counting", "÷ naive", "÷ Kafka Streams", "÷ tuned further",
                   "CPU s per million"],
                  [row(name, one) for name, one in zip(names, history)], {2, 3, 4, 5, 6, 7})
    said = "; ".join(f"{name}: {wording.fixed(ratio)}" for name, ratio in zip(names, ratios))
    caption = "baton's rate divided by that of a consumer that only counts"
    return Section("trend", "Trend", "From commit to commit", [
        Text("Ratios within one run, which tell more than rates of different days. A + stands for uncommitted changes."),
        Figure(caption, lambda name, width: charts.trend(name, width, caption, said, lines, names, [(0.6, "target 0.6")]),
               table)])


def row(name, one):
    baton = one.peer("baton")
    return [f"`{name}`", one.run.at.strftime("%Y-%m-%d %H:%M"), wording.rate(baton.rate.median),
            *[wording.fixed(one.ratios[peer]) if peer in one.ratios else "" for peer in PEERS],
            wording.fixed(baton.cost.total)]
