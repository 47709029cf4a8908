#!/usr/bin/env python3
"""The auditor itself: green on what the reference says, red on each kind of mistake."""
import json
import os
import sys
import unittest
import zlib
from decimal import Decimal
from urllib.parse import quote

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Producer

import auditor
import counted
import lead_hash
import leftovers
from load import Load
from world import IDENTITY, World

from log import entries_of  # noqa: E402  (world puts tests/reference on the path)
from log_writer import LogWriter  # noqa: E402
from messages import Options  # noqa: E402

PARTITIONS = 3
WRITTEN = "what baton wrote into the log follows from it, once"
GONE = "nothing in Redis is of anybody who is gone"
STATE = "scores and stages in Redis equal the reference"


def points(hundredths):
    return str(Decimal(hundredths) / 100)


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def packed_day(cells, words):
    """The cells of a day, as docs/counters.md has them; the check sum is the program's own business."""
    def word(text):
        return 0 if text == counted.NONE else words.setdefault(text, len(words) + 2)

    body = bytearray()
    for (measure, dimension, value, second), amount in cells:
        number = second if isinstance(second, int) else word(second) if second else 0
        body += bytes([counted.MEASURES.index(measure), counted.DIMENSIONS.index(dimension)])
        body += varint(word(value) if dimension != "all" else 0) + varint(number) + zigzag(amount)
    return bytes([counted.VERSION]) + bytes(4) + varint(len(cells)) + bytes(body)


def write_counters(redis, scorer, unit):
    days, words = {}, {}
    for (partition, day, *cell), amount in scorer.cells.items():
        if partition == unit and amount:
            days.setdefault(day, []).append((tuple(cell), amount))
    for day, cells in days.items():
        redis("HSET", f"chaos:{{{unit}}}:days", day, packed_day(cells, words))
    for text, number in words.items():
        redis("HSET", f"chaos:{{{unit}}}:words", number, text)
    told = [(*key[1:4], *auditor.day_of_period(key[4]), *value) for key, value in scorer.spend.items() if key[0] == unit]
    if told:
        texts = [b"".join(varint(len(text)) + text.encode() for text in one[:3]) + zigzag(one[3]) + varint(one[4]) +
                 zigzag(one[5]) + zigzag(one[6]) for one in told]
        redis("HSET", f"chaos:{{{unit}}}:days", "spend", bytes(5) + varint(len(told)) + b"".join(texts))


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["BATON_TEST_KAFKA"], "auditor", partitions=PARTITIONS)
        cls.events = cls.world.topic("events")
        load = Load(cls.world.brokers, cls.events, 1, 120, 0.05, said=0.15, persons=2)
        load.send(1500)
        load.stop()
        cls.sent = load.sent
        cls.write_hops()
        entries = cls.entries()
        cls.records = {(entry.record.partition, entry.record.offset): entry.record for entry in entries}
        cls.scorer = auditor.fold(cls.world.agreement, entries, cls.events, PARTITIONS, identity=IDENTITY)
        cls.result = cls.scorer.result()
        cls.producer = Producer({"bootstrap.servers": cls.world.brokers, "transactional.id": cls.world.name})
        cls.producer.init_transactions(10)
        cls.producer.begin_transaction()
        for change in cls.result["stages"] + cls.result["notices"]:
            cls.publish("stages", change)
        for change in cls.result["promotions"]:
            cls.publish("promotions", change)
        for dead in cls.result["dead"]:
            cls.bury(*dead)
        cls.producer.commit_transaction()
        with cls.world.redis.client() as redis:
            for lead in cls.scorer.leads.values():
                redis("HSET", cls.key(lead.id), "score", points(lead.score), "stage", lead.stage, "a",
                      lead_hash.packed(lead.newest))
            for unit in range(PARTITIONS):
                write_counters(redis, cls.scorer, unit)
        cls.promotion = cls.result["promotions"][0]
        cls.dead = cls.result["dead"][0]
        cls.lead = next(lead for lead in cls.scorer.leads.values() if lead.into is None)

    @classmethod
    def entries(cls):
        return entries_of(auditor.read_topic(cls.world.brokers, cls.events), TIMESTAMP_NOT_AVAILABLE)

    @classmethod
    def write_hops(cls):
        """What baton would write into the log."""
        writer = LogWriter(cls.world.agreement, PARTITIONS, 1, Options(identity=IDENTITY), cls.entries(),
                           topic=cls.events)
        producer = Producer({"bootstrap.servers": cls.world.brokers, "enable.idempotence": True})
        for entry in writer.run().written():
            producer.produce(cls.events, entry.record.value, entry.record.key, entry.record.partition,
                             headers=entry.headers)
        producer.flush(10)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    @classmethod
    def key(cls, lead_id):
        return f"chaos:{{{zlib.crc32(lead_id.encode()) % PARTITIONS}}}:lead:{lead_id}"

    @classmethod
    def publish(cls, which, change, **changes):
        change = {**change, **changes}
        name = "/".join(quote(str(part), safe="") for part in auditor.name_of(change))
        ce_type = "baton.promotion" if which == "promotions" else auditor.STAGE_TYPES[change.get("change")]
        cls.producer.produce(cls.world.topic(which), json.dumps(change), change["lead_id"],
                             headers={"ce_id": name, "ce_type": ce_type})

    @classmethod
    def bury(cls, partition, offset, reason):
        record = cls.records[partition, offset]
        cls.producer.produce(cls.world.topic("dead"), record.value, record.key,
                             headers={"baton_reason": reason, "baton_partition": str(partition),
                                      "baton_offset": str(offset)})

    def audit(self):
        checks, _ = auditor.audit(self.world.brokers, self.world.topic, self.world.agreement, self.world.redis.path,
                                  "chaos", sent=self.sent, identity=IDENTITY)
        return [check.split(" (")[0] for check, wrong in checks if wrong]

    def outputs(self, change=None):
        """What is wrong when what is published is as the reference has it, with `change` made to the list of messages."""
        def messages(which):
            wanted = {"stages": self.result["stages"] + self.result["notices"], "promotions": self.result["promotions"],
                      "dead": []}[which]
            return (change or (lambda _, ones: ones))(which, [Published(which, one) for one in wanted])
        found = auditor.check_outputs({**self.result, "dead": []}, messages, [])
        return [check.split(" (")[0] for check, wrong in found if wrong]

    def test_1_it_is_green_on_what_the_reference_says(self):
        self.assertGreater(len(self.result["promotions"]), 3)
        self.assertGreater(len(self.result["dead"]), 10)
        self.assertEqual({one["change"] for one in self.result["notices"]}, {"ignored", "adjusted", "merged", "erased"})
        self.assertGreater(min(self.scorer.transfers, self.scorer.passed_on, self.scorer.identities, self.scorer.erasing), 5)
        self.assertIn("merge_cycle", [reason for _, _, reason in self.result["dead"]])
        self.assertEqual((self.audit(), self.outputs()), ([], []))

    def test_2_what_was_aborted_is_not_there(self):
        self.producer.begin_transaction()
        self.publish("promotions", self.promotion)
        self.producer.flush()
        self.producer.abort_transaction()
        self.assertEqual(self.audit(), [])

    def test_3_a_wrong_score_or_a_lost_lead_in_redis_is_red(self):
        red, key = [STATE], self.key(self.lead.id)
        with self.world.redis.client() as redis:
            redis("HSET", key, "score", points(self.lead.score + 1))
            self.assertEqual(self.audit(), red)
            redis("DEL", key)
            self.assertEqual(self.audit(), red)
            redis("HSET", key, "score", points(self.lead.score), "stage", self.lead.stage, "a",
                  lead_hash.packed(self.lead.newest))
            self.assertEqual(self.audit(), [])
            redis("HSET", key, "a", lead_hash.packed(self.lead.newest + 1))
            self.assertEqual(self.audit(), red)
            redis("HSET", key, "a", lead_hash.packed(self.lead.newest))
            redis("HSET", "chaos:{0}:lead:nobody", "score", "0", "a", lead_hash.packed(0))
            self.assertEqual(self.audit(), red)
            redis("DEL", "chaos:{0}:lead:nobody")

    def test_1b_a_counter_that_differs_is_missing_or_too_many_is_red(self):
        red = ["every counter of every day equals the reference"]
        self.assertGreater(len(self.scorer.cells), 300)
        self.assertGreater(len(self.scorer.spend), 5)
        spent = {key[0] for key in self.scorer.spend}
        key = next(key for key, amount in self.scorer.cells.items() if amount and key[2] == "sql" and key[0] in spent)
        field = f"chaos:{{{key[0]}}}:days"
        with self.world.redis.client() as redis:
            before = redis("HGET", field, key[1])
            spend = redis("HGET", field, "spend")
            for name, value in ((key[1], before[:-1] + bytes([before[-1] ^ 2])), (key[1], packed_day([], {})),
                                (key[1] + 1000, before), ("spend", spend[:-1] + bytes([spend[-1] ^ 2]))):
                redis("HSET", field, name, value)
                self.assertEqual(self.audit(), red, name)
                redis("HSET", field, key[1], before)
                redis("HSET", field, "spend", spend)
                redis("HDEL", field, key[1] + 1000)
            words = f"chaos:{{{key[0]}}}:words"
            number, text = redis("HGETALL", words)[:2]
            redis("HDEL", words, number)            # days that are ahead of their words
            self.assertEqual(self.audit(), red)
            redis("HSET", words, number, text)
        self.assertEqual(self.audit(), [])

    def test_4_who_is_gone_and_is_still_there_is_red(self):
        seen = {match.decode().lower() for record in self.records.values()
                for match in leftovers.PERSONAL.findall(record.value or b"")}
        gone = min(text for text in seen - leftovers.living_texts(self.scorer) if text.startswith("lead-"))
        with self.world.redis.client() as redis:
            for command, field in ((("HSET", "chaos:{0}:unit", "x:0123456789abcdef", gone), "x:0123456789abcdef"),
                                   (("HSET", "chaos:{0}:unit", gone, "1"), gone),
                                   (("SET", "chaos:{0}:x", "p/" + 64 * "0"), None),
                                   (("RPUSH", "chaos:{0}:texts", "/pricing", " Person-999999@X.example"), None)):
                redis(*command)
                self.assertEqual(self.audit(), [GONE])
                redis(*(("DEL", command[1]) if field is None else ("HDEL", command[1], field)))
            key = self.key(gone)            # an emptied lead that nobody has removed
            redis("HSET", key, "score", "0", "stage", "lead", "updated", "0", "a", "x")
            self.assertEqual(self.audit(), [STATE, GONE])
            redis("DEL", key)
            key = self.key(self.lead.id)    # a text over two chunks of another's state
            told = lead_hash.packed(self.lead.newest)
            redis("HSET", key, "a", told + gone[:5].encode(), "b", gone[5:] + "xx")
            self.assertEqual(self.audit(), [GONE])
            redis("HSET", key, "a", told)
            redis("HDEL", key, "b")

    def test_5_a_promotion_twice_is_red(self):
        self.producer.begin_transaction()
        self.publish("promotions", self.promotion)
        self.producer.commit_transaction()
        self.assertEqual(self.audit(), ["each promotion once, none else"])

    def test_6_each_kind_of_record_that_is_missing_twice_or_wrong_is_red(self):
        for what, which, change in (("promotion", "promotions", None), ("stage change", "stages", None),
                                    *((what, "stages", change) for change, what in auditor.NOTICES)):
            def one_of(ones, of):
                return next(n for n, one in enumerate(ones) if of != which or one.record.get("change") == change)

            def without(of, ones):
                return ones if of != which else ones[:one_of(ones, of)] + ones[one_of(ones, of) + 1:]

            def twice(of, ones):
                return ones if of != which else ones + [ones[one_of(ones, of)]]

            def changed(**fields):
                def edit(of, ones):
                    if of != which:
                        return ones
                    n = one_of(ones, of)
                    return ones[:n] + [Published(of, {**ones[n].record, **fields}, ones[n].record)] + ones[n + 1:]
                return edit

            once, content = f"each {what} once, none else", f"each {what} says what it should"
            self.assertEqual(self.outputs(without), [once])
            self.assertEqual(self.outputs(twice), [once])
            self.assertEqual(self.outputs(changed(score=-7777)), [content])
            self.assertEqual(self.outputs(changed(stage="nowhere")), [once] if change is None else [content])
            if change is None:
                continue
            own = {"ignored": "report", "adjusted": "by", "merged": "other", "erased": "stage_offset"}[change]
            self.assertEqual(self.outputs(changed(**{own: "somebody-else"})), [content])
            self.assertEqual(self.outputs(changed(why=None if change == "ignored" else "so")), [content])
            self.assertIn(once, self.outputs(changed(lead_id="somebody-else")))     # a receipt: another's proof

    def test_7_a_hop_that_nobody_asked_for_is_red(self):
        hops = [entry for entry in self.entries() if entry.headers]
        for kind in (b"transfer", b"merge", b"erase", None):
            entry = next(one for one in hops if dict(one.headers).get("baton-own") == kind)
            log = self.entries()
            last = max(one.record.offset for one in log if one.record.partition == entry.record.partition)
            log.append(entry._replace(record=entry.record._replace(offset=last + 1)))
            fold = auditor.fold(self.world.agreement, log, self.events, PARTITIONS, identity=IDENTITY)
            self.assertIn("nothing is the cause", fold.wrong[0])
            place = (entry.record.partition, entry.record.offset)
            rest = [one for one in log[:-1] if (one.record.partition, one.record.offset) != place]
            fold = auditor.fold(self.world.agreement, rest, self.events, PARTITIONS, identity=IDENTITY)
            self.assertIn("is not in the log", " ".join(fold.wrong))

    def test_8_a_dead_letter_twice_is_red(self):
        self.producer.begin_transaction()
        self.bury(*self.dead)
        self.producer.commit_transaction()
        self.assertIn("each dead letter once, none else", self.audit())

    def test_9_what_is_missing_or_differs_is_red(self):
        self.assertIn("missing", auditor.compare_transitions("promotion", [self.promotion], [], {})[0][0])
        self.assertIn("missing", auditor.compare_dead([self.dead], [], [])[0][0])
        self.assertEqual(auditor.first_difference({"score": 1}, {"score": 2}), "score: expected 1, found 2")

    def test_a_message_of_baton_too_many_in_the_log_is_red(self):
        entry = next(one for one in self.entries() if dict(one.headers).get("baton-own") == b"erase")
        producer = Producer({"bootstrap.servers": self.world.brokers, "enable.idempotence": True})
        producer.produce(self.events, entry.record.value, entry.record.key, entry.record.partition, headers=entry.headers)
        producer.flush(10)
        self.assertEqual(self.audit()[0], WRITTEN)


class Published:
    """A message as a reader gets it."""

    def __init__(self, which, record, original=None):
        original = original or record
        self.record, self.which = record, which
        name = "/".join(quote(str(part), safe="") for part in auditor.name_of(record))
        kind = "baton.promotion" if which == "promotions" else auditor.STAGE_TYPES[original.get("change")]
        self.made = {"ce_id": name.encode(), "ce_type": kind.encode()}
        if record.get("why") is None and original.get("change") == "ignored" and record is original:
            self.record = {**record, "why": "so"}

    def value(self):
        return json.dumps(self.record).encode()

    def key(self):
        return self.record["lead_id"].encode()

    def headers(self):
        return list(self.made.items())

    def topic(self):
        return self.which

    def partition(self):
        return 0

    def offset(self):
        return 0


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - bad)} passed, {bad} failed")
    sys.exit(1 if bad else 0)
