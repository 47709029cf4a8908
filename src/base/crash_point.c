#include "base/crash_point.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const crash_point_names[] = {
    "after-claim",           "new-unit-position-written", "new-unit-committed",    "new-unit-marked",
    "verdict-written",       "agreement-stored",          "agreement-switched",    "transaction-begun",
    "transaction-produced",  "transaction-offsets-sent",  "transaction-committed", "commit-confirmed",
    "checkpoint-aggregates", "checkpoint-leads-first",    "checkpoint-leads-all",  "checkpoint-position",
    "replay-done",           "revoked-before-checkpoint", NULL,
};

#ifdef BATON_CRASH_POINTS
static atomic_long passes_left = -1; /* -1: not read yet */

static long wanted_pass(const char *wanted)
{
    const char *colon = strchr(wanted, ':');
    long pass = colon ? strtol(colon + 1, NULL, 10) : 1;
    return pass > 0 ? pass : 1;
}

void crash_point_pass(const char *name)
{
    const char *wanted = getenv("BATON_CRASH_AT");
    if (!wanted)
        return;
    size_t size = strcspn(wanted, ":");
    if (strlen(name) != size || memcmp(name, wanted, size) != 0)
        return;
    long unread = -1;
    (void)atomic_compare_exchange_strong(&passes_left, &unread, wanted_pass(wanted));
    if (atomic_fetch_sub(&passes_left, 1) == 1)
        _exit(99);
}

bool crash_point_fault(const char *name)
{
    const char *fault = getenv("BATON_FAULT");
    return fault && strcmp(fault, name) == 0;
}
#endif
