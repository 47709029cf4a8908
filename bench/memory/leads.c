#include "memory/leads.h"

#include "base/hash.h"
#include "commands/lead_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 9u                        /* of each lead: the ring of ids is full */
#define BASE_MS INT64_C(1793534400000)   /* 2026-11-01T12:00:00Z */
#define SPREAD_MS INT64_C(3888000000)    /* 45 days that the events lie in */
#define FIRST_OFFSET UINT64_C(250000000) /* a partition of some age */
#define WORDS (1u << 16)                 /* as leads.dictionary has it by default */
#define PAGES 2000u
#define CAMPAIGNS 50u
#define CHANNELS 8u
#define FORMS 20u

#define RULES 3u /* each hit by three of the events */

/* ---- the agreement ---- */

static void print_agreement(const struct lead_kind *kind, struct text_buffer *text)
{
    text_buffer_print(text, "agreement: bench-memory\nversion: 1\nbehaviour:\n");
    for (unsigned i = 0; i < RULES; i++)
        text_buffer_print(
            text, "  - {id: rule-%u, event: visit, where: {page: /section-%u/*}, points: 1%s}\n", i,
            i, kind->meaning);
    text_buffer_print(text, "gates: {mql: {score: %d}, sql: {score: %d}}\ntouches: %u\n",
                      kind->promoted ? 1 : BATON_SCORE_MAX, kind->promoted ? 2 : BATON_SCORE_MAX,
                      kind->touches);
}

enum status lead_maker_init(struct lead_maker *maker, const struct lead_kind *kind, uint64_t seed,
                            struct error *error)
{
    *maker = (struct lead_maker){.kind = kind, .seed = seed, .allocator = heap_allocator()};
    struct text_buffer text, messages;
    text_buffer_init(&text);
    text_buffer_init(&messages);
    print_agreement(kind, &text);
    baton_words_init(&maker->words, WORDS, maker->allocator);
    enum status status =
        agreement_parse(kind->name, text.data, text.size, NULL, 0, &maker->agreement, &messages);
    if (status != STATUS_OK)
        (void)error_set(error, status, "%s", messages.data);
    text_buffer_fini(&messages);
    text_buffer_fini(&text);
    return status;
}

void lead_maker_fini(struct lead_maker *maker)
{
    agreement_destroy(maker->agreement);
    baton_words_fini(&maker->words);
}

/* ---- events ---- */

static uint64_t random_of(const struct lead_maker *maker, uint64_t number, uint64_t what)
{
    uint64_t words[2] = {number, what};
    return hash64(words, sizeof words, maker->seed);
}

void lead_id(const struct lead_maker *maker, uint64_t number, char id[LEAD_ID_BYTES + 1])
{
    unsigned long long high = random_of(maker, number, UINT64_MAX),
                       low = random_of(maker, number, UINT64_MAX - 1);
    (void)snprintf(id, LEAD_ID_BYTES + 1, "%08llx-%04llx-%04llx-%04llx-%012llx", high >> 32,
                   high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffff);
}

static struct baton_text print(struct arena *arena, const char *format, uint64_t number)
{
    char text[64];
    int size = snprintf(text, sizeof text, format, (unsigned)number);
    return (struct baton_text){arena_copy(arena, text, (size_t)size), (uint32_t)size};
}

static void say_profile(struct baton_event *event, struct baton_profile_update updates[6],
                        uint64_t number, struct arena *arena)
{
    static const struct {
        enum baton_profile_field field;
        const char *format;
    } fields[] = {{BATON_NAME, "anna van der berg %u"},
                  {BATON_EMAIL, "anna.%u@customer.example"},
                  {BATON_COMPANY, "customer %u limited"},
                  {BATON_JOB_TITLE, "head of department %u"},
                  {BATON_EMPLOYEES, "%u"},
                  {BATON_COUNTRY, "br"}};
    for (size_t i = 0; i < 6; i++) {
        struct baton_text value = print(arena, fields[i].format, number % 100000);
        updates[i] = (struct baton_profile_update){
            .field = fields[i].field, .value = value, .folded = value};
    }
    event->updates = updates;
    event->update_count = 6;
}

static void say_report(struct baton_event *event, struct baton_feedback *feedback,
                       enum baton_report report, uint64_t number, struct arena *arena)
{
    *feedback = (struct baton_feedback){.report = report,
                                        .at_ms = event->time_ms,
                                        .seller = print(arena, "seller-%u", number % CHANNELS),
                                        .has_deal = report == BATON_REPORT_ACCEPTED,
                                        .deal = (int64_t)(number % 10000000),
                                        .currency = {"EUR", 3}};
    event->feedback = feedback;
}

static void say_adjustment(struct baton_event *event, struct baton_adjustment *adjustment)
{
    *adjustment =
        (struct baton_adjustment){.by = {"anna", 4}, .reason = {"met at a fair", 13}, .points = 25};
    event->adjustment = adjustment;
}

static struct baton_event event_of(const struct lead_maker *maker, uint64_t number, unsigned index,
                                   struct arena *arena)
{
    uint64_t random = random_of(maker, number, index);
    struct baton_event event = {.kind = BATON_VISIT,
                                .event_id = {arena_copy(arena, &random, sizeof random), 8},
                                .time_ms = BASE_MS + (int64_t)(random % (uint64_t)SPREAD_MS),
                                .offset = (int64_t)(FIRST_OFFSET + 2 * EVENTS * number + index)};
    char page[64];
    int size = snprintf(page, sizeof page, "/section-%u/page-%u", index % RULES,
                        (unsigned)(random >> 32) % PAGES);
    event.fields[BATON_PAGE] =
        (struct baton_text){arena_copy(arena, page, (size_t)size), (uint32_t)size};
    if (maker->kind->says & SAYS_CHANNEL) {
        event.fields[BATON_CHANNEL] =
            print(arena, "channel-%u", (unsigned)(random >> 24) % CHANNELS);
        event.fields[BATON_CAMPAIGN] =
            print(arena, "campaign-%u", (unsigned)(random >> 16) % CAMPAIGNS);
    }
    return event;
}

/* ---- the lead ---- */

static void fold(struct lead_maker *maker, struct baton_lead *lead, const struct baton_event *event)
{
    struct baton_fold_context context = {.agreement = agreement_compiled(maker->agreement),
                                         .words = &maker->words,
                                         .allocator = &maker->allocator};
    struct baton_fold_result result;
    baton_fold(lead, event, &context, &result);
    if (result.outcome != BATON_FOLDED)
        abort(); /* every event has an id of its own; without memory nothing can be measured */
}

/* Events beside the nine, which no rule looks at. */
static const struct {
    unsigned says;
    enum baton_event_kind kind;
    enum baton_report report;
} extras[] = {{SAYS_PROFILE, BATON_PROFILE, 0},
              {SAYS_FORMS, BATON_FORM_FILL, 0},
              {SAYS_FORMS, BATON_FORM_FILL, 0},
              {SAYS_FORMS, BATON_FORM_FILL, 0},
              {SAYS_FORMS, BATON_FORM_FILL, 0},
              {SAYS_SALES, BATON_FEEDBACK, BATON_REPORT_CONTACTED},
              {SAYS_SALES, BATON_FEEDBACK, BATON_REPORT_ACCEPTED},
              {SAYS_ADJUSTED, BATON_ADJUST, 0}};

static void fold_extra(struct lead_maker *maker, struct baton_lead *lead, uint64_t number,
                       unsigned extra, struct arena *arena)
{
    struct baton_profile_update updates[6];
    struct baton_feedback feedback;
    struct baton_adjustment adjustment;
    struct baton_event event = event_of(maker, number, EVENTS + extra, arena);
    event.kind = extras[extra].kind;
    if (event.kind == BATON_PROFILE)
        say_profile(&event, updates, number, arena);
    else if (event.kind == BATON_FORM_FILL)
        event.fields[BATON_FORM] = print(arena, "form-%u", number % FORMS);
    else if (event.kind == BATON_FEEDBACK)
        say_report(&event, &feedback, extras[extra].report, number, arena);
    else
        say_adjustment(&event, &adjustment);
    fold(maker, lead, &event);
}

static void fold_all(struct lead_maker *maker, struct baton_lead *lead, uint64_t number,
                     struct arena *arena)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        struct baton_event event = event_of(maker, number, i, arena);
        fold(maker, lead, &event);
    }
    for (unsigned i = 0; i < sizeof extras / sizeof *extras; i++)
        if (maker->kind->says & extras[i].says)
            fold_extra(maker, lead, number, i, arena);
}

struct stored_lead lead_make(struct lead_maker *maker, uint64_t number, struct arena *arena)
{
    const struct baton_agreement *agreement = agreement_compiled(maker->agreement);
    struct baton_lead lead;
    baton_lead_init(&lead);
    baton_lead_attach(&lead, agreement);
    fold_all(maker, &lead, number, arena);
    char *id = arena_take(arena, LEAD_ID_BYTES + 1);
    lead_id(maker, number, id);
    uint8_t *packed = arena_take(arena, baton_lead_pack_bound(&lead));
    struct stored_lead stored = {.id = {id, LEAD_ID_BYTES},
                                 .stage = (enum baton_stage)lead.stage,
                                 .packed = packed,
                                 .packed_size = baton_lead_pack(&lead, lead.applied, packed)};
    baton_lead_score(&lead, agreement, lead.newest_ms, &stored.score);
    maker->packed_bytes += stored.packed_size;
    baton_lead_fini(&lead, &maker->allocator);
    return stored;
}
