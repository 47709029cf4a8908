/* Message values of any framing; those of the registry framing under schemas that use every
 * operation of a plan. */
#include "codec/decoder.h"

#include <stdlib.h>
#include <string.h>

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }

/* clang-format off */
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define MAP(values) "{\"type\":\"map\",\"values\":" values "}"
#define LIST(items) "{\"type\":\"array\",\"items\":" items "}"
#define SCALARS "[\"null\",\"string\",\"int\",\"double\",\"boolean\",\"bytes\"," LIST("\"null\"") "]"
#define IDS                                                                                        \
    FIELD("event_id", "\"string\"") "," FIELD("lead_id", "[\"null\",\"string\"]") ","              \
    FIELD("time", "[\"long\",\"string\"]")

static const char *const schemas[] = {
    RECORD("Visit",
           IDS "," FIELD("url", "[\"null\",\"string\"]") "," FIELD("page", "\"bytes\"")),
    RECORD("FormFill",
           IDS "," FIELD("fields", MAP(SCALARS))),
    RECORD("FormFill",
           IDS "," FIELD("fields", "[\"null\","
               LIST(RECORD("P", FIELD("name", SCALARS) "," FIELD("value", SCALARS) ","
                                FIELD("n", "\"long\"")))
               ",\"string\"]")),
    RECORD("Profile",
           FIELD("x", SCALARS) "," IDS "," FIELD("age", "\"int\"") "," FIELD("consent", SCALARS) ","
           FIELD("properties", MAP("\"float\""))),
    "[\"null\","
    RECORD("Email",
           IDS "," FIELD("action", "{\"type\":\"enum\",\"name\":\"A\","
                                   "\"symbols\":[\"sent\",\"opened\"]}"))
    ","
    RECORD("L",
           FIELD("next", "[\"null\",\"L\"]") ","
           FIELD("page", "[\"null\"," RECORD("Q", FIELD("url", SCALARS)) "]") ","
           FIELD("utm", MAP(SCALARS)) "," IDS)
    "]",
};
/* clang-format on */

static const struct name_pair fields[] = {{T("page.url"), T("url")},
                                          {T("utm.campaign"), T("campaign")}};
static const struct input_config config = {
    .max_ahead_ms = 300000, .fields = fields, .field_count = 2, .kind_field = T("kind")};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct decoder *make(void)
{
    struct decoder *decoder;
    struct error error;
    if (decoder_create(&decoder, &config, &error) != STATUS_OK)
        abort();
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        decoder_add_schema(decoder, (struct schema_key){SCHEMA_REGISTRY_ID, i}, schemas[i],
                           strlen(schemas[i]));
    return decoder;
}

/* An event lies within its limits and points at bytes that are there. */
static void check_event(const struct baton_event *event)
{
    volatile unsigned sum = 0;
    if (event->event_id.size > BATON_ID_MAX || event->lead_id.size > BATON_ID_MAX)
        abort();
    for (int i = 0; i < BATON_EVENT_FIELDS; i++) {
        if (event->fields[i].size > BATON_TEXT_MAX)
            abort();
        for (uint32_t b = 0; b < event->fields[i].size; b++)
            sum += (unsigned char)event->fields[i].data[b];
    }
    for (uint32_t i = 0; i < event->update_count; i++)
        if (event->updates[i].value.size > BATON_TEXT_MAX)
            abort();
}

/* First byte: registry framing with the schema of that number, or the value as it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *decoder;
    struct baton_event event;
    struct decode_result result;
    struct arena arena;
    if (!size)
        return 0;
    if (!decoder)
        decoder = make();
    bool framed = data[0] < 8;
    size_t extra = framed ? 5 : 0;
    uint8_t *value = calloc(1, size + 5);
    value[4] = data[0];
    memcpy(value + extra, data + 1, size - 1);
    struct message message = {.key = (const uint8_t *)"l1",
                              .key_size = 2,
                              .value = value,
                              .value_size = size - 1 + extra,
                              .timestamp_ms = 1793534400000};
    arena_init(&arena, 4096);
    decoder_decode(decoder, &message, &arena, &event, &result);
    if (result.outcome == DECODED)
        check_event(&event);
    arena_fini(&arena);
    free(value);
    return 0;
}
