#include "memory/memory_log.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void log_lock(struct memory_log *log)
{
    (void)pthread_mutex_lock(&log->mutex);
}

void log_unlock(struct memory_log *log)
{
    (void)pthread_mutex_unlock(&log->mutex);
}

struct memory_log *memory_log_create(uint32_t partitions)
{
    struct memory_log *log = memory_take_zeroed(1, sizeof *log);
    (void)pthread_mutex_init(&log->mutex, NULL);
    arena_init(&log->arena, 65536);
    log->partitions = memory_take_zeroed(partitions, sizeof *log->partitions);
    log->partition_count = partitions;
    for (uint32_t i = 0; i < partitions; i++)
        log->partitions[i].committed = -1;
    return log;
}

static void transaction_free(struct log_transaction *transaction)
{
    arena_fini(&transaction->arena);
    free(transaction);
}

static void free_chains(struct memory_log *log)
{
    while (log->open) {
        struct log_transaction *next = log->open->next;
        transaction_free(log->open);
        log->open = next;
    }
    while (log->instances) {
        struct log_instance *next = log->instances->next;
        free(log->instances);
        log->instances = next;
    }
}

void memory_log_destroy(struct memory_log *log)
{
    assert(!log->members);
    for (uint32_t i = 0; i < log->partition_count; i++) {
        free(log->partitions[i].records);
        free(log->partitions[i].metadata);
    }
    for (int i = 0; i < OUTGOING_TOPICS; i++)
        free(log->outputs[i].messages);
    free_chains(log);
    free(log->partitions);
    arena_fini(&log->arena);
    (void)pthread_mutex_destroy(&log->mutex);
    free(log);
}

struct log_partition *log_partition_of(struct memory_log *log, uint32_t unit)
{
    assert(unit < log->partition_count);
    return &log->partitions[unit];
}

/* ---- input
 * --------------------------------------------------------------------------------------- */

static const void *copy_bytes(struct arena *arena, const void *bytes, size_t size)
{
    return bytes ? arena_copy(arena, bytes, size) : NULL;
}

const struct header *log_copy_headers(struct arena *arena, const struct header *headers,
                                      size_t count)
{
    struct header *copies = arena_take(arena, count * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i].name = arena_copy(arena, headers[i].name, strlen(headers[i].name) + 1);
        copies[i].value = copy_bytes(arena, headers[i].value, headers[i].value_size);
        copies[i].value_size = headers[i].value_size;
    }
    return copies;
}

static int64_t append(struct memory_log *log, uint32_t unit, const struct memory_input *input)
{
    struct log_partition *partition = log_partition_of(log, unit);
    if (partition->count == partition->room) {
        partition->room = partition->room ? partition->room * 2 : 64;
        partition->records =
            memory_resize(partition->records, partition->room * sizeof *partition->records);
    }
    int64_t offset = partition->end++;
    partition->records[partition->count++] = (struct record){
        .unit = unit,
        .offset = offset,
        .timestamp_ms = input->timestamp_ms,
        .key = copy_bytes(&log->arena, input->key, input->key_size),
        .key_size = input->key_size,
        .value = copy_bytes(&log->arena, input->value, input->value_size),
        .value_size = input->value_size,
        .headers = log_copy_headers(&log->arena, input->headers, input->header_count),
        .header_count = input->header_count};
    return offset;
}

int64_t memory_log_append(struct memory_log *log, uint32_t unit, const struct memory_input *input)
{
    log_lock(log);
    int64_t offset = append(log, unit, input);
    log_unlock(log);
    return offset;
}

void memory_log_skip(struct memory_log *log, uint32_t unit, int64_t offsets)
{
    log_lock(log);
    log_partition_of(log, unit)->end += offsets;
    log_unlock(log);
}

int64_t memory_log_end(struct memory_log *log, uint32_t unit)
{
    log_lock(log);
    int64_t end = log_partition_of(log, unit)->end;
    log_unlock(log);
    return end;
}

void memory_log_truncate(struct memory_log *log, uint32_t unit, int64_t first)
{
    log_lock(log);
    struct log_partition *partition = log_partition_of(log, unit);
    if (first > partition->first)
        partition->first = first < partition->end ? first : partition->end;
    log_unlock(log);
}

size_t log_find(const struct log_partition *partition, int64_t offset)
{
    size_t low = 0, high = partition->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition->records[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- offsets and output
 * -------------------------------------------------------------------------- */

static void set_committed(struct log_partition *partition, int64_t offset, const char *metadata)
{
    char *copy = offset < 0 ? NULL : memory_copy_text(metadata ? metadata : "");
    free(partition->metadata);
    partition->metadata = copy;
    partition->committed = offset < 0 ? -1 : offset;
}

int64_t memory_log_committed(struct memory_log *log, uint32_t unit, const char **metadata)
{
    log_lock(log);
    const struct log_partition *partition = log_partition_of(log, unit);
    int64_t offset = partition->committed;
    if (metadata)
        *metadata = partition->metadata ? partition->metadata : "";
    log_unlock(log);
    return offset;
}

void memory_log_set_committed(struct memory_log *log, uint32_t unit, int64_t offset,
                              const char *metadata)
{
    log_lock(log);
    set_committed(log_partition_of(log, unit), offset, metadata);
    log_unlock(log);
}

void memory_log_truncate_stages(struct memory_log *log, size_t count)
{
    log_lock(log);
    log->stages_truncated = count;
    log_unlock(log);
}

size_t memory_log_output_count(struct memory_log *log, enum outgoing_topic topic)
{
    log_lock(log);
    size_t count = log->outputs[topic].count;
    log_unlock(log);
    return count;
}

const struct outgoing_message *memory_log_output(struct memory_log *log, enum outgoing_topic topic,
                                                 size_t index)
{
    log_lock(log);
    assert(index < log->outputs[topic].count);
    const struct outgoing_message *message = log->outputs[topic].messages[index];
    log_unlock(log);
    return message;
}

void memory_log_set_away(struct memory_log *log, bool away)
{
    log_lock(log);
    log->away = away;
    log_unlock(log);
}

/* ---- transactions
 * -------------------------------------------------------------------------------- */

struct log_instance *log_instance_of(struct memory_log *log, const char *name)
{
    for (struct log_instance *instance = log->instances; instance; instance = instance->next)
        if (strcmp(instance->name, name) == 0)
            return instance;
    size_t size = strlen(name) + 1;
    struct log_instance *instance = memory_take_zeroed(1, sizeof *instance + size);
    memcpy(instance->name, name, size);
    instance->next = log->instances;
    log->instances = instance;
    return instance;
}

static struct outgoing_message copy_message(struct arena *arena,
                                            const struct outgoing_message *from)
{
    struct outgoing_message copy = *from;
    copy.key = copy_bytes(arena, from->key, from->key_size);
    copy.value = copy_bytes(arena, from->value, from->value_size);
    copy.headers = log_copy_headers(arena, from->headers, from->header_count);
    return copy;
}

struct log_transaction *log_begin(struct memory_log *log, struct log_instance *instance,
                                  const struct transaction *content)
{
    struct log_transaction *transaction = memory_take_zeroed(1, sizeof *transaction);
    struct arena *arena = &transaction->arena;
    arena_init(arena, 4096);
    struct outgoing_message *messages =
        arena_take(arena, content->message_count * sizeof *messages);
    for (size_t i = 0; i < content->message_count; i++)
        messages[i] = copy_message(arena, &content->messages[i]);
    struct unit_commit *commits = arena_take(arena, content->commit_count * sizeof *commits);
    for (size_t i = 0; i < content->commit_count; i++) {
        const char *metadata = content->commits[i].metadata ? content->commits[i].metadata : "";
        commits[i] = content->commits[i];
        commits[i].metadata = arena_copy(arena, metadata, strlen(metadata) + 1);
    }
    transaction->content =
        (struct transaction){messages, content->message_count, commits, content->commit_count};
    transaction->instance = instance;
    transaction->next = log->open;
    log->open = transaction;
    return transaction;
}

static void publish_event(struct memory_log *log, const struct outgoing_message *message)
{
    struct memory_input input = {.key = message->key,
                                 .key_size = message->key_size,
                                 .value = message->value,
                                 .value_size = message->value_size,
                                 .timestamp_ms = message->timestamp_ms ? message->timestamp_ms : -1,
                                 .headers = message->headers,
                                 .header_count = message->header_count};
    (void)append(log, message->partition, &input);
}

static void publish(struct memory_log *log, const struct outgoing_message *message)
{
    if (message->topic == TOPIC_EVENTS) {
        publish_event(log, message);
        return;
    }
    struct log_output *output = &log->outputs[message->topic];
    if (output->count == output->room) {
        output->room = output->room ? output->room * 2 : 64;
        output->messages = memory_resize(output->messages, output->room * sizeof *output->messages);
    }
    struct outgoing_message *copy = arena_take(&log->arena, sizeof *copy);
    *copy = copy_message(&log->arena, message);
    output->messages[output->count++] = copy;
}

void log_end(struct memory_log *log, struct log_transaction *transaction, bool commits)
{
    struct log_transaction **at = &log->open;
    while (*at != transaction)
        at = &(*at)->next;
    *at = transaction->next;
    const struct transaction *content = &transaction->content;
    for (size_t i = 0; commits && i < content->message_count; i++)
        publish(log, &content->messages[i]);
    for (size_t i = 0; commits && i < content->commit_count; i++)
        set_committed(log_partition_of(log, content->commits[i].unit), content->commits[i].offset,
                      content->commits[i].metadata);
    transaction_free(transaction);
}

bool log_hides(const struct memory_log *log, uint32_t unit)
{
    for (const struct log_transaction *open = log->open; open; open = open->next)
        for (size_t i = 0; i < open->content.commit_count; i++)
            if (open->content.commits[i].unit == unit)
                return true;
    return false;
}

size_t memory_log_open_transactions(struct memory_log *log)
{
    size_t count = 0;
    log_lock(log);
    for (const struct log_transaction *open = log->open; open; open = open->next)
        count++;
    log_unlock(log);
    return count;
}

void memory_log_resolve(struct memory_log *log)
{
    log_lock(log);
    for (struct log_transaction *open = log->open, *next; open; open = next) {
        next = open->next;
        if (open->abandoned)
            log_end(log, open, open->commits);
    }
    log_unlock(log);
}

/* ---- the stages topic, read back
 * ----------------------------------------------------------------- */

struct memory_stage_log {
    struct stage_log port;
    struct memory_log *log;
};

static enum status stage_log_read(struct stage_log *port,
                                  enum status (*each)(void *context, const uint8_t *value,
                                                      size_t size),
                                  void *context, bool *truncated, struct error *error)
{
    struct memory_log *log = ((struct memory_stage_log *)port)->log;
    log_lock(log);
    bool away = log->away;
    size_t from = log->stages_truncated, count = log->outputs[TOPIC_STAGES].count;
    log_unlock(log);
    if (away)
        return error_set(error, STATUS_RETRY, "the broker is away");
    *truncated = from > 0;
    for (size_t i = from; i < count; i++) {
        const struct outgoing_message *message = memory_log_output(log, TOPIC_STAGES, i);
        enum status status = each(context, message->value, message->value_size);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void stage_log_destroy(struct stage_log *port)
{
    free(port);
}

struct stage_log *memory_stage_log_create(struct memory_log *log)
{
    struct memory_stage_log *stages = memory_take_zeroed(1, sizeof *stages);
    stages->port = (struct stage_log){.read = stage_log_read, .destroy = stage_log_destroy};
    stages->log = log;
    return &stages->port;
}
