#include "commands/lead_clocks.h"

#include "commands/json_out.h"
#include "commands/lead_view.h"
#include "domain/clocks.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const state_names[LEAD_CLOCK_STATES] = {"running", "reminded", "overdue",
                                                           "broken",  "late",     "kept"};

const char *lead_clock_state_name(enum lead_clock_state state)
{
    return state_names[state];
}

/* ---- What came of it ------------------------------------------------------------------------- */

static bool is_reminded(const struct baton_clock *clock, int64_t told_ms)
{
    return clock->remind_ms && clock->remind_ms <= told_ms;
}

static enum lead_clock_state state_of(const struct baton_clock *clock, int64_t told_ms,
                                      int64_t at_ms)
{
    enum clock_verdict verdict = clock_verdict(clock, told_ms);
    if (verdict == CLOCK_KEPT)
        return LEAD_CLOCK_KEPT;
    if (verdict == CLOCK_BROKEN)
        return clock->stop_report ? LEAD_CLOCK_LATE : LEAD_CLOCK_BROKEN;
    if (clock->due_ms <= at_ms)
        return LEAD_CLOCK_OVERDUE;
    return is_reminded(clock, told_ms) ? LEAD_CLOCK_REMINDED : LEAD_CLOCK_RUNNING;
}

size_t lead_clocks(const struct baton_lead *lead, const struct baton_agreement *agreement,
                   int64_t told_ms, int64_t at_ms, struct lead_clock out[BATON_CLOCKS])
{
    size_t count = 0;
    for (enum baton_clock_id id = 0; lead->history && id < BATON_CLOCKS; id++) {
        const struct baton_clock *clock = &lead->history->clocks[id];
        if (!clock->start_ms)
            continue;
        out[count] =
            (struct lead_clock){.id = id, .state = state_of(clock, told_ms, at_ms), .clock = clock};
        if (agreement->pact) {
            out[count].owner = agreement->pact->clocks[id].owner;
            out[count].escalate_to = agreement->pact->clocks[id].escalate_to;
        }
        count++;
    }
    return count;
}

const char *lead_clock_told(const struct lead_clock *clock)
{
    switch (clock->state) {
    case LEAD_CLOCK_REMINDED: return "reminder";
    case LEAD_CLOCK_BROKEN:
    case LEAD_CLOCK_LATE: return "broken";
    default: return NULL;
    }
}

/* ---- For programs ---------------------------------------------------------------------------- */

/* RFC 3339 with the zone's offset: 2026-11-01T13:00:00.000-03:00. */
static json_t *json_local(const struct agreement *agreement, int64_t time_ms)
{
    struct text_buffer text;
    int64_t local_ms = agreement_local_ms(agreement, time_ms),
            minutes = (local_ms - time_ms) / 60000;
    text_buffer_init(&text);
    text_buffer_add_time(&text, local_ms);
    text.size -= text.data[text.size - 1] == 'Z';
    text_buffer_print(&text, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs((int)minutes) / 60,
                      abs((int)minutes) % 60);
    json_t *value = json_stringn(text.data, text.size);
    text_buffer_fini(&text);
    return value;
}

static json_t *json_name(const char *name)
{
    return name ? json_string(name) : json_null();
}

static json_t *clock_object(const struct lead_clock *of, const struct agreement *agreement)
{
    const struct baton_clock *clock = of->clock;
    enum baton_report report = (enum baton_report)clock->stop_report;
    json_t *object = json_object();
    json_object_set_new(object, "promise", json_string(baton_clock_name(of->id)));
    json_object_set_new(object, "state", json_string(lead_clock_state_name(of->state)));
    json_object_set_new(object, "started", json_time(clock->start_ms));
    json_object_set_new(object, "due", json_time(clock->due_ms));
    json_object_set_new(object, "due_local", json_local(agreement, clock->due_ms));
    json_object_set_new(object, "reminder", json_time_or_null(clock->remind_ms));
    json_object_set_new(object, "told", json_name(lead_clock_told(of)));
    bool met = of->state == LEAD_CLOCK_LATE || of->state == LEAD_CLOCK_KEPT;
    json_object_set_new(object, "met", json_time_or_null(met ? clock->stop_ms : 0));
    json_object_set_new(object, "report",
                        json_name(met && report ? baton_report_name(report) : NULL));
    json_object_set_new(object, "owner", json_text_or_null(of->owner));
    json_object_set_new(object, "escalate_to", json_text_or_null(of->escalate_to));
    json_object_set_new(object, "estimated", json_boolean(clock->estimated));
    return object;
}

json_t *lead_clocks_json(const struct lead_clock *clocks, size_t count,
                         const struct agreement *agreement)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, clock_object(&clocks[i], agreement));
    return list;
}

/* ---- For people ------------------------------------------------------------------------------ */

static void add_local(struct text_buffer *out, const char *before,
                      const struct agreement *agreement, int64_t time_ms)
{
    text_buffer_add_text(out, before);
    add_person_time(out, agreement_local_ms(agreement, time_ms));
}

static void add_report(struct text_buffer *out, const struct baton_clock *clock)
{
    if (clock->stop_report)
        text_buffer_print(out, " by %s", baton_report_name((enum baton_report)clock->stop_report));
}

static void add_state(const struct lead_clock *of, const struct agreement *agreement,
                      struct text_buffer *out)
{
    const struct baton_clock *clock = of->clock;
    switch (of->state) {
    case LEAD_CLOCK_RUNNING:
        if (clock->remind_ms)
            add_local(out, ", reminder ", agreement, clock->remind_ms);
        return;
    case LEAD_CLOCK_REMINDED: add_local(out, ", reminded ", agreement, clock->remind_ms); return;
    case LEAD_CLOCK_OVERDUE: text_buffer_add_text(out, ", not told so far"); return;
    case LEAD_CLOCK_BROKEN: text_buffer_add_text(out, ", told on lead-breaches"); return;
    default: add_local(out, ", met ", agreement, clock->stop_ms); add_report(out, clock);
    }
}

static void add_name(struct text_buffer *out, const char *before, struct baton_text name)
{
    if (!name.size)
        return;
    text_buffer_add_text(out, before);
    add_person_text(out, name);
}

void lead_clocks_add(const struct lead_clock *clocks, size_t count,
                     const struct agreement *agreement, struct text_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct lead_clock *of = &clocks[i];
        text_buffer_print(out, "%s%s %s:", i ? "           " : "clocks     ",
                          baton_clock_name(of->id), lead_clock_state_name(of->state));
        add_local(out, " began ", agreement, of->clock->start_ms);
        add_local(out, ", due ", agreement, of->clock->due_ms);
        add_state(of, agreement, out);
        text_buffer_print(out, " (%s)", agreement_zone_name(agreement));
        add_name(out, "; owner ", of->owner);
        add_name(out, "; escalated to ", of->escalate_to);
        text_buffer_add_text(out, "\n");
    }
}
