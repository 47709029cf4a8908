"""What a lead takes of Redis, by what is kept of it, on a Redis of our own: runs `baton-bench memory` there.

Data of a result (bench/memory/memory.c):
    leads, id_bytes, redis_version
    kinds   [{"kind", "bytes_per_lead": of all that Redis uses, "added": to the first kind, "packed_bytes",
            "memory_usage": of the key and its value alone {"median", "min", "max"}, "target": at most, or absent}]
"""

import subprocess

import results
from stack import BENCH, Stack, run_main


def options_of():
    parser = results.parser("memory", "What a lead takes of Redis, by what is kept of it. With --redis: on a Redis of "
                            "yours (baton-bench memory --redis X --help).")
    parser.add_argument("--leads", type=results.count, default=1000000, help="of each kind")
    return parser.parse_args()


def main():
    options = options_of()
    with Stack(broker=False) as stack:
        words = ["--redis", stack.redis_url, "--leads", options.leads, "--seed", options.seed, "--results", options.results]
        done = subprocess.run([str(word) for word in (BENCH, "memory", *words, *["--json"] * options.json)], check=False)
    return done.returncode


if __name__ == "__main__":
    run_main(main)
