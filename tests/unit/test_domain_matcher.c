/* What is remembered of texts changes no result: events of many texts against agreements of all
 * kinds of conditions, with a matcher and without. */
#include "domain/matcher.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES = 150, CHILDREN = 4, TEXTS = 1500, EVENTS = 20000, KINDS = 3 };

struct lottery {
    uint64_t seed;
    struct baton_text texts[TEXTS]; /* of events */
    char bytes[TEXTS][160];
    struct baton_condition children[RULES][CHILDREN], grandchildren[RULES][CHILDREN];
    struct baton_behaviour_rule rules[RULES];
    uint16_t by_kind[RULES];
    struct baton_agreement agreement;
    size_t used_bytes;
};

static uint32_t below(struct lottery *lottery, uint32_t limit)
{
    lottery->seed ^= lottery->seed << 13;
    lottery->seed ^= lottery->seed >> 7;
    lottery->seed ^= lottery->seed << 17;
    return (uint32_t)((lottery->seed >> 20) % limit);
}

static void *counting_resize(void *context, void *old, size_t old_size, size_t new_size)
{
    struct lottery *lottery = context;
    lottery->used_bytes += new_size - old_size;
    if (new_size)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

/* Some are longer than what is remembered, and some are numbers. */
static void draw_texts(struct lottery *lottery)
{
    for (uint32_t i = 0; i < TEXTS; i++) {
        char *bytes = lottery->bytes[i];
        int size = snprintf(bytes, sizeof lottery->bytes[i], i % 9 ? "/%s/%u" : "%.0s%u",
                            i % 2 ? "Pricing" : "docs", i);
        if (i % 11 == 0) {
            memset(bytes + size, 'x', 140 - (size_t)size);
            size = 140;
        }
        lottery->texts[i] = (struct baton_text){bytes, i ? (uint32_t)size : 0};
    }
}

static const struct baton_text wanted[] = {{"/docs/*", 7},   {"*1*", 3},     {"7", 1},
                                           {"pricing", 7},   {"/docs/4", 7}, {"x", 1},
                                           {"/Pricing*", 9}, {"9*", 2}};

static const uint8_t looked_at[] = {BATON_PAGE, BATON_CAMPAIGN, BATON_TARGET, BATON_FORM_ANSWER};

static struct baton_condition draw_test(struct lottery *lottery)
{
    uint32_t first = below(lottery, 6);
    return (struct baton_condition){.match = (enum baton_match)below(lottery, BATON_MATCH_ALL),
                                    .negate = below(lottery, 4) == 0,
                                    .field = looked_at[below(lottery, 8) % 7 % 4],
                                    .name = {"size", 4},
                                    .texts = &wanted[first],
                                    .text_count = 1 + below(lottery, 3),
                                    .from = 2 * INT64_C(1000000),
                                    .to = 700 * INT64_C(1000000)};
}

static struct baton_condition draw_where(struct lottery *lottery, uint32_t rule)
{
    uint32_t count = below(lottery, CHILDREN + 1);
    for (uint32_t i = 0; i < CHILDREN; i++) {
        lottery->grandchildren[rule][i] = draw_test(lottery);
        lottery->children[rule][i] = draw_test(lottery);
    }
    if (below(lottery, 3) == 0)
        lottery->children[rule][0] =
            (struct baton_condition){.match = below(lottery, 2) ? BATON_MATCH_ANY : BATON_MATCH_ALL,
                                     .negate = below(lottery, 2),
                                     .children = lottery->grandchildren[rule],
                                     .child_count = below(lottery, CHILDREN + 1)};
    if (below(lottery, 4) == 0)
        return lottery->children[rule][0];
    return (struct baton_condition){.match = below(lottery, 5) ? BATON_MATCH_ALL : BATON_MATCH_ANY,
                                    .negate = below(lottery, 5) == 0,
                                    .children = lottery->children[rule],
                                    .child_count = count};
}

/* Most rules are of the first kind: more than one word of bits. */
static void draw_agreement(struct lottery *lottery)
{
    uint32_t at = 0;
    struct baton_agreement *agreement = &lottery->agreement;
    *agreement = (struct baton_agreement){
        .behaviour = lottery->rules, .behaviour_count = RULES, .by_kind = lottery->by_kind};
    for (uint32_t i = 0; i < RULES; i++)
        lottery->rules[i] = (struct baton_behaviour_rule){
            .kind = (enum baton_event_kind)(below(lottery, KINDS + 2) % KINDS % 2 * KINDS),
            .where = draw_where(lottery, i)};
    for (unsigned kind = 0; kind < BATON_EVENT_KINDS; kind++) {
        agreement->kind_start[kind] = at;
        for (uint16_t i = 0; i < RULES; i++)
            if (lottery->rules[i].kind == kind)
                lottery->by_kind[at++] = i;
    }
    agreement->kind_start[BATON_EVENT_KINDS] = at;
}

static struct baton_event draw_event(struct lottery *lottery, struct baton_answer *answer)
{
    struct baton_event event = {.kind = (enum baton_event_kind)(below(lottery, 2) * KINDS),
                                .answers = answer,
                                .answer_count = below(lottery, 2)};
    for (unsigned field = 0; field < BATON_EVENT_FIELDS; field++)
        if (below(lottery, 3))
            event.fields[field] = lottery->texts[below(lottery, below(lottery, 2) ? TEXTS : 40)];
    *answer = (struct baton_answer){{"size", 4}, lottery->texts[below(lottery, TEXTS)]};
    return event;
}

static void compare(struct lottery *lottery)
{
    struct baton_answer answer;
    struct baton_allocator allocator = {counting_resize, lottery};
    uint64_t matched = 0;
    struct baton_fold_context without = {.agreement = &lottery->agreement}, with = without;
    with.matcher = baton_matcher_create(&lottery->agreement, allocator);
    size_t bytes = lottery->used_bytes;
    for (int i = 0; i < EVENTS; i++) {
        struct matched expected = {.hashed = 0}, found = {.hashed = 0};
        struct baton_event event = draw_event(lottery, &answer);
        matcher_find(&without, &event, &expected);
        matcher_find(&with, &event, &found);
        for (int word = 0; word < MATCHER_WORDS; word++) {
            cr_assert_eq(found.bits[word], expected.bits[word], "seed %llu, event %d",
                         (unsigned long long)lottery->seed, i);
            matched += (uint64_t)__builtin_popcountll(found.bits[word]);
        }
    }
    cr_assert_gt(matched, EVENTS);
    cr_assert_eq(lottery->used_bytes, bytes, "it grew");
    baton_matcher_destroy(with.matcher);
    cr_assert_eq(lottery->used_bytes, 0);
}

Test(domain_matcher, it_finds_what_looking_at_each_rule_finds)
{
    struct lottery *lottery = calloc(1, sizeof *lottery);
    draw_texts(lottery);
    for (uint64_t seed = 1; seed <= 10; seed++) {
        lottery->seed = seed * 2654435761u;
        draw_agreement(lottery);
        compare(lottery);
    }
    free(lottery);
}

static void *poor_resize(void *context, void *old, size_t old_size, size_t new_size)
{
    struct lottery *lottery = context;
    if (new_size && lottery->seed-- == 0) {
        lottery->seed = 0;
        return NULL;
    }
    return counting_resize(context, old, old_size, new_size);
}

Test(domain_matcher, without_memory_nothing_is_kept)
{
    struct lottery *lottery = calloc(1, sizeof *lottery);
    lottery->seed = 5;
    draw_agreement(lottery);
    for (uint64_t pieces = 0; pieces < 5; pieces++) {
        lottery->seed = pieces;
        struct baton_allocator allocator = {poor_resize, lottery};
        cr_assert_null(baton_matcher_create(&lottery->agreement, allocator));
        cr_assert_eq(lottery->used_bytes, 0);
    }
    free(lottery);
}
