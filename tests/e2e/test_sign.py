#!/usr/bin/python3
"""baton sign, baton diff, and what baton check says of signatures. Needs no server. Last line: `N passed, N failed`."""

import datetime
import itertools
import json
import os
import re
import shutil
import stat
import sys

import test_texts
import test_tools
from test_texts import LANGUAGES, WHOLE, baton, test_schema, variations
from world import ROOT

SIGNED = re.compile(r"\n?signed:\n(  - \{side: (?:marketing|sales), by: [^{}]*, date: 2025-11-02, hash: [0-9a-f]{32}\}\n)+")


class Base(test_texts.Base):
    def setUp(self):
        self.at = self.folder()
        self.file = self.at / "agreement.yaml"
        shutil.copy(ROOT / "tests/agreements/good/minimal.yaml", self.file)

    def ok(self, *words, **where):
        done = baton(*words, **where)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def sign(self, side, by, *words, file=None):
        return self.ok("sign", "--as", side, "--by", by, "--date", "2025-11-02", *words, file or self.file)

    def check(self, *words):
        return json.loads(self.ok("check", "--json", *words, self.file))

    def states(self):
        return {one["side"]: one["state"] for one in self.check()["signatures"]}


class Signing(Base):
    def test_both_sides_sign_and_nothing_else_changes(self):
        before = self.file.read_bytes()
        self.assertEqual(self.states(), {"marketing": "none", "sales": "none"})
        said = self.sign("sales", "Ana")
        self.assertIn("Not signed for marketing yet: baton sign --as marketing --by NAME " + str(self.file), said)
        self.assertEqual(self.states(), {"marketing": "none", "sales": "same"})
        self.assertIn("Both sides have signed it.", self.sign("marketing", "Mia"))
        self.assertEqual(self.states(), {"marketing": "same", "sales": "same"})
        after = self.file.read_bytes()
        self.assertTrue(after.startswith(before.rstrip(b"\n")))
        self.assertRegex(after[len(before.rstrip(b"\n")):].decode(), SIGNED)

    def test_what_was_signed_is_kept_beside_it(self):
        self.sign("sales", "Ana")
        first = self.file.read_bytes()
        self.sign("marketing", "Mia")
        kept = self.at / "signed" / (self.check()["hash"] + ".yaml")
        self.assertEqual([path.name for path in kept.parent.iterdir()], [kept.name])
        self.assertEqual(kept.read_bytes(), first)      # as it was when it was signed first
        self.assertEqual(sorted(path.name for path in self.at.iterdir()), ["agreement.yaml", "signed"])

    def test_signing_again_writes_nothing(self):
        self.sign("sales", "Ana")
        before = self.file.read_bytes()
        self.assertIn("already", self.sign("sales", "Ana"))
        self.assertEqual(self.file.read_bytes(), before)
        told = json.loads(self.sign("sales", "Ana", "--json"))
        self.assertEqual((told["changed"], told["hash"]), (False, self.check()["hash"]))

    def test_a_file_keeps_its_mode_and_a_link_stays_a_link(self):
        self.file.chmod(0o640)
        link = self.at / "other" / "link.yaml"
        link.parent.mkdir()
        link.symlink_to(self.file)
        self.sign("sales", "Ana", file=link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o640)
        self.assertEqual(self.states()["sales"], "same")

    def test_without_a_date_it_is_today_where_the_agreement_is(self):
        self.file.write_text(self.file.read_text() + "zone: Pacific/Kiritimati\n")      # 14 hours ahead
        before = datetime.datetime.now(datetime.timezone.utc)
        self.ok("sign", "--as", "sales", "--by", "Ana", self.file)
        after = datetime.datetime.now(datetime.timezone.utc)
        days = {str((time + datetime.timedelta(hours=14)).date()) for time in (before, after)}
        self.assertIn(self.check()["signatures"][1]["date"], days)

    def test_the_agreement_of_the_configuration_is_signed(self):
        (self.at / "baton.yaml").write_text("output: {lang: pt}\n")
        self.assertIn("assinado por", self.ok("sign", "--as", "sales", "--by", "Ana", folder=self.at))
        self.assertEqual(self.states()["sales"], "same")

    def test_what_is_missing_is_told(self):
        for words, code, text in ((("--by", "Ana"), 2, "--as wants marketing or sales"),
                                  (("--as", "both", "--by", "Ana"), 2, "not both"),
                                  (("--as", "sales"), 2, "--by wants the name"),
                                  (("--as", "sales", "--by", ""), 3, "a name is 1 to 200 bytes"),
                                  (("--as", "sales", "--by", "Ana", "--date", "2026-02-30"), 2, "--date wants a day"),
                                  (("--as", "sales", "--by", "Ana", "--date", "2999-01-01"), 2, "is after today")):
            done = baton("sign", *words, self.file)
            self.assertEqual((done.returncode, text in done.stderr), (code, True), done.stderr)
        self.assertEqual(baton("sign", "--as", "sales", "--by", "Ana", self.at / "none.yaml").returncode, 3)
        self.file.write_text("agreement: x\n")
        done = baton("sign", "--as", "sales", "--by", "Ana", self.file)
        self.assertEqual((done.returncode, self.file.read_text()), (3, "agreement: x\n"))

    def test_a_folder_that_cannot_be_written_leaves_the_file(self):
        if os.geteuid() == 0:
            (self.at / "signed").write_text("a file\n")      # root may write anywhere
        else:
            self.at.chmod(0o555)
        before = self.file.read_bytes()
        done = baton("sign", "--as", "sales", "--by", "Ana", self.file)
        self.at.chmod(0o755)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("cannot", done.stderr)
        self.assertEqual(self.file.read_bytes(), before)


class Since(Base):
    def changed(self):
        self.sign("sales", "Ana")
        text = self.file.read_text()
        self.assertIn("score: 5", text)
        self.file.write_text(text.replace("score: 5", "score: 6"))
        self.sign("marketing", "Mia")

    def test_check_tells_what_has_changed_since_a_side_signed(self):
        self.changed()
        said = self.ok("check", self.file)
        self.assertIn("Mia signed this text for marketing on 2025-11-02.\nAna signed another text for sales on 2025-11-02. "
                      "Since then:\n  What makes an MQL changes", said)
        signature = self.check()["signatures"][1]
        self.assertEqual((signature["state"], [change["kind"] for change in signature["changes"]]), ("another", ["gate"]))
        for language, words in (("pt", "Desde então:"), ("es", "Desde entonces:")):
            self.assertIn(words, self.ok("check", "--lang", language, self.file))

    def test_the_head_of_a_text_says_that_another_was_signed(self):
        self.changed()
        for language, signed, other in (
                ("en", "Signed for marketing by Mia on 2025-11-02.",
                 "Ana signed another text for sales on 2025-11-02, and not this one."),
                ("pt", "Assinado por Mia, em nome de Marketing, em 02/11/2025.",
                 "Ana assinou outro texto por Vendas em 02/11/2025, e não este."),
                ("es", "Firmado por Mia, en nombre de Marketing, el 02/11/2025.",
                 "Ana firmó otro texto por Ventas el 02/11/2025, y no este.")):
            lines = self.check("--lang", language)["sentences"]
            self.assertTrue({signed, other} <= set(lines), lines)
            self.assertIn(other, self.ok("check", "--lang", language, self.file).splitlines())

    def test_a_text_that_is_not_there_is_named(self):
        self.changed()
        signature = self.check()["signatures"][1]
        kept = self.at / "signed" / (signature["hash"] + ".yaml")
        kept.write_text(kept.read_text() + "touches: 3\n")      # it is no longer what was signed
        self.assertIn(f"It cannot be read from {kept}", self.ok("check", self.file))
        kept.unlink()
        self.assertIn(f"It cannot be read from {kept}", self.ok("check", self.file))
        self.assertIsNone(self.check()["signatures"][1]["changes"])

    def test_a_name_alone_is_no_signature(self):
        self.file.write_text(self.file.read_text() + "signed: [{side: sales, by: Ana, date: 2025-11-02}]\n")
        self.assertEqual(self.states(), {"marketing": "none", "sales": "name"})
        self.assertIn("has signed no text: baton sign --as sales --by NAME", self.ok("check", self.file))


class Running(Base):
    """Refused before any server is asked."""

    def refused(self, *texts):
        (self.at / "baton.yaml").write_text(f"agreement: {self.file}\n")
        done = baton("run", folder=self.at)
        self.assertEqual(done.returncode, 3, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)
        return done.stderr

    def test_run_refuses_what_is_not_signed_and_says_what_to_type(self):
        said = self.refused("error: marketing has not signed it; to sign: baton sign --as marketing --by NAME", "baton run --unsigned")
        self.assertIn(f"error: sales has not signed it; to sign: baton sign --as sales --by NAME {self.file}", said)
        self.sign("sales", "Ana")
        self.assertNotIn("error: sales", self.refused("error: marketing"))

    def test_run_refuses_a_text_that_has_changed_since(self):
        self.sign("sales", "Ana")
        self.sign("marketing", "Mia")
        self.file.write_text(self.file.read_text().replace("score: 5", "score: 6"))
        self.refused("marketing signed another text", "sales signed another text")

    def test_of_a_folder_what_is_in_force_now_or_later_must_be_signed(self):
        folder = self.at / "versions"
        folder.mkdir()
        for number, year in ((1, 2020), (2, 2021), (3, 2999)):
            text = self.file.read_text().replace("version: 1", f"version: {number}\neffective: {year}-01-01")
            (folder / f"v{number}.yaml").write_text(text)
        self.file = folder
        said = self.refused("v2.yaml: error", "v3.yaml: error")
        self.assertNotIn("v1.yaml", said)

    def test_what_is_delivered_is_signed(self):
        for path in (ROOT / "deploy/agreements").glob("*.yaml"):
            told = json.loads(self.ok("check", "--json", path))
            self.assertEqual([one["state"] for one in told["signatures"]], ["same", "same"], path)
            self.assertTrue((path.parent / "signed" / f"{told['hash']}.yaml").is_file(), path)


class Checking(Base):
    """What `baton run` would refuse, `baton check` tells."""

    def setUp(self):
        super().setUp()
        self.versions = self.at / "versions"
        self.versions.mkdir()

    def version(self, number, effective, *sides, more=""):
        path = self.versions / f"v{number}.yaml"
        path.write_text(self.file.read_text().replace("version: 1", f"version: {number}\neffective: {effective}") + more)
        for side in sides:
            self.sign(side, "Ana", file=path)
        return path

    def configure(self, **more):
        (self.at / "baton.yaml").write_text(json.dumps({"agreement": "versions", **more}))

    def told(self, code):
        done = baton("check", "--json", folder=self.at)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_every_version_of_a_folder_is_looked_at(self):
        self.version(1, "2020-01-01")
        self.version(2, "2021-01-01", "marketing", "sales")
        last = self.version(3, "2999-01-01", "sales")
        done = baton("check", self.versions)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{last}: warning: not both sides have signed this text, so `baton run` refuses it", done.stderr)
        self.assertEqual(done.stderr.count("warning"), 1, done.stderr)
        for text in (f"The versions in {self.versions}:\n  {self.versions}/v1.yaml: version 1 was in force from 2020-01-01 on.\n",
                     "v2.yaml: version 2 is in force now; this is it.\n", "v3.yaml: version 3 takes over on 2999-01-01.\n",
                     ", version 2.", f"Signatures of {last}:\nNobody has signed for marketing: baton sign --as marketing"):
            self.assertIn(text, done.stdout)
        self.configure()
        told = self.told(0)
        self.assertEqual([(one["version"], one["state"], one["agreed"]) for one in told["versions"]],
                         [(1, "before", False), (2, "now", True), (3, "next", False)])
        self.assertEqual([(one["file"][-7:], one["code"]) for one in told["findings"]], [("v3.yaml", "not_agreed")])

    def test_a_mistake_in_any_version_is_an_error(self):
        self.version(1, "2020-01-01")
        self.version(2, "2999-01-01", more="meeting: monday\n")
        done = baton("check", "--lang", "pt", self.versions)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("/v2.yaml:", done.stderr)
        self.assertIn("erro: ", done.stderr)

    def test_what_the_configuration_names_is_looked_at(self):
        self.version(1, "2020-01-01")
        self.configure(shadow="nope.yaml")
        self.assertEqual([(one["file"], one["code"]) for one in self.told(3)["findings"] if one["severity"] == "error"],
                         [("nope.yaml", "no_file")])
        (self.at / "nope.yaml").write_text("agreement: x\nversion: 1\n")
        self.assertIn("nope.yaml:1:1: error: `gates` is missing", "\n".join(self.told(3)["messages"]))
        (self.at / "nope.yaml").write_text(self.file.read_text())
        self.told(0)
        self.configure(schemas={"directory": "schemas"})
        self.assertIn("schemas.directory: schemas: there is no such folder", self.told(3)["messages"][0])
        (self.at / "schemas").mkdir()
        self.told(0)

    def test_a_review_that_is_over_is_a_warning(self):
        path = self.version(1, "2020-01-01", more="review: {every: month, next: 2021-02-01, owner: Ana}\n")
        done = baton("check", path)
        self.assertEqual(done.returncode, 0)
        self.assertIn(": warning: `next` is a day that is over", done.stderr)


class Diff(Base):
    def test_two_texts_are_told_apart_rule_by_rule(self):
        other = self.at / "other.yaml"
        other.write_text(self.file.read_text().replace("version: 1", "version: 2").replace("points: 1", "points: 12"))
        said = self.ok("diff", self.file, other)
        self.assertIn("version 1, to", said)
        self.assertIn("gives 12 points, before 1; what was counted already has the new price at once.", said)
        told = json.loads(self.ok("diff", "--json", self.file, other))
        self.assertEqual([change["kind"] for change in told["changes"]], ["other_word", "rule_priced"])
        self.assertEqual(told["changes"][1]["word"].split(".")[-1], "points")
        self.assertNotEqual(told["before"]["hash"], told["after"]["hash"])
        self.assertIn("Nada mudou", self.ok("diff", "--lang", "pt", other, other))

    def test_what_both_promised_is_told_in_sentences(self):
        pact = ("goals:\n  customers: {at_least: 20, per: day, owner: A}\n  conversion: {one_in: 5, judge_after: 30d, owner: A}\n"
                "sales: {first_contact: {within: 2m, owner: A}}\nforget: 30d\n")
        other = self.at / "other.yaml"
        other.write_text(self.file.read_text() + pact.replace("20", "15").replace("2m", "4m").replace("forget: 30d", "forget: 60d").replace("owner: A}}", "owner: B}}"))
        self.file.write_text(self.file.read_text() + pact)
        for language, texts in (
                ("en", ("before: Sales owes the first contact within 2 minutes", "now: Sales owes the first contact within 4 minutes",
                        "So marketing owes 75 SQLs per day, before 100 per day.")),
                ("pt", ("em até 2 minutos", "em até 4 minutos", "Marketing deve 75 SQLs por dia, antes 100 por dia.")),
                ("es", ("2 minutos", "4 minutos", "Marketing debe 75 SQL por día, antes 100 por día."))):
            said = self.ok("diff", "--lang", language, self.file, other)
            for text in texts:
                self.assertEqual(said.count(text), 1, said)
            self.assertNotIn("2m", said)
            self.assertIn({"en": "`forget` is 60 days, before 30 days.", "pt": "`forget` é 60 dias, antes 30 dias.",
                           "es": "`forget` es 60 días, antes 30 días."}[language], said)
        told = json.loads(self.ok("diff", "--json", self.file, other))["changes"]
        self.assertEqual([(one["word"], one["before"], one["after"]) for one in told],
                         [("sales.first_contact.within", "2m", "4m"), ("sales.first_contact.owner", "A", "B"),
                          ("forget", "30d", "60d"),
                          ("goals.customers.at_least", "20", "15"), ("goals.delivery", "100", "75")])

    def test_files_that_cannot_be_read(self):
        for words in ((self.at / "none.yaml", self.file), (self.file, self.at / "none.yaml")):
            done = baton("diff", *words)
            self.assertEqual((done.returncode, "none.yaml" in done.stderr), (3, True))
        self.assertEqual(baton("diff", self.file).returncode, 2)

    def test_every_word_has_its_change(self):
        """Whatever changes in an agreement that has all words is told as a change, in each language."""
        tree = test_schema.loader().load(WHOLE.read_text(encoding="utf-8"))
        extra = test_schema.loader().load((WHOLE.parent / "personas.yaml").read_text(encoding="utf-8"))
        tree.update(personas=extra["personas"], assign=extra["assign"], forget="730d", touches=6)
        signatures = tree.pop("signed")
        first, other = self.at / "first.json", self.at / "other.json"
        first.write_text(json.dumps(tree), encoding="utf-8")
        language = itertools.cycle(LANGUAGES)
        silent, seen = [], 0
        for place, changed in variations(tree):
            other.write_text(json.dumps({**changed, "signed": signatures}), encoding="utf-8")
            done = baton("diff", "--json", "--lang", next(language), first, other)
            if done.returncode == 3:
                continue
            seen += 1
            told = json.loads(done.stdout)
            if not told["changes"] or not all(change["text"] for change in told["changes"]):
                silent.append(place)
        self.assertGreater(seen, 150)
        self.assertEqual(silent, [])


if __name__ == "__main__":
    sys.exit(test_tools.run(sys.modules[__name__]))
