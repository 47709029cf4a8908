#include "base/arena.h"
#include "memory/memory_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct memory_sink {
    struct sink port;
    struct memory_log *log;
    struct memory_source *source;
    struct log_instance *instance;
    uint64_t epoch; /* 0: never reset */
    enum sink_state state;
    bool refused;                     /* by the group or the broker: it never began */
    enum memory_outcome outcome;      /* of transactions to come */
    enum memory_outcome this_outcome; /* of the one that is open */
    struct log_transaction *open;
    struct transaction lent;
};

static struct memory_sink *self(struct sink *sink)
{
    return (struct memory_sink *)sink;
}

static bool shut_out(const struct memory_sink *sink)
{
    return sink->instance->epoch != sink->epoch;
}

void memory_log_set_event_bytes(struct memory_log *log, size_t bytes)
{
    log_lock(log);
    log->event_bytes = bytes;
    log_unlock(log);
}

static size_t size_of(const struct outgoing_message *message)
{
    size_t size = message->key_size + message->value_size;
    for (size_t i = 0; i < message->header_count; i++)
        size += strlen(message->headers[i].name) + message->headers[i].value_size;
    return size;
}

static bool takes(const struct memory_log *log, const struct transaction *transaction)
{
    for (size_t i = 0; log->event_bytes && i < transaction->message_count; i++)
        if (transaction->messages[i].topic == TOPIC_EVENTS &&
            size_of(&transaction->messages[i]) > log->event_bytes)
            return false;
    return true;
}

static void sink_begin(struct sink *port, const struct transaction *transaction)
{
    struct memory_sink *sink = self(port);
    assert(sink->epoch && sink->state == SINK_IDLE);
    log_lock(sink->log);
    sink->state = SINK_BUSY;
    sink->lent = *transaction;
    sink->this_outcome = sink->outcome;
    sink->refused = sink->log->away || sink->instance->epoch != sink->epoch ||
                    !log_may_commit(sink->source) || !takes(sink->log, transaction);
    if (!sink->refused)
        sink->open = log_begin(sink->log, sink->instance, transaction);
    log_unlock(sink->log);
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

/* What was lent must have stood still until now; a sanitizer sees it where it was given back. */
static void check_lent(const struct memory_sink *sink)
{
    const struct transaction *kept = &sink->open->content, *lent = &sink->lent;
    for (size_t i = 0; i < kept->message_count; i++) {
        const struct outgoing_message *a = &kept->messages[i], *b = &lent->messages[i];
        assert(same_bytes(a->key, b->key, a->key_size) &&
               same_bytes(a->value, b->value, a->value_size));
        for (size_t h = 0; h < a->header_count; h++)
            assert(same_bytes(a->headers[h].value, b->headers[h].value, a->headers[h].value_size));
    }
    for (size_t i = 0; i < kept->commit_count; i++)
        assert(!lent->commits[i].metadata ||
               strcmp(kept->commits[i].metadata, lent->commits[i].metadata) == 0);
}

static void end(struct memory_sink *sink, bool commits)
{
    check_lent(sink);
    log_end(sink->log, sink->open, commits);
    sink->open = NULL;
    sink->state = commits ? SINK_COMMITTED : SINK_FAILED;
}

/* Its owner learns no more of it; the coordinator ends it. */
static void abandon(struct memory_sink *sink, bool commits)
{
    sink->open->abandoned = true;
    sink->open->commits = commits;
    sink->open = NULL;
    sink->state = SINK_FAILED;
}

static void advance(struct memory_sink *sink)
{
    if (sink->refused) {
        sink->state = SINK_FAILED;
        return;
    }
    if (shut_out(sink)) { /* whoever took our id has ended it */
        sink->open = NULL;
        sink->state = SINK_FAILED;
        return;
    }
    if (sink->log->away) {
        check_lent(sink);
        abandon(sink, false);
        return;
    }
    switch (sink->this_outcome) {
    case MEMORY_HOLD: break;
    case MEMORY_COMMIT: end(sink, true); break;
    case MEMORY_ABORT: end(sink, false); break;
    case MEMORY_UNKNOWN_COMMITTED:
    case MEMORY_UNKNOWN_ABORTED:
        check_lent(sink);
        abandon(sink, sink->this_outcome == MEMORY_UNKNOWN_COMMITTED);
        break;
    }
}

static enum sink_state sink_poll(struct sink *port, struct error *error)
{
    struct memory_sink *sink = self(port);
    if (sink->state == SINK_BUSY) {
        log_lock(sink->log);
        advance(sink);
        log_unlock(sink->log);
    }
    enum sink_state state = sink->state;
    if (state == SINK_FAILED)
        (void)error_set(error, STATUS_RETRY, "the transaction was not confirmed");
    if (state == SINK_COMMITTED)
        sink->state = SINK_IDLE;
    return state;
}

/* As a new producer does: what an older one of that id left open is ended. */
static void end_former(struct memory_sink *sink)
{
    for (struct log_transaction *open = sink->log->open, *next; open; open = next) {
        next = open->next;
        if (open->instance == sink->instance)
            log_end(sink->log, open, open->abandoned && open->commits);
    }
    sink->open = NULL;
}

static enum status sink_reset(struct sink *port, struct error *error)
{
    struct memory_sink *sink = self(port);
    enum status status = STATUS_OK;
    log_lock(sink->log);
    if (sink->log->away)
        status = error_set(error, STATUS_RETRY, "the broker is away");
    else if (sink->epoch && shut_out(sink))
        status =
            error_set(error, STATUS_STOP, "two processes use instance %s", sink->instance->name);
    else {
        end_former(sink);
        sink->epoch = ++sink->instance->epoch;
        sink->state = SINK_IDLE;
    }
    log_unlock(sink->log);
    return status;
}

static bool would_commit(enum memory_outcome outcome)
{
    return outcome == MEMORY_COMMIT || outcome == MEMORY_UNKNOWN_COMMITTED;
}

static void sink_destroy(struct sink *port)
{
    struct memory_sink *sink = self(port);
    log_lock(sink->log);
    if (sink->open && !shut_out(sink))
        abandon(sink, would_commit(sink->this_outcome));
    log_unlock(sink->log);
    free(sink);
}

struct sink *memory_sink_create(struct memory_log *log, struct source *source, const char *instance)
{
    struct memory_sink *sink = memory_take_zeroed(1, sizeof *sink);
    sink->port = (struct sink){
        .begin = sink_begin, .poll = sink_poll, .reset = sink_reset, .destroy = sink_destroy};
    sink->log = log;
    sink->source = (struct memory_source *)source;
    log_lock(log);
    sink->instance = log_instance_of(log, instance);
    log_unlock(log);
    return &sink->port;
}

void memory_sink_set_outcome(struct sink *port, enum memory_outcome outcome)
{
    self(port)->outcome = outcome;
}

void memory_sink_finish(struct sink *port, enum memory_outcome outcome)
{
    assert(self(port)->state == SINK_BUSY && outcome != MEMORY_HOLD);
    self(port)->this_outcome = outcome;
}

bool memory_sink_is_held(struct sink *port)
{
    return self(port)->state == SINK_BUSY && self(port)->this_outcome == MEMORY_HOLD;
}
