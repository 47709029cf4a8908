#include "traffic/alias.h"

#include <math.h>
#include <stdlib.h>

static double weight_of(uint32_t number, double exponent)
{
    /* The usual exponent does not hang on how exactly pow rounds. */
    return exponent == 1 ? 1.0 / ((double)number + 1) : pow((double)number + 1, -exponent);
}

/* Weights, so that the average is 1. */
static void fill_weights(double *weights, uint32_t count, double exponent)
{
    double sum = 0;
    for (uint32_t i = count; i-- > 0;) /* from the smallest, which loses least */
        sum += weights[i] = weight_of(i, exponent);
    double factor = (double)count / sum;
    for (uint32_t i = 0; i < count; i++)
        weights[i] *= factor;
}

static uint32_t threshold_of(double share)
{
    double at = share * 4294967296.0;
    return at >= 4294967295.0 ? UINT32_MAX : (uint32_t)at;
}

/* Weights fall with the number: those above 1 come first, those below 1 last, so that two fingers
 * do for the two heaps of the method. A column that is filled up takes its rest from `large`; when
 * that itself falls below 1 it is the next to be filled up. */
static void fill_entries(struct alias_entry *entries, double *weights, uint32_t count)
{
    uint32_t large = 0, small = count;
    while (small > 0 && weights[small - 1] < 1)
        small--;
    uint32_t first_small = small;
    for (uint32_t next = small; next < count; next++) {
        uint32_t filled = next;
        while (filled != UINT32_MAX) {
            if (large >= first_small) { /* only rounding is left */
                entries[filled] = (struct alias_entry){UINT32_MAX, filled};
                break;
            }
            entries[filled] = (struct alias_entry){threshold_of(weights[filled]), large};
            weights[large] -= 1 - weights[filled];
            filled = weights[large] < 1 ? large++ : UINT32_MAX;
        }
    }
    for (; large < first_small; large++)
        entries[large] = (struct alias_entry){UINT32_MAX, large};
}

struct alias_entry *alias_zipf(uint32_t count, double exponent)
{
    struct alias_entry *entries = malloc(count * sizeof *entries);
    double *weights = malloc(count * sizeof *weights);
    if (entries && weights) {
        fill_weights(weights, count, exponent);
        fill_entries(entries, weights, count);
    } else {
        free(entries);
        entries = NULL;
    }
    free(weights);
    return entries;
}
