/* What a trial came to, for people and for programs. */
#include "commands/lead_view.h"
#include "commands/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lead_list {
    struct lead_entry **entries;
    size_t count;
};

/* Not who is as if nothing had been known, nor who was only looked for. */
static void list_lead(void *context, struct lead_entry *entry)
{
    struct lead_list *list = context;
    if (!(entry->lead.flags & BATON_LEAD_EMPTIED) && entry->lead.applied)
        list->entries[list->count++] = entry;
}

static int compare_ids(const struct lead_entry *a, const struct lead_entry *b)
{
    uint32_t size = a->id_size < b->id_size ? a->id_size : b->id_size;
    int order = memcmp(lead_table_id(a).data, lead_table_id(b).data, size);
    return order ? order : (a->id_size > b->id_size) - (a->id_size < b->id_size);
}

static int by_id(const void *left, const void *right)
{
    return compare_ids(*(struct lead_entry *const *)left, *(struct lead_entry *const *)right);
}

static struct lead_view view_of(const struct trial *trial, const struct lead_entry *entry)
{
    return (struct lead_view){.id = lead_table_id(entry),
                              .lead = &entry->lead,
                              .agreement = trial->agreement,
                              .words = &trial->words,
                              .at_ms = entry->lead.newest_ms};
}

static json_t *list_of(json_t *list)
{
    return list ? json_incref(list) : json_array();
}

static void print_lead_json(const struct trial *trial, const struct lead_entry *entry)
{
    struct lead_view view = view_of(trial, entry);
    struct told told = {0};
    json_t *object = json_object();
    if (entry->number < trial->told_room)
        told = trial->told[entry->number];
    json_object_set_new(object, "lead_id", json_text(view.id));
    if (entry->lead.flags & BATON_LEAD_MERGED) {
        json_object_set_new(object, "merged_into", json_text(entry->lead.history->into));
        json_print_line_take(object);
        return;
    }
    lead_view_set_scores(&view, object);
    json_object_set_new(object, "stage", json_string(baton_stage_name(entry->lead.stage)));
    json_object_set_new(object, "generation", json_integer(entry->lead.generation));
    json_object_set_new(object, "persona", lead_view_persona(&view));
    json_object_set_new(object, "rules", lead_view_rules(&view));
    json_object_set_new(object, "promotions", list_of(told.promotions));
    json_object_set_new(object, "changes", list_of(told.changes));
    json_object_set_new(object, "breaches", list_of(told.breaches));
    json_print_line_take(object);
}

static const char *told_text(const json_t *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record, name));
    return text ? text : "";
}

static void add_in_brackets(struct text_buffer *out, const char *text)
{
    if (!*text)
        return;
    text_buffer_add_text(out, " (");
    add_person_text(out, (struct baton_text){text, (uint32_t)strlen(text)});
    text_buffer_add_text(out, ")");
}

/* "2026-11-01 12:00:00 became sql: it is promoted to sales" */
static void add_change(struct text_buffer *out, const json_t *record)
{
    const char *change = told_text(record, "change"), *stage = told_text(record, "stage");
    const char *report = told_text(record, "report");
    text_buffer_print(out, "    %.10s %.8s ", told_text(record, "time"),
                      told_text(record, "time") + 11);
    if (strcmp(change, "ignored") == 0) {
        text_buffer_print(out, "%s is ignored: the lead %s", *report ? report : "an adjustment",
                          told_text(record, "why"));
    } else if (strcmp(change, "adjusted") == 0) {
        text_buffer_add_text(out, "is adjusted by ");
        const char *by = told_text(record, "by");
        add_person_text(out, (struct baton_text){by, (uint32_t)strlen(by)});
        add_in_brackets(out, told_text(record, "reason"));
    } else if (strcmp(change, "merged") == 0) {
        text_buffer_add_text(out, "was merged");
    } else {
        text_buffer_print(out, "became %s%s", stage,
                          strcmp(stage, "sql") == 0 ? ", and is promoted to sales" : "");
        add_in_brackets(out, told_text(record, "reason"));
    }
    text_buffer_add_text(out, "\n");
}

static void add_changes(struct text_buffer *out, const struct trial *trial,
                        const struct lead_entry *entry)
{
    size_t index;
    json_t *record;
    if (entry->number >= trial->told_room)
        return;
    json_array_foreach(trial->told[entry->number].changes, index, record) add_change(out, record);
    json_array_foreach(trial->told[entry->number].breaches, index, record) text_buffer_print(
        out, "    %.10s %.8s %s: %s\n", told_text(record, "time"), told_text(record, "time") + 11,
        told_text(record, "promise"), told_text(record, "state"));
}

static void print_lead_text(const struct trial *trial, const struct lead_entry *entry)
{
    struct lead_view view = view_of(trial, entry);
    struct baton_score score;
    struct text_buffer out;
    text_buffer_init(&out);
    add_person_text(&out, view.id);
    if (entry->lead.flags & BATON_LEAD_MERGED) {
        text_buffer_add_text(&out, "  is ");
        add_person_text(&out, entry->lead.history->into);
        text_buffer_add_text(&out, " from then on\n");
        (void)fwrite(out.data, 1, out.size, stdout);
        text_buffer_fini(&out);
        return;
    }
    baton_lead_score(view.lead, view.agreement, view.at_ms, &score);
    text_buffer_print(&out, "  %s  ", baton_stage_name(entry->lead.stage));
    text_buffer_add_points(&out, score.score);
    text_buffer_add_text(&out, " points = ");
    lead_view_add_sides(&view, &score, &out);
    lead_view_add_adjusted(&view, &out);
    text_buffer_add_text(&out, "\n    ");
    size_t start = out.size;
    lead_view_add_rules(&view, &out);
    text_buffer_add_text(&out, out.size == start ? "no rule counted\n" : "\n");
    add_changes(&out, trial, entry);
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

static const char *if_many(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void print_summary(const struct trial *trial, const struct lead_list *list)
{
    size_t stages[BATON_STAGES] = {0}, given_up = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool merged = list->entries[i]->lead.flags & BATON_LEAD_MERGED;
        given_up += merged;
        stages[list->entries[i]->lead.stage] += !merged;
    }
    (void)printf("\n%zu %s:", list->count - given_up,
                 if_many(list->count - given_up, "lead", "leads"));
    for (int stage = 0; stage < BATON_STAGES; stage++)
        if (stage <= BATON_SQL || stages[stage])
            (void)printf("%s %zu %s", stage ? "," : "", stages[stage],
                         baton_stage_name((enum baton_stage)stage));
    (void)printf("; %" PRIu64 " %s\n", trial->promoted,
                 if_many(trial->promoted, "promotion", "promotions"));
    if (trial->reports_ignored)
        (void)printf(
            "%" PRIu64 " %s ignored\n", trial->reports_ignored,
            if_many(trial->reports_ignored, "report or adjustment", "reports or adjustments"));
    (void)printf("%" PRIu64 " %s counted, %" PRIu64 " repeated, %" PRIu64 " not readable, %" PRIu64
                 " %s too late for their buckets\n",
                 trial->events, if_many(trial->events, "event", "events"), trial->duplicates,
                 trial->unreadable, trial->too_late, if_many(trial->too_late, "hit", "hits"));
    if (trial->ignored)
        (void)printf(
            "%" PRIu64 " %s a person's\n", trial->ignored,
            if_many(trial->ignored, "event ignored: it is not", "events ignored: they are not"));
    if (trial->dropped)
        (void)printf("%" PRIu64 " %s dropped, from before an erasure\n", trial->dropped,
                     if_many(trial->dropped, "event", "events"));
    if (trial->outside)
        (void)printf(
            "%" PRIu64 " %s of the dates of agreement %s; %s all the same\n", trial->outside,
            if_many(trial->outside, "event lies outside", "events lie outside"),
            agreement_name(trial->source), if_many(trial->outside, "it counts", "they count"));
}

static int by_score(const void *left, const void *right, void *context)
{
    const struct lead_entry *a = *(struct lead_entry *const *)left,
                            *b = *(struct lead_entry *const *)right;
    const struct trial *trial = context;
    struct baton_score x, y;
    baton_lead_score(&a->lead, trial->agreement, a->lead.newest_ms, &x);
    baton_lead_score(&b->lead, trial->agreement, b->lead.newest_ms, &y);
    return x.score != y.score ? (x.score < y.score ? 1 : -1) : compare_ids(a, b);
}

void trial_print(struct trial *trial)
{
    struct lead_list list = {
        memory_take(((size_t)trial->leads.used + 1) * sizeof(struct lead_entry *)), 0};
    lead_table_each(&trial->leads, 0, list_lead, &list);
    bool json = trial->invocation->json;
    if (json)
        qsort(list.entries, list.count, sizeof *list.entries, by_id);
    else
        qsort_r(list.entries, list.count, sizeof *list.entries, by_score, trial);
    for (size_t i = 0; i < list.count; i++)
        json ? print_lead_json(trial, list.entries[i]) : print_lead_text(trial, list.entries[i]);
    if (!json)
        print_summary(trial, &list);
    free(list.entries);
}
