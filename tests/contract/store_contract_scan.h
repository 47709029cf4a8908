/* Checks of store_contract.h: a scan of all leads. */
#ifndef CONTRACT_STORE_CONTRACT_SCAN_H
#define CONTRACT_STORE_CONTRACT_SCAN_H

#include "contract/store_contract_owner.h"

/* All pages from a cursor on; counts how often each id "lead-N" was there. */
static inline void sc_scan_from(struct store_contract_owner *owner, const char *cursor,
                                unsigned *times, unsigned count)
{
    char next[STORE_CURSOR_MAX + 1];
    (void)strcpy(next, cursor);
    for (unsigned pages = 0; pages == 0 || next[0]; pages++) {
        struct store_page page;
        cr_assert_lt(pages, 100000u, "the pages never end");
        sc_must(owner,
                owner->store->scan(owner->store, STORE_CONTRACT_UNIT, &owner->fence, next,
                                   &owner->arena, &page, &owner->error),
                STATUS_OK, "scan");
        for (size_t i = 0; i < page.count; i++) {
            char id[32] = "";
            cr_assert_lt(page.ids[i].size, sizeof id);
            memcpy(id, page.ids[i].data, page.ids[i].size);
            unsigned number = count;
            cr_assert(sscanf(id, "lead-%u", &number) == 1 && number < count, "id %s", id);
            times[number]++;
        }
        cr_assert_leq(page.permille, 1000);
        (void)strcpy(next, page.cursor);
    }
}

static inline void sc_put_many(struct store_contract_owner *owner, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "lead-%u", i);
        sc_must(owner, sc_put_lead(owner, id, 100, 1, 0), STATUS_OK, "write");
    }
}

static inline void store_contract_a_scan_gives_every_lead(struct store_contract *contract)
{
    struct store_contract_owner a;
    unsigned times[300] = {0};
    sc_own(contract, &a, 1);
    sc_scan_from(&a, "", times, 0);
    sc_put_many(&a, 300);
    sc_claim(&a, STORE_CONTRACT_UNIT + 1, 2); /* another unit's are not among them */
    struct stored_lead lead = sc_lead(&a, "other", 50, 2);
    struct store_write write = {.leads = &lead, .lead_count = 1};
    size_t outstanding;
    sc_must(&a, a.store->write(a.store, STORE_CONTRACT_UNIT + 1, &a.fence, &write, &a.error),
            STATUS_OK, "write");
    sc_must(&a, a.store->settle(a.store, STORE_CONTRACT_UNIT + 1, true, &outstanding, &a.error),
            STATUS_OK, "settle");
    sc_claim(&a, STORE_CONTRACT_UNIT, 3);
    sc_scan_from(&a, "", times, 300);
    for (unsigned i = 0; i < 300; i++)
        cr_assert_geq(times[i], 1, "lead-%u", i);
    sc_leave(&a);
}

static inline void store_contract_a_scan_goes_on_by_its_cursor(struct store_contract *contract)
{
    struct store_contract_owner a, b;
    unsigned times[3000] = {0};
    struct store_page page;
    char cursor[STORE_CURSOR_MAX + 1];
    sc_own(contract, &a, 1);
    sc_put_many(&a, 3000);
    sc_must(&a,
            a.store->scan(a.store, STORE_CONTRACT_UNIT, &a.fence, "", &a.arena, &page, &a.error),
            STATUS_OK, "scan");
    cr_assert(page.cursor[0] && page.count < 3000, "%zu", page.count);
    for (size_t i = 0; i < page.count; i++) {
        char id[32] = "";
        memcpy(id, page.ids[i].data, page.ids[i].size);
        times[strtoul(id + 5, NULL, 10)]++;
    }
    (void)strcpy(cursor, page.cursor);
    sc_own(contract, &b, 2); /* another connection, another owner */
    sc_scan_from(&b, cursor, times, 3000);
    unsigned twice = 0;
    for (unsigned i = 0; i < 3000; i++) {
        cr_assert_geq(times[i], 1, "lead-%u", i);
        twice += times[i] > 1;
    }
    cr_assert_lt(twice, 300, "it began anew");
    sc_must(&a,
            a.store->scan(a.store, STORE_CONTRACT_UNIT, &a.fence, "", &a.arena, &page, &a.error),
            STATUS_FENCED, "the former owner's scan");
    sc_leave(&a);
    sc_leave(&b);
}

static inline void store_contract_a_strange_cursor_begins_anew(struct store_contract *contract)
{
    static const char *const strange[] = {"5", "0123456789abcdef-77", "-", "no cursor at all"};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        struct store_contract_owner a;
        unsigned times[60] = {0};
        sc_own(contract, &a, 1);
        sc_put_many(&a, 60);
        sc_scan_from(&a, strange[i], times, 60);
        for (unsigned k = 0; k < 60; k++)
            cr_assert_geq(times[k], 1, "%s: lead-%u", strange[i], k);
        sc_leave(&a);
    }
}

#endif
