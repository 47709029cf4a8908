#include "codec/avro_schema.h"

#include "codec/limits.h"
#include "codec/raw_event.h"

#include <jansson.h>

struct parse {
    struct avro_schema *schema;
    struct error *error;
    unsigned depth;
};

static const char *const code_names[] = {"null",   "boolean", "int",    "long",   "float",
                                         "double", "bytes",   "string", "record", "enum",
                                         "fixed",  "array",   "map",    "union"};

const char *avro_code_name(enum avro_code code)
{
    return code_names[code];
}

#define REFUSE(parse, ...) (error_set((parse)->error, STATUS_REJECT, __VA_ARGS__), NULL)

static struct avro_type *parse_type(struct parse *parse, const json_t *json,
                                    struct baton_text space);

static struct baton_text copy_text(struct parse *parse, const json_t *string)
{
    size_t size = json_string_length(string);
    return (struct baton_text){arena_copy(&parse->schema->arena, json_string_value(string), size),
                               (uint32_t)size};
}

static struct avro_type *new_type(struct parse *parse, enum avro_code code)
{
    struct avro_type *type = arena_take(&parse->schema->arena, sizeof *type);
    *type = (struct avro_type){.code = code, .static_size = AVRO_SIZE_VARIES};
    return type;
}

/* ---- names
 * ---------------------------------------------------------------------------------------- */

struct baton_text avro_short_name(struct baton_text name)
{
    const char *dot = name.size ? memrchr(name.data, '.', name.size) : NULL;
    if (!dot)
        return name;
    return (struct baton_text){dot + 1, (uint32_t)(name.data + name.size - dot - 1)};
}

static struct baton_text namespace_of(struct baton_text name)
{
    struct baton_text last = avro_short_name(name);
    return (struct baton_text){name.data, last.size == name.size ? 0 : name.size - last.size - 1};
}

static bool is_name(struct baton_text text, bool dots)
{
    bool start = true;
    for (uint32_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (dots && c == '.' && !start)
            start = true;
        else if (letter || (!start && c >= '0' && c <= '9'))
            start = false;
        else
            return false;
    }
    return !start;
}

static struct baton_text full_name(struct parse *parse, struct baton_text name,
                                   struct baton_text space)
{
    if (!space.size || memchr(name.data, '.', name.size))
        return name;
    char *full = arena_take(&parse->schema->arena, (size_t)space.size + 1 + name.size);
    memcpy(full, space.data, space.size);
    full[space.size] = '.';
    memcpy(full + space.size + 1, name.data, name.size);
    return (struct baton_text){full, space.size + 1 + name.size};
}

static int primitive_of(struct baton_text name)
{
    for (int code = 0; code < AVRO_CODE_PRIMITIVES; code++)
        if (text_equal(name, text_from(code_names[code])))
            return code;
    return -1;
}

static struct avro_type *find_named(const struct parse *parse, struct baton_text name)
{
    for (uint32_t i = 0; i < parse->schema->named_count; i++)
        if (text_equal(parse->schema->named[i]->name, name))
            return parse->schema->named[i];
    return NULL;
}

static struct avro_type *refer(struct parse *parse, struct baton_text name, struct baton_text space)
{
    int primitive = primitive_of(name);
    if (primitive >= 0)
        return new_type(parse, (enum avro_code)primitive);
    struct avro_type *type = find_named(parse, full_name(parse, name, space));
    /* A name without a namespace may also mean one that has none. */
    if (!type)
        type = find_named(parse, name);
    if (!type)
        return REFUSE(parse, "the type '%.*s' is not defined (before it is used)",
                      (int)(name.size > 100 ? 100 : name.size), name.data);
    return type;
}

static bool read_aliases(struct parse *parse, const json_t *json, struct baton_text space,
                         struct baton_text **aliases, uint32_t *count)
{
    const json_t *list = json_object_get(json, "aliases");
    if (list && !json_is_array(list))
        return REFUSE(parse, "`aliases` is not a list of names");
    size_t size = json_array_size(list);
    *aliases = arena_take(&parse->schema->arena, size * sizeof **aliases);
    for (size_t i = 0; i < size; i++) {
        const json_t *alias = json_array_get(list, i);
        if (!json_is_string(alias))
            return REFUSE(parse, "`aliases` is not a list of names");
        (*aliases)[i] = full_name(parse, copy_text(parse, alias), space);
    }
    *count = (uint32_t)size;
    return true;
}

/* A new record, enum or fixed under its full name. */
static struct avro_type *define(struct parse *parse, const json_t *json, enum avro_code code,
                                struct baton_text space)
{
    const json_t *name_json = json_object_get(json, "name");
    const json_t *space_json = json_object_get(json, "namespace");
    if (!json_is_string(name_json) || (space_json && !json_is_string(space_json)))
        return REFUSE(parse, "%s %s without a name, or with one that is not a text",
                      code == AVRO_CODE_ENUM ? "an" : "a", code_names[code]);
    struct baton_text name = copy_text(parse, name_json);
    if (space_json)
        space = copy_text(parse, space_json);
    if (!is_name(name, true) || (space.size && !is_name(space, true)))
        return REFUSE(parse, "'%.100s' is not a name for a type", json_string_value(name_json));
    struct avro_type *type = new_type(parse, code);
    type->name = full_name(parse, name, space);
    if (primitive_of(avro_short_name(type->name)) >= 0 || find_named(parse, type->name))
        return REFUSE(parse, "the type '%.*s' is defined twice",
                      (int)(type->name.size > 100 ? 100 : type->name.size), type->name.data);
    if (parse->schema->named_count == SCHEMA_NAMED_TYPES_MAX)
        return REFUSE(parse, "more than %d named types", SCHEMA_NAMED_TYPES_MAX);
    parse->schema->named[parse->schema->named_count++] = type;
    struct baton_text inner = namespace_of(type->name);
    return read_aliases(parse, json, inner, &type->aliases, &type->alias_count) ? type : NULL;
}

/* ---- the kinds of types
 * --------------------------------------------------------------------------- */

static bool unique_names(struct parse *parse, const char *what, struct raw_entries *names)
{
    if (!raw_entries_repeat(names, &parse->schema->arena, false))
        return true;
    return REFUSE(parse, "a name stands twice among the %s of a type", what);
}

static bool parse_field(struct parse *parse, const json_t *json, struct baton_text space,
                        struct avro_field *field)
{
    const json_t *name = json_object_get(json, "name"), *type = json_object_get(json, "type");
    if (!json_is_string(name) || !type)
        return REFUSE(parse, "a field without name or type");
    field->name = copy_text(parse, name);
    if (!is_name(field->name, false))
        return REFUSE(parse, "'%.100s' is not a name for a field", json_string_value(name));
    struct baton_text *aliases;
    if (!read_aliases(parse, json, (struct baton_text){0}, &aliases, &field->alias_count))
        return false;
    field->aliases = aliases;
    field->type = parse_type(parse, type, space);
    return field->type != NULL;
}

static struct avro_type *parse_record(struct parse *parse, const json_t *json,
                                      struct baton_text space)
{
    struct avro_type *type = define(parse, json, AVRO_CODE_RECORD, space);
    const json_t *fields = json_object_get(json, "fields");
    if (!type)
        return NULL;
    if (!json_is_array(fields))
        return REFUSE(parse, "a record without a list of fields");
    size_t count = json_array_size(fields);
    struct avro_field *list = arena_take(&parse->schema->arena, count * sizeof *list);
    struct raw_entries names = {0};
    for (size_t i = 0; i < count; i++) {
        if (!parse_field(parse, json_array_get(fields, i), namespace_of(type->name), &list[i]))
            return NULL;
        raw_entries_add(&names, &parse->schema->arena, list[i].name, (struct baton_text){0});
    }
    /* Only now: a type that refers to itself must not see a list that is still being made. */
    type->fields = list;
    type->count = (uint32_t)count;
    return unique_names(parse, "fields", &names) ? type : NULL;
}

static struct avro_type *parse_enum(struct parse *parse, const json_t *json,
                                    struct baton_text space)
{
    struct avro_type *type = define(parse, json, AVRO_CODE_ENUM, space);
    const json_t *symbols = json_object_get(json, "symbols");
    if (!type)
        return NULL;
    if (!json_is_array(symbols))
        return REFUSE(parse, "an enum without a list of symbols");
    size_t count = json_array_size(symbols);
    struct raw_entries names = {0};
    type->symbols = arena_take(&parse->schema->arena, count * sizeof *type->symbols);
    for (size_t i = 0; i < count; i++) {
        const json_t *symbol = json_array_get(symbols, i);
        type->symbols[i] =
            json_is_string(symbol) ? copy_text(parse, symbol) : (struct baton_text){0};
        if (!is_name(type->symbols[i], false))
            return REFUSE(parse, "a symbol of an enum is not a name");
        raw_entries_add(&names, &parse->schema->arena, type->symbols[i], (struct baton_text){0});
    }
    type->count = (uint32_t)count;
    return unique_names(parse, "symbols", &names) ? type : NULL;
}

static struct avro_type *parse_fixed(struct parse *parse, const json_t *json,
                                     struct baton_text space)
{
    struct avro_type *type = define(parse, json, AVRO_CODE_FIXED, space);
    const json_t *size = json_object_get(json, "size");
    if (!type)
        return NULL;
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > SCHEMA_FIXED_MAX)
        return REFUSE(parse, "the size of a fixed is not a number from 0 to %d", SCHEMA_FIXED_MAX);
    type->size = (uint32_t)json_integer_value(size);
    return type;
}

static struct avro_type *parse_collection(struct parse *parse, const json_t *json,
                                          enum avro_code code, struct baton_text space)
{
    const json_t *items = json_object_get(json, code == AVRO_CODE_ARRAY ? "items" : "values");
    if (!items)
        return REFUSE(parse, "an array or a map that does not say of what");
    struct avro_type *type = new_type(parse, code);
    type->items = parse_type(parse, items, space);
    return type->items ? type : NULL;
}

/* What may stand once in a union: a named type by its name, any other by its code. */
static struct baton_text branch_name(const struct avro_type *type)
{
    return type->name.size ? type->name : text_from(code_names[type->code]);
}

static struct avro_type *parse_union(struct parse *parse, const json_t *json,
                                     struct baton_text space)
{
    size_t count = json_array_size(json);
    struct avro_type *type = new_type(parse, AVRO_CODE_UNION);
    struct raw_entries names = {0};
    type->branches = arena_take(&parse->schema->arena, count * sizeof(struct avro_type *));
    for (size_t i = 0; i < count; i++) {
        struct avro_type *branch = parse_type(parse, json_array_get(json, i), space);
        if (!branch)
            return NULL;
        if (branch->code == AVRO_CODE_UNION)
            return REFUSE(parse, "a union directly in a union");
        type->branches[i] = branch;
        raw_entries_add(&names, &parse->schema->arena, branch_name(branch), (struct baton_text){0});
    }
    type->count = (uint32_t)count;
    return unique_names(parse, "branches of a union", &names) ? type : NULL;
}

static enum avro_logical logical_of(const json_t *json)
{
    static const struct {
        const char *name;
        enum avro_logical logical;
    } known[] = {
        {"timestamp-millis", AVRO_LOGICAL_MILLIS},
        {"timestamp-micros", AVRO_LOGICAL_MICROS},
        {"timestamp-nanos", AVRO_LOGICAL_NANOS},
        {"local-timestamp-millis", AVRO_LOGICAL_MILLIS},
        {"local-timestamp-micros", AVRO_LOGICAL_MICROS},
        {"local-timestamp-nanos", AVRO_LOGICAL_NANOS},
        {"date", AVRO_LOGICAL_NO_INSTANT},
        {"time-millis", AVRO_LOGICAL_NO_INSTANT},
        {"time-micros", AVRO_LOGICAL_NO_INSTANT},
        {"decimal", AVRO_LOGICAL_DECIMAL},
    };
    const char *name = json_string_value(json_object_get(json, "logicalType"));
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].logical;
    return AVRO_LOGICAL_NONE;
}

static struct avro_type *parse_object(struct parse *parse, const json_t *json,
                                      struct baton_text space)
{
    const json_t *type = json_object_get(json, "type");
    if (json_is_object(type) || json_is_array(type))
        return parse_type(parse, type, space);
    const char *name = json_string_value(type);
    if (!name)
        return REFUSE(parse, "a type that does not say what it is");
    if (strcmp(name, "record") == 0)
        return parse_record(parse, json, space);
    if (strcmp(name, "enum") == 0)
        return parse_enum(parse, json, space);
    if (strcmp(name, "fixed") == 0)
        return parse_fixed(parse, json, space);
    if (strcmp(name, "array") == 0)
        return parse_collection(parse, json, AVRO_CODE_ARRAY, space);
    if (strcmp(name, "map") == 0)
        return parse_collection(parse, json, AVRO_CODE_MAP, space);
    struct avro_type *found = refer(parse, copy_text(parse, type), space);
    if (found && found->code < AVRO_CODE_PRIMITIVES)
        found->logical = logical_of(json);
    return found;
}

static struct avro_type *parse_type(struct parse *parse, const json_t *json,
                                    struct baton_text space)
{
    if (parse->depth == SCHEMA_DEPTH_MAX)
        return REFUSE(parse, "nested deeper than %d levels", SCHEMA_DEPTH_MAX);
    struct avro_type *type;
    parse->depth++;
    if (json_is_string(json))
        type = refer(parse, copy_text(parse, json), space);
    else if (json_is_array(json))
        type = parse_union(parse, json, space);
    else if (json_is_object(json))
        type = parse_object(parse, json, space);
    else
        type = REFUSE(parse, "a type that is neither a name, nor an object, nor a union");
    parse->depth--;
    return type;
}

/* ---- the whole
 * -------------------------------------------------------------------------------------- */

static bool is_finite(struct avro_type *type)
{
    if (type->finite || type->code == AVRO_CODE_ARRAY || type->code == AVRO_CODE_MAP)
        return true;
    if (type->code == AVRO_CODE_RECORD)
        return false; /* not known to be: the rounds over the records decide */
    if (type->code != AVRO_CODE_UNION)
        return true;
    for (uint32_t i = 0; i < type->count; i++)
        if (is_finite(type->branches[i]))
            return true;
    return type->count ==
           0; /* the empty union has no value at all; reading one fails in any case */
}

static bool all_fields_finite(const struct avro_type *record)
{
    for (uint32_t i = 0; i < record->count; i++)
        if (!is_finite(record->fields[i].type))
            return false;
    return true;
}

/* A record has finite values once all its fields do; rounds until nothing more is found. */
static bool check_finite(struct parse *parse)
{
    const struct avro_schema *schema = parse->schema;
    for (bool found = true; found;) {
        found = false;
        for (uint32_t i = 0; i < schema->named_count; i++) {
            struct avro_type *type = schema->named[i];
            if (type->code == AVRO_CODE_RECORD && !type->finite && all_fields_finite(type))
                type->finite = found = true;
        }
    }
    for (uint32_t i = 0; i < schema->named_count; i++)
        if (schema->named[i]->code == AVRO_CODE_RECORD && !schema->named[i]->finite)
            return REFUSE(
                parse, "the record '%.*s' contains itself without end",
                (int)(schema->named[i]->name.size > 100 ? 100 : schema->named[i]->name.size),
                schema->named[i]->name.data);
    return true;
}

/* Saturates: a record that is larger than any message cannot be read anyhow. */
static int64_t record_size(struct avro_type *record)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < record->count; i++) {
        int64_t size = record->fields[i].type->static_size;
        if (size == AVRO_SIZE_VARIES)
            return AVRO_SIZE_VARIES;
        sum = sum + size > INT32_MAX ? INT32_MAX : sum + size;
    }
    return sum;
}

static void measure(struct avro_type *type)
{
    static const int64_t sizes[AVRO_CODE_PRIMITIVES] = {0, 1, AVRO_SIZE_VARIES, AVRO_SIZE_VARIES,
                                                        4, 8, AVRO_SIZE_VARIES, AVRO_SIZE_VARIES};
    if (type->seen)
        return;
    type->seen = true;
    if (type->code < AVRO_CODE_PRIMITIVES) {
        type->static_size = sizes[type->code];
    } else if (type->code == AVRO_CODE_FIXED) {
        type->static_size = type->size;
    } else if (type->code == AVRO_CODE_ARRAY || type->code == AVRO_CODE_MAP) {
        measure(type->items);
    } else if (type->code == AVRO_CODE_UNION) {
        for (uint32_t i = 0; i < type->count; i++)
            measure(type->branches[i]);
    } else if (type->code == AVRO_CODE_RECORD) {
        for (uint32_t i = 0; i < type->count; i++)
            measure(type->fields[i].type);
        /* One that contains itself sees its own VARIES, and that is what it is. */
        type->static_size = record_size(type);
    }
}

static enum status parse_root(struct parse *parse, const json_t *json)
{
    struct avro_schema *schema = parse->schema;
    schema->named = arena_take(&schema->arena, SCHEMA_NAMED_TYPES_MAX * sizeof *schema->named);
    schema->root = parse_type(parse, json, (struct baton_text){0});
    if (!schema->root || !check_finite(parse))
        return STATUS_REJECT;
    measure(schema->root);
    return STATUS_OK;
}

enum status avro_schema_parse(struct avro_schema *schema, const char *text, size_t size,
                              struct error *error)
{
    *schema = (struct avro_schema){0};
    if (size > SCHEMA_BYTES_MAX)
        return error_set(error, STATUS_REJECT, "the schema's text is longer than %u bytes",
                         SCHEMA_BYTES_MAX);
    json_error_t where;
    json_t *json = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    if (!json)
        return error_set(error, STATUS_REJECT, "line %d, column %d of the schema: %s", where.line,
                         where.column, where.text);
    arena_init(&schema->arena, 16 * 1024);
    struct parse parse = {schema, error, 0};
    enum status status = parse_root(&parse, json);
    json_decref(json);
    if (status != STATUS_OK)
        avro_schema_fini(schema);
    return status;
}

void avro_schema_fini(struct avro_schema *schema)
{
    arena_fini(&schema->arena);
    *schema = (struct avro_schema){0};
}
