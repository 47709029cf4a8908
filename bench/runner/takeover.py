"""kill -9 of one of two processes under load: how long until its units are live again, and where the time goes.

Data of a result:
    rounds    one per kill: {"units", "group_handed_over": seconds after the kill until the group has given the units
              to the survivor, "no_transaction_open": until the transaction that the victim left is ended, "live": until
              its last unit is live, "live_after": live − max(the two before), "replayed": events folded again,
              "replayed_most": of one unit, "lag": events that waited when all was live}
    summary   the same names -> {"median", "min", "max", "values"}
    leads, keys_in_redis, resident_bytes (of the last survivor, the most), verified, seconds
"""

import signal
import subprocess
import time

import results
from baton_log import all_live, held_units, last_assignment, live_since, replays_since
from stack import BENCH, Failed, Stack, run_main, say, wait_for
from throughput import Offsets, wait_committed
from transaction_log import open_at

UNDER_WAY_MS = 100                  # what the victim had sent reaches the broker's log a little after the kill


class Takeover:
    def __init__(self, stack, options):
        self.stack, self.options = stack, options
        self.setup = stack.baton("takeover", agreement=options.agreement, partitions=options.partitions,
                                 workers=options.workers, changes=self._changes())
        self.setup.make_topics()
        self.pair, self.started, self.sender = [], 0, None

    def _changes(self):
        changes = {"leads": {"memory": self.options.table}} if self.options.table else {}
        if self.options.session_timeout:
            session = int(self.options.session_timeout * 1000)
            changes["kafka"] = {"consumer": {"session.timeout.ms": session, "heartbeat.interval.ms": session // 10}}
        return changes

    def start_one(self):
        self.started += 1
        self.pair.append(self.setup.start(f"p{self.started}"))

    def send(self, events, rate=None):
        """The traffic: first what fills the leads, then a steady stream beside the kills."""
        words = ["load", "--brokers", self.stack.brokers, "--topic", self.setup.topic, "--events", events, "--leads",
                 self.options.leads, "--zipf", self.options.zipf]
        if rate is None:
            self.stack.bench(*words, "--seed", self.options.seed)
            return
        self.sender = self.stack.start([BENCH, *words, "--seed", self.options.seed + 1, "--rate", rate],
                                       self.stack.folder / "load.log")

    def lag(self):
        offsets = Offsets(self.stack, self.setup.group, self.setup.topic, self.options.partitions)
        try:
            return sum(offsets.ends()) - sum(offsets.committed())
        finally:
            offsets.close()

    def settle(self):
        """Both hold units, and what waited is worked off."""
        wait_for("both processes to have live units", 120,
                 lambda: all_live(self.pair, self.options.workers, self.options.partitions), 0.2)
        wait_for("the events that waited to be worked off", 300,
                 lambda: self.lag() < max(2 * self.options.rate, 1000), 0.2)
        time.sleep(self.options.pause)

    def live_again(self, units, killed_at):
        """When each of them went live, once all have."""
        self.pair[0].check()
        live = live_since(self.pair[0], killed_at)
        return live if units <= set(live) else None

    def kill_one(self):
        """The elder dies; the other takes over. One round's figures."""
        victim = self.pair[0]
        units = set().union(*held_units(victim).values())
        killed_at = time.time()
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait()
        self.pair.pop(0)
        live = wait_for(f"units {sorted(units)} to be live again", 240,
                        lambda: self.live_again(units, killed_at), 0.1)
        lag = self.lag()
        return self.figures(killed_at, units, live, lag)

    def figures(self, killed_at, units, live, lag):
        handed_over = last_assignment(self.pair[0]) - killed_at
        replays = replays_since(self.pair[0], killed_at)
        replayed = [replays.get(unit, 0) for unit in units]
        left_open = open_at(self.stack.broker.folder, killed_at * 1000 + UNDER_WAY_MS)
        if None in left_open.values():
            raise Failed("units went live while a transaction was open: the split would be wrong")
        closed = max([ended_ms / 1000 - killed_at for ended_ms in left_open.values()], default=0.0)
        all_live = max(live[unit] for unit in units) - killed_at
        return {"units": len(units), "group_handed_over": round(handed_over, 3),
                "no_transaction_open": round(max(closed, 0.0), 3), "live": round(all_live, 3),
                "live_after": round(all_live - max(handed_over, closed, 0.0), 3), "replayed": sum(replayed),
                "replayed_most": max(replayed), "lag": lag}

    def run(self):
        options = self.options
        self.start_one()
        if options.fill:
            say(f"sending {options.fill:,} events of {options.leads:,} leads, so that their state is there")
            self.send(options.fill)
            wait_committed(self.stack, self.setup.group, self.setup.topic, options.partitions, 1.0,
                           120 + options.fill / 20000)
        leads = self.stack.redis.call("DBSIZE")
        say(f"{leads:,} keys in Redis; two processes from now on, {options.rate:,} events/s")
        self.send(options.rate * (options.rounds * 60 + 300), options.rate)
        rounds = []
        for number in range(1, options.rounds + 1):
            self.start_one()
            self.settle()
            say(f"round {number} of {options.rounds}: kill -9 of one of two processes")
            rounds.append(self.kill_one())
            say(f"    {text_of(rounds[-1])}")
        return rounds, leads

    def finish(self):
        """No event is lost or counted twice by all this."""
        self.sender.process.send_signal(signal.SIGTERM)
        try:
            self.sender.process.wait(30)
        except subprocess.TimeoutExpired:
            self.sender.kill()
        memory = self.pair[0].memory_bytes("VmHWM")
        wait_committed(self.stack, self.setup.group, self.setup.topic, self.options.partitions, 1.0, 120)
        if self.pair[0].stop() != 0:
            raise Failed(f"the last process did not stop clean:\n{self.pair[0].tail()}")
        told = self.setup.status()
        sent = sum(unit["end"] for unit in told["units"])
        taken = told["events"] + told["duplicates"] + sum(told["dead_letters"].values())
        if taken != sent or told["duplicates"]:
            raise Failed(f"{sent} events were sent, {taken} taken in, {told['duplicates']} of them as repeats")
        return {"resident_bytes": memory, "verified": f"{told['events']:,} events counted once each"}


def text_of(figures):
    return (f"live after {figures['live']:.2f} s: group handed over {figures['group_handed_over']:.2f} s, no "
            f"transaction open {figures['no_transaction_open']:.2f} s, then {figures['live_after']:.2f} s; "
            f"{figures['replayed']:,} events replayed")


def options_of():
    parser = results.parser("takeover", "kill -9 of one of two processes under load: until its units are live again.")
    parser.add_argument("--leads", type=results.count, default=200000, help="whom the events are of")
    parser.add_argument("--fill", type=results.count, help="events before the kills (default: 5 × leads, at most 20M)")
    parser.add_argument("--zipf", type=float, default=1.0, help="exponent of the leads' popularity, 0: uniform")
    parser.add_argument("--rate", type=results.count, default=50000, help="events per second while processes die")
    parser.add_argument("--rounds", type=results.count, default=5, help="kills")
    parser.add_argument("--pause", type=float, default=3.0, metavar="SECONDS", help="of steady work before each kill")
    parser.add_argument("--partitions", type=results.count, default=8, help="of the topic")
    parser.add_argument("--workers", type=results.count, default=2, help="of each process")
    parser.add_argument("--agreement", default="simple", help="simple, ten or a path")
    parser.add_argument("--table", metavar="SIZE", help="leads.memory, as in baton.yaml (default: baton's)")
    parser.add_argument("--session-timeout", type=float, metavar="SECONDS", help="of the group (default: baton's 10 s)")
    options = parser.parse_args()
    if options.fill is None:
        options.fill = min(5 * options.leads, 20 * 10**6)
    return options


def main():
    options, began = options_of(), time.monotonic()
    with Stack() as stack:
        takeover = Takeover(stack, options)
        rounds, keys = takeover.run()
        closing = takeover.finish()
    names = [name for name in rounds[0] if name != "units"]
    data = {"rounds": rounds, "summary": {name: results.spread(one[name] for one in rounds) for name in names},
            "leads": options.leads, "keys_in_redis": keys, **closing, "seconds": round(time.monotonic() - began, 1)}
    say("medians: " + text_of({name: spread["median"] for name, spread in data["summary"].items()}))
    results.finish("takeover", options, data)
    return 0


if __name__ == "__main__":
    run_main(main)
