"""baton beside a consumer that only counts and beside other lead scorers: same topic, broker and Redis, in turns.

Data of a result:
    programs  name -> {"events_per_second": S, "cpu_seconds_per_million": {"program": S, "broker": S, "redis": S,
              "total": S}, "memory_bytes": most of a run, "promises": text, "verified": what was checked,
              "curve": [[seconds, committed events], …] of the median run}
              S is {"median", "min", "max", "values"}; the ceiling has no Redis and no curve
    ratios    program -> baton's median ÷ its median
    ten_to_simple   median with ten.yaml ÷ median with simple.yaml
    forty_to_ten    median with forty.yaml ÷ median with ten.yaml
    rounds, topic, seconds, notes
"""

import time

import results
from contestants import PEERS, Baton, Ceiling, Forty, Ten
from stack import Stack, build_if_absent, run_main, say
from truth import Truth

BUDGET_SECONDS = 780            # of 15 minutes; the rest is for building and for turns that take longer than the last
SURE_ROUNDS = 2                 # whatever they take; of a peer, which may be ten times as slow, one


class Comparison:
    def __init__(self, stack, options):
        self.stack, self.options = stack, options
        self.topic = stack.named("bench-events")
        self.turns, self.took, self.notes = {}, {}, []

    def prepare(self):
        """One topic for all, read once by the counter and once by baton before anything counts."""
        options = self.options
        truth = self.stack.folder / "truth.csv"
        self.stack.baton("topics", topic=self.topic, partitions=self.options.partitions).make_topics()
        say(f"sending {options.events:,} events of {options.leads:,} leads")
        self.sent = self.stack.bench("load", "--brokers", self.stack.brokers, "--topic", self.topic, "--events",
                                     options.events, "--leads", options.leads, "--zipf", options.zipf,
                                     "--bytes", options.bytes, "--seed", options.seed, "--truth", truth)
        self.truth = Truth(truth)
        say(f"{self.truth.events:,} events in Kafka, {len(self.truth.promoted):,} leads will be promoted")

    def turn(self, contestant, number):
        """One verified run."""
        began = time.monotonic()
        self.stack.flush_redis()
        turn = contestant.run(self, number)
        self.stack.end_programs()
        self.took[contestant.name] = time.monotonic() - began
        return turn

    def fits(self, contestants, contestant, number, began):
        """Rounds are given up when the time runs out, those of peers first: the others' must still fit."""
        if number <= (1 if contestant.is_peer else SURE_ROUNDS) or self.options.no_limit:
            return True
        still = self.options.rounds - number if contestant.is_peer else 0
        needed = sum(self.took[one.name] for one in contestants if not one.is_peer) * still
        return time.monotonic() - began + needed + self.took[contestant.name] < BUDGET_SECONDS

    def run(self, contestants, began):
        self.prepare()
        # The counter fills the page cache; baton's transactions have to be met often before the broker has
        # compiled what they take: a young one spends ten times as much on each.
        for before, contestant in enumerate([contestants[0]] + [contestants[1]] * 3):
            say(f"warming up: {contestant.title}")
            self.turn(contestant, -before)
        self.turns = {contestant.name: [] for contestant in contestants}
        for number in range(1, self.options.rounds + 1):
            for contestant in contestants:
                if not self.fits(contestants, contestant, number, began):
                    continue
                say(f"round {number} of {self.options.rounds}: {contestant.title}")
                turn = self.turn(contestant, number)
                self.turns[contestant.name].append(turn)
                say(f"    {turn.text()}")
        for contestant in contestants:
            rounds = len(self.turns[contestant.name])
            if rounds < self.options.rounds:
                self.notes.append(f"{contestant.name}: {rounds} round{'s' * (rounds > 1)} instead of {self.options.rounds}, "
                                  f"to end within 15 minutes")

    def data(self, contestants, began):
        programs = {one.name: one.summary(self.turns[one.name]) for one in contestants}
        others = [name for name in programs if name not in ("baton", "ten", "forty")]
        return {"programs": programs, "ratios": {name: ratio(programs, "baton", name) for name in others},
                "ten_to_simple": ratio(programs, "ten", "baton"), "forty_to_ten": ratio(programs, "forty", "ten"),
                "notes": self.notes,
                "rounds": {name: len(turns) for name, turns in self.turns.items()},
                "topic": {"events": self.truth.events, "leads": len(self.truth), "partitions": self.options.partitions,
                          "promoted": len(self.truth.promoted), "sent": self.sent},
                "seconds": round(time.monotonic() - began, 1)}


def ratio(programs, name, other):
    """Median ÷ median; None where one of them did not run."""
    if name not in programs or other not in programs:
        return None
    return round(programs[name]["events_per_second"]["median"] / programs[other]["events_per_second"]["median"], 3)


def tell(data):
    """For a person, on stderr: what it comes to."""
    say("medians (lowest to highest):")
    for name, program in data["programs"].items():
        rate, cost = program["events_per_second"], program["cpu_seconds_per_million"]
        parts = " / ".join(f"{cost[part]['median']:.2f}" for part in ("program", "broker", "redis") if part in cost)
        span = f"{rate['min'] / 1e6:.3f} to {rate['max'] / 1e6:.3f}"
        say(f"    {name:14} {rate['median'] / 1e6:6.3f} M events/s ({span}), CPU s per million: {parts} "
            "(program / broker / Redis)")
    for name, times in data["ratios"].items():
        say(f"    baton ÷ {name}: {times:.2f}")
    if data["ten_to_simple"]:
        say(f"    ten rules ÷ three: {data['ten_to_simple']:.2f}")
    if data["forty_to_ten"]:
        say(f"    forty rules ÷ ten: {data['forty_to_ten']:.2f}")
    for note in data["notes"]:
        say(f"    {note}")


def options_of():
    parser = results.parser("compare", "baton beside a consumer that only counts and beside other lead scorers.")
    parser.add_argument("--events", type=results.count, default=30000000, help="in the topic")
    parser.add_argument("--leads", type=results.count, default=200000, help="whom they are of")
    parser.add_argument("--zipf", type=float, default=1.0, help="exponent of their popularity, 0: uniform")
    parser.add_argument("--bytes", type=results.size, default=240, help="size of an event, about")
    parser.add_argument("--partitions", type=results.count, default=8, help="of the topic")
    parser.add_argument("--workers", type=results.count, default=2, help="threads of every program")
    parser.add_argument("--rounds", type=results.count, default=5, help="turns of each program")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="LIST", help="peers, separated by commas, or none")
    parser.add_argument("--without-ten", action="store_true", help="leave the ten-rule agreement out")
    parser.add_argument("--forty", action="store_true", help="the forty-rule agreement as well")
    parser.add_argument("--no-limit", action="store_true", help="all rounds of all, also beyond 15 minutes")
    options = parser.parse_args()
    options.peers = [] if options.peers in ("", "none") else options.peers.split(",")
    unknown = sorted(set(options.peers) - set(PEERS))
    if unknown:
        parser.error(f"unknown peer {', '.join(unknown)}; there are {', '.join(PEERS)}")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def main():
    options, began = options_of(), time.monotonic()
    peers = [PEERS[name](options) for name in options.peers]
    build_if_absent()
    for peer in peers:                  # whatever is missing is told before the first minute is spent
        peer.build()
    rules = [Ten] * (not options.without_ten) + [Forty] * options.forty
    contestants = [Ceiling(options), Baton(options), *(one(options) for one in rules), *peers]
    with Stack() as stack:
        comparison = Comparison(stack, options)
        comparison.run(contestants, began)
        data = comparison.data(contestants, began)
    tell(data)
    results.finish("compare", options, data)
    return 0


if __name__ == "__main__":
    run_main(main)
