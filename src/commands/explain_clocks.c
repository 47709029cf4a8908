/* What sales owes on a lead, and what came of it. */
#include "commands/explain_parts.h"
#include "commands/lead_clocks.h"

static const enum message_id names[BATON_CLOCKS] = {
    [BATON_CLOCK_CONTACT] = MESSAGE_REPORT_P_FIRST_CONTACT,
    [BATON_CLOCK_VERDICT] = MESSAGE_REPORT_P_VERDICT,
    [BATON_CLOCK_UPDATE] = MESSAGE_REPORT_P_NEXT_UPDATE,
};

static const enum message_id sentences[LEAD_CLOCK_STATES] = {
    [LEAD_CLOCK_RUNNING] = MESSAGE_EXPLAIN_CLOCK_RUNS,
    [LEAD_CLOCK_REMINDED] = MESSAGE_EXPLAIN_CLOCK_RUNS,
    [LEAD_CLOCK_OVERDUE] = MESSAGE_EXPLAIN_CLOCK_OVERDUE,
    [LEAD_CLOCK_BROKEN] = MESSAGE_EXPLAIN_CLOCK_BROKEN,
    [LEAD_CLOCK_LATE] = MESSAGE_EXPLAIN_CLOCK_LATE,
    [LEAD_CLOCK_KEPT] = MESSAGE_EXPLAIN_CLOCK_KEPT,
};

static const char *reminder_of(const struct explanation *lead, const struct lead_clock *of)
{
    if (!of->clock->remind_ms)
        return "";
    const char *time = explain_time(lead, of->clock->remind_ms);
    return of->state == LEAD_CLOCK_REMINDED
               ? phrase(lead->speech, MESSAGE_EXPLAIN_CLOCK_REMINDED, {"time", time})
               : phrase(lead->speech, MESSAGE_EXPLAIN_CLOCK_REMINDS, {"time", time});
}

/* The report's name is the word that sales sends. */
static const char *report_of(const struct explanation *lead, const struct lead_clock *of)
{
    enum baton_report report = (enum baton_report)of->clock->stop_report;
    return report ? phrase(lead->speech, MESSAGE_EXPLAIN_CLOCK_BY,
                           {"report", baton_report_name(report)})
                  : "";
}

static void say_whose(const struct explanation *lead, const struct lead_clock *of)
{
    if (of->owner.size)
        say(lead->speech, MESSAGE_EXPLAIN_CLOCK_OWNER, {"owner", explain_text(lead, of->owner)});
    if (of->escalate_to.size)
        say(lead->speech, MESSAGE_EXPLAIN_CLOCK_ESCALATE,
            {"who", explain_text(lead, of->escalate_to)});
}

static void say_clock(const struct explanation *lead, const struct lead_clock *of)
{
    struct speech *speech = lead->speech;
    explain_indent(lead);
    say(speech, sentences[of->state], {"promise", phrase_plain(speech, names[of->id])},
        {"since", explain_time(lead, of->clock->start_ms)},
        {"due", explain_time(lead, of->clock->due_ms)},
        {"met", explain_time(lead, of->clock->stop_ms)}, {"reminder", reminder_of(lead, of)},
        {"report", report_of(lead, of)});
    say_whose(lead, of);
    explain_end(lead);
}

void explain_clocks(const struct explanation *lead)
{
    struct lead_clock clocks[BATON_CLOCKS];
    size_t count = lead_clocks(lead->lead, lead->agreement, lead->told_ms, lead->at_ms, clocks);
    json_object_set_new(lead->data, "clocks", lead_clocks_json(clocks, count, lead->source));
    if (!count)
        return;
    explain_end(lead);
    say_plain(lead->speech, MESSAGE_EXPLAIN_CLOCKS);
    explain_end(lead);
    for (size_t i = 0; i < count; i++)
        say_clock(lead, &clocks[i]);
}
