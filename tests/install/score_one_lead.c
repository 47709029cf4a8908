/* An outside program: an agreement by hand, three events folded into one lead, its score. */
#include <baton/scoring.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void *resize(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

static const struct baton_text pricing_page[] = {TEXT("/pricing*")};
static const struct baton_condition on_pricing[] = {
    {.match = BATON_MATCH_GLOB, .field = BATON_PAGE, .texts = pricing_page, .text_count = 1}};
static const struct baton_text owner[] = {TEXT("owner")};

static const struct baton_behaviour_rule behaviour[] = {
    {.id = TEXT("pricing"),
     .hash = 1,
     .kind = BATON_VISIT,
     .where = {.match = BATON_MATCH_ALL, .children = on_pricing, .child_count = 1},
     .points = 10,
     .half_life_ms = 14 * DAY_MS},
    {.id = TEXT("demo"),
     .hash = 2,
     .kind = BATON_FORM_FILL,
     .where = {.match = BATON_MATCH_ALL},
     .points = 40,
     .cap_times = 1,
     .cap_period = BATON_PER_EVER},
};
static const struct baton_fit_rule fit[] = {{.id = TEXT("decision-maker"),
                                             .where = {.match = BATON_MATCH_CONTAINS,
                                                       .field = BATON_JOB_TITLE,
                                                       .texts = owner,
                                                       .text_count = 1},
                                             .points = 20}};
static const uint16_t by_kind[] = {0, 1};
static const struct baton_zone_offset utc[] = {{INT64_MIN, 0}};

static const struct baton_agreement agreement = {
    .name = TEXT("outside"),
    .version = 1,
    .zone = utc,
    .zone_count = 1,
    .behaviour = behaviour,
    .behaviour_count = 2,
    .by_kind = by_kind,
    .kind_start = {0, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2},
    .fit = fit,
    .fit_count = 1,
    .limit_behaviour = BATON_NO_LIMIT,
    .limit_fit = BATON_NO_LIMIT,
    .mql = {.score = 40, .fit = BATON_NO_THRESHOLD, .behaviour = BATON_NO_THRESHOLD},
    .sql = {.score = 60, .fit = 10, .behaviour = BATON_NO_THRESHOLD},
    .touches = 8,
};

int main(void)
{
    struct baton_allocator allocator = {resize, NULL};
    struct baton_profile_update title = {
        .field = BATON_JOB_TITLE, .value = TEXT("Owner"), .folded = TEXT("owner")};
    struct baton_event events[] = {
        {.kind = BATON_VISIT, .event_id = TEXT("e1"), .fields[BATON_PAGE] = TEXT("/pricing")},
        {.kind = BATON_PROFILE, .event_id = TEXT("e2"), .updates = &title, .update_count = 1},
        {.kind = BATON_FORM_FILL, .event_id = TEXT("e3"), .fields[BATON_FORM] = TEXT("demo")},
    };
    struct baton_words words;
    struct baton_lead lead;
    baton_words_init(&words, 1000, allocator);
    baton_lead_init(&lead);
    struct baton_fold_context context = {
        .agreement = &agreement, .words = &words, .allocator = &allocator};
    for (int i = 0; i < 3; i++) {
        struct baton_fold_result result;
        events[i].offset = i;
        events[i].time_ms = i * 7 * DAY_MS; /* the visit is one half-life old at the end */
        baton_fold(&lead, &events[i], &context, &result);
        for (unsigned t = 0; t < result.transition_count; t++)
            printf("%s -> %s\n", baton_stage_name(result.transitions[t].from),
                   baton_stage_name(result.transitions[t].to));
    }
    struct baton_score score;
    baton_lead_score(&lead, &agreement, lead.newest_ms, &score);
    printf("score %d.%02d fit %d behaviour %d\n", score.score / 100, score.score % 100,
           score.fit / 100, score.behaviour / 100);
    baton_lead_fini(&lead, &allocator);
    baton_words_fini(&words);
    return 0;
}
