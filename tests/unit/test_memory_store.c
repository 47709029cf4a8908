#include "contract/store_contract.h"
#include "memory/memory.h"

#include <stdlib.h>

static struct store *open_one(struct store_contract *contract)
{
    return memory_store_create(contract->context);
}

static void save(struct store_contract *contract)
{
    memory_db_save(contract->context);
}

static void fall_back(struct store_contract *contract)
{
    memory_db_fall_back(contract->context);
}

static void tear(struct store_contract *contract, uint32_t unit, const char *lead)
{
    cr_assert(memory_db_tear_lead(contract->context, unit, sc_text(lead)));
}

static enum baton_stage stage_told(struct store_contract *contract, uint32_t unit, const char *id)
{
    struct stored_lead lead;
    cr_assert(memory_db_lead(contract->context, unit, sc_text(id), &lead));
    return lead.stage;
}

static void date(struct store_contract *contract, uint32_t unit, const char *lead)
{
    cr_assert(memory_db_date_lead(contract->context, unit, sc_text(lead)));
}

static void open_memory(struct store_contract *contract)
{
    *contract = (struct store_contract){.context = memory_db_create(),
                                        .open = open_one,
                                        .save = save,
                                        .fall_back = fall_back,
                                        .tear = tear,
                                        .stage = stage_told,
                                        .date = date};
}

static void close_memory(struct store_contract *contract)
{
    memory_db_destroy(contract->context);
}

STORE_CONTRACT_TESTS(memory_store, open_memory, close_memory)

/* The faults that only this store has. */

struct world {
    struct store_contract contract;
    struct memory_db *db;
    struct store_contract_owner a;
};

static struct world *world_create(void)
{
    struct world *world = memory_take_zeroed(1, sizeof *world);
    open_memory(&world->contract);
    world->db = world->contract.context;
    sc_own(&world->contract, &world->a, 1);
    return world;
}

static void world_destroy(struct world *world)
{
    sc_leave(&world->a);
    close_memory(&world->contract);
    free(world);
}

static void send_field(struct store_contract_owner *owner, const char *name, const char *value)
{
    struct field field = {sc_text(name), sc_text(value)};
    struct store_write write = {.fields = &field, .field_count = 1};
    cr_assert(sc_write_only(owner, &write) == STATUS_OK);
}

Test(memory_store_faults, held_writes_are_carried_out_in_turn)
{
    struct world *w = world_create();
    memory_store_hold(w->a.store, true);
    send_field(&w->a, "x", "1");
    send_field(&w->a, "y", "1");
    cr_assert(memory_store_under_way(w->a.store) == 2);
    cr_assert(memory_db_field(w->db, STORE_CONTRACT_UNIT, "x").data == NULL);
    memory_store_deliver(w->a.store, 1);
    cr_assert(memory_db_field(w->db, STORE_CONTRACT_UNIT, "x").data != NULL);
    size_t outstanding;
    cr_assert(sc_settle(&w->a, false, &outstanding) == STATUS_OK && outstanding == 1);
    cr_assert(sc_settle(&w->a, true, &outstanding) == STATUS_OK && outstanding == 0);
    cr_assert(memory_db_field(w->db, STORE_CONTRACT_UNIT, "y").data != NULL);
    world_destroy(w);
}

Test(memory_store_faults,
     a_held_load_waits_for_the_writes_before_it_and_is_lost_with_the_connection)
{
    struct world *w = world_create();
    struct baton_text id = sc_text("l");
    struct loaded_lead found;
    memory_store_hold(w->a.store, true);
    sc_must(&w->a, sc_load_begin(&w->a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
    memory_db_fall_back(w->db); /* to nothing: before the server has seen the load */
    sc_must(&w->a, sc_load_finish(&w->a, STORE_CONTRACT_UNIT, 1, &found), STATUS_FENCED, "load");
    sc_claim(&w->a, STORE_CONTRACT_UNIT, 2);
    send_field(&w->a, "x", "1");
    sc_must(&w->a, sc_load_begin(&w->a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
    cr_assert(memory_store_under_way(w->a.store) == 1, "a load is no write");
    sc_must(&w->a, sc_load_finish(&w->a, STORE_CONTRACT_UNIT, 1, &found), STATUS_OK, "load");
    cr_assert(memory_store_under_way(w->a.store) == 0);
    sc_must(&w->a, sc_load_begin(&w->a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
    memory_store_break(w->a.store);
    sc_must(&w->a, sc_load_finish(&w->a, STORE_CONTRACT_UNIT, 1, &found), STATUS_RETRY, "load");
    world_destroy(w);
}

Test(memory_store_faults, a_write_without_an_answer_counts_as_fenced)
{
    struct world *w = world_create();
    memory_store_hold(w->a.store, true);
    send_field(&w->a, "x", "1");
    memory_store_break(w->a.store);
    memory_store_arrive(w->a.store, 1);
    cr_assert(memory_db_field(w->db, STORE_CONTRACT_UNIT, "x").data != NULL);
    size_t outstanding;
    cr_assert(sc_settle(&w->a, false, &outstanding) == STATUS_FENCED);
    cr_assert(w->a.store->check(w->a.store, STORE_CONTRACT_UNIT, &w->a.fence, &w->a.error) ==
              STATUS_RETRY);
    cr_assert(w->a.store->check(w->a.store, STORE_CONTRACT_UNIT, &w->a.fence, &w->a.error) ==
              STATUS_FENCED);
    sc_claim(&w->a, STORE_CONTRACT_UNIT, 2);
    sc_expect_field(&w->a, "x", "1");
    cr_assert(sc_settle(&w->a, false, &outstanding) == STATUS_OK && outstanding == 0);
    world_destroy(w);
}

Test(memory_store_faults, a_write_that_arrives_after_a_new_claim_does_nothing)
{
    struct world *w = world_create();
    struct store_contract_owner b;
    memory_store_hold(w->a.store, true);
    send_field(&w->a, "x", "late");
    memory_store_break(w->a.store);
    sc_own(&w->contract, &b, 2);
    memory_store_arrive(w->a.store, 1);
    cr_assert(memory_db_field(w->db, STORE_CONTRACT_UNIT, "x").data == NULL);
    cr_assert(b.store->check(b.store, STORE_CONTRACT_UNIT, &b.fence, &b.error) == STATUS_OK);
    sc_leave(&b);
    world_destroy(w);
}

Test(memory_store_faults, away_means_retry_and_lost_answers_only_for_units_that_wait)
{
    struct world *w = world_create();
    memory_store_hold(w->a.store, true);
    struct store_contract_owner other = {.store = w->a.store};
    arena_init(&other.arena, 4096);
    sc_claim(&other, 7, 2);
    send_field(&w->a, "x", "1");
    memory_db_set_away(w->db, true);
    size_t outstanding;
    struct store_write nothing = {0};
    uint64_t step = other.fence.step;
    cr_assert(other.store->write(other.store, 7, &other.fence, &nothing, &other.error) ==
              STATUS_RETRY);
    cr_assert(other.fence.step == step);
    memory_db_set_away(w->db, false);
    cr_assert(sc_settle(&w->a, false, &outstanding) == STATUS_FENCED);
    cr_assert(memory_db_field(w->db, STORE_CONTRACT_UNIT, "x").data == NULL);
    cr_assert(other.store->settle(other.store, 7, true, &outstanding, &other.error) == STATUS_OK);
    cr_assert(other.store->check(other.store, 7, &other.fence, &other.error) == STATUS_OK);
    arena_fini(&other.arena);
    world_destroy(w);
}

Test(memory_store_faults, a_wrong_former_size_tears_the_lead)
{
    struct world *w = world_create();
    struct loaded_lead found;
    cr_assert(sc_put_lead(&w->a, "l", 700, 1, 0) == STATUS_OK);
    cr_assert(sc_put_lead(&w->a, "l", 64, 2, 128) == STATUS_OK);
    cr_assert(sc_load(&w->a, "l", &found) == STATUS_STOP);
    world_destroy(w);
}

Test(memory_store_faults, a_forgotten_unit_holds_nothing)
{
    struct world *w = world_create();
    cr_assert(sc_put_lead(&w->a, "l", 70, 1, 0) == STATUS_OK);
    memory_db_forget_unit(w->db, STORE_CONTRACT_UNIT);
    struct loaded_lead found;
    cr_assert(sc_load(&w->a, "l", &found) == STATUS_FENCED);
    cr_assert(memory_db_lead_count(w->db, STORE_CONTRACT_UNIT) == 0);
    world_destroy(w);
}

static void count_score(void *context, const struct stored_lead *lead)
{
    *(int64_t *)context += lead->score.score;
}

Test(memory_store_faults, an_auditor_reads_the_leads)
{
    struct world *w = world_create();
    cr_assert(sc_put_lead(&w->a, "l1", 70, 1, 0) == STATUS_OK);
    cr_assert(sc_put_lead(&w->a, "l2", 70, 1, 0) == STATUS_OK);
    int64_t sum = 0;
    memory_db_each_lead(w->db, STORE_CONTRACT_UNIT, count_score, &sum);
    cr_assert(sum == 2 * 7025);
    struct stored_lead lead;
    cr_assert(memory_db_lead(w->db, STORE_CONTRACT_UNIT, sc_text("l2"), &lead));
    cr_assert(lead.stage == BATON_MQL && lead.packed_size == 70);
    world_destroy(w);
}
