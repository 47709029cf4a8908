/* Checks of store_contract.h: who does not own a unit neither reads nor writes. */
#ifndef CONTRACT_STORE_CONTRACT_FENCE_H
#define CONTRACT_STORE_CONTRACT_FENCE_H

#include "contract/store_contract_owner.h"

static inline void
store_contract_a_former_owner_can_neither_read_nor_write(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "l", 50, 1, 0), STATUS_OK, "write");
    sc_own(contract, &b, 2);
    struct loaded_lead found;
    struct field *words;
    size_t count;
    struct baton_text value;
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_FENCED,
            "check");
    sc_must(&a, sc_load(&a, "l", &found), STATUS_FENCED, "load");
    sc_must(&a,
            a.store->hash(a.store, STORE_CONTRACT_UNIT, &a.fence, STORE_WORDS, &a.arena, &words,
                          &count, &a.error),
            STATUS_FENCED, "words");
    sc_must(&a,
            a.store->text(a.store, STORE_CONTRACT_UNIT, &a.fence, sc_text("t"), &a.arena, &value,
                          &a.error),
            STATUS_FENCED, "text");
    sc_must(&a, sc_put_lead(&a, "l", 50, 99, 50), STATUS_FENCED, "write");
    sc_must(&a, a.store->clear(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_FENCED,
            "clear");
    sc_expect_lead(&b, "l", 50, 1);
    sc_must(&b, sc_put_field(&b, "position", "5"), STATUS_OK, "write of the present owner");
    sc_leave(&a);
    sc_leave(&b);
}

static inline void
store_contract_fenced_is_said_until_the_unit_is_claimed_again(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_own(contract, &b, 2);
    sc_must(&a, sc_put_field(&a, "x", "1"), STATUS_FENCED, "write");
    size_t outstanding;
    for (int i = 0; i < 3; i++)
        sc_must(&a, sc_settle(&a, i == 1, &outstanding), STATUS_FENCED, "settle");
    sc_claim(&a, STORE_CONTRACT_UNIT, 3);
    sc_must(&a, sc_settle(&a, true, &outstanding), STATUS_OK, "settle after the claim");
    sc_must(&a, sc_put_field(&a, "x", "2"), STATUS_OK, "write after the claim");
    sc_must(&b, b.store->check(b.store, STORE_CONTRACT_UNIT, &b.fence, &b.error), STATUS_FENCED,
            "check of the other");
    sc_leave(&a);
    sc_leave(&b);
}

static inline void
store_contract_of_pipelined_writes_none_gets_past_a_new_claim(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_own(contract, &b, 2);
    enum status status = STATUS_OK;
    for (int i = 0; i < 10 && status == STATUS_OK; i++) {
        struct field field = {sc_text("position"), sc_text("666")};
        struct store_write write = {.fields = &field, .field_count = 1};
        status = sc_write_only(&a, &write);
    }
    size_t outstanding;
    sc_must(&a, sc_settle(&a, true, &outstanding), STATUS_FENCED, "settle");
    sc_claim(&b, STORE_CONTRACT_UNIT, 4);
    sc_expect_field(&b, "position", NULL);
    sc_leave(&a);
    sc_leave(&b);
}

static inline void store_contract_the_token_alone_is_no_fence(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    struct fence before = a.fence;
    sc_must(&a, sc_put_field(&a, "x", "1"), STATUS_OK, "write");
    struct loaded_lead found;
    a.fence = before; /* right token, step of yesterday: what a fall-back of the store looks like */
    sc_must(&a, sc_load(&a, "l", &found), STATUS_FENCED, "load");
    sc_must(&a, sc_put_field(&a, "x", "2"), STATUS_FENCED, "write");
    sc_claim(&a, STORE_CONTRACT_UNIT, 1);
    sc_expect_field(&a, "x", "1");
    sc_leave(&a);
}

static inline void store_contract_the_step_alone_is_no_fence(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_field(&a, "x", "1"), STATUS_OK, "write");
    struct fence mine = a.fence;
    struct loaded_lead found;
    a.fence.token[15] ^= 1; /* another owner that happens to be as far */
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_FENCED,
            "check");
    sc_must(&a, sc_load(&a, "l", &found), STATUS_FENCED, "load");
    sc_must(&a, sc_put_field(&a, "x", "2"), STATUS_FENCED, "write");
    struct store_contract_owner b;
    sc_own(contract, &b, 2);
    sc_expect_field(&b, "x", "1");
    cr_assert(b.fence.step == mine.step + 1, "the refused write has not moved the step");
    sc_leave(&a);
    sc_leave(&b);
}

static inline void store_contract_a_write_is_all_or_nothing(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_own(contract, &b, 2);
    struct field field = {sc_text("f"), sc_text("1")}, word = {sc_text("2"), sc_text("w")},
                 text = {sc_text("t"), sc_text("t")};
    struct stored_lead lead = sc_lead(&a, "l", 50, 1);
    struct store_write write = {.fields = &field,
                                .field_count = 1,
                                .words = &word,
                                .word_count = 1,
                                .texts = &text,
                                .text_count = 1,
                                .leads = &lead,
                                .lead_count = 1};
    sc_must(&a, sc_write(&a, &write), STATUS_FENCED, "write");
    size_t count = 9;
    struct baton_text value = sc_text("x");
    sc_expect_no_lead(&b, "l");
    (void)sc_hash(&b, STORE_WORDS, &count);
    cr_assert(count == 0);
    sc_must(&b,
            b.store->text(b.store, STORE_CONTRACT_UNIT, &b.fence, sc_text("t"), &b.arena, &value,
                          &b.error),
            STATUS_OK, "text");
    cr_assert(value.data == NULL);
    sc_claim(&b, STORE_CONTRACT_UNIT, 3);
    sc_expect_field(&b, "f", NULL);
    sc_must(&b, sc_write(&b, &write), STATUS_OK, "the same write of the owner");
    sc_expect_lead(&b, "l", 50, 1);
    sc_leave(&a);
    sc_leave(&b);
}

static inline void
store_contract_a_store_that_fell_back_fences_its_present_owner(struct store_contract *contract)
{
    struct store_contract_owner a;
    if (!contract->save || !contract->fall_back)
        return;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "l", 50, 1, 0), STATUS_OK, "write");
    contract->save(contract);
    sc_must(&a, sc_put_lead(&a, "l", 60, 2, 50), STATUS_OK, "write");
    contract->fall_back(contract);
    struct loaded_lead found;
    enum status status = STATUS_RETRY; /* the way back may have cost the connection */
    for (int i = 0; i < 100 && status == STATUS_RETRY; i++)
        status = sc_load(&a, "l", &found);
    sc_must(&a, status, STATUS_FENCED, "load");
    sc_claim(&a, STORE_CONTRACT_UNIT, 2);
    sc_expect_lead(&a, "l", 50, 1);
    sc_leave(&a);
}

#endif
