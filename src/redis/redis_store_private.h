/* What the files of the store on Redis share. Private to this room: redis_unit.c (what is known of
 * a unit), redis_answers.c (the connection, and what Redis owes an answer for), redis_fence.c,
 * redis_load.c, redis_write.c, redis_scan.c; redis_store.c puts the port together. Worker's thread.
 */
#ifndef REDIS_REDIS_STORE_PRIVATE_H
#define REDIS_REDIS_STORE_PRIVATE_H

#include "redis/redis_keys.h"
#include "redis/redis_scripts.h"
#include "redis/redis_store.h"

#define TOKEN_TEXT 32

struct unit_state {
    size_t outstanding;  /* queued writes without an answer */
    enum status verdict; /* FENCED or STOP: until it is claimed again */
    char *why;
};

/* A load that was begun and is not finished yet. */
struct asked_load {
    struct asked_load *next; /* in the order of asking; or the next spare one */
    uint32_t unit;
    struct fence fence;
    const struct baton_text *ids; /* borrowed */
    size_t count, answered;       /* leads, and those in blocks that have been answered in full */
    bool done;
    enum status status; /* once done */
    struct error error;
    struct loaded_lead *leads; /* from the arena */
    struct arena arena;
};

/* What Redis owes an answer for: a write, or a block of a load. */
struct question {
    uint32_t unit;
    uint64_t end;            /* connection_queued_bytes behind it */
    struct asked_load *load; /* NULL: a write */
    size_t leads;            /* of the block */
    size_t answers;          /* still to come; more than one for a block */
};

struct redis_store {
    struct store port;
    struct redis_config config;    /* texts owned */
    struct connection *connection; /* NULL: gone, or not there yet */
    struct scripts scripts;
    bool scripts_loaded;
    bool server_changed; /* an answer says that this is not the server that we want: connect anew */
    struct unit_state *units; /* by number */
    size_t unit_count;
    struct question *asked; /* ring, oldest at asked_first; answers come in this order */
    size_t asked_first, asked_count, asked_room;
    uint64_t answered_bytes;
    struct asked_load *loads, *spare_loads;
    struct text_buffer groups; /* scratch of the call */
};

static inline struct redis_store *self(struct store *store)
{
    return (struct redis_store *)(void *)store; /* the port is the first member */
}

/* ---- redis_unit.c ---- */

struct unit_state *redis_unit(struct redis_store *store, uint32_t unit);
/* FENCED or STOP from now on; the first cause is the one to tell. */
void redis_unit_judge(struct redis_store *store, uint32_t unit, enum status verdict,
                      const char *why);
void redis_unit_fence_off(struct redis_store *store, uint32_t unit);
void redis_unit_clear(struct redis_store *store, uint32_t unit);
enum status redis_unit_verdict(struct redis_store *store, uint32_t unit, struct error *error);

/* ---- redis_answers.c ---- */

/* The unit is not fenced, and Redis is there: before anything but a claim, which asks be_ready. */
enum status redis_answers_begin(struct redis_store *store, uint32_t unit, struct error *error);
enum status redis_answers_be_ready(struct redis_store *store, struct error *error);
/* Before something is queued that is not waited for … */
void redis_answers_forget(struct redis_store *store);
/* … and behind it. load NULL: a write. */
void redis_answers_expect(struct redis_store *store, uint32_t unit, struct asked_load *load,
                          size_t leads);
struct question *redis_answers_oldest(struct redis_store *store);
struct question redis_answers_pop(struct redis_store *store);
/* Takes in one answer; none when there is none yet and `wait` is false. */
enum status redis_answers_take_one(struct redis_store *store, bool wait, bool *taken,
                                   struct error *error);
/* Takes in answers until at most `most` bytes are outstanding; those that are there in any case. */
enum status redis_answers_take(struct redis_store *store, uint64_t most, struct error *error);
/* One answer of a read, behind all answers of writes. */
enum status redis_answers_read(struct redis_store *store, const struct reply **reply,
                               struct error *error);
/* The connection is gone; returns the status. */
enum status redis_answers_lose(struct redis_store *store, enum status status);
/* What a call says when the connection broke: FENCED where the unit has lost a write by it, else
 * RETRY. */
enum status redis_answers_settle(struct redis_store *store, uint32_t unit, enum status status,
                                 struct error *error);
enum status redis_answers_refuse(const struct redis_store *store, struct error *error);

/* ---- redis_fence.c ---- */

void redis_fence_token(char text[TOKEN_TEXT + 1], const uint8_t token[16]);
bool redis_fence_holds(const struct reply *reply, const struct fence *fence);
/* Asks for it alone, and waits. */
enum status redis_fence_check(struct redis_store *store, uint32_t unit, const struct fence *fence,
                              struct error *error);
/* A question behind the fence: MULTI and the fence, up to some hundred commands, EXEC. */
void redis_fence_multi(struct redis_store *store, const struct key *unit_key);
void redis_fence_exec(struct redis_store *store);
/* Takes the answers of one MULTI with so many commands inside. On OK *results is EXEC's list, the
 * fence's answer first. */
enum status redis_fence_answer(struct redis_store *store, uint32_t unit, const struct fence *fence,
                               size_t commands, const struct reply **results, struct error *error);
/* Of a reply, or of the list that it is. */
enum status redis_fence_first_error(struct redis_store *store, const struct reply *reply,
                                    struct error *error);

/* ---- redis_load.c ---- */

enum status redis_load_begin(struct store *port, uint32_t unit, const struct fence *fence,
                             const struct baton_text *ids, size_t count, struct error *error);
enum status redis_load_finish(struct store *port, uint32_t unit, struct loaded_lead **out,
                              struct error *error);
/* Answers of one block: so many, beside those of its leads. */
#define BLOCK_ANSWERS 3 /* MULTI, the fence, EXEC */
void redis_load_take_answer(struct redis_store *store, const struct reply *reply);
void redis_load_fail(struct asked_load *load, enum status status, const char *why);
void redis_load_free_all(struct asked_load *load);

/* ---- redis_write.c ---- */

enum status redis_write(struct store *port, uint32_t unit, struct fence *fence,
                        const struct store_write *write, struct error *error);
enum status redis_write_settle(struct store *port, uint32_t unit, bool wait, size_t *outstanding,
                               struct error *error);
/* The parts of a write script: EVALSHA, its number of keys and the unit's key; then other keys,
 * with leads in the short form last; the fence, and how many keys are in which form
 * (short_counts[0]: of one chunk; NULL: none); what becomes of each key, the unit's own last (an
 * empty value removes a field). `arguments` counts those of the keys. */
void redis_write_begin(struct redis_store *store, uint32_t unit, size_t keys, size_t arguments);
void redis_write_put_head(struct redis_store *store, struct fence *fence, size_t others,
                          const size_t *short_counts);
void redis_write_put_fields(struct connection *connection, const struct field *fields,
                            size_t count);

/* ---- redis_scan.c ---- */

enum status redis_scan(struct store *port, uint32_t unit, const struct fence *fence,
                       const char *cursor, struct arena *arena, struct store_page *page,
                       struct error *error);
enum status redis_scan_clear(struct store *port, uint32_t unit, struct fence *fence,
                             struct error *error);

#endif
