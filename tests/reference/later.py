"""Random agreements and events for the words of words.py: what is there only if its word is on."""

from collections import namedtuple

import machines
from messages import REPORTS, STAGES
from persons import Identity

Pieces = namedtuple("Pieces", "where gates fit_rule flow items profile behaviour_rule agents pages")

REASONS = ("no budget", "No Authority", "São Paulo", "wrong segment")
PEOPLE = ("Ana", "Bruno", "Carla", "Duda", "Enzo")
_TIMES = ("30m", "4h", "1d", "7d", "30d")


# --- agreements -------------------------------------------------------------------------------------------------------

def rules(rng, words, pieces):
    """More rules of behaviour."""
    if "while" not in words:
        return []
    made = []
    for number in range(rng.randint(1, 3)):
        rule = {**pieces.behaviour_rule(rng, number), "id": f"w{number}"}
        rule["event"] = rng.choice(("visit", "visit", "click", rule["event"]))
        if rng.random() < 0.6:
            rule.pop("where", None)
        rule["while"] = {"times": rng.choice((1, 2, 2, 3, 5, 20)), "within": f"{rng.choice((1, 2, 3, 7, 14, 31))}d"}
        made.append(rule)
    return made


def _personas(rng, pieces, ids):
    made = []
    for number in range(rng.randint(1, 4)):
        fit = [{**pieces.fit_rule(rng, n), "id": f"p{number}-{n}"} for n in range(rng.randint(1, 3))]
        lines = [f"  - id: persona-{number}", "    fit:"] + [f"      - {pieces.flow(rng, rule)}" for rule in fit]
        if rng.random() < 0.4:
            gates = pieces.gates(rng, ids)
            lines.append("    gates: {" + ", ".join(f"{stage}: {pieces.flow(rng, gate)}"
                                                    for stage, gate in gates.items()) + "}")
        made.append("\n".join(lines))
    return made


def _assign(rng, pieces, personas):
    made = []
    for _ in range(rng.randint(0, 3)):
        where = pieces.where(rng, pieces.profile)
        if personas and rng.random() < 0.5:
            where = {"persona": f"persona-{rng.randrange(personas)}", **(where if rng.random() < 0.4 else {})}
        made.append({"where": where, "to": _people(rng)})
    if not made or rng.random() < 0.7:
        made.append({"to": _people(rng)})
    return made


def _people(rng):
    people = rng.sample(PEOPLE, rng.randint(1, 4))
    return people[0] if len(people) == 1 and rng.random() < 0.7 else people


def parts(rng, words, pieces, ids):
    """More parts of an agreement, each a text."""
    made, personas = [], []
    if "personas" in words and rng.random() < 0.8:
        personas = _personas(rng, pieces, ids)
        made.append("personas:\n" + "\n".join(personas))
    if "assign" in words and rng.random() < 0.8:
        made.append("assign:\n" + pieces.items(rng, _assign(rng, pieces, len(personas))))
    if "recycle" in words and rng.random() < 0.8:
        made.append(f"recycle: {{after: {rng.choice(_TIMES)}, score: {rng.choice((0, 1, 5, 20))}}}")
    if "verdicts" in words and rng.random() < 0.5:
        made.append("sales: " + pieces.flow(rng, {"reasons": rng.sample(REASONS, rng.randint(1, 3))}))
    if "sweeps" in words and rng.random() < 0.6:
        made.append(f"forget: {rng.choice(_TIMES[2:])}")         # from 1d on
    if "ignore" in words and rng.random() < 0.8:
        ignore = {"user_agents": [rng.choice((agent, agent.upper(), f"*{agent[:5]}*")) for agent in
                                  rng.sample(pieces.agents, rng.randint(1, 2))]}
        if machines.LIST.exists() and rng.random() < 0.7:
            ignore["bots"] = rng.random() < 0.8
        made.append("ignore: " + pieces.flow(rng, ignore))
    return made


# --- events -----------------------------------------------------------------------------------------------------------

def identity(rng, words):
    """The part of a configuration that says who a visitor is; None: it says nothing."""
    if "identity" not in words or rng.random() < 0.4:
        return None
    return Identity(rng.choice(("email", "email", "properties.account")), rng.choice(("none", "sha256")),
                    rng.choice(("", "p/", "é,%")))


def name_person(rng, part, message, place):
    """Says in a profile, or in a form, which person the lead at this place of the list is: two or three are one."""
    if rng.random() < 0.5 or message["kind"] not in ("profile", "form_fill"):
        return
    person = f"Person{place // 3}@X.example"
    value = rng.choice((person, person.lower(), f" {person}\t", person.upper(), f"other{place}@x.example"))
    if part.field == "email":
        target = message if message["kind"] == "profile" else message.setdefault("fields", {})
        target["email"] = value
    elif message["kind"] == "profile":
        message["properties"] = {**(message.get("properties") or {}), "account": value}


class Said:
    """Messages about leads. Most merges are into one behind it in the list; the others may meet a merge of before."""

    def __init__(self, rng, words, hostile, leads):
        self.rng, self.hostile, self.leads, self.last = rng, hostile, leads, None
        self.kinds = [kind for kind, word, times in
                      (("feedback", "verdicts", 9), ("adjust", "adjust", 4), ("merge", "merges", 3),
                       ("erase", "erasures", 1), ("recheck", "sweeps", 3)) if word in words for _ in range(times)]

    def wanted(self):
        return bool(self.kinds) and self.rng.random() < 0.2

    def message(self, lead_id, number, time):
        """self.last is the lead that it is about."""
        rng = self.rng
        kind = rng.choice(self.kinds)
        self.last = lead_id
        message = {"kind": kind, "event_id": f"e{number}", "lead_id": lead_id, "time": time}
        message.update(getattr(self, "_" + kind)(lead_id))
        if self.hostile and rng.random() < 0.06:
            name = rng.choice(sorted(set(message) - {"kind", "event_id", "lead_id", "time"}) or ["seller"])
            message[name] = rng.choice((None, "", "x", 70000, -70000, 0.5))
        return message

    def _feedback(self, lead_id):
        rng = self.rng
        report = rng.choices(REPORTS, (2, 2, 1, 1, 4, 3, 3, 6, 2))[0]
        fields = {"verdict": report} if rng.random() < 0.3 else {"report": report}
        if rng.random() < 0.2:
            fields = {"report": "verdict", "verdict": report}
        if report == "rejected" or rng.random() < 0.1:
            fields["reason"] = rng.choice((*REASONS, "NO BUDGET", "sao paulo", "other"))
        if rng.random() < 0.3:
            fields["generation"] = rng.choice((1, 1, 2, 3))
        if rng.random() < 0.5:
            fields["seller"] = rng.choice(PEOPLE)
        if rng.random() < 0.2:
            fields.update(note="called twice", obstacle="price", deal_value=1200.5, deal_currency="BRL")
        return fields

    def _adjust(self, lead_id):
        rng = self.rng
        fields = {"by": rng.choice(PEOPLE), "reason": rng.choice(("met at a fair", "wrong form", "ação"))}
        if rng.random() < 0.6:
            fields["points"] = rng.choice((rng.randint(-30, 60), 10000, -10000))
        if "points" not in fields or rng.random() < 0.2:
            fields["stage"] = rng.choice(STAGES)
        return fields

    def _merge(self, lead_id):
        rng, place = self.rng, self.leads.index(lead_id)
        if place + 1 == len(self.leads) or self.hostile and rng.random() < 0.05:
            return {"into": lead_id}            # a dead letter
        if rng.random() < 0.25:
            return {"into": rng.choice(self.leads)}
        return {"into": self.leads[rng.randrange(place + 1, len(self.leads))], "by": rng.choice(PEOPLE)}

    def _erase(self, lead_id):
        return {"by": self.rng.choice(PEOPLE), "reason": "asked for it"} if self.rng.random() < 0.7 else {}

    def _recheck(self, lead_id):
        return {}
