#!/usr/bin/env python3
"""Run `baton try` on random agreements and events, and compare it with the reference lead by lead.

    python3 compare_try.py --baton build/release/baton [--seeds 100] [--first 0] [--size 300] [--plain] [--keep FOLDER]
                           [--words while,verdicts]     words of the language that are not in force yet (words.py)

A difference is shrunk to the fewest events that still show it. Exits 1 if there is one; last line `N passed, N failed`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal

import generate
import words as all_words
from messages import milliseconds
from scorer import TRY_OPTIONS, expected, try_records

SUMMARY_KEYS = all_words.summary_keys(all_words.IN_FORCE)
_AMOUNTS = ("score", "fit", "behaviour", "points")
_ABSENT_IN_TRY = ("topic", "why")               # a text for people is not compared
_SHOWN = 8


class Broken(Exception):
    """The program did not do its work at all."""


def run_try(baton, folder, agreement, lines, identity=None):
    """lead id → object, as the program prints them."""
    paths = [os.path.join(folder, name) for name in ("agreement.yaml", "events.jsonl")]
    for path, data in zip(paths, (agreement.encode(), b"".join(line + b"\n" for line in lines))):
        with open(path, "wb") as file:
            file.write(data)
    command = [baton, "try", *paths, "--json"]
    if identity:
        with open(os.path.join(folder, "baton.yaml"), "w", encoding="utf-8") as file:
            json.dump({"identity": identity._asdict()}, file)
        command += ["-c", file.name]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise Broken(f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return _leads(done.stdout)


def _leads(output):
    leads, last = {}, b""
    for line in output.split(b"\n"):
        if not line:
            continue
        try:
            lead = json.loads(line, parse_float=Decimal)
            lead_id = lead["lead_id"]
        except (ValueError, KeyError) as error:
            raise Broken(f"not a lead's JSON: {line[:300]!r}: {error!r}") from None
        if leads and lead_id.encode() <= last:
            raise Broken(f"leads are not sorted by the bytes of their ids: {lead_id!r}")
        last = lead_id.encode()
        leads[lead_id] = lead
    return leads


# --- comparing --------------------------------------------------------------------------------------------------------

def _amount(value):
    """Points → hundredths; floats of the reference have at most two decimals."""
    if isinstance(value, float):
        return round(value * 100)
    return value * 100 if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else value


def _plain(key, value):
    """A leaf in a form that both sides share: amounts in hundredths, times in ms, nothing for an empty text."""
    if key in _AMOUNTS:
        return _amount(value)
    if key == "time":
        return milliseconds(value)
    return str(value) if key == "agreement_version" else value or None


def differences(wanted, got, path=""):
    """[(path, wanted, got)] over what the reference knows; what the program tells beyond it does not matter."""
    key = path.rpartition(".")[2]
    if isinstance(wanted, dict) and isinstance(got, dict):
        exact = key in ("rules", "profile")            # maps of ids: none may be there beyond those wanted
        names = list(wanted) + [name for name in got if exact and name not in wanted]
        found = []
        for name in names:
            inner = f"{path}.points" if key == "rules" else f"{path}.{name}"
            if name not in _ABSENT_IN_TRY:
                found += [(f"{path}.{name}", w, g) for _, w, g in differences(wanted.get(name), got.get(name), inner)] \
                    if key == "rules" else differences(wanted.get(name), got.get(name), inner)
        return found
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return [(path, wanted, got)]
        return [d for n, (w, g) in enumerate(zip(wanted, got)) for d in differences(w, g, f"{path}[{n}]")]
    return [] if _plain(key, wanted) == _plain(key, got) else [(path, wanted, got)]


def compare(wanted, got, keys=SUMMARY_KEYS):
    """[(lead id, path, wanted, got)]"""
    found = []
    for lead_id in sorted(set(wanted) | set(got), key=str.encode):
        one = {key: wanted[lead_id][key] for key in keys if key in wanted[lead_id]} if lead_id in wanted else None
        other = got.get(lead_id)
        if one is None or other is None:
            found.append((lead_id, "", "a lead" if one else "no such lead", "a lead" if other else "no such lead"))
        else:
            found += [(lead_id, *difference) for difference in differences(one, other)]
    return found


# --- one seed ---------------------------------------------------------------------------------------------------------

def check(baton, folder, agreement, lines, words=all_words.IN_FORCE, identity=None):
    options = TRY_OPTIONS._replace(identity=identity)
    wanted = expected(agreement, try_records(b"\n".join(lines)), options, words=words)["leads"]
    return compare(wanted, run_try(baton, folder, agreement, lines, identity),
                   (*all_words.summary_keys(words), "merged_into"))


def _fails(baton, folder, agreement, lines, words, identity):
    try:
        return bool(check(baton, folder, agreement, lines, words, identity))
    except Broken:
        return False


def shrink(baton, folder, agreement, lines, words, identity=None):
    """Fewer lines that still show a difference: drop runs of lines, halving their length."""
    length = len(lines) // 2
    while length:
        start = 0
        while start < len(lines):
            fewer = lines[:start] + lines[start + length:]
            if fewer and _fails(baton, folder, agreement, fewer, words, identity):
                lines = fewer
            else:
                start += length
        length //= 2
    return lines


def _show(value):
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else text[:300] + "…"


def _report(seed, baton, folder, agreement, lines, found, words, identity):
    if found:
        lines = shrink(baton, folder, agreement, lines, words, identity)
        found = check(baton, folder, agreement, lines, words, identity)
    print(f"seed {seed}: {len(found)} differences with these {len(lines)} events:")
    for line in lines[:_SHOWN]:
        print("    " + line.decode(errors="backslashreplace")[:600])
    for lead_id, path, wanted, got in found[:_SHOWN]:
        print(f"  lead {_show(lead_id)} {path.lstrip('.')}: expected {_show(wanted)}, got {_show(got)}")
    print("  agreement:\n    " + agreement.replace("\n", "\n    ").rstrip())
    if identity:
        print("  identity:", json.dumps(identity._asdict(), ensure_ascii=False))


def run_seed(arguments, seed, folder):
    case = generate.case(seed, arguments.size, hostile=not arguments.plain, words=arguments.words)
    lines = [record.value for record in case.records]
    try:
        found = check(arguments.baton, folder, case.agreement, lines, arguments.words, case.identity)
    except (Broken, subprocess.TimeoutExpired) as error:
        print(f"seed {seed}: {error}")
        print("  agreement:\n    " + case.agreement.replace("\n", "\n    ").rstrip())
        return False
    if found:
        _report(seed, arguments.baton, folder, case.agreement, lines, found, arguments.words, case.identity)
    return not found


def main():
    parser = argparse.ArgumentParser(description="Compare `baton try` with the reference scorer.")
    parser.add_argument("--baton", required=True, help="path of the program")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=300, help="events per seed")
    parser.add_argument("--plain", action="store_true", help="no hostile values and no dead letters")
    parser.add_argument("--keep", help="leave the files of each failed seed in this folder")
    parser.add_argument("--words", type=all_words.parse, default="", help="words that are not in force yet, or all")
    arguments = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            folder = os.path.join(arguments.keep or scratch, str(seed))
            os.makedirs(folder, exist_ok=True)
            if not run_seed(arguments, seed, folder):
                failed.append(seed)
    if failed:
        print("failed seeds:", *failed)
    print(f"{arguments.seeds - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
