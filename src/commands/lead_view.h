/* A lead as people and programs see it: the same parts in `show` and in `try`. Everything is
 * borrowed. */
#ifndef COMMANDS_LEAD_VIEW_H
#define COMMANDS_LEAD_VIEW_H

#include "agreement/agreement.h"
#include "base/text_buffer.h"
#include "commands/json_out.h"

#include <baton/scoring.h>

struct lead_view {
    struct baton_text id;
    const struct baton_lead *lead; /* attached */
    const struct baton_agreement *agreement;
    const struct baton_words *words;
    int64_t at_ms;                /* scored as of then, and no earlier than its newest event */
    const struct agreement *zone; /* in which times are told; NULL: UTC */
};

/* "2026-11-01 12:00:00" in the view's zone. */
void lead_view_add_time(const struct lead_view *view, int64_t time_ms, struct text_buffer *out);
/* "fit 40 (at most 40) + behaviour 11": with the limit of a side where it cuts. */
void lead_view_add_sides(const struct lead_view *view, const struct baton_score *score,
                         struct text_buffer *out);

/* What sales said in this generation, or null; how the generations before went. */
json_t *lead_view_sales(const struct lead_view *view);
json_t *lead_view_earlier(const struct lead_view *view);
/* The same in lines; nothing of what there is not. */
void lead_view_add_history(const struct lead_view *view, struct text_buffer *out);
/* " + by hand 25", behind fit and behaviour. */
void lead_view_add_adjusted(const struct lead_view *view, struct text_buffer *out);
/* Id of the buyer persona, or null. */
json_t *lead_view_persona(const struct lead_view *view);
/* What it was mailed and which forms it sent: lead_handover.c. Null and [] where there is nothing.
 */
json_t *lead_view_mail(const struct lead_view *view);
json_t *lead_view_forms(const struct lead_view *view);
/* The same in lines; nothing of what there is not. */
void lead_view_add_handover(const struct lead_view *view, struct text_buffer *out);
/* {rule id: points}: behaviour rules with a counted hit, then fit rules that hold, in the order of
 * the agreement. */
json_t *lead_view_rules(const struct lead_view *view);
json_t *lead_view_touches(const struct lead_view *view);
json_t *lead_view_profile(const struct lead_view *view);
/* Sets score, fit, behaviour and what was adjusted by hand. */
void lead_view_set_scores(const struct lead_view *view, json_t *object);

/* "pricing 30, demo 12.5, decision-maker 20 (fit)" */
void lead_view_add_rules(const struct lead_view *view, struct text_buffer *out);
/* "2026-11-01 12:00:00" in UTC. */
void add_person_time(struct text_buffer *out, int64_t time_ms);
/* A text for a terminal: control characters become `?`. */
void add_person_text(struct text_buffer *out, struct baton_text text);
/* "job_title", "properties.NAME" */
void add_profile_name(struct text_buffer *out, const struct baton_profile_value *value);

/* Memory for leads and words from malloc. */
struct baton_allocator heap_allocator(void);

#endif
