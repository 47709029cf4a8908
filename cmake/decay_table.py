#!/usr/bin/env python3
"""Prints src/domain/decay_table.c: TABLE[k][i] = 2^63 * 2^(-i / 256^(k+1)), rounded to the nearest integer.

Exact integer arithmetic: a fixed-point root of the root of … 1/2, then its powers. The errors of
all steps together stay below 2^-200, and each rounding is checked to be certain.
"""

import math

BITS = 320
ONE = 1 << BITS


def step(level):
    """2^(-1 / 256^(level + 1)), by as many square roots of 1/2."""
    root = ONE >> 1
    for _ in range(8 * (level + 1)):
        root = math.isqrt(root << BITS)
    return root


def rounded(value):
    drop = BITS - 63
    rest = value & ((1 << drop) - 1)
    assert abs(rest - (1 << (drop - 1))) > 1 << 120, "too close to a half to be sure"
    return (value + (1 << (drop - 1))) >> drop


def row(level):
    factor, power, values = step(level), ONE, [1 << 63]
    for _ in range(255):
        power = power * factor >> BITS
        values.append(rounded(power))
    return values


def main():
    print("/* Written by cmake/decay_table.py; docs/scoring.md says what it holds. */")
    print('#include "domain/decay.h"\n')
    print("/* clang-format off */")
    print("const uint64_t decay_table[6][256] = {")
    for level in range(6):
        values = [f"0x{value:016x}" for value in row(level)]
        print("    {")
        for at in range(0, 256, 4):
            print("        " + ", ".join(values[at : at + 4]) + ",")
        print("    },")
    print("};")
    print("/* clang-format on */")


main()
