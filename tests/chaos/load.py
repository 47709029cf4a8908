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
gates: {{mql: {{score: 15}}, sql: {{score: {sql}, needs_one_of: [demo, pricing]}}}}
never:
  - {{consent: false}}
share: [job_title]
touches: 4
"""


def agreement(version=1, pricing=7, sql=45):
    return AGREEMENT.format(version=version, pricing=pricing, sql=sql)


class Load:
    """`send(n)` sends n messages at once; `start(rate)` goes on in a thread until `stop()`."""

    def __init__(self, brokers, topic, seed, leads, dead_share=0.01, hot=0):
        self.random = random.Random(seed)
        self.topic, self.leads, self.dead_share, self.hot = topic, leads, dead_share, hot
        self.producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "linger.ms": 5,
                                  "queue.buffering.max.messages": 500000})
        self.sent = self.acknowledged = 0
        self.failures = []
        self.number = 0
        self.recent = {}                # lead → its last event ids, for repeats
        self.thread = None
        self.lock = threading.Lock()

    def _lead(self):
        rand = self.random
        if rand.random() < self.hot:    # a few with more events in an instant than a lead remembers ids
            return f"hot-{rand.randrange(4)}"
        if rand.random() < 0.5:         # half of the events are of the busiest twentieth
            return f"lead-{rand.randrange(max(1, self.leads // 20))}"
        return f"lead-{rand.randrange(self.leads)}"

    def _event(self):
        rand = self.random
        lead = self._lead()
        self.number += 1
        ids = self.recent.setdefault(lead, [])
        if ids and rand.random() < 0.03:
            event_id = rand.choice(ids)
        else:
            event_id = f"e{self.number}"
            ids.append(event_id)
            del ids[:-12]               # more than a lead remembers: some repeats count again
        now = int(time.time() * 1000)
        late = rand.random()
        event_time = now if late < 0.8 else now - rand.randrange(3_600_000) if late < 0.95 else \
            now - rand.randrange(4 * 86_400_000)
        event = {"event_id": event_id, "lead_id": lead, "time": event_time}
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
        else:
            event.update(kind="profile", job_title=rand.choice(("director", "student", "buyer", None)))
            if rand.random() < 0.2:
                event["consent"] = rand.random() < 0.5
        return lead, event

    def _message(self):
        lead, event = self._event()
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
