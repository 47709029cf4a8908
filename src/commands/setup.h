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
#include "pipeline/identity.h"
#include "redis/redis_config.h"

#include <stdio.h>

/* Reads the configuration of -c; findings go to stderr. Returns an exit code; *config NULL unless
 * it is 0. */
int setup_config(const struct invocation *invocation, struct config **config);
/* The folder that `schemas.directory` names; false with a line. */
bool setup_schemas_are_there(const struct config *config, struct text_buffer *messages);
/* One that is there, where a verb does without it as well: in silence, NULL where there is none. */
void setup_config_quietly(const struct invocation *invocation, struct config **config);
/* Reads the agreement that the configuration names, or any other file; errors go to stderr, and
 * warnings with them where it is the agreement that one asks for. */
int setup_agreement(const char *path, enum language language, bool warnings,
                    struct agreement **agreement);

/* A file of events, "-" for stdin, or a pipe; NULL with an error. */
FILE *setup_events_open(const char *path, struct error *error);

/* output.lang of the configuration (NULL: English). */
enum language setup_output_language(const struct config *config);
/* --lang of the verb where it has that option, else output.lang of the configuration (NULL:
 * English). False with a line on stderr where --lang is none. */
bool setup_language(const struct invocation *invocation, const struct config *config,
                    enum language *language);

/* One line on stderr when the agreement is not in force today. */
void setup_tell_dates(const struct agreement *agreement, enum language language);
/* The same for the configured one in the configured language, by verbs that do without it: one
 * that cannot be read is passed over in silence. */
void setup_tell_configured_dates(const struct config *config);

void setup_redis(const struct config *config, struct redis_config *redis);
/* instance: "" for one-shot verbs. */
void setup_kafka(const struct config *config, const char *config_path, const char *instance,
                 struct arena *arena, struct kafka_settings *kafka);
void setup_input(const struct config *config, struct arena *arena, struct input_config *input);
void setup_identity(const struct config *config, struct identity_config *identity);
enum output_format setup_output_format(const struct config *config);

/* Whether --out names a file that is not one of those that are read: the configuration, the
 * agreement that it names, and `others` (NULL: none). False with a line on stderr. */
bool setup_out_is_free(const struct invocation *invocation, const struct config *config,
                       const char *const *others, size_t count);

#endif
