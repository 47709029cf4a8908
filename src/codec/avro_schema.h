/* An Avro schema as a tree, checked: what stands here can be walked without further doubt. */
#ifndef CODEC_AVRO_SCHEMA_H
#define CODEC_AVRO_SCHEMA_H

#include "base/arena.h"
#include "base/status.h"

#include <baton/event.h>

enum avro_code {
    AVRO_CODE_NULL,
    AVRO_CODE_BOOLEAN,
    AVRO_CODE_INT,
    AVRO_CODE_LONG,
    AVRO_CODE_FLOAT,
    AVRO_CODE_DOUBLE,
    AVRO_CODE_BYTES,
    AVRO_CODE_STRING,
    AVRO_CODE_PRIMITIVES,
    AVRO_CODE_RECORD = AVRO_CODE_PRIMITIVES,
    AVRO_CODE_ENUM,
    AVRO_CODE_FIXED,
    AVRO_CODE_ARRAY,
    AVRO_CODE_MAP,
    AVRO_CODE_UNION
};

/* What a long or an int with a logical type counts. Others than these are plain values. */
enum avro_logical {
    AVRO_LOGICAL_NONE,
    AVRO_LOGICAL_MILLIS,
    AVRO_LOGICAL_MICROS,
    AVRO_LOGICAL_NANOS,
    AVRO_LOGICAL_NO_INSTANT, /* date, time of day, duration: a time, but no point in time */
    AVRO_LOGICAL_DECIMAL
};

#define AVRO_SIZE_VARIES (-1)

struct avro_type;
struct avro_field {
    struct baton_text name;
    const struct baton_text *aliases;
    uint32_t alias_count;
    struct avro_type *type;
};

struct avro_type {
    enum avro_code code;
    enum avro_logical logical;
    int64_t static_size;        /* bytes that every value takes, or AVRO_SIZE_VARIES */
    struct baton_text name;     /* full name of a record, enum or fixed */
    struct baton_text *aliases; /* of a record; full names */
    uint32_t alias_count;
    uint32_t count; /* of fields, symbols or branches */
    uint32_t size;  /* fixed */
    bool finite;    /* values of finite size exist */
    bool seen;      /* scratch of a walk over the tree */
    union {
        struct avro_field *fields;
        struct baton_text *symbols;
        struct avro_type **branches;
        struct avro_type *items; /* of an array or a map */
    };
};

struct avro_schema {
    struct arena arena; /* owns the tree */
    struct avro_type *root;
    struct avro_type **named;
    uint32_t named_count;
};

/* Text → tree. STATUS_REJECT and a line that says what is wrong where; the schema is then empty. */
enum status avro_schema_parse(struct avro_schema *schema, const char *text, size_t size,
                              struct error *error);
void avro_schema_fini(struct avro_schema *schema);

/* The name without its namespace. */
struct baton_text avro_short_name(struct baton_text name);
const char *avro_code_name(enum avro_code code);

/* Parsing canonical form; the text is from the arena. */
struct baton_text avro_schema_canonical(struct avro_schema *schema, struct arena *arena);
uint64_t avro_schema_fingerprint(struct avro_schema *schema);

#endif
