"""What the sections share."""
from .. import charts, wording
from ..document import Command, Figure, Section

PROGRAM = "build/release/baton-bench"
NAMES = {"baton": "baton", "ten": "baton, ten rules", "forty": "baton, forty rules",
         "ceiling": "counting consumer", "naive": "naive scorer", "kafka_streams": "Kafka Streams",
         "kafka_streams_tuned": "Kafka Streams, tuned further"}
WHAT = {"compare": "Throughput and cost beside peers", "latency": "How long a promotion takes",
        "stages": "What each part can do alone", "scale": "How throughput and cost grow",
        "takeover": "How fast another process takes over",
        "replay": "How fast the log is folded again"}


def command_of(run):
    """Without what only says where the result goes."""
    kept, rest = [run.kind], [str(word) for word in run.arguments]
    rest = rest[1:] if rest[:1] == [run.kind] else rest
    while rest:
        word = rest.pop(0)
        if word == "--results":
            rest = rest[1:]
        elif word != "--json" and not word.startswith("--results="):
            kept.append(word)
    return f"{PROGRAM} {wording.command(kept)}"


def again(run):
    changed = " with uncommitted changes" if run.dirty else ""
    return Command(command_of(run), f"Measured {run.at.strftime('%Y-%m-%d %H:%M')} UTC at commit "
                                    f"`{run.commit or 'unknown'}`{changed}. To repeat it:")


def missing(name, link, kind):
    return Section(name, link, f"{WHAT[kind]}: not measured yet",
                   [Command(f"{PROGRAM} {kind}", "This measures it:")])


def at_commits(runs):
    commits = list(dict.fromkeys(run.commit or "unknown" for run in runs))
    text = "at commit " if len(commits) == 1 else "at commits "
    changed = " with changes that were not committed" if any(run.dirty for run in runs) else ""
    return text + wording.listing(f"`{commit}`" for commit in commits) + changed


def machine_line(machine):
    parts = [machine.get("cpu"), f"{machine['cores']} cores" if machine.get("cores") else None,
             wording.size(machine["memory_bytes"]) if machine.get("memory_bytes") else None, machine.get("os")]
    return ", ".join(str(part) for part in parts if part) or "an unknown machine"


def label(peer):
    return NAMES.get(peer.name, peer.name)


def spread_text(spread):
    """450 ms, or 450 ms (400 ms to 600 ms)."""
    if spread.high <= spread.low:
        return wording.duration(spread.median)
    return f"{wording.duration(spread.median)} ({wording.duration(spread.low)} to {wording.duration(spread.high)})"


def strong_rows(rows):
    return {index for index, row in enumerate(rows) if row.strong}


def bar_figure(caption, rows, table, legend=(), axis=None):
    """Bars with their values in words for who cannot see them."""
    said = "; ".join(f"{row.label}: {row.value}" + (f", of which {row.note}" if legend and row.note else "")
                     for row in rows)
    return Figure(caption, lambda name, width: charts.bars(name, width, caption, said, rows, legend, axis), table)
