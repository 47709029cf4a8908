/* Building the tables from sums. Private to this room. */
#ifndef REPORT_BUILD_H
#define REPORT_BUILD_H

#include "pact/goals.h"
#include "pact/spend.h"
#include "pact/sums.h"
#include "report/tables.h"

struct build {
    struct report *report;
    const struct report_input *in;
    const struct baton_pact *pact;
    int32_t today;
};

/* In the order in which they stand in the report. */
void build_promises(struct build *build);
void build_funnel(struct build *build);
void build_channels(struct build *build);
void build_quality(struct build *build);
void build_rules(struct build *build);

/* ---- Parts ---- */

const char *build_keep(struct build *build, const char *text);
const char *build_keep_text(struct build *build, struct baton_text text);
/* A value of the data, with "(none)" and "(other)" as words. */
struct report_value build_name(struct build *build, const char *name);
/* Of PACT_ALL in the period. */
int64_t build_count(const struct build *build, enum pact_measure measure);
struct report_value build_side(enum baton_side side);
/* "per": the id of JSON is that of the agreement's text. */
struct report_value build_per(enum baton_span per);

/* Figures of one dimension, a row per value in the order of its bytes. */
#define GROUP_FIGURES 8
struct group {
    const char *name;
    int64_t figures[GROUP_FIGURES];
};
struct groups {
    struct build *build;
    struct group *rows;
    size_t count, room;
    size_t figure; /* that is being added */
};
/* One figure per measure; other seconds than `second` are left out, all are in with NULL. */
void groups_add(struct groups *groups, size_t figure, enum pact_measure measure,
                enum pact_dimension dimension, const char *second);
struct group *groups_find(struct groups *groups, const char *name); /* made if not there */
bool group_is_word(const struct group *group);                      /* "(none)" or "(other)" */

#endif
