#include "codec/avro_schema.h"
#include "codec/limits.h"
#include "codec_support.h"

static char problem[768];

static bool parses_bytes(const char *text, size_t size)
{
    struct avro_schema schema;
    struct error error = {""};
    enum status status = avro_schema_parse(&schema, text, size, &error);
    memcpy(problem, error.text, sizeof problem);
    if (status == STATUS_OK)
        avro_schema_fini(&schema);
    return status == STATUS_OK;
}

static bool parses(const char *text)
{
    return parses_bytes(text, strlen(text));
}

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"

Test(schema, what_is_no_schema_is_refused)
{
    static const char *const bad[] = {
        "",
        "{}",
        "3",
        "null",
        "\"int",
        "\"integer\"",
        "{\"type\":\"record\"}",
        "{\"type\":\"record\",\"name\":\"R\"}",
        "{\"type\":\"record\",\"name\":\"1R\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"a..R\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R.\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"int\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a-b\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R\",\"namespace\":3,\"fields\":[]}",
        RECORD("{\"name\":\"x\"}"),
        RECORD("{\"type\":\"int\"}"),
        RECORD("{\"name\":\"x-y\",\"type\":\"int\"}"),
        RECORD("{\"name\":\"x\",\"type\":\"int\"},{\"name\":\"x\",\"type\":\"int\"}"),
        RECORD("{\"name\":\"x\",\"type\":\"int\",\"aliases\":\"y\"}"),
        RECORD("{\"name\":\"x\",\"type\":\"int\",\"aliases\":[3]}"),
        RECORD("{\"name\":\"x\",\"type\":\"Later\"},{\"name\":\"y\",\"type\":"
               "{\"type\":\"fixed\",\"name\":\"Later\",\"size\":1}}"),
        RECORD("{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"R\",\"size\":1}}"),
        RECORD("3"),
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-2}",
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1048577}",
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1.5}",
        "{\"type\":\"fixed\",\"name\":\"F\"}",
        "{\"type\":\"enum\",\"name\":\"E\"}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A B\"]}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}",
        "{\"type\":\"array\"}",
        "{\"type\":\"map\"}",
        "{\"type\":\"map\",\"items\":\"int\"}",
        "[\"int\",[\"string\"]]",
        "[\"int\",\"int\"]",
        "[{\"type\":\"array\",\"items\":\"int\"},{\"type\":\"array\",\"items\":\"string\"}]",
        "{\"type\":\"int\",\"type\":\"long\"}",
        "\"int\" \"int\"",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!parses(bad[i]), "%s", bad[i]);
}

Test(schema, a_record_that_contains_itself_without_end_is_refused)
{
    cr_expect(!parses(RECORD("{\"name\":\"r\",\"type\":\"R\"}")));
    cr_expect(!parses(RECORD("{\"name\":\"r\",\"type\":[\"R\"]}")));
    cr_expect(!parses(RECORD("{\"name\":\"s\",\"type\":{\"type\":\"record\",\"name\":\"S\","
                             "\"fields\":[{\"name\":\"r\",\"type\":\"R\"}]}}")));
    cr_expect(parses(RECORD("{\"name\":\"r\",\"type\":[\"null\",\"R\"]}")), "%s", problem);
    cr_expect(parses(RECORD("{\"name\":\"r\",\"type\":{\"type\":\"array\",\"items\":\"R\"}}")));
    cr_expect(parses(RECORD("{\"name\":\"r\",\"type\":{\"type\":\"map\",\"values\":\"R\"}}")));
}

Test(schema, size_depth_and_number_of_types_are_limited)
{
    size_t size = SCHEMA_BYTES_MAX + 64;
    char *text = calloc(1, size + 1);
    memset(text, ' ', size);
    memcpy(text, "\"int\"", 5);
    cr_expect(parses_bytes(text, SCHEMA_BYTES_MAX));
    cr_expect(!parses_bytes(text, SCHEMA_BYTES_MAX + 1));

    for (int depth = 60; depth <= 70; depth += 10) {
        char *at = text;
        for (int i = 0; i < depth; i++)
            at += sprintf(at, "{\"type\":\"array\",\"items\":");
        at += sprintf(at, "\"int\"");
        for (int i = 0; i < depth; i++)
            *at++ = '}';
        cr_expect_eq(parses_bytes(text, (size_t)(at - text)), depth == 60, "%d deep", depth);
    }
    memset(text, '[', 100000);
    cr_expect(!parses_bytes(text, 100000));

    char *at = text + sprintf(text, "[");
    for (int i = 0; i <= SCHEMA_NAMED_TYPES_MAX; i++)
        at += sprintf(at, "%s{\"type\":\"fixed\",\"name\":\"F%d\",\"size\":1}", i ? "," : "", i);
    at += sprintf(at, "]");
    cr_expect(!parses_bytes(text, (size_t)(at - text)));
    free(text);
}

Test(schema, records_of_static_size_are_measured_once_even_if_they_multiply)
{
    /* 20 records, each ten times the one before: 10^20 values in no bytes. */
    char *text = calloc(1, 65536), *at = text;
    at += sprintf(at, "{\"type\":\"record\",\"name\":\"Top\",\"fields\":[{\"name\":\"x\",\"type\":"
                      "[{\"type\":\"record\",\"name\":\"R0\",\"fields\":[]}");
    for (int i = 1; i < 20; i++) {
        at += sprintf(at, ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[", i);
        for (int j = 0; j < 10; j++)
            at += sprintf(at, "%s{\"name\":\"f%d\",\"type\":\"R%d\"}", j ? "," : "", j, i - 1);
        at += sprintf(at, "]}");
    }
    at += sprintf(at, "]}]}");
    struct avro_schema schema;
    struct error error;
    cr_assert_eq(avro_schema_parse(&schema, text, (size_t)(at - text), &error), STATUS_OK, "%s",
                 error.text);
    const struct avro_type *choice = schema.root->fields[0].type;
    cr_expect_eq(choice->branches[19]->static_size, 0);
    cr_expect_eq(choice->static_size, AVRO_SIZE_VARIES);
    avro_schema_fini(&schema);
    free(text);
}

Test(schema, names_are_looked_up_in_the_namespace_around_them)
{
    cr_expect(parses("{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":["
                     "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}},"
                     "{\"name\":\"y\",\"type\":\"F\"},{\"name\":\"z\",\"type\":\"a.F\"}]}"),
              "%s", problem);
    cr_expect(!parses("{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":["
                      "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"b.F\",\"size\":1}},"
                      "{\"name\":\"y\",\"type\":\"F\"}]}"));
}
