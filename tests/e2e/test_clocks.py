#!/usr/bin/env python3
"""Promises of sales on a real broker and a real Redis, while baton is killed again and again and hours are jumped.

Leads are promoted in some waves; sales answers some of them in time, some too late, some never, and some of what it
answered in time arrives behind the breach. Then the wall clock goes on by hours (BATON_CLOCK_FILE) while owners die.
In the end each broken promise was told once, and nothing else. Last line: `N passed, N failed`.

    test_clocks.py [--leads 60] [--kills 12] [--keep FOLDER]
"""
import argparse
import json
import random
import shutil
import time
import traceback
from collections import Counter

from world import CRASH, Failed, Setup, World, wait_for

PARTITIONS = 4
HOUR = 3600 * 1000
AGREEMENT = """\
agreement: promises
version: 1
behaviour:
  - {id: form, event: form_fill, points: 20, at_most: {times: 1, per: ever}}
gates: {mql: {score: 10}, sql: {score: 20}}
sales:
  hours: {days: mon-sun, from: 00:00, to: 24:00}
  first_contact: {within: 4 working hours, remind: 1 working hour, owner: Head of Sales, escalate_to: Board}
  verdict: {within: 30h}
"""
CRASHES = ["checkpoint_clocks", "checkpoint_leads_all", "sink_before_commit", "sink_committed", "commit_confirmed",
           "checkpoint_position", "replay_done", "checkpoint_aggregates"]


class Test:
    def __init__(self, world, seed):
        self.random = random.Random(seed)
        self.setup = Setup(world, AGREEMENT, PARTITIONS)
        self.clock = self.setup.folder / "clock"
        self.ahead = 0
        self.jump(0)
        self.producer = world.producer()
        self.number = 0

    def jump(self, hours):
        self.ahead += int(hours * HOUR)
        new = self.clock.with_suffix(".new")
        new.write_text(str(self.ahead))
        new.rename(self.clock)

    def now(self):
        return int(time.time() * 1000) + self.ahead

    def send(self, lead, kind, **more):
        self.number += 1
        event = {"kind": kind, "event_id": f"e{self.number}", "lead_id": lead, "time": self.now(), **more}
        self.producer.produce(self.setup.topics["events"], json.dumps(event).encode(), lead.encode(), timestamp=self.now())
        self.producer.poll(0)

    def start(self, **environment):
        return self.setup.start("a", binary=CRASH, BATON_CLOCK_FILE=str(self.clock), **environment)

    def read(self, topic):
        """Committed records of a topic: (ce_id, record)."""
        messages = self.setup.world.read([self.setup.topics[topic]])
        return [(dict(message.headers())["ce_id"].decode(), json.loads(message.value())) for message in messages]

    def told(self):
        return Counter(id for id, _ in self.read("breaches"))

    def wait_for_promotions(self, leads):
        wait_for(f"{leads} promotions", 120, lambda: len(self.read("promotions")) >= leads)

    def storm(self, kills, seconds):
        """Owners that die, by kill -9 or at some point of their work; the last one lives."""
        for _ in range(kills):
            point = self.random.choice([None, *CRASHES])
            process = self.start(**({"BATON_CRASH_AT": f"{point}:{self.random.randint(1, 3)}"} if point else {}))
            process.asked = True
            end = time.monotonic() + self.random.uniform(0.5, seconds)
            while time.monotonic() < end and process.process.poll() is None:
                time.sleep(0.02)
            process.kill()
        return self.start()


def lives_of(leads, rng):
    """What sales does with each: answers in hours after the promotion, or never; and when the answer arrives."""
    lives = {}
    for n in range(leads):
        kind = ["never", "in_time", "late", "in_time_told_late"][n % 4]
        lives[f"lead-{rng.randrange(10 ** 9)}-{n}"] = kind
    return lives


def run(world, arguments):
    test = Test(world, 7)
    lives = lives_of(arguments.leads, test.random)
    process = test.start()
    for lead in lives:
        test.send(lead, "form_fill", form="demo")
    test.producer.flush(30)
    test.wait_for_promotions(len(lives))
    process.wait_for_line("live at", 60)
    time.sleep(1)
    process.kill()

    test.jump(2)                                        # answers in time, and told in time
    for lead, kind in lives.items():
        if kind == "in_time":
            test.send(lead, "feedback", report="contacted", seller="Ana")
    in_time = test.now()
    test.producer.flush(30)
    test.storm(arguments.kills // 3, 3).kill()

    test.jump(1.5)                                      # reminders are due, breaches are not
    last = test.storm(arguments.kills // 3, 3)
    owed = [lead for lead, kind in lives.items() if kind != "in_time"]
    wait_for("reminders", 60, lambda: len(test.told()) >= len(owed))
    if test.told() != Counter(f"{lead}/1/first_contact/reminder" for lead in owed):
        raise Failed(f"after 3.5 hours: {test.told()}")
    yield "who is owed a contact is reminded of, once"
    last.kill()

    test.jump(2)                                        # due while nobody runs
    last = test.storm(arguments.kills // 3, 3)
    broken = Counter(f"{lead}/1/first_contact/reminder" for lead in owed) + Counter(f"{lead}/1/first_contact" for lead in owed)
    wait_for("breaches", 60, lambda: len(test.told()) >= len(broken))
    for lead, kind in lives.items():
        if kind == "late":
            test.send(lead, "feedback", report="contacted", seller="Bruno")
        if kind == "in_time_told_late":
            test.send(lead, "feedback", report="contacted", seller="Carla", at=in_time)
    test.producer.flush(30)
    kept = Counter(f"{lead}/1/first_contact/kept" for lead, kind in lives.items() if kind == "in_time_told_late")
    wait_for("corrections", 60, lambda: len(test.told()) >= len(broken + kept))
    if test.told() != broken + kept:
        raise Failed(f"not told: {broken + kept - test.told()}\ntold beside: {test.told() - broken - kept}")
    yield "a contact that is late is told once, and one that was in time after all is a correction"
    last.kill()

    test.jump(30)                                       # nobody gave a verdict
    last = test.storm(arguments.kills // 3, 3)
    expected = broken + kept + Counter(f"{lead}/1/verdict" for lead in lives)
    wait_for("verdicts", 90, lambda: len(test.told()) >= len(expected))
    time.sleep(2)
    told = test.told()
    if told != expected:
        raise Failed(f"not told: {expected - told}\ntold beside: {told - expected}")
    yield "a verdict that is late is told once, whoever died meanwhile"
    check_records(test)
    yield "a breach names its promise, who answers for it and who is to know"
    test.setup.wait_until_quiet(world.redis(), 60)
    check_index(test, world)
    yield "the index in Redis holds nothing of clocks that went off"
    if last.stop() != 0:
        raise Failed(f"no clean stop:\n{last.tail()}")
    yield "the last owner stops clean"


def check_records(test):
    for line in test.read("breaches"):
        record = line[1]
        if record["promise"] != "first_contact" or record["state"] != "broken":
            continue
        for field, wanted in (("owner", "Head of Sales"), ("escalate_to", "Board"), ("side", "sales"), ("estimated", False)):
            if record[field] != wanted:
                raise Failed(f"{field} of {line}")
        if record["lead_id"] != line[0].split("/")[0]:
            raise Failed(f"lead of {line}")


def check_index(test, world):
    redis = world.redis()
    left = [redis.call("HLEN", f"{test.setup.name}:{{{p}}}:clocks") for p in range(PARTITIONS)]
    if any(left):
        raise Failed(f"the index holds clocks that went off: {left}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=60)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--keep", metavar="FOLDER")
    options = parser.parse_args()
    world, passed, failed = World(), 0, 0
    try:
        for name in run(world, options):
            passed += 1
            print(f"ok   {name}", flush=True)
    except Exception:                       # the course broke: what follows was not looked at
        failed = 1
        traceback.print_exc()
    if options.keep:
        shutil.copytree(world.folder, options.keep, dirs_exist_ok=True, ignore=lambda f, names: [n for n in names if ".sock" in n])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
