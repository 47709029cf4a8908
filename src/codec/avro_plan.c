#include "codec/avro_plan.h"

#include "codec/kinds.h"

struct compile {
    struct arena *arena;
    const struct input_config *config;
    const struct field_node *fields;
    bool is_email;            /* the root is an Email record */
    field_rank best[TARGETS]; /* lowest rank that the root has for a target */
};

/* What a field is for. node NULL: nothing. */
struct purpose {
    const struct field_node *node;
    enum target target;
    field_rank rank;
    bool email;
};

static void compile_value(struct compile *compile, struct plan_block *block,
                          const struct avro_type *type, const struct purpose *purpose);

static struct plan_op *add_op(struct compile *compile, struct plan_block *block,
                              enum plan_code code, const struct avro_type *type)
{
    if (block->count == block->room) {
        uint32_t room = block->room ? block->room * 2 : 16;
        struct plan_op *ops = arena_take(compile->arena, room * sizeof *ops);
        if (block->count)
            memcpy(ops, block->ops, block->count * sizeof *ops);
        block->ops = ops;
        block->room = room;
    }
    struct plan_op *op = &block->ops[block->count++];
    *op = (struct plan_op){.code = code, .target = TARGET_NONE, .rank = RANK_NONE, .type = type};
    return op;
}

/* ---- skipping
 * --------------------------------------------------------------------------------------- */

static bool is_bytes(const struct avro_type *type)
{
    return type->code == AVRO_CODE_STRING ||
           (type->code == AVRO_CODE_BYTES && type->logical != AVRO_LOGICAL_DECIMAL);
}

static bool is_optional_bytes(const struct avro_type *type, uint32_t *null_branch)
{
    if (type->code != AVRO_CODE_UNION || type->count != 2)
        return false;
    *null_branch = type->branches[0]->code == AVRO_CODE_NULL ? 0 : 1;
    return type->branches[*null_branch]->code == AVRO_CODE_NULL &&
           is_bytes(type->branches[1 - *null_branch]);
}

static void make_skip(struct plan_op *op, const struct avro_type *type)
{
    uint32_t null_branch = 0;
    *op = (struct plan_op){.target = TARGET_NONE, .rank = RANK_NONE, .type = type};
    if (type->static_size != AVRO_SIZE_VARIES) {
        op->code = PLAN_SKIP_STATIC;
        op->amount = (uint64_t)type->static_size;
    } else if (type->code == AVRO_CODE_INT || type->code == AVRO_CODE_LONG ||
               type->code == AVRO_CODE_ENUM) {
        op->code = PLAN_SKIP_VARINT;
    } else if (type->code == AVRO_CODE_STRING || type->code == AVRO_CODE_BYTES) {
        op->code = PLAN_SKIP_BYTES;
    } else if (is_optional_bytes(type, &null_branch)) {
        op->code = PLAN_SKIP_OPTIONAL_BYTES;
        op->null_branch = null_branch;
    } else {
        op->code = PLAN_SKIP_TYPE;
    }
}

static void compile_skip(struct compile *compile, struct plan_block *block,
                         const struct avro_type *type)
{
    make_skip(add_op(compile, block, PLAN_SKIP_TYPE, type), type);
}

/* ---- targets
 * ---------------------------------------------------------------------------------------- */

static void claim(struct compile *compile, enum target target, field_rank rank)
{
    if (rank < compile->best[target])
        compile->best[target] = rank;
}

static struct plan_op *add_target(struct compile *compile, struct plan_block *block,
                                  enum plan_code code, const struct avro_type *type,
                                  const struct purpose *purpose)
{
    struct plan_op *op = add_op(compile, block, code, type);
    op->target = purpose->target;
    op->rank = purpose->rank;
    op->email = purpose->email;
    claim(compile, purpose->target, purpose->rank);
    return op;
}

static const int8_t *kinds_of_symbols(struct compile *compile, const struct avro_type *type,
                                      bool email)
{
    int8_t *kinds = arena_take(compile->arena, type->count);
    for (uint32_t i = 0; i < type->count; i++)
        kinds[i] = (int8_t)(email ? kind_of_email(compile->config, type->symbols[i])
                                  : kind_of_text(compile->config, type->symbols[i]));
    return kinds;
}

static void compile_scalar(struct compile *compile, struct plan_block *block,
                           const struct avro_type *type, const struct purpose *purpose)
{
    uint32_t null_branch = 0;
    bool text = target_is_text(purpose->target);
    bool whole = type->code == AVRO_CODE_INT || type->code == AVRO_CODE_LONG;
    if (text && is_bytes(type)) {
        add_target(compile, block, PLAN_TEXT, type, purpose);
    } else if (text && is_optional_bytes(type, &null_branch)) {
        add_target(compile, block, PLAN_OPTIONAL_TEXT, type, purpose)->null_branch = null_branch;
    } else if (purpose->target == TARGET_TIME && whole &&
               type->logical != AVRO_LOGICAL_NO_INSTANT) {
        add_target(compile, block, PLAN_INSTANT, type, purpose);
    } else if (purpose->target == TARGET_KIND && type->code == AVRO_CODE_ENUM) {
        add_target(compile, block, PLAN_KIND_ENUM, type, purpose)->kinds =
            kinds_of_symbols(compile, type, purpose->email);
    } else if (purpose->target < TARGET_FIELDS || target_is_rare(purpose->target)) {
        add_target(compile, block, PLAN_VALUE, type, purpose);
    } else {
        compile_skip(compile, block, type);
    }
}

/* An array of records with a name (or key) and a value. */
static bool is_pairs(const struct avro_type *array, uint32_t *name_field, uint32_t *value_field)
{
    const struct avro_type *item = array->items;
    unsigned found = 0;
    if (item->code != AVRO_CODE_RECORD)
        return false;
    for (uint32_t i = 0; i < item->count; i++) {
        struct baton_text name = item->fields[i].name;
        if (text_equal(name, text_from("name")) || text_equal(name, text_from("key"))) {
            *name_field = i;
            found |= 1;
        } else if (text_equal(name, text_from("value"))) {
            *value_field = i;
            found |= 2;
        }
    }
    return found == 3;
}

static bool takes_entries(const struct purpose *purpose)
{
    return purpose->target == TARGET_FIELDS || purpose->target == TARGET_PROPERTIES;
}

static void claim_below(struct compile *compile, const struct field_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].target != TARGET_NONE)
            claim(compile, node->children[i].target, node->children[i].rank);
    }
}

static void compile_collection(struct compile *compile, struct plan_block *block,
                               const struct avro_type *type, const struct purpose *purpose)
{
    uint32_t name_field = 0, value_field = 0;
    if (type->code == AVRO_CODE_MAP && purpose->node->child_count) {
        add_op(compile, block, PLAN_MAP_PATHS, type)->node = purpose->node;
        claim_below(compile, purpose->node);
    } else if (takes_entries(purpose) &&
               (type->code == AVRO_CODE_MAP || is_pairs(type, &name_field, &value_field))) {
        struct plan_op *op = add_target(compile, block, PLAN_ENTRIES, type, purpose);
        op->name_field = name_field;
        op->value_field = value_field;
    } else {
        compile_skip(compile, block, type);
    }
}

static struct purpose purpose_of(const struct field_node *node, field_rank rank)
{
    return (struct purpose){node, node->target, rank, false};
}

static struct purpose match(const struct compile *compile, const struct field_node *node,
                            const struct avro_field *field, uint32_t place)
{
    const struct field_node *found = field_map_find(node, field->name);
    if (found)
        return purpose_of(found, found->rank);
    for (uint32_t i = 0; i < field->alias_count; i++) {
        found = field_map_find(node, field->aliases[i]);
        if (found)
            return purpose_of(found, RANK_ALIAS + place);
    }
    static const struct field_node action = {.target = TARGET_KIND};
    if (compile->is_email && node == compile->fields &&
        text_equal(field->name, text_from("action"))) {
        struct purpose purpose = purpose_of(&action, RANK_OWN_NAME);
        purpose.email = true;
        return purpose;
    }
    return (struct purpose){0};
}

static void compile_record(struct compile *compile, struct plan_block *block,
                           const struct avro_type *type, const struct field_node *node)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const struct avro_field *field = &type->fields[i];
        struct purpose purpose = match(compile, node, field, i);
        if (purpose.node)
            compile_value(compile, block, field->type, &purpose);
        else
            compile_skip(compile, block, field->type);
    }
}

static bool has_collections(const struct avro_type *type)
{
    for (uint32_t i = 0; i < type->count; i++) {
        enum avro_code code = type->branches[i]->code;
        if (code == AVRO_CODE_RECORD || code == AVRO_CODE_MAP || code == AVRO_CODE_ARRAY)
            return true;
    }
    return false;
}

static void compile_union(struct compile *compile, struct plan_block *block,
                          const struct avro_type *type, const struct purpose *purpose)
{
    struct plan_block *blocks = arena_take(compile->arena, type->count * sizeof *blocks);
    for (uint32_t i = 0; i < type->count; i++) {
        blocks[i] = (struct plan_block){0};
        compile_value(compile, &blocks[i], type->branches[i], purpose);
    }
    add_op(compile, block, PLAN_BRANCHES, type)->blocks = blocks;
}

static void compile_value(struct compile *compile, struct plan_block *block,
                          const struct avro_type *type, const struct purpose *purpose)
{
    if (type->code == AVRO_CODE_UNION && has_collections(type)) {
        compile_union(compile, block, type, purpose);
    } else if (type->code == AVRO_CODE_RECORD) {
        if (purpose->node->child_count)
            compile_record(compile, block, type, purpose->node);
        else if (takes_entries(purpose))
            add_target(compile, block, PLAN_ENTRIES, type, purpose);
        else
            compile_skip(compile, block, type);
    } else if (type->code == AVRO_CODE_MAP || type->code == AVRO_CODE_ARRAY) {
        compile_collection(compile, block, type, purpose);
    } else if (purpose->target == TARGET_NONE) {
        compile_skip(compile, block, type);
    } else {
        compile_scalar(compile, block, type, purpose);
    }
}

/* ---- what nobody wants
 * --------------------------------------------------------------------------------- */

static bool tells_kind(const struct plan_block *block)
{
    bool tells = false;
    for (uint32_t i = 0; i < block->count && !tells; i++) {
        const struct plan_op *op = &block->ops[i];
        tells = op->target == TARGET_KIND || op->code == PLAN_MAP_PATHS;
        for (uint32_t b = 0; op->code == PLAN_BRANCHES && b < op->type->count && !tells; b++)
            tells = tells_kind(&op->blocks[b]);
    }
    return tells;
}

static bool is_unread(const struct plan_op *op, uint32_t unread)
{
    return (op->code == PLAN_TEXT || op->code == PLAN_OPTIONAL_TEXT) && op->target < TARGET_TEXTS &&
           unread >> op->target & 1;
}

static void keep_wanted(struct plan_block *block, const struct plan_op *op)
{
    struct plan_op *before = block->wanted_count ? &block->wanted[block->wanted_count - 1] : NULL;
    struct plan_op kept = *op;
    if (op->code == PLAN_SKIP_OPTIONAL_BYTES && op->null_branch == 0) {
        kept.code = PLAN_SKIP_OPTIONALS;
        kept.amount = 1;
    }
    if (kept.code == PLAN_SKIP_OPTIONALS && before && before->code == PLAN_SKIP_OPTIONALS)
        before->amount++;
    else
        block->wanted[block->wanted_count++] = kept;
}

static void want(struct arena *arena, struct plan_block *block, uint32_t unread)
{
    if (!block->wanted)
        block->wanted = arena_take(arena, block->count * sizeof *block->wanted);
    block->wanted_count = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        struct plan_op op = block->ops[i];
        if (is_unread(&op, unread))
            make_skip(&op, op.type);
        for (uint32_t b = 0; op.code == PLAN_BRANCHES && b < op.type->count; b++)
            want(arena, &op.blocks[b], unread);
        keep_wanted(block, &op);
    }
}

void avro_plan_want(struct avro_plan *plan, uint32_t fields)
{
    for (uint32_t i = 0; i < plan->root_count; i++) {
        struct plan_root *root = &plan->roots[i];
        int kind = root->usable && !tells_kind(&root->block) ? root->kind : RAW_NO_KIND;
        if (root->usable)
            want(&plan->schema.arena, &root->block, raw_event_unread_of(fields, kind));
    }
}

/* ---- the whole
 * -------------------------------------------------------------------------------------- */

/* Fields that lost to another for the same target are skipped; neighbours of known size at once. */
static void prune(const struct compile *compile, struct plan_block *block)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        struct plan_op *op = &block->ops[i];
        if (op->target != TARGET_NONE && op->rank > compile->best[op->target])
            make_skip(op, op->type);
        if (op->code == PLAN_BRANCHES)
            for (uint32_t b = 0; b < op->type->count; b++)
                prune(compile, &op->blocks[b]);
        struct plan_op *before = kept ? &block->ops[kept - 1] : NULL;
        if (op->code == PLAN_SKIP_STATIC && before && before->code == PLAN_SKIP_STATIC)
            before->amount += op->amount;
        else
            block->ops[kept++] = *op;
    }
    block->count = kept;
}

static void name_kind(struct compile *compile, const struct avro_type *type, struct plan_root *root)
{
    root->kind_text = kind_snake_case(compile->arena, avro_short_name(type->name));
    root->kind = kind_of_text(compile->config, root->kind_text);
    compile->is_email = text_equal(root->kind_text, text_from("email"));
    for (uint32_t i = 0; i < type->alias_count && root->kind < 0 && !compile->is_email; i++) {
        struct baton_text alias =
            kind_snake_case(compile->arena, avro_short_name(type->aliases[i]));
        root->kind = kind_of_text(compile->config, alias);
    }
}

static void compile_root(struct compile *compile, const struct avro_type *type,
                         struct plan_root *root)
{
    *root = (struct plan_root){.usable = type->code == AVRO_CODE_RECORD, .kind = RAW_NO_KIND};
    if (!root->usable)
        return;
    for (int i = 0; i < TARGETS; i++)
        compile->best[i] = RANK_NONE;
    name_kind(compile, type, root);
    compile_record(compile, &root->block, type, compile->fields);
    prune(compile, &root->block);
}

enum status avro_plan_compile_take(struct avro_plan *plan, struct avro_schema *schema,
                                   const struct field_node *fields,
                                   const struct input_config *config, struct error *error)
{
    *plan = (struct avro_plan){.schema = *schema};
    struct compile compile = {.arena = &plan->schema.arena, .config = config, .fields = fields};
    struct avro_type *root = plan->schema.root;
    plan->is_union = root->code == AVRO_CODE_UNION;
    plan->root_count = plan->is_union ? root->count : 1;
    plan->roots = arena_take(compile.arena, plan->root_count * sizeof *plan->roots);
    bool any = false;
    for (uint32_t i = 0; i < plan->root_count; i++) {
        compile_root(&compile, plan->is_union ? root->branches[i] : root, &plan->roots[i]);
        any |= plan->roots[i].usable;
    }
    if (any) {
        avro_plan_want(plan, RAW_ALL_FIELDS);
        return STATUS_OK;
    }
    avro_plan_fini(plan);
    return error_set(error, STATUS_REJECT, "the schema is not a record");
}

void avro_plan_fini(struct avro_plan *plan)
{
    avro_schema_fini(&plan->schema);
    *plan = (struct avro_plan){0};
}
