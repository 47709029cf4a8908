/* Questions and orders to the broker outside of a worker's loop: topics, the group's offsets, the
 * stages topic. For one thread; calls block for some seconds at most. RETRY: Kafka is away. */
#ifndef KAFKA_ADMIN_H
#define KAFKA_ADMIN_H

#include "base/arena.h"
#include "kafka/kafka_settings.h"
#include "pipeline/ports.h"

struct kafka_admin;

/* Does not join the group, and connects in the background. */
enum status kafka_admin_create(const struct kafka_settings *settings, struct kafka_admin **out,
                               struct error *error);
void kafka_admin_destroy(struct kafka_admin *admin);

/* The input topic, then the outputs by outgoing_topic. */
#define KAFKA_TOPICS (1 + OUTGOING_TOPICS)

struct kafka_topic {
    const char *name; /* of the settings */
    bool exists;
    uint32_t partitions;
    /* Settings; unknown with an embedded broker: 0 and "". */
    int64_t retention_ms; /* -1: without end */
    int64_t max_message_bytes;
    char cleanup_policy[32];
};

enum status kafka_admin_topics(struct kafka_admin *admin, struct kafka_topic out[KAFKA_TOPICS],
                               struct error *error);
/* STOP when a topic is missing (with the command that makes it; that of breaches is looked for only
 * on wish) or when the input topic is compacted. */
enum status kafka_admin_check_topics(struct kafka_admin *admin, bool with_breaches,
                                     struct error *error);

struct kafka_new_topic {
    uint32_t partitions;
    uint32_t replication;
    int64_t retention_ms;
};
/* Makes those that are missing; `created` says which. */
enum status kafka_admin_create_topics(struct kafka_admin *admin,
                                      const struct kafka_new_topic wanted[KAFKA_TOPICS],
                                      bool created[KAFKA_TOPICS], struct error *error);

enum status kafka_admin_partitions(struct kafka_admin *admin, const char *topic, uint32_t *count,
                                   struct error *error);
/* Largest messages that topics take; those that are not there do not count. */
struct kafka_limits {
    size_t events, dead;
    size_t most, least; /* of all our topics */
};
enum status kafka_admin_limits(struct kafka_admin *admin, struct kafka_limits *limits,
                               struct error *error);

struct kafka_unit {
    int64_t first, end; /* of the log; end is that of stored records, open transactions included */
    struct committed
        commit;         /* the newest committed offset, even while a transaction hides the next */
    const char *member; /* client id and host of who holds the unit; "" if nobody */
};
/* From unit 0 on; texts from the arena. */
enum status kafka_admin_group(struct kafka_admin *admin, uint32_t units, struct arena *arena,
                              struct kafka_unit *out, struct error *error);

/* The reader of the stages topic for a rebuild. */
enum status kafka_stage_log_create(const struct kafka_settings *settings, struct stage_log **out,
                                   struct error *error);

#endif
