/* What a log is made of: for the files of this folder only. Every function here wants the lock
 * held. */
#ifndef MEMORY_MEMORY_LOG_H
#define MEMORY_MEMORY_LOG_H

#include "memory/memory.h"

#include <pthread.h>

struct log_partition {
    struct record *records; /* ascending offsets, which may have gaps */
    size_t count, room;
    int64_t first, end;
    int64_t committed; /* -1: none */
    char *metadata;
};

struct log_output {
    struct outgoing_message **messages;
    size_t count, room;
};

/* A transactional id. Whoever took it last holds the present epoch. */
struct log_instance {
    struct log_instance *next;
    uint64_t epoch;
    char name[];
};

struct log_transaction {
    struct log_transaction *next;
    struct log_instance *instance;
    struct arena arena;
    struct transaction content; /* copies */
    bool abandoned;             /* its owner ends it no more … */
    bool commits;               /* … and this is how it ends */
};

/* Where a member stands. It owns units from ASSIGNED to its release. */
enum member_state {
    MEMBER_OUT,      /* joins at its next fetch */
    MEMBER_WAITING,  /* for the others to release */
    MEMBER_GIVEN,    /* assigned, and not told yet */
    MEMBER_ASSIGNED, /* told */
    MEMBER_REVOKING, /* to be told, or to release */
    MEMBER_LOST,
};

struct memory_source {
    struct source port;
    struct memory_log *log;
    struct memory_source *next; /* in the order of joining */
    enum member_state state;
    bool told; /* of REVOKING or LOST */
    bool member;
    uint32_t *units; /* room for all */
    size_t unit_count;
    struct unit_position *positions; /* the same */
    bool *end_told;
    size_t position_count, turn;
    size_t batch, run;
    bool sleeping;
    struct arena fetched; /* records lent out */
};

struct memory_log {
    pthread_mutex_t mutex;
    struct log_partition *partitions;
    uint32_t partition_count;
    struct log_output outputs[OUTGOING_TOPICS];
    size_t stages_truncated;
    struct arena arena; /* all that is never given back */
    struct log_transaction *open;
    struct log_instance *instances;
    struct memory_source *members;
    bool rebalancing, away;
    size_t event_bytes; /* a record of the events topic; 0: any size */
};

void log_lock(struct memory_log *log);
void log_unlock(struct memory_log *log);
struct log_partition *log_partition_of(struct memory_log *log, uint32_t unit);
/* Index of the first record at or behind an offset. */
size_t log_find(const struct log_partition *partition, int64_t offset);
const struct header *log_copy_headers(struct arena *arena, const struct header *headers,
                                      size_t count);

struct log_instance *log_instance_of(struct memory_log *log, const char *name);
struct log_transaction *log_begin(struct memory_log *log, struct log_instance *instance,
                                  const struct transaction *content);
/* Ends and frees it. */
void log_end(struct memory_log *log, struct log_transaction *transaction, bool commits);
/* An open transaction holds the offset of this unit. */
bool log_hides(const struct memory_log *log, uint32_t unit);

void log_rebalance(struct memory_log *log);
/* May this member commit offsets? It may as long as the group counts it in and waits for its
 * release: a new generation begins only when nobody is in these states. */
bool log_may_commit(const struct memory_source *source);

#endif
