/* Which stretch of a unit's log is folded under which agreement: K's metadata carries the last
 * switches. */
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void stretches_remember(struct unit *unit, const char *hash)
{
    struct commit_metadata *metadata = &unit->metadata;
    const struct agreement_switch *last = metadata->switches + metadata->switch_count;
    if (metadata->switch_count && last[-1].position == unit->position) { /* nothing was folded */
        metadata->switch_count--;
        last--;
    }
    if (metadata->switch_count && strcmp(last[-1].hash, hash) == 0)
        return;
    if (metadata->switch_count == UNIT_SWITCHES) {
        memmove(metadata->switches, metadata->switches + 1,
                (UNIT_SWITCHES - 1) * sizeof *metadata->switches);
        metadata->switch_count--;
    }
    struct agreement_switch *change = &metadata->switches[metadata->switch_count++];
    change->position = unit->position;
    (void)snprintf(change->hash, sizeof change->hash, "%s", hash);
}

/* The metadata knows the last switches only: what lies further back cannot be told apart. */
static enum status switches_reach_back(struct worker *worker, const struct unit *unit,
                                       const struct unit_record *record, struct error *error)
{
    const struct commit_metadata *metadata = &unit->metadata;
    if (metadata->switch_count < UNIT_SWITCHES ||
        record->position >= metadata->switches[0].position || unit->accepted == unit->committed)
        return STATUS_OK;
    return error_set(error, STATUS_STOP,
                     "Redis stands at offset %" PRId64 ", and the agreement has changed more than "
                     "%d times since: which events were folded under which is not known any more. "
                     "Restore a newer Redis, or fold them all under agreement %s: baton accept -c "
                     "%s --unit %u",
                     record->position, UNIT_SWITCHES - 1, record->agreement,
                     worker->config.config_file, unit->number);
}

/* What the events from R on were folded under: K's metadata knows. The store may have fallen back
 * to a checkpoint at the same position under an agreement that then did not go live. */
static const char *agreement_at(const struct unit *unit, const struct unit_record *record)
{
    const struct commit_metadata *metadata = &unit->metadata;
    const char *hash = record->agreement;
    for (size_t i = 0; i < metadata->switch_count; i++)
        if (metadata->switches[i].position <= record->position)
            hash = metadata->switches[i].hash;
    return hash;
}

enum status stretches_plan(struct worker *worker, struct unit *unit,
                           const struct unit_record *record, struct error *error)
{
    const struct agreement *agreement = NULL;
    enum status status = switches_reach_back(worker, unit, record, error);
    if (status == STATUS_OK)
        status = agreements_find(worker, unit, agreement_at(unit, record), &agreement, error);
    unit->stretches[0] = (struct stretch){.from = record->position, .agreement = agreement};
    unit->stretch_count = 1;
    unit->stretch = 0;
    for (size_t i = 0; status == STATUS_OK && i < unit->metadata.switch_count; i++) {
        const struct agreement_switch *change = &unit->metadata.switches[i];
        if (change->position <= record->position)
            continue;
        status = agreements_find(worker, unit, change->hash, &agreement, error);
        unit->stretches[unit->stretch_count++] =
            (struct stretch){.from = change->position, .agreement = agreement};
    }
    return status;
}
