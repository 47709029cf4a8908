#include "base/arena.h"
#include "memory/memory_log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct memory_source *self(struct source *source)
{
    return (struct memory_source *)source;
}

/* ---- the group
 * ----------------------------------------------------------------------------------- */

/* Ranges, as Kafka's assignor of that name deals them: the first members get one more. */
static void deal_units(struct memory_log *log, uint32_t members)
{
    uint32_t each = log->partition_count / members, more = log->partition_count % members, unit = 0;
    for (struct memory_source *member = log->members; member; member = member->next) {
        member->unit_count = each + (more ? 1 : 0);
        more -= more ? 1 : 0;
        for (size_t i = 0; i < member->unit_count; i++)
            member->units[i] = unit++;
        member->state = MEMBER_GIVEN;
    }
}

static void complete_rebalance(struct memory_log *log)
{
    uint32_t members = 0;
    for (const struct memory_source *member = log->members; member; member = member->next) {
        if (member->state != MEMBER_WAITING)
            return;
        members++;
    }
    log->rebalancing = false;
    if (members)
        deal_units(log, members);
}

void log_rebalance(struct memory_log *log)
{
    log->rebalancing = true;
    for (struct memory_source *member = log->members; member; member = member->next) {
        if (member->state == MEMBER_ASSIGNED) {
            member->state = MEMBER_REVOKING;
            member->told = false;
        } else if (member->state == MEMBER_GIVEN) {
            member->state = MEMBER_WAITING; /* it never learned of that assignment */
            member->unit_count = 0;
        }
    }
    complete_rebalance(log);
}

void memory_log_rebalance(struct memory_log *log)
{
    log_lock(log);
    log_rebalance(log);
    log_unlock(log);
}

static void join(struct memory_source *source)
{
    struct memory_source **at = &source->log->members;
    while (*at)
        at = &(*at)->next;
    *at = source;
    source->next = NULL;
    source->member = true;
    source->state = MEMBER_WAITING;
    log_rebalance(source->log);
}

static void leave_group(struct memory_source *source)
{
    struct memory_source **at = &source->log->members;
    while (*at != source)
        at = &(*at)->next;
    *at = source->next;
    source->member = false;
    log_rebalance(source->log);
}

static void drop_units(struct memory_source *source)
{
    source->unit_count = source->position_count = 0;
    arena_fini(&source->fetched);
}

void memory_source_expire(struct source *port)
{
    struct memory_source *source = self(port);
    log_lock(source->log);
    if (source->member) {
        bool told_revoked = source->state == MEMBER_REVOKING && source->told;
        if (source->state == MEMBER_ASSIGNED ||
            (source->state == MEMBER_REVOKING && !source->told)) {
            source->state = MEMBER_LOST;
            source->told = false;
        } else if (!told_revoked) {
            source->state = MEMBER_OUT; /* it owned nothing that it knew of */
            drop_units(source);
        }
        leave_group(source);
    }
    log_unlock(source->log);
}

bool log_may_commit(const struct memory_source *source)
{
    return source->member && (source->state == MEMBER_ASSIGNED || source->state == MEMBER_REVOKING);
}

/* True when there are news: they come alone. */
static bool tell_news(struct memory_source *source, struct source_news *news)
{
    news->units = source->units;
    news->unit_count = source->unit_count;
    if (source->state == MEMBER_GIVEN) {
        source->state = MEMBER_ASSIGNED;
        source->position_count = 0;
        news->kind = SOURCE_ASSIGNED;
        return true;
    }
    if ((source->state == MEMBER_REVOKING || source->state == MEMBER_LOST) && !source->told) {
        source->told = true;
        news->kind = source->state == MEMBER_LOST ? SOURCE_LOST : SOURCE_REVOKED;
        return true;
    }
    *news = (struct source_news){.kind = SOURCE_NO_NEWS};
    return false;
}

/* ---- fetching
 * ------------------------------------------------------------------------------------ */

static void lend(struct memory_source *source, const struct record *record, struct record *out)
{
    struct arena *arena = &source->fetched;
    *out = *record;
    out->key = record->key ? arena_copy(arena, record->key, record->key_size) : NULL;
    out->value = record->value ? arena_copy(arena, record->value, record->value_size) : NULL;
    out->headers = log_copy_headers(arena, record->headers, record->header_count);
}

static enum status check_position(const struct log_partition *partition,
                                  const struct unit_position *position, struct error *error)
{
    if (position->offset >= partition->first && position->offset <= partition->end)
        return STATUS_OK;
    return error_set(error, STATUS_STOP,
                     "unit %" PRIu32 ": offset %" PRId64 " is not there, the log holds %" PRId64
                     " to %" PRId64,
                     position->unit, position->offset, partition->first, partition->end);
}

static enum status fetch_unit(struct memory_source *source, size_t index, struct record *records,
                              size_t room, size_t *count, struct error *error)
{
    struct unit_position *position = &source->positions[index];
    const struct log_partition *partition = log_partition_of(source->log, position->unit);
    enum status status = check_position(partition, position, error);
    if (status != STATUS_OK)
        return status;
    size_t at = log_find(partition, position->offset), taken = 0;
    while (at < partition->count && *count < room && (!source->run || taken < source->run)) {
        lend(source, &partition->records[at++], &records[(*count)++]);
        position->offset = partition->records[at - 1].offset + 1;
        source->end_told[index] = false;
        taken++;
    }
    if (at == partition->count && *count < room && !source->end_told[index]) {
        records[(*count)++] =
            (struct record){.unit = position->unit, .is_end = true, .offset = partition->end};
        position->offset = partition->end;
        source->end_told[index] = true;
    }
    return STATUS_OK;
}

static enum status fetch_units(struct memory_source *source, struct record *records, size_t room,
                               size_t *count, struct error *error)
{
    if (source->batch && source->batch < room)
        room = source->batch;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < source->position_count && *count < room && status == STATUS_OK; i++) {
        source->turn = (source->turn + 1) % source->position_count;
        status = fetch_unit(source, source->turn, records, room, count, error);
    }
    return status;
}

static void sleep_a_little(int timeout_ms)
{
    struct timespec pause = {.tv_nsec = (timeout_ms < 1 ? timeout_ms : 1) * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static enum status source_fetch(struct source *port, int timeout_ms, struct record *records,
                                size_t room, size_t *count, struct source_news *news,
                                struct error *error)
{
    struct memory_source *source = self(port);
    enum status status = STATUS_OK;
    *count = 0;
    *news = (struct source_news){.kind = SOURCE_NO_NEWS};
    arena_fini(&source->fetched); /* freed, not kept, so that a sanitizer sees who reads on */
    log_lock(source->log);
    if (source->log->away)
        status = error_set(error, STATUS_RETRY, "the broker is away");
    else {
        if (source->state == MEMBER_OUT)
            join(source);
        if (!tell_news(source, news) && source->state == MEMBER_ASSIGNED)
            status = fetch_units(source, records, room, count, error);
    }
    log_unlock(source->log);
    if (source->sleeping && !*count && news->kind == SOURCE_NO_NEWS)
        sleep_a_little(timeout_ms);
    return status;
}

static bool owns(const struct memory_source *source, uint32_t unit)
{
    for (size_t i = 0; i < source->unit_count; i++)
        if (source->units[i] == unit)
            return true;
    return false;
}

static enum status source_start(struct source *port, const struct unit_position *positions,
                                size_t count, struct error *error)
{
    struct memory_source *source = self(port);
    (void)error;
    arena_fini(&source->fetched);
    log_lock(source->log);
    assert(count <= source->unit_count);
    for (size_t i = 0; i < count; i++) {
        assert(owns(source, positions[i].unit));
        source->positions[i] = positions[i];
        source->end_told[i] = false;
    }
    source->position_count = count;
    source->turn = 0;
    log_unlock(source->log);
    return STATUS_OK;
}

static enum status source_release(struct source *port, struct error *error)
{
    struct memory_source *source = self(port);
    (void)error;
    log_lock(source->log);
    if (source->state == MEMBER_REVOKING || source->state == MEMBER_LOST) {
        source->state = source->member ? MEMBER_WAITING : MEMBER_OUT;
        drop_units(source);
        if (source->log->rebalancing)
            complete_rebalance(source->log);
    }
    log_unlock(source->log);
    return STATUS_OK;
}

static enum status source_committed(struct source *port, const uint32_t *units, size_t count,
                                    struct arena *arena, struct committed *out, struct error *error)
{
    struct memory_log *log = self(port)->log;
    enum status status = STATUS_OK;
    log_lock(log);
    if (log->away)
        status = error_set(error, STATUS_RETRY, "the broker is away");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct log_partition *partition = log_partition_of(log, units[i]);
        const char *metadata = partition->metadata ? partition->metadata : "";
        out[i].offset = partition->committed;
        out[i].metadata = arena_copy(arena, metadata, strlen(metadata) + 1);
        if (log_hides(log, units[i]))
            status = error_set(error, STATUS_RETRY,
                               "unit %" PRIu32 ": an open transaction hides its offset", units[i]);
    }
    log_unlock(log);
    return status;
}

static enum status source_range(struct source *port, uint32_t unit, int64_t *first, int64_t *end,
                                struct error *error)
{
    struct memory_log *log = self(port)->log;
    log_lock(log);
    bool away = log->away;
    *first = log_partition_of(log, unit)->first;
    *end = log_partition_of(log, unit)->end;
    log_unlock(log);
    return away ? error_set(error, STATUS_RETRY, "the broker is away") : STATUS_OK;
}

static enum status source_partitions(struct source *port, uint32_t *count, struct error *error)
{
    struct memory_log *log = self(port)->log;
    log_lock(log);
    bool away = log->away;
    *count = log->partition_count;
    log_unlock(log);
    return away ? error_set(error, STATUS_RETRY, "the broker is away") : STATUS_OK;
}

static uint64_t source_waiting(const struct source *port)
{
    const struct memory_source *source = (const struct memory_source *)(const void *)port;
    uint64_t waiting = 0;
    log_lock(source->log);
    for (size_t i = 0; i < source->position_count; i++) {
        int64_t end = log_partition_of(source->log, source->positions[i].unit)->end;
        if (end > source->positions[i].offset)
            waiting += (uint64_t)(end - source->positions[i].offset);
    }
    log_unlock(source->log);
    return waiting;
}

static void source_destroy(struct source *port)
{
    struct memory_source *source = self(port);
    log_lock(source->log);
    if (source->member)
        leave_group(source);
    log_unlock(source->log);
    arena_fini(&source->fetched);
    free(source->units);
    free(source->positions);
    free(source->end_told);
    free(source);
}

struct source *memory_source_create(struct memory_log *log)
{
    struct memory_source *source = memory_take_zeroed(1, sizeof *source);
    source->port = (struct source){.fetch = source_fetch,
                                   .start = source_start,
                                   .release = source_release,
                                   .committed = source_committed,
                                   .range = source_range,
                                   .partitions = source_partitions,
                                   .waiting = source_waiting,
                                   .destroy = source_destroy};
    source->log = log;
    source->units = memory_take_zeroed(log->partition_count, sizeof *source->units);
    source->positions = memory_take_zeroed(log->partition_count, sizeof *source->positions);
    source->end_told = memory_take_zeroed(log->partition_count, sizeof *source->end_told);
    arena_init(&source->fetched, 16384);
    return &source->port;
}

void memory_source_set_batch(struct source *port, size_t records, size_t run)
{
    self(port)->batch = records;
    self(port)->run = run;
}

void memory_source_set_sleeping(struct source *port, bool sleeping)
{
    self(port)->sleeping = sleeping;
}
