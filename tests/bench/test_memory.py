#!/usr/bin/python3
"""`baton-bench memory` in seconds, on a real Redis: every kind of lead is measured, more of a lead takes more, and nothing
stays behind."""
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

BASE, TOUCHES, ALL = "three rules, no touches", "eight touches with channel and campaign", "all of it"


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(Stack(broker=False))


def memory(*words):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([BENCH, "memory", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


class Memory(unittest.TestCase):
    maxDiff = None

    def check(self, data, leads):
        kinds = {row["kind"]: row for row in data["kinds"]}
        self.assertEqual(data["leads"], leads)
        self.assertEqual([kinds[name].get("target") for name in (BASE, TOUCHES, ALL)], [250, 700, None])
        base = kinds.pop(BASE)
        self.assertEqual(base["added"], 0)
        for name, row in kinds.items():
            with self.subTest(kind=name):
                usage = row["memory_usage"]
                self.assertTrue(usage["min"] <= usage["median"] <= usage["max"])
                self.assertGreater(row["packed_bytes"], base["packed_bytes"])
                self.assertGreater(usage["median"], row["packed_bytes"] + data["id_bytes"])
                self.assertGreaterEqual(usage["median"], base["memory_usage"]["median"])
                self.assertAlmostEqual(row["added"], row["bytes_per_lead"] - base["bytes_per_lead"], 3)
                # Redis' own table comes on top; with few leads its other affairs can be seen, too
                self.assertLess(abs(row["bytes_per_lead"] - usage["median"]) * leads, 500000, row)
        self.assertEqual(max(kinds.values(), key=lambda row: row["packed_bytes"])["kind"], ALL)

    def test_tells_what_each_part_takes_and_leaves_nothing(self):
        code, out, told = memory("--redis", stack.redis_url, "--leads", "6k", "--json", "--results", stack.folder)
        self.assertEqual(code, 0, told)
        data = json.loads(out.splitlines()[-1])
        self.check(data, 6000)
        self.assertEqual(stack.redis.call("DBSIZE"), 0)
        line = json.loads((stack.folder / "memory.jsonl").read_text(encoding="utf-8"))
        self.assertEqual((line["kind"], line["data"], line["options"]["leads"]), ("memory", data, 6000))
        self.assertIn(f"{BASE} ", told)
        self.assertIn("target at most 700 B: met", told)

    def test_the_same_seed_makes_the_same_leads(self):
        packed = []
        for seed in (5, 5, 6):
            _, out, _ = memory("--redis", stack.redis_url, "--leads", 500, "--seed", seed, "--json", "--results", "none")
            packed.append([row["packed_bytes"] for row in json.loads(out.splitlines()[-1])["kinds"]])
        self.assertEqual(packed[0], packed[1])
        self.assertNotEqual(packed[0], packed[2])

    def test_without_a_redis_it_starts_one(self):
        code, out, told = memory("--leads", "1000", "--json", "--results", "none")
        self.assertEqual(code, 0, told)
        self.check(json.loads(out.splitlines()[-1]), 1000)

    def test_a_unit_of_somebody_else_is_left_alone(self):
        stack.redis.call("HSET", "mine:{3}:unit", "owner", "somebody")
        code, out, told = memory("--redis", stack.redis_url, "--prefix", "mine", "--leads", "500")
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(told, "baton-bench memory: Redis has the key mine:{3}:unit: choose another --prefix\n")
        self.assertEqual(stack.redis.call("HGETALL", "mine:{3}:unit"), [b"owner", b"somebody"])
        self.assertEqual(stack.redis.call("DBSIZE"), 1)
        stack.redis.call("DEL", "mine:{3}:unit")

    def test_what_cannot_be_is_told(self):
        code, _, told = memory("--redis", "unix:///nowhere.sock?db=0", "--leads", 100, "--results", "none")
        self.assertEqual(code, 1)
        self.assertRegex(told, r"^baton-bench memory: .*nowhere\.sock")
        code, _, told = memory("--redis", stack.redis_url, "--leads", "3")
        self.assertEqual(code, 2)
        self.assertIn("is not from 100 to 100000000", told)


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
