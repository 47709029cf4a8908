#include "pipeline/hops.h"

#include "domain/lead_portable.h"
#include "pipeline/transfer_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct baton_text copy_text(struct arena *arena, struct baton_text text)
{
    return (struct baton_text){arena_copy(arena, text.data, text.size), text.size};
}

static void add_aliases(struct hop_cargo *cargo, struct arena *arena, const struct baton_lead *lead,
                        struct baton_text one_more)
{
    uint32_t known = lead->history ? lead->history->alias_count : 0;
    struct baton_text *aliases = arena_take(arena, (known + 1) * sizeof *aliases);
    for (uint32_t i = 0; i < known; i++)
        aliases[i] = copy_text(arena, lead->history->aliases[i]);
    if (one_more.size)
        aliases[known++] = one_more;
    cargo->aliases = aliases;
    cargo->alias_count = known;
}

/* A stub says when it was given up, and for whom: nothing of a person. One that stops being a stub
 * with this very merge has nothing to hand over. */
static void add_state(struct hop_cargo *cargo, struct arena *arena, const struct baton_lead *lead,
                      const struct baton_event *event, const struct baton_words *words,
                      size_t event_bytes)
{
    struct baton_lead nobody;
    baton_lead_init(&nobody);
    if (lead->flags & BATON_LEAD_MERGED)
        lead = &nobody;
    size_t room = event_bytes ? hop_transfer_room(event, event_bytes) : SIZE_MAX;
    for (unsigned i = 0; lead->history && i < BATON_CLOCKS; i++)
        cargo->has_clocks = cargo->has_clocks || lead->history->clocks[i].start_ms;
    cargo->state = transfer_state(arena, lead, words, room, &cargo->left_out);
}

/* A lead that was given up for one that had been erased by then: its ids are erased, too. */
static void add_transferred(struct hop_cargo *cargo, struct arena *arena,
                            const struct baton_transfer *transfer,
                            struct baton_allocator *allocator)
{
    struct baton_lead lead;
    baton_lead_init(&lead);
    (void)lead_portable_read(&lead, (const uint8_t *)transfer->state.data, transfer->state.size,
                             NULL, allocator);
    add_aliases(cargo, arena, &lead, transfer->from);
    baton_lead_fini(&lead, allocator);
}

static bool is_too_old(const struct baton_lead *lead, const struct baton_event *event,
                       const struct tombstones *tombstones)
{
    return lead->flags & BATON_LEAD_ERASED && event->kind != BATON_RECHECK &&
           event->offset >= lead->applied &&
           tombstones_cover(tombstones, tombstones_lead(event->lead_id), event->offset,
                            event->time_ms);
}

void hops_fold(struct baton_lead *lead, const struct baton_event *event,
               const struct baton_fold_context *context, struct tombstones *tombstones,
               struct arena *arena, size_t event_bytes, struct baton_fold_result *result,
               struct hop_cargo *cargo)
{
    if (is_too_old(lead, event, tombstones)) {
        bool transfer = event->kind == BATON_TRANSFER;
        *cargo = (struct hop_cargo){0};
        *result = (struct baton_fold_result){.outcome = BATON_TOO_OLD,
                                             .hop = transfer ? BATON_HOP_ERASE : BATON_NO_HOP};
        if (transfer)
            add_transferred(cargo, arena, event->transfer, context->allocator);
        return;
    }
    if (event->kind == BATON_MERGE) {
        *cargo = (struct hop_cargo){0};
        add_state(cargo, arena, lead, event, context->words, event_bytes);
    } else if (event->kind == BATON_ERASE) {
        *cargo = (struct hop_cargo){0};
        add_aliases(cargo, arena, lead, (struct baton_text){0});
    }
    baton_fold(lead, event, context, result);
    if (event->kind == BATON_ERASE && result->outcome == BATON_FOLDED)
        tombstones_add(tombstones, tombstones_lead(event->lead_id), event->time_ms, event->offset);
}

void hops_meet_new(struct baton_lead *lead, struct baton_text id,
                   const struct tombstones *tombstones)
{
    if (tombstones->count && tombstones_know(tombstones, tombstones_lead(id)))
        lead->flags = BATON_LEAD_EMPTIED | BATON_LEAD_ERASED;
}

struct outgoing_message *hops_make(struct arena *arena, const struct message *message,
                                   const struct hop_cause *cause,
                                   const struct baton_fold_result *result,
                                   const struct hop_cargo *cargo, size_t *count)
{
    *count = result->hop == BATON_HOP_ERASE ? cargo->alias_count : 1;
    struct outgoing_message *out = arena_take(arena, (*count + 1) * sizeof *out);
    struct hop_cause told = *cause;
    if (result->hop == BATON_HOP_TRANSFER && !cargo->has_clocks)
        told.clock_ms = told.arrived_ms = 0;
    if (result->hop == BATON_HOP_FORWARD)
        hop_forward(arena, message, cause, result->to, out);
    else if (result->hop == BATON_HOP_TRANSFER)
        hop_transfer(arena, &told, result->to, cargo->state, out);
    else
        for (size_t i = 0; i < *count; i++)
            hop_erase(arena, cause, cargo->aliases[i], &out[i]);
    return out;
}

static size_t size_of(const struct outgoing_message *message)
{
    size_t size = message->key_size + message->value_size;
    for (size_t i = 0; i < message->header_count; i++)
        size += strlen(message->headers[i].name) + message->headers[i].value_size +
                HOP_HEADER_FRAME_BYTES;
    return size;
}

bool hops_fit(struct outgoing_message *message, size_t event_bytes, struct decode_result *verdict)
{
    if (!event_bytes || size_of(message) <= event_bytes)
        return true;
    hop_keep_own_headers(message);
    size_t size = size_of(message);
    if (size <= event_bytes)
        return true;
    *verdict = (struct decode_result){.outcome = DECODE_DEAD, .reason = DEAD_TOO_LARGE};
    (void)snprintf(verdict->detail, sizeof verdict->detail,
                   "the message to the lead that it is for has %zu bytes, and the events topic "
                   "takes %zu (max.message.bytes)",
                   size, event_bytes);
    return false;
}

void hops_verdict(const struct baton_fold_result *result, struct decode_result *verdict)
{
    *verdict = (struct decode_result){
        .outcome = DECODE_DEAD,
        .reason = result->refusal == BATON_REFUSED_STATE ? DEAD_BAD_CONTENT : DEAD_MERGE_CYCLE};
    (void)snprintf(verdict->detail, sizeof verdict->detail, "%s", result->refused);
}
