#include "commands/try_clocks.h"

#include "domain/clocks.h"

static void tell(struct try_clocks *clocks, const struct lead_entry *entry,
                 const struct clock_news *news)
{
    struct breach_view view;
    breaches_view(lead_table_id(entry), news, clocks->agreement, clocks->words, &view);
    clocks->tell(clocks->context, entry, &view);
}

static void set_timer(struct try_clocks *clocks, const struct lead_entry *entry)
{
    int64_t next_ms = clock_next_ms(&entry->lead, clocks->clock_ms);
    if (next_ms != INT64_MAX)
        timers_push(&clocks->timers, next_ms, lead_table_id(entry));
}

int64_t try_clocks_arrived_ms(const struct try_clocks *clocks, const struct baton_event *event)
{
    return clocks->clock_ms > event->time_ms ? clocks->clock_ms : event->time_ms;
}

void try_clocks_folded(struct try_clocks *clocks, const struct lead_entry *entry,
                       const struct baton_event *event, const struct baton_fold_result *result)
{
    struct clock_cause cause = {.kind = event->kind,
                                .arrived_ms = try_clocks_arrived_ms(clocks, event),
                                .clock_ms = clocks->clock_ms};
    struct clock_news news;
    for (uint32_t i = 0; i < result->clock_move_count; i++)
        if (breaches_of_move(&result->clock_moves[i], &cause, &news))
            tell(clocks, entry, &news);
    if (result->clock_move_count)
        set_timer(clocks, entry);
}

/* One moment: the same lead may stand in it more than once. */
static void go_off(struct try_clocks *clocks, int64_t to_ms)
{
    int64_t from_ms = clocks->clock_ms;
    clocks->clock_ms = to_ms;
    const struct lead_entry *last = NULL;
    while (timers_first(&clocks->timers) && timers_first(&clocks->timers)->due_ms <= to_ms) {
        struct timer timer = timers_take(&clocks->timers);
        const struct lead_entry *entry =
            lead_table_find(clocks->leads, lead_table_hash(0, timer.id), 0, timer.id);
        struct clock_news news[BATON_CLOCKS];
        size_t count =
            entry && entry != last ? breaches_due(&entry->lead, from_ms, to_ms, to_ms, news) : 0;
        for (size_t i = 0; i < count; i++)
            tell(clocks, entry, &news[i]);
        if (entry && entry != last)
            set_timer(clocks, entry);
        last = entry;
        timer_free(&timer);
    }
}

void try_clocks_advance(struct try_clocks *clocks, int64_t to_ms)
{
    while (timers_first(&clocks->timers) && timers_first(&clocks->timers)->due_ms <= to_ms)
        go_off(clocks, timers_first(&clocks->timers)->due_ms);
    if (to_ms > clocks->clock_ms)
        clocks->clock_ms = to_ms;
}
