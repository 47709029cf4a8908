#!/usr/bin/python3
"""The verbs of the program, from outside, on a real broker and a real Redis."""

import json
import re
import subprocess
import sys
import time
import zlib
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: E402

import world as worlds  # noqa: E402

PARTITIONS = 5
TIME = 1793620000000
AGREEMENT = """
agreement: verbs
version: 2
behaviour:
  - {id: pricing, event: visit, where: {page: /pricing}, points: 10, half_life: 1d}
  - {id: demo, event: form_fill, where: {form: demo}, points: 40, at_most: {times: 2, per: ever}}
fit:
  - {id: boss, where: {job_title: {contains: boss}}, points: 20}
gates:
  mql: {score: 40}
  sql: {score: 60}
"""
PROMISES = AGREEMENT.replace("version: 2", "version: 2\nzone: America/Sao_Paulo") + """
sales:
  first_contact: {within: 4h, remind: 1h, owner: Ana, escalate_to: Rui}
  verdict: {within: 3d, owner: Bia}
  next_update: {within: 10d}
"""
HOUR = 3600000
SCHEMA = {"type": "record", "name": "Visit", "fields": [
    {"name": "event_id", "type": "string"}, {"name": "lead_id", "type": "string"},
    {"name": "time", "type": "long"}, {"name": "page", "type": "string"}]}


def text(value):
    return bytes([2 * len(value)]) + value.encode()


def zigzag(number):
    number, out = number << 1, bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def avro_visit(schema_id, event_id, lead_id):
    return b"\0" + schema_id.to_bytes(4, "big") + text(event_id) + text(lead_id) + zigzag(TIME) + text("/pricing")


def visit(event_id, lead_id, time=TIME, page="/pricing"):
    return json.dumps({"kind": "visit", "event_id": event_id, "lead_id": lead_id, "time": time, "page": page})


def since(before, after):
    """Milliseconds between two times as they are printed."""
    return (datetime.fromisoformat(after) - datetime.fromisoformat(before)) // timedelta(milliseconds=1)


class Verbs:
    def __init__(self):
        self.world = worlds.World()
        self.redis = self.world.redis()
        self.failed, self.passed = 0, 0

    def check(self, name, good, detail=""):
        self.passed += bool(good)
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}{'' if good else ': ' + str(detail)[:2000]}", flush=True)

    def setup(self, **extra):
        return worlds.Setup(self.world, AGREEMENT, PARTITIONS, **extra)

    def send(self, setup, lead_id, value, partitioner="consistent_random", partition=None, time_ms=TIME):
        producer = Producer({"bootstrap.servers": self.world.kafka, "partitioner": partitioner, "enable.idempotence": True,
                             "log_level": 0})
        where = {} if partition is None else {"partition": partition}
        got = []
        producer.produce(setup.topics["events"], value, lead_id.encode(), timestamp=time_ms,
                         callback=lambda error, message: got.append(message), **where)
        producer.flush(20)
        return got[0].partition(), got[0].offset()

    def ends(self, setup, ends):
        return [ends.get(p, 0) for p in range(PARTITIONS)]

    # --- without servers ----------------------------------------------------------------------------------------------

    def bare(self, *words):
        return subprocess.run([worlds.BATON, *words], capture_output=True, encoding="utf-8", timeout=30, check=False)

    def command_line(self):
        done = self.bare("help")
        self.check("help lists the verbs", done.returncode == 0 and "promotions" in done.stdout, done)
        for verb in ("run", "topics", "status", "check", "show", "top", "try", "config", "accept", "help", "version"):
            done = self.bare("help", verb)
            self.check(f"help {verb}", done.returncode == 0 and f"baton {verb}" in done.stdout and "--config" in done.stdout,
                       done)
        done = self.bare("--version")
        self.check("--version tells the libraries", all(name in done.stdout for name in
                   ("librdkafka", "hiredis", "libavro", "libfyaml", "utf8proc", "jansson", "libcurl"))
                   and "not loaded" not in done.stdout, done)
        done = self.bare("statsu")
        self.check("an unknown verb gets a suggestion", done.returncode == 2 and "status?" in done.stderr, done)
        done = self.bare("top", "--numbr", "3")
        self.check("an unknown option gets a suggestion", done.returncode == 2 and "--number?" in done.stderr, done)
        for words in (["show"], ["top", "-n", "x"], ["top", "-n"], ["accept"], ["help", "nothing"], ["check", "a", "b"]):
            done = self.bare(*words)
            self.check(f"wrong usage: {words}", done.returncode == 2 and done.stderr.count("\n") == 1, done)
        done = self.bare("status", "-c", "/nowhere/baton.yaml")
        self.check("a configuration that is not there", done.returncode == 3 and "/nowhere" in done.stderr, done)
        done = self.bare("config")
        self.check("config prints every parameter", done.returncode == 0 and "redis.url" in done.stdout
                   and "checkpoint.interval" in done.stdout, done)
        self.check("config --json is JSON", len(json.loads(self.bare("config", "--json").stdout)) > 30)

    def servers_away(self):
        setup = self.setup(redis_url="unix:///nowhere/redis.sock", topics=False)
        setup.write_config(kafka={**setup.config["kafka"], "brokers": "127.0.0.1:1"})
        for words in (["status"], ["top"], ["show", "x"], ["topics"]):
            done = setup.run(*words)
            self.check(f"{words[0]} with servers away ends with 1", done.returncode == 1 and done.stderr, done)

    def agreements(self):
        setup = self.setup(topics=False)
        done = setup.run("check")
        self.check("check without a file takes the configured one", done.returncode == 0 and done.stdout, done)
        setup.write_agreement(AGREEMENT.replace("points: 40", "ponits: 40"))
        done = setup.run("check")
        self.check("check tells place and suggestion", done.returncode == 3 and ":6:" in done.stderr
                   and "points" in done.stderr, done)
        done = setup.run("check", "--json")
        self.check("check --json", done.returncode == 3 and json.loads(done.stdout)["messages"], done)
        done = setup.run("show", "x")
        self.check("a bad agreement is 3 everywhere", done.returncode == 3, done)

    # --- with servers -------------------------------------------------------------------------------------------------

    def topics(self):
        setup = self.setup(topics=False)
        done = setup.run("topics")
        self.check("missing topics are told with the command", done.returncode == 1 and "--create" in done.stderr, done)
        done = setup.run("topics", "--create")
        self.check("topics are made", done.returncode == 0 and done.stdout.count("made just now") == 5, done)
        found = json.loads(setup.run("topics", "--json").stdout)
        self.check("topics are there", [t["partitions"] for t in found] == [PARTITIONS] * 5 and
                   found[0]["retention_ms"] == 30 * 86400000, found)

    def leads(self):
        setup = self.setup()
        ends, placed = {}, {}
        odd = "weird {3} *?[x] \u00e9"
        for number, (lead, partitioner) in enumerate([("anna", "consistent_random"), ("bob", "murmur2_random"),
                                                      ("carl", "fnv1a_random"), (odd, "murmur2_random"),
                                                      ("a-little-bit-long-string", "murmur2_random")]):
            for event in (visit(f"e{number}", lead), json.dumps(
                    {"kind": "form_fill", "event_id": f"f{number}", "lead_id": lead, "time": TIME + number, "form": "demo",
                     "fields": {"job_title": "boss", "name": "A\tb"}})):
                partition, offset = self.send(setup, lead, event, partitioner)
                ends[partition], placed[lead] = offset + 1, partition
        done = setup.run("status", "--json")
        before = json.loads(done.stdout)
        self.check("status before the first start", done.returncode == 0 and before["lag"] == 10
                   and before["units"][0]["position"] is None, done)
        baton = setup.start()
        setup.wait_until_done(self.redis, self.ends(setup, ends))
        for lead, partition in placed.items():
            done = setup.run("show", "--json", "--at", "newest", "--", lead)
            found = json.loads(done.stdout) if done.returncode == 0 else {}
            self.check(f"show finds {lead!r}", found.get("unit") == partition and found["lead_id"] == lead
                       and found["stage"] == "sql" and found["fit"] == 20 and found["events"] == 2
                       and found["rules"]["demo"] == 40 and found["stored_score"] == found["score"], done)
        done = setup.run("show", "anna")
        self.check("show for a person", done.returncode == 0 and "demo 40" in done.stdout
                   and "A?b" in done.stdout, done)
        day = json.loads(setup.run("show", "anna", "--json", "--at", str(TIME + 86400000)).stdout)
        self.check("half-lives run on", day["rules"]["pricing"] == 5 and day["score"] == 65, day)
        same = json.loads(setup.run("show", "anna", "--json", "--at", "2026-11-03T11:46:40Z").stdout)
        self.check("--at takes RFC 3339", same["rules"]["pricing"] == 5, same)
        self.partitioners(setup, placed)
        done = setup.run("show", "nobody")
        self.check("nobody is not found", done.returncode == 1 and done.stderr.count("\n") == 1, done)
        top = [json.loads(line) for line in setup.run("top", "-n", "3", "--json").stdout.splitlines()]
        self.check("top", len(top) == 3 and [lead["score"] for lead in top] == [70, 69.99, 69.99]
                   and [lead["lead_id"] for lead in top] == ["anna", "a-little-bit-long-string", "bob"], top)
        self.check("top of a stage", setup.run("top", "--stage", "mql").stdout == "no leads\n")
        found = json.loads(setup.run("status", "--json").stdout)
        self.check("status while it runs", found["lag"] == 0 and found["events"] == 10 and found["promotions"] == 5
                   and all(unit["member"] for unit in found["units"]), found)
        self.check("status for a person", "held by" in setup.run("status").stdout)
        self.check("a clean stop", baton.stop() == 0, baton.tail())

    def promises(self):
        """What sales owes on a lead, and what came of it."""
        setup = worlds.Setup(self.world, PROMISES, PARTITIONS, extra={"input": {"max_ahead": "1d"}})
        baton = setup.start()
        for lead in ("anna", "bob", "carl"):
            self.tell(setup, lead, "form_fill", form="demo", fields={"job_title": "boss"})
        setup.wait_until_quiet(self.redis)
        self.tell(setup, "bob", "feedback", report="contacted", seller="Eva")
        self.tell(setup, "bob", "feedback", report="negotiating")
        self.tell(setup, "carl", "feedback", report="meeting", time=int(time.time() * 1000) + 5 * HOUR)   # a clock that is ahead
        setup.wait_until_quiet(self.redis)
        self.check("what sales owes: a clean stop", baton.stop() == 0, baton.tail())
        told = {lead: {clock["promise"]: clock for clock in json.loads(setup.run("show", lead, "--json").stdout)["clocks"]}
                for lead in ("anna", "bob", "carl")}
        anna = told["anna"]["first_contact"]
        self.check("a clock that runs, and when it is due", set(told["anna"]) == {"first_contact", "verdict"}
                   and (anna["state"], anna["told"], anna["met"], anna["report"]) == ("running", None, None, None)
                   and since(anna["started"], anna["due"]) == 4 * HOUR and since(anna["reminder"], anna["due"]) == HOUR
                   and (anna["owner"], anna["escalate_to"]) == ("Ana", "Rui"), anna)
        self.check("it is due in the agreement's zone", anna["due_local"].endswith("-03:00")
                   and since(anna["due"], anna["due_local"]) == 0, anna)
        bob = told["bob"]
        self.check("clocks that were kept name what met them",
                   [(bob[p]["state"], bob[p]["report"]) for p in bob]
                   == [("kept", "contacted"), ("kept", "negotiating"), ("running", None)]
                   and since(bob["next_update"]["started"], bob["verdict"]["met"]) == 0, bob)
        carl = told["carl"]["first_contact"]
        self.check("a clock that was met too late", (carl["state"], carl["told"], carl["report"]) == ("late", "broken", "meeting")
                   and since(carl["due"], carl["met"]) > 0, carl)
        lines = setup.run("tail", "--breaches", "--lead", "carl", "--end").stdout
        self.check("a breach for a person", re.search(r"(?m)^.{19}  breach        carl  first contact was due .{19} UTC  .*owner Ana, "
                   r"escalated to Rui$", lines), lines)
        table = setup.run("show", "bob").stdout
        began = datetime.fromisoformat(told["bob"]["verdict"]["started"].replace("Z", "+00:00")) - timedelta(hours=3)
        self.check("show tells all times in the agreement's zone", re.search(r"^lead +bob   \(unit \d+; times: America/Sao_Paulo\)\n", table)
                   and f", sql since {began:%Y-%m-%d %H:}" in table and f"first_contact kept: began {began:%Y-%m-%d %H:}" in table, table)
        self.check("clocks in the table", re.search(r"(?m)^clocks +first_contact kept: began .+, due .+, met .+ by contacted "
                   r"\(America/Sao_Paulo\); owner Ana; escalated to Rui$", table)
                   and re.search(r"(?m)^ +next_update running: began .+, due .+; owner Bia$", table), table)
        for language, lead, sentence in (
                ("en", "anna", r"^  first contact: runs since (.+), due on (.+); a reminder goes out on .+\. Owner: Ana\. Escalated to: Rui\.$"),
                ("pt", "bob", r"^  veredito: promessa cumprida\. .+ com o relato `negotiating`\. Responsável: Bia\.$"),
                ("es", "carl", r"^  primer contacto: promesa incumplida\. .+ con el informe `meeting`\. Responsable: Ana\. "
                               r"El caso se eleva a: Rui\.$")):
            text = setup.run("explain", lead, "--lang", language).stdout
            self.check(f"clocks in sentences ({language})", re.search("(?m)" + sentence, text), text)
        found = json.loads(setup.run("explain", "carl", "--json").stdout)["clocks"]
        self.check("explain has the same as data", found == list(told["carl"].values()), found)
        later = json.loads(setup.run("show", "anna", "--json", "--at", str(int(time.time() * 1000) + 5 * HOUR)).stdout)["clocks"]
        self.check("what is due and was not told is overdue", [(c["state"], c["told"]) for c in later]
                   == [("overdue", None), ("running", None)], later)

    def tell(self, setup, lead, kind, **fields):
        now = int(time.time() * 1000)
        event = {"kind": kind, "event_id": f"{lead}-{kind}-{time.time_ns()}", "lead_id": lead, "time": now, **fields}
        self.send(setup, lead, json.dumps(event), time_ms=now)

    def partitioners(self, setup, placed):
        """Of copies in several units, the one is shown where the producer would have put the lead."""
        for lead, without in (("anna", []), ("a-little-bit-long-string", [zlib.crc32(b"a-little-bit-long-string") % PARTITIONS])):
            source = f"{setup.name}:{{{placed[lead]}}}:lead:{lead}"
            copies = [f"{setup.name}:{{{unit}}}:lead:{lead}" for unit in range(PARTITIONS)
                      if unit != placed[lead] and unit not in without]
            self.redis.pipeline([("COPY", source, copy) for copy in copies])
            found = json.loads(setup.run("show", lead, "--json").stdout or "{}")
            self.redis.call("DEL", *copies)
            self.check(f"show looks first where producers put {lead}", found.get("unit") == placed[lead]
                       and placed[lead] not in without, found)

    def stopped(self, setup):
        return [unit["unit"] for unit in json.loads(setup.run("status", "--json").stdout)["units"] if unit["stopped"]]

    def accept_a_difference(self):
        setup = self.setup()
        partition, offset = self.send(setup, "anna", visit("e1", "anna"))
        baton = setup.start()
        setup.wait_until_done(self.redis, self.ends(setup, {partition: offset + 1}))
        baton.stop()
        consumer = Consumer({"bootstrap.servers": self.world.kafka, "group.id": setup.name, "log_level": 0})
        place = TopicPartition(setup.topics["events"], partition, offset + 1)
        self.send(setup, "anna", visit("e2", "anna"), partition=partition)
        consumer.commit(offsets=[place], asynchronous=False)  # metadata is empty: not a commit of baton's
        consumer.close()
        baton = setup.start()
        worlds.wait_for("the unit stops", 20, lambda: self.stopped(setup) == [partition])
        done = setup.run("status")
        self.check("status tells why a unit has stopped", done.returncode == 1 and "STOPPED" in done.stdout
                   and f"accept -c" in done.stdout, done)
        done = setup.run("accept", "--unit", str(PARTITIONS))
        self.check("accept of a unit that does not exist", done.returncode == 1, done)
        done = setup.run("accept", "--unit", str(partition))
        self.check("accept", done.returncode == 0 and str(offset + 1) in done.stdout, done)
        setup.wait_until_done(self.redis, self.ends(setup, {partition: offset + 2}), 20)
        self.check("the unit goes on and is no longer stopped", self.stopped(setup) == [])
        baton.stop()

    # What days that are over came to stands against the goals of a text that nobody has signed yet.
    def goals_and_history(self):
        def promising(sqls, customers):
            return AGREEMENT + ("goals:\n"
                                f"  customers: {{at_least: {customers}, per: day, owner: Ana}}\n"
                                f"  others: [{{id: given, measure: sqls, at_least: {sqls}, per: day, owner: Max}}]\n")

        setup = self.setup()
        setup.write_agreement(promising(2, 1))
        done = setup.run("check")
        self.check("goals without history are no failure", done.returncode == 0 and done.stderr.count("\n") == 1 and "`baton run` refuses it" in done.stderr
                   and done.stdout.count("No history at hand") == 1 and "nothing has been counted yet" in done.stdout, done)
        now = int(time.time() * 1000)
        days = [now - 4 * 86400000] + [now - 3 * 86400000] * 3 + [now - 2 * 86400000] * 2
        producer = self.world.producer()
        for number, when in enumerate(days):
            for of_day in range(2):
                event = {"kind": "form_fill", "event_id": f"h{number}-{of_day}", "lead_id": f"lead-{number}",
                         "time": when + of_day, "form": "demo"}
                producer.produce(setup.topics["events"], json.dumps(event), f"lead-{number}".encode(), timestamp=when)
        producer.flush(30)
        setup.write_agreement(promising(100, 1))
        best = time.strftime("%Y-%m-%d", time.gmtime(days[1] / 1000))     # on the first one counting began
        wanted = f"no day ever had more than 3 sqls ({best}): 100 a day is above the best ever seen"
        baton = setup.start()
        worlds.wait_for("what was counted", 60, lambda: wanted in setup.run("check").stderr)
        done = setup.run("check")
        self.check("a goal above the best day is a warning at its place", done.returncode == 0
                   and f"agreement.yaml:14:49: warning: {wanted}\n" in done.stderr and "history" not in done.stdout, done)
        self.check("and so is one of what never came at all",
                   "13:25: warning: no day ever had more than 0 customers (" in done.stderr, done)
        for language, words in (("pt", "warning: sqls: o máximo já visto por dia foi 3 ("),
                                ("es", "warning: sqls: el máximo visto hasta ahora por día fue 3 (")):
            done = setup.run("check", "--lang", language)
            self.check(f"the same in {language}", done.returncode == 0
                       and words.split(": ", 1)[1] + best + ")" in done.stderr, done)
        found = json.loads(setup.run("check", "--json").stdout)
        self.check("the same for programs", found["ok"] and found["history"] is None and
                   [(f["code"], f["severity"], f.get("line")) for f in found["findings"] if f["code"] != "not_agreed"] ==
                   [("goal_above_best", "warning", 13), ("goal_above_best", "warning", 14)], found)
        (setup.folder / "candidate.yaml").write_text(promising(3, 1), encoding="utf-8")
        done = setup.run("check", str(setup.folder / "candidate.yaml"))
        self.check("a goal as high as the best day is none", "sqls" not in done.stderr and done.returncode == 0, done)
        done = self.bare("check", str(setup.folder / "agreement.yaml"))
        self.check("without a configuration nothing is compared", done.returncode == 0 and not done.stderr
                   and "history" not in done.stdout, done)
        baton.stop()
        setup.write_config(redis={**setup.config["redis"], "url": "unix:///nowhere/redis.sock"})
        done = setup.run("check")
        self.check("Redis that is away is no failure", done.returncode == 0 and done.stderr.count("\n") == 1
                   and done.stdout.count("No history at hand") == 1, done)

    def accept_a_schema(self):
        setup = self.setup(extra={"schemas": {"directory": "schemas", "unknown_wait": "1s"}})
        (setup.folder / "schemas").mkdir()
        partition, _ = self.send(setup, "anna", visit("e1", "anna"))
        _, offset = self.send(setup, "anna", avro_visit(7, "e2", "anna"), partition=partition)
        baton = setup.start()
        setup.wait_until_done(self.redis, self.ends(setup, {partition: offset + 1}))
        (setup.folder / "schemas/7.avsc").write_text(json.dumps(SCHEMA))
        _, offset = self.send(setup, "anna", avro_visit(7, "e3", "anna"), partition=partition)
        setup.wait_until_done(self.redis, self.ends(setup, {partition: offset + 1}))
        found = json.loads(setup.run("status", "--json").stdout)
        self.check("a verdict stands although the schema is there now", found["events"] == 1
                   and found["dead_letters"] == {"unknown_schema": 2}, found)
        baton.stop()
        done = setup.run("accept", "--unit", str(partition), "--schema", "8")
        self.check("no verdict on another schema", done.returncode == 1 and "no verdict" in done.stderr, done)
        done = setup.run("accept", "--unit", str(partition), "--schema", "r7")
        self.check("a verdict is lifted", done.returncode == 0, done)
        baton = setup.start()
        _, offset = self.send(setup, "anna", avro_visit(7, "e4", "anna"), partition=partition)
        setup.wait_until_done(self.redis, self.ends(setup, {partition: offset + 1}))
        found = json.loads(setup.run("status", "--json").stdout)
        self.check("the schema counts from then on", found["events"] == 2
                   and found["dead_letters"] == {"unknown_schema": 2}, found)
        baton.stop()

    def run(self):
        for part in (self.command_line, self.servers_away, self.agreements, self.topics, self.leads, self.promises,
                     self.accept_a_difference, self.accept_a_schema, self.goals_and_history):
            try:
                part()
            except Exception as error:  # noqa: BLE001: the parts do not depend on each other
                self.check(part.__name__, False, f"{type(error).__name__}: {error}")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Verbs().run())
