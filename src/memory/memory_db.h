/* What a memory_db holds, for the stores that are connected to it. Private to this room. Where not
 * said otherwise, the caller holds the lock. */
#ifndef MEMORY_MEMORY_DB_H
#define MEMORY_MEMORY_DB_H

#include "memory/memory.h"
#include "memory/memory_map.h"

#include <pthread.h>

struct memory_unit {
    uint8_t token[16];
    uint64_t step;
    struct memory_map fields, words, texts, leads, days, clocks;
};

struct memory_units {
    struct memory_unit *at;
    uint32_t count;
};

struct memory_db {
    pthread_mutex_t mutex;
    struct memory_units now, saved;
    bool away;
    uint64_t round_trips, writes;
    unsigned fall_backs;
};

/* In front of a lead's packed form. */
struct lead_head {
    struct baton_score score;
    uint8_t stage;
    uint8_t torn, dated;
};

/* Takes the lock; the caller does not hold it. */
void memory_db_lock(struct memory_db *db);
void memory_db_unlock(struct memory_db *db);
/* Made if it is not there. */
struct memory_unit *memory_db_unit(struct memory_db *db, uint32_t unit);
/* The map that a hash of the port stands for. */
struct memory_map *memory_db_map(struct memory_unit *unit, enum store_hash hash);
/* Of the value of `leads`. */
struct lead_head memory_db_head(struct baton_text value);
size_t memory_db_packed_size(struct baton_text value);
bool memory_db_fence_holds(const struct memory_unit *unit, const uint8_t token[16], uint64_t step);
void memory_db_carry_out(struct memory_unit *unit, const struct store_write *write);

#endif
