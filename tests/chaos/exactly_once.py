#!/usr/bin/env python3
"""Exactly once on a real broker: disturbances of every kind, and an auditor's verdict on what is left.

    exactly_once.py [--scenario NAME] [--seed N] [--events N] [--keep] [--list]

Scenarios: storm (all disturbances over one stream of 200,000 events), kills, stops, rebalances, redis (a part of
them each), unit_lost, new_units, unknown_schema, changed_agreement, persons, sweeps. Without --scenario: storm,
unit_lost, new_units, unknown_schema and changed_agreement.
Takes BATON_BIN, BATON_CRASH_BIN and BATON_TEST_KAFKA from the environment (tests/run sets them).
"""
import argparse
import sys
import time
import traceback

import auditor
import load as loads
from auditor import report
from scenario import KAFKA, Scenario, Storm, say
from whole_lead import persons, sweeps
from world import CRASHED

SCHEMA = """{"type": "record", "name": "Visit", "fields": [{"name": "event_id", "type": "string"},
 {"name": "lead_id", "type": "string"}, {"name": "time", "type": "long"}, {"name": "page", "type": "string"}]}"""


def storm(seed, options, name="storm", events=200_000, rate=1100, settings=None, patience=90, **counts):
    counts = counts or dict(kills=30, stops=2, rebalances=3, returns=3)
    events = options.events or events
    scenario = Scenario(name, seed, keep=options.keep, **(settings or {}))
    yield scenario
    scenario.load.send(events // 10)        # something to read from the beginning of the log
    scenario.load.start(rate)
    Storm(scenario).run(**counts)
    scenario.load.stop()
    scenario.load.send(max(0, events - scenario.load.sent))
    scenario.finish(patience)


def kills(seed, options):
    yield from storm(seed, options, "kills", 60_000, kills=30)


def stops(seed, options):
    yield from storm(seed, options, "stops", 20_000, stops=2)


def rebalances(seed, options):
    yield from storm(seed, options, "rebalances", 20_000, rebalances=6)


def redis(seed, options):
    yield from storm(seed, options, "redis", 30_000, kills=3, returns=6)


# --- the state of a unit is lost --------------------------------------------------------------------------------------

def unit_lost(seed, options):
    """The unit stops with its error, the others go on, and a rebuild brings it back without a second promotion."""
    scenario = Scenario("unit_lost", seed, keep=options.keep, leads=1500, session_ms=3000)
    yield scenario
    world, load = scenario.world, scenario.load
    load.send(12_000)
    baton = world.baton("i1").start()
    scenario.check("before the loss all is committed", world.wait_settled())
    baton.kill()
    lost = scenario.random.randrange(world.partitions)
    with world.redis.client() as redis_client:
        keys = list(redis_client.scan(f"{world.prefix}:{{{lost}}}:*"))
        redis_client("DEL", *keys)
    say(f"unit {lost} lost {len(keys)} keys")
    load.send(2_000)
    baton.start()
    told = world.wait_for(lambda: "state is gone" in baton.text() and "--rebuild" in baton.text(), 90)
    scenario.check("the unit stops and says what to do", None if told else f"not said in 90 s: {baton.tail(4)}")
    others = [unit for unit in range(world.partitions) if unit != lost]
    scenario.check("the other units go on", world.wait_caught_up(units=others))
    with world.redis.client() as redis_client:
        left = list(redis_client.scan(f"{world.prefix}:{{{lost}}}:lead:*"))
    scenario.check("nothing is written to the lost unit", [f"{len(left)} leads are there"] if left else [])
    code = baton.terminate()
    scenario.check("the stop tells of the failure", None if code == 1 else f"exit code {code} instead of 1")
    baton.start(options=("--rebuild", "--yes"))
    scenario.check("the rebuilt unit goes on", world.wait_caught_up())
    load.send(2_000)
    scenario.finish(errors_expected=True)


# --- new units --------------------------------------------------------------------------------------------------------

def wait_for_end(baton, marked_seconds, seconds=60):
    """The exit code; None if it goes on for `marked_seconds` although no unit is new any more."""
    code, deadline, marked = None, time.monotonic() + seconds, None
    while code is None and time.monotonic() < deadline:
        code = baton.wait(0.2)
        if code is None and baton.world.units_marked():
            marked = marked or time.monotonic()
            if time.monotonic() - marked > marked_seconds:
                break
    return code


def new_units(seed, options):
    """A kill between the first commit and the first checkpoint of new units, at each step in between."""
    scenario = Scenario("new_units", seed, keep=options.keep, leads=1500, session_ms=2000, checkpoint="1s", crash=True)
    yield scenario
    world, load = scenario.world, scenario.load
    load.send(6_000)
    wrong, ended = [], 0
    points = ["new_unit_committed:1", "new_unit_committed:2", "new_unit_marked:1", "commit_confirmed:2",
              "checkpoint_aggregates:1"]
    baton = world.baton("i1")
    for point in points:
        load.send(1_000)
        baton.start(environment={"BATON_CRASH_AT": point})
        code = wait_for_end(baton, 4 if point.startswith("new_unit") and ended else 60)
        ended += code == CRASHED
        if code is None:
            baton.kill()
        # a crash before may have come after the last unit was new: then there is nothing to end at
        if code != CRASHED and not (code is None and point.startswith("new_unit") and world.units_marked()):
            wrong.append(f"{point}: exit code {code} instead of {CRASHED}: {baton.tail(2)}")
    if ended < 3:
        wrong.append(f"ended at {ended} points only")
    scenario.check("the process ends at each point", wrong)
    say(f"ended at {ended} points")
    baton.start()
    # a plain kill -9 as well, before a checkpoint
    time.sleep(scenario.random.uniform(0.2, 1.5))
    baton.kill()
    load.send(2_000)
    baton.start()
    scenario.finish()


# --- an unknown schema ------------------------------------------------------------------------------------------------

def unknown_schema(seed, options):
    """A dead letter for an unknown schema, a kill before its checkpoint, the schema registered, a restart: it stays
    what it was, and so does what comes after it."""
    scenario = Scenario("unknown_schema", seed, keep=options.keep, leads=800, session_ms=2000)
    yield scenario
    world, load = scenario.world, scenario.load
    load.send(3_000)
    baton = world.baton("i1").start()
    scenario.check("before the unknown schema all is committed", world.wait_settled())
    scenario.stop_all()
    world.configure(checkpoint="60s")       # no checkpoint between the dead letter and the kill
    baton.start()
    world.wait_for(lambda: baton.text().count("live at offset") >= 2 * world.partitions, 90)

    def send(schema_id, number):
        for index in range(number):
            lead = f"lead-{index * 7}".encode()
            fields = (f"s{schema_id}-{index}".encode(), lead)
            body = b"".join(bytes([len(text) * 2]) + text for text in fields)
            when = zigzag(int(time.time() * 1000))
            load.produce(lead, b"\x00" + schema_id.to_bytes(4, "big") + body + when + b"\x10/pricing")
        load.producer.flush(10)

    send(77, 40)
    load.send(300)
    seen = world.wait_for(lambda: any(auditor.headers_of(message).get("baton_reason") == "unknown_schema"
                                      for message in auditor.read_topic(KAFKA, world.topic("dead"))), 90)
    scenario.check("the message becomes a dead letter", None if seen else f"none in 90 s: {baton.tail(3)}")
    with world.redis.client() as client:
        before = [client("HGET", f"{world.prefix}:{{{unit}}}:unit", "position") for unit in range(world.partitions)]
    baton.kill()
    committed = world.committed()
    behind = sum(int(position or 0) < end for position, end in zip(before, committed))
    scenario.check("the kill came before a checkpoint", [] if behind else
                   [f"positions in Redis {before}, committed {committed}"])
    (world.folder / "schemas" / "77.avsc").write_text(SCHEMA)
    world.configure(checkpoint="300ms")
    baton.start()
    send(77, 10)
    load.send(500)
    # Units that have seen no message of the schema before it was registered may read it: so the auditor is told
    # per unit by where it fell; all 40 leads of the second sending were in the first.
    scenario.finish(unknown_schemas={77})


def zigzag(number):
    value, out = number << 1, bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


# --- a changed agreement ----------------------------------------------------------------------------------------------

def changed_agreement(seed, options):
    """A kill, a start under a changed agreement, kills right after it: what was committed before counts under the
    old one, what comes after under the new one."""
    scenario = Scenario("changed_agreement", seed, keep=options.keep, leads=1500, session_ms=2000, crash=True)
    yield scenario
    world, load = scenario.world, scenario.load
    first = world.agreement
    load.send(8_000)
    baton = world.baton("i1").start()
    scenario.check("all units live", None if world.wait_live() else baton.tail(3))
    time.sleep(scenario.random.uniform(0.3, 1.5))
    load.send(1_000)
    baton.kill()                            # not clean: a part of the old one's events is folded again under it
    world.wait_for(lambda: world._try_committed() is not None, 60)
    second = loads.agreement(version=2, pricing=12, sql=40)
    switch = world.committed()
    say(f"switches at {switch}")
    world.write_agreement(second)
    wrong = []
    for point in ("agreement_stored:1", "agreement_switched:1", "agreement_switched:3", "checkpoint_position:1"):
        baton.start(environment={"BATON_CRASH_AT": point})
        code = baton.wait(60)
        if code is None:
            baton.kill()
        if code != CRASHED:
            wrong.append(f"{point}: exit code {code} instead of {CRASHED}: {baton.tail(2)}")
    scenario.check("the process ends at each point", wrong)
    baton.start()
    time.sleep(scenario.random.uniform(0.1, 1))
    baton.kill()
    baton.start()
    load.send(3_000)
    scenario.finish(agreement=first, switches=[(second, dict(enumerate(switch)))])


SCENARIOS = {run.__name__: run for run in
             (storm, kills, stops, rebalances, redis, unit_lost, new_units, unknown_schema, changed_agreement, persons,
              sweeps)}
STANDARD = ("storm", "unit_lost", "new_units", "unknown_schema", "changed_agreement")


def play(run, seed, options, **more):
    """Runs one scenario to its end; (passed, failed). `run` yields its scenario first, so that it can be closed."""
    begun = time.monotonic()
    steps = run(seed, options, **more)
    scenario = next(steps)
    try:
        for _ in steps:
            pass
    except Exception as error:
        traceback.print_exc()
        scenario.check("plays to its end", repr(error))
    finally:
        try:
            scenario.load.stop()
        except Exception:
            pass
        passed, failed = report(scenario.name, scenario.checks)
        scenario.world.close(failed > 0)
    say(f"{scenario.name}: {passed} passed, {failed} failed, seed {seed}, {time.monotonic() - begun:.0f} s")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xffffff)
    parser.add_argument("--events", type=int, help="of a storm")
    parser.add_argument("--keep", action="store_true", help="leave the folders of the processes")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(SCENARIOS))
        return 0
    say(f"seed {options.seed}")
    total = [0, 0]
    for name in options.scenario or STANDARD:
        for index, count in enumerate(play(SCENARIOS[name], options.seed, options)):
            total[index] += count
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
