"""Stops single threads of a child process, with ptrace: what no signal can do."""
import ctypes
import os
import time

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
WALL = 0x40000000


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def own_threads(pid):
    """Threads that are the program's own, not librdkafka's: by age."""
    threads = []
    for thread in sorted(map(int, os.listdir(f"/proc/{pid}/task"))):
        with open(f"/proc/{pid}/task/{thread}/comm") as file:
            if not file.read().startswith("rdk:"):
                threads.append(thread)
    return threads


class Frozen:
    """with Frozen(threads): they stand still. All calls must come from one thread."""

    def __init__(self, threads):
        self.threads = threads

    def __enter__(self):
        for thread in self.threads:
            _ptrace(SEIZE, thread)
            _ptrace(INTERRUPT, thread)
            os.waitpid(thread, WALL)
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            for _ in range(200):
                try:
                    _ptrace(DETACH, thread)
                    break
                except OSError:         # not stopped yet, or gone
                    time.sleep(0.005)
