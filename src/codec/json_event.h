/* A message that is a JSON object. */
#ifndef CODEC_JSON_EVENT_H
#define CODEC_JSON_EVENT_H

#include "base/status.h"
#include "codec/field_map.h"

/* False: unreadable; the problem says why and where. */
bool json_event_read(const struct field_node *fields, const struct input_config *config,
                     const char *text, size_t size, struct arena *arena, struct raw_event *raw,
                     struct error *problem);

#endif
