"""What both sides are measured by, as docs/counters.md says it: cells per day, counted along with the reference's fold.

`CountingScorer(…).cells` is {(partition, day, measure, dimension, value, second): amount}; values are texts, "(none)"
where nothing is known, and "" of `all`; a second is a text, a number, or "". Limits are not reached here.
"""

import json
from collections import Counter

from log import LogScorer
from messages import Rejected, currency_code, read
from tally import bucket
from texts import WORD_MAX, cut, millionths

DAY_MS = 86_400_000
DAYS_MAX = 400
SHARE = 1_000_000
NONE = "(none)"
_STAGES = {stage: stage for stage in ("mql", "sql", "accepted", "customer", "rejected", "recycled")}
_REPORTS = ("assigned", "contacted", "meeting", "proposal", "negotiating", "churned")
_SAID_OF_LEADS = ("feedback", "adjust")
_OF_PERSONS = ("merge", "erase", "transfer", "recheck")


class Sales:
    """What sales has said of a lead in its present generation."""

    def __init__(self):
        self.seller, self.seen, self.deal = None, set(), None


class Fold:
    """What happens to a lead at one event."""

    def __init__(self, lead, event):
        self.lead, self.event, self.transitions, self.ignored = lead, event, [], False
        self.generation = lead.generation
        self.hit = {rule for rule, tally in lead.tallies.items() if tally.count}


def _word(text):
    return cut(text, WORD_MAX) if text else None


class CountingScorer(LogScorer):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.cells = Counter()
        self.spend = {}                 # (partition, channel, campaign, currency, period) → (time, hundredths)
        self.sales = {}                 # id of a Lead → (the Lead, its Sales)
        self.frame = None

    # --- following the fold

    def _fold(self, lead, event):
        frame = self.frame = Fold(lead, event)
        super()._fold(lead, event)
        if event.kind not in _OF_PERSONS:
            self._count(frame)

    def _recheck(self, lead, event):
        frame = self.frame = Fold(lead, event)
        super()._recheck(lead, event)
        self._count(frame)

    def _receive(self, event, other):
        lead = self.leads.get(event.lead_id)
        frame = self.frame = Fold(lead or other, event)
        frame.transfer, frame.before = True, lead.stage if lead else "lead"
        super()._receive(event, other)
        lead = self.leads.get(event.lead_id)
        if lead is None or lead.into is not None:
            return
        frame.lead, frame.hit = lead, None
        adopted = [one for one in frame.transitions if one.get("adopted")]
        if adopted:
            frame.generation = adopted[0]["generation"]
            self.sales[id(lead)] = lead, self._sales(other)
        self._count(frame)

    def _publish(self, lead, event, transition):
        super()._publish(lead, event, transition)
        self.frame.transitions.append(transition)

    def _notice(self, lead, event, change, **more):
        super()._notice(lead, event, change, **more)
        self.frame.ignored = self.frame.ignored or change == "ignored"

    def _sales(self, lead):
        return self.sales.setdefault(id(lead), (lead, Sales()))[1]

    def _take_theirs(self, record):
        message = None
        try:
            message = json.loads(record.value)
        except (ValueError, TypeError):
            pass
        if isinstance(message, dict) and message.get("kind") == "spend":
            self._spend(record, message)
        else:
            super()._take_theirs(record)

    def _spend(self, record, message):
        """Only what tests send: all of it is there."""
        try:
            currency = currency_code(message["currency"])
            read(record._replace(value=json.dumps({**message, "kind": "visit", "lead_id": "x", "channel": None}).encode()),
                 self.options._replace(check_key=False))
        except Rejected as rejected:
            self._bury(record, str(rejected))
            return
        key = (record.partition, message["channel"], message.get("campaign") or "", currency,
               message["period"])
        if message["time"] >= self.spend.get(key, (0,))[0]:
            self.spend[key] = message["time"], millionths(message["amount"]) // 10_000

    # --- counting

    def _count(self, frame):
        if not self.agreement.pact:
            return
        lead, event = frame.lead, frame.event
        self.day = bucket(event.time, "day", self.agreement.zone)
        if lead.events == 1 and event.kind not in _OF_PERSONS:
            self._add("leads")
        if event.kind in ("email_clicked", "form_fill"):
            self._add({"email_clicked": "email_clicked", "form_fill": "forms"}[event.kind])
        rules = {rule.id: rule for rule in self.agreement.behaviour}
        if frame.hit is not None:
            for rule in set(_hit(lead, rules)) - frame.hit:
                self._add("rule_leads", "rule", rule)
        before = self._note_report(frame)
        self._end_generations(frame)
        if before is not None:
            self._count_report(frame, before)
        for transition in frame.transitions:
            self._count_transition(frame, transition, rules)

    def _add(self, measure, dimension="all", value="", second="", amount=1, day=None):
        key = (self.frame.event.partition, self.day if day is None else day, measure, dimension,
               (value or NONE) if dimension != "all" else "", second)
        self.cells[key] += amount

    def _add_profile(self, lead, measure, second="", amount=1):
        self._add(measure, second=second, amount=amount)
        for field in ("segment", "sector"):
            self._add(measure, field, _word(lead.profile.get(field)), second, amount)

    def _add_everywhere(self, lead, measure, second="", amount=1):
        self._add_profile(lead, measure, second, amount)
        self._add(measure, "channel_first", lead.first_channel, second, amount)
        self._add(measure, "channel_last", lead.last_channel, second, amount)
        campaigns = [touch["campaign"] for touch in lead.touches if touch["campaign"]]
        self._add(measure, "campaign_first", campaigns[-1] if campaigns else None, second, amount)
        self._add(measure, "campaign_last", campaigns[0] if campaigns else None, second, amount)
        for what in ("channel", "campaign"):
            found = [touch[what] for touch in lead.touches if touch[what]] or [None]
            whole = amount if measure == "revenue" else amount * SHARE
            for number, value in enumerate(found):
                share = whole // len(found) + (whole % len(found) if number == 0 else 0)
                self._add(measure, what + "_linear", value, second, share)

    def _add_rules(self, lead, measure, rules):
        for rule in _hit(lead, rules):
            self._add(measure, "rule", rule)
        for rule in self.agreement.fit:
            if rule.holds(lead.look_up):
                self._add(measure, "rule", rule.id)

    # --- what sales says

    def _note_report(self, frame):
        """The reports that were seen before this one; None: it is none, or was ignored."""
        said = frame.event.said
        if frame.event.kind != "feedback" or frame.ignored:
            return None
        sales, message = self._sales(frame.lead), json.loads(frame.event.value)
        before = set(sales.seen)
        sales.seen.add(said["report"])
        sales.seller = _word(said.get("seller")) or sales.seller
        if message.get("deal_value"):
            sales.deal = millionths(str(message["deal_value"])) // 10_000, _word(said.get("deal_currency"))
        return before

    def _end_generations(self, frame):
        generation = frame.generation
        for transition in frame.transitions:
            if transition["generation"] > generation and not transition.get("adopted"):
                self.sales[id(frame.lead)] = frame.lead, Sales()
            generation = max(generation, transition["generation"])

    def _days(self, frame):
        """Whole days since the promotion, or None."""
        lead, event = frame.lead, frame.event
        if lead.sql_time is None:
            return None
        happened = min(event.time, event.said["at"]) if event.kind == "feedback" else event.time
        return max(0, min(DAYS_MAX, (happened - lead.sql_time) // DAY_MS))

    def _add_days(self, frame, measure):
        days = self._days(frame)
        if days is not None:
            self._add_profile(frame.lead, measure, days)

    def _count_report(self, frame, before):
        lead, said = frame.lead, frame.event.said
        report = said["report"]
        if report in before:
            return
        if report in _REPORTS:
            self._add_everywhere(lead, report)
            self._add(report, "seller", self._sales(lead).seller)
        if report != "assigned" and not before - {"assigned"}:
            self._add_days(frame, "days_contact")
        if report == "proposal":
            self._add_days(frame, "days_proposal")
        obstacle = _word(said.get("obstacle"))
        if obstacle:
            newest = lead.touches[0] if lead.touches else {"form": None, "page": None, "campaign": None}
            self._add("obstacle", second=obstacle)
            self._add("obstacle", "by_page", newest["form"] or newest["page"], obstacle)
            self._add("obstacle", "by_campaign", newest["campaign"], obstacle)

    # --- stages

    def _count_transition(self, frame, transition, rules):
        lead, stage, came_from = frame.lead, transition["stage"], transition["from_stage"]
        if transition.get("adopted") or stage not in _STAGES:
            return
        if (came_from, stage) == ("sql", "customer"):        # a customer has been accepted
            self._add_everywhere(lead, "accepted")
            self._add("accepted", "seller", self._sales(lead).seller)
        self._add_everywhere(lead, stage)
        if stage == "sql":
            self._add_rules(lead, "rule_sql", rules)
        if stage in ("accepted", "customer", "rejected"):
            self._add(stage, "seller", self._sales(lead).seller)
        if stage == "rejected":
            self._add("rejected", "reason", _word(_reason(lead, transition["generation"])))
        if stage == "customer":
            self._count_customer(frame)
        if came_from in ("sql", "accepted") and stage in ("customer", "rejected"):
            outcome = "won" if stage == "customer" else "lost"
            self._add_everywhere(lead, outcome)
            self._add(outcome, "seller", self._sales(lead).seller)
            self._add_rules(lead, "rule_" + outcome, rules)

    def _count_customer(self, frame):
        lead, sales, days = frame.lead, self._sales(frame.lead), self._days(frame)
        amount, currency = sales.deal or (None, None)
        if currency:                    # a deal of no currency is no money
            self._add_everywhere(lead, "revenue", currency, amount)
            self._add("revenue", "seller", sales.seller, currency, amount)
        if days is None:
            return
        self._add_days(frame, "days_customer")
        self._add("cohort_customer", second=days, day=bucket(lead.sql_time, "day", self.agreement.zone))


def _hit(lead, rules):
    return [rule for rule, tally in lead.tallies.items() if rule in rules and tally.count]


def _reason(lead, generation):
    if lead.generation == generation:
        return lead.reason
    return next((one["reason"] for one in lead.earlier if one["generation"] == generation), None)
