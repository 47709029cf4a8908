/* An agreement while it is made, and what the checks share. Private to this room. */
#ifndef AGREEMENT_BUILDING_H
#define AGREEMENT_BUILDING_H

#include "agreement/agreement.h"
#include "agreement/signing.h"
#include "base/arena.h"
#include "yaml/yaml.h"

#define RULE_ID_MAX 64
#define WORDS_MAX 64
#define GOAL_JUDGE_AFTER_DEFAULT_MS (30 * INT64_C(86400000)) /* of a conversion */

struct agreement {
    struct baton_agreement compiled;
    struct arena arena; /* of everything below */
    struct baton_text text;
    const struct yaml_node *root;
    const char *zone_name;
    const char *effective, *expires; /* as written; NULL where there is none */
    struct agreement_word refused[WORDS_MAX], idle[WORDS_MAX];
    size_t refused_count, idle_count;
    struct signature *signatures; /* in the order of the text */
    size_t signature_count;
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
    uint32_t fit_count;                                       /* those of the personas included */
    const struct yaml_node *behaviour_nodes[BATON_RULES_MAX]; /* the rules' mappings */
    const struct yaml_node *hours;                            /* sales.hours; NULL: none */
    struct baton_pact *pact;        /* the compiled one, while it may be written; NULL: none yet */
    struct baton_text marketing_by; /* who signed for marketing; empty: nobody */
};

/* ---- values.c: reading one value; false when a finding tells why not ------------------------- */

static inline struct finding_place place_of(const struct yaml_node *node)
{
    return (struct finding_place){node->line, node->column};
}

/* error_at(building, node, MESSAGE_FINDING_NO_RULE, {"id", text}, …); */
#define found_at(building, warning, node, id, ...)                                                 \
    findings_add((building)->findings, warning, place_of(node), id,                                \
                 (const struct message_hole[]){__VA_ARGS__, {NULL, NULL}})
#define error_at(building, node, id, ...) found_at(building, false, node, id, __VA_ARGS__)
#define warning_at(building, node, id, ...) found_at(building, true, node, id, __VA_ARGS__)
/* Without holes. */
#define error_plain_at(building, node, id)                                                         \
    findings_add((building)->findings, false, place_of(node), id, NULL)

/* What holes are filled with. */
#define word(building, id) findings_word((building)->findings, id)
#define shown(building, text) findings_shown((building)->findings, text)
#define number(building, value) findings_number((building)->findings, value)

struct key {
    const char *name;
    bool required;
};
/* Is it a mapping with these keys only, and all that are required? `what` names it: "`review`", or
 * words of the catalogue. */
bool value_keys(struct building *building, const struct yaml_node *node, const char *what,
                const struct key *keys, size_t count);
/* Finds that a key is missing in the mapping, and says how one that belongs to a promise is
 * written.
 */
void value_missing(struct building *building, const struct yaml_node *node, const char *key,
                   const char *what);
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
/* "; did you mean `x`?", else `otherwise`, or, where that is MESSAGES, what may stand there. */
const char *value_suggestion(struct building *building, const struct yaml_node *node,
                             const char *const *candidates, size_t count,
                             enum message_id otherwise);
/* Is a list no longer than that? */
bool value_few(struct building *building, const struct yaml_node *list, uint32_t most,
               enum message_id things);

/* A word whose effect is not built yet. */
void word_not_in_force(struct building *building, const struct yaml_node *key, bool changes_scores);

/* ---- where.c --------------------------------------------------------------------------------- */

enum where_side { WHERE_EVENT, WHERE_PROFILE };
bool where_compile(struct building *building, const struct yaml_node *node, enum where_side side,
                   struct baton_condition *out);
/* A condition on the profile in which `persona` may stand beside the fields; that is left out. */
bool where_compile_route(struct building *building, const struct yaml_node *node,
                         struct baton_condition *out);
/* A text that is the same for conditions on events that mean the same; the order of fields and
 * values does not count. */
void where_canonical(const struct baton_condition *condition, struct text_buffer *out);
/* The profile field of a name; for a property `name` is what follows the point. -1: there is none.
 */
int where_profile_field(const char *name, struct baton_text *property);

/* ---- rules.c, gates.c, personas.c, assign.c, ignore.c, terms.c, goals.c, promises.c, reach.c,
 * canonical.c ------- */

/* The `id` of a mapping, one word of at most RULE_ID_MAX bytes; NULL: there is none, or a finding.
 */
const struct yaml_node *rules_id(struct building *building, const struct yaml_node *mapping,
                                 const char *what);
/* NULL where the list is none. */
const struct baton_fit_rule *rules_fit_list(struct building *building, const struct yaml_node *list,
                                            uint32_t *count);
void rules_fit(struct building *building, const struct yaml_node *list);
void rules_behaviour(struct building *building, const struct yaml_node *list);
/* Hashes, by_kind, by_hash, properties: what the rest is indexed by. Only where nothing is wrong.
 */
void rules_index(struct building *building);

void gates_read(struct building *building, const struct yaml_node *node);
/* One gate; it stays as it is where nothing is said of it. */
void gates_read_one(struct building *building, const struct yaml_node *node,
                    struct baton_gate *gate);
/* Finds thresholds of `sql` that are below those of `mql`; `node` is the later one of the two. */
void gates_compare(struct building *building, const struct yaml_node *node,
                   const struct baton_gate *mql, const struct baton_gate *sql);
void gates_limits(struct building *building, const struct yaml_node *node);
void gates_never(struct building *building, const struct yaml_node *list);
void gates_share(struct building *building, const struct yaml_node *list);

void ignore_read(struct building *building, const struct yaml_node *node);
void personas_read(struct building *building, const struct yaml_node *list);
void assign_read(struct building *building, const struct yaml_node *list);

void terms_review(struct building *building, const struct yaml_node *node);
void terms_meeting(struct building *building, const struct yaml_node *node);
void terms_signed(struct building *building, const struct yaml_node *list);
void terms_sales(struct building *building, const struct yaml_node *node);
void terms_recycle(struct building *building, const struct yaml_node *node);
/* The agreement's pact, made if there is none. */
struct baton_pact *pact_of(struct building *building);
#define TERM_TEXT_MAX 200
/* A text under a key, or an empty one. */
struct baton_text optional_text(struct building *building, const struct yaml_node *mapping,
                                const char *key, const char *what);

void goals_read(struct building *building, const struct yaml_node *node);

void promises_hours(struct building *building, const struct yaml_node *node);
void promises_first_contact(struct building *building, const struct yaml_node *node);
void promises_verdict(struct building *building, const struct yaml_node *node);
void promises_next_update(struct building *building, const struct yaml_node *node);
/* Behind all parts of `sales`: a clock without an owner has that of the clock before it, and the
 * first one must name it. */
void promises_end(struct building *building, const struct yaml_node *sales);

/* Warns of gates that fit alone opens, and of those that nothing can open; `personas`: the list, or
 * NULL. */
void reach_warn(struct building *building, const struct yaml_node *gates,
                const struct yaml_node *personas);

/* A text that is the same for values that mean the same, however they are written. */
void canonical_value(const struct yaml_node *node, struct text_buffer *out);
/* 32 hex digits over everything but `signed`; from the arena. */
const char *canonical_hash(struct arena *arena, const struct yaml_node *root);

#endif
