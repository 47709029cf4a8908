#include "redis/redis_store.h"

#include "base/bytes.h"
#include "redis/redis_keys.h"
#include "redis/redis_scripts.h"

#include <baton/lead.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Queued and not yet answered: beyond this a write waits for answers, so that neither side hoards.
 */
#define OUTSTANDING_BYTES_MAX (UINT64_C(8) * 1024 * 1024)
#define LOAD_BLOCK ((size_t)256)  /* leads per MULTI: about a millisecond of Redis */
#define CLEAR_BLOCK ((size_t)512) /* keys per script */
#define TOKEN_TEXT 32

struct unit_state {
    size_t outstanding;  /* queued writes without an answer */
    enum status verdict; /* FENCED or STOP: until it is claimed again */
    char *why;
};

struct queued_write {
    uint32_t unit;
    uint64_t end; /* connection_queued_bytes behind it */
};

struct redis_store {
    struct store port;
    struct redis_config config;    /* texts owned */
    struct connection *connection; /* NULL: gone, or not there yet */
    struct scripts scripts;
    bool scripts_loaded;
    bool server_changed; /* an answer says that this is not the server that we want: connect anew */
    struct unit_state *units; /* by number */
    size_t unit_count;
    struct queued_write
        *writes; /* ring of unanswered writes, oldest at writes_first; answers come in this order */
    size_t writes_first, writes_count, writes_room;
    uint64_t answered_bytes;
    struct text_buffer groups; /* scratch of the call */
};

static struct redis_store *self(struct store *store)
{
    return (struct redis_store *)(void *)store; /* the port is the first member */
}

/* ---- What is known of a unit
 * ---------------------------------------------------------------------- */

static struct unit_state *unit_state(struct redis_store *store, uint32_t unit)
{
    if (unit >= store->unit_count) {
        size_t count = (size_t)unit + 16;
        store->units = memory_resize(store->units, count * sizeof *store->units);
        memset(store->units + store->unit_count, 0,
               (count - store->unit_count) * sizeof *store->units);
        store->unit_count = count;
    }
    return &store->units[unit];
}

static void set_verdict(struct redis_store *store, uint32_t unit, enum status verdict,
                        const char *why)
{
    struct unit_state *state = unit_state(store, unit);
    if (state->verdict != STATUS_OK)
        return; /* the first cause is the one to tell */
    state->verdict = verdict;
    state->why = memory_copy_text(why);
}

static void clear_verdict(struct redis_store *store, uint32_t unit)
{
    struct unit_state *state = unit_state(store, unit);
    state->verdict = STATUS_OK;
    free(state->why);
    state->why = NULL;
}

static enum status tell_verdict(struct redis_store *store, uint32_t unit, struct error *error)
{
    struct unit_state *state = unit_state(store, unit);
    if (state->verdict != STATUS_OK)
        return error_set(error, state->verdict, "%s", state->why);
    return STATUS_OK;
}

static void fenced(struct redis_store *store, uint32_t unit)
{
    struct error error;
    (void)error_set(&error, STATUS_FENCED,
                    "unit %" PRIu32
                    ": another process has claimed it, or Redis has fallen back to an older state",
                    unit);
    set_verdict(store, unit, STATUS_FENCED, error.text);
}

/* ---- The queue of writes
 * -------------------------------------------------------------------------- */

static void push_write(struct redis_store *store, uint32_t unit)
{
    if (store->writes_count == store->writes_room) {
        size_t room = store->writes_room ? store->writes_room * 2 : 64;
        struct queued_write *writes = memory_take(room * sizeof *writes);
        for (size_t i = 0; i < store->writes_count; i++)
            writes[i] = store->writes[(store->writes_first + i) % store->writes_room];
        free(store->writes);
        store->writes = writes;
        store->writes_first = 0;
        store->writes_room = room;
    }
    store->writes[(store->writes_first + store->writes_count++) % store->writes_room] =
        (struct queued_write){.unit = unit, .end = connection_queued_bytes(store->connection)};
    unit_state(store, unit)->outstanding++;
}

static uint32_t pop_write(struct redis_store *store)
{
    assert(store->writes_count > 0);
    struct queued_write *write = &store->writes[store->writes_first];
    store->writes_first = (store->writes_first + 1) % store->writes_room;
    store->writes_count--;
    store->answered_bytes = write->end;
    unit_state(store, write->unit)->outstanding--;
    return write->unit;
}

/* The connection is gone: what it had not answered may have been done or not. */
static enum status lose(struct redis_store *store, enum status status)
{
    connection_close(store->connection);
    store->connection = NULL;
    store->scripts_loaded = false;
    store->server_changed = false;
    while (store->writes_count) {
        uint32_t unit = pop_write(store);
        struct error error;
        (void)error_set(
            &error, STATUS_FENCED,
            "unit %" PRIu32 ": the connection to Redis was lost before a write was answered", unit);
        set_verdict(store, unit, STATUS_FENCED, error.text);
    }
    store->answered_bytes = 0;
    return status;
}

static void take_write_error(struct redis_store *store, uint32_t unit, const struct reply *reply)
{
    struct error error;
    if (reply_has_code(reply, "NOSCRIPT")) {
        /* Not done; the step stands still, so that later writes of the unit are not done either. */
        store->scripts_loaded = false;
        (void)error_set(&error, STATUS_FENCED, "unit %" PRIu32 ": Redis has forgotten our scripts",
                        unit);
        set_verdict(store, unit, STATUS_FENCED, error.text);
        return;
    }
    enum status status = connection_judge(store->connection, reply, &error);
    set_verdict(store, unit, status == STATUS_STOP ? STATUS_STOP : STATUS_FENCED, error.text);
    if (reply_has_code(reply, "READONLY") || reply_has_code(reply, "MASTERDOWN"))
        store->server_changed = true;
}

static void take_write_answer(struct redis_store *store, const struct reply *reply)
{
    uint32_t unit = pop_write(store);
    if (reply->type == REPLY_ERROR)
        take_write_error(store, unit, reply);
    else if (reply->type != REPLY_NUMBER || reply->number != 1)
        fenced(store, unit);
}

/* Takes in answers until at most `most` bytes are outstanding; those that are there in any case. */
static enum status take_answers(struct redis_store *store, uint64_t most, struct error *error)
{
    while (store->connection && store->writes_count) {
        uint64_t outstanding = connection_queued_bytes(store->connection) - store->answered_bytes;
        const struct reply *reply;
        enum status status = connection_next(store->connection, outstanding > most, &reply, error);
        if (status != STATUS_OK)
            return lose(store, status);
        if (!reply)
            return STATUS_OK;
        take_write_answer(store, reply);
    }
    return STATUS_OK;
}

/* ---- Connecting
 * ----------------------------------------------------------------------------------- */

static enum status be_ready(struct redis_store *store, struct error *error)
{
    if (store->server_changed) {
        enum status status = take_answers(store, 0, error);
        if (status != STATUS_OK)
            return status;
        (void)lose(store, STATUS_OK);
    }
    if (!store->connection) {
        enum status status = connection_open(&store->connection, &store->config, error);
        if (status != STATUS_OK)
            return status;
    }
    if (store->scripts_loaded)
        return STATUS_OK;
    enum status status = take_answers(store, 0, error);
    if (status == STATUS_OK)
        status = scripts_load(&store->scripts, store->connection, error);
    if (status != STATUS_OK)
        return store->connection ? lose(store, status) : status;
    store->scripts_loaded = true;
    return STATUS_OK;
}

/* Before anything but a claim: the unit must not have been fenced, and Redis be there. */
static enum status begin(struct redis_store *store, uint32_t unit, struct error *error)
{
    enum status status = tell_verdict(store, unit, error);
    return status == STATUS_OK ? be_ready(store, error) : status;
}

/* One answer of a read, behind all answers of writes. */
static enum status read_answer(struct redis_store *store, const struct reply **reply,
                               struct error *error)
{
    enum status status = take_answers(store, 0, error);
    if (status != STATUS_OK)
        return status;
    status = connection_next(store->connection, true, reply, error);
    return status == STATUS_OK ? STATUS_OK : lose(store, status);
}

/* ---- The fence of reads
 * --------------------------------------------------------------------------- */

static void token_text(char text[TOKEN_TEXT + 1], const uint8_t token[16])
{
    for (size_t i = 0; i < 16; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", token[i]);
}

static void ask_fence(struct redis_store *store, const struct key *unit_key)
{
    connection_command(store->connection, 4);
    connection_argument_text(store->connection, "HMGET");
    connection_argument(store->connection, unit_key->text, unit_key->size);
    connection_argument_text(store->connection, "token");
    connection_argument_text(store->connection, "step");
}

static bool fence_holds(const struct reply *reply, const struct fence *fence)
{
    if (fence_is_ignored())
        return true;
    char token[TOKEN_TEXT + 1], step[24];
    token_text(token, fence->token);
    int step_size = snprintf(step, sizeof step, "%" PRIu64, fence->step);
    return reply->type == REPLY_LIST && reply->count == 2 &&
           reply_is_text(reply->items[0], token, TOKEN_TEXT) &&
           reply_is_text(reply->items[1], step, (size_t)step_size);
}

/* A question behind the fence: MULTI, the fence, up to LOAD_BLOCK commands, EXEC. */
static void ask_multi(struct redis_store *store, const struct key *unit_key)
{
    const char *multi[] = {"MULTI"};
    connection_words(store->connection, 1, multi);
    ask_fence(store, unit_key);
}

static void ask_exec(struct redis_store *store)
{
    const char *exec[] = {"EXEC"};
    connection_words(store->connection, 1, exec);
}

static enum status first_error(struct redis_store *store, const struct reply *reply,
                               struct error *error)
{
    if (reply->type == REPLY_ERROR)
        return connection_judge(store->connection, reply, error);
    for (size_t i = 0; reply->type == REPLY_LIST && i < reply->count; i++)
        if (reply->items[i]->type == REPLY_ERROR)
            return connection_judge(store->connection, reply->items[i], error);
    return STATUS_OK;
}

/* Takes the answers of one MULTI with so many commands inside. On OK *results is EXEC's list, the
 * fence's answer first. */
static enum status multi_answer(struct redis_store *store, uint32_t unit, const struct fence *fence,
                                size_t commands, const struct reply **results, struct error *error)
{
    enum status verdict = STATUS_OK;
    const struct reply *reply = NULL;
    for (size_t i = 0; i < commands + 2; i++) { /* MULTI's +OK, +QUEUED for each, EXEC's list */
        struct error found;
        enum status status = read_answer(store, &reply, error);
        if (status != STATUS_OK)
            return status;
        status = first_error(store, reply, &found);
        if (status == STATUS_OK || verdict != STATUS_OK)
            continue;
        verdict = status;
        *error = found;
    }
    if (verdict != STATUS_OK)
        return verdict;
    if (reply->type != REPLY_LIST || reply->count != commands)
        return error_set(error, STATUS_STOP,
                         "Redis at %s gave an answer that baton does not understand",
                         connection_place(store->connection));
    if (!fence_holds(reply->items[0], fence))
        fenced(store, unit);
    *results = reply;
    return tell_verdict(store, unit, error);
}

/* What a call says when the connection broke: FENCED where the unit has lost a write by it, else
 * RETRY. */
static enum status settle_status(struct redis_store *store, uint32_t unit, enum status status,
                                 struct error *error)
{
    if (status != STATUS_RETRY || unit_state(store, unit)->verdict == STATUS_OK)
        return status;
    return tell_verdict(store, unit, error);
}

/* ---- Port: claim, check
 * --------------------------------------------------------------------------- */

static bool is_fence_field(const struct reply *name)
{
    return reply_is_text(name, "token", 5) || reply_is_text(name, "step", 4);
}

static struct baton_text keep_text(const struct reply *reply, struct arena *arena)
{
    if (reply->type != REPLY_TEXT)
        return (struct baton_text){0};
    return (struct baton_text){arena_copy(arena, reply->data, reply->size), (uint32_t)reply->size};
}

static void keep_fields(const struct reply *hash, struct arena *arena, struct field **fields,
                        size_t *field_count)
{
    *fields = arena_take(arena, (hash->count / 2 + 1) * sizeof **fields);
    *field_count = 0;
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        if (is_fence_field(hash->items[i]))
            continue;
        struct field *field = &(*fields)[(*field_count)++];
        field->name = keep_text(hash->items[i], arena);
        field->value = keep_text(hash->items[i + 1], arena);
    }
}

static enum status ask_claim(struct redis_store *store, uint32_t unit, const char *token,
                             const struct reply **reply, struct error *error)
{
    enum status status = be_ready(store, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    connection_command(store->connection, 5);
    connection_argument_text(store->connection, "EVALSHA");
    connection_argument_text(store->connection, store->scripts.sha[SCRIPT_CLAIM]);
    connection_argument_number(store->connection, 1);
    connection_argument(store->connection, unit_key.text, unit_key.size);
    connection_argument(store->connection, token, TOKEN_TEXT);
    status = read_answer(store, reply, error);
    if (status != STATUS_OK || (*reply)->type != REPLY_ERROR)
        return status;
    if (reply_has_code(*reply, "NOSCRIPT"))
        store->scripts_loaded = false;
    if (reply_has_code(*reply, "READONLY") || reply_has_code(*reply, "MASTERDOWN"))
        store->server_changed = true;
    if (reply_has_code(*reply, "NOSCRIPT"))
        return error_set(error, STATUS_RETRY, "Redis has forgotten our scripts");
    return connection_judge(store->connection, *reply, error);
}

static enum status store_claim(struct store *port, uint32_t unit, const uint8_t token[16],
                               struct arena *arena, struct fence *fence, struct field **fields,
                               size_t *field_count, struct error *error)
{
    struct redis_store *store = self(port);
    char text[TOKEN_TEXT + 1];
    token_text(text, token);
    const struct reply *reply;
    enum status status = ask_claim(store, unit, text, &reply, error);
    if (status == STATUS_RETRY && store->connection && !store->scripts_loaded)
        status = ask_claim(store, unit, text, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type != REPLY_LIST || reply->count != 2 || reply->items[0]->type != REPLY_NUMBER ||
        reply->items[1]->type != REPLY_LIST)
        return error_set(error, STATUS_STOP,
                         "Redis at %s gave an answer that baton does not understand",
                         connection_place(store->connection));
    memcpy(fence->token, token, sizeof fence->token);
    fence->step = (uint64_t)reply->items[0]->number;
    keep_fields(reply->items[1], arena, fields, field_count);
    clear_verdict(store, unit);
    return STATUS_OK;
}

static enum status check_fence(struct redis_store *store, uint32_t unit, const struct fence *fence,
                               struct error *error)
{
    enum status status = begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    ask_fence(store, &unit_key);
    const struct reply *reply;
    status = read_answer(store, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type == REPLY_ERROR)
        return connection_judge(store->connection, reply, error);
    if (!fence_holds(reply, fence))
        fenced(store, unit);
    return tell_verdict(store, unit, error);
}

static enum status store_check(struct store *port, uint32_t unit, const struct fence *fence,
                               struct error *error)
{
    return settle_status(self(port), unit, check_fence(self(port), unit, fence, error), error);
}

/* ---- Port: reads
 * ---------------------------------------------------------------------------------- */

static void ask_lead(struct redis_store *store, const struct key *lead_prefix, struct baton_text id)
{
    char key[KEY_OF_LEAD_MAX];
    size_t size = key_of_lead(key, lead_prefix, id);
    connection_command(store->connection, 2);
    connection_argument_text(store->connection, "HGETALL");
    connection_argument(store->connection, key, size);
}

/* After a failure the answers of the blocks that were asked in the same breath are still to come.
 */
static void skip_answers(struct redis_store *store, size_t answers)
{
    struct error ignored;
    const struct reply *reply;
    while (answers-- && store->connection)
        if (read_answer(store, &reply, &ignored) != STATUS_OK)
            return;
}

static enum status take_leads(struct redis_store *store, uint32_t unit, const struct fence *fence,
                              const struct baton_text *ids, size_t count, struct arena *arena,
                              struct loaded_lead *out, struct error *error)
{
    const struct reply *results;
    enum status status = multi_answer(store, unit, fence, count + 1, &results, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct packed_lead lead;
        status = lead_from_hash(results->items[i + 1], unit, ids[i], arena, &lead, error);
        out[i] =
            (struct loaded_lead){.packed = lead.found ? lead.data : NULL, .packed_size = lead.size};
    }
    return status;
}

static size_t block_size(size_t start, size_t count)
{
    return count - start < LOAD_BLOCK ? count - start : LOAD_BLOCK;
}

static enum status load_leads(struct redis_store *store, uint32_t unit, const struct fence *fence,
                              const struct baton_text *ids, size_t count, struct arena *arena,
                              struct loaded_lead *out, struct error *error)
{
    enum status status = begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key, lead_prefix;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    key_of_unit(&lead_prefix, store->config.prefix, unit, "lead:");
    for (size_t start = 0; start < count; start += LOAD_BLOCK) {
        ask_multi(store, &unit_key);
        for (size_t i = 0; i < block_size(start, count); i++)
            ask_lead(store, &lead_prefix, ids[start + i]);
        ask_exec(store);
    }
    for (size_t start = 0; start < count; start += LOAD_BLOCK) {
        size_t block = block_size(start, count);
        if (status == STATUS_OK)
            status = take_leads(store, unit, fence, ids + start, block, arena, out + start, error);
        else
            skip_answers(store, block + 3);
    }
    return status;
}

static enum status store_load(struct store *port, uint32_t unit, const struct fence *fence,
                              const struct baton_text *ids, size_t count, struct arena *arena,
                              struct loaded_lead *out, struct error *error)
{
    if (count == 0)
        return store_check(port, unit, fence, error);
    enum status status = load_leads(self(port), unit, fence, ids, count, arena, out, error);
    return settle_status(self(port), unit, status, error);
}

/* One command about one hash of the unit, behind the fence. */
static enum status ask_hash(struct redis_store *store, uint32_t unit, const struct fence *fence,
                            const char *command, const char *what, const struct baton_text *field,
                            const struct reply **reply, struct error *error)
{
    enum status status = begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key, hash_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    key_of_unit(&hash_key, store->config.prefix, unit, what);
    ask_multi(store, &unit_key);
    connection_command(store->connection, field ? 3 : 2);
    connection_argument_text(store->connection, command);
    connection_argument(store->connection, hash_key.text, hash_key.size);
    if (field)
        connection_argument(store->connection, field->data, field->size);
    ask_exec(store);
    const struct reply *results;
    status = multi_answer(store, unit, fence, 2, &results, error);
    if (status == STATUS_OK)
        *reply = results->items[1];
    return settle_status(store, unit, status, error);
}

static enum status store_words(struct store *port, uint32_t unit, const struct fence *fence,
                               struct arena *arena, struct field **words, size_t *count,
                               struct error *error)
{
    const struct reply *reply;
    enum status status = ask_hash(self(port), unit, fence, "HGETALL", "words", NULL, &reply, error);
    if (status == STATUS_OK)
        keep_fields(reply, arena, words, count);
    return status;
}

static enum status store_text(struct store *port, uint32_t unit, const struct fence *fence,
                              struct baton_text name, struct arena *arena, struct baton_text *value,
                              struct error *error)
{
    const struct reply *reply;
    enum status status = ask_hash(self(port), unit, fence, "HGET", "texts", &name, &reply, error);
    if (status == STATUS_OK)
        *value = keep_text(reply, arena);
    return status;
}

/* ---- Port: writes
 * --------------------------------------------------------------------------------- */

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

/* The write script's short form. */
static bool is_short(const struct stored_lead *lead)
{
    return lead->stage_stands && stale_chunks(lead) == 0 && chunk_count(lead->packed_size) <= 4;
}

static size_t lead_arguments(const struct stored_lead *lead)
{
    if (is_short(lead))
        return 3 + chunk_count(lead->packed_size);
    return 2 + 6 + 2 * chunk_count(lead->packed_size) + stale_chunks(lead);
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

static void put_updated(struct connection *connection, const struct stored_lead *lead)
{
    connection_argument_number(connection, lead->updated_ms > 0 ? (uint64_t)lead->updated_ms : 0);
}

static void put_short_lead(struct redis_store *store, const struct stored_lead *lead)
{
    char form[2] = {'a', (char)('0' + chunk_count(lead->packed_size))};
    connection_argument(store->connection, form, sizeof form);
    put_score(store, lead);
    put_updated(store->connection, lead);
    put_chunks(store->connection, lead, false);
}

static void put_lead(struct redis_store *store, const struct stored_lead *lead)
{
    struct connection *connection = store->connection;
    if (is_short(lead)) {
        put_short_lead(store, lead);
        return;
    }
    size_t chunks = chunk_count(lead->packed_size), stale = stale_chunks(lead);
    connection_argument_number(connection, 6 + 2 * chunks);
    connection_argument_number(connection, stale);
    connection_argument_text(connection, "score");
    put_score(store, lead);
    connection_argument_text(connection, "stage");
    connection_argument_text(connection, baton_stage_name(lead->stage));
    connection_argument_text(connection, "updated");
    put_updated(connection, lead);
    put_chunks(connection, lead, true);
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

/* The unit's own fields: an empty value removes one. */
static void put_unit(struct connection *connection, const struct field *fields, size_t count)
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

static size_t write_keys(const struct store_write *write)
{
    return 1u + (write->word_count ? 1u : 0u) + (write->text_count ? 1u : 0u) + write->lead_count;
}

static size_t write_arguments(const struct store_write *write)
{
    size_t set = set_count(write->fields, write->field_count);
    size_t count = 2 + (2 + 2 * set + (write->field_count - set));
    count += write->word_count ? 2 + 2 * write->word_count : 0;
    count += write->text_count ? 2 + 2 * write->text_count : 0;
    for (size_t i = 0; i < write->lead_count; i++)
        count += lead_arguments(&write->leads[i]);
    return count;
}

/* EVALSHA, its number of keys, the unit's key. */
static void begin_script(struct redis_store *store, uint32_t unit, size_t keys, size_t arguments)
{
    struct key unit_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    if (store->writes_count == 0) /* reads queue bytes, too, but leave none outstanding */
        store->answered_bytes = connection_queued_bytes(store->connection);
    connection_command(store->connection, 3 + keys + arguments);
    connection_argument_text(store->connection, "EVALSHA");
    connection_argument_text(store->connection, store->scripts.sha[SCRIPT_WRITE]);
    connection_argument_number(store->connection, keys);
    connection_argument(store->connection, unit_key.text, unit_key.size);
}

static void put_fence(struct redis_store *store, struct fence *fence)
{
    char token[TOKEN_TEXT + 1];
    token_text(token, fence->token);
    connection_argument(store->connection, token, TOKEN_TEXT);
    connection_argument_number(store->connection, fence->step);
    fence->step++;
}

static void put_keys(struct redis_store *store, uint32_t unit, const struct store_write *write)
{
    struct key key;
    if (write->word_count) {
        key_of_unit(&key, store->config.prefix, unit, "words");
        connection_argument(store->connection, key.text, key.size);
    }
    if (write->text_count) {
        key_of_unit(&key, store->config.prefix, unit, "texts");
        connection_argument(store->connection, key.text, key.size);
    }
    key_of_unit(&key, store->config.prefix, unit, "lead:");
    for (size_t i = 0; i < write->lead_count; i++) {
        char lead[KEY_OF_LEAD_MAX];
        size_t size = key_of_lead(lead, &key, write->leads[i].id);
        connection_argument(store->connection, lead, size);
    }
}

static enum status queue_write(struct redis_store *store, uint32_t unit, struct fence *fence,
                               const struct store_write *write, struct error *error)
{
    enum status status = begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    begin_script(store, unit, write_keys(write), write_arguments(write));
    put_keys(store, unit, write);
    put_fence(store, fence);
    if (write->word_count)
        put_hash(store->connection, write->words, write->word_count);
    if (write->text_count)
        put_hash(store->connection, write->texts, write->text_count);
    for (size_t i = 0; i < write->lead_count; i++)
        put_lead(store, &write->leads[i]);
    put_unit(store->connection, write->fields, write->field_count);
    push_write(store, unit);
    return take_answers(store, OUTSTANDING_BYTES_MAX, error);
}

static enum status store_write(struct store *port, uint32_t unit, struct fence *fence,
                               const struct store_write *write, struct error *error)
{
    assert(write->lead_count <= STORE_WRITE_LEADS);
    return queue_write(self(port), unit, fence, write, error);
}

static enum status store_settle(struct store *port, uint32_t unit, bool wait, size_t *outstanding,
                                struct error *error)
{
    struct redis_store *store = self(port);
    struct error lost; /* whoever lost a write by it is fenced; nobody else has to know */
    (void)take_answers(store, wait ? 0 : UINT64_MAX, &lost);
    *outstanding = unit_state(store, unit)->outstanding;
    return tell_verdict(store, unit, error);
}

/* ---- Port: clear
 * ---------------------------------------------------------------------------------- */

static void queue_removal(struct redis_store *store, uint32_t unit, struct fence *fence,
                          const struct reply *const *keys, size_t count)
{
    begin_script(store, unit, 1 + count, 2 + 2 * count + 2);
    for (size_t i = 0; i < count; i++)
        connection_argument(store->connection, keys[i]->data, keys[i]->size);
    put_fence(store, fence);
    for (size_t i = 0; i < count; i++) {
        connection_argument_text(store->connection, WRITE_REMOVES_KEY);
        connection_argument_number(store->connection, 0);
    }
    put_unit(store->connection, NULL, 0);
    push_write(store, unit);
}

static enum status ask_scan(struct redis_store *store, const char *cursor, const char *pattern,
                            const struct reply **reply, struct error *error)
{
    const char *words[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "2000"};
    connection_words(store->connection, 6, words);
    enum status status = read_answer(store, reply, error);
    if (status != STATUS_OK)
        return status;
    if ((*reply)->type == REPLY_ERROR)
        return connection_judge(store->connection, *reply, error);
    if ((*reply)->type != REPLY_LIST || (*reply)->count != 2)
        return error_set(error, STATUS_STOP,
                         "Redis at %s gave an answer that baton does not understand",
                         connection_place(store->connection));
    return STATUS_OK;
}

static enum status clear_keys(struct redis_store *store, uint32_t unit, struct fence *fence,
                              const char *pattern, struct error *error)
{
    char cursor[32] = "0";
    do {
        const struct reply *reply;
        enum status status = ask_scan(store, cursor, pattern, &reply, error);
        if (status != STATUS_OK)
            return status;
        (void)snprintf(cursor, sizeof cursor, "%s", reply->items[0]->data);
        const struct reply *keys = reply->items[1];
        for (size_t start = 0; start < keys->count; start += CLEAR_BLOCK) {
            size_t rest = keys->count - start;
            queue_removal(store, unit, fence, (const struct reply *const *)keys->items + start,
                          rest < CLEAR_BLOCK ? rest : CLEAR_BLOCK);
        }
        status = take_answers(store, 0, error);
        if (status == STATUS_OK)
            status = tell_verdict(store, unit, error);
        if (status != STATUS_OK)
            return status;
    } while (strcmp(cursor, "0") != 0);
    return STATUS_OK;
}

static enum status store_clear(struct store *port, uint32_t unit, struct fence *fence,
                               struct error *error)
{
    struct redis_store *store = self(port);
    enum status status = check_fence(store, unit, fence, error);
    struct arena arena;
    arena_init(&arena, 1024);
    static const char *const parts[] = {"lead:", "words"};
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        struct key key;
        key_of_unit(&key, store->config.prefix, unit, parts[i]);
        status = clear_keys(store, unit, fence, key_pattern(&arena, &key), error);
    }
    arena_fini(&arena);
    return settle_status(store, unit, status, error);
}

/* ---- Making and ending
 * ---------------------------------------------------------------------------- */

static char *copy_or_null(const char *text)
{
    return text ? memory_copy_text(text) : NULL;
}

static void store_destroy(struct store *port)
{
    struct redis_store *store = self(port);
    (void)lose(store, STATUS_OK);
    for (size_t i = 0; i < store->unit_count; i++)
        free(store->units[i].why);
    free(store->units);
    free(store->writes);
    text_buffer_fini(&store->groups);
    free((char *)store->config.host);
    free((char *)store->config.unix_path);
    free((char *)store->config.user);
    free((char *)store->config.password);
    free((char *)store->config.prefix);
    free(store);
}

enum status redis_store_create(struct store **out, const struct redis_config *config,
                               struct error *error)
{
    if (!config->prefix || !*config->prefix || strlen(config->prefix) > PREFIX_MAX ||
        strpbrk(config->prefix, "{}"))
        return error_set(error, STATUS_STOP, "redis.prefix must have 1 to %d bytes and no braces",
                         PREFIX_MAX);
    struct redis_store *store = memory_take_zeroed(1, sizeof *store);
    store->port = (struct store){.claim = store_claim,
                                 .check = store_check,
                                 .load = store_load,
                                 .words = store_words,
                                 .text = store_text,
                                 .write = store_write,
                                 .settle = store_settle,
                                 .clear = store_clear,
                                 .destroy = store_destroy};
    store->config = *config;
    store->config.host = copy_or_null(config->host);
    store->config.unix_path = copy_or_null(config->unix_path);
    store->config.user = copy_or_null(config->user);
    store->config.password = copy_or_null(config->password);
    store->config.prefix = memory_copy_text(config->prefix);
    text_buffer_init(&store->groups);
    *out = &store->port;
    return STATUS_OK;
}
