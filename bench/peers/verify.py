#!/usr/bin/python3
"""Whether a scorer came to the right result, whoever ran it: its promotions and every score in Redis, against what was
acknowledged (`baton-bench load --truth FILE`).

usage: verify.py KIND --brokers B --promotions TOPIC --truth FILE --redis SOCKET [--prefix P]
KIND is baton, naive, kafka_streams or kafka_streams_tuned; baton keeps a lead's score in PREFIX:{unit}:lead:ID, the peers in lead:ID.
Exit code 1 and one line that says what is wrong, or 0 and what was checked.

`baton-bench compare` does the same after each run, by the same functions, before the run counts.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runner"))

import truth  # noqa: E402  (the folder of the runners is not a package)
from stack import Failed, RedisClient  # noqa: E402

EXACTLY_ONCE = {"baton": True, "naive": False, "kafka_streams": True, "kafka_streams_tuned": True}


def scores_of(redis, pattern, before):
    """lead -> the text of its score, of every key of that pattern; `before` stands before the lead's id."""
    keys = sorted(set(redis.scan(pattern)))
    leads = [key.split(before, 1)[1].decode() for key in keys]
    if len(set(leads)) != len(leads):
        raise Failed("some lead has its score in more than one unit")
    return dict(zip(leads, truth.read_scores(redis, keys)))


def verify(kind, brokers, promotions, truth_file, redis_path, prefix=None):
    """What was checked, as text; Failed says what is wrong."""
    expected = truth.Truth(truth_file)
    keys = truth.read_keys(SimpleNamespace(brokers=brokers), promotions)
    truth.check_promotions(kind, keys, expected.promoted, EXACTLY_ONCE[kind])
    redis = RedisClient(redis_path)
    found = scores_of(redis, f"{prefix}:*:lead:*" if kind == "baton" else "lead:*",
                      b"}:lead:" if kind == "baton" else b"lead:")
    redis.close()
    truth.check_scores(kind, found, expected.scores)
    again = len(keys) - len(expected.promoted)
    return (f"{len(expected.promoted)} leads promoted{f', {again} promotions twice' if again else ', each once'}; "
            f"{len(found)} scores right")


def main():
    parser = argparse.ArgumentParser(description="Checks promotions and scores against what was acknowledged.")
    parser.add_argument("kind", choices=sorted(EXACTLY_ONCE))
    for name in ("brokers", "promotions", "truth", "redis"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--prefix", help="redis.prefix, for baton")
    options = parser.parse_args()
    if options.kind == "baton" and not options.prefix:
        parser.error("baton needs --prefix")
    try:
        print(verify(options.kind, options.brokers, options.promotions, options.truth, options.redis, options.prefix))
    except (Failed, OSError) as failed:
        print(f"verify: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
