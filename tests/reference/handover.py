"""What is told of a lead: records of lead-stages, promotions, and the summary that `try` and `show` give."""

from decay import ONE
from messages import PROFILE_FIELDS
from stages import saturate

MAIL = ("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed")


def floor_to_hundredths(fixed, limit=None):
    """A sum with 40 fractional bits → hundredths: upper bound, saturation, floor."""
    if limit is not None:
        fixed = min(fixed, limit * ONE)
    return saturate(fixed, 1_000_000 * ONE) * 100 >> 40


def points(hundredths):
    """Hundredths as JSON shows them: 70, 70.25."""
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def _rule_points(lead, agreement):
    return [{"id": rule.id,
             "points": points(floor_to_hundredths(lead.tallies[rule.id].worth(rule, lead.newest, agreement.zone)))}
            for rule in agreement.behaviour if rule.id in lead.tallies and lead.tallies[rule.id].count > 0]


def record(lead, event, change, agreement, topic, **more):
    """What every record of lead-stages says. `change` is None where a stage was entered, else what happened."""
    return {"lead_id": lead.id, "generation": lead.generation, "from_stage": lead.stage, "stage": lead.stage, "change": change,
            "time": event.time, "score": points(lead.score), "fit": points(lead.fit),
            "behaviour": points(lead.behaviour), "agreement": agreement.name,
            "agreement_version": agreement.version, "event_id": event.id, "topic": topic,
            "partition": event.partition, "offset": event.offset, **more}


def promotion(lead, change, agreement, owner):
    return {**change,
            "rules": _rule_points(lead, agreement),
            "fit_rules": [{"id": rule.id, "points": rule.points, "fields": list(rule.fields)}
                          for rule in lead.fit_held],
            "touches": [dict(touch) for touch in lead.touches],
            "conversions": lead.conversions,
            "first_channel": lead.first_channel, "last_channel": lead.last_channel,
            "persona": lead.persona.id if lead.persona else None, "owner": owner,
            "segment": lead.profile.get("segment") if "segment" in agreement.share else None,
            "forms": [{**form, "fields": [field for field in PROFILE_FIELDS if field in agreement.share and field in form["fields"]]}
                      for form in lead.forms],
            "mail": {kind: lead.mail.get(kind, 0) for kind in MAIL} if lead.mail else None,
            "earlier": [{key: one[key] for key in ("generation", "stage", "reason")} for one in lead.earlier],
            "profile": {field: lead.profile[field] for field in agreement.share if field in lead.profile}}


def summary(lead, agreement):
    rules = {rule["id"]: rule["points"] for rule in _rule_points(lead, agreement)}
    # Choice: outside of a promotion, `rules` tells the fit rules that hold too; ids are unique over both.
    rules.update((rule.id, rule.points) for rule in lead.fit_held or ())
    return {"lead_id": lead.id, "score": points(lead.score), "fit": points(lead.fit),
            "behaviour": points(lead.behaviour), "stage": lead.stage, "rules": rules, "newest": lead.newest,
            "events": lead.events, "conversions": lead.conversions, "first_channel": lead.first_channel,
            "last_channel": lead.last_channel, "profile": dict(lead.profile),
            "touches": [dict(touch) for touch in lead.touches], "generation": lead.generation,
            "adjusted": lead.adjusted, "persona": lead.persona.id if lead.persona else None, "promotions": [],
            "changes": []}
