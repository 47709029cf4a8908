/* Checks of store_contract.h: days and clocks, and looking at a unit without owning it. */
#ifndef CONTRACT_STORE_CONTRACT_HASHES_H
#define CONTRACT_STORE_CONTRACT_HASHES_H

#include "contract/store_contract_owner.h"

static inline enum status sc_put_day(struct store_contract_owner *owner, const char *day,
                                     const char *value)
{
    struct field field = {sc_text(day), sc_text(value)};
    struct store_write write = {.days = &field, .day_count = 1};
    return sc_write(owner, &write);
}

static inline enum status sc_put_clock(struct store_contract_owner *owner, const char *lead,
                                       const char *value)
{
    struct field field = {sc_text(lead), sc_text(value)};
    struct store_write write = {.clocks = &field, .clock_count = 1};
    return sc_write(owner, &write);
}

static inline void sc_expect_in(const struct field *fields, size_t count, const char *name,
                                const char *value)
{
    const struct field *field = sc_field(fields, count, name);
    cr_assert(field != NULL, "%s is not there", name);
    cr_assert(sc_same(field->value, sc_text(value)), "%s is %.*s", name, (int)field->value.size,
              field->value.data);
}

static inline void store_contract_days_and_clocks_come_back(struct store_contract *contract)
{
    enum { CLOCKS = 700 };
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    static char names[CLOCKS][16];
    static struct field clocks[CLOCKS];
    for (size_t i = 0; i < CLOCKS; i++) {
        (void)snprintf(names[i], sizeof names[i], "lead-%zu", i);
        clocks[i] = (struct field){sc_text(names[i]), sc_text(names[i] + 5)};
    }
    clocks[0].name = sc_text("token"); /* a lead may be called so */
    clocks[1].name = sc_text("step");
    char *large = arena_take(&a.arena, 100000);
    memset(large, 'y', 100000);
    struct field days[2] = {{sc_text("20780"), {"\1\0\0\n", 4}},
                            {sc_text("spend"), {large, 100000}}};
    struct field word = {sc_text("2"), sc_text("w")}, own = {sc_text("position"), sc_text("7")};
    struct stored_lead lead = sc_lead(&a, "l", 50, 1);
    struct store_write write = {.fields = &own,
                                .field_count = 1,
                                .words = &word,
                                .word_count = 1,
                                .days = days,
                                .day_count = 2,
                                .clocks = clocks,
                                .clock_count = CLOCKS,
                                .leads = &lead,
                                .lead_count = 1};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");

    size_t count = 0;
    const struct field *found = sc_hash(&a, STORE_DAYS, &count);
    cr_assert(count == 2, "%zu days", count);
    for (size_t i = 0; i < 2; i++) {
        const struct field *day = sc_field(found, count, i ? "spend" : "20780");
        cr_assert(day && sc_same(day->value, days[i].value));
    }
    found = sc_hash(&a, STORE_CLOCKS, &count);
    cr_assert(count == CLOCKS, "%zu clocks", count);
    for (size_t i = 0; i < CLOCKS; i++) {
        const struct field *clock = sc_field(found, count, clocks[i].name.data);
        cr_assert(clock && sc_same(clock->value, clocks[i].value), "clock %zu", i);
    }
    found = sc_hash(&a, STORE_WORDS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "2", "w");
    found = sc_hash(&a, STORE_UNIT, &count);
    cr_assert(count == 1, "token and step are the store's own");
    sc_expect_in(found, count, "position", "7");
    sc_expect_lead(&a, "l", 50, 1);
    sc_leave(&a);
}

static inline void
store_contract_an_empty_value_removes_a_day_or_clock(struct store_contract *contract)
{
    struct store_contract_owner a;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_day(&a, "20780", "x"), STATUS_OK, "write");
    sc_must(&a, sc_put_clock(&a, "anna", "17"), STATUS_OK, "write");
    struct field days[] = {{sc_text("20780"), sc_text("")},
                           {sc_text("20781"), sc_text("y")},
                           {sc_text("never"), sc_text("")}};
    struct field clocks[] = {{sc_text("bea"), sc_text("18")}, {sc_text("anna"), sc_text("")}};
    struct store_write write = {.days = days, .day_count = 3, .clocks = clocks, .clock_count = 2};
    sc_must(&a, sc_write(&a, &write), STATUS_OK, "write");
    size_t count = 0;
    const struct field *found = sc_hash(&a, STORE_DAYS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "20781", "y");
    found = sc_hash(&a, STORE_CLOCKS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "bea", "18");
    sc_leave(&a);
}

static inline void store_contract_days_and_clocks_are_fenced(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    sc_own(contract, &a, 1);
    sc_must(&a, sc_put_day(&a, "20780", "a"), STATUS_OK, "write");
    sc_own(contract, &b, 2);
    sc_must(&a, sc_put_day(&a, "20780", "b"), STATUS_FENCED, "write");
    sc_must(&a, sc_put_clock(&a, "anna", "17"), STATUS_FENCED, "write");
    struct field *found;
    size_t count = 0;
    sc_must(&a,
            a.store->hash(a.store, STORE_CONTRACT_UNIT, &a.fence, STORE_DAYS, &a.arena, &found,
                          &count, &a.error),
            STATUS_FENCED, "hash");
    found = sc_hash(&b, STORE_DAYS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "20780", "a");
    (void)sc_hash(&b, STORE_CLOCKS, &count);
    cr_assert(count == 0);
    sc_leave(&a);
    sc_leave(&b);
}

static inline void store_contract_a_peek_needs_no_claim(struct store_contract *contract)
{
    struct store_contract_owner a, b, reader = {0};
    sc_own(contract, &a, 1);
    arena_init(&reader.arena, 65536);
    reader.store = contract->open(contract);
    size_t count = 9;
    (void)sc_peek(&reader, STORE_CONTRACT_UNIT + 1, STORE_UNIT, &count);
    cr_assert(count == 0, "nobody has that unit");
    sc_must(&a, sc_put_field(&a, "passed", "1"), STATUS_OK, "write");
    sc_must(&a, sc_put_day(&a, "20780", "x"), STATUS_OK, "write");
    sc_must(&a, sc_put_clock(&a, "step", "17"), STATUS_OK, "write");
    const struct field *found = sc_peek(&reader, STORE_CONTRACT_UNIT, STORE_UNIT, &count);
    cr_assert(count == 1, "%zu fields", count);
    sc_expect_in(found, count, "passed", "1");
    found = sc_peek(&reader, STORE_CONTRACT_UNIT, STORE_DAYS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "20780", "x");
    found = sc_peek(&reader, STORE_CONTRACT_UNIT, STORE_CLOCKS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "step", "17");
    (void)sc_peek(&reader, STORE_CONTRACT_UNIT, STORE_WORDS, &count);
    cr_assert(count == 0);
    sc_must(&a, sc_put_field(&a, "after", "1"), STATUS_OK, "the owner is not disturbed by a look");

    sc_own(contract, &b, 2);
    sc_must(&b, sc_put_field(&b, "passed", "2"), STATUS_OK, "write");
    sc_must(&a, sc_put_field(&a, "passed", "3"), STATUS_FENCED, "write");
    found = sc_peek(&a, STORE_CONTRACT_UNIT, STORE_UNIT, &count);
    sc_expect_in(found, count, "passed", "2"); /* also by who has lost the unit */
    sc_leave(&reader);
    sc_leave(&a);
    sc_leave(&b);
}

/* Words are in the checks of fences. */
static inline void store_contract_clear_takes_days_and_clocks(struct store_contract *contract)
{
    struct store_contract_owner a, other = {0};
    sc_own(contract, &a, 1);
    arena_init(&other.arena, 65536);
    other.store = contract->open(contract);
    sc_claim(&other, STORE_CONTRACT_UNIT + 10, 2); /* its key begins alike */
    struct field day = {sc_text("20780"), sc_text("other")};
    struct store_write write = {.days = &day, .day_count = 1};
    sc_must(&other,
            other.store->write(other.store, STORE_CONTRACT_UNIT + 10, &other.fence, &write,
                               &other.error),
            STATUS_OK, "write");
    sc_must(&a, sc_put_day(&a, "20780", "x"), STATUS_OK, "write");
    sc_must(&a, sc_put_clock(&a, "anna", "17"), STATUS_OK, "write");
    sc_must(&a, sc_put_field(&a, "position", "7"), STATUS_OK, "write");
    sc_must(&a, a.store->clear(a.store, STORE_CONTRACT_UNIT, &a.fence, &a.error), STATUS_OK,
            "clear");
    size_t count = 9;
    (void)sc_hash(&a, STORE_DAYS, &count);
    cr_assert(count == 0);
    (void)sc_hash(&a, STORE_CLOCKS, &count);
    cr_assert(count == 0);
    const struct field *found = sc_hash(&a, STORE_UNIT, &count);
    sc_expect_in(found, count, "position", "7");
    found = sc_peek(&a, STORE_CONTRACT_UNIT + 10, STORE_DAYS, &count);
    cr_assert(count == 1);
    sc_expect_in(found, count, "20780", "other");
    sc_must(&a, sc_put_day(&a, "20781", "y"), STATUS_OK, "the fence goes on");
    sc_leave(&other);
    sc_leave(&a);
}

#endif
