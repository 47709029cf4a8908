/* The agreements of a running process: a file or a folder of versions, read at the start, at
 * SIGHUP, and where a folder changes. Workers see one set or the next. One thread, but for what
 * workers read.
 */
#ifndef COMMANDS_RUN_AGREEMENTS_H
#define COMMANDS_RUN_AGREEMENTS_H

#include "agreement/versions.h"
#include "config/config.h"

#include <stdatomic.h>

struct run_agreements {
    const char *path;
    const struct versions *_Atomic current; /* what worker_config.versions points to */
    struct versions **sets;                 /* all that were ever in force: workers may hold them */
    size_t set_count;
    uint64_t seen; /* of a folder: names, sizes and times, as they were looked at last */
    bool watched, unsigned_too;
    int64_t look_us;
};

/* False: what is wrong stands on stderr. `unsigned_too`: what nobody has signed may be in force. */
bool run_agreements_init(struct run_agreements *agreements, const char *path, bool watch,
                         bool unsigned_too);
/* Behind all workers. */
void run_agreements_fini(struct run_agreements *agreements);
/* The set in force. */
const struct versions *run_agreements_set(const struct run_agreements *agreements);
/* In force now; of a log line. */
const struct agreement *run_agreements_now(const struct run_agreements *agreements);
/* Does any of the set's versions promise something? */
bool run_agreements_have_pact(const struct versions *versions);
/* At SIGHUP: a warning where the configuration names another agreement than at the start. */
void run_agreements_tell_moved(const struct config *config);
/* Reads them anew; `good` may refuse the new set, with an error that is logged. What does not load,
 * or is refused, leaves the former set in force. */
void run_agreements_reload(struct run_agreements *agreements,
                           bool (*good)(void *context, const struct versions *versions),
                           void *context);
/* A folder that is watched: has it changed, and come to rest since? Looked at every five seconds.
 */
bool run_agreements_changed(struct run_agreements *agreements);

#endif
