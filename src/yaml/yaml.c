#include "yaml/yaml.h"

#include "base/input_file.h"
#include "base/utf8.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct fy_parser *parser;
    const char *text;
    size_t size;
    struct arena *arena;
    struct findings *findings;
    uint32_t nodes;
    uint32_t line, column; /* of what was read last */
    size_t begin, end;     /* bytes of the event that was read last */
    bool flow;             /* is that event's list or mapping between brackets or braces? */
    bool failed;           /* no use to read on */
    bool told;             /* … and the finding that says why is there */
};

/* ---- Before libfyaml sees a byte ------------------------------------------------------------- */

/* MESSAGES: the character is fine. */
static enum message_id forbidden(uint32_t point)
{
    if ((point < 0x20 && point != '\n' && point != '\r' && point != '\t') ||
        (point >= 0x7f && point < 0xa0) || (point & 0xfffe) == 0xfffe)
        return MESSAGE_FINDING_CONTROL_CHARACTER;
    if (point == 0x2028 || point == 0x2029)
        return MESSAGE_FINDING_LINE_BREAK;
    return MESSAGES;
}

/* The first byte or character that is not for a text file. */
static bool check_characters(const char *text, size_t size, struct findings *findings)
{
    uint32_t line = 1, column = 1;
    for (const char *at = text, *end = text + size; at < end;) {
        uint32_t point;
        size_t step = utf8_read(at, end, &point);
        enum message_id problem = step ? forbidden(point) : MESSAGE_FINDING_NOT_UTF8;
        if (problem != MESSAGES) {
            find_plain(findings, ((struct finding_place){line, column}), problem);
            return false;
        }
        bool ends_line = point == '\n' || (point == '\r' && (at + 1 == end || at[1] != '\n'));
        line += ends_line ? 1 : 0;
        column = ends_line ? 1 : column + 1;
        at += step;
    }
    return true;
}

/* ---- Events to nodes ------------------------------------------------------------------------- */

static void place_of(struct reader *reader, const struct fy_mark *mark)
{
    if (mark && mark->line >= 0 && mark->column >= 0) {
        reader->line = (uint32_t)mark->line + 1;
        reader->column = (uint32_t)mark->column + 1;
    }
}

/* Where a token begins that has an indicator (a quote, * or &) in front: libfyaml's mark is behind
 * it. */
static void place_of_token(struct reader *reader, struct fy_token *token, char indicator)
{
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    if (!mark)
        return;
    place_of(reader, mark);
    size_t at = mark->input_pos;
    if (at > 0 && at <= reader->size && reader->text[at - 1] == indicator && reader->column > 1)
        reader->column--;
}

static struct finding_place here(const struct reader *reader)
{
    return (struct finding_place){reader->line, reader->column};
}

static struct finding_place place_of_node(const struct yaml_node *node)
{
    return (struct finding_place){node->line, node->column};
}

static void give_up(struct reader *reader, enum message_id why)
{
    if (!reader->failed)
        find_plain(reader->findings, here(reader), why);
    reader->failed = reader->told = true;
}

/* The events that the parser gives, to be freed by its caller; NULL at its end or at an error. */
static struct fy_event *next_event(struct reader *reader)
{
    struct fy_event *event = reader->failed ? NULL : fy_parser_parse(reader->parser);
    if (!event)
        return NULL;
    const struct fy_mark *begin = fy_event_start_mark(event), *end = fy_event_end_mark(event);
    place_of(reader, begin);
    reader->begin = begin ? begin->input_pos : 0;
    reader->end = end ? end->input_pos : 0;
    reader->flow = fy_event_get_node_style(event) == FYNS_FLOW;
    return event;
}

static struct yaml_node *new_node(struct reader *reader, enum yaml_kind kind)
{
    if (reader->nodes == YAML_NODES_MAX)
        give_up(reader, MESSAGE_FINDING_TOO_MANY_VALUES);
    reader->nodes++;
    struct yaml_node *node = arena_take(reader->arena, sizeof *node);
    *node = (struct yaml_node){
        .kind = kind, .line = reader->line, .column = reader->column, .text = {"", 0}};
    node->flow = kind != YAML_SCALAR && reader->flow;
    node->begin = node->flow ? (uint32_t)reader->begin : 0;
    return node;
}

static void token_error(struct reader *reader, struct fy_token *token, char indicator,
                        enum message_id id)
{
    if (!token)
        return;
    struct reader at = *reader;
    place_of_token(&at, token, indicator);
    find_plain(reader->findings, here(&at), id);
}

static void refuse_properties(struct reader *reader, struct fy_token *anchor, struct fy_token *tag)
{
    token_error(reader, anchor, '&', MESSAGE_FINDING_ANCHOR);
    token_error(reader, tag, 0, MESSAGE_FINDING_TAG);
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Two quotes stand for one; a line break is a space, and n of them are n - 1. Gives the size. */
static size_t unquote(const char *in, const char *end, char *out)
{
    char *to = out;
    while (in < end) {
        if (*in == '\'') {
            *to++ = *in;
            in += 2;
        } else if (!is_break(*in)) {
            *to++ = *in++;
        } else {
            size_t breaks = 0;
            while (to > out && is_blank(to[-1]))
                to--;
            for (; in < end && (is_blank(*in) || is_break(*in)); in++)
                breaks += *in == '\n' || (*in == '\r' && in[1] != '\n');
            if (breaks == 1)
                *to++ = ' ';
            for (; breaks > 1; breaks--)
                *to++ = '\n';
        }
    }
    return (size_t)(to - out);
}

/* Behind the closing quote of what begins there; 0 where there is none. */
static size_t end_of_quoted(const struct reader *reader, size_t begin)
{
    char quote = reader->text[begin];
    for (size_t at = begin + 1; at < reader->size; at++) {
        bool pair = at + 1 < reader->size && reader->text[at + 1] == quote;
        if (quote == '"' ? reader->text[at] == '\\' : reader->text[at] == quote && pair)
            at++;
        else if (reader->text[at] == quote)
            return at + 1;
    }
    return 0;
}

/* A text in single quotes, whose syntax is known to be good: libfyaml before 0.9.5 reads two pairs
 * of quotes in a row as three quotes, and drops or leaks what has no room then. */
static const char *single_quoted(struct reader *reader, struct fy_token *token, size_t *size)
{
    const struct fy_mark *mark = fy_token_start_mark(token);
    size_t at = mark ? mark->input_pos : 0;
    if (at == 0 || at > reader->size || reader->text[at - 1] != '\'')
        return fy_token_get_text(token, size);
    size_t close = end_of_quoted(reader, at - 1);
    if (close == 0)
        return fy_token_get_text(token, size);
    const char *begin = reader->text + at, *end = reader->text + close - 1;
    char *text = arena_take(reader->arena, (size_t)(end - begin) + 1);
    *size = unquote(begin, end, text);
    return text;
}

/* libfyaml's marks are within the quotes. */
static void span_scalar(const struct reader *reader, enum fy_scalar_style style,
                        struct yaml_node *node)
{
    size_t begin = reader->begin, end = reader->end;
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) {
        char quote = style == FYSS_SINGLE_QUOTED ? '\'' : '"';
        begin -= begin > 0 && reader->text[begin - 1] == quote ? 1 : 0;
        end =
            begin < reader->size && reader->text[begin] == quote ? end_of_quoted(reader, begin) : 0;
    } else if (style != FYSS_PLAIN) {
        end = 0;
    }
    if (end <= begin || end > reader->size)
        return;
    node->begin = (uint32_t)begin;
    node->end = (uint32_t)end;
}

static struct yaml_node *read_scalar(struct reader *reader, struct fy_token *token)
{
    enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
        place_of_token(reader, token, style == FYSS_SINGLE_QUOTED ? '\'' : '"');
    struct yaml_node *node = new_node(reader, YAML_SCALAR);
    size_t size = 0;
    const char *text = NULL;
    if (token)
        text = style == FYSS_SINGLE_QUOTED ? single_quoted(reader, token, &size)
                                           : fy_token_get_text(token, &size);
    if (!text)
        size = 0;
    if (size && memchr(text, 0, size)) {
        find_plain(reader->findings, place_of_node(node), MESSAGE_FINDING_NUL);
        size = 0;
    }
    char *copy = arena_take(reader->arena, size + 1);
    if (size)
        memcpy(copy, text, size);
    copy[size] = 0;
    node->text = (struct baton_text){copy, (uint32_t)size};
    node->quoted = style != FYSS_PLAIN;
    span_scalar(reader, style, node);
    return node;
}

static struct yaml_node *read_alias(struct reader *reader, struct fy_token *token)
{
    struct yaml_node *node = read_scalar(reader, token);
    place_of_token(reader, token, '*');
    node->column = reader->column;
    char *text = arena_take(reader->arena, (size_t)node->text.size + 2);
    text[0] = '*'; /* as it was meant */
    memcpy(text + 1, node->text.data, (size_t)node->text.size + 1);
    node->text = (struct baton_text){text, node->text.size + 1};
    node->quoted = true;
    find(reader->findings, place_of_node(node), MESSAGE_FINDING_ALIAS,
         {"text", findings_shown(reader->findings, text)});
    return node;
}

static struct yaml_node *read_node(struct reader *reader, struct fy_event *event, uint32_t depth);

static void add_child(struct yaml_node *parent, struct yaml_node **last, struct yaml_node *child)
{
    if (*last)
        (*last)->next = child;
    else
        parent->first = child;
    *last = child;
    parent->count++;
}

/* The next node within a list or mapping; NULL at its end. */
static struct yaml_node *read_child(struct reader *reader, enum fy_event_type end, uint32_t depth)
{
    struct fy_event *event = next_event(reader);
    struct yaml_node *node = NULL;
    if (!event)
        reader->failed = true;
    else if (event->type != end)
        node = read_node(reader, event, depth);
    fy_parser_event_free(reader->parser, event);
    return node;
}

static struct yaml_node *read_list(struct reader *reader, uint32_t depth)
{
    struct yaml_node *list = new_node(reader, YAML_LIST), *last = NULL, *child;
    while ((child = read_child(reader, FYET_SEQUENCE_END, depth + 1)))
        add_child(list, &last, child);
    list->end = list->flow ? (uint32_t)reader->end : 0; /* of the closing bracket */
    return list;
}

static int by_key(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left,
                           *b = *(const struct yaml_node *const *)right;
    uint32_t size = a->key->text.size < b->key->text.size ? a->key->text.size : b->key->text.size;
    int order = memcmp(a->key->text.data, b->key->text.data, size);
    if (order == 0 && a->key->text.size != b->key->text.size)
        order = a->key->text.size < b->key->text.size ? -1 : 1;
    if (order == 0 && a->key->line != b->key->line)
        order = a->key->line < b->key->line ? -1 : 1;
    if (order == 0)
        order = a->key->column < b->key->column ? -1 : 1;
    return order;
}

static void refuse_doubles(struct reader *reader, const struct yaml_node *mapping)
{
    if (mapping->count < 2)
        return;
    struct yaml_node **sorted = memory_take(mapping->count * sizeof *sorted);
    uint32_t count = 0;
    for (struct yaml_node *child = mapping->first; child; child = child->next)
        sorted[count++] = child;
    qsort(sorted, count, sizeof *sorted, by_key);
    for (uint32_t i = 1; i < count; i++) {
        const struct yaml_node *first = sorted[i - 1]->key, *again = sorted[i]->key;
        if (first->text.size == again->text.size &&
            memcmp(first->text.data, again->text.data, first->text.size) == 0)
            find(reader->findings, place_of_node(again), MESSAGE_FINDING_KEY_TWICE,
                 {"key", findings_shown(reader->findings, again->text.data)},
                 {"line", findings_number(reader->findings, first->line)});
    }
    free(sorted);
}

static void check_key(struct reader *reader, struct yaml_node *key)
{
    if (key->kind != YAML_SCALAR) {
        find(reader->findings, place_of_node(key), MESSAGE_FINDING_KEY_KIND,
             {"kind", findings_word(reader->findings, yaml_kind_word(key))});
        *key = (struct yaml_node){.line = key->line, .column = key->column, .text = {"", 0}};
    } else if (!key->quoted && yaml_is_text(key, "<<")) {
        find_plain(reader->findings, place_of_node(key), MESSAGE_FINDING_MERGE_KEY);
    } else if (yaml_is_null(key)) {
        find_plain(reader->findings, place_of_node(key), MESSAGE_FINDING_KEY_MISSING);
    }
}

static struct yaml_node *read_mapping(struct reader *reader, uint32_t depth)
{
    struct yaml_node *mapping = new_node(reader, YAML_MAPPING), *last = NULL, *key, *value;
    while ((key = read_child(reader, FYET_MAPPING_END, depth + 1))) {
        check_key(reader, key);
        value = read_child(reader, FYET_MAPPING_END, depth + 1);
        if (!value)
            break;
        value->key = key;
        if (yaml_is_null(value) &&
            value->text.size == 0) { /* libfyaml's place of an empty value is behind the line */
            value->line = key->line;
            value->column = key->column;
        }
        add_child(mapping, &last, value);
    }
    mapping->end = mapping->flow ? (uint32_t)reader->end : 0; /* of the closing brace */
    if (!reader->failed)
        refuse_doubles(reader, mapping);
    return mapping;
}

static struct yaml_node *read_node(struct reader *reader, struct fy_event *event, uint32_t depth)
{
    if (depth > YAML_DEPTH_MAX) {
        give_up(reader, MESSAGE_FINDING_TOO_DEEP);
        return NULL;
    }
    switch (event->type) {
    case FYET_SCALAR:
        refuse_properties(reader, event->scalar.anchor, event->scalar.tag);
        return read_scalar(reader, event->scalar.value);
    case FYET_ALIAS: return read_alias(reader, event->alias.anchor);
    case FYET_SEQUENCE_START:
        refuse_properties(reader, event->sequence_start.anchor, event->sequence_start.tag);
        return read_list(reader, depth);
    case FYET_MAPPING_START:
        refuse_properties(reader, event->mapping_start.anchor, event->mapping_start.tag);
        return read_mapping(reader, depth);
    default: give_up(reader, MESSAGE_FINDING_NOT_UNDERSTOOD); return NULL;
    }
}

/* ---- The stream: one document ---------------------------------------------------------------- */

static void refuse_directives(struct reader *reader, struct fy_document_state *state)
{
    if (state &&
        (fy_document_state_version_explicit(state) || fy_document_state_tags_explicit(state)))
        find_plain(reader->findings, ((struct finding_place){1, 1}), MESSAGE_FINDING_DIRECTIVE);
}

static struct yaml_node *read_stream(struct reader *reader)
{
    struct yaml_node *root = NULL;
    bool ended = false;
    while (!reader->failed && !ended) {
        struct fy_event *event = next_event(reader);
        if (!event)
            break;
        switch (event->type) {
        case FYET_STREAM_START:
        case FYET_DOCUMENT_END: break;
        case FYET_STREAM_END: ended = true; break;
        case FYET_DOCUMENT_START:
            if (root)
                give_up(reader, MESSAGE_FINDING_SECOND_DOCUMENT);
            else
                refuse_directives(reader, event->document_start.document_state);
            break;
        default: root = read_node(reader, event, 1); break;
        }
        fy_parser_event_free(reader->parser, event);
    }
    reader->failed |= !ended;
    return root;
}

/* What libfyaml says, and what to do about it where people are likely to meet it. */
static const struct {
    const char *begin;
    enum message_id id;
} advice[] = {
    {"invalid alias", MESSAGE_FINDING_STAR},
    {"plain scalar cannot start", MESSAGE_FINDING_NEEDS_QUOTES},
    {"invalid nested block mapping", MESSAGE_FINDING_SECOND_COLON},
    {"invalid tab", MESSAGE_FINDING_TAB},
    {"tab character", MESSAGE_FINDING_TAB},
    {"did not find expected node content", MESSAGE_FINDING_VALUE_MISSING},
    {"invalid indentation", MESSAGE_FINDING_INDENTATION},
    {"missing comma in flow mapping", MESSAGE_FINDING_COMMA_OR_BRACE},
    {"missing comma in flow sequence", MESSAGE_FINDING_COMMA_OR_BRACKET},
    {"flow sequence without", MESSAGE_FINDING_BRACKET_OPEN},
    {"flow mapping without", MESSAGE_FINDING_BRACE_OPEN},
    {"wrongly indented flow sequence", MESSAGE_FINDING_BRACKET_OPEN},
    {"wrongly indented flow mapping", MESSAGE_FINDING_BRACE_OPEN},
    {"mismatched flow sequence end", MESSAGE_FINDING_COMMA_OR_BRACE},
    {"mismatched flow mapping end", MESSAGE_FINDING_COMMA_OR_BRACKET},
    {"single-quoted scalar without", MESSAGE_FINDING_QUOTE_OPEN},
    {"wrongly indented single-quoted scalar", MESSAGE_FINDING_QUOTE_OPEN},
    {"wrongly indented double-quoted scalar", MESSAGE_FINDING_DOUBLE_QUOTE_OPEN},
    {"double-quoted scalar without", MESSAGE_FINDING_DOUBLE_QUOTE_OPEN},
};

static enum message_id explain(const char *message)
{
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
        if (strncmp(message, advice[i].begin, strlen(advice[i].begin)) == 0)
            return advice[i].id;
    return MESSAGE_FINDING_YAML_SAYS;
}

/* The first is the cause; others follow from it. */
static void add_collected(struct reader *reader, struct fy_diag *diag)
{
    void *iterator = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);
    if (error && error->line > 0 && error->column > 0) {
        reader->line = (uint32_t)error->line;
        reader->column = (uint32_t)error->column;
    }
    const char *message = error ? error->msg : NULL;
    find(reader->findings, here(reader), message ? explain(message) : MESSAGE_FINDING_NOT_YAML,
         {"message", message}, {"open", "{"}, {"close", "}"});
}

static struct fy_diag *quiet_diag(void)
{
    struct fy_diag_cfg config;
    fy_diag_cfg_default(&config);
    config.fp = NULL;
    config.level = FYET_ERROR;
    struct fy_diag *diag = fy_diag_create(&config);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    return diag;
}

struct yaml_node *yaml_parse(struct arena *arena, const char *text, size_t size,
                             struct findings *findings)
{
    if (size > YAML_SIZE_MAX) {
        find(findings, ((struct finding_place){1, 1}), MESSAGE_FINDING_TOO_LARGE,
             {"bytes", findings_number(findings, YAML_SIZE_MAX)});
        return NULL;
    }
    if (!check_characters(text, size, findings))
        return NULL;
    struct fy_diag *diag = quiet_diag();
    struct fy_parse_cfg config = {
        .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag};
    struct reader reader = {
        .text = text, .size = size, .arena = arena, .findings = findings, .line = 1, .column = 1};
    reader.parser = diag ? fy_parser_create(&config) : NULL;
    struct yaml_node *root = NULL;
    if (reader.parser && size && fy_parser_set_string(reader.parser, text, size) == 0)
        root = read_stream(&reader);
    if (reader.failed && !reader.told)
        add_collected(&reader, diag);
    if (reader.parser)
        fy_parser_destroy(reader.parser);
    if (diag)
        fy_diag_destroy(diag);
    return reader.failed ? NULL : root;
}

static void cannot_be_read(enum input_problem problem, struct findings *findings)
{
    static const struct finding_place file = {0, 0};
    const char *why = problem == INPUT_IS_FOLDER ? findings_word(findings, MESSAGE_FILE_IS_FOLDER)
                      : problem == INPUT_IS_NO_FILE ? findings_word(findings, MESSAGE_FILE_IS_NONE)
                      : errno == EACCES             ? findings_word(findings, MESSAGE_FILE_DENIED)
                                                    : strerror(errno);
    if (problem == INPUT_FAILED && errno == ENOENT)
        find_plain(findings, file, MESSAGE_FINDING_NO_FILE);
    else
        find(findings, file, MESSAGE_FINDING_UNREADABLE, {"why", why});
}

bool yaml_read_file(const char *path, struct text_buffer *text, struct findings *findings)
{
    enum input_problem problem;
    FILE *file = input_file_open(path, &problem);
    if (!file) {
        cannot_be_read(problem, findings);
        return false;
    }
    char block[4096];
    size_t size;
    while (text->size <= YAML_SIZE_MAX && (size = fread(block, 1, sizeof block, file)) > 0)
        text_buffer_add(text, block, size);
    bool good = !ferror(file);
    if (!good)
        cannot_be_read(INPUT_FAILED, findings);
    (void)fclose(file);
    return good;
}

/* ---- Reading nodes --------------------------------------------------------------------------- */

struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *key)
{
    for (struct yaml_node *child = mapping->first; child; child = child->next)
        if (yaml_is_text(child->key, key))
            return child;
    return NULL;
}

bool yaml_is_text(const struct yaml_node *node, const char *text)
{
    return node->kind == YAML_SCALAR && strcmp(node->text.data, text) == 0;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != YAML_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (yaml_is_text(node, words[i]))
            return true;
    return false;
}

enum message_id yaml_kind_word(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_MAPPING: return MESSAGE_KIND_MAPPING;
    case YAML_LIST: return MESSAGE_KIND_LIST;
    default: return yaml_is_null(node) ? MESSAGE_KIND_NOTHING : MESSAGE_KIND_TEXT;
    }
}

bool yaml_whole(const struct yaml_node *node, int64_t *value)
{
    if (node->kind != YAML_SCALAR || node->quoted)
        return false;
    const char *at = node->text.data;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    size_t size = strlen(at);
    if (!size || size > 18 || strspn(at, "0123456789") != size)
        return false;
    int64_t found = 0;
    for (; *at; at++)
        found = found * 10 + (*at - '0');
    *value = negative ? -found : found;
    return true;
}
