#!/usr/bin/python3
"""`baton replay` on a real broker and a real Redis: what it makes of the log is what `baton run` published, byte for
byte, however many threads there are, and nothing is changed by it. Last line: `N passed, N failed`."""

import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from world import BATON, CRASH, QUIET, ROOT, Setup, World, wait_for

PARTITIONS = 5
LEADS = 160
EVENTS = 5000
MINUTE, HOUR, DAY = 60000, 3600000, 86400000
NOW = int(time.time() * 1000) - MINUTE
AGREEMENT = """\
agreement: replayed
version: 1
fit:
  - {id: boss, where: {job_title: {contains: [owner, director, head]}}, points: 20}
behaviour:
  - {id: pricing, event: visit, where: {page: /pricing*}, points: 10, half_life: 14d}
  - {id: any-page, event: visit, points: 1, at_most: {times: 5, per: day}}
  - {id: often, event: visit, while: {times: 4, within: 3d}, points: 7}
  - {id: demo, event: form_fill, where: {form: demo}, points: 25, at_most: {times: 2, per: ever}}
gates: {mql: {score: 15}, sql: {score: 40, needs_one_of: [demo, pricing]}}
touches: 5
share: [email, job_title]
assign:
  - {where: {country: BR}, to: [Ana, Bia]}
  - {to: [Carla, Duda, Eva]}
recycle: {after: 10m, score: 5}
sales:
  first_contact: {within: 4h, owner: Head of Sales}
  next_update: {within: 14d}
"""
# Another rule in place of one, another price, and later gates.
OTHER = AGREEMENT.replace("version: 1", "version: 2").replace("points: 10, half_life", "points: 14, half_life").replace(
    "  - {id: often, event: visit, while: {times: 4, within: 3d}, points: 7}\n",
    "  - {id: news, event: form_fill, where: {form: news}, points: 9, half_life: 10d}\n").replace("score: 40", "score: 45")
WORLD = None


class Stream:
    """Visitors, some of whom turn out to be one person, are judged, adjusted, erased."""

    def __init__(self, setup, seed):
        self.setup, self.random, self.number = setup, random.Random(seed), 0
        self.producer = setup.world.producer()

    def send(self, lead, kind, age=0, **more):
        self.number += 1
        event = {"kind": kind, "event_id": f"e{self.number}", "lead_id": lead, "time": NOW - age, **more}
        self.producer.produce(self.setup.topics["events"], json.dumps(event).encode(), lead.encode())
        self.producer.poll(0)

    def one(self, persons=True):
        rng = self.random
        lead, age = f"lead-{rng.randrange(LEADS)}", rng.randrange(20 * DAY)
        chance = rng.random()
        if chance < 0.55:
            self.send(lead, "visit", age, page=rng.choice(["/", "/a", "/b", "/pricing", "/pricing/eu"]),
                      channel=rng.choice(["", "ads", "mail"]), campaign=rng.choice(["", "spring"]))
        elif chance < 0.7:
            self.send(lead, "form_fill", age, form=rng.choice(["demo", "news"]),
                      fields={"email": f"{lead}@x.example"} if rng.random() < 0.3 else {})
        elif chance < 0.78:
            self.send(lead, "profile", age, job_title=rng.choice(["Head of IT", "student", "Owner"]),
                      country=rng.choice(["BR", "DE"]))
        elif chance < 0.93:
            report = rng.choice(["contacted", "accepted", "negotiating", "customer", "rejected", "rejected", "churned"])
            self.send(lead, "feedback", age % HOUR + 20 * MINUTE, report=report, seller="Ana", reason="no budget")
        elif chance < 0.95:
            self.send(lead, "adjust", age, by="Ana", reason="met", points=rng.choice([-5, 15]))
        elif chance < 0.975 and not persons:
            self.send(lead, "click", age)
        elif chance < 0.97:
            self.send(lead, "merge", age, into=f"lead-{rng.randrange(LEADS)}")
        elif chance < 0.975:
            self.send(lead, "erase", age)
        else:
            self.producer.produce(self.setup.topics["events"], b'{"kind": "visit"}', lead.encode())

    def flush(self):
        assert self.producer.flush(120) == 0


def live(setup):
    """The events, while one process after the other is killed."""
    stream, redis, rng = Stream(setup, 11), setup.world.redis(), random.Random(5)
    points = ["", "sink_before_commit", "checkpoint_leads_all", "sink_committed"] if os.access(CRASH, os.X_OK) else [""]
    process = setup.start()
    for turn in range(6):
        for _ in range(EVENTS // 6):
            stream.one()
        stream.flush()
        time.sleep(rng.uniform(0.3, 1.0))
        process.kill()
        point = points[turn % len(points)]
        if point:
            process = setup.start(binary=CRASH, BATON_CRASH_AT=f"{point}:{rng.randint(1, 3)}")
            process.asked = True
            time.sleep(1.5)
            process.kill()
        process = setup.start()
    setup.wait_until_quiet(redis)
    wait_for("a sweep that finds something", 150, lambda: rechecks(setup))
    setup.wait_until_quiet(redis)
    assert process.stop() == 0, process.tail()


def rechecks(setup):
    time.sleep(2)
    return sum(("baton-own", b"recheck") in (message.headers() or []) for message in setup.world.read([setup.topics["events"]]))


def published(setup):
    """Texts of promotions and stage changes, each as often as it was published."""
    return collections.Counter(message.value() for kind in ("promotions", "stages")
                               for message in setup.world.read([setup.topics[kind]]))


def all_that_is(setup):
    """State, offsets of the group, ends of all topics."""
    redis = setup.world.redis()
    keys = redis.scan(f"{setup.name}:*")
    state = {key: redis.call("DUMP", key) for key in keys}
    redis.close()
    consumer = Consumer({"bootstrap.servers": setup.world.kafka, "group.id": "looks", **QUIET})
    known = consumer.list_topics(timeout=20).topics
    ends = {(topic, p): consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)
            for topic in setup.topics.values() for p in known[topic].partitions}
    consumer.close()
    return state, ends, setup.world.committed(setup.name, setup.topics["events"], setup.partitions)


class Log(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.setup = Setup(WORLD, AGREEMENT, PARTITIONS, extra={
            "identity": {"field": "email", "hash": "none", "prefix": "p/"}, "sweep": {"every": "1m", "share": 50},
            "shadow": "other.yaml"})                                # which nothing of what is published may show
        cls.other = cls.setup.folder / "other.yaml"
        cls.other.write_text(OTHER)
        live(cls.setup)
        cls.before = all_that_is(cls.setup)

    @classmethod
    def tearDownClass(cls):
        cls.setup.stop_all()

    def replay(self, *words, agreement=None, good=True):
        out = self.setup.folder / "out.jsonl"
        out.unlink(missing_ok=True)
        done = self.setup.run("replay", "--agreement", str(agreement or self.setup.folder / "agreement.yaml"),
                              "--out", str(out), "--json", *words)
        self.assertEqual(done.returncode == 0, good, done.stderr)
        return (json.loads(done.stdout), out.read_bytes()) if good else done

    def test_it_makes_what_was_published(self):
        told, records = self.replay()
        seen = published(self.setup)
        made = collections.Counter(records.splitlines())
        self.assertEqual(sorted((made - seen).elements())[:2], [])
        self.assertEqual(sorted((seen - made).elements())[:2], [])
        changes = collections.Counter(json.loads(line).get("change", "promotion") for line in made.elements())
        for change in ("promotion", None, "ignored", "adjusted", "merged", "erased"):
            self.assertGreater(changes[change], 0, changes)
        self.assertEqual(told["agreement"]["promotions"], changes["promotion"])
        self.assertTrue(any(json.loads(line).get("generation", 1) > 1 for line in made), "nobody came back")
        self.assertTrue(any(json.loads(line).get("published") for line in made), "no record says when it went out")
        self.assertEqual(told["transfers_from_log"], 0)
        self.assertGreater(told["unreadable"], 0)

    def test_it_stands_in_the_order_of_the_log(self):
        places = [(one["partition"], one["offset"]) for one in map(json.loads, self.replay()[1].splitlines())]
        self.assertEqual(places, sorted(places))

    def test_threads_make_no_difference(self):
        for agreement in (None, self.other):
            found = {self.replay("--threads", str(n), "--against", str(self.other), agreement=agreement)[1]
                     for n in (1, 2, 7, 2)}
            self.assertEqual(len(found), 1)

    def test_librdkafka_reads_the_same(self):
        wanted = self.replay()[1]
        self.setup.write_config(kafka={**self.setup.config["kafka"], "direct_reads": False})
        try:
            self.assertEqual(self.replay()[1], wanted)
        finally:
            self.setup.write_config(kafka={**self.setup.config["kafka"], "direct_reads": True})

    def test_a_saved_log_gives_the_same_without_kafka(self):
        saved, broken = self.setup.folder / "saved", self.setup.folder / "broken"
        for agreement in (None, self.other):
            wanted = self.replay("--against", str(self.other), agreement=agreement)
            self.assertEqual(self.replay("--against", str(self.other), "--save", f"{saved}/", agreement=agreement), wanted)
            self.assertEqual(saved.stat().st_mode & 0o777, 0o700)           # it holds what the events say of persons
            self.assertEqual([path.stat().st_mode & 0o777 for path in sorted(saved.iterdir())], PARTITIONS * [0o600])
            kafka = self.setup.config["kafka"]
            self.setup.write_config(kafka={**kafka, "brokers": "127.0.0.1:1"})
            try:
                for threads in (1, 2, 7):
                    again = self.replay("--against", str(self.other), "--threads", str(threads), str(saved), agreement=agreement)
                    self.assertEqual(again, wanted)
            finally:
                self.setup.write_config(kafka=kafka)
            shutil.rmtree(broken, ignore_errors=True)
            saved.rename(broken)
        saved.mkdir()
        for words, code, text in ((["--save", str(broken)], 3, "broken is there already"), ([str(saved)], 3, "without a saved log"),
                                  (["--save", str(saved), str(broken)], 2, "leave one of the two away")):
            done = self.replay(*words, good=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(text, done.stderr)
            self.assertEqual(len([line for line in done.stderr.splitlines() if "warning: fit alone" not in line]), 1, done.stderr)
        last = broken / f"0000{PARTITIONS - 1}.log"
        before, link = last.read_bytes(), self.setup.folder / "link"
        link.symlink_to(last)
        for out, words in ((last, [str(broken)]), (broken / "x.jsonl", [f"{broken}//"]), (link, [str(broken)]),
                           (self.setup.folder / "new", ["--save", f"{self.setup.folder}/new/"]),
                           (f"{self.setup.folder}/../{self.setup.folder.name}/new", ["--save", f"{self.setup.folder}/new"]),
                           (self.setup.folder / "new" / "x", ["--save", f"{self.setup.folder}/new"])):
            done = self.setup.run("replay", "--agreement", str(self.other), "--out", str(out), *words)
            self.assertEqual((done.returncode, last.read_bytes() == before), (2, True), done.stderr)
            self.assertIn("is for the log alone", done.stderr)
        done = self.replay(str(last), good=False)
        self.assertIn("is a file of a saved log: name the folder", done.stderr)
        self.assertEqual(done.returncode, 3)
        done = self.setup.run("replay", "--agreement", str(self.other), str(broken))
        self.assertIn(f"{broken} holds the topic {self.setup.topics['events']} as it was on {time.strftime('%Y-%m-%d')}", done.stderr)
        done = self.setup.run("replay", "--agreement", str(self.other), "--out", "/nowhere/x", str(broken))
        self.assertEqual((done.returncode, "there is no folder /nowhere" in done.stderr), (2, True), done.stderr)
        largest = max(broken.iterdir(), key=lambda path: path.stat().st_size)
        data = bytearray(largest.read_bytes())
        data[len(data) // 2] ^= 1
        largest.write_bytes(data)
        done = self.replay(str(broken), good=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{largest}: the check sum differs", done.stderr)

    def test_against_itself_nothing_differs(self):
        told = self.replay("--against", str(self.setup.folder / "agreement.yaml"))[0]
        self.assertEqual(told["only_agreement"]["leads"] + told["only_against"]["leads"], 0)
        self.assertEqual(told["both"], {key: told["agreement"][key] for key in told["both"]})
        self.assertEqual(told["hours_sooner"], {"quarter": 0, "median": 0, "three_quarters": 0})

    def test_the_two_of_a_comparison_are_those_of_two_replays(self):
        first, second = self.replay()[0], self.replay(agreement=self.other)[0]
        both = self.replay("--against", str(self.setup.folder / "agreement.yaml"), agreement=self.other)[0]
        # Verdicts that took effect under either count for both, so beside another one a lead may have more of them.
        for beside, alone in ((both["agreement"], second["agreement"]), (both["against"], first["agreement"])):
            for key in ("agreement", "version", "hash", "promotions", "leads"):
                self.assertEqual(beside[key], alone[key])
            self.assertGreaterEqual(beside["customers"], alone["customers"])
            self.assertGreaterEqual(beside["customers"] + beside["rejected"], alone["customers"] + alone["rejected"])
        self.assertEqual(both["both"]["leads"] + both["only_agreement"]["leads"], both["agreement"]["leads"])
        self.assertEqual(both["both"]["leads"] + both["only_against"]["leads"], both["against"]["leads"])
        self.assertGreater(both["only_agreement"]["leads"] + both["only_against"]["leads"], 0)

    def test_a_time_bounds_what_is_counted_and_printed(self):
        middle = NOW - 10 * DAY
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle // 1000)) + f".{middle % 1000:03}Z"
        whole, old, new = self.replay(), self.replay("--to", when), self.replay("--from", when)
        self.assertEqual(sorted(old[1].splitlines() + new[1].splitlines()), sorted(whole[1].splitlines()))
        self.assertTrue(old[1] and new[1])
        self.assertEqual(old[0]["agreement"]["promotions"] + new[0]["agreement"]["promotions"],
                         whole[0]["agreement"]["promotions"])

    def test_it_is_told_in_sentences(self):
        for language, word in (("en", "precision"), ("pt", "precisão"), ("es", "precisión")):
            done = self.setup.run("replay", "--agreement", str(self.other), "--against",
                                  str(self.setup.folder / "agreement.yaml"), "--lang", language)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(word, done.stdout)

    def test_a_shadow_that_cannot_run_is_refused(self):
        bad = self.setup.folder / "bad.yaml"
        for text, word in ((OTHER.replace("{job_title:", "{properties.plan: gold, job_title:"), "properties.plan"),
                           (OTHER.replace("version: 2", "version: two"), "bad.yaml:2:")):
            bad.write_text(text)
            self.setup.write_config(shadow="bad.yaml")
            try:
                done = self.setup.run("run", "--unsigned", "--instance", "bad")
            finally:
                self.setup.write_config(shadow="other.yaml")
            self.assertEqual(done.returncode, 3, done)
            self.assertIn(word, done.stderr)

    def test_z_nothing_was_changed(self):
        self.replay()
        self.assertEqual(all_that_is(self.setup), self.before)


class Beside(unittest.TestCase):
    """A shadow that runs from the first event on finds whom a replay of it finds."""

    def test_the_report_has_the_figures_of_a_replay(self):
        setup = Setup(WORLD, AGREEMENT, PARTITIONS, extra={"shadow": "other.yaml"})
        (setup.folder / "other.yaml").write_text(OTHER)
        stream, redis = Stream(setup, 23), WORLD.redis()
        process = setup.start()
        for _ in range(1500):
            stream.one(persons=False)
        stream.flush()
        setup.wait_until_quiet(redis)
        self.assertEqual(process.stop(), 0, process.tail())
        day = lambda ms: time.strftime("%Y-%m-%d", time.gmtime(ms // 1000))
        done = setup.run("report", "--period", f"{day(NOW - 22 * DAY)}..{day(NOW + DAY)}", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["group"]: row["leads"] for row in json.loads(done.stdout)["tables"]["shadow"]}
        told = json.loads(setup.run("replay", "--agreement", str(setup.folder / "other.yaml"), "--against",
                                    str(setup.folder / "agreement.yaml"), "--json").stdout)
        self.assertEqual({name: rows[name] for name in ("both", "shadow only", "in force only")},
                         {"both": told["both"]["leads"], "shadow only": told["only_agreement"]["leads"],
                          "in force only": told["only_against"]["leads"]})
        self.assertTrue(min(rows["both"], rows["shadow only"] + rows["in force only"]) > 0, rows)


class File(unittest.TestCase):
    """Without servers."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="replay-", dir=WORLD.folder))

    def run_it(self, *words):
        return subprocess.run([BATON, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=120, check=False, stdin=subprocess.DEVNULL)

    def replay(self, agreement, events, *words):
        out = self.folder / "out.jsonl"
        done = self.run_it("replay", "--agreement", str(agreement), "--out", str(out), "--json", *words, str(events))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), out.read_bytes()

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def test_figures_are_there_where_the_records_cannot_be_written(self):
        events = self.write("e.jsonl", "".join(json.dumps({"kind": "visit", "event_id": f"e{i}", "lead_id": "x", "time": NOW + i, "page": "/pricing"}) + "\n"
                                               for i in range(200)))
        done = self.run_it("replay", "--agreement", str(self.write("a.yaml", AGREEMENT)), "--json", "--out", "/dev/full", str(events))
        self.assertEqual((done.returncode, done.stderr.count("cannot write /dev/full")), (1, 1), done.stderr)
        self.assertGreater(json.loads(done.stdout)["agreement"]["promotions"], 0)

    def test_each_case_is_what_try_makes_of_it(self):
        compared = 0
        for case in sorted((ROOT / "tests/cases").iterdir()):
            if not (case / "events.jsonl").exists():
                continue
            config = ["-c", str(case / "baton.yaml")] if (case / "baton.yaml").exists() else []
            tried = self.run_it("try", *config, "--json", str(case / "agreement.yaml"), str(case / "events.jsonl"))
            leads = [json.loads(line) for line in tried.stdout.splitlines()]
            # `try` says nothing of what a lead did that was given up or forgotten later.
            shown = {lead["lead_id"] for lead in leads if "stage" in lead}
            wanted = [one for lead in leads for one in lead.get("promotions", []) + lead.get("changes", [])]
            made = [json.loads(line) for line in
                    self.replay(case / "agreement.yaml", case / "events.jsonl", *config)[1].splitlines()]
            made = [one for one in made if one["lead_id"] in shown]
            self.assertEqual(sorted(map(json.dumps, made)), sorted(map(json.dumps, wanted)), case.name)
            compared += len(made)
        self.assertGreater(compared, 300)

    def test_threads_make_no_difference(self):
        rng = random.Random(3)
        lines = []
        for number in range(30000):
            lead = f"v{rng.randrange(3000)}"
            one = {"kind": "visit", "event_id": f"e{number}", "lead_id": lead, "time": NOW + number,
                   "page": rng.choice(["/", "/pricing", "/a"]), "referrer": "x" * rng.randrange(60)}
            if rng.random() < 0.05:
                one = {**one, "kind": "form_fill", "form": "demo"}
            if rng.random() < 0.01:
                one = {**one, "kind": "merge", "into": f"v{rng.randrange(3000)}"}
            lines.append(json.dumps(one))
        agreement, other = self.write("a.yaml", AGREEMENT), self.write("b.yaml", OTHER)
        events = self.write("events.jsonl", "\n".join(lines))       # the last line has no end
        found = {self.replay(agreement, events, "--against", str(other), "--threads", str(n))[1] for n in (1, 2, 7, 7)}
        self.assertEqual(len(found), 1)
        told = self.replay(agreement, events)[0]
        self.assertEqual((told["events"], told["unreadable"]), (30000, 0))

    def test_lines_of_a_file_that_cannot_be_read_are_told_with_their_numbers(self):
        good = json.dumps({"kind": "visit", "event_id": "e", "lead_id": "x", "time": NOW, "page": "/"})
        lines = [good] * 40000
        lines[6], lines[7], lines[30000] = "", "nonsense", '{"kind": "visit"}'
        agreement, events = self.write("a.yaml", AGREEMENT), self.write("events.jsonl", "\n".join(lines))
        def told(*words):
            done = self.run_it("replay", "--agreement", str(agreement), *words, str(events))
            return done.stdout, [line for line in done.stderr.splitlines() if line.startswith(str(events))]

        first, second = told("--threads", "1")[1]
        self.assertRegex(first, rf"^{re.escape(str(events))}:8: unknown_framing: .+")
        self.assertRegex(second, rf"^{re.escape(str(events))}:30001: [a-z_]+: .+")
        for threads in ("2", "7"):
            self.assertEqual(told("--threads", threads)[1], [first, second])
        events.write_text("\n".join(["nonsense"] * 3000 + [good]))
        figures, lines = told("--json")
        self.assertEqual(json.loads(figures)["unreadable"], 3000)
        self.assertEqual(len(lines), 21)
        self.assertRegex(lines[19], rf"^{re.escape(str(events))}:20: unknown_framing: .+")
        self.assertEqual(lines[20], f"{events}: and 2980 more")

    def judged(self, count, won, kind, **fields):
        """`count` leads that all did the same; the first `won` became customers, the others were rejected."""
        lines = []
        for n in range(count):
            lead = f"{kind}{n}-{json.dumps(fields)}"
            lines.append({"kind": kind, "event_id": "a", "lead_id": lead, "time": NOW, **fields})
            lines.append({"kind": "feedback", "event_id": "b", "lead_id": lead, "time": NOW + HOUR,
                          "report": "customer" if n < won else "rejected", "reason": "no"})
        return lines

    def test_groups_precision_recall_and_lift_by_hand(self):
        new = self.write("new.yaml", "agreement: hand\nversion: 2\nbehaviour:\n"
                         "  - {id: form, event: form_fill, points: 50}\n"
                         "  - {id: price, event: visit, where: {page: /price}, points: 50}\n"
                         "  - {id: click, event: click, points: 1}\n"
                         "gates: {mql: {score: 10}, sql: {score: 50}}\n")
        old = self.write("old.yaml", "agreement: hand\nversion: 1\nbehaviour:\n"
                         "  - {id: form, event: form_fill, points: 50}\n"
                         "  - {id: click, event: click, points: 50}\n"
                         "gates: {mql: {score: 10}, sql: {score: 50}}\n")
        lines = (self.judged(40, 30, "form_fill", form="a") + self.judged(60, 10, "click")
                 + self.judged(100, 20, "visit", page="/price") + self.judged(10, 0, "visit", page="/"))
        lines += [{"kind": "form_fill", "event_id": "x", "lead_id": "silent", "time": NOW, "form": "a"}]
        events = self.write("events.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        told = self.replay(new, events, "--against", str(old))[0]
        group = lambda name: [told[name][key] for key in ("leads", "customers", "rejected", "precision", "recall")]
        self.assertEqual(group("both"), [41, 30, 10, 0.75, 0.5])
        self.assertEqual(group("only_agreement"), [100, 20, 80, 0.2, 0.3333])
        self.assertEqual(group("only_against"), [60, 10, 50, 0.1667, 0.1667])
        self.assertEqual(group("agreement"), [141, 50, 90, 0.3571, 0.8333])
        self.assertEqual(group("against"), [101, 40, 60, 0.4, 0.6667])
        self.assertEqual(told["judged"]["leads"], 200)               # ten were handed over by neither
        rules = {rule["id"]: [rule[key] for key in ("customers", "rejected", "precision", "lift", "silent")]
                 for rule in told["rules"]}
        self.assertEqual(rules, {"form": [30, 10, 0.75, 2.5, False],          # 0.75 ÷ (60 ÷ 200)
                                 "price": [20, 80, 0.2, 0.6667, False],
                                 "click": [10, 50, 0.1667, 0.5556, False]})

    def test_how_much_sooner_is_told(self):
        rule = "behaviour:\n  - {id: form, event: form_fill, points: 50}\n  - {id: visit, event: visit, points: %d}\n" \
               "gates: {mql: {score: 10}, sql: {score: 50}}\n"
        new = self.write("new.yaml", "agreement: n\nversion: 1\n" + rule % 50)
        old = self.write("old.yaml", "agreement: o\nversion: 1\n" + rule % 1)
        lines = []
        for n, hours in enumerate((1, 2, 3, 10)):
            lines.append({"kind": "visit", "event_id": "a", "lead_id": f"l{n}", "time": NOW, "page": "/"})
            lines.append({"kind": "form_fill", "event_id": "b", "lead_id": f"l{n}", "time": NOW + hours * HOUR, "form": "f"})
        events = self.write("events.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(self.replay(new, events, "--against", str(old))[0]["hours_sooner"],
                         {"quarter": 1, "median": 2, "three_quarters": 3})
        for agreements, language, sentence in (
                ((new, old), "en", "Of the 4 leads that both promote, n, version 1 promotes 4 earlier (half of those by 2 hours or more).\n"),
                ((old, new), "en", "Of the 4 leads that both promote, o, version 1 promotes 4 later.\n"),
                ((new, new), "pt", "Dos 4 leads que os dois promovem, n, versão 1 promove 4 no mesmo momento.\n"),
                ((new, old), "es", "De los 4 leads que los dos promueven, n, versión 1 promueve 4 antes "
                                   "(la mitad de ellos 2 horas antes o más).\n")):
            done = self.run_it("replay", "--agreement", str(agreements[0]), "--against", str(agreements[1]), "--lang", language,
                               str(events))
            self.assertIn(sentence, done.stdout)

    def test_a_verdict_that_was_ignored_is_none(self):
        rule = "agreement: v\nversion: 1\nbehaviour: [{id: form, event: form_fill, points: 50}]\n" \
               "gates: {mql: {score: 10}, sql: {score: 50}}\nsales: {reasons: [no budget]}\n"
        agreement = self.write("a.yaml", rule)
        other = self.write("b.yaml", rule.replace("points: 50", "points: 60"))
        lines, number = [], 0
        for lead, story in (("listed", "fr"), ("unlisted", "fx"), ("before", "rf"), ("again", "fxr"), ("lost-then-won", "frc"),
                            ("won", "fc"), ("never", "r"), ("never-unlisted", "x")):
            for what in story:
                number += 1
                fields = {"f": {"kind": "form_fill", "form": "f"}, "c": {"report": "customer"},
                          "r": {"report": "rejected", "reason": "no budget"}, "x": {"report": "rejected", "reason": "a whim"}}[what]
                lines.append({"kind": "feedback", "event_id": f"e{number}", "lead_id": lead, "time": NOW + number, **fields})
        events = self.write("events.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        # `listed`, `again` and `lost-then-won` were rejected, `won` is a customer.
        told = self.replay(agreement, events)[0]
        self.assertEqual([told["agreement"][key] for key in ("leads", "customers", "rejected")], [6, 1, 3])
        self.assertEqual([told["judged"][key] for key in ("customers", "rejected")], [1, 4])      # `never` was handed over by another
        told = self.replay(agreement, events, "--against", str(other))[0]
        for group in ("agreement", "against", "both"):
            self.assertEqual([told[group][key] for key in ("leads", "customers", "rejected")], [6, 1, 3])
        self.assertEqual([told["judged"][key] for key in ("customers", "rejected")], [1, 3])

    def test_who_was_given_up_counts_with_the_person(self):
        agreement = self.write("a.yaml", "agreement: m\nversion: 1\nbehaviour: [{id: form, event: form_fill, points: 50}]\n"
                               "gates: {mql: {score: 10}, sql: {score: 50}}\n")
        lines = [{"kind": "form_fill", "event_id": "1", "lead_id": "cookie", "time": NOW, "form": "f"},
                 {"kind": "merge", "event_id": "2", "lead_id": "cookie", "time": NOW + 1, "into": "person"},
                 {"kind": "feedback", "event_id": "3", "lead_id": "person", "time": NOW + 2, "report": "customer"}]
        events = self.write("events.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        told = self.replay(agreement, events)[0]
        self.assertEqual([told["agreement"][key] for key in ("promotions", "leads", "customers")], [1, 1, 1])
        self.assertEqual(told["judged"]["leads"], 1)

    def test_what_cannot_be_read_is_told(self):
        agreement = self.write("a.yaml", AGREEMENT)
        for words, code, text in (
                (["--agreement", str(agreement), str(self.folder / "none.jsonl")], 3, "none.jsonl"),
                (["--agreement", str(self.folder / "none.yaml"), str(agreement)], 3, "none.yaml"),
                ([str(agreement)], 2, "--agreement"),
                (["--agreement", str(agreement), "--from", "soon", str(agreement)], 2, "soon"),
                (["--agreement", str(agreement), "--from", "2026-02-30", str(agreement)], 2, "2026-02-30"),
                (["--agreement", str(agreement), "--from", "2026-02-02", "--to", "2026-02-01", str(agreement)], 2, "before"),
                (["--agreement", str(agreement), "--out", str(agreement), str(agreement)], 2, "which is read"),
                (["--agreement", str(agreement), "--threads", "0", str(agreement)], 2, "--threads"),
                (["--agreement", str(agreement), "--out", "/nowhere/x", str(self.write("e.jsonl", ""))], 2, "there is no folder /nowhere"),
                (["--agreement", str(agreement), "--out", "", str(self.write("e.jsonl", ""))], 2, "the name of a file"),
                (["--agreement", str(agreement), "--out", str(self.folder / "no") + "/", str(self.write("e.jsonl", ""))], 2, "the name of a file")):
            done = self.run_it("replay", *words)
            self.assertEqual(done.returncode, code, done)
            self.assertIn(text, done.stderr)
            self.assertEqual(len([line for line in done.stderr.splitlines() if "warning: fit alone" not in line]), 1, done)


def main():
    global WORLD
    WORLD = World()
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{text}*" for text in sys.argv[1:]] or None
    result = unittest.TextTestRunner(sys.stdout, verbosity=2).run(loader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
