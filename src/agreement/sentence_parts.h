/* Conditions, times and lists in words; texts from the speech's memory. Private to this room; only
 * for trees of a checked agreement. */
#ifndef AGREEMENT_SENTENCE_PARTS_H
#define AGREEMENT_SENTENCE_PARTS_H

#include "messages/messages.h"
#include "yaml/yaml.h"

#include <baton/agreement.h>

/* "the page begins with /pricing and the country is BR". */
const char *sentence_where(struct speech *speech, const struct yaml_node *where);
/* "a, b and c"; a scalar is a list of one. */
const char *sentence_list(struct speech *speech, const struct yaml_node *list,
                          enum speech_join join);
/* "the job title", "the property "plan"". */
const char *sentence_field(struct speech *speech, const char *name);
/* "visit", or "visits" where the count is not 1: after "every". */
const char *sentence_event(struct speech *speech, enum baton_event_kind kind, const char *count);
/* 14d → 14 days; 4 working hours. */
const char *sentence_duration(struct speech *speech, const char *text);
/* `day`, `working day`, … in the language. */
const char *sentence_period(struct speech *speech, const char *name);
/* `mon-fri`, or a list of days. */
const char *sentence_days(struct speech *speech, const struct yaml_node *days);
/* Dates of a list of dates. */
const char *sentence_dates(struct speech *speech, const struct yaml_node *dates);
/* Whole points. */
const char *sentence_points(struct speech *speech, int64_t points);
/* A rule as a sentence that begins with its id: "pricing: 10 points for every visit." */
const char *sentence_fit_rule(struct speech *speech, const struct yaml_node *node,
                              const struct baton_fit_rule *rule);
const char *sentence_behaviour_rule(struct speech *speech, const struct yaml_node *node,
                                    const struct baton_behaviour_rule *rule);
/* What a gate asks for: "a score of at least 40 and a hit of demo". */
const char *sentence_gate(struct speech *speech, const struct yaml_node *gate);
/* What both sides promised, in the words of a reading aloud: of `goals.customers`,
 * `goals.conversion`, `goals.others.ID`, `sales.verdict`, …, `review`, `meeting`. NULL: it is none
 * of these. */
struct agreement;
const char *sentence_pact_part(struct speech *speech, const struct agreement *agreement,
                               const char *word, const struct yaml_node *node);
/* A whole number as written, in the language's way. */
const char *sentence_number(struct speech *speech, const struct yaml_node *node);

#endif
