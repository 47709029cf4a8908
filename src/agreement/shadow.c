#include "agreement/shadow.h"

#include "base/arena.h"
#include "domain/shadow.h"

#include <stdlib.h>
#include <string.h>

struct shadow {
    struct baton_shadow compiled;
    struct baton_agreement agreement; /* texts and conditions are the other one's */
    struct arena arena;
};

static bool keeps(const struct baton_agreement *agreement, struct baton_text property)
{
    for (uint32_t i = 0; i < agreement->property_count; i++)
        if (agreement->properties[i].size == property.size &&
            memcmp(agreement->properties[i].data, property.data, property.size) == 0)
            return true;
    return false;
}

static enum status check_properties(const struct baton_agreement *shadow,
                                    const struct agreement *live, struct error *error)
{
    for (uint32_t i = 0; i < shadow->property_count; i++) {
        struct baton_text name = shadow->properties[i];
        if (!keeps(agreement_compiled(live), name))
            return error_set(error, STATUS_STOP,
                             "the shadow looks at properties.%.*s, which agreement %s does not "
                             "keep, as nothing in it names it: add it to its `share`, or take it "
                             "out of the shadow",
                             (int)name.size, name.data, agreement_name(live));
    }
    return STATUS_OK;
}

/* By the last digits of its hash; 0 would say that there is none. */
static uint32_t who_it_is(const struct agreement *agreement)
{
    const char *hash = agreement_hash(agreement);
    uint32_t of = (uint32_t)strtoul(hash + strlen(hash) - 8, NULL, 16);
    return of ? of : 1;
}

/* Each rule under the hash that its tally has; returns whether the live one lacks it. */
static bool *set_hashes(struct shadow *shadow, const struct baton_agreement *live)
{
    struct baton_agreement *agreement = &shadow->agreement;
    size_t size = agreement->behaviour_count * sizeof *agreement->behaviour;
    struct baton_behaviour_rule *rules = arena_take(&shadow->arena, size + 1);
    bool *own = arena_take(&shadow->arena, agreement->behaviour_count + 1);
    if (size)
        memcpy(rules, agreement->behaviour, size);
    for (uint32_t i = 0; i < agreement->behaviour_count; i++) {
        own[i] = baton_agreement_rule(live, rules[i].hash) < 0;
        if (own[i])
            rules[i].hash = shadow_hash(rules[i].hash);
    }
    agreement->behaviour = rules;
    return own;
}

static void list_own(struct shadow *shadow, const bool *own)
{
    const struct baton_agreement *agreement = &shadow->agreement;
    uint16_t *list = arena_take(&shadow->arena, (agreement->behaviour_count + 1) * sizeof *list);
    uint32_t count = 0;
    for (int kind = 0; kind < BATON_EVENT_KINDS; kind++) {
        shadow->compiled.start[kind] = count;
        for (uint32_t i = agreement->kind_start[kind]; i < agreement->kind_start[kind + 1]; i++)
            if (own[agreement->by_kind[i]])
                list[count++] = agreement->by_kind[i];
    }
    shadow->compiled.start[BATON_EVENT_KINDS] = count;
    shadow->compiled.own = list;
}

/* False: two rules have one hash, or a live one has that of one of its own. */
static bool index_by_hash(struct shadow *shadow, const struct baton_agreement *live,
                          const bool *own)
{
    struct baton_agreement *agreement = &shadow->agreement;
    uint32_t size = agreement->by_hash_mask + 1;
    uint16_t *slots = arena_take(&shadow->arena, size * sizeof *slots);
    memset(slots, 0, size * sizeof *slots);
    agreement->by_hash = slots;
    for (uint32_t i = 0; i < agreement->behaviour_count; i++) {
        uint32_t hash = agreement->behaviour[i].hash, slot = hash & agreement->by_hash_mask;
        if (baton_agreement_rule(agreement, hash) >= 0 ||
            (own[i] && baton_agreement_rule(live, hash) >= 0) ||
            baton_agreement_rule(live, shadow_hash(hash)) >= 0)
            return false;
        while (slots[slot])
            slot = (slot + 1) & agreement->by_hash_mask;
        slots[slot] = (uint16_t)(i + 1);
    }
    return true;
}

enum status shadow_create(const struct agreement *agreement, const struct agreement *live,
                          struct shadow **out, struct error *error)
{
    const struct baton_agreement *in_force = agreement_compiled(live);
    *out = NULL;
    enum status status = check_properties(agreement_compiled(agreement), live, error);
    if (status != STATUS_OK)
        return status;
    struct shadow *shadow = memory_take_zeroed(1, sizeof *shadow);
    arena_init(&shadow->arena, 16384);
    shadow->agreement = *agreement_compiled(agreement);
    shadow->compiled.agreement = &shadow->agreement;
    shadow->compiled.of = who_it_is(agreement);
    const bool *own = set_hashes(shadow, in_force);
    list_own(shadow, own);
    if (!index_by_hash(shadow, in_force, own)) {
        shadow_destroy(shadow);
        return error_set(error, STATUS_STOP,
                         "a rule of the shadow %s has the hash of another one: give the rules that "
                         "agreement %s lacks other ids",
                         agreement_name(agreement), agreement_name(live));
    }
    *out = shadow;
    return STATUS_OK;
}

void shadow_destroy(struct shadow *shadow)
{
    if (!shadow)
        return;
    arena_fini(&shadow->arena);
    free(shadow);
}

const struct baton_shadow *shadow_compiled(const struct shadow *shadow)
{
    return &shadow->compiled;
}
