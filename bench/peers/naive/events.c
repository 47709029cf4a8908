#include "events.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 3, SCHEMA_BYTES_MAX = 65536, FRAME_BYTES = 5 };

static const struct {
    const char *file;
    int points;
} kinds[KINDS] = {{"Visit.avsc", 1}, {"Click.avsc", 3}, {"FormFill.avsc", 10}};

struct events {
    avro_reader_t reader;
    struct {
        avro_schema_t schema;
        avro_value_iface_t *class;
        avro_value_t value, id, lead;
    } kind[KINDS];
};

static int read_schema(const char *folder, const char *file, avro_schema_t *schema)
{
    char path[4096], text[SCHEMA_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "r");
    if (!in)
        return perror(path), -1;
    size_t size = fread(text, 1, sizeof text, in);
    (void)fclose(in);
    if (avro_schema_from_json_length(text, size, schema) != 0)
        return fprintf(stderr, "%s: %s\n", path, avro_strerror()), -1;
    return 0;
}

static int open_kind(struct events *events, int i, const char *folder)
{
    if (read_schema(folder, kinds[i].file, &events->kind[i].schema) != 0)
        return -1;
    events->kind[i].class = avro_generic_class_from_schema(events->kind[i].schema);
    avro_value_t *value = &events->kind[i].value;
    if (!events->kind[i].class || avro_generic_value_new(events->kind[i].class, value) != 0 ||
        avro_value_get_by_name(value, "event_id", &events->kind[i].id, NULL) != 0 ||
        avro_value_get_by_name(value, "lead_id", &events->kind[i].lead, NULL) != 0)
        return fprintf(stderr, "%s: %s\n", kinds[i].file, avro_strerror()), -1;
    return 0;
}

struct events *events_open(const char *schemas)
{
    struct events *events = calloc(1, sizeof *events);
    if (!events)
        return NULL;
    events->reader = avro_reader_memory("", 0);
    for (int i = 0; i < KINDS; i++)
        if (open_kind(events, i, schemas) != 0)
            return events_close(events), NULL;
    return events;
}

void events_close(struct events *events)
{
    for (int i = 0; i < KINDS; i++) {
        if (events->kind[i].value.self)
            avro_value_decref(&events->kind[i].value);
        if (events->kind[i].class)
            avro_value_iface_decref(events->kind[i].class);
        if (events->kind[i].schema)
            avro_schema_decref(events->kind[i].schema);
    }
    avro_reader_free(events->reader);
    free(events);
}

int events_read(struct events *events, const uint8_t *bytes, size_t size, struct event *event)
{
    if (size < FRAME_BYTES || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 0 || bytes[3] != 0 ||
        bytes[4] < 1 || bytes[4] > KINDS)
        return -1;
    int i = bytes[4] - 1;
    avro_reader_memory_set_source(events->reader, (const char *)bytes + FRAME_BYTES,
                                  (int64_t)(size - FRAME_BYTES));
    size_t id_size; /* counts the NUL, as the lead's does */
    if (avro_value_read(events->reader, &events->kind[i].value) != 0 ||
        avro_value_get_string(&events->kind[i].id, &event->id, &id_size) != 0 ||
        avro_value_get_string(&events->kind[i].lead, &event->lead, &event->lead_size) != 0)
        return -1;
    event->lead_size--;
    event->points = kinds[i].points;
    return event->lead_size ? 0 : -1;
}
