#include "report/build.h"

static void add_put_together(void *context, const struct sum_row *row)
{
    *(int64_t *)context += row->amount;
}

/* What a reader must know of the figures. */
static void add_notes(struct build *build)
{
    static const enum message_id by[] = {MESSAGE_REPORT_BY_FIRST, MESSAGE_REPORT_BY_LAST,
                                         MESSAGE_REPORT_BY_LINEAR};
    struct report *report = build->report;
    int64_t put_together = 0;
    if (report->running)
        report_add_note(report, MESSAGE_REPORT_RUNNING)->holes[0] =
            (struct report_hole){"time", cell_time(report->now_local_ms)};
    if (report->counted_from >= report->first_day)
        report_add_note(report, MESSAGE_REPORT_COUNTED_FROM)->holes[0] =
            (struct report_hole){"date", cell_date(report->counted_from)};
    (void)report_add_note(report, by[build->in->attribution]);
    sums_each(build->in->sums, PACT_OTHER, PACT_ALL, build->in->span, add_put_together,
              &put_together);
    if (put_together > 0) {
        struct report_note *note = report_add_note(report, MESSAGE_REPORT_PUT_TOGETHER);
        note->holes[0] = (struct report_hole){"count", cell_count(put_together)};
        note->holes[1] =
            (struct report_hole){"other", cell_word(MESSAGE_REPORT_W_OTHER, "(other)", TONE_PLAIN)};
    }
}

static int64_t local_ms(const struct baton_agreement *agreement, int64_t time_ms)
{
    uint32_t i = agreement->zone_count - 1;
    while (i > 0 && agreement->zone[i].from_ms > time_ms)
        i--;
    return time_ms + agreement->zone[i].offset_s * INT64_C(1000);
}

void report_make(struct report *report, const struct report_input *input)
{
    struct build build = {.report = report,
                          .in = input,
                          .pact = input->agreement->pact,
                          .today = calendar_day(input->agreement, input->now_ms)};
    report_init(report);
    report->agreement = build_keep_text(&build, input->agreement->name);
    report->hash = build_keep_text(&build, input->agreement->hash);
    report->version = input->agreement->version;
    report->period = build_keep(&build, input->period);
    report->first_day = input->span.first;
    report->last_day = input->span.end - 1;
    report->counted_from = input->counted_from;
    report->now_local_ms = local_ms(input->agreement, input->now_ms);
    report->running = build.today < input->span.end;
    report->attribution = input->attribution;
    report->too_few = input->too_few;
    build_promises(&build);
    add_notes(&build);
    build_funnel(&build);
    build_channels(&build);
    build_quality(&build);
    build_rules(&build);
}
