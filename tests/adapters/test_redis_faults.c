/* The port `store` on a real redis-server: the fence, and what only Redis can do to us. */
#include "adapters/redis_world.h"
#include "base/crash_point.h"

#include <netinet/in.h>
#include <sys/socket.h>

TestSuite(redis_faults, .init = set_up, .fini = tear_down, .timeout = 60);

Test(redis_faults, a_write_under_another_token_does_nothing)
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
    cr_assert_eq(load(other, 3, &fence, &lead.id, 1, &loaded), STATUS_OK, "%s", error.text);
    cr_assert_null(loaded.packed);
    fence = claim(store, 3, token_a);
    cr_assert_eq(store->check(store, 3, &fence, &error), STATUS_OK);
    other->destroy(other);
}

Test(redis_faults, a_read_under_another_step_is_fenced)
{
    struct fence fence = claim(store, 3, token_a), wrong = fence;
    wrong.step++;
    struct baton_text id = text("x");
    struct loaded_lead loaded;
    struct field *words;
    size_t count;
    struct baton_text value;
    cr_assert_eq(load(store, 3, &wrong, &id, 1, &loaded), STATUS_FENCED);
    fence = wrong = claim(store, 3, token_a);
    wrong.step--;
    cr_assert_eq(store->hash(store, 3, &wrong, STORE_WORDS, &arena, &words, &count, &error),
                 STATUS_FENCED);
    fence = wrong = claim(store, 3, token_a);
    wrong.step--;
    cr_assert_eq(store->text(store, 3, &wrong, id, &arena, &value, &error), STATUS_FENCED);
    fence = claim(store, 3, token_a);
    cr_assert_eq(store->check(store, 3, &fence, &error), STATUS_OK);
}

Test(redis_faults, an_older_snapshot_is_noticed_by_reads_and_writes)
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
    enum status status = load(store, 1, &read_fence, &lead.id, 1, &loaded);
    if (status == STATUS_RETRY)
        status = load(store, 1, &read_fence, &lead.id, 1, &loaded);
    cr_assert_eq(status, STATUS_FENCED);
    cr_assert_eq(write_leads(store, 2, &write_fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 2), STATUS_FENCED);
    cr_assert_eq(store->check(store, 3, &gone, &error), STATUS_FENCED);
}

Test(redis_faults, queued_writes_of_a_killed_connection_are_fenced_for_every_unit_that_had_one)
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

Test(redis_faults, a_load_that_is_under_way_is_lost_with_its_connection)
{
    struct fence one = claim(store, 1, token_a), two = claim(store, 2, token_a);
    freeReplyObject(redis_server_do(&server, "CLIENT PAUSE 60000 ALL"));
    struct stored_lead lead = lead_of(text("x"), 100, 1);
    struct loaded_lead loaded;
    cr_assert_eq(write_leads(store, 1, &one, &lead, 1), STATUS_OK);
    cr_assert_eq(store->load_begin(store, 1, &one, &lead.id, 1, &error), STATUS_OK);
    cr_assert_eq(store->load_begin(store, 2, &two, &lead.id, 1, &error), STATUS_OK);
    cr_assert_eq(store->load_begin(store, 2, &two, &lead.id, 1, &error), STATUS_OK);
    redis_server_kill(&server);
    cr_assert_eq(load_finish(store, 2, 1, &loaded), STATUS_RETRY, "%s", error.text);
    cr_assert_eq(load_finish(store, 1, 1, &loaded), STATUS_FENCED, "a write was lost by it");
    redis_server_run(&server, NULL);
    two = claim(store, 2, token_b);
    cr_assert_eq(load_finish(store, 2, 1, &loaded), STATUS_RETRY, "it was not asked again");
    cr_assert_eq(load(store, 2, &two, &lead.id, 1, &loaded), STATUS_OK, "%s", error.text);
    cr_assert_null(loaded.packed);
}

Test(redis_faults, loads_that_nobody_finishes_end_with_the_store)
{
    struct fence fence = claim(store, 1, token_a);
    struct baton_text id = text("x");
    cr_assert_eq(store->load_begin(store, 1, &fence, &id, 1, &error), STATUS_OK);
    cr_assert_eq(store->load_begin(store, 1, &fence, &id, 1, &error), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    cr_assert_eq(store->load_begin(store, 1, &fence, &id, 1, &error), STATUS_OK);
}

Test(redis_faults, a_client_that_redis_hangs_up_on_connects_again)
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

Test(redis_faults, forgotten_scripts_fence_the_queued_writes_and_are_given_again)
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

Test(redis_faults, the_seeded_fault_takes_the_fence_away)
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

Test(redis_faults, without_memory_it_waits)
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

Test(redis_faults, a_replica_is_left_for_the_master)
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

Test(redis_faults, a_server_that_is_loading_is_waited_for)
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

Test(redis_faults, what_redis_refuses_stops_and_says_what_to_do)
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

Test(redis_faults, nobody_there_is_waited_for_by_tcp_as_well)
{
    config = (struct redis_config){.host = "127.0.0.1", .port = 1, .prefix = "test"};
    cr_assert_eq(claim_status(), STATUS_RETRY);
    cr_assert_not_null(strstr(error.text, "127.0.0.1:1"), "%s", error.text);
}

Test(redis_faults, a_server_is_reached_by_tcp)
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

Test(redis_faults, a_silent_server_is_given_up)
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

Test(redis_faults, a_prefix_with_braces_is_refused)
{
    struct store *made = NULL;
    config.prefix = "a{b}";
    cr_assert_eq(redis_store_create(&made, &config, &error), STATUS_STOP);
}

Test(redis_faults, a_server_that_may_throw_leads_away_is_refused)
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
