#include "codec/avro_schema.h"
#include "codec/crc64.h"
#include "codec_support.h"

/* The test vectors of the Avro project (share/test/data/schema-tests.txt). */
static const struct {
    const char *input, *canonical;
    int64_t fingerprint; /* 0: none published */
} vectors[] = {
    {"\"null\"", "\"null\"", 7195948357588979594},
    {"{\"type\":\"null\"}", "\"null\"", 7195948357588979594},
    {"\"boolean\"", "\"boolean\"", -6970731678124411036},
    {"{\"type\":\"boolean\"}", "\"boolean\"", 0},
    {"\"int\"", "\"int\"", 8247732601305521295},
    {"{\"type\":\"int\"}", "\"int\"", 0},
    {"\"long\"", "\"long\"", -3434872931120570953},
    {"{\"type\":\"long\"}", "\"long\"", 0},
    {"\"float\"", "\"float\"", 5583340709985441680},
    {"{\"type\":\"float\"}", "\"float\"", 0},
    {"\"double\"", "\"double\"", -8181574048448539266},
    {"{\"type\":\"double\"}", "\"double\"", 0},
    {"\"bytes\"", "\"bytes\"", 5746618253357095269},
    {"{\"type\":\"bytes\"}", "\"bytes\"", 0},
    {"\"string\"", "\"string\"", -8142146995180207161},
    {"{\"type\":\"string\"}", "\"string\"", 0},
    {"[  ]", "[]", -1241056759729112623},
    {"[ \"int\"  ]", "[\"int\"]", -5232228896498058493},
    {"[ \"int\" , {\"type\":\"boolean\"} ]", "[\"int\",\"boolean\"]", 5392556393470105090},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"namespace\":\"x.y\"}",
     "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", 5916914534497305771},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"a.b.foo\", \"namespace\":\"x.y\"}",
     "{\"name\":\"a.b.foo\",\"type\":\"record\",\"fields\":[]}", -4616218487480524110},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"doc\":\"Useful info\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"aliases\":[\"foo\",\"bar\"]}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"doc\":\"foo\", "
     "\"aliases\":[\"foo\",\"bar\"]}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
    {"{\"fields\":[{\"type\":{\"type\":\"boolean\"}, \"name\":\"f1\"}], \"type\":\"record\", "
     "\"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"}]}",
     7843277075252814651},
    {"{ \"fields\":[{\"type\":\"boolean\", \"aliases\":[], \"name\":\"f1\", \"default\":\"true\"},"
     "{\"order\":\"descending\",\"name\":\"f2\",\"doc\":\"Hello\",\"type\":\"int\"}],"
     "\"type\":\"record\", \"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"},"
     "{\"name\":\"f2\",\"type\":\"int\"}]}",
     -4860222112080293046},
    {"{\"type\":\"enum\", \"name\":\"foo\", \"symbols\":[\"A1\"]}",
     "{\"name\":\"foo\",\"type\":\"enum\",\"symbols\":[\"A1\"]}", -6342190197741309591},
    {"{\"namespace\":\"x.y.z\", \"type\":\"enum\", \"name\":\"foo\", \"doc\":\"foo bar\", "
     "\"symbols\":[\"A1\", \"A2\"]}",
     "{\"name\":\"x.y.z.foo\",\"type\":\"enum\",\"symbols\":[\"A1\",\"A2\"]}",
     -4448647247586288245},
    {"{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}",
     "{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}", 1756455273707447556},
    {"{\"namespace\":\"x.y.z\", \"type\":\"fixed\", \"name\":\"foo\", \"doc\":\"foo bar\", "
     "\"size\":32}",
     "{\"name\":\"x.y.z.foo\",\"type\":\"fixed\",\"size\":32}", -3064184465700546786},
    {"{ \"items\":{\"type\":\"null\"}, \"type\":\"array\"}",
     "{\"type\":\"array\",\"items\":\"null\"}", -589620603366471059},
    {"{ \"values\":\"string\", \"type\":\"map\"}", "{\"type\":\"map\",\"values\":\"string\"}",
     -8732877298790414990},
    {"{\"name\":\"PigValue\",\"type\":\"record\",\"fields\":[{\"name\":\"value\", "
     "\"type\":[\"null\", \"int\", \"long\", \"PigValue\"]}]}",
     "{\"name\":\"PigValue\",\"type\":\"record\",\"fields\":[{\"name\":\"value\",\"type\":"
     "[\"null\",\"int\",\"long\",\"PigValue\"]}]}",
     -1759257747318642341},
};

static void check_vector(const char *input, const char *canonical, int64_t fingerprint)
{
    struct avro_schema schema;
    struct error error;
    struct arena arena;
    arena_init(&arena, 4096);
    cr_assert_eq(avro_schema_parse(&schema, input, strlen(input), &error), STATUS_OK, "%s: %s",
                 input, error.text);
    cr_text(avro_schema_canonical(&schema, &arena), canonical);
    /* A second time, as the walk leaves marks in the tree. */
    cr_text(avro_schema_canonical(&schema, &arena), canonical);
    if (fingerprint)
        cr_expect_eq((int64_t)avro_schema_fingerprint(&schema), fingerprint, "%s", input);
    avro_schema_fini(&schema);
    arena_fini(&arena);
}

Test(canonical, the_published_vectors_hold)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check_vector(vectors[i].input, vectors[i].canonical, vectors[i].fingerprint);
}

Test(canonical, a_type_is_written_out_where_it_is_first_named_and_by_its_full_name)
{
    check_vector(
        "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":["
        "{\"name\":\"x\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"S\"]}},"
        "{\"name\":\"y\",\"type\":\"E\"},{\"name\":\"z\",\"type\":[\"null\",\"a.E\"]},"
        "{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}]}",
        "{\"name\":\"a.R\",\"type\":\"record\",\"fields\":["
        "{\"name\":\"x\",\"type\":{\"name\":\"a.E\",\"type\":\"enum\",\"symbols\":[\"S\"]}},"
        "{\"name\":\"y\",\"type\":\"a.E\"},{\"name\":\"z\",\"type\":[\"null\",\"a.E\"]},"
        "{\"name\":\"t\",\"type\":\"long\"}]}",
        0);
}

Test(canonical, a_record_in_another_namespace_gives_it_to_what_it_holds)
{
    check_vector("{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a.b\",\"fields\":["
                 "{\"name\":\"x\",\"type\":{\"type\":\"record\",\"name\":\"c.S\",\"fields\":["
                 "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}}]}},"
                 "{\"name\":\"n\",\"type\":{\"type\":\"fixed\",\"name\":\"G\",\"namespace\":\"\","
                 "\"size\":1}}]}",
                 "{\"name\":\"a.b.R\",\"type\":\"record\",\"fields\":["
                 "{\"name\":\"x\",\"type\":{\"name\":\"c.S\",\"type\":\"record\",\"fields\":["
                 "{\"name\":\"f\",\"type\":{\"name\":\"c.F\",\"type\":\"fixed\",\"size\":2}}]}},"
                 "{\"name\":\"n\",\"type\":{\"name\":\"G\",\"type\":\"fixed\",\"size\":1}}]}",
                 0);
}

Test(crc64, the_empty_text_has_the_published_value)
{
    cr_expect_eq(crc64_avro("", 0), UINT64_C(0xc15d213aa4d7a795));
}

Test(canonical, schema_fingerprint_tells_a_text_that_is_no_schema)
{
    uint64_t fingerprint = 0;
    struct error error;
    cr_expect_eq(schema_fingerprint("\"int\"", 5, &fingerprint, &error), STATUS_OK);
    cr_expect_eq(fingerprint, UINT64_C(8247732601305521295));
    cr_expect_eq(schema_fingerprint("int", 3, &fingerprint, &error), STATUS_REJECT);
}
