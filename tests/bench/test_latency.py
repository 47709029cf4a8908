#!/usr/bin/python3
"""latency in seconds, on a real broker: it tells what it promises, and what is not right is an error. Its times mean
nothing here."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/runner"))

import latency  # noqa: E402  (a folder of scripts, not a package)
from stack import BATON, BENCH, Failed  # noqa: E402


def setUpModule():
    global folder, brokers
    folder = Path(tempfile.mkdtemp(prefix="test-latency-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, True)
    unittest.addModuleCleanup(subprocess.run, [ROOT / "deploy/kafka/stop", "--dir", folder / "kafka", "--wipe"],
                              stderr=subprocess.DEVNULL)
    done = subprocess.run([ROOT / "deploy/kafka/start", "--dir", folder / "kafka", "--port", "free", "--quiet"],
                          check=True, stdout=subprocess.PIPE, text=True)
    brokers = done.stdout.split()[-1]


def bench(*words):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([BENCH, "latency", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300,
                          env={**os.environ, "BATON_BENCH_KAFKA_DIR": str(folder / "kafka"), "BATON_BENCH_SHARED": "1",
                               "TMPDIR": str(folder)})
    return done.returncode, done.stdout, done.stderr


def make_topics(name):
    """The topics of a baton that does not run: (arguments, name of its events topic)."""
    events, promotions = f"{name}-events", f"{name}-promotions"
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"agreement": str(ROOT / "bench/agreements/simple.yaml"), "kafka": {"brokers": brokers},
                                "topics": {"events": events, "promotions": promotions, "stages": f"{name}-stages",
                                           "dead": f"{name}-dead", "breaches": f"{name}-breaches", "partitions": 2}}), encoding="utf-8")
    subprocess.run([BATON, "topics", "--create", "-c", path], check=True, stdout=subprocess.DEVNULL)
    return ["--brokers", brokers, "--topic", events, "--promotions", promotions]


class Latency(unittest.TestCase):
    def test_a_run_tells_percentiles_parts_seconds_and_freshness(self):
        code, out, told = bench("--rate", "3k", "--seconds", 3, "--warm-up", 2, "--rise", 1, "--samples", 20, "--json",
                                "--results", folder / "results")
        self.assertEqual(code, 0, told)
        data = json.loads(out.splitlines()[-1])
        self.assertEqual(data["events"], 15000)
        promotions = data["promotions"]
        self.assertGreater(promotions["measured"], 10)
        self.assertGreater(promotions["expected"], promotions["measured"])
        self.assertEqual([promotions[name] for name in ("missing", "repeated", "wrong", "others")], [0, 0, 0, 0])
        for one in (data["latency"], data["freshness"], data["sender_lag"], *data["parts"].values()):
            shares, times = zip(*one["percentiles"])
            self.assertEqual(shares, (0.5, 0.9, 0.99, 0.999, 0.9999))
            self.assertEqual(list(times), sorted(times))
            self.assertLessEqual(times[-1], one["most"])
        self.assertEqual(data["latency"]["series"][-1], [1.0, data["latency"]["most"]])
        self.assertGreaterEqual(data["freshness"]["count"], 50)
        self.assertEqual(data["freshness"]["lost"], 0)
        self.assertEqual([second["second"] for second in data["per_second"] if second["warm_up"]], [0, 1])
        self.assertEqual(sorted(data["cpu_cores"]), ["bench", "broker", "program", "redis"])
        self.assertIsNone(data["share_of_highest"])
        line = json.loads((folder / "results/latency.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        self.assertEqual(line["data"], data)
        self.assertEqual((line["kind"], line["seed"], line["options"]["linger"]), ("latency", 1, 0.005))
        self.assertEqual(list(folder.glob("baton-bench-*/")), [])

    def test_promotions_that_do_not_come_are_an_error_and_are_not_kept(self):
        code, out, told = bench(*make_topics("silent"), "--rate", "3k", "--seconds", 2, "--warm-up", 0, "--rise",
                                "500ms", "--wait", "500ms", "--json", "--results", folder / "silent")
        self.assertEqual(code, 1)
        data = json.loads(out.splitlines()[-1])
        self.assertFalse(data["right"])
        self.assertGreater(data["promotions"]["missing"], 10)
        self.assertEqual(data["promotions"]["missing"], data["promotions"]["expected"])
        self.assertIn("are missing", told)
        self.assertFalse((folder / "silent").exists())

    def test_what_is_not_there_is_told_in_one_line(self):
        for words, said in ((("--brokers", "127.0.0.1:1"), "no Kafka broker answers"),
                            (("--brokers", brokers, "--topic", "none-such"), "none-such"),
                            ((*make_topics("lonely")[:-1], "none-such"), "none-such"),
                            ((*make_topics("lonely"), "--redis", "unix:///none/such"), "/none/such")):
            with self.subTest(words=words):
                code, out, told = bench(*words)
                self.assertEqual((code, out), (1, ""))
                self.assertIn(said, told)
                self.assertEqual(len(told.splitlines()), 1, told)

    def test_wrong_usage_is_told(self):
        for words in (("--brokers", brokers, "--rate", "fast"), ("--brokers", brokers, "--rat", "5"),
                      ("--rate", "fast"), ("--rat",)):
            with self.subTest(words=words):
                self.assertEqual(bench(*words)[0], 2)

    def test_the_rate_is_half_of_the_highest_of_the_newest_comparison(self):
        results = folder / "compared"
        results.mkdir()
        lines = [{"at": "2026-11-22", "commit": "1234567", "data": {"programs": {"baton": {"events_per_second":
                 {"median": rate}}}}} for rate in (600000, 800000)]
        (results / "compare.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        options = argparse.Namespace(results=str(results), rate=None)
        self.assertEqual(latency.choose_rate(options),
                         (400000, "half of 800000: compare of 2026-11-22, commit 1234567", 0.5))
        options.rate = 200000
        self.assertEqual(latency.choose_rate(options), (200000, "--rate", 0.25))

    def test_without_a_comparison_the_rate_must_be_given(self):
        options = argparse.Namespace(results=str(folder / "nothing"), rate=None)
        with self.assertRaisesRegex(Failed, "run baton-bench compare first, or give --rate"):
            latency.choose_rate(options)
        options.rate = 1000
        self.assertEqual(latency.choose_rate(options), (1000, "--rate", None))


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=2).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
