"""From the moment at which an event should have been sent to its promotion being visible, and to its score in Redis:
a broker, a Redis and a baton with the simple agreement at default settings of our own, `baton-bench latency` beside
them on the same machine.

Data of a result (times in seconds):
    rate, rate_from   events per second; where that number comes from
    share_of_highest  of the highest sustained rate, null where that is not known
    warm_up, seconds  left out; measured
    events            sent in all; each was counted once by baton
    promotions        {"expected", "measured", "missing", "repeated", "wrong", "others"}
    latency           D of event due -> promotion visible, with "series": [[share, time], …] for a plot
    parts             "acknowledged" (due -> the broker has the event), "made" (-> baton hands the promotion to its
                      Kafka client), "visible" (-> a read_committed consumer has it): D each
    slow              [{"beyond": share, "seconds", "acknowledged", "made", "visible"}]: means of the slowest
    slowest           [{"due", "seconds", "acknowledged", "made", "visible"}]: the ten slowest
    per_second        [{"second", "warm_up", "promotions", "p50", "p99", "most", "sender_lag"}]
    sender_lag        D of how far the sender was behind its plan (part of all figures above)
    freshness         D of event due -> score in Redis, with "series", "resolution" and "lost"
    cpu_cores         {"program", "broker", "redis", "bench"}: cores that were busy, warm-up included
    D is {"count", "mean", "least", "most", "percentiles": [[share, time], …], "reliable_to": the greatest share
    beyond which ten or more values lie}
"""

import json
import os
import time
from pathlib import Path

import results
from baton_log import all_live
from stack import Failed, Stack, run_main, say, wait_for

HALF = 0.5


def highest_sustained(folder):
    """(events per second, where from) of the newest comparison; (None, why not)."""
    path = Path(folder) / "compare.jsonl"
    try:
        newest = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        rate = newest["data"]["programs"]["baton"]["events_per_second"]["median"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None, f"no comparison in {path}"
    return rate, f"compare of {newest.get('at')}, commit {newest.get('commit')}"


def choose_rate(options):
    """rate, its origin, and its share of the highest sustained rate."""
    folder = results.FOLDER if options.results == "none" else options.results
    highest, origin = highest_sustained(folder)
    if options.rate:
        return options.rate, "--rate", round(options.rate / highest, 3) if highest else None
    if not highest:
        raise Failed(f"half of the highest sustained rate is the default, and that is not known ({origin}): "
                     f"run baton-bench compare first, or give --rate")
    return round(HALF * highest), f"half of {highest:.0f}: {origin}", HALF


def busy_seconds(stack, program):
    children = os.times()
    return {"program": program.cpu_seconds(), **stack.cpu_seconds(),
            "bench": children.children_user + children.children_system}


def stop(setup, program, sent):
    """Clean, and with each event counted once."""
    if program.stop() != 0:
        raise Failed(f"baton did not stop clean:\n{program.tail()}")
    told = setup.status()
    if told["events"] != sent or told["duplicates"] or told["dead_letters"]:
        raise Failed(f"{sent} events were sent, {told['events']} counted, {told['duplicates']} as repeats, dead "
                     f"letters: {told['dead_letters']}")


def measure(stack, options, rate):
    setup = stack.baton("latency", agreement=options.agreement, partitions=options.partitions, workers=options.workers)
    setup.make_topics()
    program = setup.start()
    wait_for("all units to be live", 60, lambda: all_live([program], options.workers, options.partitions))
    say(f"{rate:,.0f} events/s for {options.warm_up:g} s of warm-up and {options.seconds:g} s")
    before, began = busy_seconds(stack, program), time.monotonic()
    data = stack.bench("latency", "--brokers", stack.brokers, "--topic", setup.topic, "--promotions", setup.promotions,
                       "--rate", rate, "--seconds", options.seconds, "--warm-up", options.warm_up, "--leads",
                       options.leads, "--zipf", options.zipf, "--rising", options.rising, "--rise", options.rise,
                       "--event-bytes", options.event_bytes, "--samples", options.samples, "--seed", options.seed,
                       "--linger", options.linger, "--client",
                       options.client, "--redis", stack.redis_url, "--prefix", setup.prefix)
    after, took = busy_seconds(stack, program), time.monotonic() - began
    data["cpu_cores"] = {name: round((after[name] - before[name]) / took, 3) for name in after}
    stop(setup, program, data["events"])
    stack.delete_topics([setup.topic, *setup.output_topics()])
    return data


def options_of():
    parser = results.parser("latency", "From the moment at which an event should have been sent to its promotion being "
                                       "visible to a read_committed consumer, and to its score in Redis. With "
                                       "--brokers: against a baton that runs already, with options of its own.")
    parser.add_argument("--rate", type=results.count, help="events per second; without it half of the highest "
                                                           "sustained rate of the newest comparison")
    parser.add_argument("--seconds", type=float, default=60, help="how long is measured")
    parser.add_argument("--warm-up", type=float, default=45, help="seconds before that: sent and checked, not measured "
                                                                  "(a broker just started compiles its code meanwhile)")
    parser.add_argument("--leads", type=results.count, default=200000, help="known leads")
    parser.add_argument("--zipf", type=float, default=1.0, help="exponent of their popularity, 0: uniform")
    parser.add_argument("--rising", type=float, default=0.3, help="share of events that are of new leads on their way "
                                                                  "to a promotion")
    parser.add_argument("--rise", type=float, default=5, help="seconds from such a lead's first event to its last")
    parser.add_argument("--event-bytes", type=results.size, default=240, help="size of an event, about")
    parser.add_argument("--client", default="direct", choices=("direct", "librdkafka"),
                        help="what sends: direct leaves more of the machine to what is measured")
    parser.add_argument("--linger", type=float, default=0.005, help="seconds that the sender may collect events into a "
                                                                    "batch: part of the latency")
    parser.add_argument("--samples", type=float, default=50, help="events per second to look for in Redis")
    parser.add_argument("--partitions", type=results.count, default=8, help="of the topic")
    parser.add_argument("--workers", type=results.count, default=2, help="threads of baton")
    # the promotions that must come are known for this one alone: not an option
    parser.set_defaults(agreement="simple")
    return parser.parse_args()


def main():
    options = options_of()
    rate, origin, share = choose_rate(options)
    with Stack() as stack:
        data = {"rate_from": origin, "share_of_highest": share, **measure(stack, options, rate)}
    busy = ", ".join(f"{name} {cores:.2f}" for name, cores in data["cpu_cores"].items())
    say(f"cores that were busy: {busy}; rate: {origin}")
    results.finish("latency", options, data)
    return 0


if __name__ == "__main__":
    run_main(main)
