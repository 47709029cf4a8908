/* The port `store` on Redis: checkpoints under a fence. What lies where:
 *
 *   PREFIX:{17}:unit      hash: token, step and the fields that the pipeline gives
 *   PREFIX:{17}:words     hash: dictionary of the unit, by decimal id
 *   PREFIX:{17}:texts     hash: agreements and schemas, by name
 *   PREFIX:{17}:days      hash: counters by day (days since 1970), spend, judgements
 *   PREFIX:{17}:clocks    hash: when the next clock of a lead is due, by lead id
 *   PREFIX:{17}:lead:ID   hash: score and stage for people (no stage: it is `lead`); a, b, … z, aa,
 *                         … the packed lead behind its size (a varint), in chunks of 64 bytes.
 *                         Former versions wrote every stage, and `updated`; such a hash is read,
 *                         and mended by its next write.
 *
 * A write is a script that does nothing unless token and step are what Redis holds, and moves the
 * step on as its last act. Writes are queued and answered in order; a read is asked behind them. */
#ifndef REDIS_REDIS_STORE_H
#define REDIS_REDIS_STORE_H

#include "base/text_buffer.h"
#include "pipeline/ports.h"
#include "redis/redis_config.h"

/* Does not connect: the first call does. Copies the configuration. STOP: a prefix that cannot be
 * used. */
enum status redis_store_create(struct store **store, const struct redis_config *config,
                               struct error *error);

/* Looks at the settings of the server that checkpoints rely on. STOP with the command that corrects
 * a wrong one; what could not be looked at, or costs only memory, is added to `warnings`, one line
 * each. RETRY: Redis is away. */
enum status redis_check_settings(const struct redis_config *config, struct text_buffer *warnings,
                                 struct error *error);

#endif
