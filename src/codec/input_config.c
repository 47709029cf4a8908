#include "codec/decoder.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text_buffer.h"
#include "codec/limits.h"

static void add_number(struct text_buffer *out, uint64_t value)
{
    uint8_t bytes[8];
    (void)bytes_put_u64_le(bytes, value);
    text_buffer_add(out, bytes, sizeof bytes);
}

static void add_text(struct text_buffer *out, struct baton_text text)
{
    add_number(out, text.size);
    text_buffer_add(out, text.data, text.size);
}

static void add_pairs(struct text_buffer *out, const struct name_pair *pairs, size_t count)
{
    add_number(out, count);
    for (size_t i = 0; i < count; i++) {
        add_text(out, pairs[i].from);
        add_text(out, pairs[i].to);
    }
}

uint64_t input_config_hash(const struct input_config *config)
{
    static const uint64_t limits[] = {DECODER_VERSION,        MESSAGE_BYTES_MAX, DECODE_DEPTH_MAX,
                                      DECODE_ITEMS_MAX,       SCHEMA_BYTES_MAX,  SCHEMA_DEPTH_MAX,
                                      SCHEMA_NAMED_TYPES_MAX, SCHEMA_FIXED_MAX,  BATON_ID_MAX,
                                      BATON_TEXT_MAX};
    struct text_buffer out;
    text_buffer_init(&out);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        add_number(&out, limits[i]);
    add_number(&out, config->lead_id_from_key);
    add_number(&out, config->ignore_key);
    add_number(&out, (uint64_t)config->max_ahead_ms);
    add_pairs(&out, config->fields, config->field_count);
    add_text(&out, config->kind_field);
    add_pairs(&out, config->kinds, config->kind_count);
    add_number(&out, (uint64_t)config->form_profile);
    if (config->form_profile == FORM_PROFILE_MAPPED)
        add_pairs(&out, config->form_fields, config->form_field_count);
    uint64_t hash = hash64(out.data, out.size, 0);
    text_buffer_fini(&out);
    return hash;
}
