#!/usr/bin/env python3
"""Decay checked a second time: the integers of decay.py against high-precision powers of two.

    python3 exact.py [--rounds N] [--seed S]
    python3 exact.py --vectors N       prints N lines `weight age half-life result`, for a test of another decay

Properties: a single hit is within a rounding of the true power; whole half-lives are exact; the sum of a rule before
it is floored differs from exact arithmetic by less than 0.0001 point, for up to 10,000 hits in any order, as long as
the sum is one that a score can hold (it saturates at 1,000,000 points).
"""

import argparse
import math
import random
import sys
from fractions import Fraction

from decay import ONE, WEIGHT_MAX, decay
from messages import TIME_MAX
from tally import Tally

_BITS = 320                     # fractional bits of everything here; errors stay below 2^-300
TOLERANCE = Fraction(1, 10_000)
SATURATION = 1_000_000
HALF_LIVES = (60_000, 97 * 60_000, 3_600_000, 4 * 3_600_000, 86_400_000, 14 * 86_400_000, 30 * 86_400_000,
              3660 * 86_400_000)


def _roots():
    result, root = [], 1 << (_BITS - 1)
    for _ in range(_BITS):
        root = math.isqrt(root << _BITS)
        result.append(root)
    return result


_ROOTS = _roots()               # 2^(-1/2), 2^(-1/4), …


def power(age, half_life):
    """2^(-age / half_life) as a Fraction: the product of the roots that the binary expansion of the exponent names."""
    whole, rest = divmod(age, half_life)
    product = 1 << _BITS
    for root in _ROOTS:
        rest *= 2
        if rest >= half_life:
            rest -= half_life
            product = product * root >> _BITS
    return Fraction(product, 1 << (_BITS + whole))


def _tally(times, half_life):
    tally = Tally()
    for time in times:
        tally.hit(time, half_life)
    return tally


def _worth(tally, now, half_life):
    return Fraction(decay(tally.weight, now - tally.weight_time, half_life), ONE)


def single_hits(rng):
    """Rounding to 40 bits is half a unit; the exponent's 48 bits and the table add less than another 1/64."""
    for half_life in HALF_LIVES:
        for age in (0, 1, half_life - 1, half_life, half_life + 1, rng.randrange(half_life * 50)):
            difference = abs(decay(ONE, age, half_life) - power(age, half_life) * ONE)
            assert difference < Fraction(33, 64), (age, half_life, float(difference))


def whole_half_lives(rng):
    half_life = rng.choice(HALF_LIVES)
    for halvings in range(41):
        assert decay(ONE, halvings * half_life, half_life) == ONE >> halvings
    times = [half_life * rng.randrange(12) for _ in range(200)]
    now = max(times) + half_life * rng.randrange(12)
    exact = sum(Fraction(1, 2 ** ((now - time) // half_life)) for time in times)
    assert _worth(_tally(times, half_life), now, half_life) == exact


def _random_times(rng, half_life):
    count = int(10 ** rng.uniform(0, 4))
    span = int(half_life * 10 ** rng.uniform(-3, 2)) + 1
    times = sorted(rng.randrange(span) for _ in range(count))
    for _ in range(rng.choice((0, count // 10, count))):        # some late hits, or wholly out of order
        one, other = rng.randrange(count), rng.randrange(count)
        times[one], times[other] = times[other], times[one]
    return times, max(times) + rng.choice((0, 1, span // 3, half_life))


def sums(rng):
    """The greatest difference in points, with the most points per hit that the score can hold."""
    half_life = rng.choice(HALF_LIVES)
    times, now = _random_times(rng, half_life)
    exact = sum(power(now - time, half_life) for time in times)
    points = min(10_000, int(SATURATION / max(exact, 1)))
    difference = abs(_worth(_tally(times, half_life), now, half_life) - exact) * points
    assert difference < TOLERANCE, (len(times), half_life, points, float(difference))
    return difference


def worst_rhythm():
    """10,000 hits at one pace, at the paces where errors add up most: the sum stays as large as a score can hold."""
    worst = Fraction(0)
    for half_life, pace in ((60_000, 1), (86_400_000, 997), (86_400_000, 86_399), (60_000, 59_999),
                            (3_600_000, 36_007)):
        tally = _tally([n * pace for n in range(10_000)], half_life)
        ratio = power(pace, half_life)
        exact = (1 - power(pace * 10_000, half_life)) / (1 - ratio)
        points = min(10_000, int(SATURATION / exact))
        worst = max(worst, abs(Fraction(tally.weight, ONE) - exact) * points)
    assert worst < TOLERANCE, float(worst)
    return worst


def print_vectors(rng, count):
    """Half-lives from a millisecond up, ages around their multiples, weights up to the greatest."""
    for _ in range(count):
        half_life = rng.choice((*HALF_LIVES, 1, 2, 3, rng.randrange(1, HALF_LIVES[-1] + 1)))
        age = rng.choice((rng.randrange(half_life * 66 + 1), max(0, half_life * rng.randrange(66) + rng.randint(-1, 1)),
                          rng.randrange(TIME_MAX + 1)))
        weight = rng.choice((ONE, rng.randrange(ONE, ONE * 10_000), rng.randrange(WEIGHT_MAX + 1), WEIGHT_MAX, 0, 1))
        print(weight, age, half_life, decay(weight, age, half_life))


def main():
    parser = argparse.ArgumentParser(description="Check the decay against exact arithmetic.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vectors", type=int, metavar="N", help="print N test vectors and check nothing")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    if arguments.vectors:
        print_vectors(rng, arguments.vectors)
        return 0
    worst, failed = worst_rhythm(), 0
    for number in range(arguments.rounds):
        try:
            single_hits(rng)
            whole_half_lives(rng)
            worst = max(worst, sums(rng))
        except AssertionError as error:
            failed += 1
            print(f"round {number} of seed {arguments.seed}: {error}")
    print(f"greatest difference {float(worst):.2e} point")
    print(f"{arguments.rounds - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
