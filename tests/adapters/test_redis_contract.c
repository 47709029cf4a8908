/* The checks that every store passes, on a real redis-server. */
#include "adapters/redis_server.h"
#include "contract/store_contract.h"
#include "redis/redis_store.h"

static struct redis_server server;
static struct redis_config config;

static struct store *open_one(struct store_contract *contract)
{
    (void)contract;
    struct store *made = NULL;
    struct error error;
    cr_assert_eq(redis_store_create(&made, &config, &error), STATUS_OK, "%s", error.text);
    return made;
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

static enum baton_stage stage_told(struct store_contract *contract, uint32_t unit, const char *id)
{
    (void)contract;
    redisReply *reply = redis_server_do(&server, "HGET test:{%u}:lead:%s stage", unit, id);
    enum baton_stage stage = BATON_LEAD;
    while (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, baton_stage_name(stage)) != 0)
        stage++;
    freeReplyObject(reply);
    return stage;
}

static void date(struct store_contract *contract, uint32_t unit, const char *lead)
{
    const char *stage = baton_stage_name(stage_told(contract, unit, lead));
    freeReplyObject(redis_server_do(
        &server, "HSET test:{%u}:lead:%s stage %s updated 1700000000123", unit, lead, stage));
}

static void open_redis(struct store_contract *contract)
{
    redis_server_start(&server, NULL);
    config = (struct redis_config){.unix_path = server.socket, .prefix = "test"};
    *contract = (struct store_contract){.open = open_one,
                                        .save = save,
                                        .fall_back = fall_back,
                                        .tear = tear,
                                        .stage = stage_told,
                                        .date = date};
}

static void close_redis(struct store_contract *contract)
{
    (void)contract;
    redis_server_stop(&server);
}

STORE_CONTRACT_TESTS(redis_contract, open_redis, close_redis)
