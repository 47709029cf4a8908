/* Headers of an outgoing message, collected in an arena: CloudEvents 1.0, Kafka binding, binary
 * mode. */
#ifndef CODEC_OUTGOING_HEADERS_H
#define CODEC_OUTGOING_HEADERS_H

#include "codec/outgoing.h"

struct header_list {
    struct arena *arena;
    struct header *at;
    size_t count, room;
};

/* `room`: how many there can be at most. */
void header_list_init(struct header_list *list, struct arena *arena, size_t room);
/* The name and the value must outlive the arena's use. */
void header_list_add(struct header_list *list, const char *name, const void *value, size_t size);
void header_list_add_text(struct header_list *list, const char *name, const char *value);
__attribute__((format(printf, 3, 4))) void
header_list_print(struct header_list *list, const char *name, const char *format, ...);
void header_list_add_time(struct header_list *list, const char *name, int64_t time_ms);
/* traceparent, and tracestate if there is a traceparent: the last of each, as they are. */
void header_list_forward_trace(struct header_list *list, const struct header *from, size_t count);

/* What is not A-Z a-z 0-9 - . _ ~ as %XX; ends with NUL. */
const char *percent_encoded(struct arena *arena, const void *bytes, size_t size);

#endif
