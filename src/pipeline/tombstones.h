/* Who was erased, in a unit: no ids, but their hashes. What is from before the erasure is dropped
 * when it comes after it. Kept in the unit's hash in the store, a field for each. One thread. */
#ifndef PIPELINE_TOMBSTONES_H
#define PIPELINE_TOMBSTONES_H

#include "base/text_buffer.h"

#include <baton/event.h>

struct tombstone {
    uint64_t lead;     /* XXH64 of the id */
    int64_t erased_ms; /* time of the erasure … */
    int64_t offset;    /* … and its position: what stands before it in the log was not dropped */
};

struct tombstones {
    struct tombstone *items; /* by lead, then by offset */
    size_t count, room;
    uint64_t *unsaved; /* leads */
    size_t unsaved_count, unsaved_room;
};

void tombstones_fini(struct tombstones *tombstones);
uint64_t tombstones_lead(struct baton_text lead_id);
/* Was a person of this id ever erased? */
bool tombstones_know(const struct tombstones *tombstones, uint64_t lead);
/* Is an event at this offset, with this time, one from before an erasure? */
bool tombstones_cover(const struct tombstones *tombstones, uint64_t lead, int64_t offset,
                      int64_t time_ms);
/* Once per offset; a second time changes nothing. */
void tombstones_add(struct tombstones *tombstones, uint64_t lead, int64_t erased_ms,
                    int64_t offset);
/* Former ones of the same lead that stand below this offset are not needed: a fold that begins at
 * `from` or later meets what comes after the newest of them. */
void tombstones_forget(struct tombstones *tombstones, uint64_t lead, int64_t from);

/* The field of a lead, "e:0123456789abcdef", and its value. */
#define TOMBSTONE_FIELD_SIZE 18
void tombstones_print_name(uint64_t lead, char name[TOMBSTONE_FIELD_SIZE + 1]);
void tombstones_print(const struct tombstones *tombstones, uint64_t lead, struct text_buffer *text);
bool tombstones_is_field(struct baton_text name);
/* False: it does not decode. */
bool tombstones_read(struct tombstones *tombstones, struct baton_text name,
                     struct baton_text value);

#endif
