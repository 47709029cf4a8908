/* Reads the events topic from its beginning to where it ends now, partition by partition, for
 * whoever folds the log again. It joins no group, commits nothing and changes nothing.
 *
 * Events are read as by `run`: by the reader of fetch/, and by librdkafka where that one cannot. */
#ifndef KAFKA_LOG_READER_H
#define KAFKA_LOG_READER_H

#include "kafka/kafka_settings.h"
#include "pipeline/ports.h"

/* The topic; its functions may be called by any thread. */
struct kafka_log;

/* STOP: there is no such topic, … RETRY: Kafka is away. */
enum status kafka_log_create(const struct kafka_settings *settings, struct kafka_log **out,
                             struct error *error);
void kafka_log_destroy(struct kafka_log *log); /* after its readers */
uint32_t kafka_log_partitions(const struct kafka_log *log);
/* Offsets that a partition held when `log` was made: [first, end), what is committed. */
void kafka_log_range(const struct kafka_log *log, uint32_t partition, int64_t *first, int64_t *end);

/* A partition's records from `first` to `end`; used by one thread at a time. */
struct kafka_log_reader;
struct kafka_log_reader *kafka_log_open(struct kafka_log *log, uint32_t partition);
void kafka_log_close(struct kafka_log_reader *reader);
/* The next records, at least one; none: the end is reached. They are borrowed until the next call.
 * RETRY: Kafka has said nothing for half a minute. STOP: retention has removed what comes next. */
enum status kafka_log_next(struct kafka_log_reader *reader, struct record *records, size_t room,
                           size_t *count, struct error *error);

#endif
