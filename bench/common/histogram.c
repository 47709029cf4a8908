#include "common/histogram.h"

#include <assert.h>
#include <string.h>

#define LINEAR_BITS 11 /* 2,048 cells of one microsecond */

/* Values of one doubling share the shift that leaves 11 significant bits. */
static size_t cell_of(uint64_t value_us)
{
    if (value_us > HISTOGRAM_LIMIT_US)
        value_us = HISTOGRAM_LIMIT_US;
    if (value_us >> LINEAR_BITS == 0)
        return (size_t)value_us;
    unsigned bits = 64 - (unsigned)__builtin_clzll(value_us);
    unsigned shift = bits - LINEAR_BITS;
    return (size_t)shift * HISTOGRAM_HALF_CELLS + (size_t)(value_us >> shift);
}

/* The greatest value that a cell counts. */
static uint64_t cell_end(size_t cell)
{
    if (cell >> LINEAR_BITS == 0)
        return cell;
    unsigned shift = (unsigned)(cell / HISTOGRAM_HALF_CELLS) - 1;
    uint64_t significant = cell - (size_t)shift * HISTOGRAM_HALF_CELLS;
    return ((significant + 1) << shift) - 1;
}

void histogram_init(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void histogram_record(struct histogram *histogram, uint64_t value_us)
{
    histogram_record_many(histogram, value_us, 1);
}

static void widen(struct histogram *histogram, uint64_t least_us, uint64_t most_us)
{
    if (histogram->total == 0 || least_us < histogram->least_us)
        histogram->least_us = least_us;
    if (most_us > histogram->most_us)
        histogram->most_us = most_us;
}

void histogram_record_many(struct histogram *histogram, uint64_t value_us, uint64_t count)
{
    if (count == 0)
        return;
    widen(histogram, value_us, value_us);
    histogram->cells[cell_of(value_us)] += count;
    histogram->total += count;
    histogram->sum_us += (long double)value_us * (long double)count;
}

void histogram_merge(struct histogram *into, const struct histogram *other)
{
    if (other->total == 0)
        return;
    widen(into, other->least_us, other->most_us);
    for (size_t i = 0; i < HISTOGRAM_CELLS; i++)
        into->cells[i] += other->cells[i];
    into->total += other->total;
    into->sum_us += other->sum_us;
}

/* The place in order of size, from 1, of the value that is this percentile. */
static uint64_t rank_of(const struct histogram *histogram, uint32_t millionths)
{
    assert(millionths <= HISTOGRAM_WHOLE && histogram->total < UINT64_MAX / HISTOGRAM_WHOLE / 2);
    uint64_t rank = (histogram->total * millionths + HISTOGRAM_WHOLE - 1) / HISTOGRAM_WHOLE;
    return rank ? rank : 1;
}

uint64_t histogram_percentile(const struct histogram *histogram, uint32_t millionths)
{
    if (histogram->total == 0)
        return 0;
    uint64_t rank = rank_of(histogram, millionths), seen = 0;
    size_t cell = 0;
    while ((seen += histogram->cells[cell]) < rank)
        cell++;
    uint64_t end_us = cell_end(cell);
    return rank < histogram->total && end_us < histogram->most_us ? end_us : histogram->most_us;
}

uint64_t histogram_beyond(const struct histogram *histogram, uint32_t millionths)
{
    return histogram->total ? histogram->total - rank_of(histogram, millionths) : 0;
}

double histogram_mean_us(const struct histogram *histogram)
{
    return histogram->total ? (double)(histogram->sum_us / (long double)histogram->total) : 0;
}

static size_t add_point(const struct histogram *histogram, uint32_t millionths,
                        struct histogram_point *points, size_t count, size_t room)
{
    if (count < room)
        points[count++] = (struct histogram_point){
            .millionths = millionths, .value_us = histogram_percentile(histogram, millionths)};
    return count;
}

size_t histogram_series(const struct histogram *histogram, unsigned steps,
                        struct histogram_point *points, size_t room)
{
    assert(steps > 0);
    size_t count = 0;
    if (histogram->total == 0 || room == 0)
        return 0;
    /* `left`: the share beyond the point where this halving begins */
    for (uint32_t left = HISTOGRAM_WHOLE; left > 1; left -= left / 2) {
        for (unsigned step = 0; step < steps; step++) {
            uint32_t at = HISTOGRAM_WHOLE - left + left / 2 * step / steps;
            if (histogram_beyond(histogram, at) == 0)
                return add_point(histogram, HISTOGRAM_WHOLE, points, count, room);
            if (count && points[count - 1].millionths == at)
                continue; /* steps finer than a millionth */
            count = add_point(histogram, at, points, count, room - 1);
        }
    }
    return add_point(histogram, HISTOGRAM_WHOLE, points, count, room);
}
