#!/usr/bin/env python3
"""Random agreements and random events through `baton run` on a real broker and a real Redis, compared with the
reference scorer lead by lead: scores, stages, promotions, stage changes, dead letters.

    test_random.py [--seeds 15] [--first 0] [--size 1200] [--jobs 3] [--keep FOLDER]

Every seed has a course of events of its own (by its number): a run in one go, clean stops and restarts in the middle of
the stream, kills, a second process that comes and goes, crashes between two steps. Last line: `N passed, N failed`.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import traceback
import zlib
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import unquote

from world import BATON, CRASH, OUTPUTS, Failed, Setup, World

import generate  # noqa: E402  (world puts tests/reference on the path)
import lead_hash
from compare_try import SUMMARY_KEYS, differences
from log import LogScorer, entries_of, fold_log, is_own
from messages import Options

PARTITIONS = 4
SHOWN = 10
SAMPLE = 4
SHOW_KEYS = tuple(key for key in SUMMARY_KEYS if key not in ("promotions", "changes")) + (
    "touches", "conversions", "first_channel", "last_channel", "profile", "events")


# --- feeding ----------------------------------------------------------------------------------------------------------

def trace_of(record):
    return f"00-{record.partition:032x}-{record.offset:016x}-01".encode()


def headers_of(record):
    """Every third message has headers: one of its own, twice, and a trace."""
    if record.offset % 3:
        return []
    return [("x-own", b"\x00\xff"), ("traceparent", trace_of(record)), ("x-own", b"")]


class Feeder(threading.Thread):
    """Sends the records in the order of the log, over some seconds."""

    def __init__(self, setup, records, seconds, step):
        super().__init__(daemon=True)
        self.setup, self.records, self.seconds, self.step = setup, records, seconds, step
        self.sent = 0
        self.error = None

    def run(self):
        try:
            producer, step = self.setup.world.producer(), self.step
            pause = self.seconds * step / max(1, len(self.records))
            for start in range(0, len(self.records), step):
                self.setup.feed(producer, self.records[start:start + step], headers_of)
                self.sent = start + step
                time.sleep(pause)
            if producer.flush(30):
                raise Failed("not everything was sent")
        except Exception as error:          # told by the course that waits for it
            self.error = error

    def finish(self):
        self.join(120)
        if self.error or self.is_alive():
            raise Failed(f"feeding: {self.error or 'no end'}")


# --- courses ----------------------------------------------------------------------------------------------------------

def stop_clean(process):
    code = process.stop()
    if code != 0:
        raise Failed(f"exit code {code} of a clean stop:\n{process.tail(30)}")


def must_not_replay(process):
    if "replays" in process.log():
        raise Failed("a start after a clean stop replays:\n" + process.tail(30))


def one_go(case):
    case.feed(0)
    process = case.setup.start()
    case.wait_until_done()
    stop_clean(process)


def stop_and_restart(case):
    """Everything is handed over at a stop, however busy it is."""
    process = case.setup.start()
    feeder = case.feed(4)
    for _ in range(2):
        time.sleep(case.rng.uniform(0.8, 1.6))
        stop_clean(process)
        process = case.setup.start()
        process.wait_for_line("live at offset")
    feeder.finish()
    case.wait_until_done()
    must_not_replay(process)
    stop_clean(process)
    for each in case.setup.processes[1:]:
        must_not_replay(each)


def kills(case):
    process = case.setup.start()
    feeder = case.feed(5)
    for _ in range(3):
        time.sleep(case.rng.uniform(0.3, 1.8))
        process.kill()
        process = case.setup.start()
    feeder.finish()
    case.wait_until_done()
    stop_clean(process)


def two_processes(case):
    """The second comes in the middle and goes again, by itself or killed; the first then has it all."""
    first = case.setup.start("a")
    first.wait_for_line("live at offset")
    feeder = case.feed(7)
    time.sleep(case.rng.uniform(0.5, 1))
    second = case.setup.start("b")
    second.wait_for_line("live at offset")
    time.sleep(case.rng.uniform(0.2, 1))
    if case.rng.random() < 0.5:
        stop_clean(second)
    else:
        second.kill()
    feeder.finish()
    case.wait_until_done()
    stop_clean(first)


def crash_points():
    """Names of the places where the program can be made to end; none without such a build."""
    if not os.access(CRASH, os.X_OK):
        return []
    listed = subprocess.run([CRASH, "run", "--crash-points"], stdout=subprocess.PIPE, text=True, timeout=20, check=True)
    return listed.stdout.split()


def crashes(case):
    """It ends by itself between two steps of a take-over, a transaction or a checkpoint, again and again."""
    points = crash_points()
    feeder = case.feed(6)
    for turn in range(5):
        point = case.rng.choice(points) + f":{case.rng.randint(1, 6)}" if points else ""
        process = case.setup.start(binary=CRASH if points else BATON, BATON_CRASH_AT=point)
        process.asked = True
        end = time.monotonic() + case.rng.uniform(1.5, 2.5)
        while process.process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        if process.process.poll() not in (None, 99):
            raise Failed(f"exit code {process.process.poll()} at crash point {point}:\n{process.tail(30)}")
        process.kill()
    process = case.setup.start()
    feeder.finish()
    case.wait_until_done()
    stop_clean(process)


COURSES = (one_go, stop_and_restart, kills, two_processes, crashes)


class Case:
    def __init__(self, world, seed, size):
        made = generate.case(seed, size, kafka=True, partitions=PARTITIONS)
        self.seed, self.agreement, self.records = seed, made.agreement, made.records
        self.rng = random.Random(f"course {seed}")
        self.course = COURSES[seed % len(COURSES)]
        self.identity = made.identity
        extra = {"sweep": {"share": 50}, **({"identity": made.identity._asdict()} if made.identity else {})}
        self.setup = Setup(world, self.agreement, PARTITIONS, extra=extra)
        self.redis = world.redis()

    def feed(self, seconds):
        # In large steps, a lead has more events between two checkpoints than its ring of ids holds.
        feeder = Feeder(self.setup, self.records, seconds, self.rng.choice((25, 100, 250)))
        feeder.start()
        if not seconds:
            feeder.finish()
        return feeder

    def wait_until_done(self):
        self.setup.wait_until_quiet(self.redis)


# --- comparing: each gives [(where, expected, got)] -------------------------------------------------------------------

def compare_sent(case, entries):
    """What was sent lies in the log as it was, in its order, among what baton wrote."""
    found = []
    for partition in range(PARTITIONS):
        sent = [(record.key, record.value) for record in case.records if record.partition == partition]
        there = [(entry.record.key, entry.record.value) for entry in entries
                 if entry.record.partition == partition and not is_own(entry.headers)]
        if sent != there:
            found.append((f"events of partition {partition}", len(sent), len(there)))
    return found


def compare_redis(case, wanted):
    found, prefix = [], case.setup.name.encode() + b":{"
    keys = case.redis.scan(case.setup.name + ":{*}:lead:*")
    rows = case.redis.pipeline([("HMGET", key, *lead_hash.FIELDS) for key in keys]) if keys else []
    got = {}
    for key, row in zip(keys, rows):
        unit, _, lead_id = key[len(prefix):].partition(b"}:lead:")
        got[lead_id.decode()] = (int(unit), *lead_hash.told(*row))
    for name, lead_id in case.setup.to_be_removed(case.redis).items():      # a lead that lives again may stand there
        if lead_id.decode() not in wanted:
            found.append((f"Redis, field {name!r}", "nothing of who is gone", lead_id))
    for lead_id in sorted(set(wanted) | set(got)):
        if lead_id not in wanted or lead_id not in got:
            found.append((f"Redis, lead {lead_id!r}", lead_id in wanted, lead_id in got))
            continue
        lead = {"score": 0, "stage": "lead", **wanted[lead_id]}         # who was merged has none of its own
        unit, score, stage, newest = got[lead_id]
        is_now = (unit, Decimal(score or "NaN"), stage, newest)
        should = (zlib.crc32(lead_id.encode()) % PARTITIONS, Decimal(str(lead["score"])), lead["stage"], lead["newest"])
        if is_now != should:
            found.append((f"Redis, lead {lead_id!r}: unit, score, stage, newest", should, is_now))
    return found


def compare_show(case, wanted):
    found = []
    ids = sorted(lead_id for lead_id in wanted if "\0" not in lead_id and "stage" in wanted[lead_id])
    merged = sorted(lead_id for lead_id in wanted if "\0" not in lead_id and "merged_into" in wanted[lead_id])
    promoted = [lead_id for lead_id in ids if wanted[lead_id]["stage"] == "sql"]
    for lead_id in case.rng.sample(ids, min(SAMPLE, len(ids))) + promoted[:1] + merged[:1]:
        done = case.setup.run("show", "--json", "--at", "newest", "--", lead_id)     # an id may begin with -
        if done.returncode:
            found.append((f"show {lead_id!r}", "exit code 0", f"{done.returncode}: {done.stderr}"))
            continue
        got = json.loads(done.stdout, parse_float=Decimal)
        lead = {key: wanted[lead_id][key] for key in (*SHOW_KEYS, "merged_into") if key in wanted[lead_id]}
        found += [(f"show {lead_id!r} {path}", w, g) for path, w, g in differences(lead, got)]
    return found


def header(message, name):
    return [value for key, value in message.headers() or [] if key == name]


def only_header(message, name):
    values = header(message, name)
    return values[0].decode() if len(values) == 1 else values


TYPES = {"ignored": "report_ignored", "adjusted": "adjusted", "merged": "merged", "erased": "erased"}


def place_of(value):
    """What its ce_id is made of: a stage is entered once in a generation, all else is told by the event."""
    lead = (value["lead_id"], value["generation"])
    if value.get("change") is None:
        return *lead, value["stage"]
    return *lead, value["change"], value["partition"], value["offset"]


def compare_messages(kind, case, wanted, messages, log):
    """Records of the stages topic or promotions: each once, with its contents, key and headers."""
    found, got = [], {}
    for message in messages:
        value = json.loads(message.value(), parse_float=Decimal)
        place = (place_of(value), value["partition"], value["offset"])  # who was erased may begin anew, and enter it again
        if place in got:
            found.append((f"{kind} {place}", "once", "again"))
        got[place] = (message, value)
    should = {(place_of(one), one["partition"], one["offset"]): one for one in wanted}
    for place in sorted(set(should) | set(got)):
        name = f"{kind} {place}"
        if place not in got or place not in should:
            found.append((name, place in should, place in got))
            continue
        message, value = got[place]
        found += [(f"{name} {path}", w, g) for path, w, g in differences(should[place], value)]
        entry = log.get((value["partition"], value["offset"]))
        ce_id = tuple(unquote(part, errors="strict") for part in str(only_header(message, "ce_id")).split("/"))
        traces = [trace for name, trace in (entry.headers if entry else []) if name == "traceparent"]
        name_parts = place[0]
        for what, w, g in (("key", name_parts[0].encode(), message.key()), ("topic", case.setup.topics["events"], value["topic"]),
                           ("ce_id", tuple(map(str, name_parts)), ce_id),
                           ("ce_type", "baton." + ("promotion" if kind == "promotions" else
                                                   TYPES.get(value["change"], "stage_change")), only_header(message, "ce_type")),
                           ("ce_specversion", "1.0", only_header(message, "ce_specversion")),
                           ("traceparent", traces, header(message, "traceparent"))):
            if w != g:
                found.append((f"{name} {what}", w, g))
    return found


def compare_dead(case, wanted, messages, log):
    found, got = [], {}
    for message in messages:
        place = tuple(int(str(only_header(message, "baton_" + part))) for part in ("partition", "offset"))
        if place in got:
            found.append((f"dead letter {place}", "once", "again"))
        got[place] = message
    should = {(partition, offset): reason for partition, offset, reason in wanted}
    for place in sorted(set(should) | set(got)):
        if place not in got or place not in should:
            found.append((f"dead letter {place}", should.get(place), only_header(got[place], "baton_reason")
                          if place in got else None))
            continue
        message, record, own = got[place], log[place].record, log[place].headers
        for what, w, g in (("reason", should[place], only_header(message, "baton_reason")),
                           ("topic", case.setup.topics["events"], only_header(message, "baton_topic")),
                           ("key", record.key, message.key()), ("value", record.value, message.value()),
                           ("headers", own, (message.headers() or [])[:len(own)]),
                           ("detail", True, bool(header(message, "baton_detail")))):
            if w != g:
                found.append((f"dead letter {place} {what}", w, g))
    return found


def compare(case):
    events = case.setup.topics["events"]
    by_topic = {topic: [] for topic in case.setup.topics.values()}
    for message in case.setup.world.read(list(by_topic)):
        by_topic[message.topic()].append(message)
    entries = entries_of(by_topic.pop(events))
    log = {(entry.record.partition, entry.record.offset): entry for entry in entries}
    promotions, stages, dead, breaches = (by_topic[case.setup.topics[kind]] for kind in OUTPUTS)
    scorer = LogScorer(case.agreement, Options(identity=case.identity), events, partitions=PARTITIONS)
    fold_log(scorer, entries)
    wanted = scorer.result()
    for lead_id, lead in wanted["leads"].items():
        lead["newest"] = scorer.leads[lead_id].newest
    found = [("what baton wrote into the log", "as it should be", wrong) for wrong in scorer.wrong]
    found += compare_sent(case, entries)
    found += compare_redis(case, wanted["leads"])
    found += compare_messages("stages", case, wanted["stages"] + wanted["notices"], stages, log)
    found += compare_messages("promotions", case, wanted["promotions"], promotions, log)
    found += compare_dead(case, wanted["dead"], dead, log)
    found += [("breaches", "none but announcements: nothing is promised", message.value()) for message in breaches
              if only_header(message, "ce_type") != "baton.announcement"]
    found += compare_show(case, wanted["leads"])
    counts = (f"{len(wanted['leads'])} leads, {len(wanted['stages'])} stage changes, "
              f"{len(wanted['promotions'])} promotions, {len(wanted['dead'])} dead letters, {scorer.transfers} merges, "
              f"{scorer.passed_on} passed on, {scorer.identities} identities, {len(scorer.tombstones)} erased, "
              f"{scorer.rechecks} rechecks")
    return found, counts


# --- one seed ---------------------------------------------------------------------------------------------------------

def short(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "…"


def report(case, found):
    lines = [f"  {where}: expected {short(w)}, got {short(g)}" for where, w, g in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"  … and {len(found) - SHOWN} more")
    lines.append("  agreement:\n    " + case.agreement.replace("\n", "\n    ").rstrip())
    return "\n".join(lines)


def run_seed(world, seed, size, keep):
    """(passed, text)"""
    began, case = time.monotonic(), None
    try:
        case = Case(world, seed, size)
        case.course(case)
        found, counts = compare(case)
        took = f"{time.monotonic() - began:.1f} s"
        if not found:
            return True, f"ok   seed {seed} ({case.course.__name__}, {counts}, {took})"
        text = f"{len(found)} differences\n" + report(case, found)
    except Failed as failed:
        text = str(failed)
    except Exception:
        text = traceback.format_exc()
    finally:
        if case:
            case.setup.stop_all()
            case.redis.close()
    if case and keep:
        shutil.copytree(case.setup.folder, f"{keep}/seed-{seed}", dirs_exist_ok=True)
    return False, f"FAIL seed {seed} ({case.course.__name__ if case else 'not begun'}): {text}"


def main():
    parser = argparse.ArgumentParser(description="Compare `baton run` with the reference scorer.")
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=1200, help="events per seed")
    parser.add_argument("--jobs", type=int, default=3, help="seeds at a time")
    parser.add_argument("--keep", help="leave the folder of each failed seed here")
    arguments = parser.parse_args()
    world = World()
    passed = 0
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for good, text in pool.map(lambda seed: run_seed(world, seed, arguments.size, arguments.keep), seeds):
            passed += good
            print(text, flush=True)
    print(f"{passed} passed, {arguments.seeds - passed} failed")
    return 1 if passed < arguments.seeds else 0


if __name__ == "__main__":
    sys.exit(main())
