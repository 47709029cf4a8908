#!/usr/bin/python3
"""The peers of `baton-bench compare` on a real broker: each comes to the right result, and what judges them goes red
when a promotion or a score is not what it should be.

usage: test_peers.py [--long]     long: also what takes tens of seconds"""
import csv
import os
import shutil
import signal
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/runner"), str(ROOT / "bench/peers")]
os.environ["BATON_BENCH_SHARED"] = "1"

from contestants import KafkaStreams, KafkaStreamsTuned, Naive  # noqa: E402  (folders of scripts, not packages)
from stack import Failed, Stack, wait_for  # noqa: E402
from throughput import Offsets, measure  # noqa: E402
from verify import verify  # noqa: E402

EVENTS, LEADS, PARTITIONS, TOPIC = 20000, 2000, 4, "events"


class OneWorker:
    workers = 2


def setUpModule():
    global stack, truth
    stack = Stack(build=False)
    stack.__enter__()
    unittest.addModuleCleanup(stack.__exit__, None, None, None)
    truth = stack.folder / "truth.csv"
    stack.make_topic(TOPIC, PARTITIONS)
    stack.bench("load", "--brokers", stack.brokers, "--topic", TOPIC, "--events", EVENTS, "--leads", LEADS,
                "--truth", truth)


class Case(unittest.TestCase):
    peer = None

    def start(self, run, *more):
        self.contestant = self.peer(OneWorker)
        self.contestant.group = self.group
        self.contestant.build()
        return stack.start([*self.contestant.command(), "--brokers", stack.brokers, "--topic", TOPIC, "--group", self.group,
                            "--redis", stack.redis_url, "--promotions", self.promotions, *more],
                           stack.folder / f"{self.group}-{run}.log",
                           {"BATON_PEER_JAVA": f"-Xmx512m -XX:+UseParallelGC -Djava.io.tmpdir={stack.folder}"})

    def setUp(self):
        name = self.id().rsplit(".", 1)[1].replace("_", "-")
        self.group, self.promotions = f"{self.peer.name.replace('_', '-')}-{name}", f"promotions-{self.peer.name}-{name}"
        stack.flush_redis()
        stack.make_topic(self.promotions, 2)

    def wait_for_scores(self):
        wait_for("the first score is in Redis", 60, lambda: stack.redis.call("DBSIZE"), 0.01)

    def finish(self, program):
        measure(stack, [program], self.group, TOPIC, PARTITIONS)
        self.assertEqual(program.stop(), 0, program.tail())

    def comes_to_the_right_result(self):
        self.finish(self.start(1))
        self.assertRegex(self.verdict(), r"^[1-9]\d+ leads promoted, each once; \d+ scores right$")

    def nothing_of_it_stays_when_its_topics_are_deleted(self):
        stack.delete_topics([self.promotions, *self.contestant.own_topics()])
        wait_for("its topics are gone", 60, lambda: not [
            name for name in stack.admin().list_topics(timeout=20).topics if name == self.promotions or self.group in name])

    def verdict(self, facts=None, kind=None):
        return verify(kind or self.peer.name, stack.brokers, self.promotions, facts or truth, stack.redis_path)


def altered(change):
    """The truth with a changed row."""
    with open(truth, encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    path = stack.folder / "altered.csv"
    with open(path, "w", encoding="ascii", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
    return path


def points(row):
    return int(row["visits"]) + 3 * int(row["clicks"]) + 10 * int(row["form_fills"])


class ANaiveScorer(Case):
    peer = Naive

    def test_comes_to_the_right_result_and_a_wrong_one_is_noticed(self):
        self.comes_to_the_right_result()

        def one_more_click(rows):
            row = next(row for row in rows if points(row) < 50)
            row["clicks"] = int(row["clicks"]) + 1

        def one_more_promotion(rows):
            next(row for row in rows if points(row) < 50)["visits"] = 100

        def one_promotion_less(rows):
            next(row for row in rows if points(row) >= 100).update(visits=1, clicks=0, form_fills=0)

        def one_more_lead(rows):
            rows.append({"lead": "nobody", "visits": 1, "clicks": 0, "form_fills": 0})

        def one_lead_less(rows):
            rows.remove(next(row for row in rows if points(row) < 50))

        for change, told in ((one_more_click, "scored 1 leads wrong"), (one_more_promotion, "did not promote"),
                             (one_promotion_less, "who should not be"), (one_more_lead, "left no score of nobody"),
                             (one_lead_less, "should be None")):
            with self.subTest(change=change.__name__), self.assertRaisesRegex(Failed, told):
                self.verdict(altered(change))
        self.a_wrong_score_is_noticed()
        self.a_second_promotion_is_noticed()

    def a_wrong_score_is_noticed(self):
        key = next(stack.redis.scan("lead:*"))
        stack.redis.call("HINCRBY", key, "score", 1)
        with self.assertRaisesRegex(Failed, "scored 1 leads wrong"):
            self.verdict()
        stack.redis.call("HINCRBY", key, "score", -1)

    def a_second_promotion_is_noticed(self):
        from confluent_kafka import Producer
        with open(truth, encoding="ascii", newline="") as file:
            lead = next(row["lead"] for row in csv.DictReader(file) if points(row) >= 100)
        producer = Producer({"bootstrap.servers": stack.brokers, "enable.idempotence": True})
        producer.produce(self.promotions, key=lead, value=b"again")
        producer.flush(20)
        self.assertIn("1 promotions twice", self.verdict())          # at least once is what it promises
        with self.assertRaisesRegex(Failed, "1 promotions twice"):
            self.verdict(kind="kafka_streams")

    def test_counts_on_where_it_stopped(self):
        program = self.start(1, "--pipeline", "1")         # slowly
        self.wait_for_scores()
        self.assertEqual(program.stop(), 0, program.tail())
        offsets = Offsets(stack, self.group, TOPIC, PARTITIONS)
        self.assertIn(sum(offsets.committed()), range(1, EVENTS))
        offsets.close()
        self.finish(self.start(2))
        self.verdict()

    def test_says_what_is_wrong_with_its_options(self):
        program = stack.start([Naive.binary, "--brokers", stack.brokers], stack.folder / "options.log")
        self.assertEqual(program.process.wait(60), 2)
        self.assertIn("usage:", program.log())
        program = stack.start([Naive.binary, "--brokers", stack.brokers, "--topic", TOPIC, "--group", "none", "--redis",
                               "unix:///nowhere", "--promotions", self.promotions], stack.folder / "no-redis.log")
        self.assertEqual(program.process.wait(60), 1)
        self.assertIn("/nowhere", program.log())


@unittest.skipUnless(all(map(shutil.which, ("java", "javac", "mvn"))), "needs a JDK and Maven")
class AKafkaStreamsScorer(Case):
    peer = KafkaStreams

    def test_comes_to_the_right_result(self):
        self.comes_to_the_right_result()
        self.nothing_of_it_stays_when_its_topics_are_deleted()

    @unittest.skipUnless("--long" in sys.argv, "with --long only")
    def test_promotes_exactly_once_when_it_is_killed(self):
        quick = ("--set", "consumer.session.timeout.ms=2000", "--set", "consumer.heartbeat.interval.ms=500",
                 "--set", "producer.transaction.timeout.ms=3000", "--set", "consumer.max.poll.records=50",
                 "--set", "buffered.records.per.partition=50")
        program = self.start(1, *quick)
        self.wait_for_scores()
        os.kill(program.pid, signal.SIGKILL)
        program.process.wait()
        self.finish(self.start(2, *quick))
        self.verdict()


@unittest.skipUnless(all(map(shutil.which, ("java", "javac", "mvn"))), "needs a JDK and Maven")
class ATunedKafkaStreamsScorer(Case):
    peer = KafkaStreamsTuned

    def test_comes_to_the_right_result(self):
        self.comes_to_the_right_result()


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
