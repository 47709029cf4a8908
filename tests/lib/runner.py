"""Runs the suites of tests/suite.txt; started by tests/run.

Each program is run by itself with its own time limit and log. Criterion programs are counted by
their TAP file, scripts by their closing line "N passed, N failed", anything else by its exit code.
A program that runs fewer tests than suite.txt lists has failed: Criterion without /proc runs nothing
and exits with 0.
"""
import argparse
import atexit
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
CLOSING = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$")

# suite -> (build needed, servers needed, seconds one program may take)
SUITES = {
    "lint": ((), (), 600),
    "unit": (("asan",), (), 120),
    "tsan": (("tsan",), (), 180),
    "fuzz": (("fuzz",), (), 60),
    "model": ((), (), 900),
    "agreements": ((), (), 300),
    "cases": (("release",), (), 300),
    "adapters": (("asan", "release"), ("kafka", "redis", "registry"), 300),
    "reference": (("release",), (), 600),
    "e2e": (("release", "crash"), ("kafka", "redis"), 400),
    "install": (("release",), (), 300),
    "chaos": (("release", "crash"), ("kafka", "redis"), 900),
    "bench": (("release",), (), 600),
}
# built programs of a suite: (preset, folder of the build, pattern)
BUILT = {
    "unit": ("asan", "tests/unit", "test_*"),
    "adapters": ("asan", "tests/adapters", "test_*"),
    "tsan": ("tsan", "tests/tsan", "*"),
    "fuzz": ("fuzz", "tests/fuzz", "fuzz_*"),
}
PARALLEL = {"fuzz": 2}          # programs at once, where each keeps one core busy
BACKGROUND = {"model"}          # needs cores and no servers: runs beside suites that mostly wait
LIVE = set()                    # processes that are running now
FUZZ_SECONDS = {"standard": 10, "long": 60}


def say(text):
    print(text, flush=True)


class Entry:
    """One line of suite.txt, or a program found that no line names."""

    def __init__(self, suite, program, arguments=(), minimum=1, long=False):
        self.suite, self.program, self.arguments = suite, program, list(arguments)
        self.minimum, self.long = minimum, long

    @property
    def name(self):
        return " ".join([f"{self.suite}/{self.program}"] + self.arguments)


def read_suite():
    entries = []
    for number, line in enumerate((TESTS / "suite.txt").read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 3 or not words[1].isdigit():
            sys.exit(f"tests/suite.txt:{number}: expected 'SUITE MINIMUM PROGRAM [ARGUMENTS]'")
        suite = words[0]
        long = suite.startswith("long:")
        suite = suite[5:] if long else suite
        if suite not in SUITES:
            sys.exit(f"tests/suite.txt:{number}: no suite {suite}; there are {' '.join(SUITES)}")
        entries.append(Entry(suite, words[2], words[3:], int(words[1]), long))
    return entries


def executable(path):
    return path.is_file() and os.access(path, os.X_OK)


def find_program(entry):
    script = TESTS / entry.suite / entry.program
    if executable(script):
        return script
    if entry.suite in BUILT:
        preset, folder, _ = BUILT[entry.suite]
        built = BUILD / preset / folder / entry.program
        if executable(built):
            return built
    return None


def discover(suite, listed):
    """Programs that exist and that suite.txt does not name: scripts test_*, and what CMake built."""
    found = set()
    for script in (TESTS / suite).glob("test_*"):
        if script.suffix in (".py", ".sh", "") and executable(script):
            found.add(script.name)
    if suite in BUILT:
        preset, folder, pattern = BUILT[suite]
        for built in (BUILD / preset / folder).glob(pattern):
            if executable(built) and not built.suffix:
                found.add(built.name)
    return [Entry(suite, name) for name in sorted(found - listed)]


class Servers:
    """What this run started, and nothing else, is stopped at its end."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {}
        self.redis = None
        self.started = set()

    def need(self, name):
        if name not in self.started:
            self.started.add(name)
            getattr(self, "start_" + name)()

    def start_kafka(self):
        out = subprocess.run([ROOT / "deploy/kafka/start", "--dir", self.folder / "kafka", "--port", "free"],
                             stdout=subprocess.PIPE, text=True, timeout=400)
        if out.returncode:
            raise SystemExit("tests/run: the Kafka broker did not start")
        self.environment["BATON_TEST_KAFKA"] = out.stdout.strip().splitlines()[-1]

    def start_registry(self):
        out = subprocess.run([TESTS / "lib/registry-start", "--dir", self.folder / "registry"],
                             stdout=subprocess.PIPE, text=True, timeout=400)
        if out.returncode:
            raise SystemExit("tests/run: the schema registry did not start")
        self.environment["BATON_TEST_REGISTRY"] = out.stdout.strip().splitlines()[-1]

    def start_redis(self):
        path = self.folder / "redis.sock"
        log = open(LOGS / "redis-server.log", "w")
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no",
             "--maxmemory-policy", "noeviction", "--dir", str(self.folder)],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            if self.redis_call("PING") == "PONG":
                break
            time.sleep(0.05)
        else:
            raise SystemExit("tests/run: redis-server did not start")
        self.environment["BATON_TEST_REDIS"] = str(path)

    def redis_call(self, *words):
        out = subprocess.run(["redis-cli", "-s", str(self.folder / "redis.sock"), *words],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return out.stdout.strip()

    def clean(self):
        """Programs do not see each other's keys."""
        if self.redis:
            self.redis_call("FLUSHALL")

    def stop(self):
        if "kafka" in self.started:
            subprocess.run([ROOT / "deploy/kafka/stop", "--dir", self.folder / "kafka"],
                           stderr=subprocess.DEVNULL)
        if "registry" in self.started:
            subprocess.run([TESTS / "lib/registry-stop", "--dir", self.folder / "registry"])
        if self.redis:
            self.redis.terminate()
            try:
                self.redis.wait(10)
            except subprocess.TimeoutExpired:
                self.redis.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


BUILD_FOLDERS = {
    # the release with crash points and seeded faults compiled in, for tests only
    "crash": ["--preset", "release", "-B", "build/crash", "-DBATON_CRASH_POINTS=ON", "-DBATON_TESTS=OFF"],
    "fuzz": ["-S", ".", "-B", "build/fuzz", "-G", "Ninja", "-DCMAKE_C_COMPILER=clang",
             "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBATON_FUZZ=ON", "-DBATON_TESTS=OFF", "-DBATON_WERROR=OFF"],
}


def build(preset):
    """Configures and builds; True if it worked."""
    if preset == "crash" and executable(BUILD / "release/baton-crash"):
        return True
    began = time.time()
    log = LOGS / f"build-{preset}.log"
    with open(log, "w") as out:
        for command in (["cmake", *BUILD_FOLDERS.get(preset, ["--preset", preset])],
                        ["cmake", "--build", str(BUILD / preset), "-j", str(os.cpu_count() or 2),
                         *(["--target", "baton"] if preset == "crash" else [])]):
            if subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL).returncode:
                say(f"FAIL  build {preset}: {' '.join(command)}")
                say(excerpt(log, 40, r"error|warning:|FAILED|undefined"))
                return False
    say(f"ok    build {preset} ({time.time() - began:.0f} s)")
    return True


def excerpt(log, lines, pattern=None):
    """A short look at a log: the lines that tell of a failure, else its end."""
    text = log.read_text(errors="replace").splitlines()
    if pattern:
        chosen = list(dict.fromkeys(line for line in text if re.search(pattern, line)))[:lines]
        text = chosen or text[-lines:]
    else:
        text = text[-lines:]
    return "\n".join("      | " + line[:300] for line in text)


def run_limited(command, environment, log, seconds, cwd):
    """Runs in a session of its own; what is left of it when the time is up is ended by group."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        LIVE.add(process)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        except BaseException:
            end_group(process)
            raise
        if code is None:
            end_group(process)
            out.write(f"\ntests/run: no end after {seconds} s; stopped\n".encode())
        LIVE.discard(process)
    return code


def end_group(process):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            pass
    process.poll()


def count_tap(path):
    passed = failed = skipped = 0
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("not ok"):
            failed += 1
        elif line.startswith("ok"):
            if re.search(r"#\s*skip", line, re.I):
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def count_closing(log):
    for line in reversed(log.read_text(errors="replace").splitlines()[-20:]):
        match = CLOSING.match(line.strip())
        if match:
            return tuple(int(value or 0) for value in match.groups())
    return None


def run_entry(entry, environment, seconds, mode):
    """Returns (passed, failed, skipped)."""
    program = find_program(entry)
    if program is None:
        say(f"FAIL  {entry.name}: listed in tests/suite.txt, but there is no such program")
        return 0, 1, 0
    label = re.sub(r"[^\w.-]+", "_", entry.name)
    log, tap = LOGS / f"{label}.log", LOGS / f"{label}.tap"
    tap.unlink(missing_ok=True)
    command = [str(program), *entry.arguments]
    built = program.is_relative_to(BUILD)
    criterion = built and entry.suite in ("unit", "adapters")
    temporary = tempfile.mkdtemp(prefix="t-", dir=environment["TMPDIR"])
    # baton keeps the locks of its instances in XDG_RUNTIME_DIR, and one that is killed leaves its own
    environment = dict(environment, TMPDIR=temporary, XDG_RUNTIME_DIR=temporary)
    if criterion:
        command += [f"--tap={tap}", "--color=never", "-j2"] if entry.suite == "unit" else \
                   [f"--tap={tap}", "--color=never", "-j1"]
    elif built and entry.suite == "fuzz":
        corpus = Path(temporary) / "corpus"
        corpus.mkdir()
        given = TESTS / "fuzz/corpus" / entry.program.replace("fuzz_", "", 1)
        command += [f"-max_total_time={FUZZ_SECONDS[mode]}", "-rss_limit_mb=2048", "-timeout=10",
                    f"-artifact_prefix={LOGS}/{label}-", str(corpus)]
        command += [str(given)] if given.is_dir() else []
        seconds += FUZZ_SECONDS[mode]
        environment["LSAN_OPTIONS"] = f"suppressions={TESTS}/lib/leaks-of-libraries.txt:print_suppressions=0"
    elif program.suffix == ".py":
        command.insert(0, "/usr/bin/python3")
    began = time.time()
    code = run_limited(command, environment, log, seconds, ROOT)
    took = time.time() - began
    shutil.rmtree(temporary, ignore_errors=True)

    if criterion:
        counts = count_tap(tap) if tap.exists() else (0, 0, 0)
    else:
        counts = count_closing(log) or ((1, 0, 0) if code == 0 else (0, 1, 0))
    passed, failed, skipped = counts
    notes = []
    if code is None:
        notes.append(f"no end after {seconds} s")
    elif code != 0 and not failed:
        notes.append(f"exit code {code}")
    if passed + failed < entry.minimum:
        notes.append(f"ran {passed + failed} tests, tests/suite.txt lists {entry.minimum}")
    failed += 1 if notes else 0
    word = "FAIL " if failed else "ok   "
    lines = [f"{word} {entry.name}: {passed} passed, {failed} failed"
             + (f", {skipped} skipped" if skipped else "") + f" ({took:.1f} s)"
             + "".join(f"; {note}" for note in notes)]
    if failed:
        lines.append(excerpt(log, 25, r"\[FAIL|\[----\]|\[ERR|not ok|FAIL|rror:|Sanitizer|SUMMARY|Traceback|assert"))
        lines.append(f"      whole log: {log.relative_to(ROOT)}")
    say("\n".join(lines))
    return passed, failed, skipped


def add(total, counts):
    for index, value in enumerate(counts):
        total[index] += value


def main():
    parser = argparse.ArgumentParser(prog="tests/run", description="Runs baton's tests.",
                                     epilog="Suites: " + " ".join(SUITES) + ". Without one: all of them, "
                                     "about 15 minutes on two cores. long: a minute per fuzz target, the "
                                     "large model run, and each seeded fault of the program seen red.")
    parser.add_argument("suite", nargs="*", help="suites, 'long', or 'mutations'")
    parser.add_argument("--filter", default="", help="only programs whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the programs, run nothing")
    parser.add_argument("--no-build", action="store_true", help="take build/ as it is")
    options = parser.parse_args()

    chosen = list(options.suite)
    mode = "standard"
    listed = read_suite()
    if "long" in chosen:
        mode = "long"
        entries = [entry for entry in listed if entry.long]
        suites = sorted({entry.suite for entry in entries} | {"fuzz"}, key=list(SUITES).index)
    elif chosen == ["mutations"]:
        entries = [entry for entry in listed if entry.long and "mutations" in entry.name]
        suites = sorted({entry.suite for entry in entries}, key=list(SUITES).index)
    else:
        unknown = [name for name in chosen if name not in SUITES]
        if unknown:
            parser.error(f"no suite {unknown[0]}; there are {' '.join(SUITES)}, long and mutations")
        # lint is .ci/run's: another version of the formatter formats otherwise
        suites = [suite for suite in SUITES
                  if suite in chosen or (not chosen and suite != "lint")]
        entries = [entry for entry in listed if not entry.long and entry.suite in suites]

    LOGS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="baton-tests-"))
    servers = Servers(folder)
    atexit.register(servers.stop)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))

    # A busy machine holds a broker up for longer than 9 s: its own controller then takes its partitions away.
    os.environ.setdefault("BATON_KAFKA_PROPERTIES", "broker.session.timeout.ms=30000")
    began = time.time()
    total = [0, 0, 0]
    environment = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", PYTHONDONTWRITEBYTECODE="1",
                       BATON_ROOT=str(ROOT),
                       BATON_BIN=str(BUILD / "release/baton"),
                       ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1",
                       UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
                       TSAN_OPTIONS="halt_on_error=0:exitcode=66"
                       + (f":suppressions='{TESTS}/tsan/suppressions.txt'"
                          if (TESTS / "tsan/suppressions.txt").exists() else ""))
    builds, later = {}, []
    background = concurrent.futures.ThreadPoolExecutor(1)
    for suite in suites:
        needed, wanted_servers, seconds = SUITES[suite]
        if not options.list and not options.no_build:
            for preset in needed:
                if preset not in builds:
                    builds[preset] = build(preset)
                    total[1] += 0 if builds[preset] else 1
            if not all(builds[preset] for preset in needed):
                say(f"FAIL  {suite}: not run, its build failed")
                total[1] += 1
                continue
        names = {entry.program for entry in listed if entry.suite == suite}
        programs = [entry for entry in entries if entry.suite == suite]
        if mode == "standard" and chosen != ["mutations"]:
            programs += discover(suite, names)
        elif mode == "long" and suite == "fuzz":
            programs += [entry for entry in listed if entry.suite == "fuzz"] + discover(suite, names)
        programs = [entry for entry in programs if options.filter in entry.name]
        if options.list:
            for entry in programs:
                say(f"{entry.minimum:5d}  {entry.name}")
            continue
        if not programs:
            if not options.filter:
                say(f"FAIL  {suite}: there is no program for it")
                total[1] += 1
            continue
        for server in wanted_servers:
            servers.need(server)
        crash = BUILD / "release/baton-crash"
        environment["BATON_CRASH_BIN"] = str(crash if executable(crash) else BUILD / "crash/baton")
        environment.update(servers.environment, TMPDIR=str(folder))
        limit = seconds * 3 if mode == "long" else seconds
        at_once = PARALLEL.get(suite, 1)
        beside = suite in BACKGROUND and len(suites) > 1 and mode == "standard"
        pool = background if beside else concurrent.futures.ThreadPoolExecutor(at_once)
        runs = []
        for entry in programs:
            if at_once == 1 and not beside:
                concurrent.futures.wait(runs)
                servers.clean()
            runs.append(pool.submit(run_entry, entry, dict(environment), limit, mode))
        if beside:
            later += runs
            continue
        for run in runs:
            add(total, run.result())
    if options.list:
        return 0
    for run in later:
        add(total, run.result())
    servers.stop()
    atexit.unregister(servers.stop)
    if total[0] + total[1] == 0:
        say("no test ran")
        total[1] = 1
    say(f"logs in build/test-logs, {time.time() - began:.0f} s in all")
    say(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        for left in list(LIVE):
            end_group(left)
