#!/usr/bin/env python3
"""Visitors who turn out to be one person, and persons who are erased, on a real broker and a real Redis.

Every person has some visitor ids, and the events of all of them come in turns while baton is killed again and again.
Some visitors are merged by a Merge, others by the e-mail of a form (`identity`). In the end each event has counted once,
for the person; of who was erased nothing is in Redis, and a receipt is there. Last line: `N passed, N failed`.

    test_persons.py [--persons 40] [--visits 8] [--keep FOLDER]
"""
import argparse
import hashlib
import hmac
import json
import os
import random
import shutil
import time
import traceback


from world import BATON, CRASH, FOREVER, Failed, Setup, World, wait_for

PARTITIONS = 4
COOKIES = 3
NOW = int(time.time() * 1000) - 60000
AGREEMENT = """\
agreement: persons
version: 1
behaviour:
  - {id: visit, event: visit, points: 1}
  - {id: form, event: form_fill, points: 2, at_most: {times: 100, per: ever}}
gates: {mql: {score: 10}, sql: {score: 20, needs_all_of: [form]}}
"""


class Person:
    def __init__(self, number):
        self.email = f"Person{number}@x.example"
        self.id = "p/" + hashlib.sha256(self.email.lower().encode()).hexdigest()
        self.cookies = [f"cookie-{number}-{n}" for n in range(COOKIES)]
        self.points = 0

    def ids(self):
        return [self.id, *self.cookies]


class Stream:
    def __init__(self, setup, seed):
        self.setup, self.random = setup, random.Random(seed)
        self.producer = setup.world.producer()
        self.number = 0

    def send(self, lead, kind, **more):
        self.number += 1
        event = {"kind": kind, "event_id": f"e{self.number}", "lead_id": lead, "time": int(time.time() * 1000), **more}
        self.producer.produce(self.setup.topics["events"], json.dumps(event).encode(), lead.encode())
        self.producer.poll(0)
        return event["event_id"]

    def flush(self):
        if self.producer.flush(30):
            raise Failed("not everything was sent")


def events_of(stream, person, visits):
    """Functions, in an order of their own: each sends one event."""
    def visit(lead):
        person.points += 1
        stream.send(lead, "visit", page="/a")

    def form(lead):
        person.points += 2
        stream.send(lead, "form_fill", form="demo", fields={"email": " " + person.email})

    def merge(lead, into):
        stream.send(lead, "merge", into=into)

    acts = [lambda lead=lead: visit(lead) for lead in person.ids() for _ in range(visits)]
    acts.append(lambda: form(person.cookies[0]))                    # baton finds it out
    acts.append(lambda: merge(person.cookies[1], person.id))
    acts.append(lambda: merge(person.cookies[2], person.cookies[1]))  # by another that is given up, too
    acts.append(lambda: merge(person.cookies[1], person.id))        # once more
    stream.random.shuffle(acts)
    return acts


def wait_until_quiet(setup, redis, seconds=90):
    """Whatever baton wrote to itself is folded, too."""
    def look():
        for process in setup.processes:
            if process.ended_unasked():
                raise Failed(f"baton ended with {process.process.poll()}:\n{process.tail()}")
        before = setup.ends()
        if setup.positions(redis) != before:
            return False
        time.sleep(1)
        return setup.ends() == before and setup.positions(redis) == before

    wait_for("all events in Redis", seconds, look)


def leads_in(setup, redis):
    """id → fields for people."""
    found = {}
    for key in redis.scan(f"{setup.name}:{{*}}:lead:*"):
        lead = key.split(b":lead:", 1)[1].decode()
        score, stage = redis.call("HMGET", key, "score", "stage")
        if lead in found:
            raise Failed(f"{lead} has two hashes")
        found[lead] = (float(score), stage.decode() if stage else "lead")  # the first stage does not stand there
    return found


def with_crashes(setup, stream, acts, rng, work):
    """Sends everything while one process after the other dies; ends with one that lives."""
    points = ["", "sink_before_commit", "sink_produced", "checkpoint_aggregates", "checkpoint_leads_all", "sink_committed"]
    have = os.access(CRASH, os.X_OK)
    process = setup.start()
    step = max(1, len(acts) // 6)
    for turn, first in enumerate(range(0, len(acts), step)):
        for act in acts[first:first + step]:
            act()
            if rng.random() < 0.02:
                time.sleep(0.02)
        stream.flush()
        time.sleep(rng.uniform(0.3, 1.2))
        process.kill()
        point = points[turn % len(points)]
        process = setup.start(binary=CRASH if have and point else BATON,
                              **({"BATON_CRASH_AT": f"{point}:{rng.randint(1, 3)}"} if have and point else {}))
        process.asked = True
        if have and point:
            time.sleep(1.5)
            process.kill()
            process = setup.start()
    work()
    stream.flush()
    return process


def check_counted(setup, redis, persons):
    leads = leads_in(setup, redis)
    for person in persons:
        got = leads.get(person.id)
        if not got or got[0] != person.points:
            raise Failed(f"{person.id} has {got}, expected {person.points} points; its other ids: "
                         f"{[leads.get(cookie) for cookie in person.cookies]}")
        for cookie in person.cookies:
            if leads.get(cookie, (0,))[0] != 0:
                raise Failed(f"{cookie} was given up, and has {leads[cookie]}")


def check_shown(setup, person):
    """`baton show` of an id that was given up says whose it is."""
    done = setup.run("show", person.cookies[2], "--json")
    if done.returncode or json.loads(done.stdout).get("merged_into") != person.cookies[1]:
        raise Failed(f"show {person.cookies[2]}: {done.stdout[:300]}{done.stderr[:300]}")
    text = setup.run("show", person.cookies[1]).stdout
    if person.id not in text:
        raise Failed(f"show {person.cookies[1]}: {text[:300]}")


def check_promotions(setup):
    seen = set()
    for message in setup.world.read([setup.topics["promotions"]]):
        value = json.loads(message.value())
        key = (value["lead_id"], value["generation"])
        if key in seen:
            raise Failed(f"{key} was promoted twice")
        seen.add(key)


def check_dead(setup):
    dead = setup.world.read([setup.topics["dead"]])
    if dead:
        raise Failed(f"{len(dead)} dead letters, the first: {dead[0].headers()}")


def check_erased(setup, redis, erased):
    """erased: [(person, event id)]"""
    gone = {lead for person, _ in erased for lead in person.ids()}
    keys = redis.scan(f"{setup.name}:*")
    for key in keys:
        texts = [key]
        if key.endswith(b":unit"):
            texts += redis.call("HGETALL", key)
        for text in texts:
            for lead in gone:
                if lead.encode() in text:
                    raise Failed(f"{lead} was erased, and is in {key!r}: {text[:100]!r}")
    proofs = {}
    for message in setup.world.read([setup.topics["stages"]]):
        value = json.loads(message.value())
        if value["change"] == "erased":
            proofs[value["lead_id"]] = proofs.get(value["lead_id"], 0) + 1
            for lead in gone:
                if lead.encode() in message.value() or lead.encode() in (message.key() or b""):
                    raise Failed(f"a receipt names {lead}")
    for person, event_id in erased:
        for lead in person.ids():
            proof = hmac.new(event_id.encode(), lead.encode(), hashlib.sha256).hexdigest()
            if proofs.get(proof) != 1:
                raise Failed(f"{proofs.get(proof, 0)} receipts of the erasure of {lead}")


def status_of(setup):
    done = setup.run("status", "--json")
    if done.returncode:
        raise Failed(f"status: {done.stdout[:300]}{done.stderr[:300]}")
    return json.loads(done.stdout)


def check_status(setup, before, dropped, ignored):
    """What came to nothing, in sum and in the table's columns."""
    got = status_of(setup)
    for name, more in (("dropped", dropped), ("reports_ignored", ignored)):
        if got[name] != before[name] + more or got[name] != sum(unit[name] for unit in got["units"]):
            raise Failed(f"{name} was {before[name]}, and is {got[name]} after {more} more")
    lines = setup.run("status").stdout.splitlines()
    head = next(line for line in lines if "reports ignored" in line)
    rows = [line for line in lines if line.strip()[:1].isdigit()]
    for title, name in (("dropped", "dropped"), ("reports ignored", "reports_ignored")):
        end = head.index(title) + len(title)
        shown = sum(int(row[:end].split()[-1].replace(",", "")) for row in rows)
        if len(rows) != PARTITIONS or shown != got[name]:
            raise Failed(f"the table says {shown} {title} for {got[name]}:\n" + "\n".join(lines))


def play(world, options):
    setup = Setup(world, AGREEMENT, PARTITIONS,
                  extra={"identity": {"field": "email", "hash": "sha256", "prefix": "p/"}})
    redis, rng = world.redis(), random.Random(7)
    stream = Stream(setup, 7)
    persons = [Person(number) for number in range(options.persons)]
    acts = [act for person in persons for act in events_of(stream, person, options.visits)]
    rng.shuffle(acts)
    try:
        process = with_crashes(setup, stream, acts, rng, lambda: None)
        wait_until_quiet(setup, redis)
        yield "each event counts once, for the person", lambda: check_counted(setup, redis, persons)
        yield "nobody is promoted twice", lambda: check_promotions(setup)
        yield "show tells whose an id is", lambda: check_shown(setup, persons[1])
        yield "nothing is a dead letter", lambda: check_dead(setup)

        erased = []
        for person in persons[::3]:
            erased.append((person, stream.send(rng.choice(person.ids()), "erase")))
        stream.flush()
        time.sleep(0.2)
        process.kill()
        process = setup.start()
        wait_until_quiet(setup, redis)
        time.sleep(2)
        yield "who is erased is gone, with a receipt for each id", lambda: check_erased(setup, redis, erased)
        others = [person for person in persons if person not in [gone for gone, _ in erased]]
        yield "the others stay", lambda: check_counted(setup, redis, others)

        before = status_of(setup)
        for person, _ in erased[:3]:
            stream.send(person.id, "visit", page="/a", time=int(time.time() * 1000) - 3600000)
        for person in others[:2]:
            stream.send(person.id, "feedback", report="churned", seller="Ana")
        stream.flush()
        wait_until_quiet(setup, redis)
        yield "status counts what came to nothing", lambda: check_status(setup, before, 3, 2)

        process.kill()
        keys = redis.scan(f"{setup.name}:{{*}}*")
        redis.pipeline([("DEL", key) for key in keys])
        process = setup.start("a", "--rebuild")
        wait_until_quiet(setup, redis)
        time.sleep(2)
        yield "a rebuild brings nobody back", lambda: check_erased(setup, redis, erased)
        yield "a rebuild has the others as they were", lambda: check_counted(setup, redis, others)
        yield "a rebuild promotes nobody again", lambda: check_promotions(setup)
        if process.stop() != 0:
            raise Failed("a clean stop has another exit code:\n" + process.tail())
    finally:
        setup.stop_all()
        if options.keep:
            shutil.copytree(setup.folder, options.keep, dirs_exist_ok=True)


NARROW = 5000                               # bytes that the broker takes for the events topic


def send_one(setup, producer, lead, headers=(), **event):
    producer.produce(setup.topics["events"], json.dumps({"lead_id": lead, **event}).encode(), lead.encode(),
                     headers=list(headers))
    if producer.flush(30):
        raise Failed("an event was not sent")


def check_narrow(setup, redis, visits):
    if leads_in(setup, redis).get("anna", (0,))[0] != visits:
        raise Failed(f"anna has {leads_in(setup, redis).get('anna')}, expected {visits}")
    shown = json.loads(setup.run("show", "anna", "--json").stdout)
    pages = [touch["page"] for touch in shown["touches"]]
    if not pages or len(pages) >= visits or pages[-1].endswith("/0"):
        raise Failed(f"anna's touches: {pages}")


def check_too_large(setup):
    dead = setup.world.read([setup.topics["dead"]])
    reasons = [dict(message.headers())["baton_reason"] for message in dead]
    if reasons != [b"too_large"]:
        raise Failed(f"dead letters: {reasons}")
    if b'"event_id": "large"' not in dead[0].value():
        raise Failed(f"another message is dead: {dead[0].value()[:200]}")


def play_narrow(world):
    """The broker takes no more than a few kilobytes."""
    setup = Setup(world, AGREEMENT + "touches: 32\n", PARTITIONS, topics=False)
    topics = setup.topic_list()
    topics[setup.topics["events"]] = (PARTITIONS, {**FOREVER, "max.message.bytes": str(NARROW)})
    world.make_topics(topics)
    redis, producer = world.redis(), world.producer()
    try:
        process = setup.start()
        for number in range(20):
            send_one(setup, producer, "cookie", kind="visit", event_id=f"v{number}", time=NOW + number,
                     page="/" + "p" * 180 + f"/{number}", campaign=f"{number:0>180}")
        send_one(setup, producer, "cookie", kind="merge", event_id="m", time=NOW + 30, into="anna")
        send_one(setup, producer, "cookie", kind="visit", event_id="headers", time=NOW + 31, page="/a", more="x" * 3000,
                 headers=[("theirs", b"y" * 1400)])
        send_one(setup, producer, "cookie", kind="visit", event_id="large", time=NOW + 32, page="/a", more="x" * 4650)
        send_one(setup, producer, "cookie", kind="visit", event_id="last", time=NOW + 33, page="/a")
        wait_until_quiet(setup, redis)
        yield "a lead that is too large for a message is merged without its oldest touches", \
            lambda: check_narrow(setup, redis, 22)
        yield "an event that is too large to be passed on is a dead letter", lambda: check_too_large(setup)
        got = status_of(setup)["transfers_trimmed"]
        if got != 1 or "1 transfers of merged leads were trimmed" not in setup.run("status").stdout:
            raise Failed(f"status tells of {got} trimmed transfers")
        if process.stop() != 0:
            raise Failed("a clean stop has another exit code:\n" + process.tail())
        if "leaves out" not in process.log() or f"takes messages of {NARROW} bytes" not in process.log():
            raise Failed("the log does not warn:\n" + process.tail())
    finally:
        setup.stop_all()


def courses(world, options):
    yield from play(world, options)
    yield from play_narrow(world)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=40)
    parser.add_argument("--visits", type=int, default=8)
    parser.add_argument("--keep")
    options = parser.parse_args()
    passed = failed = 0
    try:
        for name, check in courses(World(), options):
            try:
                check()
                passed += 1
                print(f"ok   {name}", flush=True)
            except Failed as error:
                failed += 1
                print(f"FAIL {name}: {error}"[:2000], flush=True)
    except Exception:                       # the course itself broke: what follows was not looked at
        failed += 1
        traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
