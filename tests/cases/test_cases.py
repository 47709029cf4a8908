#!/usr/bin/python3
"""Runs each folder beside this file through `baton try`: agreement, events, expected.

    test_cases.py [--mutants] [NAME…]

--mutants: changes each case's agreement, number by number and word by word, and demands that the case notices.
A case that stands in not-in-force.txt must not hold yet; it is counted as skipped.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from ruamel.yaml import YAML

import mutants

HERE = pathlib.Path(__file__).resolve().parent
BATON = os.environ.get("BATON_BIN", str(HERE.parent.parent / "build/release/baton"))
WAITING = HERE / "not-in-force.txt"
_UNREADABLE = re.compile(r".*events\.jsonl:(\d+): (\w+): .*")
_WHOLE = ("rules", "profile", "unreadable")     # maps that must not hold more than what is expected


class Refused(Exception):
    """The program did not take the agreement or the events."""


def try_case(folder, agreement="agreement.yaml"):
    """What `baton try` says: ({lead id: object}, {line: reason why it cannot be read})."""
    config = ["-c", "baton.yaml"] if (folder / "baton.yaml").exists() else []
    until = until_of(folder)
    config += ["--until", until] if until else []
    done = subprocess.run([BATON, "try", *config, agreement, "events.jsonl", "--json"], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f"baton try ended with {done.returncode}: {done.stderr.strip()}")
    leads = {lead["lead_id"]: lead for lead in map(json.loads, done.stdout.splitlines())}
    lines = filter(None, map(_UNREADABLE.fullmatch, done.stderr.splitlines()))
    return leads, {int(line[1]): line[2] for line in lines}


def differences(name, wanted, found):
    """What differs, looking only at what is wanted. Of a list all items are, in a number the length of a list is."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        more = [key for key in found if key not in wanted] if name.rpartition(" ")[2] in _WHOLE else []
        wrong = [f"{name} {key} is {found[key]!r}, expected nothing" for key in more]
        return wrong + [line for key, value in wanted.items()
                        for line in differences(f"{name} {key}", value, found.get(key))]
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return [f"{name} has {len(found)} items, expected {len(wanted)}: {found!r}"]
        return [line for number, pair in enumerate(zip(wanted, found), 1)
                for line in differences(f"{name} {number}", *pair)]
    if isinstance(wanted, int) and isinstance(found, list):
        found = len(found)
    return [] if wanted == found else [f"{name} is {found!r}, expected {wanted!r}"]


def read_expected(folder):
    return YAML(typ="safe", pure=True).load((folder / "expected.yaml").read_text()) or {}


def until_of(folder):
    return read_expected(folder).get("until")


def expected_of(folder):
    wanted = read_expected(folder)
    wanted.pop("until", None)
    return wanted, wanted.pop("unreadable", {})


def run_case(folder, agreement="agreement.yaml"):
    """A list of what differs; empty if the case holds."""
    leads, unreadable = try_case(folder, agreement)
    wanted, wanted_unreadable = expected_of(folder)
    wrong = [f"lead {name} is not expected" for name in leads if name not in wanted]
    for name, one in wanted.items():
        wrong += differences(f"lead {name}:", one, leads[name]) if name in leads else [f"lead {name} is missing"]
    return wrong + differences("unreadable", wanted_unreadable, unreadable)


def holds(folder, agreement="agreement.yaml"):
    """True or False, or None where the program refuses the agreement."""
    try:
        return not run_case(folder, agreement)
    except Refused:
        return None


# --- each case, and each case's mutants -------------------------------------------------------------------------------

def plain(folder, waiting):
    """(state, lines to print)"""
    try:
        wrong = run_case(folder)
    except Refused as refused:
        wrong = [str(refused)]
    if folder.name not in waiting:
        return ("failed", wrong) if wrong else ("passed", [])
    return ("skipped", []) if wrong else ("failed", ["holds now: take its line out of not-in-force.txt"])


def mutated(folder, waiting):
    if folder.name in waiting:
        return "skipped", []
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "agreement.yaml"

        def survives(text):
            path.write_text(text)
            return holds(folder, str(path))

        wrong = mutants.unnoticed((folder / "agreement.yaml").read_text(), (folder / "expected.yaml").read_text(),
                                  survives)
    return ("failed", wrong) if wrong else ("passed", [])


def read_waiting():
    lines = WAITING.read_text().splitlines() if WAITING.exists() else []
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser(description="Run the rule cases of this folder.")
    parser.add_argument("--mutants", action="store_true", help="change each agreement and see that its case notices")
    parser.add_argument("names", nargs="*", help="only these folders")
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in HERE.glob("*/expected.yaml"))
    waiting, counts = read_waiting(), {"passed": 0, "failed": 0, "skipped": 0}
    for name in sorted(waiting - {folder.name for folder in folders}):
        counts["failed"] += 1
        print(f"not-in-force.txt: there is no case {name}")
    for folder in folders:
        if arguments.names and folder.name not in arguments.names:
            continue
        state, wrong = (mutated if arguments.mutants else plain)(folder, waiting)
        counts[state] += 1
        for line in wrong:
            print(f"{folder.name}: {line}")
    print(", ".join(f"{count} {state}" for state, count in counts.items() if count or state != "skipped"))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
