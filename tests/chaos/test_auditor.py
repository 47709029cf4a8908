#!/usr/bin/env python3
"""The auditor itself: green on what the reference says, red on each kind of mistake."""
import os
import sys
import unittest
from decimal import Decimal

from confluent_kafka import Producer

import auditor
from load import Load
from world import World


def points(hundredths):
    return str(Decimal(hundredths) / 100)


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["BATON_TEST_KAFKA"], "auditor", partitions=3)
        load = Load(cls.world.brokers, cls.world.topic("events"), 1, 40, 0.05)
        load.send(1500)
        load.stop()
        cls.sent = load.sent
        cls.records = auditor.records_of(auditor.read_topic(cls.world.brokers, cls.world.topic("events")))
        cls.scorer = auditor.fold(cls.world.agreement, cls.records, cls.world.topic("events"))
        result = cls.scorer.result()
        cls.producer = Producer({"bootstrap.servers": cls.world.brokers, "transactional.id": cls.world.name})
        cls.producer.init_transactions(10)
        cls.producer.begin_transaction()
        for change in result["stages"]:
            cls.publish("stages", change)
        for change in result["promotions"]:
            cls.publish("promotions", change)
        for dead in result["dead"]:
            cls.bury(*dead)
        cls.producer.commit_transaction()
        partitions = {record.key.decode(): record.partition for record in cls.records if record.key}
        with cls.world.redis.client() as redis:
            for lead in cls.scorer.leads.values():
                redis("HSET", f"chaos:{{{partitions[lead.id]}}}:lead:{lead.id}", "score", points(lead.score),
                      "stage", lead.stage, "updated", lead.newest)
        cls.promotion = result["promotions"][0]
        cls.stage = result["stages"][0]
        cls.dead = result["dead"][0]
        cls.lead = next(iter(cls.scorer.leads.values()))
        cls.hash = f"chaos:{{{partitions[cls.lead.id]}}}:lead:{cls.lead.id}"

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    @classmethod
    def publish(cls, which, change, **changes):
        import json
        change = {**change, **changes}
        cls.producer.produce(cls.world.topic(which), json.dumps(change), change["lead_id"],
                             headers={"ce_id": f"{change['lead_id']}/{change['generation']}/{change['stage']}"})

    @classmethod
    def bury(cls, partition, offset, reason):
        record = next(r for r in cls.records if (r.partition, r.offset) == (partition, offset))
        cls.producer.produce(cls.world.topic("dead"), record.value, record.key,
                             headers={"baton_reason": reason, "baton_partition": str(partition),
                                      "baton_offset": str(offset)})

    def audit(self):
        checks, _ = auditor.audit(self.world.brokers, self.world.topic, self.world.agreement, self.world.redis.path,
                                  "chaos", sent=self.sent)
        return [check.split(" (")[0] for check, wrong in checks if wrong]

    def test_1_it_is_green_on_what_the_reference_says(self):
        self.assertGreater(self.scorer.result()["promotions"].__len__(), 3)
        self.assertGreater(len(self.scorer.result()["dead"]), 10)
        self.assertEqual(self.audit(), [])

    def test_2_what_was_aborted_is_not_there(self):
        self.producer.begin_transaction()
        self.publish("promotions", self.promotion)
        self.producer.flush()
        self.producer.abort_transaction()
        self.assertEqual(self.audit(), [])

    def test_3_a_wrong_score_or_a_lost_lead_in_redis_is_red(self):
        red = ["scores and stages in Redis equal the reference"]
        with self.world.redis.client() as redis:
            redis("HSET", self.hash, "score", points(self.lead.score + 1))
            self.assertEqual(self.audit(), red)
            redis("DEL", self.hash)
            self.assertEqual(self.audit(), red)
            redis("HSET", self.hash, "score", points(self.lead.score), "stage", self.lead.stage, "updated",
                  self.lead.newest)
            redis("HSET", "chaos:{0}:lead:nobody", "score", "0", "stage", "lead", "updated", "0")
            self.assertEqual(self.audit(), red)
            redis("DEL", "chaos:{0}:lead:nobody")

    def test_4_a_promotion_twice_is_red(self):
        self.producer.begin_transaction()
        self.publish("promotions", self.promotion)
        self.producer.commit_transaction()
        self.assertEqual(self.audit(), ["each promotion once, none else"])

    def test_5_a_stage_that_nobody_reached_is_red(self):
        self.producer.begin_transaction()
        self.publish("stages", self.stage, lead_id="somebody-else")
        self.producer.commit_transaction()
        self.assertIn("each stage change once, none else", self.audit())

    def test_6_a_dead_letter_twice_is_red(self):
        self.producer.begin_transaction()
        self.bury(*self.dead)
        self.producer.commit_transaction()
        self.assertIn("each dead letter once, none else", self.audit())

    def test_7_what_is_missing_or_differs_is_red(self):
        wanted = [self.promotion]
        self.assertIn("missing", auditor.compare_transitions("promotion", wanted, [])[0][0])
        self.assertIn("missing", auditor.compare_dead([self.dead], [], self.records)[0][0])
        self.assertEqual(auditor.first_difference({"score": 1}, {"score": 2}), "score: expected 1, found 2")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - bad)} passed, {bad} failed")
    sys.exit(1 if bad else 0)
