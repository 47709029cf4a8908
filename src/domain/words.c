#include "domain/words.h"

#include "base/hash.h"
#include "domain/memory.h"
#include "domain/text.h"

#include <assert.h>

#define FIRST_WORD 2u /* ids below it are fixed */

void baton_words_init(struct baton_words *words, uint32_t capacity,
                      struct baton_allocator allocator)
{
    *words =
        (struct baton_words){.allocator = allocator, .capacity = capacity, .count = FIRST_WORD};
}

void baton_words_fini(struct baton_words *words)
{
    struct baton_allocator *allocator = &words->allocator;
    for (uint32_t id = FIRST_WORD; id < words->count; id++)
        memory_free(allocator, (void *)(uintptr_t)words->texts[id].data, words->texts[id].size);
    memory_free(allocator, words->texts, words->texts_room * sizeof *words->texts);
    memory_free(allocator, words->slots, words->slot_count * sizeof *words->slots);
    baton_words_init(words, words->capacity, *allocator);
}

uint64_t words_hash(struct baton_text text)
{
    return hash64(text.data, text.size, 0);
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t find_slot(const struct baton_words *words, struct baton_text text, uint64_t hash)
{
    uint32_t mask = words->slot_count - 1;
    uint32_t slot = (uint32_t)hash & mask;
    while (words->slots[slot] && !text_equal(words->texts[words->slots[slot]], text))
        slot = (slot + 1) & mask;
    return slot;
}

static bool grow_texts(struct baton_words *words)
{
    uint32_t room = words->texts_room ? words->texts_room * 2 : 64;
    struct baton_text *texts =
        words->allocator.resize(words->allocator.context, words->texts,
                                words->texts_room * sizeof *texts, room * sizeof *texts);
    if (!texts)
        return false;
    words->texts = texts;
    words->texts_room = room;
    return true;
}

/* Twice the slots: at most half of them are ever in use. */
static bool grow_slots(struct baton_words *words)
{
    uint32_t count = words->slot_count ? words->slot_count * 2 : 128;
    uint32_t *slots = memory_new(&words->allocator, count * sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0, count * sizeof *slots);
    memory_free(&words->allocator, words->slots, words->slot_count * sizeof *slots);
    words->slots = slots;
    words->slot_count = count;
    for (uint32_t id = FIRST_WORD; id < words->count; id++)
        slots[find_slot(words, words->texts[id], words_hash(words->texts[id]))] = id;
    return true;
}

static bool make_room(struct baton_words *words)
{
    if (words->count >= words->texts_room && !grow_texts(words))
        return false;
    return words->slot_count / 2 > words->count || grow_slots(words);
}

/* Adds a text that is not there yet; BATON_WORD_OTHER if there is no memory. */
static uint32_t add(struct baton_words *words, struct baton_text text, uint64_t hash)
{
    char *bytes = make_room(words) ? memory_new(&words->allocator, text.size) : NULL;
    if (!bytes) {
        words->starved = true;
        return BATON_WORD_OTHER;
    }
    memcpy(bytes, text.data, text.size);
    uint32_t id = words->count;
    words->slots[find_slot(words, text, hash)] = id;
    words->texts[id] = (struct baton_text){bytes, text.size};
    words->count++;
    return id;
}

/* The id of a text that is there, or BATON_WORD_NONE. */
static uint32_t find(const struct baton_words *words, struct baton_text text, uint64_t hash)
{
    return words->slot_count ? words->slots[find_slot(words, text, hash)] : BATON_WORD_NONE;
}

static struct baton_text cut_at_comma(struct baton_text text)
{
    if (text.size <= BATON_WORD_MAX)
        return text;
    for (uint32_t size = BATON_WORD_MAX; size > 0; size--)
        if (text.data[size] == ',')
            return (struct baton_text){text.data, size};
    return text_cut(text, BATON_WORD_MAX);
}

uint32_t words_id_hashed(struct baton_words *words, struct baton_text text, uint64_t hash,
                         enum baton_word_class word_class)
{
    assert(text.size <= BATON_WORD_MAX);
    if (text.size == 0)
        return BATON_WORD_NONE;
    uint32_t id = find(words, text, hash);
    if (id != BATON_WORD_NONE)
        return id;
    uint32_t reserve = word_class == BATON_WORD_RULES ? 0 : words->capacity / 16;
    if (words->count < words->capacity - reserve)
        return add(words, text, hash);
    words->overflowed++;
    return BATON_WORD_OTHER;
}

uint32_t baton_words_id(struct baton_words *words, struct baton_text text,
                        enum baton_word_class word_class)
{
    if (text.size == 0)
        return BATON_WORD_NONE;
    text = word_class == BATON_WORD_RULES ? cut_at_comma(text) : text_cut(text, BATON_WORD_MAX);
    return words_id_hashed(words, text, words_hash(text), word_class);
}

struct baton_text baton_words_text(const struct baton_words *words, uint32_t id)
{
    static const char other[] = "(other)";
    if (id == BATON_WORD_OTHER)
        return (struct baton_text){other, sizeof other - 1};
    if (id < FIRST_WORD || id >= words->count)
        return (struct baton_text){NULL, 0};
    return words->texts[id];
}

bool baton_words_restore(struct baton_words *words, uint32_t id, struct baton_text text)
{
    if (id != words->count || id >= words->capacity || text.size == 0 || text.size > BATON_WORD_MAX)
        return false;
    uint64_t hash = words_hash(text);
    return find(words, text, hash) == BATON_WORD_NONE && add(words, text, hash) == id;
}
