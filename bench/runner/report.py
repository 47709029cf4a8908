"""Makes one HTML page and one Markdown file from the results, and the figures in the README."""
import argparse
import json
import os
import sys
from pathlib import Path

from reporting import markdown, page, readme, sections, shapes, targets
from reporting.lines import Damaged

ROOT = Path(__file__).resolve().parents[2]


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="baton-bench report", description=__doc__)
    parser.add_argument("--results", default=str(ROOT / "bench/results"), metavar="DIR",
                        help="folder of the result lines (default: bench/results of the sources)")
    parser.add_argument("--out", default=str(ROOT / "build/bench-report"), metavar="DIR",
                        help="folder for report.html and report.md (default: build/bench-report)")
    parser.add_argument("--readme", nargs="?", const=str(ROOT / "README.md"), metavar="FILE",
                        help="instead, write the figures into the marked block of FILE (default: the sources' README.md)")
    parser.add_argument("--check", action="store_true",
                        help="with --readme: change nothing, exit with 1 if the block is not what the results give")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    options = parser.parse_args(arguments)
    if options.check and not options.readme:
        parser.error("--check goes with --readme")
    if not Path(options.results).is_dir():
        parser.error(f"--results: there is no folder {options.results}")
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


def write_pages(results, folder):
    """Returns the paths; nothing is left half written."""
    folder.mkdir(parents=True, exist_ok=True)
    made = sections.document(results)
    paths = {}
    for kind, name, writer in (("html", "report.html", page), ("markdown", "report.md", markdown)):
        paths[kind] = folder / name
        part = folder / (name + ".part")
        part.write_text(writer.write(made), encoding="utf-8")
        os.replace(part, paths[kind])
    return paths


def write_readme(results, options):
    path = Path(options.readme)
    before = path.read_text(encoding="utf-8")
    after = readme.with_figures(before, results)
    if before == after:
        say(f"{path}: the figures are those of the results")
    elif options.check:
        say(f"{path}: the figures are not those of the results; baton-bench report --readme writes them")
        return 1
    else:
        path.write_text(after, encoding="utf-8")
        say(f"{path}: figures written")
    return 0


def tell(results, paths):
    verdicts = targets.verdicts(results)
    for verdict in verdicts:
        if verdict.state == "missed":
            say(f"missed: {verdict.text}: {verdict.measured}, target {verdict.goal}")
    states = [verdict.state for verdict in verdicts]
    number = {state: states.count(state) for state in ("met", "missed", "open", "other")}
    say(f"targets: {number['met']} met, {number['missed']} missed, {number['open']} not measured"
        + (f", {number['other']} measured at other settings" if number["other"] else ""))
    for path in paths.values():
        say(str(path))
    return {"kind": "report", **{kind: str(path) for kind, path in paths.items()},
            "targets": {"met": number["met"], "missed": number["missed"], "not_measured": number["open"],
                        "other_settings": number["other"]}}


def main(arguments):
    options = options_of(arguments)
    try:
        results = shapes.read(options.results)
        if options.readme:
            return write_readme(results, options)
        told = tell(results, write_pages(results, Path(options.out)))
    except (Damaged, readme.NoBlock, OSError) as error:
        say(f"baton-bench report: {error}")
        return 1
    if options.json:
        print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
