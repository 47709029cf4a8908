#include "yaml/yaml.h"

#include "base/nearest.h"

#include <criterion/criterion.h>
#include <string.h>

/* What a text gives: its tree, and its findings as lines. */
struct parsed {
    struct arena arena;
    struct findings *findings;
    struct yaml_node *root;
    struct text_buffer messages;
};

static void parse(struct parsed *parsed, const char *text)
{
    *parsed = (struct parsed){0};
    arena_init(&parsed->arena, 4096);
    parsed->findings = arena_take(&parsed->arena, sizeof *parsed->findings);
    findings_init(parsed->findings, LANGUAGE_EN);
    parsed->root = yaml_parse(&parsed->arena, text, strlen(text), parsed->findings);
    findings_print(parsed->findings, "f", &parsed->messages);
}

static void end(struct parsed *parsed)
{
    text_buffer_fini(&parsed->messages);
    findings_fini(parsed->findings);
    arena_fini(&parsed->arena);
}

static void gives(const char *text, const char *messages)
{
    struct parsed parsed;
    parse(&parsed, text);
    cr_expect_str_eq(parsed.messages.data ? parsed.messages.data : "", messages);
    end(&parsed);
}

Test(yaml, every_node_knows_its_place)
{
    struct parsed parsed;
    parse(&parsed, "é: {k: 'v'}\nlist:\n  - a\n  -  b\nempty:\n");
    cr_assert(parsed.root && parsed.root->kind == YAML_MAPPING && parsed.root->count == 3);
    const struct yaml_node *flow = parsed.root->first, *list = flow->next, *empty = list->next;
    cr_expect(flow->key->line == 1 && flow->key->column == 1 && flow->line == 1 &&
              flow->column == 4);
    cr_expect(flow->first->quoted && flow->first->column == 8 && yaml_is_text(flow->first, "v"));
    cr_expect(list->line == 3 && list->column == 3 && list->count == 2);
    cr_expect(list->first->next->line == 4 && list->first->next->column == 6 &&
              !list->first->quoted);
    cr_expect(yaml_is_null(empty) && empty->line == 5 && empty->column == 1);
    cr_expect_eq(parsed.messages.size, 0);
    end(&parsed);
}

static void spans(const char *text, const struct yaml_node *node, const char *written)
{
    cr_expect(node->end - node->begin == strlen(written) &&
                  memcmp(text + node->begin, written, strlen(written)) == 0,
              "%.*s is not %s", (int)(node->end - node->begin), text + node->begin, written);
}

Test(yaml, every_node_knows_the_bytes_that_it_takes)
{
    static const char text[] = "é: {k: 'it''s', l: \"\\\"é\" , m: [ x y , {n: ''} ] }\r\n"
                               "list:\n  - \"\"\n  - a b # c\nlines: |\n  text\n";
    struct parsed parsed;
    parse(&parsed, text);
    cr_assert(parsed.root && parsed.root->count == 3 && !parsed.root->flow);
    const struct yaml_node *flow = parsed.root->first, *list = flow->next, *lines = list->next;
    const struct yaml_node *inner = yaml_find(flow, "m");
    spans(text, flow, "{k: 'it''s', l: \"\\\"é\" , m: [ x y , {n: ''} ] }");
    spans(text, flow->key, "é");
    spans(text, yaml_find(flow, "k"), "'it''s'");
    spans(text, yaml_find(flow, "l"), "\"\\\"é\"");
    spans(text, inner, "[ x y , {n: ''} ]");
    spans(text, inner->first, "x y");
    spans(text, inner->first->next, "{n: ''}");
    spans(text, yaml_find(inner->first->next, "n"), "''");
    spans(text, list->first, "\"\"");
    spans(text, list->first->next, "a b");
    cr_expect(flow->flow && inner->flow && !list->flow);
    cr_expect(list->begin == 0 && list->end == 0 && lines->end == 0);
    end(&parsed);
}

static void reads(const char *text, const char *value)
{
    struct parsed parsed;
    parse(&parsed, text);
    cr_assert(parsed.root && parsed.root->kind == YAML_SCALAR, "%s", text);
    cr_expect_str_eq(parsed.root->text.data, value);
    cr_expect_eq(parsed.root->text.size, strlen(value));
    cr_expect_eq(parsed.messages.size, 0);
    end(&parsed);
}

Test(yaml, two_single_quotes_stand_for_one)
{
    reads("''", "");
    reads("''''", "'");
    reads("''''''''''''''''''''''''''''''''''''''''", "'''''''''''''''''''");
    reads("'it''s'", "it's");
    reads("'it''''s'", "it''s");
    reads("\xef\xbb\xbf'a''''b'", "a''b");
    reads("' \\n\"é'' '", " \\n\"é' ");
}

Test(yaml, lines_within_single_quotes_are_folded)
{
    reads("'a \t\n  b'", "a b");
    reads("'a\r\n\r\n  b\n '", "a\nb ");
    reads("'\n\n\n'''", "\n\n'");
}

Test(yaml, an_empty_text_is_no_tree_and_no_error)
{
    gives("", "");
    gives("# only a comment\n", "");
}

Test(yaml, what_is_not_supported_says_what_to_do)
{
    gives("a: *b*\n", "f:1:4: error: put quotes around it: \"*b*\" (without them, a * begins a "
                      "YAML alias, which is not "
                      "supported)\n");
    gives("a: &b c\nd: !e f\n", "f:1:4: error: anchors are not supported; write the value again "
                                "where it is needed, or put quotes around a text "
                                "that begins with &\n"
                                "f:2:4: error: tags are not supported; remove it, or put quotes "
                                "around a text that begins with !\n");
    gives("<<: {a: b}\n", "f:1:1: error: merge keys are not supported; write the values again "
                          "where they are needed\n");
    gives("a: 1\nb: 2\na: 3\n", "f:3:1: error: `a` stands here twice (before in line 1)\n");
    gives("a: 1\n---\nb: 1\n", "f:2:1: error: a second document begins here; one file holds one\n");
    gives("? [a]\n: b\n", "f:1:3: error: a key must be a text, not a list\n");
    gives("a: @b\n", "f:1:4: error: put quotes around a text that begins with this character\n");
}

Test(yaml, bytes_that_are_no_text_have_a_place)
{
    gives("a: b\nc: \xff\n", "f:2:4: error: not UTF-8; save the file as UTF-8\n");
    gives("a: \x01\n", "f:1:4: error: a control character cannot stand here; remove it\n");
    gives("é: \xe2\x80\xa8\n",
          "f:1:4: error: an unusual line break stands here; write an ordinary one\n");
    gives("a: \"\\0\"\n", "f:1:4: error: a text cannot hold the character NUL\n");
    gives("\xef\xbb\xbf"
          "a: b\r\nc: d\r\n",
          "");
}

Test(yaml, findings_stand_in_the_order_of_the_text_and_are_limited)
{
    struct findings findings;
    struct text_buffer out = {0};
    findings_init(&findings, LANGUAGE_EN);
    findings_error(&findings, 3, 1, "third\n%s", "line");
    findings_add(&findings, true, (struct finding_place){1, 9}, MESSAGE_FINDING_NOT_YAML, NULL);
    findings_error(&findings, 1, 2, "first");
    findings_print(&findings, "f", &out);
    cr_expect_str_eq(out.data, "f:1:2: error: first\nf:1:9: warning: this is not YAML\n"
                               "f:3:1: error: third line\n");
    for (int i = 0; i < 300; i++)
        findings_error(&findings, 9, 9, "more");
    text_buffer_clear(&out);
    findings_print(&findings, "f", &out);
    cr_expect(strstr(out.data, "f:9:9: error: and 103 more\n"));
    cr_expect_eq(findings.errors, 302);
    text_buffer_fini(&out);
    findings_fini(&findings);
}

Test(yaml, a_finding_speaks_its_language_and_has_one_code)
{
    static const char *const lines[LANGUAGES] = {
        "f:2:3: warning: a key must be a text, not a list\n",
        "f:2:3: aviso: uma chave deve ser um texto, não uma lista\n",
        "f:2:3: aviso: una clave debe ser un texto, no una lista\n"};
    for (int i = 0; i < LANGUAGES; i++) {
        struct findings findings;
        struct text_buffer out = {0};
        findings_init(&findings, (enum language)i);
        const struct message_hole holes[] = {{"kind", findings_word(&findings, MESSAGE_KIND_LIST)},
                                             {NULL, NULL}};
        findings_add(&findings, true, (struct finding_place){2, 3}, MESSAGE_FINDING_KEY_KIND,
                     holes);
        findings_print(&findings, "f", &out);
        cr_expect_str_eq(out.data, lines[i]);
        cr_expect_str_eq(finding_code(&findings, &findings.items[0]), "key_kind");
        cr_expect_str_eq(finding_severity(&findings.items[0]), "warning");
        text_buffer_fini(&out);
        findings_fini(&findings);
    }
}

Test(yaml, a_long_finding_is_cut_between_characters)
{
    struct findings findings;
    char text[602] = {0};
    for (size_t i = 0; i < 600; i += 2)
        memcpy(text + i, "é", 2);
    findings_init(&findings, LANGUAGE_PT);
    cr_expect_eq(strlen(findings_shown(&findings, text)), 64);
    cr_expect_eq(strlen(findings_shown(&findings, text + 1)), 63);
    findings_error(&findings, 1, 1, "%s", text);
    cr_expect_eq(strlen(findings.items[0].text), 510);
    findings_fini(&findings);
}

Test(yaml, whole_numbers_are_decimal_and_plain)
{
    struct parsed parsed;
    parse(&parsed, "[0, -5, +7, 1.0, 0x10, '5', 1e3, '', 123456789012345678, 1234567890123456789]");
    const int64_t expected[] = {0, -5, 7, -1, -1, -1, -1, -1, 123456789012345678, -1};
    size_t i = 0;
    for (const struct yaml_node *node = parsed.root->first; node; node = node->next, i++) {
        int64_t value = -1;
        cr_expect_eq(yaml_whole(node, &value), expected[i] != -1, "%s", node->text.data);
        cr_expect_eq(value, expected[i], "%s", node->text.data);
    }
    end(&parsed);
}

Test(nearest, the_word_that_was_meant)
{
    static const char *const words[] = {"behaviour", "half_life", "at_most", "points", NULL, "id"};
    static const char *const pairs[][2] = {{"behavior", "behaviour"},
                                           {"half-life", "half_life"},
                                           {"At_Most", "at_most"},
                                           {"ponits", "points"},
                                           {"halflife", "half_life"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        cr_expect_str_eq(nearest_word(pairs[i][0], strlen(pairs[i][0]), words, 6), pairs[i][1]);
    cr_expect_null(nearest_word("colour", 6, words, 6));
    cr_expect_null(nearest_word("", 0, words, 6));
    cr_expect_null(
        nearest_word("a-very-long-word-that-nobody-would-ever-write-as-a-key", 54, words, 6));
}
