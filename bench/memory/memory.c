/* What a lead takes of Redis: leads of several kinds are written as checkpoints write them, and
 * Redis is asked what it uses. */
#include "bench.h"

#include "base/log.h"
#include "commands/setup.h"
#include "common/clock.h"
#include "common/options.h"
#include "common/progress.h"
#include "common/result.h"
#include "memory/leads.h"
#include "redis/redis_connection.h"
#include "redis/redis_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 16u
#define SAMPLES 1000u
#define KEY_BYTES 256
#define TIMEOUT_MS 300000 /* removing millions of leads takes its time on a slow machine */
#define FREE_S 60         /* until Redis has freed what was removed */

struct memory_options {
    const char *redis, *prefix, *results;
    uint64_t leads, seed;
    bool json;
};

#define AT(field) offsetof(struct memory_options, field)
static const struct option rows[] = {
    {"redis", OPTION_TEXT, AT(redis), "redis://127.0.0.1:6379/0",
     "redis://… or unix:///path/to.sock?db=0, where nobody else writes meanwhile", 0, 0, NULL},
    {"prefix", OPTION_TEXT, AT(prefix), "bench",
     "of the keys, which are removed at the end; none may be there before", 0, 0, NULL},
    {"leads", OPTION_COUNT, AT(leads), "1M", "of each kind", 100, 1e8, NULL},
    {"seed", OPTION_COUNT, AT(seed), "1", "of their ids and events", 0, 0, NULL},
    {"results", OPTION_TEXT, AT(results), NULL,
     "folder that the result is kept in, as a JSON line; none: not kept", 0, 0, NULL},
    {"json", OPTION_FLAG, AT(json), NULL,
     "end with the result as one JSON object on stdout; text for people goes to stderr", 0, 0,
     NULL},
};
static const struct options table = {
    "memory",
    "What a lead takes of Redis' memory, by what is kept of it: the key and its place in Redis'\n"
    "table are counted in. Each lead has an id of 36 bytes and nine events.",
    rows, sizeof rows / sizeof *rows};

static const struct lead_kind lead_kinds[] = {
    {"three rules, no touches", "", .is_base = true, .most_bytes = 250},
    {"eight touches", "", .touches = 8},
    {"first and last channel", "", .says = SAYS_CHANNEL},
    {"eight touches with channel and campaign", "", .touches = 8, .says = SAYS_CHANNEL,
     .most_bytes = 700},
    {"at_most per day, of three rules", ", at_most: {times: 2, per: day}"},
    {"half_life, of three rules", ", half_life: 14d"},
    {"promoted", "", .promoted = true},
    {"promoted, and what sales has said", "", .says = SAYS_SALES, .promoted = true},
    {"four form fills", "", .says = SAYS_FORMS},
    {"points given by hand", "", .says = SAYS_ADJUSTED},
    {"profile of six fields", "", .says = SAYS_PROFILE},
    {"all of it", ", at_most: {times: 2, per: day}, half_life: 14d", .touches = 8,
     .says = SAYS_CHANNEL | SAYS_PROFILE | SAYS_SALES | SAYS_ADJUSTED | SAYS_FORMS,
     .promoted = true},
};
#define LEAD_KINDS (sizeof lead_kinds / sizeof *lead_kinds)

struct figures {
    double bytes, packed_bytes; /* per lead */
    int64_t usage[SAMPLES];     /* MEMORY USAGE, ascending */
    size_t usage_count;
};

struct memory {
    struct memory_options options;
    FILE *text;
    struct config *config;
    struct redis_config redis;
    struct store *store;
    struct connection *connection;
    bool claimed; /* the units are ours, and to be removed */
    struct fence fences[UNITS];
    struct arena arena;
    int64_t empty; /* bytes that Redis uses without leads */
    char version[32];
    struct figures figures[LEAD_KINDS];
};

/* ---- Redis ---- */

static enum status read_config(struct memory *memory, struct error *error)
{
    char text[2048];
    struct text_buffer messages;
    text_buffer_init(&messages);
    int size = snprintf(text, sizeof text, "redis: {url: '%s', prefix: '%s'}\n",
                        memory->options.redis, memory->options.prefix);
    enum status status =
        size < (int)sizeof text
            ? config_parse("the options say", text, (size_t)size, &memory->config, &messages)
            : STATUS_STOP;
    if (status != STATUS_OK)
        (void)error_set(error, status, "%s",
                        messages.data ? messages.data : "--redis and --prefix are too long");
    text_buffer_fini(&messages);
    if (status == STATUS_OK)
        setup_redis(memory->config, &memory->redis);
    memory->redis.timeout_ms = TIMEOUT_MS;
    return status;
}

/* A number or a text of INFO. */
static enum status info(struct memory *memory, const char *name, char *value, size_t room,
                        struct error *error)
{
    static const char *const words[] = {"INFO"};
    const struct reply *reply;
    connection_words(memory->connection, 1, words);
    enum status status = connection_answer(memory->connection, &reply, error);
    if (status != STATUS_OK)
        return status;
    char line[64];
    int size = snprintf(line, sizeof line, "\n%s:", name);
    const char *found = reply->type == REPLY_TEXT ? strstr(reply->data, line) : NULL;
    if (!found)
        return error_set(error, STATUS_STOP, "INFO of Redis does not tell %s", name);
    (void)snprintf(value, room, "%.*s", (int)strcspn(found + size, "\r\n"), found + size);
    return STATUS_OK;
}

static enum status info_number(struct memory *memory, const char *name, int64_t *number,
                               struct error *error)
{
    char value[32];
    enum status status = info(memory, name, value, sizeof value, error);
    *number = status == STATUS_OK ? strtoll(value, NULL, 10) : 0;
    return status;
}

static void unit_key(const struct memory *memory, uint32_t unit, char key[KEY_BYTES])
{
    (void)snprintf(key, KEY_BYTES, "%s:{%" PRIu32 "}:unit", memory->redis.prefix, unit);
}

/* A claim would take the unit from a baton that runs. */
static enum status is_free(struct memory *memory, uint32_t unit, struct error *error)
{
    char key[KEY_BYTES];
    const struct reply *reply;
    unit_key(memory, unit, key);
    const char *words[] = {"EXISTS", key};
    connection_words(memory->connection, 2, words);
    enum status status = connection_answer(memory->connection, &reply, error);
    if (status == STATUS_OK && reply->number)
        status =
            error_set(error, STATUS_STOP, "Redis has the key %s: choose another --prefix", key);
    return status;
}

static enum status claim_units(struct memory *memory, struct error *error)
{
    enum status status = STATUS_OK;
    struct field *fields;
    size_t count;
    for (uint32_t unit = 0; status == STATUS_OK && unit < UNITS; unit++)
        status = is_free(memory, unit, error);
    memory->claimed = status == STATUS_OK;
    for (uint32_t unit = 0; status == STATUS_OK && unit < UNITS; unit++) {
        uint8_t token[16] = {(uint8_t)unit, 1};
        status = memory->store->claim(memory->store, unit, token, &memory->arena,
                                      &memory->fences[unit], &fields, &count, error);
    }
    return status;
}

static enum status prepare(struct memory *memory, struct error *error)
{
    enum status status = read_config(memory, error);
    if (status == STATUS_OK)
        status = redis_store_create(&memory->store, &memory->redis, error);
    if (status == STATUS_OK)
        status = connection_open(&memory->connection, &memory->redis, error);
    if (status == STATUS_OK)
        status = claim_units(memory, error);
    if (status == STATUS_OK)
        status = info(memory, "redis_version", memory->version, sizeof memory->version, error);
    return status == STATUS_OK ? info_number(memory, "used_memory", &memory->empty, error) : status;
}

/* Redis frees what was removed in a thread of its own. */
static enum status wait_for_freed(struct memory *memory, struct error *error)
{
    int64_t pending = 1;
    double end = clock_seconds() + FREE_S;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && pending && clock_seconds() < end) {
        status = info_number(memory, "lazyfree_pending_objects", &pending, error);
        if (pending)
            clock_sleep_until(clock_seconds() + 0.05);
    }
    return status;
}

static enum status remove_leads(struct memory *memory, struct error *error)
{
    enum status status = STATUS_OK;
    for (uint32_t unit = 0; status == STATUS_OK && unit < UNITS; unit++)
        status = memory->store->clear(memory->store, unit, &memory->fences[unit], error);
    return status == STATUS_OK ? wait_for_freed(memory, error) : status;
}

static void remove_units(struct memory *memory)
{
    struct error ignored;
    const struct reply *reply;
    for (uint32_t unit = 0; unit < UNITS; unit++) {
        char key[KEY_BYTES];
        unit_key(memory, unit, key);
        const char *words[] = {"DEL", key};
        connection_words(memory->connection, 2, words);
        if (connection_answer(memory->connection, &reply, &ignored) != STATUS_OK)
            return;
    }
}

/* ---- one kind ---- */

static uint32_t unit_of(uint64_t number)
{
    return (uint32_t)(number / STORE_WRITE_LEADS % UNITS);
}

/* A script full of leads of one unit, from number `first` on. */
static enum status write_some(struct memory *memory, struct lead_maker *maker, uint64_t first,
                              struct error *error)
{
    struct stored_lead leads[STORE_WRITE_LEADS];
    uint64_t left = memory->options.leads - first;
    struct store_write write = {.leads = leads,
                                .lead_count = left < STORE_WRITE_LEADS ? left : STORE_WRITE_LEADS};
    uint32_t unit = unit_of(first);
    size_t outstanding;
    arena_reset(&memory->arena);
    for (size_t i = 0; i < write.lead_count; i++)
        leads[i] = lead_make(maker, first + i, &memory->arena);
    enum status status = memory->store->settle(memory->store, unit, true, &outstanding, error);
    if (status == STATUS_OK)
        status = memory->store->write(memory->store, unit, &memory->fences[unit], &write, error);
    return status;
}

static enum status write_leads(struct memory *memory, struct lead_maker *maker, struct error *error)
{
    struct progress progress;
    enum status status = STATUS_OK;
    size_t outstanding;
    progress_begin(&progress, "leads", memory->options.leads);
    for (uint64_t first = 0; status == STATUS_OK && first < memory->options.leads;
         first += STORE_WRITE_LEADS) {
        status = write_some(memory, maker, first, error);
        progress_show(&progress, first, "%s", maker->kind->name);
    }
    for (uint32_t unit = 0; status == STATUS_OK && unit < UNITS; unit++)
        status = memory->store->settle(memory->store, unit, true, &outstanding, error);
    progress_end(&progress);
    return status;
}

static enum status usage_of(struct memory *memory, const struct lead_maker *maker, uint64_t number,
                            int64_t *bytes, struct error *error)
{
    char id[LEAD_ID_BYTES + 1], key[KEY_BYTES];
    const struct reply *reply;
    lead_id(maker, number, id);
    (void)snprintf(key, sizeof key, "%s:{%" PRIu32 "}:lead:%s", memory->redis.prefix,
                   unit_of(number), id);
    const char *words[] = {"MEMORY", "USAGE", key};
    connection_words(memory->connection, 3, words);
    enum status status = connection_answer(memory->connection, &reply, error);
    if (status == STATUS_OK && reply->type != REPLY_NUMBER)
        status = error_set(error, STATUS_STOP, "lead %s was written and is not in Redis", id);
    *bytes = status == STATUS_OK ? reply->number : 0;
    return status;
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static enum status look(struct memory *memory, const struct lead_maker *maker,
                        struct figures *figures, struct error *error)
{
    int64_t used;
    uint64_t leads = memory->options.leads;
    enum status status = info_number(memory, "used_memory", &used, error);
    figures->bytes = (double)(used - memory->empty) / (double)leads;
    figures->packed_bytes = (double)maker->packed_bytes / (double)leads;
    figures->usage_count = leads < SAMPLES ? leads : SAMPLES;
    for (size_t i = 0; status == STATUS_OK && i < figures->usage_count; i++)
        status =
            usage_of(memory, maker, i * (leads / figures->usage_count), &figures->usage[i], error);
    qsort(figures->usage, figures->usage_count, sizeof *figures->usage, by_number);
    return status;
}

static enum status measure(struct memory *memory, const struct lead_kind *kind,
                           struct figures *figures, struct error *error)
{
    struct lead_maker maker;
    enum status status = lead_maker_init(&maker, kind, memory->options.seed, error);
    if (status == STATUS_OK)
        status = write_leads(memory, &maker, error);
    if (status == STATUS_OK)
        status = look(memory, &maker, figures, error);
    lead_maker_fini(&maker);
    enum status removed = remove_leads(memory, error);
    return status == STATUS_OK ? removed : status;
}

/* ---- telling ---- */

static double added(const struct memory *memory, size_t kind)
{
    return memory->figures[kind].bytes - memory->figures[0].bytes;
}

static void tell(const struct memory *memory, size_t number)
{
    const struct lead_kind *kind = &lead_kinds[number];
    const struct figures *figures = &memory->figures[number];
    (void)fprintf(memory->text, "%-40s %6.0f B per lead", kind->name, figures->bytes);
    if (!kind->is_base)
        (void)fprintf(memory->text, " (%+.0f)", added(memory, number));
    (void)fprintf(memory->text, ", %.0f B packed", figures->packed_bytes);
    if (kind->most_bytes)
        (void)fprintf(memory->text, "; target at most %u B: %s", kind->most_bytes,
                      figures->bytes <= kind->most_bytes ? "met" : "missed");
    (void)fputc('\n', memory->text);
    (void)fflush(memory->text);
}

static json_t *json_of(const struct memory *memory, size_t number)
{
    const struct lead_kind *kind = &lead_kinds[number];
    const struct figures *figures = &memory->figures[number];
    json_t *row = json_pack(
        "{s:s, s:f, s:f, s:f, s:{s:I, s:I, s:I}}", "kind", kind->name, "bytes_per_lead",
        figures->bytes, "added", added(memory, number), "packed_bytes", figures->packed_bytes,
        "memory_usage", "median", (json_int_t)figures->usage[figures->usage_count / 2], "min",
        (json_int_t)figures->usage[0], "max", (json_int_t)figures->usage[figures->usage_count - 1]);
    if (kind->most_bytes)
        json_object_set_new(row, "target", json_integer(kind->most_bytes));
    return row;
}

static int conclude(const struct memory *memory, int argc, char **argv)
{
    json_t *kinds = json_array();
    for (size_t i = 0; i < LEAD_KINDS; i++)
        json_array_append_new(kinds, json_of(memory, i));
    json_t *data =
        json_pack("{s:I, s:i, s:s, s:o}", "leads", (json_int_t)memory->options.leads, "id_bytes",
                  LEAD_ID_BYTES, "redis_version", memory->version, "kinds", kinds);
    return result_finish(result_create("memory", &table, &memory->options, argc, argv), data,
                         memory->options.results, memory->options.json);
}

static enum status run(struct memory *memory, struct error *error)
{
    enum status status = prepare(memory, error);
    for (size_t i = 0; status == STATUS_OK && i < LEAD_KINDS; i++) {
        status = measure(memory, &lead_kinds[i], &memory->figures[i], error);
        if (status == STATUS_OK)
            tell(memory, i);
    }
    return status;
}

static void clean_up(struct memory *memory)
{
    if (memory->claimed)
        remove_units(memory);
    if (memory->connection)
        connection_close(memory->connection);
    if (memory->store)
        memory->store->destroy(memory->store);
    if (memory->config)
        config_destroy(memory->config);
    arena_fini(&memory->arena);
}

int bench_memory(int argc, char **argv)
{
    static struct memory memory;
    int code = options_read(&table, argc, argv, &memory.options);
    if (code >= 0)
        return code;
    log_set_level(LOG_WARN);
    memory.text = result_text(memory.options.json);
    arena_init(&memory.arena, 1 << 18);
    struct error error = {.text = ""};
    enum status status = run(&memory, &error);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "baton-bench memory: %s\n", error.text);
    code = status == STATUS_OK ? conclude(&memory, argc, argv) : 1;
    clean_up(&memory);
    return code;
}
