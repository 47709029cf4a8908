"""A believable and partly hostile stream of events, from a seed, sent at a pace to a topic."""
import json
import random
import threading
import time

from confluent_kafka import Producer

AGREEMENT = """\
agreement: chaos
version: {version}
zone: America/Sao_Paulo
fit:
  - {{id: boss, where: {{job_title: {{contains: [director, head]}}}}, points: 20}}
  - {{id: student, where: {{job_title: student}}, points: -30}}
behaviour:
  - {{id: pricing, event: visit, where: {{page: /pricing*}}, points: {pricing}, half_life: 2d}}
  - {{id: any-page, event: visit, points: 1, at_most: {{times: 4, per: hour}}}}
  - {{id: click, event: click, points: 3, at_most: {{times: 5, per: day}}}}
  - {{id: demo, event: form_fill, where: {{form: demo}}, points: 40, at_most: {{times: 1, per: ever}}}}
  - {{id: often, event: visit, points: 5, while: {{times: 3, within: 2d}}}}
gates: {{mql: {{score: 15}}, sql: {{score: {sql}, needs_one_of: [demo, pricing]}}}}
never:
  - {{consent: false}}
assign:
  - {{to: [Ana, Bruno, Carla]}}
sales:
  reasons: [no budget, wrong segment]
  first_contact: {{within: 1m, owner: Sales}}
  verdict: {{within: 2m}}
recycle: {{after: 4h, score: 5}}
goals: {{customers: {{at_least: 1, per: day, owner: Sales}}}}
forget: 2d
share: [job_title, email]
touches: 4
"""
REPORTS = ("assigned", "contacted", "meeting", "proposal", "accepted", "negotiating", "customer", "rejected", "churned")
GROUP = 4                               # so many ids in a row are of one person, if anybody finds out
HOUR, DAY = 3_600_000, 86_400_000


def person_of(number):
    return f"Person-{number // GROUP:06d}@X.example"


def agreement(version=1, pricing=7, sql=45):
    return AGREEMENT.format(version=version, pricing=pricing, sql=sql)


class Load:
    """`send(n)` sends n messages at once; `start(rate)` goes on in a thread until `stop()`.

    said: share of what is said of leads: reports, adjustments, merges (crossed, chained, in circles, too), erasures.
    quiet: share of the leads whose events are all some hours or some days old: to be forgotten, or to come back."""

    def __init__(self, brokers, topic, seed, leads, dead_share=0.01, hot=0, said=0.06, quiet=0.02, persons=1):
        self.random = random.Random(seed)
        self.topic, self.leads, self.dead_share, self.hot = topic, leads, dead_share, hot
        self.said, self.quiet, self.persons = said, quiet, persons
        self.waiting = []               # to be sent next: [(lead, event)]
        self.gone = {}                  # person's number → time of the erasure; but late events nothing comes any more
        self.producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "linger.ms": 5,
                                  "queue.buffering.max.messages": 500000})
        self.sent = self.acknowledged = 0
        self.failures = []
        self.number = 0
        self.recent = {}                # lead → its last event ids, for repeats
        self.thread = None
        self.lock = threading.Lock()

    def _number(self):
        rand = self.random
        while True:
            # half of the events are of the busiest twentieth
            number = rand.randrange(max(1, self.leads // 20) if rand.random() < 0.5 else self.leads)
            if number // GROUP not in self.gone or rand.random() < 0.02:
                return number

    def _lead(self):
        if self.random.random() < self.hot:     # a few with more events in an instant than a lead remembers ids
            return f"hot-{self.random.randrange(4)}", None
        number = self._number()
        return f"lead-{number:06d}", number

    def _time(self, number):
        rand, now = self.random, int(time.time() * 1000)
        if number is not None and number // GROUP in self.gone:
            return self.gone[number // GROUP] - rand.randrange(HOUR)
        if number is not None and number >= self.leads * (1 - self.quiet):
            return now - (3 * DAY if number % 2 else 6 * HOUR) - rand.randrange(12 * HOUR)
        late = rand.random()
        return now if late < 0.8 else now - rand.randrange(HOUR) if late < 0.95 else now - rand.randrange(4 * DAY)

    def _event(self):
        rand = self.random
        lead, number = self._lead()
        self.number += 1
        ids = self.recent.setdefault(lead, [])
        if ids and rand.random() < 0.03:
            event_id = rand.choice(ids)
        else:
            event_id = f"e{self.number}"
            ids.append(event_id)
            del ids[:-12]               # more than a lead remembers: some repeats count again
        event = {"event_id": event_id, "lead_id": lead, "time": self._time(number)}
        kind = rand.random()
        if kind < 0.6:
            event.update(kind="visit", page=rand.choice(("/", "/pricing", "/pricing/teams", "/docs", "/blog/a")))
            if rand.random() < 0.3:
                event.update(channel=rand.choice(("google", "newsletter", "ads")), campaign="spring")
        elif kind < 0.85:
            event.update(kind="click", target="cta", url="https://example.com/docs?utm_source=partner")
        elif kind < 0.93:
            event.update(kind="form_fill", form=rand.choice(("demo", "newsletter")),
                         fields={"job_title": rand.choice(("Director", "Student", "Head of IT", ""))})
            if number is not None and rand.random() < 0.3:
                event["fields"]["email"] = rand.choice((str, str.lower, " {}\t".format))(person_of(number))
        else:
            event.update(kind="profile", job_title=rand.choice(("director", "student", "buyer", None)))
            event.update(segment=("bank", "shop", "")[self.number % 3], sector=("north", "south")[self.number % 2])
            if rand.random() < 0.2:
                event["consent"] = rand.random() < 0.5
        return lead, event

    # --- what is said of leads

    def _say(self):
        """Puts one or more messages into `waiting`."""
        rand, number = self.random, self._number()
        if number // GROUP in self.gone:
            return
        kind = rand.choices((self._feedback, self._adjust, self._merge, self._erase),
                            (10, 2, 2 * self.persons, self.persons))[0]
        for lead, fields in kind(number):
            self.number += 1
            now = self._time(number) if number >= self.leads * (1 - self.quiet) else int(time.time() * 1000)
            self.waiting.append((lead, {"event_id": f"e{self.number}", "lead_id": lead, "time": now, **fields}))
            if rand.random() < 0.05:    # a repeat
                self.waiting.append(self.waiting[-1])

    def _feedback(self, number):
        rand = self.random
        lead = f"hot-{rand.randrange(4)}" if rand.random() < self.hot else f"lead-{number:06d}"
        fields = {"kind": "feedback", "report": rand.choices(REPORTS, (1, 2, 1, 1, 4, 1, 2, 4, 1))[0], "seller": ("Ana", "Bia", "Caio")[number % 3]}
        if number % 4 == 0:
            fields.update(obstacle=("price", "time")[number % 8 // 4])
        if number % 3 == 0:
            fields.update(deal_value=f"{number}.5", deal_currency=("EUR", "BRL")[number % 2])
        if fields["report"] == "rejected":
            fields["reason"] = rand.choice(("no budget", "No BUDGET", "wrong segment", "wrong segment", "nobody knows"))
            if rand.random() < 0.3:
                fields["time"] = int(time.time() * 1000) - 5 * HOUR                     # it may come back at once
        if rand.random() < 0.2:
            fields["generation"] = rand.choice((1, 1, 2, 3))
        yield lead, fields

    def _adjust(self, number):
        rand = self.random
        fields = {"kind": "adjust", "by": "Eva", "reason": "met at a fair", "points": rand.choice((-20, 5, 30))}
        if rand.random() < 0.3:
            fields["stage"] = rand.choice(("lead", "mql", "sql", "accepted", "rejected", "recycled"))
        yield f"lead-{number:06d}", fields

    def _merge(self, number):
        rand = self.random
        ids = [f"lead-{n:06d}" for n in range(number // GROUP * GROUP, number // GROUP * GROUP + GROUP)]
        rand.shuffle(ids)
        ways = rand.choice((ids[:2], ids[:2], ids[:3], ids, [*ids[:2], ids[0]], [*ids[:3], ids[0]]))
        pairs = list(zip(ways, ways[1:]))       # one into the next: chains, and circles that nobody knows of yet
        rand.shuffle(pairs)
        for lead, into in pairs:
            yield lead, {"kind": "merge", "into": into, "by": "Eva"}

    def _erase(self, number):
        lead = f"lead-{number:06d}"
        if self.random.random() < 0.7:
            self.gone[number // GROUP] = int(time.time() * 1000)
        yield lead, {"kind": "erase", "by": "Eva", "reason": "asked for it"}

    def _next(self):
        if not self.waiting and self.random.random() < self.said:
            self._say()
        return self.waiting.pop(0) if self.waiting else self._event()

    def _spend(self):
        """What a channel cost on a day of this year; said anew, and not always of later."""
        number, channel = self.sent, ("google", "newsletter", "ads")[self.sent % 3]
        event = {"kind": "spend", "event_id": f"s{number}", "channel": channel, "period": f"2026-01-{1 + number % 28:02d}",
                 "time": int(time.time() * 1000) - number * 7919 % 5000 * 1000, "amount": f"{number}.25",
                 "currency": "EUR"}
        if number % 2:
            event["campaign"] = "spring"
        return channel, json.dumps(event).encode()

    def _message(self):
        if self.sent % 101 == 100:
            return self._spend()
        lead, event = self._next()
        if self.random.random() >= self.dead_share:
            return lead, json.dumps(event).encode()
        damage = self.random.randrange(9)
        if damage == 0:
            return lead, None
        if damage == 1:
            return lead, b"hello"
        if damage == 2:
            return lead, json.dumps(event).encode()[:-5]
        if damage == 3:
            return lead + "-other", json.dumps(event).encode()
        field, value = (("event_id", ""), ("lead_id", None), ("kind", "dance"), ("time", "yesterday"),
                        ("time", int(time.time() * 1000) + 7_200_000))[damage - 4]
        event[field] = value
        return lead, json.dumps(event).encode()

    def _delivered(self, error, _message):
        if error:
            self.failures.append(str(error))
        else:
            self.acknowledged += 1

    def produce(self, key, value, partition=-1):
        while True:
            try:
                self.producer.produce(self.topic, value, key, partition, on_delivery=self._delivered)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.sent += 1

    def send(self, count):
        with self.lock:
            for _ in range(count):
                self.produce(*self._message())
                if self.sent % 500 == 0:
                    self.producer.poll(0)
            self.producer.flush(30)

    def start(self, rate):
        self.running = True
        self.thread = threading.Thread(target=self._run, args=(rate,), daemon=True)
        self.thread.start()

    def _run(self, rate):
        begun, first = time.monotonic(), self.sent
        while self.running:
            due = first + int((time.monotonic() - begun) * rate)
            while self.running and self.sent < due:
                self.produce(*self._message())
            self.producer.poll(0.02)

    def stop(self):
        if self.thread:
            self.running = False
            self.thread.join()
            self.thread = None
        self.producer.flush(30)
        if self.failures or self.acknowledged != self.sent:
            raise RuntimeError(f"{self.sent - self.acknowledged} messages not acknowledged: {self.failures[:1]}")
