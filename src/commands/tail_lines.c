#include "commands/tail_lines.h"

#include "commands/lead_view.h"

#include <string.h>

enum { REASONS = 4 };

enum {
    NAME_PROMOTION,
    NAME_STAGE,
    NAME_REMINDER = 6,
    NAME_BREACH,
    NAME_CORRECTION,
    NAME_DATE,
    NAME_DEAD
};

static const char *const changes[TAIL_CHANGES] = {[NAME_PROMOTION] = "promotion",
                                                  [NAME_STAGE] = "stage",
                                                  "ignored",
                                                  "adjusted",
                                                  "merged",
                                                  "erased",
                                                  [NAME_REMINDER] = "reminder",
                                                  [NAME_BREACH] = "breach",
                                                  [NAME_CORRECTION] = "correction",
                                                  [NAME_DATE] = "announcement",
                                                  [NAME_DEAD] = "dead"};

const char *tail_change_name(int index)
{
    return changes[index];
}

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text ? text : "";
}

static bool state_is(const json_t *record, const char *state)
{
    return strcmp(text_of(record, "state"), state) == 0;
}

static const char *kind_of_breach(const json_t *record)
{
    if (state_is(record, "reminder"))
        return changes[NAME_REMINDER];
    if (state_is(record, "announced"))
        return changes[NAME_DATE];
    return changes[state_is(record, "kept") || state_is(record, "met") ? NAME_CORRECTION
                                                                       : NAME_BREACH];
}

const char *tail_change_of(enum outgoing_topic topic, const json_t *record)
{
    const char *change = text_of(record, "change");
    if (topic == TOPIC_PROMOTIONS)
        return changes[NAME_PROMOTION];
    if (topic == TOPIC_DEAD)
        return changes[NAME_DEAD];
    if (topic == TOPIC_BREACHES)
        return kind_of_breach(record);
    for (int i = NAME_STAGE + 1; i < NAME_REMINDER; i++)
        if (strcmp(change, changes[i]) == 0)
            return changes[i];
    return changes[NAME_STAGE];
}

/* ---- Parts ---- */

static void add(struct text_buffer *out, const char *text)
{
    add_person_text(out, (struct baton_text){text, (uint32_t)strlen(text)});
}

static int64_t points_of(const json_t *record, const char *key)
{
    double points = json_number_value(json_object_get(record, key)) * 100;
    return (int64_t)(points < 0 ? points - 0.5 : points + 0.5);
}

/* Points of its rules that a limit takes away are told by "at most". */
static void add_side(struct text_buffer *out, const json_t *record, const char *side,
                     const char *rules)
{
    const json_t *rule;
    size_t i;
    int64_t sum = 0;
    json_array_foreach(json_object_get(record, rules), i, rule) sum += points_of(rule, "points");
    text_buffer_print(out, "%s %s", side, sum > points_of(record, side) ? "at most " : "");
    text_buffer_add_points(out, points_of(record, side));
}

static void add_score(struct text_buffer *out, const json_t *record)
{
    text_buffer_add_text(out, "  ");
    text_buffer_add_points(out, points_of(record, "score"));
    text_buffer_add_text(out, " points (");
    add_side(out, record, "fit", "fit_rules");
    text_buffer_add_text(out, ", ");
    add_side(out, record, "behaviour", "rules");
    text_buffer_add_text(out, ")");
}

/* The rules that gave most, of both sides. */
static void add_reasons(struct text_buffer *out, const json_t *record)
{
    const json_t *sides[2] = {json_object_get(record, "fit_rules"),
                              json_object_get(record, "rules")};
    const json_t *told[REASONS] = {0};
    for (size_t shown = 0; shown < REASONS; shown++) {
        const json_t *best = NULL;
        for (size_t side = 0; side < 2; side++) {
            for (size_t i = 0; i < json_array_size(sides[side]); i++) {
                const json_t *rule = json_array_get(sides[side], i);
                bool known = false;
                for (size_t k = 0; k < shown; k++)
                    known |= told[k] == rule;
                if (!known && points_of(rule, "points") > (best ? points_of(best, "points") : 0))
                    best = rule;
            }
        }
        if (!best)
            return;
        told[shown] = best;
        text_buffer_add_text(out, shown ? ", " : ": ");
        add(out, text_of(best, "id"));
        text_buffer_add_text(out, " ");
        text_buffer_add_points(out, points_of(best, "points"));
    }
}

static void add_person(struct text_buffer *out, const json_t *record)
{
    static const char *const fields[] = {"name", "job_title", "company"};
    const json_t *profile = json_object_get(record, "profile");
    const char *before = "  ";
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!*text_of(profile, fields[i]))
            continue;
        text_buffer_add_text(out, before);
        add(out, text_of(profile, fields[i]));
        before = ", ";
    }
}

/* "  sales: rejected by Ana (no budget)" */
static void add_report(struct text_buffer *out, const json_t *record)
{
    const char *report = text_of(record, "report"), *by = text_of(record, "by"),
               *reason = text_of(record, "reason");
    if (*report) {
        text_buffer_add_text(out, "  sales: ");
        add(out, report);
    }
    if (*by) {
        text_buffer_add_text(out, *report ? " by " : "  by ");
        add(out, by);
    }
    if (*reason) {
        text_buffer_add_text(out, " (");
        add(out, reason);
        text_buffer_add_text(out, ")");
    }
}

/* ---- Kinds ---- */

static void add_promotion(struct text_buffer *out, const json_t *record)
{
    const char *owner = text_of(record, "owner");
    add_score(out, record);
    add_reasons(out, record);
    add_person(out, record);
    if (*owner) {
        text_buffer_add_text(out, "  for ");
        add(out, owner);
    }
}

static void add_stage(struct text_buffer *out, const json_t *record)
{
    text_buffer_print(out, "  %s → %s", text_of(record, "from_stage"), text_of(record, "stage"));
    add_score(out, record);
    add_report(out, record);
}

static void add_other(struct text_buffer *out, const json_t *record, const char *change)
{
    text_buffer_print(out, "  %s", text_of(record, "stage"));
    if (strcmp(change, "adjusted") == 0) {
        text_buffer_add_text(out, points_of(record, "adjusted") < 0 ? "  " : "  +");
        text_buffer_add_points(out, points_of(record, "adjusted"));
    }
    add_report(out, record);
    if (*text_of(record, "why")) {
        text_buffer_add_text(out, "  the lead ");
        add(out, text_of(record, "why"));
    }
    if (*text_of(record, "other")) {
        text_buffer_add_text(out, "  is now ");
        add(out, text_of(record, "other"));
    }
}

/* "2026-11-01T12:00:00.000Z" as people write it. */
static void add_time(struct text_buffer *out, const char *time)
{
    if (strlen(time) < 19) {
        add(out, time);
        return;
    }
    text_buffer_add(out, time, 10);
    text_buffer_add_text(out, " ");
    text_buffer_add(out, time + 11, 8);
}

/* ---- Promises ---- */

/* "first_contact" as people say it; the id of a goal is the agreement's own. */
static void add_promise(struct text_buffer *out, const char *promise)
{
    static const char *const clocks[][2] = {
        {"first_contact", "first contact"}, {"verdict", "verdict"}, {"next_update", "next update"}};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
        if (strcmp(promise, clocks[i][0]) == 0)
            promise = clocks[i][1];
    add(out, promise);
}

/* "  first contact is due 2026-11-01 12:00:00 UTC" */
static void add_clock(struct text_buffer *out, const json_t *record)
{
    const char *due = text_of(record, "due");
    text_buffer_add_text(out, "  ");
    add_promise(out, text_of(record, "promise"));
    text_buffer_add_text(out, state_is(record, "reminder") ? " is due " : " was due ");
    add_time(out, *due ? due : text_of(record, "time"));
    text_buffer_add_text(out, " UTC");
    if (state_is(record, "kept"))
        text_buffer_add_text(out, ", and was kept");
}

static void add_figure(struct text_buffer *out, const json_t *record, const char *key)
{
    text_buffer_add_points(out, points_of(record, key));
    if (strcmp(text_of(record, "unit"), "percent") == 0)
        text_buffer_add_text(out, "%");
}

/* "0 of 100 leads" */
static void add_figures(struct text_buffer *out, const json_t *record)
{
    const char *unit = text_of(record, "unit");
    text_buffer_add_text(out, ": ");
    add_figure(out, record, "actual");
    text_buffer_add_text(out, strcmp(unit, "leads") == 0 ? " of " : ", promised: ");
    add_figure(out, record, "promised");
    if (strcmp(unit, "percent") != 0) {
        text_buffer_add_text(out, " ");
        add(out, unit);
    }
    if (json_is_number(json_object_get(record, "needed"))) {
        text_buffer_add_text(out, ", at this rate ");
        text_buffer_add_points(out, points_of(record, "needed"));
        text_buffer_add_text(out, " SQLs are needed");
    }
}

/* "  2026-11-03: 0 of 100 leads" */
static void add_goal(struct text_buffer *out, const json_t *record)
{
    text_buffer_add_text(out, state_is(record, "announced") ? "  on " : "  ");
    add(out, text_of(record, "period"));
    if (*text_of(record, "unit"))
        add_figures(out, record);
    if (state_is(record, "met"))
        text_buffer_add_text(out, ", and is met");
}

static bool is_of_lead(const json_t *record)
{
    return *text_of(record, "lead_id") != '\0';
}

/* "  first contact was due …  with Ana  owner Head of Sales, escalated to Managing Director" */
static void add_breach(struct text_buffer *out, const json_t *record)
{
    const char *seller = text_of(record, "seller"), *owner = text_of(record, "owner"),
               *escalate_to = text_of(record, "escalate_to");
    if (is_of_lead(record))
        add_clock(out, record);
    else
        add_goal(out, record);
    if (*seller) {
        text_buffer_add_text(out, "  with ");
        add(out, seller);
    }
    if (*owner) {
        text_buffer_add_text(out, "  owner ");
        add(out, owner);
    }
    if (*escalate_to && kind_of_breach(record) == changes[NAME_BREACH]) {
        text_buffer_add_text(out, *owner ? ", escalated to " : "  escalated to ");
        add(out, escalate_to);
    }
}

/* "  key_mismatch: the key is not the lead id  lead-events, partition 5, offset 81234" */
static void add_dead(struct text_buffer *out, const json_t *record)
{
    text_buffer_add_text(out, "  ");
    add(out, text_of(record, "reason"));
    if (*text_of(record, "detail")) {
        text_buffer_add_text(out, ": ");
        add(out, text_of(record, "detail"));
    }
    text_buffer_add_text(out, "  ");
    add(out, text_of(record, "topic"));
    text_buffer_print(out, ", partition %" JSON_INTEGER_FORMAT ", offset %" JSON_INTEGER_FORMAT,
                      json_integer_value(json_object_get(record, "partition")),
                      json_integer_value(json_object_get(record, "offset")));
}

/* ---- A line ---- */

static const char *colour_of(enum outgoing_topic topic, const char *change)
{
    if (topic == TOPIC_PROMOTIONS)
        return "\033[1;32m";
    if (topic == TOPIC_DEAD || change == changes[NAME_BREACH])
        return "\033[1;31m";
    return strcmp(change, "ignored") == 0 || change == changes[NAME_REMINDER] ? "\033[33m" : "";
}

/* Whom or what it is of. */
static void add_subject(struct text_buffer *out, enum outgoing_topic topic, const json_t *record)
{
    if (topic == TOPIC_DEAD)
        add(out, *text_of(record, "key") ? text_of(record, "key") : "(no key)");
    else if (topic == TOPIC_BREACHES && !is_of_lead(record))
        add_promise(out, text_of(record, "promise"));
    else
        add(out, text_of(record, "lead_id"));
}

void tail_line(enum outgoing_topic topic, const json_t *record, bool colours,
               struct text_buffer *out)
{
    const char *change = tail_change_of(topic, record);
    const char *begin = colours ? colour_of(topic, change) : "";
    add_time(out, text_of(record, "time"));
    text_buffer_print(out, "  %s%-*s  ", begin, topic == TOPIC_BREACHES ? 12 : 9, change);
    add_subject(out, topic, record);
    text_buffer_add_text(out, *begin ? "\033[0m" : "");
    if (topic == TOPIC_PROMOTIONS)
        add_promotion(out, record);
    else if (topic == TOPIC_BREACHES)
        add_breach(out, record);
    else if (topic == TOPIC_DEAD)
        add_dead(out, record);
    else if (strcmp(change, "stage") == 0)
        add_stage(out, record);
    else
        add_other(out, record, change);
    text_buffer_add_text(out, "\n");
}
