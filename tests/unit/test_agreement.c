#include "agreement/agreement.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD "agreement: test\nversion: 1\n"
#define RULES "behaviour: [{id: visit, event: visit, points: 1}]\n"
#define GATES "gates: {mql: {score: 5}, sql: {score: 10}}\n"
#define DAY_MS INT64_C(86400000)

static struct agreement *parse(const char *text)
{
    struct agreement *agreement;
    struct text_buffer messages = {0};
    enum status status = agreement_parse("t", text, strlen(text), NULL, 0, &agreement, &messages);
    cr_assert_eq(status, STATUS_OK, "%s", messages.data ? messages.data : "");
    text_buffer_fini(&messages);
    return agreement;
}

static bool text_is(struct baton_text text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

/* ---- Compiled form ---- */

Test(agreement, what_is_left_out_has_its_default)
{
    struct agreement *agreement = parse(HEAD RULES GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    cr_expect(text_is(compiled->name, "test"));
    cr_expect_eq(compiled->version, 1);
    cr_expect_eq(compiled->touches, 8);
    cr_expect_eq(compiled->limit_behaviour, BATON_NO_LIMIT);
    cr_expect_eq(compiled->limit_fit, BATON_NO_LIMIT);
    cr_expect_eq(compiled->mql.fit, BATON_NO_THRESHOLD);
    cr_expect_eq(compiled->mql.score, 5);
    cr_expect_eq(compiled->sql.needs_one_count, 0);
    cr_expect_eq(compiled->zone_count, 1);
    cr_expect_eq(compiled->zone[0].offset_s, 0);
    cr_expect_eq(compiled->share, 0);
    cr_expect_str_eq(agreement_zone_name(agreement), "UTC");
    cr_expect_eq(compiled->behaviour[0].where.match, BATON_MATCH_ALL);
    cr_expect_eq(compiled->behaviour[0].where.child_count, 0);
    cr_expect(text_is(agreement_text(agreement), HEAD RULES GATES));
    agreement_destroy(agreement);
}

Test(agreement, patterns_are_folded_as_their_field_is)
{
    struct agreement *agreement = parse(
        HEAD
        "fit: [{id: f, where: {job_title: [DIRETORÉ, Head*]}, points: 1}]\n"
        "behaviour:\n"
        "  - {id: a, event: visit, where: {page: /Pricing}, points: 1}\n"
        "  - {id: b, event: visit, where: {campaign: {contains: \"ÉTÉ A*\"}}, points: 1}\n" GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    cr_expect_eq(compiled->fit[0].where.match, BATON_MATCH_GLOB);
    cr_expect_eq(compiled->fit[0].where.field, BATON_JOB_TITLE);
    cr_expect(text_is(compiled->fit[0].where.texts[0], "diretore"));
    cr_expect(text_is(compiled->fit[0].where.texts[1], "head*"));
    cr_expect_eq(compiled->behaviour[0].where.match, BATON_MATCH_EQUAL);
    cr_expect(text_is(compiled->behaviour[0].where.texts[0], "/Pricing"));
    cr_expect_eq(compiled->behaviour[1].where.match, BATON_MATCH_CONTAINS);
    cr_expect(text_is(compiled->behaviour[1].where.texts[0], "ÉtÉ a*"));
    agreement_destroy(agreement);
}

Test(agreement, a_double_not_is_true_where_the_field_is_unknown)
{
    struct agreement *agreement = parse(
        HEAD "fit:\n"
             "  - {id: one, where: {country: {not: BR}}, points: 1}\n"
             "  - {id: two, where: {country: {not: {not: BR}}}, points: 1}\n"
             "  - {id: three, where: {country: {not: {not: {not: BR}}}}, points: 1}\n" RULES GATES);
    const struct baton_fit_rule *fit = agreement_compiled(agreement)->fit;
    cr_expect(fit[0].where.negate && fit[0].where.match == BATON_MATCH_EQUAL);
    cr_assert_eq(fit[1].where.match, BATON_MATCH_ANY);
    cr_assert_eq(fit[1].where.child_count, 2);
    cr_expect(fit[1].where.children[0].match == BATON_MATCH_KNOWN &&
              fit[1].where.children[0].negate);
    cr_expect(fit[1].where.children[1].match == BATON_MATCH_EQUAL &&
              !fit[1].where.children[1].negate);
    cr_expect(fit[2].where.negate && fit[2].where.match == BATON_MATCH_EQUAL);
    agreement_destroy(agreement);
}

Test(agreement, numbers_of_a_range_are_millionths)
{
    struct agreement *agreement =
        parse(HEAD "fit: [{id: f, where: {age: {from: -1.5}}, points: 1}, {id: g, where: {age: "
                   "{to: 2}}, points: 1}]\n" RULES GATES);
    const struct baton_fit_rule *fit = agreement_compiled(agreement)->fit;
    cr_expect_eq(fit[0].where.from, -1500000);
    cr_expect_eq(fit[0].where.to, INT64_MAX);
    cr_expect_eq(fit[1].where.from, INT64_MIN);
    cr_expect_eq(fit[1].where.to, 2000000);
    agreement_destroy(agreement);
}

Test(agreement, rules_are_found_by_kind_and_by_hash)
{
    struct agreement *agreement =
        parse(HEAD "behaviour:\n"
                   "  - {id: a, event: click, points: 1}\n"
                   "  - {id: b, event: visit, points: 1}\n"
                   "  - {id: c, event: click, points: 1}\n"
                   "  - {id: d, event: click, points: 1, while: {times: 2, within: 3d}}\n" GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    cr_expect_eq(compiled->kind_start[BATON_VISIT], 0);
    cr_expect_eq(compiled->kind_start[BATON_CLICK], 1);
    cr_assert_eq(compiled->kind_start[BATON_CLICK + 1], 4);
    cr_expect_eq(compiled->by_kind[1], 0);
    cr_expect_eq(compiled->by_kind[2], 2);
    cr_expect_eq(compiled->by_kind[3], 3);
    for (uint32_t i = 0; i < compiled->behaviour_count; i++) {
        uint32_t slot = compiled->behaviour[i].hash & compiled->by_hash_mask;
        while (compiled->by_hash[slot] != i + 1) {
            cr_assert(compiled->by_hash[slot]);
            slot = (slot + 1) & compiled->by_hash_mask;
        }
    }
    agreement_destroy(agreement);
}

Test(agreement, free_properties_that_are_named_anywhere_are_kept_once)
{
    struct agreement *agreement =
        parse(HEAD "fit: [{id: f, where: {any_of: [{properties.plan: gold}, {properties.plan: "
                   "red}]}, points: 1}]\n"
                   "never: [{properties.blocked: true}]\n"
                   "share: [name, properties.plan, properties.seats]\n" RULES GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    cr_assert_eq(compiled->property_count, 3);
    cr_expect(text_is(compiled->properties[0], "plan"));
    cr_expect(text_is(compiled->properties[1], "blocked"));
    cr_expect(text_is(compiled->properties[2], "seats"));
    cr_expect_eq(compiled->share, 1u << BATON_NAME);
    cr_assert_eq(compiled->share_property_count, 2);
    agreement_destroy(agreement);
}

Test(agreement, every_word_of_a_pact_is_in_force)
{
    struct agreement *agreement =
        parse(HEAD "meeting: week\nreview: {every: month, owner: Ana}\n"
                   "goals: {customers: {at_least: 1, per: day, owner: Ana}}\n"
                   "sales: {reasons: [no budget], verdict: {within: 3d, owner: Ana}}\n" GATES);
    size_t refused, idle;
    (void)agreement_refused(agreement, &refused);
    (void)agreement_idle(agreement, &idle);
    cr_expect_eq(refused, 0);
    cr_expect_eq(idle, 0);
    cr_expect_not_null(agreement_compiled(agreement)->pact);
    agreement_destroy(agreement);
}

Test(agreement, who_is_to_be_ignored_is_compiled)
{
    struct agreement *agreement =
        parse(HEAD "ignore: {bots: true, user_agents: [\"*Monitoring*\", Probe/1]}\n" RULES GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    cr_expect(compiled->ignore_bots);
    cr_assert_eq(compiled->ignore_agent_count, 2);
    cr_expect(text_is(compiled->ignore_agents[0], "*monitoring*"));
    cr_expect(text_is(compiled->ignore_agents[1], "probe/1"));
    cr_expect(baton_agreement_fields(compiled) & 1u << BATON_USER_AGENT);
    struct text_buffer sentences = {0};
    agreement_sentences(agreement, LANGUAGE_EN, &sentences);
    cr_expect(strstr(sentences.data, "Events of known bots do not count.\n"), "%s", sentences.data);
    cr_expect(strstr(sentences.data, "Events of these user agents do not count: "), "%s",
              sentences.data);
    cr_expect(strstr(sentences.data, "Monitoring"), "%s", sentences.data);
    cr_expect(strstr(sentences.data, "Probe/1.\n"), "%s", sentences.data);
    text_buffer_fini(&sentences);
    agreement_destroy(agreement);
}

Test(agreement, user_agents_are_read_only_where_some_are_ignored)
{
    static const char *const none[] = {"", "ignore: {}\n", "ignore: {bots: false}\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct text_buffer text = {0}, sentences = {0};
        text_buffer_print(&text, "%s%s%s", HEAD, none[i], RULES GATES);
        struct agreement *agreement = parse(text.data);
        cr_expect_eq(baton_agreement_fields(agreement_compiled(agreement)) & 1u << BATON_USER_AGENT,
                     0, "%s", none[i]);
        agreement_sentences(agreement, LANGUAGE_EN, &sentences);
        cr_expect_not(strstr(sentences.data, "user agent"), "%s", none[i]);
        text_buffer_fini(&text);
        text_buffer_fini(&sentences);
        agreement_destroy(agreement);
    }
}

/* What was spent is told by campaign, also where no touch is kept. */
Test(agreement, campaigns_are_read_where_something_is_promised)
{
    static const char *const promises[] = {
        "", "goals: {customers: {at_least: 1, per: day, owner: Ana}}\n"};
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        struct text_buffer text = {0};
        text_buffer_print(&text, "%s%s%s", HEAD "touches: 0\n", promises[i], RULES GATES);
        struct agreement *agreement = parse(text.data);
        uint32_t fields = baton_agreement_fields(agreement_compiled(agreement));
        cr_expect_eq(fields >> BATON_CAMPAIGN & 1, i);
        text_buffer_fini(&text);
        agreement_destroy(agreement);
    }
}

/* ---- Identity ---- */

static void hash_of(const char *text, char hash[33])
{
    struct agreement *agreement = parse(text);
    cr_assert_eq(strlen(agreement_hash(agreement)), 32);
    strcpy(hash, agreement_hash(agreement));
    agreement_destroy(agreement);
}

static bool same_agreement(const char *one, const char *other)
{
    char hashes[2][33];
    hash_of(one, hashes[0]);
    hash_of(other, hashes[1]);
    return strcmp(hashes[0], hashes[1]) == 0;
}

Test(agreement, its_hash_covers_everything_but_signatures_and_comments)
{
    const char *text = HEAD RULES GATES;
    cr_expect(same_agreement(text, HEAD "# a comment\n" GATES RULES));
    cr_expect(same_agreement(text, HEAD RULES GATES
                             "signed: [{side: sales, by: A, date: 2026-01-01}]\n"));
    cr_expect(same_agreement(
        text, HEAD "behaviour:\n  - points: 1\n    id: 'visit'\n    event: visit\n" GATES));
    cr_expect_not(same_agreement(text, HEAD RULES GATES "touches: 3\n"));
    cr_expect_not(same_agreement(text, HEAD RULES GATES "review: {every: week, owner: A}\n"));
    cr_expect_not(same_agreement(text, "agreement: test\nversion: 2\n" RULES GATES));
}

/* The order of conditions shows in promotions (which fields gave fit points). */
Test(agreement, its_hash_covers_the_order_of_conditions)
{
    cr_expect_not(same_agreement(
        HEAD "fit: [{id: f, where: {age: 1, country: BR}, points: 1}]\n" RULES GATES,
        HEAD "fit: [{id: f, where: {country: BR, age: 1}, points: 1}]\n" RULES GATES));
}

static uint32_t rule_hash(const char *rule)
{
    struct text_buffer text = {0};
    text_buffer_print(&text, HEAD "behaviour: [%s]\n" GATES, rule);
    struct agreement *agreement = parse(text.data);
    uint32_t hash = agreement_compiled(agreement)->behaviour[0].hash;
    agreement_destroy(agreement);
    text_buffer_fini(&text);
    return hash;
}

Test(agreement, a_rule_is_its_id_and_its_meaning)
{
    uint32_t hash =
        rule_hash("{id: a, event: visit, where: {page: /a, channel: [x, Y]}, points: 1}");
    cr_expect_eq(hash,
                 rule_hash("{id: a, event: visit, where: {page: /a, channel: [x, Y]}, points: 5}"),
                 "points");
    cr_expect_eq(
        hash, rule_hash("{points: 1, where: {channel: [y, x], page: [/a]}, event: visit, id: a}"),
        "order");
    cr_expect_neq(hash,
                  rule_hash("{id: b, event: visit, where: {page: /a, channel: [x, Y]}, points: 1}"),
                  "id");
    cr_expect_neq(hash,
                  rule_hash("{id: a, event: click, where: {page: /a, channel: [x, Y]}, points: 1}"),
                  "event");
    cr_expect_neq(hash,
                  rule_hash("{id: a, event: visit, where: {page: /A, channel: [x, Y]}, points: 1}"),
                  "page");
    cr_expect_neq(hash, rule_hash("{id: a, event: visit, where: {page: /a}, points: 1}"),
                  "channel");
    uint32_t day = rule_hash("{id: a, event: visit, points: 1, half_life: 24h}");
    cr_expect_eq(day, rule_hash("{id: a, event: visit, points: 1, half_life: 1d}"),
                 "24 hours are a day");
    cr_expect_neq(day, rule_hash("{id: a, event: visit, points: 1}"));
    cr_expect_neq(
        day, rule_hash(
                 "{id: a, event: visit, points: 1, half_life: 1d, at_most: {times: 1, per: day}}"));
    cr_expect_neq(rule_hash("{id: a, event: visit, points: 1, while: {times: 2, within: 3d}}"),
                  rule_hash("{id: a, event: visit, points: 1, while: {times: 2, within: 4d}}"));
}

/* Tallies in Redis are kept under these: a change here makes every lead begin anew. */
Test(agreement, hashes_of_rules_stay_what_they_are)
{
    cr_expect_eq(rule_hash("{id: visit, event: visit, points: 1}"), 0x2a2ebd1cu);
    cr_expect_eq(
        rule_hash(
            "{id: demo, event: form_fill, where: {form: demo, field.size: {from: 5}}, points: 40, "
            "at_most: {times: 1, per: ever}, half_life: 14d}"),
        0x443529bfu);
}

/* ---- Dates and zones ---- */

static int32_t offset_at(const struct baton_agreement *compiled, int64_t time_ms)
{
    uint32_t i = compiled->zone_count - 1;
    while (i > 0 && compiled->zone[i].from_ms > time_ms)
        i--;
    return compiled->zone[i].offset_s;
}

Test(agreement, its_days_are_days_of_its_zone)
{
    struct agreement *agreement = parse(
        HEAD "zone: America/Sao_Paulo\neffective: 2026-11-01\nexpires: 2027-02-01\n" RULES GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    int64_t first = INT64_C(1793502000000), after = INT64_C(1801537200000); /* 03:00 in UTC */
    cr_expect_eq(compiled->effective_ms, first);
    cr_expect_eq(compiled->expires_ms, after);
    cr_expect_eq(offset_at(compiled, first), -10800);
    struct text_buffer why = {0};
    struct speech speech;
    speech_init(&speech, LANGUAGE_PT, &why);
    cr_expect_not(agreement_in_force(agreement, first - 1, &speech));
    cr_expect(strstr(why.data, "o acordo test, versão 1, só vale a partir de 01/11/2026; "));
    text_buffer_clear(&why);
    cr_expect_not(agreement_in_force(agreement, after, &speech));
    cr_expect(strstr(why.data, "01/02/2027"));
    speech_fini(&speech);
    cr_expect(agreement_in_force(agreement, first, NULL));
    cr_expect(agreement_in_force(agreement, after - 1, NULL));
    cr_expect_not(agreement_in_force(agreement, after, NULL));
    text_buffer_fini(&why);
    agreement_destroy(agreement);
}

/* On 2018-11-04 clocks in São Paulo went from midnight to 01:00: the day begins an hour later. */
Test(agreement, a_day_without_midnight_begins_when_it_begins)
{
    struct agreement *agreement =
        parse(HEAD "zone: America/Sao_Paulo\neffective: 2018-11-04\n" RULES GATES);
    cr_expect_eq(agreement_compiled(agreement)->effective_ms, INT64_C(1541300400000));
    agreement_destroy(agreement);
}

Test(agreement, summer_time_goes_on_by_its_rule)
{
    struct agreement *agreement = parse(HEAD "zone: Europe/Berlin\n" RULES GATES);
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    int64_t january_2090 = (INT64_C(43829)) * DAY_MS, july_2090 = january_2090 + 190 * DAY_MS;
    cr_expect_eq(offset_at(compiled, january_2090), 3600);
    cr_expect_eq(offset_at(compiled, july_2090), 7200);
    agreement_destroy(agreement);
}

/* The C library reads the same files with other code. */
Test(agreement, offsets_are_those_of_the_c_library)
{
    static const char *const zones[] = {"Africa/Casablanca",   "America/Nuuk",  "America/St_Johns",
                                        "Antarctica/Troll",    "Asia/Gaza",     "Asia/Kathmandu",
                                        "Australia/Lord_Howe", "Europe/Dublin", "Pacific/Apia",
                                        "Etc/GMT+12"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct text_buffer text = {0};
        text_buffer_print(&text, HEAD "zone: %s\n" RULES GATES, zones[i]);
        struct agreement *agreement = parse(text.data);
        const struct baton_agreement *compiled = agreement_compiled(agreement);
        setenv("TZ", zones[i], 1);
        tzset();
        for (int64_t time_s = 0; time_s < INT64_C(4102444800);
             time_s += 9973 * 11) { /* to the year 2100 */
            time_t when = (time_t)time_s;
            struct tm local;
            localtime_r(&when, &local);
            cr_assert_eq(offset_at(compiled, time_s * 1000), local.tm_gmtoff, "%s %lld", zones[i],
                         (long long)time_s);
        }
        agreement_destroy(agreement);
        text_buffer_fini(&text);
    }
}

Test(agreement, offsets_stored_with_a_text_stand_before_this_machines)
{
    const struct baton_zone_offset stored[] = {{INT64_MIN, 3600}, {1000000, 7200}};
    struct text_buffer line = {0}, messages = {0};
    struct baton_zone_offset *zone;
    uint32_t count;
    agreement_zone_write(stored, 2, &line);
    cr_expect_str_eq(line.data, "3600 1000:7200");
    cr_assert_eq(agreement_zone_read(line.data, line.size, &zone, &count), STATUS_OK);
    const char *text = HEAD "zone: Nowhere/Atall\n" RULES GATES;
    struct agreement *agreement;
    cr_assert_eq(agreement_parse("t", text, strlen(text), zone, count, &agreement, &messages),
                 STATUS_OK);
    cr_expect_eq(agreement_compiled(agreement)->zone_count, 2);
    cr_expect_eq(agreement_compiled(agreement)->zone[1].from_ms, 1000000);
    cr_expect_eq(agreement_compiled(agreement)->zone[1].offset_s, 7200);
    agreement_destroy(agreement);
    free(zone);
    text_buffer_fini(&line);
    text_buffer_fini(&messages);
}

Test(agreement, a_damaged_line_of_offsets_is_refused)
{
    static const char *const bad[] = {"",       " 0",      "0 ",         "x",         "0 5",
                                      "0 5:",   "0 5:1:2", "0 -5:3600",  "0 5:1 5:2", "0 9:1 8:2",
                                      "0  9:1", "999999",  "0 9:999999", "0 9:1 ",    "--5",
                                      "0 0:1",  "0,9:1",   "0\n9:1",     "1e3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct baton_zone_offset *zone;
        uint32_t count;
        char *exact = malloc(strlen(bad[i]) + 1); /* no NUL behind it */
        memcpy(exact, bad[i], strlen(bad[i]));
        cr_expect_eq(agreement_zone_read(exact, strlen(bad[i]), &zone, &count), STATUS_REJECT, "%s",
                     bad[i]);
        free(exact);
    }
}

/* ---- Hostile input ---- */

static enum status parse_sized(const char *text, size_t size)
{
    struct agreement *agreement;
    struct text_buffer messages = {0};
    enum status status = agreement_parse("t", text, size, NULL, 0, &agreement, &messages);
    cr_expect_gt(messages.size, 0);
    agreement_destroy(agreement);
    text_buffer_fini(&messages);
    return status;
}

Test(agreement, a_text_that_is_too_large_or_too_long_a_list_is_refused)
{
    size_t size = AGREEMENT_SIZE_MAX + 1;
    char *text = malloc(size);
    memset(text, 'a', size);
    cr_expect_eq(parse_sized(text, size), STATUS_STOP);
    memset(text, '[', size);
    cr_expect_eq(parse_sized(text, size - 1), STATUS_STOP);
    for (size_t i = 0; i < size - 1; i++)
        text[i] = "- \n"[i % 3];
    cr_expect_eq(parse_sized(text, size - 1), STATUS_STOP);
    free(text);
    struct text_buffer many = {0};
    text_buffer_print(&many, HEAD GATES "behaviour:\n");
    for (int i = 0; i <= BATON_RULES_MAX; i++)
        text_buffer_print(&many, "  - {id: r%d, event: visit, points: 1}\n", i);
    cr_expect_eq(parse_sized(many.data, many.size), STATUS_STOP);
    text_buffer_fini(&many);
}

Test(agreement, a_file_that_cannot_be_read_is_an_error)
{
    struct agreement *agreement;
    struct text_buffer messages = {0};
    cr_expect_eq(agreement_load("/nowhere/at/all.yaml", &agreement, &messages), STATUS_STOP);
    cr_expect_str_eq(messages.data,
                     "/nowhere/at/all.yaml: error: cannot be read: No such file or directory\n");
    text_buffer_fini(&messages);
}

static void cannot_be_read(const char *path, enum language language, const char *expected)
{
    struct agreement *agreement;
    struct findings findings;
    struct text_buffer messages = {0};
    findings_init(&findings, language);
    cr_expect_eq(agreement_read_file(path, &agreement, &findings), STATUS_STOP);
    findings_print(&findings, "f", &messages);
    cr_expect_str_eq(messages.data, expected);
    findings_fini(&findings);
    text_buffer_fini(&messages);
}

Test(agreement, why_a_file_cannot_be_read_is_said_in_the_language)
{
    cannot_be_read("/nowhere", LANGUAGE_PT, "f: erro: não pode ser lido: o arquivo não existe\n");
    cannot_be_read("/nowhere", LANGUAGE_ES, "f: error: no se puede leer: el archivo no existe\n");
    cannot_be_read("/", LANGUAGE_EN, "f: error: cannot be read: it is a folder: name a file\n");
    cannot_be_read("/", LANGUAGE_PT,
                   "f: erro: não pode ser lido: é uma pasta: indique um arquivo\n");
    cannot_be_read(
        "/dev/null", LANGUAGE_PT,
        "f: erro: não pode ser lido: é um pipe, um socket ou um dispositivo: indique um arquivo\n");
}
