#include "traffic/traffic.h"

#include "base/bytes.h"
#include "traffic/alias.h"
#include "traffic/blocks.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define LEAD_SALT UINT64_C(0xd1b54a32d192ed03)
#define SESSION_SALT UINT64_C(0x8cb92ba72f3d8dd7)
#define LEAD_FACTOR UINT32_C(2654435761)        /* odd, so that each lead has an id of its own */
#define LEAD_FACTOR_INVERSE UINT32_C(244002641) /* modulo 2^32 */

#define REPEAT_REACH 7 /* with the event itself eight: as many ids as a lead remembers */
#define SESSION_MS (30 * 60 * 1000)
#define LATE_LEAST_MS 60000
#define LATE_BY_MS INT64_C(172800000)
#define EVENTS_PER_SECOND 10000.0
#define EVENT_BYTES_MAX 65536
#define LEADS_MAX 500000000
#define PADDING_POOL 65536 /* padding is a piece of it */
#define VALUE_ROOM 2048    /* of an event without padding */
#define SAMPLE 1024        /* events that are made to see how large they come out */
#define GARBAGE_MAX 9      /* bytes behind the end of an unreadable event */

struct tables {
    struct traffic_options options;
    uint64_t key;                                          /* of all draws */
    struct alias_entry *popularity;                        /* NULL: uniform */
    uint64_t unreadable_below, repeated_below, late_below; /* of 32 random bits */
    uint64_t profiles_below;
    struct blocks blocks;
    uint8_t *padding;
};

struct traffic {
    struct tables *tables;
    bool owns_tables;
    uint8_t *value;
    char key[TRAFFIC_LEAD_ID_SIZE];
};

/* ---- Random numbers: functions of the seed and the sequence ---- */

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* From 0 to count - 1 by 16 bits. */
static inline uint32_t pick(uint64_t random, uint32_t count)
{
    return (uint32_t)((random & 0xffff) * count >> 16);
}

static inline uint64_t draw(const struct tables *tables, uint64_t sequence)
{
    return mix(tables->key + sequence * GOLDEN);
}

static inline enum traffic_fate fate_of(const struct tables *tables, uint64_t random)
{
    uint32_t at = (uint32_t)mix(random ^ LEAD_SALT);
    if (at >= tables->late_below)
        return TRAFFIC_PLAIN;
    if (at < tables->unreadable_below)
        return TRAFFIC_UNREADABLE;
    return at < tables->repeated_below ? TRAFFIC_REPEATED : TRAFFIC_LATE;
}

/* The event that a repeat repeats; the event itself when none before it will do. */
static uint64_t find_original(const struct tables *tables, uint64_t sequence, uint64_t random)
{
    for (uint64_t back = 1 + (random >> 62); back <= REPEAT_REACH && back <= sequence; back++) {
        enum traffic_fate fate = fate_of(tables, draw(tables, sequence - back));
        if (fate == TRAFFIC_PLAIN || fate == TRAFFIC_LATE)
            return sequence - back;
    }
    return sequence;
}

struct turn {
    uint64_t sequence; /* of the original, if it is a repeat */
    uint64_t random;
    enum traffic_fate fate, content_fate; /* of the message; of what it says */
};

static inline struct turn find_turn(const struct tables *tables, uint64_t sequence)
{
    struct turn turn = {.sequence = sequence, .random = draw(tables, sequence)};
    turn.fate = turn.content_fate = fate_of(tables, turn.random);
    if (turn.fate != TRAFFIC_REPEATED)
        return turn;
    turn.sequence = find_original(tables, sequence, turn.random);
    turn.random = draw(tables, turn.sequence);
    turn.content_fate = fate_of(tables, turn.random);
    if (turn.sequence == sequence) /* nothing to repeat */
        turn.fate = turn.content_fate = TRAFFIC_PLAIN;
    return turn;
}

static inline uint32_t lead_of(const struct tables *tables, uint64_t random)
{
    uint32_t leads = tables->options.leads;
    if (tables->popularity)
        return alias_choose(tables->popularity, leads, random);
    return (uint32_t)(((random >> 32) * leads) >> 32);
}

uint32_t traffic_lead(const struct traffic *traffic, uint64_t sequence)
{
    const struct tables *tables = traffic->tables;
    return lead_of(tables, find_turn(tables, sequence).random);
}

int64_t traffic_time(const struct traffic *traffic, uint64_t sequence)
{
    const struct traffic_options *options = &traffic->tables->options;
    return options->start_ms + (int64_t)((double)sequence * 1000 / options->events_per_second);
}

/* ---- Ids ---- */

static const char hex_digits[] = "0123456789abcdef";

/* Eight digits at once: nibbles are spread to bytes, then become digits. */
static inline void put_hex8(char *room, uint32_t number)
{
    uint64_t x = number;
    x = (x << 16 | x) & UINT64_C(0x0000ffff0000ffff);
    x = (x << 8 | x) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x << 4 | x) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = ((x + UINT64_C(0x0606060606060606)) >> 4) & UINT64_C(0x0101010101010101);
    x += UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
    x = __builtin_bswap64(x);
    memcpy(room, &x, sizeof x);
}

static bool read_hex(const char *text, size_t digits, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        const char *digit = text[i] ? strchr(hex_digits, text[i]) : NULL;
        if (!digit)
            return false;
        *number = *number << 4 | (uint64_t)(digit - hex_digits);
    }
    return true;
}

void traffic_lead_id(uint32_t lead, char *room)
{
    static const char prefix[5] = {'l', 'e', 'a', 'd', '-'};
    memcpy(room, prefix, sizeof prefix);
    put_hex8(room + sizeof prefix, lead * LEAD_FACTOR);
}

bool traffic_lead_of(const char *id, size_t size, uint32_t *lead)
{
    uint64_t number;
    if (size != TRAFFIC_LEAD_ID_SIZE || memcmp(id, "lead-", 5) != 0 ||
        !read_hex(id + 5, 8, &number))
        return false;
    *lead = (uint32_t)number * LEAD_FACTOR_INVERSE;
    return true;
}

static inline void put_id(char *room, uint64_t seed, uint64_t sequence)
{
    put_hex8(room, (uint32_t)seed);
    room[8] = '-';
    put_hex8(room + 9, (uint32_t)(sequence >> 32));
    put_hex8(room + 17, (uint32_t)sequence);
}

bool traffic_sequence_of(const char *id, size_t size, uint64_t *sequence)
{
    uint64_t seed;
    return size == TRAFFIC_ID_SIZE && id[8] == '-' && read_hex(id, 8, &seed) &&
           read_hex(id + 9, 16, sequence);
}

/* ---- Events ---- */

/* What a lead does within half an hour, and what of it does not change. */
struct visitor {
    uint64_t lead_hash, session_hash;
};

static inline struct visitor visitor_of(const struct tables *tables, uint32_t lead, int64_t time_ms)
{
    struct visitor visitor = {.lead_hash = mix(tables->key ^ (lead + 1) * LEAD_SALT)};
    /* Not all sessions begin at the same moment. */
    uint64_t slot = ((uint64_t)time_ms + (visitor.lead_hash & 0xfffff)) / SESSION_MS;
    visitor.session_hash = mix(visitor.lead_hash + slot * SESSION_SALT);
    return visitor;
}

static inline uint8_t *put_padded(uint8_t *at, const struct padded_block *block,
                                  const uint8_t *padding, uint32_t size)
{
    at = block_put(at, &block->before);
    if (size)
        at = bytes_put(at, padding, size);
    return block_put(at, &block->after);
}

static inline uint8_t *put_decimal(uint8_t *at, uint64_t number)
{
    char digits[20];
    int first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while (number /= 10);
    return bytes_put(at, digits + first, sizeof digits - (size_t)first);
}

/* Framing, ids and time. */
static inline uint8_t *put_start(const struct tables *tables, uint8_t *at, enum traffic_kind kind,
                                 uint64_t sequence, const char *lead_id, int64_t time_ms)
{
    const struct blocks *blocks = &tables->blocks;
    at = block_put(at, &blocks->heads[kind]);
    put_id((char *)at, tables->options.seed, sequence);
    at = block_put(at + TRAFFIC_ID_SIZE, &blocks->lead);
    at = bytes_put(at, lead_id, TRAFFIC_LEAD_ID_SIZE);
    at = block_put(at, &blocks->time);
    return blocks->json ? put_decimal(at, (uint64_t)time_ms) : bytes_put_zigzag(at, time_ms);
}

/* Three of five pages are of what interests the lead in this session. */
static inline uint32_t choose_page(const struct visitor *visitor, uint64_t random)
{
    if ((random & 0xff) >= 154)
        return pick(random >> 8, SITE_PAGES);
    uint32_t interest = (uint32_t)(visitor->session_hash & (SITE_INTERESTS - 1));
    return interest * SITE_PAGES_EACH + pick(random >> 8, SITE_PAGES_EACH);
}

/* Everything of a visit, click or form fill behind the time. */
static inline uint8_t *put_deed(const struct tables *tables, uint8_t *at, enum traffic_kind kind,
                                const struct visitor *visitor, uint64_t random)
{
    const struct blocks *blocks = &tables->blocks;
    const struct event_shape *shape = &blocks->shape;
    if (kind == TRAFFIC_FORM_FILL)
        at = block_put(at, &blocks->forms[random >> 62][random >> 59 & (FORM_VARIANTS - 1)]);
    at = put_padded(at, &blocks->pages[choose_page(visitor, random)],
                    tables->padding + (random >> 24 & 0xffff), shape->url_padding);
    if (kind == TRAFFIC_CLICK)
        at = block_put(at, &blocks->targets[random >> 61]);
    at = put_padded(at, &blocks->sources[pick(visitor->session_hash >> 8, SITE_SOURCES)],
                    tables->padding + (random >> 40 & 0xffff), shape->referrer_padding);
    at = block_put(at, &blocks->session);
    if (!shape->no_session) {
        put_hex8((char *)at, (uint32_t)(visitor->session_hash >> 32));
        put_hex8((char *)at + 8, (uint32_t)visitor->session_hash);
        at += 16;
    }
    return block_put(at, &blocks->agents[pick(visitor->lead_hash >> 20, SITE_AGENTS)]);
}

/* Everything of a profile behind the time; the same for a lead each time. */
static uint8_t *put_profile(const struct tables *tables, uint8_t *at, const struct visitor *visitor,
                            const char *lead_id)
{
    uint64_t hash = mix(visitor->lead_hash);
    const char *first = site_first_names[hash & 15], *last = site_last_names[hash >> 4 & 15];
    const char *company = site_companies[hash >> 8 & 15];
    char name[64], email[96];
    (void)snprintf(name, sizeof name, "%s %s", first, last);
    (void)snprintf(email, sizeof email, "%s.%s.%.8s@%c%02u.example", first, last, lead_id + 5,
                   company[0] | 0x20, (unsigned)(hash >> 8 & 15));
    struct pen pen = {tables->blocks.json, at};
    pen_text(&pen, "name", name);
    pen_text(&pen, "email", email);
    pen_text(&pen, "phone", NULL);
    pen_text(&pen, "company", company);
    pen_text(&pen, "job_title", site_job_titles[hash >> 12 & 15]);
    pen_number(&pen, "age", 20 + (int64_t)(hash >> 16 & 31));
    pen_number(&pen, "employees", INT64_C(1) << (hash >> 24 & 15));
    pen_text(&pen, "sector", site_sectors[hash >> 32 & 15]);
    pen_text(&pen, "segment", NULL);
    pen_text(&pen, "country", site_countries[hash >> 36 & 15]);
    pen_boolean(&pen, "consent", (hash >> 40 & 7) != 0);
    pen_null(&pen); /* properties */
    if (pen.json)
        *pen.at++ = '}';
    return pen.at;
}

/* Cut off, with bytes too many, or of no framing. Returns the new size. */
static size_t damage(uint8_t *value, size_t size, uint64_t random)
{
    switch (random % 3) {
    case 0: return 6 + (size_t)(random >> 8) % (size - 6);
    case 1: memset(value + size, 0x55, GARBAGE_MAX); return size + 1 + (random >> 8) % GARBAGE_MAX;
    default: value[0] = 0xff; return size;
    }
}

static inline enum traffic_kind kind_of(const struct tables *tables, uint64_t random)
{
    if ((uint32_t)random < tables->profiles_below)
        return TRAFFIC_PROFILE;
    uint32_t dice = (uint32_t)((random >> 32) * 100 >> 32);
    return dice < 70 ? TRAFFIC_VISIT : dice < 97 ? TRAFFIC_CLICK : TRAFFIC_FORM_FILL;
}

/* Everything but the fate. `random` is the draw of the event's sequence. */
static inline void make(struct traffic *traffic, uint64_t sequence, uint64_t random, uint32_t lead,
                        int64_t time_ms, struct traffic_event *event)
{
    const struct tables *tables = traffic->tables;
    uint64_t kind_draw = mix(random + GOLDEN), content_draw = mix(kind_draw + GOLDEN);
    *event = (struct traffic_event){
        .key = traffic->key,
        .key_size = TRAFFIC_LEAD_ID_SIZE,
        .value = traffic->value,
        .lead = lead,
        .kind = kind_of(tables, kind_draw),
        .time_ms = time_ms,
        .sequence = sequence,
    };
    traffic_lead_id(lead, traffic->key);
    struct visitor visitor = visitor_of(tables, lead, time_ms);
    uint8_t *at = put_start(tables, traffic->value, event->kind, sequence, traffic->key, time_ms);
    at = event->kind == TRAFFIC_PROFILE ? put_profile(tables, at, &visitor, traffic->key)
                                        : put_deed(tables, at, event->kind, &visitor, content_draw);
    event->value_size = (size_t)(at - traffic->value);
}

static inline uint64_t fate_draw(uint64_t random)
{
    return mix(mix(random + GOLDEN) + GOLDEN);
}

void traffic_make(struct traffic *traffic, uint64_t sequence, int64_t time_ms,
                  struct traffic_event *event)
{
    const struct tables *tables = traffic->tables;
    struct turn turn = find_turn(tables, sequence);
    if (time_ms == TRAFFIC_BY_PLAN)
        time_ms = traffic_time(traffic, turn.sequence);
    if (turn.content_fate == TRAFFIC_LATE)
        time_ms -= LATE_LEAST_MS +
                   (int64_t)(fate_draw(turn.random) % (uint64_t)tables->options.late_by_ms);
    make(traffic, turn.sequence, turn.random, lead_of(tables, turn.random), time_ms, event);
    event->fate = turn.fate;
    if (turn.fate == TRAFFIC_UNREADABLE)
        event->value_size = damage(traffic->value, event->value_size, fate_draw(turn.random));
}

void traffic_make_of(struct traffic *traffic, uint64_t sequence, uint32_t lead, int64_t time_ms,
                     struct traffic_event *event)
{
    make(traffic, sequence, draw(traffic->tables, sequence), lead, time_ms, event);
}

/* ---- How large events come out ---- */

static double average_size(struct traffic *traffic)
{
    struct traffic_event event;
    double sum = 0;
    for (uint64_t i = 0; i < SAMPLE; i++) {
        traffic_make(traffic, i, TRAFFIC_BY_PLAN, &event);
        sum += (double)event.value_size;
    }
    return sum / SAMPLE;
}

static void use_shape(struct traffic *traffic, const struct event_shape *shape)
{
    struct tables *tables = traffic->tables;
    blocks_init(&tables->blocks, tables->options.json, shape, tables->options.profiles > 0);
}

/* Leaves fields out, the least needed first, until events are small enough. */
static double shrink(struct traffic *traffic, struct event_shape *shape, double wanted)
{
    bool *const fields[] = {&shape->no_agent, &shape->no_referrer, &shape->no_url,
                            &shape->no_session};
    double size = average_size(traffic);
    for (size_t i = 0; i < sizeof fields / sizeof *fields && size > wanted * 1.05; i++) {
        *fields[i] = true;
        use_shape(traffic, shape);
        size = average_size(traffic);
    }
    return size;
}

static enum status find_shape(struct traffic *traffic, struct error *error)
{
    const struct traffic_options *options = &traffic->tables->options;
    struct event_shape shape = {0};
    use_shape(traffic, &shape);
    double wanted = options->event_bytes;
    if (!options->event_bytes)
        return STATUS_OK;
    double size = shrink(traffic, &shape, wanted);
    if (size > wanted * 1.05)
        return error_set(error, STATUS_STOP,
                         "events of %.0f bytes cannot be made: %.0f is the least", wanted,
                         ceil(size / 1.05));
    /* Padding stands in the addresses of the page and of the page before; what says less than one
     * of them may not be worth it. */
    if (size < wanted * 0.95 && !shape.no_url) {
        uint32_t missing = (uint32_t)(wanted - size);
        shape.url_padding = shape.no_referrer ? missing : (missing + 1) / 2;
        shape.referrer_padding = missing - shape.url_padding;
        use_shape(traffic, &shape);
    }
    return STATUS_OK;
}

/* ---- Life ---- */

static bool is_share(double share)
{
    return share >= 0 && share <= 1;
}

static enum status check(const struct traffic_options *options, struct error *error)
{
    double sum = options->late + options->repeated + options->unreadable;
    if (options->leads < 1 || options->leads > LEADS_MAX)
        return error_set(error, STATUS_STOP, "the number of leads is from 1 to %d", LEADS_MAX);
    if (!(options->zipf >= 0 && options->zipf <= 10))
        return error_set(error, STATUS_STOP, "the Zipf exponent is from 0 (uniform) to 10");
    if (options->event_bytes > EVENT_BYTES_MAX)
        return error_set(error, STATUS_STOP, "an event has at most %d bytes", EVENT_BYTES_MAX);
    if (!is_share(options->late) || !is_share(options->repeated) ||
        !is_share(options->unreadable) || !is_share(options->profiles))
        return error_set(error, STATUS_STOP, "a share is from 0 to 1");
    if (sum > 1)
        return error_set(error, STATUS_STOP,
                         "late, repeated and unreadable messages are %g of all, more than 1", sum);
    if (!(options->events_per_second >= 0) || options->late_by_ms < 0)
        return error_set(error, STATUS_STOP, "a rate or a time is negative");
    return STATUS_OK;
}

static uint64_t below(double share)
{
    return (uint64_t)(share * 4294967296.0 + 0.5);
}

static uint8_t *make_padding(uint64_t key)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t size = PADDING_POOL + EVENT_BYTES_MAX;
    uint8_t *padding = malloc(size);
    for (size_t i = 0; padding && i < size; i++)
        padding[i] = (uint8_t)letters[mix(key + i) & 63];
    return padding;
}

static struct traffic *new_traffic(struct tables *tables, bool owns_tables)
{
    struct traffic *traffic = malloc(sizeof *traffic);
    uint8_t *value = malloc(VALUE_ROOM + EVENT_BYTES_MAX);
    if (!traffic || !value) {
        free(traffic);
        free(value);
        return NULL;
    }
    *traffic = (struct traffic){.tables = tables, .owns_tables = owns_tables, .value = value};
    return traffic;
}

static void free_tables(struct tables *tables)
{
    if (!tables)
        return;
    free(tables->popularity);
    free(tables->padding);
    free(tables);
}

static struct tables *new_tables(const struct traffic_options *options)
{
    struct tables *tables = calloc(1, sizeof *tables);
    if (!tables)
        return NULL;
    tables->options = *options;
    if (!options->late_by_ms)
        tables->options.late_by_ms = LATE_BY_MS;
    if (options->events_per_second <= 0)
        tables->options.events_per_second = EVENTS_PER_SECOND;
    tables->key = mix(options->seed + GOLDEN);
    tables->unreadable_below = below(options->unreadable);
    tables->repeated_below = below(options->unreadable + options->repeated);
    tables->late_below = below(options->unreadable + options->repeated + options->late);
    tables->profiles_below = below(options->profiles);
    tables->padding = make_padding(tables->key);
    if (options->zipf > 0)
        tables->popularity = alias_zipf(options->leads, options->zipf);
    if (tables->padding && (tables->popularity || options->zipf <= 0))
        return tables;
    free_tables(tables);
    return NULL;
}

struct traffic *traffic_create(const struct traffic_options *options, struct error *error)
{
    if (check(options, error) != STATUS_OK)
        return NULL;
    struct tables *tables = new_tables(options);
    struct traffic *traffic = tables ? new_traffic(tables, true) : NULL;
    if (!traffic) {
        (void)error_set(error, STATUS_STOP, "no memory for %u leads", options->leads);
        free_tables(tables);
        return NULL;
    }
    if (find_shape(traffic, error) != STATUS_OK) {
        traffic_destroy(traffic);
        return NULL;
    }
    return traffic;
}

struct traffic *traffic_share(const struct traffic *traffic)
{
    return new_traffic(traffic->tables, false);
}

void traffic_destroy(struct traffic *traffic)
{
    if (!traffic)
        return;
    if (traffic->owns_tables)
        free_tables(traffic->tables);
    free(traffic->value);
    free(traffic);
}
