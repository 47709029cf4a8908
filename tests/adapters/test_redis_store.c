/* The port `store` on a real redis-server: what lies there of units and leads. What every store
 * must do stands in contract/store_contract.h. */
#include "adapters/redis_world.h"

#include <baton/lead.h>

TestSuite(redis_store, .init = set_up, .fini = tear_down, .timeout = 60);

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

Test(redis_store, a_person_can_read_score_and_stage_of_a_lead)
{
    struct fence fence = claim(store, 17, token_a);
    struct stored_lead lead = lead_of(text("anna"), 200, 1);
    cr_assert_eq(write_leads(store, 17, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 17), STATUS_OK);
    expect_text("70.25", "HGET", "test:{17}:lead:anna", "score");
    expect_text("mql", "HGET", "test:{17}:lead:anna", "stage");
    redisReply *reply = redis_server_do(&server, "OBJECT ENCODING %s", "test:{17}:lead:anna");
    cr_assert_str_eq(reply->str, "listpack");
    freeReplyObject(reply);
}

static long long fields_of(const char *key)
{
    redisReply *reply = redis_server_do(&server, "HLEN %s", key);
    long long count = reply->integer;
    freeReplyObject(reply);
    return count;
}

Test(redis_store, the_first_stage_takes_no_room)
{
    struct fence fence = claim(store, 1, token_a);
    struct stored_lead leads[2] = {lead_of(text("new"), 100, 1), lead_of(text("old"), 100, 1)};
    leads[0].stage = leads[1].stage = BATON_LEAD;
    leads[0].stage_stands = true;
    cr_assert_eq(write_leads(store, 1, &fence, leads, 2), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    cr_assert_eq(fields_of("test:{1}:lead:new"), 1 + 2, "score, and two chunks");
    cr_assert_eq(fields_of("test:{1}:lead:old"), 1 + 2);
}

Test(redis_store, a_hash_of_a_former_version_is_read_and_mended)
{
    struct fence fence = claim(store, 1, token_a);
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    lead.stage = BATON_LEAD;
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    freeReplyObject(
        redis_server_do(&server, "HSET %s stage lead updated 1700000000123", "test:{1}:lead:x"));
    expect_lead(store, 1, &fence, &lead);
    lead.former_size = 100;
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    expect_lead(store, 1, &fence, &lead);
    cr_assert_eq(fields_of("test:{1}:lead:x"), 1 + 2, "neither `stage` nor `updated`");
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
    cr_assert_eq(load(store, 7, &fence, ids, MANY, loaded), STATUS_OK, "%s", error.text);
    for (int i = 0; i < MANY; i++) {
        struct stored_lead lead = lead_of(ids[i], 150 + (size_t)i % 100, (unsigned)i);
        cr_assert_eq(loaded[i].packed_size, lead.packed_size);
        cr_assert_eq(memcmp(loaded[i].packed, lead.packed, lead.packed_size), 0);
    }
    cr_assert_eq(store->clear(store, 7, &fence, &error), STATUS_OK, "%s", error.text);
    cr_assert_eq(load(store, 7, &fence, ids, 1000, loaded), STATUS_OK, "%s", error.text);
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
    cr_assert_eq(store->hash(store, 1, &one, STORE_WORDS, &arena, &words, &count, &error),
                 STATUS_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(store->text(store, 1, &one, saved.name, &arena, &value, &error), STATUS_OK);
    cr_assert_eq(value.size, 9);
    cr_assert_eq(store->text(store, 1, &one, text("agreement:2"), &arena, &value, &error),
                 STATUS_OK);
    cr_assert_null(value.data);
    cr_assert_eq(store->hash(store, 11, &eleven, STORE_WORDS, &arena, &words, &count, &error),
                 STATUS_OK);
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
    cr_assert_eq(load(store, 1, &fence, &leads[0].id, 1, &loaded), STATUS_OK);
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
    cr_assert_eq(fields_of("test:{1}:lead:x"), 2 + 3);
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
    cr_assert_eq(load(store, 1, &fence, ids, 2, loaded), STATUS_STOP);
    cr_assert_not_null(strstr(error.text, "\"torn\""));
    cr_assert_not_null(strstr(error.text, "--rebuild"));
    cr_assert_eq(store->check(store, 1, &fence, &error), STATUS_OK, "answers stay in step");
}

Test(redis_store, a_damaged_step_stops_and_is_shown)
{
    static const char *const damaged[] = {"abc", "", "-3", "1.5", "007", "9223372036854775807"};
    struct field *fields;
    size_t count;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        char shown[64];
        struct fence fence = claim(store, 1, token_a);
        freeReplyObject(redis_server_do(&server, "HSET %s step %s", "test:{1}:unit", damaged[i]));
        cr_assert_eq(store->claim(store, 1, token_b, &arena, &fence, &fields, &count, &error),
                     STATUS_STOP);
        (void)snprintf(shown, sizeof shown, "it holds `%s`,", damaged[i]);
        cr_expect(strstr(error.text, shown), "%s", error.text);
        cr_expect(strstr(error.text, "field `step` of test:{1}:unit in Redis at "), "%s",
                  error.text);
        cr_expect(strstr(error.text, "(HDEL test:{1}:unit step)"), "%s", error.text);
        freeReplyObject(redis_server_do(&server, "HDEL %s step", "test:{1}:unit"));
    }
    struct fence fence = claim(store, 1, token_a);
    cr_expect_eq(fence.step, 1);
    cr_expect_eq(store->check(store, 1, &fence, &error), STATUS_OK);
}

Test(redis_store, a_key_of_another_type_stops)
{
    struct fence fence = claim(store, 1, token_a);
    freeReplyObject(redis_server_do(&server, "SET %s 1", "test:{1}:lead:x"));
    struct stored_lead leads[2] = {lead_of(text("w"), 100, 1), lead_of(text("x"), 100, 1)};
    struct loaded_lead loaded;
    cr_assert_eq(load(store, 1, &fence, &leads[1].id, 1, &loaded), STATUS_STOP);
    cr_assert_eq(write_leads(store, 1, &fence, leads, 2), STATUS_OK);
    struct field field = {text("position"), text("9")};
    struct store_write write = {.fields = &field, .field_count = 1};
    enum status status = store->write(store, 1, &fence, &write, &error);
    cr_assert(status == STATUS_OK || status == STATUS_STOP);
    cr_assert_eq(settle(store, 1), STATUS_STOP);
    expect_text(NULL, "HGET", "test:{1}:unit", "position");
}
