/* Reads the records of units straight from the brokers that lead them: what a consumer of
 * librdkafka does, without its queues and threads. One request is under way while the answer before
 * is read, and a record is handed out where it was unpacked, not copied. (A consumer takes some 0.4
 * CPU seconds per million events to move messages between threads; this takes a sixth of that.)
 *
 * It knows neither TLS nor SASL, record batches before version 2, nor codecs but LZ4: `unsupported`
 * says so, and another reader has to go on. One thread, the caller's; nothing blocks but what
 * `leaders` and a look-up of a host's name take. */
#ifndef FETCH_FETCHER_H
#define FETCH_FETCHER_H

#include "base/status.h"
#include "fetch/protocol.h"
#include "pipeline/ports.h"

struct fetcher;

struct fetcher_settings {
    const char *topic, *client; /* borrowed */
    struct fetch_limits limits;
    int answer_ms; /* how long a broker may be silent beyond limits.wait_ms; 0: 10 s */
    /* Calls fetcher_set_broker and fetcher_set_leader for what it knows. RETRY: nothing now. */
    enum status (*leaders)(void *context, struct fetcher *fetcher, struct error *error);
    void *context;
};

struct fetcher *fetcher_create(const struct fetcher_settings *settings);
void fetcher_destroy(struct fetcher *fetcher);
void fetcher_set_broker(struct fetcher *fetcher, int32_t broker, const char *host, int port);
/* One that set_broker has not named is nobody: `leaders` is asked again. */
void fetcher_set_leader(struct fetcher *fetcher, uint32_t unit, int32_t broker);

/* From now on the unit's records from this offset on are wanted. None of it were before. */
void fetcher_expect(struct fetcher *fetcher, uint32_t unit, int64_t offset);
void fetcher_forget(struct fetcher *fetcher); /* none is wanted any more */
/* The lowest offset that may still come; -1: none is wanted. */
int64_t fetcher_next(const struct fetcher *fetcher, uint32_t unit);
size_t fetcher_units(const struct fetcher *fetcher); /* beyond the greatest that was ever wanted */
/* Offsets up to the ends that the brokers' last answers told, of all units that are wanted. */
uint64_t fetcher_waiting(const struct fetcher *fetcher);

struct fetched {
    size_t count; /* records; of a unit that has none further on just now, one that says so */
    int error;    /* Kafka's number of what a broker says of a unit, or 2: its records are damaged.
                     They are asked for again. 0: nothing */
    uint32_t unit;
    const char *unsupported; /* NULL, or what is not known here: nothing comes any more */
};
/* Waits up to timeout_ms for a first record, then takes what is there, up to `room`. Records are
 * borrowed until the next call. */
void fetcher_take(struct fetcher *fetcher, int timeout_ms, struct record *records, size_t room,
                  struct fetched *out);

#endif
