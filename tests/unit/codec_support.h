/* Making messages and reading them, for the tests of the codec. */
#ifndef TESTS_UNIT_CODEC_SUPPORT_H
#define TESTS_UNIT_CODEC_SUPPORT_H

#include "base/bytes.h"
#include "codec/decoder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOON INT64_C(1793534400000) /* 2026-11-01T12:00:00Z */

static inline struct baton_text as_text(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static inline bool text_is(struct baton_text text, const char *wanted)
{
    return text.size == strlen(wanted) && (!text.size || !memcmp(text.data, wanted, text.size));
}

#define cr_text(text, wanted)                                                                      \
    do {                                                                                           \
        struct baton_text text_ = (text);                                                          \
        cr_expect(text_is(text_, wanted), "%s is '%.*s', not '%s'", #text, (int)text_.size,        \
                  text_.data, wanted);                                                             \
    } while (0)

/* A decoder with all that one message needs. */
struct bench {
    struct input_config config;
    struct decoder *decoder;
    struct arena arena;
    struct baton_event event;
    struct decode_result result;
    const char *key; /* of the messages to come; NULL: none */
    int64_t timestamp_ms;
};

static inline void bench_init(struct bench *bench, const struct input_config *config)
{
    struct error error;
    memset(bench, 0, sizeof *bench);
    if (config)
        bench->config = *config;
    else
        bench->config.max_ahead_ms = 300000;
    bench->key = "l1";
    bench->timestamp_ms = NOON;
    arena_init(&bench->arena, 4096);
    cr_assert_eq(decoder_create(&bench->decoder, &bench->config, &error), STATUS_OK, "%s",
                 error.text);
}

static inline void bench_fini(struct bench *bench)
{
    decoder_destroy(bench->decoder);
    arena_fini(&bench->arena);
}

/* The value is copied to a block of its own size, so that a sanitizer sees every byte too far. */
static inline enum decode_outcome bench_decode(struct bench *bench, const void *value, size_t size)
{
    uint8_t *copy = arena_copy(&bench->arena, value, size);
    struct message message = {.key = (const uint8_t *)bench->key,
                              .key_size = bench->key ? strlen(bench->key) : 0,
                              .value = copy,
                              .value_size = size,
                              .timestamp_ms = bench->timestamp_ms,
                              .offset = 7};
    decoder_decode(bench->decoder, &message, &bench->arena, &bench->event, &bench->result);
    return bench->result.outcome;
}

static inline enum decode_outcome bench_json(struct bench *bench, const char *text)
{
    return bench_decode(bench, text, strlen(text));
}

/* The name of the reason, or "" for an event. */
static inline const char *bench_verdict(const struct bench *bench)
{
    if (bench->result.outcome == DECODED)
        return "";
    if (bench->result.outcome == DECODE_NEEDS_SCHEMA)
        return "needs_schema";
    return dead_reason_name(bench->result.reason);
}

#define cr_json(bench, text, verdict)                                                              \
    do {                                                                                           \
        (void)bench_json(bench, text);                                                             \
        cr_expect_str_eq(bench_verdict(bench), verdict, "%s: %s, not %s", text,                    \
                         bench_verdict(bench), verdict);                                           \
    } while (0)

/* Avro bytes, written by hand. */
struct avro_bytes {
    uint8_t bytes[8192];
    uint8_t *at;
};

static inline void put_registry(struct avro_bytes *out, uint32_t id)
{
    out->at = out->bytes;
    *out->at++ = 0;
    for (int shift = 24; shift >= 0; shift -= 8)
        *out->at++ = (uint8_t)(id >> shift);
}

static inline void put_long(struct avro_bytes *out, int64_t value)
{
    out->at = bytes_put_zigzag(out->at, value);
}

static inline void put_text(struct avro_bytes *out, const char *text)
{
    put_long(out, (int64_t)strlen(text));
    out->at = bytes_put(out->at, text, strlen(text));
}

static inline void put_double(struct avro_bytes *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    out->at = bytes_put_u64_le(out->at, bits);
}

static inline enum decode_outcome bench_avro(struct bench *bench, const struct avro_bytes *bytes)
{
    return bench_decode(bench, bytes->bytes, (size_t)(bytes->at - bytes->bytes));
}

static inline void bench_schema(struct bench *bench, uint32_t id, const char *text)
{
    decoder_add_schema(bench->decoder, (struct schema_key){SCHEMA_REGISTRY_ID, id}, text,
                       strlen(text));
}

static inline char *read_whole_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    char *text = calloc(1, 65536);
    (void)!fread(text, 1, 65535, file);
    (void)fclose(file);
    return text;
}

#endif
