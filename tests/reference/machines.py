"""User agents that are no person's: the list that the program has, read as a list and nothing more."""

import functools
from pathlib import Path

LIST = Path(__file__).resolve().parents[2] / "data" / "crawlers" / "crawlers.txt"


@functools.lru_cache(maxsize=1)
def _literals():
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@functools.lru_cache(maxsize=4096)
def is_crawler(agent):
    """One of the list's literals stands in it, as it is written; `^` and `$` tie it to the start and the end."""
    for literal in _literals():
        start, end = literal.startswith("^"), literal.endswith("$")
        text = literal[start:len(literal) - end]
        if start and end and agent == text or start and not end and agent.startswith(text) \
                or end and not start and agent.endswith(text) or not start and not end and text in agent:
            return True
    return False
