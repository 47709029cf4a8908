/* Which field of a message is for what: a tree of names, the segments of a dotted name being its
 * levels. Made once from baton's own names and the configured mapping; then only read. */
#ifndef CODEC_FIELD_MAP_H
#define CODEC_FIELD_MAP_H

#include "base/status.h"
#include "codec/decoder.h"
#include "codec/raw_event.h"

/* Where two fields are for the same target, the lower rank is taken: what is configured, in its
 * order, before baton's own name, before a writer's alias. */
typedef uint32_t field_rank;
#define RANK_OWN_NAME 0x10000u
#define RANK_ALIAS 0x20000u /* + the field's place in its record */
#define RANK_NONE UINT32_MAX

struct field_node {
    struct baton_text name;
    enum target target; /* TARGET_NONE: only on the way to others */
    field_rank rank;
    struct field_node *children; /* owned */
    size_t child_count;
};

/* STATUS_STOP for a mapping that cannot be. The names are borrowed from the configuration. */
enum status field_map_build(struct field_node *root, const struct input_config *config,
                            struct error *error);
void field_map_fini(struct field_node *root);
/* NULL: nothing is known of this name. */
const struct field_node *field_map_find(const struct field_node *node, struct baton_text name);

/* "job_title" → TARGET_PROFILE + BATON_JOB_TITLE; TARGET_NONE for other names. */
enum target target_of_name(struct baton_text name);
/* -1 for other names. */
int profile_field_of_name(struct baton_text name);
int event_kind_of_name(struct baton_text name);

#endif
