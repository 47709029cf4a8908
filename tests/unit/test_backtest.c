/* A log in memory, folded again: partitions that wait for each other, what cannot be read, threads,
 * and the lines that come out. */
#include "backtest/backtest.h"
#include "backtest/lines.h"
#include "codec/hop.h"
#include "pipeline/transfer_state.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITIONS 3
#define RECORDS_MAX 4000
#define NOON INT64_C(1793534400000)

static const char rules_text[] = "agreement: a\nversion: 1\n"
                                 "behaviour:\n"
                                 "  - {id: visit, event: visit, points: 1}\n"
                                 "  - {id: form, event: form_fill, points: 50, at_most: "
                                 "{times: 1, per: ever}}\n"
                                 "gates: {mql: {score: 10}, sql: {score: 60}}\n";

/* ---- a log ---- */

struct partition {
    struct record *records;
    size_t count;
    int64_t first;
    bool broken; /* reading it fails */
};

struct reader {
    struct partition *partition;
    size_t next;
};

static struct partition logs[PARTITIONS];
static struct arena bytes;
static uint64_t numbers, appended;
static atomic_uint opened; /* readers, so far */

static void log_range(void *context, uint32_t partition, int64_t *first, int64_t *end)
{
    (void)context;
    *first = logs[partition].first;
    *end = logs[partition].first + (int64_t)logs[partition].count;
}

static void *log_open(void *context, uint32_t partition)
{
    (void)context;
    struct reader *reader = calloc(1, sizeof *reader);
    reader->partition = &logs[partition];
    atomic_fetch_add(&opened, 1);
    return reader;
}

static enum status log_next(void *opaque, struct record *records, size_t room, size_t *count,
                            struct error *error)
{
    struct reader *reader = opaque;
    if (reader->partition->broken)
        return error_set(error, STATUS_STOP, "the log is broken");
    for (*count = 0; *count < room && *count < 100 && reader->next < reader->partition->count;)
        records[(*count)++] = reader->partition->records[reader->next++];
    return STATUS_OK;
}

static void log_close(void *reader)
{
    free(reader);
}

static const struct backtest_log the_log = {.partitions = PARTITIONS,
                                            .range = log_range,
                                            .open = log_open,
                                            .next = log_next,
                                            .close = log_close};

static void begin(void)
{
    arena_init(&bytes, 1 << 16);
    for (int i = 0; i < PARTITIONS; i++)
        logs[i] = (struct partition){.records = calloc(RECORDS_MAX, sizeof(struct record))};
}

static void append(uint32_t partition, const char *key, const void *value, size_t size,
                   const struct header *headers, size_t header_count)
{
    struct partition *log = &logs[partition];
    cr_assert_lt(log->count, RECORDS_MAX);
    struct record *record = &log->records[log->count++];
    *record = (struct record){.unit = partition,
                              .offset = log->first + (int64_t)log->count - 1,
                              .timestamp_ms = NOON + 86400000 + appended++,
                              .key = arena_copy(&bytes, key, strlen(key)),
                              .key_size = strlen(key),
                              .value = arena_copy(&bytes, value, size),
                              .value_size = size,
                              .headers = headers,
                              .header_count = header_count};
}

static const char *say_event(uint32_t partition, const char *kind, const char *lead,
                             const char *more)
{
    static char id[32];
    char value[512];
    snprintf(id, sizeof id, "e%" PRIu64, ++numbers);
    int size =
        snprintf(value, sizeof value,
                 "{\"kind\":\"%s\",\"event_id\":\"%s\",\"lead_id\":\"%s\",\"time\":%" PRId64 "%s}",
                 kind, id, lead, NOON + (int64_t)numbers * 1000, more);
    append(partition, lead, value, (size_t)size, NULL, 0);
    return id;
}

static void visits(uint32_t partition, const char *lead, int count)
{
    for (int i = 0; i < count; i++)
        say_event(partition, "visit", lead, ",\"page\":\"/a\"");
}

/* What baton wrote when `from` was given up: with the state of a lead that had `hits` visits. */
static void transfer(uint32_t partition, const char *id, const char *from, const char *to,
                     struct baton_text state)
{
    struct baton_merge merge = {.into = {to, (uint32_t)strlen(to)}};
    struct baton_event event = {.kind = BATON_MERGE,
                                .event_id = {id, (uint32_t)strlen(id)},
                                .lead_id = {from, (uint32_t)strlen(from)},
                                .time_ms = NOON + 5000000,
                                .merge = &merge};
    struct origin origin = {.topic = "events", .partition = 1, .offset = 1};
    struct hop_cause cause = {.event = &event, .origin = &origin};
    struct outgoing_message made;
    hop_transfer(&bytes, &cause, merge.into, state, &made);
    append(partition, to, made.value, made.value_size, made.headers, made.header_count);
}

static void *resize(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

/* The portable form of a lead that had a form and so many visits; 0: of nobody. */
static struct baton_text state_of(const struct agreement *agreement, int hits)
{
    struct baton_allocator allocator = {.resize = resize};
    struct baton_words words;
    struct baton_lead lead;
    struct baton_fold_context context = {
        .agreement = agreement_compiled(agreement), .words = &words, .allocator = &allocator};
    struct baton_fold_result result;
    uint32_t left_out;
    baton_words_init(&words, 100, allocator);
    baton_lead_init(&lead);
    baton_lead_attach(&lead, context.agreement);
    for (int i = 0; i < hits; i++) {
        char id[16];
        snprintf(id, sizeof id, "h%d", i);
        struct baton_event event = {.kind = i ? BATON_VISIT : BATON_FORM_FILL,
                                    .event_id = {id, (uint32_t)strlen(id)},
                                    .lead_id = {"x", 1},
                                    .time_ms = NOON + i,
                                    .offset = i};
        baton_fold(&lead, &event, &context, &result);
    }
    struct baton_text state = transfer_state(&bytes, &lead, &words, SIZE_MAX, &left_out);
    baton_lead_fini(&lead, &allocator);
    baton_words_fini(&words);
    return state;
}

/* ---- folding it ---- */

static struct agreement *parse(const char *text)
{
    struct agreement *agreement;
    struct text_buffer messages;
    text_buffer_init(&messages);
    cr_assert_eq(agreement_parse("a", text, strlen(text), NULL, 0, &agreement, &messages),
                 STATUS_OK, "%s", messages.data);
    text_buffer_fini(&messages);
    return agreement;
}

struct replayed {
    struct backtest *backtest;
    const struct backtest_result *result;
    char *text;
    size_t size;
};

static const struct input_config input = {.max_ahead_ms = INT64_C(86400000) * 365};

static const struct versions *versions; /* of the candidate; NULL: one agreement throughout */

static struct backtest_config config_of(const struct agreement *candidate,
                                        const struct agreement *against, unsigned threads)
{
    return (struct backtest_config){.candidate = candidate,
                                    .candidate_versions = versions,
                                    .against = against,
                                    .input = &input,
                                    .events_topic = "events",
                                    .from_ms = INT64_MIN,
                                    .to_ms = INT64_MAX,
                                    .threads = threads,
                                    .with_records = true};
}

static struct replayed replay_with(const struct backtest_config *config)
{
    struct replayed replayed = {.backtest = backtest_create(config)};
    struct error error;
    enum status status = backtest_fold_log(replayed.backtest, &the_log, NULL, NULL, 1000, &error);
    cr_assert_eq(status, STATUS_OK, "%s", error.text);
    replayed.result = backtest_finish(replayed.backtest);
    FILE *out = open_memstream(&replayed.text, &replayed.size);
    cr_assert(backtest_write(replayed.backtest, out));
    fclose(out);
    return replayed;
}

static struct replayed replay(const struct agreement *candidate, const struct agreement *against,
                              unsigned threads)
{
    struct backtest_config config = config_of(candidate, against, threads);
    return replay_with(&config);
}

static size_t lines_with(const struct replayed *replayed, const char *text)
{
    size_t count = 0;
    for (const char *at = replayed->text; (at = strstr(at, text)); at++)
        count++;
    return count;
}

Test(backtest, a_transfer_waits_for_the_merge_of_a_later_partition)
{
    struct agreement *agreement = parse(rules_text);
    begin();
    visits(0, "person", 2);
    visits(2, "cookie", 9);
    say_event(2, "form_fill", "cookie", ",\"form\":\"demo\"");
    char id[32];
    strcpy(id, say_event(2, "merge", "cookie", ",\"into\":\"person\""));
    /* The log says that nobody did anything: another agreement saw to that. */
    transfer(0, id, "cookie", "person", state_of(agreement, 0));
    visits(0, "person", 1);
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct replayed replayed = replay(agreement, agreement, threads);
        cr_expect_eq(replayed.result->candidate.promotions, 1);
        cr_expect_eq(replayed.result->against.promotions, 1);
        cr_expect_eq(replayed.result->both.leads, 1);
        cr_expect_eq(replayed.result->transfers_from_log, 0);
        cr_expect_eq(lines_with(&replayed, "\"change\":\"merged\""), 1);
    }
}

Test(backtest, a_transfer_whose_merge_is_no_longer_in_the_log_brings_what_the_log_says)
{
    struct agreement *agreement = parse(rules_text);
    begin();
    logs[1].first = 500;
    visits(0, "person", 2);
    transfer(0, "gone", "cookie", "person", state_of(agreement, 9));
    visits(0, "person", 2);
    visits(1, "other", 1);
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct replayed replayed = replay(agreement, NULL, threads);
        cr_expect_eq(replayed.result->candidate.promotions, 1);
        cr_expect_eq(replayed.result->transfers_from_log, 1);
        cr_expect_eq(replayed.result->first_offsets_cut, 1);
    }
}

Test(backtest, a_transfer_that_is_passed_on_takes_the_runs_own_state_along)
{
    struct agreement *agreement = parse(rules_text);
    begin();
    char first[32], id[32];
    strcpy(first, say_event(1, "merge", "person", ",\"into\":\"friend\""));
    transfer(0, first, "person", "friend", state_of(agreement, 0));
    visits(2, "cookie", 9);
    say_event(2, "form_fill", "cookie", ",\"form\":\"demo\"");
    strcpy(id, say_event(2, "merge", "cookie", ",\"into\":\"person\""));
    transfer(1, id, "cookie", "person", state_of(agreement, 0));
    const struct record *came = &logs[1].records[logs[1].count - 1];
    struct header *headers = arena_take(&bytes, (came->header_count + 2) * sizeof *headers);
    memcpy(headers, came->headers, came->header_count * sizeof *headers);
    headers[came->header_count] = (struct header){"baton-for", "friend", 6};
    append(0, "friend", came->value, came->value_size, headers, came->header_count + 1);
    visits(0, "friend", 1);
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct replayed replayed = replay(agreement, NULL, threads);
        cr_expect_eq(replayed.result->candidate.promotions, 1);
        cr_expect_eq(replayed.result->transfers_from_log, 0);
    }
}

/* Two partitions wait for what is gone, and the second one's merge is what the first one's next
 * transfer needs: only what is gone is taken from the log, whoever comes first. */
Test(backtest, threads_make_no_difference_where_partitions_wait_for_each_other)
{
    struct agreement *agreement = parse(rules_text);
    begin();
    char id[32];
    transfer(0, "gone", "x", "a", state_of(agreement, 3));
    transfer(1, "gone too", "y", "b", state_of(agreement, 5));
    visits(1, "b", 3);
    strcpy(id, say_event(1, "merge", "b", ",\"into\":\"a\""));
    transfer(0, id, "b", "a", state_of(agreement, 0));
    visits(0, "a", 4);
    strcpy(id, say_event(0, "merge", "a", ",\"into\":\"c\""));
    transfer(2, id, "a", "c", state_of(agreement, 0));
    for (int i = 0; i < 600; i++)
        visits((uint32_t)i % PARTITIONS, "c", 1);
    struct replayed first = replay(agreement, NULL, 1);
    cr_expect_eq(first.result->transfers_from_log, 2);
    cr_expect_gt(first.size, 0);
    for (unsigned turn = 0; turn < 30; turn++) {
        struct replayed again = replay(agreement, NULL, 1 + turn % 5);
        cr_assert_eq(again.size, first.size);
        cr_assert_arr_eq(again.text, first.text, first.size);
        cr_expect_eq(again.result->transfers_from_log, 2);
    }
}

Test(backtest, a_run_that_makes_no_transfer_takes_the_logs)
{
    struct agreement *agreement = parse(rules_text);
    struct agreement *other = parse("agreement: b\nversion: 1\nbehaviour:\n"
                                    "  - {id: visit, event: visit, points: 7}\n"
                                    "gates: {mql: {score: 10}, sql: {score: 60}}\n");
    begin();
    char id[32];
    visits(1, "cookie", 9);
    strcpy(id, say_event(1, "merge", "cookie", ",\"into\":\"person\""));
    transfer(0, id, "cookie", "person", state_of(agreement, 0));
    visits(0, "person", 1);
    struct replayed replayed = replay(other, agreement, 2);
    cr_expect_eq(replayed.result->candidate.promotions, 1, "seven points each, ten times");
    cr_expect_eq(replayed.result->against.promotions, 0);
    cr_expect_eq(replayed.result->only_candidate.leads, 1);
}

/* ---- what nobody is told of is not kept ---- */

#define PROPERTIES BATON_PROPERTIES_MAX

/* A merged lead with so much of a profile that with touches there might be no room for it. */
static void fill_with_merge(bool large)
{
    char id[32];
    struct text_buffer said;
    begin();
    text_buffer_init(&said);
    text_buffer_print(&said,
                      "{\"kind\":\"profile\",\"event_id\":\"p\",\"lead_id\":\"cookie\","
                      "\"time\":%" PRId64 ",\"properties\":{\"x\":\"x\"",
                      NOON);
    for (int i = 0; large && i < PROPERTIES; i++)
        text_buffer_print(&said, ",\"p%d\":\"%01024d\"", i, i);
    text_buffer_print(&said, "}}");
    append(2, "cookie", said.data, said.size, NULL, 0);
    text_buffer_fini(&said);
    for (int i = 0; i < 200; i++) {
        say_event((uint32_t)i % PARTITIONS, "visit", i % 7 ? "c" : "d",
                  i % 2 ? ",\"page\":\"/a\",\"channel\":\"ads\"" : ",\"url\":\"http://a/b?x\"");
        if (i % 50 == 9)
            say_event((uint32_t)i % PARTITIONS, "form_fill", "c", ",\"page\":\"/b\"");
    }
    visits(2, "cookie", 12);
    say_event(2, "form_fill", "cookie", ",\"form\":\"demo\"");
    strcpy(id, say_event(2, "merge", "cookie", ",\"into\":\"person\""));
    transfer(0, id, "cookie", "person", (struct baton_text){"x", 1});
    visits(0, "person", 3);
    say_event(0, "feedback", "person", ",\"report\":\"customer\"");
}

static struct agreement *parse_with_properties(void)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_print(&text, "%sshare: [properties.p0", rules_text);
    for (int i = 1; i < PROPERTIES; i++)
        text_buffer_print(&text, ", properties.p%d", i);
    text_buffer_print(&text, "]\n");
    struct agreement *agreement = parse(text.data);
    text_buffer_fini(&text);
    return agreement;
}

Test(backtest, the_figures_are_those_of_leads_that_are_kept_whole)
{
    for (int large = 0; large < 2; large++) {
        struct agreement *agreement = parse_with_properties();
        fill_with_merge(large);
        struct backtest_config config = config_of(agreement, agreement, 3);
        config.event_bytes = 1 << 18;
        config.with_records = false;
        opened = 0;
        struct replayed lean = replay_with(&config);
        cr_expect_eq(opened > PARTITIONS, large, "%u readers: it began anew, or did not", opened);
        config.whole = true;
        struct replayed whole = replay_with(&config);
        config.with_records = true;
        struct replayed told = replay_with(&config);
        size_t size = offsetof(struct backtest_result, rules);
        cr_expect_arr_eq(lean.result, whole.result, size);
        cr_expect_arr_eq(told.result, whole.result, size);
        cr_expect_gt(told.result->candidate.promotions, 1);
        cr_expect_eq(told.result->judged.customers, 1);
        for (size_t i = 0; i < whole.result->rule_count; i++)
            cr_expect_eq(lean.result->rules[i].customers, whole.result->rules[i].customers);
        const struct backtest_progress *ahead = backtest_progress(lean.backtest);
        cr_expect_eq(atomic_load(&ahead->done), atomic_load(&ahead->total));
        cr_expect_eq(atomic_load(&ahead->events), lean.result->events);
    }
}

/* ---- versions ---- */

static void write_version(const char *folder, int number, const char *effective, int points)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%d.yaml", folder, number);
    FILE *file = fopen(path, "w");
    fprintf(file,
            "agreement: v\nversion: %d\neffective: %s\nignore: {user_agents: [\"robot*\"]}\n"
            "behaviour: [{id: visit, event: visit, points: %d}]\n"
            "gates: {mql: {score: 10}, sql: {score: 60}}\n",
            number, effective, points);
    fclose(file);
}

static void visit_at(const char *lead, int64_t time_ms, const char *more)
{
    char value[300], id[32];
    snprintf(id, sizeof id, "t%" PRIu64, ++numbers);
    int size = snprintf(
        value, sizeof value,
        "{\"kind\":\"visit\",\"event_id\":\"%s\",\"lead_id\":\"%s\",\"time\":%" PRId64 "%s}", id,
        lead, time_ms, more);
    append(0, lead, value, (size_t)size, NULL, 0);
}

/* NOON is that of 2026-11-01, in UTC. */
Test(backtest, a_version_is_in_force_from_the_first_event_of_its_day_on)
{
    char folder[] = "/tmp/backtest-XXXXXX";
    const int64_t hour_ms = 3600000;
    struct versions *loaded;
    struct text_buffer messages;
    cr_assert_not_null(mkdtemp(folder));
    text_buffer_init(&messages);
    write_version(folder, 1, "2026-10-01", 1);
    write_version(folder, 2, "2026-11-02", 70);
    cr_assert_eq(versions_load(folder, &loaded, &messages), STATUS_OK, "%s", messages.data);
    versions = loaded;
    begin();
    visit_at("early", NOON, "");
    visit_at("robot", NOON + 20 * hour_ms, ",\"user_agent\":\"robot 1\"");
    visit_at("still", NOON + hour_ms, ""); /* what is ignored begins no day */
    visit_at("first", NOON + 12 * hour_ms, "");
    visit_at("late", NOON + 2 * hour_ms, "");  /* behind the turn, whatever its time */
    visit_at("early", NOON + 3 * hour_ms, ""); /* and its first visit has the new points, too */
    struct replayed replayed = replay(versions_get(loaded, 1), NULL, 1);
    cr_expect_eq(replayed.result->candidate.promotions, 3);
    cr_expect_eq(lines_with(&replayed, "\"agreement_version\":2"), 9, "each: mql, sql, promotion");
    cr_expect_eq(lines_with(&replayed, "\"agreement_version\":1"), 0);
    cr_expect_eq(lines_with(&replayed, "\"lead_id\":\"still\""), 0);
    cr_expect_eq(lines_with(&replayed, "\"lead_id\":\"late\""), 3);
    cr_expect_eq(lines_with(&replayed, "\"lead_id\":\"early\""), 3);
}

Test(backtest, what_cannot_be_read_is_counted_once)
{
    struct agreement *agreement = parse(rules_text);
    static const uint8_t registry[] = {0, 0, 0, 0, 7, 1, 2, 3};
    begin();
    transfer(0, "later", "cookie", "person", state_of(agreement, 0)); /* waits: decoded twice */
    append(0, "a", "{", 1, NULL, 0);
    append(0, "a", registry, sizeof registry, NULL, 0);
    visits(0, "a", 1);
    struct replayed replayed = replay(agreement, NULL, 2);
    cr_expect_eq(replayed.result->dead, 2);
    cr_expect_eq(replayed.result->unknown_schemas, 1);
    cr_expect_eq(replayed.result->events, 2);
}

Test(backtest, progress_ends_at_the_whole)
{
    struct agreement *agreement = parse(rules_text);
    begin();
    logs[0].first = 77;
    visits(0, "a", 1500);
    visits(2, "b", 3);
    struct replayed replayed = replay(agreement, NULL, 2);
    const struct backtest_progress *progress = backtest_progress(replayed.backtest);
    cr_expect_eq(atomic_load(&progress->total), 1503);
    cr_expect_eq(atomic_load(&progress->done), 1503);
    cr_expect_eq(atomic_load(&progress->events), 1503);
    backtest_destroy(replayed.backtest);
    free(replayed.text);
    agreement_destroy(agreement);
}

Test(backtest, a_log_that_fails_ends_all_threads)
{
    struct agreement *agreement = parse(rules_text);
    begin();
    visits(0, "a", 10);
    logs[1].broken = true;
    transfer(2, "gone", "x", "a", state_of(agreement, 3));
    struct backtest_config config = {
        .candidate = agreement, .input = &input, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    for (config.threads = 1; config.threads < 5; config.threads++) {
        struct backtest *backtest = backtest_create(&config);
        struct error error;
        cr_expect_eq(backtest_fold_log(backtest, &the_log, NULL, NULL, 1000, &error), STATUS_STOP);
        cr_expect_str_eq(error.text, "the log is broken");
        backtest_destroy(backtest);
    }
}

/* ---- lines ---- */

static char *written(struct lines *lines)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cr_assert(lines_write(lines, out));
    fclose(out);
    return text;
}

Test(backtest, what_is_told_later_stands_in_its_line)
{
    struct lines lines;
    lines_init(&lines);
    lines_add(&lines, "{a:null}", 8);
    lines_leave_gap(&lines, 8, 3, 4, 10);
    lines_add(&lines, "plain", 5);
    lines_add(&lines, "{b:null}", 8);
    lines_leave_gap(&lines, 8, 3, 4, 20);
    lines_add(&lines, "{c:null}", 8);
    lines_leave_gap(&lines, 8, 3, 4, 30);
    lines_fill_gap(&lines, 30, "\"three\"");
    lines_fill_gap(&lines, 10, "1");
    lines_fill_gap(&lines, 25, "nobody");
    cr_expect_str_eq(written(&lines), "{a:1}\nplain\n{b:null}\n{c:\"three\"}\n");
    lines_fini(&lines);
}

Test(backtest, many_lines_wait_in_a_file)
{
    struct lines lines;
    char line[1000], *text;
    lines_init(&lines);
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 20000; i++) {
        lines_add(&lines, line, sizeof line);
        lines_leave_gap(&lines, sizeof line, 10, 3, i);
        if (i % 3 == 0)
            lines_fill_gap(&lines, i, "seven");
    }
    cr_expect_lt(lines.recent.size, 10u << 20);
    text = written(&lines);
    cr_assert_eq(strlen(text), 20000 * 1001 + 6667 * 2);
    for (int i = 0; i < 20000; i++) {
        char *end = strchr(text, '\n');
        cr_assert_eq(end - text, i % 3 == 0 ? 1002 : 1000, "line %d", i);
        cr_assert_eq(strncmp(text + 10, "seven", 5) == 0, i % 3 == 0, "line %d", i);
        text = end + 1;
    }
    lines_fini(&lines);
}
