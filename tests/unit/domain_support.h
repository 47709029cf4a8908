/* An agreement and a lead for the tests of domain: rules are added by hand, events folded one by
 * one. */
#ifndef DOMAIN_SUPPORT_H
#define DOMAIN_SUPPORT_H

#include <baton/scoring.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
/* 2026-11-02T00:00:00Z, a Monday */
#define MONDAY_MS INT64_C(1793577600000)

#define TEXT(literal) ((struct baton_text){literal, sizeof(literal) - 1})
#define HUNDRED(points) ((points)*100)

static inline struct baton_text text_of(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static inline bool text_is(struct baton_text text, const char *expected)
{
    return text.size == strlen(expected) &&
           (!text.size || memcmp(text.data, expected, text.size) == 0);
}

/* Counts what is in use, checks the sizes that are given back, and can be told to give no more. */
struct test_memory {
    size_t used_bytes;
    long left; /* allocations until there is no memory; negative: always some */
};

static inline void *test_resize(void *context, void *old, size_t old_size, size_t new_size)
{
    struct test_memory *memory = context;
    if (new_size && memory->left == 0)
        return NULL;
    if (new_size && memory->left > 0)
        memory->left--;
    cr_assert_leq(old_size, memory->used_bytes);
    cr_assert_eq(old == NULL, old_size == 0);
    size_t *fresh = NULL;
    if (new_size) {
        fresh = malloc(sizeof *fresh * 2 + new_size);
        fresh[0] = new_size;
        memset(fresh + 2, 0xA5, new_size);
    }
    if (old) {
        size_t *before = (size_t *)old - 2;
        cr_assert_eq(before[0], old_size, "sizes must be given back as they were asked for");
        if (fresh)
            memcpy(fresh + 2, old, old_size < new_size ? old_size : new_size);
        free(before);
    }
    memory->used_bytes += new_size - old_size;
    return fresh ? fresh + 2 : NULL;
}

#define WORLD_RULES 32
struct world {
    struct baton_agreement agreement;
    struct baton_behaviour_rule behaviour[WORLD_RULES];
    struct baton_fit_rule fit[WORLD_RULES];
    uint16_t by_kind[WORLD_RULES], by_hash[64];
    char ids[WORLD_RULES][16];
    struct baton_zone_offset zone[8];
    struct test_memory memory;
    struct baton_allocator allocator;
    struct baton_words words;
    struct baton_lead lead;
    struct baton_fold_context context;
    struct baton_fold_result result;
    struct baton_score score;
    int64_t offset;
    char event_id[32];
};

static inline void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->memory.left = -1;
    world->allocator = (struct baton_allocator){test_resize, &world->memory};
    world->zone[0] = (struct baton_zone_offset){INT64_MIN, 0};
    struct baton_gate closed = {
        BATON_SCORE_MAX, BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, NULL, 0, NULL, 0};
    world->agreement = (struct baton_agreement){
        .name = TEXT("test"),
        .version = 1,
        .hash = TEXT("00"),
        .expires_ms = BATON_TIME_MAX_MS,
        .zone = world->zone,
        .zone_count = 1,
        .behaviour = world->behaviour,
        .by_kind = world->by_kind,
        .by_hash = world->by_hash,
        .by_hash_mask = 63,
        .fit = world->fit,
        .limit_behaviour = BATON_NO_LIMIT,
        .limit_fit = BATON_NO_LIMIT,
        .mql = closed,
        .sql = closed,
        .touches = 8,
    };
    baton_words_init(&world->words, 4096, world->allocator);
    baton_lead_init(&world->lead);
    world->context =
        (struct baton_fold_context){&world->agreement, &world->words, &world->allocator, false};
}

static inline void world_fini(struct world *world)
{
    baton_lead_fini(&world->lead, &world->allocator);
    baton_words_fini(&world->words);
    cr_assert_eq(world->memory.used_bytes, 0, "%zu bytes not given back", world->memory.used_bytes);
}

/* The tables that the agreement's parser would make; after all rules are there. */
static inline void world_compile(struct world *world)
{
    struct baton_agreement *agreement = &world->agreement;
    uint32_t at = 0;
    for (unsigned kind = 0; kind < BATON_EVENT_KINDS; kind++) {
        agreement->kind_start[kind] = at;
        for (uint16_t i = 0; i < agreement->behaviour_count; i++)
            if (world->behaviour[i].kind == kind)
                world->by_kind[at++] = i;
    }
    agreement->kind_start[BATON_EVENT_KINDS] = at;
    memset(world->by_hash, 0, sizeof world->by_hash);
    for (uint16_t i = 0; i < agreement->behaviour_count; i++) {
        uint32_t slot = world->behaviour[i].hash & 63;
        while (world->by_hash[slot])
            slot = (slot + 1) & 63;
        world->by_hash[slot] = (uint16_t)(i + 1);
    }
}

/* Adds a rule; without id and hash it gets "r0", "r1", … and a hash of its own. Returns its index.
 */
static inline uint16_t world_rule(struct world *world, struct baton_behaviour_rule rule)
{
    uint16_t index = (uint16_t)world->agreement.behaviour_count++;
    if (!rule.id.size) {
        snprintf(world->ids[index], sizeof world->ids[index], "r%u", index);
        rule.id = text_of(world->ids[index]);
    }
    if (!rule.hash)
        rule.hash = 1000u + index * 64u; /* all in one slot, so that the search has to go on */
    if (rule.where.match != BATON_MATCH_ALL && rule.where.match != BATON_MATCH_ANY &&
        rule.where.text_count == 0)
        rule.where = (struct baton_condition){.match = BATON_MATCH_ALL};
    world->behaviour[index] = rule;
    world_compile(world);
    return index;
}

static inline void world_fit(struct world *world, int32_t points, struct baton_condition where)
{
    world->fit[world->agreement.fit_count++] =
        (struct baton_fit_rule){.id = TEXT("fit"), .where = where, .points = points};
}

/* Folds an event as the next of the log, under an id of its own if it has none, and takes the
 * score. */
static inline enum baton_fold_outcome world_fold(struct world *world, struct baton_event event)
{
    event.offset = world->offset++;
    if (!event.event_id.size) {
        snprintf(world->event_id, sizeof world->event_id, "e%lld", (long long)event.offset);
        event.event_id = text_of(world->event_id);
    }
    baton_fold(&world->lead, &event, &world->context, &world->result);
    baton_lead_score(&world->lead, &world->agreement, 0, &world->score);
    return world->result.outcome;
}

static inline void world_visit(struct world *world, int64_t time_ms)
{
    struct baton_event event = {.kind = BATON_VISIT, .time_ms = time_ms};
    cr_assert_eq(world_fold(world, event), BATON_FOLDED);
}

/* One field of the profile; NULL removes it. The folded text is the same in small letters. */
static inline void world_profile_as(struct world *world, enum baton_profile_field field,
                                    const char *name, const char *value, int64_t time_ms)
{
    char folded[BATON_TEXT_MAX] = "";
    for (size_t i = 0; value && value[i]; i++)
        folded[i] = (char)(value[i] >= 'A' && value[i] <= 'Z' ? value[i] + 32 : value[i]);
    struct baton_profile_update update = {.field = field};
    if (name)
        update.name = text_of(name);
    if (value) {
        update.value = text_of(value);
        update.folded = text_of(folded);
    }
    struct baton_event event = {
        .kind = BATON_PROFILE, .time_ms = time_ms, .updates = &update, .update_count = 1};
    cr_assert_eq(world_fold(world, event), BATON_FOLDED);
}

static inline void world_profile(struct world *world, enum baton_profile_field field,
                                 const char *value, int64_t time_ms)
{
    world_profile_as(world, field, NULL, value, time_ms);
}

static inline const struct baton_tally *world_tally(const struct world *world, uint16_t rule)
{
    for (uint16_t i = 0; i < world->lead.tally_count; i++)
        if (world->lead.tallies[i].rule == rule)
            return &world->lead.tallies[i];
    return NULL;
}

static inline uint32_t world_count(const struct world *world, uint16_t rule)
{
    const struct baton_tally *tally = world_tally(world, rule);
    return tally ? tally->count : 0;
}

static inline bool word_is(const struct world *world, uint32_t word, const char *expected)
{
    return text_is(baton_words_text(&world->words, word), expected);
}

/* The same numbers on every run. */
static inline uint64_t next_random(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static inline uint64_t below(uint64_t *seed, uint64_t end)
{
    return next_random(seed) % end;
}

#endif
