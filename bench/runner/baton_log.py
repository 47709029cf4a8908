"""What the log of a `baton run` tells: which units each worker holds, what was replayed, how full its tables are."""

import datetime
import re

LINE = re.compile(r"^(\S+Z) \w+ (.*)$", re.M)
TAKES = re.compile(r"worker=(\d+) takes over \d+ units")
GIVES = re.compile(r"worker=(\d+) (?:hands over|lost its) ")
LIVE = re.compile(r"worker=(\d+) unit=(\d+) live at offset")
REPLAYS = re.compile(r"worker=\d+ unit=(\d+) replays (\d+) offsets in silence")
IN_MEMORY = re.compile(r"leads_in_memory=(\d+)")


def log_lines(program):
    """(Unix time, text) of each line."""
    for stamp, text in LINE.findall(program.log()):
        yield datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp(), text


def held_units(program):
    """worker -> the units that it has brought to life since the group last gave it some."""
    held = {}
    for _, text in log_lines(program):
        if found := TAKES.match(text) or GIVES.match(text):
            held[int(found[1])] = set()
        elif found := LIVE.match(text):
            held[int(found[1])].add(int(found[2]))
    return held


def all_live(programs, workers, partitions):
    """Every worker of every process has joined, and all units are live."""
    held = []
    for program in programs:
        program.check()
        units = held_units(program)
        if len(units) < workers:
            return False
        held += units.values()
    sharing = min(len(held), partitions)
    return sum(map(bool, held)) == sharing and sum(map(len, held)) == partitions


def live_since(program, moment):
    """unit -> when it last went live."""
    return {int(found[2]): at for at, text in log_lines(program) if at >= moment and (found := LIVE.match(text))}


def last_assignment(program):
    """When the group last gave units to one of its workers."""
    return max(at for at, text in log_lines(program) if TAKES.match(text))


def replays_since(program, moment):
    """unit -> events folded again."""
    return {int(found[1]): int(found[2]) for at, text in log_lines(program)
            if at >= moment and (found := REPLAYS.match(text))}


def leads_in_memory(program):
    """The most that its tables held, as its statistics tell."""
    return max(map(int, IN_MEMORY.findall(program.log())), default=0)
