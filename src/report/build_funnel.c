#include "report/build.h"

#define DAYS_APART 62 /* a longer period is shown by weeks */

static const enum pact_measure steps[] = {PACT_LEADS, PACT_MQL, PACT_SQL, PACT_ACCEPTED,
                                          PACT_CUSTOMER};
#define STEPS (sizeof steps / sizeof *steps)

static void add_funnel(struct build *build)
{
    static const enum message_id words[STEPS] = {MESSAGE_REPORT_H_LEADS, MESSAGE_REPORT_H_MQL,
                                                 MESSAGE_REPORT_H_SQL, MESSAGE_REPORT_H_ACCEPTED,
                                                 MESSAGE_REPORT_H_CUSTOMERS};
    static const char *const ids[STEPS] = {"lead", "mql", "sql", "accepted", "customer"};
    struct report_table *table = report_add_table(build->report, &table_funnel);
    int64_t counts[STEPS + 1] = {0}, all = 0;
    for (size_t i = 0; i < STEPS; i++)
        all += counts[i] = build_count(build, steps[i]);
    for (size_t i = 0; i < STEPS && all > 0; i++) {
        struct report_value *row = report_add_row(build->report, table);
        row[FUNNEL_STAGE] = cell_word(words[i], ids[i], TONE_PLAIN);
        row[FUNNEL_COUNT] = cell_count(counts[i]);
        if (i + 1 < STEPS)
            row[FUNNEL_TO_NEXT] = cell_ratio(counts[i + 1], counts[i]);
        row[FUNNEL_FROM_FIRST] = cell_ratio(counts[i], counts[0]);
    }
}

/* Days that have not begun are no zeros. */
static void add_days(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_days);
    struct calendar_span wide = build->in->span;
    bool weeks = wide.end - wide.first > DAYS_APART;
    int32_t end = wide.end <= build->today ? wide.end : build->today + 1;
    for (int32_t day = wide.first; day < end;) {
        struct calendar_span span =
            calendar_span_of(weeks ? BATON_SPAN_WEEK : BATON_SPAN_DAY, day, NULL);
        struct calendar_span part = {day, span.end < wide.end ? span.end : wide.end};
        struct report_value *row = report_add_row(build->report, table);
        row[DAYS_FROM] = cell_date(day);
        for (size_t i = 0; i < STEPS; i++)
            row[DAYS_LEADS + i] =
                cell_count(sums_get(build->in->sums, steps[i], PACT_ALL, "", "", part));
        day = part.end;
    }
}

void build_funnel(struct build *build)
{
    add_funnel(build);
    add_days(build);
}
