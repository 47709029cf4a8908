"""Half-lives in integers, as docs/scoring.md writes them down.

The table is computed here from square roots in exact integer arithmetic; nothing is copied from the program.
"""

import functools
import math

ONE = 1 << 40                   # one hit, 40 fractional bits
WEIGHT_MAX = (1 << 64) - 1

_BITS = 256                     # fractional bits of the roots below; 2^-256 is far finer than any rounding here


def _binary_roots(depth):
    """[2^(-1/2), 2^(-1/4), 2^(-1/8), …] with _BITS fractional bits, each the integer square root of the one before."""
    roots = []
    root = 1 << (_BITS - 1)
    for _ in range(depth):
        root = math.isqrt(root << _BITS)
        roots.append(root)
    return roots


_ROOTS = _binary_roots(48)


def _power(step, level):
    """2^(-step / 256^(level + 1)) with _BITS fractional bits: a product over the bits of step."""
    product = 1 << _BITS
    for bit in range(8):
        if step >> bit & 1:
            product = product * _ROOTS[8 * (level + 1) - bit - 1] >> _BITS
    return product


def _round_to_63_bits(value):
    drop = _BITS - 63
    rest = value & ((1 << drop) - 1)
    # Our error is below 2^-240, so the rounding is certain unless the value lies that close to a half.
    assert abs(rest - (1 << (drop - 1))) > 1 << (drop - 100)
    return (value + (1 << (drop - 1))) >> drop


TABLE = [[1 << 63] + [_round_to_63_bits(_power(step, level)) for step in range(1, 256)] for level in range(6)]


@functools.lru_cache(maxsize=65536)
def factor(rest, half_life):
    """2^(-rest / half_life) for 0 <= rest < half_life, with 63 fractional bits."""
    high, left = divmod(rest << 24, half_life)
    low = (left << 24) // half_life
    fraction = high << 24 | low
    a = 1 << 63
    for k in range(6):
        a = (a * TABLE[k][fraction >> (40 - 8 * k) & 255] + (1 << 62)) >> 63
    return a


def decay(weight, age, half_life):
    """What a weight is worth after age (both times in milliseconds)."""
    whole, rest = divmod(age, half_life)
    shift = 63 + whole
    if shift >= 127:
        return 0
    return (weight * factor(rest, half_life) + (1 << (shift - 1))) >> shift


def add(weight, more):
    return min(weight + more, WEIGHT_MAX)
