"""Stages: gates, what sales reports, what a person adjusts, who comes back. The table is the one of the contract."""

from texts import fold

STAGES = ("lead", "mql", "sql", "accepted", "customer", "rejected", "recycled")
RANKS = {"lead": 0, "recycled": 0, "mql": 1, "sql": 2, "accepted": 3, "customer": 4, "rejected": 5}
POINTS_MAX = 1_000_000
HUNDREDTHS_MAX = 100_000_000
_NOT_HANDED_OVER, _CLOSED = "not handed over", "closed"
_NOTES = ("assigned", "contacted", "meeting", "proposal")
_VERDICTS = ("accepted", "negotiating", "customer", "rejected", "churned")


def saturate(value, limit=HUNDREDTHS_MAX):
    return max(-limit, min(limit, value))


# --- the table --------------------------------------------------------------------------------------------------------
# stage → report → (stage from then on, None) or (None, why not)

def _row(notes, **verdicts):
    row = {report: notes for report in _NOTES}
    row.update(verdicts)
    assert set(row) == {*_NOTES, *_VERDICTS}
    return row


def _to(stage):
    return stage, None


def _no(why):
    return None, why


def _all(why):
    return {report: _no(why) for report in _NOTES + _VERDICTS}


TABLE = {
    "lead": _all(_NOT_HANDED_OVER),
    "mql": _all(_NOT_HANDED_OVER),
    "recycled": _all(_NOT_HANDED_OVER),
    "sql": _row(_to("sql"), accepted=_to("accepted"), negotiating=_to("accepted"), customer=_to("customer"),
                rejected=_to("rejected"), churned=_no("no customer")),
    "accepted": _row(_to("accepted"), accepted=_no("already"), negotiating=_to("accepted"), customer=_to("customer"),
                     rejected=_to("rejected"), churned=_no("no customer")),
    "customer": _row(_no(_CLOSED), accepted=_no("is a customer"), negotiating=_no("is a customer"),
                     customer=_no("already"), rejected=_no("is a customer"), churned=_to("rejected")),
    "rejected": {**_all(_CLOSED), "rejected": _no("already")},
}


# --- moving -----------------------------------------------------------------------------------------------------------

def begin_generation(lead):
    """What a generation leaves behind: how the one that ends went, if it was promoted."""
    if lead.sql_time is not None:
        lead.earlier.insert(0, {"generation": lead.generation, "promoted": lead.sql_time, "stage": lead.stage,
                                "ended": lead.stage_time, "reason": lead.reason})
        del lead.earlier[4:]
    lead.generation += 1
    lead.mql_time = lead.sql_time = lead.reason = None


def move(lead, stage, time):
    """Enters a stage; returns the transition. A rank that does not grow begins the next generation."""
    before = lead.stage
    if RANKS[stage] <= RANKS[before]:
        begin_generation(lead)
    lead.stage, lead.stage_time = stage, time
    if stage == "mql":
        lead.mql_time = time
    if stage == "sql":
        lead.sql_time = time
    return {"from_stage": before, "stage": stage, "generation": lead.generation}


def report(lead, event, agreement):
    """What sales says: (transition or None, why it was ignored or None)."""
    said = event.said
    # Choice: of another generation before the table, the table before the reason.
    if said["generation"] not in (None, lead.generation):
        return None, "of another generation"
    stage, why = TABLE[lead.stage][said["report"]]
    if why:
        return None, why
    reason = said.get("reason")
    if said["report"] == "rejected" and agreement.reasons and fold(reason or "") not in agreement.reasons:
        return None, "unknown reason"
    if stage == lead.stage:
        return None, None
    if stage == "rejected":
        lead.reason = "churned" if said["report"] == "churned" else reason
    return move(lead, stage, event.time), None


def adjust(lead, event, agreement, forbidden):
    """What a person gives or moves by hand, all of it or nothing: (transition or None, why not or None)."""
    stage = event.said.get("stage")
    if stage == lead.stage:
        return None, "already"
    if stage == "sql" and forbidden:
        return None, "never"
    lead.adjusted = saturate(lead.adjusted + (event.said["points"] or 0), POINTS_MAX)
    if stage == "rejected":
        lead.reason = event.said["reason"]
    return (move(lead, stage, event.time) if stage else None), None


def recycle(lead, agreement, present, time):
    if lead.stage != "rejected" or agreement.recycle_after is None:
        return None
    if present < lead.stage_time + agreement.recycle_after:
        return None
    return move(lead, "recycled", time)


# --- gates ------------------------------------------------------------------------------------------------------------

def _was_hit(lead, rule_id):
    return rule_id in lead.tallies and lead.tallies[rule_id].count > 0


def _met(lead, gate):
    return (all(getattr(lead, side) >= gate[side] for side in ("score", "fit", "behaviour") if side in gate)
            and ("needs_one_of" not in gate or any(_was_hit(lead, rule) for rule in gate["needs_one_of"]))
            and all(_was_hit(lead, rule) for rule in gate.get("needs_all_of", ())))


def _sql_gate(lead, agreement):
    """Higher with each generation; where it asks for no score, the addition stands alone."""
    gate, more = agreement.gate("sql", lead.persona), agreement.recycle_score * (lead.generation - 1)
    # Choice: what is higher by nothing is as it was, also where it asks for no score and the lead has less than none.
    if agreement.recycle_after is None or not more:
        return gate
    return {**gate, "score": saturate(gate.get("score", 0) + 100 * more)}


def pass_gates(lead, agreement, time, forbidden):
    """The transitions of the gates that are open now."""
    entered = []
    if lead.stage in ("lead", "recycled") and _met(lead, agreement.gate("mql", lead.persona)):
        before = lead.stage
        lead.stage, lead.stage_time, lead.mql_time = "mql", time, time
        entered.append({"from_stage": before, "stage": "mql", "generation": lead.generation})
    if lead.stage == "mql" and not forbidden and _met(lead, _sql_gate(lead, agreement)):
        entered.append(move(lead, "sql", time))
    return entered
