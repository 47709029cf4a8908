/* A name and a value, both borrowed: as a store's hashes hold them. */
#ifndef DOMAIN_FIELD_H
#define DOMAIN_FIELD_H

#include <baton/event.h>

struct field {
    struct baton_text name, value;
};

#endif
