#include "commands/lead_view.h"
#include "commands/partitioner.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "redis/redis_inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct show {
    const struct invocation *invocation;
    struct config *config;
    struct agreement *source;
    struct redis_config redis;
    struct redis_inspector *inspector;
    struct arena arena;
    struct baton_allocator allocator;
    struct baton_text id;
    struct inspected_lead stored;
    bool found;
    struct baton_words words;
    struct baton_lead lead;
    int64_t at_ms;
};

/* ---- Finding it
 * ----------------------------------------------------------------------------------- */

static enum status look_in(struct show *show, uint32_t unit, struct error *error)
{
    if (show->found)
        return STATUS_OK;
    return redis_inspect_lead(show->inspector, unit, show->id, &show->arena, &show->stored,
                              &show->found, error);
}

/* The number of partitions stands in every unit; 0: Redis knows no unit 0. */
static enum status partitions_by_unit_0(struct show *show, uint32_t *partitions,
                                        struct error *error)
{
    struct field *fields;
    size_t count;
    *partitions = 0;
    enum status status =
        redis_inspect_unit(show->inspector, 0, &show->arena, &fields, &count, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        char number[16] = "";
        if (fields[i].name.size != 10 || memcmp(fields[i].name.data, "partitions", 10) != 0 ||
            fields[i].value.size > 10)
            continue;
        memcpy(number, fields[i].value.data, fields[i].value.size);
        *partitions = (uint32_t)strtoul(number, NULL, 10);
    }
    return status;
}

/* First where common producers would have put it, then everywhere. */
static enum status find_lead(struct show *show, struct error *error)
{
    uint32_t partitions, *units;
    size_t count;
    enum status status = partitions_by_unit_0(show, &partitions, error);
    if (status == STATUS_OK && partitions)
        status = look_in(show, partition_by_crc32(show->id, partitions), error);
    if (status == STATUS_OK && partitions)
        status = look_in(show, partition_by_murmur2(show->id, partitions), error);
    if (status != STATUS_OK || show->found)
        return status;
    status = redis_inspect_units(show->inspector, &show->arena, &units, &count, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = look_in(show, units[i], error);
    return status;
}

/* Ids come in any order and are dense from 2. */
static enum status restore_words(struct show *show, struct error *error)
{
    struct field *fields;
    size_t count;
    enum status status = redis_inspect_words(show->inspector, show->stored.unit, &show->arena,
                                             &fields, &count, error);
    if (status != STATUS_OK)
        return status;
    struct baton_text *by_id = arena_take(&show->arena, (count + 2) * sizeof *by_id);
    memset(by_id, 0, (count + 2) * sizeof *by_id);
    for (size_t i = 0; i < count; i++) {
        char number[12] = "";
        if (fields[i].name.size < sizeof number)
            memcpy(number, fields[i].name.data, fields[i].name.size);
        unsigned long id = strtoul(number, NULL, 10);
        if (id >= 2 && id < count + 2)
            by_id[id] = fields[i].value;
    }
    for (uint32_t id = 2; id < count + 2 && by_id[id].size; id++)
        (void)baton_words_restore(&show->words, id, by_id[id]);
    return STATUS_OK;
}

static enum status unpack(struct show *show, struct error *error)
{
    enum status status = restore_words(show, error);
    if (status != STATUS_OK)
        return status;
    enum baton_unpack outcome =
        baton_lead_unpack(&show->lead, show->stored.packed, show->stored.packed_size,
                          show->words.count, &show->allocator);
    if (outcome == BATON_UNKNOWN_VERSION)
        return error_set(error, STATUS_STOP,
                         "a newer version of baton has written this lead: use that one");
    if (outcome != BATON_UNPACKED)
        return error_set(error, STATUS_STOP,
                         "the lead is damaged in Redis: bring back a sound copy of Redis' data");
    baton_lead_attach(&show->lead, agreement_compiled(show->source));
    return STATUS_OK;
}

/* ---- As of when
 * ----------------------------------------------------------------------------------- */

static int64_t wall_ms(void)
{
    struct clock *clock = system_clock();
    return clock->wall_ms(clock);
}

/* "2026-11-01T12:00:00Z", "2026-11-01" */
static bool parse_time(const char *text, int64_t *time_ms)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &parts);
    if (rest && (*rest == 'T' || *rest == ' '))
        rest = strptime(rest + 1, "%H:%M:%S", &parts);
    if (!rest)
        return false;
    int64_t fraction = 0;
    if (*rest == '.') {
        int64_t worth = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, worth /= 10)
            fraction += (*rest - '0') * worth;
    }
    *time_ms = (int64_t)timegm(&parts) * 1000 + fraction;
    return *rest == 0 || strcmp(rest, "Z") == 0;
}

static int choose_time(struct show *show)
{
    const char *text = invocation_option(show->invocation, "--at");
    char *end;
    show->at_ms = wall_ms();
    if (!text || parse_time(text, &show->at_ms))
        return EXIT_CODE_OK;
    show->at_ms = 0; /* no score is older than the newest event */
    if (strcmp(text, "newest") == 0)
        return EXIT_CODE_OK;
    show->at_ms = strtoll(text, &end, 10);
    if (*text && *end == 0 && show->at_ms >= 0 && show->at_ms <= BATON_TIME_MAX_MS)
        return EXIT_CODE_OK;
    return command_fail(show->invocation, EXIT_CODE_USAGE,
                        "--at wants a time in UTC like 2026-11-01T12:00:00Z, milliseconds since "
                        "1970, or `newest`, not %s",
                        text);
}

/* ---- Telling
 * -------------------------------------------------------------------------------------- */

static struct lead_view view_of(const struct show *show)
{
    return (struct lead_view){.id = show->id,
                              .lead = &show->lead,
                              .agreement = agreement_compiled(show->source),
                              .words = &show->words,
                              .at_ms = show->at_ms};
}

static json_t *stored_number(struct baton_text text)
{
    char room[32] = "";
    if (text.size >= sizeof room)
        return json_null();
    memcpy(room, text.data, text.size);
    return strchr(room, '.') ? json_real(strtod(room, NULL))
                             : json_integer(strtoll(room, NULL, 10));
}

static int64_t stored_time(const struct show *show)
{
    char room[24] = "";
    if (show->stored.updated.size < sizeof room)
        memcpy(room, show->stored.updated.data, show->stored.updated.size);
    return strtoll(room, NULL, 10);
}

static void print_json(const struct show *show)
{
    struct lead_view view = view_of(show);
    const struct baton_lead *lead = &show->lead;
    json_t *object = json_object();
    json_object_set_new(object, "lead_id", json_text(show->id));
    json_object_set_new(object, "unit", json_integer(show->stored.unit));
    lead_view_set_scores(&view, object);
    json_object_set_new(object, "stored_score", stored_number(show->stored.score));
    json_object_set_new(object, "stored_at", json_time(stored_time(show)));
    json_object_set_new(object, "stage", json_string(baton_stage_name(lead->stage)));
    json_object_set_new(object, "generation", json_integer(lead->generation));
    json_object_set_new(object, "mql_at", json_time_or_null(lead->mql_ms));
    json_object_set_new(object, "sql_at", json_time_or_null(lead->sql_ms));
    json_object_set_new(object, "rules", lead_view_rules(&view));
    json_object_set_new(object, "touches", lead_view_touches(&view));
    json_object_set_new(object, "conversions", json_integer(lead->conversions));
    json_object_set_new(object, "first_channel",
                        json_text_or_null(baton_words_text(&show->words, lead->first_channel)));
    json_object_set_new(object, "last_channel",
                        json_text_or_null(baton_words_text(&show->words, lead->last_channel)));
    json_object_set_new(object, "profile", lead_view_profile(&view));
    json_object_set_new(object, "events", json_integer(lead->events));
    json_object_set_new(object, "agreement", json_string(agreement_hash(show->source)));
    json_print_line_take(object);
}

static void add_scores(const struct show *show, struct text_buffer *out)
{
    struct baton_score score;
    baton_lead_score(&show->lead, agreement_compiled(show->source), show->at_ms, &score);
    text_buffer_add_text(out, "\nscore      ");
    text_buffer_add_points(out, score.score);
    text_buffer_add_text(out, " points = fit ");
    text_buffer_add_points(out, score.fit);
    text_buffer_add_text(out, " + behaviour ");
    text_buffer_add_points(out, score.behaviour);
    text_buffer_add_text(out, "   (stored: ");
    add_person_text(out, show->stored.score);
    text_buffer_add_text(out, " as of ");
    add_person_time(out, stored_time(show));
    text_buffer_add_text(out, ")\n");
}

static void add_stage(const struct show *show, struct text_buffer *out)
{
    const struct baton_lead *lead = &show->lead;
    text_buffer_print(out, "stage      %s", baton_stage_name(lead->stage));
    if (lead->mql_ms) {
        text_buffer_add_text(out, ", mql since ");
        add_person_time(out, lead->mql_ms);
    }
    if (lead->sql_ms) {
        text_buffer_add_text(out, ", sql since ");
        add_person_time(out, lead->sql_ms);
    }
    text_buffer_print(out, "\nevents     %" PRIu32 ", %" PRIu32 " of them forms", lead->events,
                      lead->conversions);
    if (lead->first_channel) {
        text_buffer_add_text(out, "; first channel ");
        add_person_text(out, baton_words_text(&show->words, lead->first_channel));
        text_buffer_add_text(out, ", last ");
        add_person_text(out, baton_words_text(&show->words, lead->last_channel));
    }
    text_buffer_add_text(out, "\n");
}

static void add_profile(const struct show *show, struct text_buffer *out)
{
    const char *head = "profile  ";
    for (size_t i = 0; i < show->lead.profile_count; i++) {
        const struct baton_profile_value *value = &show->lead.profile[i];
        if (!value->value.size)
            continue;
        text_buffer_print(out, "%s  ", head);
        add_profile_name(out, value);
        text_buffer_add_text(out, ": ");
        add_person_text(out, value->value);
        text_buffer_add_text(out, "\n");
        head = "         ";
    }
}

static void add_touch(const struct show *show, const struct baton_touch *touch,
                      struct text_buffer *out)
{
    add_person_time(out, touch->time_ms);
    text_buffer_print(out, "  %s ", baton_event_kind_name(touch->kind));
    add_person_text(out, baton_words_text(&show->words, touch->page));
    if (touch->channel || touch->campaign) {
        text_buffer_add_text(out, "  via ");
        add_person_text(out, baton_words_text(&show->words, touch->channel));
        text_buffer_add_text(out, touch->channel && touch->campaign ? " / " : "");
        add_person_text(out, baton_words_text(&show->words, touch->campaign));
    }
    text_buffer_add_text(out, "  → ");
    add_person_text(out, baton_words_text(&show->words, touch->rules));
    text_buffer_add_text(out, "\n");
}

static void print_text(const struct show *show)
{
    struct text_buffer out;
    struct lead_view view = view_of(show);
    text_buffer_init(&out);
    text_buffer_add_text(&out, "lead       ");
    add_person_text(&out, show->id);
    text_buffer_print(&out, "   (unit %" PRIu32 ")", show->stored.unit);
    add_scores(show, &out);
    add_stage(show, &out);
    text_buffer_add_text(&out, "points     ");
    size_t start = out.size;
    lead_view_add_rules(&view, &out);
    text_buffer_add_text(&out, out.size == start ? "no rule counted\n" : "\n");
    add_profile(show, &out);
    for (size_t i = 0; i < show->lead.touch_count; i++) {
        text_buffer_add_text(&out, i == 0 ? "touches    " : "           ");
        add_touch(show, &show->lead.touches[i], &out);
    }
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

/* ---- The verb
 * ------------------------------------------------------------------------------------- */

static int look_up(struct show *show)
{
    struct error error;
    setup_redis(show->config, &show->redis);
    if (redis_inspect_open(&show->inspector, &show->redis, &error) != STATUS_OK)
        return command_fail_status(show->invocation, &error);
    enum status status = find_lead(show, &error);
    if (status != STATUS_OK)
        return command_fail_status(show->invocation, &error);
    if (!show->found)
        return command_fail(show->invocation, EXIT_CODE_FAILED,
                            "Redis knows no lead %s under the prefix %s",
                            show->invocation->arguments[0], show->redis.prefix);
    if (unpack(show, &error) != STATUS_OK)
        return command_fail_status(show->invocation, &error);
    show->invocation->json ? print_json(show) : print_text(show);
    setup_tell_dates(show->source);
    return EXIT_CODE_OK;
}

int command_show(const struct invocation *invocation)
{
    struct show show = {.invocation = invocation, .allocator = heap_allocator()};
    const char *id = invocation->arguments[0];
    show.id = (struct baton_text){id, (uint32_t)strlen(id)};
    arena_init(&show.arena, 65536);
    baton_words_init(&show.words, UINT32_MAX, show.allocator);
    baton_lead_init(&show.lead);
    int code = choose_time(&show);
    if (code == EXIT_CODE_OK)
        code = setup_config(invocation, &show.config);
    if (code == EXIT_CODE_OK)
        code = setup_agreement(invocation, show.config->agreement, &show.source);
    if (code == EXIT_CODE_OK)
        code = look_up(&show);
    redis_inspect_close(show.inspector);
    baton_lead_fini(&show.lead, &show.allocator);
    baton_words_fini(&show.words);
    arena_fini(&show.arena);
    if (show.source)
        agreement_destroy(show.source);
    if (show.config)
        config_destroy(show.config);
    return code;
}
