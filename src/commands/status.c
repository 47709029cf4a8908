#include "commands/json_out.h"
#include "commands/lead_view.h"
#include "commands/setup.h"
#include "commands/status_today.h"
#include "commands/system_clock.h"
#include "kafka/kafka_admin.h"
#include "pipeline/unit_record.h"
#include "redis/redis_inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit_view {
    uint32_t unit;
    bool known; /* Redis has it */
    struct unit_record record;
    char stopped[sizeof((struct error *)0)->text]; /* why; "": it has not */
    struct kafka_unit kafka;
};

struct status_view {
    const struct invocation *invocation;
    const struct config *config;
    enum language language;
    struct arena arena;
    struct unit_view *units;
    uint32_t count;
    bool kafka_known, redis_known;
    int64_t now_ms;
    struct status_today today;
};

/* ---- Asking
 * --------------------------------------------------------------------------------------- */

static enum status ask_group(struct status_view *view, struct kafka_admin *admin,
                             struct error *error)
{
    enum status status =
        kafka_admin_partitions(admin, view->config->topics.events, &view->count, error);
    if (status != STATUS_OK)
        return status;
    struct kafka_unit *found = arena_take(&view->arena, (view->count + 1) * sizeof *found);
    status = kafka_admin_group(admin, view->count, &view->arena, found, error);
    if (status != STATUS_OK)
        return status;
    view->units = arena_take(&view->arena, (view->count + 1) * sizeof *view->units);
    memset(view->units, 0, (view->count + 1) * sizeof *view->units);
    for (uint32_t i = 0; i < view->count; i++) {
        view->units[i].unit = i;
        view->units[i].kafka = found[i];
    }
    view->kafka_known = true;
    return STATUS_OK;
}

static enum status ask_kafka(struct status_view *view, struct error *error)
{
    struct kafka_settings settings;
    struct kafka_admin *admin;
    setup_kafka(view->config, view->invocation->config_path, "", &view->arena, &settings);
    enum status status = kafka_admin_create(&settings, &admin, error);
    if (status != STATUS_OK)
        return status;
    status = ask_group(view, admin, error);
    kafka_admin_destroy(admin);
    return status;
}

static enum status read_unit(struct status_view *view, struct redis_inspector *inspector,
                             struct unit_view *unit, struct error *error)
{
    struct field *fields;
    size_t count;
    enum status status =
        redis_inspect_unit(inspector, unit->unit, &view->arena, &fields, &count, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        if (fields[i].name.size == 7 && memcmp(fields[i].name.data, "stopped", 7) == 0)
            (void)snprintf(unit->stopped, sizeof unit->stopped, "%.*s", (int)fields[i].value.size,
                           fields[i].value.data);
    unit->known = count > 0;
    struct error damaged;
    if (unit_record_read(fields, count, &unit->record, &damaged) != STATUS_OK && !unit->stopped[0])
        (void)snprintf(unit->stopped, sizeof unit->stopped, "%s", damaged.text);
    return STATUS_OK;
}

/* Where Kafka did not answer, Redis tells which units there are. */
static enum status list_units(struct status_view *view, struct redis_inspector *inspector,
                              struct error *error)
{
    uint32_t *units;
    size_t count;
    if (view->kafka_known)
        return STATUS_OK;
    enum status status = redis_inspect_units(inspector, &view->arena, &units, &count, error);
    if (status != STATUS_OK)
        return status;
    view->count = (uint32_t)count;
    view->units = arena_take(&view->arena, (count + 1) * sizeof *view->units);
    memset(view->units, 0, (count + 1) * sizeof *view->units);
    for (size_t i = 0; i < count; i++)
        view->units[i].unit = units[i];
    return STATUS_OK;
}

static enum status ask_redis(struct status_view *view, struct error *error)
{
    struct redis_config redis;
    struct redis_inspector *inspector;
    setup_redis(view->config, &redis);
    enum status status = redis_inspect_open(&inspector, &redis, error);
    if (status != STATUS_OK)
        return status;
    status = list_units(view, inspector, error);
    for (uint32_t i = 0; i < view->count && status == STATUS_OK; i++)
        status = read_unit(view, inspector, &view->units[i], error);
    view->redis_known = status == STATUS_OK;
    if (view->redis_known)
        status_today_read(&view->today, view->config->agreement, inspector, view->count,
                          view->now_ms, &view->arena);
    redis_inspect_close(inspector);
    return status;
}

/* ---- What follows from it
 * ------------------------------------------------------------------------- */

/* Events behind the committed offset; -1: not known. */
static int64_t lag_of(const struct status_view *view, const struct unit_view *unit)
{
    if (!view->kafka_known)
        return -1;
    int64_t from = unit->kafka.commit.offset >= 0 ? unit->kafka.commit.offset : unit->kafka.first;
    return unit->kafka.end > from ? unit->kafka.end - from : 0;
}

static int64_t checkpoint_age(const struct status_view *view, const struct unit_view *unit)
{
    if (!unit->record.updated_ms)
        return -1;
    return view->now_ms > unit->record.updated_ms ? view->now_ms - unit->record.updated_ms : 0;
}

static uint64_t dead_of(const struct unit_view *unit)
{
    uint64_t sum = 0;
    for (int reason = 0; reason < DEAD_REASONS; reason++)
        sum += unit->record.aggregates.dead[reason];
    return sum;
}

static size_t stopped_units(const struct status_view *view)
{
    size_t count = 0;
    for (uint32_t i = 0; i < view->count; i++)
        count += view->units[i].stopped[0] != 0;
    return count;
}

/* ---- JSON
 * ----------------------------------------------------------------------------------------- */

static json_t *number_or_null(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *count_of(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static void set_aggregates(json_t *object, const struct unit_aggregates *aggregates)
{
    json_t *dead = json_object();
    json_object_set_new(object, "events", count_of(aggregates->events));
    json_object_set_new(object, "duplicates", count_of(aggregates->duplicates));
    json_object_set_new(object, "too_late", count_of(aggregates->too_late));
    json_object_set_new(object, "ignored", count_of(aggregates->ignored));
    json_object_set_new(object, "reports_ignored", count_of(aggregates->reports_ignored));
    json_object_set_new(object, "dropped", count_of(aggregates->dropped));
    json_object_set_new(object, "transfers_trimmed", count_of(aggregates->trimmed));
    json_object_set_new(object, "transitions", count_of(aggregates->transitions));
    json_object_set_new(object, "promotions", count_of(aggregates->promotions));
    for (int reason = 0; reason < DEAD_REASONS; reason++) {
        const char *name = dead_reason_name((enum dead_reason)reason);
        if (name && aggregates->dead[reason])
            json_object_set_new(dead, name, count_of(aggregates->dead[reason]));
    }
    json_object_set_new(object, "dead_letters", dead);
}

static json_t *sweep_object(const struct unit_sweep *sweep)
{
    if (!sweep->agreement[0])
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "running", json_boolean(sweep->running));
    json_object_set_new(object, "begun_ms", json_integer(sweep->begun_ms));
    json_object_set_new(object, "agreement", json_string(sweep->agreement));
    json_object_set_new(object, "permille", json_integer(sweep->running ? sweep->permille : 1000));
    json_object_set_new(object, "leads", count_of(sweep->seen));
    json_object_set_new(object, "rechecks", count_of(sweep->asked));
    return object;
}

static json_t *unit_object(const struct status_view *view, const struct unit_view *unit)
{
    json_t *object = json_object();
    bool kafka = view->kafka_known;
    json_object_set_new(object, "unit", json_integer(unit->unit));
    json_object_set_new(object, "position",
                        unit->record.has_position ? json_integer(unit->record.position)
                                                  : json_null());
    json_object_set_new(object, "committed",
                        number_or_null(kafka ? unit->kafka.commit.offset : -1));
    json_object_set_new(object, "first", number_or_null(kafka ? unit->kafka.first : -1));
    json_object_set_new(object, "end", number_or_null(kafka ? unit->kafka.end : -1));
    json_object_set_new(object, "lag", number_or_null(lag_of(view, unit)));
    json_object_set_new(object, "checkpoint_age_ms", number_or_null(checkpoint_age(view, unit)));
    json_object_set_new(object, "agreement", json_string(unit->record.agreement));
    json_object_set_new(object, "stopped",
                        unit->stopped[0] ? json_string(unit->stopped) : json_null());
    json_object_set_new(object, "sweep", sweep_object(&unit->record.sweep));
    json_object_set_new(object, "member",
                        json_string(kafka && unit->kafka.member ? unit->kafka.member : ""));
    set_aggregates(object, &unit->record.aggregates);
    return object;
}

static void print_json(const struct status_view *view)
{
    json_t *object = json_object(), *units = json_array();
    struct unit_aggregates sum = {0};
    int64_t lag = view->kafka_known ? 0 : -1;
    for (uint32_t i = 0; i < view->count; i++) {
        const struct unit_aggregates *one = &view->units[i].record.aggregates;
        json_array_append_new(units, unit_object(view, &view->units[i]));
        lag += view->kafka_known ? lag_of(view, &view->units[i]) : 0;
        sum.events += one->events;
        sum.duplicates += one->duplicates;
        sum.too_late += one->too_late;
        sum.ignored += one->ignored;
        sum.reports_ignored += one->reports_ignored;
        sum.dropped += one->dropped;
        sum.trimmed += one->trimmed;
        sum.transitions += one->transitions;
        sum.promotions += one->promotions;
        for (int reason = 0; reason < DEAD_REASONS; reason++)
            sum.dead[reason] += one->dead[reason];
    }
    json_object_set_new(object, "group", json_string(view->config->kafka.group));
    json_object_set_new(object, "topic", json_string(view->config->topics.events));
    json_object_set_new(object, "kafka", json_boolean(view->kafka_known));
    json_object_set_new(object, "redis", json_boolean(view->redis_known));
    json_object_set_new(object, "lag", number_or_null(lag));
    json_object_set_new(object, "stopped", json_integer((json_int_t)stopped_units(view)));
    set_aggregates(object, &sum);
    json_object_set_new(object, "today", status_today_json(&view->today));
    json_object_set_new(object, "units", units);
    json_print_line_take(object);
}

/* ---- A table
 * -------------------------------------------------------------------------------------- */

#define COLUMNS 12
#define CELL 48

/* 1234567 → 1,234,567 */
static void put_number(char cell[CELL], int64_t number)
{
    char digits[24];
    if (number < 0) {
        (void)snprintf(cell, CELL, "-");
        return;
    }
    int size = snprintf(digits, sizeof digits, "%" PRId64, number), at = 0;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            cell[at++] = ',';
        cell[at++] = digits[i];
    }
    cell[at] = 0;
}

static void put_age(char cell[CELL], int64_t age_ms)
{
    if (age_ms < 0)
        (void)snprintf(cell, CELL, "none");
    else if (age_ms < 60000)
        (void)snprintf(cell, CELL, "%.1f s", (double)age_ms / 1000);
    else if (age_ms < 7200000)
        (void)snprintf(cell, CELL, "%" PRId64 " min", age_ms / 60000);
    else
        (void)snprintf(cell, CELL, "%" PRId64 " h", age_ms / 3600000);
}

static void fill_row(const struct status_view *view, const struct unit_view *unit,
                     char row[COLUMNS][CELL])
{
    const struct unit_record *record = &unit->record;
    bool counted = unit->known && record->has_position;
    put_number(row[0], unit->unit);
    put_number(row[1], counted ? record->position : -1);
    put_number(row[2], view->kafka_known ? unit->kafka.commit.offset : -1);
    put_number(row[3], view->kafka_known ? unit->kafka.end : -1);
    put_number(row[4], lag_of(view, unit));
    put_age(row[5], checkpoint_age(view, unit));
    put_number(row[6], counted ? (int64_t)record->aggregates.events : -1);
    put_number(row[7], counted ? (int64_t)record->aggregates.ignored : -1);
    put_number(row[8], counted ? (int64_t)record->aggregates.reports_ignored : -1);
    put_number(row[9], counted ? (int64_t)record->aggregates.dropped : -1);
    put_number(row[10], counted ? (int64_t)record->aggregates.promotions : -1);
    put_number(row[11], counted ? (int64_t)dead_of(unit) : -1);
}

static void print_row(char row[COLUMNS][CELL], const int width[COLUMNS], const char *last)
{
    for (int i = 0; i < COLUMNS; i++)
        (void)printf("%*s  ", width[i], row[i]);
    (void)printf("%s\n", last);
}

static void print_table(const struct status_view *view)
{
    char head[COLUMNS][CELL] = {
        "unit",   "position", "committed",       "end",     "lag",        "checkpoint",
        "events", "ignored",  "reports ignored", "dropped", "promotions", "dead"};
    int width[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        width[i] = (int)strlen(head[i]);
    for (uint32_t u = 0; u < view->count; u++) {
        char row[COLUMNS][CELL];
        fill_row(view, &view->units[u], row);
        for (int i = 0; i < COLUMNS; i++)
            width[i] = (int)strlen(row[i]) > width[i] ? (int)strlen(row[i]) : width[i];
    }
    print_row(head, width, "held by");
    for (uint32_t u = 0; u < view->count; u++) {
        const struct unit_view *unit = &view->units[u];
        char row[COLUMNS][CELL];
        fill_row(view, unit, row);
        const char *member = view->kafka_known && unit->kafka.member ? unit->kafka.member : "";
        print_row(row, width, unit->stopped[0] ? "STOPPED" : member[0] ? member : "nobody");
    }
}

static void print_sweeps(const struct status_view *view)
{
    for (uint32_t i = 0; i < view->count; i++) {
        const struct unit_sweep *sweep = &view->units[i].record.sweep;
        if (sweep->running)
            (void)printf("\nunit %" PRIu32 " looks at all leads again: %u %%, %" PRIu64
                         " leads, %" PRIu64 " rechecks\n",
                         view->units[i].unit, sweep->permille / 10, sweep->seen, sweep->asked);
    }
}

static void print_trimmed(const struct status_view *view)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < view->count; i++)
        sum += view->units[i].record.aggregates.trimmed;
    if (sum)
        (void)printf("\n%" PRIu64 " transfers of merged leads were trimmed: raise "
                     "max.message.bytes of topic %s\n",
                     sum, view->config->topics.events);
}

static void print_today(const struct status_view *view)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, view->language, &out);
    status_today_say(&view->today, &speech);
    if (out.size)
        (void)printf("\n%s", out.data);
    speech_fini(&speech);
    text_buffer_fini(&out);
}

static void print_text(const struct status_view *view)
{
    int64_t lag = 0;
    for (uint32_t i = 0; i < view->count; i++)
        lag += view->kafka_known ? lag_of(view, &view->units[i]) : 0;
    char number[CELL];
    put_number(number, view->kafka_known ? lag : -1);
    (void)printf("group %s, topic %s: %" PRIu32 " units, %s events behind\n\n",
                 view->config->kafka.group, view->config->topics.events, view->count, number);
    print_table(view);
    print_sweeps(view);
    print_trimmed(view);
    print_today(view);
    for (uint32_t i = 0; i < view->count; i++)
        if (view->units[i].stopped[0])
            (void)printf("\nunit %" PRIu32 " has stopped: %s\n", view->units[i].unit,
                         view->units[i].stopped);
}

/* ---- The verb
 * ------------------------------------------------------------------------------------- */

/* Shows what it can: one of the two servers may be the very reason why somebody asks. */
static int ask_and_print(struct status_view *view)
{
    struct error error;
    int code = EXIT_CODE_OK;
    view->now_ms = system_clock()->wall_ms(system_clock());
    if (ask_kafka(view, &error) != STATUS_OK)
        code = command_fail_status(view->invocation, &error);
    if (ask_redis(view, &error) != STATUS_OK)
        code = command_fail_status(view->invocation, &error);
    if (view->kafka_known || view->redis_known)
        view->invocation->json ? print_json(view) : print_text(view);
    return stopped_units(view) ? EXIT_CODE_FAILED : code;
}

int command_status(const struct invocation *invocation)
{
    struct config *config;
    int code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    struct status_view view = {.invocation = invocation, .config = config};
    arena_init(&view.arena, 65536);
    code =
        setup_language(invocation, config, &view.language) ? ask_and_print(&view) : EXIT_CODE_USAGE;
    setup_tell_configured_dates(config);
    status_today_fini(&view.today);
    arena_fini(&view.arena);
    config_destroy(config);
    return code;
}
