/* What source, sink and admin share: a client's configuration, its log, and what an error means.
 * Private to this room. */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include "base/status.h"
#include "base/text_buffer.h"
#include "kafka/kafka_settings.h"
#include "pipeline/ports.h"

#include <librdkafka/rdkafka.h>

enum { KAFKA_CALL_MS = 1000 }; /* how long a question to a broker may take */

enum kafka_role { KAFKA_CONSUMER, KAFKA_PRODUCER };

struct kafka_option {
    const char *name, *value;
};

/* `before` may be changed by the pass-through of the settings, `after` may not. NULL with
 * STATUS_STOP in `error` when a property is refused by librdkafka. */
rd_kafka_conf_t *kafka_client_conf(const struct kafka_settings *settings, enum kafka_role role,
                                   const struct kafka_option *before, size_t before_count,
                                   const struct kafka_option *after, size_t after_count,
                                   struct error *error);
/* Takes the conf in any case. */
rd_kafka_t *kafka_client_create_take(rd_kafka_conf_t *conf, enum kafka_role role,
                                     struct error *error);

/* RETRY for what may pass, STOP for what a person has to mend (rights, credentials, versions). */
enum status kafka_client_family(rd_kafka_resp_err_t code);
/* error_set with the family of the code and its text appended. */
__attribute__((format(printf, 3, 4))) enum status
kafka_client_error(struct error *error, rd_kafka_resp_err_t code, const char *format, ...);

/* Partitions of a topic. STOP when it does not exist, with the command that makes it. */
enum status kafka_client_partitions(rd_kafka_t *client, const char *topic, const char *config_path,
                                    uint32_t *count, struct error *error);

struct kafka_range {
    int64_t first, end;
};
/* What the logs of `count` partitions from `from` on hold. end is the last stable offset for a
 * read_committed client. Not by rd_kafka_query_watermark_offsets, which does not keep to its
 * time-out while a broker is frozen (2.0.2: it never returns). */
enum status kafka_client_ranges(rd_kafka_t *client, const char *topic, uint32_t from,
                                uint32_t count, int timeout_ms, struct kafka_range *out,
                                struct error *error);

struct kafka_group {
    const char *name, *topic;
};
/* As source.committed of pipeline/ports.h. */
enum status kafka_client_committed(rd_kafka_t *consumer, const struct kafka_group *group,
                                   const uint32_t *units, size_t count, struct arena *arena,
                                   struct committed *out, struct error *error);

int64_t kafka_client_now_ms(void); /* monotonic */
/* Whether this librdkafka (2.2.0 and later) lets us say how long a fetcher rests beside a full
 * queue. An older one refuses the property's name and rests for up to a second. */
bool kafka_client_knows_queue_backoff(void);

/* Group metadata as bytes, taken when the group assigned us something. */
struct kafka_membership {
    struct text_buffer bytes; /* size 0: none */
};

/* Takes the group's present metadata. RETRY when they are of no use: a broker would take a commit
 * with generation -1 and no member without checking anything. */
enum status kafka_membership_take(struct kafka_membership *membership, rd_kafka_t *consumer,
                                  struct error *error);
/* The check alone. */
enum status kafka_membership_check(const rd_kafka_consumer_group_metadata_t *metadata,
                                   struct error *error);
/* The caller destroys it. NULL: there is none. */
rd_kafka_consumer_group_metadata_t *
kafka_membership_metadata(const struct kafka_membership *membership);

#endif
