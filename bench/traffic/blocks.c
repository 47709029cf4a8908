#include "traffic/blocks.h"

#include "base/bytes.h"
#include "traffic/traffic.h"

#include <assert.h>
#include <stdio.h>

/* ---- The pen ---- */

void pen_raw(struct pen *pen, const char *text)
{
    pen->at = bytes_put(pen->at, text, strlen(text));
}

/* In JSON every field but the first has a comma before it; the first one stands in the head. */
static void pen_name(struct pen *pen, const char *name)
{
    pen_raw(pen, ",\"");
    pen_raw(pen, name);
    pen_raw(pen, "\":");
}

/* The branch that is not null. */
static void pen_some(struct pen *pen, const char *name)
{
    if (pen->json)
        pen_name(pen, name);
    else
        *pen->at++ = 2;
}

/* A text whose last `open` bytes are still to come: without its end. */
static void pen_open_text(struct pen *pen, const char *text, uint32_t open)
{
    if (pen->json)
        *pen->at++ = '"';
    else
        pen->at = bytes_put_zigzag(pen->at, (int64_t)(strlen(text) + open));
    pen_raw(pen, text);
}

static void pen_close_text(struct pen *pen)
{
    if (pen->json)
        *pen->at++ = '"';
}

static void pen_plain_text(struct pen *pen, const char *text)
{
    pen_open_text(pen, text, 0);
    pen_close_text(pen);
}

void pen_null(struct pen *pen)
{
    if (!pen->json)
        *pen->at++ = 0;
}

void pen_text(struct pen *pen, const char *name, const char *text)
{
    if (!text) {
        pen_null(pen);
        return;
    }
    pen_some(pen, name);
    pen_plain_text(pen, text);
}

void pen_number(struct pen *pen, const char *name, int64_t number)
{
    char text[24];
    pen_some(pen, name);
    if (pen->json) {
        (void)snprintf(text, sizeof text, "%lld", (long long)number);
        pen_raw(pen, text);
    } else {
        pen->at = bytes_put_zigzag(pen->at, number);
    }
}

void pen_boolean(struct pen *pen, const char *name, bool value)
{
    pen_some(pen, name);
    if (pen->json)
        pen_raw(pen, value ? "true" : "false");
    else
        *pen->at++ = value;
}

/* ---- Blocks ---- */

static struct pen pen_on(struct block *block, bool json)
{
    memset(block, 0, sizeof *block);
    return (struct pen){json, block->bytes};
}

static void pen_off(const struct pen *pen, struct block *block)
{
    block->size = (uint32_t)(pen->at - block->bytes);
    assert(block->size <= BLOCK_ROOM - BLOCK_STEP);
}

static void make_heads(struct blocks *blocks)
{
    static const char *const names[BLOCK_KINDS] = {"", "visit", "click", "form_fill", "profile"};
    for (int kind = 1; kind < BLOCK_KINDS; kind++) {
        struct block *head = &blocks->heads[kind];
        struct pen pen = pen_on(head, blocks->json);
        if (blocks->json) {
            pen_raw(&pen, "{\"kind\":\"");
            pen_raw(&pen, names[kind]);
            pen_raw(&pen, "\",\"event_id\":\"");
        } else {
            pen.at = bytes_put(pen.at, (const uint8_t[]){0, 0, 0, 0, (uint8_t)kind}, 5);
            pen.at = bytes_put_zigzag(pen.at, TRAFFIC_ID_SIZE);
        }
        pen_off(&pen, head);
    }
    struct pen pen = pen_on(&blocks->lead, blocks->json);
    if (blocks->json)
        pen_raw(&pen, "\",\"lead_id\":\"");
    else
        pen.at = bytes_put_zigzag(pen.at, TRAFFIC_LEAD_ID_SIZE);
    pen_off(&pen, &blocks->lead);
    pen = pen_on(&blocks->time, blocks->json);
    if (blocks->json)
        pen_raw(&pen, "\",\"time\":");
    pen_off(&pen, &blocks->time);
}

/* A text field that may have padding at its end, and what comes behind it by another pen. */
static struct pen make_padded(struct padded_block *out, bool json, const char *name,
                              const char *text, uint32_t padding)
{
    char whole[BLOCK_ROOM];
    struct pen pen = pen_on(&out->before, json);
    if (!padding) {
        pen_text(&pen, name, text);
        pen_off(&pen, &out->before);
        return pen_on(&out->after, json);
    }
    (void)snprintf(whole, sizeof whole, "%s?s=", text ? text : "https://r.example.org/");
    pen_some(&pen, name);
    pen_open_text(&pen, whole, padding);
    pen_off(&pen, &out->before);
    pen = pen_on(&out->after, json);
    pen_close_text(&pen);
    return pen;
}

static void make_pages(struct blocks *blocks)
{
    for (size_t i = 0; i < SITE_PAGES; i++) {
        char url[BLOCK_ROOM];
        (void)snprintf(url, sizeof url, SITE_ADDRESS "%s", site_pages[i]);
        struct pen pen = make_padded(&blocks->pages[i], blocks->json, "url",
                                     blocks->shape.no_url ? NULL : url, blocks->shape.url_padding);
        pen_text(&pen, "page", site_pages[i]);
        pen_off(&pen, &blocks->pages[i].after);
    }
}

static void make_sources(struct blocks *blocks)
{
    for (size_t i = 0; i < SITE_SOURCES; i++) {
        const struct site_source *source = &site_sources[i];
        struct pen pen = make_padded(&blocks->sources[i], blocks->json, "referrer",
                                     blocks->shape.no_referrer ? NULL : source->referrer,
                                     blocks->shape.referrer_padding);
        pen_text(&pen, "channel", source->channel);
        pen_text(&pen, "campaign", source->campaign);
        pen_off(&pen, &blocks->sources[i].after);
    }
}

struct answer {
    const char *name, *value;
};

static void pen_answers(struct pen *pen, const struct answer *answers, size_t count)
{
    pen_some(pen, "fields");
    if (pen->json)
        *pen->at++ = '{';
    else
        pen->at = bytes_put_zigzag(pen->at, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        if (pen->json && i > 0)
            *pen->at++ = ',';
        pen_plain_text(pen, answers[i].name);
        if (pen->json)
            *pen->at++ = ':';
        else
            *pen->at++ = 2; /* of ["null", "string"] */
        pen_plain_text(pen, answers[i].value);
    }
    *pen->at++ = pen->json ? '}' : 0; /* no further block of a map */
}

/* The first form asks for nothing that is not known; the others ask for more. */
static void make_form(struct block *block, bool json, size_t form, size_t variant, bool profiles)
{
    static const char *const topics[FORM_VARIANTS] = {
        "pricing", "migration", "security", "support", "training", "scale", "partners", "other"};
    static const char *const teams[FORM_VARIANTS] = {"1-10",   "11-50", "51-200", "201-500",
                                                     "501-1k", "1k-5k", "5k-10k", "10k-up"};
    const struct answer answers[] = {{"topic", topics[variant]},
                                     {"team_size", teams[(variant + form) % FORM_VARIANTS]},
                                     {"company", site_companies[2 * variant + form % 2]},
                                     {"job_title", site_job_titles[2 * variant + form % 2]}};
    struct pen pen = pen_on(block, json);
    pen_text(&pen, "form", site_forms[form]);
    if (form == 0)
        pen_null(&pen);
    else
        pen_answers(&pen, answers, profiles ? 4 : 2);
    pen_off(&pen, block);
}

static void make_ends(struct blocks *blocks)
{
    struct pen pen = pen_on(&blocks->session, blocks->json);
    if (!blocks->shape.no_session) {
        pen_some(&pen, "session");
        pen_open_text(&pen, "s-", 16);
    }
    pen_off(&pen, &blocks->session);
    for (size_t i = 0; i < SITE_AGENTS; i++) {
        pen = pen_on(&blocks->agents[i], blocks->json);
        if (blocks->shape.no_session)
            pen_null(&pen);
        else
            pen_close_text(&pen);
        pen_text(&pen, "user_agent", blocks->shape.no_agent ? NULL : site_agents[i]);
        if (blocks->json)
            *pen.at++ = '}';
        pen_off(&pen, &blocks->agents[i]);
    }
}

void blocks_init(struct blocks *blocks, bool json, const struct event_shape *shape,
                 bool form_profiles)
{
    blocks->json = json;
    blocks->shape = *shape;
    make_heads(blocks);
    make_pages(blocks);
    make_sources(blocks);
    for (size_t i = 0; i < SITE_TARGETS; i++) {
        struct pen pen = pen_on(&blocks->targets[i], json);
        pen_text(&pen, "target", site_targets[i]);
        pen_off(&pen, &blocks->targets[i]);
    }
    for (size_t form = 0; form < SITE_FORMS; form++)
        for (size_t variant = 0; variant < FORM_VARIANTS; variant++)
            make_form(&blocks->forms[form][variant], json, form, variant, form_profiles);
    make_ends(blocks);
}
