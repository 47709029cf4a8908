"""Scenarios of a lead's whole life: persons who are merged and erased, and what time alone does to leads."""
import json
import os
import subprocess
import time

import auditor
import leftovers
import load as loads
import retention
from resp import Redis
from scenario import KAFKA, Scenario, Storm, say

HOUR = 3_600_000


# --- persons ----------------------------------------------------------------------------------------------------------

def persons(seed, options):
    """Merges, identities and erasures at every turn of a storm; then a replay from an old checkpoint, a rebuild, and a
    rebuild from what retention has left. Each is audited: whoever was erased does not come back."""
    scenario = Scenario("persons", seed, keep=options.keep, leads=1200, session_ms=2000, said=0.2, persons=4, crash=True)
    yield scenario
    world, load = scenario.world, scenario.load
    load.send(3_000)
    load.start(700)
    Storm(scenario, instances=2).run(kills=10, stops=1, rebalances=3, returns=3,
                                     crashes=["sink_before_commit", "sink_committed", "checkpoint_leads_all"])
    load.stop()
    scenario.finish(90)
    enough(scenario)
    for name, act in (("replay", replay), ("rebuild", rebuild), ("rebuild of what is left", rebuild_of_little)):
        say(name)
        first = len(scenario.checks)
        act(scenario)
        scenario.checks[first:] = [(f"after a {name}: {check}", wrong) for check, wrong in scenario.checks[first:]]


def enough(scenario):
    scorer = scenario.scorer
    cycles = sum(reason == "merge_cycle" for _, _, reason in scorer.dead)
    counts = dict(transfers=scorer.transfers, passed_on=scorer.passed_on, identities=scorer.identities,
                  erasing=scorer.erasing, merge_cycles=cycles, erased=len(scorer.tombstones))
    scenario.check(f"all of it happened ({counts})", [f"{name}: {count}" for name, count in counts.items() if count < 10])


def replay(scenario):
    """Redis returns to an older self; what is erased since is there again, and has to go once more."""
    world, snapshots, back = scenario.world, scenario.world.redis.snapshots, []
    for _, file in snapshots[len(snapshots) // 2:] + snapshots[:len(snapshots) // 2]:
        world.redis.return_by_restart(file)
        back = leftovers_now(scenario)
        if back:
            break
    say(f"{len(back)} texts of the erased are in Redis again")
    scenario.check("somebody who was erased is there again", [] if back else "nobody")
    world.baton("i1").start()
    scenario.finish(90)


def leftovers_now(scenario, but=()):
    with Redis(scenario.world.redis.path, 60) as redis:
        return leftovers.compare(scenario.scorer, redis, scenario.world.prefix, but)


def lose_all(scenario):
    with scenario.world.redis.client() as redis:
        redis("FLUSHALL")


def rebuild(scenario):
    lose_all(scenario)
    scenario.world.baton("i1").start(options=("--rebuild", "--yes"))
    scenario.finish(90)


def rebuild_of_little(scenario):
    """Nothing is left but the stages topic: whose stage was told comes back to it, and nobody who was erased. What is
    older than an erasure, and is sent again, is still dropped."""
    world, before = scenario.world, scenario.scorer
    told = all_told(world)
    lose_all(scenario)
    retention.take(KAFKA, world.topic("events"), dict(enumerate(world.ends())))
    world.baton("i1").start(options=("--rebuild", "--yes"))
    scenario.check("all is in Redis in the end", world.wait_settled(60))
    # Who came back from a circle of merges was told to be a stub: it is that again, and names the other id.
    scenario.check("nothing of anybody who is gone is there", leftovers_now(scenario, before.came_back))
    scenario.check("who was told to be in a stage is in it", stages_differ(scenario, before))
    # Of whom nothing was told on the stages topic, nobody knows now that there was an erasure.
    gone = sorted(lead for lead in before.tombstones if lead not in before.leads and lead.startswith("lead-")
                  and before.erased_stages[lead] >= 0)[:40]
    for number, lead in enumerate(gone):
        event = {"kind": "visit", "event_id": f"late{number}", "lead_id": lead, "page": "/pricing",
                 "time": before.tombstones[lead] - number % 2}
        scenario.load.produce(lead.encode(), json.dumps(event).encode())
    scenario.load.producer.flush(10)
    scenario.check("all is in Redis again", world.wait_settled(60))
    with world.redis.client() as redis:
        back = redis.pipeline([("EXISTS", f"{world.prefix}:{{{auditor.home(lead, world.partitions)}}}:lead:{lead}")
                               for lead in gone])
    scenario.check(f"late events bring nobody back ({len(gone)})",
                   [lead for lead, there in zip(gone, back) if there] if gone else "nobody is gone")
    scenario.stop_all()
    scenario.check("no process failed and no unit stopped", world.errors())
    scenario.check("nothing was told again", [f"{place}: {message.value()}" for place, message in all_told(world).items()
                                              if place not in told and not told_by_a_pass(place[0], message)])


def all_told(world):
    return {(which, message.partition(), message.offset()): message for which in ("promotions", "stages", "dead")
            for message in auditor.read_topic(KAFKA, world.topic(which))}


def told_by_a_pass(which, message):
    """A pass over all leads brings back who was rejected long enough ago."""
    change = json.loads(message.value()) if which == "stages" else {}
    return change.get("stage") == "recycled" and change["event_id"].startswith("recheck/")


def stages_differ(scenario, scorer):
    world, wrong = scenario.world, []
    told = [lead for lead in scorer.leads.values() if lead.stage != "lead"]
    with world.redis.client() as redis:
        rows = redis.pipeline([("HGET", f"{world.prefix}:{{{auditor.home(lead.id, world.partitions)}}}:lead:{lead.id}", "stage")
                               for lead in told])
    for lead, stage in zip(told, rows):
        if stage is None or stage.decode() not in (lead.stage, "recycled" if lead.stage == "rejected" else lead.stage):
            wrong.append(f"{lead.id}: expected {lead.stage}, Redis has {stage}")
    return wrong


# --- time alone -------------------------------------------------------------------------------------------------------

def sweeps(seed, options):
    """Agreements change while events come and processes die: passes over all leads open gates, bring back the rejected
    and forget who was not seen. In the end there is nobody left for whom a pass would do anything."""
    scenario = Scenario("sweeps", seed, keep=options.keep, leads=3000, session_ms=2000, quiet=0.4, said=0.15)
    yield scenario
    world, load = scenario.world, scenario.load
    first, switches = world.agreement, []
    load.send(16_000)
    Storm(scenario, instances=2).start()
    scenario.check("all is in Redis before the agreement changes", world.wait_settled(90))
    world.redis.snapshot()
    for version, sql in ((2, 30), (3, 38), (4, 34)):
        if version < 4:             # behind the last pass nothing comes any more
            load.start(300)
        scenario.stop_all()
        switches.append((loads.agreement(version=version, pricing=7, sql=sql), dict(enumerate(world.committed()))))
        world.write_agreement(switches[-1][0])
        begun = time.time() * 1000
        storm = Storm(scenario, instances=2)
        storm.start()
        for act in scenario.random.sample([lambda: storm.kill(1), lambda: storm.kill(2), lambda: storm.kill(1),
                                           storm.join_and_leave, lambda: storm.redis_back("in place"),
                                           lambda: storm.redis_back("with new connections")], 6):
            time.sleep(scenario.random.uniform(0.2, 2))
            act()
        load.stop()
        scenario.check(f"every unit has looked at all its leads under version {version}",
                       None if world.wait_for(lambda: passes_ended(world, begun), 90) else f"{passes(world)}")
        world.redis.snapshots.clear()       # one that has not heard of this agreement would ask for it, when it is no more
        world.redis.snapshot()
    ended = min(one["sweep"]["begun_ms"] for one in passes(world))
    scenario.finish(90, agreement=first, switches=switches)
    scorer = scenario.scorer
    counts = {"rechecks": scorer.rechecks, "forgotten": scorer.forgotten}
    for stage in ("mql", "sql", "recycled", "lead"):
        counts[stage] = sum(one["stage"] == stage and one["event_id"].startswith("recheck/") for one in scorer.stages)
    scenario.check(f"all of it happened ({counts})", [name for name, count in counts.items() if not count])
    scenario.check("nobody is left for whom a pass would do anything", scorer.would_change(ended))


def passes(world):
    done = subprocess.run([os.environ["BATON_BIN"], "status", "-c", str(world.config), "--json"], capture_output=True,
                          text=True, timeout=60, env=dict(os.environ, **world.environment))
    try:
        return json.loads(done.stdout)["units"]
    except (ValueError, KeyError):
        return []


def passes_ended(world, since):
    units = passes(world)
    return len(units) == world.partitions and all(
        unit.get("sweep") and not unit["sweep"]["running"] and unit["sweep"]["begun_ms"] >= since and unit["lag"] == 0
        for unit in units)
