#include "base/bytes.h"
#include "redis/redis_store_private.h"

#include <assert.h>
#include <string.h>

/* Queued and not yet answered: beyond this a write waits for answers, so that neither side hoards.
 */
#define OUTSTANDING_BYTES_MAX (UINT64_C(8) * 1024 * 1024)
#define HEAD_ARGUMENTS (2 + SCRIPT_SHORT_CHUNKS + 1) /* the fence, and numbers of keys */

static void put_text(struct connection *connection, struct baton_text text)
{
    connection_argument(connection, text.data, text.size);
}

static size_t stale_chunks(const struct stored_lead *lead)
{
    size_t now = chunk_count(lead->packed_size);
    size_t former = lead->former_size ? chunk_count(lead->former_size) : 0;
    return former > now ? former - now : 0;
}

/* The leads of a write by their form in the script. */
struct forms {
    uint8_t chunks[STORE_WRITE_LEADS]; /* of the short form; 0: the long one */
    size_t counts[SCRIPT_SHORT_CHUNKS + 1];
};

static bool is_short(const struct stored_lead *lead)
{
    return !lead->removed && lead->stage_stands && stale_chunks(lead) == 0 &&
           chunk_count(lead->packed_size) <= SCRIPT_SHORT_CHUNKS;
}

static void find_forms(struct forms *forms, const struct store_write *write)
{
    memset(forms->counts, 0, sizeof forms->counts);
    for (size_t i = 0; i < write->lead_count; i++) {
        const struct stored_lead *lead = &write->leads[i];
        forms->chunks[i] = is_short(lead) ? (uint8_t)chunk_count(lead->packed_size) : 0;
        forms->counts[forms->chunks[i]]++;
    }
}

/* The stage is told where it is not the first one. */
static bool tells_stage(const struct stored_lead *lead)
{
    return !lead->stage_stands && lead->stage != BATON_LEAD;
}

static bool removes_stage(const struct stored_lead *lead)
{
    return !lead->stage_stands && lead->stage == BATON_LEAD;
}

static bool removes_dated(const struct stored_lead *lead)
{
    return !lead->stage_stands && lead->former_size > 0;
}

static size_t fields_set(const struct stored_lead *lead)
{
    return 2 * (1u + (tells_stage(lead) ? 1u : 0u) + chunk_count(lead->packed_size));
}

static size_t fields_removed(const struct stored_lead *lead)
{
    return (removes_stage(lead) ? 1u : 0u) + (removes_dated(lead) ? 1u : 0u) + stale_chunks(lead);
}

static size_t lead_arguments(const struct stored_lead *lead)
{
    if (lead->removed)
        return 2;
    return 2 + fields_set(lead) + fields_removed(lead);
}

static void put_chunk_name(struct connection *connection, size_t index)
{
    char name[LEAD_CHUNK_NAME_MAX];
    connection_argument(connection, name, chunk_name(name, index));
}

/* The size stands in front, so that a lost or left-over chunk is seen. */
static void put_chunks(struct connection *connection, const struct stored_lead *lead, bool named)
{
    uint8_t first[LEAD_CHUNK_BYTES];
    size_t head = (size_t)(bytes_put_varint(first, lead->packed_size) - first);
    size_t room = LEAD_CHUNK_BYTES - head;
    size_t done = lead->packed_size < room ? lead->packed_size : room;
    (void)bytes_put(first + head, lead->packed, done);
    if (named)
        put_chunk_name(connection, 0);
    connection_argument(connection, first, head + done);
    for (size_t i = 1; done < lead->packed_size; i++) {
        size_t rest = lead->packed_size - done;
        size_t size = rest < LEAD_CHUNK_BYTES ? rest : LEAD_CHUNK_BYTES;
        if (named)
            put_chunk_name(connection, i);
        connection_argument(connection, lead->packed + done, size);
        done += size;
    }
}

static void put_score(struct redis_store *store, const struct stored_lead *lead)
{
    text_buffer_clear(&store->groups);
    text_buffer_add_points(&store->groups, lead->score.score);
    connection_argument(store->connection, store->groups.data, store->groups.size);
}

static void put_short_lead(struct redis_store *store, const struct stored_lead *lead)
{
    put_score(store, lead);
    put_chunks(store->connection, lead, false);
}

static void put_lead(struct redis_store *store, const struct stored_lead *lead)
{
    struct connection *connection = store->connection;
    if (lead->removed) {
        connection_argument_text(connection, "-1");
        connection_argument_number(connection, 0);
        return;
    }
    size_t chunks = chunk_count(lead->packed_size), stale = stale_chunks(lead);
    connection_argument_number(connection, fields_set(lead));
    connection_argument_number(connection, fields_removed(lead));
    connection_argument_text(connection, "score");
    put_score(store, lead);
    if (tells_stage(lead)) {
        connection_argument_text(connection, "stage");
        connection_argument_text(connection, baton_stage_name(lead->stage));
    }
    put_chunks(connection, lead, true);
    if (removes_stage(lead))
        connection_argument_text(connection, "stage");
    if (removes_dated(lead))
        connection_argument_text(connection, DATED_FIELD);
    for (size_t i = 0; i < stale; i++)
        put_chunk_name(connection, chunks + i);
}

/* Words and texts: every field is set. */
static void put_hash(struct connection *connection, const struct field *fields, size_t count)
{
    connection_argument_number(connection, 2 * count);
    connection_argument_number(connection, 0);
    for (size_t i = 0; i < count; i++) {
        put_text(connection, fields[i].name);
        put_text(connection, fields[i].value);
    }
}

static size_t set_count(const struct field *fields, size_t count)
{
    size_t set = 0;
    for (size_t i = 0; i < count; i++)
        set += fields[i].value.size > 0;
    return set;
}

/* The unit's own, days and clocks: an empty value removes one. */
void redis_write_put_fields(struct connection *connection, const struct field *fields, size_t count)
{
    size_t set = set_count(fields, count);
    connection_argument_number(connection, 2 * set);
    connection_argument_number(connection, count - set);
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].value.size)
            continue;
        put_text(connection, fields[i].name);
        put_text(connection, fields[i].value);
    }
    for (size_t i = 0; i < count; i++)
        if (!fields[i].value.size)
            put_text(connection, fields[i].name);
}

/* The hashes of a write beside the unit's own and those of leads, in the order of the script. */
#define WRITE_HASHES 4u
struct hash_part {
    const char *what;
    const struct field *fields;
    size_t count;
    bool removes; /* an empty value removes the field */
};

static size_t find_hashes(const struct store_write *write, struct hash_part parts[WRITE_HASHES])
{
    const struct hash_part all[WRITE_HASHES] = {
        {"words", write->words, write->word_count, false},
        {"texts", write->texts, write->text_count, false},
        {"days", write->days, write->day_count, true},
        {"clocks", write->clocks, write->clock_count, true},
    };
    size_t count = 0;
    for (size_t i = 0; i < WRITE_HASHES; i++)
        if (all[i].count)
            parts[count++] = all[i];
    return count;
}

/* With the numbers of those that are set and removed. */
static size_t part_arguments(const struct hash_part *part)
{
    size_t set = part->removes ? set_count(part->fields, part->count) : part->count;
    return 2 + 2 * set + (part->count - set);
}

static size_t write_arguments(const struct store_write *write, const struct forms *forms,
                              const struct hash_part *parts, size_t part_count)
{
    const struct hash_part own = {"unit", write->fields, write->field_count, true};
    size_t count = part_arguments(&own);
    for (size_t i = 0; i < part_count; i++)
        count += part_arguments(&parts[i]);
    for (size_t i = 0; i < write->lead_count; i++)
        count += forms->chunks[i] ? 1u + forms->chunks[i] : lead_arguments(&write->leads[i]);
    return count;
}

void redis_write_begin(struct redis_store *store, uint32_t unit, size_t keys, size_t arguments)
{
    struct key unit_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    redis_answers_forget(store);
    connection_command(store->connection, 3 + keys + HEAD_ARGUMENTS + arguments);
    connection_argument_text(store->connection, "EVALSHA");
    connection_argument_text(store->connection, store->scripts.sha[SCRIPT_WRITE]);
    connection_argument_number(store->connection, keys);
    connection_argument(store->connection, unit_key.text, unit_key.size);
}

void redis_write_put_head(struct redis_store *store, struct fence *fence, size_t others,
                          const size_t *short_counts)
{
    char token[TOKEN_TEXT + 1];
    redis_fence_token(token, fence->token);
    connection_argument(store->connection, token, TOKEN_TEXT);
    connection_argument_number(store->connection, fence->step);
    fence->step++;
    for (size_t i = 0; i < SCRIPT_SHORT_CHUNKS; i++)
        connection_argument_number(store->connection, short_counts ? short_counts[i] : 0);
    connection_argument_number(store->connection, others);
}

/* In the order of the script: the long form first, then the short one of one chunk, of two, … */
static void put_keys(struct redis_store *store, uint32_t unit, const struct store_write *write,
                     const struct forms *forms, const struct hash_part *parts, size_t part_count)
{
    struct key key;
    for (size_t i = 0; i < part_count; i++) {
        key_of_unit(&key, store->config.prefix, unit, parts[i].what);
        connection_argument(store->connection, key.text, key.size);
    }
    key_of_unit(&key, store->config.prefix, unit, "lead:");
    for (unsigned form = 0; form <= SCRIPT_SHORT_CHUNKS; form++)
        for (size_t i = 0; forms->counts[form] && i < write->lead_count; i++) {
            char lead[KEY_OF_LEAD_MAX];
            if (forms->chunks[i] == form)
                connection_argument(store->connection, lead,
                                    key_of_lead(lead, &key, write->leads[i].id));
        }
}

static void put_leads(struct redis_store *store, const struct store_write *write,
                      const struct forms *forms)
{
    for (size_t i = 0; i < write->lead_count; i++)
        if (!forms->chunks[i])
            put_lead(store, &write->leads[i]);
    for (unsigned form = 1; form <= SCRIPT_SHORT_CHUNKS; form++)
        for (size_t i = 0; forms->counts[form] && i < write->lead_count; i++)
            if (forms->chunks[i] == form)
                put_short_lead(store, &write->leads[i]);
}

static enum status queue_write(struct redis_store *store, uint32_t unit, struct fence *fence,
                               const struct store_write *write, struct error *error)
{
    enum status status = redis_answers_begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    struct forms forms;
    find_forms(&forms, write);
    struct hash_part parts[WRITE_HASHES];
    size_t part_count = find_hashes(write, parts);
    redis_write_begin(store, unit, 1 + part_count + write->lead_count,
                      write_arguments(write, &forms, parts, part_count));
    put_keys(store, unit, write, &forms, parts, part_count);
    redis_write_put_head(store, fence, forms.counts[0] + part_count, forms.counts + 1);
    for (size_t i = 0; i < part_count; i++)
        (parts[i].removes ? redis_write_put_fields : put_hash)(store->connection, parts[i].fields,
                                                               parts[i].count);
    put_leads(store, write, &forms);
    redis_write_put_fields(store->connection, write->fields, write->field_count);
    redis_answers_expect(store, unit, NULL, 0);
    return redis_answers_take(store, OUTSTANDING_BYTES_MAX, error);
}

enum status redis_write(struct store *port, uint32_t unit, struct fence *fence,
                        const struct store_write *write, struct error *error)
{
    assert(write->lead_count <= STORE_WRITE_LEADS);
    return queue_write(self(port), unit, fence, write, error);
}

enum status redis_write_settle(struct store *port, uint32_t unit, bool wait, size_t *outstanding,
                               struct error *error)
{
    struct redis_store *store = self(port);
    struct error lost; /* whoever lost a write by it is fenced; nobody else has to know */
    (void)redis_answers_take(store, wait ? 0 : UINT64_MAX, &lost);
    *outstanding = redis_unit(store, unit)->outstanding;
    return redis_unit_verdict(store, unit, error);
}
