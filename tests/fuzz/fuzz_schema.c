/* Schema texts: what is taken has a canonical form that is taken again and has the same
 * fingerprint, and any bytes can be read with it. */
#include "codec/avro_schema.h"
#include "codec/decoder.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_canonical(struct avro_schema *schema, struct arena *arena)
{
    uint64_t again = 0;
    struct error error;
    struct baton_text canonical = avro_schema_canonical(schema, arena);
    if (schema_fingerprint(canonical.data, canonical.size, &again, &error) != STATUS_OK ||
        again != avro_schema_fingerprint(schema))
        abort();
}

static void read_with(const char *text, size_t size, struct arena *arena)
{
    static const struct input_config config = {.ignore_key = true};
    uint8_t value[64] = {0, 0, 0, 0, 1, 2, 2, 2, 4, 'a', 'b', 1, 3};
    struct decoder *decoder;
    struct error error;
    struct baton_event event;
    struct decode_result result;
    struct message message = {.value = value, .value_size = sizeof value};
    if (decoder_create(&decoder, &config, &error) != STATUS_OK)
        abort();
    decoder_add_schema(decoder, (struct schema_key){SCHEMA_REGISTRY_ID, 1}, text, size);
    decoder_decode(decoder, &message, arena, &event, &result);
    decoder_destroy(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct avro_schema schema;
    struct error error;
    struct arena arena;
    arena_init(&arena, 4096);
    if (avro_schema_parse(&schema, (const char *)data, size, &error) == STATUS_OK) {
        check_canonical(&schema, &arena);
        avro_schema_fini(&schema);
        read_with((const char *)data, size, &arena);
    }
    arena_fini(&arena);
    return 0;
}
