/* Folds the log, one that was saved, or a file of events, again: under another agreement, beside
 * the one that was. */
#include "backtest/backtest.h"
#include "backtest/saved_log.h"
#include "commands/replay_print.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "commands/times.h"
#include "kafka/kafka_admin.h"
#include "kafka/kafka_log_reader.h"
#include "schemas/schemas.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENT_BYTES 1000000 /* where the broker does not say what it takes */
#define EVENT_FRAME 512 /* of a message, for what a batch of one has beside it; as `run` has it */
#define THREADS_MAX 256

struct replay {
    const struct invocation *invocation;
    struct config *config; /* NULL: a file of events without -c */
    enum language language;
    struct agreed {
        struct agreement *owned;   /* of a file … */
        struct versions *versions; /* … or of a folder */
        const struct agreement *last;
    } candidate, against;
    struct arena arena;
    struct input_config input;
    struct identity_config identity;
    struct kafka_settings kafka;
    struct backtest_config settings;
    struct backtest *backtest;
    struct saved_log *saved;                /* NULL: Kafka's, or a file */
    const char *events_file, *saved_folder; /* at most one of them */
    const char *save_path, *out_path;
    struct error unkept; /* why the log that was folded was not kept; else empty */
    /* progress */
    bool on_terminal;
    int64_t started_us;
};

static int fail(const struct replay *replay, enum status status, const struct error *error)
{
    if (status == STATUS_REJECT)
        return command_fail(replay->invocation, EXIT_CODE_BAD_INPUT, "%s", error->text);
    return command_fail_status(replay->invocation, error);
}

/* ---- what is asked for
 * --------------------------------------------------------------------------- */

static int read_time(const struct replay *replay, const char *option, int64_t *time_ms)
{
    const char *text = invocation_option(replay->invocation, option);
    struct clock *clock = system_clock();
    if (!text || time_since(text, clock->wall_ms(clock), time_ms))
        return EXIT_CODE_OK;
    return command_fail(replay->invocation, EXIT_CODE_USAGE,
                        "%s wants a time back like 7d or 12h, or a time in UTC like 2026-11-01, "
                        "not %s",
                        option, text);
}

/* The whole path, also where only the beginning of it is there yet; to be freed. */
static char *whole_path(const char *path)
{
    char *found = realpath(path, NULL);
    if (found)
        return found;
    char *for_parent = memory_copy_text(path), *for_name = memory_copy_text(path);
    const char *parent = dirname(for_parent), *name = basename(for_name);
    char *whole = NULL, *above = strcmp(parent, path) == 0 ? NULL : whole_path(parent);
    if (above) {
        whole = memory_take(strlen(above) + strlen(name) + 2);
        (void)sprintf(whole, "%s/%s", above, name);
    }
    free(above);
    free(for_parent);
    free(for_name);
    return whole;
}

static bool lies_in(const char *path, const char *folder)
{
    char *whole = whole_path(path), *whole_folder = whole_path(folder);
    size_t size = whole_folder ? strlen(whole_folder) : 0;
    bool lies = whole && size && strncmp(whole, whole_folder, size) == 0 &&
                (whole[size] == '/' || !whole[size]);
    free(whole);
    free(whole_folder);
    return lies;
}

static int read_options(struct replay *replay)
{
    const struct invocation *invocation = replay->invocation;
    const char *threads = invocation_option(invocation, "--threads");
    long long number = 0;
    if (invocation->argument_count && saved_log_is_folder(invocation->arguments[0]))
        replay->saved_folder = invocation->arguments[0];
    else if (invocation->argument_count)
        replay->events_file = invocation->arguments[0];
    replay->out_path = invocation_option(invocation, "--out");
    replay->save_path = invocation_option(invocation, "--save");
    replay->settings.from_ms = INT64_MIN;
    replay->settings.to_ms = INT64_MAX;
    if (!invocation_option(invocation, "--agreement"))
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "--agreement names the agreement to fold under");
    if (replay->save_path && invocation->argument_count)
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "--save keeps the log of Kafka, and %s is read: leave one of the two "
                            "away",
                            invocation->arguments[0]);
    const char *folder = replay->saved_folder ? replay->saved_folder : replay->save_path;
    if (folder && replay->out_path && lies_in(replay->out_path, folder))
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "--out names %s, and %s is for the log alone: give it a name of its "
                            "own",
                            replay->out_path, folder);
    if (threads && !invocation_number("--threads", threads, 1, THREADS_MAX, &number))
        return EXIT_CODE_USAGE;
    replay->settings.threads = (unsigned)number;
    int code = read_time(replay, "--from", &replay->settings.from_ms);
    if (code == EXIT_CODE_OK)
        code = read_time(replay, "--to", &replay->settings.to_ms);
    if (code == EXIT_CODE_OK && replay->settings.from_ms >= replay->settings.to_ms)
        code = command_fail(invocation, EXIT_CODE_USAGE, "--from must be before --to");
    return code;
}

/* A score under a word that has no effect yet would be another one. */
static int check_words(const char *path, const struct agreement *agreement)
{
    size_t count;
    const struct agreement_word *refused = agreement_refused(agreement, &count);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr,
                      "%s:%u:%u: error: `%s` is not in force in this version, and would change "
                      "scores or promotions: take it out\n",
                      path, refused[i].line, refused[i].column, refused[i].word);
    return count ? EXIT_CODE_BAD_INPUT : EXIT_CODE_OK;
}

static int read_folder(const char *path, struct agreed *out)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = versions_load(path, &out->versions, &messages);
    if (messages.size)
        (void)fwrite(messages.data, 1, messages.size, stderr);
    text_buffer_fini(&messages);
    int code = status == STATUS_OK ? EXIT_CODE_OK : EXIT_CODE_BAD_INPUT;
    for (size_t i = 0; code == EXIT_CODE_OK && i < versions_count(out->versions); i++) {
        out->last = versions_get(out->versions, i);
        code = check_words(versions_file(out->versions, i), out->last);
    }
    return code;
}

static int read_agreement(const struct replay *replay, const char *path, struct agreed *out)
{
    struct stat found;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return read_folder(path, out);
    int code = setup_agreement(path, replay->language, true, &out->owned);
    out->last = out->owned;
    return code == EXIT_CODE_OK ? check_words(path, out->last) : code;
}

static void let_go(struct agreed *agreed)
{
    if (agreed->owned)
        agreement_destroy(agreed->owned);
    if (agreed->versions)
        versions_destroy(agreed->versions);
}

static int read_texts(struct replay *replay)
{
    const struct invocation *invocation = replay->invocation;
    const char *against = invocation_option(invocation, "--against");
    int code = EXIT_CODE_OK;
    if (!replay->events_file || invocation->config_given)
        code = setup_config(invocation, &replay->config);
    if (code == EXIT_CODE_OK && !setup_language(invocation, replay->config, &replay->language))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK)
        code = read_agreement(replay, invocation_option(invocation, "--agreement"),
                              &replay->candidate);
    if (code == EXIT_CODE_OK && against)
        code = read_agreement(replay, against, &replay->against);
    return code;
}

static struct schema_source *make_schemas(void *context)
{
    const struct config *config = context;
    return schemas_create(config->schemas.directory, config->schemas.registry);
}

static void settle(struct replay *replay)
{
    struct backtest_config *settings = &replay->settings;
    settings->candidate = replay->candidate.last;
    settings->candidate_versions = replay->candidate.versions;
    settings->against = replay->against.last;
    settings->against_versions = replay->against.versions;
    settings->input = &replay->input;
    settings->identity = &replay->identity;
    settings->language = setup_output_language(replay->config);
    settings->with_records = replay->out_path != NULL;
    if (replay->config) {
        setup_input(replay->config, &replay->arena, &replay->input);
        setup_identity(replay->config, &replay->identity);
        setup_kafka(replay->config, replay->invocation->config_path, "", &replay->arena,
                    &replay->kafka);
        settings->events_topic = replay->config->topics.events;
        settings->schemas = make_schemas;
        settings->schemas_context = replay->config;
    }
    if (replay->events_file) {
        replay->input.lead_id_from_key = false;
        replay->input.ignore_key = true;
    }
}

/* ---- progress
 * ------------------------------------------------------------------------------------ */

static void tell_progress(void *context)
{
    struct replay *replay = context;
    const struct backtest_progress *progress = backtest_progress(replay->backtest);
    struct clock *clock = system_clock();
    int64_t passed_us = clock->monotonic_us(clock) - replay->started_us;
    int64_t events = (int64_t)atomic_load(&progress->events);
    uint64_t done = atomic_load(&progress->done), total = atomic_load(&progress->total);
    struct text_buffer line;
    struct speech speech;
    text_buffer_init(&line);
    speech_init(&speech, replay->language, &line);
    const char *rate = speech_count(&speech, passed_us > 0 ? events * 1000000 / passed_us : 0);
    if (total && done)
        say(&speech, MESSAGE_REPLAY_PROGRESS, {"events", speech_count(&speech, events)},
            {"percent", speech_percent(&speech, (int64_t)(done * 100 / total) * 100)},
            {"rate", rate},
            {"left", speech_count(&speech, (int64_t)((double)passed_us / 1e6 *
                                                     (double)(total - done) / (double)done))});
    else
        say(&speech, MESSAGE_REPLAY_PROGRESS_OPEN, {"events", speech_count(&speech, events)},
            {"rate", rate});
    (void)fprintf(stderr, replay->on_terminal ? "\r\033[K%s" : "%s\n", line.data);
    speech_fini(&speech);
    text_buffer_fini(&line);
}

static int tick_ms(const struct replay *replay)
{
    return replay->on_terminal ? 1000 : 10000;
}

static void end_progress(const struct replay *replay)
{
    if (replay->on_terminal)
        (void)fprintf(stderr, "\r\033[K");
}

/* ---- the log, and one that was saved
 * ------------------------------------------------------------------------------------- */

static void log_range(void *context, uint32_t partition, int64_t *first, int64_t *end)
{
    kafka_log_range(context, partition, first, end);
}

static void *log_open(void *context, uint32_t partition)
{
    return kafka_log_open(context, partition);
}

static enum status log_next(void *reader, struct record *records, size_t room, size_t *count,
                            struct error *error)
{
    return kafka_log_next(reader, records, room, count, error);
}

static void log_close(void *reader)
{
    kafka_log_close(reader);
}

/* What a merged lead takes along must fit into a message, as in `run`. */
static enum status ask_limits(struct replay *replay, struct error *error)
{
    struct kafka_admin *admin;
    struct kafka_limits limits = {.events = 0};
    enum status status = STATUS_OK;
    if (!replay->kafka.embedded) {
        status = kafka_admin_create(&replay->kafka, &admin, error);
        if (status != STATUS_OK)
            return status;
        status = kafka_admin_limits(admin, &limits, error);
        kafka_admin_destroy(admin);
    }
    replay->settings.event_bytes = (limits.events ? limits.events : EVENT_BYTES) - EVENT_FRAME;
    return status;
}

static enum status fold_partitions(struct replay *replay, const struct backtest_log *log,
                                   struct error *error)
{
    replay->backtest = backtest_create(&replay->settings);
    return backtest_fold_log(replay->backtest, log, tell_progress, replay, tick_ms(replay), error);
}

static enum status fold_and_save(struct replay *replay, const struct backtest_log *log,
                                 struct error *error)
{
    struct log_saver *saver;
    struct saved_facts facts = {.topic = replay->settings.events_topic,
                                .event_bytes = replay->settings.event_bytes};
    enum status status = log_saver_create(replay->save_path, log, &facts, &saver, error);
    if (status != STATUS_OK)
        return status;
    status = fold_partitions(replay, log_saver_log(saver), error);
    if (status == STATUS_OK)
        (void)log_saver_finish(saver, &replay->unkept);
    log_saver_destroy(saver);
    return status;
}

static enum status fold_log(struct replay *replay, struct error *error)
{
    struct kafka_log *kafka_log;
    enum status status = ask_limits(replay, error);
    if (status == STATUS_OK)
        status = kafka_log_create(&replay->kafka, &kafka_log, error);
    if (status != STATUS_OK)
        return status;
    struct backtest_log log = {.context = kafka_log,
                               .partitions = kafka_log_partitions(kafka_log),
                               .range = log_range,
                               .open = log_open,
                               .next = log_next,
                               .close = log_close};
    status = replay->save_path ? fold_and_save(replay, &log, error)
                               : fold_partitions(replay, &log, error);
    kafka_log_destroy(kafka_log);
    return status;
}

static void tell_saved(const struct replay *replay, const struct saved_facts *facts)
{
    struct text_buffer line;
    struct speech speech;
    text_buffer_init(&line);
    speech_init(&speech, replay->language, &line);
    say(&speech, MESSAGE_REPLAY_SAVED, {"folder", replay->saved_folder}, {"topic", facts->topic},
        {"time", speech_time(&speech, facts->saved_ms)});
    (void)fprintf(stderr, "%s\n", line.data);
    speech_fini(&speech);
    text_buffer_fini(&line);
}

/* Its records name the topic that it was saved from. */
static enum status fold_saved(struct replay *replay, struct error *error)
{
    enum status status = saved_log_open(replay->saved_folder, &replay->saved, error);
    if (status != STATUS_OK)
        return status;
    struct saved_facts facts = saved_log_facts(replay->saved);
    if (!replay->invocation->json)
        tell_saved(replay, &facts);
    replay->settings.events_topic = facts.topic;
    replay->settings.event_bytes = facts.event_bytes;
    return fold_partitions(replay, saved_log_log(replay->saved), error);
}

static enum status fold_file(struct replay *replay, struct error *error)
{
    const char *path = replay->events_file;
    FILE *file = setup_events_open(path, error);
    if (!file)
        return STATUS_REJECT;
    if (saved_log_is_file(fileno(file))) {
        (void)fclose(file);
        return error_set(error, STATUS_REJECT,
                         "%s is a file of a saved log: name the folder that it stands in", path);
    }
    replay->backtest = backtest_create(&replay->settings);
    enum status status =
        backtest_fold_file(replay->backtest, file, tell_progress, replay, tick_ms(replay), error);
    if (file != stdin)
        (void)fclose(file);
    return status;
}

/* ---- the verb
 * ------------------------------------------------------------------------------------ */

static int write_records(struct replay *replay)
{
    if (!replay->out_path)
        return EXIT_CODE_OK;
    FILE *out = fopen(replay->out_path, "wb");
    bool good = out && backtest_write(replay->backtest, out);
    if (out && fclose(out) != 0)
        good = false;
    return good ? EXIT_CODE_OK
                : command_fail(replay->invocation, EXIT_CODE_FAILED, "cannot write %s: %s",
                               replay->out_path, strerror(errno));
}

/* As `try` tells them. */
static void tell_unread(const struct replay *replay, const struct backtest_result *result)
{
    for (size_t i = 0; i < result->unread_count; i++)
        (void)fprintf(stderr, "%s:%" PRId64 ": %s\n", replay->events_file, result->unread[i].line,
                      result->unread[i].why);
    if (result->unread_count && result->dead > result->unread_count)
        (void)fprintf(stderr, "%s: and %" PRIu64 " more\n", replay->events_file,
                      result->dead - result->unread_count);
}

static int fold(struct replay *replay)
{
    struct error error;
    struct clock *clock = system_clock();
    replay->started_us = clock->monotonic_us(clock);
    enum status status = replay->events_file    ? fold_file(replay, &error)
                         : replay->saved_folder ? fold_saved(replay, &error)
                                                : fold_log(replay, &error);
    end_progress(replay);
    if (status != STATUS_OK)
        return fail(replay, status, &error);
    struct replay_view view = {.result = backtest_finish(replay->backtest),
                               .candidate = replay->candidate.last,
                               .against = replay->against.last,
                               .from_ms = replay->settings.from_ms,
                               .to_ms = replay->settings.to_ms};
    tell_unread(replay, view.result);
    int code = write_records(replay); /* what goes wrong there does not take the figures along */
    if (replay->invocation->json)
        replay_print_json(&view);
    else
        replay_print(&view, replay->language);
    return *replay->unkept.text ? command_fail_status(replay->invocation, &replay->unkept) : code;
}

/* A partition under way holds a connection and files, and many may wait for one another. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int command_replay(const struct invocation *invocation)
{
    struct replay replay = {.invocation = invocation,
                            .on_terminal = isatty(STDERR_FILENO) && !invocation->json};
    arena_init(&replay.arena, 4096);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of files' sizes is told as an error */
    allow_many_files();
    int code = read_options(&replay);
    if (code == EXIT_CODE_OK)
        code = read_texts(&replay);
    const char *read[] = {replay.events_file, invocation_option(invocation, "--agreement"),
                          invocation_option(invocation, "--against")};
    if (code == EXIT_CODE_OK && !setup_out_is_free(invocation, replay.config, read, 3))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK) {
        settle(&replay);
        code = fold(&replay);
    }
    if (replay.backtest)
        backtest_destroy(replay.backtest);
    if (replay.saved)
        saved_log_close(replay.saved);
    let_go(&replay.candidate);
    let_go(&replay.against);
    if (replay.config)
        config_destroy(replay.config);
    arena_fini(&replay.arena);
    return code;
}
