/* A log and a file folded again by several threads: partitions that wait for each other, blocks
 * that are decoded by whoever is free; the lines are those of one thread. */
#include "backtest/backtest.h"
#include "codec/hop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 5, LEADS = 40, EVENTS = 4000, RECORDS = EVENTS * 2 };

static const char rules_text[] = "agreement: threads\nversion: 1\n"
                                 "behaviour:\n  - {id: page, event: visit, points: 3}\n"
                                 "gates:\n  mql: {score: 9}\n  sql: {score: 30}\n";

static struct record records[PARTITIONS][RECORDS];
static size_t counts[PARTITIONS];
static struct arena bytes;

struct reader {
    uint32_t partition;
    size_t next;
};

static void range(void *context, uint32_t partition, int64_t *first, int64_t *end)
{
    (void)context;
    *first = 0;
    *end = (int64_t)counts[partition];
}

static void *open_reader(void *context, uint32_t partition)
{
    (void)context;
    struct reader *reader = calloc(1, sizeof *reader);
    reader->partition = partition;
    return reader;
}

static enum status next(void *opaque, struct record *out, size_t room, size_t *count,
                        struct error *error)
{
    struct reader *reader = opaque;
    (void)error;
    for (*count = 0; *count < room && reader->next < counts[reader->partition];)
        out[(*count)++] = records[reader->partition][reader->next++];
    return STATUS_OK;
}

static void append(uint32_t lead, const void *value, size_t size, const struct header *headers,
                   size_t header_count, uint64_t n)
{
    char key[24];
    uint32_t partition = lead % PARTITIONS;
    size_t key_size = (size_t)snprintf(key, sizeof key, "lead-%u", lead);
    struct record *record = &records[partition][counts[partition]];
    *record = (struct record){.unit = partition,
                              .offset = (int64_t)counts[partition]++,
                              .timestamp_ms = 1800000000000 + (int64_t)n,
                              .key = arena_copy(&bytes, key, key_size),
                              .key_size = key_size,
                              .value = arena_copy(&bytes, value, size),
                              .value_size = size,
                              .headers = headers,
                              .header_count = header_count};
}

/* What follows a merge in the log. */
static void append_transfer(uint32_t from, uint32_t to, const char *id, uint64_t n)
{
    char from_id[24], to_id[24];
    struct baton_merge merge = {
        .into = {to_id, (uint32_t)snprintf(to_id, sizeof to_id, "lead-%u", to)}};
    struct baton_event event = {
        .kind = BATON_MERGE,
        .event_id = {id, (uint32_t)strlen(id)},
        .lead_id = {from_id, (uint32_t)snprintf(from_id, sizeof from_id, "lead-%u", from)},
        .time_ms = 1800000000000,
        .merge = &merge};
    struct origin origin = {.topic = "events"};
    struct hop_cause cause = {.event = &event, .origin = &origin};
    struct outgoing_message made;
    hop_transfer(&bytes, &cause, merge.into, (struct baton_text){"x", 1}, &made);
    append(to, made.value, made.value_size, made.headers, made.header_count, n);
}

/* Visits of leads, every second of whom is given up for the one behind. */
static void fill(FILE *file)
{
    for (uint64_t n = 0; n < EVENTS; n++) {
        char value[200], id[24];
        uint32_t done = (uint32_t)(n / (EVENTS / LEADS)), lead = (uint32_t)(n * 7 % LEADS);
        bool merges = n % (EVENTS / LEADS) == EVENTS / LEADS - 1 && done % 2;
        if (merges)
            lead = done;
        (void)snprintf(id, sizeof id, "e%" PRIu64, n);
        int size = snprintf(value, sizeof value,
                            "{\"kind\":\"%s\",\"event_id\":\"%s\",\"lead_id\":\"lead-%u\","
                            "\"time\":%" PRIu64 ",\"page\":\"/a\",\"into\":\"lead-%u\"}",
                            merges ? "merge" : "visit", id, lead, 1800000000000 + n, lead + 1);
        append(lead, value, (size_t)size, NULL, 0, n);
        if (merges)
            append_transfer(lead, lead + 1, id, n);
        (void)fprintf(file, "%s\n", value);
    }
}

static char *fold(const struct agreement *agreement, unsigned threads, FILE *file)
{
    static const struct input_config input = {.ignore_key = true, .max_ahead_ms = 1000};
    struct backtest_config config = {.candidate = agreement,
                                     .against = agreement,
                                     .input = &input,
                                     .events_topic = "events",
                                     .from_ms = INT64_MIN,
                                     .to_ms = INT64_MAX,
                                     .threads = threads,
                                     .with_records = true};
    struct backtest_log log = {
        .partitions = PARTITIONS, .range = range, .open = open_reader, .next = next, .close = free};
    struct backtest *backtest = backtest_create(&config);
    struct error error;
    char *text = NULL;
    size_t size;
    if (file)
        rewind(file);
    enum status status = file ? backtest_fold_file(backtest, file, NULL, NULL, 1000, &error)
                              : backtest_fold_log(backtest, &log, NULL, NULL, 1000, &error);
    const struct backtest_result *result = backtest_finish(backtest);
    FILE *out = open_memstream(&text, &size);
    bool well =
        status == STATUS_OK && result->candidate.promotions > 0 && backtest_write(backtest, out);
    (void)fclose(out);
    if (!well)
        text[0] = '\0';
    backtest_destroy(backtest);
    return text;
}

static bool threads_agree(const struct agreement *agreement, FILE *file)
{
    char *one = fold(agreement, 1, file);
    bool well = *one != '\0';
    for (unsigned turn = 0; turn < 4 && well; turn++) {
        char *many = fold(agreement, 4, file);
        well = strcmp(one, many) == 0;
        free(many);
    }
    free(one);
    return well;
}

int main(void)
{
    struct agreement *agreement;
    struct text_buffer messages;
    FILE *file = tmpfile();
    arena_init(&bytes, 1 << 16);
    text_buffer_init(&messages);
    if (!file || agreement_parse("a", rules_text, sizeof rules_text - 1, NULL, 0, &agreement,
                                 &messages) != STATUS_OK)
        return 1;
    fill(file);
    bool log = threads_agree(agreement, NULL), lines = threads_agree(agreement, file);
    agreement_destroy(agreement);
    text_buffer_fini(&messages);
    arena_fini(&bytes);
    (void)fclose(file);
    (void)printf("%d passed, %d failed\n", log + lines, 2 - log - lines);
    return log && lines ? 0 : 1;
}
