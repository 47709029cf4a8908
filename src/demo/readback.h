/* What became of the messages, read back from Redis and from the output topics: nothing here knows
 * what was sent. */
#ifndef DEMO_READBACK_H
#define DEMO_READBACK_H

#include "base/status.h"
#include "demo/stage.h"

#include <stdint.h>

struct readback;

struct readback_counts {
    /* from the units in Redis */
    uint64_t events, duplicates, too_late, dead_in_redis;
    /* from the leads in Redis, at the last scan */
    uint64_t leads, mql, sql;
    uint64_t accepted, customers, rejected;
    /* from the topics */
    uint64_t promotions, dead_letters, became_mql, became_sql;
};

enum status readback_open(const struct stage *stage, struct readback **out, struct error *error);
void readback_close(struct readback *readback);
/* Takes in what the topics have now; `promotion` is called for each promotion with its value. */
enum status readback_topics(struct readback *readback, int timeout_ms,
                            void (*promotion)(void *context, const void *json, size_t size),
                            void *context, struct error *error);
enum status readback_units(struct readback *readback, struct error *error);
enum status readback_leads(struct readback *readback, struct error *error);
const struct readback_counts *readback_counts(const struct readback *readback);
/* Dead letters by reason, "12 unreadable, 3 empty". */
void readback_reasons(const struct readback *readback, char *text, size_t room);

#endif
