"""A scenario of exactly_once.py: its world, its load, the checks made so far, and a storm of disturbances."""
import os
import random
import signal
import time

import freeze
import load as loads
from auditor import audit
from world import CRASHED, IDENTITY, World

KAFKA = os.environ.get("BATON_TEST_KAFKA", "127.0.0.1:19092")
STOP_SECONDS = 5                # shutdown.timeout; the rest is the machine's
LEFT_BEHIND = 4                 # the exit code of a stop that leaves something to replay


def say(text):
    print(f"      {time.strftime('%H:%M:%S')} {text}", flush=True)


class Scenario:
    """A world, its load, and the checks made so far."""

    def __init__(self, name, seed, **settings):
        self.name, self.seed = name, seed
        self.random = random.Random(f"{seed}/{name}")
        self.leads = settings.pop("leads", 20000)
        hot, said = settings.pop("hot", 0.05), {name: settings.pop(name) for name in ("said", "quiet", "persons")
                                                if name in settings}
        self.world = World(KAFKA, name, **settings)
        self.load = loads.Load(KAFKA, self.world.topic("events"), f"{seed}/{name}/load", self.leads, hot=hot, **said)
        self.checks = []

    def check(self, name, wrong):
        self.checks.append((name, [wrong] if isinstance(wrong, str) else list(wrong or [])))

    def stop_all(self, expected=0):
        """SIGTERM to all at once; each is to end cleanly with nothing left to replay."""
        wrong = []
        alive = self.world.alive()
        for baton in alive:
            baton.signal(signal.SIGTERM)
        for baton in alive:
            code = baton.terminate()
            if code != expected:
                wrong.append(f"{baton.instance} ended with {code} instead of {expected}: {baton.tail(2)}")
            elif baton.took > 2 * STOP_SECONDS:
                wrong.append(f"{baton.instance} took {baton.took:.1f} s to stop")
        self.check("a clean stop within its time", wrong)

    def finish(self, seconds=120, errors_expected=False, stop_code=0, **more):
        """Catch up, stop, and have everything audited."""
        self.load.stop()
        begun = time.monotonic()
        self.check("all events are committed, and in Redis, in the end", self.world.wait_settled(seconds))
        say(f"caught up after {time.monotonic() - begun:.1f} s, {self.load.sent} messages")
        self.stop_all(stop_code)
        if not errors_expected:
            self.check("no process failed and no unit stopped", self.world.errors())
        self.audit(**more)

    def audit(self, **more):
        checks, self.scorer = audit(KAFKA, self.world.topic, more.pop("agreement", self.world.agreement), self.world.redis.path,
                          self.world.prefix, os.environ["BATON_BIN"], self.world.config, sent=self.load.sent,
                          environment=dict(os.environ, **self.world.environment), seed=self.seed,
                          identity=IDENTITY, **more)
        self.checks += checks


# --- the storm --------------------------------------------------------------------------------------------------------

class Storm:
    """Disturbances one after the other while events stream in."""

    def __init__(self, scenario, instances=3):
        self.scenario, self.world, self.random = scenario, scenario.world, scenario.random
        self.instances = [f"i{number}" for number in range(1, instances + 1)]
        self.kills = self.stops = self.rebalances = self.returns = 0
        self.session = self.world.settings["session_ms"] / 1000
        self.stalls = []

    def start(self):
        for instance in self.instances:
            self.world.baton(instance).start()

    def pause(self):
        """Mostly until work goes on and then a little; sometimes right into the middle of a take-over."""
        if self.random.random() < 0.7:
            if not self.world.wait_progress(60):
                self.stalls.append(f"no progress in 60 s after {self.kills} kills, {self.stops} stops, "
                                   f"{self.rebalances} rebalances, {self.returns} returns of Redis")
            time.sleep(self.random.uniform(0.05, 1.2))
        else:
            time.sleep(self.random.uniform(0.1, 3))
        if self.random.random() < 0.5 and self.world.units_marked():
            self.world.redis.snapshot()

    def kill(self, number):
        victims = self.random.sample(self.instances, min(number, len(self.instances)))
        killed = sum(self.world.baton(instance).kill() for instance in victims)
        self.kills += killed
        for instance in victims:
            self.world.baton(instance).start()

    def crash(self, point):
        """A death at the worst moment, for seeded faults; needs a build with crash points."""
        baton = self.world.baton(self.random.choice(self.instances))
        if baton.kill():
            baton.start(environment={"BATON_CRASH_AT": f"{point}:{self.random.randrange(1, 12)}"})
            if baton.wait(8) != CRASHED:
                baton.kill()
            baton.start()

    def freeze(self, seconds, baton=None):
        """SIGSTOP beyond the session's time-out: the group goes on without it, then it wakes up late."""
        baton = baton or self.world.baton(self.random.choice(self.instances))
        baton.signal(signal.SIGSTOP)
        time.sleep(seconds)
        baton.signal(signal.SIGCONT)
        self.stops += 1

    def late_transaction(self):
        """A transaction stands still between two of its steps while its process loses the units and joins again: as a
        member once more, but of another generation."""
        baton = self.world.baton(self.random.choice(self.instances))
        if not baton.alive:
            return
        own = freeze.own_threads(baton.process.pid)
        workers = self.world.settings["workers"]
        with freeze.Frozen(own[1:1 + workers]):         # main, then a sink's helper per worker
            time.sleep(0.3)                             # a transaction is handed to the helper
            before = baton.text().count("lost its units")
            self.freeze(self.session * self.random.uniform(1.25, 1.5), baton)
            self.world.wait_for(lambda: baton.text().count("lost its units") > before, 3)
            time.sleep(self.random.uniform(0.5, 1.5))

    def join_and_leave(self):
        guest = self.world.baton("guest").start()
        self.pause()
        code = guest.terminate()
        if code != 0:
            guest.unexpected.append(f"a guest left with {code}: {guest.tail(2)}")
        self.rebalances += 1

    def leave_and_join(self):
        baton = self.world.baton(self.random.choice(self.instances))
        code = baton.terminate()
        if code != 0 and not (code == LEFT_BEHIND and baton.was_replaying()):
            baton.unexpected.append(f"{baton.instance} left with {code}: {baton.tail(2)}")
        self.pause()
        baton.start()
        self.rebalances += 1

    def redis_back(self, how):
        redis = self.world.redis
        file = redis.older(self.random)
        if how == "while all are down":
            for instance in self.instances:
                self.kills += self.world.baton(instance).kill()
            redis.return_by_restart(file)
            self.start()
        elif how == "with new connections":
            redis.return_by_restart(file)
        else:
            redis.return_in_place(file)
        self.returns += 1

    def groups_of_kills(self, total):
        groups = []
        while total > 0:
            groups.append(min(total, self.random.choice((1, 1, 2, 2, 3))))
            total -= groups[-1]
        return groups

    def schedule(self, kills=0, stops=0, rebalances=0, returns=0, crashes=(), late=0):
        steps = [(self.kill, number) for number in self.groups_of_kills(kills)]
        steps += [(self.late_transaction,) for _ in range(late)]
        steps += [(self.freeze, self.session * self.random.uniform(1.25, 1.5)) for _ in range(stops)]
        steps += [(self.join_and_leave,) if number % 2 == 0 else (self.leave_and_join,) for number in range(rebalances)]
        steps += [(self.redis_back, ("in place", "while all are down", "with new connections")[number % 3])
                  for number in range(returns)]
        steps += [(self.crash, point) for point in crashes]
        self.random.shuffle(steps)
        return steps

    def run(self, **counts):
        self.start()
        live = self.world.wait_live()
        self.scenario.check("every unit goes live", None if live else f"not all units are live after 120 s: "
                            f"{[baton.tail(1) for baton in self.world.alive()]}")
        self.world.redis.snapshot()
        for action, *arguments in self.schedule(**counts):
            self.pause()
            action(*arguments)
        while self.kills < counts.get("kills", 0):          # a kill that met a process already gone is none
            self.pause()
            self.kill(1)
        say(f"{self.kills} kills, {self.stops} stops, {self.rebalances} rebalances, {self.returns} returns of Redis")
        self.scenario.check("work goes on after every disturbance", self.stalls)
