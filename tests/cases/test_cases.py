#!/usr/bin/python3
"""Runs each folder beside this file through `baton try`: agreement, events, expected."""
import json
import os
import pathlib
import subprocess
import sys

from ruamel.yaml import YAML

HERE = pathlib.Path(__file__).resolve().parent
BATON = os.environ.get("BATON_BIN", str(HERE.parent.parent / "build/release/baton"))


def run_case(folder):
    """A list of what differs; empty if the case holds."""
    done = subprocess.run([BATON, "try", "agreement.yaml", "events.jsonl", "--json"], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        return [f"baton try ended with {done.returncode}: {done.stderr.strip()}"]
    leads = {lead["lead_id"]: lead for lead in map(json.loads, done.stdout.splitlines())}
    expected = YAML(typ="safe", pure=True).load((folder / "expected.yaml").read_text()) or {}
    wrong = [f"lead {name} is not expected" for name in leads if name not in expected]
    for name, wanted in expected.items():
        if name not in leads:
            wrong.append(f"lead {name} is missing")
            continue
        found = dict(leads[name], promotions=len(leads[name]["promotions"]))
        wrong += [f"lead {name}: {key} is {found.get(key)!r}, expected {value!r}"
                  for key, value in wanted.items() if found.get(key) != value]
    return wrong


def main():
    folders = sorted(path.parent for path in HERE.glob("*/expected.yaml"))
    failed = 0
    for folder in folders:
        wrong = run_case(folder)
        failed += bool(wrong)
        for line in wrong:
            print(f"{folder.name}: {line}")
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed or not folders else 0


sys.exit(main())
