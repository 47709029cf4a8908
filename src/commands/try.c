/* Scores a file of events in memory: no Kafka, no Redis, the same decoder and the same fold. */
#include "codec/outgoing.h"
#include "commands/lead_view.h"
#include "commands/setup.h"
#include "pipeline/lead_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_CAPACITY (1u << 24)
#define UNREADABLE_TOLD 20

struct trial {
    const struct invocation *invocation;
    struct config *config; /* NULL without -c */
    struct agreement *source;
    const struct baton_agreement *agreement;
    struct arena settings, scratch;
    struct input_config input;
    struct decoder *decoder;
    struct encoder *encoder;
    struct lead_table leads;
    struct baton_words words;
    json_t **promotions; /* by lead's number; NULL: none */
    size_t promotions_room;
    uint64_t events, duplicates, too_late, unreadable, outside, promoted;
};

/* ---- Folding
 * -------------------------------------------------------------------------------------- */

static void keep_promotion(struct trial *trial, const struct lead_entry *entry,
                           const struct outgoing_message *message)
{
    while (entry->number >= trial->promotions_room) {
        size_t room = trial->promotions_room ? 2 * trial->promotions_room : 1024;
        trial->promotions = memory_resize(trial->promotions, room * sizeof(json_t *));
        memset(trial->promotions + trial->promotions_room, 0,
               (room - trial->promotions_room) * sizeof(json_t *));
        trial->promotions_room = room;
    }
    json_t **list = &trial->promotions[entry->number];
    if (!*list)
        *list = json_array();
    json_error_t ignored;
    json_t *promotion = json_loadb(message->value, message->value_size, JSON_ALLOW_NUL, &ignored);
    if (promotion)
        json_array_append_new(*list, promotion);
    trial->promoted++;
}

static void tell_promotions(struct trial *trial, const struct baton_event *event,
                            const struct lead_entry *entry, const struct baton_fold_result *result)
{
    struct origin origin = {.topic = "", .offset = event->offset};
    for (uint32_t i = 0; i < result->transition_count; i++) {
        if (result->transitions[i].to != BATON_SQL)
            continue;
        struct stage_view view = {.lead = &entry->lead,
                                  .event = event,
                                  .transition = &result->transitions[i],
                                  .agreement = trial->agreement,
                                  .words = &trial->words,
                                  .origin = &origin};
        struct outgoing_message message;
        encoder_promotion(trial->encoder, &trial->scratch, &view, &message);
        keep_promotion(trial, entry, &message);
    }
}

static int fold_event(struct trial *trial, const struct baton_event *event)
{
    uint64_t hash = lead_table_hash(0, event->lead_id);
    struct lead_entry *entry = lead_table_find(&trial->leads, hash, 0, event->lead_id);
    if (!entry) {
        entry = lead_table_add(&trial->leads, hash, 0, event->lead_id);
        baton_lead_attach(&entry->lead, trial->agreement);
    }
    struct baton_fold_context context = {.agreement = trial->agreement,
                                         .words = &trial->words,
                                         .allocator = &trial->leads.allocator};
    struct baton_fold_result result;
    baton_fold(&entry->lead, event, &context, &result);
    if (result.outcome == BATON_OUT_OF_MEMORY)
        return command_fail(trial->invocation, EXIT_CODE_FAILED, "out of memory");
    trial->too_late += result.too_late;
    if (result.outcome == BATON_DUPLICATE) {
        trial->duplicates++;
        return EXIT_CODE_OK;
    }
    trial->events++;
    trial->outside += !agreement_in_force(trial->source, event->time_ms, NULL);
    tell_promotions(trial, event, entry, &result);
    return EXIT_CODE_OK;
}

static void tell_unreadable(struct trial *trial, int64_t line, const struct decode_result *result)
{
    trial->unreadable++;
    const char *reason =
        result->outcome == DECODE_DEAD ? dead_reason_name(result->reason) : "unknown_schema";
    const char *detail =
        result->outcome == DECODE_DEAD ? result->detail : "only JSON events are read here";
    if (trial->unreadable <= UNREADABLE_TOLD)
        (void)fprintf(stderr, "%s:%" PRId64 ": %s: %s\n", trial->invocation->arguments[1], line + 1,
                      reason, detail);
    else if (trial->unreadable == UNREADABLE_TOLD + 1)
        (void)fprintf(stderr, "%s: more lines cannot be read\n", trial->invocation->arguments[1]);
}

static int take_line(struct trial *trial, const char *line, size_t size, int64_t number)
{
    struct message message = {
        .value = (const uint8_t *)line, .value_size = size, .timestamp_ms = -1, .offset = number};
    struct baton_event event;
    struct decode_result result;
    arena_reset(&trial->scratch);
    decoder_decode(trial->decoder, &message, &trial->scratch, &event, &result);
    if (result.outcome == DECODED)
        return fold_event(trial, &event);
    tell_unreadable(trial, number, &result);
    return EXIT_CODE_OK;
}

static int take_file(struct trial *trial)
{
    const char *path = trial->invocation->arguments[1];
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file)
        return command_fail(trial->invocation, EXIT_CODE_BAD_INPUT, "cannot read %s: %s", path,
                            strerror(errno));
    char *line = NULL;
    size_t room = 0;
    int code = EXIT_CODE_OK;
    for (int64_t number = 0; code == EXIT_CODE_OK; number++) {
        ssize_t size = getline(&line, &room, file);
        if (size < 0)
            break;
        if (size > 0 && line[size - 1] == '\n')
            size--;
        if (size > 0)
            code = take_line(trial, line, (size_t)size, number);
    }
    if (ferror(file))
        code = command_fail(trial->invocation, EXIT_CODE_BAD_INPUT, "cannot read %s: %s", path,
                            strerror(errno));
    free(line);
    if (file != stdin)
        (void)fclose(file);
    return code;
}

/* ---- Telling
 * -------------------------------------------------------------------------------------- */

struct lead_list {
    struct lead_entry **entries;
    size_t count;
};

static void list_lead(void *context, struct lead_entry *entry)
{
    struct lead_list *list = context;
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

static json_t *promotions_of(const struct trial *trial, const struct lead_entry *entry)
{
    return entry->number < trial->promotions_room ? trial->promotions[entry->number] : NULL;
}

static void print_lead_json(const struct trial *trial, const struct lead_entry *entry)
{
    struct lead_view view = view_of(trial, entry);
    json_t *object = json_object(), *promotions = promotions_of(trial, entry);
    json_object_set_new(object, "lead_id", json_text(view.id));
    lead_view_set_scores(&view, object);
    json_object_set_new(object, "stage", json_string(baton_stage_name(entry->lead.stage)));
    json_object_set_new(object, "rules", lead_view_rules(&view));
    if (promotions)
        json_object_set(object, "promotions", promotions);
    else
        json_object_set_new(object, "promotions", json_array());
    json_print_line_take(object);
}

static void add_transition(struct text_buffer *out, const char *stage, int64_t time_ms)
{
    if (!time_ms)
        return;
    text_buffer_print(out, "    became %s on ", stage);
    add_person_time(out, time_ms);
    text_buffer_add_text(out, " UTC\n");
}

static void print_lead_text(const struct trial *trial, const struct lead_entry *entry)
{
    struct lead_view view = view_of(trial, entry);
    struct baton_score score;
    struct text_buffer out;
    text_buffer_init(&out);
    baton_lead_score(view.lead, view.agreement, view.at_ms, &score);
    add_person_text(&out, view.id);
    text_buffer_print(&out, "  %s  ", baton_stage_name(entry->lead.stage));
    text_buffer_add_points(&out, score.score);
    text_buffer_add_text(&out, " points = fit ");
    text_buffer_add_points(&out, score.fit);
    text_buffer_add_text(&out, " + behaviour ");
    text_buffer_add_points(&out, score.behaviour);
    text_buffer_add_text(&out, "\n    ");
    size_t start = out.size;
    lead_view_add_rules(&view, &out);
    text_buffer_add_text(&out, out.size == start ? "no rule counted\n" : "\n");
    add_transition(&out, "mql", entry->lead.mql_ms);
    add_transition(&out, "sql, and is promoted to sales,", entry->lead.sql_ms);
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

static void print_summary(const struct trial *trial, const struct lead_list *list)
{
    size_t stages[BATON_STAGES] = {0};
    for (size_t i = 0; i < list->count; i++)
        stages[list->entries[i]->lead.stage]++;
    (void)printf("\n%zu leads: %zu lead, %zu mql, %zu sql; %" PRIu64 " promotions\n", list->count,
                 stages[BATON_LEAD], stages[BATON_MQL], stages[BATON_SQL], trial->promoted);
    (void)printf("%" PRIu64 " events counted, %" PRIu64 " repeated, %" PRIu64
                 " not readable, %" PRIu64 " hits too late for their buckets\n",
                 trial->events, trial->duplicates, trial->unreadable, trial->too_late);
    if (trial->outside)
        (void)printf("%" PRIu64
                     " events lie outside of the dates of agreement %s; they count all the same\n",
                     trial->outside, agreement_name(trial->source));
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

static void print_all(struct trial *trial)
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

/* ---- Making and ending
 * ---------------------------------------------------------------------------- */

static int prepare(struct trial *trial)
{
    static const char *const topics[OUTGOING_TOPICS] = {
        [TOPIC_PROMOTIONS] = "promotions", [TOPIC_STAGES] = "stages", [TOPIC_DEAD] = "dead"};
    struct error error;
    int code = EXIT_CODE_OK;
    if (trial->invocation->config_given)
        code = setup_config(trial->invocation, &trial->config);
    if (code == EXIT_CODE_OK)
        code = setup_agreement(trial->invocation, trial->invocation->arguments[0], &trial->source);
    if (code != EXIT_CODE_OK)
        return code;
    trial->agreement = agreement_compiled(trial->source);
    if (trial->config)
        setup_input(trial->config, &trial->settings, &trial->input);
    trial->input.lead_id_from_key = false;
    trial->input.ignore_key = true;
    if (decoder_create(&trial->decoder, &trial->input, &error) != STATUS_OK)
        return command_fail(trial->invocation, EXIT_CODE_BAD_INPUT, "%s", error.text);
    if (encoder_create(&trial->encoder, OUTPUT_JSON, "/baton", topics, NULL, &error) != STATUS_OK)
        return command_fail_status(trial->invocation, &error);
    return EXIT_CODE_OK;
}

static void finish(struct trial *trial)
{
    for (size_t i = 0; i < trial->promotions_room; i++)
        json_decref(trial->promotions[i]);
    free(trial->promotions);
    if (trial->encoder)
        encoder_destroy(trial->encoder);
    if (trial->decoder)
        decoder_destroy(trial->decoder);
    baton_words_fini(&trial->words);
    lead_table_fini(&trial->leads);
    arena_fini(&trial->scratch);
    arena_fini(&trial->settings);
    if (trial->source)
        agreement_destroy(trial->source);
    if (trial->config)
        config_destroy(trial->config);
}

int command_try(const struct invocation *invocation)
{
    struct trial trial = {.invocation = invocation};
    arena_init(&trial.settings, 4096);
    arena_init(&trial.scratch, 65536);
    lead_table_init(&trial.leads, SIZE_MAX);
    baton_words_init(&trial.words, WORDS_CAPACITY, heap_allocator());
    int code = prepare(&trial);
    if (code == EXIT_CODE_OK)
        code = take_file(&trial);
    if (code == EXIT_CODE_OK) {
        print_all(&trial);
        setup_tell_dates(trial.source);
    }
    finish(&trial);
    return code;
}
