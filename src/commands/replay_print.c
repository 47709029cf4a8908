#include "commands/replay_print.h"

#include "commands/json_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 8
#define HOUR_MS 3600000

__extension__ typedef unsigned __int128 wide;

/* ---- figures
 * ------------------------------------------------------------------------------------- */

static int64_t divide(wide part, wide whole)
{
    return whole ? (int64_t)((part * 20000 + whole) / (whole * 2)) : -1;
}

int64_t replay_share(uint64_t part, uint64_t whole)
{
    return divide(part, whole);
}

int64_t replay_lift(const struct backtest_rule *rule, const struct backtest_group *judged)
{
    return divide((wide)rule->customers * judged->leads,
                  (wide)(rule->customers + rule->rejected) * judged->customers);
}

static bool has_few(const struct backtest_rule *rule)
{
    return rule->customers + rule->rejected < REPLAY_VERDICTS_LEAST;
}

bool replay_rule_is_silent(const struct backtest_rule *rule, const struct backtest_group *judged)
{
    int64_t lift = replay_lift(rule, judged);
    return has_few(rule) || lift < 0 || llabs(lift - 10000) < REPLAY_LIFT_BAND;
}

static int64_t precision_of(const struct backtest_group *group)
{
    return replay_share(group->customers, group->customers + group->rejected);
}

/* Hundredths of an hour, towards 0. */
static int64_t hours(int64_t time_ms)
{
    return time_ms / (HOUR_MS / 100);
}

/* ---- tables of text
 * ------------------------------------------------------------------------------ */

struct grid {
    const char *(*cells)[COLUMNS_MAX];
    size_t rows, room, columns;
};

static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static const char **add_row(struct grid *grid)
{
    if (grid->rows == grid->room) {
        grid->room = grid->room ? grid->room * 2 : 8;
        grid->cells = memory_resize(grid->cells, grid->room * sizeof *grid->cells);
    }
    return grid->cells[grid->rows++];
}

/* The first column begins at the left, the others end at the right. */
static void print_cell(struct text_buffer *out, const char *text, size_t width, bool first)
{
    size_t fill = width - width_of(text);
    if (first)
        text_buffer_add_text(out, text);
    text_buffer_print(out, "%*s", (int)fill, "");
    if (!first)
        text_buffer_print(out, "  %s", text);
}

static void print_grid(struct grid *grid, struct text_buffer *out)
{
    size_t widths[COLUMNS_MAX] = {0};
    for (size_t row = 0; row < grid->rows; row++)
        for (size_t i = 0; i < grid->columns; i++)
            if (width_of(grid->cells[row][i]) > widths[i])
                widths[i] = width_of(grid->cells[row][i]);
    for (size_t row = 0; row < grid->rows; row++) {
        for (size_t i = 0; i < grid->columns; i++)
            print_cell(out, grid->cells[row][i], widths[i], i == 0);
        while (out->size && out->data[out->size - 1] == ' ')
            out->data[--out->size] = '\0';
        text_buffer_add_text(out, "\n");
    }
    free(grid->cells);
}

/* ---- sentences
 * ----------------------------------------------------------------------------------- */

static const char *name_of(struct speech *speech, const struct agreement *agreement)
{
    return phrase(speech, MESSAGE_REPLAY_VERSION, {"name", agreement_name(agreement)},
                  {"version", speech_print(speech, "%u", agreement_version(agreement))});
}

static const char *percent(struct speech *speech, int64_t permyriad)
{
    return permyriad < 0 ? "-" : speech_percent(speech, permyriad);
}

static void end_line(struct speech *speech)
{
    text_buffer_add_text(speech->out, "\n");
}

static void say_count(struct speech *speech, enum message_id id, uint64_t count)
{
    if (!count)
        return;
    say(speech, id, {"count", speech_count(speech, (int64_t)count)});
    end_line(speech);
}

static void say_between(struct speech *speech, const struct replay_view *view)
{
    bool from = view->from_ms != INT64_MIN, to = view->to_ms != INT64_MAX;
    if (!from && !to)
        return;
    say(speech,
        from && to ? MESSAGE_REPLAY_BETWEEN
        : from     ? MESSAGE_REPLAY_FROM
                   : MESSAGE_REPLAY_TO,
        {"from", from ? speech_time(speech, view->from_ms) : ""},
        {"to", to ? speech_time(speech, view->to_ms) : ""});
    end_line(speech);
}

static void say_head(struct speech *speech, const struct replay_view *view)
{
    const struct backtest_result *result = view->result;
    say_count(speech, MESSAGE_REPLAY_CUT, result->first_offsets_cut);
    if (result->first_ms > result->last_ms) {
        say_plain(speech, MESSAGE_REPLAY_NOTHING);
        end_line(speech);
        return;
    }
    say(speech, MESSAGE_REPLAY_OVER, {"events", speech_count(speech, (int64_t)result->events)},
        {"from", speech_time(speech, agreement_local_ms(view->candidate, result->first_ms))},
        {"to", speech_time(speech, agreement_local_ms(view->candidate, result->last_ms))},
        {"agreement", name_of(speech, view->candidate)});
    end_line(speech);
    say_between(speech, view);
}

static void say_tail(struct speech *speech, const struct backtest_result *result)
{
    say_count(speech, MESSAGE_REPLAY_DEAD, result->dead);
    say_count(speech, MESSAGE_REPLAY_UNKNOWN, result->unknown_schemas);
    say_count(speech, MESSAGE_REPLAY_TRANSFERS, result->transfers_from_log);
}

/* ---- groups
 * -------------------------------------------------------------------------------------- */

static void add_group(struct grid *grid, struct speech *speech, const char *name,
                      const uint64_t *promotions, const struct backtest_group *group,
                      const struct backtest_group *judged)
{
    const char **row = add_row(grid);
    uint64_t none = group->leads - group->customers - group->rejected;
    row[0] = name;
    row[1] = promotions ? speech_count(speech, (int64_t)*promotions) : "";
    row[2] = speech_count(speech, (int64_t)group->leads);
    row[3] = speech_count(speech, (int64_t)group->customers);
    row[4] = speech_count(speech, (int64_t)group->rejected);
    row[5] = speech_count(speech, (int64_t)none);
    row[6] = percent(speech, precision_of(group));
    row[7] = percent(speech, replay_share(group->customers, judged->customers));
}

static void add_heads(struct grid *grid, struct speech *speech, const enum message_id *heads,
                      size_t columns)
{
    const char **row = add_row(grid);
    grid->columns = columns;
    row[0] = "";
    for (size_t i = 1; i < columns; i++)
        row[i] = phrase_plain(speech, heads[i]);
}

static void say_groups(struct speech *speech, const struct replay_view *view)
{
    static const enum message_id heads[] = {MESSAGES,
                                            MESSAGE_REPLAY_HEAD_PROMOTIONS,
                                            MESSAGE_REPLAY_HEAD_LEADS,
                                            MESSAGE_REPLAY_HEAD_CUSTOMERS,
                                            MESSAGE_REPLAY_HEAD_REJECTED,
                                            MESSAGE_REPLAY_HEAD_NONE,
                                            MESSAGE_REPLAY_HEAD_PRECISION,
                                            MESSAGE_REPLAY_HEAD_RECALL};
    const struct backtest_result *result = view->result;
    const struct backtest_group *judged = &result->judged;
    struct grid grid = {.cells = NULL};
    add_heads(&grid, speech, heads, 8);
    const char *name = name_of(speech, view->candidate);
    add_group(&grid, speech, name, &result->candidate.promotions, &result->candidate.leads, judged);
    if (view->against) {
        const char *other = name_of(speech, view->against);
        add_group(&grid, speech, other, &result->against.promotions, &result->against.leads,
                  judged);
        add_group(&grid, speech, phrase_plain(speech, MESSAGE_REPLAY_BOTH), NULL, &result->both,
                  judged);
        add_group(&grid, speech, phrase(speech, MESSAGE_REPLAY_ONLY, {"agreement", name}), NULL,
                  &result->only_candidate, judged);
        add_group(&grid, speech, phrase(speech, MESSAGE_REPLAY_ONLY, {"agreement", other}), NULL,
                  &result->only_against, judged);
    }
    print_grid(&grid, speech->out);
}

/* "3 days", "3 hours", "3 minutes": whole ones, towards 0. */
static const char *span_of(struct speech *speech, int64_t time_ms)
{
    if (time_ms >= 2 * 24 * (int64_t)HOUR_MS)
        return phrase(speech, MESSAGE_REPLAY_DAYS,
                      {"count", speech_count(speech, time_ms / (24 * (int64_t)HOUR_MS))});
    if (time_ms >= HOUR_MS)
        return phrase(speech, MESSAGE_REPLAY_HOURS,
                      {"count", speech_count(speech, time_ms / HOUR_MS)});
    return phrase(speech, MESSAGE_REPLAY_MINUTES,
                  {"count", speech_count(speech, time_ms / (HOUR_MS / 60))});
}

static const char *sooner_part(struct speech *speech, const struct backtest_result *result)
{
    const char *time = span_of(speech, result->sooner_half_ms);
    if (result->sooner == 1)
        return phrase(speech, MESSAGE_REPLAY_SOONER_ONE, {"time", time});
    return phrase(speech, MESSAGE_REPLAY_SOONER_SOME,
                  {"count", speech_count(speech, (int64_t)result->sooner)}, {"time", time});
}

/* "Of the 12 leads that both promote, X promotes 5 earlier (…), 6 at the same time and 1 later." */
static void say_sooner(struct speech *speech, const struct replay_view *view)
{
    const struct backtest_result *result = view->result;
    const char *parts[3];
    size_t count = 0;
    if (!result->both.leads)
        return;
    if (result->sooner)
        parts[count++] = sooner_part(speech, result);
    if (result->at_once)
        parts[count++] = phrase(speech, MESSAGE_REPLAY_AT_ONCE,
                                {"count", speech_count(speech, (int64_t)result->at_once)});
    if (result->later)
        parts[count++] = phrase(speech, MESSAGE_REPLAY_LATER,
                                {"count", speech_count(speech, (int64_t)result->later)});
    say(speech, MESSAGE_REPLAY_SOONER, {"leads", speech_count(speech, (int64_t)result->both.leads)},
        {"agreement", name_of(speech, view->candidate)},
        {"parts", speech_list(speech, parts, count, SPEECH_AND)});
    end_line(speech);
}

static void say_judged(struct speech *speech, const struct backtest_group *judged)
{
    if (!judged->leads)
        say_plain(speech, MESSAGE_REPLAY_NOT_JUDGED);
    else
        say(speech, MESSAGE_REPLAY_JUDGED, {"leads", speech_count(speech, (int64_t)judged->leads)},
            {"customers", speech_count(speech, (int64_t)judged->customers)});
    end_line(speech);
}

/* ---- rules
 * --------------------------------------------------------------------------------------- */

static void add_rule(struct grid *grid, struct speech *speech, const struct backtest_rule *rule,
                     const struct backtest_group *judged)
{
    const char **row = add_row(grid);
    int64_t lift = replay_lift(rule, judged);
    row[0] = speech_print(speech, "%.*s", (int)rule->id.size, rule->id.data);
    row[1] = speech_count(speech, (int64_t)rule->customers);
    row[2] = speech_count(speech, (int64_t)rule->rejected);
    row[3] = percent(speech, replay_share(rule->customers, rule->customers + rule->rejected));
    row[4] = has_few(rule) ? phrase_plain(speech, MESSAGE_REPLAY_TOO_FEW)
             : lift < 0    ? "-"
                           : speech_points(speech, (lift + 50) / 100);
}

static void say_silent(struct speech *speech, const struct backtest_result *result, bool few)
{
    const char **names = memory_take((result->rule_count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < result->rule_count; i++) {
        const struct backtest_rule *rule = &result->rules[i];
        if (replay_rule_is_silent(rule, &result->judged) && has_few(rule) == few)
            names[count++] = speech_print(speech, "%.*s", (int)rule->id.size, rule->id.data);
    }
    if (count) {
        say(speech, few ? MESSAGE_REPLAY_SILENT_FEW : MESSAGE_REPLAY_SILENT,
            {"least", speech_count(speech, REPLAY_VERDICTS_LEAST)},
            {"rules", speech_list(speech, names, count, SPEECH_AND)});
        end_line(speech);
    }
    free(names);
}

static void say_rules(struct speech *speech, const struct replay_view *view)
{
    static const enum message_id heads[] = {
        MESSAGES, MESSAGE_REPLAY_HEAD_CUSTOMERS, MESSAGE_REPLAY_HEAD_REJECTED,
        MESSAGE_REPLAY_HEAD_PRECISION, MESSAGE_REPLAY_HEAD_LIFT};
    const struct backtest_result *result = view->result;
    struct grid grid = {.cells = NULL};
    end_line(speech);
    say(speech, MESSAGE_REPLAY_RULES, {"agreement", name_of(speech, view->candidate)});
    end_line(speech);
    add_heads(&grid, speech, heads, 5);
    for (size_t i = 0; i < result->rule_count; i++)
        add_rule(&grid, speech, &result->rules[i], &result->judged);
    print_grid(&grid, speech->out);
    say_silent(speech, result, false);
    say_silent(speech, result, true);
}

void replay_print(const struct replay_view *view, enum language language)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, language, &out);
    say_head(&speech, view);
    say_tail(&speech, view->result);
    if (view->result->first_ms <= view->result->last_ms) {
        end_line(&speech);
        say_groups(&speech, view);
        if (view->against)
            say_sooner(&speech, view);
        say_judged(&speech, &view->result->judged);
        if (view->result->judged.leads)
            say_rules(&speech, view);
    }
    (void)fwrite(out.data, 1, out.size, stdout);
    speech_fini(&speech);
    text_buffer_fini(&out);
}

/* ---- for programs
 * -------------------------------------------------------------------------------- */

static json_t *share(int64_t permyriad)
{
    return permyriad < 0 ? json_null() : json_real((double)permyriad / 10000);
}

static json_t *count_json(uint64_t count)
{
    return json_integer((json_int_t)count);
}

static json_t *group_json(const struct backtest_group *group, const struct backtest_group *judged)
{
    json_t *object = json_object();
    json_object_set_new(object, "leads", count_json(group->leads));
    json_object_set_new(object, "customers", count_json(group->customers));
    json_object_set_new(object, "rejected", count_json(group->rejected));
    json_object_set_new(object, "precision", share(precision_of(group)));
    json_object_set_new(object, "recall", share(replay_share(group->customers, judged->customers)));
    return object;
}

static json_t *run_json(const struct backtest_run *run, const struct agreement *agreement,
                        const struct backtest_group *judged)
{
    json_t *object = json_object(), *group = group_json(&run->leads, judged);
    json_object_set_new(object, "agreement", json_string(agreement_name(agreement)));
    json_object_set_new(object, "version", json_integer(agreement_version(agreement)));
    json_object_set_new(object, "hash", json_string(agreement_hash(agreement)));
    json_object_set_new(object, "promotions", count_json(run->promotions));
    json_object_update(object, group);
    json_decref(group);
    return object;
}

static json_t *rules_json(const struct backtest_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->rule_count; i++) {
        const struct backtest_rule *rule = &result->rules[i];
        json_t *object = json_object();
        json_object_set_new(object, "id", json_text(rule->id));
        json_object_set_new(object, "side", json_string(rule->is_fit ? "fit" : "behaviour"));
        json_object_set_new(object, "customers", count_json(rule->customers));
        json_object_set_new(object, "rejected", count_json(rule->rejected));
        json_object_set_new(object, "precision",
                            share(replay_share(rule->customers, rule->customers + rule->rejected)));
        json_object_set_new(object, "lift", share(replay_lift(rule, &result->judged)));
        json_object_set_new(object, "too_few_verdicts", json_boolean(has_few(rule)));
        json_object_set_new(object, "silent",
                            json_boolean(replay_rule_is_silent(rule, &result->judged)));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *sooner_json(const struct backtest_result *result)
{
    if (!result->both.leads)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "quarter", json_points(hours(result->sooner_ms[0])), "median",
                     json_points(hours(result->sooner_ms[1])), "three_quarters",
                     json_points(hours(result->sooner_ms[2])));
}

static void set_groups(json_t *object, const struct backtest_result *result)
{
    const struct backtest_group *judged = &result->judged;
    json_object_set_new(object, "both", group_json(&result->both, judged));
    json_object_set_new(object, "only_agreement", group_json(&result->only_candidate, judged));
    json_object_set_new(object, "only_against", group_json(&result->only_against, judged));
    json_object_set_new(object, "hours_sooner", sooner_json(result));
    json_object_set_new(object, "promoted_sooner", count_json(result->sooner));
    json_object_set_new(object, "promoted_at_once", count_json(result->at_once));
    json_object_set_new(object, "promoted_later", count_json(result->later));
}

void replay_print_json(const struct replay_view *view)
{
    const struct backtest_result *result = view->result;
    const struct backtest_group *judged = &result->judged;
    bool none = result->first_ms > result->last_ms;
    json_t *object = json_object();
    json_object_set_new(object, "events", count_json(result->events));
    json_object_set_new(object, "first", none ? json_null() : json_time(result->first_ms));
    json_object_set_new(object, "last", none ? json_null() : json_time(result->last_ms));
    json_object_set_new(object, "unreadable", count_json(result->dead));
    json_object_set_new(object, "unknown_schemas", count_json(result->unknown_schemas));
    json_object_set_new(object, "partitions_cut", count_json(result->first_offsets_cut));
    json_object_set_new(object, "transfers_from_log", count_json(result->transfers_from_log));
    json_object_set_new(object, "agreement", run_json(&result->candidate, view->candidate, judged));
    if (view->against) {
        json_object_set_new(object, "against", run_json(&result->against, view->against, judged));
        set_groups(object, result);
    }
    json_object_set_new(object, "judged", group_json(judged, judged));
    json_object_set_new(object, "rules", rules_json(result));
    json_print_line_take(object);
}
