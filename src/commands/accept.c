/* Lets a unit go on that has stopped because something differs: claims it, writes what is accepted,
 * and leaves it to whoever owns the partition, who notices at the fence. */
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "kafka/kafka_admin.h"
#include "pipeline/unit_record.h"
#include "redis/redis_inspect.h"
#include "redis/redis_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct acceptance {
    const struct invocation *invocation;
    const struct config *config;
    struct arena arena;
    struct store *store;
    uint32_t unit;
    struct schema_key schema; /* SCHEMA_NONE: the difference itself is accepted */
    struct fence fence;
    struct unit_record record;
    struct kafka_unit kafka;
};

/* "r7" or "7": a registry's id; "f0123456789abcdef": a fingerprint. As the log and `status` write
 * them. */
static bool parse_schema(const char *text, struct schema_key *key)
{
    char *end;
    bool fingerprint = text[0] == 'f' && strlen(text) == 17;
    const char *number = fingerprint || text[0] == 'r' ? text + 1 : text;
    if (!*number)
        return false;
    key->naming = fingerprint ? SCHEMA_FINGERPRINT : SCHEMA_REGISTRY_ID;
    key->id = strtoull(number, &end, fingerprint ? 16 : 10);
    return *end == 0;
}

static int read_options(struct acceptance *acceptance)
{
    const struct invocation *invocation = acceptance->invocation;
    const char *unit = invocation_option(invocation, "--unit"),
               *schema = invocation_option(invocation, "--schema");
    long long number;
    if (!unit)
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "wants --unit N (baton status shows the units)");
    if (!invocation_number("--unit", unit, 0, UINT32_MAX - 1, &number))
        return EXIT_CODE_USAGE;
    acceptance->unit = (uint32_t)number;
    if (schema && !parse_schema(schema, &acceptance->schema))
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "--schema wants a registry's id (7 or r7) or a fingerprint (f and 16 "
                            "hex digits), not %s",
                            schema);
    return EXIT_CODE_OK;
}

static enum status ask_kafka(struct acceptance *acceptance, struct error *error)
{
    struct kafka_settings settings;
    struct kafka_admin *admin;
    uint32_t units;
    setup_kafka(acceptance->config, acceptance->invocation->config_path, "", &acceptance->arena,
                &settings);
    enum status status = kafka_admin_create(&settings, &admin, error);
    if (status != STATUS_OK)
        return status;
    status = kafka_admin_partitions(admin, settings.events, &units, error);
    if (status == STATUS_OK && acceptance->unit >= units)
        status = error_set(error, STATUS_STOP,
                           "there is no unit %" PRIu32 ": topic %s has %" PRIu32 " partitions",
                           acceptance->unit, settings.events, units);
    if (status == STATUS_OK) {
        struct kafka_unit *found = arena_take(&acceptance->arena, units * sizeof *found);
        status = kafka_admin_group(admin, units, &acceptance->arena, found, error);
        if (status == STATUS_OK)
            acceptance->kafka = found[acceptance->unit];
    }
    kafka_admin_destroy(admin);
    return status;
}

/* A unit that runs well is not to be claimed: looked at before the claim. */
static enum status may_accept(struct acceptance *acceptance, struct error *error)
{
    if (acceptance->schema.naming != SCHEMA_NONE && acceptance->kafka.member[0])
        return error_set(error, STATUS_STOP,
                         "unit %" PRIu32 " is held by a running baton (%s): stop it first, then "
                         "nothing is decided under the old verdict meanwhile",
                         acceptance->unit, acceptance->kafka.member);
    struct redis_config redis;
    struct redis_inspector *inspector;
    setup_redis(acceptance->config, &redis);
    enum status status = redis_inspect_open(&inspector, &redis, error);
    if (status != STATUS_OK)
        return status;
    struct field *fields;
    size_t count = 0;
    bool stopped = acceptance->schema.naming != SCHEMA_NONE;
    status =
        redis_inspect_unit(inspector, acceptance->unit, &acceptance->arena, &fields, &count, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        stopped =
            stopped || (fields[i].name.size == 7 && memcmp(fields[i].name.data, "stopped", 7) == 0);
    redis_inspect_close(inspector);
    if (status == STATUS_OK && !stopped)
        return error_set(error, STATUS_STOP,
                         "unit %" PRIu32 " has not stopped: there is nothing to accept",
                         acceptance->unit);
    return status;
}

static enum status claim(struct acceptance *acceptance, struct error *error)
{
    struct redis_config redis;
    struct clock *clock = system_clock();
    uint8_t token[16];
    struct field *fields;
    size_t count;
    setup_redis(acceptance->config, &redis);
    enum status status = redis_store_create(&acceptance->store, &redis, error);
    if (status != STATUS_OK)
        return status;
    clock->random(clock, token, sizeof token);
    status =
        acceptance->store->claim(acceptance->store, acceptance->unit, token, &acceptance->arena,
                                 &acceptance->fence, &fields, &count, error);
    return status == STATUS_OK ? unit_record_read(fields, count, &acceptance->record, error)
                               : status;
}

static struct field field_of_text(const char *name, const char *value)
{
    return (struct field){{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
}

static enum status write_field(struct acceptance *acceptance, const char *name, const char *value,
                               struct error *error)
{
    struct field fields[2] = {field_of_text(name, value), field_of_text("stopped", "")};
    struct store_write write = {.fields = fields, .field_count = 2};
    size_t outstanding;
    enum status status = acceptance->store->write(acceptance->store, acceptance->unit,
                                                  &acceptance->fence, &write, error);
    if (status == STATUS_OK)
        status = acceptance->store->settle(acceptance->store, acceptance->unit, true, &outstanding,
                                           error);
    if (status == STATUS_FENCED)
        return error_set(error, status,
                         "the unit was claimed by another process in the same moment: try again");
    return status;
}

static enum status accept_difference(struct acceptance *acceptance, struct error *error)
{
    int64_t committed = acceptance->kafka.commit.offset;
    if (committed < 0)
        return error_set(
            error, STATUS_STOP,
            "group %s has no committed offset for unit %" PRIu32
            ": set it first (kafka-consumer-groups "
            "--reset-offsets --to-offset %" PRId64 " --topic %s:%" PRIu32 " --execute)",
            acceptance->config->kafka.group, acceptance->unit, acceptance->record.position,
            acceptance->config->topics.events, acceptance->unit);
    if (!acceptance->record.has_position)
        return error_set(error, STATUS_STOP,
                         "Redis holds nothing of unit %" PRIu32
                         " that could be accepted: baton run --rebuild makes it anew",
                         acceptance->unit);
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, committed);
    enum status status = write_field(acceptance, "accepted", text, error);
    if (status == STATUS_OK)
        (void)printf("unit %" PRIu32 ": what Redis holds is accepted at offset %" PRId64
                     "; its owner takes it over within some seconds\n",
                     acceptance->unit, committed);
    return status;
}

static struct schema_verdict *standing_verdict(struct acceptance *acceptance)
{
    struct unit_record *record = &acceptance->record;
    for (size_t i = 0; i < record->verdict_count; i++) {
        struct schema_verdict *verdict = &record->verdicts[i];
        if (verdict->schema.naming == acceptance->schema.naming &&
            verdict->schema.id == acceptance->schema.id && verdict->until == INT64_MAX)
            return verdict;
    }
    return NULL;
}

/* Only where nothing is left to replay: below R a verdict is history, from R on the schema counts.
 */
static enum status lift_verdict(struct acceptance *acceptance, struct error *error)
{
    const struct unit_record *record = &acceptance->record;
    const char *schema = invocation_option(acceptance->invocation, "--schema");
    if (!record->has_position || record->position != acceptance->kafka.commit.offset)
        return error_set(error, STATUS_STOP,
                         "unit %" PRIu32 " stands at %" PRId64 " in Redis and at %" PRId64
                         " in Kafka: stop baton run clean first, so that nothing is left to replay",
                         acceptance->unit, record->has_position ? record->position : -1,
                         acceptance->kafka.commit.offset);
    struct schema_verdict *verdict = standing_verdict(acceptance);
    if (!verdict)
        return error_set(error, STATUS_STOP,
                         "unit %" PRIu32 " has no verdict on schema %s that stands",
                         acceptance->unit, schema);
    verdict->until = record->position;
    struct text_buffer text;
    text_buffer_init(&text);
    unit_record_print_verdicts(&text, record->verdicts, record->verdict_count);
    enum status status = write_field(acceptance, "verdicts", text.data, error);
    text_buffer_fini(&text);
    if (status == STATUS_OK)
        (void)printf("unit %" PRIu32
                     ": messages under schema %s are looked at again from offset %" PRId64 " on\n",
                     acceptance->unit, schema, record->position);
    return status;
}

int command_accept(const struct invocation *invocation)
{
    struct acceptance acceptance = {.invocation = invocation};
    struct config *config;
    int code = read_options(&acceptance);
    if (code == EXIT_CODE_OK)
        code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    acceptance.config = config;
    arena_init(&acceptance.arena, 16384);
    struct error error;
    enum status status = ask_kafka(&acceptance, &error);
    if (status == STATUS_OK)
        status = may_accept(&acceptance, &error);
    if (status == STATUS_OK)
        status = claim(&acceptance, &error);
    if (status == STATUS_OK)
        status = acceptance.schema.naming == SCHEMA_NONE ? accept_difference(&acceptance, &error)
                                                         : lift_verdict(&acceptance, &error);
    if (status != STATUS_OK)
        code = command_fail_status(invocation, &error);
    if (acceptance.store)
        acceptance.store->destroy(acceptance.store);
    arena_fini(&acceptance.arena);
    config_destroy(config);
    return code;
}
