/* From the configuration to what the rooms take. What is returned borrows from the configuration
 * and the arena. */
#ifndef COMMANDS_SETTINGS_H
#define COMMANDS_SETTINGS_H

#include "base/arena.h"
#include "codec/decoder.h"
#include "config/config.h"
#include "kafka/kafka_settings.h"
#include "redis/redis_config.h"

struct input_config settings_input(const struct config *config, struct arena *arena);
/* instance: "" for verbs that only ask. */
struct kafka_settings settings_kafka(const struct config *config, const char *instance,
                                     struct arena *arena);
struct redis_config settings_redis(const struct config *config);

#endif
