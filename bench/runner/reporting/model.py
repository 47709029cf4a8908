"""What was measured, free of the form it was stored in. Rates are per second, times are seconds, costs are CPU
seconds per million events, sizes are bytes."""
from dataclasses import dataclass, field

from .lines import Run


@dataclass
class Spread:
    median: float
    low: float
    high: float


@dataclass
class Cost:
    """By part: wording.PARTS. A part that was not there costs 0."""
    program: float = 0
    broker: float = 0
    redis: float = 0

    @property
    def total(self):
        return self.program + self.broker + self.redis


@dataclass
class Peer:
    name: str                       # baton, ten, forty, ceiling, naive, kafka_streams, …
    promises: str
    rate: Spread
    cost: Cost
    rounds: int = 0
    memory: float | None = None     # the most that it had resident
    verified: str = ""              # what was checked before its time counted
    curve: list = field(default_factory=list)       # of one round: [(seconds, events committed), …]


@dataclass
class Compare:
    run: Run
    events: int
    peers: list
    ratios: dict                    # peer's name -> baton ÷ peer
    ten: float | None               # ten rules ÷ the simple agreement
    forty: float | None             # forty rules ÷ ten
    notes: list

    def peer(self, name):
        return next((peer for peer in self.peers if peer.name == name), None)


@dataclass
class Curve:
    """A distribution of times."""
    label: str
    told: dict                      # share 0..1 -> seconds that it stays within
    series: list                    # [(share, seconds), …], rising, for a plot
    most: float
    count: int
    reliable_to: float              # shares beyond it rest on a handful of values

    def at(self, share):
        return next((seconds for kept, seconds in self.told.items() if abs(kept - share) < 1e-9), None)

    def surely_at(self, share):
        """None also where it would rest on a handful of values."""
        return self.at(share) if share <= self.reliable_to + 1e-9 else None


@dataclass
class Slow:
    """Where those beyond a percentile spent their time, on average."""
    beyond: float
    to_broker: float
    in_baton: float
    until_visible: float


@dataclass
class Latency:
    run: Run
    rate: float                     # events per second that were to be sent
    share: float | None             # of the highest sustained rate, where that is known
    promotions: int
    total: Curve
    parts: list                     # of its way, as curves
    freshness: Curve | None         # score in Redis
    slow: list
    per_second: list                # [(second, p50, p99), …], without the warm-up


@dataclass
class Stage:
    label: str
    rate: float
    unit: str                       # of what that is
    events: float | None            # events per second that it alone would allow
    cost: Cost                      # per million of the unit
    of: bool = False                # a variant of the one before


@dataclass
class Holder:
    """What may hold the whole: all cores, baton's workers, Redis, …"""
    label: str
    events: float                   # events per second that it alone would allow


@dataclass
class Part:
    """CPU seconds per million events of the whole, at the rate that the limit allows."""
    label: str
    place: str                      # wording.PARTS
    cost: float


@dataclass
class Stages:
    run: Run
    stages: list
    limit: str                      # the label of the holder that allows least
    largest: str                    # the part that takes most of it
    events: float                   # events per second at the limit
    writes: float                   # lead writes per event there
    holders: list
    parts: list
    whole: float | None             # baton's own rate, if it was measured
    transaction: str = ""


@dataclass
class Point:
    x: float                        # where it lies on the axis
    text: str                       # what stands there
    rate: Spread
    cost: Cost
    resident: float | None = None   # bytes, of the largest process
    limit: float | None = None      # bytes that its lead table may take
    redis_per_lead: float | None = None
    leads_in_memory: float | None = None


@dataclass
class Growth:
    name: str                       # workers, leads, table, partitions, rules, event_bytes, zipf, processes
    run: Run
    points: list


@dataclass
class Appetite:
    """What an agreement keeps of a lead."""
    kind: str
    leads: int
    events_per_lead: float
    used: float                     # bytes of Redis per lead, of all that it uses
    key: Spread                     # of a lead's key, as Redis tells it


@dataclass
class Memory:
    run: Run
    kinds: list


@dataclass
class Wide:
    """Leads far beyond the table."""
    run: Run
    leads: int
    table: str
    in_memory: float                # leads that the table held
    rate: float
    redis_alone: float              # events per second, when Redis gets the same commands and nothing else runs
    ratio: float


@dataclass
class Kill:
    """Seconds after the kill."""
    handed_over: float              # the group has given the units to the survivor
    closed: float                   # no transaction of the victim is open any more
    live: float                     # its last unit is live
    replayed: float                 # events folded again

    @property
    def ready(self):
        """From here on it is up to baton."""
        return max(self.handed_over, self.closed)

    @property
    def ours(self):
        return max(self.live - self.ready, 0)


@dataclass
class TakeOver:
    run: Run
    leads: int                      # in Redis
    kills: list
    after: Spread                   # from ready to live
    live: Spread
    replayed: Spread
    verified: str = ""


@dataclass
class Pace:
    """Events per second, and per CPU second of the program, and of it with broker and Redis."""
    rate: Spread
    per_core: Spread
    per_core_of_all: Spread


@dataclass
class Times:
    """How many times as fast as `run`."""
    rate: float
    per_core: float
    per_core_of_all: float


@dataclass
class Replayed:
    """An agreement's."""
    name: str
    live: Pace
    replay: Pace
    compared: Pace
    saved: Pace                     # of a log that was saved
    of_replay: Times
    of_saved: Times


@dataclass
class Replay:
    run: Run
    events: int
    agreements: list


@dataclass
class Results:
    """The newest of each kind; None or empty: not measured."""
    compare: Compare | None = None
    latency: Latency | None = None
    stages: Stages | None = None
    growth: list = field(default_factory=list)
    take_over: TakeOver | None = None
    memory: Memory | None = None
    wide: Wide | None = None
    replay: Replay | None = None
    history: list = field(default_factory=list)     # every Compare, oldest first

    @property
    def runs(self):
        parts = [self.compare, self.latency, self.stages, *self.growth, self.memory, self.wide, self.take_over,
                 self.replay]
        return list({part.run.where: part.run for part in parts if part}.values())
