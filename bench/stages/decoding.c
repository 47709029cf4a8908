/* The decoder alone, over the very messages of the topic. */
#include "stages/stages.h"

static void decode(struct decoder *decoder, const struct record *record, struct arena *scratch)
{
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    struct baton_event event;
    struct decode_result result;
    decoder_decode(decoder, &message, scratch, &event, &result);
}

static uint64_t decode_for_a_while(struct team_member *member, struct decoder *decoder,
                                   struct kept_reader *reader)
{
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    struct record records[STAGES_BATCH];
    uint64_t done = 0;
    while (!team_time_is_up(member)) {
        arena_reset(&scratch);
        size_t count = kept_take(reader, records, STAGES_BATCH);
        for (size_t i = 0; i < count; i++)
            decode(decoder, &records[i], &scratch);
        done += count;
    }
    arena_fini(&scratch);
    return done;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct stage_worker *worker = member->context;
    struct decoder *decoder;
    enum status status = stage_decoder(worker->stages, &decoder, error);
    if (status != STATUS_OK)
        return status;
    struct kept_reader reader;
    kept_reader_init(&reader, &worker->kept, worker->first_unit, worker->unit_count);
    reader.plain = true;
    if (team_start(member)) {
        uint64_t done = decode_for_a_while(member, decoder, &reader);
        team_stop(member, &(struct team_work){.units = done});
    }
    kept_reader_fini(&reader);
    decoder_destroy(decoder);
    return STATUS_OK;
}

enum status stage_decode(struct stages *stages, struct error *error)
{
    return stage_run(stages, STAGE_DECODE, run, stages->options.seconds, error);
}
