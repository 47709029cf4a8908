"""What baton promises itself, and what became of it."""
from .. import targets
from ..document import Mark, Notice, Section, Table, Text

WORDS = {"met": "met", "missed": "missed", "open": "not measured", "other": "other settings"}


def of_targets(results):
    verdicts = targets.verdicts(results)
    number = {state: sum(verdict.state == state for verdict in verdicts) for state in WORDS}
    rest = ", ".join(f"{number[state]} {WORDS[state]}" for state in ("missed", "open", "other") if number[state])
    blocks = [Text("Each is judged by the newest result at the settings that the target speaks of; × is baton's rate "
                   "divided by the other's, both measured in turns within one run.")]
    if number["other"]:
        blocks.append(Notice("Some results come from other settings than the targets speak of: "
                             + "; ".join(targets.deviations(results)) + "."))
    blocks.append(Table(["", "target", "measured", ""], [row(verdict) for verdict in verdicts], {1, 2}))
    title = f"{number['met']} of {len(verdicts)} targets are met" + (f": {rest}" if rest else "")
    return Section("targets", "Targets", title, blocks)


def row(verdict):
    state = "open" if verdict.state == "other" else verdict.state
    return [verdict.text, verdict.goal, verdict.measured or "–", Mark(state, WORDS[verdict.state])]
