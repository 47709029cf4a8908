/* What is read out of a URL (docs/scoring.md, "Fields derived from a URL"). Nothing is cut yet. */
#ifndef CODEC_URL_H
#define CODEC_URL_H

#include "base/arena.h"

#include <baton/event.h>

enum url_parameter { UTM_SOURCE, UTM_MEDIUM, UTM_CAMPAIGN, UTM_TERM, UTM_CONTENT, URL_PARAMETERS };

/* Size 0 where there is none. Slices of the URL, from the arena where letters or escapes changed.
 */
struct url_parts {
    struct baton_text host, page;
    struct baton_text utm[URL_PARAMETERS];
};

/* The URL must be UTF-8 and not empty. */
void url_read(struct arena *arena, struct baton_text url, struct url_parts *parts);
/* A page without its query and fragment. */
struct baton_text url_page(struct baton_text page);

#endif
