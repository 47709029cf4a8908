#include "commands/json_out.h"
#include "commands/lead_view.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "commands/times.h"
#include "redis/redis_inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEAR_POINTS 20

struct listed {
    struct baton_text id; /* from the arena */
    double score;
    int64_t updated_ms;
    uint32_t unit, order; /* order: of arrival; a lead may come twice, the later one stands */
    char score_text[24];
    uint8_t stage;
    bool merged; /* its id was given up */
};

struct list {
    const struct invocation *invocation;
    unsigned stages; /* bit per baton_stage */
    int64_t since_ms;
    bool near;
    enum baton_stage near_stage;
    double near_score; /* least */
    int32_t threshold;
    struct arena arena;
    struct listed *leads;
    size_t count, room, merged;
    uint64_t seen;
    bool terminal, csv;
    enum language language;
};

/* ---- What is asked for ---- */

static bool find_stage(const char *name, size_t size, enum baton_stage *stage)
{
    for (int i = 0; i < BATON_STAGES; i++) {
        const char *known = baton_stage_name((enum baton_stage)i);
        if (strlen(known) != size || memcmp(known, name, size) != 0)
            continue;
        *stage = (enum baton_stage)i;
        return true;
    }
    return false;
}

static int choose_stages(struct list *list)
{
    const char *names = invocation_option(list->invocation, "--stage");
    list->stages = (1u << BATON_STAGES) - 1;
    if (!names)
        return EXIT_CODE_OK;
    list->stages = 0;
    for (const char *at = names; *at || at == names;) {
        enum baton_stage stage;
        size_t size = strcspn(at, ",");
        if (!find_stage(at, size, &stage))
            return command_fail(list->invocation, EXIT_CODE_USAGE,
                                "--stage wants lead, mql, sql, accepted, customer, rejected or "
                                "recycled, or several with commas, not %s",
                                names);
        list->stages |= 1u << stage;
        at += size + (at[size] == ',');
    }
    return EXIT_CODE_OK;
}

static int choose_since(struct list *list)
{
    const char *since = invocation_option(list->invocation, "--since");
    struct clock *clock = system_clock();
    list->since_ms = INT64_MIN;
    if (!since || time_since(since, clock->wall_ms(clock), &list->since_ms))
        return EXIT_CODE_OK;
    return command_fail(list->invocation, EXIT_CODE_USAGE,
                        "--since wants a time back like 7d, 12h or 30m, or a time in UTC like "
                        "2026-11-01, not %s",
                        since);
}

/* `sql`, `sql:10` */
static int choose_near(struct list *list, long long *points)
{
    const char *near = invocation_option(list->invocation, "--near");
    size_t size = near ? strcspn(near, ":") : 0;
    *points = NEAR_POINTS;
    if (!near)
        return EXIT_CODE_OK;
    list->near = true;
    if (!find_stage(near, size, &list->near_stage) ||
        (list->near_stage != BATON_MQL && list->near_stage != BATON_SQL))
        return command_fail(list->invocation, EXIT_CODE_USAGE,
                            "--near wants mql or sql, or with points like sql:10, not %s", near);
    if (near[size] && !invocation_number("--near", near + size + 1, 0, BATON_SCORE_MAX, points))
        return EXIT_CODE_USAGE;
    return EXIT_CODE_OK;
}

/* The gate's score is the agreement's. */
static int measure_near(struct list *list, const struct config *config, long long points)
{
    struct agreement *agreement;
    if (!list->near)
        return EXIT_CODE_OK;
    int code = setup_agreement(config->agreement, setup_output_language(config), false, &agreement);
    if (code != EXIT_CODE_OK)
        return code;
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    list->threshold = list->near_stage == BATON_MQL ? compiled->mql.score : compiled->sql.score;
    agreement_destroy(agreement);
    if (list->threshold == BATON_NO_THRESHOLD)
        return command_fail(list->invocation, EXIT_CODE_BAD_INPUT,
                            "the gate `%s` of the agreement asks for no score, so no lead is near "
                            "it",
                            baton_stage_name(list->near_stage));
    list->near_score = (double)list->threshold - (double)points;
    return EXIT_CODE_OK;
}

static bool is_near(const struct list *list, const struct listed *lead)
{
    return !list->near ||
           (baton_stage_rank((enum baton_stage)lead->stage) < baton_stage_rank(list->near_stage) &&
            lead->score >= list->near_score);
}

/* ---- Finding them ---- */

static void copy_text(char *room, size_t size, struct baton_text text)
{
    size_t count = text.size < size - 1 ? text.size : size - 1;
    if (count)
        memcpy(room, text.data, count);
    room[count] = 0;
}

static void take_lead(void *context, const struct inspected_lead *found)
{
    struct list *list = context;
    struct listed lead = {.unit = found->unit, .order = (uint32_t)list->seen};
    enum baton_stage stage;
    list->seen++;
    lead.merged = found->flags & BATON_LEAD_MERGED;
    if (found->flags & BATON_LEAD_EMPTIED) /* it is about to leave */
        return;
    copy_text(lead.score_text, sizeof lead.score_text, found->score);
    lead.updated_ms = found->newest_ms;
    lead.score = strtod(lead.score_text, NULL);
    if (!find_stage(found->stage.data, found->stage.size, &stage))
        return;
    lead.stage = (uint8_t)stage;
    if (!(list->stages & (1u << stage)) || lead.updated_ms < list->since_ms ||
        !is_near(list, &lead))
        return;
    lead.id = (struct baton_text){arena_copy(&list->arena, found->id.data, found->id.size),
                                  found->id.size};
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 1024;
        list->leads = memory_resize(list->leads, list->room * sizeof *list->leads);
    }
    list->leads[list->count++] = lead;
}

static void tell_progress(void *context, uint64_t leads, uint64_t keys, uint64_t keys_in_all)
{
    const struct list *list = context;
    if (list->terminal && keys_in_all)
        (void)fprintf(stderr, "\r%" PRIu64 " leads, %" PRIu64 " %% of the keys", leads,
                      keys * 100 / keys_in_all);
}

static int compare_id(const struct listed *a, const struct listed *b)
{
    uint32_t size = a->id.size < b->id.size ? a->id.size : b->id.size;
    int order = size ? memcmp(a->id.data, b->id.data, size) : 0;
    return order ? order : (a->id.size > b->id.size) - (a->id.size < b->id.size);
}

static int by_id(const void *left, const void *right)
{
    const struct listed *a = left, *b = right;
    int order = compare_id(a, b);
    if (!order)
        order = (a->unit > b->unit) - (a->unit < b->unit);
    return order ? order : (a->order < b->order) - (a->order > b->order);
}

static int by_score(const void *left, const void *right)
{
    const struct listed *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return compare_id(a, b);
}

static void leave_out_merged(struct list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->leads[i].merged)
            list->merged++;
        else
            list->leads[kept++] = list->leads[i];
    list->count = kept;
}

static void sort(struct list *list)
{
    size_t kept = 0;
    if (!list->count)
        return;
    qsort(list->leads, list->count, sizeof *list->leads, by_id);
    for (size_t i = 0; i < list->count; i++) {
        const struct listed *lead = &list->leads[i];
        if (kept && lead->unit == list->leads[kept - 1].unit &&
            compare_id(lead, &list->leads[kept - 1]) == 0)
            continue;
        list->leads[kept++] = *lead;
    }
    list->count = kept;
    leave_out_merged(list);
    qsort(list->leads, list->count, sizeof *list->leads, by_score);
}

/* ---- Telling ---- */

static json_t *score_of(const struct listed *lead)
{
    return strchr(lead->score_text, '.') ? json_real(lead->score)
                                         : json_integer(strtoll(lead->score_text, NULL, 10));
}

static void print_json(const struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct listed *lead = &list->leads[i];
        json_t *object = json_object();
        json_object_set_new(object, "lead_id", json_text(lead->id));
        json_object_set_new(object, "unit", json_integer(lead->unit));
        json_object_set_new(object, "score", score_of(lead));
        json_object_set_new(object, "stage",
                            json_string(baton_stage_name((enum baton_stage)lead->stage)));
        json_object_set_new(object, "updated", json_time(lead->updated_ms));
        json_print_line_take(object);
    }
}

/* Quoted where it must be. What a spreadsheet would take for a formula gets an apostrophe: ids come
 * from the web. */
static void add_csv(struct text_buffer *out, struct baton_text text)
{
    bool formula = text.size && strchr("=+-@\t\r", text.data[0]), quote = formula;
    for (uint32_t i = 0; i < text.size; i++)
        quote |= strchr("\",\r\n;", text.data[i]) != NULL;
    text_buffer_add_text(out, quote ? "\"" : "");
    text_buffer_add_text(out, formula ? "'" : "");
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            text_buffer_add_text(out, "\"");
        text_buffer_add(out, text.data + i, 1);
    }
    text_buffer_add_text(out, quote ? "\"" : "");
}

static void print_csv(const struct list *list, struct text_buffer *out)
{
    text_buffer_add_text(out, "lead_id,stage,score,updated\n");
    for (size_t i = 0; i < list->count; i++) {
        const struct listed *lead = &list->leads[i];
        add_csv(out, lead->id);
        text_buffer_print(out, ",%s,%s,", baton_stage_name((enum baton_stage)lead->stage),
                          lead->score_text);
        text_buffer_add_time(out, lead->updated_ms);
        text_buffer_add_text(out, "\n");
    }
}

static void print_merged(const struct list *list, struct text_buffer *out)
{
    struct speech speech;
    if (!list->merged)
        return;
    speech_init(&speech, list->language, out);
    text_buffer_add_text(out, "\n");
    say(&speech, MESSAGE_LEADS_MERGED, {"count", speech_count(&speech, (int64_t)list->merged)});
    text_buffer_add_text(out, "\n");
    speech_fini(&speech);
}

static void print_text(const struct list *list, struct text_buffer *out)
{
    if (!list->count) {
        text_buffer_add_text(out, "no leads\n");
        return;
    }
    text_buffer_print(out, "%9s  %-8s  %-19s  %s\n", "score", "stage", "updated (UTC)", "lead");
    for (size_t i = 0; i < list->count; i++) {
        const struct listed *lead = &list->leads[i];
        text_buffer_print(out, "%9s  %-8s  ", lead->score_text,
                          baton_stage_name((enum baton_stage)lead->stage));
        add_person_time(out, lead->updated_ms);
        text_buffer_add_text(out, "  ");
        add_person_text(out, lead->id);
        text_buffer_add_text(out, "\n");
    }
}

static void print_list(const struct list *list)
{
    struct text_buffer out;
    text_buffer_init(&out);
    if (list->invocation->json)
        print_json(list);
    else if (list->csv)
        print_csv(list, &out);
    else {
        print_text(list, &out);
        print_merged(list, &out);
    }
    if (out.size)
        (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
    if (list->terminal)
        (void)fprintf(stderr, "%zu of %" PRIu64 " leads\n", list->count, list->seen);
}

/* ---- The verb ---- */

static int scan(struct list *list, const struct config *config)
{
    struct redis_config redis;
    struct redis_inspector *inspector;
    struct error error;
    setup_redis(config, &redis);
    if (redis_inspect_open(&inspector, &redis, &error) != STATUS_OK)
        return command_fail_status(list->invocation, &error);
    struct lead_visitor visitor = {.lead = take_lead, .progress = tell_progress, .context = list};
    enum status status = redis_inspect_leads(inspector, &visitor, &error);
    redis_inspect_close(inspector);
    if (list->terminal)
        (void)fprintf(stderr, "\r\033[K");
    if (status != STATUS_OK)
        return command_fail_status(list->invocation, &error);
    sort(list);
    long long most;
    const char *number = invocation_option(list->invocation, "--number");
    if (number && invocation_number("-n", number, 1, INT32_MAX, &most) &&
        (size_t)most < list->count)
        list->count = (size_t)most;
    print_list(list);
    return EXIT_CODE_OK;
}

static int check_options(struct list *list, long long *points)
{
    long long most;
    const char *number = invocation_option(list->invocation, "--number");
    int code = choose_stages(list);
    if (code == EXIT_CODE_OK)
        code = choose_since(list);
    if (code == EXIT_CODE_OK)
        code = choose_near(list, points);
    if (code == EXIT_CODE_OK && number && !invocation_number("-n", number, 1, INT32_MAX, &most))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK && list->csv && list->invocation->json)
        code = command_fail(list->invocation, EXIT_CODE_USAGE,
                            "--csv and --json cannot stand together");
    return code;
}

int command_leads(const struct invocation *invocation)
{
    long long points;
    struct list list = {.invocation = invocation,
                        .terminal = isatty(STDERR_FILENO) != 0,
                        .csv = invocation_option(invocation, "--csv") != NULL};
    if (!setup_language(invocation, NULL, &list.language))
        return EXIT_CODE_USAGE;
    int code = check_options(&list, &points);
    if (code != EXIT_CODE_OK)
        return code;
    struct config *config;
    code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    (void)setup_language(invocation, config, &list.language);
    arena_init(&list.arena, (size_t)256 * 1024);
    code = measure_near(&list, config, points);
    if (code == EXIT_CODE_OK)
        code = scan(&list, config);
    if (code == EXIT_CODE_OK)
        setup_tell_configured_dates(config);
    free(list.leads);
    arena_fini(&list.arena);
    config_destroy(config);
    return code;
}
