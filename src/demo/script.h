/* What leads do where the agreement is not the demo's own: its rules say which events, and which
 * people, make it live. All of it follows from the seed. */
#ifndef DEMO_SCRIPT_H
#define DEMO_SCRIPT_H

#include "demo/visitors.h"

#include <baton/agreement.h>

/* The next event of a session, into the teller's value. A buyer is a person whom the agreement
 * likes, a competitor one whom it never promotes, a student one who loses points. */
void script_tell(struct teller *teller, const struct session *session, int64_t time_ms);

#endif
