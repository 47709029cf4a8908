"""Reads bench/results: JSON lines, each one run of one subcommand with what is needed to repeat it."""
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

KINDS = ("compare", "latency", "stages", "scale", "takeover", "replay")


class Damaged(Exception):
    """A line that cannot be used; the text names file and line."""


@dataclass
class Run:
    kind: str
    at: datetime
    data: dict
    where: str                      # FILE:LINE, for messages
    commit: str = ""
    dirty: bool = False
    machine: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    arguments: list = field(default_factory=list)
    options: dict = field(default_factory=dict)
    seed: int = 0
    settings: dict = field(default_factory=dict)    # options, and what of the data is a setting, too


ENVELOPE = {"commit": str, "dirty": bool, "machine": dict, "versions": dict, "arguments": list, "options": dict,
            "seed": int}


def read_line(text, where):
    try:
        line = json.loads(text)
    except ValueError as error:
        raise Damaged(f"{where}: not a whole line of JSON ({error}); remove the line or measure again") from None
    if not isinstance(line, dict):
        raise Damaged(f"{where}: expected a JSON object")
    for name, kind in (("kind", str), ("at", str), ("data", dict)):
        if not isinstance(line.get(name), kind):
            raise Damaged(f"{where}: `{name}` is missing, or is not {'an object' if kind is dict else 'a text'}")
    given = {}
    for name, kind in ENVELOPE.items():
        value = line.get(name)
        if value is None:
            continue
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Damaged(f"{where}: `{name}` has the wrong type")
        given[name] = value
    return Run(kind=line["kind"], at=moment(line["at"], where), data=line["data"], where=where, **given)


def moment(text, where):
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Damaged(f"{where}: `at` is not a time: {text}") from None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def read_results(folder):
    """All runs of the known kinds, oldest first. Other kinds (what load or count kept) are not for the report."""
    runs = []
    for path in sorted(Path(folder).glob("*.jsonl")):
        for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if text.strip():
                run = read_line(text, f"{path}:{number}")
                if run.kind in KINDS:
                    runs.append(run)
    return sorted(runs, key=lambda run: run.at)
