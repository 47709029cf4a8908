/* The texts of a unit's hash and of the committed offset's metadata: what is written comes back,
 * and what is damaged is never taken for something else. */
#include "pipeline/unit_record.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Small, usual and extreme values alike. */
static uint64_t any_number(void)
{
    switch (any() % 4) {
    case 0: return 0;
    case 1: return any() % 100;
    case 2: return UINT64_MAX;
    default: return any();
    }
}

static int64_t any_offset(void)
{
    uint64_t number = any_number();
    return number > INT64_MAX ? INT64_MAX - 1 : (int64_t)number;
}

static struct schema_verdict any_verdict(void)
{
    bool fingerprint = any() % 2;
    return (struct schema_verdict){
        .schema = {.naming = fingerprint ? SCHEMA_FINGERPRINT : SCHEMA_REGISTRY_ID,
                   .id = any_number()},
        .from = any_offset(),
        .until = any() % 2 ? INT64_MAX : any_offset()};
}

static struct field field(const char *name, const char *value)
{
    return (struct field){{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
}

static enum status read_one(const char *name, const char *value, struct unit_record *record)
{
    struct field one = field(name, value);
    struct error error;
    return unit_record_read(&one, 1, record, &error);
}

static void expect_verdicts(const struct schema_verdict *ours, const struct schema_verdict *theirs,
                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(ours[i].schema.naming == theirs[i].schema.naming &&
                  ours[i].schema.id == theirs[i].schema.id && ours[i].from == theirs[i].from &&
                  ours[i].until == theirs[i].until);
}

Test(pipeline_unit_record, aggregates_come_back)
{
    for (int round = 0; round < 500; round++) {
        struct unit_aggregates a = {.position = any_offset(),
                                    .digest = any_number(),
                                    .transitions = any_number(),
                                    .promotions = any_number(),
                                    .events = any_number(),
                                    .duplicates = any_number(),
                                    .too_late = any_number(),
                                    .ignored = round % 2 ? any_number() : 0,
                                    .dropped = round % 3 ? any_number() : 0,
                                    .reports_ignored = round % 5 ? any_number() : 0,
                                    .trimmed = round % 7 ? any_number() : 0,
                                    .clock_ms = round % 2 ? any_offset() : 0,
                                    .newest_ms = round % 3 ? -any_offset() : 0};
        for (unsigned reason = 1; reason < DEAD_REASONS; reason++)
            a.dead[reason] = any_number();
        for (unsigned route = 0; route < BATON_ROUTES_MAX; route++)
            a.assigned[route] = any_number();
        struct text_buffer text;
        text_buffer_init(&text);
        unit_record_print_aggregates(&text, &a);
        struct unit_record record;
        cr_assert_eq(read_one("aggregates", text.data, &record), STATUS_OK, "%s", text.data);
        cr_assert_eq(memcmp(&record.aggregates, &a, sizeof a), 0, "%s", text.data);
        text_buffer_fini(&text);
    }
}

Test(pipeline_unit_record, verdicts_come_back)
{
    for (int round = 0; round < 500; round++) {
        struct schema_verdict verdicts[UNIT_VERDICTS_MAX];
        size_t count = any() % (UNIT_VERDICTS_MAX + 1);
        for (size_t i = 0; i < count; i++)
            verdicts[i] = any_verdict();
        struct text_buffer text;
        text_buffer_init(&text);
        unit_record_print_verdicts(&text, verdicts, count);
        struct unit_record record;
        cr_assert_eq(read_one("verdicts", text.data ? text.data : "", &record), STATUS_OK);
        cr_assert_eq(record.verdict_count, count);
        expect_verdicts(record.verdicts, verdicts, count);
        text_buffer_fini(&text);
    }
}

Test(pipeline_unit_record, a_whole_hash_comes_back)
{
    struct field fields[] = {field("position", "17"),    field("partitions", "4294967295"),
                             field("start", "3"),        field("committed", "1"),
                             field("fold", "1"),         field("agreement", "0123456789abcdef"),
                             field("input", "ffff"),     field("rebuild", "9"),
                             field("accepted", "12"),    field("updated", "1793534400000"),
                             field("owner", "\x01\xff"), field("step", "x"),
                             field("stopped", "why"),    field("of-a-later-version", "anything")};
    struct unit_record record;
    struct error error;
    cr_assert_eq(unit_record_read(fields, sizeof fields / sizeof *fields, &record, &error),
                 STATUS_OK, "%s", error.text);
    cr_assert(record.has_position && record.position == 17 && record.partitions == UINT32_MAX);
    cr_assert(record.start == 3 && record.committed && record.fold_version == 1);
    cr_assert_str_eq(record.agreement, "0123456789abcdef");
    cr_assert(record.input_hash == 0xffff && record.rebuild == 9 && record.accepted == 12);
    cr_assert_eq(record.updated_ms, INT64_C(1793534400000));
}

static void sweep_comes_back(const struct unit_sweep *sweep)
{
    struct text_buffer text;
    struct unit_record record;
    text_buffer_init(&text);
    unit_record_print_sweep(&text, sweep);
    cr_assert_eq(read_one("sweep", text.data, &record), STATUS_OK, "%s", text.data);
    const struct unit_sweep *back = &record.sweep;
    cr_assert_str_eq(back->agreement, sweep->agreement);
    cr_assert_str_eq(back->cursor, sweep->cursor);
    cr_assert(back->begun_ms == sweep->begun_ms && back->running == sweep->running);
    cr_assert(back->permille == sweep->permille && back->seen == sweep->seen &&
              back->asked == sweep->asked);
    text_buffer_fini(&text);
}

Test(pipeline_unit_record, a_sweep_comes_back)
{
    sweep_comes_back(&(struct unit_sweep){.agreement = "0123456789abcdef",
                                          .begun_ms = INT64_C(1793534400000),
                                          .running = true,
                                          .permille = 999,
                                          .seen = UINT64_MAX,
                                          .asked = 7,
                                          .cursor = "0123456789abcdef-18446744073709551615"});
    sweep_comes_back(&(struct unit_sweep){.agreement = "0f", .permille = 1000, .seen = 1});
}

Test(pipeline_unit_record, a_damaged_sweep_stops)
{
    static const char *const damaged[] = {
        "",
        "0f",
        "0f 1 1 0 0 0",
        "0f 1 2 0 0 0 ",
        "0f 1 1 1001 0 0 ",
        "x 1 1 0 0 ",
        "0f x 1 0 0",
        "0f 1 1 0 -1 0 c",
        "0f 1 -1 0 0 0 c",
        "0f 1 1 0 0 0 cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct unit_record record;
        cr_assert_eq(read_one("sweep", damaged[i], &record), STATUS_STOP, "\"%s\"", damaged[i]);
    }
}

Test(pipeline_unit_record, an_absent_field_is_told_from_a_zero)
{
    struct unit_record record;
    cr_assert_eq(read_one("start", "0", &record), STATUS_OK);
    cr_assert(!record.has_position && !record.committed);
    cr_assert(record.rebuild == -1 && record.accepted == -1);
    cr_assert_eq(read_one("committed", "0", &record), STATUS_OK);
    cr_assert_not(record.committed);
    cr_assert_eq(read_one("position", "0", &record), STATUS_OK);
    cr_assert(record.has_position);
}

static const char *const number_fields[] = {"position", "start",   "committed",  "rebuild",
                                            "accepted", "updated", "partitions", "fold"};

Test(pipeline_unit_record, a_damaged_number_stops)
{
    static const char *const damaged[] = {"",    " 1",  "1 ",   "+1",  "-1",
                                          "x",   "1x",  "0x10", "\t1", "1.0",
                                          "1\n", "1,2", "--1",  "1e3", "9223372036854775808",
                                          "-",   ":",   "½",    "١",   "99999999999999999999"};
    for (size_t n = 0; n < sizeof number_fields / sizeof *number_fields; n++)
        for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
            struct unit_record record;
            cr_assert_eq(read_one(number_fields[n], damaged[i], &record), STATUS_STOP, "%s: \"%s\"",
                         number_fields[n], damaged[i]);
        }
}

Test(pipeline_unit_record, small_numbers_do_not_wrap)
{
    struct unit_record record;
    cr_assert_eq(read_one("partitions", "4294967304", &record), STATUS_STOP);
    cr_assert_eq(read_one("fold", "4294967297", &record), STATUS_STOP);
}

Test(pipeline_unit_record, a_damaged_text_stops)
{
    static const char *const damaged[][2] = {
        {"aggregates", ""},
        {"aggregates", "1"},
        {"aggregates", "1 ff"},
        {"aggregates", "1 ff 1 2 3 4"},
        {"aggregates", "1 ff 1 2 3 4 5 "},
        {"aggregates", "1 ff 1 2 3 4 5 0:1"},
        {"aggregates", "1 ff 1 2 3 4 5 e:"},
        {"aggregates", "1 ff 1 2 3 4 5 99:1"},
        {"aggregates", "1 ff 1 2 3 4 5 1:"},
        {"aggregates", "1 ff 1 2 3 4 5 a64:1"},
        {"aggregates", "1 ff 1 2 3 4 5 a:1"},
        {"aggregates", "1 ff 1 2 3 4 5 aa1:1"},
        {"aggregates", "1 ff 1 2 3 4 -5"},
        {"aggregates", "1 0xff 1 2 3 4 5"},
        {"aggregates", "1 ff  1 2 3 4 5"},
        {"verdicts", "r"},
        {"verdicts", "r1"},
        {"verdicts", "r1:2"},
        {"verdicts", "r1:2:,"},
        {"verdicts", "r1:2:3,"},
        {"verdicts", "q1:2:3"},
        {"verdicts", "r1:2:3 "},
        {"verdicts", "f12345678901234567:1:2"},
        {"verdicts", "r99999999999999999999:1:2"},
        {"agreement", ""},
        {"agreement", "xyz"},
        {"agreement", "ABCDEF"},
        {"agreement", "00000000000000000000000000000000000000000000000000000000000000000"},
        {"input", ""},
        {"input", "0x1"},
        {"input", "10000000000000000"},
        {"input", "1g"}};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct unit_record record;
        cr_assert_eq(read_one(damaged[i][0], damaged[i][1], &record), STATUS_STOP, "%s: \"%s\"",
                     damaged[i][0], damaged[i][1]);
    }
}

Test(pipeline_unit_record, the_error_names_the_field)
{
    struct field one = field("aggregates", "?");
    struct unit_record record;
    struct error error;
    cr_assert_eq(unit_record_read(&one, 1, &record, &error), STATUS_STOP);
    cr_assert(strstr(error.text, "`aggregates`"));
}

Test(pipeline_unit_record, a_text_with_a_nul_or_of_any_length_is_damaged)
{
    struct unit_record record;
    struct error error;
    struct field nul = {{"position", 8}, {"5\0006", 3}};
    cr_assert_eq(unit_record_read(&nul, 1, &record, &error), STATUS_STOP);
    char *long_text = malloc(100000);
    memset(long_text, '1', 100000);
    struct field longer = {{"verdicts", 8}, {long_text, 100000}};
    cr_assert_eq(unit_record_read(&longer, 1, &record, &error), STATUS_STOP);
    struct field unknown = {{"notes", 5}, {long_text, 100000}};
    cr_assert_eq(unit_record_read(&unknown, 1, &record, &error), STATUS_OK);
    struct field owner = {{"owner", 5}, {"\0\1\2\3\4\5\6\7\0\1\2\3\4\5\6\7", 16}};
    cr_assert_eq(unit_record_read(&owner, 1, &record, &error), STATUS_OK);
    free(long_text);
}

/* ---- metadata
 * ------------------------------------------------------------------------------------- */

static void any_hash(char hash[AGREEMENT_HASH_MAX + 1], size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash[i] = "0123456789abcdef"[any() % 16];
    hash[size] = 0;
}

static void any_metadata(struct commit_metadata *m, size_t switches, size_t verdicts)
{
    *m = (struct commit_metadata){.present = true,
                                  .clock_ms = any_offset(),
                                  .digest = any_number(),
                                  .transitions = any_number(),
                                  .dead = any_number(),
                                  .switch_count = switches,
                                  .verdict_count = verdicts};
    any_hash(m->agreement, 32);
    for (size_t i = 0; i < switches; i++) {
        m->switches[i].position = any_offset();
        any_hash(m->switches[i].hash, 32);
    }
    for (size_t i = 0; i < verdicts; i++)
        m->verdicts[i] = any_verdict();
}

static void expect_metadata(const struct commit_metadata *ours,
                            const struct commit_metadata *theirs)
{
    cr_assert(ours->present && ours->clock_ms == theirs->clock_ms &&
              ours->digest == theirs->digest && ours->transitions == theirs->transitions &&
              ours->dead == theirs->dead);
    cr_assert_str_eq(ours->agreement, theirs->agreement);
    cr_assert_eq(ours->switch_count, theirs->switch_count);
    for (size_t i = 0; i < ours->switch_count; i++) {
        cr_assert_eq(ours->switches[i].position, theirs->switches[i].position);
        cr_assert_str_eq(ours->switches[i].hash, theirs->switches[i].hash);
    }
    cr_assert_eq(ours->verdict_count, theirs->verdict_count);
    expect_verdicts(ours->verdicts, theirs->verdicts, ours->verdict_count);
}

Test(pipeline_unit_record, metadata_comes_back)
{
    for (int round = 0; round < 500; round++) {
        struct commit_metadata m, read;
        struct error error;
        struct text_buffer text;
        text_buffer_init(&text);
        any_metadata(&m, any() % (UNIT_SWITCHES + 1), any() % (UNIT_VERDICTS_MAX + 1));
        commit_metadata_print(&text, &m);
        cr_assert_eq(commit_metadata_read(text.data, &read, &error), STATUS_OK, "%s", text.data);
        expect_metadata(&read, &m);
        text_buffer_fini(&text);
    }
}

Test(pipeline_unit_record, metadata_of_the_greatest_size_fits_the_brokers_limit)
{
    struct commit_metadata m, read;
    struct error error;
    struct text_buffer text;
    text_buffer_init(&text);
    any_metadata(&m, UNIT_SWITCHES, UNIT_VERDICTS_MAX);
    m.clock_ms = INT64_MIN;
    m.digest = m.transitions = m.dead = UINT64_MAX;
    any_hash(m.agreement, AGREEMENT_HASH_MAX);
    for (size_t i = 0; i < UNIT_SWITCHES; i++) {
        m.switches[i].position = INT64_MAX;
        any_hash(m.switches[i].hash, AGREEMENT_HASH_MAX);
    }
    for (size_t i = 0; i < UNIT_VERDICTS_MAX; i++)
        m.verdicts[i] =
            (struct schema_verdict){.schema = {.naming = SCHEMA_REGISTRY_ID, .id = UINT64_MAX - i},
                                    .from = INT64_MAX - 1,
                                    .until = INT64_MAX - 1};
    commit_metadata_print(&text, &m);
    cr_assert_leq(text.size, UNIT_METADATA_MAX);
    cr_assert_eq(commit_metadata_read(text.data, &read, &error), STATUS_OK);
    expect_metadata(&read, &m);
    text_buffer_fini(&text);
}

Test(pipeline_unit_record, no_metadata_is_not_damaged_metadata)
{
    struct commit_metadata m;
    struct error error;
    cr_assert_eq(commit_metadata_read("", &m, &error), STATUS_OK);
    cr_assert_not(m.present);
    cr_assert_eq(commit_metadata_read("somebody else's", &m, &error), STATUS_STOP);
    cr_assert(strstr(error.text, "somebody else's"));
}

/* Each cut, and each text with one byte dropped, is refused or reads as something that prints as
 * the text that was read: never as the original. */
Test(pipeline_unit_record, damaged_metadata_is_never_read_as_what_it_was)
{
    struct commit_metadata m, read;
    struct error error;
    struct text_buffer text, again;
    text_buffer_init(&text);
    text_buffer_init(&again);
    any_metadata(&m, 3, 4);
    commit_metadata_print(&text, &m);
    char *damaged = malloc(text.size + 1);
    for (size_t at = 0; at < text.size; at++) {
        memcpy(damaged, text.data, at);
        memcpy(damaged + at, text.data + at + 1, text.size - at);
        if (commit_metadata_read(damaged, &read, &error) == STATUS_OK) {
            text_buffer_clear(&again);
            commit_metadata_print(&again, &read);
            cr_assert_str_neq(again.data, text.data, "without byte %zu", at);
        }
        memcpy(damaged, text.data, at);
        damaged[at] = 0;
        if (at && commit_metadata_read(damaged, &read, &error) == STATUS_OK) {
            text_buffer_clear(&again);
            commit_metadata_print(&again, &read);
            cr_assert_str_neq(again.data, text.data, "cut at %zu", at);
        }
    }
    free(damaged);
    text_buffer_fini(&again);
    text_buffer_fini(&text);
}

Test(pipeline_unit_record, more_than_there_is_room_for_is_refused)
{
    struct text_buffer text;
    text_buffer_init(&text);
    struct schema_verdict verdicts[UNIT_VERDICTS_MAX + 1];
    for (size_t i = 0; i <= UNIT_VERDICTS_MAX; i++)
        verdicts[i] = (struct schema_verdict){
            .schema = {.naming = SCHEMA_REGISTRY_ID, .id = i}, .from = 1, .until = INT64_MAX};
    unit_record_print_verdicts(&text, verdicts, UNIT_VERDICTS_MAX + 1);
    struct unit_record record;
    cr_assert_eq(read_one("verdicts", text.data, &record), STATUS_STOP);
    size_t count = 0;
    cr_assert(schema_verdicts_unite(record.verdicts, &count, verdicts, UNIT_VERDICTS_MAX));
    cr_assert_not(schema_verdicts_unite(record.verdicts, &count, verdicts + UNIT_VERDICTS_MAX, 1));
    cr_assert(schema_verdicts_unite(record.verdicts, &count, verdicts, UNIT_VERDICTS_MAX));
    text_buffer_fini(&text);
}

Test(pipeline_unit_record, the_smaller_end_of_a_verdict_wins)
{
    struct schema_key key = {.naming = SCHEMA_REGISTRY_ID, .id = 7};
    struct schema_verdict into[UNIT_VERDICTS_MAX] = {{key, 5, INT64_MAX}}, lifted = {key, 5, 9},
                          later = {key, 20, INT64_MAX};
    size_t count = 1;
    cr_assert(schema_verdicts_unite(into, &count, &lifted, 1));
    cr_assert(count == 1 && into[0].until == 9);
    cr_assert(schema_verdicts_unite(into, &count, &later, 1));
    cr_assert_eq(count, 2);
    const struct {
        int64_t offset;
        bool covered;
    } cases[] = {{4, false}, {5, true}, {8, true}, {9, false}, {19, false}, {20, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(schema_verdicts_cover(into, count, key, cases[i].offset), cases[i].covered);
    struct schema_key other = {.naming = SCHEMA_FINGERPRINT, .id = 7};
    cr_assert_not(schema_verdicts_cover(into, count, other, 5));
}

Test(pipeline_unit_record, a_digest_depends_on_each_of_its_parts)
{
    struct baton_text a = {"a", 1}, b = {"b", 1};
    uint64_t base = digest_transition(1, a, 1, BATON_MQL, 5);
    cr_assert_neq(base, digest_transition(2, a, 1, BATON_MQL, 5));
    cr_assert_neq(base, digest_transition(1, b, 1, BATON_MQL, 5));
    cr_assert_neq(base, digest_transition(1, a, 2, BATON_MQL, 5));
    cr_assert_neq(base, digest_transition(1, a, 1, BATON_SQL, 5));
    cr_assert_neq(base, digest_transition(1, a, 1, BATON_MQL, 6));
    cr_assert_neq(digest_dead(1, 5, DEAD_EMPTY), digest_dead(1, 6, DEAD_EMPTY));
    cr_assert_neq(digest_dead(1, 5, DEAD_EMPTY), digest_dead(1, 5, DEAD_BAD_SCHEMA));
}

Test(pipeline_unit_record, all_count_since_the_latest_that_missed_something)
{
    struct counted_since since = COUNTED_SINCE_NEVER;
    struct unit_record record = {.counted_from = -1, .counted_at = -1};
    counted_since_add(&since, &record);
    cr_expect_eq(counted_since_day(&since), INT32_MIN);
    record = (struct unit_record){.counted_from = 100, .counted_at = 0};
    counted_since_add(&since, &record);
    record.counted_from = 90;
    counted_since_add(&since, &record);
    cr_expect_eq(counted_since_day(&since), 90, "both from the first record of their log");
    record = (struct unit_record){.counted_from = 95, .counted_at = 7};
    counted_since_add(&since, &record);
    cr_expect_eq(counted_since_day(&since), 95,
                 "its log begins later, or it was not counted at first");
}
