#!/usr/bin/python3
"""Crawlers as `baton try` ignores them, against the regular expressions that data/crawlers was made of: all examples of the
list, browsers of people, and what lies between."""
import importlib.machinery
import importlib.util
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data/crawlers"
BATON = os.environ.get("BATON_BIN", str(ROOT / "build/release/baton"))
BROWSERS = [line for line in (ROOT / "tests/reference/browsers.txt").read_text(encoding="utf-8").splitlines() if line]
ENTRIES = json.loads((DATA / "original.json").read_text(encoding="utf-8"))
EXAMPLES = [example for entry in ENTRIES for example in entry["instances"]]
AGREEMENT = ("agreement: crawlers\nversion: 1\nignore: {bots: true}\nbehaviour:\n  - {id: visit, event: visit, points: 1}\n"
             "gates: {mql: {score: 1}, sql: {score: 2}}\n")
VARIANTS = 20000


def load_update():
    loader = importlib.machinery.SourceFileLoader("update", str(DATA / "update"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("update", loader))
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
update = load_update()


def expression_of(line):
    """What data/crawlers/README.md says of a line, as a regular expression."""
    start, end = line.startswith("^"), line.endswith("$")
    inner = line[start:len(line) - end]
    return "^" * start + r"[\s\S]*".join(map(re.escape, inner.split("*"))) + r"\Z" * end


def counted(agents):
    """For each agent: does an event of it count?"""
    with tempfile.TemporaryDirectory() as folder:
        agreement, events = Path(folder, "agreement.yaml"), Path(folder, "events.jsonl")
        agreement.write_text(AGREEMENT, encoding="utf-8")
        with open(events, "w", encoding="utf-8") as file:
            for number, agent in enumerate(agents):
                file.write(json.dumps({"kind": "visit", "event_id": f"e{number}", "lead_id": str(number), "page": "/",
                                       "time": "2026-11-01T12:00:00Z", "user_agent": agent}) + "\n")
        done = subprocess.run([BATON, "try", agreement, events, "--json"], capture_output=True, text=True, check=True)
    leads = {json.loads(line)["lead_id"] for line in done.stdout.splitlines()}
    return [str(number) in leads for number in range(len(agents))]


def variants(rnd, texts):
    """Texts that are nearly those."""
    for _ in range(VARIANTS):
        text = rnd.choice(texts)
        at, kind = rnd.randrange(len(text)), rnd.randrange(5)
        yield (text[:at] + text[at + 1:], text[at:], text[:at], text.swapcase(), text[:at] + rnd.choice(texts)[at:])[kind]


class Crawlers(unittest.TestCase):
    maxDiff = None

    def test_all_examples_of_the_list_are_ignored(self):
        self.assertGreater(len(EXAMPLES), 2000)
        missed = [agent for agent, counts in zip(EXAMPLES, counted(EXAMPLES)) if counts]
        self.assertEqual(missed, [])

    def test_no_browser_is_ignored(self):
        self.assertGreater(len(BROWSERS), 70)
        hit = [agent for agent, counts in zip(BROWSERS, counted(BROWSERS)) if not counts]
        self.assertEqual(hit, [])

    def test_what_lies_between_is_judged_as_the_expressions_judge_it(self):
        """Those that a line cannot say are taken as the wider lines that they became."""
        wider = [entry["pattern"] for entry in ENTRIES if update.is_wider(entry["pattern"])]
        self.assertEqual(len(wider), 2)
        patterns = [entry["pattern"] for entry in ENTRIES]
        patterns += [expression_of(line) for pattern in wider for line in update.lines_of(pattern)]
        oracle = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
        agents = list(variants(random.Random(7), EXAMPLES + BROWSERS * 10))
        wrong = [(agent, counts) for agent, counts in zip(agents, counted(agents))
                 if counts == bool(agent and oracle.search(agent))]
        self.assertEqual(wrong, [])

    def test_every_browser_with_a_crawler_behind_it_is_ignored(self):
        self.assertEqual(sum(counted([f"{agent} Googlebot/2.1" for agent in BROWSERS])), 0)


class Update(unittest.TestCase):
    def run_update(self, entries):
        """(exit code, what was told, crawlers.txt afterwards)"""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(DATA / "update", folder)
            source, made = Path(folder, "list.json"), Path(folder, "crawlers.txt")
            source.write_text(json.dumps([{"pattern": pattern, "instances": []} for pattern in entries]), encoding="utf-8")
            done = subprocess.run([sys.executable, Path(folder, "update"), source, "v1"], capture_output=True, text=True,
                                  check=False)
            return done.returncode, done.stdout + done.stderr, made.read_text().splitlines()[1:] if made.exists() else None

    def test_the_lines_are_those_of_the_expressions(self):
        made = (DATA / "crawlers.txt").read_text(encoding="utf-8").splitlines()
        self.assertRegex(made[0], r"^# crawler-user-agents v\d+\.\d+\.\d+, MIT license")
        self.assertEqual(made[1:], sorted({line for entry in ENTRIES for line in update.lines_of(entry["pattern"])}))

    def test_classes_and_alternatives_are_spelled_out(self):
        code, _, lines = self.run_update(["[wW]get", "(^| )PTST\\/", "Chirp|gotosocial", "SSL Labs$", "Cur[\\s\\S]*RSS"])
        self.assertEqual((code, lines), (0, [" PTST/", "Chirp", "Cur*RSS", "SSL Labs$", "Wget", "^PTST/", "gotosocial",
                                             "wget"]))

    def test_what_lines_cannot_say_becomes_wider_and_is_told(self):
        code, told, lines = self.run_update(["Blog\\/\\d\\.\\d+ Feed", "AdsBot([^-]|$)"])
        self.assertEqual((code, lines), (0, ["AdsBot", "Blog/*.* Feed"]))
        self.assertIn("matches more than the original: AdsBot([^-]|$) became AdsBot\n", told)

    def test_what_would_match_nearly_everything_is_refused(self):
        for pattern in ("ab", "\\d+bo", "a*bo", "[a-z]{9}", "x\\*bot", "[abcdefghijklmnopq]bot", "a\\^bcd"):
            with self.subTest(pattern=pattern):
                code, told, lines = self.run_update(["good", pattern])
                self.assertEqual((code, lines), (1, None), told)
                self.assertIn(pattern, told)
                self.assertIn("nothing was written", told)


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
