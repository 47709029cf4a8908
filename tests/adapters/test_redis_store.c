/* The port `store` on a real redis-server. What every store must do stands in
 * contract/store_contract.h; here is what only Redis can do to us. */
#include "base/crash_point.h"
#include "redis/redis_inspect.h"
#include "redis/redis_store.h"

#include "adapters/redis_server.h"
#include "contract/store_contract.h"

#include <baton/lead.h>

#include <criterion/criterion.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct redis_server server;
static struct redis_config config;
static struct store *store;
static struct arena arena;
static struct error error;
static const uint8_t token_a[16] = "token-a", token_b[16] = "token-b";

static struct store *new_store(void)
{
    struct store *made = NULL;
    cr_assert_eq(redis_store_create(&made, &config, &error), STATUS_OK, "%s", error.text);
    return made;
}

static void set_up(void)
{
    redis_server_start(&server, NULL);
    config = (struct redis_config){.unix_path = server.socket, .prefix = "test"};
    arena_init(&arena, 65536);
    store = new_store();
}

static void tear_down(void)
{
    store->destroy(store);
    arena_fini(&arena);
    redis_server_stop(&server);
}

TestSuite(redis_store, .init = set_up, .fini = tear_down, .timeout = 60);

static struct baton_text text(const char *string)
{
    return (struct baton_text){string, (uint32_t)strlen(string)};
}

static struct fence claim(struct store *of, uint32_t unit, const uint8_t token[16])
{
    struct fence fence;
    struct field *fields;
    size_t count;
    cr_assert_eq(of->claim(of, unit, token, &arena, &fence, &fields, &count, &error), STATUS_OK,
                 "%s", error.text);
    return fence;
}

static struct stored_lead lead_of(struct baton_text id, size_t size, unsigned seed)
{
    uint8_t *packed = arena_take(&arena, size);
    for (size_t i = 0; i < size; i++)
        packed[i] = (uint8_t)(seed + i * 7);
    return (struct stored_lead){.id = id,
                                .score = {.score = 7025},
                                .stage = BATON_MQL,
                                .updated_ms = 1700000000123,
                                .packed = packed,
                                .packed_size = size};
}

static enum status write_leads(struct store *to, uint32_t unit, struct fence *fence,
                               const struct stored_lead *leads, size_t count)
{
    struct store_write write = {.leads = leads, .lead_count = count};
    return to->write(to, unit, fence, &write, &error);
}

static enum status settle(struct store *of, uint32_t unit)
{
    size_t outstanding = 99;
    enum status status = of->settle(of, unit, true, &outstanding, &error);
    cr_assert_eq(outstanding, 0);
    return status;
}

static void write_field(struct store *to, uint32_t unit, struct fence *fence, const char *name,
                        const char *value)
{
    struct field field = {text(name), text(value)};
    struct store_write write = {.fields = &field, .field_count = 1};
    cr_assert_eq(to->write(to, unit, fence, &write, &error), STATUS_OK, "%s", error.text);
}

static void expect_lead(struct store *of, uint32_t unit, const struct fence *fence,
                        const struct stored_lead *lead)
{
    struct loaded_lead loaded;
    cr_assert_eq(of->load(of, unit, fence, &lead->id, 1, &arena, &loaded, &error), STATUS_OK, "%s",
                 error.text);
    cr_assert_eq(loaded.packed_size, lead->packed_size);
    cr_assert_eq(memcmp(loaded.packed, lead->packed, lead->packed_size), 0);
}

static void expect_text(const char *expected, const char *command, const char *key,
                        const char *field)
{
    redisReply *reply = redis_server_do(&server, "%s %s %s", command, key, field);
    if (expected)
        cr_assert_str_eq(reply->str, expected);
    else
        cr_assert_eq(reply->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
}

Test(redis_store, a_new_unit_has_no_fields_and_keeps_what_is_written)
{
    struct fence fence;
    struct field *fields;
    size_t count;
    cr_assert_eq(store->claim(store, 17, token_a, &arena, &fence, &fields, &count, &error),
                 STATUS_OK, "%s", error.text);
    cr_assert_eq(count, 0);
    write_field(store, 17, &fence, "position", "42");
    write_field(store, 17, &fence, "gone", "x");
    write_field(store, 17, &fence, "gone", "");
    cr_assert_eq(settle(store, 17), STATUS_OK);
    cr_assert_eq(store->check(store, 17, &fence, &error), STATUS_OK, "%s", error.text);
    cr_assert_eq(store->claim(store, 17, token_b, &arena, &fence, &fields, &count, &error),
                 STATUS_OK);
    cr_assert_eq(count, 1);
    cr_assert_eq(fields[0].value.size, 2);
    cr_assert_eq(memcmp(fields[0].value.data, "42", 2), 0);
    cr_assert_eq(fence.step, 5);
}

Test(redis_store, a_person_can_read_score_stage_and_time_of_a_lead)
{
    struct fence fence = claim(store, 17, token_a);
    struct stored_lead lead = lead_of(text("anna"), 200, 1);
    cr_assert_eq(write_leads(store, 17, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 17), STATUS_OK);
    expect_text("70.25", "HGET", "test:{17}:lead:anna", "score");
    expect_text("mql", "HGET", "test:{17}:lead:anna", "stage");
    expect_text("1700000000123", "HGET", "test:{17}:lead:anna", "updated");
    redisReply *reply = redis_server_do(&server, "OBJECT ENCODING %s", "test:{17}:lead:anna");
    cr_assert_str_eq(reply->str, "listpack");
    freeReplyObject(reply);
}

Test(redis_store, a_write_under_another_token_does_nothing)
{
    struct fence sleeper = claim(store, 3, token_a);
    struct store *other = new_store();
    struct fence fence = claim(other, 3, token_b);
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    sleeper.step = fence.step; /* the token alone must do */
    cr_assert_eq(write_leads(store, 3, &sleeper, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 3), STATUS_FENCED);
    cr_assert_eq(settle(store, 3), STATUS_FENCED, "it is said until the unit is claimed again");
    cr_assert_eq(store->check(store, 3, &sleeper, &error), STATUS_FENCED);
    cr_assert_eq(write_leads(store, 3, &sleeper, &lead, 1), STATUS_FENCED);
    struct loaded_lead loaded;
    cr_assert_eq(other->load(other, 3, &fence, &lead.id, 1, &arena, &loaded, &error), STATUS_OK,
                 "%s", error.text);
    cr_assert_null(loaded.packed);
    fence = claim(store, 3, token_a);
    cr_assert_eq(store->check(store, 3, &fence, &error), STATUS_OK);
    other->destroy(other);
}

Test(redis_store, a_read_under_another_step_is_fenced)
{
    struct fence fence = claim(store, 3, token_a), wrong = fence;
    wrong.step++;
    struct baton_text id = text("x");
    struct loaded_lead loaded;
    struct field *words;
    size_t count;
    struct baton_text value;
    cr_assert_eq(store->load(store, 3, &wrong, &id, 1, &arena, &loaded, &error), STATUS_FENCED);
    fence = wrong = claim(store, 3, token_a);
    wrong.step--;
    cr_assert_eq(store->words(store, 3, &wrong, &arena, &words, &count, &error), STATUS_FENCED);
    fence = wrong = claim(store, 3, token_a);
    wrong.step--;
    cr_assert_eq(store->text(store, 3, &wrong, id, &arena, &value, &error), STATUS_FENCED);
    fence = claim(store, 3, token_a);
    cr_assert_eq(store->check(store, 3, &fence, &error), STATUS_OK);
}

Test(redis_store, an_older_snapshot_is_noticed_by_reads_and_writes)
{
    struct fence read_fence = claim(store, 1, token_a), write_fence = claim(store, 2, token_a),
                 gone = claim(store, 3, token_a);
    freeReplyObject(redis_server_do(&server, "DEL %s", "test:{3}:unit"));
    freeReplyObject(redis_server_do(&server, "SAVE"));
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(store, 1, &read_fence, &lead, 1), STATUS_OK);
    cr_assert_eq(write_leads(store, 2, &write_fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    cr_assert_eq(settle(store, 2), STATUS_OK);
    redis_server_kill(&server);
    redis_server_run(&server, NULL);
    struct loaded_lead loaded;
    enum status status = store->load(store, 1, &read_fence, &lead.id, 1, &arena, &loaded, &error);
    if (status == STATUS_RETRY)
        status = store->load(store, 1, &read_fence, &lead.id, 1, &arena, &loaded, &error);
    cr_assert_eq(status, STATUS_FENCED);
    cr_assert_eq(write_leads(store, 2, &write_fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 2), STATUS_FENCED);
    cr_assert_eq(store->check(store, 3, &gone, &error), STATUS_FENCED);
}

Test(redis_store, queued_writes_of_a_killed_connection_are_fenced_for_every_unit_that_had_one)
{
    struct fence one = claim(store, 1, token_a), two = claim(store, 2, token_a),
                 idle = claim(store, 3, token_a);
    freeReplyObject(redis_server_do(&server, "CLIENT PAUSE 60000 ALL"));
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(store, 1, &one, &lead, 1), STATUS_OK);
    cr_assert_eq(write_leads(store, 2, &two, &lead, 1), STATUS_OK);
    size_t outstanding;
    cr_assert_eq(store->settle(store, 1, false, &outstanding, &error), STATUS_OK);
    cr_assert_eq(outstanding, 1);
    redis_server_kill(&server);
    cr_assert_eq(settle(store, 1), STATUS_FENCED);
    cr_assert_eq(settle(store, 2), STATUS_FENCED);
    cr_assert_eq(settle(store, 3), STATUS_OK);
    cr_assert_eq(store->check(store, 3, &idle, &error), STATUS_RETRY, "Redis is away");
    redis_server_run(&server, NULL);
    cr_assert_eq(store->check(store, 3, &idle, &error), STATUS_FENCED, "and comes back empty");
    one = claim(store, 1, token_a);
    cr_assert_eq(store->check(store, 1, &one, &error), STATUS_OK);
}

Test(redis_store, a_client_that_redis_hangs_up_on_connects_again)
{
    struct fence fence = claim(store, 1, token_a), other = claim(store, 2, token_a);
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    freeReplyObject(redis_server_do(&server, "CLIENT KILL TYPE normal"));
    enum status status = write_leads(store, 1, &fence, &lead, 1);
    cr_assert(status == STATUS_OK || status == STATUS_RETRY);
    cr_assert_eq(settle(store, 1), STATUS_FENCED);
    cr_assert_eq(store->check(store, 2, &other, &error), STATUS_OK, "%s", error.text);
    fence = claim(store, 1, token_b);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
}

Test(redis_store, forgotten_scripts_fence_the_queued_writes_and_are_given_again)
{
    struct fence fence = claim(store, 1, token_a);
    freeReplyObject(redis_server_do(&server, "SCRIPT FLUSH"));
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    enum status status = write_leads(store, 1, &fence, &lead, 1);
    cr_assert(status == STATUS_OK || status == STATUS_FENCED);
    cr_assert_eq(settle(store, 1), STATUS_FENCED);
    fence = claim(store, 1, token_a);
    freeReplyObject(redis_server_do(&server, "SCRIPT FLUSH"));
    fence = claim(store, 1, token_b);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    expect_lead(store, 1, &fence, &lead);
}

Test(redis_store, the_seeded_fault_takes_the_fence_away)
{
    size_t crash_points;
    (void)crash_point_names(&crash_points);
    if (crash_points == 0)
        cr_skip_test("this build has no seeded faults");
    (void)setenv("BATON_FAULT", "no_fence", 1);
    struct fence sleeper = claim(store, 1, token_a);
    struct store *other = new_store();
    struct fence fence = claim(other, 1, token_b);
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(store, 1, &sleeper, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    expect_lead(other, 1, &fence, &lead);
    other->destroy(other);
}

#define MANY 100000

Test(redis_store, a_hundred_thousand_leads_go_out_and_come_back)
{
    struct fence fence = claim(store, 7, token_a);
    static char names[MANY][12];
    static struct baton_text ids[MANY];
    struct stored_lead leads[STORE_WRITE_LEADS];
    size_t waiting = 0;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "lead-%d", i);
        ids[i] = text(names[i]);
        leads[waiting++] = lead_of(ids[i], 150 + (size_t)i % 100, (unsigned)i);
        if (waiting < STORE_WRITE_LEADS && i + 1 < MANY)
            continue;
        cr_assert_eq(write_leads(store, 7, &fence, leads, waiting), STATUS_OK, "%s", error.text);
        waiting = 0;
    }
    /* A read behind 25 MB of writes, of everything at once. */
    struct loaded_lead *loaded = arena_take(&arena, MANY * sizeof *loaded);
    cr_assert_eq(store->load(store, 7, &fence, ids, MANY, &arena, loaded, &error), STATUS_OK, "%s",
                 error.text);
    for (int i = 0; i < MANY; i++) {
        struct stored_lead lead = lead_of(ids[i], 150 + (size_t)i % 100, (unsigned)i);
        cr_assert_eq(loaded[i].packed_size, lead.packed_size);
        cr_assert_eq(memcmp(loaded[i].packed, lead.packed, lead.packed_size), 0);
    }
    cr_assert_eq(store->clear(store, 7, &fence, &error), STATUS_OK, "%s", error.text);
    cr_assert_eq(store->load(store, 7, &fence, ids, 1000, &arena, loaded, &error), STATUS_OK, "%s",
                 error.text);
    for (int i = 0; i < 1000; i++)
        cr_assert_null(loaded[i].packed);
    redisReply *reply = redis_server_do(&server, "DBSIZE");
    cr_assert_eq(reply->integer, 1, "the unit's hash stays");
    freeReplyObject(reply);
}

Test(redis_store, clearing_a_unit_leaves_the_others_and_the_texts)
{
    struct fence one = claim(store, 1, token_a), eleven = claim(store, 11, token_a);
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    struct field word = {text("2"), text("/pricing")},
                 saved = {text("agreement:1"), text("points: 3")};
    struct store_write write = {.leads = &lead,
                                .lead_count = 1,
                                .words = &word,
                                .word_count = 1,
                                .texts = &saved,
                                .text_count = 1};
    cr_assert_eq(store->write(store, 1, &one, &write, &error), STATUS_OK);
    cr_assert_eq(store->write(store, 11, &eleven, &write, &error), STATUS_OK);
    cr_assert_eq(store->clear(store, 1, &one, &error), STATUS_OK, "%s", error.text);
    struct field *words;
    size_t count;
    struct baton_text value;
    cr_assert_eq(store->words(store, 1, &one, &arena, &words, &count, &error), STATUS_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(store->text(store, 1, &one, saved.name, &arena, &value, &error), STATUS_OK);
    cr_assert_eq(value.size, 9);
    cr_assert_eq(store->text(store, 1, &one, text("agreement:2"), &arena, &value, &error),
                 STATUS_OK);
    cr_assert_null(value.data);
    cr_assert_eq(store->words(store, 11, &eleven, &arena, &words, &count, &error), STATUS_OK);
    cr_assert_eq(count, 1);
    expect_lead(store, 11, &eleven, &lead);
    struct fence sleeper = one;
    sleeper.token[0] ^= 1;
    cr_assert_eq(store->clear(store, 1, &sleeper, &error), STATUS_FENCED);
}

Test(redis_store, any_id_of_256_bytes_is_a_key)
{
    struct fence fence = claim(store, 1, token_a);
    char braces[256], bytes[256];
    memset(braces, ' ', sizeof braces);
    memcpy(braces, "{2}:lead:*?[a]\\ \r\n$-1", 21);
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    struct stored_lead leads[3] = {lead_of((struct baton_text){braces, 256}, 100, 1),
                                   lead_of((struct baton_text){bytes, 256}, 65, 2),
                                   lead_of((struct baton_text){bytes, 1}, 64, 3)};
    cr_assert_eq(write_leads(store, 1, &fence, leads, 3), STATUS_OK);
    for (int i = 0; i < 3; i++)
        expect_lead(store, 1, &fence, &leads[i]);
    cr_assert_eq(store->clear(store, 1, &fence, &error), STATUS_OK);
    struct loaded_lead loaded;
    cr_assert_eq(store->load(store, 1, &fence, &leads[0].id, 1, &arena, &loaded, &error),
                 STATUS_OK);
    cr_assert_null(loaded.packed);
}

Test(redis_store, a_lead_that_got_shorter_leaves_no_chunks_behind)
{
    struct fence fence = claim(store, 1, token_a);
    struct stored_lead lead = lead_of(text("x"), 3000, 1); /* more than 26 chunks */
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    expect_lead(store, 1, &fence, &lead);
    struct stored_lead shorter = lead_of(text("x"), 130, 9);
    shorter.former_size = 3000;
    cr_assert_eq(write_leads(store, 1, &fence, &shorter, 1), STATUS_OK);
    expect_lead(store, 1, &fence, &shorter);
    redisReply *reply = redis_server_do(&server, "HLEN %s", "test:{1}:lead:x");
    cr_assert_eq(reply->integer, 3 + 3);
    freeReplyObject(reply);
    /* Where the former size is not known, what is left over is not read. */
    struct stored_lead shortest = lead_of(text("x"), 20, 5);
    cr_assert_eq(write_leads(store, 1, &fence, &shortest, 1), STATUS_OK);
    expect_lead(store, 1, &fence, &shortest);
}

Test(redis_store, the_largest_packed_form_fits)
{
    struct fence fence = claim(store, 1, token_a);
    struct stored_lead lead = lead_of(text("x"), BATON_LEAD_PACKED_MAX, 1);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    expect_lead(store, 1, &fence, &lead);
}

Test(redis_store, a_torn_lead_stops_and_is_named)
{
    struct fence fence = claim(store, 1, token_a);
    struct stored_lead leads[2] = {lead_of(text("whole"), 200, 1), lead_of(text("torn"), 200, 1)};
    cr_assert_eq(write_leads(store, 1, &fence, leads, 2), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    freeReplyObject(redis_server_do(&server, "HDEL %s b", "test:{1}:lead:torn"));
    struct baton_text ids[2] = {leads[0].id, leads[1].id};
    struct loaded_lead loaded[2];
    cr_assert_eq(store->load(store, 1, &fence, ids, 2, &arena, loaded, &error), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "\"torn\""));
    cr_assert_not_null(strstr(error.text, "--rebuild"));
    cr_assert_eq(store->check(store, 1, &fence, &error), STATUS_OK, "answers stay in step");
}

Test(redis_store, a_key_of_another_type_stops)
{
    struct fence fence = claim(store, 1, token_a);
    freeReplyObject(redis_server_do(&server, "SET %s 1", "test:{1}:lead:x"));
    struct stored_lead leads[2] = {lead_of(text("w"), 100, 1), lead_of(text("x"), 100, 1)};
    struct loaded_lead loaded;
    cr_assert_eq(store->load(store, 1, &fence, &leads[1].id, 1, &arena, &loaded, &error),
                 STATUS_STOP);
    cr_assert_eq(write_leads(store, 1, &fence, leads, 2), STATUS_OK);
    struct field field = {text("position"), text("9")};
    struct store_write write = {.fields = &field, .field_count = 1};
    enum status status = store->write(store, 1, &fence, &write, &error);
    cr_assert(status == STATUS_OK || status == STATUS_STOP);
    cr_assert_eq(settle(store, 1), STATUS_STOP);
    expect_text(NULL, "HGET", "test:{1}:unit", "position");
}

Test(redis_store, without_memory_it_waits)
{
    struct fence fence = claim(store, 1, token_a);
    freeReplyObject(redis_server_do(&server, "CONFIG SET maxmemory 1"));
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_FENCED);
    struct field *fields;
    size_t count;
    cr_assert_eq(store->claim(store, 1, token_a, &arena, &fence, &fields, &count, &error),
                 STATUS_RETRY);
    cr_assert_not_null(strstr(error.text, "maxmemory"), "%s", error.text);
    freeReplyObject(redis_server_do(&server, "CONFIG SET maxmemory 0"));
    fence = claim(store, 1, token_a);
}

Test(redis_store, a_replica_is_left_for_the_master)
{
    struct fence fence = claim(store, 1, token_a);
    freeReplyObject(redis_server_do(&server, "REPLICAOF 127.0.0.1 1"));
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_FENCED);
    struct field *fields;
    size_t count;
    cr_assert_eq(store->claim(store, 1, token_a, &arena, &fence, &fields, &count, &error),
                 STATUS_RETRY);
    freeReplyObject(redis_server_do(&server, "REPLICAOF NO ONE"));
    fence = claim(store, 1, token_a);
    cr_assert_eq(store->check(store, 1, &fence, &error), STATUS_OK);
}

Test(redis_store, a_server_that_is_loading_is_waited_for)
{
    freeReplyObject(redis_server_do(&server, "DEBUG SLEEP 0"));
    struct fence fence = claim(store, 1, token_a);
    for (int i = 0; i < 200; i++) {
        char value[1001];
        memset(value, 'x', 1000);
        value[1000] = 0;
        freeReplyObject(redis_server_do(&server, "SET filler:%d %s", i, value));
    }
    freeReplyObject(redis_server_do(&server, "SAVE"));
    redis_server_kill(&server);
    static const char *const slowly[] = {"--key-load-delay", "5000",
                                         "--loading-process-events-interval-bytes", "1024", NULL};
    redis_server_run(&server, slowly);
    enum status status = store->check(store, 1, &fence, &error);
    for (int i = 0; i < 3 && status == STATUS_RETRY && !strstr(error.text, "loading"); i++)
        status = store->check(store, 1, &fence, &error);
    cr_assert_eq(status, STATUS_RETRY, "%d %s", status, error.text);
    cr_assert_not_null(strstr(error.text, "loading"), "%s", error.text);
    for (int i = 0; i < 300 && status == STATUS_RETRY; i++) {
        (void)usleep(20000);
        status = store->check(store, 1, &fence, &error);
    }
    cr_assert_eq(status, STATUS_OK, "%s", error.text);
}

static enum status claim_status(void)
{
    struct fence fence;
    struct field *fields;
    size_t count;
    struct store *made = new_store();
    enum status status = made->claim(made, 1, token_a, &arena, &fence, &fields, &count, &error);
    made->destroy(made);
    return status;
}

Test(redis_store, what_redis_refuses_stops_and_says_what_to_do)
{
    config.password = "secret";
    cr_assert_eq(claim_status(), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "redis.password"), "%s", error.text);
    freeReplyObject(redis_server_do(&server, "CONFIG SET requirepass other"));
    cr_assert_eq(claim_status(), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "redis.password"), "%s", error.text);
    config.password = NULL;
    cr_assert_eq(claim_status(), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "set redis.password"), "%s", error.text);
    config.password = "other";
    cr_assert_eq(claim_status(), STATUS_OK);
    config.user = "default";
    cr_assert_eq(claim_status(), STATUS_OK);
    config.user = "nobody";
    cr_assert_eq(claim_status(), STATUS_STOP);
    config.user = NULL;
    config.database = 15;
    cr_assert_eq(claim_status(), STATUS_OK);
    config.database = 16;
    cr_assert_eq(claim_status(), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "no such database"), "%s", error.text);
}

Test(redis_store, nobody_there_is_waited_for_by_tcp_as_well)
{
    config = (struct redis_config){.host = "127.0.0.1", .port = 1, .prefix = "test"};
    cr_assert_eq(claim_status(), STATUS_RETRY);
    cr_assert_not_null(strstr(error.text, "127.0.0.1:1"), "%s", error.text);
}

Test(redis_store, a_server_is_reached_by_tcp)
{
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    cr_assert_eq(bind(probe, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    (void)close(probe);
    char port[8];
    (void)snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    redis_server_kill(&server);
    const char *const by_tcp[] = {"--port", port, "--bind", "127.0.0.1", NULL};
    redis_server_run(&server, by_tcp);
    config = (struct redis_config){
        .host = "localhost", .port = ntohs(address.sin_port), .prefix = "test"};
    cr_assert_eq(claim_status(), STATUS_OK, "%s", error.text);
}

Test(redis_store, a_silent_server_is_given_up)
{
    config.timeout_ms = 200;
    struct store *made = new_store();
    struct fence fence = claim(made, 1, token_a);
    cr_assert_eq(kill(server.process, SIGSTOP), 0);
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    cr_assert_eq(write_leads(made, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(made, 1), STATUS_FENCED);
    cr_assert_eq(kill(server.process, SIGCONT), 0);
    fence = claim(made, 1, token_a);
    made->destroy(made);
}

Test(redis_store, a_prefix_with_braces_is_refused)
{
    struct store *made = NULL;
    config.prefix = "a{b}";
    cr_assert_eq(redis_store_create(&made, &config, &error), STATUS_STOP);
}

Test(redis_store, a_server_that_may_throw_leads_away_is_refused)
{
    struct text_buffer warnings;
    text_buffer_init(&warnings);
    cr_assert_eq(redis_check_settings(&config, &warnings, &error), STATUS_OK, "%s", error.text);
    cr_assert_eq(warnings.size, 0);
    freeReplyObject(redis_server_do(&server, "CONFIG SET maxmemory-policy allkeys-lru"));
    cr_assert_eq(redis_check_settings(&config, &warnings, &error), STATUS_OK);
    cr_assert_not_null(strstr(warnings.data, "CONFIG SET maxmemory-policy noeviction"));
    freeReplyObject(redis_server_do(&server, "CONFIG SET maxmemory 100mb"));
    cr_assert_eq(redis_check_settings(&config, &warnings, &error), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "CONFIG SET maxmemory-policy noeviction"));
    freeReplyObject(redis_server_do(&server, "CONFIG SET maxmemory-policy noeviction"));
    freeReplyObject(redis_server_do(&server, "CONFIG SET hash-max-listpack-value 32"));
    text_buffer_clear(&warnings);
    cr_assert_eq(redis_check_settings(&config, &warnings, &error), STATUS_OK);
    cr_assert_not_null(strstr(warnings.data, "CONFIG SET hash-max-listpack-value 64"));
    freeReplyObject(redis_server_do(&server, "ACL SETUSER app on >pw ~* +@all -config"));
    config.user = "app";
    config.password = "pw";
    text_buffer_clear(&warnings);
    cr_assert_eq(redis_check_settings(&config, &warnings, &error), STATUS_OK, "%s", error.text);
    cr_assert_not_null(strstr(warnings.data, "does not let us look"));
    text_buffer_fini(&warnings);
}

/* ---- What every store must do --------------------------------------------------------------- */

static struct store *open_one(struct store_contract *contract)
{
    (void)contract;
    return new_store();
}

static void save(struct store_contract *contract)
{
    (void)contract;
    freeReplyObject(redis_server_do(&server, "SAVE"));
}

static void fall_back(struct store_contract *contract)
{
    (void)contract;
    redis_server_kill(&server);
    redis_server_run(&server, NULL);
}

static void tear(struct store_contract *contract, uint32_t unit, const char *lead)
{
    (void)contract;
    redisReply *reply = redis_server_do(&server, "HDEL test:{%u}:lead:%s b", unit, lead);
    cr_assert_eq(reply->integer, 1);
    freeReplyObject(reply);
}

static void open_redis(struct store_contract *contract)
{
    redis_server_start(&server, NULL);
    config = (struct redis_config){.unix_path = server.socket, .prefix = "test"};
    *contract = (struct store_contract){NULL, open_one, save, fall_back, tear};
}

static void close_redis(struct store_contract *contract)
{
    (void)contract;
    redis_server_stop(&server);
}

STORE_CONTRACT_TESTS(redis_contract, open_redis, close_redis)

/* ---- Tools
 * ---------------------------------------------------------------------------------------- */

struct seen {
    size_t leads, of_unit_2;
    uint64_t last_keys, all_keys;
};

static void see_lead(void *context, const struct inspected_lead *lead)
{
    struct seen *seen = context;
    seen->leads++;
    seen->of_unit_2 += lead->unit == 2;
    cr_assert_eq(lead->score.size, 5);
    cr_assert_eq(memcmp(lead->score.data, "70.25", 5), 0);
    cr_assert_eq(memcmp(lead->id.data, "lead-", 5), 0);
}

static void see_progress(void *context, uint64_t leads, uint64_t keys, uint64_t keys_in_all)
{
    struct seen *seen = context;
    (void)leads;
    cr_assert_geq(keys, seen->last_keys);
    seen->last_keys = keys;
    seen->all_keys = keys_in_all;
}

Test(redis_store, tools_look_into_everything_without_a_claim)
{
    config.prefix = "te*t";
    struct store *made = new_store();
    struct fence one = claim(made, 1, token_a), two = claim(made, 12, token_a),
                 other = claim(store, 5, token_a);
    char names[300][16];
    struct stored_lead leads[STORE_WRITE_LEADS];
    for (int i = 0; i < STORE_WRITE_LEADS; i++) {
        (void)snprintf(names[i], sizeof names[i], "lead-%d", i);
        leads[i] = lead_of(text(names[i]), 100, (unsigned)i);
    }
    cr_assert_eq(write_leads(made, 1, &one, leads, STORE_WRITE_LEADS), STATUS_OK);
    cr_assert_eq(write_leads(made, 12, &two, leads, 10), STATUS_OK);
    cr_assert_eq(write_leads(store, 5, &other, leads, 10), STATUS_OK);
    write_field(made, 1, &one, "position", "42");
    cr_assert_eq(settle(made, 1), STATUS_OK);
    cr_assert_eq(settle(made, 12), STATUS_OK);
    cr_assert_eq(settle(store, 5), STATUS_OK);

    struct redis_inspector *inspector;
    cr_assert_eq(redis_inspect_open(&inspector, &config, &error), STATUS_OK, "%s", error.text);
    uint32_t *units;
    size_t count;
    cr_assert_eq(redis_inspect_units(inspector, &arena, &units, &count, &error), STATUS_OK, "%s",
                 error.text);
    cr_assert_eq(count, 2);
    cr_assert_eq(units[0], 1);
    cr_assert_eq(units[1], 12);
    struct field *fields;
    cr_assert_eq(redis_inspect_unit(inspector, 1, &arena, &fields, &count, &error), STATUS_OK);
    cr_assert_eq(count, 2, "step and position");
    cr_assert_eq(redis_inspect_unit(inspector, 99, &arena, &fields, &count, &error), STATUS_OK);
    cr_assert_eq(count, 0);
    struct inspected_lead lead;
    bool found;
    cr_assert_eq(redis_inspect_lead(inspector, 1, text("lead-7"), &arena, &lead, &found, &error),
                 STATUS_OK, "%s", error.text);
    cr_assert(found);
    cr_assert_eq(lead.packed_size, 100);
    cr_assert_eq(memcmp(lead.packed, leads[7].packed, 100), 0);
    cr_assert_eq(lead.stage.size, 3);
    cr_assert_eq(redis_inspect_lead(inspector, 1, text("nobody"), &arena, &lead, &found, &error),
                 STATUS_OK);
    cr_assert_not(found);
    struct seen seen = {0};
    struct lead_visitor visitor = {see_lead, see_progress, &seen};
    cr_assert_eq(redis_inspect_leads(inspector, &visitor, &error), STATUS_OK, "%s", error.text);
    cr_assert_geq(seen.leads, STORE_WRITE_LEADS + 10);
    cr_assert_eq(seen.of_unit_2, 0);
    cr_assert_eq(seen.last_keys, seen.all_keys);
    redis_inspect_close(inspector);
    made->destroy(made);
}
