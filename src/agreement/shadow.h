/* An agreement made to run beside the one in force: domain/shadow.h says what for. Beside another
 * version it is another shadow. */
#ifndef AGREEMENT_SHADOW_H
#define AGREEMENT_SHADOW_H

#include "agreement/agreement.h"

struct baton_shadow;
struct shadow;

/* STOP: it cannot run beside the live one. `agreement` outlives the shadow, `live` need not. */
enum status shadow_create(const struct agreement *agreement, const struct agreement *live,
                          struct shadow **out, struct error *error);
void shadow_destroy(struct shadow *shadow);
/* For the fold; any thread. */
const struct baton_shadow *shadow_compiled(const struct shadow *shadow);

#endif
