#!/usr/bin/env python3
"""Reads what a run left behind and says what is wrong with it. Shares no code with baton.

What must be there is computed from the input topic by the reference scorer (tests/reference). Topics are read
`read_committed`. `audit()` gives [(check, [what is wrong])]; by hand:

    auditor.py --config baton.yaml --redis SOCKET        the same for a baton.yaml with output.format json
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, TopicPartition

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
import agreement as agreements  # noqa: E402
from messages import Options, Record, Rejected, milliseconds  # noqa: E402
from scorer import Scorer  # noqa: E402

from resp import Redis  # noqa: E402

SHOWN = 6


# --- reading ----------------------------------------------------------------------------------------------------------

def read_topic(brokers, topic, seconds=120):
    """Every message that a reader with isolation.level=read_committed gets, by partition in order."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "auditor", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "enable.partition.eof": True,
                         "auto.offset.reset": "error", "fetch.wait.max.ms": 50,
                         "queued.min.messages": 1000000})
    try:
        partitions = sorted(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        starts = [consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[0] for number in partitions]
        consumer.assign([TopicPartition(topic, number, start) for number, start in zip(partitions, starts)])
        messages, ended, deadline = [], set(), time.monotonic() + seconds
        while len(ended) < len(partitions):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{topic}: no end of partitions {sorted(set(partitions) - ended)} in {seconds} s; "
                                   "is a transaction open?")
            for message in consumer.consume(5000, 0.1):
                if message.error() is None:
                    messages.append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise KafkaException(message.error())
        return messages
    finally:
        consumer.close()


def records_of(messages):
    """Input messages as the reference scorer takes them."""
    records = []
    for message in messages:
        kind, timestamp = message.timestamp()
        records.append(Record(message.partition(), message.offset(),
                              None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp, message.key(), message.value()))
    records.sort(key=lambda record: (record.partition, record.offset))
    return records


def headers_of(message):
    return {name: (value or b"").decode(errors="replace") for name, value in message.headers() or ()}


# --- what must be there -----------------------------------------------------------------------------------------------

def fold(agreement_text, records, topic, switches=(), unknown_schemas=(), options=Options()):
    """The reference's scorer after all records; `since` are the leads with an event under the last agreement. `switches`: [(text, {partition: first offset under it})];
    `unknown_schemas`: registry ids whose messages are dead letters for good."""
    scorer = Scorer(agreement_text, options, topic)
    stages = [(scorer.agreement, {})] + [(agreements.load(text), first) for text, first in switches]
    current, partition = 0, None
    scorer.since = set()
    for record in records:
        if record.partition != partition:
            partition, current = record.partition, 0
            scorer.agreement = stages[0][0]
        while current + 1 < len(stages) and record.offset >= stages[current + 1][1].get(partition, 1 << 62):
            current += 1
            scorer.agreement = stages[current][0]
            for lead in scorer.leads.values():          # fit is priced anew under another agreement
                lead.fit_held = None
        value = record.value
        if value and value[:1] == b"\x00" and len(value) >= 5:
            if int.from_bytes(value[1:5], "big") not in unknown_schemas:
                raise RuntimeError("the auditor reads JSON and unknown schemas only")
            record = record._replace(value=Rejected("unknown_schema"))
        events = scorer.events
        scorer.take(record)
        if current + 1 == len(stages) and scorer.events > events:
            scorer.since.add(record.key.decode())
    return scorer


# --- comparing --------------------------------------------------------------------------------------------------------

def plain(value):
    """Times as milliseconds, numbers exact, so that only content is compared."""
    if isinstance(value, dict):
        return {name: (milliseconds(item) if name == "time" else plain(item)) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


def first_difference(wanted, got, path=""):
    """Where the two differ, of what the reference tells; what only the program tells is not judged here."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name, value in wanted.items():
            found = first_difference(value, got.get(name), f"{path}.{name}")
            if found:
                return found
        return None
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, value in enumerate(wanted):
            found = first_difference(value, got[index], f"{path}[{index}]")
            if found:
                return found
        return None
    return None if wanted == got else f"{path.lstrip('.')}: expected {wanted!r}, found {got!r}"


def compare_transitions(what, wanted, messages):
    """Each expected transition once, by (lead, generation, stage), and none else; with the content expected."""
    wrong, content = [], []
    expected = {(item["lead_id"], item["generation"], item["stage"]): item for item in wanted}
    seen = Counter()
    for message in messages:
        at = f"{message.topic()} [{message.partition()}] {message.offset()}"
        try:
            value = json.loads(message.value(), parse_float=Decimal)
            key = (value["lead_id"], value["generation"], value["stage"])
        except (ValueError, KeyError, TypeError) as error:
            wrong.append(f"{at}: not a {what}: {error!r}")
            continue
        seen[key] += 1
        headers = headers_of(message)
        ce_id = f"{quote(key[0], safe='')}/{key[1]}/{key[2]}"
        if (message.key() or b"").decode(errors="replace") != key[0] or headers.get("ce_id") != ce_id:
            content.append(f"{at}: key {message.key()!r} and ce_id {headers.get('ce_id')!r} of {ce_id}")
        if key in expected:
            found = first_difference(plain(expected[key]), plain(value))
            if found:
                content.append(f"{at}: {key}: {found}")
    wrong += [f"{what} {key} is there {count} times" for key, count in seen.items() if count > 1]
    wrong += [f"{what} {key} should not be there" for key in seen if key not in expected]
    wrong += [f"{what} {key} (partition {item['partition']}, offset {item['offset']}) is missing"
              for key, item in expected.items() if key not in seen]
    return wrong, content


def compare_dead(wanted, messages, records):
    wrong, content = [], []
    expected = {(partition, offset): reason for partition, offset, reason in wanted}
    originals = {(record.partition, record.offset): record for record in records}
    seen = Counter()
    for message in messages:
        headers = headers_of(message)
        try:
            key = (int(headers["baton_partition"]), int(headers["baton_offset"]))
        except (KeyError, ValueError):
            wrong.append(f"{message.topic()} [{message.partition()}] {message.offset()}: no position in its headers")
            continue
        seen[key] += 1
        if key in expected and headers.get("baton_reason") != expected[key]:
            content.append(f"dead letter {key}: expected {expected[key]}, found {headers.get('baton_reason')}")
        if key in originals and ((message.value() or b"") != (originals[key].value or b"")
                                 or (message.key() or b"") != (originals[key].key or b"")):
            content.append(f"dead letter {key}: its key or value is not that of the message")
    wrong += [f"dead letter {key} is there {count} times" for key, count in seen.items() if count > 1]
    wrong += [f"dead letter {key} should not be there" for key in seen if key not in expected]
    wrong += [f"dead letter {key} ({reason}) is missing" for key, reason in expected.items() if key not in seen]
    return wrong, content


def compare_redis(leads, partitions_of, socket, prefix):
    """The fields for people of every lead's hash, found by a scan, beside the reference."""
    wrong = []
    found = {}
    with Redis(socket, 60) as redis:
        keys = list(redis.scan(f"{prefix}:{{*}}:lead:*"))
        for start in range(0, len(keys), 1000):
            part = keys[start:start + 1000]
            for key, fields in zip(part, redis.pipeline([("HMGET", key, "score", "stage", "updated") for key in part])):
                unit, _, lead = key[len(prefix) + 2:].partition(b"}:lead:")
                if lead in found:
                    wrong.append(f"lead {lead.decode()} has two hashes")
                found[lead] = (int(unit), [None if field is None else field.decode() for field in fields])
    for lead_id, lead in leads.items():
        entry = found.pop(lead_id.encode(), None)
        if entry is None:
            wrong.append(f"lead {lead_id} is not in Redis")
            continue
        unit, (score, stage, updated) = entry
        if unit != partitions_of[lead_id]:
            wrong.append(f"lead {lead_id} is in unit {unit}, its events are in {partitions_of[lead_id]}")
        wanted = (Decimal(lead.score) / 100, lead.stage, lead.newest)
        try:
            got = (Decimal(score), stage, milliseconds(int(updated) if (updated or "").isdigit() else updated))
        except (TypeError, ArithmeticError):
            got = (score, stage, updated)
        if got != wanted:
            wrong.append(f"lead {lead_id}: expected score, stage, newest {wanted}, Redis has {got}")
    wrong += [f"lead {lead.decode(errors='replace')} is in Redis, and no event of it was readable" for lead in found]
    return wrong


def compare_shown(binary, config, scorer, leads, rand, number=8, environment=None):
    """A sample by `baton show`: also what is packed in Redis is right."""
    wrong = []
    for lead_id in rand.sample(sorted(leads), min(number, len(leads))):
        lead = leads[lead_id]
        done = subprocess.run([binary, "show", "-c", str(config), lead_id, "--json", "--at", "newest"],
                              capture_output=True, text=True, timeout=60, env=environment)
        try:
            shown = json.loads(done.stdout, parse_float=Decimal)
        except ValueError:
            wrong.append(f"baton show {lead_id}: exit code {done.returncode}, {(done.stdout + done.stderr)[-200:]!r}")
            continue
        wanted = {"lead_id": lead_id, "score": Decimal(lead.score) / 100, "fit": Decimal(lead.fit) / 100,
                  "behaviour": Decimal(lead.behaviour) / 100, "stage": lead.stage,
                  "events": Decimal(lead.events), "conversions": Decimal(lead.conversions)}
        found = first_difference(wanted, plain(shown))
        if found:
            wrong.append(f"baton show {lead_id}: {found}")
    return wrong


def audit(brokers, topic, agreement_text, socket, prefix, binary=None, config=None, environment=None, sent=None,
          switches=(), unknown_schemas=(), seed=0):
    """`topic(which)` names events, promotions, stages, dead. [(check, [what is wrong])], and the scorer."""
    records = records_of(read_topic(brokers, topic("events")))
    scorer = fold(agreement_text, records, topic("events"), switches, unknown_schemas)
    result = scorer.result()
    checks = []
    if sent is not None:
        checks.append(("every acknowledged message is in the log",
                       [] if len(records) == sent else [f"{sent} sent, {len(records)} in the log"]))
    for what, which, wanted in (("promotion", "promotions", result["promotions"]),
                                ("stage change", "stages", result["stages"])):
        wrong, content = compare_transitions(what, wanted, read_topic(brokers, topic(which)))
        checks.append((f"each {what} once, none else ({len(wanted)})", wrong))
        checks.append((f"each {what} says what it should", content))
    wrong, content = compare_dead(result["dead"], read_topic(brokers, topic("dead")), records)
    checks.append((f"each dead letter once, none else ({len(result['dead'])})", wrong))
    checks.append(("each dead letter with its reason and bytes", content))
    partitions_of = {}
    for record in records:
        if record.key is not None:
            partitions_of.setdefault(record.key.decode(errors="replace"), record.partition)
    checks.append((f"scores and stages in Redis equal the reference ({len(scorer.leads)} leads)",
                   compare_redis(scorer.leads, partitions_of, socket, prefix)))
    if binary:
        # a lead without an event under the last agreement would be shown under its prices
        leads = {lead_id: lead for lead_id, lead in scorer.leads.items() if lead_id in scorer.since}
        checks.append(("a sample of leads by `baton show`",
                       compare_shown(binary, config, scorer, leads, random.Random(seed), environment=environment)))
    return checks, scorer


def report(name, checks):
    """Prints the checks; (passed, failed)."""
    failed = 0
    for check, wrong in checks:
        print(f"{'FAIL' if wrong else 'ok  '} {name}: {check}", flush=True)
        for text in wrong[:SHOWN]:
            print(f"      FAIL {text}"[:600], flush=True)
        if len(wrong) > SHOWN:
            print(f"      … and {len(wrong) - SHOWN} more", flush=True)
        failed += bool(wrong)
    return len(checks) - failed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="baton.yaml, output.format json")
    parser.add_argument("--redis", required=True, help="unix socket")
    options = parser.parse_args()
    from ruamel.yaml import YAML
    path = Path(options.config)
    config = YAML(typ="safe", pure=True).load(path.read_text())
    names = {"events": "lead-events", "promotions": "lead-promotions", "stages": "lead-stages",
             "dead": "lead-events-dead", **config.get("topics", {})}
    text = (path.parent / config.get("agreement", "agreement.yaml")).read_text()
    checks, _ = audit(config["kafka"]["brokers"], names.get, text, options.redis,
                      config.get("redis", {}).get("prefix", "baton"), os.environ.get("BATON_BIN"), path)
    passed, failed = report("audit", checks)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
