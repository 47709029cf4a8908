#!/usr/bin/python3
"""The tools for people that look at leads: explain, leads and tail, on a real broker and a real Redis. Last line:
`N passed, N failed`."""

import csv
import io
import json
import subprocess
import sys
import time
import unittest
import zlib

from world import BATON, Setup, World, wait_for

PARTITIONS = 4
NOON = 1793534400000          # 2026-11-01T12:00:00Z
NOW = int(time.time() * 1000)
MINUTE, HOUR, DAY = 60000, 3600000, 86400000
AGREEMENT = """\
agreement: tools
version: 1
zone: America/Sao_Paulo
never:
  - {consent: false}
fit:
  - {id: boss, where: {job_title: {contains: [owner, director, head]}}, points: 20}
  - {id: big, where: {employees: {from: 500}}, points: 10}
behaviour:
  - {id: pricing, event: visit, where: {page: /pricing*}, points: 10, half_life: 14d}
  - {id: any-page, event: visit, points: 1, at_most: {times: 3, per: day}}
  - {id: demo, event: form_fill, where: {form: demo}, points: 40, at_most: {times: 1, per: ever}}
  - {id: webinar, event: click, where: {target: /webinar}, points: 30}
limits: {behaviour: 80}
gates:
  mql: {score: 20, behaviour: 1}
  sql: {score: 60, needs_one_of: [demo, webinar]}
share: [name]
touches: 4
"""
WORLD = None


class Base(unittest.TestCase):
    maxDiff = 4000

    def good(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout


def event(lead, kind, time_ms, number=0, **fields):
    return {"kind": kind, "event_id": f"{lead}-{kind}-{number}-{time_ms}", "lead_id": lead, "time": time_ms, **fields}


def boss(lead, time_ms, **fields):
    return event(lead, "profile", time_ms, job_title="Head of IT", name=lead.title(), **fields)


ODD = 'eve, "x" {3}\x1b[1m'
STORY = [
    boss("anna", NOON), event("anna", "visit", NOON + HOUR, page="/pricing", channel="ads", campaign="spring"),
    event("anna", "visit", NOON + HOUR + 14 * DAY, page="/pricing/eu"),
    boss("bob", NOW - DAY), event("bob", "form_fill", NOW - DAY + MINUTE, form="demo"),
    event("carl", "visit", NOW - 10 * DAY, page="/"), event("=1+1", "visit", NOW - 10 * DAY, page="/"),
    boss("dora", NOW - HOUR, consent=False), event("dora", "form_fill", NOW - HOUR + 1, form="demo"),
    *(event("dora", "visit", NOW - HOUR + 2, n, page="/pricing") for n in range(5)),
    boss(ODD, NOW - 3 * HOUR), event(ODD, "click", NOW - 3 * HOUR, target="/webinar"),
]


def score(setup, story):
    """Scores the events, and stops clean."""
    producer, redis = WORLD.producer(), WORLD.redis()
    ends = [0] * PARTITIONS
    for one in story:
        partition = zlib.crc32(one["lead_id"].encode()) % PARTITIONS
        ends[partition] += 1
        producer.produce(setup.topics["events"], json.dumps(one), one["lead_id"], partition, timestamp=NOW)
    producer.flush(30)
    process = setup.start()
    setup.wait_until_done(redis, ends)
    redis.close()
    if process.stop() != 0:
        raise AssertionError(process.log())


class Told(Base):
    """One setup, scored once; the tests look at it."""
    setup = None

    @classmethod
    def setUpClass(cls):
        if Told.setup:
            return
        Told.setup = Setup(WORLD, AGREEMENT, PARTITIONS)
        score(cls.setup, STORY)

    def told(self, *words):
        return self.good(self.setup.run(*words))


# --- explain ----------------------------------------------------------------------------------------------------------

class Explain(Told):
    ANNA = {
        "en": """\
anna is an MQL since 2026-11-01 10:00.
It has 37 points: 20 for who it is (fit) and 17 for what it did (behaviour).
That is as of 2026-11-15 10:00; times are those of America/Sao_Paulo.

Where the points come from:
  boss: 20 points, because the job title contains owner, director or head (Head of IT).
  pricing: 15 points for 2 visits where the page begins with /pricing; when new they were worth 20, and they lose half every \
14 days; last on 2026-11-15 10:00.
  any-page: 2 points for 2 visits; last on 2026-11-15 10:00.
  Nothing so far by: big, demo and webinar.

To become an SQL, and go to sales, it still needs 23 more points (it has 37 of 60) and a hit of one of demo or webinar.
A single hit of demo or webinar would do.

The newest events that counted:
  2026-11-15 10:00  visit /pricing/eu: pricing, any-page
  2026-11-01 10:00  visit /pricing by way of ads / spring: pricing, any-page
""",
        "pt": """\
anna é MQL desde 01/11/2026 10:00.
Tem 37 pontos: 20 por quem é (perfil) e 17 pelo que fez (comportamento).
Situação em 15/11/2026 10:00; os horários são do fuso America/Sao_Paulo.

De onde vêm os pontos:
  boss: 20 pontos, porque o cargo contém owner, director ou head (Head of IT).
  pricing: 15 pontos por 2 visitas em que a página começa com /pricing; quando novos valiam 20, e perdem metade a cada 14 \
dias; pela última vez em 15/11/2026 10:00.
  any-page: 2 pontos por 2 visitas; pela última vez em 15/11/2026 10:00.
  Nada até agora por: big, demo e webinar.

Para virar SQL, e ir para Vendas, ainda precisa de mais 23 pontos (tem 37 de 60) e um evento de uma das regras demo ou \
webinar.
Bastaria um evento da regra demo ou webinar.

Os eventos mais recentes que contaram:
  15/11/2026 10:00  visita /pricing/eu: pricing, any-page
  01/11/2026 10:00  visita /pricing via ads / spring: pricing, any-page
"""}

    def test_a_lead_in_sentences(self):
        for language, text in self.ANNA.items():
            self.assertEqual(self.told("explain", "anna", "--at", "newest", "--lang", language), text)
        self.assertEqual(self.told("explain", "anna", "--at", "newest"), self.ANNA["en"])
        spanish = self.told("explain", "anna", "--at", "newest", "--lang", "es").splitlines()
        self.assertEqual(len(spanish), len(self.ANNA["en"].splitlines()))
        self.assertIn("Para pasar a SQL, e ir a Ventas, todavía necesita 23 puntos más (tiene 37 de 60) y un evento de una de "
                      "las reglas demo o webinar.", spanish)

    def test_the_same_as_data(self):
        found = json.loads(self.told("explain", "anna", "--at", "newest", "--json"))
        self.assertEqual((found["stage"], found["score"], found["fit"], found["behaviour"]), ("mql", 37, 20, 17))
        self.assertEqual([(rule["id"], rule["side"], rule["points"]) for rule in found["rules"]],
                         [("boss", "fit", 20), ("pricing", "behaviour", 15), ("any-page", "behaviour", 2)])
        self.assertEqual((found["rules"][1]["hits"], found["rules"][1]["last"]), (2, "2026-11-15T13:00:00.000Z"))
        self.assertEqual(found["not_yet"], ["big", "demo", "webinar"])
        self.assertEqual(found["next"], {"stage": "sql", "missing": [
            {"what": "score", "has": 37, "wants": 60, "lacks": 23}, {"what": "needs_one_of", "rules": ["demo", "webinar"]}],
            "one_hit_of": ["demo", "webinar"]})
        self.assertEqual(found["sentences"], [line.strip() for line in self.ANNA["en"].splitlines() if line])

    def test_points_fall_with_time(self):
        later = json.loads(self.told("explain", "anna", "--at", str(NOON + HOUR + 28 * DAY), "--json"))
        self.assertEqual((later["score"], later["rules"][1]["points"]), (29.5, 7.5))
        self.assertEqual(later["next"]["missing"][0]["lacks"], 30.5)
        self.assertEqual(later["next"]["one_hit_of"], ["demo"])

    def test_who_is_with_sales_needs_nothing_more(self):
        found = self.told("explain", "bob", "--at", "newest")
        self.assertIn("bob is an SQL since ", found)
        self.assertIn("demo: 40 points for 1 form filled in where the form is demo; last on ", found)
        self.assertIn("; it does not count again.", found)
        self.assertNotIn("still needs", found)
        self.assertIsNone(json.loads(self.told("explain", "bob", "--json"))["next"])

    def test_who_is_never_promoted(self):
        found = self.told("explain", "dora", "--at", "newest")
        self.assertIn("\nThe agreement keeps it from sales, because the lead has refused consent.\n", found)
        self.assertIn("  Behaviour comes to 93, but counts up to 80 only.\n", found)
        missing = json.loads(self.told("explain", "dora", "--at", "newest", "--json"))["next"]["missing"]
        self.assertEqual(missing, [{"what": "never", "because": "the lead has refused consent"}])

    def test_somebody_at_the_beginning(self):
        found = self.told("explain", "carl", "--at", "newest", "--lang", "pt")
        self.assertTrue(found.startswith("carl é um lead.\nTem 1 ponto: 0 por quem é (perfil) e 1 pelo que fez"), found)
        self.assertIn("Para virar MQL ainda precisa de mais 19 pontos (tem 1 de 20).\n", found)
        self.assertIn("Bastaria um evento da regra demo ou webinar.\n", found)

    def test_an_agreement_that_asks_for_less_now(self):
        path = self.setup.folder / "agreement.yaml"
        self.addCleanup(path.write_text, AGREEMENT)
        path.write_text(AGREEMENT.replace("sql: {score: 60, needs_one_of: [demo, webinar]}", "sql: {score: 30, behaviour: 1}"))
        self.assertIn("Nothing is missing to become an SQL: the next event will do it.",
                      self.told("explain", "anna", "--at", "newest"))
        path.write_text(AGREEMENT.replace("sql: {score: 60, needs_one_of: [demo, webinar]}",
                                          "sql: {score: 30, fit: 30, behaviour: 18, needs_all_of: [demo, pricing, webinar]}"))
        self.assertIn("it still needs 10 more points of fit (it has 20 of 30), 1 more point of behaviour (it has 17 of 18) "
                      "and hits of all of demo and webinar.\n", self.told("explain", "anna", "--at", "newest"))

    def test_mistakes(self):
        done = self.setup.run("explain", "nobody")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("Redis knows no lead nobody", done.stderr)
        self.assertEqual(self.setup.run("explain", "anna", "--lang", "de").returncode, 2)
        self.assertEqual(self.setup.run("explain").returncode, 2)
        self.assertNotIn("\x1b", self.told("explain", ODD))


class Rejected(Base):
    """A lead that sales rejected, under an agreement with words that are not in force."""

    def test_why_and_from_when_on_it_may_come_back(self):
        window = "  - {id: often, event: visit, while: {times: 2, within: 7d}, points: 15}\n"
        setup = Setup(WORLD, AGREEMENT.replace("limits:", window + "limits:") +
                      "meeting: week\nreview: {every: month, owner: Ana}\nsales: {reasons: [sem verba, concorrente]}\nrecycle: {after: 30d, score: 5}\n", PARTITIONS)
        score(setup, [boss("gil", NOON), *(event("gil", "visit", NOON + n, n, page="/") for n in range(2)),
                      event("gil", "form_fill", NOON + MINUTE, form="demo"),
                      event("gil", "email_clicked", NOON + MINUTE + 1, channel="news"),
                      event("gil", "feedback", NOON + HOUR, report="rejected", reason="Sem verba", seller="Rui")])
        found = self.good(setup.run("explain", "gil", "--lang", "pt"))          # and no warning of `meeting`
        self.assertTrue(found.startswith("gil foi recusado por Vendas em 01/11/2026 10:00.\nMotivo informado por Vendas: Sem verba.\n"
                                         "Volta com o primeiro evento a partir de 01/12/2026 10:00.\n"), found)
        later = ("explain", "gil", "--at", str(NOON + 30 * DAY), "--lang")
        self.assertIn("  often: no points at present; it gives 15 points as long as there are 2 or more visits in 7 days; last on",
                      self.good(setup.run(*later, "en")))
        self.assertIn("  often: por ahora, ningún punto; da 15 puntos mientras haya 2 o más visitas en 7 días; por última vez el",
                      self.good(setup.run(*later, "es")))
        self.assertIn('  01/11/2026 09:01  formulário preenchido "demo": demo\n', found)
        done = setup.run("explain", "nobody", "--lang", "es")
        self.assertEqual(done.stderr.split(" con el ")[0], "baton explain: Redis no conoce ningún lead nobody")


# --- leads ------------------------------------------------------------------------------------------------------------

class Leads(Told):
    ALL = ["dora", "bob", ODD, "anna", "=1+1", "carl"]

    def ids(self, *words):
        return [json.loads(line)["lead_id"] for line in self.told("leads", "--json", *words).splitlines()]

    def test_all_leads_the_best_first(self):
        found = [json.loads(line) for line in self.told("leads", "--json").splitlines()]
        self.assertEqual([lead["lead_id"] for lead in found], self.ALL)
        self.assertEqual([lead["score"] for lead in found], [100, 60, 50, 37, 1, 1])
        self.assertEqual((found[3]["stage"], found[3]["updated"]), ("mql", "2026-11-15T13:00:00.000Z"))
        self.assertEqual(self.ids("-n", "2"), ["dora", "bob"])

    def test_of_some_stages(self):
        self.assertEqual(self.ids("--stage", "mql"), ["dora", ODD, "anna"])
        self.assertEqual(self.ids("--stage", "sql,lead"), ["bob", "=1+1", "carl"])
        self.assertEqual(self.told("leads", "--stage", "customer"), "no leads\n")

    def test_of_the_last_days(self):
        self.assertEqual(self.ids("--since", "2d"), ["dora", "bob", ODD])
        self.assertEqual(self.ids("--since", "2h"), ["dora"])
        self.assertIn("anna", self.ids("--since", "2026-11-15T13:00:00Z"))
        self.assertNotIn("anna", self.ids("--since", "2026-11-15T13:00:01Z"))
        self.assertEqual(self.ids("--since", "2026-11-01"), self.ALL)

    def test_near_a_gate(self):
        self.assertEqual(self.ids("--near", "sql"), ["dora", ODD])
        self.assertEqual(self.ids("--near", "sql:23"), ["dora", ODD, "anna"])
        self.assertEqual(self.ids("--near", "sql:22"), ["dora", ODD])
        self.assertEqual(self.ids("--near", "mql"), ["=1+1", "carl"])
        self.assertEqual(self.ids("--near", "sql", "--stage", "mql", "--since", "2h"), ["dora"])

    def test_for_a_spreadsheet(self):
        rows = list(csv.reader(io.StringIO(self.told("leads", "--csv"))))
        self.assertEqual(rows[0], ["lead_id", "stage", "score", "updated"])
        self.assertEqual([row[0] for row in rows[1:]], ["'=1+1" if lead == "=1+1" else lead for lead in self.ALL])
        self.assertEqual(rows[4], ["anna", "mql", "37", "2026-11-15T13:00:00.000Z"])
        self.assertEqual(self.told("leads", "--csv", "--stage", "customer"), "lead_id,stage,score,updated\n")

    def test_for_a_person(self):
        lines = self.told("leads").splitlines()
        self.assertEqual(lines[0], "    score  stage     updated (UTC)        lead")
        self.assertEqual(lines[4], "       37  mql       2026-11-15 13:00:00  anna")
        self.assertEqual(len(lines), 7)
        self.assertNotIn("\x1b", "".join(lines))

    def test_a_gate_without_a_score(self):
        path = self.setup.folder / "agreement.yaml"
        self.addCleanup(path.write_text, AGREEMENT)
        path.write_text(AGREEMENT.replace("mql: {score: 20, behaviour: 1}", "mql: {behaviour: 1}"))
        done = self.setup.run("leads", "--near", "mql")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("the gate `mql` of the agreement asks for no score", done.stderr)

    def test_mistakes(self):
        for words in (("--stage", "mqll"), ("--stage", ""), ("--stage", "mql,nothing"), ("--since", "yesterday"), ("--since", "7"),
                      ("--near", "customer"), ("--near", "sql:x"), ("--csv", "--json"), ("-n", "0"), ("anna",)):
            done = self.setup.run("leads", *words)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done)


# --- tail -------------------------------------------------------------------------------------------------------------

class Tail(Told):
    def records(self, *words):
        return [json.loads(line) for line in self.told("tail", "--json", "--end", *words).splitlines()]

    def seen(self, *words):
        return sorted((one["change"], one["record"]["lead_id"], one["record"]["stage"]) for one in self.records(*words))

    ALL = sorted([("promotion", "bob", "sql"), ("stage", "anna", "mql"), ("stage", "bob", "mql"), ("stage", "dora", "mql"),
                  ("stage", ODD, "mql")])

    def test_a_promotion_is_told_once(self):
        self.assertEqual(self.seen(), self.ALL)
        self.assertEqual(self.seen("--promotions"), [("promotion", "bob", "sql")])
        stages = self.seen("--stages")
        self.assertEqual(len(stages), 5)
        self.assertIn(("stage", "bob", "sql"), stages)
        self.assertEqual(len(self.seen("--stages", "--promotions")), 5)

    def test_some_of_them(self):
        self.assertEqual(self.seen("--lead", "bob"), [("promotion", "bob", "sql"), ("stage", "bob", "mql")])
        self.assertEqual(self.seen("--stage", "sql"), [("promotion", "bob", "sql")])
        self.assertEqual(self.seen("--stage", "sql,mql", "--change", "stage"), self.ALL[1:])
        self.assertEqual(self.seen("--change", "ignored,merged"), [])
        self.assertEqual(len(self.seen("-n", "2")), 2)
        self.assertEqual(self.seen("--since", "1d"), self.ALL)          # published just now, whenever they happened
        self.assertEqual(self.seen("--since", "0"), [])

    def test_what_a_program_reads(self):
        record, = self.records("--promotions")
        self.assertEqual((record["id"], record["record"]["score"], record["record"]["generation"]), ("bob/1/sql", 60, 1))
        self.assertEqual([rule["id"] for rule in record["record"]["rules"]], ["demo"])

    def test_what_a_person_reads(self):
        text = self.told("tail", "--end", "--lead", "bob")
        self.assertRegex(text, r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  promotion  bob  60 points \(fit 20, behaviour 40\): demo 40, "
                               r"boss 20  Bob$")
        self.assertRegex(text, r"(?m)^.{19}  stage      bob  lead → mql  60 points \(fit 20, behaviour 40\)$")
        self.assertEqual(self.told("tail", "--end", "--lead", "anna"),
                         "2026-11-01 13:00:00  stage      anna  lead → mql  31 points (fit 20, behaviour 11)\n")
        self.assertNotIn("\x1b", self.told("tail", "--end"))

    def test_it_follows_until_it_is_ended(self):
        """Started before anything was published under this prefix of topics."""
        setup = Setup(WORLD, AGREEMENT, 1)
        process = subprocess.Popen([BATON, "tail", "-c", setup.folder / "baton.yaml", "-n", "2", "--json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(process.kill)
        self.assertIn("follows", process.stderr.readline())
        producer = WORLD.producer()
        for one in STORY[3:5]:
            producer.produce(setup.topics["events"], json.dumps(one), one["lead_id"], 0, timestamp=NOW)
        producer.flush(30)
        run = setup.start()
        out, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(sorted(json.loads(line)["record"]["stage"] for line in out.splitlines()), ["mql", "sql"])
        run.stop()

    def test_what_sales_reports(self):
        setup = Setup(WORLD, AGREEMENT, 1)
        producer, redis = WORLD.producer(), WORLD.redis()
        self.addCleanup(redis.close)
        story = [*STORY[3:6], event("bob", "feedback", NOW, report="accepted", seller="Ana"),
                 event("carl", "feedback", NOW, report="contacted", seller="Ana"),
                 event("carl", "adjust", NOW, points=15, by="Rui", reason="met at a fair")]
        for one in story:
            producer.produce(setup.topics["events"], json.dumps(one), one["lead_id"], 0, timestamp=NOW)
        producer.flush(30)
        run = setup.start()
        setup.wait_until_done(redis, [len(story)])
        run.stop()
        text = self.good(setup.run("tail", "--end"))
        self.assertRegex(text, r"(?m)^.{19}  stage      bob  sql → accepted  60 points \(fit 20, behaviour 40\)  sales: accepted by Ana$")
        self.assertRegex(text, r"(?m)^.{19}  ignored    carl  lead  sales: contacted by Ana  the lead was not handed over to sales$")
        self.assertRegex(text, r"(?m)^.{19}  adjusted   carl  lead  \+15  by Rui \(met at a fair\)$")
        self.assertIn("bob was accepted by sales on ", self.good(setup.run("explain", "bob")))
        carl = self.good(setup.run("explain", "carl", "--at", "newest"))
        self.assertIn("It has 16 points: 0 for who it is (fit) and 1 for what it did (behaviour), and 15 given by hand.\n", carl)
        self.assertIn("still needs 4 more points (it has 16 of 20).\n", carl)

    def test_what_cannot_be_read(self):
        setup = Setup(WORLD, AGREEMENT, 1)
        producer, redis = WORLD.producer(), WORLD.redis()
        self.addCleanup(redis.close)
        for key, value in ((b"anna", b"{"), (b"bob", json.dumps(event("carl", "visit", NOW)).encode()), (b"\xff\xfe", None)):
            producer.produce(setup.topics["events"], value, key, 0, timestamp=NOW)
        producer.flush(30)
        run = setup.start()
        setup.wait_until_done(redis, [3])
        run.stop()
        text = self.good(setup.run("tail", "--dead", "--end"))
        at = f"{setup.topics['events']}, partition 0, offset "
        self.assertRegex(text, rf"(?m)^.{{19}}  dead       anna  unreadable: .+  {at}0$")
        self.assertRegex(text, rf"(?m)^.{{19}}  dead       bob  key_mismatch: .+  {at}1$")
        self.assertRegex(text, rf"(?m)^.{{19}}  dead       0xfffe  empty.*  {at}2$")
        found = [json.loads(line) for line in self.good(setup.run("tail", "--dead", "--end", "--json")).splitlines()]
        found.sort(key=lambda one: one["record"]["offset"])      # they may stand in several partitions of their topic
        self.assertEqual([(one["change"], one["record"]["reason"], one["record"]["partition"], one["record"]["offset"],
                           one["record"]["key"]) for one in found],
                         [("dead", "unreadable", 0, 0, "anna"), ("dead", "key_mismatch", 0, 1, "bob"), ("dead", "empty", 0, 2, "0xfffe")])
        self.assertEqual(self.good(setup.run("tail", "--dead", "--lead", "bob", "--end")).count("\n"), 1)
        self.assertEqual(self.good(setup.run("tail", "--end")), "")

    def test_ids_that_are_no_leads_any_more(self):
        setup = Setup(WORLD, AGREEMENT, 1)
        producer, redis = WORLD.producer(), WORLD.redis()
        self.addCleanup(redis.close)
        story = [event("cookie", "visit", NOW), event("zoe", "visit", NOW), event("ana", "visit", NOW),
                 event("cookie", "merge", NOW, into="ana"), event("zoe", "erase", NOW)]
        for one in story:
            producer.produce(setup.topics["events"], json.dumps(one), one["lead_id"], 0, timestamp=NOW)
        producer.flush(30)
        run = setup.start()
        wait_for("cookie to be given up", 20, lambda: redis.scan(f"{setup.name}:*cookie"))
        wait_for("zoe to leave Redis", 20, lambda: not redis.scan(f"{setup.name}:*zoe"))
        run.stop()
        told = {("cookie", "en"): r"cookie was merged into ana on .+: the two are one person, and everything counts for ana\.",
                ("cookie", "pt"): r"cookie foi unido a ana em .+: são a mesma pessoa, e tudo conta para ana\.",
                ("cookie", "es"): r"cookie se unió a ana el .+: son la misma persona, y todo cuenta para ana\.",
                ("zoe", "en"): r"zoe was erased on .+: nothing is kept of this person, ",
                ("zoe", "pt"): r"zoe foi apagado em .+: nada se guarda desta pessoa, ",
                ("zoe", "es"): r"zoe fue borrado el .+: no se guarda nada de esta persona, "}
        for (lead, language), sentence in told.items():
            text = self.good(setup.run("explain", lead, "--lang", language))
            self.assertRegex(text, "^" + sentence)
            self.assertEqual(text.count("\n"), 1)
        cookie = json.loads(self.good(setup.run("explain", "cookie", "--json")))
        self.assertEqual((cookie["lead_id"], cookie["merged_into"], len(cookie["sentences"])), ("cookie", "ana", 1))
        zoe = json.loads(self.good(setup.run("explain", "zoe", "--json")))
        self.assertEqual((zoe["lead_id"], "erased" in zoe, "score" in zoe), ("zoe", True, False))
        self.assertRegex(self.good(setup.run("show", "zoe")), r"(?m)^erased +\d.*: nothing is kept of this person$")
        self.assertEqual(self.good(setup.run("show", "zoe", "--json")).count("erased"), 1)
        self.assertEqual(setup.run("explain", "nobody").returncode, 1)
        for language, sentence in (("en", "1 id was merged into other leads, and is not listed: baton explain ID tells into whom."),
                                   ("pt", "1 id foi unido a outros leads, e não aparece na lista: baton explain ID diz a quem."),
                                   ("es", "1 id se unió a otros leads, y no aparece en la lista: baton explain ID dice a quién.")):
            lines = self.good(setup.run("leads", "--lang", language)).splitlines()
            self.assertEqual((len(lines), lines[-1]), (4, sentence), lines)
            self.assertTrue(lines[1].endswith("  ana"), lines)
        self.assertEqual([json.loads(line)["lead_id"] for line in self.good(setup.run("leads", "--json")).splitlines()], ["ana"])
        self.assertEqual(self.good(setup.run("leads", "--csv")).count("\n"), 2)
        self.assertEqual(setup.run("leads", "--lang", "de").returncode, 2)

    def test_every_format_reads_alike(self):
        setup = Setup(WORLD, AGREEMENT, 1, extra={"output": {"format": "avro"}})
        producer, redis = WORLD.producer(), WORLD.redis()
        self.addCleanup(redis.close)
        for one in STORY:
            producer.produce(setup.topics["events"], json.dumps(one), one["lead_id"], 0, timestamp=NOW)
        producer.flush(30)
        run = setup.start()
        setup.wait_until_done(redis, [len(STORY)])
        run.stop()

        def told(of):
            found = sorted((json.loads(line) for line in self.good(of.run("tail", "--end", "--json")).splitlines()),
                           key=lambda one: (one["id"], one["change"]))
            own = ("topic", "partition", "offset")           # where the event stood
            return [(one["change"], one["id"], {k: v for k, v in one["record"].items() if k not in own}) for one in found]

        self.assertEqual(told(setup), told(self.setup))

    def test_mistakes(self):
        for words in (("--stage", "sqll"), ("--change", "promoted"), ("--since", "soon"), ("-n", "0"), ("--change", ""), ("bob",)):
            done = self.setup.run("tail", *words)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done)
        setup = Setup(WORLD, AGREEMENT, 1, topics=False)
        done = setup.run("tail", "--end")
        self.assertEqual(done.returncode, 1)
        self.assertIn("baton topics --create", done.stderr)


def run(module):
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{text}*" for text in sys.argv[1:]] or None
    result = unittest.TextTestRunner(sys.stdout, verbosity=2).run(loader.loadTestsFromModule(module))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", flush=True)
    return 1 if bad else 0


def main():
    global WORLD
    WORLD = World()
    return run(sys.modules[__name__])


if __name__ == "__main__":
    sys.exit(main())
