/* From what a message says to an event: the checks in their fixed order, derived fields, profile
 * updates. */
#ifndef CODEC_EVENT_CHECKS_H
#define CODEC_EVENT_CHECKS_H

#include "codec/field_map.h"

/* Which form fields update the profile, ordered by the bytes of their names. */
struct form_mapping {
    struct form_target {
        struct baton_text name;
        enum baton_profile_field field;
        struct baton_text property; /* of BATON_PROPERTY */
    } * targets;                    /* owned */
    size_t count;
};

/* STATUS_STOP for a mapping that cannot be. The names are borrowed from the configuration. */
enum status form_mapping_build(struct form_mapping *mapping, const struct input_config *config,
                               struct error *error);
void form_mapping_fini(struct form_mapping *mapping);

/* The verdict on a message that could be read. */
void event_check(const struct input_config *config, const struct form_mapping *mapping,
                 const struct message *message, const struct raw_event *raw, struct arena *arena,
                 struct baton_event *event, struct decode_result *result);

/* event_details.c: fills the detail of a kind that has one; false with DEAD_BAD_CONTENT. The
 * event's ids and time stand already. */
bool event_detail_read(const struct message *message, const struct raw_event *raw,
                       struct arena *arena, struct baton_event *event,
                       struct decode_result *result);

/* Sets a verdict; what is not printable ASCII becomes `?`. */
__attribute__((format(printf, 3, 4))) void
decode_result_dead(struct decode_result *result, enum dead_reason reason, const char *format, ...);

#endif
