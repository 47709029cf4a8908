/* Checks of store_contract.h: fields, leads, words and texts come back as they were written. */
#ifndef CONTRACT_STORE_CONTRACT_LEADS_H
#define CONTRACT_STORE_CONTRACT_LEADS_H

#include "contract/store_contract_owner.h"

static inline void store_contract_a_new_unit_holds_nothing(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_expect_field(&a, "position", NULL);
    sc_expect_no_lead(&a, "nobody");
    size_t count = 99;
    (void)sc_hash(&a, STORE_WORDS, &count);
    cr_assert(count == 0);
    struct baton_text value = sc_text("x");
    sc_must(&a,
            a.store->text(a.store, STORE_CONTRACT_UNIT, &a.fence, sc_text("none"), &a.arena, &value,
                          &a.error),
            STATUS_OK, "text");
    cr_assert(value.data == NULL);
    sc_leave(&a);
}

static inline void
store_contract_a_claim_gives_the_fields_written_before(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_field(&a, "position", "17"), STATUS_OK, "write");
    sc_must(&a, sc_put_field(&a, "digest", "00ff"), STATUS_OK, "write");
    sc_own(contract, &b, 2);
    sc_expect_field(&b, "position", "17");
    sc_expect_field(&b, "digest", "00ff");
    cr_assert(b.fence.step > a.fence.step, "a claim moves the step on");
    sc_leave(&a);
    sc_leave(&b);
}

static inline void store_contract_an_empty_value_removes_a_field(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_field(&a, "verdict", "x"), STATUS_OK, "write");
    sc_must(&a, sc_put_field(&a, "verdict", ""), STATUS_OK, "write");
    sc_must(&a, sc_put_field(&a, "never-there", ""), STATUS_OK, "write");
    sc_claim(&a, STORE_CONTRACT_UNIT, 2);
    sc_expect_field(&a, "verdict", NULL);
    sc_leave(&a);
}

static inline void store_contract_a_write_moves_the_step_by_one(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    uint64_t step = a.fence.step;
    sc_must(&a, sc_put_field(&a, "a", "1"), STATUS_OK, "write");
    cr_assert(a.fence.step == step + 1);
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check");
    struct store_write nothing = {0};
    sc_must(&a, sc_write(&a, &nothing), STATUS_OK, "write of nothing");
    cr_assert(a.fence.step == step + 2);
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check");
    sc_leave(&a);
}

static inline void store_contract_leads_of_all_sizes_come_back(struct store_contract *contract)
{
    static const size_t sizes[] = {1, 40, 63, 64, 65, 128, 129, 1000, 20000};
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "lead-%zu", sizes[i]);
        sc_must(&a, sc_put_lead(&a, id, sizes[i], (uint8_t)i, 0), STATUS_OK, "write");
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "lead-%zu", sizes[i]);
        sc_expect_lead(&a, id, sizes[i], (uint8_t)i);
    }
    sc_leave(&a);
}

static inline void
store_contract_a_lead_that_shrinks_leaves_nothing_behind(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "l", 700, 1, 0), STATUS_OK, "write");
    sc_must(&a, sc_put_lead(&a, "l", 100, 2, 700), STATUS_OK, "write, former size told");
    sc_expect_lead(&a, "l", 100, 2);
    sc_must(&a, sc_put_lead(&a, "l", 500, 3, 100), STATUS_OK, "write, larger");
    sc_expect_lead(&a, "l", 500, 3);
    sc_must(&a, sc_put_lead(&a, "l", 30, 4, 0), STATUS_OK, "write, former size not known");
    sc_expect_lead(&a, "l", 30, 4);
    sc_leave(&a);
}

static inline void
store_contract_a_removed_lead_is_as_if_it_had_never_been(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "gone", 700, 1, 0), STATUS_OK, "write");
    struct stored_lead leads[3] = {sc_lead(&a, "one", 50, 2),
                                   {.id = sc_text("gone"), .removed = true, .former_size = 700},
                                   sc_lead(&a, "two", 300, 3)};
    struct store_write write = {.leads = leads, .lead_count = 3};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");
    sc_expect_no_lead(&a, "gone");
    sc_expect_lead(&a, "one", 50, 2);
    sc_expect_lead(&a, "two", 300, 3);
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "once more");
    sc_must(&a, sc_put_lead(&a, "gone", 20, 4, 0), STATUS_OK, "write anew");
    sc_expect_lead(&a, "gone", 20, 4);
    sc_leave(&a);
}

static inline enum status sc_put_stage(struct store_contract_owner *owner, enum baton_stage stage,
                                       bool stands, size_t size, size_t former_size)
{
    struct stored_lead lead = sc_lead(owner, "l", size, 1);
    lead.stage = stage;
    lead.stage_stands = stands;
    lead.former_size = former_size;
    struct store_write write = {.leads = &lead, .lead_count = 1};
    return sc_write(owner, &write);
}

static inline void
store_contract_a_stage_is_told_until_there_is_another(struct store_contract *contract)
{
    static const struct {
        enum baton_stage stage;
        bool stands;
        size_t size;
    } writes[] = {{BATON_LEAD, true, 60},   {BATON_MQL, false, 60},  {BATON_MQL, true, 60},
                  {BATON_MQL, true, 400},   {BATON_SQL, false, 300}, {BATON_LEAD, false, 300},
                  {BATON_LEAD, true, 100},  {BATON_LEAD, false, 60}, {BATON_SQL, false, 20000},
                  {BATON_SQL, true, 20000}, {BATON_LEAD, false, 60}};
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        sc_must(&a,
                sc_put_stage(&a, writes[i].stage, writes[i].stands, writes[i].size,
                             i ? writes[i - 1].size : 0),
                STATUS_OK, "write");
        enum baton_stage told = contract->stage(contract, STORE_CONTRACT_UNIT, "l");
        cr_assert(told == writes[i].stage, "write %zu: %s is told", i, baton_stage_name(told));
        sc_expect_lead(&a, "l", writes[i].size, 1);
    }
    sc_leave(&a);
}

/* Sizes from one chunk to more than a short form has, known stages and others, removed ones among
 * them, twice over: in any order, they do not get in each other's way. */
static inline void
store_contract_a_write_may_hold_leads_of_every_form(struct store_contract *contract)
{
    enum { LEADS = 120 };
    static char ids[LEADS][16];
    static struct stored_lead leads[LEADS];
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    for (unsigned turn = 0; turn < 2; turn++) {
        struct field word = {sc_text(turn ? "3" : "2"), sc_text("w")},
                     text = {sc_text(turn ? "u" : "t"), sc_text("x")},
                     field = {sc_text("position"), sc_text(turn ? "2" : "1")};
        for (unsigned i = 0; i < LEADS; i++) {
            size_t size = 1 + (i * 37 + turn * 211) % 800;
            size_t former = turn ? leads[i].packed_size : 0;
            (void)snprintf(ids[i], sizeof ids[i], "form-%u", i);
            leads[i] = sc_lead(&a, ids[i], size, (uint8_t)(i + turn));
            leads[i].stage = i % 3 ? BATON_LEAD : BATON_MQL;
            leads[i].stage_stands = turn || i % 3;
            leads[i].former_size = former;
            leads[i].removed = turn && i % 7 == 0;
        }
        struct store_write write = {.fields = &field,
                                    .field_count = 1,
                                    .words = &word,
                                    .word_count = 1,
                                    .texts = &text,
                                    .text_count = 1,
                                    .leads = leads,
                                    .lead_count = LEADS};
        sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");
        for (unsigned i = 0; i < LEADS; i++) {
            if (leads[i].removed)
                sc_expect_no_lead(&a, ids[i]);
            else
                sc_expect_lead(&a, ids[i], leads[i].packed_size, (uint8_t)(i + turn));
            cr_assert(leads[i].removed ||
                          contract->stage(contract, STORE_CONTRACT_UNIT, ids[i]) == leads[i].stage,
                      "turn %u: stage of %s", turn, ids[i]);
        }
    }
    size_t count = 0;
    (void)sc_hash(&a, STORE_WORDS, &count);
    cr_assert(count == 2);
    sc_claim(&a, STORE_CONTRACT_UNIT, 3);
    sc_expect_field(&a, "position", "2");
    sc_leave(&a);
}

static inline void
store_contract_a_former_form_is_said_until_it_is_written_anew(struct store_contract *contract)
{
    static const enum baton_stage stages[] = {BATON_MQL, BATON_LEAD};
    struct store_contract_owner a;
    struct loaded_lead found;
    sc_own(contract, &a, 1);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        sc_must(&a, sc_put_stage(&a, stages[i], false, 60, i ? 60 : 0), STATUS_OK, "write");
        sc_must(&a, sc_load(&a, "l", &found), STATUS_OK, "load");
        cr_assert(!found.stage_is_dated);
        contract->date(contract, STORE_CONTRACT_UNIT, "l");
        cr_assert(contract->stage(contract, STORE_CONTRACT_UNIT, "l") == stages[i]);
        sc_must(&a, sc_load(&a, "l", &found), STATUS_OK, "load");
        cr_assert(found.stage_is_dated && found.packed_size == 60);
        sc_must(&a, sc_put_stage(&a, stages[i], true, 60, 60), STATUS_OK, "write");
        sc_must(&a, sc_load(&a, "l", &found), STATUS_OK, "load");
        cr_assert(found.stage_is_dated, "what stands was not touched");
        sc_must(&a, sc_put_stage(&a, stages[i], false, 60, 60), STATUS_OK, "write");
        sc_must(&a, sc_load(&a, "l", &found), STATUS_OK, "load");
        cr_assert(!found.stage_is_dated && found.packed_size == 60);
        cr_assert(contract->stage(contract, STORE_CONTRACT_UNIT, "l") == stages[i]);
    }
    sc_leave(&a);
}

static inline void store_contract_lead_ids_are_bytes(struct store_contract *contract)
{
    static const char odd[] = "a b\r\n{1}\0*:\xc3\xa9";
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    char long_id[BATON_ID_MAX];
    memset(long_id, 'x', sizeof long_id);
    struct stored_lead leads[2] = {sc_lead(&a, "", 70, 5), sc_lead(&a, "", 80, 6)};
    leads[0].id = (struct baton_text){odd, sizeof odd - 1};
    leads[1].id = (struct baton_text){long_id, sizeof long_id};
    struct store_write write = {.leads = leads, .lead_count = 2};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");
    struct baton_text ids[3] = {leads[1].id, leads[0].id, {odd, 3}};
    struct loaded_lead out[3];
    sc_must(&a, sc_load_all(&a, STORE_CONTRACT_UNIT, ids, 3, out), STATUS_OK, "load");
    cr_assert(out[0].packed && out[0].packed_size == 80);
    cr_assert(out[1].packed && out[1].packed_size == 70);
    cr_assert(out[2].packed == NULL, "an id is not cut at a zero byte");
    sc_leave(&a);
}

static inline void store_contract_a_write_copies_what_it_is_given(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    struct stored_lead lead = sc_lead(&a, "l", 100, 9);
    struct store_write write = {.leads = &lead, .lead_count = 1};
    sc_must(&a, sc_write_only(&a, &write), STATUS_OK, "write");
    memset((void *)(uintptr_t)lead.packed, 0, 100);
    size_t outstanding = 99;
    sc_must(&a, sc_settle(&a, true, &outstanding), STATUS_OK, "settle");
    sc_expect_lead(&a, "l", 100, 9);
    sc_leave(&a);
}

static inline void store_contract_words_and_texts_come_back(struct store_contract *contract)
{
    enum { WORDS = 700 };
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    static char names[WORDS][8], values[WORDS][24];
    static struct field words[WORDS];
    for (size_t i = 0; i < WORDS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu", i + 2);
        (void)snprintf(values[i], sizeof values[i], "/page/%zu", i);
        words[i] = (struct field){sc_text(names[i]), sc_text(values[i])};
    }
    char *large = arena_take(&a.arena, 100000);
    memset(large, 'y', 100000);
    struct field texts[2] = {{sc_text("agreement:aa"), {large, 100000}},
                             {sc_text("schema:1"), {"\0{}\n", 4}}};
    struct store_write write = {
        .words = words, .word_count = WORDS, .texts = texts, .text_count = 2};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");

    struct field *found = NULL;
    size_t count = 0;
    found = sc_hash(&a, STORE_WORDS, &count);
    cr_assert(count == WORDS, "%zu words", count);
    for (size_t i = 0; i < WORDS; i++) {
        const struct field *word = sc_field(found, count, names[i]);
        cr_assert(word && sc_same(word->value, words[i].value), "word %s", names[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        struct baton_text value = {0};
        sc_must(&a,
                a.store->text(a.store, STORE_CONTRACT_UNIT, &a.fence, texts[i].name, &a.arena,
                              &value, &a.error),
                STATUS_OK, "text");
        cr_assert(value.data && sc_same(value, texts[i].value), "text %zu", i);
    }
    sc_leave(&a);
}

static inline void store_contract_units_do_not_share_anything(struct store_contract *contract)
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
    sc_must(&other, sc_load_all(&other, STORE_CONTRACT_UNIT + 1, &id, 1, &found), STATUS_OK,
            "load");
    cr_assert(found.packed == NULL);
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check of the first unit");
    arena_fini(&other.arena);
    sc_leave(&a);
}

static inline void
store_contract_clear_takes_leads_and_words_and_nothing_else(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    struct field field = {sc_text("position"), sc_text("9")}, word = {sc_text("2"), sc_text("w")},
                 text = {sc_text("t"), sc_text("t")};
    struct stored_lead leads[2] = {sc_lead(&a, "l1", 50, 1), sc_lead(&a, "l2", 500, 2)};
    struct store_write write = {.fields = &field,
                                .field_count = 1,
                                .words = &word,
                                .word_count = 1,
                                .texts = &text,
                                .text_count = 1,
                                .leads = leads,
                                .lead_count = 2};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");
    sc_must(&a, a.store->clear(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "clear");
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check after clear");
    sc_expect_no_lead(&a, "l1");
    sc_expect_no_lead(&a, "l2");
    size_t count = 9;
    struct baton_text value = {0};
    (void)sc_hash(&a, STORE_WORDS, &count);
    cr_assert(count == 0);
    sc_must(&a,
            a.store->text(a.store, STORE_CONTRACT_UNIT, &a.fence, sc_text("t"), &a.arena, &value,
                          &a.error),
            STATUS_OK, "text");
    cr_assert(value.data != NULL);
    sc_claim(&a, STORE_CONTRACT_UNIT, 2);
    sc_expect_field(&a, "position", "9");
    sc_leave(&a);
}

static inline void
store_contract_a_torn_lead_is_an_error_that_names_it(struct store_contract *contract)
{
    struct store_contract_owner a;
    if (!contract->tear)
        return;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_lead(&a, "torn-lead", 300, 1, 0), STATUS_OK, "write");
    contract->tear(contract, STORE_CONTRACT_UNIT, "torn-lead");
    struct loaded_lead found;
    sc_must(&a, sc_load(&a, "torn-lead", &found), STATUS_STOP, "load");
    cr_assert(strstr(a.error.text, "torn-lead") != NULL, "the error does not name the lead: %s",
              a.error.text);
    sc_leave(&a);
}

#endif
