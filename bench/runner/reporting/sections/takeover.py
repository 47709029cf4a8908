"""From a kill until the last unit is live."""
from .. import charts, wording
from ..document import Section, Table, Text
from .parts import again, bar_figure, missing, spread_text

LEGEND = [("hatched", "the group waits for its silent member"), ("dotted", "its last transaction is still open"),
          ("solid", "baton takes over")]


def of_take_over(take_over):
    if not take_over:
        return missing("takeover", "Take-over", "takeover")
    kills = list(enumerate(take_over.kills, 1))
    rows = [charts.Bar(f"kill {number}", f"{wording.duration(kill.live)}, of which {wording.duration(kill.ours)} baton's",
                       [("hatched", kill.handed_over, None), ("dotted", kill.ready - kill.handed_over, None),
                        ("solid", kill.ours, None)]) for number, kill in kills]
    table = Table(["kill", "handed over", "no transaction open", "live", "baton's part", "events folded again"],
                  [[str(number), *[wording.duration(time) for time in (kill.handed_over, kill.closed, kill.live, kill.ours)],
                    wording.grouped(kill.replayed)] for number, kill in kills], {1, 2, 3, 4, 5})
    checked = f" Checked at the end: {take_over.verified}." if take_over.verified else ""
    title = f"Units are live {spread_text(take_over.after)} after the group has handed them over"
    return Section("takeover", "Take-over", title, [
        Text(f"One of two processes is ended by kill -9 under load, {len(kills)} time{'s' if len(kills) > 1 else ''}, with "
             f"{wording.count(take_over.leads)} leads in Redis. All in all its units were live again after "
             f"{spread_text(take_over.live)}; {wording.grouped(take_over.replayed.median)} events were folded again. "
             f"Until the group hands over and the victim's last transaction is closed, the time is Kafka's.{checked}"),
        bar_figure("From the kill until the last unit is live", rows, table, LEGEND, wording.duration),
        again(take_over.run)])
