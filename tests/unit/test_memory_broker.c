#include "contract/broker_contract.h"
#include "memory/memory.h"

static struct source *open_source(struct broker_contract *contract)
{
    return memory_source_create(contract->context);
}

static struct sink *open_sink(struct broker_contract *contract, struct source *source,
                              const char *instance)
{
    return memory_sink_create(contract->context, source, instance);
}

static int64_t append(struct broker_contract *contract, const struct record *record)
{
    const struct memory_input input = {record->timestamp_ms, record->key,        record->key_size,
                                       record->value,        record->value_size, record->headers,
                                       record->header_count};
    return memory_log_append(contract->context, record->unit, &input);
}

static size_t read_output(struct broker_contract *contract, enum outgoing_topic topic,
                          struct arena *arena, struct outgoing_message *messages, size_t room)
{
    (void)arena;
    size_t count = memory_log_output_count(contract->context, topic);
    for (size_t i = 0; i < count && i < room; i++)
        messages[i] = *memory_log_output(contract->context, topic, i);
    return count;
}

static struct stage_log *open_stage_log(struct broker_contract *contract)
{
    return memory_stage_log_create(contract->context);
}

static void open_memory(struct broker_contract *contract)
{
    *contract = (struct broker_contract){
        memory_log_create(4), 4, open_source, open_sink, append, read_output, open_stage_log};
}

static void close_memory(struct broker_contract *contract)
{
    memory_log_destroy(contract->context);
}

BROKER_CONTRACT_TESTS(memory_broker, open_memory, close_memory)

/* The faults that only this broker has. */

struct world {
    struct broker_contract contract;
    struct memory_log *log;
    struct bc_member *member;
};

static struct world world_create(void)
{
    struct world world = {.log = NULL};
    open_memory(&world.contract);
    world.log = world.contract.context;
    world.member = bc_alone(&world.contract);
    return world;
}

static void world_destroy(struct world *world)
{
    bc_leave(world->member);
    memory_log_destroy(world->log);
}

static struct unit_commit commit = {0, 7, "m"};
static struct outgoing_message message = {.topic = TOPIC_STAGES, .key = "l", .key_size = 1};
static const struct transaction one = {&message, 1, &commit, 1};

static enum status look(struct bc_member *member, struct committed *out)
{
    const uint32_t unit = 0;
    return member->source->committed(member->source, &unit, 1, &member->arena, out, &member->error);
}

Test(memory_broker_faults, an_open_transaction_hides_its_offset)
{
    struct world w = world_create();
    struct committed k;
    memory_sink_set_outcome(w.member->sink, MEMORY_HOLD);
    w.member->sink->begin(w.member->sink, &one);
    for (int i = 0; i < 3; i++)
        cr_assert(w.member->sink->poll(w.member->sink, &w.member->error) == SINK_BUSY);
    cr_assert(look(w.member, &k) == STATUS_RETRY);
    cr_assert(memory_log_output_count(w.log, TOPIC_STAGES) == 0);
    memory_sink_finish(w.member->sink, MEMORY_COMMIT);
    cr_assert(w.member->sink->poll(w.member->sink, &w.member->error) == SINK_COMMITTED);
    cr_assert(look(w.member, &k) == STATUS_OK && k.offset == 7);
    cr_assert(memory_log_output_count(w.log, TOPIC_STAGES) == 1);
    world_destroy(&w);
}

static void unknown_outcome(enum memory_outcome outcome, bool by_reset, int64_t offset)
{
    struct world w = world_create();
    struct committed k;
    memory_sink_set_outcome(w.member->sink, outcome);
    cr_assert(bc_transact(w.member, w.member->sink, &one) == SINK_FAILED);
    cr_assert(look(w.member, &k) == STATUS_RETRY && memory_log_open_transactions(w.log) == 1);
    if (by_reset)
        bc_reset_sink(w.member, w.member->sink);
    else
        memory_log_resolve(w.log);
    cr_assert(look(w.member, &k) == STATUS_OK && k.offset == offset);
    cr_assert(memory_log_output_count(w.log, TOPIC_STAGES) == (offset < 0 ? 0 : 1));
    world_destroy(&w);
}

Test(memory_broker_faults, an_unknown_transaction_may_have_been_committed)
{
    unknown_outcome(MEMORY_UNKNOWN_COMMITTED, true, 7);
    unknown_outcome(MEMORY_UNKNOWN_COMMITTED, false, 7);
}

Test(memory_broker_faults, an_unknown_transaction_may_have_been_aborted)
{
    unknown_outcome(MEMORY_UNKNOWN_ABORTED, true, -1);
    unknown_outcome(MEMORY_UNKNOWN_ABORTED, false, -1);
}

Test(memory_broker_faults, an_aborted_transaction_leaves_nothing)
{
    struct world w = world_create();
    struct committed k;
    memory_sink_set_outcome(w.member->sink, MEMORY_ABORT);
    cr_assert(bc_transact(w.member, w.member->sink, &one) == SINK_FAILED);
    cr_assert(look(w.member, &k) == STATUS_OK && k.offset == -1);
    cr_assert(memory_log_output_count(w.log, TOPIC_STAGES) == 0);
    world_destroy(&w);
}

Test(memory_broker_faults, a_transaction_of_a_dead_process_waits_for_its_successor)
{
    struct world w = world_create();
    struct committed k;
    memory_sink_set_outcome(w.member->sink, MEMORY_HOLD);
    w.member->sink->begin(w.member->sink, &one);
    w.member->sink->destroy(w.member->sink);
    cr_assert(look(w.member, &k) == STATUS_RETRY);
    w.member->sink = memory_sink_create(w.log, w.member->source, "one");
    bc_reset_sink(w.member, w.member->sink);
    cr_assert(look(w.member, &k) == STATUS_OK && k.offset == -1);
    world_destroy(&w);
}

Test(memory_broker_faults, an_expired_member_is_told_that_all_is_lost_and_joins_again)
{
    struct world w = world_create();
    struct bc_member *second = bc_join(&w.contract, NULL);
    bc_start_all(w.member);
    bc_fetch_ok(second);
    memory_source_expire(w.member->source);
    bc_until_news(second, SOURCE_ASSIGNED);
    cr_assert(second->unit_count == 4);
    bc_until_news(w.member, SOURCE_LOST);
    cr_assert(bc_transact(w.member, w.member->sink, &one) == SINK_FAILED);
    cr_assert(w.member->source->release(w.member->source, &w.member->error) == STATUS_OK);
    bc_until_revoked(second, w.member);
    cr_assert(second->source->release(second->source, &second->error) == STATUS_OK);
    bc_until_news(w.member, SOURCE_ASSIGNED);
    cr_assert(w.member->unit_count == 2);
    bc_leave(second);
    world_destroy(&w);
}

Test(memory_broker_faults, a_revoked_member_that_expires_commits_no_more)
{
    struct world w = world_create();
    struct bc_member *second = bc_join(&w.contract, NULL);
    bc_start_all(w.member);
    bc_until_revoked(w.member, second);
    memory_source_expire(w.member->source);
    bc_until_news(second, SOURCE_ASSIGNED);
    w.member->sink->begin(w.member->sink, &one);
    cr_assert(w.member->sink->poll(w.member->sink, &w.member->error) == SINK_FAILED);
    bc_leave(second);
    world_destroy(&w);
}

Test(memory_broker_faults, a_broker_that_is_away_answers_nothing)
{
    struct world w = world_create();
    struct committed k;
    uint32_t count;
    int64_t first, end;
    struct source *source = w.member->source;
    w.member->sink->begin(w.member->sink, &one);
    memory_log_set_away(w.log, true);
    cr_assert(w.member->sink->poll(w.member->sink, &w.member->error) == SINK_FAILED);
    cr_assert(bc_fetch(w.member) == STATUS_RETRY);
    cr_assert(look(w.member, &k) == STATUS_RETRY);
    cr_assert(source->range(source, 0, &first, &end, &w.member->error) == STATUS_RETRY);
    cr_assert(source->partitions(source, &count, &w.member->error) == STATUS_RETRY);
    cr_assert(w.member->sink->reset(w.member->sink, &w.member->error) == STATUS_RETRY);
    memory_log_set_away(w.log, false);
    bc_reset_sink(w.member, w.member->sink);
    cr_assert(look(w.member, &k) == STATUS_OK && k.offset == -1);
    world_destroy(&w);
}

Test(memory_broker_faults, gaps_in_the_offsets_are_passed_and_retention_is_an_error)
{
    struct world w = world_create();
    bc_append_text(&w.contract, 0, "k", "a");
    memory_log_skip(w.log, 0, 3);
    cr_assert(bc_append_text(&w.contract, 0, "k", "b") == 4);
    memory_log_skip(w.log, 0, 2);
    bc_start_all(w.member);
    bc_until_records(w.member, 2);
    for (int i = 0; i < 4; i++)
        bc_fetch_ok(w.member);
    cr_assert(w.member->records[1].offset == 4 && w.member->ends[0] == 7);
    memory_log_truncate(w.log, 0, 2);
    bc_start_all(w.member);
    cr_assert(bc_fetch(w.member) == STATUS_STOP);
    world_destroy(&w);
}

Test(memory_broker_faults, a_batch_takes_turns_between_the_units)
{
    struct world w = world_create();
    for (int i = 0; i < 6; i++) {
        bc_append_text(&w.contract, 0, "k", "a");
        bc_append_text(&w.contract, 1, "k", "b");
    }
    memory_source_set_batch(w.member->source, 4, 2);
    bc_start_all(w.member);
    struct record records[64];
    struct source_news news;
    size_t count = 0, of_unit[2] = {0, 0};
    for (int i = 0; i < 20; i++) {
        cr_assert(w.member->source->fetch(w.member->source, 0, records, 64, &count, &news,
                                          &w.member->error) == STATUS_OK);
        cr_assert(count <= 4);
        for (size_t r = 0; r < count; r++)
            of_unit[records[r].unit & 1] += !records[r].is_end;
    }
    cr_assert(of_unit[0] == 6 && of_unit[1] == 6);
    world_destroy(&w);
}
