"""What a scenario plays in: topics of its own on a real broker, a redis-server of its own, baton processes.

Only what was started here is ended, by its process id.
"""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from auditor import read_topic
from load import agreement
from resp import Error, Redis

from persons import Identity            # auditor puts tests/reference on the path

ROOT = Path(__file__).resolve().parents[2]
CRASHED = 99
TOPICS = ("events", "promotions", "stages", "dead", "breaches")

CONFIG = """\
agreement: agreement.yaml
kafka:
  brokers: "{brokers}"
  group: {name}
  consumer: {{session.timeout.ms: "{session_ms}", heartbeat.interval.ms: "{heartbeat_ms}"}}
topics: {{events: {name}-events, promotions: {name}-promotions, stages: {name}-stages, dead: {name}-dead,
  breaches: {name}-breaches}}
output: {{format: json}}
redis: {{url: "unix://{socket}?db=0", prefix: {prefix}}}
workers: {workers}
commit: {{interval: 200ms}}
checkpoint: {{interval: {checkpoint}}}
leads: {{memory: 16MB}}
stats: {{interval: 2s}}
schemas: {{directory: schemas, unknown_wait: 1s}}
identity: {{field: email, hash: sha256, prefix: p/}}
sweep: {{share: 50}}
"""
IDENTITY = Identity("email", "sha256", "p/")


class RedisServer:
    def __init__(self, folder):
        self.folder = folder
        self.path = str(folder / "redis.sock")
        self.process = None
        self.snapshots = []             # [(when, file)]
        self.start()

    def start(self):
        log = open(self.folder / "redis.log", "a")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no",
             "--maxmemory-policy", "noeviction", "--dir", str(self.folder), "--dbfilename", "dump.rdb",
             "--enable-debug-command", "yes"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(400):
            try:
                with self.client() as redis:
                    if redis("PING") == b"PONG":
                        return
            except (OSError, Error):
                time.sleep(0.025)
        raise RuntimeError("redis-server does not answer")

    def client(self):
        return Redis(self.path)

    def snapshot(self):
        with self.client() as redis:
            redis("SAVE")
        file = self.folder / f"snapshot-{time.monotonic_ns()}.rdb"
        shutil.copyfile(self.folder / "dump.rdb", file)
        self.snapshots.append((time.monotonic(), file))

    def older(self, rand, seconds=2):
        """A snapshot of at least that age; waits for one if need be."""
        while True:
            old = [file for when, file in self.snapshots if time.monotonic() - when >= seconds]
            if old:
                return rand.choice(old[-4:])
            time.sleep(0.1)

    def return_by_restart(self, file):
        """What a fail-over does: connections end, and what answers next is an older self."""
        self.process.kill()
        self.process.wait()
        shutil.copyfile(file, self.folder / "dump.rdb")
        self.start()

    def return_in_place(self, file):
        """The same without any connection ending: nothing but the fence tells."""
        shutil.copyfile(file, self.folder / "dump.rdb")
        with self.client() as redis:
            redis("DEBUG", "RELOAD", "NOSAVE")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Baton:
    """One `baton run`, restarted under the same instance again and again."""

    def __init__(self, world, instance):
        self.world, self.instance = world, instance
        self.process = None
        self.log = world.folder / f"{instance}.log"
        self.unexpected = []

    def start(self, binary=None, environment=None, options=()):
        self.process = subprocess.Popen(
            [binary or self.world.binary, "run", "-c", str(self.world.config), "--instance", self.instance, "--unsigned",
             *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "ab"),
            env=dict(os.environ, **self.world.environment, **(environment or {})))
        return self

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.alive:
            os.kill(self.process.pid, number)

    def kill(self):
        """kill -9; True if it was still alive, as it should be."""
        if not self.alive:
            self.note_exit()
            return False
        self.process.kill()
        self.process.wait()
        self.process = None
        return True

    def note_exit(self):
        if self.process is not None and self.process.poll() is not None:
            self.unexpected.append(f"{self.instance} ended by itself with {self.process.returncode}: {self.tail(3)}")
            self.process = None

    def terminate(self, seconds=60):
        """SIGTERM and the exit code; None if it had to be killed. How long it took is in `took`."""
        if self.process is None:
            return None
        begun = time.monotonic()
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.took = time.monotonic() - begun
        self.process = None
        return code

    def was_replaying(self):
        """Whether its last life ended in the middle of a replay."""
        life = self.text().rpartition(" info agreement ")[2]
        begun = set(re.findall(r"unit=(\d+) replays ", life))
        return bool(begun - set(re.findall(r"unit=(\d+) replayed up to ", life)))

    def wait(self, seconds):
        """The exit code of a process that is to end by itself, or None."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.process = None
        return code

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines):
        return " / ".join(self.text().splitlines()[-lines:])


class World:
    def __init__(self, brokers, name, partitions=8, workers=2, session_ms=6000, checkpoint="300ms", crash=False,
                 fault=None, keep=False, prefix="chaos"):
        self.brokers = brokers
        self.name = f"{name}-{uuid.uuid4().hex[:8]}"
        self.partitions, self.prefix, self.keep = partitions, prefix, keep
        self.folder = Path(tempfile.mkdtemp(prefix=f"baton-{name}-"))
        self.binary = os.environ["BATON_CRASH_BIN" if crash or fault else "BATON_BIN"]
        self.environment = {"XDG_RUNTIME_DIR": str(self.folder)}
        if fault:
            self.environment["BATON_FAULT"] = fault
        (self.folder / "schemas").mkdir()
        self.config = self.folder / "baton.yaml"
        self.settings = dict(brokers=brokers, name=self.name, socket=self.folder / "redis.sock", prefix=prefix,
                             workers=workers, session_ms=session_ms, heartbeat_ms=max(200, session_ms // 10),
                             checkpoint=checkpoint)
        self.configure()
        self.write_agreement(agreement())
        self.batons = {}
        self.redis = RedisServer(self.folder)
        self._observer = Consumer({"bootstrap.servers": brokers, "group.id": self.name,
                                   "isolation.level": "read_committed", "enable.auto.commit": False})
        self._make_topics()

    def configure(self, **changes):
        self.settings.update(changes)
        self.config.write_text(CONFIG.format(**self.settings))

    def topic(self, which):
        return f"{self.name}-{which}"

    def write_agreement(self, text):
        self.agreement = text
        (self.folder / "agreement.yaml").write_text(text)

    def _make_topics(self):
        admin = AdminClient({"bootstrap.servers": self.brokers})
        topics = [NewTopic(self.topic(which), self.partitions if which == "events" else 2, 1)
                  for which in TOPICS]
        for made in admin.create_topics(topics, operation_timeout=10).values():
            made.result()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            known = admin.list_topics(timeout=5).topics
            if all(topic.topic in known for topic in topics) and self._all_lead():
                return
            time.sleep(0.1)
        raise RuntimeError("the topics are not there after 10 s")

    def _all_lead(self):
        """Whether each partition takes messages: of a producer that is too early, the broker has been seen to take the second
        batch and to call the first one, when it came again, a copy."""
        try:
            return self.ends() == [0] * self.partitions
        except KafkaException:
            return False

    def drop_topics(self):
        admin = AdminClient({"bootstrap.servers": self.brokers})
        admin.delete_topics([self.topic(which) for which in TOPICS],
                            operation_timeout=5)

    # --- processes

    def baton(self, instance):
        return self.batons.setdefault(instance, Baton(self, instance))

    def alive(self):
        return [baton for baton in self.batons.values() if baton.alive]

    def errors(self):
        """Lines of level error in all logs: in a scenario that expects none each is a failure."""
        pattern = re.compile(r"^\S+ error .*$", re.M)
        lines = [f"{baton.instance}: {line}" for baton in self.batons.values() for line in pattern.findall(baton.text())]
        return lines + [text for baton in self.batons.values() for text in baton.unexpected]

    # --- positions

    def committed(self, timeout=40):
        """K of each partition; -1 where there is none. A killed process' open transaction hides it for up to 20 s."""
        wanted = [TopicPartition(self.topic("events"), number) for number in range(self.partitions)]
        return [max(-1, at.offset) if at.error is None else -1 for at in self._observer.committed(wanted, timeout=timeout)]

    def ends(self):
        return [self._observer.get_watermark_offsets(TopicPartition(self.topic("events"), number), timeout=10)[1]
                for number in range(self.partitions)]

    def _try_committed(self):
        try:
            return self.committed(timeout=10)
        except Exception:               # the coordinator is busy with a rebalance or a transaction
            return None

    def _try_ends(self):
        try:
            return self.ends()
        except Exception:               # the broker was held up, and its partitions have no leader for a moment
            return None

    def wait_progress(self, seconds=20):
        """Until offsets move on again after now; True if they did."""
        before, deadline = None, time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = self._try_committed()
            if now is not None:
                if before is not None and sum(now) > sum(before):
                    return True
                before = before if before is not None else now
            time.sleep(0.05)
        return False

    def wait_caught_up(self, seconds=120, units=None):
        """Until the group has committed all there is; None, or what is missing."""
        deadline = time.monotonic() + seconds
        while True:
            ends, now = self._try_ends(), self._try_committed()
            if ends is not None and now is not None:
                left = {unit: (max(0, now[unit]), ends[unit]) for unit in (units or range(self.partitions))
                        if max(0, now[unit]) < ends[unit] or now[unit] < 0}
                if not left:
                    return None
                if time.monotonic() > deadline:
                    return f"not caught up after {seconds} s (unit: committed, end): {left}"
            elif time.monotonic() > deadline:
                return f"no offsets to be had in {seconds} s"
            time.sleep(0.1)

    def positions(self):
        """R of each unit, as Redis has it; -1 where there is none."""
        with self.redis.client() as redis:
            return [int(position or -1) for position in
                    redis.pipeline([("HGET", f"{self.prefix}:{{{unit}}}:unit", "position")
                                    for unit in range(self.partitions)])]

    def emptied(self):
        """What the units say of leads that are to be removed."""
        with self.redis.client() as redis:
            keys = redis.pipeline([("HKEYS", f"{self.prefix}:{{{unit}}}:unit") for unit in range(self.partitions)])
        return [sorted(name for name in names if name.startswith(b"x:")) for names in keys]

    def state(self):
        return self.ends(), self._try_committed(), self.positions(), self.emptied()

    def wait_settled(self, seconds=120):
        """Until all there is, what baton writes to itself included, is committed and in Redis, and nothing goes on any
        more; None, or what is missing."""
        deadline = time.monotonic() + seconds
        missing = self.wait_caught_up(seconds)
        while not missing:
            before = self.state()
            if before[0] == before[1] == before[2]:
                time.sleep(1.5)         # a take-over may have got there an instant ago, and is not live yet
                if self.state() == before:
                    return None
            if time.monotonic() > deadline + 60:
                missing = "not settled: ends {}, committed {}, in Redis {}, to be removed {}".format(*self.state())
            time.sleep(0.1)
        return missing

    def wait_for(self, condition, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.05)
        return False

    def units_marked(self):
        with self.redis.client() as redis:
            marks = redis.pipeline([("HGET", f"{self.prefix}:{{{unit}}}:unit", "committed")
                                    for unit in range(self.partitions)])
        return all(mark == b"1" for mark in marks)

    def wait_live(self, seconds=120):
        """Until every unit has been live once."""
        return self.wait_for(self.units_marked, seconds)

    # --- the end

    def _keep_topics(self, folder):
        """What a failure is looked into with."""
        for which in TOPICS:
            with gzip.open(folder / f"{which}.jsonl.gz", "wt") as file:
                for message in read_topic(self.brokers, self.topic(which)):
                    file.write(json.dumps([message.partition(), message.offset(), message.timestamp()[1],
                                           *((part or b"").decode("latin-1") for part in (message.key(), message.value())),
                                           [(name, (value or b"").decode("latin-1")) for name, value in
                                            message.headers() or ()]]) + "\n")

    def close(self, failed=False):
        for baton in self.batons.values():
            if baton.alive:
                baton.signal(signal.SIGCONT)
                baton.kill()
        self._observer.close()
        self.redis.stop()
        if failed:
            kept = ROOT / "build/test-logs" / self.name
            kept.mkdir(parents=True, exist_ok=True)
            for file in self.folder.iterdir():
                if file.suffix in (".log", ".yaml"):
                    shutil.copy(file, kept)
            self._keep_topics(kept)
            print(f"      logs of the processes, and the topics: {kept}", flush=True)
        try:
            self.drop_topics()
        except Exception as error:      # the broker is the runner's; it goes away with its topics
            print(f"      topics stay: {error}", flush=True)
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
