#!/usr/bin/env python3
"""The process is made to exit between any two steps of take-over, transaction and checkpoint: each recovers exactly.

    crash_points.py [--seed N] [POINT…]

The points are what `$BATON_CRASH_BIN run --crash-points` prints. One world sees them one after the other and is
audited after each; the points of new units have worlds of their own.
"""
import argparse
import os
import random
import subprocess
import sys
import time
import traceback

import load as loads
from auditor import report
from exactly_once import SCHEMA, Scenario, zigzag  # noqa: F401
from world import CRASHED

FRESH = "new_unit_"                 # these are passed once in a unit's life


class Points(Scenario):
    def __init__(self, name, seed, keep):
        super().__init__(name, seed, keep=keep, leads=300, partitions=4, session_ms=1500, checkpoint="200ms", crash=True)
        self.first = self.world.agreement
        self.version, self.switches, self.unknown = 1, [], set()
        self.load.send(800)
        self.lived = False

    def live(self):
        """A quiet life before the first point that is not one of new units."""
        self.lived = True
        baton = self.world.baton("i1").start()
        wrong = self.world.wait_settled()
        code = baton.terminate()
        if wrong or code != 0:
            raise RuntimeError(f"does not even run: {wrong}, exit code {code}: {baton.tail(2)}")

    def prepare(self, point):
        """What must be so that the point is passed."""
        if point in ("agreement_stored", "agreement_switched"):
            self.version += 1
            text = loads.agreement(version=self.version, pricing=6 + self.version, sql=45)
            self.world.write_agreement(text)
            self.switches.append((text, dict(enumerate(self.world.committed()))))
        elif point == "verdict_written":
            schema = 1000 + len(self.unknown)
            self.unknown.add(schema)
            self.load.produce(b"lead-1", b"\x00" + schema.to_bytes(4, "big") + b"whatever")
        self.load.send(300)

    def crash(self, point):
        baton = self.world.baton("i1")
        number = 1 if point.startswith((FRESH, "agreement", "verdict", "revoked", "after", "replay")) else \
            self.random.randrange(1, 4)
        before = baton.text().count("live at offset")   # its log goes on from run to run
        baton.start(environment={"BATON_CRASH_AT": f"{point}:{number}"})
        guest = None
        if point.startswith("revoked"):
            self.world.wait_for(lambda: baton.text().count("live at offset") > before, 60)
            guest = self.world.baton("guest").start()
        deadline, code = time.monotonic() + 60, None
        while code is None and time.monotonic() < deadline:
            code = baton.wait(0.3)
            if code is None:
                self.load.send(40)          # something to commit and to checkpoint
        if code is None:
            baton.kill()
        baton.start()
        wrong = [] if code == CRASHED else [f"exit code {code} instead of {CRASHED}: {baton.tail(2)}"]
        wrong += filter(None, [self.world.wait_settled()])
        if guest:
            guest.terminate()
        code = baton.terminate()
        if code != 0:
            wrong.append(f"afterwards it stopped with {code}: {baton.tail(2)}")
        wrong += self.world.errors()
        return wrong

    def try_point(self, point):
        if not self.lived and not point.startswith(FRESH):
            self.live()
        self.prepare(point)
        wrong = self.crash(point)
        before = len(self.checks)
        self.audit(agreement=self.first, switches=self.switches, unknown_schemas=self.unknown)
        for check, found in self.checks[before:]:
            wrong += [f"{check}: {text}" for text in found]
        del self.checks[before:]
        return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xffffff)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("point", nargs="*")
    options = parser.parse_args()
    print(f"      seed {options.seed}", flush=True)
    listed = subprocess.run([os.environ["BATON_CRASH_BIN"], "run", "--crash-points"], capture_output=True, text=True,
                            check=True).stdout.split()
    points = options.point or listed
    passed = failed = 0
    world = None
    for point in points:
        own = point.startswith(FRESH) or world is None
        if own and world:
            world.world.close()
        begun = time.monotonic()
        try:
            if own:
                world = Points("point", f"{options.seed}/{point}", options.keep)
            wrong = world.try_point(point)
        except Exception as error:
            traceback.print_exc()
            wrong = [repr(error)]
        good, bad = report(f"{point} ({time.monotonic() - begun:.1f} s)", [("recovers exactly", wrong)])
        passed, failed = passed + good, failed + bad
        if wrong or point.startswith(FRESH):        # the next point starts from a sound state
            if world:
                world.load.stop()
                world.world.close(bool(wrong))
            world = None
    if world:
        world.world.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    random.seed(0)
    sys.exit(main())
