"""A stand-in for baton, to test what judges it: folds a log with the reference and writes into it what follows."""

import json
import random
import zlib
from urllib.parse import quote

from log import Entry, LogScorer
from messages import Options, Record

LATER = 10 ** 15                    # timestamp of what is written here: ahead of no event


def coded(text):
    return quote(text, safe="-._~").encode()


class LogWriter:
    """Partitions are folded in an order of their own. `log` holds the entries of each; those of `first` are there
    already."""

    def __init__(self, agreement, partitions, seed=0, options=Options(), first=(), **more):
        self.random, self.partitions = random.Random(seed), partitions
        self.scorer = LogScorer(agreement, options, partitions=partitions, **more)
        self.log = [[] for _ in range(partitions)]
        self.folded = [0] * partitions
        for entry in sorted(first, key=lambda entry: entry.record.offset):
            self.log[entry.record.partition].append(entry)
        self.first = [len(entries) for entries in self.log]
        expect = self.scorer._pass_on

        def pass_on(hop):
            expect(hop)
            self.write(*self.message(hop))
        self.scorer._pass_on = pass_on

    def write(self, key, value, headers):
        partition = zlib.crc32(key.encode()) % self.partitions
        record = Record(partition, len(self.log[partition]), LATER, key.encode(), value)
        self.log[partition].append(Entry(record, headers))

    def message(self, hop):
        """(key, value, headers) of what one lead's event sends to another, as docs/persons.md says."""
        event, trail = hop.event, b",".join(coded(one) for one in hop.event.trail)
        if hop.kind == "forward":
            kept = [pair for pair in self.scorer.present.headers if pair[0] not in ("baton-for", "baton-trail")]
            return event.lead_id, event.value, kept + [("baton-for", coded(event.lead_id)), ("baton-trail", trail)]
        value = {"kind": hop.kind, "event_id": event.id, "lead_id": event.lead_id, "time": event.time}
        if hop.kind == "transfer":
            value.update({"from": hop.other.id, "state": "AAAA"})
        if hop.kind == "merge":
            value.update(event.said)
        return event.lead_id, json.dumps(value).encode(), \
            [("baton-own", hop.kind.encode())] + ([("baton-trail", trail)] if hop.kind == "transfer" else [])

    def send(self, *events):
        """Messages of others."""
        for one in events:
            self.write(one["lead_id"], json.dumps(one).encode(), [])

    def _ready(self, partition):
        return [p for p in range(self.partitions) if self.folded[p] < len(self.log[p]) and partition in (None, p)]

    def run(self, partition=None, times=-1):
        """Folds so many of the messages that wait; all of them without a number."""
        while times != 0 and self._ready(partition):
            p = self.random.choice(self._ready(partition))
            assert self.scorer.take_entry(self.log[p][self.folded[p]])
            self.folded[p] += 1
            times -= 1
        return self

    def entries(self):
        return [entry for partition in self.log for entry in partition]

    def written(self):
        """What was not there before, partition by partition in order."""
        return [entry for entries, first in zip(self.log, self.first) for entry in entries[first:]]
