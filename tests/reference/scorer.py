"""The reference scorer: docs/scoring.md as code, slow and plain, written without a look at the program.

`expected(agreement_text, records)` folds a log and says what must come out of it.
Amounts are hundredths of a point (integers) inside, points in what is handed out.
"""

import hashlib
import hmac
from collections import deque, namedtuple

import agreement as agreements
import handover
import stages
import words as all_words
from decay import ONE
from machines import is_crawler
from messages import Options, Record, Rejected, milliseconds, read  # noqa: F401 (handed on to the users of this module)
from persons import RING, identity_of, unite
from stages import saturate
from tally import Tally, bucket  # noqa: F401 (as above)
from texts import WORD_MAX, ascii_lower, cut, fold

TRAIL_MAX = 32
# What one lead's event sends to another lead. kind: forward, transfer, erase, merge (an identity). other: the lead whose
# state is in it, of a transfer, one that is passed on included.
Hop = namedtuple("Hop", "kind event other", defaults=(None,))
_MAIL = {"email_" + kind: kind for kind in handover.MAIL}


class Lead:
    """All that is remembered of one lead. `profile` and `folded` hold no removed value; `profile_times` does."""
    __slots__ = ("id", "ring", "newest", "events", "conversions", "profile", "folded", "profile_times",
                 "fit_held", "persona", "first_channel", "first_channel_time", "last_channel", "last_channel_time",
                 "tallies", "touches", "stage", "stage_time", "mql_time", "sql_time", "generation", "earlier",
                 "reason", "adjusted", "mail", "forms", "aliases", "into", "fit", "behaviour", "score",
                 "priced_under", "stage_offset")

    def __init__(self, lead_id):
        self.id = lead_id
        self.ring = deque(maxlen=RING)
        self.newest = self.events = self.conversions = 0
        self.profile, self.folded, self.profile_times = {}, {}, {}
        self.fit_held = self.persona = None     # fit_held None: to be computed, and the persona with it
        self.first_channel = self.first_channel_time = self.last_channel = self.last_channel_time = None
        self.tallies = {}                       # rule id → Tally, only of rules that were hit
        self.touches, self.forms = [], []       # newest first
        self.stage, self.generation = "lead", 1
        self.stage_time = self.mql_time = self.sql_time = None
        self.earlier = []                       # newest first
        self.reason = None
        self.adjusted = 0                       # points
        self.mail = {}
        self.aliases = []                       # ids that were merged into this one
        self.into = None                        # the id that this one was merged into
        self.fit = self.behaviour = self.score = 0
        self.stage_offset = -1                  # of the event at which it was last told that it is in a stage, or merged
        self.priced_under = None                # the agreement that `fit_held` is of

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


def _room(tally, rule, time, newest, zone):
    """Whether a matching event is a hit: "yes", "late", or another word for no."""
    if rule.while_times is not None:
        return tally.enter_window(rule, bucket(time, "day", zone), bucket(newest, "day", zone))
    return tally.room(bucket(time, rule.per, zone), rule.times) if rule.per is not None else "yes"


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
        room = _room(tally, rule, event.time, lead.newest, agreement.zone)
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


def _take_form(lead, event):
    if event.kind != "form_fill":
        return
    name = event.texts.get("form")
    form = {"time": event.time, "form": _word(name), "page": None if name else _word(event.texts.get("page")),
            "fields": [field for field, text in event.profile if text is not None]}
    place = 0
    while place < len(lead.forms) and lead.forms[place]["time"] > event.time:
        place += 1
    lead.forms.insert(place, form)
    del lead.forms[4:]


def _best_persona(lead, agreement):
    """The one whose own rules give most, more than nothing; at a tie the first."""
    best, most = None, 0
    for persona in agreement.personas:
        points = sum(rule.points for rule in persona.fit if rule.holds(lead.look_up))
        if points > most:
            best, most = persona, points
    return best


def _price(lead, agreement, now):
    if lead.fit_held is None or lead.priced_under is not agreement:
        lead.priced_under = agreement
        lead.persona = _best_persona(lead, agreement)
        rules = agreement.fit + (lead.persona.fit if lead.persona else [])
        lead.fit_held = [rule for rule in rules if rule.holds(lead.look_up)]
        total = sum(rule.points for rule in lead.fit_held)
        lead.fit = handover.floor_to_hundredths(total * ONE, agreement.limits["fit"])
    tallies = lead.tallies
    total = sum(tallies[rule.id].worth(rule, now, agreement.zone) for rule in agreement.behaviour if rule.id in tallies)
    lead.behaviour = handover.floor_to_hundredths(total, agreement.limits["behaviour"])
    lead.score = saturate(lead.fit + lead.behaviour + lead.adjusted * 100)


def _forbidden(lead, agreement):
    return any(item(lead.look_up) for item in agreement.never)


# --- the whole log ----------------------------------------------------------------------------------------------------

class Scorer:
    """Folds records one by one. Records of one partition must come in the order of their offsets. What one lead's event
    sends to another lead is folded before the next record, as `baton try` does it; log.py reads it from the log."""

    def __init__(self, agreement_text, options=Options(), topic="lead-events", words=all_words.IN_FORCE):
        self.agreement = agreements.load(agreement_text)
        self.options, self.topic, self.words = options, topic, words
        self.leads, self.tombstones = {}, {}
        self.came_back = set()          # ids that were given up, and were found to close a circle
        self.erased_stages = {}                 # lead id → offset of the last that was told of it before it was erased
        self.stages, self.promotions, self.dead, self.notices = [], [], [], []
        self.changes = {}                       # lead id → records of lead-stages, in order
        self.turns = {}                         # (partition, number of the route) → promotions so far
        self.hops = deque()                     # what is still to be folded
        self.events = self.duplicates = self.too_late = self.ignored = self.forgotten = 0

    def take(self, record):
        try:
            event = read(record, self.options)
        except Rejected as rejected:
            self._bury(record, str(rejected))
            return
        self._arrive(event)
        while self.hops:
            self._take_hop(self.hops.popleft())

    def _pass_on(self, hop):
        """Sends a message to another lead."""
        self.hops.append(hop)

    def _take_hop(self, hop):
        if hop.other is not None:
            self._receive(hop.event, hop.other)
        else:
            self._arrive(hop.event)

    def _bury(self, where, reason):
        self.dead.append((where.partition, where.offset, reason))

    # --- arriving

    def _arrive(self, event):
        if self._is_machine(event):
            self.ignored += 1
            return
        # Choice: what is from before an erasure and comes late is dropped in the life after it, too.
        if event.kind != "recheck" and event.time <= self.tombstones.get(event.lead_id, -1):
            self.ignored += 1
            return
        lead = self.leads.get(event.lead_id)
        if lead is None:
            lead = self._fresh(event)
        if lead is None:
            return
        if lead.into is not None and not event.direct:
            self._arrive_at_stub(lead, event)
        elif event.kind == "recheck":
            self._recheck(lead, event)
        else:
            self._fold_or_drop(lead, event)

    def _fold_or_drop(self, lead, event):
        if event.id in lead.ring:
            self.duplicates += 1
        elif event.kind == "merge" and self._is_one_already(lead, event):
            pass
        else:
            self._fold(lead, event)

    def _is_machine(self, event):
        agent = event.texts.get("user_agent")
        if agent is None or event.said is not None or event.kind == "profile":
            return False
        if self.agreement.ignore_bots and is_crawler(agent):
            return True
        return any(matches(ascii_lower(agent)) for matches in self.agreement.ignore_agents)

    def _fresh(self, event):
        """A lead that nothing is known of."""
        if event.kind == "recheck":
            return None
        return self.leads.setdefault(event.lead_id, Lead(event.lead_id))

    def _arrive_at_stub(self, lead, event):
        """Who was merged into another is the other from then on."""
        if event.kind == "recheck" or event.kind == "merge" and event.said["into"] == lead.into:
            self.duplicates += event.kind == "merge"
            return
        if self._stays(lead, event):
            self._fold_or_drop(lead, event)
        else:
            self._forward(lead, event)

    def _stays(self, lead, event):
        """Merges that crossed made a circle of stubs: who comes round to the smallest id of it finds a lead."""
        circle = event.trail[event.trail.index(lead.id):] if lead.id in event.trail else ()
        if not circle or min(circle, key=str.encode) != lead.id:
            return False
        lead.into, lead.newest = None, 0
        self.came_back.add(lead.id)
        self._bury(event, "merge_cycle")        # Choice: what closed the circle is told, and taken all the same.
        return True

    def _forward(self, lead, event, other=None):
        if len(event.trail) >= TRAIL_MAX:
            self._bury(event, "merge_cycle")
        else:
            # Choice: the same bytes, so the same event; only the lead and the way it came are others.
            self._send("forward", event, lead.into, other, trail=(*event.trail, lead.id))

    def _send(self, how, event, lead_id, other=None, **changes):
        copy = type(event)()
        for name in event.__slots__:
            setattr(copy, name, getattr(event, name))
        copy.lead_id = lead_id
        for name, value in changes.items():
            setattr(copy, name, value)
        self._pass_on(Hop(how, copy, other))

    def _is_one_already(self, lead, event):
        into = event.said["into"]
        if into in lead.aliases:
            self._bury(event, "merge_cycle")
            self._write_again(lead)
        return into == lead.id or into in lead.aliases

    def _write_again(self, lead):
        """Choice: nothing of it is another now, but it is written, and that is by the agreement in force."""
        _price(lead, self.agreement, lead.newest)

    # --- folding

    def _fold(self, lead, event):
        lead.ring.append(event.id)
        lead.newest = max(lead.newest, event.time)
        lead.events += 1
        self.events += 1
        if event.said is not None:
            getattr(self, "_fold_" + event.kind)(lead, event)
            return
        self._fold_act(lead, event)
        self._identify(lead, event)

    def _fold_act(self, lead, event):
        lead.conversions += event.kind == "form_fill"
        if event.kind in _MAIL:
            lead.mail[_MAIL[event.kind]] = lead.mail.get(_MAIL[event.kind], 0) + 1
        _take_profile(lead, event, self.agreement)
        _take_channel(lead, event)
        rules, late = _take_hits(lead, event, self.agreement)
        self.too_late += late
        _take_touch(lead, event, rules, self.agreement)
        _take_form(lead, event)
        self._look_at_gates(lead, event, lead.newest)

    def _identify(self, lead, event):
        """The event says who its lead is."""
        stronger = identity_of(self.options.identity, event)
        if stronger is not None and stronger != lead.id and stronger not in lead.aliases:
            self._send("merge", event, lead.id, kind="merge", id=f"identity/{event.partition}/{event.offset}",
                       texts={}, profile=[], trail=(), said={"into": stronger, "by": "baton: identity"})

    def _look_at_gates(self, lead, event, present, extra=()):
        """Prices the lead, and publishes what it enters; `extra` is what it has entered already at this event."""
        _price(lead, self.agreement, present)
        for transition in extra:
            self._publish(lead, event, transition)
        recycled = stages.recycle(lead, self.agreement, present, event.time)
        if recycled:
            self._publish(lead, event, recycled)
        for transition in stages.pass_gates(lead, self.agreement, event.time, _forbidden(lead, self.agreement)):
            self._publish(lead, event, transition)

    def _fold_feedback(self, lead, event):
        transition, why = stages.report(lead, event, self.agreement)
        more = {"report": event.said["report"], "reason": event.said.get("reason")}
        self._look_at_gates(lead, event, lead.newest, [{**transition, **more}] if transition else [])
        if why:
            self._notice(lead, event, "ignored", **more, why=why)

    def _fold_adjust(self, lead, event):
        forbidden = _forbidden(lead, self.agreement)
        transition, why = stages.adjust(lead, event, self.agreement, forbidden)
        more = {"by": event.said["by"], "reason": event.said["reason"]}
        self._look_at_gates(lead, event, lead.newest, [{**transition, **more}] if transition else [])
        self._notice(lead, event, "ignored" if why else "adjusted", **more, **({"why": why} if why else {}))

    def _fold_merge(self, lead, event):
        into = event.said["into"]
        stub = self.leads[lead.id] = Lead(lead.id)
        stub.into, stub.newest, stub.stage_offset = into, event.time, event.offset
        self._notice(stub, event, "merged", other=into)
        # Choice: also when nothing is known of it but the Merge, which is an event of the person.
        self._send("transfer", event, into, lead, trail=(*event.trail, lead.id))

    def _receive(self, event, other):
        lead_id = event.lead_id
        if event.time <= self.tombstones.get(lead_id, -1):
            self.ignored += 1                   # Choice: who was erased does not come back through an older merge,
            for alias in (*other.aliases, other.id):        # and is erased under the ids that it brings along.
                self._send("erase", event, alias, direct=True, kind="erase", trail=())
            return
        lead = self.leads.setdefault(lead_id, Lead(lead_id))
        if lead.into is not None:
            if not self._stays(lead, event):
                self._forward(lead, event, other)
                return
        adopted = unite(lead, other, self.agreement)
        self._look_at_gates(lead, event, lead.newest, [adopted] if adopted else [])

    def _fold_erase(self, lead, event):
        del self.leads[lead.id]
        self.tombstones[lead.id] = max(event.time, self.tombstones.get(lead.id, -1))
        self.erased_stages[lead.id] = lead.stage_offset
        self._receipt(lead, event)
        for alias in lead.aliases:
            self._send("erase", event, alias, direct=True, trail=())

    def _recheck(self, lead, event):
        """A look at a lead without an event of it. Of whom nothing is known there is nothing to look at."""
        if not lead.events:
            return
        unseen, present = event.time - lead.newest, max(lead.newest, event.time)
        if self.agreement.forget is not None and unseen >= self.agreement.forget and \
                lead.stage not in ("sql", "accepted"):
            self._forget(lead, event, present)
            return
        self._look_at_gates(lead, event, present)
        _price(lead, self.agreement, lead.newest)

    def _forget(self, lead, event, present):
        """Whose stage was told goes back to `lead` in the next generation, which is told; the generation alone stays, so
        that no id of a message is used twice."""
        if lead.stage != "lead":
            _price(lead, self.agreement, present)
            self._publish(lead, event, stages.move(lead, "lead", event.time))
        del self.leads[lead.id]
        self.forgotten += 1
        if lead.generation > 1:
            left = self.leads.setdefault(lead.id, Lead(lead.id))
            left.generation, left.stage_offset = lead.generation, lead.stage_offset

    # --- publishing

    def _publish(self, lead, event, transition):
        told = {key: transition[key] for key in ("from_stage", "report", "reason", "by") if key in transition}
        change = handover.record(lead, event, None, self.agreement, self.topic, **told)
        change.update(stage=transition["stage"], generation=transition["generation"])
        lead.stage_offset = event.offset
        self.stages.append(all_words.told(self.words, record=change))
        self.changes.setdefault(lead.id, []).append(change)
        if transition["stage"] == "sql" and not transition.get("adopted"):
            owner = self._owner(lead, event.partition)
            made = handover.promotion(lead, change, self.agreement, owner)
            self.promotions.append(all_words.told(self.words, promotion=made))

    def _notice(self, lead, event, change, **more):
        notice = handover.record(lead, event, change, self.agreement, self.topic, **more)
        self.notices.append(notice)
        self.changes.setdefault(lead.id, []).append(notice)

    def _receipt(self, lead, event):
        """Such a record bears a proof in place of the lead's name, whose key is the id of the erasure."""
        proof = hmac.new(event.id.encode(), lead.id.encode(), hashlib.sha256).hexdigest()
        receipt = handover.record(Lead(proof), event, "erased", self.agreement, self.topic)
        self.notices.append({**receipt, "event_id": "", "stage_offset": lead.stage_offset})

    def _owner(self, lead, partition):
        for number, route in enumerate(self.agreement.routes):
            if route.persona is not None and (lead.persona is None or lead.persona.id != route.persona):
                continue
            if route.holds is not None and not route.holds(lead.look_up):
                continue
            turn = self.turns.get((partition, number), 0)
            self.turns[partition, number] = turn + 1
            return route.to[(partition + turn) % len(route.to)]
        return None

    # --- the result

    def _summary(self, lead):
        if lead.into is not None:
            return {"lead_id": lead.id, "merged_into": lead.into}
        return all_words.told(self.words, lead=handover.summary(lead, self.agreement))

    def result(self):
        leads = {lead_id: self._summary(lead) for lead_id, lead in self.leads.items()}
        # What was published of a lead is told as long as the lead is there.
        for promotion in self.promotions:
            if "promotions" in leads.get(promotion["lead_id"], ()):
                leads[promotion["lead_id"]]["promotions"].append(promotion)
        for lead_id, changes in self.changes.items():
            if "changes" in leads.get(lead_id, ()):
                leads[lead_id]["changes"] = changes
        return {"leads": leads, "stages": self.stages, "promotions": self.promotions, "dead": self.dead,
                "notices": self.notices, "events": self.events, "duplicates": self.duplicates,
                "too_late": self.too_late, "ignored": self.ignored}


def expected(agreement_text, records, options=Options(), topic="lead-events", words=all_words.IN_FORCE):
    """What must come out of a log. `records` are messages.Record; see there."""
    scorer = Scorer(agreement_text, options, topic, words)
    for record in records:
        scorer.take(record)
    return scorer.result()


def try_records(text):
    """The records of an EVENTS.jsonl (bytes) as `baton try` takes them: offset = line number, taken at event time."""
    # Choice: an empty line is no record, but has its number.
    return [Record(0, offset, None, None, line) for offset, line in enumerate(text.split(b"\n")) if line]


TRY_OPTIONS = Options(check_key=False)
