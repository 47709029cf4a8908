#include "demo/story.h"

#include "base/arena.h"
#include "demo/visitors.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_SESSIONS = 6, /* visitors on the site at a time: their events mix */
    ENGAGED = 4096,    /* visitors who may come back */
    REPEAT_AFTER = 3,  /* messages; well within the eight event ids that a lead remembers */
    DAY_MS = 86400000
};

struct repeat {
    char *key, *value;
    size_t key_size, value_size;
    uint64_t due; /* message number */
};

struct story {
    struct story_plan plan;
    struct teller teller;
    uint64_t told, unreadable_told; /* told: events */
    uint64_t messages;
    uint32_t visitors, sessions;
    uint32_t engaged[ENGAGED];
    uint8_t visits[ENGAGED]; /* sessions of each of them */
    size_t engaged_count;
    struct session open[OPEN_SESSIONS];
    struct repeat waiting[REPEAT_AFTER + 2];
    size_t waiting_count;
    char key[32];
};

/* ---- Who comes next ---- */

static uint32_t pick_visitor(struct story *story)
{
    if (story->engaged_count > 20 && teller_percent(&story->teller, 35)) {
        size_t at = teller_below(&story->teller, (uint32_t)story->engaged_count);
        uint32_t visitor = story->engaged[at];
        if (++story->visits[at] >= 4) { /* has decided, one way or the other */
            story->engaged_count--;
            story->engaged[at] = story->engaged[story->engaged_count];
            story->visits[at] = story->visits[story->engaged_count];
        }
        return visitor;
    }
    uint32_t visitor = story->visitors++;
    if (teller_persona(&story->teller, visitor) >= RESEARCHER && story->engaged_count < ENGAGED) {
        story->engaged[story->engaged_count] = visitor;
        story->visits[story->engaged_count++] = 0;
    }
    return visitor;
}

static struct session *pick_session(struct story *story)
{
    struct session *session = &story->open[teller_below(&story->teller, OPEN_SESSIONS)];
    if (session->left > 0)
        return session;
    uint32_t visitor = pick_visitor(story);
    uint32_t least = teller_persona(&story->teller, visitor) == PASSER_BY ? 1 : 3;
    *session = (struct session){
        .visitor = visitor,
        .left = least + teller_below(&story->teller,
                                     teller_persona(&story->teller, visitor) >= RESEARCHER ? 6 : 3),
        .number = story->sessions++};
    return session;
}

/* ---- The messages ---- */

struct story_plan story_plan_for(uint64_t events, int64_t end_ms, uint64_t seed)
{
    double days = (double)events / 2000;
    return (struct story_plan){
        .events = events,
        .late = events * 2 / 100,
        .repeats = events * 3 / 100,
        .unreadable = events / 200,
        .days = days < 1    ? 1
                : days > 30 ? 30
                            : days,
        .end_ms = end_ms,
        .seed = seed,
    };
}

uint64_t story_plan_messages(const struct story_plan *plan)
{
    return plan->events + plan->repeats + plan->unreadable;
}

/* Spreads `share` of the events evenly: true for exactly so many of them. */
static bool is_due(uint64_t index, uint64_t share, uint64_t all)
{
    return all > 0 && (index + 1) * share / all > index * share / all;
}

static void keep_repeat(struct story *story)
{
    assert(story->waiting_count < sizeof story->waiting / sizeof *story->waiting);
    struct repeat *repeat = &story->waiting[story->waiting_count++];
    repeat->key_size = strlen(story->key);
    repeat->key = memory_copy_text(story->key);
    repeat->value_size = story->teller.value.size;
    repeat->value = memory_copy_text(story->teller.value.data);
    repeat->due = story->messages + 1 + teller_below(&story->teller, REPEAT_AFTER);
}

static bool tell_repeat(struct story *story, struct story_message *message)
{
    bool rest = story->told == story->plan.events;
    if (story->waiting_count == 0 || (story->waiting[0].due > story->messages && !rest))
        return false;
    struct repeat repeat = story->waiting[0];
    memmove(story->waiting, story->waiting + 1, --story->waiting_count * sizeof *story->waiting);
    (void)snprintf(story->key, sizeof story->key, "%s", repeat.key);
    text_buffer_clear(&story->teller.value);
    text_buffer_add(&story->teller.value, repeat.value, repeat.value_size);
    free(repeat.key);
    free(repeat.value);
    *message = (struct story_message){STORY_REPEAT, story->key, repeat.key_size,
                                      story->teller.value.data, story->teller.value.size};
    return true;
}

int64_t story_time_ms(const struct story *story)
{
    double share = (double)(story->plan.events - story->told) / (double)story->plan.events;
    return story->plan.end_ms - (int64_t)(share * story->plan.days * DAY_MS);
}

/* One of each sort in turn; each has its own reason among the dead letters. */
static void tell_unreadable(struct story *story, struct story_message *message)
{
    uint32_t visitor = teller_below(&story->teller, story->visitors + 1);
    uint64_t id = teller_chance(&story->teller);
    int64_t now = story_time_ms(story);
    struct text_buffer *out = &story->teller.value;
    (void)snprintf(story->key, sizeof story->key, "v-%06u", visitor);
    text_buffer_clear(out);
    switch (story->unreadable_told++ % 8) {
    case 0:
        text_buffer_print(out, "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64 "\",\"lead_", id);
        break;
    case 1: text_buffer_add_text(out, "<html><h1>502 Bad Gateway</h1></html>"); break;
    case 2:
        text_buffer_print(out, "{\"kind\":\"visit\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                          story->key, now);
        break;
    case 3:
        text_buffer_print(
            out, "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64 "\",\"time\":%" PRId64 "}", id,
            now);
        break;
    case 4:
        text_buffer_print(out,
                          "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"someone-else\",\"time\":%" PRId64 "}",
                          id, now);
        break;
    case 5:
        text_buffer_print(out,
                          "{\"kind\":\"scroll\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                          id, story->key, now);
        break;
    case 6:
        text_buffer_print(out,
                          "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"%s\",\"time\":\"yesterday\"}",
                          id, story->key);
        break;
    default:
        text_buffer_print(out,
                          "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                          id, story->key, story->plan.end_ms + (int64_t)30 * DAY_MS);
        break;
    }
    *message = (struct story_message){STORY_UNREADABLE, story->key, strlen(story->key), out->data,
                                      out->size};
}

static void tell_next(struct story *story, struct story_message *message)
{
    struct session *session = pick_session(story);
    bool late = is_due(story->told, story->plan.late, story->plan.events);
    int64_t time_ms = story_time_ms(story);
    if (late)
        time_ms -= (int64_t)(1 + teller_below(&story->teller, 36)) * 3600000;
    (void)snprintf(story->key, sizeof story->key, "v-%06u", session->visitor);
    teller_tell(&story->teller, session, time_ms);
    session->told++;
    session->left--;
    if (is_due(story->told, story->plan.repeats, story->plan.events))
        keep_repeat(story);
    story->told++;
    *message =
        (struct story_message){late ? STORY_LATE : STORY_EVENT, story->key, strlen(story->key),
                               story->teller.value.data, story->teller.value.size};
}

bool story_next(struct story *story, struct story_message *message)
{
    const struct story_plan *plan = &story->plan;
    if (!tell_repeat(story, message)) {
        /* Unreadable ones fall between the events at even distances. */
        bool rest = story->told == plan->events;
        if (story->unreadable_told < plan->unreadable &&
            (rest || story->unreadable_told * plan->events < story->told * plan->unreadable))
            tell_unreadable(story, message);
        else if (!rest)
            tell_next(story, message);
        else
            return false;
    }
    story->messages++;
    return true;
}

struct story *story_create(const struct story_plan *plan, const struct baton_agreement *agreement)
{
    struct story *story = memory_take_zeroed(1, sizeof *story);
    story->plan = *plan;
    story->teller.agreement = agreement;
    story->teller.seed = story->teller.random = plan->seed;
    text_buffer_init(&story->teller.value);
    return story;
}

void story_destroy(struct story *story)
{
    for (size_t i = 0; i < story->waiting_count; i++) {
        free(story->waiting[i].key);
        free(story->waiting[i].value);
    }
    text_buffer_fini(&story->teller.value);
    free(story);
}
