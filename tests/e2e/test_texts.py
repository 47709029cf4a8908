#!/usr/bin/python3
"""The tools for people that need no server: sentences in three languages, init, completion and manual pages. Last line:
`N passed, N failed`."""

import copy
import itertools
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "agreements"))
import test_schema
import test_tools
from test_tools import NOON, event
from world import BATON, ROOT

WHOLE = ROOT / "tests/agreements/good/whole.yaml"
LANGUAGES = ("en", "pt", "es")
# A value of a closed set, and another of it.
OTHER_WORDS = {"marketing": "sales", "visit": "click", "click": "visit", "form_fill": "click", "day": "week", "week": "day",
               "month": "week", "ever": "day", "working day": "day", "name": "age", "email": "age", "phone": "age", "company": "age",
               "job_title": "age", "mon-fri": "mon-sat", "09:00": "08:00", "18:00": "19:00", "America/Sao_Paulo": "UTC",
               "demo": "any-page", "pricing": "any-page", "it-buyer": "plain", "plain": "brazil"}


def baton(*words, folder=None, text=None, **environment):
    return subprocess.run([BATON, *map(str, words)], capture_output=True, encoding="utf-8", timeout=60, check=False, cwd=folder,
                          input=text if text is not None else "", env={**os.environ, **environment})


def variations(tree, place=""):
    """(place, tree) with one part left out, or one value changed."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        where = f"{place}/{key}"
        others = []
        if isinstance(value, (dict, list)):
            others = variations(value, where)
        elif isinstance(value, bool):
            others = [(where, not value)]
        elif isinstance(value, int):
            others = [(where, value + 1)]
        elif re.fullmatch(r"\d+[dhm]|\d+ working \w+|\d+%", value):
            others = [(where, re.sub(r"^\d+", lambda found: str(int(found[0]) + 1), value))]
        elif re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            others = [(where, value[:-1] + ("2" if value[-1] == "1" else "1"))]
        elif value in OTHER_WORDS:
            others = [(where, OTHER_WORDS[value])]
        else:
            others = [(where, value + "s")]
        for inner, other in others:
            changed = copy.copy(tree)
            changed[key] = other
            yield inner, changed
        left_out = copy.copy(tree)
        del left_out[key]
        yield f"without {where}", left_out


class Base(test_tools.Base):
    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Path(folder.name)


# --- check ------------------------------------------------------------------------------------------------------------

class Sentences(Base):
    GATES = {"en": "An MQL becomes an SQL, and is promoted to sales, with a score of at least 80, 10 or more points of fit "
                   "and a hit of one of demo or pricing.",
             "pt": "Um MQL vira SQL, e é passado para Vendas, com pontuação de pelo menos 80, 10 ou mais pontos de perfil "
                   "e um evento de uma das regras demo ou pricing.",
             "es": "Un MQL pasa a SQL, y se entrega a Ventas, con una puntuación de al menos 80, 10 o más puntos de perfil "
                   "y un evento de una de las reglas demo o pricing."}

    def said(self, *words, **where):
        done = baton("check", WHOLE, *words, **where)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_check_speaks_three_languages(self):
        spoken = {language: self.said("--lang", language) for language in LANGUAGES}
        for language, lines in spoken.items():
            self.assertIn(self.GATES[language], lines)
        self.assertEqual(len({len(lines) for lines in spoken.values()}), 1)
        self.assertEqual(self.said(), spoken["en"])
        names = {"pricing", "demo-saas", "America/Sao_Paulo"}      # what both sides wrote stays as it is
        for lines in spoken.values():
            self.assertTrue(all(any(name in line for line in lines) for name in names))

    def test_the_configuration_names_the_language(self):
        folder = self.folder()
        (folder / "agreement.yaml").write_text(WHOLE.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "baton.yaml").write_text("output: {lang: pt}\n")
        self.assertIn(self.GATES["pt"], baton("check", folder=folder).stdout)
        self.assertIn(self.GATES["pt"], "\n".join(self.said(folder=folder)))
        self.assertIn(self.GATES["es"], "\n".join(self.said("--lang", "es", folder=folder)))
        found = json.loads(baton("check", "--json", folder=folder).stdout)
        self.assertIn(self.GATES["pt"], found["sentences"])

    def sentences(self, tree, language):
        """None: not an agreement."""
        path = self.folder() / "agreement.yaml"
        path.write_text(json.dumps(tree), encoding="utf-8")
        found = json.loads(baton("check", path, "--json", "--lang", language).stdout)
        return found["sentences"] if found["ok"] else None

    def test_every_word_has_its_sentence(self):
        """Whatever changes in an agreement that has all words changes what is read aloud, in each language."""
        tree = test_schema.loader().load(WHOLE.read_text(encoding="utf-8"))
        extra = test_schema.loader().load((WHOLE.parent / "personas.yaml").read_text(encoding="utf-8"))
        tree.update(personas=extra["personas"], assign=extra["assign"], forget="730d", touches=6)
        tree["personas"][0]["fit"][1]["where"] = {"age": {"not": {"from": 20, "to": 30}}}
        tree["sales"]["verdict"]["owner"] = "Head of Service"      # left out, it is that of the clock before
        language = itertools.cycle(LANGUAGES)
        silent, changes = [], 0
        for place, other in variations(tree):
            spoken = next(language)
            before, after = self.sentences(tree, spoken), self.sentences(other, spoken)
            changes += after is not None
            if before == after:
                silent.append(place)
        self.assertGreater(changes, 150)
        self.assertEqual(silent, [])

    def test_a_number_is_written_as_the_language_writes_it(self):
        matchers = WHOLE.parent / "matchers.yaml"
        self.assertIn("  range: 1 point while the number of employees is from 50 to 500.5.", baton("check", matchers).stdout)
        self.assertIn("  range: 1 ponto se o número de funcionários está entre 50 e 500,5.",
                      baton("check", matchers, "--lang", "pt").stdout)

    def test_findings_come_in_the_language_and_have_one_code(self):
        bad = ROOT / "tests/agreements/bad/many-at-once.yaml"
        said = {"en": "many-at-once.yaml:7:1: error: unknown key `fitt` in an agreement; did you mean `fit`?",
                "pt": "many-at-once.yaml:7:1: erro: chave desconhecida `fitt` em um acordo; seria `fit`?",
                "es": "many-at-once.yaml:7:1: error: clave desconocida `fitt` en un acuerdo; ¿quiso decir `fit`?"}
        found = {}
        for language in LANGUAGES:
            done = baton("check", bad, "--lang", language)
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertIn(said[language], done.stderr)
            found[language] = json.loads(baton("check", bad, "--lang", language, "--json").stdout)["findings"]
        self.assertNotEqual(found["en"], found["pt"])
        without_text = [[{**finding, "text": None} for finding in found[language]] for language in LANGUAGES]
        self.assertEqual(without_text[0], without_text[1])
        self.assertEqual(without_text[0], without_text[2])
        self.assertEqual({key: without_text[0][5][key] for key in ("code", "severity", "line", "column", "file")},
                         {"code": "unknown_key", "severity": "error", "line": 7, "column": 1, "file": str(bad)})

    def test_the_configuration_names_the_language_of_findings(self):
        folder = self.folder()
        (folder / "baton.yaml").write_text("output: {lang: es}\n")
        self.assertEqual(baton("check", folder=folder).stderr,
                         "agreement.yaml: error: no se puede leer: el archivo no existe\n")
        (folder / "agreement.yaml").write_text("agreement: a\n")
        self.assertIn("agreement.yaml:1:1: error: falta `gates` en un acuerdo", baton("check", folder=folder).stderr)
        self.assertIn("erro: falta `gates` em um acordo", baton("check", "--lang", "pt", folder=folder).stderr)

    def test_a_language_that_baton_does_not_speak(self):
        done = baton("check", WHOLE, "--lang", "fr")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "baton check: --lang wants en, pt or es, not fr\n")
        folder = self.folder()
        (folder / "baton.yaml").write_text("output: {lang: fr}\n")
        done = baton("check", "-c", folder / "baton.yaml")
        self.assertEqual(done.returncode, 3)
        self.assertIn("baton.yaml:1:16: error", done.stderr)


# --- init -------------------------------------------------------------------------------------------------------------

class Init(Base):
    def checked(self, path):
        """It checks without a warning; the sentences."""
        return self.good(baton("check", path))

    def written(self, *words):
        folder = self.folder()
        done = baton("init", *words, folder=folder)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done)
        self.assertEqual(done.stderr.count("\n"), 1)
        return folder / "agreement.yaml"

    def test_by_options_alone(self):
        path = self.written("--form", "demo-request, contact us", "--page", "/pricing*,/compare", "--title", "owner, head of", "--zone",
                            "America/Sao_Paulo", "--name", "spring: first try", "--goal", "20", "--per", "working day", "--one-in", "5")
        said = self.checked(path)
        for text in ("Agreement spring: first try, version 1.", "America/Sao_Paulo", "the job title contains \"owner\" or \"head of\"",
                     "form-contact-us: 40 points", "the page begins with \"/pricing\"", "page-compare: 10 points",
                     "a hit of one of form-demo-request or form-contact-us"):
            self.assertIn(text, said)
        text = path.read_text(encoding="utf-8")
        self.assertIn("marketing owes 100 SQLs per working day", text)
        goals = re.sub(r"(?m)^# (?=goals:|  )", "", text)              # what the comment keeps for later is right as well
        (path.parent / "later.yaml").write_text(goals + "sales: {hours: {days: mon-fri, from: 09:00, to: 18:00}}\n", encoding="utf-8")
        done = baton("check", path.parent / "later.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("So marketing owes 100 SQLs per working day.", done.stdout)

    def test_with_the_least(self):
        said = self.checked(self.written("--form", "demo"))
        self.assertIn("form-demo: 40 points for every form filled in", said)
        self.assertNotIn("Who the lead is", said)

    def test_a_lead_of_it_is_promoted(self):
        path = self.written("--form", "demo", "--page", "/pricing*")
        events = [event("a", "visit", NOON + n, n, page="/pricing") for n in range(3)] + [event("a", "form_fill", NOON + 9, form="demo")]
        (path.parent / "e.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
        self.assertEqual(json.loads(self.good(baton("try", path, path.parent / "e.jsonl", "--json")))["stage"], "sql")

    def test_comments_in_other_languages(self):
        for language, comment in (("pt", "# O que o lead faz.\n"), ("es", "# Qué hace el lead.\n")):
            path = self.written("--form", "contato", "--lang", language, "--goal", "3")
            self.assertIn(comment, path.read_text(encoding="utf-8"))
            self.checked(path)

    def test_any_text_is_only_a_text(self):
        odd = '- {x: "y"} # \\ %'
        path = self.written("--form", f"{odd},é,è", "--page", "*", "--title", "yes,no", "--name", odd)
        self.assertIn("form, form-2", path.read_text(encoding="utf-8"))
        self.checked(path)

    def test_a_file_that_is_there_stays(self):
        path = self.written("--form", "demo")
        before = path.read_text()
        done = baton("init", "--form", "other", folder=path.parent)
        self.assertEqual((done.returncode, path.read_text()), (1, before))
        self.assertIn("--force", done.stderr)
        self.assertEqual(baton("init", "--form", "other", "--force", folder=path.parent).returncode, 0)
        self.assertIn("form-other", path.read_text())
        self.assertIn("form-demo", self.good(baton("init", "-", "--form", "demo")))

    def test_mistakes(self):
        folder = self.folder()
        for words in ((), ("--form", ""), ("--form", ","), ("--form", "a", "--goal", "many"), ("--form", "a", "--goal", "0"),
                      ("--form", "a", "--goal", "5", "--per", "fortnight"), ("--form", "a", "--zone", "Mars/Base"),
                      ("--form", "a", "--page", ",".join(map(str, range(60)))), ("--form", "a\nb"), ("--form", "a", "--lang", "it")):
            done = baton("init", *words, folder=folder)
            self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done))
            self.assertTrue(done.stderr, words)
        self.assertEqual(list(folder.iterdir()), [])
        self.assertEqual(baton("init", "/nowhere/a.yaml", "--form", "a").returncode, 1)

    def test_on_a_terminal_it_asks(self):
        folder = self.folder()
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execv(BATON, [BATON, "init", "--lang", "pt", "--zone", "UTC"])
        self.addCleanup(os.close, terminal)
        answers = iter(["", "", "fale-conosco", "", "diretor", "0", "20", "", ""])      # no form and no goal 0: asked again
        seen = b""
        while True:
            ready, _, _ = select.select([terminal], [], [], 60)
            self.assertTrue(ready, seen)
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
            if seen.endswith((b"? ", b") ", b"] ")):
                os.write(terminal, next(answers).encode() + b"\n")
                seen += b"|"
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0, seen)
        self.assertEqual(list(answers), [])
        text = seen.decode()
        for part in ("Algumas perguntas", "Como se chama o acordo? [first-agreement]", "aqui precisa haver algo", "[/pricing*]",
                     "um número inteiro, de 1 em diante", "agreement.yaml está escrito"):
            self.assertIn(part, text)
        self.assertIn("Marketing deve 100 SQLs por mês", (folder / "agreement.yaml").read_text(encoding="utf-8"))
        self.assertIn("form-fale-conosco", self.checked(folder / "agreement.yaml"))


# --- completion and manual pages --------------------------------------------------------------------------------------

class Shells(Base):
    def verbs(self):
        return re.findall(r"(?m)^  (\w+) {2,}\S", baton("help").stdout)

    def test_bash_completes_verbs_options_and_values(self):
        script = self.folder() / "baton.bash"
        script.write_text(self.good(baton("completion", "bash")), encoding="utf-8")

        def completed(*words):
            ask = (f"source {script}; compopt() {{ echo files; }}; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _baton; "
                   "printf '%s\\n' \"${COMPREPLY[@]}\"")
            return subprocess.run(["bash", "-c", ask, "x", "baton", *words], capture_output=True, encoding="utf-8",
                                  check=True).stdout.split()

        self.assertEqual(completed(""), self.verbs())
        self.assertEqual(completed("ex"), ["explain"])
        self.assertEqual(completed("check", "--l"), ["--lang"])
        self.assertEqual(completed("check", "--lang", ""), ["en", "pt", "es"])
        self.assertEqual(completed("leads", "--stage", "re"), ["rejected", "recycled"])
        self.assertEqual(completed("help", "to"), ["topics", "top"])
        self.assertEqual(completed("leads", "-n", ""), [])
        self.assertEqual(completed("status", "-c", ""), ["files"])
        self.assertIn("files", completed("check", ""))
        for verb in self.verbs():
            options = set(re.findall(r"(?m)^  (?:-\w, |    )(--[\w-]+)", baton("help", verb).stdout))
            self.assertEqual(set(completed(verb, "--")), options, verb)
            self.assertIn("--config", options)

    def test_zsh_and_fish_know_every_verb_and_option(self):
        for shell, option in (("zsh", "--{}"), ("fish", "-l {} ")):
            script = self.good(baton("completion", shell))
            for verb in self.verbs():
                self.assertIn(verb, script)
                for name in re.findall(r"(?m)^  (?:-\w, |    )--([\w-]+)", baton("help", verb).stdout):
                    self.assertIn(option.format(name), script)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script, encoding="utf-8", check=True, timeout=60)
        self.assertEqual(baton("completion", "csh").returncode, 2)

    def test_a_manual_page_says_what_help_says(self):
        for verb in self.verbs():
            page = self.good(baton("man", verb))
            self.assertTrue(page.startswith(f'.TH "BATON\\-{verb.upper()}" 1'), page[:80])
            plain = re.sub(r"\s+", " ", re.sub(r"\\f[BIR]|\\&", "", page).replace("\\-", "-").replace("\\[u2026]", "…"))
            head, *rest = self.good(baton("help", verb)).split("\n")
            for line in [head.split(": ", 1)[1], *rest]:
                for part in re.split(r" {2,}", line.strip()):
                    if part != "options:":
                        self.assertIn(part, plain)
        self.assertEqual(baton("man", "nothing").returncode, 2)

    def test_all_pages_at_once(self):
        folder = self.folder() / "man"
        self.good(baton("man", "--all", folder))
        self.assertEqual({path.name for path in folder.iterdir()}, {"baton.1", *(f"baton-{verb}.1" for verb in self.verbs())})
        self.assertEqual((folder / "baton.1").read_text(), baton("man").stdout)
        for path in folder.iterdir():
            path.read_bytes().decode("ascii")
            if shutil.which("groff"):
                done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", path], capture_output=True, text=True, check=True)
                self.assertEqual(done.stderr, "")
        self.assertEqual(baton("man", "--all", "/nowhere/man").returncode, 1)


if __name__ == "__main__":
    sys.exit(test_tools.run(sys.modules[__name__]))
