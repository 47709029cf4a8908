"""How throughput and cost grow, one factor at a time."""
from .. import charts, wording
from ..document import Figure, Row, Section, Table, Text
from ..wording import PART_NAMES, PARTS
from .parts import WHAT, again, bar_figure, missing, strong_rows

AXES = {"workers": ("With more workers", "workers"), "leads": ("With more leads", "leads"),
        "table": ("With a larger table, a million leads, uniform", "limit of the lead table"),
        "partitions": ("With more partitions", "partitions"), "rules": ("With more rules", "rules"),
        "event_bytes": ("With larger events", "bytes per event"),
        "zipf": ("With more uneven popularity of leads", "Zipf exponent (0: uniform)"),
        "processes": ("With more processes", "processes")}
WIDTH = 370             # two drawings beside one another
MORE_COLUMNS = (("resident", "resident", wording.size), ("table limit", "limit", wording.size),
                ("leads in memory", "leads_in_memory", wording.grouped), ("Redis per lead", "redis_per_lead", wording.size))


def of_scale(results):
    growth, wide, memory = results.growth, results.wide, results.memory
    if not (growth or wide or memory):
        return missing("scale", "Growth", "scale")
    blocks = [Text("One thing is changed at a time; everything else stays as it was.")] if growth else []
    blocks += [grown(one) for one in growth] + of_wide(wide) + of_memory(memory)
    runs = {part.run.where: part.run for part in [*growth, wide, memory] if part}
    return Section("scale", "Growth", WHAT["scale"], blocks + [again(run) for run in runs.values()])


def grown(growth):
    caption, axis = AXES.get(growth.name, (f"By {growth.name}", growth.name))
    values, texts = [point.x for point in growth.points], [point.text for point in growth.points]
    rates, costs = [point.rate.median for point in growth.points], [point.cost for point in growth.points]
    table = growth_table(growth, axis)
    told = "; ".join(f"{text}: {wording.rate(rate)} events per second" for text, rate in zip(texts, rates))
    spent = "; ".join(f"{text}: {wording.fixed(cost.total)}" for text, cost in zip(texts, costs))

    def draw_rates(name, width):
        return charts.growth(name, width, caption, told, values, texts, rates, axis)

    def draw_costs(name, width):
        title = f"{caption}: CPU seconds per million events"
        return charts.growth_of_cost(name, width, title, spent, values, texts, costs, axis)

    return Row([Figure(caption, draw_rates, table, (WIDTH,)), Figure("and its cost", draw_costs, table, (WIDTH,))])


def growth_table(growth, axis):
    more = [column for column in MORE_COLUMNS if any(getattr(point, column[1]) for point in growth.points)]
    rows = []
    for point in growth.points:
        rows.append([point.text, wording.grouped(point.rate.median),
                     *[wording.fixed(getattr(point.cost, part)) for part in PARTS],
                     *[write(getattr(point, name)) if getattr(point, name) else "" for _, name, write in more]])
    head = [axis, "events/s", *PART_NAMES.values(), *[text for text, _, _ in more]]
    return Table(head, rows, set(range(1, len(head))))


def of_wide(wide):
    if not wide:
        return []
    rows = [charts.Bar("Redis alone", f"{wording.rate(wide.redis_alone)} events/s", [("other", wide.redis_alone, None)]),
            charts.Bar("baton", f"{wording.rate(wide.rate)} events/s", [("solid", wide.rate, None)],
                       f"{wording.fixed(wide.ratio)} of it", strong=True)]
    table = Table(["", "events/s"], [["Redis alone", wording.grouped(wide.redis_alone)],
                                     ["baton", wording.grouped(wide.rate)]], {1}, strong=strong_rows(rows))
    caption = f"{wording.count(wide.leads)} leads, all alike, of which the table holds {wording.count(wide.in_memory)}"
    return [bar_figure(f"{caption} ({wide.table})", rows, table),
            Text("Nearly every event has to load its lead. Redis alone: the very commands that baton sent, recorded and "
                 "sent again to the same state, with nothing else running.")]


def of_memory(memory):
    if not memory:
        return []
    rows = [[one.kind, wording.grouped(one.used),
             f"{wording.grouped(one.key.median)} ({wording.grouped(one.key.low)} – {wording.grouped(one.key.high)})",
             wording.grouped(one.leads), wording.significant(one.events_per_lead)] for one in memory.kinds]
    return [Table(["agreement", "bytes per lead", "of its key, as Redis tells it", "leads", "events per lead"], rows,
                  {1, 2, 3, 4}, "Memory of Redis by what the agreement keeps of a lead")]
