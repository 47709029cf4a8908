#include "codec/avro_decode.h"

#include "base/bytes.h"
#include "codec/kinds.h"
#include "codec/limits.h"
#include "codec/number_text.h"
#include "codec/rfc3339.h"

struct run {
    struct byte_reader reader;
    struct arena *arena;
    struct raw_event *raw;
    const struct input_config *config;
    uint64_t items;      /* of arrays and maps, so far */
    const char *problem; /* first one; NULL where the bytes ended too early */
};

static void fail(struct run *run, const char *problem)
{
    if (!run->reader.failed)
        run->problem = problem;
    run->reader.failed = true;
}

/* Most numbers of a record are lengths and branches of one byte. */
static inline int64_t read_long(struct run *run)
{
    struct byte_reader *reader = &run->reader;
    if (reader->at < reader->end && *reader->at < 0x80) {
        uint64_t value = *reader->at++;
        return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    }
    return bytes_zigzag(reader);
}

static inline struct baton_text read_text(struct run *run)
{
    int64_t size = read_long(run);
    /* A negative size is more than there ever is. */
    const uint8_t *data = bytes_take(&run->reader, (uint64_t)size);
    return (struct baton_text){(const char *)data, data ? (uint32_t)size : 0};
}

static uint32_t read_index(struct run *run, uint32_t count, const char *problem)
{
    int64_t index = read_long(run);
    if (index >= 0 && index < count)
        return (uint32_t)index;
    fail(run, problem);
    return 0;
}

static uint32_t read_branch(struct run *run, const struct avro_type *type)
{
    return read_index(run, type->count, "a union has no such branch");
}

static bool read_boolean(struct run *run)
{
    uint8_t byte = bytes_u8(&run->reader);
    if (byte > 1)
        fail(run, "a boolean that is neither 0 nor 1");
    return byte == 1;
}

static double read_float(struct run *run)
{
    uint32_t bits = bytes_u32_le(&run->reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static double read_double(struct run *run)
{
    uint64_t bits = bytes_u64_le(&run->reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- blocks of arrays and maps
 * ------------------------------------------------------------------------ */

/* Items of the next block; 0 at the end. A size in bytes that comes along is told if asked for,
 * else read over. */
static uint64_t next_block(struct run *run, bool *sized, uint64_t *size)
{
    int64_t count = read_long(run);
    *sized = count < 0;
    *size = 0;
    if (count < 0)
        *size = (uint64_t)read_long(run);
    uint64_t items = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    return run->reader.failed ? 0 : items;
}

static bool spend_items(struct run *run, uint64_t count)
{
    if (count > DECODE_ITEMS_MAX - run->items) {
        fail(run, "more than 1000000 items");
        return false;
    }
    run->items += count;
    return true;
}

/* ---- skipping
 * ----------------------------------------------------------------------------------------- */

static void skip_type(struct run *run, const struct avro_type *type, unsigned depth);

static inline void skip_bytes(struct run *run)
{
    int64_t size = read_long(run);
    (void)bytes_take(&run->reader, (uint64_t)size);
}

static inline void skip_optional(struct run *run, uint32_t null_branch)
{
    if (read_index(run, 2, "a union has no such branch") != null_branch)
        skip_bytes(run);
}

/* Where an optional text of less than 8 KiB, null first, ends; NULL where it is another, or may be
 * cut off. */
static inline const uint8_t *end_of_optional(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 3)
        return NULL;
    if (at[0] == 0)
        return at + 1;
    bool is_short = at[1] < 0x80;
    size_t twice = is_short ? at[1] : (at[1] & 0x7fu) | (size_t)at[2] << 7;
    size_t size = (is_short ? 2u : 3u) + twice / 2;
    bool good = at[0] == 2 && !(twice & 1) && (is_short || at[2] < 0x80);
    return good && size <= (size_t)(end - at) ? at + size : NULL;
}

/* Most of a record is texts that nobody looks at. */
static void skip_optionals(struct run *run, uint64_t count)
{
    for (uint64_t i = 0; i < count && !run->reader.failed; i++) {
        const uint8_t *next = end_of_optional(run->reader.at, run->reader.end);
        if (next)
            run->reader.at = next;
        else
            skip_optional(run, 0);
    }
}

/* Items of static size at once: an array of nulls may have any number of them in no bytes. */
static void skip_items(struct run *run, const struct avro_type *type, uint64_t count,
                       unsigned depth)
{
    const struct avro_type *items = type->items;
    if (!spend_items(run, count))
        return;
    if (type->code == AVRO_CODE_ARRAY && items->static_size != AVRO_SIZE_VARIES) {
        (void)bytes_take(&run->reader, count * (uint64_t)items->static_size);
        return;
    }
    for (uint64_t i = 0; i < count && !run->reader.failed; i++) {
        if (type->code == AVRO_CODE_MAP)
            skip_bytes(run);
        skip_type(run, items, depth);
    }
}

static void skip_collection(struct run *run, const struct avro_type *type, unsigned depth)
{
    bool sized;
    uint64_t size, count;
    while ((count = next_block(run, &sized, &size)) != 0) {
        if (sized)
            (void)bytes_take(&run->reader, size);
        else
            skip_items(run, type, count, depth);
    }
}

static void skip_type(struct run *run, const struct avro_type *type, unsigned depth)
{
    if (depth > DECODE_DEPTH_MAX) {
        fail(run, "nested deeper than 64 levels");
        return;
    }
    if (type->static_size != AVRO_SIZE_VARIES) {
        (void)bytes_take(&run->reader, (uint64_t)type->static_size);
        return;
    }
    switch (type->code) {
    case AVRO_CODE_BYTES:
    case AVRO_CODE_STRING: skip_bytes(run); break;
    case AVRO_CODE_RECORD:
        for (uint32_t i = 0; i < type->count && !run->reader.failed; i++)
            skip_type(run, type->fields[i].type, depth + 1);
        break;
    case AVRO_CODE_ARRAY:
    case AVRO_CODE_MAP: skip_collection(run, type, depth + 1); break;
    case AVRO_CODE_UNION: {
        uint32_t branch = read_branch(run, type);
        if (!run->reader.failed)
            skip_type(run, type->branches[branch], depth);
        break;
    }
    default: (void)read_long(run); break;
    }
}

/* ---- values
 * -------------------------------------------------------------------------------------------- */

enum got { GOT_NOTHING, GOT_NULL, GOT_TEXT };

static enum got made(bool representable)
{
    return representable ? GOT_TEXT : GOT_NOTHING;
}

/* Any value as a text; what has none (a record, an array, a number that is too large) is read over.
 */
static enum got read_scalar(struct run *run, const struct avro_type *type, unsigned depth,
                            struct baton_text *out)
{
    switch (type->code) {
    case AVRO_CODE_NULL: return GOT_NULL;
    case AVRO_CODE_BOOLEAN: *out = text_from(read_boolean(run) ? "true" : "false"); return GOT_TEXT;
    case AVRO_CODE_INT:
    case AVRO_CODE_LONG: return made(number_text_long(run->arena, read_long(run), out));
    case AVRO_CODE_FLOAT: return made(number_text_double(run->arena, read_float(run), out));
    case AVRO_CODE_DOUBLE: return made(number_text_double(run->arena, read_double(run), out));
    case AVRO_CODE_STRING: *out = read_text(run); return GOT_TEXT;
    case AVRO_CODE_BYTES: *out = read_text(run); return made(type->logical != AVRO_LOGICAL_DECIMAL);
    case AVRO_CODE_ENUM: {
        uint32_t index = read_index(run, type->count, "an enum has no such symbol");
        if (!run->reader.failed)
            *out = type->symbols[index];
        return made(!run->reader.failed);
    }
    case AVRO_CODE_UNION: {
        uint32_t branch = read_branch(run, type);
        return run->reader.failed ? GOT_NOTHING
                                  : read_scalar(run, type->branches[branch], depth, out);
    }
    default: skip_type(run, type, depth); return GOT_NOTHING;
    }
}

/* A negative time is no good in any unit, so cutting towards zero does no harm. */
static const int64_t logical_per_ms[] = {[AVRO_LOGICAL_NONE] = 1,
                                         [AVRO_LOGICAL_MILLIS] = 1,
                                         [AVRO_LOGICAL_MICROS] = 1000,
                                         [AVRO_LOGICAL_NANOS] = 1000000};

static void set_instant(struct run *run, const struct avro_type *type, int64_t value)
{
    if (type->logical <= AVRO_LOGICAL_NANOS && value >= 0)
        raw_event_set_time(run->raw, value / logical_per_ms[type->logical]);
}

static void read_time(struct run *run, const struct avro_type *type, unsigned depth)
{
    int64_t time_ms;
    switch (type->code) {
    case AVRO_CODE_INT:
    case AVRO_CODE_LONG: set_instant(run, type, read_long(run)); break;
    case AVRO_CODE_STRING:
        if (rfc3339_read(read_text(run), &time_ms))
            raw_event_set_time(run->raw, time_ms);
        break;
    case AVRO_CODE_UNION: {
        uint32_t branch = read_branch(run, type);
        if (!run->reader.failed)
            read_time(run, type->branches[branch], depth);
        break;
    }
    default: skip_type(run, type, depth); break;
    }
}

/* An instant as a text: of a number its milliseconds, however large. */
static enum got read_moment(struct run *run, const struct avro_type *type, unsigned depth,
                            struct baton_text *out)
{
    bool number = type->code == AVRO_CODE_INT || type->code == AVRO_CODE_LONG;
    if (type->code == AVRO_CODE_UNION) {
        uint32_t branch = read_branch(run, type);
        return run->reader.failed ? GOT_NOTHING
                                  : read_moment(run, type->branches[branch], depth, out);
    }
    if (!number || type->logical > AVRO_LOGICAL_NANOS)
        return read_scalar(run, type, depth, out);
    int64_t value = read_long(run);
    *out = number_digits(run->arena, value / logical_per_ms[type->logical]);
    return GOT_TEXT;
}

static void set_kind(struct run *run, struct baton_text text, bool email)
{
    run->raw->kind_text = text;
    run->raw->kind = email ? kind_of_email(run->config, text) : kind_of_text(run->config, text);
}

static void read_value(struct run *run, const struct avro_type *type, enum target target,
                       bool email, unsigned depth)
{
    struct baton_text text = {0};
    if (target == TARGET_TIME) {
        read_time(run, type, depth);
        return;
    }
    enum got got = target == TARGET_AT ? read_moment(run, type, depth, &text)
                                       : read_scalar(run, type, depth, &text);
    if (got == GOT_NOTHING || run->reader.failed)
        return;
    if (target == TARGET_KIND) {
        if (got == GOT_TEXT && text.size)
            set_kind(run, text, email);
    } else if (got == GOT_NULL) {
        raw_event_set_null(run->raw, target);
    } else {
        raw_event_set(run->raw, target, text);
    }
}

/* ---- entries: forms' fields and free properties
 * ----------------------------------------------------------- */

struct entry {
    struct baton_text name, value;
    enum got got;
};

static void read_pair(struct run *run, const struct plan_op *op, unsigned depth,
                      struct entry *entry)
{
    const struct avro_type *item = op->type->items;
    enum got named = GOT_NOTHING;
    for (uint32_t i = 0; i < item->count && !run->reader.failed; i++) {
        if (i == op->name_field)
            named = read_scalar(run, item->fields[i].type, depth, &entry->name);
        else if (i == op->value_field)
            entry->got = read_scalar(run, item->fields[i].type, depth, &entry->value);
        else
            skip_type(run, item->fields[i].type, depth);
    }
    if (named != GOT_TEXT)
        entry->got = GOT_NOTHING;
}

static void add_entry(struct run *run, struct raw_entries *entries, const struct entry *entry)
{
    if (entry->got != GOT_NOTHING && !run->reader.failed)
        raw_entries_add(entries, run->arena, entry->name, entry->value);
}

static void read_items(struct run *run, const struct plan_op *op, struct raw_entries *entries)
{
    bool sized;
    uint64_t size, count;
    while ((count = next_block(run, &sized, &size)) != 0) {
        if (!spend_items(run, count))
            return;
        for (uint64_t i = 0; i < count && !run->reader.failed; i++) {
            struct entry entry = {0};
            if (op->type->code == AVRO_CODE_MAP) {
                entry.name = read_text(run);
                entry.got = read_scalar(run, op->type->items, 2, &entry.value);
            } else {
                read_pair(run, op, 3, &entry);
            }
            add_entry(run, entries, &entry);
        }
    }
}

static void read_entries(struct run *run, const struct plan_op *op)
{
    struct raw_entries *entries =
        op->target == TARGET_FIELDS ? &run->raw->fields : &run->raw->properties;
    const struct avro_type *type = op->type;
    entries->count = 0;
    if (type->code != AVRO_CODE_RECORD) {
        read_items(run, op, entries);
    } else {
        for (uint32_t i = 0; i < type->count && !run->reader.failed; i++) {
            struct entry entry = {.name = type->fields[i].name};
            entry.got = read_scalar(run, type->fields[i].type, 2, &entry.value);
            add_entry(run, entries, &entry);
        }
    }
    /* In a map a key stands once, as in a JSON object; a list may repeat a name (several boxes
     * ticked): the first one counts. */
    bool repeats = raw_entries_repeat(entries, run->arena, type->code == AVRO_CODE_ARRAY);
    if (repeats && type->code == AVRO_CODE_MAP)
        fail(run, "a key stands twice in a map");
}

/* A map at a place below which keys are configured (`utm.campaign: campaign`). */
static void read_map_paths(struct run *run, const struct plan_op *op)
{
    bool sized;
    uint64_t size, count;
    const struct avro_type *items = op->type->items;
    while ((count = next_block(run, &sized, &size)) != 0) {
        if (!spend_items(run, count))
            return;
        for (uint64_t i = 0; i < count && !run->reader.failed; i++) {
            const struct field_node *node = field_map_find(op->node, read_text(run));
            if (node && (node->target < TARGET_FIELDS || target_is_rare(node->target)))
                read_value(run, items, node->target, false, 2);
            else
                skip_type(run, items, 2);
        }
    }
}

/* ---- the plan
 * ------------------------------------------------------------------------------------------------
 */

static void run_block(struct run *run, const struct plan_block *block);

static inline void run_optional_text(struct run *run, const struct plan_op *op)
{
    uint32_t branch = read_index(run, 2, "a union has no such branch");
    if (branch == op->null_branch)
        raw_event_set_null(run->raw, op->target);
    else
        raw_event_set(run->raw, op->target, read_text(run));
}

static void run_kind_enum(struct run *run, const struct plan_op *op)
{
    uint32_t index = read_index(run, op->type->count, "an enum has no such symbol");
    if (run->reader.failed)
        return;
    run->raw->kind = op->kinds[index];
    run->raw->kind_text = op->type->symbols[index];
}

static void run_branches(struct run *run, const struct plan_op *op)
{
    uint32_t branch = read_branch(run, op->type);
    if (!run->reader.failed)
        run_block(run, &op->blocks[branch]);
}

static inline void run_op(struct run *run, const struct plan_op *op)
{
    switch (op->code) {
    case PLAN_SKIP_STATIC: (void)bytes_take(&run->reader, op->amount); break;
    case PLAN_SKIP_VARINT: (void)read_long(run); break;
    case PLAN_SKIP_BYTES: skip_bytes(run); break;
    case PLAN_SKIP_OPTIONAL_BYTES: skip_optional(run, op->null_branch); break;
    case PLAN_SKIP_OPTIONALS: skip_optionals(run, op->amount); break;
    case PLAN_SKIP_TYPE: skip_type(run, op->type, 1); break;
    case PLAN_TEXT: raw_event_set(run->raw, op->target, read_text(run)); break;
    case PLAN_OPTIONAL_TEXT: run_optional_text(run, op); break;
    case PLAN_INSTANT: set_instant(run, op->type, read_long(run)); break;
    case PLAN_KIND_ENUM: run_kind_enum(run, op); break;
    case PLAN_VALUE: read_value(run, op->type, op->target, op->email, 1); break;
    case PLAN_ENTRIES: read_entries(run, op); break;
    case PLAN_MAP_PATHS: read_map_paths(run, op); break;
    case PLAN_BRANCHES: run_branches(run, op); break;
    }
}

static void run_block(struct run *run, const struct plan_block *block)
{
    for (uint32_t i = 0; i < block->wanted_count && !run->reader.failed; i++)
        run_op(run, &block->wanted[i]);
}

static const struct plan_root *choose_root(struct run *run, const struct avro_plan *plan)
{
    if (!plan->is_union)
        return plan->roots;
    uint32_t branch = read_index(run, plan->root_count, "a union has no such branch");
    if (run->reader.failed)
        return NULL;
    if (!plan->roots[branch].usable)
        fail(run, "the message is not a record");
    return plan->roots[branch].usable ? &plan->roots[branch] : NULL;
}

bool avro_decode(const struct avro_plan *plan, const struct input_config *config,
                 const uint8_t *bytes, size_t size, struct arena *arena, struct raw_event *raw,
                 struct error *problem)
{
    struct run run = {
        .reader = {.at = bytes, .end = bytes + size}, .arena = arena, .raw = raw, .config = config};
    const struct plan_root *root = choose_root(&run, plan);
    if (root) {
        raw->kind = root->kind;
        raw->kind_text = root->kind_text;
        run_block(&run, &root->block);
    }
    if (!run.reader.failed && run.reader.at == run.reader.end)
        return true;
    size_t at = (size_t)(run.reader.at - bytes);
    if (!run.reader.failed)
        (void)error_set(problem, STATUS_REJECT, "%zu bytes are left over after the record",
                        size - at);
    else
        (void)error_set(problem, STATUS_REJECT, "%s, at byte %zu of %zu of the record",
                        run.problem ? run.problem : "the bytes end too early", at, size);
    return false;
}
