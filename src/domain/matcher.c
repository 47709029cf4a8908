/* Most of what a rule asks is asked of one text of the event, and most texts have come before: of
 * each kind and field the answers of all rules to a text are kept under that text, as one bit per
 * rule. An event matches a rule if the answers of all its fields say so. What looks at several
 * fields at once, or at a form's answers, is tested at the event itself. */
#include "domain/matcher.h"

#include "domain/memory.h"
#include "domain/words.h"

#include <assert.h>
#include <string.h>

#define VALUES                                                                                     \
    512 /* texts kept of a field; a newer one takes the place of one of the same hash              \
         */
#define VALUE_BYTES 112
#define NO_VALUE UINT32_MAX
#define OTHER_FIELDS (UINT32_C(1) << 31)

struct known_value {
    uint64_t hash;
    uint32_t size; /* NO_VALUE: free */
    char bytes[VALUE_BYTES];
};

struct field_test {
    uint32_t rule; /* place among those of the kind */
    const struct baton_condition *condition;
};

struct field_memory {
    uint8_t field;
    struct field_test *tests;
    uint32_t test_count;
    struct known_value *values; /* VALUES … */
    uint64_t *answers; /* … of `words` each, and one row more for texts that are too long */
};

struct kind_memory {
    uint32_t rules, words;
    struct field_memory *fields;
    uint32_t field_count;
    uint64_t all[MATCHER_WORDS];   /* a bit for each rule */
    uint64_t mixed[MATCHER_WORDS]; /* rules that are tested at the event */
};

/* Rules that were hit together, as a touch tells them. */
#define SETS 256
#define SET_RULES 12 /* more are joined anew each time */
struct known_set {
    uint16_t rules[SET_RULES];
    uint16_t count; /* 0: free */
    uint8_t size;
    uint64_t hash;
    char joined[BATON_WORD_MAX];
};

struct baton_matcher {
    struct baton_allocator allocator;
    const struct baton_agreement *agreement;
    struct kind_memory kinds[BATON_EVENT_KINDS];
    struct known_set sets[SETS];
};

static void set_bit(uint64_t *bits, uint32_t at)
{
    bits[at / 64] |= UINT64_C(1) << (at % 64);
}

static void clear_bit(uint64_t *bits, uint32_t at)
{
    bits[at / 64] &= ~(UINT64_C(1) << (at % 64));
}

/* ---- Taking the rules apart ------------------------------------------------------------------ */

static uint32_t fields_of(const struct baton_condition *condition)
{
    uint32_t fields = 0;
    if (condition->match < BATON_MATCH_ALL)
        fields =
            condition->field < BATON_EVENT_FIELDS ? UINT32_C(1) << condition->field : OTHER_FIELDS;
    for (uint32_t i = 0; i < condition->child_count; i++)
        fields |= fields_of(&condition->children[i]);
    return fields;
}

static bool is_of_one(uint32_t fields)
{
    return fields && !(fields & (fields - 1)) && fields != OTHER_FIELDS;
}

/* What must hold together for the rule to match. */
static uint32_t parts_of(const struct baton_condition *where, const struct baton_condition **parts)
{
    bool together = where->match == BATON_MATCH_ALL && !where->negate;
    *parts = together ? where->children : where;
    return together ? where->child_count : 1;
}

static const struct baton_condition *where_of(const struct baton_matcher *matcher, unsigned kind,
                                              uint32_t rule)
{
    const struct baton_agreement *agreement = matcher->agreement;
    return &agreement->behaviour[agreement->by_kind[agreement->kind_start[kind] + rule]].where;
}

/* Counts the tests of a field, and notes them where there is room. */
static uint32_t take_tests(const struct baton_matcher *matcher, unsigned kind, uint32_t field,
                           struct field_test *tests)
{
    uint32_t count = 0;
    for (uint32_t rule = 0; rule < matcher->kinds[kind].rules; rule++) {
        const struct baton_condition *parts;
        uint32_t part_count = parts_of(where_of(matcher, kind, rule), &parts);
        for (uint32_t i = 0; i < part_count; i++) {
            if (fields_of(&parts[i]) != UINT32_C(1) << field)
                continue;
            if (tests)
                tests[count] = (struct field_test){rule, &parts[i]};
            count++;
        }
    }
    return count;
}

static uint32_t note_rules(const struct baton_matcher *matcher, unsigned kind,
                           struct kind_memory *memory)
{
    uint32_t fields = 0;
    for (uint32_t rule = 0; rule < memory->rules; rule++) {
        const struct baton_condition *parts;
        uint32_t part_count = parts_of(where_of(matcher, kind, rule), &parts);
        set_bit(memory->all, rule);
        for (uint32_t i = 0; i < part_count; i++) {
            uint32_t of = fields_of(&parts[i]);
            if (is_of_one(of))
                fields |= of;
            else
                set_bit(memory->mixed, rule);
        }
    }
    return fields;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t answers_bytes(const struct kind_memory *memory)
{
    return (VALUES + 1) * memory->words * sizeof(uint64_t);
}

static bool open_field(struct baton_matcher *matcher, unsigned kind, uint32_t field)
{
    struct kind_memory *memory = &matcher->kinds[kind];
    struct field_memory *opened = &memory->fields[memory->field_count++];
    *opened = (struct field_memory){.field = (uint8_t)field,
                                    .test_count = take_tests(matcher, kind, field, NULL)};
    opened->tests = memory_new(&matcher->allocator, opened->test_count * sizeof *opened->tests);
    opened->values = memory_new(&matcher->allocator, VALUES * sizeof *opened->values);
    opened->answers = memory_new(&matcher->allocator, answers_bytes(memory));
    if (!opened->tests || !opened->values || !opened->answers)
        return false;
    (void)take_tests(matcher, kind, field, opened->tests);
    for (uint32_t i = 0; i < VALUES; i++)
        opened->values[i] = (struct known_value){.size = NO_VALUE};
    return true;
}

/* False if there is no memory. */
static bool open_kind(struct baton_matcher *matcher, unsigned kind)
{
    struct kind_memory *memory = &matcher->kinds[kind];
    memory->rules = matcher->agreement->kind_start[kind + 1] - matcher->agreement->kind_start[kind];
    memory->words = (memory->rules + 63) / 64;
    uint32_t fields = note_rules(matcher, kind, memory);
    if (!fields)
        return true;
    memory->fields = memory_new(&matcher->allocator, BATON_EVENT_FIELDS * sizeof *memory->fields);
    if (!memory->fields)
        return false;
    for (uint32_t field = 0; field < BATON_EVENT_FIELDS; field++)
        if (fields & UINT32_C(1) << field && !open_field(matcher, kind, field))
            return false;
    return true;
}

struct baton_matcher *baton_matcher_create(const struct baton_agreement *agreement,
                                           struct baton_allocator allocator)
{
    struct baton_matcher *matcher = memory_new(&allocator, sizeof *matcher);
    if (!matcher)
        return NULL;
    memset(matcher, 0, sizeof *matcher);
    matcher->allocator = allocator;
    matcher->agreement = agreement;
    for (unsigned kind = 0; kind < BATON_EVENT_KINDS; kind++)
        if (!open_kind(matcher, kind)) {
            baton_matcher_destroy(matcher);
            return NULL;
        }
    return matcher;
}

static void close_kind(struct baton_matcher *matcher, struct kind_memory *memory)
{
    struct baton_allocator *allocator = &matcher->allocator;
    for (uint32_t i = 0; i < memory->field_count; i++) {
        struct field_memory *field = &memory->fields[i];
        memory_free(allocator, field->tests, field->test_count * sizeof *field->tests);
        memory_free(allocator, field->values, VALUES * sizeof *field->values);
        memory_free(allocator, field->answers, answers_bytes(memory));
    }
    memory_free(allocator, memory->fields, BATON_EVENT_FIELDS * sizeof *memory->fields);
}

void baton_matcher_destroy(struct baton_matcher *matcher)
{
    if (!matcher)
        return;
    for (unsigned kind = 0; kind < BATON_EVENT_KINDS; kind++)
        close_kind(matcher, &matcher->kinds[kind]);
    struct baton_allocator allocator = matcher->allocator;
    memory_free(&allocator, matcher, sizeof *matcher);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static void ask(const struct kind_memory *kind, const struct field_memory *memory,
                const struct baton_event *event, uint64_t *answers)
{
    memcpy(answers, kind->all, kind->words * sizeof *answers);
    for (uint32_t i = 0; i < memory->test_count; i++)
        if (!baton_event_matches(memory->tests[i].condition, event))
            clear_bit(answers, memory->tests[i].rule);
}

static bool is_value(const struct known_value *value, uint64_t hash, struct baton_text text)
{
    return value->hash == hash && value->size == text.size &&
           (!text.size || memcmp(value->bytes, text.data, text.size) == 0);
}

static const uint64_t *answers_of(const struct kind_memory *kind, struct field_memory *memory,
                                  const struct baton_event *event, struct matched *matched)
{
    struct baton_text text = event->fields[memory->field];
    if (text.size > VALUE_BYTES) {
        uint64_t *answers = memory->answers + (size_t)VALUES * kind->words;
        ask(kind, memory, event, answers);
        return answers;
    }
    uint64_t hash = words_hash(text);
    matched->hashed |= UINT32_C(1) << memory->field;
    matched->hashes[memory->field] = hash;
    size_t place = hash % VALUES;
    struct known_value *value = &memory->values[place];
    uint64_t *answers = memory->answers + place * kind->words;
    if (is_value(value, hash, text))
        return answers;
    ask(kind, memory, event, answers);
    value->hash = hash;
    value->size = text.size;
    if (text.size)
        memcpy(value->bytes, text.data, text.size);
    return answers;
}

static void test_mixed(const struct baton_matcher *matcher, const struct baton_event *event,
                       uint64_t *bits)
{
    const struct kind_memory *kind = &matcher->kinds[event->kind];
    for (uint32_t word = 0; word < kind->words; word++)
        for (uint64_t left = bits[word] & kind->mixed[word]; left; left &= left - 1) {
            uint32_t rule = word * 64 + (uint32_t)__builtin_ctzll(left);
            if (!baton_event_matches(where_of(matcher, event->kind, rule), event))
                clear_bit(bits, rule);
        }
}

static void find_known(struct baton_matcher *matcher, const struct baton_event *event,
                       struct matched *matched)
{
    const struct kind_memory *kind = &matcher->kinds[event->kind];
    for (uint32_t word = 0; word < kind->words; word++)
        matched->bits[word] = kind->all[word];
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const uint64_t *answers = answers_of(kind, &kind->fields[i], event, matched);
        for (uint32_t word = 0; word < kind->words; word++)
            matched->bits[word] &= answers[word];
    }
    test_mixed(matcher, event, matched->bits);
}

static void find_anew(const struct baton_agreement *agreement, const struct baton_event *event,
                      uint64_t *bits)
{
    uint32_t first = agreement->kind_start[event->kind];
    uint32_t count = agreement->kind_start[event->kind + 1] - first;
    memset(bits, 0, (count + 63) / 64 * sizeof *bits);
    for (uint32_t i = 0; i < count; i++)
        if (baton_event_matches(&agreement->behaviour[agreement->by_kind[first + i]].where, event))
            set_bit(bits, i);
}

void matcher_find(const struct baton_fold_context *context, const struct baton_event *event,
                  struct matched *matched)
{
    matched->hashed = 0;
    if (context->matcher) {
        assert(context->matcher->agreement == context->agreement);
        find_known(context->matcher, event, matched);
    } else {
        find_anew(context->agreement, event, matched->bits);
    }
}

/* ---- Rules that were hit together ------------------------------------------------------------ */

static uint32_t join(const struct baton_agreement *agreement, const struct touch_rules *rules,
                     char joined[BATON_WORD_MAX])
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        struct baton_text id = agreement->behaviour[rules->rules[i]].id;
        uint32_t comma = size > 0;
        if (size + comma + id.size > BATON_WORD_MAX)
            break;
        if (comma)
            joined[size++] = ',';
        if (id.size)
            memcpy(joined + size, id.data, id.size);
        size += id.size;
    }
    return size;
}

static struct known_set *find_set(struct baton_matcher *matcher, const struct touch_rules *rules)
{
    uint32_t place = rules->count;
    for (uint32_t i = 0; i < rules->count; i++)
        place = place * 31 + rules->rules[i];
    struct known_set *set = &matcher->sets[place % SETS];
    size_t bytes = rules->count * sizeof *set->rules;
    if (set->count == rules->count && memcmp(set->rules, rules->rules, bytes) == 0)
        return set;
    memcpy(set->rules, rules->rules, bytes);
    set->count = (uint16_t)rules->count;
    set->size = (uint8_t)join(matcher->agreement, rules, set->joined);
    set->hash = words_hash((struct baton_text){set->joined, set->size});
    return set;
}

uint32_t matcher_rules_word(const struct baton_fold_context *context,
                            const struct touch_rules *rules)
{
    if (context->matcher && rules->count <= SET_RULES) {
        const struct known_set *set = find_set(context->matcher, rules);
        return words_id_hashed(context->words, (struct baton_text){set->joined, set->size},
                               set->hash, BATON_WORD_RULES);
    }
    char joined[BATON_WORD_MAX];
    uint32_t size = join(context->agreement, rules, joined);
    return baton_words_id(context->words, (struct baton_text){joined, size}, BATON_WORD_RULES);
}
