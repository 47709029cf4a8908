#include "domain/lead_portable.h"

#include "base/bytes.h"

#include <string.h>

#define PORTABLE_VERSION 1u
/* Of the touches four each, the channels, what sales said, forms, earlier generations. */
#define PORTABLE_WORDS_MAX (4 * BATON_TOUCHES_MAX + 2 + 4 + BATON_FORMS_MAX + BATON_EARLIER_MAX)

typedef void (*word_visit)(void *context, uint32_t *word, enum baton_word_class word_class);

static void each_word_of_history(struct baton_history *history, word_visit visit, void *context)
{
    struct baton_sales *sales = &history->sales;
    uint32_t *of_sales[] = {&sales->seller, &sales->reason, &sales->obstacle, &sales->currency};
    for (size_t i = 0; i < sizeof of_sales / sizeof *of_sales; i++)
        visit(context, of_sales[i], BATON_WORD_TEXT);
    for (uint8_t i = 0; i < history->form_count; i++)
        visit(context, &history->forms[i].form, BATON_WORD_TEXT);
    for (uint8_t i = 0; i < history->earlier_count; i++)
        visit(context, &history->earlier[i].reason, BATON_WORD_TEXT);
}

static void each_word(struct baton_lead *lead, word_visit visit, void *context)
{
    visit(context, &lead->first_channel, BATON_WORD_TEXT);
    visit(context, &lead->last_channel, BATON_WORD_TEXT);
    for (uint16_t i = 0; i < lead->touch_count; i++) {
        visit(context, &lead->touches[i].page, BATON_WORD_TEXT);
        visit(context, &lead->touches[i].campaign, BATON_WORD_TEXT);
        visit(context, &lead->touches[i].channel, BATON_WORD_TEXT);
        visit(context, &lead->touches[i].rules, BATON_WORD_RULES);
    }
    if (lead->history)
        each_word_of_history(lead->history, visit, context);
}

/* ---- writing --------------------------------------------------------------------------------- */

struct word_set {
    uint32_t ids[PORTABLE_WORDS_MAX];
    uint32_t count;
};

static void collect(void *context, uint32_t *word, enum baton_word_class word_class)
{
    struct word_set *set = context;
    (void)word_class;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->ids[i] == *word)
            return;
    if (*word > BATON_WORD_OTHER)
        set->ids[set->count++] = *word;
}

static void collect_words(const struct baton_lead *lead, struct word_set *set)
{
    struct baton_lead copy = *lead; /* visited, not changed */
    set->count = 0;
    each_word(&copy, collect, set);
}

size_t lead_portable_bound(const struct baton_lead *lead, const struct baton_words *words)
{
    struct word_set set;
    size_t size = 1 + BYTES_VARINT_MAX + baton_lead_pack_bound(lead);
    collect_words(lead, &set);
    for (uint32_t i = 0; i < set.count; i++)
        size += 2 * BYTES_VARINT_MAX + baton_words_text(words, set.ids[i]).size;
    return size;
}

size_t lead_portable_write(const struct baton_lead *lead, const struct baton_words *words,
                           uint8_t *room)
{
    struct word_set set;
    uint8_t *at = room;
    struct baton_lead person = *lead; /* what is said of its id is not the person's */
    person.flags &= (uint8_t) ~(BATON_LEAD_EMPTIED | BATON_LEAD_ERASED);
    collect_words(lead, &set);
    *at++ = PORTABLE_VERSION;
    at = bytes_put_varint(at, set.count);
    for (uint32_t i = 0; i < set.count; i++) {
        struct baton_text text = baton_words_text(words, set.ids[i]);
        at = bytes_put_varint(at, set.ids[i]);
        at = bytes_put(bytes_put_varint(at, text.size), text.data, text.size);
    }
    return (size_t)(at - room) + baton_lead_pack(&person, 0, at);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct translation {
    struct baton_words *words;
    uint32_t ids[PORTABLE_WORDS_MAX];
    struct baton_text texts[PORTABLE_WORDS_MAX];
    uint32_t count;
    bool failed;
};

static void translate(void *context, uint32_t *word, enum baton_word_class word_class)
{
    struct translation *translation = context;
    if (*word <= BATON_WORD_OTHER)
        return;
    for (uint32_t i = 0; i < translation->count; i++) {
        if (translation->ids[i] != *word)
            continue;
        *word = baton_words_id(translation->words, translation->texts[i], word_class);
        return;
    }
    translation->failed = true;
}

static bool read_words(struct byte_reader *reader, struct translation *translation)
{
    uint8_t version = bytes_u8(reader);
    uint64_t count = bytes_varint(reader);
    if (reader->failed || version != PORTABLE_VERSION || count > PORTABLE_WORDS_MAX)
        return false;
    for (; translation->count < count; translation->count++) {
        uint64_t id = bytes_varint(reader), size = bytes_varint(reader);
        if (reader->failed || id > UINT32_MAX || size > BATON_WORD_MAX)
            return false;
        translation->ids[translation->count] = (uint32_t)id;
        translation->texts[translation->count] =
            (struct baton_text){(const char *)bytes_take(reader, size), (uint32_t)size};
    }
    return !reader->failed;
}

enum baton_unpack lead_portable_read(struct baton_lead *lead, const uint8_t *bytes, size_t size,
                                     struct baton_words *words, struct baton_allocator *allocator)
{
    struct byte_reader reader = {.at = bytes, .end = bytes + size};
    struct translation translation;
    translation.words = words;
    translation.count = 0;
    translation.failed = false;
    if (!read_words(&reader, &translation))
        return BATON_DAMAGED;
    enum baton_unpack unpacked =
        baton_lead_unpack(lead, reader.at, bytes_left(&reader), UINT32_MAX, allocator);
    if (unpacked != BATON_UNPACKED || !words)
        return unpacked;
    each_word(lead, translate, &translation);
    if (!translation.failed)
        return BATON_UNPACKED;
    baton_lead_fini(lead, allocator);
    return BATON_DAMAGED;
}
