#include "codec/decoder.h"
#include "codec/embedded.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"Adjust",    "Breach",   "Click",       "DeadLetter", "Email",
                                    "Erase",     "Feedback", "FormFill",    "Merge",      "Profile",
                                    "Promotion", "Spend",    "StageChange", "Visit"};

static json_t *load(const char *name)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/schemas/%s.avsc", BATON_SOURCE_DIR, name);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    cr_assert(root, "%s: %s", path, error.text);
    return root;
}

static bool is_type(const json_t *type, const char *name)
{
    if (json_is_object(type))
        type = json_object_get(type, "type");
    return json_is_string(type) && strcmp(json_string_value(type), name) == 0;
}

static bool says_something(const json_t *described)
{
    const char *doc = json_string_value(json_object_get(described, "doc"));
    return doc && strlen(doc) > 5;
}

static void check_record(const json_t *record);

static void check_field(const char *record, const json_t *field)
{
    const char *name = json_string_value(json_object_get(field, "name"));
    const json_t *type = json_object_get(field, "type");
    cr_assert(name && type && says_something(field), "%s.%s says nothing", record, name);
    if (json_is_array(type)) {
        cr_assert(json_array_size(type) == 2 && is_type(json_array_get(type, 0), "null"),
                  "%s.%s: null comes first", record, name);
        cr_assert(json_is_null(json_object_get(field, "default")), "%s.%s: default null", record,
                  name);
        if (is_type(json_array_get(type, 1), "record"))
            check_record(json_array_get(type, 1));
    } else {
        const json_t *empty = json_object_get(field, "default");
        cr_assert(!empty || (is_type(type, "array") && json_is_array(empty) &&
                             json_array_size(empty) == 0),
                  "%s.%s: the default of a list is an empty one", record, name);
    }
    if (strcmp(name, "time") == 0)
        cr_assert_str_eq(json_string_value(json_object_get(type, "logicalType")),
                         "timestamp-millis");
    if (is_type(type, "array") && is_type(json_object_get(type, "items"), "record"))
        check_record(json_object_get(type, "items"));
}

static void check_record(const json_t *record)
{
    size_t index;
    json_t *field;
    const char *name = json_string_value(json_object_get(record, "name"));
    cr_assert(says_something(record), "%s says nothing", name);
    json_array_foreach(json_object_get(record, "fields"), index, field) check_field(name, field);
    cr_assert(index > 0);
}

Test(schemas, every_field_is_described_and_optional_ones_default_to_null)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *root = load(names[i]);
        cr_assert_str_eq(json_string_value(json_object_get(root, "name")), names[i]);
        cr_assert_str_eq(json_string_value(json_object_get(root, "namespace")), "baton");
        check_record(root);
        json_decref(root);
    }
}

Test(schemas, travel_in_the_program_as_they_stand_in_the_folder)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[64], path[512], text[65536];
        snprintf(file, sizeof file, "%s.avsc", names[i]);
        snprintf(path, sizeof path, "%s/schemas/%s", BATON_SOURCE_DIR, file);
        FILE *stream = fopen(path, "rb");
        size_t size = fread(text, 1, sizeof text, stream);
        fclose(stream);
        const struct embedded_text *embedded = embedded_find(file);
        cr_assert(embedded && embedded->size == size && memcmp(embedded->text, text, size) == 0,
                  "%s", file);
        cr_assert_eq(embedded->text[size], 0);
    }
    cr_assert(!embedded_find("Nobody.avsc"));
}

Test(schemas, each_has_a_fingerprint_of_its_own)
{
    uint64_t prints[sizeof names / sizeof *names];
    struct error error;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.avsc", names[i]);
        const struct embedded_text *text = embedded_find(file);
        cr_assert_eq(schema_fingerprint(text->text, text->size, &prints[i], &error), STATUS_OK,
                     "%s: %s", file, error.text);
        for (size_t j = 0; j < i; j++)
            cr_assert(prints[j] != prints[i], "%s and %s", names[i], names[j]);
    }
}

static const json_t *field_at(const json_t *root, size_t index)
{
    return json_array_get(json_object_get(root, "fields"), index);
}

Test(schemas, a_promotion_is_a_stage_change_and_more)
{
    json_t *change = load("StageChange"), *promotion = load("Promotion");
    size_t count = json_array_size(json_object_get(change, "fields")), i = 0;
    bool offset = false; /* up to there: what follows is of other changes */
    for (; i < count && !offset; i++) {
        const char *name = json_string_value(json_object_get(field_at(change, i), "name"));
        offset = strcmp(name, "offset") == 0;
        cr_assert(json_equal(field_at(change, i), field_at(promotion, i)), "field %zu", i);
    }
    cr_assert(offset);
    json_decref(change);
    json_decref(promotion);
}

Test(schemas, dead_letters_list_every_reason)
{
    json_t *root = load("DeadLetter");
    char *text = json_dumps(root, JSON_COMPACT);
    for (int reason = 1; reason < DEAD_REASONS; reason++)
        cr_assert(strstr(text, dead_reason_name((enum dead_reason)reason)), "%s",
                  dead_reason_name((enum dead_reason)reason));
    free(text);
    json_decref(root);
}
