#!/usr/bin/python3
"""A folder of agreements, and agreements that change under a running process: a real broker, a real Redis. Last line:
`N passed, N failed`."""

import json
import signal
import sys
import time
import unittest

import test_tools
from confluent_kafka import KafkaException
from world import Setup, World, wait_for

WORLD = None
DAY = 86400


def day(seconds):
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def text(version, points, effective=None):
    head = f"agreement: turns\nversion: {version}\n" + (f"effective: {effective}\n" if effective else "")
    return head + (f"behaviour: [{{id: visit, event: visit, points: {points}}}]\n"
                   "gates: {mql: {score: 20}, sql: {score: 40}}\n")


class Versions(unittest.TestCase):
    maxDiff = 4000

    def begin(self, files, path="versions"):
        self.setup = Setup(WORLD, text(1, 1), 2)
        self.addCleanup(self.setup.stop_all)
        self.redis = WORLD.redis()
        self.addCleanup(self.redis.close)
        self.folder = self.setup.folder / "versions"
        self.folder.mkdir()
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self.setup.write_config(agreement=path, input={"max_ahead": "2d"})
        self.sent = 0

    def send(self, lead, seconds, partition=0):
        self.sent += 1
        value = {"kind": "visit", "event_id": f"e{self.sent}", "lead_id": lead, "time": int(seconds * 1000), "page": "/"}
        producer = WORLD.producer()
        producer.produce(self.setup.topics["events"], json.dumps(value).encode(), lead.encode(), partition)
        self.assertEqual(producer.flush(30), 0)

    def agreement(self, partition=0):
        return (self.redis.call("HGET", f"{self.setup.name}:{{{partition}}}:unit", "agreement") or b"").decode()

    def wait_folded(self):
        def look():
            try:
                return self.setup.positions(self.redis) == self.setup.ends()
            except KafkaException:      # a new topic has no leader yet
                return False

        wait_for("all events in Redis", 60, look)

    def hash(self, name):
        done = self.setup.run("check", str(self.folder / name), "--json")
        return json.loads(done.stdout)["hash"]

    def wait_under(self, name, partition=0):
        wanted = self.hash(name)
        wait_for(f"unit {partition} under {name}", 60, lambda: self.agreement(partition) == wanted)

    def promotions(self):
        messages = WORLD.read([self.setup.topics["promotions"]])
        return {message.key().decode(): json.loads(message.value())["agreement_version"] for message in messages}

    def test_a_unit_goes_over_at_the_first_event_of_the_day(self):
        now = time.time()
        self.begin({"one.yaml": text(1, 20, "2025-01-01"), "two.yaml": text(2, 30, day(now + DAY))})
        process = self.setup.start()
        for _ in range(2):
            self.send("before", now)
        self.wait_folded()
        self.wait_under("one.yaml")
        for _ in range(2):
            self.send("behind", now + DAY)
        self.wait_folded()
        self.wait_under("two.yaml")
        self.assertIn("under agreement turns version 2", process.log())
        self.assertEqual(self.promotions(), {"before": 1, "behind": 2})
        process.kill()
        again = self.setup.start("b")
        self.send("behind", now + DAY)
        self.wait_folded()
        self.assertEqual(self.promotions(), {"before": 1, "behind": 2})
        self.assertEqual(again.stop(), 0, again.log())
        self.assertEqual(self.agreement(), self.hash("two.yaml"))

    def test_a_unit_that_hears_nothing_goes_over_all_the_same(self):
        now = time.time()
        self.begin({"one.yaml": text(1, 20, "2025-01-01"), "two.yaml": text(2, 30, day(now))})
        process = self.setup.start()
        self.wait_under("two.yaml", 1)      # it began before this day, by the events that it has seen: none
        self.assertEqual(process.stop(), 0, process.log())

    def test_a_folder_that_is_watched(self):
        now = time.time()
        self.begin({"one.yaml": text(1, 20, "2025-01-01")})
        process = self.setup.start()
        self.send("a", now)
        self.wait_folded()
        (self.folder / "two.yaml").write_text(text(1, 30, day(now)))
        process.wait_for_line("is not taken over")      # the same version number
        self.assertIn("version 1 is", process.log())
        self.assertIn("until this is mended (the folder is watched)", process.log())
        (self.folder / "two.yaml").write_text(text(2, 30, day(now)))
        process.wait_for_line("read anew: 2 versions, in force now is turns version 2")
        wait_for("a turn without an event", 30, lambda: "under agreement turns version 2" in process.log())
        self.send("a", now)
        self.wait_under("two.yaml")
        self.wait_folded()
        self.assertEqual(self.promotions(), {"a": 2})
        self.assertEqual(process.stop(), 0, process.log())

    def test_a_hang_up_reads_a_file_anew(self):
        self.begin({"agreement.yaml": text(1, 20)}, "versions/agreement.yaml")
        process = self.setup.start()
        self.send("a", time.time())
        self.wait_folded()
        first = self.hash("agreement.yaml")
        (self.folder / "agreement.yaml").write_text("agreement: [broken")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for_line("is not taken over")
        self.assertEqual(self.agreement(), first)
        (self.folder / "agreement.yaml").write_text(text(2, 40))
        process.process.send_signal(signal.SIGHUP)
        process.wait_for_line("in force now is turns version 2")
        self.wait_under("agreement.yaml")
        wait_for("a sweep finds the lead", 60, lambda: self.promotions() == {"a": 2})
        self.assertEqual(process.stop(), 0, process.log())

    def test_a_configuration_that_names_another_agreement_takes_a_restart(self):
        self.begin({"agreement.yaml": text(1, 20)}, "versions/agreement.yaml")
        process = self.setup.start()
        process.wait_for_line("unit=1 live at offset")
        self.setup.write_config(agreement="versions")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for_line("the configuration is read at the start only")
        self.assertIn("/versions now, and said ", process.log())
        (self.folder / "agreement.yaml").write_text("agreement: [broken")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for_line("until this is mended and read anew (SIGHUP)")
        self.assertEqual(process.stop(), 0, process.log())

    def shadow_rows(self):
        now = time.time()
        done = self.setup.run("report", "--period", f"{day(now - 2 * DAY)}..{day(now + DAY)}", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["tables"].get("shadow", [])
        return {row["group"]: row["leads"] for row in rows}

    def test_a_shadow_goes_on_beside_the_next_version(self):
        """Its rule was the first version's, too; beside the second one it is its own, and beside the third it rests."""
        plan = "fit: [{id: plan, where: {properties.plan: gold}, points: 1}]\n"
        pact = "sales: {first_contact: {within: 4h, owner: Ana}}\n"
        self.begin({"agreement.yaml": text(1, 20) + plan + pact}, "versions/agreement.yaml")
        (self.setup.folder / "next.yaml").write_text(text(9, 15) + plan)
        self.setup.write_config(shadow="next.yaml")
        process = self.setup.start()
        self.send("a", time.time())
        self.wait_folded()
        for version, more in ((2, plan), (3, "")):
            (self.folder / "agreement.yaml").write_text(text(version, 1).replace("id: visit", "id: look") + more + pact)
            process.process.send_signal(signal.SIGHUP)
            process.wait_for_line(f"in force now is turns version {version}")
            turns = f"on under agreement turns version {version} "
            wait_for("a turn of both units", 30, lambda turns=turns: process.log().count(turns) == 2)
            for lead in ("a", "a", f"b{version}", f"b{version}", f"b{version}"):
                self.send(lead, time.time())
            self.wait_folded()
        self.assertIn("will rest while version 3 is in force: the shadow looks at properties.plan", process.log())
        self.assertEqual(process.stop(), 0, process.log())
        self.assertEqual(self.shadow_rows().get("shadow only"), 2, "a and b2")

    def sign(self, name):
        for side in ("sales", "marketing"):
            done = self.setup.run("sign", "--as", side, "--by", "Ana", str(self.folder / name))
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_only_what_is_signed_comes_into_force(self):
        self.begin({"agreement.yaml": text(1, 20)}, "versions/agreement.yaml")
        self.setup.run_words = []
        self.sign("agreement.yaml")
        process = self.setup.start()
        process.wait_for_line("unit=1 live at offset")
        (self.folder / "agreement.yaml").write_text(text(2, 40))
        process.process.send_signal(signal.SIGHUP)
        process.wait_for_line("is not taken over")
        self.assertIn("sales has not signed it; to sign: baton sign --as sales", process.log())
        self.sign("agreement.yaml")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for_line("in force now is turns version 2")
        self.assertEqual(process.stop(), 0, process.log())

    def test_check_looks_at_a_folder(self):
        self.begin({"one.yaml": text(1, 20, "2025-01-01"), "two.yaml": text(2, 30, "2025-02-01")})
        done = self.setup.run("check")
        self.assertEqual((done.returncode, "Agreement turns, version 2." in done.stdout), (0, True), done.stderr)
        (self.folder / "two.yaml").write_text(text(3, 30))
        done = self.setup.run("check")
        self.assertEqual(done.returncode, 3)
        self.assertIn("two.yaml: error: `effective` is missing", done.stderr)
        done = self.setup.run("sign", "--as", "sales", "--by", "Ana")
        self.assertEqual((done.returncode, "is a folder of versions" in done.stderr), (2, True), done.stderr)


if __name__ == "__main__":
    WORLD = World()
    sys.exit(test_tools.run(sys.modules[__name__]))
