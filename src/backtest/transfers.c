#include "backtest/transfers.h"

#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536u /* a power of two */

struct waiting {
    struct waiting *next; /* of its bucket, older ones first */
    struct transfer_key key;
    struct transfer_states states;
    char bytes[]; /* of all texts */
};

struct transfers {
    pthread_mutex_t mutex;
    struct waiting **buckets;
    void (*put)(void *context);
    void *context;
};

struct transfers *transfers_create(void (*put)(void *context), void *context)
{
    struct transfers *transfers = memory_take_zeroed(1, sizeof *transfers);
    transfers->put = put;
    transfers->context = context;
    transfers->buckets = memory_take_zeroed(BUCKETS, sizeof(struct waiting *));
    (void)pthread_mutex_init(&transfers->mutex, NULL);
    return transfers;
}

void transfers_destroy(struct transfers *transfers)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct waiting *item = transfers->buckets[i], *next; item; item = next) {
            next = item->next;
            free(item);
        }
    free(transfers->buckets);
    (void)pthread_mutex_destroy(&transfers->mutex);
    free(transfers);
}

uint64_t transfer_hash(const struct transfer_key *key)
{
    uint64_t hash = hash64(key->event_id.data, key->event_id.size, 0);
    hash = hash64(key->from.data, key->from.size, hash);
    return hash64(key->to.data, key->to.size, hash);
}

static bool same_text(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same(const struct transfer_key *a, const struct transfer_key *b)
{
    return same_text(a->from, b->from) && same_text(a->to, b->to) &&
           same_text(a->event_id, b->event_id);
}

/* Where the first one of this key hangs, or the end of its bucket. */
static struct waiting **place_of(struct transfers *transfers, const struct transfer_key *key)
{
    struct waiting **place = &transfers->buckets[transfer_hash(key) & (BUCKETS - 1)];
    while (*place && !same(&(*place)->key, key))
        place = &(*place)->next;
    return place;
}

static struct baton_text copy(struct baton_text text, char **at)
{
    struct baton_text kept = {text.data ? *at : NULL, text.size};
    if (text.size)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return kept;
}

void transfers_put(struct transfers *transfers, const struct transfer_key *key,
                   const struct transfer_states *states)
{
    size_t size = (size_t)key->event_id.size + key->from.size + key->to.size;
    for (int i = 0; i < TRANSFER_RUNS; i++)
        size += states->states[i].size;
    struct waiting *item = memory_take(sizeof *item + size + 1);
    char *at = item->bytes;
    item->next = NULL;
    item->key.event_id = copy(key->event_id, &at);
    item->key.from = copy(key->from, &at);
    item->key.to = copy(key->to, &at);
    for (int i = 0; i < TRANSFER_RUNS; i++)
        item->states.states[i] = copy(states->states[i], &at);
    (void)pthread_mutex_lock(&transfers->mutex);
    struct waiting **place = &transfers->buckets[transfer_hash(key) & (BUCKETS - 1)];
    while (*place)
        place = &(*place)->next;
    *place = item;
    (void)pthread_mutex_unlock(&transfers->mutex);
    if (transfers->put)
        transfers->put(transfers->context);
}

bool transfers_have(struct transfers *transfers, const struct transfer_key *key)
{
    (void)pthread_mutex_lock(&transfers->mutex);
    bool have = *place_of(transfers, key) != NULL;
    (void)pthread_mutex_unlock(&transfers->mutex);
    return have;
}

bool transfers_take(struct transfers *transfers, const struct transfer_key *key,
                    struct arena *arena, struct transfer_states *out)
{
    (void)pthread_mutex_lock(&transfers->mutex);
    struct waiting **place = place_of(transfers, key), *item = *place;
    if (item)
        *place = item->next;
    (void)pthread_mutex_unlock(&transfers->mutex);
    if (!item)
        return false;
    for (int i = 0; i < TRANSFER_RUNS; i++) {
        struct baton_text state = item->states.states[i];
        out->states[i] = (struct baton_text){
            state.data ? arena_copy(arena, state.data, state.size) : NULL, state.size};
    }
    free(item);
    return true;
}
