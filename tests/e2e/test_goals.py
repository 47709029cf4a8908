#!/usr/bin/env python3
"""Goals and dates on a real broker and a real Redis, while baton is killed again and again and days go by.

A day has too few SQLs and customers. Midnight passes while owners die; a judgement waits until all that had arrived is
counted. Then some of yesterday comes late. In the end each was told once. Last line: `N passed, N failed`.

    test_goals.py [--kills 8] [--keep FOLDER]
"""
import argparse
import json
import random
import shutil
import time
import traceback
from collections import Counter
from datetime import datetime, timezone

from test_clocks import HOUR, PARTITIONS, Test
from world import Failed, Setup, World, wait_for

DAY = 24 * HOUR
AGREEMENT = """\
agreement: promises
version: 1
behaviour:
  - {id: form, event: form_fill, points: 20, at_most: {times: 1, per: ever}}
gates: {mql: {score: 10}, sql: {score: 20}}
goals:
  customers: {at_least: 2, per: day, owner: Head of Sales}
  others:
    - {id: handed-over, measure: sqls, at_least: 10, per: day, owner: Head of Marketing}
    - {id: enough, measure: mqls, at_least: 5, per: day, owner: Head of Marketing}
meeting: day
review: {every: month, owner: Head of Sales}
"""


class Goals(Test):
    def __init__(self, world, seed):
        self.random = random.Random(seed)
        self.setup = Setup(world, AGREEMENT, PARTITIONS)
        self.clock = self.setup.folder / "clock"
        self.ahead = 0
        self.jump(0)
        self.producer = world.producer()
        self.number = 0
        self.arrived_before()

    def arrived_before(self):
        """Counting began the day before, so that all of the first day was counted."""
        event = {"kind": "email_opened", "event_id": "early", "lead_id": "early", "time": self.now() - DAY}
        self.producer.produce(self.setup.topics["events"], json.dumps(event).encode(), b"early", timestamp=self.now() - DAY)
        self.producer.flush(30)

    def jump_to(self, moment):
        self.jump((moment - self.now()) / HOUR)

    def hand_over(self, count, when):
        """So many leads fill in a form at that time."""
        for _ in range(count):
            self.number += 1
            self.send(f"lead-{self.random.randrange(10 ** 9)}-{self.number}", "form_fill", form="demo", time=when)
        self.producer.flush(30)

    def expect(self, wanted, what, seconds=120):
        wait_for(what, seconds, lambda: sum(self.told().values()) >= len(wanted))
        told = self.told()
        if told != Counter(wanted):
            raise Failed(f"{what}: not told {Counter(wanted) - told}, told beside {told - Counter(wanted)}")


def date_of(moment):
    return datetime.fromtimestamp(moment / 1000, timezone.utc).strftime("%Y-%m-%d")


def revisions_until_met(test, promise):
    """Their ids: the last says that it was met; a judge that looked between the late leads had told of some before."""
    def look():
        records = {id: record for id, record in test.read("breaches") if id.startswith(promise + "/")}
        ids = [f"{promise}/{number}" for number in range(1, len(records) + 1)]
        found[:] = [(id, records[id]["state"], records[id]["actual"]) for id in ids]
        return found and found[-1][1] == "met"

    found = []
    wait_for("the revision", 120, look)
    for id, state, actual in found[:-1]:
        if state != "missed" or not 6 < actual < 10:
            raise Failed(f"{id} is {state} with {actual}")
    return [id for id, _, _ in found]


def run(world, arguments):
    test = Goals(world, 11)
    if test.now() % DAY > DAY - HOUR:                   # midnight is to come when the test says so
        test.jump(2)
    noon, midnight = test.now(), test.now() // DAY * DAY + DAY
    first, second = date_of(noon), date_of(midnight)
    process = test.start()
    test.hand_over(6, noon)
    test.wait_for_promotions(6)
    wanted = [f"promises/meeting/{first}"]
    test.expect(wanted, "the meeting of the first day")
    process.kill()

    test.jump_to(midnight + 5 * 60000)
    process = test.start()
    wanted.append(f"promises/meeting/{second}")
    test.expect(wanted, "the meeting of the second day")
    time.sleep(13)                                      # units have said that nothing waits
    test.expect(wanted, "nothing else five minutes behind midnight")
    yield "a meeting is announced once each day, and no goal is judged before its time"
    process.kill()

    test.jump_to(midnight + 20 * 60000)
    test.storm(arguments.kills, 16)
    wanted += [f"promises/customers/{first}", f"promises/handed-over/{first}"]
    test.expect(wanted, "what was missed")
    records = {id: record for id, record in test.read("breaches")}
    told = records[f"promises/handed-over/{first}"]
    if (told["state"], told["promised"], told["actual"], told["unit"], told["period"], told["owner"]) != \
            ("missed", 10, 6, "leads", first, "Head of Marketing"):
        raise Failed(f"handed-over is {told}")
    yield "goals that were missed are told once, though owners die while they judge; one that was met is not"

    test.hand_over(4, noon + 1000)
    test.wait_for_promotions(10)
    test.jump(1.2)
    wanted += revisions_until_met(test, f"promises/handed-over/{first}")
    test.expect(wanted, "the revision")
    test.jump(2)
    time.sleep(15)
    test.expect(wanted, "nothing else later on")
    yield "what came late is told once as a correction"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--keep", metavar="FOLDER", help="keep baton's logs there when it fails")
    arguments = parser.parse_args()
    world, passed, failed = World(), 0, 0
    try:
        for what in run(world, arguments):
            passed += 1
            print(f"ok    {what}", flush=True)
    except Exception:                                   # the closing line is the contract
        traceback.print_exc()
        failed = 1
    if arguments.keep:
        shutil.copytree(world.folder, arguments.keep, dirs_exist_ok=True, ignore=lambda f, names: [n for n in names if ".sock" in n])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
