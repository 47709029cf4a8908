/* Who a visitor is, from what an event says of its profile. */
#ifndef PIPELINE_IDENTITY_H
#define PIPELINE_IDENTITY_H

#include "base/arena.h"

#include <baton/lead.h>

/* Texts are borrowed from the configuration. */
struct identity_config {
    bool enabled;
    enum baton_profile_field field; /* BATON_EMAIL or BATON_PROPERTY */
    struct baton_text name;         /* of a property */
    bool hashed;                    /* SHA-256, hexadecimal */
    struct baton_text prefix;
};

/* The stronger id that the event names, from the arena. False: none, or one that the lead has
 * already, or that cannot be an id. */
bool identity_of(const struct identity_config *config, const struct baton_event *event,
                 const struct baton_lead *lead, struct arena *arena, struct baton_text *id);

#endif
