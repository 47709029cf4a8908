#!/usr/bin/env python3
"""`deploy/demo` as a newcomer meets it: its result, its limits, and that it leaves nothing behind. Last line:
`N passed, N failed`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("BATON_ROOT", Path(__file__).resolve().parents[2]))
FIELDS = ["messages_sent", "events_sent", "events_counted", "duplicates", "dead_letters", "leads", "promotions",
          "reports", "accepted", "customers", "rejected", "seconds"]


def processes_of(folder):
    """Command lines of the processes that name the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="d-"))
        self.environment = dict(os.environ, TMPDIR=str(self.folder))
        self.environment.pop("TERM", None)

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def demo(self, *arguments, seconds=180):
        return subprocess.run([str(ROOT / "deploy/demo"), *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=seconds)

    def nothing_is_left(self):
        for _ in range(50):
            left = processes_of(self.folder)
            if not left:
                break
            time.sleep(0.1)
        self.assertEqual(left, [])
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), [])

    def result(self, done):
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(list(result), FIELDS)
        return result

    def promotions_are_few(self, text, result):
        """No more are shown than a person can read, and how many there were is told."""
        shown = text.count("→ sales")
        self.assertTrue(0 < shown <= min(24, result["promotions"]), shown)
        self.assertIn(f"to sales  {result['promotions']} promotions, each with its reasons; {shown} of them shown\n", text)

    def test_every_event_counts_once_and_nothing_is_left(self):
        done = self.demo("--events", "4000", "--rate", "2000", "--json")
        result = self.result(done)
        self.assertEqual(result["events_sent"], 4000)
        self.assertEqual(result["events_counted"], 4000)
        self.assertEqual(result["duplicates"], 120)
        self.assertEqual(result["dead_letters"], 20)
        self.assertEqual(result["messages_sent"], 4140)
        self.assertGreater(result["leads"], 100)
        self.assertGreater(result["promotions"], 5)
        self.promotions_are_few(done.stderr, result)
        self.assertIn("transactions are not real ones", done.stderr)
        self.nothing_is_left()

    def test_the_same_on_a_real_broker(self):
        result = self.result(self.demo("--events", "6000", "--seconds", "3", "--kafka", "real", "--json"))
        self.assertEqual(result["events_counted"], result["events_sent"])
        self.assertEqual(result["duplicates"], 180)
        self.assertEqual(result["dead_letters"], 30)
        self.nothing_is_left()

    def of_agreement(self, agreement):
        """What scrolls by: people who make the agreement live."""
        done = self.demo("--agreement", agreement, "--events", "4000", "--rate", "2000", "--json")
        result = self.result(done)
        self.assertEqual(result["events_counted"], result["events_sent"])
        self.assertEqual(result["events_sent"], 4000 + result["reports"])
        self.assertGreater(result["promotions"], 10)
        self.promotions_are_few(done.stderr, result)
        for answer in ("reports", "accepted", "customers", "rejected"):
            self.assertGreater(result[answer], 0, answer)
        self.nothing_is_left()
        return done.stderr

    def test_an_agreement_by_its_name(self):
        text = self.of_agreement("language")
        self.assertIn("the agreement demo-saas live, version 3", text)
        self.assertIn("(demo 40", text)
        text = self.of_agreement("car-dealer")
        for rule in ("test-drive 50", "financing 25", "nearby 15", "last touch"):
            self.assertIn(rule, text)
        closing = text[text.index("What both sides promised, and what came of it so far:\n"):]
        for line in (r"^Today, .+: \d+ SQLs?, \d+ customers?, \d+ leads? with a clock that runs$", r"^  [Mm]arketing: .+ \d+ of 100 in ",
                     r"^  [Ss]ales: .+ \d+ of 20 in ", r"^  [Ss]ales: first contact \d+ kept, \d+ broken$"):
            self.assertRegex(closing, "(?m)" + line)

    def test_buyer_personas_and_whom_they_go_to(self):
        text = self.of_agreement("b2b-personas")
        for persona in ("operations", "it-buyer", "executive"):
            self.assertIn(f"({persona}), to ", text)
        self.assertIn("(executive), to Head of Sales", text)

    def test_an_agreement_of_ones_own(self):
        path = self.folder / "own.yaml"
        path.write_text("agreement: own\nversion: 7\nbehaviour:\n"
                        "  - {id: call, event: click, where: {target: call-now}, points: 9, at_most: {times: 3, per: day}}\n"
                        "gates: {mql: {score: 9}, sql: {score: 18}}\nsales: {reasons: [too far]}\n")
        done = self.demo("--agreement", str(path), "--events", "1500", "--rate", "1500", "--json")
        result = self.result(done)
        self.assertGreater(result["promotions"], 5)
        self.assertGreater(result["rejected"], 0)
        self.assertIn("behaviour 18 (call 18)", done.stderr)
        path.unlink()
        self.nothing_is_left()

    def test_an_agreement_that_is_none(self):
        done = self.demo("--agreement", "car-deeler")
        self.assertEqual(done.returncode, 2)
        for name in ("car-deeler", "car-dealer", "language", "b2b-personas"):
            self.assertIn(name, done.stderr)
        done = self.demo("--agreement", str(ROOT / "tests/agreements/bad/recycle.yaml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("recycle.yaml:8:18: error: `after`", done.stderr)
        self.nothing_is_left()

    def test_a_seed_tells_the_same_story_again(self):
        same = ["leads", "events_counted", "duplicates", "dead_letters"]
        first, second = (self.result(self.demo("--events", "400", "--rate", "800", "--json", "--seed", "7"))
                         for _ in range(2))
        self.assertEqual([first[name] for name in same], [second[name] for name in same])

    def test_a_signal_ends_it_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            # its output goes to a file: a pipe that nobody reads would hold it up
            with tempfile.TemporaryFile() as out:
                process = subprocess.Popen([str(ROOT / "deploy/demo"), "--seconds", "60"], env=self.environment,
                                           stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
                for _ in range(300):
                    out.seek(0)
                    if b" s  sent " in out.read():
                        break
                    time.sleep(0.1)
                process.send_signal(number)
                self.assertEqual(process.wait(30), 128 + number)
                out.seek(0)
                self.assertIn("ended early", out.read().decode())
            self.nothing_is_left()

    def test_more_than_the_embedded_broker_holds_is_refused(self):
        done = self.demo("--events", "1000000")
        self.assertEqual(done.returncode, 2)
        self.assertIn("the embedded broker holds about", done.stderr)
        self.nothing_is_left()

    def test_wrong_usage_is_told(self):
        for arguments in (["--rate", "fast"], ["--events"], ["--kafka", "maybe"], ["--bogus"]):
            done = self.demo(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(arguments[0], done.stderr)
        done = self.demo("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("usage: deploy/demo", done.stdout)
        self.nothing_is_left()


def main():
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Demo)
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
