"""The reference scorer: docs/scoring.md as code, slow and plain, written without a look at the program.

`expected(agreement_text, records)` folds a log and says what must come out of it.
Amounts are hundredths of a point (integers) inside, points in what is handed out.
"""

from collections import deque
from datetime import datetime, timedelta, timezone

import agreement as agreements
from decay import ONE, add, decay
from messages import Options, Record, Rejected, milliseconds, read  # noqa: F401 (handed on to the users of this module)
from texts import WORD_MAX, ascii_lower, cut, fold

COUNT_MAX = (1 << 32) - 1
HUNDREDTHS_MAX = 100_000_000
RING = 8
STAGES = ("lead", "mql", "sql")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_DAY = _EPOCH.toordinal()
_400_YEARS_DAYS = 146_097
_LATE_MS = 250_000_000_000_000      # in the year 9892: from here on, local dates are looked up 400 years earlier


# --- buckets of at_most -----------------------------------------------------------------------------------------------

def _local_date(time_ms, zone):
    """(days since 1970, year, month) in the zone. The calendar, weekdays included, repeats every 400 years."""
    cycles = 1 if time_ms >= _LATE_MS else 0
    moment = _EPOCH + timedelta(milliseconds=time_ms - cycles * _400_YEARS_DAYS * 86_400_000)
    local = moment.astimezone(zone)
    return local.toordinal() - _EPOCH_DAY + cycles * _400_YEARS_DAYS, local.year + cycles * 400, local.month


def bucket(time_ms, per, zone):
    if per == "ever":
        return 0
    if per == "hour":
        return time_ms // 3_600_000
    day, year, month = _local_date(time_ms, zone)
    if per == "day":
        return day
    return (day + 3) // 7 if per == "week" else year * 12 + month - 1


# --- amounts ----------------------------------------------------------------------------------------------------------

def saturate(value, limit=HUNDREDTHS_MAX):
    return max(-limit, min(limit, value))


def _floor_to_hundredths(fixed, limit=None):
    """A sum with 40 fractional bits → hundredths: upper bound, saturation, floor."""
    if limit is not None:
        fixed = min(fixed, limit * ONE)
    return saturate(fixed, 1_000_000 * ONE) * 100 >> 40


def points(hundredths):
    """Hundredths as JSON shows them: 70, 70.25."""
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


# --- state of a lead --------------------------------------------------------------------------------------------------

class Tally:
    """What one rule has counted for one lead."""
    __slots__ = ("count", "weight", "weight_time", "bucket", "in_bucket", "in_previous")

    def __init__(self):
        self.count = self.weight = self.weight_time = 0
        self.bucket = None
        self.in_bucket = self.in_previous = 0

    def room(self, number, times):
        """Whether a hit in this bucket counts: "yes", "full" or "late". Its bucket is remembered in any case."""
        if self.bucket is None:
            self.bucket = number
        elif number > self.bucket:
            self.in_previous = self.in_bucket if number == self.bucket + 1 else 0
            self.bucket, self.in_bucket = number, 0
        if number == self.bucket:
            if self.in_bucket >= times:
                return "full"
            self.in_bucket += 1
            return "yes"
        if number < self.bucket - 1:
            return "late"
        if self.in_previous >= times:
            return "full"
        self.in_previous += 1
        return "yes"

    def hit(self, time, half_life):
        if half_life is not None:
            self._weigh(time, half_life)
        self.count = min(self.count + 1, COUNT_MAX)

    def _weigh(self, time, half_life):
        if self.count == 0:
            self.weight, self.weight_time = ONE, time
        elif time >= self.weight_time:
            self.weight = add(decay(self.weight, time - self.weight_time, half_life), ONE)
            self.weight_time = time
        else:
            self.weight = add(self.weight, decay(ONE, self.weight_time - time, half_life))

    def worth(self, rule, now):
        """points × weight, exact, 40 fractional bits."""
        if rule.half_life is None:
            return rule.points * self.count * ONE
        return rule.points * decay(self.weight, now - self.weight_time, rule.half_life)


class Lead:
    """All that is remembered of one lead. `profile` and `folded` hold no removed value; `profile_times` does."""
    __slots__ = ("id", "ring", "newest", "events", "conversions", "profile", "folded", "profile_times", "fit_held",
                 "first_channel", "first_channel_time", "last_channel", "last_channel_time", "tallies", "touches",
                 "stage", "fit", "behaviour", "score")

    def __init__(self, lead_id):
        self.id = lead_id
        self.ring = deque(maxlen=RING)
        self.newest = self.events = self.conversions = 0
        self.profile, self.folded, self.profile_times = {}, {}, {}
        self.fit_held = None                    # None: to be computed
        self.first_channel = self.first_channel_time = self.last_channel = self.last_channel_time = None
        self.tallies = {}                       # rule id → Tally, only of rules that were hit
        self.touches = []                       # newest first
        self.stage = "lead"
        self.fit = self.behaviour = self.score = 0

    def look_up(self, field):
        """A profile field for matching; a text that folds to nothing is unknown."""
        if field == "email_domain":
            _, at, domain = self.folded.get("email", "").rpartition("@")
            return domain if at and domain else None
        return self.folded.get(field) or None


# --- one event, in the order of docs/scoring.md -----------------------------------------------------------------------

def _take_profile(lead, event, agreement):
    for field, text in event.profile:
        if field not in agreement.kept or event.time < lead.profile_times.get(field, 0):
            continue
        lead.profile_times[field] = event.time
        lead.fit_held = None
        if text is None:
            lead.profile.pop(field, None)
            lead.folded.pop(field, None)
        else:
            lead.profile[field], lead.folded[field] = text, fold(text)


def _take_channel(lead, event):
    channel = event.texts.get("channel")
    if channel is None:
        return
    channel = cut(channel, WORD_MAX)
    if lead.first_channel is None or event.time < lead.first_channel_time:
        lead.first_channel, lead.first_channel_time = channel, event.time
    if lead.last_channel is None or event.time >= lead.last_channel_time:
        lead.last_channel, lead.last_channel_time = channel, event.time


def _take_hits(lead, event, agreement):
    """(rules with a counted hit in the agreement's order, hits that were too late)."""
    rules, lowered, late = [], {}, 0

    def look_up(field):
        if field == "page":
            return event.texts.get("page")
        if field not in lowered:
            text = event.texts.get(field)
            lowered[field] = None if text is None else ascii_lower(text)
        return lowered[field]

    for rule in agreement.by_event[event.kind]:
        if rule.holds is not None and not rule.holds(look_up):
            continue
        tally = lead.tallies.get(rule.id) or lead.tallies.setdefault(rule.id, Tally())
        if rule.per is not None:
            room = tally.room(bucket(event.time, rule.per, agreement.zone), rule.times)
            late += room == "late"
            if room != "yes":
                continue
        tally.hit(event.time, rule.half_life)
        rules.append(rule.id)
    return rules, late


def _word(text):
    return None if text is None else cut(text, WORD_MAX)


def _rules_kept(rules):
    """As many ids from the front as fit WORD_MAX bytes with a comma between any two."""
    while len(",".join(rules).encode()) > WORD_MAX:
        rules = rules[:-1]
    return rules


def _take_touch(lead, event, rules, agreement):
    if not rules:
        return
    form = event.texts.get("form") if event.kind == "form_fill" else None
    touch = {"time": event.time, "kind": event.kind, "page": None if form else _word(event.texts.get("page")),
             "form": _word(form), "campaign": _word(event.texts.get("campaign")),
             "channel": _word(event.texts.get("channel")), "rules": _rules_kept(rules)}
    place = 0
    while place < len(lead.touches) and lead.touches[place]["time"] > event.time:
        place += 1
    lead.touches.insert(place, touch)
    del lead.touches[agreement.touches:]


def _price(lead, agreement):
    if lead.fit_held is None:
        lead.fit_held = [rule for rule in agreement.fit if rule.holds(lead.look_up)]
        total = sum(rule.points for rule in lead.fit_held)
        lead.fit = _floor_to_hundredths(total * ONE, agreement.limits["fit"])
    tallies = lead.tallies
    total = sum(tallies[rule.id].worth(rule, lead.newest) for rule in agreement.behaviour if rule.id in tallies)
    lead.behaviour = _floor_to_hundredths(total, agreement.limits["behaviour"])
    lead.score = saturate(lead.fit + lead.behaviour)


def _was_hit(lead, rule_id):
    return rule_id in lead.tallies and lead.tallies[rule_id].count > 0


def _gate_met(lead, gate):
    return (all(getattr(lead, side) >= gate[side] for side in ("score", "fit", "behaviour") if side in gate)
            and ("needs_one_of" not in gate or any(_was_hit(lead, rule) for rule in gate["needs_one_of"]))
            and all(_was_hit(lead, rule) for rule in gate.get("needs_all_of", ())))


def _stages_entered(lead, agreement):
    entered = []
    if lead.stage == "lead" and _gate_met(lead, agreement.gates["mql"]):
        entered.append("mql")
        lead.stage = "mql"
    if (lead.stage == "mql" and _gate_met(lead, agreement.gates["sql"])
            and not any(item(lead.look_up) for item in agreement.never)):
        entered.append("sql")
        lead.stage = "sql"
    return entered


# --- what is told of a lead -------------------------------------------------------------------------------------------

def _rule_points(lead, agreement):
    return [{"id": rule.id, "points": points(_floor_to_hundredths(lead.tallies[rule.id].worth(rule, lead.newest)))}
            for rule in agreement.behaviour if _was_hit(lead, rule.id)]


def _stage_change(lead, event, stage, agreement, topic):
    return {"lead_id": lead.id, "generation": 1, "from_stage": STAGES[STAGES.index(stage) - 1], "stage": stage,
            "time": event.time, "score": points(lead.score), "fit": points(lead.fit),
            "behaviour": points(lead.behaviour), "agreement": agreement.name, "agreement_version": agreement.version,
            "event_id": event.id, "topic": topic, "partition": event.partition, "offset": event.offset}


def _promotion(lead, change, agreement):
    return {**change,
            "rules": _rule_points(lead, agreement),
            "fit_rules": [{"id": rule.id, "points": rule.points, "fields": list(rule.fields)}
                          for rule in lead.fit_held],
            "touches": [dict(touch) for touch in lead.touches],
            "conversions": lead.conversions,
            "first_channel": lead.first_channel, "last_channel": lead.last_channel,
            "profile": {field: lead.profile[field] for field in agreement.share if field in lead.profile}}


def _summary(lead, agreement):
    rules = {rule["id"]: rule["points"] for rule in _rule_points(lead, agreement)}
    # Choice: outside of a promotion, `rules` tells the fit rules that hold too; ids are unique over both.
    rules.update((rule.id, rule.points) for rule in lead.fit_held or ())
    return {"lead_id": lead.id, "score": points(lead.score), "fit": points(lead.fit),
            "behaviour": points(lead.behaviour), "stage": lead.stage, "rules": rules, "newest": lead.newest,
            "events": lead.events, "conversions": lead.conversions, "first_channel": lead.first_channel,
            "last_channel": lead.last_channel, "profile": dict(lead.profile),
            "touches": [dict(touch) for touch in lead.touches], "promotions": []}


# --- the whole log ----------------------------------------------------------------------------------------------------

class Scorer:
    """Folds records one by one. Records of one partition must come in the order of their offsets."""

    def __init__(self, agreement_text, options=Options(), topic="lead-events"):
        self.agreement = agreements.load(agreement_text)
        self.options, self.topic = options, topic
        self.leads = {}
        self.stages, self.promotions, self.dead = [], [], []
        self.events = self.duplicates = self.too_late = 0

    def take(self, record):
        try:
            event = read(record, self.options)
        except Rejected as rejected:
            self.dead.append((record.partition, record.offset, str(rejected)))
            return
        lead = self.leads.get(event.lead_id) or self.leads.setdefault(event.lead_id, Lead(event.lead_id))
        if event.id in lead.ring:
            self.duplicates += 1
        else:
            self._fold(lead, event)

    def _fold(self, lead, event):
        lead.ring.append(event.id)
        lead.newest = max(lead.newest, event.time)
        lead.events += 1
        lead.conversions += event.kind == "form_fill"
        self.events += 1
        _take_profile(lead, event, self.agreement)
        _take_channel(lead, event)
        rules, late = _take_hits(lead, event, self.agreement)
        self.too_late += late
        _take_touch(lead, event, rules, self.agreement)
        _price(lead, self.agreement)
        for stage in _stages_entered(lead, self.agreement):
            self._publish(lead, event, stage)

    def _publish(self, lead, event, stage):
        change = _stage_change(lead, event, stage, self.agreement, self.topic)
        self.stages.append(change)
        if stage == "sql":
            self.promotions.append(_promotion(lead, change, self.agreement))

    def result(self):
        leads = {lead_id: _summary(lead, self.agreement) for lead_id, lead in self.leads.items()}
        for promotion in self.promotions:
            leads[promotion["lead_id"]]["promotions"].append(promotion)
        return {"leads": leads, "stages": self.stages, "promotions": self.promotions, "dead": self.dead,
                "events": self.events, "duplicates": self.duplicates, "too_late": self.too_late}


def expected(agreement_text, records, options=Options(), topic="lead-events"):
    """What must come out of a log. `records` are messages.Record; see there."""
    scorer = Scorer(agreement_text, options, topic)
    for record in records:
        scorer.take(record)
    return scorer.result()


def try_records(text):
    """The records of an EVENTS.jsonl (bytes) as `baton try` takes them: offset = line number, taken at event time."""
    # Choice: an empty line is no record, but has its number.
    return [Record(0, offset, None, None, line) for offset, line in enumerate(text.split(b"\n")) if line]


TRY_OPTIONS = Options(check_key=False)
