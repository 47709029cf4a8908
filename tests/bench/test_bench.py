#!/usr/bin/python3
"""baton-bench as its user meets it, in seconds and on a real broker: `load` sends what it says, whoever sends it;
`count` counts; baton scores it as `--truth` has it; errors are plain. Figures mean nothing here."""
import collections
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/runner"))
os.environ["BATON_BENCH_SHARED"] = "1"

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition  # noqa: E402
from stack import BENCH, Stack, wait_for  # noqa: E402
from throughput import Offsets  # noqa: E402
from truth import Truth, check_scores, read_keys, read_scores  # noqa: E402

NOON = "2026-11-01T12:00:00Z"
NOON_MS = 1793534400000
NOBODY = "127.0.0.1:1"
CLIENTS = {"one": ["--producers", "1"], "three": ["--producers", "3"], "direct": ["--client", "direct"],
           "prepared": ["--client", "direct", "--prepare", "--producers", "3"]}


def setUpModule():
    global stack
    stack = Stack(build=False)
    stack.__enter__()
    unittest.addModuleCleanup(stack.__exit__, None, None, None)


def run(*words, brokers=None, **environment):
    """(exit code, stdout, stderr)"""
    at = ["--brokers", brokers or stack.brokers] if words and words[0] in ("load", "count") else []
    done = subprocess.run([str(word) for word in (BENCH, *words, *at)], stdin=subprocess.DEVNULL, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def messages(topic):
    """[(partition, offset, key, value)]"""
    consumer = Consumer({"bootstrap.servers": stack.brokers, "group.id": "test", "enable.auto.commit": False,
                         "enable.partition.eof": True, "auto.offset.reset": "earliest", "log_level": 0})
    places = set(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, 0) for number in places])
    found = []
    while places:
        for message in consumer.consume(5000, 0.5):
            if message.error() is None:
                found.append((message.partition(), message.offset(), message.key(), message.value()))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                places.discard(message.partition())
            else:
                raise AssertionError(message.error())
    consumer.close()
    return found


def by_lead(topic):
    """{lead: (its partition, its values in order)}"""
    leads = {}
    for partition, _, key, value in sorted(messages(topic)):
        place, values = leads.setdefault(key, (partition, []))
        assert place == partition, f"{key} lies in {place} and {partition}"
        values.append(value)
    return leads


class Load(unittest.TestCase):
    maxDiff = None

    def load(self, topic, *words):
        code, out, told = run("load", "--topic", topic, "--json", *words)
        self.assertEqual(code, 0, told)
        data = json.loads(out.splitlines()[-1])
        self.assertEqual(data["failed"], 0)
        return data, told

    def test_the_same_seed_sends_the_same_whoever_sends(self):
        words = ["--events", "20k", "--leads", "300", "--start", NOON, "--late", "2%", "--repeated", "5%",
                 "--unreadable", "1%", "--profiles", "5%", "--seed", "7"]
        found = {}
        for name, how in CLIENTS.items():
            truth = stack.folder / f"same-{name}.csv"
            data, _ = self.load(f"same-{name}", *words, *how, "--truth", truth)
            told = {key: data[key] for key in ("messages", "visits", "clicks", "form_fills", "profiles", "late",
                                               "repeated", "unreadable", "bytes", "start")}
            found[name] = (told, by_lead(f"same-{name}"), truth.read_text(encoding="ascii"))
        self.assertEqual(sum(len(values) for _, values in found["one"][1].values()), 20000)
        for name in CLIENTS:
            self.assertEqual(found[name][0], found["one"][0], name)
            self.assertTrue(found[name][1] == found["one"][1], f"{name} sent something else")
            self.assertTrue(found[name][2] == found["one"][2], f"{name} has another truth")

    def test_the_truth_is_what_lies_in_the_topic(self):
        truth = stack.folder / "truth.csv"
        data, _ = self.load("true", "--events", "20k", "--leads", "500", "--repeated", "10%", "--unreadable", "5%",
                            "--format", "json", "--truth", truth)
        seen, counts, unreadable = set(), collections.Counter(), 0
        for _, _, key, value in messages("true"):
            try:
                event = json.loads(value)
            except ValueError:
                unreadable += 1
                continue
            self.assertEqual(event["lead_id"], key.decode())
            if event["event_id"] not in seen:
                seen.add(event["event_id"])
                counts[event["lead_id"], event["kind"]] += 1
        with open(truth, encoding="ascii", newline="") as file:
            rows = {row["lead"]: row for row in csv.DictReader(file)}
        self.assertEqual({(lead, kind[:-1]): int(row[kind]) for lead, row in rows.items()
                          for kind in ("visits", "clicks", "form_fills") if int(row[kind])}, dict(counts))
        self.assertEqual(unreadable, data["unreadable"])
        self.assertEqual(data["messages"] - len(seen) - unreadable, data["repeated"])

    def test_baton_scores_it_as_the_truth_has_it(self):
        setup, path = stack.baton("mixed", partitions=4), stack.folder / "mixed.csv"
        setup.make_topics()
        data, _ = self.load(setup.topic, "--events", "20k", "--leads", "400", "--late", "5%", "--repeated", "5%",
                            "--unreadable", "2%", "--profiles", "2%", "--truth", path, "--client", "direct")
        program = setup.start()
        offsets = Offsets(stack, setup.group, setup.topic, 4)
        wait_for("all is committed", 60, lambda: program.check() or sum(offsets.committed()) == 20000)
        offsets.close()
        self.assertEqual(program.stop(), 0, program.tail())
        truth = Truth(path)
        self.assertEqual(truth.events, data["visits"] + data["clicks"] + data["form_fills"])
        keys = {key.decode().rsplit(":", 1)[1]: key.decode() for key in stack.redis.scan(f"{setup.prefix}:*lead-*")}
        leads = sorted(truth.scores)
        found = [text and text.decode() for text in read_scores(stack.redis, [keys.get(lead, "-") for lead in leads])]
        check_scores("baton", dict(zip(leads, found)), truth.scores)
        self.assertEqual(len(read_keys(stack, f"{setup.name}-dead")), data["unreadable"])
        self.assertEqual(sorted(read_keys(stack, setup.promotions)), sorted(truth.promoted))

    def test_a_plan_is_kept_and_its_lag_is_told(self):
        for name, how in {**CLIENTS, "two": []}.items():
            data, told = self.load(f"plan-{name}", *how, "--rate", "5k", "--seconds", "1", "--format", "json")
            self.assertEqual(data["messages"], 5000)
            self.assertGreater(data["seconds"], 0.9)     # how much more is the machine's affair
            self.assertGreaterEqual(data["lag_seconds_max"], data["lag_seconds_mean"])
            self.assertIn("behind plan: ", told)
            times = sorted(json.loads(value)["time"] for *_, value in messages(f"plan-{name}"))
            self.assertTrue(990 <= times[-1] - times[0] <= 1010)

    def test_without_a_rate_time_can_be_the_end(self):
        data, _ = self.load("fast", "--seconds", "500ms", "--start", NOON)
        self.assertTrue(0.4 < data["seconds"] < 20)
        self.assertEqual(len(messages("fast")), data["messages"])

    def test_a_load_goes_on_where_another_ended(self):
        self.load("whole", "--events", "3000", "--start", NOON, "--leads", "50")
        self.load("halves", "--events", "1000", "--start", NOON, "--leads", "50")
        self.load("halves", "--events", "2k", "--start", NOON, "--leads", "50", "--first", "1k")
        self.assertTrue(by_lead("whole") == by_lead("halves"))

    def test_event_times_lie_where_they_were_said_to(self):
        data, _ = self.load("times", "--events", "1000", "--start", NOON, "--time-rate", "10", "--format", "json")
        times = [json.loads(value)["time"] for *_, value in messages("times")]
        self.assertEqual((min(times), max(times)), (NOON_MS, NOON_MS + 99900))
        self.assertEqual(data["start"], "2026-11-01T12:00:00.000Z")
        self.load("now", "--events", "1000", "--time-rate", "1k", "--format", "json")
        age = time.time() * 1000 - max(json.loads(value)["time"] for *_, value in messages("now"))
        self.assertTrue(0 <= age < 30000, age)

    def test_a_topic_is_made_if_absent_and_never_changed(self):
        _, told = self.load("made", "--events", "100", "--partitions", "3")
        self.assertIn("topic made made: 3 partitions\n", told)
        data, told = self.load("made", "--events", "100", "--partitions", "5")
        self.assertIn("topic made: 3 partitions, 100 messages before\n", told)
        self.assertEqual((data["partitions"], data["created"]), (3, False))

    def test_properties_reach_librdkafka(self):
        self.load("zstd", "--events", "100", "-X", "compression.type=zstd", "-Xlinger.ms=0")
        code, _, told = run("load", "--topic", "zstd", "-X", "colour=red")
        self.assertEqual((code, told), (1, 'baton-bench load: colour=red: No such configuration property: "colour"\n'))

    def test_a_result_is_kept_where_it_is_asked_for(self):
        folder = stack.folder / "kept"
        data, _ = self.load("kept", "--events", "100", "--seed", "9", "--results", folder)
        line = json.loads((folder / "load.jsonl").read_text(encoding="utf-8"))
        self.assertEqual(line["data"], data)
        self.assertEqual((line["kind"], line["seed"], line["options"]["events"]), ("load", 9, 100))
        self.assertTrue({"at", "commit", "dirty", "machine", "versions", "arguments"} <= set(line))

    def test_what_the_broker_refuses_is_told_and_no_truth_is_made_up(self):
        stack.make_topic("small", 2, **{"max.message.bytes": "200"})
        for how in ("librdkafka", "direct"):
            truth = stack.folder / f"small-{how}.csv"
            code, out, told = run("load", "--topic", "small", "--events", "500", "--bytes", "400", "--client", how,
                                  "--truth", truth, "--json")
            self.assertEqual(code, 1)
            self.assertEqual(json.loads(out.splitlines()[-1])["failed"], 500)
            self.assertRegex(told, "500 of 500 messages were not acknowledged: .*Message size too large")
            self.assertIn("no truth is written", told)
            self.assertFalse(truth.exists())

    def test_an_interrupt_ends_with_what_was_sent(self):
        for name, how in CLIENTS.items():
            topic = f"interrupted-{name}"
            child = subprocess.Popen([str(w) for w in (BENCH, "load", "--brokers", stack.brokers, "--topic", topic,
                                                       "--rate", "2k", "--events", "60k", "--json", *how)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                wait_for("the topic is there", 30, lambda: topic in stack.admin().list_topics(timeout=20).topics)
                time.sleep(1)
                child.send_signal(signal.SIGINT)
                out, told = child.communicate(timeout=60)
            finally:
                child.kill()
            data = json.loads(out.splitlines()[-1])
            self.assertEqual(data["acknowledged"], len(messages(topic)), told)
            self.assertLess(data["acknowledged"], 60000)

    def test_errors_are_one_plain_line(self):
        for words, wanted, brokers in (
                (["load"], "no Kafka broker answers at 127.0.0.1:1: .*Connection refused", NOBODY),
                (["count"], "no Kafka broker answers at 127.0.0.1:1: .*Connection refused", NOBODY),
                (["load", "--topic", "a b"], "topic a b cannot be made: Topic name is invalid", None),
                (["load", "--start", "noon"], "--start: 'noon' is not a time such as 2026-11-01T12:00:00Z", None),
                (["load", "--prepare"], "--prepare goes with --client direct and a number of events", None),
                (["load", "--late", "0.7", "--repeated", "0.7"],
                 "late, repeated and unreadable messages are 1.4 of all, more than 1", None),
                (["load", "--bytes", "20"], "events of 20 bytes cannot be made: [0-9]+ is the least", None),
                (["load", "--client", "direct", "-X", "linger.ms=1"],
                 "-X is for librdkafka, and the direct client does without it", None),
                (["load", "--evnts", "5"], "--evnts: there is no such option; did you mean --events\\?", None),
                (["count", "--topic", "nowhere"], "there is no topic nowhere at ", None)):
            code, _, told = run(*words, brokers=brokers)
            self.assertIn(code, (1, 2), words)
            self.assertEqual(len(told.splitlines()), 1, told)
            self.assertRegex(told, f"^baton-bench {words[0]}: {wanted}")


class Count(unittest.TestCase):
    def test_it_counts_all_that_is_there(self):
        run("load", "--topic", "counted", "--events", "50k", "--client", "direct")
        for consumers in ("1", "3"):
            code, out, told = run("count", "--topic", "counted", "--json", "--consumers", consumers)
            self.assertEqual(code, 0, told)
            data = json.loads(out.splitlines()[-1])
            self.assertEqual(data["events"], 50000)
            self.assertGreater(data["events_per_second"], 1000)
            self.assertGreater(data["cpu_seconds_per_million"], 0.01)
            self.assertIn("50000 events counted", told)

    def test_it_can_stop_earlier(self):
        run("load", "--topic", "more", "--events", "20k")
        code, out, _ = run("count", "--topic", "more", "--json", "--events", "5k")
        self.assertEqual(code, 0)
        self.assertTrue(5000 <= json.loads(out)["events"] <= 20000)

    def test_marks_of_transactions_are_no_events(self):
        stack.make_topic("transacted", 2)
        producer = Producer({"bootstrap.servers": stack.brokers, "transactional.id": "t", "log_level": 0})
        producer.init_transactions(30)
        for n in range(10):
            producer.begin_transaction()
            for k in range(10):
                producer.produce("transacted", b"v", b"k%d" % k)
            producer.flush(30)
            (producer.abort_transaction if n == 4 else producer.commit_transaction)(30)
        code, out, told = run("count", "--topic", "transacted", "--json")
        self.assertEqual(code, 0, told)
        self.assertEqual(json.loads(out)["events"], 90)

    def test_an_empty_topic_has_nothing_to_count(self):
        stack.make_topic("empty", 1)
        code, _, told = run("count", "--topic", "empty")
        self.assertEqual((code, told), (1, "baton-bench count: topic empty holds 0 messages; baton-bench load sends "
                                           "more\n"))


class Table(unittest.TestCase):
    NAMES = ("load", "count", "latency", "stages", "memory", "compare", "scale", "takeover", "replay", "report")

    def test_every_subcommand_is_listed_and_explains_itself(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        self.assertEqual(tuple(re.findall(r"^  (\w+) ", out, re.M)), self.NAMES)
        for name in self.NAMES:
            code, out, told = run(name, "--help")
            self.assertEqual((code, told), (0, ""), name)
            self.assertIn("--json", out)
            self.assertIn("--results", out)

    def test_wrong_usage_is_told(self):
        code, out, told = run()
        self.assertEqual((code, out), (2, ""))
        self.assertTrue(told.startswith("usage: baton-bench SUBCOMMAND"))
        code, _, told = run("laod")
        self.assertEqual(code, 2)
        self.assertTrue(told.startswith("baton-bench: there is no subcommand 'laod'"))


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
