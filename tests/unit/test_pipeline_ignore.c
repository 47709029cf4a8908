/* Events that are not a person's: which they are, and that they leave no trace but a count. */
#include "pipeline/ignore.h"
#include "pipeline_cases.h"

static const char IGNORING[] =
    "agreement: world\nversion: 1\n"
    "ignore: {bots: true, user_agents: [\"*monitoring*\", \"Our Probe/*\"]}\n"
    "behaviour:\n  - {id: page, event: visit, points: 1}\n"
    "gates:\n  mql: {score: 100}\n  sql: {score: 200}\n";

#define BROWSER                                                                                    \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "            \
    "Chrome/130.0.0.0 Safari/537.36"

/* ---- verdicts ---- */

struct judge {
    struct agreement *agreement;
    struct ignore *ignore;
};

static void judge_init(struct judge *judge, const char *text)
{
    *judge = (struct judge){.agreement = world_parse(text), .ignore = ignore_create()};
}

static void judge_fini(struct judge *judge)
{
    ignore_destroy(judge->ignore);
    agreement_destroy(judge->agreement);
}

static bool ignores_kind(struct judge *judge, enum baton_event_kind kind, const char *agent)
{
    struct baton_event event = {.kind = kind};
    event.fields[BATON_USER_AGENT] = (struct baton_text){agent, (uint32_t)strlen(agent)};
    const struct baton_agreement *agreement = agreement_compiled(judge->agreement);
    bool ignored = ignore_event(judge->ignore, agreement, &event);
    cr_assert_eq(ignore_event(judge->ignore, agreement, &event), ignored, "%s", agent);
    return ignored;
}

static bool ignores(struct judge *judge, const char *agent)
{
    return ignores_kind(judge, BATON_VISIT, agent);
}

Test(pipeline_ignore, crawlers_and_listed_agents_are_ignored_and_people_are_not)
{
    struct judge judge;
    judge_init(&judge, IGNORING);
    cr_expect(ignores(&judge, "Mozilla/5.0 (compatible; Googlebot/2.1)"));
    cr_expect(ignores(&judge, BROWSER " MONITORING of ours"));
    cr_expect(ignores(&judge, "our probe/2"));
    cr_expect_not(ignores(&judge, "not our probe/2"));
    cr_expect_not(ignores(&judge, BROWSER));
    cr_expect_not(ignores(&judge, ""), "nothing is known of it");
    judge_fini(&judge);
}

Test(pipeline_ignore, what_is_said_of_a_lead_is_never_ignored)
{
    struct judge judge;
    judge_init(&judge, IGNORING);
    for (int kind = 0; kind < BATON_EVENT_KINDS; kind++)
        cr_expect_eq(ignores_kind(&judge, (enum baton_event_kind)kind, "Googlebot/2.1"),
                     kind < BATON_PROFILE, "kind %d", kind);
    judge_fini(&judge);
}

Test(pipeline_ignore, bots_and_listed_agents_go_without_each_other)
{
    static const char head[] = "agreement: a\nversion: 1\n",
                      rest[] = "\ngates: {mql: {score: 1}, sql: {score: 2}}\n";
    static const struct {
        const char *ignore;
        bool bot, listed;
    } rows[] = {{"ignore: {bots: true}", true, false},
                {"ignore: {bots: false, user_agents: [probe]}", false, true},
                {"ignore: {bots: false}", false, false},
                {"", false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct judge judge;
        (void)snprintf(text, sizeof text, "%s%s%s", head, rows[i].ignore, rest);
        judge_init(&judge, text);
        cr_expect_eq(ignores(&judge, "Googlebot/2.1"), rows[i].bot, "%s", rows[i].ignore);
        cr_expect_eq(ignores(&judge, "Probe"), rows[i].listed, "%s", rows[i].ignore);
        judge_fini(&judge);
    }
}

Test(pipeline_ignore, agents_of_any_length_are_judged)
{
    struct judge judge;
    char agent[BATON_TEXT_MAX + 1];
    judge_init(&judge, IGNORING);
    for (size_t size = 20; size <= BATON_TEXT_MAX; size++) {
        memset(agent, '-', size);
        agent[size] = 0;
        cr_assert_not(ignores(&judge, agent));
        memcpy(agent + size - 13, "Googlebot/2.1", 13);
        cr_assert(ignores(&judge, agent), "%zu bytes", size);
    }
    judge_fini(&judge);
}

Test(pipeline_ignore, more_agents_than_are_kept_are_judged_right_each_time)
{
    struct judge judge;
    char agent[64];
    judge_init(&judge, IGNORING);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 40000; i++) {
            bool bot = i % 3 == 0;
            (void)snprintf(agent, sizeof agent, "%s %d", bot ? "Googlebot/" : "Firefox/", i);
            cr_assert_eq(ignores(&judge, agent), bot, "%s", agent);
        }
    judge_fini(&judge);
}

Test(pipeline_ignore, agents_too_long_to_be_kept_are_written_nowhere) /* the sanitizer sees to it */
{
    struct judge judge;
    char agent[320];
    judge_init(&judge, IGNORING);
    for (int i = 0; i < 60000; i++) { /* every slot is met, the last one too */
        (void)snprintf(agent, sizeof agent, "Googlebot/%300d", i);
        cr_assert(ignores(&judge, agent));
    }
    judge_fini(&judge);
}

Test(pipeline_ignore, a_verdict_is_of_its_agreement_alone)
{
    struct judge judge;
    struct agreement *open = world_parse(WORLD_AGREEMENT),
                     *other = world_parse(WORLD_OTHER_AGREEMENT);
    struct baton_event event = {.kind = BATON_VISIT};
    event.fields[BATON_USER_AGENT] = (struct baton_text){"our probe/2", 11};
    judge_init(&judge, IGNORING);
    for (int round = 0; round < 3; round++) {
        cr_expect(ignore_event(judge.ignore, agreement_compiled(judge.agreement), &event));
        cr_expect_not(ignore_event(judge.ignore, agreement_compiled(open), &event));
        cr_expect_not(ignore_event(judge.ignore, agreement_compiled(other), &event));
    }
    judge_fini(&judge);
    agreement_destroy(open);
    agreement_destroy(other);
}

/* ---- in the pipeline ---- */

static void visit(struct world *world, const char *lead, const char *event, const char *agent)
{
    char value[512];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"visit\",\"event_id\":\"%s\",\"lead_id\":\"%s\",\"time\":%" PRId64
                   ",\"page\":\"/\",\"user_agent\":\"%s\"}",
                   event, lead, WORLD_T0, agent);
    (void)world_append_text(world, 0, lead, value);
}

static void begin_ignoring(struct world *world)
{
    world_init(world, 1, 1);
    agreement_destroy(world->agreement);
    world->agreement = world_parse(IGNORING);
    world->config.agreement = world->agreement;
}

static struct unit_aggregates stored_aggregates(struct world *world)
{
    struct field field = {{"aggregates", 10}, memory_db_field(world->db, 0, "aggregates")};
    struct unit_record record;
    struct error error;
    cr_assert_eq(unit_record_read(&field, 1, &record, &error), STATUS_OK);
    return record.aggregates;
}

static bool has_lead(struct world *world, const char *lead)
{
    struct stored_lead stored;
    struct baton_text id = {lead, (uint32_t)strlen(lead)};
    return memory_db_lead(world->db, 0, id, &stored);
}

Test(pipeline_ignore, an_ignored_event_leaves_no_lead_and_is_counted)
{
    struct world world;
    begin_ignoring(&world);
    owner_start(&world, 0);
    visit(&world, "person", "e1", BROWSER);
    visit(&world, "crawler", "e2", "Googlebot/2.1");
    visit(&world, "person", "e3", "Our Probe/1");
    settle(&world);
    cr_expect_eq(FIGURE(&world, events), 1);
    cr_expect_eq(FIGURE(&world, ignored), 2);
    cr_expect_eq(FIGURE(&world, records), 3);
    cr_expect_eq(FIGURE(&world, leads_in_table), 1, "the crawler is not even looked for");
    struct unit_aggregates aggregates = stored_aggregates(&world);
    cr_expect(aggregates.events == 1 && aggregates.ignored == 2 && aggregates.position == 3);
    cr_expect(has_lead(&world, "person"));
    cr_expect_not(has_lead(&world, "crawler"));
    world_fini(&world);
}

Test(pipeline_ignore, an_ignored_event_is_not_among_the_recent_ones)
{
    struct world world;
    begin_ignoring(&world);
    owner_start(&world, 0);
    visit(&world, "person", "e1", "Googlebot/2.1");
    visit(&world, "person", "e1", BROWSER);
    settle(&world);
    cr_expect_eq(FIGURE(&world, events), 1);
    cr_expect_eq(FIGURE(&world, duplicates), 0);
    world_fini(&world);
}

Test(pipeline_ignore, a_replay_counts_what_was_ignored_once)
{
    struct world world;
    begin_ignoring(&world);
    owner_start(&world, 0);
    visit(&world, "person", "e1", BROWSER);
    settle(&world);
    memory_db_save(world.db);
    visit(&world, "person", "e2", "Googlebot/2.1");
    visit(&world, "person", "e3", BROWSER);
    settle(&world);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_live(&world);
    visit(&world, "person", "e4", "Googlebot/2.1");
    settle(&world);
    cr_expect_eq(stored_aggregates(&world).ignored, 2);
    cr_expect_eq(stored_aggregates(&world).events, 2);
    world_fini(&world);
}

Test(pipeline_ignore, what_was_counted_before_r_is_not_counted_again)
{
    struct world world;
    begin_ignoring(&world);
    owner_start(&world, 0);
    visit(&world, "person", "e1", BROWSER);
    visit(&world, "person", "e2", "Googlebot/2.1");
    settle(&world);
    owner_kill(&world, 0);
    operator_writes(&world, 0, "position", "1"); /* as a crash between two writes leaves it */
    owner_start(&world, 0);
    expect_live(&world);
    visit(&world, "person", "e3", "Googlebot/2.1");
    settle(&world);
    cr_expect_eq(stored_aggregates(&world).ignored, 2);
    world_fini(&world);
}
