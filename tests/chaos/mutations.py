#!/usr/bin/env python3
"""The proof is worth something only if it goes red: each seeded fault of the program must be seen by the auditor.

    mutations.py [--seed N] [--tries N] [FAULT…]

Faults (BATON_FAULT of a build with crash points): no_fence, ignore_applied, late_group_metadata, offsets_outside,
forget_removal, forget_erasure, remove_early.
The same disturbances without a fault must stay green.
"""
import argparse
import sys
import time
import traceback

from exactly_once import storm

PERSONS = dict(session_ms=1500, leads=800, said=0.25, persons=5)
# what brings a fault to light: disturbances, and settings of the world
FAULTS = {
    "no_fence": (dict(kills=3, stops=2, returns=3), dict(session_ms=2000)),
    "ignore_applied": (dict(crashes=["checkpoint_leads_all"] * 6, kills=2), dict(session_ms=1500, hot=0.3)),
    "late_group_metadata": (dict(late=6), dict(session_ms=1500)),
    "offsets_outside": (dict(kills=10), dict(session_ms=2000)),
    "forget_removal": (dict(kills=12), PERSONS),
    "forget_erasure": (dict(kills=12), PERSONS),
    "remove_early": (dict(kills=2, crashes=["checkpoint_leads_all"] * 10), PERSONS),
}
# the auditor's own checks: a fault that is seen by a stopped unit alone would not need it
AUDITED = ("each ", "scores", "nothing ", "what baton")
CONTROL = (dict(kills=4, stops=3, rebalances=1, returns=2, crashes=["checkpoint_leads_all"] * 3,
                late=3),
           dict(session_ms=1500, hot=0.3, crash=True))


def play(seed, options, name, fault, counts, settings, patience=30):
    """The checks that went red in a storm with this fault."""
    steps = storm(seed, options, name, 12_000, 1000, dict(settings, fault=fault), patience=patience, **counts)
    scenario = next(steps)
    problem = []
    try:
        for _ in steps:
            pass
    except Exception as error:
        traceback.print_exc()
        problem = [f"did not play to its end: {error!r}"]
    finally:
        scenario.load.stop()
        scenario.world.close()
    audited = [(check, wrong) for check, wrong in scenario.checks if wrong]
    return audited, problem


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xffffff)
    parser.add_argument("--tries", type=int, default=8)
    parser.add_argument("fault", nargs="*", choices=[*FAULTS, "control", []])
    options = parser.parse_args()
    options.events = options.keep = None
    passed = failed = 0
    chosen = options.fault or ["control", *FAULTS]
    for fault in chosen:
        begun = time.monotonic()
        if fault == "control":
            red, problem = play(options.seed, options, "control", None, *CONTROL, patience=120)
            good = not red and not problem
            print(f"{'ok  ' if good else 'FAIL'} without a fault it stays green ({time.monotonic() - begun:.0f} s)")
            for check, wrong in red:
                print(f"      FAIL {check}: {wrong[0]}"[:400])
        else:
            for number in range(options.tries):
                red, problem = play(options.seed + number, options, fault, fault, *FAULTS[fault])
                audited = [(check, wrong) for check, wrong in red if check.startswith(AUDITED)]
                good = bool(audited)
                if good:
                    break
                for text in problem:
                    print(f"      try {number + 1} {text}"[:400], flush=True)
            print(f"ok   {fault} is seen at try {number + 1} "
                  f"({time.monotonic() - begun:.0f} s)" if good else
                  f"FAIL {fault} is not seen in {options.tries} tries ({time.monotonic() - begun:.0f} s)")
            for check, wrong in (audited or red):
                print(f"      {check}: {len(wrong)} wrong, the first: {wrong[0]}"[:400])
        sys.stdout.flush()
        passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
