/* What every store must do, whoever it talks to: the checks of ports.h that the store in memory and
 * the one on Redis both pass.
 *
 *   static void open_redis(struct store_contract *contract);   fills the functions below; an empty
 * store static void close_redis(struct store_contract *contract); STORE_CONTRACT_TESTS(redis_store,
 * open_redis, close_redis)
 *
 * makes one Criterion test per check. */
#ifndef CONTRACT_STORE_CONTRACT_H
#define CONTRACT_STORE_CONTRACT_H

#include "pipeline/ports.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

struct store_contract {
    void *context;
    /* Another connection to the same store. The checks destroy it. */
    struct store *(*open)(struct store_contract *contract);
    /* Optional, NULL where it cannot be done: keep a copy of all that is stored; fall back to that
     * copy. */
    void (*save)(struct store_contract *contract);
    void (*fall_back)(struct store_contract *contract);
    /* Optional: damages or removes a part of what is stored of a lead, behind the store's back. */
    void (*tear)(struct store_contract *contract, uint32_t unit, const char *lead);
};

#define STORE_CONTRACT_UNIT 3u

struct store_contract_owner {
    struct store *store;
    struct fence fence;
    struct arena arena;
    struct field *fields; /* as they were at the claim */
    size_t field_count;
    struct error error;
};

static inline struct baton_text sc_text(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static inline bool sc_same(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

static inline const struct field *sc_field(const struct field *fields, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (sc_same(fields[i].name, sc_text(name)))
            return &fields[i];
    return NULL;
}

static inline void sc_must(const struct store_contract_owner *owner, enum status status,
                           enum status wanted, const char *what)
{
    cr_assert(status == wanted, "%s: status %d, wanted %d (%s)", what, (int)status, (int)wanted,
              status == STATUS_OK ? "" : owner->error.text);
}

static inline void sc_claim(struct store_contract_owner *owner, uint32_t unit, uint8_t mark)
{
    uint8_t token[16];
    memset(token, mark, sizeof token);
    token[7] = 0; /* bytes, not text */
    sc_must(owner,
            owner->store->claim(owner->store, unit, token, &owner->arena, &owner->fence,
                                &owner->fields, &owner->field_count, &owner->error),
            STATUS_OK, "claim");
}

/* A connection that has claimed STORE_CONTRACT_UNIT. */
static inline void sc_own(struct store_contract *contract, struct store_contract_owner *owner,
                          uint8_t mark)
{
    memset(owner, 0, sizeof *owner);
    arena_init(&owner->arena, 65536);
    owner->store = contract->open(contract);
    cr_assert(owner->store != NULL);
    sc_claim(owner, STORE_CONTRACT_UNIT, mark);
}

static inline void sc_leave(struct store_contract_owner *owner)
{
    owner->store->destroy(owner->store);
    arena_fini(&owner->arena);
}

static inline enum status sc_write_only(struct store_contract_owner *owner,
                                        const struct store_write *write)
{
    return owner->store->write(owner->store, STORE_CONTRACT_UNIT, &owner->fence, write,
                               &owner->error);
}

static inline enum status sc_settle(struct store_contract_owner *owner, bool wait,
                                    size_t *outstanding)
{
    return owner->store->settle(owner->store, STORE_CONTRACT_UNIT, wait, outstanding,
                                &owner->error);
}

/* Writes and waits for the answer. The write itself may already say FENCED, as the answers may be
 * in. */
static inline enum status sc_write(struct store_contract_owner *owner,
                                   const struct store_write *write)
{
    size_t outstanding = 99;
    enum status status = sc_write_only(owner, write);
    if (status != STATUS_OK)
        return status;
    status = sc_settle(owner, true, &outstanding);
    if (status == STATUS_OK)
        cr_assert(outstanding == 0, "settle waited, and %zu are outstanding", outstanding);
    return status;
}

static inline enum status sc_put_field(struct store_contract_owner *owner, const char *name,
                                       const char *value)
{
    struct field field = {sc_text(name), sc_text(value)};
    struct store_write write = {.fields = &field, .field_count = 1};
    return sc_write(owner, &write);
}

/* A lead whose packed form is `size` bytes of a pattern that begins with `mark`; zero bytes among
 * them. */
static inline struct stored_lead sc_lead(struct store_contract_owner *owner, const char *id,
                                         size_t size, uint8_t mark)
{
    uint8_t *packed = arena_take(&owner->arena, size);
    for (size_t i = 0; i < size; i++)
        packed[i] = (uint8_t)(mark + i * 7);
    return (struct stored_lead){.id = sc_text(id),
                                .score = {.score = 7025, .fit = 3000, .behaviour = 4025},
                                .stage = BATON_MQL,
                                .updated_ms = 1793534400123,
                                .packed = packed,
                                .packed_size = size};
}

static inline enum status sc_put_lead(struct store_contract_owner *owner, const char *id,
                                      size_t size, uint8_t mark, size_t former_size)
{
    struct stored_lead lead = sc_lead(owner, id, size, mark);
    lead.former_size = former_size;
    struct store_write write = {.leads = &lead, .lead_count = 1};
    return sc_write(owner, &write);
}

static inline enum status sc_load(struct store_contract_owner *owner, const char *id,
                                  struct loaded_lead *out)
{
    struct baton_text text = sc_text(id);
    return owner->store->load(owner->store, STORE_CONTRACT_UNIT, &owner->fence, &text, 1,
                              &owner->arena, out, &owner->error);
}

static inline void sc_expect_lead(struct store_contract_owner *owner, const char *id, size_t size,
                                  uint8_t mark)
{
    struct loaded_lead found = {0};
    sc_must(owner, sc_load(owner, id, &found), STATUS_OK, "load");
    cr_assert(found.packed != NULL, "lead %s is not there", id);
    cr_assert(found.packed_size == size, "lead %s has %zu bytes, wanted %zu", id, found.packed_size,
              size);
    cr_assert(memcmp(found.packed, sc_lead(owner, id, size, mark).packed, size) == 0,
              "lead %s has other bytes", id);
}

static inline void sc_expect_no_lead(struct store_contract_owner *owner, const char *id)
{
    struct loaded_lead found = {0};
    sc_must(owner, sc_load(owner, id, &found), STATUS_OK, "load");
    cr_assert(found.packed == NULL, "lead %s is there", id);
}

static inline void sc_expect_field(const struct store_contract_owner *owner, const char *name,
                                   const char *value)
{
    const struct field *field = sc_field(owner->fields, owner->field_count, name);
    if (!value) {
        cr_assert(field == NULL, "field %s is there", name);
        return;
    }
    cr_assert(field != NULL, "field %s is not there", name);
    cr_assert(sc_same(field->value, sc_text(value)), "field %s is %.*s", name,
              (int)field->value.size, field->value.data);
}

/* ---- the checks
 * ---------------------------------------------------------------------------------- */

static inline void store_contract_a_new_unit_holds_nothing(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_expect_field(&a, "position", NULL);
    sc_expect_no_lead(&a, "nobody");
    struct field *words = NULL;
    size_t count = 99;
    sc_must(
        &a,
        a.store->words(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.arena, &words, &count, &a.error),
        STATUS_OK, "words");
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
    sc_must(&a,
            a.store->load(a.store, STORE_CONTRACT_UNIT, &a.fence, ids, 3, &a.arena, out, &a.error),
            STATUS_OK, "load");
    cr_assert(out[0].packed && out[0].packed_size == 80);
    cr_assert(out[1].packed && out[1].packed_size == 70);
    cr_assert(out[2].packed == NULL, "an id is not cut at a zero byte");
    sc_leave(&a);
}

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
    sc_must(
        &a,
        a.store->load(a.store, STORE_CONTRACT_UNIT, &a.fence, ids, LEADS, &a.arena, out, &a.error),
        STATUS_OK, "load");
    for (size_t i = 0; i < LEADS; i++) {
        cr_assert((out[i].packed != NULL) == (i % 3 != 0), "lead %zu", i);
        if (out[i].packed)
            cr_assert(out[i].packed_size == 20 + i % 90 && out[i].packed[0] == (uint8_t)i,
                      "lead %zu is another", i);
    }
    sc_must(&a,
            a.store->load(a.store, STORE_CONTRACT_UNIT, &a.fence, ids, 0, &a.arena, out, &a.error),
            STATUS_OK, "load of nothing");
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
    sc_must(
        &a,
        a.store->words(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.arena, &found, &count, &a.error),
        STATUS_OK, "words");
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
    sc_must(&other,
            a.store->load(a.store, STORE_CONTRACT_UNIT + 1, &other.fence, &id, 1, &other.arena,
                          &found, &other.error),
            STATUS_OK, "load");
    cr_assert(found.packed == NULL);
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check of the first unit");
    arena_fini(&other.arena);
    sc_leave(&a);
}

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
    sc_must(
        &a,
        a.store->words(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.arena, &words, &count, &a.error),
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
    struct store_write write = {&field, 1, &word, 1, &text, 1, &lead, 1};
    sc_must(&a, sc_write(&a, &write), STATUS_FENCED, "write");
    struct field *words;
    size_t count = 9;
    struct baton_text value = sc_text("x");
    sc_expect_no_lead(&b, "l");
    sc_must(
        &b,
        b.store->words(b.store, STORE_CONTRACT_UNIT, &b.fence, &b.arena, &words, &count, &b.error),
        STATUS_OK, "words");
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
store_contract_clear_takes_leads_and_words_and_nothing_else(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    struct field field = {sc_text("position"), sc_text("9")}, word = {sc_text("2"), sc_text("w")},
                 text = {sc_text("t"), sc_text("t")};
    struct stored_lead leads[2] = {sc_lead(&a, "l1", 50, 1), sc_lead(&a, "l2", 500, 2)};
    struct store_write write = {&field, 1, &word, 1, &text, 1, leads, 2};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");
    sc_must(&a, a.store->clear(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "clear");
    sc_must(&a, a.store->check(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "check after clear");
    sc_expect_no_lead(&a, "l1");
    sc_expect_no_lead(&a, "l2");
    struct field *words;
    size_t count = 9;
    struct baton_text value = {0};
    sc_must(
        &a,
        a.store->words(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.arena, &words, &count, &a.error),
        STATUS_OK, "words");
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

#define STORE_CONTRACT_CHECKS(X, suite, opens, closes)                                             \
    X(suite, opens, closes, a_new_unit_holds_nothing)                                              \
    X(suite, opens, closes, a_claim_gives_the_fields_written_before)                               \
    X(suite, opens, closes, an_empty_value_removes_a_field)                                        \
    X(suite, opens, closes, a_write_moves_the_step_by_one)                                         \
    X(suite, opens, closes, leads_of_all_sizes_come_back)                                          \
    X(suite, opens, closes, a_lead_that_shrinks_leaves_nothing_behind)                             \
    X(suite, opens, closes, lead_ids_are_bytes)                                                    \
    X(suite, opens, closes, a_load_answers_in_the_order_of_the_ids)                                \
    X(suite, opens, closes, a_load_sees_the_writes_queued_before_it)                               \
    X(suite, opens, closes, a_write_copies_what_it_is_given)                                       \
    X(suite, opens, closes, words_and_texts_come_back)                                             \
    X(suite, opens, closes, units_do_not_share_anything)                                           \
    X(suite, opens, closes, a_former_owner_can_neither_read_nor_write)                             \
    X(suite, opens, closes, fenced_is_said_until_the_unit_is_claimed_again)                        \
    X(suite, opens, closes, of_pipelined_writes_none_gets_past_a_new_claim)                        \
    X(suite, opens, closes, the_token_alone_is_no_fence)                                           \
    X(suite, opens, closes, the_step_alone_is_no_fence)                                            \
    X(suite, opens, closes, a_write_is_all_or_nothing)                                             \
    X(suite, opens, closes, clear_takes_leads_and_words_and_nothing_else)                          \
    X(suite, opens, closes, a_store_that_fell_back_fences_its_present_owner)                       \
    X(suite, opens, closes, a_torn_lead_is_an_error_that_names_it)

#define STORE_CONTRACT_TEST(suite, opens, closes, check)                                           \
    Test(suite, check, .timeout = 60)                                                              \
    {                                                                                              \
        struct store_contract contract = {0};                                                      \
        opens(&contract);                                                                          \
        store_contract_##check(&contract);                                                         \
        closes(&contract);                                                                         \
    }

#define STORE_CONTRACT_TESTS(suite, opens, closes)                                                 \
    STORE_CONTRACT_CHECKS(STORE_CONTRACT_TEST, suite, opens, closes)

#endif
