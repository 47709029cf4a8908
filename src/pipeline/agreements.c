/* Which agreement a stretch of the log was folded under, and where its text can be found again. */
#include "agreement/shadow.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct baton_text text_of(const char *text)
{
    return (struct baton_text){.data = text, .size = (uint32_t)strlen(text)};
}

static void name_of(char *room, size_t size, const char *kind, const char *hash)
{
    (void)snprintf(room, size, "%s:%s", kind, hash);
}

static enum status stored_text(struct worker *worker, struct unit *unit, const char *kind,
                               const char *hash, struct baton_text *text, struct error *error)
{
    char name[AGREEMENT_HASH_MAX + 16];
    name_of(name, sizeof name, kind, hash);
    return worker->ports.store->text(worker->ports.store, unit->number, &unit->fence, text_of(name),
                                     &worker->talk, text, error);
}

static const struct agreement *held(const struct worker *worker, const char *hash,
                                    struct baton_text zone)
{
    for (size_t i = 0; i < worker->agreement_count; i++) {
        const struct held_agreement *known = &worker->agreements[i];
        if (strcmp(agreement_hash(known->agreement), hash) != 0)
            continue;
        if (!zone.data ||
            (zone.size == known->zone.size && memcmp(zone.data, known->zone.data, zone.size) == 0))
            return known->agreement;
    }
    return NULL;
}

static enum status parse_stored(struct worker *worker, const char *hash, struct baton_text text,
                                struct baton_text zone_text, struct agreement **parsed,
                                struct error *error)
{
    struct baton_zone_offset *zone = NULL;
    uint32_t zone_count = 0;
    if (zone_text.data &&
        agreement_zone_read(zone_text.data, zone_text.size, &zone, &zone_count) != STATUS_OK)
        return error_set(error, STATUS_STOP,
                         "the time zone stored with agreement %s is damaged: rebuild the unit "
                         "(baton run --rebuild)",
                         hash);
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = agreement_parse("(stored in Redis)", text.data, text.size, zone,
                                         zone_count, parsed, &messages);
    if (status != STATUS_OK)
        (void)error_set(
            error, STATUS_STOP,
            "agreement %s, under which events were folded, cannot be read any more: %.300s", hash,
            messages.data ? messages.data : "");
    else if (strcmp(agreement_hash(*parsed), hash) != 0) {
        status =
            error_set(error, STATUS_STOP, "the text stored as agreement %s is another one (%s)",
                      hash, agreement_hash(*parsed));
        agreement_destroy(*parsed);
    }
    text_buffer_fini(&messages);
    free(zone);
    (void)worker;
    return status;
}

static struct held_agreement *add_held(struct worker *worker, const struct agreement *agreement)
{
    worker->agreements = memory_resize(worker->agreements,
                                       (worker->agreement_count + 1) * sizeof *worker->agreements);
    struct held_agreement *entry = &worker->agreements[worker->agreement_count++];
    *entry = (struct held_agreement){.agreement = agreement};
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    text_buffer_init(&entry->zone);
    agreement_zone_write(compiled->zone, compiled->zone_count, &entry->zone);
    worker_want_fields(worker, agreement);
    return entry;
}

static const struct agreement *keep(struct worker *worker, struct agreement *parsed)
{
    add_held(worker, parsed)->owned = parsed;
    return parsed;
}

/* The one that it is, not another one of the same text: what is held must be found by its address.
 */
static const struct held_agreement *entry_of(const struct worker *worker,
                                             const struct agreement *agreement)
{
    for (size_t i = 0; i < worker->agreement_count; i++)
        if (worker->agreements[i].agreement == agreement)
            return &worker->agreements[i];
    return NULL;
}

void agreements_hold(struct worker *worker, const struct agreement *agreement)
{
    if (!entry_of(worker, agreement))
        (void)add_held(worker, agreement);
}

enum status agreements_find(struct worker *worker, struct unit *unit, const char *hash,
                            const struct agreement **out, struct error *error)
{
    struct baton_text zone, text;
    enum status status = stored_text(worker, unit, "zone", hash, &zone, error);
    if (status != STATUS_OK)
        return status;
    *out = held(worker, hash, zone);
    if (*out)
        return STATUS_OK;
    status = stored_text(worker, unit, "agreement", hash, &text, error);
    if (status != STATUS_OK)
        return status;
    const struct agreement *known = versions_find(worker->versions, hash);
    if (!text.data && known)
        text = agreement_text(known);
    if (!text.data)
        return error_set(error, STATUS_STOP,
                         "events were folded under agreement %s, and its text is neither in Redis "
                         "nor among the ones in force: start once with "
                         "that agreement, or rebuild the unit (baton run --rebuild)",
                         hash);
    struct agreement *parsed = NULL;
    status = parse_stored(worker, hash, text, zone, &parsed, error);
    if (status == STATUS_OK)
        *out = keep(worker, parsed);
    return status;
}

enum status agreements_store(struct worker *worker, struct unit *unit,
                             const struct agreement *agreement, struct error *error)
{
    const char *hash = agreement_hash(agreement);
    struct baton_text stored;
    enum status status = stored_text(worker, unit, "agreement", hash, &stored, error);
    if (status != STATUS_OK || stored.data)
        return status;
    char name[AGREEMENT_HASH_MAX + 16], zone_name[AGREEMENT_HASH_MAX + 16];
    name_of(name, sizeof name, "agreement", hash);
    name_of(zone_name, sizeof zone_name, "zone", hash);
    const struct text_buffer *zone = &entry_of(worker, agreement)->zone;
    struct field texts[2] = {
        {.name = text_of(zone_name), .value = {.data = zone->data, .size = (uint32_t)zone->size}},
        {.name = text_of(name), .value = agreement_text(agreement)}};
    struct store_write write = {.texts = texts, .text_count = 2};
    status = unit_write_now(worker, unit, &write, error);
    CRASH_POINT("agreement_stored");
    return status;
}

/* Does not count into the table's memory: no lead could give it back. */
static void *own_resize(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size)
        return memory_resize(old, new_size);
    free(old);
    return NULL;
}

/* What its own rules are depends on the agreement beside it: one is made for each. An agreement
 * that both sides have signed does not wait for a shadow. */
static void make_shadow(const struct worker *worker, struct held_agreement *held)
{
    struct error error;
    const struct agreement *shadow = worker->config.shadow;
    if (shadow && shadow_create(shadow, held->agreement, &held->shadow, &error) != STATUS_OK)
        log_warn("worker=%u the shadow rests while agreement %s version %" PRIu32
                 " (%.8s) is in force: %s",
                 worker->config.number, agreement_name(held->agreement),
                 agreement_version(held->agreement), agreement_hash(held->agreement), error.text);
}

void agreements_equip(struct worker *worker, struct baton_fold_context *context)
{
    size_t i = 0;
    while (i < worker->agreement_count &&
           agreement_compiled(worker->agreements[i].agreement) != context->agreement)
        i++;
    assert(i < worker->agreement_count);
    struct held_agreement *held = &worker->agreements[i];
    if (!held->matcher) {
        held->matcher = baton_matcher_create(context->agreement,
                                             (struct baton_allocator){.resize = own_resize});
        make_shadow(worker, held);
    }
    context->matcher = held->matcher;
    context->shadow = held->shadow ? shadow_compiled(held->shadow) : NULL;
}

void agreements_forget(struct worker *worker)
{
    for (size_t i = 0; i < worker->agreement_count; i++) {
        struct held_agreement *held = &worker->agreements[i];
        baton_matcher_destroy(held->matcher);
        shadow_destroy(held->shadow);
        if (held->owned)
            agreement_destroy(held->owned);
        text_buffer_fini(&held->zone);
    }
    free(worker->agreements);
    worker->agreements = NULL;
    worker->agreement_count = 0;
}
