"""Where and with what it was measured."""
from ..document import Command, Section, Table
from .parts import PROGRAM, command_of, machine_line


def of_machine(results):
    runs = sorted(results.runs, key=lambda run: run.at)
    if not runs:
        return None
    blocks = [Table(["", ""], machines(runs) + versions(runs))]
    if runs[-1].commit:
        words = [f"git checkout {runs[-1].commit}", "deploy/install-deps",
                 "cmake --preset release && cmake --build --preset release", f"{PROGRAM} report"]
        blocks.append(Command("\n".join(words), "To build what was measured, and to make this page again:"))
    blocks.append(Table(["kind", "measured", "commit", "repeated by"], [row(run) for run in runs]))
    return Section("machine", "Machine", "Machine, versions and how to repeat", blocks)


def machines(runs):
    kernels = {machine_line(run.machine): run.machine.get("kernel") for run in runs}
    return [["machine", line + (f", kernel {kernel}" if kernel else "")] for line, kernel in kernels.items()]


def versions(runs):
    found = {}
    for run in runs:
        for name, version in run.versions.items():
            if version and str(version) not in found.setdefault(name, []):
                found[name].append(str(version))
    return [[name, ", ".join(all_of_it)] for name, all_of_it in found.items() if all_of_it]


def row(run):
    return [run.kind, run.at.strftime("%Y-%m-%d %H:%M UTC"), f"`{run.commit}`" + (" and changes" if run.dirty else ""),
            f"`{command_of(run)}`"]
