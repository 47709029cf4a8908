#include "base/hash.h"

#include "domain_support.h"

static struct test_memory memory = {.left = -1};
static struct baton_allocator allocator = {test_resize, &memory};
static struct baton_lead lead, back;
static uint8_t bytes[BATON_LEAD_PACKED_MAX];

#define WORDS 1000

static void start(void)
{
    baton_lead_init(&lead);
    baton_lead_init(&back);
}

static void end(void)
{
    baton_lead_fini(&lead, &allocator);
    baton_lead_fini(&back, &allocator);
    cr_assert_eq(memory.used_bytes, 0);
}

TestSuite(pack, .init = start, .fini = end);

static void *items(size_t count, size_t size)
{
    void *taken = count ? allocator.resize(allocator.context, NULL, 0, count * size) : NULL;
    return taken ? memset(taken, 0, count * size) : NULL;
}

static void give_tallies(uint16_t count)
{
    lead.tallies = items(count, sizeof *lead.tallies);
    lead.tally_count = lead.tally_room = count;
    for (uint16_t i = 0; i < count; i++)
        lead.tallies[i] = (struct baton_tally){.rule = -1, .rule_hash = i * 7919u, .count = 1};
}

static struct baton_history *give_history(void)
{
    return baton_lead_history(&lead, &allocator);
}

static struct baton_text own_text(struct baton_text text)
{
    return (struct baton_text){memcpy(items(text.size, 1), text.data, text.size), text.size};
}

static void give_alias(struct baton_text id)
{
    struct baton_history *history = give_history();
    size_t size = history->alias_count * sizeof id;
    history->aliases =
        allocator.resize(allocator.context, history->aliases, size, size + sizeof id);
    history->aliases[history->alias_count++] = own_text(id);
}

static void give_window(struct baton_tally *tally)
{
    tally->parts |= 4;
    tally->window = items(1, sizeof *tally->window);
    tally->window->counts[0] = 1; /* the newest day is one that something was on */
}

static void give_touches(uint16_t count)
{
    lead.touches = items(count, sizeof *lead.touches);
    lead.touch_count = lead.touch_room = count;
}

/* One text with its bytes as the lead owns them: name, value, folded. */
static void give_value(uint16_t at, uint8_t field, struct baton_text name, struct baton_text value,
                       struct baton_text folded)
{
    bool shared = value.size == folded.size &&
                  (!value.size || memcmp(value.data, folded.data, value.size) == 0);
    size_t size = name.size + value.size + (shared ? 0 : folded.size);
    char *own = items(size, 1);
    struct baton_profile_value *to = &lead.profile[at];
    if (name.size)
        memcpy(own, name.data, name.size);
    if (value.size)
        memcpy(own + name.size, value.data, value.size);
    if (!shared && folded.size)
        memcpy(own + name.size + value.size, folded.data, folded.size);
    *to = (struct baton_profile_value){.field = field, .time_ms = lead.newest_ms};
    to->name = (struct baton_text){own, name.size};
    to->value = (struct baton_text){own ? own + name.size : NULL, value.size};
    to->folded =
        shared ? to->value : (struct baton_text){own + name.size + value.size, folded.size};
}

static void give_profile(uint16_t count)
{
    lead.profile = items(count, sizeof *lead.profile);
    lead.profile_count = lead.profile_room = count;
}

static size_t pack(void)
{
    size_t size = baton_lead_pack(&lead, lead.applied, bytes);
    cr_assert_leq(size, baton_lead_pack_bound(&lead));
    return size;
}

static enum baton_unpack unpack(const uint8_t *from, size_t size)
{
    baton_lead_fini(&back, &allocator);
    return baton_lead_unpack(&back, from, size, WORDS, &allocator);
}

static void same_text(struct baton_text a, struct baton_text b)
{
    cr_assert_eq(a.size, b.size);
    cr_assert(a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void same_arrays(void)
{
    cr_assert_eq(lead.tally_count, back.tally_count);
    for (uint16_t i = 0; i < lead.tally_count; i++) {
        struct baton_tally *a = &lead.tallies[i], *b = &back.tallies[i];
        cr_assert(a->rule_hash == b->rule_hash && b->rule == -1 && a->count == b->count &&
                  a->parts == b->parts);
        cr_assert(a->bucket == b->bucket && a->bucket_count == b->bucket_count);
        cr_assert(a->before_count == b->before_count && a->weight_ms == b->weight_ms);
        if (a->parts & 4)
            cr_assert(memcmp(a->window, b->window, sizeof *a->window) == 0);
        else
            cr_assert_eq(a->weight, b->weight);
    }
    cr_assert_eq(lead.touch_count, back.touch_count);
    for (uint16_t i = 0; i < lead.touch_count; i++) {
        struct baton_touch *a = &lead.touches[i], *b = &back.touches[i];
        cr_assert(a->time_ms == b->time_ms && a->page == b->page && a->campaign == b->campaign);
        cr_assert(a->channel == b->channel && a->rules == b->rules && a->kind == b->kind);
        cr_assert_eq(a->by_page, b->by_page);
    }
    cr_assert_eq(lead.profile_count, back.profile_count);
    for (uint16_t i = 0; i < lead.profile_count; i++) {
        struct baton_profile_value *a = &lead.profile[i], *b = &back.profile[i];
        cr_assert(a->time_ms == b->time_ms && a->field == b->field);
        same_text(a->name, b->name);
        same_text(a->value, b->value);
        same_text(a->folded, b->folded);
    }
}

/* Field by field: what stands between them is the compiler's. */
static void same_sales(const struct baton_sales *a, const struct baton_sales *b)
{
    cr_assert(a->report_ms == b->report_ms && a->contact_ms == b->contact_ms);
    cr_assert(a->deal == b->deal && a->has_deal == b->has_deal && a->currency == b->currency);
    cr_assert(a->seller == b->seller && a->report == b->report);
    cr_assert(a->reason == b->reason && a->obstacle == b->obstacle);
}

static void same_earlier(const struct baton_earlier *a, const struct baton_earlier *b)
{
    cr_assert(a->promoted_ms == b->promoted_ms && a->ended_ms == b->ended_ms);
    cr_assert(a->reason == b->reason && a->generation == b->generation && a->stage == b->stage);
}

static void same_clock(const struct baton_clock *a, const struct baton_clock *b)
{
    cr_assert(a->start_ms == b->start_ms && a->due_ms == b->due_ms);
    cr_assert(a->remind_ms == b->remind_ms && a->stop_ms == b->stop_ms);
    cr_assert(a->estimated == b->estimated && a->stop_report == b->stop_report);
}

static void same_history(void)
{
    const struct baton_history *a = lead.history, *b = back.history;
    cr_assert_eq(a != NULL, b != NULL);
    if (!a)
        return;
    cr_assert(a->sql_ms == b->sql_ms && a->stage_ms == b->stage_ms && a->adjusted == b->adjusted);
    same_sales(&a->sales, &b->sales);
    cr_assert(memcmp(&a->mail, &b->mail, sizeof a->mail) == 0);
    cr_assert(a->form_count == b->form_count && a->earlier_count == b->earlier_count);
    cr_assert(memcmp(a->forms, b->forms, sizeof a->forms) == 0);
    for (int i = 0; i < BATON_EARLIER_MAX; i++)
        same_earlier(&a->earlier[i], &b->earlier[i]);
    cr_assert_eq(a->alias_count, b->alias_count);
    for (uint8_t i = 0; i < a->alias_count; i++)
        same_text(a->aliases[i], b->aliases[i]);
    same_text(a->into, b->into);
    for (int i = 0; i < BATON_CLOCKS; i++)
        same_clock(&a->clocks[i], &b->clocks[i]);
    cr_assert_eq(a->reports_seen, b->reports_seen);
    cr_assert(a->shadow.of == b->shadow.of && a->shadow.mql_ms == b->shadow.mql_ms);
    cr_assert(a->shadow.sql_ms == b->shadow.sql_ms && a->shadow.live_ms == b->shadow.live_ms);
}

static void same_lead(void)
{
    cr_assert(lead.applied == back.applied && lead.newest_ms == back.newest_ms &&
              lead.first_ms == back.first_ms);
    cr_assert(lead.mql_ms == back.mql_ms && lead.stage_offset == back.stage_offset);
    cr_assert_eq(lead.flags, back.flags);
    cr_assert(lead.first_channel_ms == back.first_channel_ms &&
              lead.last_channel_ms == back.last_channel_ms);
    cr_assert(lead.first_channel == back.first_channel && lead.last_channel == back.last_channel);
    cr_assert(lead.events == back.events && lead.conversions == back.conversions);
    cr_assert(lead.generation == back.generation && lead.stage == back.stage);
    cr_assert_eq(lead.recent_count, back.recent_count);
    cr_assert_eq(memcmp(lead.recent, back.recent, sizeof lead.recent), 0);
    cr_assert(back.fit_points == 0 && back.persona == 0);
    same_arrays();
    same_history();
}

static void comes_back(void)
{
    size_t size = pack();
    cr_assert_eq(baton_lead_packed_size(bytes, size < 16 ? size : 16), size);
    cr_assert_eq(unpack(bytes, size), BATON_UNPACKED);
    same_lead();
}

/* A lead after eight visits, as most are. */
static void simple_lead(void)
{
    lead.applied = 123456789;
    lead.newest_ms = MONDAY_MS;
    lead.events = 8;
    lead.recent_count = BATON_RECENT_IDS;
    for (uint64_t i = 0; i < BATON_RECENT_IDS; i++)
        lead.recent[i] = UINT64_C(0xFEDCBA98765432) + i;
    give_tallies(1);
}

/* Something in every part that version 1 had. */
static void former_lead(void)
{
    simple_lead();
    baton_lead_fini(&lead, &allocator);
    lead = (struct baton_lead){.applied = 99,
                               .newest_ms = MONDAY_MS,
                               .stage_offset = -1,
                               .mql_ms = MONDAY_MS - 50,
                               .first_channel = 2,
                               .first_channel_ms = 0,
                               .last_channel = 3,
                               .last_channel_ms = MONDAY_MS,
                               .events = 70000,
                               .conversions = 2,
                               .generation = 3,
                               .stage = BATON_SQL,
                               .recent_count = 2,
                               .recent = {1, UINT64_C(0xFFFFFFFFFFFFFF)}};
    give_tallies(3);
    lead.tallies[1].parts = 1;
    lead.tallies[1].bucket = -1;
    lead.tallies[1].bucket_count = 4;
    lead.tallies[1].before_count = 3;
    lead.tallies[2].parts = 3;
    lead.tallies[2].bucket = 20759;
    lead.tallies[2].weight = UINT64_MAX;
    lead.tallies[2].weight_ms = MONDAY_MS - DAY_MS;
    give_touches(2);
    lead.touches[0] = (struct baton_touch){MONDAY_MS, 4, 5, 6, 7, BATON_FORM_FILL, false};
    lead.touches[1] = (struct baton_touch){0, WORDS - 1, 0, 1, 2, BATON_VISIT, false};
    give_profile(4);
    struct baton_text none = {NULL, 0};
    give_value(0, BATON_NAME, none, TEXT("JOSÉ"), TEXT("jose"));
    give_value(1, BATON_EMAIL, none, TEXT("a@b.c"), TEXT("a@b.c"));
    give_value(2, BATON_PHONE, none, none, none);
    give_value(3, BATON_PROPERTY, TEXT("plan"), TEXT("x"), none);
    lead.profile[2].time_ms = 0;
    give_history()->sql_ms = MONDAY_MS - 5;
    lead.history->stage_ms = MONDAY_MS - 5;
}

static void tell_sales(struct baton_history *history)
{
    history->sales = (struct baton_sales){.report_ms = MONDAY_MS + 7,
                                          .contact_ms = MONDAY_MS - 7,
                                          .deal = -1250,
                                          .seller = 8,
                                          .reason = 9,
                                          .obstacle = 10,
                                          .currency = 11,
                                          .report = BATON_REPORT_CHURNED,
                                          .has_deal = true};
    history->mail =
        (struct baton_mail){.counts = {9, 8, 7, 6, 5, 4}, .opened_ms = 1, .clicked_ms = MONDAY_MS};
    history->form_count = 2;
    history->forms[0] = (struct baton_form){MONDAY_MS, 12, 0x7ff};
    history->forms[1] = (struct baton_form){0, 0, 0};
    history->earlier_count = 2;
    history->earlier[0] =
        (struct baton_earlier){MONDAY_MS - 9, MONDAY_MS + 9, 13, 2, BATON_REJECTED};
    history->earlier[1] = (struct baton_earlier){1, 2, 0, 1, BATON_CUSTOMER};
}

/* Something in every part. */
static void rich_lead(void)
{
    former_lead();
    lead.stage = BATON_REJECTED;
    lead.stage_offset = 77;
    lead.first_ms = 3;
    lead.tallies[1].parts = 1;
    give_window(&lead.tallies[1]);
    lead.tallies[1].window->newest_day = 20759;
    lead.tallies[1].window->counts[6] = 300;
    lead.history->adjusted = -BATON_SCORE_MAX;
    tell_sales(lead.history);
    give_alias(TEXT("visitor-1"));
    give_alias(TEXT("visitor-2"));
}

Test(pack, a_fresh_lead_comes_back)
{
    comes_back();
}

Test(pack, a_simple_lead_is_small)
{
    simple_lead();
    cr_assert_leq(pack(), 90, "%zu bytes", pack());
    comes_back();
}

Test(pack, a_lead_with_everything_comes_back)
{
    rich_lead();
    comes_back();
}

Test(pack, the_position_given_is_the_one_written)
{
    simple_lead();
    size_t size = baton_lead_pack(&lead, INT64_MAX, bytes);
    cr_assert_eq(unpack(bytes, size), BATON_UNPACKED);
    cr_assert_eq(back.applied, INT64_MAX);
}

Test(pack, a_restored_stage_may_be_newer_than_all_events)
{
    lead.stage = BATON_SQL;
    lead.mql_ms = MONDAY_MS;
    give_history()->sql_ms = BATON_TIME_MAX_MS;
    lead.history->stage_ms = BATON_TIME_MAX_MS;
    comes_back();
    lead.history->stage_ms = 7;
    comes_back();
    lead.mql_ms = 0;
    comes_back();
}

Test(pack, a_lead_with_all_limits_reached_fits)
{
    static char longest[BATON_FOLDED_MAX];
    memset(longest, 'x', sizeof longest);
    struct baton_text text = {longest, BATON_TEXT_MAX}, folded = {longest, BATON_FOLDED_MAX};
    rich_lead();
    baton_lead_fini(&lead, &allocator);
    lead.newest_ms = BATON_TIME_MAX_MS;
    give_tallies(BATON_TALLIES_MAX);
    for (uint16_t i = 0; i < BATON_TALLIES_MAX; i++)
        lead.tallies[i] = (struct baton_tally){.rule_hash = UINT32_MAX - i,
                                               .rule = -1,
                                               .parts = 3,
                                               .bucket = INT32_MIN,
                                               .count = UINT32_MAX,
                                               .bucket_count = UINT32_MAX,
                                               .before_count = UINT32_MAX,
                                               .weight = UINT64_MAX};
    give_touches(BATON_TOUCHES_MAX);
    for (uint16_t i = 0; i < BATON_TOUCHES_MAX; i++)
        lead.touches[i] =
            (struct baton_touch){.page = 999, .campaign = 999, .channel = 999, .rules = 999};
    give_profile(BATON_PROFILE_MAX);
    static char names[BATON_PROPERTIES_MAX][BATON_TEXT_MAX];
    memset(names, 'n', sizeof names);
    for (uint16_t i = 0; i < BATON_PROFILE_FIELDS; i++)
        give_value(i, (uint8_t)i, (struct baton_text){NULL, 0}, text, folded);
    for (uint16_t i = 0; i < BATON_PROPERTIES_MAX; i++) {
        names[i][0] = (char)(i + 1);
        give_value(BATON_PROFILE_FIELDS + i, BATON_PROPERTY,
                   (struct baton_text){names[i], BATON_TEXT_MAX}, text, folded);
        lead.profile[BATON_PROFILE_FIELDS + i].time_ms = 0;
    }
    for (uint16_t i = 0; i < BATON_TALLIES_MAX; i++) {
        lead.tallies[i].parts = 1;
        give_window(&lead.tallies[i]);
        memset(lead.tallies[i].window, 0xFF, sizeof *lead.tallies[i].window);
    }
    for (uint8_t i = 0; i < BATON_ALIASES_MAX; i++)
        give_alias((struct baton_text){longest, BATON_ID_MAX});
    tell_sales(lead.history);
    comes_back();
}

Test(pack, a_lead_that_was_given_up_says_for_whom)
{
    lead.flags = BATON_LEAD_MERGED;
    give_history()->into = own_text(TEXT("anna"));
    comes_back();
    lead.flags = BATON_LEAD_EMPTIED;
    cr_assert_eq(unpack(bytes, pack()), BATON_DAMAGED);
    allocator.resize(allocator.context, (void *)(uintptr_t)lead.history->into.data, 4, 0);
    lead.history->into = (struct baton_text){NULL, 0};
    comes_back();
}

Test(pack, what_an_id_is_can_be_read_from_its_first_bytes)
{
    static const uint8_t flags[] = {0, BATON_LEAD_EMPTIED, BATON_LEAD_ERASED,
                                    BATON_LEAD_EMPTIED | BATON_LEAD_ERASED};
    for (size_t i = 0; i < sizeof flags; i++) {
        lead.flags = flags[i];
        size_t size = pack();
        cr_assert_eq(baton_lead_packed_flags(bytes, size), flags[i]);
        cr_assert_eq(baton_lead_packed_flags(bytes, 4), 0);
    }
    lead.flags = BATON_LEAD_MERGED | BATON_LEAD_ERASED;
    give_history()->into = own_text(TEXT("a-long-name-that-does-not-stand-in-the-first-bytes"));
    (void)pack();
    cr_assert_eq(baton_lead_packed_flags(bytes, 32), BATON_LEAD_MERGED | BATON_LEAD_ERASED);
    bytes[0] = 1;
    cr_assert_eq(baton_lead_packed_flags(bytes, 32), 0, "version 1 had none");
}

static int64_t random_time(uint64_t *seed, int64_t most)
{
    return most - (int64_t)below(seed, (uint64_t)(below(seed, 2) ? most
                                                  : most < 1000  ? most
                                                                 : 1000) +
                                           1);
}

static uint32_t random_count(uint64_t *seed)
{
    return (uint32_t)(next_random(seed) >> (32 + below(seed, 32)));
}

static void random_tallies(uint64_t *seed)
{
    give_tallies((uint16_t)below(seed, 6));
    for (uint16_t i = 0; i < lead.tally_count; i++) {
        struct baton_tally *tally = &lead.tallies[i];
        *tally = (struct baton_tally){.rule = -1, .rule_hash = (uint32_t)next_random(seed) | i};
        tally->rule_hash = tally->rule_hash / 8 * 8 + i;
        tally->count = random_count(seed);
        tally->parts = (uint8_t)below(seed, 4);
        if (tally->parts < 2 && below(seed, 2)) {
            give_window(tally);
            tally->window->newest_day = (int32_t)random_count(seed);
            tally->window->counts[below(seed, BATON_WHILE_DAYS_MAX)] = 1 + random_count(seed) / 2;
        }
        if (tally->parts & 1) {
            tally->bucket = (int32_t)random_count(seed);
            tally->bucket_count = random_count(seed);
            tally->before_count = random_count(seed);
        }
        if (tally->parts & 2) {
            tally->weight = next_random(seed) >> below(seed, 64);
            tally->weight_ms = random_time(seed, lead.newest_ms);
        }
    }
}

static void random_touches(uint64_t *seed)
{
    int64_t time_ms = lead.newest_ms;
    give_touches((uint16_t)below(seed, 9));
    for (uint16_t i = 0; i < lead.touch_count; i++) {
        time_ms = random_time(seed, time_ms);
        uint8_t kind = (uint8_t)below(seed, BATON_EVENT_KINDS);
        lead.touches[i] = (struct baton_touch){time_ms,
                                               (uint32_t)below(seed, WORDS),
                                               (uint32_t)below(seed, WORDS),
                                               (uint32_t)below(seed, WORDS),
                                               (uint32_t)below(seed, WORDS),
                                               kind,
                                               kind == BATON_FORM_FILL && below(seed, 2)};
    }
}

static void random_profile(uint64_t *seed)
{
    static const char *const texts[] = {"", "a", "B", "name of a company", "\xC3\xA9"};
    static const char *const names[] = {"", "a", "aa", "ab", "b"};
    uint64_t fields = below(seed, 1 << 16);
    uint16_t at = 0;
    give_profile((uint16_t)__builtin_popcountll(fields));
    for (uint8_t i = 0; i < 16; i++) {
        if (!(fields >> i & 1))
            continue;
        const char *name = i >= BATON_PROPERTY ? names[i - BATON_PROPERTY] : "";
        const char *value = texts[below(seed, 5)], *folded = *value ? texts[below(seed, 5)] : "";
        give_value(at, i >= BATON_PROPERTY ? BATON_PROPERTY : i, text_of(name), text_of(value),
                   text_of(folded));
        lead.profile[at++].time_ms = random_time(seed, lead.newest_ms);
    }
}

static void random_pact(uint64_t *seed, struct baton_history *history)
{
    for (int i = 0; i < BATON_CLOCKS; i++) {
        struct baton_clock *clock = &history->clocks[i];
        if (below(seed, 2))
            continue;
        clock->start_ms = 1 + random_time(seed, BATON_TIME_MAX_MS - 1);
        clock->due_ms = clock->start_ms + random_time(seed, BATON_TIME_MAX_MS - clock->start_ms);
        if (clock->due_ms - clock->start_ms > 2 && below(seed, 2))
            clock->remind_ms =
                clock->start_ms + 1 + random_time(seed, clock->due_ms - clock->start_ms - 2);
        clock->stop_ms = below(seed, 2) ? 1 + random_time(seed, BATON_TIME_MAX_MS - 1) : 0;
        clock->stop_report = (uint8_t)(clock->stop_ms ? below(seed, BATON_REPORTS) : 0);
        clock->estimated = below(seed, 2);
    }
    history->reports_seen = (uint16_t)(below(seed, 2) ? below(seed, 1u << BATON_REPORTS) : 0);
    history->shadow.of = (uint32_t)below(seed, 2);
    if (history->shadow.of) {
        history->shadow.mql_ms = random_time(seed, BATON_TIME_MAX_MS);
        history->shadow.live_ms = below(seed, 2) ? random_time(seed, BATON_TIME_MAX_MS) : 0;
    }
}

static void random_history(uint64_t *seed)
{
    struct baton_history *history = give_history();
    history->sql_ms = below(seed, 2) ? random_time(seed, BATON_TIME_MAX_MS) : 0;
    history->stage_ms = below(seed, 2) ? random_time(seed, lead.newest_ms) : 0;
    history->adjusted = (int32_t)below(seed, 200) - 100;
    history->sales.report = (uint8_t)below(seed, BATON_REPORTS);
    if (history->sales.report) {
        history->sales.report_ms = random_time(seed, BATON_TIME_MAX_MS);
        history->sales.seller = (uint32_t)below(seed, WORDS);
        history->sales.has_deal = below(seed, 2);
        history->sales.deal = history->sales.has_deal ? (int64_t)below(seed, 1000) - 500 : 0;
    }
    history->mail.counts[below(seed, BATON_MAIL_KINDS)] = 1 + (uint32_t)below(seed, 1000);
    history->mail.opened_ms = below(seed, 2) ? random_time(seed, lead.newest_ms) : 0;
    history->form_count = (uint8_t)below(seed, BATON_FORMS_MAX + 1);
    for (uint8_t i = 0; i < history->form_count; i++)
        history->forms[i] =
            (struct baton_form){random_time(seed, lead.newest_ms), (uint32_t)below(seed, WORDS),
                                (uint32_t)below(seed, 2048)};
    history->earlier_count = (uint8_t)below(seed, BATON_EARLIER_MAX + 1);
    for (uint8_t i = 0; i < history->earlier_count; i++)
        history->earlier[i] = (struct baton_earlier){
            random_time(seed, BATON_TIME_MAX_MS), random_time(seed, BATON_TIME_MAX_MS),
            (uint32_t)below(seed, WORDS), (uint16_t)below(seed, 9),
            (uint8_t)below(seed, BATON_STAGES)};
    for (uint64_t n = below(seed, 3); n > 0; n--)
        give_alias(TEXT("x"));
    random_pact(seed, history);
}

static void random_lead(uint64_t *seed)
{
    baton_lead_fini(&lead, &allocator);
    lead.applied = (int64_t)(next_random(seed) >> (1 + below(seed, 63)));
    lead.newest_ms = random_time(seed, BATON_TIME_MAX_MS);
    lead.events = random_count(seed);
    lead.conversions = below(seed, 2) ? random_count(seed) : 0;
    lead.generation = (uint16_t)(1 + below(seed, 3));
    lead.stage = (uint8_t)below(seed, BATON_STAGES);
    lead.mql_ms = below(seed, 2) ? random_time(seed, BATON_TIME_MAX_MS) : 0;
    lead.first_ms = random_time(seed, lead.newest_ms);
    lead.stage_offset = below(seed, 2) ? (int64_t)random_count(seed) : -1;
    if (lead.stage >= BATON_SQL || below(seed, 2))
        random_history(seed);
    lead.recent_count = (uint8_t)below(seed, BATON_RECENT_IDS + 1);
    for (unsigned i = 0; i < lead.recent_count; i++)
        lead.recent[i] = next_random(seed) >> 8;
    if (below(seed, 2)) {
        lead.first_channel = 1 + (uint32_t)below(seed, WORDS - 1);
        lead.first_channel_ms = random_time(seed, lead.newest_ms);
        lead.last_channel = 1 + (uint32_t)below(seed, WORDS - 1);
        lead.last_channel_ms = random_time(seed, lead.newest_ms);
    }
    random_tallies(seed);
    random_touches(seed);
    random_profile(seed);
}

Test(pack, whatever_is_packed_comes_back)
{
    uint64_t seed = 21;
    for (int i = 0; i < 5000; i++) {
        random_lead(&seed);
        comes_back();
    }
}

Test(pack, what_came_back_packs_to_the_same_bytes)
{
    static uint8_t again[65536];
    uint64_t seed = 22;
    for (int i = 0; i < 1000; i++) {
        random_lead(&seed);
        size_t size = pack();
        cr_assert_eq(unpack(bytes, size), BATON_UNPACKED);
        cr_assert_eq(baton_lead_pack(&back, back.applied, again), size);
        cr_assert_eq(memcmp(bytes, again, size), 0);
    }
}

/* An exact copy on the heap, so that a sanitizer sees a read beyond it. */
static enum baton_unpack unpack_copy(const uint8_t *from, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, from, size);
    enum baton_unpack outcome = unpack(copy, size);
    free(copy);
    return outcome;
}

Test(pack, every_changed_bit_is_seen)
{
    rich_lead();
    size_t size = pack();
    for (size_t at = 0; at < size; at++)
        for (unsigned change = 1; change < 256; change++) {
            bytes[at] ^= (uint8_t)change;
            bool later = at == 0 && (bytes[0] == 0 || bytes[0] > 2);
            cr_assert_eq(unpack_copy(bytes, size), later ? BATON_UNKNOWN_VERSION : BATON_DAMAGED,
                         "byte %zu", at);
            bytes[at] ^= (uint8_t)change;
        }
}

Test(pack, every_cut_and_every_addition_is_seen)
{
    rich_lead();
    size_t size = pack();
    for (size_t cut = 0; cut < size; cut++)
        cr_assert_eq(unpack_copy(bytes, cut), BATON_DAMAGED, "cut at %zu", cut);
    bytes[size] = 0;
    cr_assert_eq(unpack_copy(bytes, size + 1), BATON_DAMAGED);
}

Test(pack, damage_leaves_an_initialised_lead)
{
    rich_lead();
    size_t size = pack();
    cr_assert_eq(unpack(bytes, size - 1), BATON_DAMAGED);
    struct baton_lead fresh;
    baton_lead_init(&fresh);
    cr_assert_eq(memcmp(&fresh, &back, sizeof fresh), 0);
}

/* Puts the right checksum on changed bytes: what only validation can find. */
static void seal(size_t size)
{
    uint64_t sum = hash64(bytes + 5, size - 5, bytes[0]);
    for (unsigned i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(sum >> (8 * i));
}

/* A lead that unpacked can be used: it packs again, and all of its texts and numbers are in range.
 */
static void is_usable(void)
{
    static uint8_t again[BATON_LEAD_PACKED_MAX];
    cr_assert(back.stage < BATON_STAGES && back.generation > 0 &&
              back.recent_count <= BATON_RECENT_IDS);
    cr_assert(back.newest_ms >= 0 && back.newest_ms <= BATON_TIME_MAX_MS && back.applied >= 0);
    for (uint16_t i = 0; i < back.touch_count; i++) {
        cr_assert(back.touches[i].kind < BATON_EVENT_KINDS && back.touches[i].time_ms >= 0);
        cr_assert(back.touches[i].page < WORDS && back.touches[i].rules < WORDS);
    }
    for (uint16_t i = 0; i < back.tally_count; i++)
        cr_assert(back.tallies[i].weight_ms >= 0 && back.tallies[i].weight_ms <= back.newest_ms);
    cr_assert(baton_lead_pack(&back, back.applied, again) <= baton_lead_pack_bound(&back));
}

Test(pack, sealed_nonsense_is_refused_or_usable)
{
    uint64_t seed = 23;
    unsigned refused = 0, usable = 0;
    for (int i = 0; i < 60000; i++) {
        if (i % 100 == 0)
            random_lead(&seed);
        size_t size = pack();
        for (uint64_t n = 1 + below(&seed, 4); n > 0; n--)
            bytes[6 + below(&seed, size - 6)] = (uint8_t)next_random(&seed);
        seal(size);
        enum baton_unpack outcome = unpack_copy(bytes, size);
        refused += outcome == BATON_DAMAGED;
        if (outcome == BATON_UNPACKED) {
            usable++;
            is_usable();
        }
    }
    cr_assert(refused > 1000 && usable > 1000, "%u refused, %u usable", refused, usable);
}

static void refused_when(const char *what)
{
    cr_assert_eq(unpack(bytes, pack()), BATON_DAMAGED, "%s", what);
}

Test(pack, parts_out_of_their_range_are_refused)
{
    rich_lead();
    lead.touches[1].page = WORDS;
    refused_when("a word that is not there");
    lead.touches[1].page = 0;
    lead.touches[0].kind = BATON_EVENT_KINDS;
    refused_when("a kind that is not there");
    lead.touches[0].kind = 0;
    lead.first_channel = WORDS;
    refused_when("a channel that is not there");
    lead.first_channel = 2;
    lead.stage = BATON_STAGES;
    refused_when("a stage that is not there");
    lead.stage = BATON_SQL;
    lead.generation = 0;
    refused_when("no generation");
    lead.generation = 1;
    lead.tallies[1].rule_hash = lead.tallies[0].rule_hash;
    refused_when("a rule twice");
    lead.tallies[1].rule_hash = 5;
    lead.profile[1].field = BATON_NAME;
    refused_when("a profile field twice");
    lead.profile[1].field = BATON_EMAIL;
    lead.profile[3].field = BATON_EMAIL_DOMAIN;
    refused_when("a field that is no field of a profile");
    lead.profile[3].field = BATON_PROPERTY;
    lead.mql_ms = BATON_TIME_MAX_MS + 1;
    refused_when("a time beyond all times");
    lead.mql_ms = -1;
    refused_when("a time before all times");
    lead.mql_ms = MONDAY_MS - 5;
    lead.history->sales.report = BATON_REPORTS;
    refused_when("a report that is not there");
    lead.history->sales.report = BATON_REPORT_MEETING;
    lead.history->sales.seller = WORDS;
    refused_when("a seller who is not there");
    lead.history->sales.seller = 0;
    lead.history->earlier[0].stage = BATON_STAGES;
    refused_when("an earlier stage that is not there");
    lead.history->earlier[0].stage = BATON_REJECTED;
    lead.history->forms[0].fields = 2 * BATON_FORM_BY_PAGE;
    refused_when("a field of a form that is none");
    lead.history->forms[0].fields = 0;
    comes_back();
}

Test(pack, clocks_out_of_their_ranges_are_damage)
{
    rich_lead();
    struct baton_clock *clock = &lead.history->clocks[BATON_CLOCK_VERDICT];
    *clock = (struct baton_clock){.start_ms = 5, .due_ms = 9, .remind_ms = 6, .stop_ms = 2};
    comes_back();
    clock->due_ms = BATON_TIME_MAX_MS + 1;
    refused_when("a clock that is due beyond all times");
    clock->due_ms = 9;
    clock->remind_ms = 5;
    refused_when("a reminder at the start");
    clock->remind_ms = 6;
    clock->stop_ms = -1;
    refused_when("a stop before all times");
    clock->stop_ms = 7;
    clock->stop_report = BATON_REPORTS - 1;
    comes_back();
    clock->stop_report = BATON_REPORTS;
    refused_when("a stop by a report that is not there");
    clock->stop_report = BATON_REPORT_NONE;
    clock->stop_ms = 0;
    clock->start_ms = BATON_TIME_MAX_MS + 1;
    clock->due_ms = BATON_TIME_MAX_MS + 2;
    refused_when("a start beyond all times");
    *clock = (struct baton_clock){0};
    lead.history->reports_seen = 1u << BATON_REPORTS;
    refused_when("a report that is not there");
    lead.history->reports_seen = 0;
    comes_back();
}

Test(pack, the_size_is_told_by_the_first_bytes)
{
    rich_lead();
    size_t size = pack();
    for (size_t known = 0; known < 16; known++)
        cr_assert_eq(baton_lead_packed_size(bytes, known), known < 7 ? 0 : size, "%zu bytes",
                     known);
    bytes[0] = 200;
    cr_assert_eq(baton_lead_packed_size(bytes, 16), size, "so do those of a later version");
}

Test(pack, the_newest_time_is_told_by_the_first_bytes)
{
    int64_t newest_ms = 0;
    rich_lead();
    size_t size = pack();
    cr_assert(size > 32 && baton_lead_packed_newest(bytes, 32, &newest_ms));
    cr_assert_eq(newest_ms, lead.newest_ms);
    for (size_t known = 0; known < 12; known++)
        cr_assert_not(baton_lead_packed_newest(bytes, known, &newest_ms), "%zu bytes", known);
    memset(bytes + 5, 0xff, 27);
    cr_assert_not(baton_lead_packed_newest(bytes, 32, &newest_ms), "numbers without an end");
}

Test(pack, a_size_that_no_lead_has_is_none)
{
    static const uint8_t zero[16] = {1, 0, 0, 0, 0, 0}, five[16] = {1, 0, 0, 0, 0, 5},
                         large[16] = {1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f},
                         endless[16] = {1,    0,    0,    0,    0,    0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    cr_assert_eq(baton_lead_packed_size(zero, 16), 0);
    cr_assert_eq(baton_lead_packed_size(five, 16), 0);
    cr_assert_eq(baton_lead_packed_size(large, 16), 0);
    cr_assert_eq(baton_lead_packed_size(endless, 16), 0);
    cr_assert_eq(baton_lead_packed_size(NULL, 0), 0);
    cr_assert_eq(unpack(NULL, 0), BATON_DAMAGED);
}

Test(pack, without_memory_it_says_so)
{
    rich_lead();
    size_t size = pack();
    for (long left = 0;; left++) {
        memory.left = left;
        enum baton_unpack outcome = unpack(bytes, size);
        memory.left = -1;
        if (outcome == BATON_UNPACKED)
            break;
        cr_assert_eq(outcome, BATON_NO_MEMORY);
        cr_assert_lt(left, 40);
    }
    same_lead();
}

/* Version 1 as it was first written: what is in a store today must unpack for ever. */
Test(pack, bytes_of_version_1_unpack_for_ever)
{
    static const uint8_t stored[] = {
        0x01, 0x2b, 0xfd, 0xf7, 0x39, 0x8f, 0x01, 0xfe, 0x2d, 0x63, 0x80, 0x88, 0xb9, 0xcc, 0x99,
        0x34, 0xf0, 0xa2, 0x04, 0x03, 0x02, 0x64, 0x0a, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x80, 0x88, 0xb9, 0xcc, 0x99, 0x34, 0x03,
        0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x04, 0xef, 0x1e, 0x00, 0x00, 0x05, 0x01, 0x04, 0x03,
        0xde, 0x3d, 0x00, 0x00, 0x07, 0xae, 0xc4, 0x02, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0x01, 0x80, 0xb8, 0x99, 0x29, 0x02, 0x02, 0x00, 0x04, 0x05, 0x06,
        0x07, 0x00, 0x80, 0x88, 0xb9, 0xcc, 0x99, 0x34, 0xe7, 0x07, 0x00, 0x01, 0x02, 0x04, 0x10,
        0x00, 0x05, 0x4a, 0x4f, 0x53, 0xc3, 0x89, 0x04, 0x6a, 0x6f, 0x73, 0x65, 0x01, 0x00, 0x05,
        0x61, 0x40, 0x62, 0x2e, 0x63, 0x02, 0x80, 0x88, 0xb9, 0xcc, 0x99, 0x34, 0x00, 0x1b, 0x00,
        0x04, 0x70, 0x6c, 0x61, 0x6e, 0x01, 0x78, 0x00};
    int64_t newest_ms = 0;
    former_lead();
    cr_assert_eq(unpack(stored, sizeof stored), BATON_UNPACKED);
    same_lead();
    cr_assert(baton_lead_packed_newest(stored, 32, &newest_ms));
    cr_assert_eq(newest_ms, lead.newest_ms);
}

Test(pack, a_stage_of_sales_without_a_history_is_damage)
{
    simple_lead();
    lead.stage = BATON_SQL;
    cr_assert_eq(unpack(bytes, pack()), BATON_DAMAGED);
}
