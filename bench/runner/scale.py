"""How cost grows: one factor at a time around a default point.

Data of a result:
    default   the point that all others differ from in one factor: {"workers": 2, "leads": 200000, …}
    factors   name -> [{"value", "events_per_second": S, "cpu_seconds_per_million": {"program", "broker", "redis",
              "total": S}, "resident_bytes": of the largest process, "table_limit_bytes", "redis_bytes_per_lead",
              "redis_leads", "events", "leads_in_memory", "whole_run": too few events, start-up is in it}]; S is
              {"median", "min", "max", "values"}
    redis_memory  [{"kind", "leads", "bytes_per_lead", "memory_usage": {"median", "min", "max"}}]: agreements of
              different appetite over the same events
    wide      leads far beyond the table, uniform: {"leads", "leads_in_redis", "table", "leads_in_memory",
              "events_per_second", "redis_alone_events_per_second", "ratio", "cpu_seconds_per_million",
              "redis_alone_cpu_seconds_per_million", "resident_bytes", "recorded": {"events", "bytes", "writes"}}: baton
              beside what Redis answers for exactly the commands that baton sent, when nothing else is done
"""

import time
from pathlib import Path

import results
from baton_log import leads_in_memory
from redis_alone import redis_alone
from rules import agreement_of
from stack import Failed, Stack, run_main, say
from throughput import measure

DEFAULT = {"workers": 2, "leads": 200000, "table": "512MB", "partitions": 8, "rules": 3, "event_bytes": 240,
           "zipf": 1.0, "processes": 1}
FACTORS = {
    "workers": (1, 2, 4, 8),
    "leads": (10000, 100000, 200000, 1000000, 10000000),
    "table": ("16MB", "32MB", "64MB", "128MB", "512MB"),
    "partitions": (1, 4, 8, 16, 64),
    "rules": (3, 5, 10, 20, 40, 100, 200),
    "event_bytes": (100, 240, 500, 1000, 2000),
    "zipf": (0.0, 0.5, 1.0, 1.3),
    "processes": (1, 3),
}
QUICK = {"workers": (1, 2, 4), "leads": (10000, 200000, 1000000), "table": ("16MB", "512MB"), "partitions": (1, 8, 64),
         "rules": (3, 20, 200), "event_bytes": (100, 240, 2000), "zipf": (0.0, 1.0), "processes": (1, 3)}
TABLE_LEADS = {"leads": 1000000, "zipf": 0.0}       # what a table is too small for: nobody comes back soon
TABLE_EVENTS = 0.3          # share of the events that such a point gets: it takes several times as long
EVENTS_PER_LEAD = 20                                # where the memory of a lead is looked at: touches are full
TRAFFIC = ("leads", "partitions", "event_bytes", "zipf")
UNITS = {"MB": 1 << 20, "GB": 1 << 30}
FULL_TABLE_BYTES = 50       # per lead: a table of this size fills up, and then tells how much a lead takes
WIDE_SHARE = 10             # of the leads: so many times more than the table holds
SPECIAL = ("redis_memory", "wide")


def bytes_of(text):
    """As in baton.yaml: 1 MB = 1024 × 1024."""
    return int(text[:-2]) * UNITS[text[-2:]]


class Scale:
    def __init__(self, stack, options):
        self.stack, self.options = stack, options
        self.topics, self.known, self.number = {}, {}, 0

    # --- traffic ---

    def topic_of(self, point):
        """A topic with that traffic; the last few stay for points that want the same."""
        key = tuple(point[name] for name in TRAFFIC)
        if key in self.topics:
            return self.topics[key]
        default = tuple(DEFAULT[name] for name in TRAFFIC)
        for old in [old for old in self.topics if old != default]:
            self.stack.delete_topics([self.topics.pop(old)])
        self.number += 1
        self.topics[key] = self.send(self.stack.named(f"scale-{self.number}-events"), point, self.events_of(point))
        return self.topics[key]

    def events_of(self, point):
        """As many as fill some seconds: fewer where each is slow to send or to take in."""
        share = min(1, DEFAULT["event_bytes"] / point["event_bytes"])
        if all(point[name] == value for name, value in TABLE_LEADS.items()):
            share = TABLE_EVENTS
        return round(self.options.events * share)

    def send(self, topic, point, events, seed=0):
        self.stack.baton(f"{topic}-{seed}", topic=topic, partitions=point["partitions"]).make_topics()
        say(f"sending {events:,} events of {point['leads']:,} leads, Zipf {point['zipf']}, {point['event_bytes']} B, "
            f"{point['partitions']} partitions")
        self.stack.bench("load", "--brokers", self.stack.brokers, "--topic", topic, "--events", events, "--leads",
                         point["leads"], "--zipf", point["zipf"], "--bytes", point["event_bytes"], "--seed",
                         self.options.seed + seed)
        return topic

    # --- one run ---

    def setup_of(self, point, topic, agreement=None):
        self.number += 1
        if agreement is None and point["rules"] != DEFAULT["rules"]:
            agreement = self.stack.folder / f"rules-{point['rules']}.yaml"
            agreement.write_text(agreement_of(point["rules"]), encoding="utf-8")
        setup = self.stack.baton(f"scale-{self.number}", agreement=agreement or "simple", topic=topic,
                                 partitions=point["partitions"], workers=point["workers"],
                                 changes={"leads": {"memory": point["table"]}, "stats": {"interval": "500ms"}})
        setup.make_topics()
        return setup

    def run_once(self, point, topic, agreement=None):
        """A run from an empty Redis, its events counted once each. What it took, and what it left in Redis."""
        self.stack.flush_redis()
        empty = self.used_memory()
        setup = self.setup_of(point, topic, agreement)
        programs = [setup.start(f"p{number}") for number in range(point["processes"])]
        measured = measure(self.stack, programs, setup.group, topic, point["partitions"])
        resident = max(program.memory_bytes("VmHWM") for program in programs)
        events = self.stop(setup, programs)
        leads = self.leads_in_redis(setup)
        figures = {"measured": measured, "resident_bytes": resident, "events": events, "redis_leads": leads,
                   "redis_bytes_per_lead": round((self.used_memory() - empty) / max(leads, 1), 1),
                   "leads_in_memory": sum(leads_in_memory(program) for program in programs)}
        self.stack.delete_topics(setup.output_topics())
        return setup, figures

    def leads_in_redis(self, setup):
        """All keys but the few of each unit."""
        own = [("EXISTS", *(f"{setup.prefix}:{{{unit}}}:{what}" for what in ("unit", "words", "texts")))
               for unit in range(setup.partitions)]
        return self.stack.redis.call("DBSIZE") - sum(self.stack.redis.pipeline(own))

    def used_memory(self):
        return int(self.stack.redis.info("memory")["used_memory"])

    def stop(self, setup, programs):
        for program in programs:
            if program.stop() != 0:
                raise Failed(f"baton did not stop clean:\n{program.tail()}")
        self.stack.end_programs()
        told = setup.status()
        ends = sum(unit["end"] for unit in told["units"])
        if told["events"] != ends or told["duplicates"] or told["dead_letters"]:
            raise Failed(f"{ends} events were sent, {told['events']} counted, {told['duplicates']} as repeats, dead "
                         f"letters: {told['dead_letters']}")
        return told["events"]

    # --- factors ---

    def point_of(self, factor, value):
        return {**DEFAULT, **(TABLE_LEADS if factor == "table" else {}), factor: value}

    def measure_point(self, point):
        key = tuple(point.values())
        if key not in self.known:
            topic = self.topic_of(point)
            runs = [self.run_once(point, topic)[1] for _ in range(self.options.rounds)]
            self.known[key] = summary_of(point, runs)
        return self.known[key]

    def factor(self, name, values):
        rows = []
        for value in values:
            row = {"value": value, **self.measure_point(self.point_of(name, value))}
            rows.append(row)
            cost = row["cpu_seconds_per_million"]
            say(f"{name} {value}: {row['events_per_second']['median'] / 1e6:.3f} M events/s, CPU s per million "
                + " / ".join(f"{cost[part]['median']:.2f}" for part in ("program", "broker", "redis"))
                + f", {row['resident_bytes'] >> 20} MiB resident"
                + (" (too few events: start-up is in it)" if row["whole_run"] else ""))
        return rows

    # --- memory of Redis by kind ---

    def redis_memory(self):
        """The same events under agreements that keep more and more of a lead."""
        point = {**DEFAULT, "zipf": 0.0, "leads": self.options.events // EVENTS_PER_LEAD}
        topic, rows = self.topic_of(point), []
        simple = (self.simple_text(), "touches: 0")
        kinds = {"three rules, no touches": simple[0],
                 "three rules, eight touches": simple[0].replace(simple[1], "touches: 8"),
                 "ten rules, no touches": self.ten_text().replace("touches: 8", "touches: 0"),
                 "ten rules, eight touches": self.ten_text()}
        for number, (kind, text) in enumerate(kinds.items()):
            path = self.stack.folder / f"kind-{number}.yaml"
            path.write_text(text, encoding="utf-8")
            setup, figures = self.run_once(point, topic, path)
            sample = []
            for key in self.stack.redis.scan(f"{setup.prefix}:*:lead:*"):
                sample.append(key)
                if len(sample) == 2000:
                    break
            usage = self.stack.redis.pipeline([("MEMORY", "USAGE", key) for key in sample])
            spread = results.spread(usage)
            del spread["values"]
            rows.append({"kind": kind, "leads": figures["redis_leads"],
                         "bytes_per_lead": figures["redis_bytes_per_lead"], "memory_usage": spread,
                         "events_per_lead": round(figures["events"] / figures["redis_leads"], 1)})
            say(f"{kind}: {rows[-1]['bytes_per_lead']:.0f} B of Redis per lead")
        return rows

    @staticmethod
    def simple_text():
        return (Path(__file__).parents[1] / "agreements/simple.yaml").read_text(encoding="utf-8")

    @staticmethod
    def ten_text():
        return (Path(__file__).parents[1] / "agreements/ten.yaml").read_text(encoding="utf-8")

    # --- leads far beyond the table ---

    def wide(self):
        options = self.options
        point = {**DEFAULT, "leads": options.wide_leads, "zipf": 0.0,
                 "table": f"{max(16, options.wide_leads * FULL_TABLE_BYTES // UNITS['MB'])}MB"}
        topic = self.send(self.stack.named("wide-events"), point, options.wide_fill)
        setup = self.setup_of(point, topic)
        self.stack.flush_redis()
        say("folding them, so that every lead's state is in Redis")
        program = setup.start()
        filled = measure(self.stack, [program], setup.group, topic, point["partitions"])
        self.stop(setup, [program])
        per_lead = bytes_of(point["table"]) / leads_in_memory(program)      # the table was full: it is far too small
        table = max(16, round(per_lead * options.wide_leads / WIDE_SHARE / UNITS["MB"]))
        setup.change({"leads": {"memory": f"{table}MB"}})
        wide = {"leads": point["leads"], "leads_in_redis": self.leads_in_redis(setup), "table": f"{table}MB",
                "fill_events_per_second": round(filled.events_per_second),
                **redis_alone(self.stack, setup, lambda: self.send(topic, point, options.wide_events, 1),
                              lambda: self.send(topic, point, options.wide_events, 2))}
        say(f"{wide['events_per_second']:,} events/s with {wide['leads_in_memory']:,} leads in memory, Redis alone "
            f"{wide['redis_alone_events_per_second']:,}: {wide['ratio']:.2f}")
        return wide


def summary_of(point, runs):
    costs = [run["measured"].cost() for run in runs]
    return {"events_per_second": results.spread(round(run["measured"].events_per_second) for run in runs),
            "cpu_seconds_per_million": {part: results.spread(round(cost[part], 4) for cost in costs)
                                        for part in costs[0]},
            "resident_bytes": max(run["resident_bytes"] for run in runs),
            "table_limit_bytes": bytes_of(point["table"]), "whole_run": any(run["measured"].whole_run for run in runs),
            **{name: runs[-1][name] for name in ("events", "redis_leads", "redis_bytes_per_lead", "leads_in_memory")}}


def options_of():
    parser = results.parser("scale", "How cost grows: one factor at a time around a default point.")
    names = [*FACTORS, *SPECIAL]
    parser.add_argument("--only", metavar="FACTOR", help=f"one or several, separated by commas: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="fewer values and 500k events")
    parser.add_argument("--events", type=results.count, help="of each point (default: 10M, quick: 500k)")
    parser.add_argument("--rounds", type=results.count, default=1, help="runs of each point")
    parser.add_argument("--wide-leads", type=results.count, help="wide: leads, uniform (default: 10M, quick: 1M)")
    parser.add_argument("--wide-fill", type=results.count, help="wide: events before (default: 1.5 × leads)")
    parser.add_argument("--wide-events", type=results.count, help="wide: events measured (default: as --events)")
    options = parser.parse_args()
    options.only = options.only.split(",") if options.only else names
    if set(options.only) - set(names):
        parser.error(f"--only: there are {', '.join(names)}")
    if options.events is None:
        options.events = 500000 if options.quick else 10000000
    options.wide_leads = options.wide_leads or (10**6 if options.quick else 10**7)
    options.wide_events = options.wide_events or options.events
    if options.wide_fill is None:
        options.wide_fill = options.wide_leads * 3 // 2
    return options


def main():
    options, began = options_of(), time.monotonic()
    values = QUICK if options.quick else FACTORS
    data = {"default": DEFAULT, "factors": {}}
    with Stack() as stack:
        scale = Scale(stack, options)
        say("warming up")
        scale.run_once(DEFAULT, scale.topic_of(DEFAULT))
        for name in values:
            if name in options.only:
                data["factors"][name] = scale.factor(name, values[name])
        for name in SPECIAL:
            if name in options.only:
                data[name] = getattr(scale, name)()
    data["seconds"] = round(time.monotonic() - began, 1)
    results.finish("scale", options, data)
    return 0


if __name__ == "__main__":
    run_main(main)
