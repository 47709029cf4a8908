"""How fast a program takes in a topic, judged from outside and alike for all: by its group's committed offsets.

The window reaches from the first look at which at least 10 % of the events are committed to the first at which all
are: start-up, joins and a cold JIT are not what is measured. CPU of program, broker and Redis is that of the same
window, from /proc.
"""

import time
from dataclasses import dataclass, field

from stack import Failed, wait_for

LOOK_SECONDS = 0.1
START_SHARE = 0.1
LATEST_SHARE = 0.5                  # begun later than this, or shorter, the window says more of single commits than of a
SHORTEST_SECONDS = 2.5              # rate: a program that is behind commits what it has folded only now and then


@dataclass
class Measured:
    seconds: float                      # of the window
    events: int                         # committed in it
    cpu_seconds: dict                   # program, broker, redis
    curve: list = field(default_factory=list)   # [seconds since the start, committed events]
    whole_run: bool = False             # too short a topic: the window is the whole run

    @property
    def events_per_second(self):
        return self.events / self.seconds

    def cost(self):
        """CPU seconds per million events."""
        per_million = {name: seconds * 1e6 / self.events for name, seconds in self.cpu_seconds.items()}
        return {**per_million, "total": sum(per_million.values())}


class Offsets:
    """Committed offsets of a group, and the ends of its topic. Looks without joining."""

    def __init__(self, stack, group, topic, partitions):
        from confluent_kafka import Consumer, TopicPartition
        self.partitions = [TopicPartition(topic, number) for number in range(partitions)]
        # read_uncommitted: an open transaction does not keep the answer back
        self.consumer = Consumer({"bootstrap.servers": stack.brokers, "group.id": group, "log_level": 0,
                                  "enable.auto.commit": False, "isolation.level": "read_uncommitted"})

    def committed(self):
        answers = self.consumer.committed(self.partitions, timeout=30)
        for answer in answers:
            if answer.error:
                raise Failed(f"committed offset of {answer.topic} [{answer.partition}]: {answer.error}")
        return [max(answer.offset, 0) for answer in answers]

    def ends(self):
        return [self.consumer.get_watermark_offsets(partition, timeout=30)[1] for partition in self.partitions]

    def close(self):
        self.consumer.close()


@dataclass
class Look:
    at: float
    committed: int
    cpu: dict


def look_until_done(stack, offsets, programs, patience):
    """Looks every 100 ms until all is committed; programs: who share the work."""
    total, looks, moved = sum(offsets.ends()), [], time.monotonic()
    while True:
        committed, at = sum(offsets.committed()), time.monotonic()
        cpu = {"program": sum(program.cpu_seconds() for program in programs), **stack.cpu_seconds()}
        if not looks or committed > looks[-1].committed:
            moved = at
        looks.append(Look(at, committed, cpu))
        if committed >= total:
            return total, looks
        for program in programs:
            program.check()
        if at - moved > patience:
            raise Failed(f"no offset was committed for {patience} s ({committed} of {total} were before):\n"
                         f"{programs[0].tail()}")
        time.sleep(LOOK_SECONDS)


def curve_of(looks, began, points=200):
    """Thinned to what a page can show."""
    step = max(1, len(looks) // points)
    kept = looks[::step]
    if kept[-1] is not looks[-1]:
        kept.append(looks[-1])
    return [[round(look.at - began, 3), look.committed] for look in kept]


def window(before, looks, total):
    """(its first look, whether it is the whole run)"""
    events = total - before.committed
    first = next(look for look in looks if look.committed >= before.committed + START_SHARE * events)
    late = first.committed - before.committed > LATEST_SHARE * events
    short = looks[-1].at - first.at < SHORTEST_SECONDS
    return (before, True) if late or short else (first, False)


def measure(stack, programs, group, topic, partitions, patience=120):
    """From the programs' start, which is now, to the last committed offset."""
    began = time.monotonic()
    offsets = Offsets(stack, group, topic, partitions)
    try:
        before = Look(began, sum(offsets.committed()), {"program": 0.0, **stack.cpu_seconds()})
        total, looks = look_until_done(stack, offsets, programs, patience)
    finally:
        offsets.close()
    if total == 0:
        raise Failed(f"topic {topic} is empty")
    first, whole_run = window(before, looks, total)
    last = looks[-1]
    return Measured(last.at - first.at, last.committed - first.committed,
                    {name: last.cpu[name] - first.cpu[name] for name in last.cpu},
                    curve_of([before] + looks, began), whole_run)


def wait_committed(stack, group, topic, partitions, share, seconds):
    """Until that share of the topic is committed."""
    offsets = Offsets(stack, group, topic, partitions)
    try:
        total = sum(offsets.ends())
        wait_for(f"{share:.0%} of {topic} to be committed", seconds,
                 lambda: sum(offsets.committed()) >= share * total)
    finally:
        offsets.close()
