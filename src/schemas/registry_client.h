/* A schema registry with Confluent's API, over HTTP. What it has told is kept: ids are immutable.
 */
#ifndef SCHEMAS_REGISTRY_CLIENT_H
#define SCHEMAS_REGISTRY_CLIENT_H

#include "pipeline/ports.h"

#define REGISTRY_TIMEOUT_MS 1000
#define REGISTRY_RESPONSE_MAX (1024u * 1024)

struct registry_client;
struct registry_client *registry_client_create(const char *url);
void registry_client_destroy(struct registry_client *client);
enum status registry_client_get(struct registry_client *client, uint32_t id, struct arena *arena,
                                struct baton_text *text, struct error *error);

/* The schema's text in an answer (also that of a file which is one); borrowed from the arena.
 * REJECT: a schema that cannot be used; RETRY: no answer of a registry. */
enum status registry_answer_read(const char *json, size_t size, struct arena *arena,
                                 struct baton_text *text, struct error *error);

#endif
