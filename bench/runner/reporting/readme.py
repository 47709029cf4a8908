"""The block of figures in README.md: what the newest results say, and nothing that was not measured."""
import re

from . import targets, wording
from .sections.compare import against
from .sections.latency import percentile_text
from .sections.parts import PROGRAM, command_of, label, machine_line

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
BLOCK = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.S)


class NoBlock(Exception):
    pass


def with_figures(text, results):
    if len(BLOCK.findall(text)) != 1:
        raise NoBlock(f"expected one block from {BEGIN} to {END}")
    return BLOCK.sub(lambda _: f"{BEGIN}\n{figures(results)}{END}", text)


def figures(results):
    parts = [compared(results.compare), latency(results.latency), take_over(results.take_over),
             replay(results.replay), limit(results.stages), kept(results), machines(results)]
    text = "".join(part for part in parts if part)
    return text or f"Nothing has been measured yet; `{PROGRAM} compare` begins with it.\n"


def measured(run):
    changed = ", with uncommitted changes" if run.dirty else ""
    return f"`{command_of(run)}` at {run.commit or 'an unknown commit'}{changed}, {wording.day(run.at)}"


def machines(results):
    """Where the figures of the list come from, if not all from the machine of the comparison."""
    lines = list(dict.fromkeys(machine_line(run.machine) for run in results.runs))
    if results.compare and len(lines) == 1:
        return ""
    return f"- Measured on {'; '.join(lines)}.\n" if lines else ""


def compared(compare):
    if not compare:
        return ""
    head = (f"{wording.count(compare.events)} events in one topic, every program in turns on the same broker and Redis, "
            f"all on {machine_line(compare.run.machine)}; medians.\n\n"
            "| | events per second | baton ÷ it | CPU seconds per million events: program / broker / Redis | promises |\n"
            "|---|---:|---:|---|---|\n")
    rows = [f"| {label(peer)} | {wording.rate(peer.rate.median)} | {against(compare, peer)} | "
            + " / ".join(wording.fixed(getattr(peer.cost, part)) for part in wording.PARTS) + f" | {peer.promises} |\n"
            for peer in sorted(compare.peers, key=lambda peer: -peer.rate.median)]
    return head + "".join(rows) + f"\n{measured(compare.run)}.\n\n"


def latency(latency):
    if not latency:
        return ""
    told = [f"{percentile_text(latency.total, share)} at p{wording.significant(share * 100, 6)}"
            for share in (0.5, 0.99, 0.999) if latency.total.surely_at(share) is not None]
    if not told:
        return ""
    fresh = latency.freshness
    text = f"- From an event to its promotion, at {wording.rate(latency.rate)} events per second: {', '.join(told)}"
    if fresh and fresh.surely_at(0.99) is not None:
        text += f"; a score in Redis is at most {percentile_text(fresh, 0.99)} old at p99"
    return f"{text} ({measured(latency.run)}).\n"


def take_over(take_over):
    if not take_over:
        return ""
    return (f"- A killed process' units are live again {wording.duration(take_over.after.median)} after the group has "
            f"handed them over, with {wording.count(take_over.leads)} leads ({measured(take_over.run)}).\n")


def replay(replay):
    if not replay:
        return ""
    def times(of):
        return f"{wording.fixed(of.rate)} times the rate of `run`, {wording.fixed(of.per_core_of_all)} times per core"

    told = wording.listing(f"{wording.rate(one.replay.rate.median)} events per second with {one.name} rules "
                           f"({times(one.of_replay)})" for one in replay.agreements)
    saved = wording.listing(f"{wording.rate(one.saved.rate.median)} with {one.name} rules ({times(one.of_saved)})"
                            for one in replay.agreements)
    return (f"- `baton replay` folds the log again with {told}; from a log that was saved, with {saved}. Per core: events per "
            f"CPU second of the program, the broker and Redis ({measured(replay.run)}).\n")


def limit(stages):
    if not stages:
        return ""
    largest = f", most of which goes into {stages.largest}" if stages.largest else ""
    return f"- What limits: {stages.limit}{largest} ({measured(stages.run)}).\n"


def kept(results):
    if not results.runs:
        return ""
    verdicts = targets.verdicts(results)
    met = sum(verdict.state == "met" for verdict in verdicts)
    missed = [verdict for verdict in verdicts if verdict.state == "missed"]
    text = f"- {met} of {len(verdicts)} targets are met"
    if missed:
        text += "; missed: " + "; ".join(f"{one.text} ({one.measured}, target {one.goal})" for one in missed)
    return text + f". The rest, with drawings: `{PROGRAM} report`.\n"
