"""The reference on a log as it lies in Kafka: what baton wrote into it itself is read from there, and judged.

A message that one lead's event sends to another lead has to be in the log once, in the partition of the lead that it is
for, with the headers that docs/persons.md lists, behind what its partition sent there before. What it says is taken from
the reference's own fold of the cause: the state in a transfer is never looked at. `fold_log` goes through the partitions
side by side, as what a partition says may need what another one has said before.
"""

import json
import zlib
from collections import defaultdict, deque, namedtuple
from urllib.parse import unquote_to_bytes

import words as all_words
from messages import Event, Options, Record, Rejected, milliseconds, read
from scorer import Scorer

# A message of the log: a messages.Record, and its headers [(name, bytes or None)].
Entry = namedtuple("Entry", "record headers")
Sent = namedtuple("Sent", "hop cause number")       # number: of all that was sent from there to here
_OURS = ("baton-for", "baton-trail")
_OWN_KINDS = ("transfer", "merge", "erase", "recheck")
_OF_THE_PACT = ("published", "tick", "judged")      # no lead is another one by these, but for its clocks


def header(headers, name):
    """The value of a header as text, or None; the last one if it is there twice."""
    values = [value for key, value in headers if key == name]
    return None if not values else (values[-1] or b"").decode(errors="replace")


def is_own(headers):
    """Whether baton wrote or passed on the message."""
    return any(name in ("baton-own", "baton-for") for name, _ in headers)


def _ids(text):
    return tuple(unquote_to_bytes(part).decode() for part in text.split(",")) if text else ()


def _others(headers):
    """What was there before baton passed the message on."""
    return tuple((name, value) for name, value in headers if name not in _OURS)


def _no_partition(key, count):
    return zlib.crc32(key) % count


class LogScorer(Scorer):
    """`take_entry` folds a message of the log. `wrong` is what is wrong with those that baton wrote."""

    def __init__(self, agreement_text, options=Options(), topic="lead-events", words=all_words.IN_FORCE, partitions=1,
                 partition_of=_no_partition):
        super().__init__(agreement_text, options, topic, words)
        self.theirs = options._replace(rechecks=False)      # which baton alone writes into a log
        self.partitions, self.partition_of = partitions, partition_of
        self.sent = defaultdict(deque)          # what identifies it → [Sent]
        self.counts = defaultdict(int)          # (from partition, to partition) → sent so far
        self.last = {}                          # (from partition, to partition) → number of the last one in the log
        self.present = None                     # the Entry that is folded
        self.wrong = []
        self.rechecks = self.passed_on = self.transfers = self.identities = self.erasing = 0

    # --- sending

    def _pass_on(self, hop):
        cause = self.present.record
        way = (cause.partition, self.partition_of(hop.event.lead_id.encode(), self.partitions))
        self.sent[self._name(hop)].append(Sent(hop, cause, self.counts[way]))
        self.counts[way] += 1

    def _name(self, hop):
        """What the message in the log must be, all of it but a transfer's state."""
        event = hop.event
        if hop.kind == "forward":
            return "forward", event.lead_id, event.trail, event.value, _others(self.present.headers)
        if hop.kind == "transfer":
            return "transfer", event.lead_id, event.trail, event.id, event.time, hop.other.id
        return hop.kind, event.lead_id, event.id, event.time, event.said.get("into") if hop.kind == "merge" else None

    # --- receiving

    def _take_of_the_pact(self, record, kind):
        lead = self.leads.get((record.key or b"").decode(errors="replace"))
        if kind == "published" and lead and lead.into is None and lead.stage not in ("lead", "mql", "recycled") and \
                json.loads(record.value)["generation"] == lead.generation:
            self._write_again(lead)                     # its clocks begin

    def take_entry(self, entry):
        """False: what it follows from was not folded so far, so that nothing was done."""
        headers, record = entry.headers, entry.record
        self.present = entry
        if not is_own(headers):
            self._take_theirs(record)
            return True
        if header(headers, "baton-own") in _OF_THE_PACT:
            self._take_of_the_pact(record, header(headers, "baton-own"))
            return True
        try:
            name, event = self._read_own(record, headers)
        except (Rejected, ValueError, KeyError, TypeError) as error:
            self._complain(record, f"what baton wrote cannot be read: {error!r}: {record.value!r}")
            return True
        if event.kind == "recheck":
            self.rechecks += 1
            self._check_place(record, event)
            self._arrive(event)
            return True
        if not self.sent[name]:
            return False
        sent = self.sent[name].popleft()
        self._check_place(record, event)
        self._check_order(record, sent)
        self._take_own(record, event, sent.hop)
        return True

    def _take_theirs(self, record):
        try:
            event = read(record, self.theirs)
        except Rejected as rejected:
            self._bury(record, str(rejected))
            return
        self._arrive(event)

    def _read_own(self, record, headers):
        own, to, trail = header(headers, "baton-own"), header(headers, "baton-for"), _ids(header(headers, "baton-trail"))
        if own is not None and own not in _OWN_KINDS:
            raise ValueError(f"baton-own: {own}")
        event = self._read_value(record, own)
        event.partition, event.offset, event.trail, event.value = record.partition, record.offset, trail, record.value
        event.direct = own == "erase" and to is None
        if to is not None:
            event.lead_id, = _ids(to)
            return ("forward", event.lead_id, trail, record.value, _others(headers)), event
        if own == "transfer":
            return (own, event.lead_id, trail, event.id, event.time, event.said["from"]), event
        if trail:
            raise ValueError(f"{own} with a trail")
        return (own, event.lead_id, event.id, event.time, event.said.get("into")), event

    def _read_value(self, record, own):
        """The event as its writer meant it: the key and the time beside the record's are of the one who passed it on."""
        if own == "transfer":
            message = json.loads(record.value)
            event = Event()
            event.kind, event.id, event.lead_id = "transfer", message["event_id"], message["lead_id"]
            event.time, event.texts, event.profile = milliseconds(message["time"]), {}, []
            event.said = {"from": message["from"]}
            if not message["state"]:
                raise ValueError("no state")
            return event
        return read(record._replace(timestamp=None), self.options._replace(check_key=False))

    def _take_own(self, record, event, hop):
        self.passed_on += hop.kind == "forward"
        self.transfers += hop.kind == "transfer"
        self.identities += hop.kind == "merge"
        self.erasing += hop.kind == "erase"
        if hop.other is None:
            self._arrive(event)
            return
        event.kind = hop.event.kind             # the merge
        event.said = hop.event.said
        self._receive(event, hop.other)

    # --- judging

    def _complain(self, record, what):
        self.wrong.append(f"[{record.partition}] {record.offset}: {what}")

    def _check_place(self, record, event):
        key = event.lead_id.encode()
        if record.key != key:
            self._complain(record, f"its key is {record.key!r}, and it is for {event.lead_id}")
        if self.partition_of(key, self.partitions) != record.partition:
            self._complain(record, f"{event.lead_id} lives in {self.partition_of(key, self.partitions)}")

    def _check_order(self, record, sent):
        way = (sent.cause.partition, record.partition)
        if sent.number < self.last.get(way, -1):
            self._complain(record, f"of [{sent.cause.partition}] {sent.cause.offset}: behind what was sent there later")
        self.last[way] = max(sent.number, self.last.get(way, -1))

    def would_change(self, time):
        """The leads for which a recheck at that time would do something. Ends this scorer: it does it."""
        changed = []
        for lead in list(self.leads.values()):
            event = Event()
            event.kind, event.id, event.lead_id, event.time, event.trail = "recheck", "", lead.id, time, ()
            event.partition, event.offset, event.texts, event.said, event.direct = 0, 0, {}, {}, False
            before = len(self.stages), self.forgotten
            self._arrive(event)
            if (len(self.stages), self.forgotten) != before:
                changed.append(f"{lead.id}, {lead.stage}")
        return changed

    def missing(self):
        """What should have been written into the log, and is not there."""
        return [f"{name[0]} for {name[1]} of [{one.cause.partition}] {one.cause.offset} is not in the log"
                for name, all_sent in self.sent.items() for one in all_sent]


def fold_log(scorer, entries, before=None):
    """Folds a whole log, partition beside partition; `before(record)` is called ahead of each message. What nothing was
    the cause of is `wrong`, and left out."""
    queues = defaultdict(deque)
    for entry in sorted(entries, key=lambda entry: (entry.record.partition, entry.record.offset)):
        queues[entry.record.partition].append(entry)
    while any(queues.values()):
        moved = 0
        for queue in queues.values():
            moved += _fold_some(scorer, queue, before)
        if not moved:
            first = min((queue[0] for queue in queues.values() if queue), key=lambda entry: entry.record.timestamp or 0)
            queue = queues[first.record.partition]
            scorer._complain(first.record, f"nothing is the cause of this: {first.headers} {first.record.value[:200]!r}")
            queue.popleft()
    scorer.wrong += scorer.missing()
    return scorer


def _fold_some(scorer, queue, before):
    moved = 0
    while queue:
        if before:
            before(queue[0].record)
        if not scorer.take_entry(queue[0]):
            break
        queue.popleft()
        moved += 1
    return moved


def entries_of(messages, timestamp_not_available=0):
    """Messages of confluent_kafka → entries."""
    made = []
    for message in messages:
        kind, timestamp = message.timestamp()
        record = Record(message.partition(), message.offset(), None if kind == timestamp_not_available else timestamp,
                        message.key(), message.value())
        made.append(Entry(record, message.headers() or []))
    return made
