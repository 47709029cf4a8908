#include "base/crash_point.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef BATON_CRASH_POINTS

static const char *const names[] = {
    /* a take-over (pipeline/takeover.c, agreements.c) */
    "after_claim",
    "agreement_stored",
    "new_unit_position_written",
    "new_unit_committed",
    "new_unit_marked",
    "replay_done",
    "agreement_switched",
    /* an unknown schema (pipeline/schemas.c) */
    "verdict_written",
    /* a transaction (kafka_sink.c) */
    "sink_begun",
    "sink_produced",
    "sink_offsets_sent",
    "sink_before_commit",
    "sink_committed",
    "commit_confirmed",
    /* a checkpoint (pipeline/checkpoint.c) */
    "checkpoint_aggregates",
    "checkpoint_leads_first",
    "checkpoint_leads_all",
    "checkpoint_clocks",
    "checkpoint_position",
    /* a revocation (pipeline/worker.c) */
    "revoked_before_checkpoint",
};

static const char *const faults[] = {
    "no_fence", "ignore_applied", "late_group_metadata", "offsets_outside",
    /* of the model (tests/model/checkpoint.pml) */
    "no_read_check", /* reads are not fenced */
    "ahead",         /* a checkpoint of what is not committed yet */
    "keep",          /* goes on after a transaction that was aborted */
    "late_r",        /* a new unit's first commit before its position is in the store */
    "digest_last",   /* aggregates are written after the position */
    "days_last", /* days of counters are written after the position, and not with the aggregates */
    "regress",   /* commits a position below K */
    /* of what the model does not cover */
    "forget_switch",  /* metadata does not carry a change of agreement */
    "forget_verdict", /* the verdicts of metadata are not united with the store's */
    "pass_over",      /* folds on behind a message whose schema is not known */
    "go_past",        /* folds what was fetched behind records that were left out */
    "any_step",       /* a load is judged by its token alone */
    "emit_replayed",  /* a replay is not silent */
    "sweep_ahead",    /* the cursor passes leads whose rechecks are not committed */
    "remove_early",   /* an emptied lead leaves the store before R has passed it */
    /* of persons who are erased */
    "forget_erasure",  /* the store does not learn of an erasure */
    "erase_backwards", /* what stands before an erasure in the log is dropped, too */
    "forget_removal",  /* the next owner does not learn whom to take out of the store */
    /* of clocks (pipeline/clocks.c) */
    "clock_ahead",       /* a unit's time passes what is due of leads that are not in memory */
    "clock_twice",       /* what was due before K is told by whoever takes over */
    "clock_forget",      /* a replay does not look at leads that are further already */
    "clock_unindexed",   /* … or does, and leaves the index as it is */
    "clock_lingers",     /* what was told by K stays in the index */
    "clock_early",       /* clocks go off before the log was read to its end */
    "clock_ended_by_c",  /* what is counted of a clock that ended depends on the unit's time */
    "clock_unconfirmed", /* a copy does not wait for the commit that its clock belongs to */
};

static bool listed(const char *const *list, size_t count, const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == size && memcmp(list[i], name, size) == 0)
            return true;
    return false;
}

/* A test that asks for a name that does not exist would otherwise pass without testing anything. */
static void refuse_unknown(const char *variable, const char *const *list, size_t count,
                           const char *name, size_t size)
{
    if (listed(list, count, name, size))
        return;
    (void)fprintf(stderr, "%s names %.*s, which does not exist\n", variable, (int)size, name);
    _exit(2);
}

void crash_point_pass(const char *name)
{
    static _Atomic long passed;
    const char *wanted = getenv("BATON_CRASH_AT");
    if (!wanted || !*wanted)
        return;
    size_t size = strcspn(wanted, ":");
    refuse_unknown("BATON_CRASH_AT", names, sizeof names / sizeof *names, wanted, size);
    assert(listed(names, sizeof names / sizeof *names, name, strlen(name)));
    if (strlen(name) != size || memcmp(name, wanted, size) != 0)
        return;
    long at = wanted[size] == ':' ? strtol(wanted + size + 1, NULL, 10) : 1;
    /* Relaxed: only the count itself matters, and it is one atomic. */
    if (atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed) + 1 == at)
        _exit(CRASH_POINT_EXIT_CODE);
}

bool crash_point_fault(const char *name)
{
    const char *wanted = getenv("BATON_FAULT");
    if (!wanted || !*wanted)
        return false;
    refuse_unknown("BATON_FAULT", faults, sizeof faults / sizeof *faults, wanted, strlen(wanted));
    assert(listed(faults, sizeof faults / sizeof *faults, name, strlen(name)));
    return strcmp(name, wanted) == 0;
}

const char *const *crash_point_names(size_t *count)
{
    *count = sizeof names / sizeof *names;
    return names;
}

#else

void crash_point_pass(const char *name)
{
    (void)name;
}

bool crash_point_fault(const char *name)
{
    (void)name;
    return false;
}

const char *const *crash_point_names(size_t *count)
{
    *count = 0;
    return NULL;
}

#endif
