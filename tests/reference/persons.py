"""Two leads that are one person, and who says so."""

import hashlib
from collections import namedtuple

from messages import ID_MAX
from stages import POINTS_MAX, RANKS, begin_generation, saturate
from tally import Tally

RING = 8
ALIASES_MAX = 255
_FURTHER = {"lead": 0, "recycled": 0, "mql": 1, "rejected": 2, "sql": 3, "accepted": 4, "customer": 5}


# The part `identity` of a configuration. field: email or properties.NAME; hash: none or sha256.
Identity = namedtuple("Identity", "field hash prefix", defaults=("none", ""))


def identity_of(identity, event):
    """The id that the event's profile names, or None."""
    value = dict(event.profile).get(identity.field) if identity else None
    # Choice: blanks are those of ASCII.
    value = (value or "").strip(" \t\n\v\f\r")
    if not value:
        return None
    if identity.field == "email":
        value = "".join(char.lower() if char.isascii() else char for char in value)
    if identity.hash == "sha256":
        value = hashlib.sha256(value.encode()).hexdigest()
    # Choice: what is too long to be an id is none.
    return identity.prefix + value if len((identity.prefix + value).encode()) <= ID_MAX else None


def unite(lead, other, agreement):
    """`lead` takes over all that is known of `other`; returns the transition if its stage is another now."""
    rules = {rule.id: rule for rule in agreement.behaviour}
    for rule_id, tally in other.tallies.items():
        mine = lead.tallies.get(rule_id) or lead.tallies.setdefault(rule_id, Tally())
        mine.unite(tally, rules[rule_id])
    _unite_profile(lead, other)
    _unite_channels(lead, other)
    # Choice: at a tie the touches and forms of the lead that stays are the newer ones.
    lead.touches = sorted(lead.touches + other.touches, key=lambda touch: -touch["time"])[:agreement.touches]
    lead.forms = sorted(lead.forms + other.forms, key=lambda form: -form["time"])[:4]
    ring = (list(lead.ring)[::-1] + list(other.ring)[::-1])[:RING]
    lead.ring.clear()
    lead.ring.extend(ring[::-1])
    lead.newest = max(lead.newest, other.newest)
    lead.events += other.events
    lead.conversions += other.conversions
    lead.adjusted = saturate(lead.adjusted + other.adjusted, POINTS_MAX)
    for kind, count in other.mail.items():
        lead.mail[kind] = lead.mail.get(kind, 0) + count
    for alias in (*other.aliases, other.id):
        if alias != lead.id and alias not in lead.aliases:
            lead.aliases.append(alias)
    del lead.aliases[:-ALIASES_MAX]
    lead.fit_held = None
    return _unite_stage(lead, other)


def _unite_profile(lead, other):
    for field, time in other.profile_times.items():
        if field in lead.profile_times and lead.profile_times[field] >= time:
            continue
        lead.profile_times[field] = time
        for mine, theirs in ((lead.profile, other.profile), (lead.folded, other.folded)):
            mine.pop(field, None)
            if field in theirs:
                mine[field] = theirs[field]


def _unite_channels(lead, other):
    if other.first_channel is None:
        return
    if lead.first_channel is None or other.first_channel_time < lead.first_channel_time:
        lead.first_channel, lead.first_channel_time = other.first_channel, other.first_channel_time
    if lead.last_channel is None or other.last_channel_time > lead.last_channel_time:
        lead.last_channel, lead.last_channel_time = other.last_channel, other.last_channel_time


def _unite_stage(lead, other):
    """The further one wins. What it brings along is never promoted again."""
    adopted = _FURTHER[other.stage] > _FURTHER[lead.stage]
    before, generation = lead.stage, max(lead.generation, other.generation)
    lead.earlier = sorted(lead.earlier + other.earlier, key=lambda one: -one["promoted"])[:4]
    if not adopted:
        lead.generation = generation
        return None
    if generation == lead.generation and RANKS[other.stage] < RANKS[before]:
        begin_generation(lead)
        generation = lead.generation
    lead.generation, lead.stage, lead.stage_time = generation, other.stage, other.stage_time
    lead.mql_time, lead.sql_time = other.mql_time, other.sql_time
    lead.reason = other.reason
    return {"from_stage": before, "stage": lead.stage, "generation": generation, "adopted": True}
