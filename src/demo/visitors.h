/* The visitors of the demo's site: who they are, and what each of their events says, as JSON. All
 * of it follows from the seed. With an agreement other than the demo's own, what they do follows
 * from its rules (script.h). */
#ifndef DEMO_VISITORS_H
#define DEMO_VISITORS_H

#include "base/text_buffer.h"

#include <baton/agreement.h>

#include <stdbool.h>
#include <stdint.h>

enum persona { PASSER_BY, STUDENT, RESEARCHER, BUYER, COMPETITOR };

struct session {
    uint32_t visitor;
    uint32_t left; /* events to come */
    uint32_t told;
    uint32_t number;
};

struct teller {
    const struct baton_agreement *agreement; /* borrowed; NULL: the demo's own site */
    uint64_t seed, random;
    struct text_buffer value; /* of the event that was told last */
};

uint64_t teller_chance(struct teller *teller);
uint32_t teller_below(struct teller *teller, uint32_t limit);
bool teller_percent(struct teller *teller, uint32_t share);

/* What is always the same of a visitor. */
enum persona teller_persona(const struct teller *teller, uint32_t visitor);
void teller_name(const struct teller *teller, uint32_t visitor, char *name, size_t room);
/* The next event of a session. */
void teller_tell(struct teller *teller, const struct session *session, int64_t time_ms);

#endif
