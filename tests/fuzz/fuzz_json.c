/* JSON messages under a mapping that uses everything. */
#include "codec/decoder.h"

#include <stdlib.h>
#include <string.h>

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }

static const struct name_pair fields[] = {
    {T("ts"), T("time")}, {T("page.url"), T("url")}, {T("a.b.c"), T("fields")}};
static const struct name_pair kinds[] = {{T("form_submit"), T("form_fill")}};
static const struct name_pair form[] = {{T("mail"), T("email")}, {T("plan"), T("properties.plan")}};
static const struct input_config config = {.lead_id_from_key = true,
                                           .max_ahead_ms = 300000,
                                           .fields = fields,
                                           .field_count = 3,
                                           .kind_field = T("type"),
                                           .kinds = kinds,
                                           .kind_count = 1,
                                           .form_profile = FORM_PROFILE_MAPPED,
                                           .form_fields = form,
                                           .form_field_count = 2};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *decoder;
    struct error error;
    struct baton_event event;
    struct decode_result result;
    struct arena arena;
    if (!decoder && decoder_create(&decoder, &config, &error) != STATUS_OK)
        abort();
    /* Always an object's beginning, so that no time is lost on other framings. */
    uint8_t *value = malloc(size + 1);
    value[0] = '{';
    if (size)
        memcpy(value + 1, data, size);
    struct message message = {.key = (const uint8_t *)"l",
                              .key_size = 1,
                              .value = value,
                              .value_size = size + 1,
                              .timestamp_ms = 1793534400000};
    arena_init(&arena, 4096);
    decoder_decode(decoder, &message, &arena, &event, &result);
    arena_fini(&arena);
    free(value);
    return 0;
}
