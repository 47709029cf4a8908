/* The messages of a worker's partitions, kept in memory in the order in which Kafka gave them, and
 * handed out again and again as if the topic had no end. */
#ifndef STAGES_KEPT_H
#define STAGES_KEPT_H

#include "base/arena.h"
#include "pipeline/ports.h"

struct kept_message {
    uint8_t *bytes; /* key, then value */
    uint32_t key_size, value_size;
    uint32_t unit;
    uint32_t id_at; /* where the event id begins, in `bytes`; 0: not known */
    int64_t timestamp_ms;
};

struct kept {
    struct kept_message *messages;
    size_t count, room;
    struct arena arena;
    unsigned passes; /* over all readers */
};

void kept_init(struct kept *kept);
void kept_fini(struct kept *kept);
/* Copies the bytes. */
void kept_add(struct kept *kept, const struct record *record);

/* Goes round and round. Offsets of a unit only grow; in every round the event ids differ from those
 * of the rounds before in their first four bytes, so that nothing counts as a repetition. One
 * reader of a kept at a time. */
struct kept_reader {
    struct kept *kept;
    size_t at;
    unsigned pass;
    bool plain; /* ids stay as they came: for what does not look at them */
    uint32_t first_unit;
    int64_t *next; /* offsets, by unit from first_unit on */
};

void kept_reader_init(struct kept_reader *reader, struct kept *kept, uint32_t first_unit,
                      uint32_t unit_count);
void kept_reader_fini(struct kept_reader *reader);
/* Fills `room` records, fewer only if there are no more at all; their bytes stay where they are.
 * Returns how many. */
size_t kept_take(struct kept_reader *reader, struct record *records, size_t room);

#endif
