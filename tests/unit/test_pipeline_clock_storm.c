/* Random worlds in which the wall clock jumps minutes while owners come and go, transactions end in
 * every way, and the store falls back, breaks and is away. In the end each broken promise was told
 * once, each correction once, and nothing else, whoever was to tell it.
 *
 * The oracle folds the log once more. What came of a clock is known without its owners: one that is
 * late in the end was told so; one that was kept in the end was never told, or told and corrected;
 * one that ended while it ran, with its lead or its generation, is late if it was due when the
 * event arrived that ended it; and each is counted as what it came to, of whichever lead it was
 * told.
 *
 * BATON_SIMULATIONS=N runs N seeds, BATON_SIMULATION_SEED=S just that one. */
#include "pipeline_world.h"

#include "codec/rfc3339.h"
#include "domain/clocks.h"
#include "pact/sums.h"

#define ROUNDS 350
#define LEADS 30
#define MINUTE_US INT64_C(60000000)
#define MINUTE_MS INT64_C(60000)
#define CLOCKS_MAX 4000

static const char PACT[] = "agreement: pact\nversion: 1\n"
                           "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                           "gates: {mql: {score: 5}, sql: {score: 10}}\n"
                           "sales:\n  hours: {days: mon-sun, from: 00:00, to: 24:00}\n"
                           "  first_contact: {within: 1 working hour, remind: 20m, owner: Ann}\n"
                           "  verdict: {within: 3h}\n  next_update: {within: 2h}\n";

static const enum memory_outcome outcomes[] = {
    MEMORY_COMMIT, MEMORY_COMMIT,          MEMORY_COMMIT,           MEMORY_ABORT,
    MEMORY_HOLD,   MEMORY_UNKNOWN_ABORTED, MEMORY_UNKNOWN_COMMITTED};

static void append(struct world *world, const char *kind, const char *rest)
{
    char value[512], lead[32];
    uint32_t unit = (uint32_t)world_random(world, world->units);
    int64_t now_ms = world->clock.wall_ms;
    world_lead(world, unit, world_random(world, LEADS), lead);
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"%s\",\"event_id\":\"e%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "%s}",
                   kind, world->events++, lead, now_ms, rest);
    struct memory_input input = {.timestamp_ms = now_ms,
                                 .key = lead,
                                 .key_size = strlen(lead),
                                 .value = value,
                                 .value_size = strlen(value)};
    world->ends[unit] = memory_log_append(world->log, unit, &input) + 1;
}

/* With persons leads and generations end while their clocks run. */
static bool append_end(struct world *world)
{
    static const char *const stages[] = {"lead", "mql", "rejected", "accepted"};
    char rest[128], into[32];
    uint64_t what = world->persons ? world_random(world, 24) : 4;
    if (what > 3)
        return false;
    world_lead(world, (uint32_t)world_random(world, world->units), world_random(world, LEADS),
               into);
    if (what < 2)
        (void)snprintf(rest, sizeof rest, ",\"into\":\"%s\"", into);
    else
        (void)snprintf(rest, sizeof rest, ",\"by\":\"Ana\",\"reason\":\"r\",\"stage\":\"%s\"",
                       stages[world_random(world, 4)]);
    append(world, what < 2 ? "merge" : "adjust", rest);
    return true;
}

static void append_random(struct world *world)
{
    if (append_end(world))
        return;
    static const char *const reports[] = {"contacted", "meeting",  "accepted", "negotiating",
                                          "proposal",  "assigned", "customer"};
    char rest[128] = "";
    bool report = world_random(world, 4) == 0;
    int64_t before_ms = world_random(world, 2) ? 0 : (int64_t)world_random(world, 150) * MINUTE_MS;
    if (report)
        (void)snprintf(rest, sizeof rest,
                       ",\"report\":\"%s\",\"at\":%" PRId64 ",\"seller\":\"s%" PRIu64 "\"",
                       reports[world_random(world, world_random(world, 3) ? 6 : 7)],
                       world->clock.wall_ms - before_ms, world_random(world, 3));
    append(world, report ? "feedback" : "visit", rest);
}

/* ---- Accidents ---- */

static void restart(struct world *world, int number)
{
    owner_kill(world, number);
    memory_log_set_away(world->log, false);
    owner_start(world, number);
}

static void disturb_store(struct world *world, struct store *store)
{
    size_t some = world_random(world, memory_store_under_way(store) + 1);
    switch (world_random(world, 4)) {
    case 0: memory_store_hold(store, true); break;
    case 1: memory_store_deliver(store, some); break;
    case 2:
        memory_store_hold(store, false);
        memory_store_deliver(store, SIZE_MAX);
        break;
    default:
        memory_store_deliver(store, some);
        memory_store_break(store);
        if (world_random(world, 2))
            memory_store_arrive(store, world_random(world, 3));
    }
}

/* Part of a checkpoint has arrived, and the rest is lost, or its owner dies. */
static void tear_checkpoint(struct world *world, int number)
{
    struct store *store = world->owners[number].ports.store;
    for (uint64_t n = world_random(world, 20); n > 0; n--)
        append_random(world);
    memory_store_hold(store, true);
    for (int i = 0; i < 250 && memory_store_under_way(store) < 4; i++)
        owner_step(world, number);
    memory_store_deliver(store, world_random(world, memory_store_under_way(store) + 1));
    if (world_random(world, 2)) {
        restart(world, number);
        return;
    }
    memory_store_break(store);
    memory_store_hold(store, false);
}

static void disturb(struct world *world)
{
    int number = (int)world_random(world, 2);
    struct owner *owner = &world->owners[number];
    switch (world_random(world, 15)) {
    case 0: restart(world, number); break;
    case 1: memory_log_rebalance(world->log); break;
    case 2: memory_source_expire(owner->ports.source); break;
    case 3:
    case 4:
    case 5:
        memory_sink_set_outcome(owner->ports.sink, outcomes[world_random(world, 7)]);
        if (memory_sink_is_held(owner->ports.sink))
            memory_sink_finish(owner->ports.sink, outcomes[world_random(world, 4)]);
        break;
    case 6: memory_db_save(world->db); break;
    case 7:
        if (world_random(world, 2) == 0)
            memory_db_fall_back(world->db);
        break;
    case 8:
    case 9: disturb_store(world, owner->ports.store); break;
    case 10: memory_db_set_away(world->db, world_random(world, 3) == 0); break;
    case 11:
    case 12: tear_checkpoint(world, number); break;
    case 13: world->clock.wall_ms += (int64_t)world_random(world, 40) * MINUTE_MS; break;
    default: memory_clock_advance(&world->clock, (int64_t)world_random(world, 40) * MINUTE_US);
    }
}

static void settle(struct world *world, uint64_t seed)
{
    memory_db_set_away(world->db, false);
    memory_log_set_away(world->log, false);
    for (int i = 0; i < 2; i++) {
        struct worker_ports *ports = &world->owners[i].ports;
        memory_sink_set_outcome(ports->sink, MEMORY_COMMIT);
        if (memory_sink_is_held(ports->sink))
            memory_sink_finish(ports->sink, MEMORY_COMMIT);
        memory_store_hold(ports->store, false);
        memory_store_deliver(ports->store, SIZE_MAX);
    }
    memory_log_resolve(world->log);
    for (int i = 0; i < 6; i++) {
        world_find_ends(world);
        bool through = world_settle(world, 30000);
        if (!through)
            world_tell(world);
        cr_assert(through, "seed %" PRIu64 ": does not get through", seed);
        for (int n = 0; n < 300; n++)
            owner_step(world, n % 2);
    }
}

/* ---- The oracle ---- */

/* Each clock that ever began: as it stands in the end. Which generation its lead is in may change
 * while it runs; two leads that are one may both have one that began at this moment. */
struct seen_clock {
    char name[80];
    struct baton_clock clock;
    bool foreign, told; /* it comes from another lead, where it was told */
    bool ended, late, by_merge;
    bool twice;
};

struct seen {
    struct seen_clock clocks[CLOCKS_MAX];
    size_t count;
    int64_t counted[BATON_CLOCKS][CLOCK_BROKEN + 1]; /* what is to be */
    int64_t end_ms;
};

static void see_name(char name[80], struct baton_text lead, const char *clock, int64_t start_ms)
{
    (void)snprintf(name, 80, "%.*s/%s@%" PRId64, (int)lead.size, lead.data, clock, start_ms);
}

static struct seen_clock *find_seen(struct seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->clocks[i].name, name) == 0)
            return &seen->clocks[i];
    return NULL;
}

static struct seen_clock *seen_of(struct seen *seen, struct baton_text lead,
                                  const struct baton_clock_move *move)
{
    char name[80];
    int64_t start_ms = move->ended ? move->before.start_ms : move->after.start_ms;
    see_name(name, lead, baton_clock_name(move->id), start_ms);
    struct seen_clock *clock = find_seen(seen, name);
    if (clock) {
        clock->twice |= !move->before.start_ms || move->before.stop_ms != clock->clock.stop_ms;
        return clock;
    }
    cr_assert_lt(seen->count, CLOCKS_MAX);
    clock = &seen->clocks[seen->count++];
    *clock =
        (struct seen_clock){.foreign = move->told || move->before.start_ms,
                            .told = move->told || clock_verdict(&move->before, 0) == CLOCK_BROKEN};
    (void)strcpy(clock->name, name);
    return clock;
}

static void see(struct seen *seen, const struct baton_event *event, int64_t arrived_ms,
                const struct baton_clock_move *move)
{
    struct seen_clock *clock = seen_of(seen, event->lead_id, move);
    int64_t *counted = seen->counted[move->id];
    counted[clock_verdict(&move->before, seen->end_ms)]--;
    if (move->ended) {
        clock->ended = true;
        clock->late = move->before.due_ms <= arrived_ms;
        clock->by_merge = event->kind == BATON_MERGE;
        counted[clock->late ? CLOCK_BROKEN : CLOCK_NONE]++;
        return;
    }
    clock->clock = move->after;
    counted[clock_verdict(&move->after, seen->end_ms)]++;
}

struct fold_world {
    struct lead_table table;
    struct baton_words words;
    struct decoder *decoder;
    struct arena arena;
};

static void fold(struct world *world, struct fold_world *folds, const struct record *record,
                 struct seen *seen)
{
    struct baton_event event;
    struct decode_result verdict;
    struct hop hop;
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    arena_reset(&folds->arena);
    if (hop_read(record->headers, record->header_count, &folds->arena, &hop))
        message.hop = &hop;
    decoder_decode(folds->decoder, &message, &folds->arena, &event, &verdict);
    if (verdict.outcome == DECODE_DEAD && verdict.reason == DEAD_MERGE_INTO_ITSELF)
        return;
    cr_assert_eq(verdict.outcome, DECODED, "%s", verdict.detail);
    const struct baton_agreement *agreement = agreement_compiled(world->agreement);
    uint64_t hash = lead_table_hash(record->unit, event.lead_id);
    struct lead_entry *entry = lead_table_find(&folds->table, hash, record->unit, event.lead_id);
    if (!entry) {
        entry = lead_table_add(&folds->table, hash, record->unit, event.lead_id);
        baton_lead_attach(&entry->lead, agreement);
    }
    struct baton_fold_context context = {
        .agreement = agreement, .words = &folds->words, .allocator = &folds->table.allocator};
    struct baton_fold_result result;
    baton_fold(&entry->lead, &event, &context, &result);
    int64_t arrived_ms = record->timestamp_ms < 0 ? event.time_ms : record->timestamp_ms;
    for (uint32_t i = 0; i < result.clock_move_count; i++)
        see(seen, &event, arrived_ms, &result.clock_moves[i]);
}

static void see_all(struct world *world, struct seen *seen)
{
    struct fold_world folds = {0};
    struct error error;
    lead_table_init(&folds.table, SIZE_MAX);
    arena_init(&folds.arena, 65536);
    baton_words_init(&folds.words, 4096, folds.table.allocator);
    cr_assert_eq(decoder_create(&folds.decoder, &world->input, &error), STATUS_OK);
    struct source *source = oracle_source(world);
    for (uint32_t unit = 0; unit < world->units; unit++) {
        struct unit_position start = {.unit = unit, .offset = 0};
        cr_assert_eq(source->start(source, &start, 1, &error), STATUS_OK);
        for (bool ended = false; !ended;) {
            struct record records[64];
            struct source_news news;
            size_t count = 0;
            cr_assert_eq(source->fetch(source, 0, records, 64, &count, &news, &error), STATUS_OK);
            for (size_t i = 0; i < count; i++) {
                ended |= records[i].is_end && records[i].offset >= memory_log_end(world->log, unit);
                if (!records[i].is_end)
                    fold(world, &folds, &records[i], seen);
            }
        }
    }
    source->destroy(source);
    decoder_destroy(folds.decoder);
    baton_words_fini(&folds.words);
    arena_fini(&folds.arena);
    lead_table_fini(&folds.table);
}

/* ---- What was told ---- */

struct told_clock {
    char name[80];
    enum baton_clock_id id;
    enum { TOLD_BROKEN, TOLD_KEPT, TOLD_REMINDER } what;
};

struct told {
    struct told_clock *clocks;
    size_t count;
};

static int by_name(const void *left, const void *right)
{
    const struct told_clock *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (int)a->what - (int)b->what;
}

static int64_t started_ms(const struct outgoing_message *message)
{
    char value[2048];
    (void)snprintf(value, sizeof value, "%.*s", (int)message->value_size,
                   (const char *)message->value);
    const char *started = strstr(value, "\"started\":\"");
    cr_assert(started, "%s", value);
    started += strlen("\"started\":\"");
    struct baton_text text = {started, (uint32_t)strcspn(started, "\"")};
    int64_t time_ms;
    cr_assert(rfc3339_read(text, &time_ms), "%s", value);
    return time_ms;
}

static enum baton_clock_id clock_of_id(const char *id)
{
    enum baton_clock_id clock = 0;
    while (clock < BATON_CLOCKS && !strstr(id, baton_clock_name(clock)))
        clock++;
    cr_assert_lt(clock, BATON_CLOCKS, "%s", id);
    return clock;
}

static void read_one(const struct outgoing_message *message, struct told_clock *out)
{
    char id[160] = "";
    for (size_t h = 0; h < message->header_count; h++)
        if (strcmp(message->headers[h].name, "ce_id") == 0)
            (void)snprintf(id, sizeof id, "%.*s", (int)message->headers[h].value_size,
                           (const char *)message->headers[h].value);
    out->id = clock_of_id(id);
    out->what = strstr(id, "/kept")       ? TOLD_KEPT
                : strstr(id, "/reminder") ? TOLD_REMINDER
                                          : TOLD_BROKEN;
    see_name(out->name, (struct baton_text){id, (uint32_t)strcspn(id, "/")},
             baton_clock_name(out->id), started_ms(message));
}

static struct told read_told(struct world *world)
{
    struct told told = {.count = memory_log_output_count(world->log, TOPIC_BREACHES)};
    told.clocks = calloc(told.count + 1, sizeof *told.clocks);
    for (size_t i = 0; i < told.count; i++)
        read_one(memory_log_output(world->log, TOPIC_BREACHES, i), &told.clocks[i]);
    qsort(told.clocks, told.count, sizeof *told.clocks, by_name);
    return told;
}

static bool is_told(const struct told *told, const char *name, int what)
{
    struct told_clock wanted = {.what = what};
    (void)strcpy(wanted.name, name);
    return bsearch(&wanted, told->clocks, told->count, sizeof *told->clocks, by_name) != NULL;
}

/* ---- What was counted ---- */

static struct pact_sums *read_sums(struct world *world, struct calendar_span span)
{
    struct pact_sums *sums = sums_create();
    struct store *store = memory_store_create(world->db);
    struct arena arena;
    arena_init(&arena, 65536);
    for (uint32_t unit = 0; unit < world->units; unit++) {
        struct field *days, *words;
        size_t day_count, word_count;
        struct error error;
        cr_assert_eq(store->peek(store, unit, STORE_DAYS, &arena, &days, &day_count, &error),
                     STATUS_OK);
        cr_assert_eq(store->peek(store, unit, STORE_WORDS, &arena, &words, &word_count, &error),
                     STATUS_OK);
        cr_assert(sums_add_unit(sums, days, day_count, words, word_count, span));
    }
    arena_fini(&arena);
    store->destroy(store);
    return sums;
}

static void check_counters(struct world *world, uint64_t seed, const struct seen *seen,
                           const struct told *told)
{
    struct calendar_span span = {20750, 20800};
    struct pact_sums *sums = read_sums(world, span);
    for (enum baton_clock_id id = 0; id < BATON_CLOCKS; id++) {
        int64_t kept = seen->counted[id][CLOCK_KEPT], broken = seen->counted[id][CLOCK_BROKEN],
                told_broken = 0;
        char second[4];
        (void)snprintf(second, sizeof second, "%d", (int)id);
        for (size_t i = 0; i < told->count; i++)
            if (told->clocks[i].id == id && told->clocks[i].what != TOLD_REMINDER)
                told_broken += told->clocks[i].what == TOLD_BROKEN ? 1 : -1;
        int64_t counted_kept = sums_get(sums, PACT_KEPT, PACT_ALL, "", second, span),
                counted_broken = sums_get(sums, PACT_BROKEN, PACT_ALL, "", second, span);
        cr_assert_eq(counted_broken, told_broken,
                     "seed %" PRIu64 ": of %s %" PRId64 " were told as broken and not as kept, "
                     "%" PRId64 " are counted",
                     seed, baton_clock_name(id), told_broken, counted_broken);
        cr_assert(counted_kept == kept && counted_broken == broken,
                  "seed %" PRIu64 ": of %s %" PRId64 " kept and %" PRId64
                  " broken are counted, there are %" PRId64 " and %" PRId64,
                  seed, baton_clock_name(id), counted_kept, counted_broken, kept, broken);
    }
    sums_destroy(sums);
}

/* Was told what was to be? */
static bool is_right(const struct seen_clock *clock, bool broken, bool kept, int64_t end_ms)
{
    enum clock_verdict verdict = clock_verdict(&clock->clock, end_ms);
    if (clock->foreign)
        return !broken && kept == (clock->told && verdict == CLOCK_KEPT);
    if (clock->ended && clock->late)
        return broken && !kept;
    if (clock->ended)
        return clock->by_merge ? !kept : broken == kept;
    return verdict == CLOCK_BROKEN ? broken && !kept : broken == kept;
}

static void check_told(uint64_t seed, struct seen *seen, const struct told *told)
{
    size_t wanted = 0;
    for (size_t i = 0; i < told->count; i++) {
        const struct seen_clock *clock = find_seen(seen, told->clocks[i].name);
        cr_assert(clock, "seed %" PRIu64 ": %s never began", seed, told->clocks[i].name);
        cr_assert(clock->twice || !i || by_name(&told->clocks[i - 1], &told->clocks[i]) != 0,
                  "seed %" PRIu64 ": %s twice", seed, clock->name);
        wanted += told->clocks[i].what != TOLD_REMINDER;
    }
    for (size_t i = 0; i < seen->count; i++) {
        const struct seen_clock *clock = &seen->clocks[i];
        bool broken = is_told(told, clock->name, TOLD_BROKEN),
             kept = is_told(told, clock->name, TOLD_KEPT);
        cr_assert(clock->twice || is_right(clock, broken, kept, seen->end_ms),
                  "seed %" PRIu64 ": %s is due at %" PRId64 ", stopped at %" PRId64
                  ", ended %d%s%s, told %d, "
                  "corrected %d",
                  seed, clock->name, clock->clock.due_ms, clock->clock.stop_ms, clock->ended,
                  clock->late ? ", late" : "", clock->foreign ? ", of another lead" : "", broken,
                  kept);
    }
    cr_assert_gt(wanted, 5, "seed %" PRIu64 ": too little happened", seed);
}

static void check(struct world *world, uint64_t seed)
{
    static struct seen seen;
    memset(&seen, 0, sizeof seen);
    seen.end_ms = world->clock.wall_ms;
    see_all(world, &seen);
    struct told told = read_told(world);
    check_told(seed, &seen, &told);
    check_counters(world, seed, &seen, &told);
    free(told.clocks);
}

static void simulate(uint64_t seed)
{
    struct world world;
    world_init(&world, 2, seed);
    agreement_destroy(world.agreement);
    world.agreement = world_parse(PACT);
    world.config.agreement = world.agreement;
    world.persons = seed % 2; /* in the others clocks do not end */
    world.output = OUTPUT_JSON;
    if (seed % 3 == 0) {
        world.config.table_bytes = 12000;
        world.config.dirty_max = 4;
    }
    if (seed % 2)
        world.config.batch_records = 1 + (uint32_t)seed % 6;
    for (int i = 0; i < 2; i++)
        owner_start(&world, i);
    for (int i = 0; i < 20; i++)
        append_random(&world);
    settle(&world, seed);
    memory_db_save(world.db);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t n = world_random(&world, 3); n > 0; n--)
            append_random(&world);
        if (world_random(&world, 6) == 0)
            disturb(&world);
        for (uint64_t n = world_random(&world, 60); n > 0; n--)
            owner_step(&world, (int)world_random(&world, 2));
    }
    settle(&world, seed);
    memory_clock_advance(&world.clock, 600 * MINUTE_US);
    for (int n = 0; n < 4000; n++)
        owner_step(&world, n % 2);
    settle(&world, seed);
    for (int i = 0; i < 2; i++)
        owner_kill(&world, i);
    check(&world, seed);
    world_fini(&world);
}

Test(clock_storm, each_broken_promise_is_told_once, .timeout = 1800)
{
    const char *only = getenv("BATON_SIMULATION_SEED"), *count = getenv("BATON_SIMULATIONS");
    if (only) {
        simulate(strtoull(only, NULL, 10));
        return;
    }
    uint64_t seeds = count ? strtoull(count, NULL, 10) : 60;
    for (uint64_t seed = 1; seed <= seeds; seed++)
        simulate(seed);
}
