/* The traffic of the load-test harness: the same from the same seed, as it was asked for, and
 * readable by baton's own decoder and by libavro alike. */
#include "base/hash.h"
#include "codec_support.h"
#include "traffic/traffic.h"

#include <avro.h>
#include <math.h>

#define EVENTS 50000
#define DAY_MS INT64_C(86400000)

static const struct traffic_options plain = {
    .seed = 1, .leads = 1000, .zipf = 1.0, .start_ms = NOON};

static struct traffic *make(const struct traffic_options *options)
{
    struct error error;
    struct traffic *traffic = traffic_create(options, &error);
    cr_assert(traffic, "%s", error.text);
    return traffic;
}

/* All of an event that others see. */
static uint64_t hash_of(struct traffic *traffic, uint64_t sequence, uint64_t so_far)
{
    struct traffic_event event;
    traffic_make(traffic, sequence, TRAFFIC_BY_PLAN, &event);
    so_far = hash64(event.key, event.key_size, so_far);
    return hash64(event.value, event.value_size, so_far);
}

static struct traffic_options mixed(bool json)
{
    struct traffic_options options = plain;
    options.json = json;
    options.late = 0.02;
    options.repeated = 0.05;
    options.unreadable = 0.01;
    options.profiles = 0.1;
    return options;
}

/* ---- The same seed ---- */

Test(bench_traffic, the_same_seed_gives_the_same_bytes_in_any_order)
{
    struct traffic_options options = mixed(false);
    struct traffic *one = make(&options), *two = make(&options), *three = traffic_share(one);
    for (uint64_t i = 0; i < 2000; i++)
        (void)hash_of(three, 7 * i, 0); /* what it did before does not matter */
    for (uint64_t i = 2000; i-- > 0;) {
        uint64_t hash = hash_of(one, i, 0);
        cr_assert_eq(hash, hash_of(two, i, 0));
        cr_assert_eq(hash, hash_of(three, i, 0));
    }
    traffic_destroy(three);
    traffic_destroy(two);
    traffic_destroy(one);
}

Test(bench_traffic, another_seed_gives_other_leads)
{
    struct traffic_options options = plain;
    options.zipf = 0;
    struct traffic *one = make(&options);
    options.seed = 2;
    struct traffic *two = make(&options);
    unsigned same = 0;
    for (uint64_t i = 0; i < 10000; i++)
        same += traffic_lead(one, i) == traffic_lead(two, i);
    cr_assert_lt(same, 50, "%u of 10000", same); /* 10 are to be expected of 1000 leads */
    traffic_destroy(one);
    traffic_destroy(two);
}

/* Figures of different days are compared: whoever changes the traffic does so knowingly. */
Test(bench_traffic, the_traffic_is_what_it_was)
{
    struct {
        bool json;
        uint64_t hash;
    } known[] = {{false, UINT64_C(0xf488b57cb67f7bb2)}, {true, UINT64_C(0x6ee76b828538892a)}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        struct traffic_options options = mixed(known[k].json);
        struct traffic *traffic = make(&options);
        uint64_t hash = 0;
        for (uint64_t i = 0; i < 5000; i++)
            hash = hash_of(traffic, i, hash);
        cr_expect_eq(hash, known[k].hash, "%s: 0x%016llx", known[k].json ? "JSON" : "Avro",
                     (unsigned long long)hash);
        traffic_destroy(traffic);
    }
}

/* ---- As asked for ---- */

/* Is a count of `of` what chance makes of a share, within five deviations? */
static void is_about(const char *what, uint64_t count, double share, uint64_t of)
{
    double expected = share * (double)of, deviation = sqrt(expected * (1 - share)) + 1e-9;
    cr_expect_lt(fabs((double)count - expected), 5 * deviation + 1, "%s: %lu, expected %.1f", what,
                 (unsigned long)count, expected);
}

Test(bench_traffic, shares_come_out_as_stated)
{
    struct traffic_options options = mixed(false);
    struct traffic *traffic = make(&options);
    uint64_t fates[4] = {0}, kinds[5] = {0};
    for (uint64_t i = 0; i < EVENTS; i++) {
        struct traffic_event event;
        traffic_make(traffic, i, TRAFFIC_BY_PLAN, &event);
        fates[event.fate]++;
        if (event.fate == TRAFFIC_PLAIN || event.fate == TRAFFIC_LATE)
            kinds[event.kind]++;
    }
    uint64_t read = fates[TRAFFIC_PLAIN] + fates[TRAFFIC_LATE];
    is_about("late", fates[TRAFFIC_LATE], 0.02, EVENTS);
    is_about("repeated", fates[TRAFFIC_REPEATED], 0.05, EVENTS);
    is_about("unreadable", fates[TRAFFIC_UNREADABLE], 0.01, EVENTS);
    is_about("profiles", kinds[TRAFFIC_PROFILE], 0.1, read);
    is_about("visits", kinds[TRAFFIC_VISIT], 0.9 * 0.70, read);
    is_about("clicks", kinds[TRAFFIC_CLICK], 0.9 * 0.27, read);
    is_about("form fills", kinds[TRAFFIC_FORM_FILL], 0.9 * 0.03, read);
    traffic_destroy(traffic);
}

Test(bench_traffic, leads_are_as_popular_as_zipf_has_it)
{
    static const double exponents[] = {0, 0.5, 1.0, 1.3, 3.0};
    enum { LEADS = 500, DRAWS = 400000 };
    for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
        struct traffic_options options = plain;
        options.leads = LEADS;
        options.zipf = exponents[e];
        struct traffic *traffic = make(&options);
        static uint64_t counts[LEADS];
        double sum = 0;
        memset(counts, 0, sizeof counts);
        for (uint64_t i = 0; i < DRAWS; i++) {
            uint32_t lead = traffic_lead(traffic, i);
            cr_assert_lt(lead, LEADS);
            counts[lead]++;
        }
        for (int k = 1; k <= LEADS; k++)
            sum += pow(k, -exponents[e]);
        for (int k = 1; k <= LEADS; k++) {
            char what[64];
            (void)snprintf(what, sizeof what, "lead %d at exponent %g", k, exponents[e]);
            is_about(what, counts[k - 1], pow(k, -exponents[e]) / sum, DRAWS);
        }
        traffic_destroy(traffic);
    }
}

Test(bench_traffic, one_lead_is_enough_and_ten_million_are_not_too_many)
{
    struct traffic_options options = plain;
    options.leads = 1;
    struct traffic *one = make(&options);
    cr_expect_eq(traffic_lead(one, 12345), 0);
    traffic_destroy(one);
    options.leads = 10000000;
    struct traffic *many = make(&options);
    uint64_t beyond = 0;
    for (uint64_t i = 0; i < 100000; i++)
        beyond += traffic_lead(many, i) >= 1000000;
    is_about("leads beyond the first million", beyond, log(10) / (log(1e7) + 0.5772), 100000);
    traffic_destroy(many);
}

Test(bench_traffic, events_are_as_large_as_asked_for)
{
    static const uint32_t sizes[] = {100, 128, 240, 300, 512, 1024, 2048, 10000};
    for (int json = 0; json <= 1; json++)
        for (size_t s = json ? 3 : 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct traffic_options options = plain;
            options.json = json;
            options.event_bytes = sizes[s];
            struct traffic *traffic = make(&options);
            double sum = 0;
            for (uint64_t i = 0; i < EVENTS; i++) {
                struct traffic_event event;
                traffic_make(traffic, i, TRAFFIC_BY_PLAN, &event);
                sum += (double)event.value_size;
            }
            double off = sum / EVENTS / sizes[s] - 1;
            cr_expect(off > -0.15 && off < 0.06, "%u bytes: %.0f", sizes[s], sum / EVENTS);
            traffic_destroy(traffic);
        }
}

Test(bench_traffic, what_cannot_be_is_refused_in_plain_words)
{
    struct {
        struct traffic_options options;
        const char *text;
    } wrong[] = {
        {{.leads = 0}, "the number of leads is from 1 to 500000000"},
        {{.leads = 1, .zipf = -1}, "the Zipf exponent is from 0 (uniform) to 10"},
        {{.leads = 1, .zipf = NAN}, "the Zipf exponent is from 0 (uniform) to 10"},
        {{.leads = 1, .late = 1.5}, "a share is from 0 to 1"},
        {{.leads = 1, .repeated = 0.6, .unreadable = 0.5},
         "late, repeated and unreadable messages are 1.1 of all, more than 1"},
        {{.leads = 1, .event_bytes = 20}, "events of 20 bytes cannot be made: "},
        {{.leads = 1, .event_bytes = 100000}, "an event has at most 65536 bytes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {""};
        cr_expect_null(traffic_create(&wrong[i].options, &error));
        cr_expect_eq(strncmp(error.text, wrong[i].text, strlen(wrong[i].text)), 0, "%s",
                     error.text);
    }
}

/* ---- Ids ---- */

Test(bench_traffic, an_event_id_tells_the_sequence_and_a_lead_id_the_lead)
{
    struct traffic *traffic = make(&plain);
    static const uint64_t sequences[] = {0, 1, 255, 0x123456789, UINT64_MAX / 2};
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        struct traffic_event event;
        uint64_t sequence;
        uint32_t lead;
        traffic_make(traffic, sequences[i], NOON, &event);
        /* behind framing and the length of the text */
        cr_assert(traffic_sequence_of((const char *)event.value + 6, TRAFFIC_ID_SIZE, &sequence));
        cr_expect_eq(sequence, sequences[i]);
        cr_expect_eq(event.sequence, sequences[i]);
        cr_assert(traffic_lead_of(event.key, event.key_size, &lead));
        cr_expect_eq(lead, event.lead);
        cr_expect_eq(lead, traffic_lead(traffic, sequences[i]));
    }
    traffic_destroy(traffic);
}

Test(bench_traffic, ids_of_others_are_not_taken_for_ours)
{
    uint64_t sequence;
    uint32_t lead;
    cr_expect_not(traffic_sequence_of("00000001-00000000000000zz", 25, &sequence));
    cr_expect_not(traffic_sequence_of("00000001-000000000000000", 24, &sequence));
    cr_expect_not(traffic_sequence_of("00000001_0000000000000000", 25, &sequence));
    cr_expect_not(traffic_lead_of("lead-0000000", 12, &lead));
    cr_expect_not(traffic_lead_of("head-00000000", 13, &lead));
    cr_expect_not(traffic_lead_of("lead-0000000G", 13, &lead));
    cr_expect(traffic_lead_of("lead-9e3779b1", 13, &lead));
    cr_expect_eq(lead, 1);
}

/* ---- Repeated, late ---- */

Test(bench_traffic, a_repeat_is_one_of_the_seven_messages_before_byte_for_byte)
{
    struct traffic_options options = mixed(false);
    options.repeated = 0.3;
    struct traffic *traffic = make(&options);
    uint64_t repeats = 0;
    for (uint64_t i = 0; i < 5000; i++) {
        struct traffic_event event;
        traffic_make(traffic, i, TRAFFIC_BY_PLAN, &event);
        if (event.fate != TRAFFIC_REPEATED)
            continue;
        repeats++;
        cr_assert(event.sequence < i && event.sequence + 7 >= i);
        cr_assert_eq(hash_of(traffic, i, 0), hash_of(traffic, event.sequence, 0));
        traffic_make(traffic, event.sequence, TRAFFIC_BY_PLAN, &event);
        cr_assert(event.fate == TRAFFIC_PLAIN || event.fate == TRAFFIC_LATE);
    }
    cr_expect_gt(repeats, 1000);
    traffic_destroy(traffic);
}

Test(bench_traffic, late_events_lie_before_their_turn_by_what_was_said)
{
    struct traffic_options options = plain;
    options.late = 0.5;
    options.late_by_ms = DAY_MS;
    options.events_per_second = 1000;
    struct traffic *traffic = make(&options);
    int64_t most = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct traffic_event event;
        traffic_make(traffic, i, TRAFFIC_BY_PLAN, &event);
        int64_t behind = traffic_time(traffic, i) - event.time_ms;
        cr_assert_eq(traffic_time(traffic, i), NOON + (int64_t)i);
        if (event.fate == TRAFFIC_PLAIN)
            cr_assert_eq(behind, 0);
        else
            cr_assert(behind >= 60000 && behind < 60000 + DAY_MS, "%ld", (long)behind);
        most = behind > most ? behind : most;
    }
    cr_expect_gt(most, DAY_MS / 100 * 95);
    traffic_destroy(traffic);
}

/* ---- baton's decoder ---- */

static void give_schemas(struct bench *bench)
{
    static const char *const names[] = {"Visit", "Click", "FormFill", "Profile"};
    for (uint32_t i = 0; i < 4; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, BATON_SOURCE_DIR "/schemas/%s.avsc", names[i]);
        char *text = read_whole_file(path);
        bench_schema(bench, i + 1, text);
        free(text);
    }
}

static enum decode_outcome decode(struct bench *bench, const struct traffic_event *made)
{
    /* A block of its own size: a sanitizer sees every byte too far. */
    arena_reset(&bench->arena);
    uint8_t *value = arena_copy(&bench->arena, made->value, made->value_size);
    struct message message = {.key = (const uint8_t *)made->key,
                              .key_size = made->key_size,
                              .value = value,
                              .value_size = made->value_size,
                              .timestamp_ms = made->time_ms,
                              .offset = 7};
    decoder_decode(bench->decoder, &message, &bench->arena, &bench->event, &bench->result);
    return bench->result.outcome;
}

static void says_the_same(const struct bench *bench, const struct traffic_event *made)
{
    static const enum baton_event_kind kinds[] = {
        [TRAFFIC_VISIT] = BATON_VISIT,
        [TRAFFIC_CLICK] = BATON_CLICK,
        [TRAFFIC_FORM_FILL] = BATON_FORM_FILL,
        [TRAFFIC_PROFILE] = BATON_PROFILE,
    };
    const struct baton_event *event = &bench->event;
    uint64_t sequence;
    cr_assert_eq(event->kind, kinds[made->kind]);
    cr_assert_eq(event->time_ms, made->time_ms);
    cr_assert_eq(event->lead_id.size, made->key_size);
    cr_assert_arr_eq(event->lead_id.data, made->key, made->key_size);
    cr_assert(traffic_sequence_of(event->event_id.data, event->event_id.size, &sequence));
    cr_assert_eq(sequence, made->sequence);
    if (made->kind == TRAFFIC_PROFILE)
        cr_assert_geq(event->update_count, 8);
    else
        cr_assert_gt(event->fields[BATON_PAGE].size, 0);
    if (made->kind == TRAFFIC_CLICK)
        cr_assert_gt(event->fields[BATON_TARGET].size, 0);
    if (made->kind == TRAFFIC_FORM_FILL)
        cr_assert_gt(event->fields[BATON_FORM].size, 0);
}

Test(bench_traffic, baton_reads_every_readable_event_and_no_other)
{
    static const uint32_t sizes[] = {0, 100, 300, 2048};
    struct bench bench;
    bench_init(&bench, NULL);
    give_schemas(&bench);
    for (int json = 0; json <= 1; json++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct traffic_options options = mixed(json);
            options.event_bytes = json && sizes[s] == 100 ? 180 : sizes[s];
            options.unreadable = 0.1;
            struct traffic *traffic = make(&options);
            for (uint64_t i = 0; i < 5000; i++) {
                struct traffic_event made;
                traffic_make(traffic, i, TRAFFIC_BY_PLAN, &made);
                enum decode_outcome outcome = decode(&bench, &made);
                if (made.fate == TRAFFIC_UNREADABLE) {
                    cr_assert_eq(outcome, DECODE_DEAD, "event %lu", (unsigned long)i);
                    continue;
                }
                cr_assert_eq(outcome, DECODED, "event %lu: %s", (unsigned long)i,
                             bench.result.detail);
                says_the_same(&bench, &made);
            }
            traffic_destroy(traffic);
        }
    bench_fini(&bench);
}

Test(bench_traffic, avro_and_json_say_the_same)
{
    struct traffic_options avro = mixed(false), json = mixed(true);
    avro.unreadable = json.unreadable = 0;
    struct traffic *one = make(&avro), *two = make(&json);
    struct bench left, right;
    bench_init(&left, NULL);
    bench_init(&right, NULL);
    give_schemas(&left);
    for (uint64_t i = 0; i < 5000; i++) {
        struct traffic_event a, b;
        traffic_make(one, i, TRAFFIC_BY_PLAN, &a);
        traffic_make(two, i, TRAFFIC_BY_PLAN, &b);
        cr_assert_eq(decode(&left, &a), DECODED);
        cr_assert_eq(decode(&right, &b), DECODED);
        for (int f = 0; f < BATON_EVENT_FIELDS; f++) {
            struct baton_text x = left.event.fields[f], y = right.event.fields[f];
            cr_assert(x.size == y.size && (!x.size || memcmp(x.data, y.data, x.size) == 0));
        }
        cr_assert_eq(left.event.answer_count, right.event.answer_count);
    }
    traffic_destroy(one);
    traffic_destroy(two);
    bench_fini(&left);
    bench_fini(&right);
}

/* ---- libavro ---- */

static avro_value_iface_t *read_schema(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, BATON_SOURCE_DIR "/schemas/%s.avsc", name);
    char *text = read_whole_file(path);
    avro_schema_t schema;
    cr_assert_eq(avro_schema_from_json_length(text, strlen(text), &schema), 0);
    avro_value_iface_t *type = avro_generic_class_from_schema(schema);
    avro_schema_decref(schema);
    free(text);
    return type;
}

static void is_text(avro_value_t *record, const char *field, const char *wanted, size_t size)
{
    avro_value_t value;
    const char *text;
    size_t length; /* with its NUL */
    cr_assert_eq(avro_value_get_by_name(record, field, &value, NULL), 0);
    cr_assert_eq(avro_value_get_string(&value, &text, &length), 0);
    cr_assert(length == size + 1 && memcmp(text, wanted, size) == 0, "%s: %s", field, text);
}

Test(bench_traffic, libavro_reads_every_readable_event_to_its_last_byte)
{
    avro_value_iface_t *types[] = {NULL, read_schema("Visit"), read_schema("Click"),
                                   read_schema("FormFill"), read_schema("Profile")};
    struct traffic_options options = mixed(false);
    options.unreadable = 0;
    struct traffic *traffic = make(&options);
    for (uint64_t i = 0; i < 5000; i++) {
        struct traffic_event made;
        avro_value_t value, time;
        int64_t time_ms;
        traffic_make(traffic, i, TRAFFIC_BY_PLAN, &made);
        cr_assert(made.value[0] == 0 && made.value[4] == made.kind);
        avro_reader_t reader =
            avro_reader_memory((const char *)made.value + 5, (int64_t)made.value_size - 5);
        cr_assert_eq(avro_generic_value_new(types[made.kind], &value), 0);
        cr_assert_eq(avro_value_read(reader, &value), 0, "%s", avro_strerror());
        char behind;
        cr_assert_neq(avro_read(reader, &behind, 1), 0, "bytes behind event %lu", (unsigned long)i);
        is_text(&value, "lead_id", made.key, made.key_size);
        cr_assert_eq(avro_value_get_by_name(&value, "time", &time, NULL), 0);
        cr_assert_eq(avro_value_get_long(&time, &time_ms), 0);
        cr_assert_eq(time_ms, made.time_ms);
        avro_value_decref(&value);
        avro_reader_free(reader);
    }
    for (int kind = 1; kind < 5; kind++)
        avro_value_iface_decref(types[kind]);
    traffic_destroy(traffic);
}

/* ---- Sessions ---- */

static struct baton_text copy_field(struct bench *bench, enum baton_event_field field, char *room)
{
    struct baton_text text = bench->event.fields[field];
    if (text.size)
        memcpy(room, text.data, text.size);
    return (struct baton_text){room, text.size};
}

Test(bench_traffic, what_a_lead_does_within_minutes_has_one_session_and_one_campaign)
{
    struct traffic *traffic = make(&plain);
    struct bench bench;
    bench_init(&bench, NULL);
    give_schemas(&bench);
    char rooms[6][256];
    unsigned changes = 0, other_pages = 0;
    struct baton_text session = {0}, campaign = {0}, page = {0};
    for (uint64_t i = 0; i < 200; i++) {
        struct traffic_event made;
        /* one event a minute of one lead, for a bit more than three hours */
        traffic_make_of(traffic, i, 3, NOON + (int64_t)i * 60000, &made);
        cr_assert_eq(decode(&bench, &made), DECODED);
        struct baton_text now = copy_field(&bench, BATON_SESSION, rooms[i % 2]);
        struct baton_text its = copy_field(&bench, BATON_CAMPAIGN, rooms[2 + i % 2]);
        struct baton_text at = copy_field(&bench, BATON_PAGE, rooms[4 + i % 2]);
        bool same = i > 0 && now.size == session.size && !memcmp(now.data, session.data, now.size);
        changes += !same;
        if (same)
            cr_assert(its.size == campaign.size &&
                      (!its.size || !memcmp(its.data, campaign.data, its.size)));
        other_pages += i > 0 && (at.size != page.size || memcmp(at.data, page.data, at.size) != 0);
        session = now;
        campaign = its;
        page = at;
    }
    cr_expect(changes >= 7 && changes <= 8, "%u sessions", changes);
    cr_expect_gt(other_pages, 120);
    traffic_destroy(traffic);
    bench_fini(&bench);
}
