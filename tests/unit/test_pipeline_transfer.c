/* A lead that is given up takes along what a message can hold. */
#include "pipeline_cases.h"

#include "domain/lead_portable.h"
#include "pipeline/transfer_state.h"

/* ---- what is left out
 * ----------------------------------------------------------------------------- */

static struct baton_words words;
static struct baton_lead lead;
static struct baton_history history;
static struct baton_touch touches[8];
static struct baton_tally tallies[6];
static struct baton_profile_value profile[2];
static struct baton_text aliases[3] = {{"cookie-1", 8}, {"cookie-2", 8}, {"cookie-3", 8}};
static struct arena arena;

static void *resize(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

static struct baton_allocator allocator = {.resize = resize};

static uint32_t word(char kind, int number)
{
    char text[100];
    int size = snprintf(text, sizeof text, "/%c/%090d", kind, number);
    return baton_words_id(&words, (struct baton_text){text, (uint32_t)size}, BATON_WORD_TEXT);
}

static struct baton_profile_value value_of(enum baton_profile_field field, const char *text,
                                           int64_t time_ms)
{
    struct baton_text value = {text, (uint32_t)strlen(text)};
    return (struct baton_profile_value){
        .time_ms = time_ms, .field = (uint8_t)field, .value = value, .folded = value};
}

/* One of everything, and the newest first where leads have it so. */
static void make_lead(void)
{
    arena_init(&arena, 65536);
    baton_words_init(&words, 1000, allocator);
    baton_lead_init(&lead);
    lead.newest_ms = WORLD_T0;
    lead.events = 40;
    lead.recent_count = BATON_RECENT_IDS;
    for (uint16_t i = 0; i < 8; i++) {
        lead.recent[i] = 100 + i;
        touches[i] = (struct baton_touch){
            .time_ms = WORLD_T0 - i, .page = word('p', i), .campaign = word('c', i)};
    }
    for (uint16_t i = 0; i < 6; i++)
        tallies[i] =
            (struct baton_tally){.rule_hash = 1000u + i, .rule = i % 2 ? -1 : i, .count = 5};
    profile[0] = value_of(BATON_NAME, "Anna Maria, of the oldest", 1000);
    profile[1] = value_of(BATON_EMAIL, "anna@x.example", 2000);
    history.alias_count = 3;
    history.aliases = aliases;
    history.form_count = 1;
    history.forms[0] = (struct baton_form){.time_ms = WORLD_T0, .form = word('f', 0)};
    lead.history = &history;
    lead.touches = touches;
    lead.touch_count = 8;
    lead.tallies = tallies;
    lead.tally_count = 6;
    lead.profile = profile;
    lead.profile_count = 2;
}

static size_t whole_size(void)
{
    uint8_t *bytes = arena_take(&arena, lead_portable_bound(&lead, &words));
    return lead_portable_write(&lead, &words, bytes);
}

/* What arrives of it, in a lead that the caller gives back. */
static uint32_t arrives(size_t room, struct baton_lead *out)
{
    uint32_t left_out;
    struct baton_text state = transfer_state(&arena, &lead, &words, room, &left_out);
    cr_assert_leq(state.size, room);
    baton_lead_init(out);
    cr_assert_eq(
        lead_portable_read(out, (const uint8_t *)state.data, state.size, &words, &allocator),
        BATON_UNPACKED);
    return left_out;
}

Test(pipeline_transfer, what_fits_is_whole)
{
    make_lead();
    struct baton_lead got;
    size_t whole = whole_size();
    cr_expect_eq(arrives(SIZE_MAX, &got), 0);
    baton_lead_fini(&got, &allocator);
    cr_expect_eq(arrives(whole, &got), 0);
    cr_expect(got.touch_count == 8 && got.tally_count == 6 && got.history->alias_count == 3);
    baton_lead_fini(&got, &allocator);
    cr_expect_eq(arrives(whole - 1, &got), 1);
    cr_expect_eq(got.touch_count, 7);
    cr_expect_eq(got.touches[0].time_ms, WORLD_T0, "the newest stays");
    baton_lead_fini(&got, &allocator);
}

/* Byte by byte less room: one part after the other goes, and none of those that count more goes
 * before the last of those that count less. */
Test(pipeline_transfer, what_counts_least_goes_first_and_the_oldest_of_it)
{
    make_lead();
    uint32_t before = 0, parts = 8 + 8 + 1 + 3 + 2 + 6;
    size_t room = whole_size();
    for (; before < parts; room--) {
        struct baton_lead got;
        uint32_t out = arrives(room, &got);
        cr_assert(out >= before);
        before = out;
        uint32_t kept_aliases = got.history ? got.history->alias_count : 0;
        cr_assert_eq(got.touch_count, out < 8 ? 8 - out : 0);
        cr_assert_eq(got.recent_count, out < 8 ? 8 : out < 16 ? 16 - out : 0);
        cr_assert_eq(kept_aliases, out < 17 ? 3 : out < 20 ? 20 - out : 0);
        cr_assert_eq(got.profile_count, out < 20 ? 2 : out < 22 ? 22 - out : 0);
        cr_assert_eq(got.tally_count, out < 22 ? 6 : 28 - out);
        if (kept_aliases)
            cr_assert_eq(memcmp(got.history->aliases[kept_aliases - 1].data, "cookie-3", 8), 0);
        if (got.profile_count)
            cr_assert_eq(got.profile[got.profile_count - 1].field, BATON_EMAIL);
        for (uint16_t i = 0; out >= 25 && i < got.tally_count; i++)
            cr_assert_eq(got.tallies[i].rule_hash % 2, 0, "a rule of the agreement goes last");
        cr_assert(got.events == 40 && got.newest_ms == WORLD_T0);
        baton_lead_fini(&got, &allocator);
    }
}

/* ---- through a broker that takes no more
 * ---------------------------------------------------------- */

#define BROKER_BYTES 3000

static struct world world;
static char anna[32], cookie[32]; /* in units 0, 1 */

static void begin_narrow(void)
{
    world_init(&world, 2, 5);
    world.persons = true;
    world_lead(&world, 0, 100, anna);
    world_lead(&world, 1, 101, cookie);
    memory_log_set_event_bytes(world.log, BROKER_BYTES);
    world.config.event_bytes = BROKER_BYTES;
}

static void visit_at(const char *page, int letters)
{
    char value[1024];
    snprintf(value, sizeof value,
             "{\"kind\":\"visit\",\"event_id\":\"v%" PRIu64
             "\",\"lead_id\":\"%s\",\"time\":%" PRId64
             ",\"page\":\"%s%0*d\",\"campaign\":\"%0*d\"}",
             world.events, cookie, WORLD_T0 + (int64_t)world.events * 1000, page, letters,
             (int)world.events, letters, (int)world.events);
    (void)world_append_text(&world, 1, cookie, value);
}

static const char *dead_reason(size_t number)
{
    const struct outgoing_message *dead = memory_log_output(world.log, TOPIC_DEAD, number);
    static char reason[64];
    reason[0] = 0;
    for (size_t i = 0; i < dead->header_count; i++)
        if (strcmp(dead->headers[i].name, "baton_reason") == 0)
            snprintf(reason, sizeof reason, "%.*s", (int)dead->headers[i].value_size,
                     (const char *)dead->headers[i].value);
    return reason;
}

Test(pipeline_transfer, a_lead_with_too_much_comes_without_its_oldest_touches)
{
    begin_narrow();
    for (int i = 0; i < 4; i++)
        visit_at("/pricing/", 180);
    world_append_merge(&world, 1, cookie, anna);
    owner_start(&world, 0);
    settle(&world);
    cr_expect_eq(FIGURE(&world, trimmed), 1);
    cr_expect_eq(memory_log_output_count(world.log, TOPIC_DEAD), 0);
    struct stored_lead stored;
    cr_assert(
        memory_db_lead(world.db, 0, (struct baton_text){anna, (uint32_t)strlen(anna)}, &stored));
    cr_expect_eq(stored.score.behaviour, 2699, "%lld: each visit counts there",
                 (long long)stored.score.behaviour);
    expect_exact(&world);
}

Test(pipeline_transfer, a_replay_comes_to_the_same_and_counts_it_once)
{
    begin_narrow();
    owner_start(&world, 0);
    settle(&world);
    memory_db_save(world.db);
    for (int i = 0; i < 4; i++)
        visit_at("/pricing/", 180);
    world_append_merge(&world, 1, cookie, anna);
    settle(&world);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    settle(&world);
    steps(&world, 300);
    cr_expect_not_null(strstr(field_text(&world, 1, "aggregates"), " t:1"), "%s",
                       field_text(&world, 1, "aggregates"));
    expect_exact(&world);
}

/* What cannot be passed on is not lost, and holds nobody up. */
Test(pipeline_transfer, an_event_that_is_too_large_to_be_passed_on_is_a_dead_letter)
{
    static char filling[2900];
    begin_narrow();
    world_append_merge(&world, 1, cookie, anna);
    char value[4096];
    memset(filling, 'x', sizeof filling - 1);
    snprintf(value, sizeof value,
             "{\"kind\":\"visit\",\"event_id\":\"large\",\"lead_id\":\"%s\",\"time\":%" PRId64
             ",\"page\":\"/a\",\"more\":\"%s\"}",
             cookie, WORLD_T0, filling);
    (void)world_append_text(&world, 1, cookie, value);
    struct header headers[] = {{"trace", filling, 1000}, {"other", filling, 1500}};
    struct memory_input input = {.timestamp_ms = WORLD_T0,
                                 .key = cookie,
                                 .key_size = strlen(cookie),
                                 .headers = headers,
                                 .header_count = 2};
    snprintf(value, sizeof value,
             "{\"kind\":\"visit\",\"event_id\":\"headers\",\"lead_id\":\"%s\",\"time\":%" PRId64
             ",\"page\":\"/a\",\"more\":\"%.1000s\"}",
             cookie, WORLD_T0, filling);
    input.value = value;
    input.value_size = strlen(value);
    (void)memory_log_append(world.log, 1, &input);
    visit_at("/a", 1);
    owner_start(&world, 0);
    settle(&world);
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_DEAD), 1);
    cr_expect_str_eq(dead_reason(0), "too_large");
    cr_expect_eq(FIGURE(&world, dead[DEAD_TOO_LARGE]), 1);
    cr_expect_eq(FIGURE(&world, trimmed), 0);
    cr_expect_eq(FIGURE(&world, passed_on), 3, "the second one without its writer's headers");
    struct stored_lead stored;
    cr_assert(
        memory_db_lead(world.db, 0, (struct baton_text){anna, (uint32_t)strlen(anna)}, &stored));
    cr_expect_eq(stored.score.behaviour, 200);
    expect_exact(&world);
}
