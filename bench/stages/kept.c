#include "stages/kept.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)4 << 20)
#define ID_MARK 4 /* bytes of an event id that tell the rounds apart */

void kept_init(struct kept *kept)
{
    *kept = (struct kept){0};
    arena_init(&kept->arena, BLOCK_BYTES);
}

void kept_fini(struct kept *kept)
{
    arena_fini(&kept->arena);
    free(kept->messages);
    *kept = (struct kept){0};
}

void kept_add(struct kept *kept, const struct record *record)
{
    if (kept->count == kept->room) {
        kept->room = kept->room ? kept->room * 2 : 4096;
        kept->messages = memory_resize(kept->messages, kept->room * sizeof *kept->messages);
    }
    uint8_t *bytes = arena_take(&kept->arena, record->key_size + record->value_size + 1);
    if (record->key_size)
        memcpy(bytes, record->key, record->key_size);
    if (record->value_size)
        memcpy(bytes + record->key_size, record->value, record->value_size);
    kept->messages[kept->count++] =
        (struct kept_message){.bytes = bytes,
                              .key_size = (uint32_t)record->key_size,
                              .value_size = (uint32_t)record->value_size,
                              .unit = record->unit,
                              .timestamp_ms = record->timestamp_ms};
}

void kept_reader_init(struct kept_reader *reader, struct kept *kept, uint32_t first_unit,
                      uint32_t unit_count)
{
    *reader = (struct kept_reader){.kept = kept, .first_unit = first_unit, .pass = kept->passes++};
    reader->next = memory_take_zeroed(unit_count + 1, sizeof *reader->next);
}

void kept_reader_fini(struct kept_reader *reader)
{
    free(reader->next);
    reader->next = NULL;
}

static void mark(uint8_t *id, unsigned pass)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < ID_MARK; i++, pass >>= 4)
        id[ID_MARK - 1 - i] = (uint8_t)digits[pass & 15];
}

static struct record hand_out(struct kept_reader *reader, struct kept_message *message)
{
    if (message->id_at && !reader->plain)
        mark(message->bytes + message->id_at, reader->pass);
    return (struct record){.unit = message->unit,
                           .offset = reader->next[message->unit - reader->first_unit]++,
                           .timestamp_ms = message->timestamp_ms,
                           .key = message->bytes,
                           .key_size = message->key_size,
                           .value = message->bytes + message->key_size,
                           .value_size = message->value_size};
}

size_t kept_take(struct kept_reader *reader, struct record *records, size_t room)
{
    struct kept *kept = reader->kept;
    size_t count = 0;
    while (count < room && count < kept->count) {
        records[count++] = hand_out(reader, &kept->messages[reader->at++]);
        if (reader->at < kept->count)
            continue;
        reader->at = 0;
        reader->pass = kept->passes++;
    }
    return count;
}
