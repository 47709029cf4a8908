#!/usr/bin/env python3
"""The commands as a person meets them, on a real broker and a real Redis: what they print, how they end, and what
`baton run` says when something is wrong or away. Last line: `N passed, N failed`."""

import io
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import avro
from registry import Registry
from world import BATON, FOREVER, OUTPUTS, ROOT, Redis, RedisServer, Setup, World, wait_for

import lead_hash
from compare_try import differences
from messages import Options, Record, Rejected
from scorer import expected

NOON = 1793534400000          # 2026-11-01T12:00:00Z
HOUR, DAY = 3600000, 86400000
PARTITIONS = 4

AGREEMENT = """\
agreement: demo-saas
version: 3
zone: America/Sao_Paulo
fit:
  - {id: decision-maker, where: {job_title: {contains: [owner, director, head]}}, points: 20}
behaviour:
  - {id: pricing, event: visit, where: {page: /pricing*}, points: 10, half_life: 14d}
  - {id: any-page, event: visit, points: 1, at_most: {times: 3, per: day}}
  - {id: download, event: click, where: {target: /download}, points: 5}
  - {id: demo, event: form_fill, where: {form: demo-request}, points: 40, at_most: {times: 1, per: ever}}
gates:
  mql: {score: 20}
  sql: {score: 60, needs_one_of: [demo]}
share: [name, email]
"""

WORLD = None


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# --- events -----------------------------------------------------------------------------------------------------------

class Log:
    """The records of a test, in the order in which they are sent; a lead's partition is the number in its name."""

    def __init__(self):
        self.records, self.next = [], [0] * PARTITIONS

    def add(self, lead, value, counted=None, key=None):
        """value: what is sent; counted: the event that it says, for the reference (a dict), or a Rejected."""
        partition = int(lead[-1]) % PARTITIONS
        record = Record(partition, self.next[partition], NOON, lead.encode() if key is None else key, value)
        self.next[partition] += 1
        self.records.append((record, record._replace(value=value if counted is None else counted)))
        return record

    def event(self, lead, kind, number, minutes=0, **fields):
        value = {"kind": kind, "event_id": f"{lead}-{number}", "lead_id": lead, "time": NOON - DAY + minutes * 60000, **fields}
        return self.add(lead, json.dumps(value).encode())

    def sent(self):
        return [sent for sent, _ in self.records]

    def counted(self):
        return [counted for _, counted in self.records]


def story(leads=8):
    """Everybody looks around, half fill in a form, every fourth has a title; one unreadable message."""
    log = Log()
    for n in range(leads):
        lead = f"lead-{n}"
        for visit in range(3 + n):
            log.event(lead, "visit", visit, visit, page="/pricing" if visit % 2 else "/", channel="ads")
        if n % 4 == 0:
            log.event(lead, "profile", "p", 50, name=f"Person {n}", email=f"p{n}@example.com", job_title="Head of IT")
        if n % 2 == 0:
            log.event(lead, "form_fill", "f", 60, form="demo-request", fields={"phone": "123"})
        log.event(lead, "click", "c", 70, target="/download", campaign="spring")
    log.add("lead-1", b"neither JSON nor Avro")
    return log


class Base(unittest.TestCase):
    maxDiff = 4000

    @property
    def world(self):
        return getattr(self, "own_world", WORLD)

    def setup(self, **arguments):
        agreement = arguments.pop("agreement", AGREEMENT)
        setup = Setup(self.world, agreement, arguments.pop("partitions", PARTITIONS), **arguments)
        self.addCleanup(setup.stop_all)
        return setup

    def feed(self, setup, records):
        producer = self.world.producer()
        setup.feed(producer, records)
        self.assertEqual(producer.flush(30), 0)

    def wait_done(self, setup, log, redis=None, seconds=120):
        setup.wait_until_done(redis or self.redis(), log.next, seconds)

    def redis(self):
        redis = self.world.redis()
        self.addCleanup(redis.close)
        return redis

    def assert_ends(self, done, code, *texts):
        self.assertEqual(done.returncode, code, f"stdout: {done.stdout}\nstderr: {done.stderr}")
        for text in texts:
            self.assertIn(text, done.stderr)

    def run_until_it_ends(self, setup, code, *texts, seconds=90):
        process = setup.start()
        process.asked = True
        self.assertEqual(process.wait(seconds), code, process.log())
        for text in texts:
            self.assertIn(text, process.log())
        return process

    def score_all(self, setup, log):
        """Sends the log, lets the program count it, stops it."""
        self.feed(setup, log.sent())
        process = setup.start()
        self.wait_done(setup, log)
        self.assertEqual(process.stop(), 0, process.log())

    def outputs(self, setup):
        """kind → messages"""
        messages = self.world.read([setup.topics[kind] for kind in OUTPUTS])
        return {kind: [m for m in messages if m.topic() == setup.topics[kind]] for kind in OUTPUTS}

    def header(self, message, name):
        values = [value.decode() for key, value in message.headers() if key == name]
        self.assertEqual(len(values), 1, (name, message.headers()))
        return values[0]

    def assert_same(self, wanted, got):
        found = differences(wanted, got)
        self.assertFalse(found, found[:5])


# --- commands that need no server -------------------------------------------------------------------------------------

def call(*words, **options):
    return subprocess.run([BATON, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=90,
                          stdin=subprocess.DEVNULL, check=False, **options)


class CommandLine(Base):
    def test_help_lists_the_commands_and_the_exit_codes(self):
        for words in ((), ("help",), ("--help",)):
            done = call(*words)
            self.assertEqual(done.returncode, 0)
            for verb in ("run", "topics", "status", "check", "show", "top", "try", "config", "accept"):
                self.assertRegex(done.stdout, rf"(?m)^  {verb} ")
            self.assertIn("exit codes", done.stdout)

    def test_help_of_each_command(self):
        for verb in ("run", "topics", "status", "check", "show", "top", "try", "config", "accept", "help", "version"):
            done = call("help", verb)
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"baton {verb}", done.stdout)
            self.assertEqual(call(verb, "--help").stdout, done.stdout)

    def test_a_misspelt_command_or_option_is_told_with_the_nearest(self):
        self.assert_ends(call("stauts"), 2, "no command stauts, did you mean status?")
        self.assert_ends(call("topics", "--craete"), 2, "did you mean --create?")
        self.assert_ends(call("help", "nothing"), 2, "no command nothing")
        self.assert_ends(call("show"), 2, "LEAD")
        self.assert_ends(call("show", "a", "b"), 2, "b")
        self.assert_ends(call("top", "-n", "many"), 2, "whole number")
        self.assert_ends(call("top", "-n"), 2, "value")
        self.assert_ends(call("show", "x", "--at", "teatime"), 2, "--at")

    def test_an_id_may_begin_with_a_dash(self):
        for verb in ("show", "explain"):
            self.assert_ends(call(verb, "-70000"), 2, "no option -70000", f"stands behind --: baton {verb} -- -70000")
            self.assertIn("stands behind --", call("help", verb).stdout)
            self.assert_ends(call(verb, "-c", "/none.yaml", "--", "-70000"), 3, "/none.yaml")
        for words in (("topics", "-7"), ("show", "--jsno")):
            done = call(*words)
            self.assert_ends(done, 2, "no option")
            self.assertNotIn("behind --", done.stderr)

    def test_the_version_names_the_libraries(self):
        done = call("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^baton \d+\.\d+\.\d+\n")
        self.assertRegex(done.stdout, r"librdkafka +\d+\.\d+")
        self.assertEqual(json.loads(call("version", "--json").stdout)["baton"], done.stdout.split()[1])

    def test_config_prints_every_parameter(self):
        done = call("config")
        self.assertEqual(done.returncode, 0)
        for name in ("agreement", "kafka.brokers", "checkpoint.interval", "leads.memory", "shutdown.timeout"):
            self.assertIn(name, done.stdout)
        listed = json.loads(call("config", "--json").stdout)
        text = json.dumps(listed)
        for name in ("kafka.group", "checkpoint.interval", "redis.url"):
            self.assertIn(name, text)

    def test_all_mistakes_of_an_agreement_come_at_once_with_their_places(self):
        setup = self.setup(topics=False)
        setup.write_agreement(AGREEMENT.replace("half_life", "half_live").replace("sql: {score: 60", "sql: {score: 6"))
        done = setup.run("check")
        self.assert_ends(done, 3, "half_life")
        self.assertRegex(done.stderr, r"(?m)^.*agreement\.yaml:7:\d+: error: .*half_live")
        self.assertRegex(done.stderr, r"(?m)^.*agreement\.yaml:13:\d+: error: .*`sql` gate")
        answer = json.loads(setup.run("check", "--json").stdout)
        self.assertFalse(answer["ok"])
        self.assertGreaterEqual(len(answer["messages"]), 2)

    def test_check_reads_an_agreement_aloud(self):
        setup = self.setup(topics=False)
        done = setup.run("check")
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("demo-saas", "/pricing", "14 days", "America/Sao_Paulo", "60"):
            self.assertIn(text, done.stdout)
        answer = json.loads(setup.run("check", "--json").stdout)
        self.assertTrue(answer["ok"])
        self.assertEqual((answer["agreement"], answer["version"]), ("demo-saas", 3))

    def test_the_examples_of_the_documentation_are_right(self):
        setup = self.setup(topics=False)
        parts = AGREEMENT.replace("mql: {", "mql: {behaviour: 1, ")     # fit alone is not to open it
        for page in ("README.md", "docs/agreement.md", "docs/messages.md"):
            for block in re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S):
                if block.startswith("agreement: ") and "gates:" in block:
                    setup.write_agreement(block)
                elif block.startswith(("personas:", "assign:", "sales:")):        # parts of an agreement
                    parts += block
                    setup.write_agreement(parts)
                else:
                    (setup.folder / "baton.yaml").write_text(block, encoding="utf-8")
                done = setup.run("check")
                self.assert_ends(done, 0)
                told = [line for line in done.stderr.splitlines() if "not both sides have signed" not in line]
                self.assertEqual(told, [], page)
        for line in re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S):
            (setup.folder / "e.jsonl").write_text(line)
            done = call("try", str(setup.folder / "agreement.yaml"), str(setup.folder / "e.jsonl"), "--json")
            self.assertEqual(len(done.stdout.splitlines()), 1, done.stderr)

    def test_try_scores_a_file(self):
        setup = self.setup(topics=False)
        events = setup.folder / "events.jsonl"
        events.write_bytes(b"".join(record.value + b"\n" for record in story().sent()))
        done = call("try", str(setup.folder / "agreement.yaml"), str(events), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        leads = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
        wanted = expected(AGREEMENT, story().counted())["leads"]
        self.assertEqual([lead["lead_id"] for lead in leads], sorted(wanted))
        for lead in leads:
            self.assert_same({key: wanted[lead["lead_id"]][key] for key in ("score", "stage", "rules")}, lead)
        done = call("try", str(setup.folder / "agreement.yaml"), str(events))
        self.assertEqual(done.returncode, 0)
        self.assertIn("lead-0", done.stdout)

    def test_try_tells_how_many_events_were_ignored(self):
        setup = self.setup(topics=False)
        agreement, events = setup.folder / "ignoring.yaml", setup.folder / "e.jsonl"
        agreement.write_text("agreement: a\nversion: 1\nignore: {bots: true}\nbehaviour:\n"
                             "  - {id: v, event: visit, points: 1}\ngates: {mql: {score: 1}, sql: {score: 2}}\n")
        events.write_text("".join(json.dumps({"kind": "visit", "event_id": agent, "lead_id": "ana", "page": "/",
                                              "time": "2026-11-01T12:00:00Z", "user_agent": agent}) + "\n"
                                  for agent in ("Googlebot/2.1", "bingbot/2.0", "Firefox/132.0")))
        done = call("try", str(agreement), str(events))
        self.assertIn("\n1 event counted, ", done.stdout)
        self.assertIn("\n2 events ignored: they are not a person's\n", done.stdout)

    def test_try_without_its_files(self):
        setup = self.setup(topics=False)
        agreement = str(setup.folder / "agreement.yaml")
        self.assert_ends(call("try", agreement, "/nowhere/e.jsonl", "--json"), 3, "/nowhere/e.jsonl")
        self.assert_ends(call("try", "/nowhere/a.yaml", agreement, "--json"), 3, "/nowhere/a.yaml")
        self.assert_ends(call("try", agreement), 2)

    def test_what_is_no_file_is_told_and_not_waited_for(self):
        setup = self.setup(topics=False)
        agreement, pipe, events = (str(setup.folder / name) for name in ("agreement.yaml", "pipe.yaml", "events"))
        pathlib.Path(events).write_text("")
        os.mkfifo(pipe)
        for path in (pipe, "/dev/zero"):
            for words in (["check", path], ["try", path, events], ["diff", agreement, path], ["status", "-c", path],
                          ["replay", "--agreement", path, events], ["replay", "--agreement", agreement, "--against", path, events],
                          ["sign", "--as", "marketing", "--by", "Mia", path]):
                with self.subTest(words=words):
                    self.assert_ends(call(*words), 3, f"{path}: error: cannot be read: it is a pipe, a socket or a device: name a file")
        folder = str(setup.folder)
        self.assert_ends(call("status", "-c", folder), 3, f"{folder}: error: cannot be read: it is a folder: name a file")
        self.assert_ends(call("try", agreement, folder), 3, f"cannot read {folder}: it is a folder: name a file of events")
        for words in (["try", agreement], ["replay", "--agreement", agreement]):
            self.assert_ends(call(*words, "/dev/zero"), 3, "cannot read /dev/zero: it is a socket or a device: name a file of events")
            shell = 'exec "$@" <(cat "$0")'
            self.assertEqual(subprocess.run(["bash", "-c", shell, events, BATON, *words], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, timeout=90, check=False).returncode, 0)

    def test_a_wrong_configuration_is_told_with_its_places(self):
        setup = self.setup(topics=False, extra={"workers": 0, "redis": {"prefixx": "a"}, "kafka": {
            "consumer": {"isolation.level": "read_uncommitted"}, "producer": {"acks": "1"}}})
        for verb in (("run",), ("status",), ("topics",), ("show", "x"), ("top",), ("accept", "--unit", "0")):
            done = setup.run(*verb)
            self.assert_ends(done, 3, "workers", "prefix", "isolation.level", "only `read_committed` hides it", "acks")
            self.assertRegex(done.stderr, r"(?m)^.*baton\.yaml:\d+:\d+: error: ")
        self.assert_ends(call("status", "-c", "/nowhere/baton.yaml"), 3, "/nowhere/baton.yaml")

    def test_a_missing_agreement_is_a_bad_input(self):
        setup = self.setup(topics=False)
        (setup.folder / "agreement.yaml").unlink()
        for verb in (("run",), ("check",), ("show", "x")):
            self.assert_ends(setup.run(*verb), 3, "agreement.yaml")


# --- on data ----------------------------------------------------------------------------------------------------------

class OnData(Base):
    """One setup, scored once; the tests look at it."""

    @classmethod
    def setUpClass(cls):
        cls.data, cls.log = Setup(WORLD, AGREEMENT, PARTITIONS), story(12)
        cls.wanted = expected(AGREEMENT, cls.log.counted(), topic=cls.data.topics["events"])
        base = Base()
        base.score_all(cls.data, cls.log)
        base.doCleanups()

    def test_show_tells_a_person(self):
        done = self.data.run("show", "lead-4")
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("lead-4", "sql", "pricing", "demo 40", "decision-maker 20", "Person 4", "demo-request", "/pricing",
                     "ads", "spring"):
            self.assertIn(text, done.stdout)

    def test_show_tells_a_program(self):
        for lead_id, lead in self.wanted["leads"].items():
            done = self.data.run("show", lead_id, "--json", "--at", "newest")
            self.assertEqual(done.returncode, 0, done.stderr)
            got = json.loads(done.stdout, parse_float=Decimal)
            keys = ("lead_id", "score", "fit", "behaviour", "stage", "rules", "touches", "conversions", "profile",
                    "first_channel", "last_channel", "events")
            self.assert_same({key: lead[key] for key in keys}, got)
            self.assertEqual(got["unit"], int(lead_id[-1]) % PARTITIONS)
            self.assertEqual(got["generation"], 1)

    def test_a_score_of_now_has_decayed(self):
        newest = json.loads(self.data.run("show", "lead-3", "--json", "--at", "newest").stdout)
        later = self.wanted["leads"]["lead-3"]["newest"] + 14 * DAY
        half = json.loads(self.data.run("show", "lead-3", "--json", "--at", str(later)).stdout)
        self.assertLess(half["rules"]["pricing"], newest["rules"]["pricing"] / 1.99)
        self.assertEqual(half["rules"]["any-page"], newest["rules"]["any-page"])
        self.assertEqual(half["stored_score"], newest["score"])

    def test_an_unknown_lead(self):
        self.assert_ends(self.data.run("show", "nobody-9"), 1, "nobody-9", self.data.name)
        self.assert_ends(self.data.run("show", "nobody-9", "--json"), 1, "nobody-9")
        self.assert_ends(self.data.run("show", "--", "-9"), 1, "-9", self.data.name)

    def test_top_sorts_the_best_first(self):
        done = self.data.run("top", "-n", "5", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        got = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
        got = got[0] if isinstance(got[0], list) else got
        scores = sorted((Decimal(str(lead["score"])) for lead in self.wanted["leads"].values()), reverse=True)
        self.assertEqual([lead["score"] for lead in got], scores[:5])
        done = self.data.run("top", "-n", "100")
        self.assertEqual(sum("lead-" in line for line in done.stdout.splitlines()), len(self.wanted["leads"]))
        done = self.data.run("top", "--stage", "sql")
        self.assertEqual(sum("lead-" in line for line in done.stdout.splitlines()),
                         sum(lead["stage"] == "sql" for lead in self.wanted["leads"].values()))

    def test_status_counts(self):
        done = self.data.run("status", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)
        self.assertEqual((got["lag"], got["stopped"], got["group"]), (0, 0, self.data.name))
        self.assertEqual(got["events"], self.wanted["events"])
        self.assertEqual(got["promotions"], len(self.wanted["promotions"]))
        self.assertEqual(got["transitions"], len(self.wanted["stages"]))
        self.assertEqual(got["dead_letters"], {"unknown_framing": 1})
        self.assertEqual([unit["position"] for unit in got["units"]], self.log.next)
        self.assertEqual([unit["committed"] for unit in got["units"]], self.log.next)
        self.assertEqual({unit["member"] for unit in got["units"]}, {""})

    def test_status_as_a_table(self):
        done = self.data.run("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertRegex(done.stdout, r"position +committed +end +lag +checkpoint +events"
                         r" +ignored +reports ignored +dropped +promotions +dead")
        self.assertEqual(sum(bool(re.match(r" *[0-3] .*nobody$", line)) for line in lines), PARTITIONS, done.stdout)

    def test_accept_wants_a_unit_that_is_there(self):
        self.assert_ends(self.data.run("accept"), 2, "--unit")
        self.assert_ends(self.data.run("accept", "--unit", "x"), 2, "whole number")
        self.assert_ends(self.data.run("accept", "--unit", "99"), 1, "no unit 99", "4 partitions")
        self.assert_ends(self.data.run("accept", "--unit", "0", "--schema", "what"), 2, "--schema")
        self.assert_ends(self.data.run("accept", "--unit", "0", "--schema", "7"), 1, "no verdict on schema 7")

    def test_a_lead_is_found_in_whatever_partition_it_is(self):
        # The story's partitions are of no partitioner that programs know.
        units = {json.loads(self.data.run("show", lead, "--json").stdout)["unit"] for lead in self.wanted["leads"]}
        self.assertEqual(units, set(range(PARTITIONS)))

    def test_one_shot_commands_without_redis_or_kafka(self):
        away = self.setup(topics=False, redis_url="unix:///nowhere/redis.sock?db=0",
                          extra={"kafka": {"brokers": f"127.0.0.1:{free_port()}"}})
        for verb in (("show", "x"), ("top",), ("status",)):
            self.assert_ends(away.run(*verb), 1, "/nowhere/redis.sock")
        self.assert_ends(away.run("topics"), 1, "127.0.0.1")

    def test_status_with_one_server_away_shows_what_the_other_knows(self):
        away = Setup(WORLD, AGREEMENT, topics=False)
        away.config["topics"], away.config["kafka"] = self.data.config["topics"], self.data.config["kafka"]
        away.config["redis"] = {"url": "unix:///nowhere/redis.sock?db=0", "prefix": self.data.name}
        away.write_config()
        done = away.run("status", "--json")
        self.assert_ends(done, 1, "/nowhere/redis.sock")
        got = json.loads(done.stdout)
        self.assertEqual((got["kafka"], got["redis"]), (True, False))
        self.assertEqual([unit["committed"] for unit in got["units"]], self.log.next)


# --- topics and settings of the servers -------------------------------------------------------------------------------

class Topics(Base):
    def test_missing_topics_are_an_error_with_the_command_that_makes_them(self):
        setup = self.setup(topics=False)
        command = f"baton topics --create -c {setup.folder}/baton.yaml"
        done = setup.run("topics")
        self.assert_ends(done, 1, command)
        self.assertEqual(done.stdout.count("missing"), 5)
        self.run_until_it_ends(setup, 1, command)
        done = setup.run("topics", "--create")
        self.assertEqual(done.returncode, 0, done.stderr)
        process = setup.start()                      # at once, without a pause
        process.wait_for_line("live at offset")
        listed = json.loads(setup.run("topics", "--json").stdout)
        self.assertEqual([topic["partitions"] for topic in listed], [PARTITIONS] * 5)
        self.assertEqual([topic["retention_ms"] for topic in listed], [30 * DAY] + [365 * DAY] * 4)
        self.assertEqual({topic["cleanup_policy"] for topic in listed}, {"delete"})
        again = json.loads(setup.run("topics", "--create", "--json").stdout)
        self.assertEqual({topic["created"] for topic in again}, {False})
        self.assertEqual(process.stop(), 0, process.log())

    def test_another_number_of_partitions_is_an_error(self):
        setup, log = self.setup(), story()
        self.score_all(setup, log)
        self.world.add_partitions(setup.topics["events"], PARTITIONS + 2)
        time.sleep(1)
        done = setup.run("run", "--unsigned")
        self.assert_ends(done, 1)
        self.assertIn("has 6 partitions, and leads were scored with 4", done.stderr)

    def test_leads_of_another_group_or_topic_are_refused(self):
        setup, log = self.setup(), story()
        self.score_all(setup, log)
        other = self.setup()
        other.config["redis"] = setup.config["redis"]
        other.write_config()
        done = other.run("run", "--unsigned")
        self.assert_ends(done, 1)
        self.assertIn("give it a redis.prefix of its own", done.stderr)

    def test_a_compacted_events_topic_is_refused(self):
        setup = self.setup(topics=False)
        topics = setup.topic_list()
        topics[setup.topics["events"]] = (PARTITIONS, {**FOREVER, "cleanup.policy": "compact"})
        self.world.make_topics(topics)
        self.run_until_it_ends(setup, 1, "compact", setup.topics["events"])


class RedisSettings(Base):
    def server(self, *options):
        setup = self.setup()
        server = RedisServer(setup.folder, *options)
        self.addCleanup(server.stop)
        return setup, server

    def point(self, setup, url, **more):
        setup.write_config(redis={"url": url, "prefix": setup.name, **more})

    def test_a_redis_that_may_evict_leads_is_refused(self):
        setup, server = self.server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
        self.point(setup, f"unix://{server.path}?db=0")
        self.run_until_it_ends(setup, 1, "noeviction", "allkeys-lru")

    def test_tcp_with_password_and_database(self):
        port = free_port()
        setup, server = self.server("--port", str(port), "--requirepass", "s3cret")
        log = story(4)
        self.feed(setup, log.sent())
        self.point(setup, f"redis://127.0.0.1:{port}/3", password="wrong")
        self.assert_ends(setup.run("top"), 1, "password")
        self.run_until_it_ends(setup, 1, "password")
        self.point(setup, f"redis://127.0.0.1:{port}/3")
        self.run_until_it_ends(setup, 1, "password")
        self.point(setup, f"redis://:s3cret@127.0.0.1:{port}/3")
        process, redis = setup.start(), Redis(("127.0.0.1", port), "s3cret")
        self.addCleanup(redis.close)
        redis.call("SELECT", 3)
        self.wait_done(setup, log, redis)
        self.assertEqual(process.stop(), 0)
        self.assertEqual(setup.run("top").stdout.count("lead-"), 4)
        self.assertEqual(redis.call("INFO", "keyspace").count(b"db3"), 1)


# --- servers that go away ---------------------------------------------------------------------------------------------

class Away(Base):
    def test_redis_away_is_told_once_and_it_goes_on_by_itself(self):
        setup = self.setup()
        server = RedisServer(setup.folder)
        self.addCleanup(server.stop)
        setup.write_config(redis={"url": f"unix://{server.path}?db=0", "prefix": setup.name}, workers=1)
        log, half = story(), len(story().sent()) // 2
        self.feed(setup, log.sent()[:half])
        process = setup.start()
        process.wait_for_line("live at offset")
        redis = Redis(server.path)
        wait_for("the first half in Redis", 60, lambda: sum(max(0, p) for p in setup.positions(redis)) == half)
        redis.call("CONFIG", "SET", "save", "3600 1000000")
        redis.close()
        server.stop()                                # writes its data on the way out
        process.wait_for_line("waits for Redis")
        self.feed(setup, log.sent()[half:])
        time.sleep(3)
        server.start()
        process.wait_for_line("Redis answers again")
        redis = Redis(server.path)
        self.wait_done(setup, log, redis)
        redis.close()
        self.assertEqual(process.log().count("waits for Redis"), 1, process.log())
        self.assertEqual(process.stop(), 0, process.log())
        wanted = expected(AGREEMENT, log.counted(), topic=setup.topics["events"])
        self.assertEqual(len(self.outputs(setup)["promotions"]), len(wanted["promotions"]))
        got = json.loads(setup.run("status", "--json").stdout)
        self.assertEqual(got["events"], wanted["events"])

    def test_a_stop_without_redis_says_that_something_is_left(self):
        setup = self.setup()
        server = RedisServer(setup.folder)
        self.addCleanup(server.stop)
        setup.write_config(redis={"url": f"unix://{server.path}?db=0", "prefix": setup.name},
                           workers=1, checkpoint={"interval": "30s"}, commit={"interval": "100ms"})
        log = story()
        process = setup.start()
        process.wait_for_line("unit=3 live at offset")
        self.feed(setup, log.sent())
        wait_for("the commit", 60, lambda: self.world.committed(setup.name, setup.topics["events"], PARTITIONS) == log.next)
        server.stop()
        began = time.monotonic()
        self.assertEqual(process.stop(), 4, process.log())
        self.assertLess(time.monotonic() - began, 25)     # and not as long as the checkpoint's interval
        self.assertIn("left to replay", process.log())

    def test_a_start_without_redis_waits_and_can_be_stopped(self):
        setup = self.setup(redis_url="unix:///nowhere/redis.sock?db=0")
        process = setup.start()
        process.wait_for_line("waits for Redis")
        time.sleep(2)
        self.assertEqual(process.log().count("waits for Redis"), 1)
        self.assertEqual(process.stop(), 0, process.log())

    def test_a_start_without_kafka_waits_and_can_be_stopped(self):
        setup = self.setup(topics=False, extra={"kafka": {"brokers": f"127.0.0.1:{free_port()}"}})
        process = setup.start()
        process.wait_for_line("waits for Kafka")
        time.sleep(2)
        self.assertEqual(process.log().count("waits for Kafka"), 1)
        self.assertEqual(process.stop(), 0, process.log())

    def test_kafka_away_is_told_once_and_it_goes_on_by_itself(self):
        port, log = free_port(), story()
        folder = WORLD.folder / "second-kafka"
        start = [ROOT / "deploy/kafka/start", "--dir", folder, "--port", str(port), "--quiet"]
        stop = [ROOT / "deploy/kafka/stop", "--dir", folder]
        environment = {**os.environ, "BATON_KAFKA_HEAP": "512m"}
        subprocess.run(start, stdout=subprocess.DEVNULL, check=True, timeout=120, env=environment)
        self.addCleanup(subprocess.run, stop, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.own_world = World(f"127.0.0.1:{port}", WORLD.redis_path)
        setup = self.setup(extra={"workers": 1})
        half = len(log.sent()) // 2
        process = setup.start()
        process.wait_for_line("unit=3 live at offset")
        self.feed(setup, log.sent()[:half])
        redis = self.redis()
        wait_for("the first half in Redis", 60, lambda: sum(max(0, p) for p in setup.positions(redis)) == half)
        subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        process.wait_for_line("waits for Kafka")
        time.sleep(3)
        self.assertEqual(process.log().count("waits for Kafka"), 1, process.log())
        subprocess.run(start, stdout=subprocess.DEVNULL, check=True, timeout=120, env=environment)
        self.feed(setup, log.sent()[half:])
        self.wait_done(setup, log, redis)
        self.assertIn("Kafka answers again", process.log())
        self.assertEqual(process.stop(), 0, process.log())
        wanted = expected(AGREEMENT, log.counted(), topic=setup.topics["events"])
        self.assertEqual(len(self.outputs(setup)["promotions"]), len(wanted["promotions"]))


# --- two at once, and what the log says -------------------------------------------------------------------------------

class Processes(Base):
    def test_two_processes_with_one_instance_are_refused(self):
        setup = self.setup()
        first = setup.start("same")
        first.wait_for_line("live at offset")
        second = setup.start("same")
        second.asked = True
        self.assertEqual(second.wait(), 1, second.log())
        self.assertIn("same", second.log())
        self.assertIsNone(first.process.poll())
        self.assertEqual(first.stop(), 0)

    def test_statistics_and_the_holders_of_units(self):
        setup, log = self.setup(extra={"stats": {"interval": "300ms"}}), story()
        process = setup.start()
        self.feed(setup, log.sent())
        self.wait_done(setup, log)
        process.wait_for_line("events=%d" % expected(AGREEMENT, log.counted())["events"])
        for text in ("lag=0", "live=4", "promotions=", "unknown_framing=1"):
            process.wait_for_line(text)
        got = json.loads(setup.run("status", "--json").stdout)
        self.assertNotIn("", {unit["member"] for unit in got["units"]})
        self.assertLess(max(unit["checkpoint_age_ms"] for unit in got["units"]), 60000)
        self.assertEqual(process.stop(), 0)
        self.assertIn("stopped clean", process.log())

    def test_more_leads_than_memory_holds(self):
        """Leads are thrown out of memory and loaded again, in the middle of their history."""
        setup, log, leads = self.setup(extra={"leads": {"memory": "16MB"}, "stats": {"interval": "500ms"}}), Log(), 40000
        for turn in range(2):
            for n in range(leads):
                log.event(f"visitor-of-a-page-{n}", "visit", turn, turn, page="/pricing", campaign=f"c{n % 50}")
        self.feed(setup, log.sent())
        process = setup.start()
        self.wait_done(setup, log)
        self.assertEqual(process.stop(), 0, process.log())
        self.assertLess(max(map(int, re.findall(r"leads_in_memory=(\d+)", process.log()))), leads)
        wanted = expected(AGREEMENT, log.counted())["leads"]
        redis = self.redis()
        keys = redis.scan(f"{setup.name}:{{*}}:lead:*")
        rows = redis.pipeline([("HMGET", key, *lead_hash.FIELDS) for key in keys])
        got = {key.rpartition(b":")[2].decode(): (Decimal(row[0].decode()), lead_hash.newest(row[2]))
               for key, row in zip(keys, rows)}
        self.assertTrue(got == {lead_id: (Decimal(str(lead["score"])), lead["newest"]) for lead_id, lead in wanted.items()})
        stages = [message.key() for message in self.outputs(setup)["stages"]]
        self.assertEqual((len(stages), len(set(stages))), (leads, leads))
        shown = json.loads(setup.run("show", "visitor-of-a-page-7", "--json", "--at", "newest").stdout)
        self.assertEqual([touch["campaign"] for touch in shown["touches"]], ["c7", "c7"])

    def test_agreements_change_between_two_starts(self):
        setup, first, second = self.setup(), story(), Log()
        self.score_all(setup, first)
        second.next = list(first.next)
        for n in range(8):
            second.event(f"lead-{n}", "visit", "late", 90, page="/other")
        dearer = AGREEMENT.replace("points: 5", "points: 100").replace("version: 3", "version: 4")
        setup.write_agreement(dearer)
        self.score_all(setup, second)
        self.assertIn("under agreement demo-saas version 4", setup.processes[-1].log())
        got = {lead: json.loads(setup.run("show", lead, "--json", "--at", "newest").stdout)["rules"]["download"]
               for lead in ("lead-0", "lead-5")}
        self.assertEqual(got, {"lead-0": 100, "lead-5": 100})


# --- what an operator has to decide -----------------------------------------------------------------------------------

class Operators(Base):
    def scored(self):
        setup, log = self.setup(), story()
        self.score_all(setup, log)
        return setup, log, expected(AGREEMENT, log.counted(), topic=setup.topics["events"])

    def stops_with(self, setup, *texts):
        """Unit 1 stops, the others are live."""
        process = setup.start()
        for text in ("unit=1 stopped", "unit=0 live", "unit=2 live", "unit=3 live") + texts:
            process.wait_for_line(text)
        done = setup.run("status")
        self.assert_ends(done, 1)
        for text in ("unit 1 has stopped",) + texts:
            self.assertIn(text, done.stdout)
        return process

    def assert_scores(self, setup, wanted):
        for lead_id, lead in wanted["leads"].items():
            got = json.loads(setup.run("show", lead_id, "--json", "--at", "newest").stdout, parse_float=Decimal)
            self.assert_same({key: lead[key] for key in ("score", "stage", "rules", "events", "profile")}, got)

    def test_a_unit_whose_state_is_gone_is_rebuilt_on_demand(self):
        setup, log, wanted = self.scored()
        redis = self.redis()
        redis.call("DEL", *redis.scan(f"{setup.name}:{{1}}:*"))
        process = self.stops_with(setup, "its state is gone", f"baton run -c {setup.folder}/baton.yaml --rebuild")
        self.assertEqual(process.stop(), 1)
        process = setup.start("a", "--rebuild")
        process.wait_for_line("unit=1 live")
        log.event("lead-1", "visit", "later", 90, page="/pricing")
        self.feed(setup, log.sent()[-1:])
        self.wait_done(setup, log)
        self.assertEqual(process.stop(), 0, process.log())
        wanted = expected(AGREEMENT, log.counted(), topic=setup.topics["events"])
        self.assert_scores(setup, wanted)
        self.assertEqual(len(self.outputs(setup)["stages"]), len(wanted["stages"]))

    def test_a_damaged_lead_stops_its_unit(self):
        setup, log, _ = self.scored()
        self.redis().call("HSET", f"{setup.name}:{{1}}:lead:lead-1", "a", "nonsense")
        self.assert_ends(setup.run("show", "lead-1"), 1, "damaged")
        log.event("lead-1", "visit", "later", 90, page="/pricing")
        self.feed(setup, log.sent()[-1:])
        process = self.stops_with(setup, "lead-1")
        self.assertEqual(process.stop(), 1)

    def test_offsets_set_back_by_hand_stop_the_unit(self):
        setup, log, _ = self.scored()
        self.world.commit_by_hand(setup.name, setup.topics["events"], 1, 2)
        process = self.stops_with(setup, f"up to offset {log.next[1]}", "is 2")
        self.assertEqual(process.stop(), 1)
        self.world.commit_by_hand(setup.name, setup.topics["events"], 1, log.next[1])
        process = self.stops_with(setup, "was not committed by", "--unit 1")
        done = setup.run("accept", "--unit", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        process.wait_for_line("unit=1 live")
        log.event("lead-1", "visit", "later", 90, page="/pricing")
        self.feed(setup, log.sent()[-1:])
        self.wait_done(setup, log)
        self.assertEqual(setup.run("status").returncode, 0)
        process.stop()
        self.assert_scores(setup, expected(AGREEMENT, log.counted(), topic=setup.topics["events"]))

    def test_a_lead_changed_by_hand_is_seen_by_the_digest(self):
        """What was published is folded again; a lead that was removed meanwhile comes out otherwise."""
        setup, log = self.setup(), story()
        half = sum(record.partition == 1 for record in log.sent()) // 2
        self.feed(setup, [record for record in log.sent() if record.partition != 1 or record.offset < half])
        process = setup.start()
        ends = [half if p == 1 else log.next[p] for p in range(PARTITIONS)]
        setup.wait_until_done(self.redis(), ends, 30)
        self.assertEqual(process.stop(), 0)
        redis, unit = self.redis(), f"{setup.name}:{{1}}:unit"
        before = {key: redis.call("DUMP", key) for key in redis.scan(f"{setup.name}:{{1}}:*")}
        self.feed(setup, [record for record in log.sent() if record.partition == 1 and record.offset >= half])
        process = setup.start()
        self.wait_done(setup, log)
        self.assertEqual(process.stop(), 0)
        for key in redis.scan(f"{setup.name}:{{1}}:*"):
            redis.call("DEL", key)
        for key, dump in before.items():                     # an older Redis …
            redis.call("RESTORE", key, 0, dump)
        redis.call("DEL", *redis.scan(f"{setup.name}:{{1}}:lead:*"))     # … with a hand in it
        process = self.stops_with(setup, "digest", "--unit 1")
        self.assertNotEqual(int(redis.call("HGET", unit, "position")), -1)
        self.assertEqual(process.stop(), 1)


# --- framings in, formats out -----------------------------------------------------------------------------------------

TRACKING = {"type": "record", "name": "Tracking", "namespace": "shop.web", "fields": [
    {"name": "type", "type": {"type": "enum", "name": "Type", "symbols": ["click", "visit", "form_submit"]}},
    {"name": "event_id", "type": "string"},
    {"name": "lead_id", "type": "string"},
    {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "extra", "type": {"type": "array", "items": {"type": "map", "values": ["null", "double"]}}},
    {"name": "url", "type": ["null", "string"]},
    {"name": "campaign", "type": "string"},
    {"name": "session_id", "type": "string"},
    {"name": "user_agent", "type": "string"},
    {"name": "referrer", "type": "string"}]}
TRACKING_INPUT = {"fields": {"ts": "time", "session_id": "session"},
                  "kind": {"field": "type", "values": {"form_submit": "form_fill"}}}


def own_schema(name):
    return avro.load(ROOT / f"schemas/{name}.avsc")


class Formats(Base):
    def schemas_folder(self, setup):
        folder = setup.folder / "schemas"
        folder.mkdir(exist_ok=True)
        return folder

    def add_avro(self, log, lead, kind, frame, number, **fields):
        """An event in one of the program's own schemas; the reference is told its fields."""
        event = {"event_id": f"{lead}-{number}", "lead_id": lead, "time": NOON - DAY + len(log.records) * 1000, **fields}
        log.add(lead, frame(own_schema({"visit": "Visit", "click": "Click", "form_fill": "FormFill",
                                        "profile": "Profile"}[kind]), event), {"kind": kind, **event})

    def mixed_log(self, framings):
        log = Log()
        for n in range(8):
            lead = f"lead-{n}"
            for turn, frame in enumerate(framings):
                self.add_avro(log, lead, "visit", frame, f"v{turn}", url="https://example.com/pricing?utm_source=ads")
                self.add_avro(log, lead, "click", frame, f"c{turn}", target="/download", campaign="spring")
                log.event(lead, "visit", f"j{turn}", turn, page="/")
            self.add_avro(log, lead, "profile", framings[0], "p", job_title="Head of IT", name="Ana", age=44, consent=True,
                          properties={"seats": 5, "plan": "gold", "ratio": 0.5, "old": None})
            self.add_avro(log, lead, "form_fill", framings[-1], "f", form="demo-request", fields={"email": "a@b.example"})
        return log

    def score_and_compare(self, setup, log, options=Options()):
        wanted = expected(AGREEMENT, log.counted(), options, topic=setup.topics["events"])
        self.score_all(setup, log)
        for lead_id, lead in wanted["leads"].items():
            got = json.loads(setup.run("show", lead_id, "--json", "--at", "newest").stdout, parse_float=Decimal)
            self.assert_same({key: lead[key] for key in ("score", "stage", "rules", "touches", "profile", "events",
                                                         "first_channel")}, got)
        return wanted

    def compare_promotions(self, wanted, values):
        got = {value["lead_id"]: value for value in values}
        self.assertEqual(sorted(got), sorted(one["lead_id"] for one in wanted))
        self.assertEqual(len(got), len(values))
        for one in wanted:
            self.assert_same(one, got[one["lead_id"]])

    def in_points(self, value):
        """An Avro record as its JSON would tell it: hundredths → points."""
        if isinstance(value, list):
            return [self.in_points(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: Decimal(item) / 100 if key in ("score", "fit", "behaviour", "points") and item is not None
                else self.in_points(item)
                for key, item in value.items()}

    def test_three_framings_from_a_folder_and_json_out(self):
        setup = self.setup()
        folder = self.schemas_folder(setup)
        names = ("Visit", "Click", "FormFill", "Profile")
        for number, name in enumerate(names):
            (folder / f"{70 + number}.avsc").write_text(json.dumps(own_schema(name)))

        def with_id(schema, event):
            return avro.with_id(70 + names.index(schema["name"]), schema, event)

        setup.write_config(schemas={"directory": "schemas"})
        wanted = self.score_and_compare(setup, self.mixed_log([avro.single_object, with_id]))
        self.assertGreater(len(wanted["promotions"]), 0)
        outputs = self.outputs(setup)
        self.assertEqual(len(outputs["dead"]), 0)
        self.compare_promotions(wanted["promotions"],
                                [json.loads(m.value(), parse_float=Decimal) for m in outputs["promotions"]])
        for message in outputs["promotions"] + outputs["stages"]:
            self.assertIn("json", self.header(message, "content-type"))

    def test_avro_out(self):
        setup, log = self.setup(extra={"output": {"format": "avro", "source": "/shop"}}), story()
        self.score_all(setup, log)
        wanted, outputs = expected(AGREEMENT, log.counted(), topic=setup.topics["events"]), self.outputs(setup)
        values = [avro.read_single_object(own_schema("Promotion"), m.value()) for m in outputs["promotions"]]
        self.compare_promotions(wanted["promotions"], [self.in_points(value) for value in values])
        stages = [avro.read_single_object(own_schema("StageChange"), m.value()) for m in outputs["stages"]]
        got = {(value["lead_id"], value["stage"]): self.in_points(value) for value in stages}
        self.assertEqual(len(got), len(stages))
        self.assertEqual(len(got), len(wanted["stages"]))
        for one in wanted["stages"]:
            self.assert_same(one, got[one["lead_id"], one["stage"]])
        for message in outputs["promotions"]:
            self.assertIn("avro", self.header(message, "content-type"))
            self.assertEqual(self.header(message, "ce_source"), "/shop")
            self.assertEqual(self.header(message, "ce_subject"), message.key().decode())

    def test_a_registry_in_and_out(self):
        registry = Registry()
        self.addCleanup(registry.close)
        for number, name in enumerate(("Visit", "Click", "FormFill", "Profile")):
            registry.schemas[70 + number] = own_schema(name)
        setup = self.setup(extra={"output": {"format": "registry"}, "schemas": {"registry": registry.url}})
        ids = {schema["name"]: number for number, schema in registry.schemas.items()}
        log = self.mixed_log([lambda schema, event: avro.with_id(ids[schema["name"]], schema, event)])
        registry.away = True                         # it waits for it at the start
        process = setup.start()
        time.sleep(1)
        registry.away = False
        process.wait_for_line("live at offset")
        self.assertEqual(process.stop(), 0, process.log())
        wanted, outputs = self.score_and_compare(setup, log), self.outputs(setup)
        subject = f"{setup.topics['promotions']}-value"
        self.assertIn(subject, registry.subjects)
        values = []
        for message in outputs["promotions"]:
            number, value = avro.read_with_id(own_schema("Promotion"), message.value())
            self.assertEqual(number, registry.subjects[subject][-1])
            values.append(self.in_points(value))
        self.compare_promotions(wanted["promotions"], values)

    def test_a_tracking_topic_of_one_record_type_works_by_mapping(self):
        setup = self.setup(extra={"input": TRACKING_INPUT})
        (self.schemas_folder(setup) / "tracking.avsc").write_text(json.dumps(TRACKING))
        setup.write_config(schemas={"directory": "schemas"})
        log = Log()
        for n in range(8):
            lead = f"lead-{n}"
            for turn, kind in enumerate(("visit", "click", "form_submit", "visit")):
                micros = (NOON - DAY + turn * 1000) * 1000
                sent = {"type": kind, "event_id": f"{lead}-{turn}", "lead_id": lead, "ts": micros,
                        "extra": [{"a": 1.5, "b": None}], "url": "https://example.com/pricing", "campaign": "spring",
                        "session_id": "s1", "user_agent": "Mozilla", "referrer": ""}
                counted = {**sent, "kind": {"form_submit": "form_fill"}.get(kind, kind), "time": micros // 1000,
                           "session": "s1"}
                log.add(lead, avro.single_object(TRACKING, sent), counted)
        self.score_and_compare(setup, log)

    def test_the_lead_id_can_come_from_the_key(self):
        setup, log = self.setup(extra={"input": {"lead_id": "key"}}), Log()
        for n in range(8):
            value = {"kind": "visit", "event_id": f"e{n}", "time": NOON - DAY, "page": "/pricing"}
            log.add(f"lead-{n}", json.dumps(value).encode())
        log.add("lead-1", json.dumps({"kind": "visit", "event_id": "x", "time": NOON - DAY}).encode(), key=b"")
        wanted = self.score_and_compare(setup, log, Options(lead_id="key"))
        dead = self.outputs(setup)["dead"]
        self.assertEqual([self.header(message, "baton_reason") for message in dead], [r for _, _, r in wanted["dead"]])

    def test_a_schema_that_nobody_knows(self):
        """Dead letters after the wait, for good; until it is registered and an operator lifts the verdict."""
        setup = self.setup(extra={"schemas": {"directory": "schemas", "unknown_wait": "1s"}})
        folder, log = self.schemas_folder(setup), Log()

        def frame(schema, event):
            return avro.with_id(77, schema, event)

        for number in range(3):
            self.add_avro(log, "lead-1", "visit", frame, number, page="/pricing")
        log.records = [(sent, sent._replace(value=Rejected("unknown_schema"))) for sent, _ in log.records]
        log.event("lead-1", "visit", "json", 1, page="/pricing")
        self.score_all(setup, log)
        dead = self.outputs(setup)["dead"]
        self.assertEqual({self.header(message, "baton_reason") for message in dead}, {"unknown_schema"})
        self.assertEqual(sorted(m.value() for m in dead), sorted(sent.value for sent, _ in log.records[:3]))
        (folder / "77.avsc").write_text(json.dumps(own_schema("Visit")))
        self.add_avro(log, "lead-1", "visit", frame, "still", page="/pricing")
        log.records[-1] = (log.records[-1][0], log.records[-1][0]._replace(value=Rejected("unknown_schema")))
        more = Log()
        more.next, more.records = log.next, log.records[-1:]
        self.score_all(setup, more)
        done = setup.run("accept", "--unit", "1", "--schema", "77")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.add_avro(log, "lead-1", "visit", frame, "now", page="/pricing")
        more.next, more.records = log.next, log.records[-1:]
        self.score_all(setup, more)
        wanted = expected(AGREEMENT, log.counted())["leads"]["lead-1"]
        self.assertEqual(wanted["events"], 2)
        got = json.loads(setup.run("show", "lead-1", "--json", "--at", "newest").stdout, parse_float=Decimal)
        self.assert_same({key: wanted[key] for key in ("score", "events", "rules")}, got)
        self.assertEqual(len(self.outputs(setup)["dead"]), 4)


def run_class(name):
    """(result, what it printed); the classes share nothing but the servers."""
    out = io.StringIO()
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{text}*" for text in sys.argv[1:]] or None
    suite = loader.loadTestsFromTestCase(name)
    return unittest.TextTestRunner(out, verbosity=2).run(suite) if suite.countTestCases() else None, out.getvalue()


def main():
    global WORLD
    WORLD = World()
    passed = failed = 0
    with ThreadPoolExecutor(3) as pool:
        for result, text in pool.map(run_class, (Away, Formats, Topics, Operators, OnData, Processes, RedisSettings,
                                                 CommandLine)):
            if result:
                print(text, flush=True)
                bad = len(result.failures) + len(result.errors)
                passed, failed = passed + result.testsRun - bad, failed + bad
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
