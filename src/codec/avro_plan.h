/* A writer schema compiled to a flat plan: one operation per field, in the order of the bytes. */
#ifndef CODEC_AVRO_PLAN_H
#define CODEC_AVRO_PLAN_H

#include "codec/avro_schema.h"
#include "codec/field_map.h"

enum plan_code {
    PLAN_SKIP_STATIC,         /* `amount` bytes */
    PLAN_SKIP_VARINT,         /* int, long, enum */
    PLAN_SKIP_BYTES,          /* string, bytes */
    PLAN_SKIP_OPTIONAL_BYTES, /* union of null and string or bytes */
    PLAN_SKIP_OPTIONALS,      /* `amount` of those in a row, null first */
    PLAN_SKIP_TYPE,           /* anything, by its tree */
    PLAN_TEXT,                /* string or bytes → text target */
    PLAN_OPTIONAL_TEXT,       /* the same in a union with null */
    PLAN_INSTANT,             /* int or long → time */
    PLAN_KIND_ENUM,           /* enum → kind, by `kinds` */
    PLAN_VALUE,               /* any scalar or union of scalars → any target */
    PLAN_ENTRIES,             /* map, record or array of name and value → fields or properties */
    PLAN_MAP_PATHS,           /* map, some keys of which are configured */
    PLAN_BRANCHES             /* union: one block per branch */
};

struct plan_op;
struct plan_block {
    struct plan_op *ops;
    uint32_t count, room;
    struct plan_op *wanted; /* … without what nobody wants: these are carried out */
    uint32_t wanted_count;
};

struct plan_op {
    enum plan_code code;
    enum target target;
    field_rank rank;
    uint32_t null_branch;             /* PLAN_OPTIONAL_TEXT, PLAN_SKIP_OPTIONAL_BYTES */
    bool email;                       /* the kind of an Email record */
    uint64_t amount;                  /* PLAN_SKIP_STATIC, PLAN_SKIP_OPTIONALS */
    uint32_t name_field, value_field; /* PLAN_ENTRIES over an array */
    const struct avro_type *type;
    const struct field_node *node; /* PLAN_MAP_PATHS */
    const int8_t *kinds;           /* PLAN_KIND_ENUM: by symbol */
    struct plan_block *blocks;     /* PLAN_BRANCHES: by branch */
};

/* One record that a message can be. */
struct plan_root {
    bool usable; /* false: a branch that is no record */
    int kind;    /* from the record's name or alias, or RAW_NO_KIND */
    struct baton_text kind_text;
    struct plan_block block;
};

struct avro_plan {
    struct avro_schema schema; /* owned, with all the memory of the plan */
    bool is_union;             /* a branch number comes first */
    struct plan_root *roots;
    uint32_t root_count;
};

/* Takes the schema, also when it fails: STATUS_REJECT for one that holds no record. All fields are
 * wanted. */
enum status avro_plan_compile_take(struct avro_plan *plan, struct avro_schema *schema,
                                   const struct field_node *fields,
                                   const struct input_config *config, struct error *error);
/* From here on only these fields of events need be filled: bit per baton_event_field. */
void avro_plan_want(struct avro_plan *plan, uint32_t fields);
void avro_plan_fini(struct avro_plan *plan);

#endif
