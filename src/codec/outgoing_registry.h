/* Registers a schema at a registry with Confluent's API. Blocks up to some seconds. Any thread. */
#ifndef CODEC_OUTGOING_REGISTRY_H
#define CODEC_OUTGOING_REGISTRY_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* POST BASE/subjects/SUBJECT/versions. RETRY: the registry is away or not ready; STOP: it refuses.
 */
enum status registry_register(const char *base_url, const char *subject, const char *schema,
                              size_t size, uint32_t *id, struct error *error);

#endif
