"""From what was measured to a document: what each section says first, what it shows, and how it is repeated."""
from .. import wording
from ..document import Document
from .compare import costs, rates
from .latency import of_latency
from .machine import of_machine
from .parts import at_commits, machine_line, missing
from .replay import of_replay
from .scale import of_scale
from .stages import of_stages
from .takeover import of_take_over
from .targets import of_targets
from .trend import of_trend


def document(results):
    sections = [of_targets(results), *of_compare(results.compare), of_latency(results.latency),
                of_stages(results.stages), of_scale(results), of_take_over(results.take_over), of_replay(results.replay),
                of_trend(results.history), of_machine(results)]
    return Document("baton: how fast it is, and what it costs", lede(results), [one for one in sections if one])


def of_compare(compare):
    return [rates(compare), costs(compare)] if compare else [missing("throughput", "Throughput", "compare")]


def lede(results):
    if not results.runs:
        return ["Nothing has been measured yet. Each section names the command that measures it."]
    texts = []
    if results.compare:
        baton = results.compare.peer("baton")
        texts.append(f"baton takes in **{wording.rate(baton.rate.median)} events per second** and spends "
                     f"**{wording.fixed(baton.cost.total)} CPU seconds per million events**, broker and Redis "
                     "included, with every event counted exactly once.")
    newest = max(results.runs, key=lambda run: run.at)
    texts.append(f"Measured {wording.day(newest.at)} {at_commits(results.runs)}, on {machine_line(newest.machine)}.")
    return texts
