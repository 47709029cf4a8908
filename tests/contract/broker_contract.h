/* What every source and sink must do, whatever broker is behind them: the checks of ports.h that
 * the ports in memory and those on Kafka both pass.
 *
 *   static void open_kafka(struct broker_contract *contract);   fills the functions below; new
 * topics, static void close_kafka(struct broker_contract *contract);  a new group, no offsets
 *   BROKER_CONTRACT_TESTS(kafka_broker, open_kafka, close_kafka)
 *
 * makes one Criterion test per check. */
#ifndef CONTRACT_BROKER_CONTRACT_H
#define CONTRACT_BROKER_CONTRACT_H

#include "pipeline/ports.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct broker_contract {
    void *context;
    uint32_t partitions; /* of the input topic: 2 to 8 */
    /* A new member of the group. The checks destroy it, after the sinks in its name. */
    struct source *(*open_source)(struct broker_contract *contract);
    /* `instance`: the transactional id, or its last part. Not reset yet. */
    struct sink *(*open_sink)(struct broker_contract *contract, struct source *source,
                              const char *instance);
    /* Writes timestamp, key (NULL: none), value (NULL: a tombstone) and headers of a record to its
     * unit of the input topic; returns the offset. */
    int64_t (*append)(struct broker_contract *contract, const struct record *record);
    /* Reads an output topic from its beginning to its end as a read_committed consumer does; in log
     * order. At most `room`; returns how many there are. Copies to the arena. */
    size_t (*read_output)(struct broker_contract *contract, enum outgoing_topic topic,
                          struct arena *arena, struct outgoing_message *messages, size_t room);
    struct stage_log *(*open_stage_log)(struct broker_contract *contract);
};

/* Calls that are tried before a check gives up, each waiting for BC_WAIT_MS where the broker is
 * real. */
#define BC_TRIES 600
#define BC_WAIT_MS 100

struct bc_member {
    struct source *source;
    struct sink *sink;
    struct arena arena;
    struct error error;
    enum source_news_kind news; /* the newest */
    uint32_t units[8];          /* as of the newest news */
    size_t unit_count;
    struct record records[8192]; /* all so far, ends not among them; copies */
    size_t record_count;
    int64_t ends[8]; /* by unit: the newest end told, -1: none */
    uint32_t ends_told;
};

static inline void bc_must(const struct bc_member *member, enum status status, enum status wanted,
                           const char *what)
{
    cr_assert(status == wanted, "%s: status %d, wanted %d (%s)", what, (int)status, (int)wanted,
              status == STATUS_OK ? "" : member->error.text);
}

/* The status of a call that is repeated while it says RETRY: a broker may be electing a leader. */
#define bc_soon(call)                                                                              \
    ({                                                                                             \
        enum status bc_status = (call);                                                            \
        for (int bc_try = 0; bc_try < 100 && bc_status == STATUS_RETRY; bc_try++) {                \
            (void)usleep(50000);                                                                   \
            bc_status = (call);                                                                    \
        }                                                                                          \
        bc_status;                                                                                 \
    })

static inline struct bc_member *bc_join(struct broker_contract *contract, const char *instance)
{
    struct bc_member *member = memory_take_zeroed(1, sizeof *member);
    arena_init(&member->arena, 65536);
    memset(member->ends, 0xff, sizeof member->ends);
    member->source = contract->open_source(contract);
    cr_assert(member->source != NULL);
    if (instance) {
        member->sink = contract->open_sink(contract, member->source, instance);
        cr_assert(member->sink != NULL);
    }
    return member;
}

static inline void bc_leave(struct bc_member *member)
{
    if (member->sink)
        member->sink->destroy(member->sink);
    member->source->destroy(member->source);
    arena_fini(&member->arena);
    free(member);
}

static inline void bc_keep_record(struct bc_member *member, const struct record *record)
{
    cr_assert(member->record_count < sizeof member->records / sizeof *member->records);
    struct record *kept = &member->records[member->record_count++];
    *kept = *record;
    kept->key = record->key ? arena_copy(&member->arena, record->key, record->key_size) : NULL;
    kept->value =
        record->value ? arena_copy(&member->arena, record->value, record->value_size) : NULL;
    struct header *headers = arena_take(&member->arena, record->header_count * sizeof *headers);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *from = &record->headers[i];
        headers[i] = *from;
        headers[i].name = arena_copy(&member->arena, from->name, strlen(from->name) + 1);
        headers[i].value =
            from->value ? arena_copy(&member->arena, from->value, from->value_size) : NULL;
    }
    kept->headers = headers;
}

/* One fetch; keeps what came. RETRY is patience, not an error. */
static inline enum status bc_fetch(struct bc_member *member)
{
    struct record records[64];
    size_t count = 0;
    struct source_news news = {.kind = SOURCE_NO_NEWS};
    enum status status = member->source->fetch(member->source, BC_WAIT_MS, records, 64, &count,
                                               &news, &member->error);
    if (status != STATUS_OK)
        return status;
    cr_assert(news.kind == SOURCE_NO_NEWS || count == 0, "news come alone");
    for (size_t i = 0; i < count; i++) {
        cr_assert(records[i].unit < 8);
        if (records[i].is_end) {
            member->ends[records[i].unit] = records[i].offset;
            member->ends_told++;
        } else
            bc_keep_record(member, &records[i]);
    }
    if (news.kind != SOURCE_NO_NEWS) {
        cr_assert(news.unit_count <= 8);
        member->news = news.kind;
        member->unit_count = news.unit_count;
        memcpy(member->units, news.units, news.unit_count * sizeof *news.units);
    }
    return STATUS_OK;
}

static inline void bc_fetch_ok(struct bc_member *member)
{
    enum status status = bc_fetch(member);
    cr_assert(status == STATUS_OK || status == STATUS_RETRY, "fetch: %d (%s)", (int)status,
              member->error.text);
}

static inline void bc_until_news(struct bc_member *member, enum source_news_kind kind)
{
    member->news = SOURCE_NO_NEWS;
    for (int i = 0; i < BC_TRIES && member->news == SOURCE_NO_NEWS; i++)
        bc_fetch_ok(member);
    cr_assert(member->news == kind, "news %d, wanted %d", (int)member->news, (int)kind);
}

static inline void bc_until_records(struct bc_member *member, size_t count)
{
    for (int i = 0; i < BC_TRIES && member->record_count < count; i++)
        bc_fetch_ok(member);
    cr_assert(member->record_count == count, "%zu records, wanted %zu", member->record_count,
              count);
}

static inline void bc_reset_sink(struct bc_member *member, struct sink *sink)
{
    bc_must(member, bc_soon(sink->reset(sink, &member->error)), STATUS_OK, "reset");
}

/* Starts every assigned unit at its beginning. */
static inline void bc_start_all(struct bc_member *member)
{
    struct unit_position positions[8];
    for (size_t i = 0; i < member->unit_count; i++)
        positions[i] = (struct unit_position){member->units[i], 0};
    bc_must(member,
            bc_soon(member->source->start(member->source, positions, member->unit_count,
                                          &member->error)),
            STATUS_OK, "start");
}

/* The only member: assigned, sink ready, not started. */
static inline struct bc_member *bc_alone(struct broker_contract *contract)
{
    struct bc_member *member = bc_join(contract, "one");
    bc_until_news(member, SOURCE_ASSIGNED);
    bc_reset_sink(member, member->sink);
    return member;
}

/* The present: a broker removes what is older than its retention. */
static inline int64_t bc_now_ms(void)
{
    return (int64_t)time(NULL) * 1000 + 123;
}

static inline int64_t bc_append_text(struct broker_contract *contract, uint32_t unit,
                                     const char *key, const char *value)
{
    struct record record = {.unit = unit,
                            .timestamp_ms = bc_now_ms(),
                            .key = (const uint8_t *)key,
                            .key_size = strlen(key),
                            .value = (const uint8_t *)value,
                            .value_size = strlen(value)};
    return contract->append(contract, &record);
}

static inline struct outgoing_message bc_message(enum outgoing_topic topic, const char *key,
                                                 const char *value)
{
    return (struct outgoing_message){.topic = topic,
                                     .key = key,
                                     .key_size = strlen(key),
                                     .value = value,
                                     .value_size = strlen(value)};
}

/* How a transaction ends: COMMITTED or FAILED. */
static inline enum sink_state bc_transact(struct bc_member *member, struct sink *sink,
                                          const struct transaction *transaction)
{
    enum sink_state state = SINK_BUSY;
    cr_assert(sink->poll(sink, &member->error) == SINK_IDLE);
    sink->begin(sink, transaction);
    for (int i = 0; i < BC_TRIES && state == SINK_BUSY; i++) {
        state = sink->poll(sink, &member->error);
        if (state == SINK_BUSY)
            bc_fetch_ok(member); /* also passes the time */
    }
    return state;
}

static inline void bc_expect_commit(struct bc_member *member, const struct transaction *transaction)
{
    enum sink_state state = bc_transact(member, member->sink, transaction);
    cr_assert(state == SINK_COMMITTED, "state %d (%s)", (int)state, member->error.text);
    cr_assert(member->sink->poll(member->sink, &member->error) == SINK_IDLE,
              "committed is said once");
}

static inline struct committed bc_committed(struct bc_member *member, uint32_t unit)
{
    struct committed out = {.offset = -9};
    enum status status = STATUS_RETRY;
    for (int i = 0; i < 30 && status == STATUS_RETRY; i++)
        status = member->source->committed(member->source, &unit, 1, &member->arena, &out,
                                           &member->error);
    bc_must(member, status, STATUS_OK, "committed");
    return out;
}

static inline bool bc_bytes_are(const void *bytes, size_t size, const char *text)
{
    return bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static inline const struct header *bc_header(const struct header *headers, size_t count,
                                             const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0)
            return &headers[i];
    return NULL;
}

/* ---- the source
 * ---------------------------------------------------------------------------------- */

static inline void
broker_contract_a_lone_member_is_assigned_every_unit(struct broker_contract *contract)
{
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    cr_assert(member->unit_count == contract->partitions);
    uint32_t seen = 0, count = 0;
    for (size_t i = 0; i < member->unit_count; i++)
        seen |= 1u << member->units[i];
    cr_assert(seen == (1u << contract->partitions) - 1);
    bc_must(member, bc_soon(member->source->partitions(member->source, &count, &member->error)),
            STATUS_OK, "partitions");
    cr_assert(count == contract->partitions);
    bc_leave(member);
}

static inline void broker_contract_nothing_is_fetched_before_start(struct broker_contract *contract)
{
    bc_append_text(contract, 0, "k", "v");
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    for (int i = 0; i < 5; i++)
        bc_fetch_ok(member);
    cr_assert(member->record_count == 0 && member->ends_told == 0);
    bc_start_all(member);
    bc_until_records(member, 1);
    bc_leave(member);
}

static inline void
broker_contract_records_come_as_they_were_written(struct broker_contract *contract)
{
    static const uint8_t bytes[] = {0, 1, 0xff, 0, '{'};
    const struct header headers[] = {{"traceparent", "00-a-b-01", 9},
                                     {"empty", "", 0},
                                     {"null", NULL, 0},
                                     {"bytes", bytes, sizeof bytes},
                                     {"bytes", "again", 5}};
    const int64_t now = bc_now_ms();
    const struct record records[] = {
        {.unit = 1,
         .timestamp_ms = now + 1000,
         .key = bytes,
         .key_size = 5,
         .value = bytes,
         .value_size = 5,
         .headers = headers,
         .header_count = 5},
        {.unit = 1, .timestamp_ms = now, .key = bytes, .key_size = 1}, /* a tombstone */
        {.unit = 1,
         .timestamp_ms = now - 5,
         .value = (const uint8_t *)"x",
         .value_size = 1}, /* no key */
        {.unit = 1,
         .timestamp_ms = now + 6,
         .key = bytes,
         .key_size = 1,
         .value = bytes,
         .value_size = 0}};
    int64_t offsets[4];
    for (int i = 0; i < 4; i++)
        offsets[i] = contract->append(contract, &records[i]);
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    bc_start_all(member);
    bc_until_records(member, 4);
    for (int i = 0; i < 4; i++) {
        const struct record *got = &member->records[i], *put = &records[i];
        cr_assert(got->unit == 1 && got->offset == offsets[i] &&
                      got->timestamp_ms == put->timestamp_ms,
                  "record %d", i);
        cr_assert(got->key_size == put->key_size && got->value_size == put->value_size,
                  "sizes of record %d", i);
        cr_assert(!put->key_size || memcmp(got->key, put->key, put->key_size) == 0);
        cr_assert(!put->value_size || memcmp(got->value, put->value, put->value_size) == 0);
        cr_assert((got->value == NULL) == (put->value == NULL), "tombstone of record %d", i);
        cr_assert(got->header_count == put->header_count);
    }
    for (int i = 0; i < 5; i++) {
        const struct header *got = &member->records[0].headers[i];
        cr_assert(strcmp(got->name, headers[i].name) == 0, "header %d is %s", i, got->name);
        cr_assert(got->value_size == headers[i].value_size);
        cr_assert((got->value == NULL) == (headers[i].value == NULL), "header %d", i);
        cr_assert(!got->value_size || memcmp(got->value, headers[i].value, got->value_size) == 0);
    }
    bc_leave(member);
}

static inline void
broker_contract_each_unit_keeps_its_order_and_loses_nothing(struct broker_contract *contract)
{
    enum { EACH = 600 };
    char value[16];
    for (int i = 0; i < EACH; i++)
        for (uint32_t unit = 0; unit < 2; unit++) {
            (void)snprintf(value, sizeof value, "%d", i);
            bc_append_text(contract, unit, "k", value);
        }
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    bc_start_all(member);
    bc_until_records(member, 2 * EACH);
    int next[2] = {0, 0};
    for (size_t i = 0; i < member->record_count; i++) {
        const struct record *record = &member->records[i];
        (void)snprintf(value, sizeof value, "%d", next[record->unit]++);
        cr_assert(bc_bytes_are(record->value, record->value_size, value), "unit %u, wanted %s",
                  record->unit, value);
    }
    bc_leave(member);
}

static inline void
broker_contract_start_takes_the_place_of_every_start_before(struct broker_contract *contract)
{
    int64_t offsets[20];
    for (int i = 0; i < 20; i++)
        offsets[i] = bc_append_text(contract, 0, "k", "v");
    bc_append_text(contract, 1, "k", "v");
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    bc_start_all(member);
    bc_until_records(member, 21);
    member->record_count = 0;
    struct unit_position back = {0, offsets[15]};
    bc_must(member, bc_soon(member->source->start(member->source, &back, 1, &member->error)),
            STATUS_OK, "start");
    bc_until_records(member, 5);
    for (int i = 0; i < 5; i++)
        cr_assert(member->records[i].unit == 0 && member->records[i].offset == offsets[15 + i]);
    bc_append_text(contract, 1, "k", "not fetched any more");
    bc_append_text(contract, 0, "k", "fetched");
    bc_until_records(member, 6);
    cr_assert(member->records[5].unit == 0);
    bc_leave(member);
}

static inline void
broker_contract_the_end_is_told_at_the_start_and_after_new_records(struct broker_contract *contract)
{
    int64_t last = bc_append_text(contract, 0, "k", "v");
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    bc_start_all(member);
    for (int i = 0; i < BC_TRIES && member->ends_told < contract->partitions; i++)
        bc_fetch_ok(member);
    cr_assert(member->ends_told == contract->partitions);
    cr_assert(member->record_count == 1);
    cr_assert(member->ends[0] == last + 1 && member->ends[1] == 0);
    last = bc_append_text(contract, 0, "k", "v");
    for (int i = 0; i < BC_TRIES && member->ends[0] != last + 1; i++)
        bc_fetch_ok(member);
    cr_assert(member->ends[0] == last + 1 && member->record_count == 2);
    bc_leave(member);
}

static inline void
broker_contract_a_position_that_is_not_there_is_an_error(struct broker_contract *contract)
{
    bc_append_text(contract, 0, "k", "v");
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    struct unit_position beyond = {0, 1000};
    enum status status = member->source->start(member->source, &beyond, 1, &member->error);
    for (int i = 0; i < BC_TRIES && (status == STATUS_OK || status == STATUS_RETRY); i++)
        status = bc_fetch(member);
    bc_must(member, status, STATUS_STOP, "fetch from beyond the end");
    cr_assert(strstr(member->error.text, "1000") != NULL, "the error names the offset: %s",
              member->error.text);
    bc_leave(member);
}

static inline void broker_contract_range_tells_what_the_log_holds(struct broker_contract *contract)
{
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    int64_t first = -9, end = -9;
    bc_must(member, bc_soon(member->source->range(member->source, 0, &first, &end, &member->error)),
            STATUS_OK, "range");
    cr_assert(first == 0 && end == 0);
    for (int i = 0; i < 3; i++)
        bc_append_text(contract, 0, "k", "v");
    bc_must(member, bc_soon(member->source->range(member->source, 0, &first, &end, &member->error)),
            STATUS_OK, "range");
    cr_assert(first == 0 && end == 3);
    bc_leave(member);
}

/* ---- transactions
 * -------------------------------------------------------------------------------- */

static inline void
broker_contract_without_a_commit_there_is_no_offset(struct broker_contract *contract)
{
    struct bc_member *member = bc_join(contract, NULL);
    bc_until_news(member, SOURCE_ASSIGNED);
    cr_assert(bc_committed(member, 0).offset == -1);
    cr_assert(bc_committed(member, 1).offset == -1);
    bc_leave(member);
}

static inline void broker_contract_a_transaction_carries_messages_offsets_and_metadata(
    struct broker_contract *contract)
{
    struct bc_member *member = bc_alone(contract);
    char metadata[4001];
    memset(metadata, 'm', sizeof metadata - 1);
    metadata[sizeof metadata - 1] = 0;
    const struct header headers[] = {{"ce_id", "l/1/sql", 7}, {"null", NULL, 0}, {"empty", "", 0}};
    struct outgoing_message messages[3] = {bc_message(TOPIC_PROMOTIONS, "l", "promotion"),
                                           bc_message(TOPIC_STAGES, "l", "stage"),
                                           {.topic = TOPIC_DEAD}}; /* neither key nor value */
    messages[0].headers = headers;
    messages[0].header_count = 3;
    const struct unit_commit commits[] = {{0, 17, metadata}, {1, 0, ""}};
    const struct transaction transaction = {messages, 3, commits, 2};
    bc_expect_commit(member, &transaction);

    struct committed k = bc_committed(member, 0);
    cr_assert(k.offset == 17 && strcmp(k.metadata, metadata) == 0);
    k = bc_committed(member, 1);
    cr_assert(k.offset == 0 && strcmp(k.metadata, "") == 0);

    struct outgoing_message out[8];
    struct arena *arena = &member->arena;
    cr_assert(contract->read_output(contract, TOPIC_PROMOTIONS, arena, out, 8) == 1);
    cr_assert(bc_bytes_are(out[0].key, out[0].key_size, "l"));
    cr_assert(bc_bytes_are(out[0].value, out[0].value_size, "promotion"));
    cr_assert(out[0].header_count == 3);
    const struct header *id = bc_header(out[0].headers, 3, "ce_id");
    cr_assert(id && bc_bytes_are(id->value, id->value_size, "l/1/sql"));
    const struct header *null = bc_header(out[0].headers, 3, "null"),
                        *empty = bc_header(out[0].headers, 3, "empty");
    cr_assert(null && !null->value && empty && empty->value && !empty->value_size);
    cr_assert(contract->read_output(contract, TOPIC_STAGES, arena, out, 8) == 1);
    cr_assert(bc_bytes_are(out[0].value, out[0].value_size, "stage"));
    cr_assert(contract->read_output(contract, TOPIC_DEAD, arena, out, 8) == 1);
    cr_assert(out[0].value == NULL && out[0].key_size == 0);
    bc_leave(member);
}

static inline void
broker_contract_a_message_to_the_input_comes_back_in_its_partition(struct broker_contract *contract)
{
    struct bc_member *member = bc_alone(contract);
    const struct header header = {"baton-for", "anna", 4};
    struct outgoing_message messages[2] = {bc_message(TOPIC_EVENTS, "a", "to 0"),
                                           bc_message(TOPIC_EVENTS, "a", "to 1")};
    messages[1].partition = 1;
    messages[1].headers = &header;
    messages[1].header_count = 1;
    const struct unit_commit commit = {0, 0, ""};
    const struct transaction transaction = {messages, 2, &commit, 1};
    bc_start_all(member);
    bc_expect_commit(member, &transaction);
    bc_until_records(member, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct record *record = &member->records[i];
        cr_assert(bc_bytes_are(record->key, record->key_size, "a"));
        cr_assert(bc_bytes_are(record->value, record->value_size, record->unit ? "to 1" : "to 0"));
        cr_assert_eq(record->header_count, record->unit);
    }
    cr_assert(member->records[0].unit != member->records[1].unit);
    bc_leave(member);
}

static inline void broker_contract_transactions_follow_one_another(struct broker_contract *contract)
{
    enum { MESSAGES = 300, ROUNDS = 4 };
    struct bc_member *member = bc_alone(contract);
    static char values[MESSAGES][16];
    static struct outgoing_message messages[MESSAGES], out[ROUNDS * MESSAGES + 8];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MESSAGES; i++) {
            (void)snprintf(values[i], sizeof values[i], "%d", round * MESSAGES + i);
            messages[i] = bc_message(TOPIC_STAGES, "same-lead", values[i]);
        }
        char metadata[16];
        (void)snprintf(metadata, sizeof metadata, "round %d", round);
        const struct unit_commit commit = {0, round + 1, metadata};
        /* the third: offsets only */
        const struct transaction transaction = {messages, round == 2 ? 0 : MESSAGES, &commit, 1};
        bc_expect_commit(member, &transaction);
        struct committed k = bc_committed(member, 0);
        cr_assert(k.offset == round + 1 && strcmp(k.metadata, metadata) == 0);
    }
    size_t count = contract->read_output(contract, TOPIC_STAGES, &member->arena, out,
                                         sizeof out / sizeof *out);
    cr_assert(count == (ROUNDS - 1) * MESSAGES, "%zu messages", count);
    for (size_t i = 0; i < count; i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "%zu", i < 2 * MESSAGES ? i : i + MESSAGES);
        cr_assert(bc_bytes_are(out[i].value, out[i].value_size, value), "message %zu", i);
    }
    bc_leave(member);
}

static inline void
broker_contract_the_newer_sink_of_an_instance_shuts_out_the_older(struct broker_contract *contract)
{
    struct bc_member *member = bc_alone(contract);
    const struct unit_commit commit = {0, 5, "older"}, newer_commit = {0, 6, "newer"};
    const struct outgoing_message message = bc_message(TOPIC_STAGES, "l", "older");
    const struct transaction older = {&message, 1, &commit, 1}, only = {NULL, 0, &newer_commit, 1};
    struct sink *newer = contract->open_sink(contract, member->source, "one");
    bc_reset_sink(member, newer);
    cr_assert(bc_transact(member, member->sink, &older) == SINK_FAILED);
    cr_assert(bc_committed(member, 0).offset == -1);
    bc_must(member, member->sink->reset(member->sink, &member->error), STATUS_STOP,
            "reset of the older");
    cr_assert(bc_transact(member, newer, &only) == SINK_COMMITTED);
    cr_assert(bc_committed(member, 0).offset == 6);
    struct outgoing_message out[1];
    cr_assert(contract->read_output(contract, TOPIC_STAGES, &member->arena, out, 1) == 0);
    newer->destroy(newer);
    bc_leave(member);
}

/* ---- rebalances
 * ---------------------------------------------------------------------------------- */

/* Two members, the second of which has just joined: the first has been told REVOKED, and not
 * released. */
static inline void bc_until_revoked(struct bc_member *first, struct bc_member *second)
{
    first->news = SOURCE_NO_NEWS;
    for (int i = 0; i < BC_TRIES && first->news == SOURCE_NO_NEWS; i++) {
        bc_fetch_ok(second);
        bc_fetch_ok(first);
    }
    cr_assert(first->news == SOURCE_REVOKED);
}

static inline void broker_contract_a_second_member_takes_its_share(struct broker_contract *contract)
{
    struct bc_member *first = bc_alone(contract), *second = bc_join(contract, "two");
    bc_start_all(first);
    bc_until_revoked(first, second);
    cr_assert(first->unit_count == contract->partitions);
    bc_must(first, bc_soon(first->source->release(first->source, &first->error)), STATUS_OK,
            "release");
    first->news = second->news = SOURCE_NO_NEWS;
    for (int i = 0; i < BC_TRIES && (!first->news || !second->news); i++) {
        bc_fetch_ok(first);
        bc_fetch_ok(second);
    }
    cr_assert(first->news == SOURCE_ASSIGNED && second->news == SOURCE_ASSIGNED);
    cr_assert(first->unit_count + second->unit_count == contract->partitions);
    cr_assert(first->unit_count > 0 && second->unit_count > 0);
    uint32_t seen = 0;
    for (size_t i = 0; i < first->unit_count; i++)
        seen |= 1u << first->units[i];
    for (size_t i = 0; i < second->unit_count; i++)
        seen |= 1u << second->units[i];
    cr_assert(seen == (1u << contract->partitions) - 1, "every unit has one owner");
    bc_reset_sink(second, second->sink);
    const struct unit_commit commit = {second->units[0], 3, "of the second"};
    const struct transaction transaction = {NULL, 0, &commit, 1};
    bc_expect_commit(second, &transaction);
    bc_leave(second);
    bc_leave(first);
}

static inline void
broker_contract_a_revoked_member_commits_until_it_releases(struct broker_contract *contract)
{
    struct bc_member *first = bc_alone(contract), *second = bc_join(contract, "two");
    bc_start_all(first);
    bc_until_revoked(first, second);
    const struct unit_commit commit = {0, 3, "last"};
    const struct transaction transaction = {NULL, 0, &commit, 1};
    bc_expect_commit(first, &transaction);
    bc_must(first, bc_soon(first->source->release(first->source, &first->error)), STATUS_OK,
            "release");
    bc_until_news(second, SOURCE_ASSIGNED);
    cr_assert(bc_committed(second, 0).offset == 3);
    bc_leave(second);
    bc_leave(first);
}

static inline void
broker_contract_offsets_of_a_former_generation_are_refused(struct broker_contract *contract)
{
    struct bc_member *first = bc_alone(contract), *second = bc_join(contract, "two");
    bc_start_all(first);
    bc_until_revoked(first, second);
    bc_must(first, bc_soon(first->source->release(first->source, &first->error)), STATUS_OK,
            "release");
    bc_until_news(second, SOURCE_ASSIGNED); /* `first` has not looked again */
    const struct unit_commit commit = {0, 666, "late"};
    const struct outgoing_message message = bc_message(TOPIC_PROMOTIONS, "l", "late");
    const struct transaction late = {&message, 1, &commit, 1};
    struct sink *sink = first->sink;
    sink->begin(sink, &late);
    enum sink_state state = SINK_BUSY;
    for (int i = 0; i < BC_TRIES && state == SINK_BUSY; i++) {
        bc_fetch_ok(second);
        state = sink->poll(sink, &first->error);
    }
    cr_assert(state == SINK_FAILED, "state %d", (int)state);
    cr_assert(sink->poll(sink, &first->error) == SINK_FAILED, "failed is said until reset");
    bc_reset_sink(first, sink);
    cr_assert(sink->poll(sink, &first->error) == SINK_IDLE);
    cr_assert(bc_committed(second, 0).offset == -1);
    struct outgoing_message out[1];
    cr_assert(contract->read_output(contract, TOPIC_PROMOTIONS, &first->arena, out, 1) == 0);
    bc_leave(second);
    bc_leave(first);
}

static inline void
broker_contract_a_member_that_leaves_gives_its_units_back(struct broker_contract *contract)
{
    struct bc_member *first = bc_alone(contract), *second = bc_join(contract, NULL);
    bc_start_all(first);
    bc_until_revoked(first, second);
    bc_leave(first);
    bc_until_news(second, SOURCE_ASSIGNED);
    if (second->unit_count <
        contract->partitions) { /* it was dealt its share before the other left */
        bc_until_news(second, SOURCE_REVOKED);
        bc_must(second, bc_soon(second->source->release(second->source, &second->error)), STATUS_OK,
                "release");
        bc_until_news(second, SOURCE_ASSIGNED);
    }
    cr_assert(second->unit_count == contract->partitions);
    bc_leave(second);
}

/* ---- the stages topic, read back
 * ----------------------------------------------------------------- */

struct bc_stages {
    char text[256];
    size_t count;
};

static inline enum status bc_each_stage(void *context, const uint8_t *value, size_t size)
{
    struct bc_stages *stages = context;
    size_t used = strlen(stages->text);
    (void)snprintf(stages->text + used, sizeof stages->text - used, "%.*s;", (int)size,
                   (const char *)value);
    return ++stages->count == 3 && strstr(stages->text, "stop") ? STATUS_REJECT : STATUS_OK;
}

static inline void
broker_contract_the_stage_log_reads_what_was_committed(struct broker_contract *contract)
{
    struct bc_member *member = bc_alone(contract);
    struct stage_log *log = contract->open_stage_log(contract);
    struct bc_stages stages = {.count = 0};
    bool truncated = true;
    bc_must(member, bc_soon(log->read(log, bc_each_stage, &stages, &truncated, &member->error)),
            STATUS_OK, "read");
    cr_assert(stages.count == 0 && !truncated, "an empty topic has no records, and lost none");
    const struct outgoing_message messages[] = {
        bc_message(TOPIC_STAGES, "l", "mql"), bc_message(TOPIC_PROMOTIONS, "l", "no stage"),
        bc_message(TOPIC_STAGES, "l", "sql"), bc_message(TOPIC_STAGES, "l", "more")};
    const struct unit_commit commit = {0, 1, ""};
    const struct transaction transaction = {messages, 4, &commit, 1};
    bc_expect_commit(member, &transaction);
    bc_must(member, bc_soon(log->read(log, bc_each_stage, &stages, &truncated, &member->error)),
            STATUS_OK, "read");
    cr_assert(strcmp(stages.text, "mql;sql;more;") == 0 && !truncated, "%s", stages.text);
    stages = (struct bc_stages){.text = "stop;"};
    bc_must(member, bc_soon(log->read(log, bc_each_stage, &stages, &truncated, &member->error)),
            STATUS_REJECT, "a read that its caller stops");
    cr_assert(stages.count == 3);
    log->destroy(log);
    bc_leave(member);
}

#define BROKER_CONTRACT_CHECKS(X, suite, opens, closes)                                            \
    X(suite, opens, closes, a_lone_member_is_assigned_every_unit)                                  \
    X(suite, opens, closes, nothing_is_fetched_before_start)                                       \
    X(suite, opens, closes, records_come_as_they_were_written)                                     \
    X(suite, opens, closes, each_unit_keeps_its_order_and_loses_nothing)                           \
    X(suite, opens, closes, start_takes_the_place_of_every_start_before)                           \
    X(suite, opens, closes, the_end_is_told_at_the_start_and_after_new_records)                    \
    X(suite, opens, closes, a_position_that_is_not_there_is_an_error)                              \
    X(suite, opens, closes, range_tells_what_the_log_holds)                                        \
    X(suite, opens, closes, without_a_commit_there_is_no_offset)                                   \
    X(suite, opens, closes, a_transaction_carries_messages_offsets_and_metadata)                   \
    X(suite, opens, closes, a_message_to_the_input_comes_back_in_its_partition)                    \
    X(suite, opens, closes, transactions_follow_one_another)                                       \
    X(suite, opens, closes, the_newer_sink_of_an_instance_shuts_out_the_older)                     \
    X(suite, opens, closes, a_second_member_takes_its_share)                                       \
    X(suite, opens, closes, a_revoked_member_commits_until_it_releases)                            \
    X(suite, opens, closes, offsets_of_a_former_generation_are_refused)                            \
    X(suite, opens, closes, a_member_that_leaves_gives_its_units_back)                             \
    X(suite, opens, closes, the_stage_log_reads_what_was_committed)

#define BROKER_CONTRACT_TEST(suite, opens, closes, check)                                          \
    Test(suite, check, .timeout = 120)                                                             \
    {                                                                                              \
        struct broker_contract contract = {0};                                                     \
        opens(&contract);                                                                          \
        broker_contract_##check(&contract);                                                        \
        closes(&contract);                                                                         \
    }

#define BROKER_CONTRACT_TESTS(suite, opens, closes)                                                \
    BROKER_CONTRACT_CHECKS(BROKER_CONTRACT_TEST, suite, opens, closes)

#endif
