#!/usr/bin/python3
"""`baton-bench stages` in seconds, on a real broker and Redis: every part is measured, one is named, and nothing stays
behind. Its figures mean nothing here."""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/runner"))
os.environ["BATON_BENCH_SHARED"] = "1"

from stack import BENCH, Stack  # noqa: E402  (a folder of scripts, not a package)

STAGES = ["checkpoint", "count", "count_callback", "decode", "encode", "fold", "fold_uniform", "load", "load_new", "loop",
          "pack", "source", "transactions"]
HOLDERS = ["Kafka clients", "Redis", "all cores", "workers"]
TOPIC, EVENTS = "stages-events", 20000


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(Stack())
    stack.make_topic(TOPIC, 4)
    stack.make_topic("stages-empty", 4)
    stack.bench("load", "--brokers", stack.brokers, "--topic", TOPIC, "--events", EVENTS, "--leads", 300,
                "--unreadable", "1%")


def stages(*words, topic=TOPIC):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([BENCH, "stages", "--brokers", stack.brokers, "--topic", topic, "--redis", stack.redis_url,
                           "--seconds", "0.2", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


class Stages(unittest.TestCase):
    maxDiff = None

    def check(self, data):
        self.assertEqual(sorted(data["stages"]), STAGES)
        for name, stage in data["stages"].items():
            with self.subTest(stage=name):
                self.assertGreater(stage["per_second"], 0)
                self.assertGreater(stage["workers"] + stage["others"], 0)
        self.assertEqual(data["messages"], EVENTS)
        limit = data["limit"]
        self.assertEqual(sorted(limit["alone"]), HOLDERS)
        self.assertEqual(limit["events_per_second"], limit["alone"][limit["name"]])
        self.assertLessEqual(limit["events_per_second"], min(rate for rate in limit["alone"].values() if rate))
        self.assertIn(limit["largest"], [part["part"] for part in limit["parts"]])
        self.assertTrue(0 < limit["writes_per_event"] <= 1)
        self.assertLessEqual(data["transaction_ms"]["p50"], data["transaction_ms"]["p99"])
        events, leads = zip(*data["leads_among_events"])
        self.assertEqual(list(leads), sorted(leads))
        self.assertTrue(all(lead <= event for event, lead in data["leads_among_events"]))

    def test_each_part_is_measured_and_the_limit_named(self):
        code, out, told = stages("--json", "--results", stack.folder / "results", "--broker-pid", stack.broker.pid,
                                 "--redis-pid", stack.redis_server.pid, "--baton-rate", "1M")
        self.assertEqual(code, 0, told)
        data = json.loads(out.splitlines()[-1])
        self.check(data)
        self.assertTrue(100 < data["unreadable"] < 300)
        self.assertLessEqual(data["leads"], 300)
        self.assertEqual(data["baton"]["events_per_second"], 1e6)
        self.assertIn("limit: ", told)
        self.assertIn("baton as a whole", told)
        line = json.loads((stack.folder / "results/stages.jsonl").read_text(encoding="utf-8"))
        self.assertEqual((line["kind"], sorted(line["data"])), ("stages", sorted(data)))

    def test_nothing_stays_behind(self):
        code, _, told = stages("--results", "none")
        self.assertEqual(code, 0, told)
        self.assertEqual(stack.redis.call("DBSIZE"), 0)
        admin = stack.admin()
        self.assertEqual([name for name in admin.list_topics(timeout=20).topics if name.startswith("bench-stages")], [])
        groups = [group.id for group in admin.list_groups(timeout=20)]
        self.assertEqual([name for name in groups if name.startswith("bench-stages")], [])

    def test_ten_rules_and_more_workers_than_partitions(self):
        code, out, told = stages("--json", "--results", "none", "--workers", 9, "--agreement",
                                 ROOT / "bench/agreements/ten.yaml")
        self.assertEqual(code, 0, told)
        data = json.loads(out.splitlines()[-1])
        self.check(data)
        self.assertEqual(data["workers"], 4)
        self.assertIsNone(data["stages"]["checkpoint"]["redis"])        # nobody told its process

    def test_one_part_alone_for_a_profiler(self):
        code, out, told = stages("--only", "decode")
        self.assertEqual(code, 0, told)
        self.assertIn("decode", out)
        self.assertNotIn("transactions", out)
        self.assertNotIn("limit:", out)

    def test_what_cannot_be_is_told_in_a_line(self):
        nowhere = ("--redis", "unix:///nowhere.sock?db=0")
        for words, topic, told in (((), "stages-empty", "hold no messages"), ((), "stages-absent", "stages-absent"),
                                   (("--only", "x"), TOPIC, "no such stage"), (nowhere, TOPIC, "Redis"),
                                   (("--agreement", "/nowhere.yaml"), TOPIC, "/nowhere.yaml")):
            with self.subTest(words=words, topic=topic):
                code, _, text = stages(*words, "--results", "none", topic=topic)
                self.assertEqual(code, 1)
                self.assertIn(told, text)
                self.assertEqual(text.strip().count("\n"), 0)

    def test_the_runner_sets_baton_beside_its_parts(self):
        done = subprocess.run([BENCH, "stages", "--events", str(EVENTS), "--leads", "300", "--seconds", "0.2", "--rounds",
                               "1", "--json", "--results", stack.folder / "whole"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300,
                              env={**os.environ, "BATON_BENCH_KAFKA_DIR": str(stack.broker.folder)})
        self.assertEqual(done.returncode, 0, done.stderr)
        data = json.loads(done.stdout.splitlines()[-1])
        self.check(data)
        self.assertGreater(data["baton"]["events_per_second"], 0)
        self.assertEqual(sorted(data["baton"]), ["broker", "events_per_second", "program", "redis"])
        line = json.loads((stack.folder / "whole/stages.jsonl").read_text(encoding="utf-8"))
        self.assertEqual(line["options"]["events"], EVENTS)


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
