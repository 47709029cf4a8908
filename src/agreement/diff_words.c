#include "agreement/diff_words.h"

#include "agreement/building.h"
#include "agreement/sentence_parts.h"

#include <string.h>

bool same_value(const struct yaml_node *left, const struct yaml_node *right)
{
    struct text_buffer a, b;
    if (!left || !right)
        return left == right;
    text_buffer_init(&a);
    text_buffer_init(&b);
    canonical_value(left, &a);
    canonical_value(right, &b);
    bool same = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
    text_buffer_fini(&a);
    text_buffer_fini(&b);
    return same;
}

/* ---- A value as one would write it in a line ------------------------------------------------- */

/* Control characters of a quoted text must not reach a terminal. */
static void write_text(const struct yaml_node *node, struct text_buffer *out)
{
    for (uint32_t i = 0; i < node->text.size; i++) {
        char c = node->text.data[i];
        text_buffer_add(out, (unsigned char)c < ' ' || c == 0x7f ? " " : &c, 1);
    }
}

static void write_value(const struct yaml_node *node, struct text_buffer *out)
{
    if (node->kind == YAML_SCALAR) {
        write_text(node, out);
        return;
    }
    text_buffer_add_text(out, node->kind == YAML_MAPPING ? "{" : "[");
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (node->kind == YAML_MAPPING) {
            write_text(child->key, out);
            text_buffer_add_text(out, ": ");
        }
        write_value(child, out);
        text_buffer_add_text(out, child->next ? ", " : "");
    }
    text_buffer_add_text(out, node->kind == YAML_MAPPING ? "}" : "]");
}

static const char *written(struct speech *speech, const struct yaml_node *node)
{
    struct text_buffer text;
    if (!node)
        return NULL;
    text_buffer_init(&text);
    write_value(node, &text);
    const char *kept = arena_copy(&speech->arena, text.data ? text.data : "", text.size + 1);
    text_buffer_fini(&text);
    return kept;
}

static bool is_time(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits < 10 && text[digits] && strchr("mhd", text[digits]) &&
           !text[digits + 1];
}

static bool is_day(const char *text)
{
    return strlen(text) == 10 && strspn(text, "0123456789") == 4 && text[4] == '-' &&
           strspn(text + 5, "0123456789") == 2 && text[7] == '-' &&
           strspn(text + 8, "0123456789") == 2;
}

/* In the language: times and days as sentences have them. */
static const char *spoken(struct speech *speech, const struct yaml_node *node)
{
    if (node && node->kind == YAML_SCALAR && is_time(node->text.data))
        return sentence_duration(speech, node->text.data);
    if (node && node->kind == YAML_SCALAR && is_day(node->text.data))
        return speech_date(speech, node->text.data);
    return written(speech, node);
}

/* ---- Changes --------------------------------------------------------------------------------- */

struct walk {
    struct agreement_changes *changes;
    enum agreement_change_kind kind;
};

static void told(struct walk *walk, const char *word, enum message_id id,
                 const struct yaml_node *before, const struct yaml_node *after)
{
    struct speech *speech = &walk->changes->speech;
    struct agreement_change change = {.kind = walk->kind,
                                      .word = word,
                                      .before = written(speech, before),
                                      .after = written(speech, after)};
    change.text = phrase(speech, id, {"word", word}, {"before", spoken(speech, before)},
                         {"after", spoken(speech, after)});
    changes_add(walk->changes, &change);
}

void diff_order(struct agreement_changes *changes, enum agreement_change_kind kind,
                const char *word)
{
    struct speech *speech = &changes->speech;
    changes_add(changes, &(struct agreement_change){
                             .kind = kind,
                             .word = word,
                             .text = phrase(speech, MESSAGE_DIFF_ORDER, {"word", word})});
}

static void walk_values(struct walk *walk, const char *word, const struct yaml_node *before,
                        const struct yaml_node *after);

static void walk_mappings(struct walk *walk, const char *word, const struct yaml_node *before,
                          const struct yaml_node *after)
{
    struct speech *speech = &walk->changes->speech;
    for (const struct yaml_node *now = after->first; now; now = now->next) {
        const char *key = now->key->text.data;
        walk_values(walk, speech_print(speech, "%s.%s", word, key), yaml_find(before, key), now);
    }
    for (const struct yaml_node *was = before->first; was; was = was->next) {
        const char *key = was->key->text.data;
        if (!yaml_find(after, key))
            walk_values(walk, speech_print(speech, "%s.%s", word, key), was, NULL);
    }
}

static const char *id_of(const struct yaml_node *item)
{
    const struct yaml_node *id = item->kind == YAML_MAPPING ? yaml_find(item, "id") : NULL;
    return id && id->kind == YAML_SCALAR ? id->text.data : NULL;
}

static bool all_have_ids(const struct yaml_node *list)
{
    for (const struct yaml_node *item = list->first; item; item = item->next)
        if (!id_of(item))
            return false;
    return true;
}

static const struct yaml_node *item_with(const struct yaml_node *list, const char *id)
{
    for (const struct yaml_node *item = list->first; item; item = item->next)
        if (strcmp(id_of(item), id) == 0)
            return item;
    return NULL;
}

static void walk_items_by_id(struct walk *walk, const char *word, const struct yaml_node *before,
                             const struct yaml_node *after)
{
    struct speech *speech = &walk->changes->speech;
    for (const struct yaml_node *now = after->first; now; now = now->next)
        walk_values(walk, speech_print(speech, "%s.%s", word, id_of(now)),
                    item_with(before, id_of(now)), now);
    for (const struct yaml_node *was = before->first; was; was = was->next)
        if (!item_with(after, id_of(was)))
            walk_values(walk, speech_print(speech, "%s.%s", word, id_of(was)), was, NULL);
}

/* How many of the list's items mean the same. */
static uint32_t how_often(const struct yaml_node *item, const struct yaml_node *list)
{
    uint32_t count = 0;
    for (const struct yaml_node *one = list->first; one; one = one->next)
        count += same_value(item, one) ? 1 : 0;
    return count;
}

static void walk_items(struct walk *walk, const char *word, const struct yaml_node *before,
                       const struct yaml_node *after)
{
    size_t first = walk->changes->count;
    for (const struct yaml_node *now = after->first; now; now = now->next)
        if (how_often(now, before) < how_often(now, after))
            told(walk, word, MESSAGE_DIFF_ITEM_NEW, NULL, now);
    for (const struct yaml_node *was = before->first; was; was = was->next)
        if (how_often(was, after) < how_often(was, before))
            told(walk, word, MESSAGE_DIFF_ITEM_GONE, was, NULL);
    if (walk->changes->count == first)
        diff_order(walk->changes, walk->kind, word);
}

static void walk_lists(struct walk *walk, const char *word, const struct yaml_node *before,
                       const struct yaml_node *after)
{
    size_t first = walk->changes->count;
    if (!all_have_ids(before) || !all_have_ids(after)) {
        walk_items(walk, word, before, after);
        return;
    }
    walk_items_by_id(walk, word, before, after);
    if (walk->changes->count == first)
        diff_order(walk->changes, walk->kind, word);
}

static void walk_values(struct walk *walk, const char *word, const struct yaml_node *before,
                        const struct yaml_node *after)
{
    if (same_value(before, after))
        return;
    if (!before)
        told(walk, word, MESSAGE_DIFF_WORD_NEW, NULL, after);
    else if (!after)
        told(walk, word, MESSAGE_DIFF_WORD_GONE, before, NULL);
    else if (before->kind == YAML_MAPPING && after->kind == YAML_MAPPING)
        walk_mappings(walk, word, before, after);
    else if (before->kind == YAML_LIST && after->kind == YAML_LIST)
        walk_lists(walk, word, before, after);
    else
        told(walk, word, MESSAGE_DIFF_WORD, before, after);
}

void diff_words(struct agreement_changes *changes, enum agreement_change_kind kind,
                const char *word, const struct yaml_node *before, const struct yaml_node *after)
{
    struct walk walk = {changes, kind};
    walk_values(&walk, word, before, after);
}
