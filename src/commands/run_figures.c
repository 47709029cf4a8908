#include "commands/run_figures.h"

#include <inttypes.h>

static uint64_t read_figure(const atomic_uint_fast64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

void run_figures_add(struct run_figures *sums, const struct worker_figures *figures)
{
    sums->records += read_figure(&figures->records);
    sums->events += read_figure(&figures->events);
    sums->duplicates += read_figure(&figures->duplicates);
    sums->too_late += read_figure(&figures->too_late);
    sums->ignored += read_figure(&figures->ignored);
    sums->promotions += read_figure(&figures->promotions);
    sums->stages += read_figure(&figures->stage_changes);
    sums->replayed += read_figure(&figures->replayed);
    sums->leads += read_figure(&figures->leads_in_table);
    sums->outside += read_figure(&figures->outside_dates);
    sums->passed_on += read_figure(&figures->passed_on);
    sums->dropped += read_figure(&figures->dropped);
    sums->trimmed += read_figure(&figures->trimmed);
    sums->reports_ignored += read_figure(&figures->reports_ignored);
    for (unsigned reason = 1; reason < DEAD_REASONS; reason++) {
        sums->dead[reason] += read_figure(&figures->dead[reason]);
        sums->dead_all += read_figure(&figures->dead[reason]);
    }
    sums->units += (uint32_t)atomic_load_explicit(&figures->units, memory_order_relaxed);
    sums->live += (uint32_t)atomic_load_explicit(&figures->units_live, memory_order_relaxed);
    sums->replaying +=
        (uint32_t)atomic_load_explicit(&figures->units_replaying, memory_order_relaxed);
    sums->stopped += (uint32_t)atomic_load_explicit(&figures->units_stopped, memory_order_relaxed);
}

void run_figures_print(const struct run_figures *sums, struct text_buffer *line)
{
    text_buffer_print(line,
                      " events=%" PRIu64 " replayed=%" PRIu64 " duplicates=%" PRIu64
                      " too_late=%" PRIu64 " ignored=%" PRIu64 " reports_ignored=%" PRIu64
                      " passed_on=%" PRIu64 " dropped=%" PRIu64 " transfers_trimmed=%" PRIu64
                      " promotions=%" PRIu64 " stage_changes=%" PRIu64 " leads_in_memory=%" PRIu64,
                      sums->events, sums->replayed, sums->duplicates, sums->too_late, sums->ignored,
                      sums->reports_ignored, sums->passed_on, sums->dropped, sums->trimmed,
                      sums->promotions, sums->stages, sums->leads);
    if (sums->units) /* none after the stop */
        text_buffer_print(line, " units=%u live=%u replaying=%u stopped=%u", sums->units,
                          sums->live, sums->replaying, sums->stopped);
    text_buffer_print(line, " dead_letters=%" PRIu64, sums->dead_all);
    for (unsigned reason = 1; reason < DEAD_REASONS; reason++)
        if (sums->dead[reason])
            text_buffer_print(line, " %s=%" PRIu64, dead_reason_name((enum dead_reason)reason),
                              sums->dead[reason]);
    if (sums->outside)
        text_buffer_print(line, " outside_of_the_agreements_dates=%" PRIu64, sums->outside);
}
