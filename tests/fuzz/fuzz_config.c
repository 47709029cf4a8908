/* Any bytes as a configuration, and as the stored offsets of a zone: findings or values within
 * their limits. */
#include "agreement/agreement.h"
#include "config/config.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config;
    struct text_buffer messages = {0};
    enum status status = config_parse("folder/f", (const char *)data, size, &config, &messages);
    assert((status == STATUS_OK) == (config != NULL));
    if (config)
        assert(config->workers >= 1 && config->leads.memory_bytes > 0 && *config->topics.events);
    config_destroy(config);
    text_buffer_fini(&messages);
    struct baton_zone_offset *zone;
    uint32_t count;
    if (agreement_zone_read((const char *)data, size, &zone, &count) == STATUS_OK) {
        assert(count > 0 && zone[0].from_ms == INT64_MIN);
        free(zone);
    }
    return 0;
}
