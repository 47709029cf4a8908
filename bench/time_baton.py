"""Runs `baton run` until all events of the topic are folded and committed, and tells what it took.

usage: time_baton.py BATON CONFIG EVENTS REDIS_PID KAFKA_PID
The clock starts when the units go live: joining the group is not what is measured.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main():
    baton, config, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pids = {"redis": int(sys.argv[4]), "broker": int(sys.argv[5])}
    process = subprocess.Popen([baton, "run", "-c", config], stderr=subprocess.PIPE, text=True)
    pids["program"] = process.pid
    start, before = None, {}
    seconds = None
    for line in process.stderr:
        if start is None and "live at offset" in line:
            start = time.monotonic()
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        found = re.search(r" events=(\d+) .*?dead_letters=(\d+)", line)
        if found and int(found[1]) + int(found[2]) >= events and seconds is None:
            # the figures come every 100 ms here
            seconds = time.monotonic() - start
            after = {name: cpu_seconds(pid) for name, pid in pids.items()}
            process.send_signal(signal.SIGTERM)
        if " error " in line:
            sys.stderr.write(line)
    code = process.wait()
    if seconds is None or code != 0:
        sys.exit(f"baton ended with {code} before all events were counted")
    figures = {name: (after[name] - before[name]) * 1e6 / events for name in pids}
    print(json.dumps({"events_per_second": round(events / seconds), **{k: round(v, 3) for k, v in figures.items()}}))


main()
