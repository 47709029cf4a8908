#include "demo/stage.h"

#include "demo/processes.h"
#include "kafka/kafka_embedded.h"
#include "redis/redis_inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 20000, TICK_MS = 20, STOP_MS = 10000 };

const char *const stage_topics[STAGE_TOPICS] = {"lead-events", "lead-promotions", "lead-stages",
                                                "lead-events-dead", "lead-breaches"};

static void pause_ms(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

/* A file of the folder. Paths are short: the folder's own is checked when it is made. */
struct path {
    char text[PATH_MAX];
};

static struct path in_folder(const struct stage *stage, const char *name)
{
    struct path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s", stage->folder, name);
    return path;
}

static struct path in_root(const struct stage *stage, const char *given, const char *name)
{
    struct path path;
    if (given)
        (void)snprintf(path.text, sizeof path.text, "%s", given);
    else
        (void)snprintf(path.text, sizeof path.text, "%s/%s",
                       stage->options->root ? stage->options->root : ".", name);
    char *whole = realpath(path.text, NULL);
    if (whole)
        (void)snprintf(path.text, sizeof path.text, "%s", whole);
    free(whole);
    return path;
}

/* ---- The embedded broker ---- */

int stage_run_broker(int partitions)
{
    struct kafka_embedded *embedded;
    struct error error;
    char byte;
    (void)prctl(PR_SET_NAME, "demo-broker");
    if (kafka_embedded_start(stage_topics, STAGE_TOPICS, (uint32_t)partitions, &embedded, &error) !=
        STATUS_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    (void)printf("%s\n", kafka_embedded_brokers(embedded));
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    kafka_embedded_stop(embedded);
    return 0;
}

static bool read_line(const char *path, char *line, size_t room)
{
    FILE *file = fopen(path, "re");
    bool whole = false;
    if (!file)
        return false;
    if (fgets(line, (int)room, file)) {
        size_t size = strlen(line);
        whole = size > 1 && line[size - 1] == '\n';
        if (whole)
            line[size - 1] = '\0';
    }
    (void)fclose(file);
    return whole;
}

static enum status start_embedded(struct stage *stage, struct error *error)
{
    char partitions[16];
    struct path log = in_folder(stage, "broker.log");
    (void)snprintf(partitions, sizeof partitions, "%d", STAGE_PARTITIONS);
    const char *const arguments[] = {"/proc/self/exe", "--broker", partitions, NULL};
    enum status status =
        process_start(arguments, log.text, &stage->broker_input, &stage->broker, error);
    for (int waited = 0; status == STATUS_OK && waited < START_MS; waited += TICK_MS) {
        int code;
        if (read_line(log.text, stage->brokers, sizeof stage->brokers))
            return STATUS_OK;
        if (process_ended(&stage->broker, &code))
            break;
        pause_ms(TICK_MS);
    }
    char end[400];
    process_log_end(log.text, end, sizeof end);
    return status == STATUS_OK
               ? error_set(error, STATUS_STOP, "the embedded broker did not start: %s", end)
               : status;
}

static enum status start_real(struct stage *stage, struct error *error)
{
    struct path script = in_root(stage, NULL, "deploy/kafka/start"),
                log = in_folder(stage, "kafka-start.log"), folder = in_folder(stage, "kafka"),
                address = in_folder(stage, "kafka/address");
    const char *const arguments[] = {script.text, "--dir", folder.text, "--port", "free", NULL};
    stage->real_broker = true;
    enum status status = process_run(arguments, log.text, error);
    if (status == STATUS_OK && !read_line(address.text, stage->brokers, sizeof stage->brokers))
        status =
            error_set(error, STATUS_STOP, "deploy/kafka/start left no address in %s", address.text);
    return status;
}

static void stop_real(const struct stage *stage)
{
    struct path script = in_root(stage, NULL, "deploy/kafka/stop"),
                log = in_folder(stage, "kafka-stop.log"), folder = in_folder(stage, "kafka");
    const char *const arguments[] = {script.text, "--dir", folder.text, "--wipe", NULL};
    struct error ignored;
    (void)process_run(arguments, log.text, &ignored);
}

/* ---- Redis ---- */

static enum status start_redis(struct stage *stage, struct error *error)
{
    struct path socket = in_folder(stage, "redis.sock"), log = in_folder(stage, "redis.log");
    /* The path of a unix socket has 107 bytes at most. */
    if (strlen(socket.text) > 107)
        return error_set(error, STATUS_STOP,
                         "%s is too long for a socket; set TMPDIR to a shorter one", stage->folder);
    (void)snprintf(stage->socket, sizeof stage->socket, "%s", socket.text);
    const char *const arguments[] = {"redis-server",
                                     "--port",
                                     "0",
                                     "--unixsocket",
                                     stage->socket,
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "no",
                                     "--maxmemory-policy",
                                     "noeviction",
                                     "--dir",
                                     stage->folder,
                                     "--daemonize",
                                     "no",
                                     NULL};
    enum status status = process_start(arguments, log.text, NULL, &stage->redis, error);
    stage->redis_config =
        (struct redis_config){.host = "", .unix_path = stage->socket, .prefix = "demo"};
    for (int waited = 0; status == STATUS_OK && waited < START_MS; waited += TICK_MS) {
        struct redis_inspector *inspector;
        int code;
        if (redis_inspect_open(&inspector, &stage->redis_config, error) == STATUS_OK) {
            redis_inspect_close(inspector);
            return STATUS_OK;
        }
        if (process_ended(&stage->redis, &code))
            break;
        pause_ms(TICK_MS);
    }
    char end[400];
    process_log_end(log.text, end, sizeof end);
    return status == STATUS_OK
               ? error_set(error, STATUS_STOP, "redis-server did not start: %s", end)
               : status;
}

/* ---- baton ---- */

static enum status write_config(struct stage *stage, struct error *error)
{
    struct path config = in_folder(stage, "baton.yaml"),
                agreement = in_root(stage, stage->options->agreement_path, "");
    (void)snprintf(stage->config, sizeof stage->config, "%s", config.text);
    FILE *file = fopen(stage->config, "we");
    if (!file)
        return error_set(error, STATUS_STOP, "%s: %s", stage->config, strerror(errno));
    (void)fprintf(file,
                  "agreement: \"%s\"\n"
                  "kafka: {brokers: \"%s\", group: baton-demo, instance: demo, embedded: %s}\n"
                  "topics: {events: %s, promotions: %s, stages: %s, dead: %s, breaches: %s, "
                  "partitions: %d}\n"
                  "redis: {url: \"unix://%s?db=0\", prefix: demo}\n"
                  "output: {format: json, source: /demo}\n"
                  "workers: 2\n",
                  agreement.text, stage->brokers, stage->real_broker ? "false" : "true",
                  stage_topics[0], stage_topics[1 + TOPIC_PROMOTIONS],
                  stage_topics[1 + TOPIC_STAGES], stage_topics[1 + TOPIC_DEAD],
                  stage_topics[1 + TOPIC_BREACHES], STAGE_PARTITIONS, stage->socket);
    if (fclose(file) != 0)
        return error_set(error, STATUS_STOP, "%s: %s", stage->config, strerror(errno));
    stage->kafka = (struct kafka_settings){
        .brokers = stage->brokers,
        .group = "baton-demo",
        .instance = "",
        .events = stage_topics[0],
        .outputs = {stage_topics[1], stage_topics[2], stage_topics[3], stage_topics[4]},
        .config_path = stage->config,
        .embedded = !stage->real_broker,
    };
    return STATUS_OK;
}

static enum status start_baton(struct stage *stage, struct error *error)
{
    struct path baton = in_root(stage, stage->options->baton, "build/release/baton"),
                log = in_folder(stage, "baton.log"), topics_log = in_folder(stage, "topics.log");
    const char *const topics[] = {baton.text, "topics", "--create", "-c", stage->config, NULL};
    /* An agreement of one's own is tried out here, whoever has signed it. */
    const char *own = stage->options->agreement ? "--unsigned" : NULL;
    const char *const run[] = {baton.text, "run", "-c", stage->config, own, NULL};
    enum status status =
        stage->real_broker ? process_run(topics, topics_log.text, error) : STATUS_OK;
    return status == STATUS_OK ? process_start(run, log.text, NULL, &stage->baton, error) : status;
}

/* Every unit has been claimed: from here on the figures mean something. */
static enum status await_units(struct stage *stage, struct error *error)
{
    struct redis_inspector *inspector;
    struct arena arena;
    enum status status = redis_inspect_open(&inspector, &stage->redis_config, error);
    if (status != STATUS_OK)
        return status;
    size_t count = 0;
    arena_init(&arena, 4096);
    for (int waited = 0; waited < 2 * START_MS && status == STATUS_OK && count < STAGE_PARTITIONS;
         waited += TICK_MS) {
        uint32_t *units;
        status = redis_inspect_units(inspector, &arena, &units, &count, error);
        if (status == STATUS_OK)
            status = stage_check(stage, error);
        arena_reset(&arena);
        pause_ms(TICK_MS);
    }
    arena_fini(&arena);
    redis_inspect_close(inspector);
    if (status == STATUS_OK && count < STAGE_PARTITIONS)
        status = error_set(error, STATUS_STOP, "baton has not taken its units within %d s",
                           2 * START_MS / 1000);
    return status;
}

enum status stage_check(struct stage *stage, struct error *error)
{
    struct path log = in_folder(stage, "baton.log");
    int code;
    char end[400];
    if (process_ended(&stage->baton, &code)) {
        process_log_end(log.text, end, sizeof end);
        return error_set(error, STATUS_STOP, "baton run ended with %d: %s", code, end);
    }
    if (process_ended(&stage->redis, &code))
        return error_set(error, STATUS_STOP, "redis-server ended with %d", code);
    if (process_ended(&stage->broker, &code))
        return error_set(error, STATUS_STOP, "the embedded broker ended with %d", code);
    return *stage->interrupted ? error_set(error, STATUS_STOP, "ended by a signal") : STATUS_OK;
}

/* ---- All of it ---- */

enum status stage_open(struct stage *stage, const struct demo_options *options,
                       const volatile sig_atomic_t *interrupted, struct error *error)
{
    *stage = (struct stage){.options = options, .interrupted = interrupted, .broker_input = -1};
    enum status status = folder_make(stage->folder, sizeof stage->folder, error);
    /* baton's lock file goes with the folder. */
    (void)setenv("XDG_RUNTIME_DIR", stage->folder, 1);
    if (status == STATUS_OK)
        status = start_redis(stage, error);
    if (status == STATUS_OK)
        status = options->real_kafka ? start_real(stage, error) : start_embedded(stage, error);
    if (status == STATUS_OK)
        status = stage_check(stage, error);
    if (status == STATUS_OK)
        status = write_config(stage, error);
    if (status == STATUS_OK)
        status = start_baton(stage, error);
    if (status == STATUS_OK)
        status = await_units(stage, error);
    return status;
}

void stage_promises(struct stage *stage, void (*line)(void *context, const char *text),
                    void *context)
{
    struct path baton = in_root(stage, stage->options->baton, "build/release/baton"),
                log = in_folder(stage, "status.log");
    const char *const status[] = {baton.text, "status", "-c", stage->config, NULL};
    struct error error;
    char text[512];
    bool promises = false;
    if (process_run(status, log.text, &error) != STATUS_OK)
        return;
    FILE *file = fopen(log.text, "re");
    while (file && fgets(text, sizeof text, file)) {
        text[strcspn(text, "\n")] = '\0';
        promises = *text && (promises || strncmp(text, "Today, ", 7) == 0);
        if (promises)
            line(context, text);
    }
    if (file)
        (void)fclose(file);
}

int stage_stop_baton(struct stage *stage)
{
    return process_stop(&stage->baton, STOP_MS);
}

void stage_close(struct stage *stage)
{
    (void)process_stop(&stage->baton, STOP_MS);
    if (stage->broker_input >= 0)
        (void)close(stage->broker_input);
    (void)process_stop(&stage->broker, 2000);
    if (stage->real_broker)
        stop_real(stage);
    (void)process_stop(&stage->redis, 2000);
    if (!stage->options->keep)
        folder_remove(stage->folder);
}
