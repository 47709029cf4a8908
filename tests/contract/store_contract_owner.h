/* Who the checks of store_contract.h are made with: an owner of a unit, and short ways to drive the
 * port. */
#ifndef CONTRACT_STORE_CONTRACT_OWNER_H
#define CONTRACT_STORE_CONTRACT_OWNER_H

#include "pipeline/ports.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
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
    /* What a reader is told of a lead's stage. */
    enum baton_stage (*stage)(struct store_contract *contract, uint32_t unit, const char *lead);
    /* Makes a lead's readable fields what a former version of this program wrote. */
    void (*date)(struct store_contract *contract, uint32_t unit, const char *lead);
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

static inline enum status sc_load_begin(struct store_contract_owner *owner, uint32_t unit,
                                        const struct baton_text *ids, size_t count)
{
    return owner->store->load_begin(owner->store, unit, &owner->fence, ids, count, &owner->error);
}

static inline enum status sc_load_finish(struct store_contract_owner *owner, uint32_t unit,
                                         size_t count, struct loaded_lead *out)
{
    struct loaded_lead *answers;
    enum status status = owner->store->load_finish(owner->store, unit, &answers, &owner->error);
    if (status == STATUS_OK && count)
        memcpy(out, answers, count * sizeof *out);
    return status;
}

static inline enum status sc_load_all(struct store_contract_owner *owner, uint32_t unit,
                                      const struct baton_text *ids, size_t count,
                                      struct loaded_lead *out)
{
    enum status status = sc_load_begin(owner, unit, ids, count);
    return status == STATUS_OK ? sc_load_finish(owner, unit, count, out) : status;
}

static inline enum status sc_load(struct store_contract_owner *owner, const char *id,
                                  struct loaded_lead *out)
{
    struct baton_text text = sc_text(id);
    return sc_load_all(owner, STORE_CONTRACT_UNIT, &text, 1, out);
}

static inline struct field *sc_hash(struct store_contract_owner *owner, enum store_hash hash,
                                    size_t *count)
{
    struct field *fields = NULL;
    sc_must(owner,
            owner->store->hash(owner->store, STORE_CONTRACT_UNIT, &owner->fence, hash,
                               &owner->arena, &fields, count, &owner->error),
            STATUS_OK, "hash");
    return fields;
}

static inline struct field *sc_peek(struct store_contract_owner *owner, uint32_t unit,
                                    enum store_hash hash, size_t *count)
{
    struct field *fields = NULL;
    sc_must(
        owner,
        owner->store->peek(owner->store, unit, hash, &owner->arena, &fields, count, &owner->error),
        STATUS_OK, "peek");
    return fields;
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

#endif
