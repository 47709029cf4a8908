#include "latency/freshness.h"

#include "base/arena.h"
#include "common/clock.h"
#include "config/config.h"
#include "redis/redis_connection.h"
#include "redis/redis_keys.h"
#include "traffic/traffic.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_FOR_MAX 10000 /* at a time */

struct freshness {
    struct config *config; /* owns the texts of `redis` */
    struct redis_config redis;
    struct connection *connection;
    pthread_t thread;
    pthread_mutex_t lock; /* guards fresh and looked_for */
    struct freshness_sample *fresh;
    size_t fresh_count;
    uint64_t looked_for;
    _Atomic double deadline; /* clock_seconds() at which it ends with whatever is left; 0: go on */
    /* the thread's */
    struct freshness_sample *pending;
    size_t pending_count;
    struct freshness_figures figures;
    struct error error;
    enum status status;
};

void freshness_watch(struct freshness *freshness, const struct freshness_sample *sample)
{
    (void)pthread_mutex_lock(&freshness->lock);
    if (freshness->fresh_count < LOOKED_FOR_MAX) {
        freshness->fresh[freshness->fresh_count++] = *sample;
        freshness->looked_for++;
    }
    (void)pthread_mutex_unlock(&freshness->lock);
}

/* ---- The thread ---- */

static void take_fresh(struct freshness *freshness)
{
    (void)pthread_mutex_lock(&freshness->lock);
    size_t room = LOOKED_FOR_MAX - freshness->pending_count;
    size_t count = freshness->fresh_count < room ? freshness->fresh_count : room;
    memcpy(freshness->pending + freshness->pending_count, freshness->fresh,
           count * sizeof *freshness->fresh);
    memmove(freshness->fresh, freshness->fresh + count,
            (freshness->fresh_count - count) * sizeof *freshness->fresh);
    freshness->fresh_count -= count;
    freshness->pending_count += count;
    (void)pthread_mutex_unlock(&freshness->lock);
}

static void ask(struct freshness *freshness, const struct freshness_sample *sample)
{
    char key[200], id[TRAFFIC_LEAD_ID_SIZE];
    traffic_lead_id(sample->lead, id);
    (void)snprintf(key, sizeof key, "%s:{%d}:lead:%.*s", freshness->redis.prefix, sample->partition,
                   (int)sizeof id, id);
    connection_words(freshness->connection, 3,
                     (const char *const[]){"HGET", key, LEAD_FIRST_CHUNK});
}

static int64_t newest_of(const struct reply *reply)
{
    return reply->type == REPLY_TEXT
               ? newest_of_chunk((struct baton_text){reply->data, (uint32_t)reply->size})
               : 0;
}

/* Keeps in `pending` what is not there yet. */
static enum status look(struct freshness *freshness, struct error *error)
{
    size_t count = freshness->pending_count, left = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++)
        ask(freshness, &freshness->pending[i]);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct reply *reply;
        const struct freshness_sample sample = freshness->pending[i];
        status = connection_answer(freshness->connection, &reply, error);
        if (status != STATUS_OK)
            break;
        double age = clock_seconds() - sample.due;
        if (newest_of(reply) >= sample.time_ms)
            histogram_record(&freshness->figures.ages, age > 0 ? (uint64_t)(age * 1e6) : 0);
        else
            freshness->pending[left++] = sample;
    }
    freshness->pending_count = left;
    return status;
}

static bool is_over(struct freshness *freshness)
{
    double deadline = atomic_load(&freshness->deadline);
    if (deadline == 0)
        return false;
    (void)pthread_mutex_lock(&freshness->lock);
    bool all = freshness->pending_count + freshness->fresh_count == 0;
    (void)pthread_mutex_unlock(&freshness->lock);
    return all || clock_seconds() >= deadline;
}

static void *run(void *context)
{
    struct freshness *freshness = context;
    double tick = clock_seconds();
    while (freshness->status == STATUS_OK && !is_over(freshness)) {
        take_fresh(freshness);
        freshness->status = look(freshness, &freshness->error);
        double now = clock_seconds();
        tick = tick + FRESHNESS_LOOK_MS / 1e3 > now ? tick + FRESHNESS_LOOK_MS / 1e3 : now;
        clock_sleep_until(tick);
    }
    return NULL;
}

/* ---- Opening and closing ---- */

/* The address is read as baton reads its own. */
static enum status read_address(struct freshness *freshness, const char *url, const char *prefix,
                                struct error *error)
{
    json_t *object = json_pack("{s:{s:s, s:s}}", "redis", "url", url, "prefix", prefix);
    char *text = object ? json_dumps(object, 0) : NULL; /* which is YAML, too */
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status =
        text ? config_parse("--redis", text, strlen(text), &freshness->config, &messages)
             : STATUS_STOP;
    if (status != STATUS_OK)
        (void)error_set(error, STATUS_STOP, "%.*s", (int)strcspn(messages.data, "\n"),
                        messages.data);
    text_buffer_fini(&messages);
    free(text);
    json_decref(object);
    if (status != STATUS_OK)
        return status;
    const struct config_redis_address *address = &freshness->config->redis.address;
    freshness->redis = (struct redis_config){.host = address->host,
                                             .port = address->port,
                                             .unix_path = address->socket_path,
                                             .user = address->user,
                                             .password = address->password,
                                             .database = (int)address->database,
                                             .prefix = freshness->config->redis.prefix};
    return STATUS_OK;
}

static void destroy(struct freshness *freshness)
{
    connection_close(freshness->connection);
    config_destroy(freshness->config);
    (void)pthread_mutex_destroy(&freshness->lock);
    free(freshness->fresh);
    free(freshness->pending);
    free(freshness);
}

enum status freshness_open(const char *redis_url, const char *prefix, struct freshness **out,
                           struct error *error)
{
    *out = NULL;
    struct freshness *freshness = memory_take_zeroed(1, sizeof *freshness);
    histogram_init(&freshness->figures.ages);
    freshness->fresh = memory_take_zeroed(LOOKED_FOR_MAX, sizeof *freshness->fresh);
    freshness->pending = memory_take_zeroed(LOOKED_FOR_MAX, sizeof *freshness->pending);
    (void)pthread_mutex_init(&freshness->lock, NULL);
    enum status status = read_address(freshness, redis_url, prefix, error);
    if (status == STATUS_OK)
        status = connection_open(&freshness->connection, &freshness->redis, error);
    if (status == STATUS_OK && pthread_create(&freshness->thread, NULL, run, freshness) != 0)
        status = error_set(error, STATUS_STOP, "cannot start a thread");
    if (status == STATUS_OK)
        *out = freshness;
    else
        destroy(freshness);
    return status;
}

enum status freshness_close(struct freshness *freshness, double wait_s,
                            struct freshness_figures *figures, struct error *error)
{
    atomic_store(&freshness->deadline, clock_seconds() + wait_s);
    (void)pthread_join(freshness->thread, NULL);
    enum status status = freshness->status;
    if (status != STATUS_OK)
        *error = freshness->error;
    freshness->figures.looked_for = freshness->looked_for;
    freshness->figures.lost = freshness->looked_for - freshness->figures.ages.total;
    *figures = freshness->figures;
    destroy(freshness);
    return status;
}
