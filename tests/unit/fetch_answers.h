/* Answers of a broker, written by hand. */
#ifndef TESTS_FETCH_ANSWERS_H
#define TESTS_FETCH_ANSWERS_H

#include "fetch/protocol.h"
#include "fetch_support.h"

struct made_part {
    uint32_t unit;
    int error;
    int64_t first, stable;
    const struct fetch_aborted *aborted;
    int32_t aborted_count; /* -1: no array */
    const uint8_t *records;
    int32_t size; /* -1: no bytes */
};

static inline void frame(struct bytes *out)
{
    (void)big_endian_put32(out->at, (uint32_t)(out->size - 4));
}

/* With its frame. */
static inline struct bytes made_versions(uint32_t correlation, int error, int least, int most)
{
    struct bytes out = {0};
    add_number(&out, 0, 4);
    add_number(&out, correlation, 4);
    add_number(&out, error, 2);
    add_number(&out, 3, 4);
    static const int16_t others[2][3] = {{0, 0, 9}, {3, 0, 12}};
    for (int i = 0; i < 3; i++) {
        add_number(&out, i == 1 ? 1 : others[i / 2][0], 2);
        add_number(&out, i == 1 ? least : others[i / 2][1], 2);
        add_number(&out, i == 1 ? most : others[i / 2][2], 2);
    }
    frame(&out);
    return out;
}

static inline void add_part(struct bytes *out, int version, const struct made_part *part)
{
    add_number(out, part->unit, 4);
    add_number(out, part->error, 2);
    add_number(out, part->stable + 1000, 8);
    add_number(out, part->stable, 8);
    if (version >= 5)
        add_number(out, part->first, 8);
    add_number(out, part->aborted_count, 4);
    for (int32_t i = 0; i < part->aborted_count; i++) {
        add_number(out, part->aborted[i].producer, 8);
        add_number(out, part->aborted[i].first, 8);
    }
    if (version >= 11)
        add_number(out, -1, 4);
    add_number(out, part->size, 4);
    if (part->size > 0)
        add(out, part->records, (size_t)part->size);
}

/* With its frame. */
static inline struct bytes made_answer(int version, uint32_t correlation, int32_t throttle_ms,
                                       int error, const struct made_part *parts, size_t count)
{
    struct bytes out = {0};
    add_number(&out, 0, 4);
    add_number(&out, correlation, 4);
    add_number(&out, throttle_ms, 4);
    if (version >= 7) {
        add_number(&out, error, 2);
        add_number(&out, 0, 4);
    }
    add_number(&out, 1, 4);
    add_number(&out, 6, 2);
    add(&out, "events", 6);
    add_number(&out, (int64_t)count, 4);
    for (size_t i = 0; i < count; i++)
        add_part(&out, version, &parts[i]);
    frame(&out);
    return out;
}

#endif
