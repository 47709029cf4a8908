"""What a measurement runs on: a broker, a Redis and programs of its own, watched from outside and ended with it.

    with Stack() as stack:
        setup = stack.baton("first", agreement="simple", partitions=8)
        setup.make_topics()
        stack.bench("load", "--brokers", stack.brokers, "--topic", setup.topic, "--events", 100000)
        program = setup.start()
        ...

Everything that a Stack started ends with it, by process id: at the end of `with`, at an error, at SIGTERM and Ctrl-C.
Environment: BATON_BUILD (folder of the binaries; without it that of the baton-bench that was called),
BATON_BENCH_KAFKA_DIR (folder of a broker of deploy/kafka/start that runs already and stays), BATON_BENCH_SHARED=1 (do
not insist on being the only bench of the machine: for smoke tests).
"""

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build/release"
CALLER = os.environ.get("BATON_BENCH")                      # the baton-bench that has started this Python
BUILD = Path(os.environ.get("BATON_BUILD") or (Path(CALLER).parent if CALLER else RELEASE))
BATON, BENCH = BUILD / "baton", BUILD / "baton-bench"
AGREEMENTS = ROOT / "bench/agreements"
SCHEMA_IDS = ("Visit", "Click", "FormFill", "Profile")      # ids 1 to 4 in the frames that `load` writes
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The measurement cannot be made; the text says why and what helps."""


def say(text):
    """Progress for a person: stderr, with the seconds since the start."""
    print(f"{time.monotonic() - say.start:6.1f} s  {text}", file=sys.stderr, flush=True)


say.start = time.monotonic()


def wait_for(what, seconds, look, pause=0.05):
    """The first true value of look()."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(pause)


def build_if_absent():
    """Release binaries, where there are none."""
    if BATON.is_file() and BENCH.is_file():
        return
    if BUILD != RELEASE:
        raise Failed(f"no baton and baton-bench in {BUILD}")
    say("building the release binaries")
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "--preset", "release", "--target", "baton", "baton-bench"]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failed(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")


@contextlib.contextmanager
def machine_lock():
    """Two benches at once would measure each other."""
    path = Path(tempfile.gettempdir()) / "baton-bench.lock"
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not os.environ.get("BATON_BENCH_SHARED"):
                raise Failed(f"another bench runs on this machine ({file.read().strip()}); "
                             "two at once would measure each other") from None
        else:
            file.truncate(0)
            file.write(f"process {os.getpid()}: {' '.join(sys.argv)}\n")
            file.flush()
        yield


# --- processes --------------------------------------------------------------------------------------------------------

_prctl = ctypes.CDLL(None).prctl


def _end_with_parent():
    _prctl(1, signal.SIGKILL)       # PR_SET_PDEATHSIG: also when this Python is killed nothing stays behind


def process_cpu_seconds(pid):
    """User and system time of a process so far, all threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def process_memory_bytes(pid, which="VmRSS"):
    """VmRSS: resident now, VmHWM: the most so far."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(which + ":"):
                return int(line.split()[1]) * 1024
    raise Failed(f"process {pid} has ended")


class Program:
    """A child with its output in a log file."""

    def __init__(self, argv, log, environment=None):
        self.argv, self.log_path = [str(word) for word in argv], Path(log)
        with open(self.log_path, "ab") as out:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **(environment or {})}, preexec_fn=_end_with_parent)
        self.pid = self.process.pid
        self._last_cpu = 0.0

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def tail(self, lines=12):
        """The end of its log, without baton's regular statistics."""
        told = [line for line in self.log().splitlines() if " info events/s=" not in line]
        return "\n".join(f"    {line}" for line in told[-lines:])

    def alive(self):
        return self.process.poll() is None

    def check(self):
        if not self.alive():
            raise Failed(f"{Path(self.argv[0]).name} ended with {self.process.returncode}:\n{self.tail()}")

    def cpu_seconds(self):
        with contextlib.suppress(OSError):      # it has ended: what it had taken when it was last looked at
            self._last_cpu = process_cpu_seconds(self.pid)
        return self._last_cpu

    def memory_bytes(self, which="VmRSS"):
        return process_memory_bytes(self.pid, which)

    def stop(self, seconds=30):
        """SIGTERM; the exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{Path(self.argv[0]).name} did not stop within {seconds} s:\n{self.tail()}") from None

    def kill(self):
        if self.alive():
            self.process.kill()
        return self.process.wait()


# --- Redis ------------------------------------------------------------------------------------------------------------

class RedisClient:
    """RESP over a unix socket, with pipelines."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb", 1 << 18)

    def call(self, *words):
        return self.pipeline([words])[0]

    def pipeline(self, commands):
        commands = list(commands)
        out = []
        for words in commands:
            words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            out.append(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        self.socket.sendall(b"".join(out))
        return [self._answer() for _ in commands]

    def _answer(self):
        line = self.file.readline()
        if not line:
            raise Failed("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Failed("Redis: " + rest.decode())
        if kind in b"+:":
            return rest if kind == b"+" else int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return [self._answer() for _ in range(int(rest))]

    def info(self, section="everything"):
        lines = self.call("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def scan(self, pattern):
        """Every key of that pattern; may give one twice."""
        cursor = b"0"
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 5000)
            yield from keys
            if cursor == b"0":
                return

    def close(self):
        self.file.close()
        self.socket.close()


class RedisServer(Program):
    """One of our own on a unix socket. It writes no file unless told to SAVE, and begins with what was saved."""

    def __init__(self, folder):
        self.path = str(folder / "redis.sock")
        if not shutil.which("redis-server"):
            raise Failed("no redis-server here; run deploy/install-deps")
        super().__init__(["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no",
                          "--maxmemory-policy", "noeviction", "--dir", folder], folder / "redis.log")
        wait_for("redis-server answers", 600, self._answers)        # a saved state of 10 million leads takes its time

    def _answers(self):
        self.check()
        try:
            client = RedisClient(self.path)
            client.call("PING")
            client.close()
            return True
        except (OSError, Failed):               # not there yet, or still loading
            return False


# --- the broker -------------------------------------------------------------------------------------------------------

class Broker:
    """deploy/kafka/start in a folder; stopped at the end unless it ran before."""

    def __init__(self, folder):
        self.folder, self.ours = Path(folder), not self._runs(folder)

    @staticmethod
    def _runs(folder):
        with contextlib.suppress(OSError, ValueError):
            return Path(f"/proc/{int((Path(folder) / 'pid').read_text())}").exists()
        return False

    def start(self):
        say("starting a broker" if self.ours else f"taking the broker of {self.folder}")
        done = subprocess.run([ROOT / "deploy/kafka/start", "--dir", self.folder, "--port", "free", "--quiet"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Failed(f"the broker did not start: {done.stderr.strip()}")
        self.address = done.stdout.split()[-1]
        self.pid = int((self.folder / "pid").read_text())

    def cpu_seconds(self):
        try:
            return process_cpu_seconds(self.pid)
        except OSError:
            raise Failed(f"the broker has ended; its log is {self.folder / 'server.log'}") from None

    def stop(self):
        if self.ours:
            subprocess.run([ROOT / "deploy/kafka/stop", "--dir", self.folder, "--wipe"], check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# --- baton ------------------------------------------------------------------------------------------------------------

def _merge(base, changes):
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


class Baton:
    """A configuration of baton with topics, group and Redis prefix of its own; all that is not named here stays at its
    default."""

    def __init__(self, stack, name, agreement="simple", topic=None, partitions=8, workers=2, changes=None):
        name = stack.named(name)
        self.stack, self.name, self.group = stack, name, f"bench-{name}"
        self.folder = stack.folder / name
        self.folder.mkdir()
        self.topic, self.promotions = topic or f"{name}-events", f"{name}-promotions"
        self.partitions, self.workers, self.prefix = partitions, workers, f"bench-{name}"
        agreement = Path(agreement) if "/" in str(agreement) else AGREEMENTS / f"{agreement}.yaml"
        self.config = _merge({
            "agreement": str(agreement),
            "kafka": {"brokers": stack.brokers, "group": self.group},
            "topics": {"events": self.topic, "promotions": self.promotions, "stages": f"{name}-stages",
                       "dead": f"{name}-dead", "breaches": f"{name}-breaches", "partitions": partitions},
            "schemas": {"directory": str(stack.schemas)},
            "redis": {"url": f"unix://{stack.redis_path}?db=0", "prefix": self.prefix},
            "workers": workers,
        }, changes or {})
        self.path = self.folder / "baton.yaml"
        self.started = 0
        self.change({})

    def change(self, changes):
        """Settings for the processes that start from now on."""
        self.config = _merge(self.config, changes)
        self.path.write_text(json.dumps(self.config, indent=1), encoding="utf-8")      # a JSON text is YAML, too

    def verb(self, *words):
        """A verb that ends by itself: its output."""
        done = subprocess.run([BATON, words[0], "-c", self.path, *words[1:]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Failed(f"baton {' '.join(words)} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def make_topics(self):
        """The topics that are missing, the events topic included."""
        self.verb("topics", "--create")

    def output_topics(self):
        return [self.config["topics"][kind] for kind in ("promotions", "stages", "dead")]

    def status(self):
        return json.loads(self.verb("status", "--json"))

    def start(self, instance="a", environment=None):
        self.started += 1
        return self.stack.start([BATON, "run", "-c", self.path, "--instance", f"{self.name}-{instance}", "--unsigned"],
                                self.folder / f"run-{self.started}-{instance}.log", environment)


# --- all of it --------------------------------------------------------------------------------------------------------

class Stack:
    def __init__(self, build=True, broker=True):
        self.wants_build, self.wants_broker = build, broker
        self.programs, self.closing = [], contextlib.ExitStack()

    def __enter__(self):
        with self.closing:                  # an error on the way up ends what is up already
            self._come_up()
            self.closing = self.closing.pop_all()
        return self

    def __exit__(self, *reason):
        return self.closing.__exit__(*reason)

    def _come_up(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda taken, _: sys.exit(128 + taken))
        signal.signal(signal.SIGINT, signal.default_int_handler)        # a shell's `&` has it ignored
        if self.wants_build:
            build_if_absent()
        self.closing.enter_context(machine_lock())
        self.folder = Path(tempfile.mkdtemp(prefix="baton-bench-"))
        self.closing.callback(shutil.rmtree, self.folder, True)
        self._lay_out_schemas()
        if self.wants_broker:
            self._start_broker()
        self._start_redis()
        self.closing.callback(lambda: self.redis_server.kill())
        self.closing.callback(self.end_programs)

    def _start_broker(self):
        self.broker = Broker(os.environ.get("BATON_BENCH_KAFKA_DIR", self.folder / "kafka"))
        self.closing.callback(self.broker.stop)
        self.broker.start()
        self.brokers = self.broker.address

    def _start_redis(self):
        self.redis_server = RedisServer(self.folder)
        self.redis_path = self.redis_server.path
        self.redis_url = f"unix://{self.redis_path}?db=0"
        self.redis = RedisClient(self.redis_path)

    def restart_redis(self):
        """Back to what was saved last."""
        self.redis.close()
        self.redis_server.kill()
        self._start_redis()

    def _lay_out_schemas(self):
        self.schemas = self.folder / "schemas"
        self.schemas.mkdir()
        for number, name in enumerate(SCHEMA_IDS, 1):
            shutil.copy(ROOT / f"schemas/{name}.avsc", self.schemas / f"{number}.avsc")

    def named(self, name):
        """For topics and groups: of this run alone, where the broker has others' as well."""
        return name if self.broker.ours else f"{self.folder.name.removeprefix('baton-bench-')}-{name}"

    def baton(self, name, **options):
        return Baton(self, name, **options)

    def start(self, argv, log, environment=None):
        """A Program that ends with the stack at the latest."""
        program = Program(argv, log, {"XDG_RUNTIME_DIR": str(self.folder), **(environment or {})})
        self.programs.append(program)
        return program

    def end_programs(self):
        for program in self.programs:
            program.kill()
        self.programs.clear()

    def flush_redis(self):
        self.redis.call("FLUSHALL", "SYNC")

    def cpu_seconds(self):
        """Of the servers so far."""
        return {"broker": self.broker.cpu_seconds(), "redis": self.redis_server.cpu_seconds()}

    def admin(self):
        from confluent_kafka.admin import AdminClient
        return AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})

    def make_topic(self, name, partitions, **settings):
        from confluent_kafka.admin import NewTopic
        admin = self.admin()
        for future in admin.create_topics([NewTopic(name, partitions, 1, config=settings)]).values():
            future.result(30)

        def is_there():
            topic = admin.list_topics(timeout=20).topics.get(name)
            return topic and len(topic.partitions) == partitions and all(part.leader >= 0 for part in topic.partitions.values())

        wait_for(f"topic {name} is there", 60, is_there)

    def delete_topics(self, names):
        admin = self.admin()                            # must live until it is answered
        for future in admin.delete_topics(list(names)).values():
            with contextlib.suppress(Exception):        # it is gone: that is what was wanted
                future.result(30)

    def bench(self, subcommand, *words, program=BENCH):
        """Runs a subcommand of baton-bench to its end: the object that it prints last."""
        argv = [str(word) for word in (program, subcommand, *words, "--json", "--results", "none")]
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                 preexec_fn=_end_with_parent)
        try:
            out, _ = child.communicate()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        if child.returncode:
            raise Failed(f"baton-bench {subcommand} ended with {child.returncode}")
        return json.loads(out.strip().splitlines()[-1])


def run_main(main):
    """main() with errors told in one line, and the exit code that goes with them."""
    try:
        sys.exit(main())
    except Failed as failed:
        print(f"baton-bench: {failed}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
