"""Results that can be repeated: one JSON line each, with machine, versions, commit and every option.

    parser = results.parser("compare", "baton beside …")
    parser.add_argument("--events", type=results.count, default=5000000, help="…")
    options = parser.parse_args()
    ...
    results.finish("compare", options, data, stack)
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path

from stack import BATON, ROOT

FOLDER = ROOT / "bench/results"


# --- options ----------------------------------------------------------------------------------------------------------

def _scaled(text, units, what):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text.replace("_", ""))
    if not found or found[2] not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return int(float(found[1]) * units[found[2]])


def count(text):
    """200000, 200k, 10M"""
    return _scaled(text, {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}, "a count (200000, 200k, 10M)")


def size(text):
    """240, 2KiB, 512MiB; k and M are thousands"""
    return _scaled(text, {"": 1, "k": 10**3, "M": 10**6, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30},
                   "a size (240, 2KiB, 512MiB)")


def parser(name, summary):
    """With the options that every subcommand has."""
    made = argparse.ArgumentParser(prog=f"baton-bench {name}", description=summary,
                                   formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    made.add_argument("--results", default=str(FOLDER), metavar="DIR", help="folder of result lines, or none")
    made.add_argument("--seed", type=count, default=1, help="of the traffic")
    return made


# --- where and with what ----------------------------------------------------------------------------------------------

def _output(*command):
    with contextlib.suppress(OSError):
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=ROOT, text=True, check=False).stdout.strip()
    return ""


def _first_match(pattern, text):
    found = re.search(pattern, text, re.M)
    return found[1].strip() if found else None


def machine():
    cpu = _first_match(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    system = _first_match(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(encoding="utf-8"))
    memory = int(_first_match(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))) * 1024
    return {"cpu": cpu or platform.machine(), "cores": os.cpu_count(), "memory_bytes": memory,
            "kernel": platform.release(), "os": system or platform.system()}


def versions():
    try:
        told = json.loads(_output(BATON, "version", "--json"))
    except ValueError:
        told = {}
    libraries = told.get("libraries", {})
    kafka = sorted((ROOT / "build/kafka/libs").glob("kafka_2.13-*.jar"))
    return {"baton": told.get("baton"), "librdkafka": libraries.get("librdkafka"),
            "libavro": libraries.get("libavro"), "hiredis": libraries.get("hiredis"),
            "redis": _first_match(r"v=(\S+)", _output("redis-server", "--version")),
            "kafka": kafka[-1].stem.split("-", 1)[1] if kafka else None,
            "java": _first_match(r'version "([^"]+)"', _output("java", "-version"))}


def commit():
    changed = _output("git", "status", "--porcelain", "--untracked-files=no", "--", "src", "include", "bench",
                      ":!bench/results")
    return {"commit": _output("git", "rev-parse", "--short=7", "HEAD") or None, "dirty": bool(changed)}


# --- lines ------------------------------------------------------------------------------------------------------------

def spread(values):
    """Median and range, with the values themselves."""
    values = list(values)
    return {"median": round(statistics.median(values), 6), "min": min(values), "max": max(values), "values": values}


def line(kind, options, data, arguments=None):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    options = {key: value for key, value in vars(options).items() if key not in ("json", "results")}
    return {"kind": kind, "at": now, **commit(), "machine": machine(), "versions": versions(),
            "arguments": list(sys.argv[1:] if arguments is None else arguments), "options": options,
            "seed": options.get("seed"), "data": data}


def append(folder, result):
    """One line to FOLDER/KIND.jsonl."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder) / f"{result['kind']}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def finish(kind, options, data, printed=None):
    """Keeps the result where --results says, and prints its data as the last line with --json."""
    result = line(kind, options, data)
    if options.results != "none":
        append(options.results, result)
    if options.json:
        print(json.dumps(printed if printed is not None else data), flush=True)
