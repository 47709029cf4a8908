/* Reading a packed lead: what lead_unpack.c and history_unpack.c share. */
#ifndef DOMAIN_UNPACK_H
#define DOMAIN_UNPACK_H

#include "base/bytes.h"

#include <baton/lead.h>

/* What is being read: the first thing that is not as pack writes it sets `bytes.failed`, after
 * which everything reads as zero. */
struct unpack {
    struct byte_reader bytes;
    struct baton_lead *lead;
    struct baton_allocator *allocator;
    uint32_t words_count;
    bool no_memory;
};

static inline bool unpack_failed(const struct unpack *in)
{
    return in->bytes.failed || in->no_memory;
}

/* A number from 0 to `most`. */
static inline uint64_t unpack_number(struct unpack *in, uint64_t most)
{
    uint64_t value = bytes_varint(&in->bytes);
    if (value <= most)
        return value;
    in->bytes.failed = true;
    return 0;
}

static inline int64_t unpack_signed(struct unpack *in, int64_t least, int64_t most)
{
    int64_t value = bytes_zigzag(&in->bytes);
    if (value >= least && value <= most)
        return value;
    in->bytes.failed = true;
    return 0;
}

static inline uint32_t unpack_word(struct unpack *in)
{
    uint32_t id = (uint32_t)unpack_number(in, UINT32_MAX);
    in->bytes.failed |= id >= in->words_count;
    return id;
}

/* A time not after `from_ms`. */
static inline int64_t unpack_before(struct unpack *in, int64_t from_ms)
{
    return from_ms - (int64_t)unpack_number(in, (uint64_t)from_ms);
}

/* A time that may be after all events. */
static inline int64_t unpack_time(struct unpack *in)
{
    int64_t newest_ms = in->lead->newest_ms;
    return newest_ms - unpack_signed(in, newest_ms - BATON_TIME_MAX_MS, newest_ms);
}

/* Borrowed from the packed bytes. */
static inline struct baton_text unpack_text(struct unpack *in, uint32_t most)
{
    uint32_t size = (uint32_t)unpack_number(in, most);
    const uint8_t *bytes = bytes_take(&in->bytes, size);
    return (struct baton_text){(const char *)bytes, bytes ? size : 0};
}

/* history_unpack.c */
void unpack_history(struct unpack *in);

#endif
