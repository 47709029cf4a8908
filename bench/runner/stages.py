"""What each part of baton can do alone, beside baton as a whole, on a broker and a Redis of our own: loads a topic, lets
baton take it in, then runs `baton-bench stages` over the same topic.

Data of a result: that of `baton-bench stages` (bench/stages/report.c), CPU in seconds per million of the unit:
    workers, cores, partitions, messages, leads, unreadable
    stages    name -> {"unit", "per_second", "workers", "others": CPU of the program, "broker", "redis",
              "events_per_second": what it alone would allow, null: any}
    transaction_ms       {"p50", "p90", "p99"}
    leads_among_events   [[events of one worker in a row, different leads among them], …]
    limit     {"name", "largest": the part that takes most of it, "events_per_second", "writes_per_event",
              "alone": what may hold the whole -> events per second that it would allow, null: any,
              "parts": [{"part", "place", "cpu_seconds_per_million"}]}
    baton     {"events_per_second", "program", "broker", "redis"}: medians of its runs; null with --rounds 0
"""

import statistics

import results
from stack import AGREEMENTS, Stack, run_main, say
from throughput import measure



def agreement_path(name):
    return name if "/" in name else AGREEMENTS / f"{name}.yaml"


def run_baton(stack, topic, options, number):
    """One run over the whole topic; what it took."""
    setup = stack.baton(f"stages-{number}", agreement=options.agreement, topic=topic, partitions=options.partitions,
                        workers=options.workers)
    setup.make_topics()
    stack.flush_redis()
    program = setup.start()
    measured = measure(stack, [program], setup.group, topic, options.partitions)
    program.stop()
    stack.delete_topics(setup.output_topics())
    say(f"    {measured.events_per_second / 1e6:.3f} M events/s")
    return {"events_per_second": measured.events_per_second, **measured.cost()}


def run_rounds(stack, topic, options):
    """Medians of all rounds but the first, in which the broker is young."""
    for number in range(options.rounds + 1):
        say(f"baton as a whole, round {number} of {options.rounds}" if number else "warming up: baton")
        turn = run_baton(stack, topic, options, number)
        turns = [*turns, turn] if number else []
    return {part: statistics.median(turn[part] for turn in turns) for part in turns[0]} if turns else None


def run_stages(stack, topic, options, whole):
    given = [] if not whole else ["--baton-rate", whole["events_per_second"], "--baton-program", whole["program"],
                                  "--baton-broker", whole["broker"], "--baton-redis", whole["redis"]]
    return stack.bench("stages", "--brokers", stack.brokers, "--topic", topic, "--redis", stack.redis_url,
                       "--broker-pid", stack.broker.pid, "--redis-pid", stack.redis_server.pid,
                       "--agreement", agreement_path(options.agreement), "--events", options.events,
                       "--leads", options.leads, "--workers", options.workers, "--seconds", options.seconds, *given)


def options_of():
    parser = results.parser("stages", "What each part of baton can do alone on this machine, and which is the limit. "
                            "With --brokers and --redis: on servers and a topic of yours "
                            "(baton-bench stages --brokers X --help).")
    parser.add_argument("--events", type=results.count, default=3000000, help="in the topic; kept in memory")
    parser.add_argument("--leads", type=results.count, default=200000, help="whom they are of")
    parser.add_argument("--zipf", type=float, default=1.0, help="exponent of their popularity, 0: uniform")
    parser.add_argument("--bytes", type=results.size, default=240, help="size of an event, about")
    parser.add_argument("--agreement", default="simple", help="simple or ten, or a file's path")
    parser.add_argument("--partitions", type=results.count, default=8, help="of the topic")
    parser.add_argument("--workers", type=results.count, default=2, help="threads of every stage")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each stage runs")
    parser.add_argument("--rounds", type=results.count, default=3, help="runs of baton as a whole, 0: none")
    return parser.parse_args()


def main():
    options = options_of()
    with Stack() as stack:
        topic = stack.named("bench-events")
        stack.make_topic(topic, options.partitions)
        say(f"sending {options.events:,} events of {options.leads:,} leads")
        stack.bench("load", "--brokers", stack.brokers, "--topic", topic, "--events", options.events, "--leads",
                    options.leads, "--zipf", options.zipf, "--bytes", options.bytes, "--seed", options.seed)
        whole = run_rounds(stack, topic, options) if options.rounds else None
        stack.flush_redis()
        say("each part alone")
        data = run_stages(stack, topic, options, whole)
    results.finish("stages", options, data)
    return 0


if __name__ == "__main__":
    run_main(main)
