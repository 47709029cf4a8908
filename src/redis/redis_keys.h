/* Names of keys and fields, shared by the store and by what looks into it. Only for redis/, and for
 * what measures it. */
#ifndef REDIS_REDIS_KEYS_H
#define REDIS_REDIS_KEYS_H

#include "base/arena.h"
#include "base/status.h"
#include "pipeline/ports.h"
#include "redis/redis_connection.h"

#include <baton/event.h>

#define LEAD_CHUNK_BYTES ((size_t)64) /* longer values would leave Redis' compact encoding */
#define LEAD_CHUNK_NAME_MAX 4
/* Time of the newest event, which former versions wrote beside a stage that was never left out: it
 * stands in the packed form. */
#define DATED_FIELD "updated"

/* "PREFIX:{17}:what"; size without the NUL that is there. */
struct key {
    char text[160];
    size_t size;
};
#define PREFIX_MAX 96

/* What the hash is called behind the unit: "words", "days", … */
const char *key_of_hash(enum store_hash hash);
void key_of_unit(struct key *key, const char *prefix, uint32_t unit, const char *what);
/* Queues the key of a lead as an argument; `scratch` has room for KEY_OF_LEAD_MAX. */
#define KEY_OF_LEAD_MAX (160 + BATON_ID_MAX)
size_t key_of_lead(char *scratch, const struct key *lead_prefix, struct baton_text id);
/* A glob for SCAN that means exactly this text, then `*`. */
char *key_pattern(struct arena *arena, const struct key *prefix);

/* a, b, … z, aa, ab, …: returns the size. */
size_t chunk_name(char name[LEAD_CHUNK_NAME_MAX], size_t index);
/* Chunks of a packed form of so many bytes, behind its size as a varint. */
size_t chunk_count(size_t packed_size);
#define LEAD_FIRST_CHUNK "a"
/* Time of the newest event, by a lead's first chunk alone; 0: it does not tell. */
int64_t newest_of_chunk(struct baton_text first_chunk);

/* Puts a lead's chunks together from the fields of its hash. found false: there is no such hash.
 * STOP: it is torn. */
struct packed_lead {
    const uint8_t *data;
    size_t size;
    bool found;
    bool dated; /* has fields that are not written any more */
};
enum status lead_from_hash(const struct reply *hash, uint32_t unit, struct baton_text id,
                           struct arena *arena, struct packed_lead *lead, struct error *error);
/* An id for a line of text: what is not printable ASCII or valid above it becomes ?. */
const char *printable_id(char room[64], struct baton_text id);

#endif
