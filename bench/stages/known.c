/* Folds all kept messages once, in their order: what the other stages build on. It tells how many
 * different leads a run of events touches, what transitions cost to encode, and leaves the leads'
 * states for the stages that write them. */
#include "common/clock.h"
#include "stages/stages.h"

#include <stdlib.h>
#include <string.h>

#define NO_LEAD UINT32_MAX
#define LEAST_WINDOW 256 /* events */

struct knowing {
    struct stage_worker *worker;
    struct decoder *decoder;
    struct encoder *encoder;
    struct arena scratch, sent;
    uint32_t *leads; /* number of its entry in the table, by message */
    uint64_t encoded;
    double encode_s;
};

/* ---- one message ---- */

/* Where the event id stands in the message: it may be a copy without JSON's escapes, too. */
static uint32_t find_id(const struct kept_message *message, struct baton_text id)
{
    const uint8_t *value = message->bytes + message->key_size;
    const uint8_t *at = id.size >= 8 ? memmem(value, message->value_size, id.data, id.size) : NULL;
    return at ? (uint32_t)(at - message->bytes) : 0;
}

static struct lead_entry *find_lead(struct knowing *knowing, size_t index,
                                    const struct baton_event *event)
{
    struct stage_worker *worker = knowing->worker;
    uint32_t unit = worker->kept.messages[index].unit;
    uint64_t hash = lead_table_hash(unit, event->lead_id);
    struct lead_entry *entry = lead_table_find(&worker->table, hash, unit, event->lead_id);
    if (!entry) {
        entry = lead_table_add(&worker->table, hash, unit, event->lead_id);
        baton_lead_attach(&entry->lead, agreement_compiled(worker->stages->agreement));
        worker->new_late += index >= worker->kept.count / 10;
    }
    knowing->leads[index] = entry->number;
    return entry;
}

static void keep_output(struct knowing *knowing, const struct outgoing_message *message)
{
    struct stage_worker *worker = knowing->worker;
    worker->messages_out++;
    if (worker->output_count == STAGE_OUTPUTS)
        return;
    struct arena *arena = &worker->kept.arena; /* lives as long as the worker */
    struct outgoing_message *kept = &worker->outputs[worker->output_count++];
    *kept = *message;
    kept->key = arena_copy(arena, message->key, message->key_size);
    kept->value = arena_copy(arena, message->value, message->value_size);
    struct header *headers =
        arena_copy(arena, message->headers, message->header_count * sizeof *headers);
    for (size_t i = 0; i < message->header_count; i++) {
        headers[i].name = arena_copy(arena, headers[i].name, strlen(headers[i].name) + 1);
        headers[i].value = arena_copy(arena, headers[i].value, headers[i].value_size);
    }
    kept->headers = headers;
}

static void encode(struct knowing *knowing, const struct record *record,
                   const struct baton_event *event, const struct baton_lead *lead,
                   const struct baton_fold_result *result)
{
    struct stage_worker *worker = knowing->worker;
    const struct stages *stages = worker->stages;
    struct origin origin = {
        .topic = stages->options.common.topic, .partition = record->unit, .offset = record->offset};
    for (uint32_t i = 0; i < result->transition_count; i++) {
        struct stage_view view = {.lead = lead,
                                  .event = event,
                                  .transition = &result->transitions[i],
                                  .agreement = agreement_compiled(stages->agreement),
                                  .words = &worker->words[record->unit - worker->first_unit],
                                  .origin = &origin};
        struct outgoing_message messages[2];
        bool promoted = result->transitions[i].to == BATON_SQL;
        double from = clock_seconds();
        encoder_stage_change(knowing->encoder, &knowing->sent, &view, &messages[0]);
        if (promoted)
            encoder_promotion(knowing->encoder, &knowing->sent, &view, &messages[1]);
        knowing->encode_s += clock_seconds() - from;
        for (int m = 0; m <= promoted; m++)
            keep_output(knowing, &messages[m]);
        arena_reset(&knowing->sent);
    }
}

static void take_message(struct knowing *knowing, const struct record *record, size_t index)
{
    struct stage_worker *worker = knowing->worker;
    struct kept_message *kept = &worker->kept.messages[index];
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    struct baton_event event;
    struct decode_result decoded;
    knowing->leads[index] = NO_LEAD;
    decoder_decode(knowing->decoder, &message, &knowing->scratch, &event, &decoded);
    if (decoded.outcome != DECODED) {
        worker->dead++;
        return;
    }
    kept->id_at = find_id(kept, event.event_id);
    struct lead_entry *entry = find_lead(knowing, index, &event);
    struct baton_fold_context context = {.agreement = agreement_compiled(worker->stages->agreement),
                                         .words = &worker->words[record->unit - worker->first_unit],
                                         .allocator = &worker->table.allocator};
    struct baton_fold_result result;
    baton_fold(&entry->lead, &event, &context, &result);
    encode(knowing, record, &event, &entry->lead, &result);
}

/* ---- how many leads a run of events touches ---- */

static double leads_among(const struct stage_worker *worker, const uint32_t *leads, size_t window,
                          uint32_t *seen_in)
{
    size_t windows = worker->kept.count / window;
    uint64_t different = 0;
    memset(seen_in, 0, worker->table.made * sizeof *seen_in);
    for (size_t i = 0; i < windows * window; i++) {
        uint32_t number = (uint32_t)(i / window) + 1;
        if (leads[i] == NO_LEAD || seen_in[leads[i]] == number)
            continue;
        seen_in[leads[i]] = number;
        different++;
    }
    return (double)different / (double)windows;
}

static void draw_curve(const struct knowing *knowing)
{
    struct stage_worker *worker = knowing->worker;
    struct limit_curve *curve = &worker->writes;
    uint32_t *seen_in = memory_take_zeroed(worker->table.made + 1, sizeof *seen_in);
    for (size_t window = LEAST_WINDOW;
         window <= worker->kept.count && curve->count < LIMIT_CURVE_MAX; window *= 2)
        curve->points[curve->count++] = (struct limit_point){
            (double)window, leads_among(worker, knowing->leads, window, seen_in)};
    free(seen_in);
}

/* ---- all ---- */

static enum status know(struct knowing *knowing, struct error *error)
{
    struct stage_worker *worker = knowing->worker;
    struct kept_reader reader;
    kept_reader_init(&reader, &worker->kept, worker->first_unit, worker->unit_count);
    struct record records[STAGES_BATCH];
    for (size_t index = 0; index < worker->kept.count;) {
        arena_reset(&knowing->scratch);
        size_t left = worker->kept.count - index;
        size_t count = kept_take(&reader, records, left < STAGES_BATCH ? left : STAGES_BATCH);
        for (size_t i = 0; i < count; i++)
            take_message(knowing, &records[i], index++);
    }
    kept_reader_fini(&reader);
    if (worker->table.used == 0)
        return error_set(error, STATUS_STOP,
                         "none of the messages of topic %s can be read: give their schemas by "
                         "--schemas",
                         worker->stages->options.common.topic);
    draw_curve(knowing);
    return STATUS_OK;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct stage_worker *worker = member->context;
    struct stages *stages = worker->stages;
    struct knowing knowing = {.worker = worker};
    arena_init(&knowing.scratch, 1 << 20);
    arena_init(&knowing.sent, 1 << 16);
    knowing.leads = memory_take(worker->kept.count * sizeof *knowing.leads);
    enum status status = stage_decoder(stages, &knowing.decoder, error);
    if (status == STATUS_OK)
        status = encoder_create(&knowing.encoder, OUTPUT_AVRO, "/baton", stages->kafka.outputs,
                                NULL, error);
    if (status == STATUS_OK && team_start(member)) {
        status = know(&knowing, error);
        team_stop(member, &(struct team_work){.units = worker->messages_out,
                                              .seconds = knowing.encode_s,
                                              .cpu = knowing.encode_s});
    }
    if (knowing.encoder)
        encoder_destroy(knowing.encoder);
    if (knowing.decoder)
        decoder_destroy(knowing.decoder);
    arena_fini(&knowing.scratch);
    arena_fini(&knowing.sent);
    free(knowing.leads);
    return status;
}

/* The mean over the workers, as far as all have seen. */
static void join_curves(struct stages *stages)
{
    struct limit_curve *joined = &stages->writes;
    *joined = stages->worker[0].writes;
    for (unsigned i = 1; i < stages->workers; i++) {
        const struct limit_curve *curve = &stages->worker[i].writes;
        if (curve->count < joined->count)
            joined->count = curve->count;
        for (size_t p = 0; p < joined->count; p++)
            joined->points[p].leads += curve->points[p].leads;
    }
    for (size_t p = 0; p < joined->count; p++)
        joined->points[p].leads /= stages->workers;
}

enum status stage_known(struct stages *stages, struct error *error)
{
    enum status status = stage_run(stages, STAGE_ENCODE, run, 0, error);
    /* Only the encoder's own time was taken: the rest of the program was not. */
    stages->figures[STAGE_ENCODE].others_cpu = 0;
    join_curves(stages);
    return status;
}
