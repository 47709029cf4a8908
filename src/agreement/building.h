/* An agreement while it is made, and what the checks share. Private to this room. */
#ifndef AGREEMENT_BUILDING_H
#define AGREEMENT_BUILDING_H

#include "agreement/agreement.h"
#include "base/arena.h"
#include "yaml/yaml.h"

#define RULE_ID_MAX 64
#define WORDS_MAX 64

struct agreement {
    struct baton_agreement compiled;
    struct arena arena; /* of everything below */
    struct baton_text text;
    const struct yaml_node *root;
    const char *zone_name;
    const char *effective, *expires; /* as written; NULL where there is none */
    struct agreement_word refused[WORDS_MAX], idle[WORDS_MAX];
    size_t refused_count, idle_count;
};

/* A rule's id, kept to find doubles and what gates need. */
struct rule_name {
    const struct yaml_node *node; /* of the id */
    int32_t behaviour;            /* its index there; -1: a fit rule */
};

struct building {
    struct agreement *agreement;
    struct arena *arena; /* the agreement's */
    struct findings *findings;
    struct rule_name *names;
    uint32_t name_count;
    struct baton_behaviour_rule
        *behaviour; /* the compiled rules, while they may still be written */
    uint32_t behaviour_count;
    const struct yaml_node *behaviour_nodes[BATON_RULES_MAX]; /* the rules' mappings */
    const struct yaml_node *hours;                            /* sales.hours; NULL: none */
};

/* ---- values.c: reading one value; false when a finding tells why not ------------------------- */

#define error_at(building, node, ...)                                                              \
    findings_error((building)->findings, (node)->line, (node)->column, __VA_ARGS__)
#define warning_at(building, node, ...)                                                            \
    findings_warning((building)->findings, (node)->line, (node)->column, __VA_ARGS__)

struct key {
    const char *name;
    bool required;
};
/* Is it a mapping with these keys only, and all that are required? `what` names it: "a fit rule".
 */
bool value_keys(struct building *building, const struct yaml_node *node, const char *what,
                const struct key *keys, size_t count);
bool value_list(struct building *building, const struct yaml_node *node, const char *what);
bool value_mapping(struct building *building, const struct yaml_node *node, const char *what);
bool value_text(struct building *building, const struct yaml_node *node, const char *what,
                uint32_t most_bytes);
bool value_whole(struct building *building, const struct yaml_node *node, const char *what,
                 int64_t least, int64_t most, int64_t *value);
bool value_flag(struct building *building, const struct yaml_node *node, const char *what,
                bool *value);
/* Index of the text among `choices`. */
bool value_choice(struct building *building, const struct yaml_node *node, const char *what,
                  const char *const *choices, size_t count, size_t *index);
/* 2026-11-01, from 1970 to 9999; in days since 1970. */
bool value_date(struct building *building, const struct yaml_node *node, const char *what,
                int64_t *days);
/* 30m 4h 14d, more than nothing and up to 3660d. */
bool value_duration(struct building *building, const struct yaml_node *node, const char *what,
                    int64_t *ms);
/* "; did you mean `x`?", else `otherwise`, or, where that is NULL, what may stand there; from the
 * arena. */
const char *value_suggestion(struct building *building, const struct yaml_node *node,
                             const char *const *candidates, size_t count, const char *otherwise);

/* A word whose effect is not built yet. */
void word_not_in_force(struct building *building, const struct yaml_node *key, bool changes_scores);

/* ---- where.c --------------------------------------------------------------------------------- */

enum where_side { WHERE_EVENT, WHERE_PROFILE };
bool where_compile(struct building *building, const struct yaml_node *node, enum where_side side,
                   struct baton_condition *out);
/* A text that is the same for conditions on events that mean the same; the order of fields and
 * values does not count. */
void where_canonical(const struct baton_condition *condition, struct text_buffer *out);
/* The profile field of a name; for a property `name` is what follows the point. -1: there is none.
 */
int where_profile_field(const char *name, struct baton_text *property);

/* ---- rules.c, gates.c, terms.c, reach.c, canonical.c ----------------------------------------- */

void rules_fit(struct building *building, const struct yaml_node *list);
void rules_behaviour(struct building *building, const struct yaml_node *list);
/* Hashes, by_kind, by_hash, properties: what the rest is indexed by. Only where nothing is wrong.
 */
void rules_index(struct building *building);

void gates_read(struct building *building, const struct yaml_node *node);
void gates_limits(struct building *building, const struct yaml_node *node);
void gates_never(struct building *building, const struct yaml_node *list);
void gates_share(struct building *building, const struct yaml_node *list);

void terms_review(struct building *building, const struct yaml_node *node);
void terms_meeting(struct building *building, const struct yaml_node *node);
void terms_signed(struct building *building, const struct yaml_node *list);
void terms_ignore(struct building *building, const struct yaml_node *node);
void terms_goals(struct building *building, const struct yaml_node *node);
void terms_sales(struct building *building, const struct yaml_node *node);
void terms_recycle(struct building *building, const struct yaml_node *node);

/* Warns of gates that fit alone opens, and of those that nothing can open. */
void reach_warn(struct building *building, const struct yaml_node *gates);

/* 32 hex digits over everything but `signed`; from the arena. */
const char *canonical_hash(struct arena *arena, const struct yaml_node *root);

#endif
