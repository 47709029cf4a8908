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
import zlib
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, unquote

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, TopicPartition

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
import agreement as agreements  # noqa: E402
import lead_hash  # noqa: E402
from log import entries_of, fold_log, is_own  # noqa: E402
from messages import Options, Rejected, milliseconds  # noqa: E402
from pact import CountingScorer  # noqa: E402
from persons import Identity  # noqa: E402

import counted  # noqa: E402
import leftovers  # noqa: E402

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


def partition_count(brokers, topic):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "auditor"})
    try:
        return len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
    finally:
        consumer.close()


def headers_of(message):
    return {name: (value or b"").decode(errors="replace") for name, value in message.headers() or ()}


# --- what must be there -----------------------------------------------------------------------------------------------

def fold(agreement_text, entries, topic, partitions, switches=(), unknown_schemas=(), identity=None):
    """The reference's scorer after all of the log; `since` are the leads that an event under the last
    agreement has changed.
    `switches`: [(text, {partition: first offset under it})]; `unknown_schemas`: registry ids whose messages are dead
    letters for good."""
    scorer = CountingScorer(agreement_text, Options(identity=identity), topic, partitions=partitions)
    stages = [(scorer.agreement, {})] + [(agreements.load(text), first) for text, first in switches]
    scorer.since = set()

    under_it = []                           # (lead, duplicates so far) of the message that is folded next

    def settle():
        if under_it and under_it[0][1] == scorer.duplicates:    # a repeat changes nothing: neither the lead's agreement
            scorer.since.add(under_it[0][0])
        under_it.clear()

    def before(record):
        settle()
        number = max(n for n, (_, first) in enumerate(stages) if n == 0 or record.offset >= first.get(record.partition, 1 << 62))
        scorer.agreement = stages[number][0]
        if number + 1 == len(stages) and record.key is not None:
            under_it.append((record.key.decode(errors="replace"), scorer.duplicates))

    fold_log(scorer, [readable(entry, unknown_schemas) for entry in entries], before)
    settle()
    return scorer


def readable(entry, unknown_schemas):
    """The reference reads JSON; what is in a schema that nobody knows is a dead letter."""
    value = entry.record.value
    if not value or value[:1] != b"\x00" or len(value) < 5:
        return entry
    if int.from_bytes(value[1:5], "big") not in unknown_schemas:
        raise RuntimeError("the auditor reads JSON and unknown schemas only")
    return entry._replace(record=entry.record._replace(value=Rejected("unknown_schema")))


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


def first_difference(wanted, got, path="", ignored=()):
    """Where the two differ, of what the reference tells; what only the program tells is not judged here."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name, value in wanted.items():
            found = name not in ignored and first_difference(value, got.get(name), f"{path}.{name}")
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


def name_of(value):
    """What its ce_id is made of: a stage is entered once in a generation, all else is told by the event."""
    lead = (value["lead_id"], value["generation"])
    return (*lead, value["stage"]) if value.get("change") is None else \
        (*lead, value["change"], value["partition"], value["offset"])


def parsed(what, messages):
    """[(message, value)], and what is wrong with the others."""
    good, wrong = [], []
    for message in messages:
        try:
            value = json.loads(message.value(), parse_float=Decimal)
            good.append((message, value, (*name_of(value), value["partition"], value["offset"])))
        except (ValueError, KeyError, TypeError) as error:
            wrong.append(f"{message.topic()} [{message.partition()}] {message.offset()}: not a {what}: {error!r}")
    return good, wrong


def compare_transitions(what, wanted, messages, types):
    """Each expected record once, by its name and the event that it is of, and none else; with the content expected."""
    content = []
    expected = {(*name_of(item), item["partition"], item["offset"]): item for item in wanted}
    good, wrong = parsed(what, messages)
    seen = Counter(key for _, _, key in good)
    for message, value, key in good:
        at = f"{message.topic()} [{message.partition()}] {message.offset()}"
        headers = headers_of(message)
        ce_id = "/".join(quote(str(part), safe="") for part in name_of(value))
        if (message.key() or b"").decode(errors="replace") != key[0] or headers.get("ce_id") != ce_id:
            content.append(f"{at}: key {message.key()!r} and ce_id {headers.get('ce_id')!r} of {ce_id}")
        if headers.get("ce_type") != types.get(value.get("change")):
            content.append(f"{at}: ce_type {headers.get('ce_type')!r} of {value.get('change')}")
        if key in expected:
            found = first_difference(plain(expected[key]), plain(value), ignored=("why",))
            if found:
                content.append(f"{at}: {key}: {found}")
            if (value.get("change") == "ignored") != isinstance(value.get("why"), str) and what != "promotion":
                content.append(f"{at}: {key}: why is {value.get('why')!r}")
    wrong += [f"{what} {key} is there {count} times" for key, count in seen.items() if count > 1]
    wrong += [f"{what} {key} should not be there" for key in seen if key not in expected]
    wrong += [f"{what} {key} is missing" for key in expected if key not in seen]
    return wrong, content


def compare_dead(wanted, messages, entries):
    wrong, content = [], []
    expected = {(partition, offset): reason for partition, offset, reason in wanted}
    originals = {(entry.record.partition, entry.record.offset): entry.record for entry in entries}
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


def home(lead_id, partitions):
    return zlib.crc32(lead_id.encode()) % partitions


def compare_redis(leads, partitions, socket, prefix):
    """The fields for people of every lead's hash, found by a scan, beside the reference. Who was merged into another has
    nothing of its own."""
    wrong = []
    found = {}
    with Redis(socket, 60) as redis:
        keys = list(redis.scan(f"{prefix}:{{*}}:lead:*"))
        for start in range(0, len(keys), 1000):
            part = keys[start:start + 1000]
            for key, fields in zip(part, redis.pipeline([("HMGET", key, *lead_hash.FIELDS) for key in part])):
                unit, _, lead = key[len(prefix) + 2:].partition(b"}:lead:")
                if lead in found:
                    wrong.append(f"lead {lead.decode()} has two hashes")
                found[lead] = (int(unit), lead_hash.told(*fields))
    for lead_id, lead in leads.items():
        entry = found.pop(lead_id.encode(), None)
        if entry is None:
            wrong.append(f"lead {lead_id} is not in Redis")
            continue
        unit, (score, stage, newest) = entry
        if unit != home(lead_id, partitions):
            wrong.append(f"lead {lead_id} is in unit {unit}, it lives in {home(lead_id, partitions)}")
        wanted = (Decimal(lead.score) / 100, lead.stage, lead.newest)
        try:
            got = (Decimal(score), stage, newest)
        except (TypeError, ArithmeticError):
            got = (score, stage, newest)
        if got != wanted:
            wrong.append(f"lead {lead_id}: expected score, stage, newest {wanted}, Redis has {got}")
    wrong += [f"lead {lead.decode(errors='replace')} is in Redis, and no event of it was readable, or it is gone"
              for lead in found]
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
        wanted = {"lead_id": lead_id, "merged_into": lead.into} if lead.into is not None else \
            {"lead_id": lead_id, "score": Decimal(lead.score) / 100, "fit": Decimal(lead.fit) / 100,
             "behaviour": Decimal(lead.behaviour) / 100, "stage": lead.stage, "generation": lead.generation,
             "events": Decimal(lead.events), "conversions": Decimal(lead.conversions),
             "profile": lead.profile}
        found = first_difference(wanted, plain(shown))
        if found:
            wrong.append(f"baton show {lead_id}: {found}")
    return wrong


def day_of_period(period):
    """(day, 1): the tests tell what was spent on single days."""
    return date.fromisoformat(period).toordinal() - date(1970, 1, 1).toordinal(), 1


STAGE_TYPES = {None: "baton.stage_change", "ignored": "baton.report_ignored", "adjusted": "baton.adjusted",
               "merged": "baton.merged", "erased": "baton.erased"}
NOTICES = (("ignored", "report that cannot be"), ("adjusted", "adjustment"), ("merged", "merge"),
           ("erased", "receipt of an erasure"))


def change_of(message):
    try:
        return json.loads(message.value()).get("change")
    except (ValueError, AttributeError):
        return None


def check_outputs(result, messages, entries):
    """`messages(which)` reads promotions, stages, dead."""
    checks, stages = [], messages("stages")
    kinds = [("promotion", result["promotions"], messages("promotions"), {None: "baton.promotion"}),
             ("stage change", result["stages"], [one for one in stages if change_of(one) not in dict(NOTICES)], STAGE_TYPES)]
    kinds += [(what, [one for one in result["notices"] if one["change"] == change],
               [one for one in stages if change_of(one) == change], STAGE_TYPES) for change, what in NOTICES]
    for what, wanted, found, types in kinds:
        wrong, content = compare_transitions(what, wanted, found, types)
        checks.append((f"each {what} once, none else ({len(wanted)})", wrong))
        checks.append((f"each {what} says what it should", content))
    wrong, content = compare_dead(result["dead"], messages("dead"), entries)
    checks.append((f"each dead letter once, none else ({len(result['dead'])})", wrong))
    checks.append(("each dead letter with its reason and bytes", content))
    return checks


def erased_with_promises(scorer, breaches):
    """Who was promoted, or told of, and erased."""
    known = {one["lead_id"] for one in scorer.promotions} | {unquote(name.split("/")[0]) for name, _ in breaches}
    return frozenset(known & scorer.erased_stages.keys())


def audit(brokers, topic, agreement_text, socket, prefix, binary=None, config=None, environment=None, sent=None,
          switches=(), unknown_schemas=(), seed=0, identity=None):
    """`topic(which)` names events, promotions, stages, dead. [(check, [what is wrong])], and the scorer."""
    entries = entries_of(read_topic(brokers, topic("events")), TIMESTAMP_NOT_AVAILABLE)
    partitions = partition_count(brokers, topic("events"))
    told_itself = sum(is_own(entry.headers) for entry in entries)
    scorer = fold(agreement_text, entries, topic("events"), partitions, switches, unknown_schemas, identity)
    checks = []
    if sent is not None:
        checks.append(("every acknowledged message is in the log",
                       [] if len(entries) - told_itself == sent else
                       [f"{sent} sent, {len(entries) - told_itself} in the log"]))
    checks.append((f"what baton wrote into the log follows from it, once ({scorer.transfers} transfers, {scorer.passed_on} "
                   f"passed on, {scorer.identities} identities, {scorer.erasing} erasing, {scorer.rechecks} rechecks)",
                   scorer.wrong))
    checks += check_outputs(scorer.result(), lambda which: read_topic(brokers, topic(which)), entries)
    checks.append((f"scores and stages in Redis equal the reference ({len(scorer.leads)} leads)",
                   compare_redis(scorer.leads, partitions, socket, prefix)))
    with Redis(socket, 60) as redis:
        checks.append((f"nothing in Redis is of anybody who is gone ({len(scorer.tombstones)} erasures)",
                       leftovers.compare(scorer, redis, prefix)))
        if scorer.cells:
            checks.append((f"every counter of every day equals the reference ({len(scorer.cells)} cells, "
                           f"{len(scorer.spend)} costs)",
                           counted.compare(scorer, redis, prefix, partitions, day_of_period)))
            told = [(headers_of(message).get("ce_id", ""), json.loads(message.value()).get("started"))
                    for message in read_topic(brokers, topic("breaches"))]
            checks.append((f"each breach is told once, and counted ({len(told)})",
                           counted.compare_breaches(told, redis, prefix, partitions,
                                                    erased_with_promises(scorer, told))))
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
             "dead": "lead-events-dead", "breaches": "lead-breaches", **config.get("topics", {})}
    text = (path.parent / config.get("agreement", "agreement.yaml")).read_text()
    checks, _ = audit(config["kafka"]["brokers"], names.get, text, options.redis,
                      config.get("redis", {}).get("prefix", "baton"), os.environ.get("BATON_BIN"), path,
                      identity=Identity(**config["identity"]) if "identity" in config else None)
    passed, failed = report("audit", checks)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
