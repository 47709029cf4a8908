/* The factors of docs/scoring.md, "half_life": decay_table[k][i] = 2^(63 - i / 256^(k + 1)),
 * rounded. cmake/decay_table.py writes decay_table.c. */
#ifndef DOMAIN_DECAY_H
#define DOMAIN_DECAY_H

#include <baton/scoring.h>

extern const uint64_t decay_table[6][256];

#endif
