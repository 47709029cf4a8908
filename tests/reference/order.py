#!/usr/bin/env python3
"""Does the order of arrival matter? Every line of the tables in docs/scoring.md, with `baton try` and with the reference:
where they say no, random orders of random events come to the same; where they say yes, an order is found that does not.

    order.py --baton build/release/baton [--rounds 12] [--seed 1]

A line without a test, or a test without a line, fails. Last line `N passed, N failed`.
"""

import argparse
import json
import random
import re
import sys
import tempfile
from collections import namedtuple
from decimal import Decimal
from pathlib import Path

from compare_try import run_try
from scorer import TRY_OPTIONS, expected, try_records

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/scoring.md"
DAY = 86_400_000
MONDAY = 1_793_577_600_000              # 2026-11-02
END = MONDAY + 30 * DAY
CLOSED = "gates: {mql: {score: 900000}, sql: {score: 1000000}}"

# One cell of a table. make(rng) → (parts of an agreement, events that may come in any order, events behind them); told:
# what is compared of the leads; within: how far amounts may be apart, in points.
Cell = namedtuple("Cell", "matters make told within", defaults=(0,))


# --- events -----------------------------------------------------------------------------------------------------------

def times(rng, count, days=12):
    return [MONDAY + time for time in rng.sample(range(days * DAY), count)]


def events(rng, kinds=("visit",), count=12, days=12, leads=("l",), **fields):
    made = []
    for number, time in enumerate(times(rng, count, days)):
        made.append({"kind": rng.choice(kinds), "event_id": f"e{number}", "lead_id": rng.choice(leads), "time": time,
                     **{name: rng.choice(values) for name, values in fields.items()}})
    return made


def profiles(rng, leads=("l",)):
    made = []
    for number, time in enumerate(times(rng, 8)):
        made.append({"kind": "profile", "event_id": f"p{number}", "lead_id": rng.choice(leads), "time": time,
                     rng.choice(("country", "job_title")): rng.choice(("BR", "DE", "Head", "", None))})
    return made


def said(kind, number, lead="l", time=END, **fields):
    return {"kind": kind, "event_id": f"s{number}", "lead_id": lead, "time": time, **fields}


def adjusted(rng, leads=("l",)):
    return [said("adjust", f"a{number}", rng.choice(leads), time, by="x", reason="x", points=rng.randint(-50, 50) or 1)
            for number, time in enumerate(times(rng, 6))]


def handed_over(lead="l"):
    """A promotion says what is known of a lead."""
    return [said("adjust", "last", lead, by="x", reason="x", stage="sql")]


def later(rng):
    """The newest event, some days on, of a kind that no rule counts."""
    return [said("email_sent", "later", time=MONDAY + 12 * DAY + rng.randrange(4 * DAY))]


# --- what is told -----------------------------------------------------------------------------------------------------

def amounts(leads):
    return {name: [lead.get(side) for side in ("score", "fit", "behaviour")] for name, lead in leads.items()}


def of_promotion(*keys):
    def told(leads):
        return [{key: one.get(key) for key in keys} for lead in leads.values() for one in lead.get("promotions", ())]
    return told


def persona(leads):
    return {name: (lead["persona"], lead["fit"]) for name, lead in leads.items()}


def way(leads):
    return {name: [(one["stage"], one["generation"]) for one in lead.get("changes", ())] for name, lead in leads.items()}


def owners(leads):
    return {name: [one["owner"] for one in lead["promotions"]] for name, lead in leads.items()}


def together(leads):
    """What the one that is left has."""
    return [[lead.get(side) for side in ("score", "fit", "behaviour")] for lead in leads.values() if "score" in lead]


def present(leads):
    return sorted(leads)


# --- the cells --------------------------------------------------------------------------------------------------------

FIT = "fit: [{id: f, where: {country: BR}, points: 5}, {id: g, where: {job_title: head}, points: 7}]"
PERSONAS = ("personas: [{id: p, fit: [{id: f, where: {country: BR}, points: 5}]}, "
            "{id: q, fit: [{id: g, where: {job_title: head}, points: 5}, {id: h, where: {country: DE}, points: 1}]}]")


def rule(**words):
    more = "".join(f", {name}: {value}" for name, value in words.items())
    return f"behaviour: [{{id: v, event: visit, points: 10{more}}}, {{id: c, event: click, points: -3}}]"


def plain(*parts, behind=lambda rng: [], **options):
    """Visits and clicks."""
    options.setdefault("kinds", ("visit", "visit", "click"))
    return lambda rng: (parts, events(rng, **options), behind(rng))


def behind_all(rng):
    return handed_over()


def no(make, told, within=0):
    return Cell(False, make, told, within)


def yes(make, told):
    return Cell(True, make, told)


def points_and_hits(text, points_matter, hits_matter, behind=lambda rng: [], within=0, **options):
    hits = plain(text, "touches: 32", behind=behind_all, **options)
    return (Cell(points_matter, plain(text, behind=behind, **options), amounts, within),
            Cell(hits_matter, hits, of_promotion("touches")))


def full_profile(rng):
    shuffled = events(rng, ("visit", "form_fill"), channel=("a", "b", "c"), form=("x", "y"),
                      fields=({"country": "BR"}, {"name": "Ana"}, {}))
    return (rule(), "share: [country, job_title, name]"), shuffled + profiles(rng), handed_over()


def counted(rng):
    return (rule(),), events(rng, ("form_fill", "email_sent", "email_opened", "email_clicked"), 20), handed_over()


def repeats(rng):
    made = events(rng, count=12)
    return (rule(),), made + [dict(one) for one in rng.sample(made, 6)], []


def gates(rng):
    shuffled = events(rng, ("visit", "click"), 8) + adjusted(rng) + [
        said("feedback", 1, time=MONDAY + 6 * DAY, report="rejected"), said("feedback", 2, time=MONDAY, report="accepted")]
    return (rule(), "recycle: {after: 1d, score: 1}", "gates: {mql: {score: 10}, sql: {score: 20}}"), shuffled, []


def turns(rng):
    return (rule(), "assign: [{to: [Ana, Bruno, Carla]}]"), [
        said("adjust", number, f"l{number}", by="x", reason="x", stage="sql") for number in range(4)], []


def forgets(rng):
    return (rule(), "forget: 2d"), events(rng, count=6, days=3) + [said("recheck", 1, time=MONDAY + 4 * DAY)], []


# --- persons

def merged(*parts, more=lambda rng, leads: [], **options):
    """Events of three ids, and the merges that make them one, anywhere among them."""
    def make(rng):
        leads = ("a", "b", "c")
        merges = [said("merge", n, one, MONDAY + n, into=into)
                  for n, (one, into) in enumerate(rng.choice(((("a", "b"), ("b", "c")), (("a", "c"), ("b", "c")))))]
        kinds = {"kinds": ("visit", "visit", "click"), **options}
        return (parts, events(rng, leads=leads, **kinds) + more(rng, leads) + merges, [])
    return make


def only_c(leads):
    return amounts({"c": leads["c"]})


def circles(rng):
    """Two merges that cross, or three in a circle. The events are all there before: who is one with whom, and under which
    id, is what differs."""
    ids = ["a", "b", "c"][:rng.choice((2, 3))]
    merges = [said("merge", n, one, MONDAY + n, into=ids[(n + 1) % len(ids)]) for n, one in enumerate(ids)]
    return (rule(),), events(rng, ("visit", "click"), leads=ids) + merges, []


def erased_before(rng):
    """Somebody else's events among them are not touched."""
    return (FIT, rule()), events(rng, leads=("l", "m")) + profiles(rng, ("l", "m")) + [said("erase", 1)], []


def erased_newer(rng):
    return (rule(),), events(rng) + [said("erase", 1, time=MONDAY + 6 * DAY)], []


def erased_ids(rng):
    return (rule(),), events(rng, leads=("a", "b"), count=6) + [said("merge", 1, "a", MONDAY, into="b"),
                                                               said("erase", 2, "b")], []


def with_profiles_and_hands(rng, leads):
    return profiles(rng, leads) + adjusted(rng, leads)


ORDERLESS = (FIT, rule()[:-1] + ", {id: e, event: click, points: 4, at_most: {times: 3, per: ever}}, "
                                "{id: w, event: visit, points: 6, while: {times: 3, within: 4d}}]")
CAP = "{times: 2, per: day}"

# first cell of a line → the cells behind it that say yes or no
LINES = {
    "fit": (no(lambda rng: ((FIT,), profiles(rng), []), amounts),),
    "no counting word": points_and_hits(rule(), False, False),
    "half_life": points_and_hits(rule(half_life="2d"), False, False, within=0.01),
    "at_most, per: ever": points_and_hits(rule(at_most="{times: 3, per: ever}"), False, True),
    "at_most, another per": points_and_hits(rule(at_most=CAP), True, True),
    "… and no event is later than that": points_and_hits(rule(at_most=CAP), False, True, days=2),
    "at_most with half_life": points_and_hits(rule(at_most="{times: 3, per: ever}", half_life="2d"), True, True),
    "while": points_and_hits(rule(**{"while": "{times: 3, within: 4d}"}), False, True, behind=later),
    "persona": (no(lambda rng: ((PERSONAS,), profiles(rng), []), persona),),
    "points by hand": (no(lambda rng: ((rule(),), events(rng) + adjusted(rng), []), amounts),),
    "profile, channels, forms": (no(full_profile, of_promotion("profile", "first_channel", "last_channel", "forms")),),
    "touches": (no(full_profile, of_promotion("touches")),),
    "conversions, mails": (no(counted, of_promotion("conversions", "mail")),),
    "repeats": (yes(repeats, amounts),),
    "stages, reports, recycle": (yes(gates, way),),
    "assign": (yes(turns, owners),),
    "forget": (yes(forgets, amounts),),
    "Merge: points of fit, no counting word, per: ever, while, points by hand":
        (no(merged(*ORDERLESS, more=with_profiles_and_hands), only_c),),
    "Merge: points of half_life": (no(merged(rule(half_life="2d")), only_c, within=0.03),),
    "Merge: points of at_most, another per": (yes(merged(rule(at_most=CAP)), only_c),),
    "Merge: stages": (yes(merged(rule(), "gates: {mql: {score: 10}, sql: {score: 30}}"), way),),
    "Merges that cross, or follow each other": (no(circles, together),),
    "Erase: what is from before it": (no(erased_before, amounts),),
    "Erase: what is newer": (yes(erased_newer, amounts),),
    "Erase: which ids are meant": (yes(erased_ids, present),),
}


# --- the document -----------------------------------------------------------------------------------------------------

def lines_of_document():
    """First cell → the cells behind it, as texts; heads of tables left out."""
    text = DOCUMENT.read_text(encoding="utf-8")
    part = text.partition("## Does the order of arrival matter?")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, row in enumerate(rows) if set("".join(row)) == {"-"}}
    return {re.sub("`", "", row[0]): [cell for cell in row[1:] if cell] for number, row in enumerate(rows)
            if number not in heads and number - 1 not in heads}


def compare_document():
    wrong, told = [], lines_of_document()
    wrong += [f"no test of the line {line!r}" for line in told if line not in LINES]
    wrong += [f"no such line in {DOCUMENT.name}: {line!r}" for line in LINES if line not in told]
    for line, cells in LINES.items():
        says = [re.match(r"(yes|no)\b", cell) for cell in told.get(line, ())]
        if line in told and [bool(one) and one.group() == "yes" for one in says] != [cell.matters for cell in cells]:
            wrong.append(f"{line!r} is tried as {['yes' if cell.matters else 'no' for cell in cells]}, and says {told[line]}")
    return wrong


# --- trying -----------------------------------------------------------------------------------------------------------

class Try:
    def __init__(self, baton, folder):
        self.baton, self.folder = baton, folder

    def leads(self, agreement, lines):
        return run_try(self.baton, self.folder, agreement, lines)


class Reference:
    def leads(self, agreement, lines):
        leads = expected(agreement, try_records(b"\n".join(lines)), TRY_OPTIONS)["leads"]
        return json.loads(json.dumps(leads), parse_float=Decimal)


def near(one, other, within):
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key], within) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(near(a, b, within) for a, b in zip(one, other))
    if within and isinstance(one, (int, Decimal)) and isinstance(other, (int, Decimal)):
        return abs(one - other) <= Decimal(str(within))
    return one == other


def agreement_of(parts):
    text = "agreement: order\nversion: 1\n" + "\n".join(parts) + "\n"
    text += "" if "behaviour:" in text else rule() + "\n"
    return text if "gates:" in text else text + CLOSED + "\n"


def differs(cell, rng, scorer, seen, orders=4):
    """Where an order comes to something else: (agreement, one, other); None if none does. `seen`: what it came to."""
    parts, shuffled, behind = cell.make(rng)
    agreement, first = agreement_of(parts), None
    for _ in range(orders):
        rng.shuffle(shuffled)
        lines = [json.dumps(event).encode() for event in shuffled + behind]
        told = cell.told(scorer.leads(agreement, lines))
        if first is not None and not near(first, told, cell.within):
            return agreement, first, told
        first = told if first is None else first
    seen.add(json.dumps(first, default=str))
    return None


def try_cell(cell, rng, scorer, rounds):
    """What is wrong, or None."""
    seen = set()
    for _ in range(rounds if not cell.matters else 10 * rounds):
        found = differs(cell, rng, scorer, seen)
        if found and cell.matters:
            return None
        if found:
            return f"it matters: {found[1]} and {found[2]} under\n{found[0]}"
    if cell.matters:
        return f"no order of {10 * rounds} times some events was found that matters"
    return None if len(seen) > 2 else f"whatever happens, it comes to {seen}: nothing is tried"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baton", required=True)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    passed, wrong = 0, compare_document()
    print("".join(f"FAIL {one}\n" for one in wrong), end="")
    failed = bool(wrong)
    passed += not failed
    with tempfile.TemporaryDirectory() as folder:
        for scorer in (Try(options.baton, folder), Reference()):
            for line, cells in LINES.items():
                found = [try_cell(cell, random.Random(f"{options.seed} {line} {n}"), scorer, options.rounds)
                         for n, cell in enumerate(cells)]
                bad = [one for one in found if one]
                print(f"{'FAIL' if bad else 'ok  '} {type(scorer).__name__}: {line}" + "".join(f"\n     {one}" for one in bad),
                      flush=True)
                passed, failed = passed + (not bad), failed + bool(bad)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
