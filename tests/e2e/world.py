"""Servers, clients and processes for the end-to-end tests: a real broker, a real Redis, the real program.

Environment: BATON_BIN, BATON_TEST_KAFKA (address) and BATON_TEST_REDIS (unix socket). Servers that are not named are
started, and stopped at the end.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/reference"))

BATON = os.environ.get("BATON_BIN", str(ROOT / "build/release/baton"))
CRASH = os.environ.get("BATON_CRASH_BIN", str(ROOT / "build/debug/baton"))     # it has crash points
FOREVER = {"retention.ms": "-1", "message.timestamp.after.max.ms": str(2 ** 63 - 1)}
QUIET = {"log_level": 0}


class Failed(Exception):
    """A test has seen something that must not be; the text says what."""


def wait_for(what, seconds, look):
    """The first true value of look()."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


# --- Redis ------------------------------------------------------------------------------------------------------------

class Redis:
    """RESP over a unix socket, or TCP for an address (host, port)."""

    def __init__(self, address, password=None):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.connect(address)
        self.file = self.socket.makefile("rb")
        if password:
            self.call("AUTH", password)

    def call(self, *words):
        return self.pipeline([words])[0]

    def pipeline(self, commands):
        out = []
        for words in commands:
            words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            out.append(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        self.socket.sendall(b"".join(out))
        return [self._answer() for _ in commands]

    def _answer(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Failed("Redis: " + rest.decode())
        if kind in b"+:":
            return rest if kind == b"+" else int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return [self._answer() for _ in range(int(rest))]

    def scan(self, pattern):
        cursor, found = b"0", set()
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 5000)
            found.update(keys)
            if cursor == b"0":
                return sorted(found)

    def close(self):
        self.file.close()
        self.socket.close()


class RedisServer:
    """One of our own, that can go away and come back on the same socket."""

    def __init__(self, folder, *options):
        self.path, self.folder, self.options = str(folder / "own.sock"), folder, options
        self.process = None
        self.start()

    def start(self, *options):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no", "--dir",
             str(self.folder), "--dbfilename", "own.rdb", "--maxmemory-policy", "noeviction", *self.options, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        atexit.register(self.stop)
        wait_for("redis-server answers", 30, self.answers)

    def answers(self):
        try:
            Redis(self.path).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


# --- the servers of a run ---------------------------------------------------------------------------------------------

class World:
    def __init__(self, kafka=os.environ.get("BATON_TEST_KAFKA"), redis_path=os.environ.get("BATON_TEST_REDIS")):
        self.folder = Path(tempfile.mkdtemp(prefix="e2e-"))
        atexit.register(shutil.rmtree, self.folder, True)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.kafka = kafka or self._own_kafka()
        self.redis_path = redis_path or RedisServer(self.folder).path
        self.admin = AdminClient({"bootstrap.servers": self.kafka, **QUIET})

    def _own_kafka(self):
        folder = self.folder / "kafka"
        out = subprocess.run([ROOT / "deploy/kafka/start", "--dir", folder, "--port", "free"], stdout=subprocess.PIPE,
                             text=True, timeout=400, check=True)
        atexit.register(subprocess.run, [ROOT / "deploy/kafka/stop", "--dir", folder], stderr=subprocess.DEVNULL)
        return out.stdout.split()[-1]

    def redis(self):
        return Redis(self.redis_path)

    def make_topics(self, topics):
        """topics: {name: (partitions, settings)}"""
        wanted = [NewTopic(name, partitions, 1, config=config) for name, (partitions, config) in topics.items()]
        for future in self.admin.create_topics(wanted).values():
            future.result(30)
        # A broker answers before it tells everybody.
        wait_for("the topics to be there", 60, lambda: set(topics) <= set(self.admin.list_topics(timeout=20).topics))

    def add_partitions(self, topic, count):
        for future in self.admin.create_partitions([NewPartitions(topic, count)]).values():
            future.result(30)

    def producer(self):
        return Producer({"bootstrap.servers": self.kafka, "linger.ms": 5, "enable.idempotence": True, **QUIET})

    def read(self, topics):
        """All messages of these topics that a reader with read_committed sees."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "e2e-" + uuid.uuid4().hex,
                             "isolation.level": "read_committed", "enable.auto.commit": False,
                             "enable.partition.eof": True, "auto.offset.reset": "earliest", **QUIET})
        known = consumer.list_topics(timeout=20).topics
        places = {(topic, p) for topic in topics for p in known[topic].partitions}
        consumer.assign([TopicPartition(topic, p, 0) for topic, p in places])
        messages, end = [], time.monotonic() + 60
        while places:
            if time.monotonic() > end:
                raise Failed(f"no end of {sorted(places)} after 60 s")
            for message in consumer.consume(2000, 0.5):
                if message.error() is None:
                    messages.append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    places.discard((message.topic(), message.partition()))
                else:
                    raise Failed(str(message.error()))
        consumer.close()
        return messages

    def committed(self, group, topic, partitions):
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": group, "enable.auto.commit": False, **QUIET})
        offsets = consumer.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=20)
        consumer.close()
        return [offset.offset for offset in offsets]

    def commit_by_hand(self, group, topic, partition, offset):
        """As an operator's tool does it, for a group without members."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": group, "enable.auto.commit": False, **QUIET})
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
        consumer.close()


# --- one configuration of the program, and its processes --------------------------------------------------------------

OUTPUTS = ("promotions", "stages", "dead", "breaches")


class Setup:
    """A folder with baton.yaml and agreement.yaml, topics and a prefix of its own."""

    def __init__(self, world, agreement, partitions=4, redis_url=None, extra=None, topics=True):
        self.world, self.partitions = world, partitions
        self.name = "t" + uuid.uuid4().hex[:10]
        self.folder = world.folder / self.name
        self.folder.mkdir()
        self.topics = {kind: f"{self.name}-{kind}" for kind in ("events",) + OUTPUTS}
        self.config = {
            "agreement": "agreement.yaml",
            "kafka": {"brokers": world.kafka, "group": self.name,
                      "consumer": {"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}},
            "topics": {**self.topics, "partitions": partitions},
            "output": {"format": "json"},
            "redis": {"url": redis_url or f"unix://{world.redis_path}?db=0", "prefix": self.name},
            "workers": 2,
        }
        for key, value in (extra or {}).items():
            if isinstance(value, dict) and isinstance(self.config.get(key), dict):
                self.config[key] = {**self.config[key], **value}
            else:
                self.config[key] = value
        self.write_config()
        self.write_agreement(agreement)
        self.run_words = ["--unsigned"]      # none for what signatures are tested with
        self.processes = []
        if topics:
            world.make_topics(self.topic_list())

    def topic_list(self):
        return {self.topics["events"]: (self.partitions, FOREVER),
                **{self.topics[kind]: (2, {}) for kind in OUTPUTS}}

    def write_config(self, **changes):
        self.config.update(changes)
        # A JSON text is YAML, too.
        (self.folder / "baton.yaml").write_text(json.dumps(self.config, indent=1))

    def write_agreement(self, text):
        (self.folder / "agreement.yaml").write_text(text, encoding="utf-8")

    def run(self, *words, **environment):
        """A one-shot verb: the finished process, with stdout and stderr as text."""
        return subprocess.run([BATON, *words[:1], "-c", str(self.folder / "baton.yaml"), *words[1:]],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                              timeout=120, stdin=subprocess.DEVNULL, check=False, env={**os.environ, **environment})

    def start(self, instance="a", *words, binary=BATON, **environment):
        process = Process(self, instance, words, environment, binary)
        self.processes.append(process)
        return process

    def feed(self, producer, records, headers=lambda record: []):
        """records: messages.Record with partition, timestamp, key and value (bytes or None)."""
        for record in records:
            while True:
                try:
                    producer.produce(self.topics["events"], record.value, record.key, record.partition,
                                     timestamp=record.timestamp or 0, headers=headers(record))
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)

    def positions(self, redis):
        """R of every unit; -1 where there is none."""
        answers = redis.pipeline([("HGET", f"{self.name}:{{{p}}}:unit", "position") for p in range(self.partitions)])
        return [-1 if answer is None else int(answer) for answer in answers]

    def wait_until_done(self, redis, ends, seconds=120):
        def look():
            for process in self.processes:
                if process.ended_unasked():
                    raise Failed(f"baton ended with {process.process.poll()}:\n{process.tail()}")
            return self.positions(redis) == ends

        try:
            wait_for("all events in Redis", seconds, look)
        except Failed as failed:
            raise Failed(f"{failed}\npositions {self.positions(redis)}, expected {ends}\n"
                         + "\n".join(p.tail() for p in self.processes)) from None

    def ends(self):
        """The end of every partition of the events topic, with what a transaction that hangs hides for now."""
        consumer = Consumer({"bootstrap.servers": self.world.kafka, "group.id": "ends",
                             "isolation.level": "read_uncommitted", **QUIET})
        deadline = time.monotonic() + 60
        try:
            while True:
                try:
                    return [consumer.get_watermark_offsets(TopicPartition(self.topics["events"], p), timeout=10)[1]
                            for p in range(self.partitions)]
                except KafkaException:  # a leader that is not known yet
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
        finally:
            consumer.close()

    def to_be_removed(self, redis):
        """Leads that were emptied: key of the field → id."""
        found = {}
        for partition in range(self.partitions):
            fields = redis.call("HGETALL", f"{self.name}:{{{partition}}}:unit")
            found.update(pair for pair in zip(fields[::2], fields[1::2]) if pair[0].startswith(b"x:"))
        return found

    def wait_until_quiet(self, redis, seconds=120):
        """All that is in the log is in Redis, what baton wrote to itself as well, and nothing goes on any more."""
        def state():
            return self.ends(), self.positions(redis), self.to_be_removed(redis)

        def look():
            for process in self.processes:
                if process.ended_unasked():
                    raise Failed(f"baton ended with {process.process.poll()}:\n{process.tail()}")
            try:
                before = state()
                if before[0] != before[1]:
                    return False
                time.sleep(2)
                return state() == before
            except KafkaException:          # a busy broker that nobody leads for a moment
                return False

        try:
            wait_for("all events in Redis", seconds, look)
        except Failed as failed:
            raise Failed(f"{failed}\npositions {self.positions(redis)}, ends {self.ends()}\n"
                         + "\n".join(p.tail() for p in self.processes)) from None

    def stop_all(self):
        """Ends what still runs, without asking how."""
        for process in self.processes:
            process.kill()


class Process:
    """A `baton run`."""

    def __init__(self, setup, instance, words=(), environment=None, binary=BATON):
        self.log_path = setup.folder / f"run-{len(setup.processes)}-{instance}.log"
        self.asked = False
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "run", "-c", str(setup.folder / "baton.yaml"), "--instance", instance, *setup.run_words, *words],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "XDG_RUNTIME_DIR": str(setup.world.folder), **(environment or {})})
        atexit.register(self.kill)

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def tail(self, lines=15):
        return "\n".join(f"    {self.log_path.name}| {line}" for line in self.log().splitlines()[-lines:])

    def ended_unasked(self):
        return not self.asked and self.process.poll() is not None

    def wait_for_line(self, text, seconds=120):
        def look():
            if text in self.log():
                return True
            if self.process.poll() is not None:
                raise Failed(f"baton ended with {self.process.poll()} before it said {text!r}:\n{self.tail()}")
            return False

        try:
            wait_for(f"{text!r} in the log", seconds, look)
        except Failed as failed:
            raise Failed(f"{failed}\n{self.tail()}") from None

    def stop(self, seconds=45):
        """SIGTERM; the exit code."""
        self.asked = True
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=120):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"no end within {seconds} s:\n{self.tail()}") from None

    def kill(self):
        self.asked = True
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
