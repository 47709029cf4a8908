"""What must come out, from what was acknowledged: `load --truth FILE` writes lead,visits,clicks,form_fills."""

import csv

from stack import Failed

POINTS = {"visits": 1, "clicks": 3, "form_fills": 10}       # bench/agreements/simple.yaml
PROMOTED_AT = 100


class Truth:
    def __init__(self, path):
        self.events, self.scores = 0, {}
        with open(path, encoding="ascii", newline="") as file:
            for row in csv.DictReader(file):
                counts = {name: int(row[name]) for name in POINTS}
                self.events += sum(counts.values())
                self.scores[row["lead"]] = sum(counts[name] * points for name, points in POINTS.items())
        self.promoted = {lead for lead, score in self.scores.items() if score >= PROMOTED_AT}

    def __len__(self):
        return len(self.scores)


def some(leads, most=3):
    """A few names for a message."""
    leads = sorted(leads)
    return ", ".join(leads[:most]) + (f" and {len(leads) - most} more" if len(leads) > most else "")


def read_keys(stack, topic):
    """The keys of all messages that a reader with read_committed sees, one per message."""
    from confluent_kafka import Consumer, KafkaError, TopicPartition
    consumer = Consumer({"bootstrap.servers": stack.brokers, "group.id": "bench-reader", "log_level": 0,
                         "isolation.level": "read_committed", "enable.auto.commit": False,
                         "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    places = set(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, 0) for number in places])
    keys, silent = [], 0
    while places:
        messages = consumer.consume(5000, 0.5)
        silent = 0 if messages else silent + 1
        if silent > 60:
            raise Failed(f"topic {topic} has no end")
        for message in messages:
            if message.error() is None:
                keys.append(message.key().decode())
            elif message.error().code() == KafkaError._PARTITION_EOF:
                places.discard(message.partition())
            else:
                raise Failed(f"topic {topic}: {message.error()}")
    consumer.close()
    return keys


def check_promotions(who, keys, promoted, exactly_once):
    published = set(keys)
    if promoted - published:
        raise Failed(f"{who} did not promote {some(promoted - published)}")
    if published - promoted:
        raise Failed(f"{who} promoted {some(published - promoted)}, who should not be")
    if exactly_once and len(keys) != len(published):
        raise Failed(f"{who} published {len(keys) - len(published)} promotions twice")


def read_scores(redis, keys, field="score", batch=5000):
    """Field `score` of these hashes, None where there is none."""
    scores = []
    for begin in range(0, len(keys), batch):
        scores += redis.pipeline([("HGET", key, field) for key in keys[begin:begin + batch]])
    return scores


BATON_SCORE_MAX = 1_000_000     # docs/scoring.md: scores saturate there


def check_scores(who, found, scores):
    """found: lead -> the text in Redis."""
    if who.startswith("baton"):
        scores = {lead: min(score, BATON_SCORE_MAX) for lead, score in scores.items()}
    missing = [lead for lead in scores if lead not in found]
    if missing:
        raise Failed(f"{who} left no score of {some(missing)} in Redis")
    wrong = [lead for lead, text in found.items() if float(text or "nan") != scores.get(lead)]
    if wrong:
        lead = sorted(wrong)[0]
        raise Failed(f"{who} scored {len(wrong)} leads wrong: {lead} has {found[lead]}, should be {scores.get(lead)}")
