/* Checks of store_contract.h: loads that are under way. */
#ifndef CONTRACT_STORE_CONTRACT_LOADS_H
#define CONTRACT_STORE_CONTRACT_LOADS_H

#include "contract/store_contract_owner.h"

static inline void
store_contract_a_load_answers_in_the_order_of_the_ids(struct store_contract *contract)
{
    enum { LEADS = 600 };
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    static char names[LEADS][16];
    static struct baton_text ids[LEADS];
    static struct loaded_lead out[LEADS];
    struct stored_lead leads[STORE_WRITE_LEADS];
    size_t waiting = 0;
    for (size_t i = 0; i < LEADS; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", i * 7919 % LEADS);
        ids[i] = sc_text(names[i]);
        if (i % 3 == 0)
            continue; /* every third is not there */
        leads[waiting++] = sc_lead(&a, names[i], 20 + i % 90, (uint8_t)i);
        if (waiting == STORE_WRITE_LEADS || i == LEADS - 1) {
            struct store_write write = {.leads = leads, .lead_count = waiting};
            sc_must(&a, sc_write_only(&a, &write), STATUS_OK, "write");
            waiting = 0;
        }
    }
    struct store_write rest = {.leads = leads, .lead_count = waiting};
    sc_must(&a, sc_write(&a, &rest), STATUS_OK, "write");
    sc_must(&a, sc_load_all(&a, STORE_CONTRACT_UNIT, ids, LEADS, out), STATUS_OK, "load");
    for (size_t i = 0; i < LEADS; i++) {
        cr_assert((out[i].packed != NULL) == (i % 3 != 0), "lead %zu", i);
        if (out[i].packed)
            cr_assert(out[i].packed_size == 20 + i % 90 && out[i].packed[0] == (uint8_t)i,
                      "lead %zu is another", i);
    }
    sc_must(&a, sc_load_all(&a, STORE_CONTRACT_UNIT, ids, 0, out), STATUS_OK, "load of nothing");
    sc_leave(&a);
}

static inline void
store_contract_a_load_sees_the_writes_queued_before_it(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    for (uint8_t i = 1; i <= 20; i++) {
        struct stored_lead lead = sc_lead(&a, "l", 64u * i, i);
        lead.former_size = i == 1 ? 0 : 64u * (i - 1);
        struct store_write write = {.leads = &lead, .lead_count = 1};
        sc_must(&a, sc_write_only(&a, &write), STATUS_OK, "write");
    }
    sc_expect_lead(&a, "l", 64 * 20, 20);
    size_t outstanding = 99;
    sc_must(&a, sc_settle(&a, true, &outstanding), STATUS_OK, "settle");
    cr_assert(outstanding == 0);
    sc_leave(&a);
}

/* Writes, loads and other questions in one breath: each load sees what was written before it was
 * asked, whenever somebody takes the answers in. */
static inline void
store_contract_loads_under_way_are_answered_in_their_turn(struct store_contract *contract)
{
    enum { LOADS = 5, COPIES = 300 };
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    struct baton_text ids[COPIES];
    static struct loaded_lead out[COPIES];
    for (size_t i = 0; i < COPIES; i++)
        ids[i] = sc_text("l");
    for (uint8_t i = 0; i < LOADS; i++) {
        struct stored_lead lead = sc_lead(&a, "l", 100, i);
        lead.former_size = i ? 100 : 0;
        struct store_write write = {.leads = &lead, .lead_count = 1};
        sc_must(&a, sc_load_begin(&a, STORE_CONTRACT_UNIT, ids, i ? COPIES : 1), STATUS_OK, "ask");
        sc_must(&a, sc_write_only(&a, &write), STATUS_OK, "write");
    }
    sc_must(&a, sc_load_finish(&a, STORE_CONTRACT_UNIT, 1, out), STATUS_OK, "first load");
    cr_assert(out[0].packed == NULL, "nothing was written before it");
    size_t outstanding = 99;
    sc_must(&a, sc_settle(&a, true, &outstanding), STATUS_OK, "settle");
    cr_assert(outstanding == 0, "a load is no write: %zu", outstanding);
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check");
    for (uint8_t i = 1; i < LOADS; i++) {
        sc_must(&a, sc_load_finish(&a, STORE_CONTRACT_UNIT, COPIES, out), STATUS_OK, "load");
        for (size_t n = 0; n < COPIES; n++)
            cr_assert(out[n].packed && out[n].packed_size == 100 && out[n].packed[0] == i - 1,
                      "load %u, lead %zu", i, n);
    }
    sc_leave(&a);
}

static inline void
store_contract_loads_of_several_units_are_under_way_at_once(struct store_contract *contract)
{
    struct store_contract_owner a, other;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "l", 50, 1, 0), STATUS_OK, "write");
    memset(&other, 0, sizeof other);
    arena_init(&other.arena, 65536);
    other.store = a.store;
    sc_claim(&other, STORE_CONTRACT_UNIT + 1, 2);
    struct baton_text id = sc_text("l");
    struct loaded_lead found = {0};
    sc_must(&a, sc_load_begin(&a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
    sc_must(&other, sc_load_begin(&other, STORE_CONTRACT_UNIT + 1, &id, 1), STATUS_OK, "ask");
    sc_must(&a, sc_load_begin(&a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
    sc_must(&other, sc_load_finish(&other, STORE_CONTRACT_UNIT + 1, 1, &found), STATUS_OK, "load");
    cr_assert(found.packed == NULL, "it is the first unit's");
    for (int i = 0; i < 2; i++) {
        sc_must(&a, sc_load_finish(&a, STORE_CONTRACT_UNIT, 1, &found), STATUS_OK, "load");
        cr_assert(found.packed && found.packed_size == 50);
    }
    arena_fini(&other.arena);
    sc_leave(&a);
}

/* The owner does not know yet that it is none: it asks, and the answer tells. */
static inline void
store_contract_a_load_asked_after_a_new_claim_is_refused(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "l", 50, 1, 0), STATUS_OK, "write");
    sc_own(contract, &b, 2);
    struct baton_text id = sc_text("l");
    struct loaded_lead found;
    sc_must(&a, sc_load_begin(&a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
    sc_must(&a, sc_load_finish(&a, STORE_CONTRACT_UNIT, 1, &found), STATUS_FENCED, "load");
    size_t outstanding;
    sc_must(&a, sc_settle(&a, false, &outstanding), STATUS_FENCED, "settle");
    sc_expect_lead(&b, "l", 50, 1);
    sc_leave(&a);
    sc_leave(&b);
}

/* What Redis looks like after a fall-back: our token, another step. */
static inline void
store_contract_a_load_under_another_step_is_refused(struct store_contract *contract)
{
    for (int shift = -1; shift <= 1; shift += 2) {
        struct store_contract_owner a;
        sc_own(contract, &a, (uint8_t)(1 + (shift > 0)));
        sc_must(&a, sc_put_lead(&a, "l", 50, 1, 50), STATUS_OK, "write");
        a.fence.step += (uint64_t)(int64_t)shift;
        struct baton_text id = sc_text("l");
        struct loaded_lead found;
        sc_must(&a, sc_load_begin(&a, STORE_CONTRACT_UNIT, &id, 1), STATUS_OK, "ask");
        sc_must(&a, sc_load_finish(&a, STORE_CONTRACT_UNIT, 1, &found), STATUS_FENCED, "load");
        sc_leave(&a);
    }
}

#endif
