/* From the configuration to what the rooms want to know. Texts are borrowed from the configuration,
 * arrays come from the arena. */
#ifndef COMMANDS_SETUP_H
#define COMMANDS_SETUP_H

#include "agreement/agreement.h"
#include "base/arena.h"
#include "codec/decoder.h"
#include "commands/commands.h"
#include "config/config.h"
#include "kafka/kafka_settings.h"
#include "redis/redis_config.h"

/* Reads the configuration of -c; findings go to stderr. Returns an exit code; *config NULL unless
 * it is 0. */
int setup_config(const struct invocation *invocation, struct config **config);
/* Reads the agreement that the configuration names, or any other file; findings go to stderr. */
int setup_agreement(const struct invocation *invocation, const char *path,
                    struct agreement **agreement);

/* One line on stderr when the agreement is not in force today. */
void setup_tell_dates(const struct agreement *agreement);
/* The same for the configured one, by verbs that do without it: one that cannot be read is passed
 * over in silence. */
void setup_tell_configured_dates(const struct config *config);

void setup_redis(const struct config *config, struct redis_config *redis);
/* instance: "" for one-shot verbs. */
void setup_kafka(const struct config *config, const char *config_path, const char *instance,
                 struct arena *arena, struct kafka_settings *kafka);
void setup_input(const struct config *config, struct arena *arena, struct input_config *input);
enum output_format setup_output_format(const struct config *config);

#endif
