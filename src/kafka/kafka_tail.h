/* A reader of the output topics, read_committed, as a subscriber would see them: for `baton tail`
 * and the demo, not part of `baton run`. Joins no group. One thread. */
#ifndef KAFKA_TAIL_H
#define KAFKA_TAIL_H

#include "kafka/kafka_settings.h"

#include <stdint.h>

struct kafka_tail;

#define KAFKA_TAIL_BEGINNING (-1)
#define KAFKA_TAIL_NOW INT64_MAX
/* What to read. */
struct kafka_tail_choice {
    bool topics[OUTGOING_TOPICS];
    int64_t from_ms; /* records written then or later, by Kafka's time, or one of the two above */
    bool to_end;     /* kafka_tail_ended will tell when everything was read */
};

/* Borrowed until the next call. */
struct kafka_tail_record {
    enum outgoing_topic topic;
    uint32_t partition;
    int64_t offset;
    const void *key, *value;
    size_t key_size, value_size;
};

/* RETRY: Kafka is away. STOP: a topic is missing. */
enum status kafka_tail_create(const struct kafka_settings *settings,
                              const struct kafka_tail_choice *choice, struct kafka_tail **out,
                              struct error *error);
void kafka_tail_destroy(struct kafka_tail *tail);
/* found false: nothing came within timeout_ms. */
enum status kafka_tail_next(struct kafka_tail *tail, int timeout_ms,
                            struct kafka_tail_record *record, bool *found, struct error *error);
/* With to_end: was every partition read up to where it ended? */
bool kafka_tail_ended(const struct kafka_tail *tail);
/* A header of the record that was told last; NULL: it has none of that name. Not terminated. */
const char *kafka_tail_header(const struct kafka_tail *tail, const char *name, size_t *size);

#endif
