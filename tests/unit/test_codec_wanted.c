/* A decoder that is told which fields are looked at says the same of these as one that reads all of
 * them: of whole messages, of cut ones and of damaged ones. */
#include "codec_support.h"

enum { MESSAGES = 40000 };

enum {
    CLICK = 1,
    FORM,
    FORM_UNNAMED,
    OTHER_ORDER, /* of some null comes second */
    TOLD,        /* the message tells its kind */
    SCHEMAS = TOLD
};

/* A letter and a name for each field behind the ids and the time: o optional, l optional with null
 * last, i int, k the kind. */
static const char *const shapes[][2] = {
    [CLICK] = {"Click", "ourl opage otarget oreferrer ochannel ocampaign osession ouser_agent"},
    [FORM] = {"FormFill", "ourl opage oform ochannel"},
    [FORM_UNNAMED] = {"FormFill", "ourl opage ocountry onothing"},
    [OTHER_ORDER] = {"Visit", "lurl opage icount lchannel osession ox oy"},
    [TOLD] = {"Event", "kkind ourl opage ochannel"},
};

static const char *type_of(char letter)
{
    switch (letter) {
    case 'o': return "[\"null\",\"string\"]";
    case 'l': return "[\"string\",\"null\"]";
    case 'i': return "\"int\"";
    default: return "{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"visit\",\"form_fill\"]}";
    }
}

static const char *schema_of(int schema)
{
    static char room[2048];
    char fields[200];
    int size = snprintf(room, sizeof room,
                        "{\"type\":\"record\",\"name\":\"%s\",\"fields\":["
                        "{\"name\":\"event_id\",\"type\":\"string\"},"
                        "{\"name\":\"lead_id\",\"type\":\"string\"},{\"name\":\"time\",\"type\":"
                        "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}",
                        shapes[schema][0]);
    (void)snprintf(fields, sizeof fields, "%s", shapes[schema][1]);
    for (char *field = strtok(fields, " "); field; field = strtok(NULL, " "))
        size += snprintf(room + size, sizeof room - (size_t)size, ",{\"name\":\"%s\",\"type\":%s}",
                         field + 1, type_of(*field));
    (void)snprintf(room + size, sizeof room - (size_t)size, "]}");
    return room;
}

static uint32_t random_state = 5;
static uint32_t roll(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 8) * limit >> 24);
}

static const char *some_text(void)
{
    static char room[400];
    static const char *const texts[] = {"",
                                        "/pricing",
                                        "caf\xc3\xa9",
                                        "not \xff utf-8",
                                        "https://shop.example/cars?utm_source=ads&utm_campaign=may",
                                        "https://shop.example/%70age#part"};
    if (roll(8))
        return texts[roll(sizeof texts / sizeof *texts)];
    uint32_t size = 60 + roll(300); /* sizes of one byte and of two */
    memset(room, 'a' + (int)roll(20), size);
    room[size] = '\0';
    return room;
}

static void put_optional(struct avro_bytes *out, bool null_first)
{
    bool null = roll(3) == 0;
    put_long(out, null == null_first ? 0 : 1);
    if (!null)
        put_text(out, some_text());
}

static void put_field(struct avro_bytes *out, char letter)
{
    if (letter == 'o' || letter == 'l')
        put_optional(out, letter == 'o');
    else
        put_long(out, roll(letter == 'k' ? 2 : 1000));
}

static void put_message(struct avro_bytes *out, int schema)
{
    char fields[200];
    put_registry(out, (uint32_t)schema);
    put_text(out, "e1");
    put_text(out, "l1");
    put_long(out, NOON);
    (void)snprintf(fields, sizeof fields, "%s", shapes[schema][1]);
    for (char *field = strtok(fields, " "); field; field = strtok(NULL, " "))
        put_field(out, *field);
}

/* Cut, or with a byte changed: mostly behind the ids. */
static void damage(struct avro_bytes *out)
{
    size_t size = (size_t)(out->at - out->bytes), at = 5 + roll((uint32_t)size - 5);
    if (roll(2))
        out->at = out->bytes + at;
    else
        out->bytes[at] = (uint8_t)(roll(4) ? roll(8) : roll(256));
}

static bool same(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

static void compare(const struct bench *some, const struct bench *all, uint32_t fields)
{
    cr_assert_str_eq(bench_verdict(some), bench_verdict(all), "fields %x", fields);
    if (all->result.outcome == DECODE_DEAD)
        cr_assert_str_eq(some->result.detail, all->result.detail);
    if (all->result.outcome != DECODED)
        return;
    cr_assert_eq(some->event.kind, all->event.kind);
    cr_assert_eq(some->event.time_ms, all->event.time_ms);
    cr_assert_eq(some->event.update_count, all->event.update_count);
    for (uint32_t f = 0; f < BATON_EVENT_FIELDS; f++)
        cr_assert(!(fields >> f & 1) || same(some->event.fields[f], all->event.fields[f]),
                  "fields %x: field %u is '%.*s', not '%.*s'", fields, f,
                  (int)some->event.fields[f].size, some->event.fields[f].data,
                  (int)all->event.fields[f].size, all->event.fields[f].data);
}

Test(codec_wanted, what_is_wanted_is_the_same_whatever_else_is_not)
{
    struct bench all, some;
    int decoded = 0, dead = 0;
    bench_init(&all, NULL);
    bench_init(&some, NULL);
    for (uint32_t id = 1; id <= SCHEMAS; id++) {
        bench_schema(&all, id, schema_of((int)id));
        bench_schema(&some, id, schema_of((int)id));
    }
    for (int i = 0; i < MESSAGES; i++) {
        struct avro_bytes bytes;
        uint32_t fields = roll(3) ? roll(1u << BATON_EVENT_FIELDS) : roll(2) << BATON_FORM;
        decoder_want(some.decoder, fields);
        put_message(&bytes, 1 + (int)roll(SCHEMAS));
        if (roll(3) == 0)
            damage(&bytes);
        (void)bench_avro(&all, &bytes);
        (void)bench_avro(&some, &bytes);
        /* A form without a name has its page for one, wanted or not. */
        if (all.result.outcome == DECODED && all.event.kind == BATON_FORM_FILL &&
            !all.event.fields[BATON_FORM].size && fields >> BATON_FORM & 1)
            fields |= 1u << BATON_PAGE;
        compare(&some, &all, fields);
        decoded += all.result.outcome == DECODED;
        dead += all.result.outcome == DECODE_DEAD;
        arena_reset(&all.arena);
        arena_reset(&some.arena);
    }
    cr_assert_gt(decoded, MESSAGES / 2);
    cr_assert_gt(dead, MESSAGES / 10);
    bench_fini(&all);
    bench_fini(&some);
}

/* A schema that comes after the fields were named obeys them as well, and so does one of before
 * when they are named anew. */
Test(codec_wanted, it_may_be_said_at_any_time)
{
    struct bench bench;
    struct avro_bytes bytes;
    bench_init(&bench, NULL);
    put_registry(&bytes, CLICK);
    put_text(&bytes, "e1");
    put_text(&bytes, "l1");
    put_long(&bytes, NOON);
    for (int i = 0; i < 8; i++) {
        put_long(&bytes, 1);
        put_text(&bytes, "text");
    }
    decoder_want(bench.decoder, 0);
    bench_schema(&bench, CLICK, schema_of(CLICK));
    cr_assert_eq(bench_avro(&bench, &bytes), DECODED);
    cr_expect_eq(bench.event.fields[BATON_URL].size, 0, "nobody looks at it");
    cr_expect_eq(bench.event.fields[BATON_SESSION].size, 0);
    decoder_want(bench.decoder, 1u << BATON_SESSION);
    cr_assert_eq(bench_avro(&bench, &bytes), DECODED);
    cr_text(bench.event.fields[BATON_SESSION], "text");
    cr_expect_eq(bench.event.fields[BATON_URL].size, 0);
    decoder_want(bench.decoder, 1u << BATON_URL);
    cr_assert_eq(bench_avro(&bench, &bytes), DECODED);
    cr_text(bench.event.fields[BATON_URL], "text");
    bench_fini(&bench);
}
