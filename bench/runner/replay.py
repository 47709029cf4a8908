"""How fast `baton replay` folds the log again, beside the rate at which `baton run` took it in: both on the same topic and
machine, which broker and Redis share with them. And how fast the log that `--save` has kept: without broker and Redis.

Data of a result:
    topic     {"events", "leads", "partitions"}
    runs      agreement -> {"live", "replay", "compared", "saved"}, each {"events_per_second": S, "cpu_seconds_per_million": S of the
              program alone, from its start to its last event, "per_core": events per second of that, S,
              "per_core_of_all": events per second of CPU of program, broker and Redis together, S}; "compared": replay
              of two agreements at once, "saved": of a log that --save has kept; "resident_bytes" of the replay; S is
              {"median", "min", "max", "values"}
    ratios    agreement -> {"rate": events per second of replay ÷ those of live, "per_core", "per_core_of_all": the same,
              "saved": these three of a saved log}
    goal      what "per_core_of_all" is meant to reach: a replay makes nobody write, and a live unit broker and Redis
"""

import json
import os
import subprocess
import time

import results
from stack import BATON, Failed, Stack, run_main, say
from throughput import measure

GOAL = 3.0
AGREEMENTS = ("simple", "ten")


def options_of():
    parser = results.parser("replay", "How fast `baton replay` folds the log again, beside `baton run`.")
    parser.add_argument("--events", type=results.count, default=8000000)
    parser.add_argument("--leads", type=results.count, default=200000)
    parser.add_argument("--partitions", type=results.count, default=8)
    parser.add_argument("--rounds", type=results.count, default=3)
    parser.add_argument("--threads", type=results.count, default=os.cpu_count())
    return parser.parse_args()


class Cpu:
    """Seconds that the servers take from now on."""

    def __init__(self, stack):
        self.stack, self.before = stack, sum(stack.cpu_seconds().values())

    def so_far(self):
        return sum(self.stack.cpu_seconds().values()) - self.before


def live(stack, setup, options):
    """Events per second, CPU seconds of the program per million, and of all processes."""
    stack.flush_redis()
    setup.make_topics()
    servers = Cpu(stack)
    program = setup.start()
    measured = measure(stack, [program], setup.group, setup.topic, options.partitions)
    cpu, of_servers = program.cpu_seconds(), servers.so_far()
    program.stop()
    stack.end_programs()
    return measured.events_per_second, cpu * 1e6 / options.events, (cpu + of_servers) * 1e6 / options.events


def replay(stack, setup, options, *words):
    """The same of a replay, start and end included, and what it took of memory."""
    argv = [BATON, "replay", "-c", setup.path, "--agreement", setup.config["agreement"], "--threads", str(options.threads),
            "--json", *words]
    servers, began = Cpu(stack), time.monotonic()
    child = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds, of_servers = time.monotonic() - began, servers.so_far()
    if status:
        raise Failed(f"baton replay ended with {os.waitstatus_to_exitcode(status)}: {child.stderr.read()[-2000:]}")
    told = json.loads(out)
    if told["events"] != options.events or told["unreadable"]:
        raise Failed(f"{options.events} events were sent, {told['events']} replayed, {told['unreadable']} not readable")
    cpu = usage.ru_utime + usage.ru_stime
    return (told["events"] / seconds, cpu * 1e6 / told["events"], (cpu + of_servers) * 1e6 / told["events"],
            usage.ru_maxrss * 1024)


def row(figures):
    """figures: [(events per second, CPU seconds per million of the program, … of all, …)]"""
    return {"events_per_second": results.spread(round(one[0], 1) for one in figures),
            "cpu_seconds_per_million": results.spread(round(one[1], 6) for one in figures),
            "per_core": results.spread(round(1e6 / one[1], 1) for one in figures),
            "per_core_of_all": results.spread(round(1e6 / one[2], 1) for one in figures)}


def tell(agreement, kind, figures):
    say(f"{agreement}, {kind}: {figures['events_per_second']['median'] / 1e6:.3f} M events/s, "
        f"{figures['cpu_seconds_per_million']['median']:.3f} CPU s per million, "
        f"{figures['per_core']['median'] / 1e6:.3f} M events/s per core, "
        f"{figures['per_core_of_all']['median'] / 1e6:.3f} with broker and Redis")


def measure_agreement(stack, topic, agreement, options, saved):
    figures = {"live": [], "replay": [], "compared": [], "saved": []}
    for number in range(options.rounds):
        setup = stack.baton(f"replay-{agreement}-{number}", agreement=agreement, topic=topic,
                            partitions=options.partitions, workers=os.cpu_count())
        figures["live"].append(live(stack, setup, options))
        figures["replay"].append(replay(stack, setup, options))
        figures["compared"].append(replay(stack, setup, options, "--against", setup.config["agreement"]))
        if not saved.exists():
            replay(stack, setup, options, "--save", saved)
        figures["saved"].append(replay(stack, setup, options, saved))
        stack.delete_topics(setup.output_topics())
    rows = {kind: row(values) for kind, values in figures.items()}
    for kind, told in rows.items():
        tell(agreement, kind, told)
    rows["replay"]["resident_bytes"] = max(one[3] for one in figures["replay"])
    return rows


RATES = (("rate", "events_per_second"), ("per_core", "per_core"), ("per_core_of_all", "per_core_of_all"))


def times(rows, kind):
    """How many times as much of each as live."""
    return {name: round(rows[kind][of]["median"] / rows["live"][of]["median"], 3) for name, of in RATES}


def main():
    options = options_of()
    with Stack() as stack:
        topic = stack.named("replay-events")
        stack.baton("sender", topic=topic, partitions=options.partitions).make_topics()
        say(f"sending {options.events:,} events of {options.leads:,} leads")
        stack.bench("load", "--brokers", stack.brokers, "--topic", topic, "--events", options.events, "--leads",
                    options.leads, "--seed", options.seed)
        saved = stack.folder / "saved"
        runs = {agreement: measure_agreement(stack, topic, agreement, options, saved) for agreement in AGREEMENTS}
        ratios = {agreement: {**times(rows, "replay"), "saved": times(rows, "saved")} for agreement, rows in runs.items()}
        for agreement, ratio in ratios.items():
            for what, of in (("replay", ratio), ("replay of a saved log", ratio["saved"])):
                say(f"{agreement}: {what} folds {of['per_core_of_all']} times as much per core as run, broker and Redis "
                    f"included (goal {GOAL}: {'met' if of['per_core_of_all'] >= GOAL else 'not met'}), {of['per_core']} "
                    f"times without them, and is {of['rate']} times as fast")
        data = {"topic": {"events": options.events, "leads": options.leads, "partitions": options.partitions},
                "runs": runs, "ratios": ratios, "goal": GOAL}
        results.finish("replay", options, data)
    return 0


if __name__ == "__main__":
    run_main(main)
