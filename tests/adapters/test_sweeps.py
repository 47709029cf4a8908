#!/usr/bin/python3
"""Passes over all leads on a real broker and a real Redis, with owners that are killed in the middle."""

import json
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from confluent_kafka import Producer  # noqa: E402

import world as worlds  # noqa: E402

PARTITIONS = 3
LEADS = 6000
TIME = 1793620000000  # days before any present
STRICT = """
agreement: sweeps
version: 1
behaviour:
  - {id: page, event: visit, points: 10}
gates: {mql: {score: 50}, sql: {score: 90}}
"""
EASY = STRICT.replace("50", "5").replace("90", "10")
FORGETFUL = STRICT + "forget: 1d\n"
# A kind that the configuration maps: what baton writes itself is read all the same.
INPUT = {"kind": {"field": "type", "values": {"page_seen": "visit"}}}
SWEEP = {"every": "1h", "share": 50}


class Sweeps:
    def __init__(self):
        self.world = worlds.World()
        self.redis = self.world.redis()
        self.failed, self.passed, self.since = 0, 0, 0

    def check(self, name, good, detail=""):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok' if good else 'FAIL'} {name}{'' if good else f': {detail}'}", flush=True)

    def begin(self):
        """Leads with one visit each, folded and checkpointed under the strict agreement."""
        setup = worlds.Setup(self.world, STRICT, PARTITIONS, extra={"input": INPUT, "sweep": SWEEP})
        ends = [0] * PARTITIONS
        producer = Producer({"bootstrap.servers": self.world.kafka, "enable.idempotence": True, "log_level": 0})
        for lead in range(LEADS):
            value = {"type": "page_seen", "event_id": f"e{lead}", "lead_id": f"lead-{lead}", "time": TIME, "page": "/"}
            producer.produce(setup.topics["events"], json.dumps(value), f"lead-{lead}", lead % PARTITIONS,
                             timestamp=TIME)
            ends[lead % PARTITIONS] += 1
            producer.poll(0)
        producer.flush(30)
        baton = setup.start()
        setup.wait_until_done(self.redis, ends)
        baton.stop()
        return setup

    def sweeps(self, setup):
        return [unit["sweep"] for unit in json.loads(setup.run("status", "--json").stdout)["units"]]

    def agree(self, setup, text):
        setup.write_agreement(text)
        self.since = time.time() * 1000

    def through(self, setup, version):
        """A pass that was begun since the agreement has ended in every unit, and its rechecks are folded."""
        def look():
            units = json.loads(setup.run("status", "--json").stdout)["units"]
            return all(unit["sweep"] and not unit["sweep"]["running"] and unit["sweep"]["begun_ms"] >= self.since
                       and unit["lag"] == 0 for unit in units)
        worlds.wait_for(f"the passes under {version} to end", 60, look)

    def leads(self, setup):
        return len([key for key in self.redis.scan(f"{setup.name}:*:lead:*")])

    def gates_open(self, setup):
        self.agree(setup, EASY)
        for _ in range(8):  # killed anywhere in the pass
            baton = setup.start()
            baton.wait_for_line("live at offset", 40)
            time.sleep(random.uniform(0, 0.4))
            baton.kill()
        baton = setup.start()
        self.through(setup, "the easy agreement")
        self.check("a clean stop", baton.stop() == 0, baton.tail())
        found = [message.key().decode() for message in self.world.read([setup.topics["promotions"]])]
        self.check("every lead is promoted without an event of it, once", len(found) == LEADS
                   and len(set(found)) == LEADS, f"{len(found)} promotions of {len(set(found))} leads")
        dead = self.world.read([setup.topics["dead"]])
        self.check("no recheck is a dead letter", not dead, dead[:1] and dead[0].headers())
        rechecks = [message for message in self.world.read([setup.topics["events"]]) if message.headers()]
        self.check("rechecks lie in the partition of their unit", len(rechecks) >= LEADS and all(
            int(message.key().decode()[5:]) % PARTITIONS == message.partition() for message in rechecks), len(rechecks))
        self.check("what was written twice is little", len(rechecks) < 2 * LEADS, len(rechecks))

    def nobody_with_sales_is_forgotten(self, setup):
        self.agree(setup, FORGETFUL.replace("version: 1", "version: 3"))
        baton = setup.start()
        self.through(setup, "the forgetful agreement")
        baton.stop()
        self.check("who is with sales is not forgotten", self.leads(setup) == LEADS, self.leads(setup))
        self.check("status tells of the pass", sum(sweep["leads"] for sweep in self.sweeps(setup)) >= LEADS
                   and sum(sweep["rechecks"] for sweep in self.sweeps(setup)) == 0, self.sweeps(setup))

    def who_was_not_seen_is_forgotten(self):
        setup = self.begin()
        self.agree(setup, FORGETFUL)
        for _ in range(4):
            baton = setup.start()
            baton.wait_for_line("live at offset", 40)
            time.sleep(random.uniform(0, 1))
            baton.kill()
        baton = setup.start()
        self.through(setup, "the forgetful agreement")
        worlds.wait_for("most keys to be gone", 30, lambda: self.leads(setup) < LEADS // 2)
        setup.write_config(sweep={"every": "1m", "share": 50})
        baton.stop()
        left = self.leads(setup)
        self.agree(setup, FORGETFUL.replace("version: 1", "version: 4"))
        baton = setup.start()  # what a killed owner has left empty goes with the next pass
        self.through(setup, "the next one")
        worlds.wait_for(f"the keys to be gone, {left} were left", 30, lambda: self.leads(setup) == 0)
        self.check("who was not seen for so long has left Redis", True)
        self.check("nothing is told of them", not self.world.read([setup.topics["stages"]]))
        baton.stop()

    def run(self):
        try:
            setup = self.begin()
            self.gates_open(setup)
            self.nobody_with_sales_is_forgotten(setup)
            self.who_was_not_seen_is_forgotten()
        except Exception as error:  # noqa: BLE001
            self.check("the test itself", False, f"{type(error).__name__}: {error}")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Sweeps().run())
