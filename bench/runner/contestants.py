"""The programs that `compare` lets run in turns: how each is built, run, measured and found right."""

import statistics
import subprocess
from dataclasses import dataclass, field

import results
import truth
from stack import BUILD, ROOT, Failed, say
from throughput import measure


@dataclass
class Turn:
    """One run, found right."""
    events_per_second: float
    cpu: dict                           # part -> CPU seconds per million events
    memory_bytes: int = 0
    curve: list = field(default_factory=list)
    verified: str = ""
    whole_run: bool = False

    def text(self):
        cost = " / ".join(f"{self.cpu[part]:.2f}" for part in ("program", "broker", "redis") if part in self.cpu)
        return (f"{self.events_per_second / 1e6:.3f} M events/s, CPU s per million {cost}; {self.verified}"
                + (" (too short: start-up is in it)" if self.whole_run else ""))


class Contestant:
    name = title = promises = ""
    is_peer = exactly_once = False

    def __init__(self, options):
        self.options = options

    def build(self):
        """Makes the program; Failed says what is missing."""

    def summary(self, turns):
        parts = turns[0].cpu
        median = statistics.median_low(turn.events_per_second for turn in turns)
        return {"title": self.title, "promises": self.promises,
                "events_per_second": results.spread(round(turn.events_per_second) for turn in turns),
                "cpu_seconds_per_million": {part: results.spread(round(turn.cpu[part], 4) for turn in turns)
                                            for part in parts},
                "memory_bytes": max(turn.memory_bytes for turn in turns), "verified": turns[0].verified,
                "whole_run": any(turn.whole_run for turn in turns),
                "curve": next(turn.curve for turn in turns if turn.events_per_second == median)}


class Ceiling(Contestant):
    name, title = "ceiling", "consumer that only counts"
    promises = "reads only"

    def run(self, comparison, number):
        stack = comparison.stack
        before = stack.cpu_seconds()
        told = stack.bench("count", "--brokers", stack.brokers, "--topic", comparison.topic, "--events",
                           comparison.truth.events, "--consumers", self.options.workers, "--limit", "600s")
        if told["events"] != comparison.truth.events:
            raise Failed(f"the counter saw {told['events']} of {comparison.truth.events} events")
        broker = (stack.cpu_seconds()["broker"] - before["broker"]) * 1e6 / comparison.truth.events
        program = told["cpu_seconds_per_million"]
        return Turn(told["events_per_second"], {"program": program, "broker": broker, "total": program + broker},
                    verified=f"{told['events']:,} events counted")


class Scorer(Contestant):
    """Commits offsets, publishes promotions, leaves scores in Redis."""

    def run(self, comparison, number):
        self.launch(comparison, f"{self.name.replace('_', '-')}-{number}")
        measured = measure(comparison.stack, [self.program], self.group, comparison.topic, self.options.partitions)
        memory = self.program.memory_bytes("VmHWM")
        code = self.program.stop()
        if code not in self.good_exit_codes:
            raise Failed(f"{self.name} ended with {code}:\n{self.program.tail()}")
        verified = self.verify(comparison)
        comparison.stack.delete_topics(self.outputs)
        return Turn(measured.events_per_second, measured.cost(), memory, measured.curve, verified, measured.whole_run)

    good_exit_codes = (0,)

    def read_scores(self, redis):
        """lead -> text, of every lead that has a key."""
        keys = sorted(set(redis.scan(self.lead_keys)))
        leads = [key.split(b"lead:", 1)[1].decode() for key in keys]
        if len(set(leads)) != len(leads):
            raise Failed(f"{self.name} keeps some lead's score in two places")
        return dict(zip(leads, truth.read_scores(redis, keys)))

    def verify(self, comparison):
        """Promotions and every score, against what was sent."""
        stack, expected = comparison.stack, comparison.truth
        keys = truth.read_keys(stack, self.promotions)
        truth.check_promotions(self.name, keys, expected.promoted, self.exactly_once)
        truth.check_scores(self.name, self.read_scores(stack.redis), expected.scores)
        again = len(keys) - len(set(keys))
        return (f"{len(expected.promoted):,} promotions {'exactly once' if not again else f'({again} twice)'}, "
                f"{len(expected):,} scores right")


class Baton(Scorer):
    name, title, agreement = "baton", "baton", "simple"
    promises, exactly_once = "exactly once", True

    def launch(self, comparison, run):
        self.setup = comparison.stack.baton(run, agreement=self.agreement, topic=comparison.topic,
                                            partitions=self.options.partitions, workers=self.options.workers)
        self.setup.make_topics()
        self.group, self.promotions = self.setup.group, self.setup.promotions
        self.outputs, self.lead_keys = self.setup.output_topics(), f"{self.setup.prefix}:*:lead:*"
        self.program = self.setup.start()


class Ten(Baton):
    """An agreement that no peer has; its promotions must be the same in every run, each once."""
    name, title, agreement = "ten", "baton with ten rules", "ten"

    def verify(self, comparison):
        keys = truth.read_keys(comparison.stack, self.promotions)
        if not keys:
            raise Failed(f"{self.agreement}.yaml promoted nobody: it does not fit the traffic")
        self.promoted = getattr(self, "promoted", set(keys))
        truth.check_promotions(self.name, keys, self.promoted, True)
        told = self.setup.status()
        if told["events"] != comparison.truth.events or told["dead_letters"]:
            raise Failed(f"{self.name} counted {told['events']} of {comparison.truth.events} events, "
                         f"dead letters: {told['dead_letters']}")
        return f"{told['events']:,} events counted, {len(keys):,} promotions exactly once and the same in each run"


class Forty(Ten):
    name, title, agreement = "forty", "baton with forty rules", "forty"


class Peer(Scorer):
    is_peer, lead_keys = True, "lead:*"
    environment = None

    def launch(self, comparison, run):
        stack = comparison.stack
        self.group, self.promotions = f"bench-{stack.named(run)}", f"{stack.named(run)}-promotions"
        stack.make_topic(self.promotions, self.options.partitions)
        self.outputs = [self.promotions, *self.own_topics()]
        self.program = stack.start(
            [*self.command(), "--brokers", stack.brokers, "--topic", comparison.topic, "--group", self.group, "--redis",
             stack.redis_url, "--promotions", self.promotions, "--threads", self.options.workers],
            stack.folder / f"{run}.log", self.environment)

    def own_topics(self):
        """Those that it makes for itself."""
        return []


class Naive(Peer):
    name, title = "naive", "naive C, one HINCRBY per event"
    promises = "at least once"
    binary = BUILD / "baton-bench-naive"

    def build(self):
        if self.binary.is_file():
            return
        say("building the naive peer")
        done = subprocess.run(["cmake", "--build", BUILD, "--target", self.binary.name], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failed(f"the naive peer cannot be built:\n{done.stdout[-2000:]}")

    def command(self):
        return [self.binary]


class KafkaStreams(Peer):
    """As a team that runs Streams would write it."""
    name, title = "kafka_streams", "Kafka Streams with RocksDB and Lettuce"
    promises, exactly_once = "exactly once, Redis at least once", True
    folder = ROOT / "build/peers/kafka-streams"
    good_exit_codes = (0, 143)          # a JVM that ends by SIGTERM

    def build(self):
        say("building the Kafka Streams peer, if it has changed")
        done = subprocess.run([ROOT / "bench/peers/kafka-streams/build", self.folder], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failed(f"no Kafka Streams to compare with: {done.stdout.strip()[-2000:]} "
                         "(--peers naive leaves it out)")

    def command(self):
        return [self.folder / "run"]

    def own_topics(self):
        return [f"{self.group}-scores-changelog"]


class KafkaStreamsTuned(KafkaStreams):
    """As fast as we could make it."""
    name, title = "kafka_streams_tuned", "Kafka Streams, store in memory, own Redis client"
    # a new generation that holds what lies between two commits
    environment = {"BATON_PEER_JAVA": "-Xms2g -Xmx2g -Xmn1400m -XX:+UseParallelGC -XX:+AlwaysPreTouch"}

    def command(self):
        return [*super().command(), "--store", "memory", "--redis-client", "own"]


PEERS = {one.name: one for one in (Naive, KafkaStreams, KafkaStreamsTuned)}
