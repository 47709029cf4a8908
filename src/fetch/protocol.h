/* The two requests of Kafka's protocol that reading takes, ApiVersions and Fetch, as bytes
 * (https://kafka.apache.org/protocol). Brokers from 0.11 on. Nothing is read beyond the end of an
 * answer, whatever it holds. */
#ifndef FETCH_PROTOCOL_H
#define FETCH_PROTOCOL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "fetch/records.h"

#define FETCH_VERSION_MIN 4  /* the first that is read_committed */
#define FETCH_VERSION_MAX 11 /* the last before fields have tags */
#define FETCH_FRAME 4        /* bytes in front of a request or an answer: its size */

/* What a client asks of every partition. */
struct fetch_limits {
    int32_t wait_ms, min_bytes, max_bytes, partition_bytes;
};

struct fetch_wish {
    uint32_t unit;
    int64_t offset;
};

/* Writers return the size, the frame's included. `out` has as much room as fetch_request_bound. */
size_t fetch_request_bound(size_t client_size, size_t topic_size, size_t wishes);
size_t fetch_versions_request(const char *client, uint32_t correlation, uint8_t *out);
size_t fetch_request(int version, const char *client, uint32_t correlation, const char *topic,
                     const struct fetch_limits *limits, const struct fetch_wish *wishes,
                     size_t count, uint8_t *out);

/* Readers get an answer without its frame. False: it is no such answer. */
/* version -1: none of those above is known to the broker. */
bool fetch_versions_read(const uint8_t *answer, size_t size, uint32_t correlation, int *version);

struct fetch_part {
    uint32_t unit;
    int error; /* Kafka's number; 0: none */
    /* What its log holds for read_committed: [first, stable); -1: not told. */
    int64_t first, stable;
    struct fetch_aborted *aborted;
    int64_t *aborting; /* room for aborted_count */
    size_t aborted_count;
    const uint8_t *records;
    size_t size;
};

struct fetch_answer {
    int error;
    int32_t throttle_ms;      /* the broker wants no request for so long */
    struct fetch_part *parts; /* from the arena */
    size_t count;
};
bool fetch_answer_read(int version, const uint8_t *answer, size_t size, uint32_t correlation,
                       struct arena *arena, struct fetch_answer *out);

#endif
