#include "agreement/signing.h"

#include "agreement/building.h"

#include <string.h>

static const char *const side_names[SIGNING_SIDES] = {"marketing", "sales"};

const char *signing_side_name(enum signing_side side)
{
    return side_names[side];
}

bool signing_side_find(const char *name, enum signing_side *side)
{
    for (int i = 0; i < SIGNING_SIDES; i++) {
        if (strcmp(name, side_names[i]) != 0)
            continue;
        *side = (enum signing_side)i;
        return true;
    }
    return false;
}

/* ---- Who has signed -------------------------------------------------------------------------- */

const struct signature *agreement_signatures(const struct agreement *agreement, size_t *count)
{
    *count = agreement->signature_count;
    return agreement->signatures;
}

bool agreement_is_signed(const struct agreement *agreement, const struct signature *signature)
{
    return signature && signature->hash && strcmp(signature->hash, agreement_hash(agreement)) == 0;
}

/* A hash says more than a name alone; then the later date. */
static bool says_more(const struct signature *one, const struct signature *other)
{
    if ((one->hash != NULL) != (other->hash != NULL))
        return one->hash != NULL;
    return strcmp(one->date, other->date) > 0;
}

const struct signature *agreement_signature(const struct agreement *agreement,
                                            enum signing_side side)
{
    const struct signature *best = NULL;
    for (size_t i = 0; i < agreement->signature_count; i++) {
        const struct signature *one = &agreement->signatures[i];
        if (one->side != side)
            continue;
        if (agreement_is_signed(agreement, one))
            return one;
        if (!best || says_more(one, best))
            best = one;
    }
    return best;
}

bool agreement_is_agreed(const struct agreement *agreement)
{
    for (int side = 0; side < SIGNING_SIDES; side++)
        if (!agreement_is_signed(agreement,
                                 agreement_signature(agreement, (enum signing_side)side)))
            return false;
    return true;
}

/* ---- Writing a signature --------------------------------------------------------------------- */

#define EDITS_MAX 4

/* Bytes of the text that give way to others; they do not overlap. */
struct edit {
    size_t begin, end;
    struct text_buffer text;
};

struct signing {
    const struct agreement *agreement;
    const char *source;
    size_t size;
    const char *end_of_line; /* as the text ends its lines */
    const char *side, *date, *hash;
    struct text_buffer by; /* as it stands in the text, with quotes where it needs them */
    struct edit edits[EDITS_MAX];
    size_t edit_count;
};

static struct text_buffer *edit_at(struct signing *signing, size_t begin, size_t end)
{
    struct edit *edit = &signing->edits[signing->edit_count++];
    edit->begin = begin;
    edit->end = end;
    text_buffer_init(&edit->text);
    return &edit->text;
}

/* May it stand without quotes wherever a text may? */
static bool is_plain(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const words[] = {"null", "Null", "NULL", "true", "false"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i]) == 0)
            return false;
    if (!strchr(letters, *name) && (unsigned char)*name < 0x80)
        return false;
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at < 0x80 && !strchr(letters, *at) && !strchr("0123456789 .-'()", *at))
            return false;
    return name[strlen(name) - 1] != ' ';
}

static void quote(const char *name, struct text_buffer *out)
{
    if (is_plain(name)) {
        text_buffer_add_text(out, name);
        return;
    }
    text_buffer_add_text(out, "\"");
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            text_buffer_add_text(out, "\\");
        text_buffer_add(out, name, 1);
    }
    text_buffer_add_text(out, "\"");
}

static size_t line_begin(const struct signing *signing, size_t at)
{
    while (at > 0 && signing->source[at - 1] != '\n' && signing->source[at - 1] != '\r')
        at--;
    return at;
}

static size_t line_end(const struct signing *signing, size_t at)
{
    while (at < signing->size && signing->source[at] != '\n' && signing->source[at] != '\r')
        at++;
    return at;
}

/* A new line that begins below the column of `at`. */
static void new_line(const struct signing *signing, size_t at, struct text_buffer *out)
{
    text_buffer_print(out, "%s%*s", signing->end_of_line, (int)(at - line_begin(signing, at)), "");
}

static void whole_item(const struct signing *signing, struct text_buffer *out)
{
    text_buffer_print(out, "{side: %s, by: %s, date: %s, hash: %s}", signing->side,
                      signing->by.data, signing->date, signing->hash);
}

static const struct yaml_node *last_of(const struct yaml_node *parent)
{
    const struct yaml_node *last = parent->first;
    while (last && last->next)
        last = last->next;
    return last;
}

static void write_value(struct signing *signing, const struct yaml_node *item, const char *key,
                        const char *value)
{
    const struct yaml_node *node = yaml_find(item, key);
    text_buffer_add_text(edit_at(signing, node->begin, node->end), value);
}

/* A hash for an item that has none: behind the last value, or on a line of its own. */
static void add_hash(struct signing *signing, const struct yaml_node *item)
{
    const struct yaml_node *last = last_of(item);
    size_t at = item->flow ? last->end : line_end(signing, last->end);
    struct text_buffer *text = edit_at(signing, at, at);
    if (item->flow)
        text_buffer_add_text(text, ", ");
    else
        new_line(signing, last->key->begin, text);
    text_buffer_print(text, "hash: %s", signing->hash);
}

static void write_item(struct signing *signing, const struct yaml_node *item)
{
    write_value(signing, item, "by", signing->by.data);
    write_value(signing, item, "date", signing->date);
    if (yaml_find(item, "hash"))
        write_value(signing, item, "hash", signing->hash);
    else
        add_hash(signing, item);
}

/* Of a list in block style: the dash in front of an item; `at` itself where there is none. */
static size_t dash_before(const struct signing *signing, size_t at)
{
    size_t dash = at;
    while (dash > 0 && signing->source[dash - 1] == ' ')
        dash--;
    return dash > 0 && signing->source[dash - 1] == '-' ? dash - 1 : at;
}

static void add_item(struct signing *signing, const struct yaml_node *list)
{
    const struct yaml_node *last = last_of(list);
    size_t begin = last->flow ? last->begin : last->first->key->begin;
    size_t end = last->flow ? last->end : last_of(last)->end;
    struct text_buffer *text;
    if (list->flow) {
        text = edit_at(signing, end, end);
        text_buffer_add_text(text, ",");
        if (line_begin(signing, begin) > list->begin)
            new_line(signing, begin, text);
        else
            text_buffer_add_text(text, " ");
    } else {
        end = line_end(signing, end);
        text = edit_at(signing, end, end);
        new_line(signing, dash_before(signing, begin), text);
        text_buffer_add_text(text, "- ");
    }
    whole_item(signing, text);
}

/* Where a text in block style ends: at its last byte, or before a line that says so. */
static size_t end_of_text(const struct signing *signing)
{
    for (size_t at = 0; at < signing->size; at++) {
        bool begins = at == 0 || signing->source[at - 1] == '\n' || signing->source[at - 1] == '\r';
        if (begins && signing->size - at >= 3 && memcmp(signing->source + at, "...", 3) == 0)
            return at;
    }
    return signing->size;
}

static void add_list(struct signing *signing)
{
    const struct yaml_node *root = signing->agreement->root;
    if (root->flow) {
        size_t at = last_of(root)->end;
        struct text_buffer *text = edit_at(signing, at, at);
        text_buffer_add_text(text, ", signed: [");
        whole_item(signing, text);
        text_buffer_add_text(text, "]");
        return;
    }
    size_t at = end_of_text(signing);
    struct text_buffer *text = edit_at(signing, at, at);
    if (at > 0 && line_begin(signing, at) != at)
        text_buffer_add_text(text, signing->end_of_line);
    text_buffer_print(text, "signed:%s  - ", signing->end_of_line);
    whole_item(signing, text);
    text_buffer_add_text(text, signing->end_of_line);
}

/* The side's own item: of this name, or else its first; NULL: none. */
static const struct yaml_node *item_of(const struct agreement *agreement, enum signing_side side,
                                       const char *by)
{
    const struct yaml_node *first = NULL;
    for (size_t i = 0; i < agreement->signature_count; i++) {
        const struct signature *one = &agreement->signatures[i];
        if (one->side == side && strcmp(one->by, by) == 0)
            return one->node;
        if (one->side == side && !first)
            first = one->node;
    }
    return first;
}

static int by_place(const struct edit *left, const struct edit *right)
{
    return left->begin < right->begin ? -1 : left->begin > right->begin;
}

static void sort_edits(struct signing *signing)
{
    for (size_t i = 1; i < signing->edit_count; i++) {
        struct edit edit = signing->edits[i];
        size_t to = i;
        for (; to > 0 && by_place(&edit, &signing->edits[to - 1]) < 0; to--)
            signing->edits[to] = signing->edits[to - 1];
        signing->edits[to] = edit;
    }
}

static void apply(struct signing *signing, struct text_buffer *out)
{
    size_t at = 0;
    sort_edits(signing);
    for (size_t i = 0; i < signing->edit_count; i++) {
        struct edit *edit = &signing->edits[i];
        text_buffer_add(out, signing->source + at, edit->begin - at);
        text_buffer_add(out, edit->text.data, edit->text.size);
        at = edit->end;
        text_buffer_fini(&edit->text);
    }
    text_buffer_add(out, signing->source + at, signing->size - at);
}

/* Whatever way the text is written in: the result says the same, and is signed. */
static bool is_good(const struct agreement *agreement, enum signing_side side, const char *by,
                    const struct text_buffer *text)
{
    struct text_buffer messages;
    struct agreement *read;
    text_buffer_init(&messages);
    bool good = agreement_parse("", text->data, text->size, agreement->compiled.zone,
                                agreement->compiled.zone_count, &read, &messages) == STATUS_OK;
    text_buffer_fini(&messages);
    if (!good)
        return false;
    const struct signature *signature = agreement_signature(read, side);
    good = strcmp(agreement_hash(read), agreement_hash(agreement)) == 0 &&
           agreement_is_signed(read, signature) && strcmp(signature->by, by) == 0;
    agreement_destroy(read);
    return good;
}

static bool is_one_line(const struct yaml_node *item)
{
    for (const struct yaml_node *value = item->first; value; value = value->next)
        if (value->end == 0)
            return false;
    return true;
}

static void edit_text(struct signing *signing, enum signing_side side, const char *by)
{
    const struct yaml_node *list = yaml_find(signing->agreement->root, "signed");
    const struct yaml_node *item = item_of(signing->agreement, side, by);
    if (item && is_one_line(item))
        write_item(signing, item);
    else if (list && is_one_line(last_of(list)))
        add_item(signing, list);
    else if (!list)
        add_list(signing);
}

static bool is_name(const char *by)
{
    size_t size = strlen(by);
    for (const char *at = by; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return size > 0 && size <= SIGNING_NAME_MAX;
}

enum status signing_write(const struct agreement *agreement, enum signing_side side, const char *by,
                          const char *date, struct text_buffer *out, struct error *error)
{
    struct baton_text source = agreement_text(agreement);
    struct signing signing = {.agreement = agreement,
                              .source = source.data,
                              .size = source.size,
                              .side = signing_side_name(side),
                              .date = date,
                              .hash = agreement_hash(agreement)};
    if (!is_name(by))
        return error_set(error, STATUS_REJECT,
                         "a name is 1 to %d bytes of one line, without control characters",
                         SIGNING_NAME_MAX);
    signing.end_of_line = memchr(source.data, '\r', source.size) ? "\r\n" : "\n";
    text_buffer_init(&signing.by);
    quote(by, &signing.by);
    edit_text(&signing, side, by);
    text_buffer_clear(out);
    apply(&signing, out);
    enum status status = STATUS_OK;
    if (!is_good(agreement, side, by, out))
        status = error_set(error, STATUS_REJECT,
                           "`signed` is written in a way that this cannot add to: write "
                           "{side: %s, by: %s, date: %s, hash: %s} into it by hand",
                           signing.side, signing.by.data, date, signing.hash);
    text_buffer_fini(&signing.by);
    return status;
}
