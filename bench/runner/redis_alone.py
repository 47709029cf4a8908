"""What Redis alone answers for the loads and writes of baton: the commands that baton sends are recorded on their way,
and sent again, as fast as Redis takes them, to a Redis that stands where it stood. Nothing else runs then.

In the same state the same commands do the same work: the fence's tokens and steps are in them. That they did is seen
from the units' steps, which count every write.
"""

import os
import selectors
import socket
import threading
import time
from dataclasses import dataclass

from baton_log import all_live, leads_in_memory
from stack import Failed, say, wait_for
from throughput import Offsets, measure, wait_committed

CHUNK = 1 << 18
QUIET_SECONDS = 0.02                # of the prelude: an answer is over
ANSWER_SECONDS = 0.5


class Recorder(threading.Thread):
    """Stands between baton and Redis. Every chunk that goes to Redis is kept, in order over all connections."""

    def __init__(self, path, redis_path, folder):
        super().__init__(daemon=True)
        self.redis_path, self.chunks, self.ended = redis_path, [], False    # chunks: (connection, offset, size)
        self.file = open(folder / "recorded.bin", "w+b")
        self.selector, self.listener = selectors.DefaultSelector(), socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.size = self.connections = 0

    def run(self):
        while not self.ended:
            for key, _ in self.selector.select(0.1):
                if key.data is None:
                    self._accept()
                else:
                    self._pass_on(key.fileobj, *key.data)

    def _accept(self):
        client, _ = self.listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.redis_path)
        number, self.connections = self.connections, self.connections + 1
        self.selector.register(client, selectors.EVENT_READ, (server, number))
        self.selector.register(server, selectors.EVENT_READ, (client, None))

    def _pass_on(self, source, target, number):
        try:
            data = source.recv(CHUNK)
            if data:
                if number is not None:
                    self._keep(number, data)
                target.sendall(data)
                return
        except OSError:
            pass
        for one in (source, target):
            self.selector.unregister(one)
            one.close()

    def _keep(self, number, data):
        self.file.write(data)
        self.chunks.append((number, self.size, len(data)))
        self.size += len(data)

    def end(self):
        self.ended = True
        self.join()
        self.listener.close()
        self.file.flush()


class Player:
    """Sends what was recorded on one connection, and takes the answers in without looking at them."""

    def __init__(self, redis_path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(redis_path)
        self.answered = threading.Event()
        self.sent_mark, self.bytes = None, 0
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        tail = b""
        while data := self.socket.recv(CHUNK):
            self.bytes += len(data)
            tail = (tail + data)[-64:]
            if self.sent_mark and tail.endswith(self.sent_mark + b"\r\n"):
                self.answered.set()

    def send_slowly(self, data):
        """Waits until the answers have come: claims of one unit on two connections keep their order."""
        before = self.bytes
        self.socket.sendall(data)
        end = time.monotonic() + ANSWER_SECONDS     # what ends within a command has no answer yet
        while self.bytes == before and time.monotonic() < end:
            time.sleep(QUIET_SECONDS / 4)
        while self.bytes != before:
            before = self.bytes
            time.sleep(QUIET_SECONDS)

    def send_all(self, pieces):
        for data in pieces:
            self.socket.sendall(data)
        self.sent_mark = b"end-" + os.urandom(8).hex().encode()
        self.socket.sendall(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n" % (len(self.sent_mark), self.sent_mark))

    def wait(self):
        if not self.answered.wait(1200):
            raise Failed("Redis did not answer what was recorded")


def steps(stack, setup):
    """How many writes each unit has seen."""
    answers = stack.redis.pipeline([("HGET", f"{setup.prefix}:{{{unit}}}:unit", "step")
                                    for unit in range(setup.partitions)])
    return [int(answer) for answer in answers]


@dataclass
class Recording:
    recorder: Recorder
    prelude: int                        # chunks before the events: claims
    end: int                            # chunks up to the last checkpoint
    events: int
    writes: int                         # what the steps have grown by


def record(stack, setup, send):
    """baton works off what `send` sends, while its commands are kept."""
    path, first = stack.folder / "recorder.sock", steps(stack, setup)
    recorder = Recorder(path, stack.redis_path, stack.folder)
    recorder.start()
    direct = setup.config["redis"]["url"]
    setup.change({"redis": {"url": f"unix://{path}?db=0"}})
    program = setup.start("recorded")
    wait_for("all units to be live", 120, lambda: all_live([program], setup.workers, setup.partitions), 0.2)
    time.sleep(0.5)
    offsets = Offsets(stack, setup.group, setup.topic, setup.partitions)
    prelude, before = len(recorder.chunks), sum(offsets.ends())
    say("recording what baton asks of Redis")
    send()
    events = sum(offsets.ends()) - before
    offsets.close()
    wait_committed(stack, setup.group, setup.topic, setup.partitions, 1.0, 60 + events / 5000)
    time.sleep(1.5)                     # the last checkpoint
    recording = Recording(recorder, prelude, len(recorder.chunks), events, sum(steps(stack, setup)) - sum(first))
    stop(program)
    recorder.end()
    setup.change({"redis": {"url": direct}})
    return recording


def play(stack, recording):
    """Seconds that Redis takes for what was recorded after the prelude, and its CPU time."""
    chunks, file = recording.recorder.chunks[:recording.end], recording.recorder.file
    players = {number: Player(stack.redis_path) for number in sorted({chunk[0] for chunk in chunks})}
    pieces = {number: [] for number in players}
    for index, (number, offset, size) in enumerate(chunks):
        file.seek(offset)
        data = file.read(size)
        if index < recording.prelude:
            players[number].send_slowly(data)
        else:
            pieces[number].append(data)
    before, began = stack.cpu_seconds()["redis"], time.monotonic()
    for number, player in players.items():
        threading.Thread(target=player.send_all, args=(pieces[number],), daemon=True).start()
    for player in players.values():
        player.wait()
    seconds = time.monotonic() - began
    return seconds, stack.cpu_seconds()["redis"] - before


def stop(program):
    if program.stop() != 0:
        raise Failed(f"baton did not stop clean:\n{program.tail()}")


def redis_alone(stack, setup, send, send_again):
    """Twice the same kind of events: once recorded, once measured; then what was recorded, without baton."""
    say("saving what is in Redis")
    stack.redis.call("SAVE")
    first = sum(steps(stack, setup))
    recording = record(stack, setup, send)
    send_again()
    say("measuring baton")
    program = setup.start("measured")
    measured = measure(stack, [program], setup.group, setup.topic, setup.partitions)
    resident = program.memory_bytes("VmHWM")
    stop(program)
    say("sending Redis alone what was recorded")
    stack.restart_redis()
    seconds, cpu = play(stack, recording)
    writes = sum(steps(stack, setup)) - first
    if writes < 0.95 * recording.writes:
        raise Failed(f"the recorded commands did not do what they did: {writes} writes instead of {recording.writes}")
    alone = recording.events / seconds
    return {"events_per_second": round(measured.events_per_second), "redis_alone_events_per_second": round(alone),
            "ratio": round(measured.events_per_second / alone, 3), "cpu_seconds_per_million": measured.cost(),
            "redis_alone_cpu_seconds_per_million": round(cpu * 1e6 / recording.events, 4),
            "resident_bytes": resident, "leads_in_memory": leads_in_memory(program),
            "recorded": {"events": recording.events, "bytes": recording.recorder.size, "writes": recording.writes}}
