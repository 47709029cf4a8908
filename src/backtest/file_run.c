#include "backtest/file_run.h"

#include "codec/hop.h"

#include <stdlib.h>

#define WORDS_CAPACITY (1u << 24)
#define HOPS_PER_LINE_BITS 20

enum status file_run_init(struct file_run *run, const struct backtest_config *config,
                          bool is_candidate, struct error *error)
{
    *run = (struct file_run){.hops = NULL};
    fold_run_init(&run->fold, config, 0, is_candidate, WORDS_CAPACITY);
    run->fold.present_ms = 0;
    reading_figures_init(&run->figures);
    enum status status = fold_tools_init(&run->tools, config, error);
    enum status reads = reading_init(&run->reading, config, error);
    return status == STATUS_OK ? reads : status;
}

void file_run_fini(struct file_run *run)
{
    fold_run_fini(&run->fold);
    fold_tools_fini(&run->tools);
    reading_fini(&run->reading);
    free(run->hops);
}

struct message file_line_message(const struct file_line *line)
{
    return (struct message){.value = line->value,
                            .value_size = line->size,
                            .timestamp_ms = -1,
                            .offset = line->number << HOPS_PER_LINE_BITS};
}

/* ---- what follows
 * -------------------------------------------------------------------------------- */

static void keep_made(struct file_run *run, const struct outgoing_message *made, size_t count)
{
    if (run->hop_count + count > run->hop_room) {
        run->hop_room = 2 * (run->hop_count + count);
        run->hops = memory_resize(run->hops, run->hop_room * sizeof *run->hops);
    }
    for (size_t i = 0; i < count; i++)
        run->hops[run->hop_count++] = made[i];
}

static void keep_hops(struct file_run *run, const struct message *message,
                      const struct hop_cause *cause, const struct lead_entry *entry,
                      const struct folded *folded)
{
    const struct identity_config *identity = run->fold.config->identity;
    struct arena *arena = &run->tools.arena;
    struct baton_text id;
    if (folded->result.hop) {
        size_t count;
        const struct outgoing_message *made =
            hops_make(arena, message, cause, &folded->result, &folded->cargo, &count);
        keep_made(run, made, count);
    }
    if (identity && identity->enabled && folded->result.outcome == BATON_FOLDED &&
        identity_of(identity, cause->event, &entry->lead, arena, &id)) {
        struct outgoing_message made;
        hop_identify(arena, cause, id, &made);
        keep_made(run, &made, 1);
    }
}

/* ---- a line
 * -------------------------------------------------------------------------------------- */

static void fold(struct file_run *run, const struct message *message,
                 const struct baton_event *event, uint64_t hash, const struct origin *origin)
{
    struct folded folded;
    struct lead_entry *entry = fold_run_find(&run->fold, &run->tools, event, hash);
    if (entry && fold_run_turns(&run->fold, event)) {
        fold_run_turn(&run->fold, event);
        entry = fold_run_find(&run->fold, &run->tools, event, hash);
    }
    if (!entry)
        return;
    if (event->time_ms - 1 > run->fold.present_ms)
        run->fold.present_ms = event->time_ms - 1;
    fold_run_take(&run->fold, &run->tools, event, entry, origin, &folded);
    struct hop_cause cause = {.event = event, .origin = origin};
    keep_hops(run, message, &cause, entry, &folded);
}

static enum status fold_hop(struct file_run *run, size_t at, const struct file_line *line,
                            struct error *error)
{
    const struct outgoing_message made = run->hops[at];
    struct origin origin = {.topic = "",
                            .offset = line->number,
                            .headers = made.headers,
                            .header_count = made.header_count};
    struct message message = file_line_message(line);
    struct baton_event event;
    enum reading_outcome outcome;
    struct hop hop;
    (void)hop_read(made.headers, made.header_count, &run->tools.arena, &hop);
    message.key = made.key;
    message.key_size = made.key_size;
    message.value = made.value;
    message.value_size = made.value_size;
    message.offset += 1 + (int64_t)at;
    message.hop = &hop;
    enum status status =
        reading_take(&run->reading, &message, &run->tools.arena, &event, &outcome, error);
    if (status == STATUS_OK && outcome == READ_EVENT)
        fold(run, &message, &event, lead_table_hash(0, event.lead_id), &origin);
    return status;
}

enum status file_run_take(struct file_run *run, const struct file_line *line, struct error *error)
{
    enum status status = STATUS_OK;
    struct origin origin = {.topic = "", .offset = line->number};
    struct message message = file_line_message(line);
    reading_figures_count(&run->figures, &line->event, line->outcome);
    if (line->outcome != READ_EVENT || baton_kind_is_of_unit(line->event.kind))
        return STATUS_OK;
    run->hop_count = 0;
    fold(run, &message, &line->event, line->hash, &origin);
    for (size_t i = 0; i < run->hop_count && status == STATUS_OK; i++)
        status = fold_hop(run, i, line, error);
    if (run->hop_count)
        arena_reset(&run->tools.arena);
    return status;
}
