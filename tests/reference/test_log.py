#!/usr/bin/env python3
"""The reference on logs in which baton's own messages lie: written here from what the reference sends, at any moment."""

import json
import random
import sys
import unittest
import zlib

from log import Entry, LogScorer, fold_log
from log_writer import LogWriter
from messages import Options, Record
from persons import Identity
from test_reference import NOON, event
from test_words import ALL, VISITS, said, text_of

PARTITIONS = 3
GATES_AND_VISITS = text_of(VISITS)


def place(lead_id):
    return zlib.crc32(lead_id.encode()) % PARTITIONS


class Writer(LogWriter):
    def __init__(self, agreement, seed=0, identity=None):
        super().__init__(agreement, PARTITIONS, seed, Options(identity=identity), words=ALL)

    def again(self, entries=None):
        """Another one reads the log."""
        scorer = LogScorer(GATES_AND_VISITS, self.scorer.options, words=ALL, partitions=PARTITIONS)
        scorer.agreement = self.scorer.agreement
        return fold_log(scorer, self.entries() if entries is None else entries)


def of(lead_id, one):
    return {**one, "lead_id": lead_id}


# Three ids that live in three partitions.
IDS = {}
for number in range(99):
    IDS.setdefault(place(f"id{number}"), f"id{number}")
A, B, C = sorted(IDS.values())


def crossing(seed=0, more=()):
    """A and B are merged into each other, and neither unit knows of it."""
    writer = Writer(GATES_AND_VISITS, seed)
    writer.send(of(A, event(1)), of(B, event(2)), of(A, said(3, "merge", into=B)), of(B, said(4, "merge", into=A)))
    writer.run(place(A), 2)
    writer.run(place(B), 2)
    writer.send(*more)
    return writer.run()


class Circles(unittest.TestCase):
    def test_merges_that_cross_end_at_the_smallest_id(self):
        for seed in range(20):
            writer = crossing(seed, [of(A, event(5)), of(B, event(6))])
            leads = writer.scorer.result()["leads"]
            self.assertEqual((leads[A]["score"], leads[B]), (40, {"lead_id": B, "merged_into": A}))
            self.assertEqual([reason for _, _, reason in writer.scorer.dead], ["merge_cycle"])
            again = writer.again()
            self.assertEqual((again.wrong, again.result()["leads"]), ([], leads))

    def test_three_in_a_circle(self):
        for seed in range(40):
            writer = Writer(GATES_AND_VISITS, seed)
            for n, (one, into) in enumerate(((A, B), (B, C), (C, A))):
                writer.send(of(one, event(n)), of(one, said(n, "merge", into=into)))
            for one in (A, B, C):
                writer.run(place(one), 2)
            writer.send(*[of(one, event(n + 9)) for n, one in enumerate((A, B, C))])
            leads = writer.run().scorer.result()["leads"]
            self.assertEqual((leads[A]["score"], len(writer.scorer.dead)), (60, 1))
            self.assertEqual(writer.again().wrong, [])

    def test_a_chain_in_any_order(self):
        for seed in range(40):
            writer = Writer(GATES_AND_VISITS, seed)
            for n, one in enumerate((A, B, C)):
                writer.send(of(one, event(n)))
            writer.send(of(A, said(2, "merge", into=B)), of(B, said(3, "merge", into=C)), of(A, event(4)))
            leads = writer.run().scorer.result()["leads"]
            self.assertEqual(leads[C]["score"], 40)
            self.assertEqual(writer.again().wrong, [])


class Persons(unittest.TestCase):
    def test_an_erasure_reaches_every_id(self):
        for seed in range(40):
            writer = Writer(GATES_AND_VISITS, seed)
            writer.send(of(A, event(1)), of(B, event(2)), of(A, said(3, "merge", into=B)))
            writer.run()
            writer.send(of(writer.random.choice((A, B)), said(5, "erase", NOON + 9)), of(A, event(6)), of(B, event(7)))
            scorer = writer.run().scorer
            self.assertEqual((scorer.leads, [n["change"] for n in scorer.notices]), ({}, ["merged", "erased", "erased"]))
            again = writer.again()
            self.assertEqual((again.wrong, again.erasing, again.transfers), ([], 1, 1))

    def test_a_form_says_who_it_is(self):
        identity = Identity("email", "sha256", "p/")
        writer = Writer(GATES_AND_VISITS, identity=identity)
        form = event(1, kind="form_fill", fields={"email": " Ana@X.example\t"})
        writer.send(of(A, event(0)), of(A, form))
        writer.run()
        writer.send(of(A, event(2)))
        leads = writer.run().scorer.result()["leads"]
        ana = "p/e4aeae0defb89ddde363fa71945f539402251f932f6262d8b20b40b48f93ef66"
        self.assertEqual((leads[ana]["score"], leads[A]), (20, {"lead_id": A, "merged_into": ana}))
        again = writer.again()
        self.assertEqual((again.wrong, again.identities, again.passed_on), ([], 1, 1))


class Judging(unittest.TestCase):
    """What is not as it should be is seen."""

    def setUp(self):
        self.writer = crossing(1, [of(A, event(5)), of(B, event(6)), of(B, event(7))])
        self.entries = self.writer.entries()
        self.own = [n for n, entry in enumerate(self.entries) if entry.headers]

    def judged(self, entries):
        """Offsets as they would be."""
        counts = [0] * PARTITIONS
        made = []
        for entry in entries:
            p = entry.record.partition
            made.append(entry._replace(record=entry.record._replace(offset=counts[p])))
            counts[p] += 1
        return self.writer.again(made).wrong

    def test_as_it_is_nothing_is_wrong(self):
        self.assertEqual(self.judged(self.entries), [])
        self.assertGreater(len(self.own), 4)

    def test_each_that_is_missing(self):
        for n in self.own:
            self.assertIn("is not in the log", " ".join(self.judged(self.entries[:n] + self.entries[n + 1:])))

    def test_each_that_is_there_twice(self):
        for n in self.own:
            self.assertIn("nothing is the cause", " ".join(self.judged(self.entries[:n] + self.entries[n:n + 1] +
                                                                       self.entries[n:])))

    def test_each_in_another_partition(self):
        for n in self.own:
            record = self.entries[n].record
            other = (record.partition + 1) % PARTITIONS
            moved = self.entries[n]._replace(record=record._replace(partition=other))
            self.assertIn("lives in", " ".join(self.judged(self.entries[:n] + self.entries[n + 1:] + [moved])))

    def test_each_header_and_each_part_of_a_value(self):
        for n in self.own:
            entry = self.entries[n]
            for index, (name, value) in enumerate(entry.headers):
                headers = list(entry.headers)
                headers[index] = (name, value + b"x")
                self.assertNotEqual(self.judged(self.entries[:n] + [entry._replace(headers=headers)] +
                                                self.entries[n + 1:]), [])
            message = json.loads(entry.record.value)
            for name, value in message.items():
                changed = {**message, name: value + 1 if name == "time" else "" if name == "state" else "x" + value}
                if name in ("kind", "by") and dict(entry.headers).get("baton-own"):
                    continue                    # the header says which kind it is
                record = entry.record._replace(value=json.dumps(changed).encode())
                self.assertNotEqual(self.judged(self.entries[:n] + [entry._replace(record=record)] +
                                                self.entries[n + 1:]), [], (name, entry))

    def test_two_that_changed_places(self):
        writer = Writer(GATES_AND_VISITS)
        writer.send(of(A, said(3, "merge", into=B)))
        writer.run()
        writer.send(*[of(A, event(n)) for n in range(4)])
        log = writer.run().log[place(B)]
        self.assertEqual(writer.again().wrong, [])
        for one in range(len(log) - 1):
            log[one:one + 2] = [log[one + 1]._replace(record=log[one + 1].record._replace(offset=one)),
                                log[one]._replace(record=log[one].record._replace(offset=one + 1))]
            self.assertIn("behind what was sent there later", " ".join(writer.again().wrong))
            log[one:one + 2] = [log[one + 1]._replace(record=log[one + 1].record._replace(offset=one)),
                                log[one]._replace(record=log[one].record._replace(offset=one + 1))]

    def test_a_recheck_lies_with_its_lead(self):
        writer = Writer(GATES_AND_VISITS)
        writer.send(of(A, event(1)))
        recheck = json.dumps({"kind": "recheck", "event_id": "r", "lead_id": A, "time": NOON}).encode()
        for partition, wrong in ((place(A), 0), (place(B), 1)):
            log = writer.entries() + [Entry(Record(partition, 9, NOON, A.encode(), recheck), [("baton-own", b"recheck")])]
            self.assertEqual(len(writer.again(log).wrong), wrong)


class Order(unittest.TestCase):
    """Whatever the order between the partitions, and whenever two ids are found to be one: the points are the same."""
    RULES = "behaviour: [{id: v, event: visit, points: 10}, {id: w, event: visit, points: 3, while: {times: 3, within: " \
        "7d}}, {id: e, event: click, points: 5, at_most: {times: 2, per: ever}}]"

    def test_merges_that_come_at_any_time(self):
        text = text_of(self.RULES, "fit: [{id: f, where: {country: BR}, points: 4}]")
        for seed in range(30):
            rng = random.Random(seed)
            acts = [of(rng.choice((A, B, C)), event(n, NOON + rng.randrange(3) * 86_400_000,
                                                    rng.choice(("visit", "visit", "click")))) for n in range(12)]
            acts += [of(one, event(20 + n, NOON + n, "profile", country=country))
                     for n, (one, country) in enumerate(((A, "DE"), (B, "BR"), (C, "FR"), (A, "BR")))]
            acts += [of(A, said(30, "merge", into=B)), of(B, said(31, "merge", into=C))]
            found = set()
            for order in range(6):
                writer = Writer(text, order)
                rng.shuffle(acts)
                for act in acts:
                    writer.send(act)
                    writer.run(times=writer.random.choice((0, 0, 1, 5)))
                lead = writer.run().scorer.result()["leads"][C]
                found.add((lead["score"], lead["fit"], lead["behaviour"], lead["conversions"]))
            self.assertEqual(len(found), 1, (seed, found))

    def test_an_erasure_wins_over_all_that_is_older(self):
        for seed in range(60):
            rng = random.Random(seed)
            acts = [of(rng.choice((A, B)), event(n, NOON - rng.randrange(1000))) for n in range(8)]
            acts += [of(A, said(30, "merge", NOON - rng.randrange(1000), into=B))]
            erase = of(rng.choice((A, B)), said(40, "erase", NOON))
            writer = Writer(GATES_AND_VISITS, seed)
            acts.insert(rng.randrange(len(acts) + 1), erase)
            for act in acts:
                writer.send(act)
                writer.run(times=writer.random.choice((0, 1, 5)))
            left = writer.run().scorer.result()["leads"]
            self.assertNotIn(erase["lead_id"], left)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    bad = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - bad - len(result.skipped))} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
