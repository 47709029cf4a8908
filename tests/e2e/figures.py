"""The tables of `baton report --json`, worked out once more from what stands in the topics: lead-events, lead-stages,
lead-promotions, lead-breaches. Nothing here reads Redis, and nothing is shared with the program.

Days are those of UTC, periods run, every lead has one generation, and its events stand in the log in the order of their
times: that is what the play of test_report.py sends.
"""
import collections
import datetime
import json

DAY, HOUR = 86_400_000, 3_600_000
SHARE = 1_000_000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
NONE = "(none)"
TOO_FEW = 30
STEPS = ("mql", "sql", "accepted", "customer")
ANSWERS = {"first_contact": ("contacted", "meeting", "proposal", "accepted", "negotiating", "customer", "rejected", "churned"),
           "verdict": ("accepted", "negotiating", "customer", "rejected")}


def half_up(part, of):
    return (2 * part + of) // (2 * of)


def hundredths(amount):
    """As JSON has it: 12, 12.5, 12.25; None stays."""
    if amount is None:
        return None
    return amount // 100 if amount % 100 == 0 else amount / 100


def ratio(part, of):
    return hundredths(half_up(10_000 * part, of)) if of else None


def lower_median(numbers):
    return sorted(numbers)[(len(numbers) - 1) // 2] if numbers else None


def milliseconds(text):
    """Of a time as JSON has it."""
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(milliseconds=1)


def cents(text):
    whole, _, rest = str(text).partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


class Lead:
    """What the log says of one lead up to some event of it."""

    def __init__(self, events, rules, touches):
        self.events = events
        self.touches = [event for event in events if any(holds(event) for holds in rules.values())][-touches:]
        self.hit = {rule for rule, holds in rules.items() if any(map(holds, events))}

    def said(self, field):
        return next((event[field] for event in self.events if event.get(field)), NONE)

    def channel(self, which):
        return ([event["channel"] for event in self.events if event.get("channel")] or [NONE])[which]

    def campaign(self, which):
        return ([touch["campaign"] for touch in self.touches if touch.get("campaign")] or [NONE])[which]

    def shares(self, field, whole):
        """[(value, part)]: equal parts to the touches that have one; the newest takes what is over."""
        values = [touch[field] for touch in self.touches if touch.get(field)] or [NONE]
        part = whole // len(values)
        return [(value, part + (whole - part * len(values) if number == len(values) - 1 else 0))
                for number, value in enumerate(values)]


class Figures:
    """`agreement`: {"rules": {id: event → bool}, "fit": {id: profile event → bool}, "touches": n,
    "clocks": {promise: ms}, "owners": {promise: name}, "customers": per day, "one_in": n, "meetings": per cent}."""

    def __init__(self, topics, agreement, first, last, now_ms):
        self.topics, self.agreement, self.now_ms = topics, agreement, now_ms
        self.first, self.last = first, last               # dates, both included
        self.today = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.timezone.utc).date()
        ignored = {record["event_id"] for record in topics["stages"] if record.get("change") == "ignored"}
        self.of_lead = collections.defaultdict(list)
        for event in topics["events"]:
            if "lead_id" in event and event["event_id"] not in ignored:
                self.of_lead[event["lead_id"]].append(event)
        entered = [record for record in topics["stages"] if not record.get("change")]
        self.stages = {stage: [record for record in entered if record["stage"] == stage]
                       for stage in (*STEPS, "rejected")}
        said = {record["lead_id"] for record in self.stages["accepted"]}      # a customer has been accepted
        self.stages["accepted"] += [record for record in self.stages["customer"] if record["lead_id"] not in said]
        self.promoted = {record["lead_id"]: record for record in self.stages["sql"]}

    # --- of a record of lead-stages

    def lead(self, record):
        return self.up_to(record["lead_id"], record["event_id"])

    def up_to(self, lead_id, event_id):
        events = self.of_lead[lead_id]
        ids = [event["event_id"] for event in events]
        return Lead(events[:ids.index(event_id) + 1], self.agreement["rules"], self.agreement["touches"])

    def reports(self, lead_id):
        return [event for event in self.of_lead[lead_id] if event.get("report")]

    def first_reports(self, lead_id):
        """The first of each kind."""
        seen = {}
        for event in self.reports(lead_id):
            seen.setdefault(event["report"], event)
        return list(seen.values())

    def day(self, time_ms):
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=time_ms // DAY)

    # --- tables

    def tables(self, attribution):
        clocks = self.clocks()
        channels, campaigns = self.sources("channel", attribution), self.sources("campaign", attribution)
        return {"promises": self.promises(clocks), "rates": self.rates(), "clocks": self.clock_rows(clocks),
                "funnel": self.funnel(), "days": self.days(), "channels": channels["rows"], "campaigns": campaigns["rows"],
                "cheapest": self.cheapest(channels, campaigns), "best": self.best(channels, campaigns),
                "segments": self.groups("segment"), "sectors": self.groups("sector"), "reasons": self.reasons(),
                "obstacles_pages": self.obstacles("page"), "obstacles_campaigns": self.obstacles("campaign"),
                "rules": self.rules(), "silent": self.silent(), "shadow": []}

    def counts(self):
        return [len(self.of_lead)] + [len(self.stages[stage]) for stage in STEPS]

    def funnel(self):
        counts = self.counts()
        return [{"stage": stage, "count": count, "to_next": ratio(following, count) if following is not None else None,
                 "from_first": ratio(count, counts[0])}
                for stage, count, following in zip(("lead", *STEPS), counts, [*counts[1:], None])]

    def days(self):
        times = [[events[0]["time"] for events in self.of_lead.values()]]
        times += [[self.time_of(record) for record in self.stages[stage]] for stage in STEPS]
        by_day = [collections.Counter(map(self.day, some)) for some in times]
        rows, day = [], self.first
        while day <= min(self.last, self.today):
            rows.append({"from": day.isoformat(), **{name: found[day] for name, found in
                                                     zip(("leads", "mql", "sql", "accepted", "customers"), by_day)}})
            day += datetime.timedelta(days=1)
        return rows

    def time_of(self, record):
        return self.lead(record).events[-1]["time"]

    # --- promises

    def clocks(self):
        """[(promise, seller, kept)] of all that were due in the period, by now, or were met."""
        found = []
        for lead_id, record in sorted(self.promoted.items()):
            seller = ([event["seller"] for event in self.reports(lead_id) if event.get("seller")] or [NONE])[-1]
            published = milliseconds(record["published"])
            for promise in ANSWERS:
                due = published + self.agreement["clocks"][promise]
                times = [event["time"] for event in self.reports(lead_id) if event["report"] in ANSWERS[promise]]
                found += self.verdict(promise, seller, due, min(times, default=None))
            found += self.updates(lead_id, seller)
        return found

    def verdict(self, promise, seller, due, met):
        if (met is None and due > self.now_ms) or not self.first <= self.day(due) <= self.last:
            return []
        return [(promise, seller, met is not None and met <= due)]

    def updates(self, lead_id, seller):
        """From negotiations on each report promises the next one, as long as the lead stays accepted."""
        found, start = [], None
        for event in self.reports(lead_id):
            later = start is not None and event["time"] > start and event["report"] != "assigned"
            if later:
                found += self.verdict("next_update", seller, start + self.agreement["clocks"]["next_update"], event["time"])
            if later or event["report"] == "negotiating":
                ended = event["report"] in ("customer", "rejected")
                start = None if ended else event["time"]
                if ended:
                    return found
        if start is not None:
            found += self.verdict("next_update", seller, start + self.agreement["clocks"]["next_update"], None)
        return found

    def clock_rows(self, clocks):
        rows = []
        for promise in self.agreement["clocks"]:
            kept, broken = (collections.Counter(seller for name, seller, good in clocks if name == promise and good == wanted)
                            for wanted in (True, False))
            sellers = sorted(set(kept) | set(broken))
            if sellers:
                rows.append(self.clock_row(promise, None, sum(kept.values()), sum(broken.values())))
            rows += [self.clock_row(promise, seller, kept[seller], broken[seller]) for seller in sellers]
        return rows

    def clock_row(self, promise, seller, kept, broken):
        return {"promise": promise, "seller": seller, "kept": kept, "broken": broken, "percent": ratio(kept, kept + broken)}

    def count_goal(self, side, promise, per_day, times):
        span = (self.last - self.first).days + 1
        promised, actual, passed = per_day * span, len(times), (self.today - self.first).days
        before = sum(self.day(time) < self.today for time in times)
        today = sum(self.day(time) <= self.today for time in times)
        projected = max(actual * 100, before * 100 * span // passed, today * 100 * span // (passed + 1))
        state = "kept" if actual >= promised else "on course" if projected >= promised * 100 else "behind"
        return {"side": side, "promise": promise, "per": "day", "promised": promised, "kept": actual,
                "percent": ratio(actual, promised), "state": state, "projected": hundredths(projected),
                "owner": self.agreement["owners"][promise]}

    def rate_goal(self, side, promise, per, promised, part, of):
        actual = half_up(part * 10_000, of)
        missed = part * 10_000 < of * promised if promise != "conversion" else part * self.agreement["one_in"] < of
        return {"side": side, "promise": promise, "per": per, "promised": hundredths(promised), "kept": hundredths(actual),
                "percent": ratio(actual, promised), "state": "behind" if missed else "on course", "projected": None,
                "owner": self.agreement["owners"][promise]}

    def conversion(self):
        """(part, of, agreed): those of the promoted who became customers."""
        return len(self.stages["customer"]), len(self.stages["sql"]), half_up(10_000, self.agreement["one_in"])

    def meetings(self):
        return sum(1 for lead in self.promoted for event in self.first_reports(lead) if event["report"] == "meeting")

    def promises(self, clocks):
        customers, one_in = self.agreement["customers"], self.agreement["one_in"]
        won, sqls, agreed = self.conversion()
        meetings = self.agreement["meetings"] * 100
        rows = [self.count_goal("marketing", "delivery", customers * one_in, list(map(self.time_of, self.stages["sql"]))),
                self.count_goal("sales", "customers", customers, list(map(self.time_of, self.stages["customer"]))),
                self.rate_goal("sales", "conversion", "month", agreed, won, sqls)]
        for promise in self.agreement["clocks"]:
            good = [kept for name, _, kept in clocks if name == promise]
            state = "nothing to judge" if not good else "on course" if all(good) else "missed"
            rows.append({"side": "sales", "promise": promise, "per": None, "promised": len(good),
                         "kept": sum(good) if good else None, "percent": ratio(sum(good), len(good)), "state": state,
                         "projected": None, "owner": self.agreement["owners"][promise]})
        return [*rows, self.rate_goal("both", "meetings", "month", meetings, self.meetings(), sqls)]

    def rates(self):
        won, sqls, agreed = self.conversion()
        owed = self.agreement["customers"] * ((self.last - self.first).days + 1)
        return [{"rate": "conversion", "agreed": hundredths(agreed), "actual": ratio(won, sqls),
                 "sqls_needed": -(-owed * sqls // won)},
                {"rate": "meetings", "agreed": self.agreement["meetings"], "actual": ratio(self.meetings(), sqls),
                 "sqls_needed": None}]

    # --- channels and campaigns

    def parts(self, record, field, attribution, whole):
        lead = self.lead(record)
        if attribution == "linear":
            return lead.shares(field, whole)
        which = 0 if attribution == "first" else -1
        return [(lead.channel(which) if field == "channel" else lead.campaign(which), whole)]

    def spend(self, field):
        """(name, currency) → hundredths; of two statements the newer stands."""
        stated = {}
        for event in sorted((e for e in self.topics["events"] if e["kind"] == "spend"), key=lambda e: e["time"]):
            stated[event["channel"], event.get("campaign") or NONE, event["currency"]] = cents(event["amount"])
        total = collections.Counter()
        for (channel, campaign, currency), amount in stated.items():
            total[channel if field == "channel" else campaign, currency] += amount
        return +total

    def sources(self, field, attribution):
        share = SHARE if attribution == "linear" else 1
        figures = collections.defaultdict(collections.Counter)
        revenue, spend = collections.Counter(), self.spend(field)
        for stage in ("mql", "sql", "customer"):
            for record in self.stages[stage]:
                for name, part in self.parts(record, field, attribution, share):
                    figures[name][stage] += part
        for record in self.stages["customer"]:
            event = self.lead(record).events[-1]
            for name, part in self.parts(record, field, attribution, cents(event["deal_value"])):
                revenue[name, event["deal_currency"]] += part
        money = sorted(set(spend) | set(+revenue))
        names = sorted(set(figures) | {name for name, _ in money}, key=lambda name: (-figures[name]["sql"], name))
        rows = []
        for name in names:
            for currency in [currency for of, currency in money if of == name] or [None]:
                rows.append(self.source_row(field, name, currency, figures[name], share, spend[name, currency],
                                            revenue[name, currency]))
        total = {stage: len(self.stages[stage]) for stage in ("mql", "sql", "customer")}
        for currency in sorted({currency for _, currency in money}) or [None]:
            rows.append(self.source_row(field, None, currency, total, 1,
                                        *(sum(v for (_, c), v in some.items() if c == currency) for some in (spend, revenue))))
        return {"rows": rows, "figures": figures, "spend": spend, "share": share, "kind": field}

    def source_row(self, field, name, currency, figures, share, spend, revenue):
        row = {field: name, "currency": currency, "spend": hundredths(spend or None)}
        for column, stage in (("mql", "mql"), ("sql", "sql"), ("customers", "customer")):
            row[column] = self.shown(figures[stage], share)
        for column, stage in (("mql", "mql"), ("sql", "sql"), ("customer", "customer")):
            row[f"cost_per_{column}"] = self.cost(spend, figures[stage], share)
        row["revenue"] = hundredths(revenue or None)
        return row

    def shown(self, figure, share):
        return figure if share == 1 else hundredths(half_up(figure * 100, share))

    def cost(self, spend, figure, share):
        return hundredths(half_up(spend * share, figure)) if spend and figure else None

    def cheapest(self, *both):
        rows = []
        for sources in both:
            for (name, currency), spend in sources["spend"].items():
                won = sources["figures"][name]["customer"]
                if name != NONE and won:
                    cost = self.cost(spend, won, sources["share"])
                    rows.append(((currency, cost, name, sources["kind"]), {
                        "name": name, "kind": sources["kind"], "currency": currency, "spend": hundredths(spend),
                        "customers": self.shown(won, sources["share"]), "cost_per_customer": cost}))
        return [row for _, row in sorted(rows, key=lambda row: row[0])]

    def best(self, *both):
        rows = []
        for sources in both:
            for name, figures in sources["figures"].items():
                if name == NONE or figures["sql"] // sources["share"] < TOO_FEW:
                    continue
                rate = ratio(figures["customer"], figures["sql"])
                rows.append(((-rate, name, sources["kind"]), {
                    "name": name, "kind": sources["kind"], "sql": self.shown(figures["sql"], sources["share"]),
                    "customers": self.shown(figures["customer"], sources["share"]), "customers_per_sql": rate}))
        return [row for _, row in sorted(rows, key=lambda row: row[0])]

    # --- quality

    def days_since(self, event):
        return max(0, (event["time"] - self.time_of(self.promoted[event["lead_id"]])) // DAY)

    def medians(self, field, value):
        """Days to the first contact, the proposal, the customer."""
        found = [[], [], []]
        for lead_id in self.promoted:
            reports = self.first_reports(lead_id)
            contacts = [event for event in reports if event["report"] != "assigned"]
            picked = (contacts[:1], [e for e in reports if e["report"] == "proposal"],
                      [e for e in reports if e["report"] == "customer"])
            for days, events in zip(found, picked):
                days += [self.days_since(e) for e in events if self.up_to(lead_id, e["event_id"]).said(field) == value]
        return map(lower_median, found)

    def groups(self, field):
        counts = {name: collections.Counter(self.lead(record).said(field) for record in self.stages[stage])
                  for name, stage in (("mql", "mql"), ("sql", "sql"), ("won", "customer"), ("lost", "rejected"))}
        values = set().union(*counts.values())
        rows = []
        for value in sorted(values, key=lambda v: (-counts["won"][v], -counts["sql"][v], -counts["mql"][v], v)):
            won, lost = counts["won"][value], counts["lost"][value]
            contact, proposal, customer = self.medians(field, value)
            rows.append({field: value, **{name: counts[name][value] for name in counts},
                         "win_rate": ratio(won, won + lost) if won + lost >= TOO_FEW else None, "days_to_contact": contact,
                         "days_to_proposal": proposal, "days_to_customer": customer})
        return [] if values == {NONE} else rows

    def reasons(self):
        counts = collections.Counter(record["reason"] for record in self.stages["rejected"])
        return [{"reason": reason, "count": count, "share": ratio(count, sum(counts.values()))}
                for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]

    def obstacles(self, where):
        counts = collections.Counter()
        for lead_id in self.promoted:
            for event in self.first_reports(lead_id):
                if event.get("obstacle"):
                    newest = self.up_to(lead_id, event["event_id"]).touches[-1]
                    place = newest.get("campaign") if where == "campaign" else newest.get("form") or newest.get("page")
                    counts[event["obstacle"], place or NONE] += 1
        return [{"obstacle": obstacle, where: place, "count": count} for (obstacle, place), count in
                sorted(counts.items(), key=lambda one: (-one[1], one[0]))]

    # --- rules

    def holding(self, record):
        lead = self.lead(record)
        return lead.hit | {rule for rule, holds in self.agreement["fit"].items() if any(map(holds, lead.events))}

    def rules(self):
        counts = {name: collections.Counter(rule for record in self.stages[stage] for rule in self.holding(record))
                  for name, stage in (("sql", "sql"), ("won", "customer"), ("lost", "rejected"))}
        leads = collections.Counter(rule for lead_id, events in self.of_lead.items()
                                    for rule in self.up_to(lead_id, events[-1]["event_id"]).hit)
        all_won, all_lost = len(self.stages["customer"]), len(self.stages["rejected"])
        rows = []
        for rule in set(leads).union(*counts.values()):
            won, lost = counts["won"][rule], counts["lost"][rule]
            row = {"rule": rule, "leads": leads[rule] or (None if rule in self.agreement["fit"] else 0),
                   **{name: counts[name][rule] for name in counts}, "precision": None, "recall": None, "lift": None}
            if won + lost >= TOO_FEW:
                lift = half_up(100 * won * (all_won + all_lost), (won + lost) * all_won)
                row.update(precision=ratio(won, won + lost), recall=ratio(won, all_won), lift=hundredths(lift))
            rows.append(row)
        return sorted(rows, key=lambda row: (row["lift"] is None, -(row["lift"] or 0), -row["sql"], row["rule"]))

    def silent(self):
        hit = set().union(*(self.up_to(lead, events[-1]["event_id"]).hit for lead, events in self.of_lead.items()))
        return [{"name": rule, "kind": "rule"} for rule in self.agreement["rules"] if rule not in hit]


def read_topics(setup):
    """What stands there, and was written by others than baton itself."""
    world, topics = setup.world, {}
    for kind in ("events", "stages", "promotions", "breaches"):
        found = sorted(world.read([setup.topics[kind]]), key=lambda m: (m.partition(), m.offset()))
        topics[kind] = [json.loads(m.value()) for m in found if "baton-own" not in dict(m.headers() or [])]
    return topics
