#!/usr/bin/python3
"""`baton-bench report` on results invented for it, and the figures of README.md on those of bench/results."""
import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "tests/bench/fixtures/whole"
sys.path.insert(0, str(ROOT / "bench/runner"))

import report  # noqa: E402  (the folder of the runners is not a package)
from reporting import charts, pace, readme, shapes, targets, wording  # noqa: E402

PROGRAM = ROOT / "build/release/baton-bench"
KINDS = ("compare", "latency", "stages", "scale", "takeover", "replay")
BLOCK = f"{readme.BEGIN}\nold figures\n{readme.END}\n"


def run(*arguments):
    """(exit code, stdout, stderr) of `baton-bench report`."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            code = report.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    return code, out.getvalue(), said.getvalue()


class Page(HTMLParser):
    """What a page holds: ids, references, elements, and its drawings as text."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.references, self.elements, self.outside = [], [], [], []
        self.drawings = re.findall(r"<svg.*?</svg>", text, re.S)
        self.open, self.unbalanced = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append(tag)
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.references += (attributes.get("aria-labelledby") or "").split()
        self.references += re.findall(r"url\(#([^)]+)\)", attributes.get("style") or "")
        for name in ("href", "src"):
            if attributes.get(name, "").startswith("#"):
                self.references.append(attributes[name][1:])
            elif name in attributes:
                self.outside.append(attributes[name])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.results, self.out = self.folder / "results", self.folder / "out"
        self.results.mkdir()

    def take(self, *kinds):
        for kind in kinds:
            shutil.copy(WHOLE / f"{kind}.jsonl", self.results)

    def lines(self, kind):
        return [json.loads(text) for text in (WHOLE / f"{kind}.jsonl").read_text().splitlines()]

    def write(self, kind, *lines):
        (self.results / f"{kind}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def make(self):
        code, out, said = run("--results", self.results, "--out", self.out)
        self.assertEqual((code, out), (0, ""), said)
        return (self.out / "report.html").read_text(), (self.out / "report.md").read_text()


class WholePage(WithFolder):
    def setUp(self):
        super().setUp()
        self.take(*KINDS)
        self.html, self.markdown = self.make()
        self.page = Page(self.html)

    def test_it_needs_nothing_else(self):
        self.assertEqual(self.page.outside, [])
        self.assertFalse({"script", "link", "img", "iframe", "object"} & set(self.page.elements))
        self.assertNotRegex(self.html.replace('xmlns="http://www.w3.org/2000/svg"', ""), r"https?://|@import|url\((?!#)")

    def test_it_is_well_formed(self):
        self.assertEqual(self.page.unbalanced, [])
        self.assertEqual(len(set(self.page.ids)), len(self.page.ids))
        self.assertEqual(set(self.page.references) - set(self.page.ids), set())

    def test_each_drawing_has_a_title_and_says_its_figures_in_words(self):
        self.assertGreaterEqual(len(self.page.drawings), 20)
        for text in self.page.drawings:
            drawing = xml.fromstring(text)
            self.assertEqual(drawing.get("role"), "img")
            said = [drawing.find(f"{{http://www.w3.org/2000/svg}}{name}") for name in ("title", "desc")]
            self.assertTrue(all(one is not None and one.text for one in said))
            self.assertRegex(said[1].text, r"\d")

    def test_drawings_stay_within_their_frame(self):
        for text in self.page.drawings:
            drawing = xml.fromstring(text)
            width, height = [float(value) for value in drawing.get("viewBox").split()[2:]]
            for one in drawing.iter():
                for name, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("cy", height)):
                    if one.get(name):
                        self.assertTrue(-1 <= float(one.get(name)) <= most + 1, xml.tostring(one))

    def test_nothing_is_told_by_colour_alone(self):
        for text in self.page.drawings:
            fills = set(re.findall(r"fill:url\(#\w+-(hatched|dotted)\)", text))
            parts = set(re.findall(r'class="(hatched|dotted)" style', text))
            self.assertEqual(fills, parts)
        self.assertRegex(self.html, r"✓</span> met")
        self.assertRegex(self.html, r"✗</span> missed")
        lines = charts.plot("n", 400, "t", "d", [charts.Line(str(i), [(0, i), (1, i)]) for i in range(4)],
                            charts.Axis(0, 1, [(0, "0")]), str)
        shapes_of_marks = re.findall(r'<(circle|polygon points="[^"]*") [^>]*dot', lines)
        self.assertEqual(len(re.findall(r"<(?:circle|polygon)", lines)), 4 * 3)
        self.assertTrue(shapes_of_marks)

    def test_both_name_every_figure_and_the_command_that_repeats_it(self):
        for text in (self.html, self.markdown):
            for kind in KINDS:
                self.assertIn(f"build/release/baton-bench {kind}", text)
            self.assertIn("baton-bench scale --only wide", text)
            self.assertIn("baton-bench takeover --leads 10M --zipf 0", text)
            self.assertNotIn("not measured yet", text)

    def test_both_say_where_it_was_measured(self):
        for words in ("a made-up CPU", "2 cores", "24", "Debian GNU/Linux 12 (bookworm)", "6.1.0", "2.0.2", "7.0.15", "4.1.0",
                      "17.0.17", "aaaaaa3"):
            self.assertIn(words, self.html)
            self.assertIn(words, self.markdown)

    def test_the_limiting_part_is_named(self):
        self.assertIn("What limits: all cores, at about 1.45 M events per second", self.markdown)

    def test_tables_of_the_markdown_have_as_many_cells_in_each_row(self):
        rows = [line.count("|") - line.count("\\|") if line.startswith("|") else 0 for line in self.markdown.splitlines()]
        for before, after in zip(rows, rows[1:]):
            self.assertTrue(not before or not after or before == after)

    def test_the_same_results_give_the_same_page(self):
        self.assertEqual(self.make(), (self.html, self.markdown))


class WhatIsThere(WithFolder):
    def test_a_kind_that_is_missing_names_its_command(self):
        for gone in KINDS:
            shutil.rmtree(self.results)
            self.results.mkdir()
            self.take(*[kind for kind in KINDS if kind != gone])
            _, markdown = self.make()
            self.assertIn("not measured yet\n\nThis measures it:\n\n```sh\nbuild/release/baton-bench " + gone + "\n", markdown)
            self.assertEqual(markdown.count("not measured yet"), 1)

    def test_without_results_each_section_names_its_command(self):
        html, markdown = self.make()
        self.assertIn("Nothing has been measured yet.", markdown)
        for kind in KINDS:
            self.assertIn(f"baton-bench {kind}\n", markdown)
        self.assertEqual(Page(html).unbalanced, [])

    def test_the_newest_is_taken_by_its_time_not_by_its_line(self):
        first, second, third, _ = self.lines("compare")
        self.write("compare", third, first, second)
        self.assertIn("**1.22 M events per second**", self.make()[1])

    def test_a_short_try_does_not_push_aside_what_was_measured(self):
        *_, third, tried = self.lines("compare")
        self.write("compare", third, tried)
        self.assertIn("**1.22 M events per second**", self.make()[1])

    def test_a_short_try_alone_neither_meets_nor_misses_a_target(self):
        self.write("compare", self.lines("compare")[3])
        markdown = self.make()[1]
        self.assertIn("**300 k events per second**", markdown)
        self.assertIn("compare: events 20,000, less than 1 million", markdown)
        self.assertNotIn("✓", markdown)
        self.assertNotIn("✗", markdown)

    def test_each_factor_comes_from_the_newest_run_that_has_it(self):
        self.take("scale")
        results = shapes.read(self.results)
        self.assertEqual([one.name for one in results.growth], ["workers", "leads", "table", "rules", "zipf"])
        self.assertEqual((results.wide.ratio, results.wide.run.commit, results.growth[0].run.commit),
                         (0.831, "aaaaaa3", "aaaaaa2"))

    def test_where_a_result_went_is_not_part_of_the_command(self):
        line = self.lines("compare")[2]
        line["arguments"] = ["compare", "--json", "--events", "5M", "--results", "elsewhere", "--results=there", "--peers", "a b"]
        self.write("compare", line)
        self.assertIn("\nbuild/release/baton-bench compare --events 5M --peers 'a b'\n", self.make()[1])

    def test_other_kinds_of_lines_do_not_matter(self):
        (self.results / "load.jsonl").write_text('{"kind": "load", "at": "2026-11-22T09:00:00Z", "data": {}}\n\n')
        self.make()

    def test_uncommitted_changes_are_told(self):
        line = self.lines("takeover")[0]
        line["dirty"] = True
        self.write("takeover", line)
        self.assertIn("with uncommitted changes", self.make()[1])

    def test_what_a_result_says_is_text_not_markup(self):
        line = self.lines("compare")[2]
        line["data"]["notes"] = ["<script>alert(1)</script>"]
        line["machine"]["cpu"] = 'a "<b>" | CPU'
        self.write("compare", line)
        html, markdown = self.make()
        self.assertNotIn("script", Page(html).elements)
        self.assertIn("&lt;script&gt;", html)
        self.assertIn('\\| CPU', markdown)

    def test_the_trend_leaves_out_tries_and_other_machines(self):
        lines = self.lines("compare")
        lines[0]["machine"] = {**lines[0]["machine"], "cpu": "another"}
        self.write("compare", *lines)
        self.assertEqual([one.run.commit for one in shapes.read(self.results).history], ["aaaaaa2", "aaaaaa3"])


class Damage(WithFolder):
    def refused(self, *words):
        code, out, said = run("--results", self.results, "--out", self.out)
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(len(said.splitlines()), 1, said)
        for word in words:
            self.assertIn(word, said)
        self.assertFalse(self.out.exists())

    def test_a_line_that_is_cut_off(self):
        self.take("compare")
        with open(self.results / "compare.jsonl", "a") as file:
            file.write('{"kind": "compare", "at": "2026-11-2')
        self.refused(f"{self.results / 'compare.jsonl'}:5: ", "JSON")

    def test_a_line_that_is_no_object(self):
        (self.results / "compare.jsonl").write_text("[]\n")
        self.refused("compare.jsonl:1: ", "object")

    def test_a_line_without_a_time(self):
        (self.results / "compare.jsonl").write_text('{"kind": "compare", "at": "yesterday", "data": {}}\n')
        self.refused("compare.jsonl:1: ", "yesterday")

    def test_data_that_lacks_something(self):
        line = self.lines("compare")[2]
        del line["data"]["programs"]["naive"]["events_per_second"]["median"]
        self.write("compare", line)
        self.refused("compare.jsonl:1: data.programs.naive.events_per_second.median", "missing")

    def test_data_of_another_type(self):
        line = self.lines("takeover")[0]
        line["data"]["rounds"][1]["live"] = "soon"
        self.write("takeover", line)
        self.refused("takeover.jsonl:1: data.rounds[1].live", "number")

    def test_each_kind_tells_what_its_data_lacks(self):
        """Whatever part of the data is taken away: a page, or one line with file and way; never a traceback."""
        for kind in KINDS:
            whole = self.lines(kind)[-1 if kind != "compare" else 2]
            for path in list(paths_of(whole["data"]))[:400]:
                for with_what in (None, "text", -1, [], {}):
                    line = json.loads(json.dumps(whole))
                    replace(line["data"], path, with_what)
                    self.write(kind, line)
                    code, _, said = run("--results", self.results, "--out", self.out)
                    self.assertIn(code, (0, 1), (kind, path, with_what))
                    self.assertTrue(code == 0 or f"{kind}.jsonl:1: " in said, (kind, path, with_what, said))
            (self.results / f"{kind}.jsonl").unlink()

    def test_a_folder_that_is_not_there(self):
        code, _, said = run("--results", self.folder / "nowhere")
        self.assertEqual(code, 2)
        self.assertIn("nowhere", said)


def paths_of(data, path=()):
    """Ways to the values within, the first two of each list."""
    items = data.items() if isinstance(data, dict) else enumerate(data[:2]) if isinstance(data, list) else ()
    for name, value in items:
        yield (*path, name)
        yield from paths_of(value, (*path, name))


def replace(data, path, value):
    for name in path[:-1]:
        data = data[name]
    data[path[-1]] = value


class Figures(WithFolder):
    def test_targets_are_judged_by_their_own_figures(self):
        self.take(*KINDS)
        verdicts = {one.text: one for one in targets.verdicts(shapes.read(self.results))}
        self.assertEqual({one.state for one in verdicts.values()}, {"met", "missed"})
        missed = [text for text, one in verdicts.items() if one.state == "missed"]
        self.assertEqual(missed, ["throughput of ten rules against three", "replay of the log against taking it in, per core with broker and Redis"])

    def test_what_misses_by_a_hair_does_not_read_like_the_goal(self):
        line = self.lines("compare")[2]
        line["data"]["ratios"]["ceiling"] = 0.5996
        self.write("compare", line)
        first = targets.verdicts(shapes.read(self.results))[0]
        self.assertEqual((first.state, first.measured), ("missed", "0.60 × (0.5996)"))

    def test_a_steady_run_has_a_steady_rate_along_the_topic(self):
        points = pace.along_topic([(0, 0), *[(5 + second / 10, 100000 * second) for second in range(1, 51)]])
        self.assertGreater(len(points), 10)
        for share, rate in points:
            self.assertTrue(0.1 <= share <= 1)
            self.assertAlmostEqual(rate, 1e6, delta=1)

    def test_a_standstill_is_seen_along_the_topic(self):
        before = [(second / 10, 100000 * second) for second in range(26)]
        after = [(at + 3, committed) for at, committed in [(second / 10, 100000 * second) for second in range(25, 51)]]
        self.assertLess(min(rate for _, rate in pace.along_topic(before + after)), 1e5)

    def test_a_percentile_that_rests_on_a_handful_of_values_meets_nothing(self):
        line = self.lines("latency")[0]
        line["data"]["latency"]["reliable_to"] = 0.99
        self.write("latency", line)
        states = [one.state for one in targets.verdicts(shapes.read(self.results)) if "visible" in one.text]
        self.assertEqual(states, ["met", "open"])
        markdown = self.make()[1]
        self.assertIn("86.4 ms ?", markdown)
        self.assertNotIn("0.1 %", markdown)

    def test_the_greatest_value_has_its_place_in_the_plot(self):
        self.take("latency")
        total = shapes.read(self.results).latency.total
        self.assertAlmostEqual(total.series[-1][0], 1 - 1 / 154211)
        self.assertLess(charts.nines(total.series[-1][0]), 5.2)

    def test_numbers_read_as_people_write_them(self):
        self.assertEqual([wording.rate(value) for value in (1220000, 11e6, 221000, 61)], ["1.22 M", "11.0 M", "221 k", "61"])
        self.assertEqual([wording.duration(value) for value in (0, 0.00005, 0.0042, 0.45, 10.61, 702)],
                         ["0 s", "50 µs", "4.2 ms", "450 ms", "10.6 s", "702 s"])
        self.assertEqual([wording.percentile(value) for value in (0.5, 0.99, 0.9999)], ["50 %", "99 %", "99.99 %"])
        self.assertEqual([wording.count(value) for value in (200000, 5000000)], ["200,000", "5 million"])


class Readme(WithFolder):
    def file(self, text):
        path = self.folder / "README.md"
        path.write_text(text)
        return path

    def test_the_block_is_written_and_nothing_else(self):
        self.take(*KINDS)
        path = self.file("# before\n" + BLOCK + "after\n")
        self.assertEqual(run("--results", self.results, "--readme", path)[0], 0)
        text = path.read_text()
        self.assertTrue(text.startswith(f"# before\n{readme.BEGIN}\n") and text.endswith(f"{readme.END}\nafter\n"))
        self.assertNotIn("old figures", text)
        for words in ("| baton | 1.22 M |", "| 8.65 |", "`build/release/baton-bench compare` at aaaaaa3", "a made-up CPU",
                      "at p99.9", "missed: throughput of ten rules"):
            self.assertIn(words, text)
        self.assertFalse(self.out.exists())

    def test_the_check_tells_an_old_block_and_leaves_it(self):
        self.take(*KINDS)
        path = self.file(BLOCK)
        self.assertEqual(run("--results", self.results, "--readme", path, "--check")[0], 1)
        self.assertEqual(path.read_text(), BLOCK)
        run("--results", self.results, "--readme", path)
        self.assertEqual(run("--results", self.results, "--readme", path, "--check")[0], 0)

    def test_what_was_not_measured_is_not_in_it(self):
        self.take("takeover")
        path = self.file(BLOCK)
        run("--results", self.results, "--readme", path)
        self.assertNotIn("events per second", path.read_text())
        shutil.rmtree(self.results)
        self.results.mkdir()
        run("--results", self.results, "--readme", path)
        self.assertIn("Nothing has been measured yet", path.read_text())

    def test_a_file_without_a_block_is_an_error(self):
        code, _, said = run("--results", self.results, "--readme", self.file("# nothing\n"))
        self.assertEqual(code, 1)
        self.assertIn(readme.BEGIN, said)

    def test_the_readme_of_the_project_says_what_its_results_say(self):
        """Those that are committed, or, before a commit, those of the folder: a user's own runs do not matter."""
        said = [run("--results", folder, "--readme", ROOT / "README.md", "--check")
                for folder in (self.committed(), ROOT / "bench/results") if folder.is_dir()]
        self.assertIn(0, [code for code, _, _ in said], said)

    def committed(self):
        listed = subprocess.run(["git", "ls-tree", "--name-only", "HEAD", "bench/results/"], cwd=ROOT, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.split()
        for name in listed:
            text = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
            (self.results / Path(name).name).write_bytes(text)
        return self.results


class Options(WithFolder):
    @unittest.skipUnless(PROGRAM.is_file(), "no build/release/baton-bench")
    def test_the_program_hands_over_to_it(self):
        done = subprocess.run([PROGRAM, "report", "--results", WHOLE, "--out", self.out, "--json"], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["kind"], "report")

    def test_json_ends_with_one_object(self):
        self.take(*KINDS)
        code, out, _ = run("--results", self.results, "--out", self.out, "--json")
        told = json.loads(out)
        self.assertEqual(code, 0)
        self.assertEqual(told["targets"], {"met": 15, "missed": 2, "not_measured": 0, "other_settings": 0})
        self.assertTrue(Path(told["html"]).is_file() and Path(told["markdown"]).is_file())

    def test_what_is_unknown_is_refused(self):
        for arguments in (["--nonsense"], ["--check"]):
            self.assertEqual(run("--results", self.results, *arguments)[0], 2)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2, warnings="ignore").result
    bad = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - bad)} passed, {bad} failed")
    sys.exit(1 if bad else 0)
