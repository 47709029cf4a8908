#!/usr/bin/python3
"""Habits of the sources that no compiler checks: which room may include which library, and that the
repository speaks of the product alone."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# third-party header -> the only places that may include it
WRAPPED = {
    "librdkafka/": ("src/kafka/", "bench/", "tests/"),
    "lz4": ("src/fetch/", "tests/"),
    "hiredis": ("src/redis/", "src/commands/version.c", "bench/peers/", "tests/"),
    "avro": ("src/codec/", "src/commands/version.c", "bench/latency/", "bench/peers/", "tests/"),
    "libfyaml": ("src/yaml/", "src/commands/version.c", "tests/"),
    "utf8proc": ("src/text/", "src/commands/version.c", "tests/"),
    "openssl/": ("src/text/", "src/commands/version.c", "tests/"),
    "curl/": ("src/schemas/", "src/codec/", "src/commands/version.c", "tests/"),
    "jansson": ("src/codec/", "src/report/", "src/schemas/", "src/commands/", "src/demo/", "bench/", "tests/"),
}
FORBIDDEN_IN_DOMAIN = re.compile(r"\b(malloc|calloc|realloc|free|time|gettimeofday|clock_gettime|printf|rand|float|double)\s*\(|\b(float|double)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


def files(*patterns):
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\n") if name]


def without_comments(text):
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"', " ", text, flags=re.S)


def wrong_includes(name, text):
    return [f"{name} includes <{header}>" for header in INCLUDE.findall(text)
            for library, places in WRAPPED.items()
            if header.startswith(library) and not name.startswith(places)]


def impure(name, text):
    found = FORBIDDEN_IN_DOMAIN.search(without_comments(text))
    return [f"{name} uses `{found[0]}`: domain is pure"] if found else []


def paths_of_a_machine(name, text):
    found = re.search(r"(?<![\w.])/(?:work|root)/", text)
    return [f"{name} names the path {found[0]}"] if found else []


def check(what, findings):
    for finding in findings:
        print(finding)
    return not findings


def main():
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in files("*.c", "*.h")}
    texts = {str(path.relative_to(ROOT)): path.read_text(errors="replace")
             for path in files("*.c", "*.h", "*.py", "*.md", "*.yaml", "*.txt", "*.cmake", ".ci/run", "deploy/*", "tests/run")
             if path.is_file()}
    domain = [name for name in sources if name.startswith("src/domain/")]
    results = [
        check("includes", [f for name, text in sources.items() for f in wrong_includes(name, text)]),
        check("purity", [f for name in domain for f in impure(name, sources[name])]),
        check("paths", [f for name, text in texts.items() if name != "tests/lint/test_sources.py"
                        for f in paths_of_a_machine(name, text)]),
        # each of the three is seen to go red
        bool(wrong_includes("src/domain/x.c", "#include <librdkafka/rdkafka.h>")),
        bool(impure("src/domain/x.c", "int64_t now = time(NULL);")),
        bool(paths_of_a_machine("x.md", "see /work/main")),
    ]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


sys.exit(main())
