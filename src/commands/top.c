#include "commands/json_out.h"
#include "commands/lead_view.h"
#include "commands/setup.h"
#include "redis/redis_inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOP_MAX 10000

struct best {
    double score;
    uint32_t unit;
    struct baton_text id; /* owned */
    char score_text[24], stage[16];
    int64_t updated_ms;
};

struct top {
    const char *stage;  /* NULL: all */
    struct best *leads; /* descending by score, ascending by id */
    size_t count, most;
    uint64_t seen;
    bool terminal;
};

static void copy_text(char *room, size_t size, struct baton_text text)
{
    size_t count = text.size < size - 1 ? text.size : size - 1;
    if (count)
        memcpy(room, text.data, count);
    room[count] = 0;
}

static int compare_id(struct baton_text a, struct baton_text b)
{
    uint32_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static bool is_better(const struct best *left, const struct best *right)
{
    return left->score != right->score ? left->score > right->score
                                       : compare_id(left->id, right->id) < 0;
}

static struct baton_text own_text(struct baton_text text)
{
    char *copy = memory_take(text.size);
    if (text.size)
        memcpy(copy, text.data, text.size);
    return (struct baton_text){copy, text.size};
}

/* A scan may give a lead twice; its score may have changed in between, then the later one stands.
 */
static void forget(struct top *top, const struct best *lead)
{
    for (size_t i = 0; i < top->count; i++) {
        if (top->leads[i].unit != lead->unit || compare_id(top->leads[i].id, lead->id) != 0)
            continue;
        free((char *)top->leads[i].id.data);
        memmove(&top->leads[i], &top->leads[i + 1], (top->count - i - 1) * sizeof *top->leads);
        top->count--;
        return;
    }
}

static void insert(struct top *top, struct best *lead)
{
    if (top->count == top->most && !is_better(lead, &top->leads[top->count - 1]))
        return;
    forget(top, lead);
    if (top->count == top->most)
        free((char *)top->leads[--top->count].id.data);
    size_t at = top->count;
    for (; at > 0 && is_better(lead, &top->leads[at - 1]); at--)
        top->leads[at] = top->leads[at - 1];
    lead->id = own_text(lead->id);
    top->leads[at] = *lead;
    top->count++;
}

static void take_lead(void *context, const struct inspected_lead *lead)
{
    struct top *top = context;
    struct best best = {.unit = lead->unit, .id = lead->id};
    top->seen++;
    copy_text(best.score_text, sizeof best.score_text, lead->score);
    copy_text(best.stage, sizeof best.stage, lead->stage);
    best.updated_ms = lead->newest_ms;
    best.score = strtod(best.score_text, NULL);
    if (!top->stage || strcmp(top->stage, best.stage) == 0)
        insert(top, &best);
}

static void tell_progress(void *context, uint64_t leads, uint64_t keys, uint64_t keys_in_all)
{
    const struct top *top = context;
    if (top->terminal && keys_in_all)
        (void)fprintf(stderr, "\r%" PRIu64 " leads, %" PRIu64 " %% of the keys", leads,
                      keys * 100 / keys_in_all);
}

static void print_text(const struct top *top)
{
    struct text_buffer out;
    text_buffer_init(&out);
    if (top->count)
        text_buffer_print(&out, "%4s  %9s  %-8s  %-19s  %s\n", "", "score", "stage",
                          "updated (UTC)", "lead");
    for (size_t i = 0; i < top->count; i++) {
        text_buffer_print(&out, "%4zu  %9s  %-8s  ", i + 1, top->leads[i].score_text,
                          top->leads[i].stage);
        add_person_time(&out, top->leads[i].updated_ms);
        text_buffer_add_text(&out, "  ");
        add_person_text(&out, top->leads[i].id);
        text_buffer_add_text(&out, "\n");
    }
    if (top->count == 0)
        text_buffer_add_text(&out, "no leads\n");
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

static void print_json(const struct top *top)
{
    for (size_t i = 0; i < top->count; i++) {
        const struct best *best = &top->leads[i];
        json_t *object = json_object();
        json_object_set_new(object, "lead_id", json_text(best->id));
        json_object_set_new(object, "unit", json_integer(best->unit));
        json_object_set_new(object, "score",
                            strchr(best->score_text, '.')
                                ? json_real(best->score)
                                : json_integer(strtoll(best->score_text, NULL, 10)));
        json_object_set_new(object, "stage", json_string(best->stage));
        json_object_set_new(object, "updated", json_time(best->updated_ms));
        json_print_line_take(object);
    }
}

static int scan(const struct invocation *invocation, struct top *top, const struct config *config)
{
    struct redis_config redis;
    struct redis_inspector *inspector;
    struct error error;
    setup_redis(config, &redis);
    if (redis_inspect_open(&inspector, &redis, &error) != STATUS_OK)
        return command_fail_status(invocation, &error);
    struct lead_visitor visitor = {.lead = take_lead, .progress = tell_progress, .context = top};
    enum status status = redis_inspect_leads(inspector, &visitor, &error);
    redis_inspect_close(inspector);
    if (top->terminal)
        (void)fprintf(stderr, "\r\033[K");
    if (status != STATUS_OK)
        return command_fail_status(invocation, &error);
    invocation->json ? print_json(top) : print_text(top);
    return EXIT_CODE_OK;
}

static bool known_stage(const char *stage)
{
    for (int i = 0; i < BATON_STAGES; i++)
        if (strcmp(stage, baton_stage_name((enum baton_stage)i)) == 0)
            return true;
    return false;
}

int command_top(const struct invocation *invocation)
{
    long long most = 10;
    const char *number = invocation_option(invocation, "--number");
    if (number && !invocation_number("-n", number, 1, TOP_MAX, &most))
        return EXIT_CODE_USAGE;
    struct top top = {.stage = invocation_option(invocation, "--stage"),
                      .most = (size_t)most,
                      .terminal = isatty(STDERR_FILENO) != 0};
    if (top.stage && !known_stage(top.stage))
        return command_fail(
            invocation, EXIT_CODE_USAGE,
            "--stage wants lead, mql, sql, accepted, customer, rejected or recycled, not %s",
            top.stage);
    struct config *config;
    int code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    top.leads = memory_take(top.most * sizeof *top.leads);
    code = scan(invocation, &top, config);
    setup_tell_configured_dates(config);
    for (size_t i = 0; i < top.count; i++)
        free((char *)top.leads[i].id.data);
    free(top.leads);
    config_destroy(config);
    return code;
}
