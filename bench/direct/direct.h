/* Sends to Kafka at a fifth of what a client library costs, so that little of the machine goes to
 * making the traffic that others are measured with.
 *
 * Records are written straight into batches; a round of batches, one of each partition, is one
 * request. A held sender makes all its requests first and sends them when each is due.
 *
 * It leaves out what only matters elsewhere: TLS and SASL, retries, changes of leaders. Whatever
 * the broker refuses counts as failed, and a lost connection ends the run. Every batch is
 * acknowledged by all replicas (acks=all); partitions are chosen by murmur2, as Java does.
 *
 * One thread. Nothing is allocated per record. */
#ifndef BENCH_DIRECT_DIRECT_H
#define BENCH_DIRECT_DIRECT_H

#include "base/status.h"
#include "common/kafka.h"

#include <stdbool.h>
#include <stdint.h>

struct direct_settings {
    uint32_t batch_bytes; /* of a partition's records before packing; 0: 64 KiB, one LZ4 block */
    double linger;        /* seconds from a round's first record until it goes, full or not */
    uint64_t room_bytes;  /* of what may be unanswered; 0: 16 MiB */
    bool uncompressed;    /* else LZ4 */
    /* Told of every record with a mark, from within direct_poll and direct_flush. offset < 0: it
     * failed. May be NULL. */
    void (*answered)(void *context, uint64_t mark, int32_t partition, int64_t offset);
    void *context;
};

struct direct_counts {
    uint64_t records, acked, failed, rounds;
    uint64_t bytes; /* sent or to be sent, packed */
};

struct direct;

/* Connects to the leaders of the topic's partitions. NULL: *error says why not. */
struct direct *direct_create(const struct common_options *common,
                             const struct direct_settings *settings, struct error *error);
/* Forgets what was not sent. */
void direct_destroy(struct direct *direct);

/* Takes a copy. mark 0: nobody needs to know. Returns the partition. */
int32_t direct_send(struct direct *direct, const char *key, size_t key_size, const uint8_t *value,
                    size_t value_size, uint64_t mark);
/* Whether less than room_bytes is unanswered. direct_send does not look. */
bool direct_has_room(const struct direct *direct);
/* Sends what is due, takes answers, waits for something to happen for at most `seconds`. Call
 * every millisecond or two. STATUS_STOP: a connection is lost, *error says which. */
enum status direct_poll(struct direct *direct, double seconds, struct error *error);
/* Sends all, and waits for all answers for at most `seconds`; what is then without one has failed.
 */
enum status direct_flush(struct direct *direct, double seconds, struct error *error);

/* From now on nothing is sent; direct_send's records are due `at` (seconds from a beginning that is
 * not known yet, never falling). Call again whenever that changes. */
void direct_hold(struct direct *direct, double at);
/* Ends the holding: the beginning is at clock_seconds() == `beginning`. */
void direct_release(struct direct *direct, double beginning);
/* Gives up what has not begun to be sent: it has failed. */
void direct_forget(struct direct *direct);
/* After direct_release: how late the next request is at clock_seconds() `now`; negative: not yet
 * due, by so much; -INFINITY: none is left. */
double direct_late(const struct direct *direct, double now);

struct direct_counts direct_counts(const struct direct *direct);
/* What the first refusal was; "" if there was none. */
const char *direct_refusal(const struct direct *direct);

#endif
