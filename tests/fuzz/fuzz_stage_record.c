/* Records of the stages topic, as a rebuild reads them back: in each framing, and as they come. */
#include "codec/embedded.h"
#include "codec/outgoing.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const uint8_t *prefix, size_t prefix_size, const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error error;
    struct stage_record record;
    uint8_t *value = malloc(prefix_size + size + 1); /* never of no bytes, so never NULL */
    memcpy(value, prefix, prefix_size);
    if (size)
        memcpy(value + prefix_size, data, size);
    arena_init(&arena, 4096);
    if (stage_record_read(value, prefix_size + size, &arena, &record, &error) == STATUS_OK &&
        (!record.lead_id.size || record.lead_id.size > BATON_ID_MAX || !record.generation ||
         record.stage >= BATON_STAGES || record.time_ms < 0 || record.offset < 0))
        abort();
    arena_fini(&arena);
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t single_object[10] = {0xc3, 0x01};
    static bool ready;
    if (!ready) {
        const struct embedded_text *schema = embedded_find("StageChange.avsc");
        struct error error;
        uint64_t print = 0;
        if (schema_fingerprint(schema->text, schema->size, &print, &error) != STATUS_OK)
            abort();
        for (int i = 0; i < 8; i++)
            single_object[2 + i] = (uint8_t)(print >> (8 * i));
        ready = true;
    }
    read_one(single_object, sizeof single_object, data, size);
    read_one((const uint8_t *)"\0\0\0\0\1", 5, data, size);
    read_one((const uint8_t *)"{\"lead_id\":\"l\",", 15, data, size);
    read_one((const uint8_t *)"", 0, data, size);
    return 0;
}
