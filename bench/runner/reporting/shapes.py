"""The one place that knows what `data` looks like in the results of each kind. Turns it into the model; what is
missing or of the wrong type is told with file, line and the way to it."""
import math

from . import model, targets, wording
from .lines import Damaged, read_results


class Node:
    """A value within the data of a run, with the way to it for messages."""

    def __init__(self, value, where):
        self.value, self.where = value, where

    def wrong(self, wanted):
        raise Damaged(f"{self.where}: expected {wanted}")

    def __getitem__(self, name):
        if not isinstance(self.value, dict) or self.value.get(name) is None:
            raise Damaged(f"{self.where}.{name} is missing")
        return Node(self.value[name], f"{self.where}.{name}")

    def has(self, name):
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def items(self):
        """(name, node) of an object."""
        if not isinstance(self.value, dict):
            self.wrong("an object")
        return [(name, Node(value, f"{self.where}.{name}")) for name, value in self.value.items() if value is not None]

    def list(self):
        if not isinstance(self.value, list):
            self.wrong("a list")
        return [Node(value, f"{self.where}[{index}]") for index, value in enumerate(self.value)]

    def some(self):
        """A list that has something in it."""
        return self.list() or self.wrong("a list of at least one")

    def number(self):
        """Nothing that is measured here can be less than zero."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)) or not 0 <= self.value < math.inf:
            self.wrong("a number from 0 on")
        return self.value

    def text(self):
        if not isinstance(self.value, str):
            self.wrong("a text")
        return self.value

    def pairs(self):
        pairs = [node.list() for node in self.list()]
        for pair in pairs:
            if len(pair) != 2:
                self.wrong("pairs of numbers")
        return [(a.number(), b.number()) for a, b in pairs]

    def texts(self):
        return [node.text() for node in self.list()]

    # with what stands in when it is not there
    def number_or(self, name, default=None):
        return self[name].number() if self.has(name) else default

    def text_or(self, name, default=""):
        return self[name].text() if self.has(name) else default


def data_of(run):
    return Node(run.data, f"{run.where}: data")


def spread(node):
    return model.Spread(node["median"].number(), node["min"].number(), node["max"].number())


def middle(node):
    """A number, or the median of a spread."""
    return node["median"].number() if isinstance(node.value, dict) else node.number()


def cost(node):
    """CPU seconds per million events."""
    return model.Cost(**{part: middle(node[part]) for part in wording.PARTS if node.has(part)})


# --- compare ---

def compare(run):
    data = data_of(run)
    data["programs"]["baton"], data["ratios"]["ceiling"]    # nothing can be said without them
    rounds = {name: int(node.number()) for name, node in data["rounds"].items()}
    return model.Compare(
        run=run, events=data["topic"]["events"].number(),
        peers=[peer(name, node, rounds.get(name, 0)) for name, node in data["programs"].items()],
        ratios={name: node.number() for name, node in data["ratios"].items()}, ten=data.number_or("ten_to_simple"),
        forty=data.number_or("forty_to_ten"),
        notes=(data["notes"].texts() if data.has("notes") else []) + too_short(data["programs"]))


def too_short(programs):
    return [f"{name}: the topic was too short for it, start-up is in its figures" for name, node in programs.items()
            if node.has("whole_run") and node["whole_run"].value]


def peer(name, node, rounds):
    return model.Peer(
        name=name, promises=node.text_or("promises"), rate=spread(node["events_per_second"]),
        cost=cost(node["cpu_seconds_per_million"]), rounds=rounds,
        memory=middle(node["memory_bytes"]) if node.has("memory_bytes") else None,
        verified=node.text_or("verified"), curve=node["curve"].pairs() if node.has("curve") else [])


# --- latency ---

def shares(node):
    """[(share, seconds), …], at least one."""
    found = node.pairs()
    if not found or max(share for share, _ in found) > 1:
        node.wrong("pairs of a share and a time")
    return found


def curve(label, node):
    told, count = shares(node["percentiles"]), node["count"].number()
    series = shares(node["series"]) if node.has("series") else told
    # the greatest of n values stands at 1 - 1/n: the axis of the plot has no place for 1
    last = 1 - 1 / max(count, 2)
    return model.Curve(label=label, told=dict(told), series=[(min(share, last), seconds) for share, seconds in series],
                       most=node["most"].number(), count=count, reliable_to=node.number_or("reliable_to", 1.0))


PARTS_OF_WAY = {"acknowledged": "until the broker has the event", "made": "until baton has written the promotion",
                "visible": "until it is visible"}


def latency(run):
    data = data_of(run)
    parts = [curve(label, data["parts"][name]) for name, label in PARTS_OF_WAY.items() if data["parts"].has(name)]
    slow = [model.Slow(one["beyond"].number(), *[one[name].number() for name in PARTS_OF_WAY])
            for one in (data["slow"].list() if data.has("slow") else [])]
    seconds = [(one["second"].number(), one["p50"].number(), one["p99"].number())
               for one in (data["per_second"].list() if data.has("per_second") else [])
               if not (one.has("warm_up") and one["warm_up"].value)]
    return model.Latency(
        run=run, rate=data["rate"].number(), share=data.number_or("share_of_highest"),
        promotions=data["promotions"]["measured"].number(),
        total=curve("event to promotion", data["latency"]), parts=parts,
        freshness=curve("event to score in Redis", data["freshness"]) if data.has("freshness") else None, slow=slow,
        per_second=seconds)


# --- stages ---

STAGES = {"count": "counting consumer, one by one", "count_callback": "by callback", "source": "by baton's source",
          "decode": "decode",
          "fold": "lead table and fold", "fold_uniform": "all leads alike",
          "encode": "encode promotions and stage changes",
          "loop": "worker's loop, without Kafka and Redis", "pack": "pack leads for a checkpoint",
          "checkpoint": "checkpoint to Redis", "load": "load from Redis", "load_new": "leads that are not there",
          "transactions": "transactions"}
VARIANTS = ("count_callback", "source", "fold_uniform", "load_new")
PLACES = {"workers": "program", "clients": "program", "helpers": "program", "redis": "redis", "broker": "broker"}


def stage(name, node):
    spent = model.Cost(program=node.number_or("workers", 0) + node.number_or("others", 0),
                       broker=node.number_or("broker", 0), redis=node.number_or("redis", 0))
    return model.Stage(label=STAGES.get(name, name), rate=node["per_second"].number(), unit=node["unit"].text(),
                       events=node.number_or("events_per_second"), cost=spent, of=name in VARIANTS)


def stages(run):
    data = data_of(run)
    limit = data["limit"]
    holders = [model.Holder(name, node.number()) for name, node in limit["alone"].items()]
    if not holders:
        limit["alone"].wrong("what each alone would allow")
    parts = [model.Part(one["part"].text(), PLACES.get(one["place"].text(), "program"),
                        one["cpu_seconds_per_million"].number()) for one in limit["parts"].some()]
    return model.Stages(
        run=run, stages=[stage(name, node) for name, node in data["stages"].items()], limit=limit["name"].text(),
        largest=limit.text_or("largest"), events=limit["events_per_second"].number(),
        writes=limit["writes_per_event"].number(), holders=holders, parts=parts, whole=data["baton"]["events_per_second"].number() if data.has("baton") else None,
        transaction=transaction_times(data["transaction_ms"]) if data.has("transaction_ms") else "")


def transaction_times(node):
    return (f"A transaction takes {wording.duration(node['p50'].number() / 1e3)} (median), "
            f"{wording.duration(node['p99'].number() / 1e3)} (p99).")


# --- scale ---

def growth(run, name):
    points = data_of(run)["factors"][name].some()
    return model.Growth(name, run, [point(one, index) for index, one in enumerate(points, 1)])


def point(node, index):
    """Where the value is a text (a size, say), its place is that of the table's limit, or just the next."""
    value = node["value"].value
    limit = node.number_or("table_limit_bytes")
    numeric = isinstance(value, (int, float))
    return model.Point(
        x=value if numeric else limit or index, text=wording.short_count(value) if numeric else str(value),
        rate=spread(node["events_per_second"]), cost=cost(node["cpu_seconds_per_million"]),
        resident=node.number_or("resident_bytes"), limit=limit, redis_per_lead=node.number_or("redis_bytes_per_lead"),
        leads_in_memory=node.number_or("leads_in_memory"))


def memory(run):
    kinds = [model.Appetite(one["kind"].text(), one["leads"].number(), one["events_per_lead"].number(),
                            one["bytes_per_lead"].number(), spread(one["memory_usage"]))
             for one in data_of(run)["redis_memory"].some()]
    return model.Memory(run, kinds)


def wide(run):
    data = data_of(run)["wide"]
    return model.Wide(run=run, leads=data["leads"].number(), table=data["table"].text(),
                      in_memory=data["leads_in_memory"].number(), rate=data["events_per_second"].number(),
                      redis_alone=data["redis_alone_events_per_second"].number(), ratio=data["ratio"].number())


# --- takeover ---

def take_over(run):
    data = data_of(run)
    summary = data["summary"]
    kills = [model.Kill(handed_over=one["group_handed_over"].number(), closed=one["no_transaction_open"].number(),
                        live=one["live"].number(), replayed=one["replayed"].number()) for one in data["rounds"].some()]
    return model.TakeOver(run=run, leads=data["keys_in_redis"].number(), kills=kills,
                          after=spread(summary["live_after"]), live=spread(summary["live"]),
                          replayed=spread(summary["replayed"]), verified=data.text_or("verified"))


# --- replay ---

def pace(node):
    return model.Pace(spread(node["events_per_second"]), spread(node["per_core"]), spread(node["per_core_of_all"]))


def times(node):
    return model.Times(node["rate"].number(), node["per_core"].number(), node["per_core_of_all"].number())


def replay(run):
    data = data_of(run)
    agreements = [model.Replayed(name, pace(node["live"]), pace(node["replay"]), pace(node["compared"]), pace(node["saved"]),
                                 times(data["ratios"][name]), times(data["ratios"][name]["saved"]))
                  for name, node in data["runs"].items()]
    if not agreements:
        data["runs"].wrong("at least one agreement")
    return model.Replay(run=run, events=data["topic"]["events"].number(), agreements=agreements)


# --- all ---

def newest(runs, kind, read, fitting=lambda run: True):
    """The newest run of a kind, read. One at the settings that the targets speak of goes before a later one that is
    not: a short try does not push aside what was measured."""
    found = [run for run in runs if run.kind == kind and fitting(run)]
    at_settings = [run for run in found if not targets.differences(run)]
    chosen = (at_settings or found)[-1:]
    return read(chosen[0]) if chosen else None


def part_of_scale(runs, name, read):
    return newest(runs, "scale", read, lambda run: run.data.get(name) is not None)


def all_growth(runs):
    """Each factor from the newest run that has it: `scale --only` measures some of them."""
    having = {}
    for run in runs:
        if run.kind == "scale" and run.data.get("factors") is not None:
            for name, _ in data_of(run)["factors"].items():
                having.setdefault(name, []).append(run)
    return [newest(found, "scale", lambda run, name=name: growth(run, name)) for name, found in having.items()]


def read(folder):
    runs = read_results(folder)
    for run in runs:
        run.settings = settings(run)
    return model.Results(compare=newest(runs, "compare", compare), latency=newest(runs, "latency", latency),
                         stages=newest(runs, "stages", stages),
                         growth=all_growth(runs),
                         memory=part_of_scale(runs, "redis_memory", memory), wide=part_of_scale(runs, "wide", wide),
                         take_over=newest(runs, "takeover", take_over), replay=newest(runs, "replay", replay),
                         history=history(runs))


def settings(run):
    """What a target may speak of."""
    if run.kind == "latency":
        return {**run.options, "share_of_highest": run.data.get("share_of_highest")}
    if run.kind == "takeover":
        return {**run.options, "leads in Redis": run.data.get("keys_in_redis")}
    return run.options


def history(runs):
    """Comparisons at the settings that the targets speak of, on the machine of the newest, oldest first. Those of an
    older shape are left out."""
    fitting = [run for run in runs if run.kind == "compare" and not targets.differences(run)]
    kept = []
    for run in fitting:
        if run.machine == fitting[-1].machine:
            try:
                kept.append(compare(run))
            except Damaged:
                continue
    return kept
