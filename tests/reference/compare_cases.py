#!/usr/bin/env python3
"""The rule cases of tests/cases with the reference scorer instead of the program: what a person worked out by hand holds
for both, and words that are not in force yet are checked here all the same.

    compare_cases.py [--mutants] [NAME…]      --mutants: changes each agreement, as in test_cases.py

Last line `N passed, N failed`."""

import json
import pathlib
import sys

from agreement import AgreementError
from scorer import TRY_OPTIONS, expected, try_records
from words import WORDS

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
sys.path.insert(0, str(CASES))
import mutants  # noqa: E402
from test_cases import differences, expected_of, until_of  # noqa: E402


def run_case(folder, agreement=None):
    """A list of what differs."""
    agreement = agreement or (folder / "agreement.yaml").read_text()
    records = try_records((folder / "events.jsonl").read_bytes())
    result = expected(agreement, records, TRY_OPTIONS, words=frozenset(WORDS))
    # As JSON has it: tuples are lists there, and numbers of rules are the keys of an object.
    leads = json.loads(json.dumps(result["leads"]))
    wanted, unreadable = expected_of(folder)
    for one in wanted.values():
        one.pop("breaches", None)           # clocks are no part of this scorer
    wrong = [f"lead {name} is not expected" for name in leads if name not in wanted]
    for name, one in wanted.items():
        wrong += differences(f"lead {name}:", one, leads[name]) if name in leads else [f"lead {name} is missing"]
    return wrong + differences("unreadable", unreadable, {offset + 1: reason for _, offset, reason in result["dead"]})


def holds(folder, agreement):
    try:
        return not run_case(folder, agreement)
    except AgreementError:
        return None


def is_of_clocks(folder):
    wanted, _ = expected_of(folder)
    return until_of(folder) or any("breaches" in one for one in wanted.values())


def mutated(folder):
    if is_of_clocks(folder):                # what is changed in their agreements shows there alone
        return []
    return mutants.unnoticed((folder / "agreement.yaml").read_text(), (folder / "expected.yaml").read_text(),
                             lambda text: holds(folder, text))


def main():
    names = [name for name in sys.argv[1:] if name != "--mutants"]
    folders = sorted(path.parent for path in CASES.glob("*/expected.yaml") if not names or path.parent.name in names)
    judge = mutated if "--mutants" in sys.argv else run_case
    failed = 0
    for folder in folders:
        wrong = judge(folder)
        failed += bool(wrong)
        for line in wrong:
            print(f"{folder.name}: {line}")
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
