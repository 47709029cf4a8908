"""What baton promises itself, and whether the newest results keep it."""
from dataclasses import dataclass

from . import wording

MEMORY_OVER_LIMIT = 128 << 20


@dataclass
class Verdict:
    text: str
    goal: str
    measured: str                   # "" where nothing was measured
    state: str                      # met, missed, open (not measured), other (measured at other settings)


def ratio(value, write=wording.fixed):
    return f"{write(value)} ×"


def cpu(value, write=wording.fixed):
    return f"{write(value)} s"


def time(value, _=None):
    return wording.duration(value)


def size(value, _=None):
    return wording.size(value) if value > 0 else "none"


def least(run, text, goal, value, unit):
    return verdict(run, text, "≥", goal, value, unit)


def most(run, text, goal, value, unit):
    return verdict(run, text, "≤", goal, value, unit)


def verdict(run, text, sign, goal, value, unit):
    told = f"{sign} {unit(goal, wording.significant)}"
    if value is None:
        return Verdict(text, told, "", "open")
    kept = value >= goal if sign == "≥" else value <= goal
    measured = unit(value)
    if not kept and measured == unit(goal):     # what missed by a hair must not read like the goal
        measured += f" ({value:.5g})"
    return Verdict(text, told, measured, "other" if differences(run) else "met" if kept else "missed")


# The targets speak of these settings; a result of others (a short try, say) neither meets nor misses them.
SETTINGS = {
    "compare": {"leads": 200000, "zipf": 1.0, "bytes": 240},
    "scale": {"wide_leads": 10000000},
    "takeover": {"leads": 10000000},
    "replay": {"leads": 200000},
}
LEAST = {"compare": {"events": 1000000}, "scale": {"events": 500000}, "latency": {"share_of_highest": 0.49},
         "takeover": {"leads in Redis": 8000000}, "replay": {"events": 5000000}}


def differences(run):
    """What of a run's settings is not what the targets speak of, as texts."""
    found = [f"{name} {number(run.settings[name])} instead of {number(wanted)}"
             for name, wanted in SETTINGS.get(run.kind, {}).items() if run.settings.get(name, wanted) != wanted]
    for name, lowest in LEAST.get(run.kind, {}).items():
        value = run.settings.get(name, lowest)
        if not isinstance(value, (int, float)):
            found.append(f"{name} is not known")
        elif value < lowest:
            found.append(f"{name} {number(value)}, less than {number(lowest)}")
    return found


def number(value):
    return wording.count(value) if isinstance(value, (int, float)) and value >= 1000 else str(value)


def deviations(results):
    return [f"{run.kind}: {', '.join(differences(run))}" for run in results.runs if differences(run)]


def verdicts(results):
    return [*of_compare(results.compare), *of_latency(results.latency), *of_scale(results),
            *of_take_over(results.take_over), *of_replay(results.replay)]


def run_of(part):
    return part.run if part else None


def of_compare(compare):
    run, ratios = run_of(compare), compare.ratios if compare else {}
    cost = compare.peer("baton").cost if compare and compare.peer("baton") else None
    return [
        least(run, "throughput against a consumer that only counts", 0.6, ratios.get("ceiling"), ratio),
        least(run, "throughput against the naive scorer", 5, ratios.get("naive"), ratio),
        least(run, "throughput against Kafka Streams with Redis", 8, ratios.get("kafka_streams"), ratio),
        least(run, "throughput of ten rules against three", 0.8, compare and compare.ten, ratio),
        least(run, "throughput of forty.yaml (more hits) against ten.yaml", 0.9, compare and compare.forty, ratio),
        most(run, "CPU per million events: program", 0.8, cost and cost.program, cpu),
        most(run, "CPU per million events: program, broker and Redis", 1.6, cost and cost.total, cpu),
    ]


def of_latency(latency):
    run = run_of(latency)
    promoted = latency.total if latency else None
    fresh = latency.freshness if latency else None
    return [
        most(run, "event to promotion visible, p99", 0.050, promoted and promoted.surely_at(0.99), time),
        most(run, "event to promotion visible, p99.9", 0.150, promoted and promoted.surely_at(0.999), time),
        most(run, "score fresh in Redis, p99", 1.0, fresh and fresh.surely_at(0.99), time),
    ]


def of_scale(results):
    beyond, run = memory_beyond_limit(results.growth)
    workers, rules = (next((growth for growth in results.growth if growth.name == name), None)
                      for name in ("workers", "rules"))
    return [
        least(run_of(results.wide), "10 million leads, table far smaller, against Redis alone", 0.8,
              results.wide and results.wide.ratio, ratio),
        most(run, "memory of the program beyond its table's limit", MEMORY_OVER_LIMIT, beyond, size),
        least(run_of(workers), "throughput of two workers against one", 1, rate_against(workers, 2, 1), ratio),
        least(run_of(rules), "throughput of 40 rules against 10 of the same kinds, hit as often", 0.9,
              rate_against(rules, 40, 10), ratio),
    ]


def memory_beyond_limit(growth):
    """The most of all points, and the run that found it."""
    found = [(point.resident - point.limit, one.run) for one in growth for point in one.points
             if point.resident and point.limit]
    return max(found, key=lambda pair: pair[0], default=(None, None))


def rate_against(growth, value, other):
    rates = {point.x: point.rate.median for point in growth.points} if growth else {}
    return rates[value] / rates[other] if value in rates and other in rates else None


def of_take_over(take_over):
    return [most(run_of(take_over), "take-over of 10 million leads, after the group handed over", 1.0,
                 take_over and take_over.after.median, time)]


def of_replay(replay):
    first = replay.agreements[0] if replay else None
    return [least(run_of(replay), "replay of the log against taking it in, per core with broker and Redis", 3,
                  first and first.of_replay.per_core_of_all, ratio),
            least(run_of(replay), "replay of a saved log against taking it in, per core with broker and Redis", 3,
                  first and first.of_saved.per_core_of_all, ratio)]
