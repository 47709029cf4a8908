#!/usr/bin/python3
"""compare, replay, scale and takeover in seconds, on a real broker: they end with what they promise, clean up, and say no
clearly. Their figures mean nothing here."""
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/runner"))

import results  # noqa: E402  (a folder of scripts, not a package)
from compare import Comparison  # noqa: E402
from rules import agreement_of  # noqa: E402
from stack import BATON, BENCH  # noqa: E402
from throughput import Look, window  # noqa: E402
from transaction_log import CONTROL, HEAD, TRANSACTIONAL, open_at  # noqa: E402


def setUpModule():
    """One broker for all; each run finds it and leaves it."""
    global folder
    folder = Path(tempfile.mkdtemp(prefix="test-runners-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, True)
    unittest.addModuleCleanup(subprocess.run, [ROOT / "deploy/kafka/stop", "--dir", folder / "kafka", "--wipe"],
                              stderr=subprocess.DEVNULL)
    subprocess.run([ROOT / "deploy/kafka/start", "--dir", folder / "kafka", "--port", "free", "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)


def environment(**more):
    return {**os.environ, "BATON_BENCH_KAFKA_DIR": str(folder / "kafka"), "BATON_BENCH_SHARED": "1",
            "TMPDIR": str(folder), **more}


def bench(*words, **more):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([BENCH, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300, env=environment(**more))
    return done.returncode, done.stdout, done.stderr


class Runners(unittest.TestCase):
    maxDiff = None

    def run_to_end(self, *words):
        code, out, told = bench(*words, "--json", "--results", folder / "results")
        self.assertEqual(code, 0, told)
        data = json.loads(out.splitlines()[-1])
        kept = (folder / f"results/{words[0]}.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        line = json.loads(kept)
        self.assertEqual(line["data"], data)
        self.assertEqual(line["kind"], words[0])
        self.assertEqual(line["options"]["seed"], line["seed"])
        self.assertTrue(line["machine"]["cores"] and line["versions"]["kafka"] and line["versions"]["redis"])
        self.assertEqual(list(folder.glob("baton-bench-*/")), [])
        return data

    def test_replay_ends_with_a_ratio_of_each_agreement(self):
        data = self.run_to_end("replay", "--events", "60k", "--leads", "2k", "--partitions", 3, "--rounds", 1)
        self.assertEqual(data["topic"], {"events": 60000, "leads": 2000, "partitions": 3})
        self.assertEqual(sorted(data["runs"]), ["simple", "ten"])
        for agreement, rows in data["runs"].items():
            self.assertEqual(sorted(rows), ["compared", "live", "replay", "saved"])
            for kind, row in rows.items():
                with self.subTest(agreement=agreement, kind=kind):
                    self.assertGreater(row["events_per_second"]["median"], 0)
                    self.assertLessEqual(row["per_core_of_all"]["median"], row["per_core"]["median"])
            self.assertGreater(rows["replay"]["resident_bytes"], 1000000)
            for name in ("rate", "per_core", "per_core_of_all"):
                self.assertGreater(data["ratios"][agreement][name], 0)
                self.assertGreater(data["ratios"][agreement]["saved"][name], 0)

    def test_compare_ends_with_a_ratio_to_each_that_was_asked_for(self):
        data = self.run_to_end("compare", "--events", "30k", "--leads", "2k", "--rounds", 1, "--peers", "naive",
                               "--forty")
        self.assertEqual(sorted(data["ratios"]), ["ceiling", "naive"])
        self.assertTrue(all(ratio > 0 for ratio in data["ratios"].values()))
        self.assertGreater(data["ten_to_simple"], 0)
        self.assertGreater(data["forty_to_ten"], 0)
        self.assertEqual(data["topic"]["events"], 30000)
        for name in ("baton", "naive", "ten", "forty"):
            program = data["programs"][name]
            self.assertEqual(sorted(program["cpu_seconds_per_million"]), ["broker", "program", "redis", "total"])
            self.assertEqual(program["curve"][-1][1], 30000)
        self.assertRegex(data["programs"]["baton"]["verified"],
                         r"^[1-9][\d,]* promotions exactly once, 1,\d\d\d scores right$")

    def test_compare_without_java_is_an_error_and_never_a_missing_ratio(self):
        tools = folder / "tools"
        tools.mkdir()
        for tool in ("bash", "dirname"):
            (tools / tool).symlink_to(shutil.which(tool))
        code, out, told = bench("compare", "--json", PATH=str(tools))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("no java here", told)

    def test_options_that_cannot_be_are_told(self):
        for words, told in (((("compare", "--peers", "flink")), "unknown peer flink"),
                            (("compare", "--events", "many"), "not a count"), (("scale", "--only", "x"), "there are"),
                            (("compare", "--rounds", "0"), "at least 1")):
            with self.subTest(words=words):
                code, out, text = bench(*words)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(told, text)

    def test_peers_give_up_rounds_when_the_time_runs_out_and_others_do_not(self):
        class Options:
            rounds, no_limit = 10, False

        class Stack:
            named = staticmethod(str)

        class One:
            def __init__(self, name, is_peer):
                self.name, self.is_peer = name, is_peer

        baton, peer = One("baton", False), One("naive", True)
        comparison = Comparison(Stack, Options)
        comparison.took = {"baton": 50, "naive": 100}
        began = time.monotonic() - 300
        self.assertTrue(comparison.fits([baton, peer], peer, 1, began - 900))  # these rounds are sure
        self.assertTrue(comparison.fits([baton, peer], baton, 2, began - 900))
        self.assertFalse(comparison.fits([baton, peer], peer, 2, began))       # 300 + 8 × 50 + 100 > 780
        self.assertTrue(comparison.fits([baton, peer], baton, 10, began))
        self.assertTrue(comparison.fits([baton, peer], peer, 10, began))       # 300 + 100
        self.assertFalse(comparison.fits([baton, peer], baton, 10, began - 450))

    def test_scale_tells_rate_cost_and_memory_of_each_point(self):
        data = self.run_to_end("scale", "--quick", "--events", "20k", "--only", "processes,table,redis_memory")
        self.assertEqual([row["value"] for row in data["factors"]["processes"]], [1, 3])
        for row in data["factors"]["processes"] + data["factors"]["table"]:
            self.assertEqual(row["events"], 20000 if row in data["factors"]["processes"] else 6000)
            self.assertGreater(row["events_per_second"]["median"], 0)
            self.assertGreater(row["resident_bytes"], 1 << 20)
            self.assertGreater(row["redis_bytes_per_lead"], 50)
        kinds = [row["bytes_per_lead"] for row in data["redis_memory"]]
        self.assertEqual(len(kinds), 4)
        self.assertLess(kinds[0], kinds[1])         # touches take room

    def test_scale_sets_beside_baton_what_redis_alone_answers(self):
        wide = self.run_to_end("scale", "--quick", "--events", "10k", "--only", "wide", "--wide-leads", "100k",
                               "--wide-events", "30k")["wide"]
        self.assertLess(wide["leads_in_memory"], wide["leads_in_redis"])
        self.assertGreater(wide["ratio"], 0)
        self.assertGreater(wide["recorded"]["writes"], 0)

    def test_takeover_tells_where_the_time_goes(self):
        data = self.run_to_end("takeover", "--leads", "2k", "--fill", "20k", "--rate", "2k", "--rounds", 1, "--pause",
                               "0.5", "--session-timeout", "2")
        round_ = data["rounds"][0]
        self.assertEqual(round_["units"], 4)
        self.assertGreater(round_["group_handed_over"], 1)
        self.assertGreaterEqual(round_["live"], round_["group_handed_over"])
        self.assertGreaterEqual(round_["live_after"], 0)
        self.assertIn("counted once each", data["verified"])

    def test_what_was_started_ends_when_the_bench_is_ended(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            with self.subTest(number=number):
                child = subprocess.Popen([BENCH, "takeover", "--leads", "2k", "--results", "none"], env=environment(),
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.wait_for(lambda: len(self.children(child.pid)) >= 2)       # Redis and baton
                started = self.children(child.pid)
                child.send_signal(number)
                child.wait(60)
                self.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
                if number != signal.SIGKILL:
                    self.assertEqual(list(folder.glob("baton-bench-*/")), [])
                self.assertTrue((folder / "kafka/pid").exists())                # not ours: it stays
        shutil.rmtree(next(folder.glob("baton-bench-*/")))

    def wait_for(self, look, seconds=60):
        end = time.monotonic() + seconds
        while not look():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    @staticmethod
    def children(pid):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def test_two_benches_at_once_are_refused(self):
        with open(folder / "baton-bench.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            code, _, told = bench("takeover", BATON_BENCH_SHARED="")
        self.assertEqual(code, 1)
        self.assertIn("another bench runs on this machine", told)


class Windows(unittest.TestCase):
    """From which look on a rate is told; 1000 events, none of them committed before."""

    def begins(self, *looks):
        first, whole = window(Look(0, 0, {}), [Look(at, committed, {}) for at, committed in looks], 1000)
        return first.at, whole

    def test_it_begins_where_a_tenth_is_committed(self):
        self.assertEqual(self.begins((1, 0), (2, 99), (3, 100), (4, 300), (9, 1000)), (3, False))

    def test_of_few_commits_or_little_time_it_is_the_whole_run(self):
        self.assertEqual(self.begins((1, 0), (2, 600), (9, 1000)), (0, True))
        self.assertEqual(self.begins((1, 0), (2, 200), (4.4, 1000)), (0, True))
        self.assertEqual(self.begins((1, 0), (2, 200), (4.5, 1000)), (2, False))
        self.assertEqual(self.begins((1, 1000)), (0, True))


class TransactionLog(unittest.TestCase):
    def batch(self, time_ms, producer, attributes):
        return HEAD.pack(0, HEAD.size - 12, 0, 2, 0, attributes, 0, time_ms, time_ms, producer, 0, 0, 1)

    def test_tells_who_was_open_and_until_when(self):
        place = folder / "broker/data/__consumer_offsets-0"
        place.mkdir(parents=True)
        data = [self.batch(100, 1, TRANSACTIONAL), self.batch(110, 1, TRANSACTIONAL | CONTROL),     # ended before
                self.batch(120, 2, TRANSACTIONAL), self.batch(130, 3, TRANSACTIONAL),
                self.batch(140, -1, 0), self.batch(150, 2, TRANSACTIONAL | CONTROL),                # ends after
                self.batch(160, 4, TRANSACTIONAL), self.batch(170, 4, TRANSACTIONAL | CONTROL)]     # began after
        (place / "0.log").write_bytes(b"".join(data) + struct.pack(">qi", 0, 5000))                 # half-written
        self.assertEqual(open_at(folder / "broker", 135), {2: 150, 3: None})


class Agreements(unittest.TestCase):
    def test_ten_is_what_it_says(self):
        text = (ROOT / "bench/agreements/ten.yaml").read_text(encoding="utf-8")
        rules = [line for line in text.splitlines() if line.startswith("  - {id:")]
        count = {word: sum(word in rule for rule in rules) for word in ("*}", "at_most", "half_life", "job_title")}
        self.assertEqual((len(rules), count), (10, {"*}": 4, "at_most": 3, "half_life": 2, "job_title": 1}))
        self.assertIn("touches: 8", text)

    def test_forty_has_the_rules_of_ten_and_thirty_more(self):
        ten, forty = ({line for line in (ROOT / f"bench/agreements/{name}.yaml").read_text(encoding="utf-8").splitlines()
                       if line.startswith("  - {id:")} for name in ("ten", "forty"))
        self.assertEqual((len(ten - forty), len(forty)), (0, 40))

    def test_baton_accepts_all_that_the_benches_use(self):
        texts = [path.read_text(encoding="utf-8") for path in (ROOT / "bench/agreements").glob("*.yaml")]
        for number, text in enumerate(texts + [agreement_of(count) for count in (5, 10, 200)]):
            path = folder / f"agreement-{number}.yaml"
            path.write_text(text, encoding="utf-8")
            done = subprocess.run([BATON, "check", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_counts_and_sizes_are_read_as_the_other_subcommands_do(self):
        self.assertEqual([results.count(text) for text in ("5", "200k", "1.5M", "2G")], [5, 200000, 1500000, 2 * 10**9])
        self.assertEqual([results.size(text) for text in ("240", "2KiB", "1k")], [240, 2048, 1000])


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1] + [word for word in sys.argv[1:] if word != "--long"], verbosity=2,
                           exit=False, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
