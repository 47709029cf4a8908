#include "agreement/agreement.h"

#include "agreement/building.h"
#include "agreement/dates.h"
#include "agreement/zone.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 200
#define VERSION_MAX 999999999
#define TOUCHES_DEFAULT 8

/* ---- Header ---------------------------------------------------------------------------------- */

static void read_name(struct building *building, const struct yaml_node *node)
{
    if (value_text(building, node, "`agreement`", NAME_MAX_BYTES))
        building->agreement->compiled.name = node->text;
}

static void read_version(struct building *building, const struct yaml_node *node)
{
    int64_t version;
    if (value_whole(building, node, "`version`", 0, VERSION_MAX, &version))
        building->agreement->compiled.version = (uint32_t)version;
}

static void read_touches(struct building *building, const struct yaml_node *node)
{
    int64_t touches;
    if (value_whole(building, node, "`touches`", 0, BATON_TOUCHES_MAX, &touches))
        building->agreement->compiled.touches = (uint32_t)touches;
}

static void look_up_zone(struct building *building, const struct yaml_node *node)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    struct baton_zone_offset *zone;
    const char *problem =
        zone_load(building->arena, building->agreement->zone_name, &zone, &compiled->zone_count);
    if (!problem) {
        compiled->zone = zone;
        return;
    }
    const char *near = zone_nearest(building->arena, building->agreement->zone_name);
    error_at(building, node, "`%.64s` %s%s%s%s", building->agreement->zone_name, problem,
             near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

/* The table that was stored with the text stands before what this machine knows. */
static void read_zone(struct building *building, const struct yaml_node *root,
                      const struct baton_zone_offset *zone, uint32_t zone_count)
{
    static const struct baton_zone_offset utc = {INT64_MIN, 0};
    struct agreement *agreement = building->agreement;
    const struct yaml_node *node = yaml_find(root, "zone");
    agreement->compiled.zone = &utc;
    agreement->compiled.zone_count = 1;
    agreement->zone_name = "UTC";
    if (node && !value_text(building, node, "`zone`", NAME_MAX_BYTES))
        return;
    if (node)
        agreement->zone_name = node->text.data;
    if (zone && zone_count) {
        agreement->compiled.zone = arena_copy(building->arena, zone, zone_count * sizeof *zone);
        agreement->compiled.zone_count = zone_count;
    } else if (node) {
        look_up_zone(building, node);
    }
}

static void read_dates(struct building *building, const struct yaml_node *root)
{
    struct agreement *agreement = building->agreement;
    struct baton_agreement *compiled = &agreement->compiled;
    const struct yaml_node *effective = yaml_find(root, "effective"),
                           *expires = yaml_find(root, "expires");
    int64_t first = 0, last = 0;
    bool has_first = effective && value_date(building, effective, "`effective`", &first);
    bool has_last = expires && value_date(building, expires, "`expires`", &last);
    compiled->effective_ms = INT64_MIN;
    compiled->expires_ms = INT64_MAX;
    if (has_first) {
        agreement->effective = effective->text.data;
        compiled->effective_ms = start_of_day(compiled->zone, compiled->zone_count, first);
    }
    if (has_last) {
        agreement->expires = expires->text.data;
        compiled->expires_ms = start_of_day(compiled->zone, compiled->zone_count, last + 1);
    }
    if (has_first && has_last && last < first)
        error_at(building, expires, "the agreement ends before it begins (`effective` is %s)",
                 agreement->effective);
}

/* ---- The whole ------------------------------------------------------------------------------- */

enum force { IN_FORCE, CHANGES_SCORES, CHANGES_NOTHING };

/* The order matters where one part needs another: gates name rules. */
static const struct {
    struct key key;
    void (*read)(struct building *building, const struct yaml_node *node); /* NULL: elsewhere */
    enum force force;
} parts[] = {
    {{"agreement", true}, read_name, IN_FORCE},
    {{"version", true}, read_version, IN_FORCE},
    {{"zone", false}, NULL, IN_FORCE},
    {{"effective", false}, NULL, IN_FORCE},
    {{"expires", false}, NULL, IN_FORCE},
    {{"review", false}, terms_review, CHANGES_NOTHING},
    {{"meeting", false}, terms_meeting, CHANGES_NOTHING},
    {{"signed", false}, terms_signed, IN_FORCE},
    {{"never", false}, gates_never, IN_FORCE},
    {{"ignore", false}, terms_ignore, CHANGES_SCORES},
    {{"fit", false}, rules_fit, IN_FORCE},
    {{"behaviour", false}, rules_behaviour, IN_FORCE},
    {{"limits", false}, gates_limits, IN_FORCE},
    {{"gates", true}, gates_read, IN_FORCE},
    {{"share", false}, gates_share, IN_FORCE},
    {{"touches", false}, read_touches, IN_FORCE},
    {{"goals", false}, terms_goals, CHANGES_NOTHING},
    {{"sales", false}, terms_sales, CHANGES_NOTHING},
    {{"recycle", false}, terms_recycle, CHANGES_SCORES},
};
#define PARTS (sizeof parts / sizeof *parts)

static void set_defaults(struct baton_agreement *compiled)
{
    static const struct baton_gate open = {
        .score = BATON_NO_THRESHOLD, .fit = BATON_NO_THRESHOLD, .behaviour = BATON_NO_THRESHOLD};
    compiled->limit_behaviour = compiled->limit_fit = BATON_NO_LIMIT;
    compiled->mql = compiled->sql = open;
    compiled->touches = TOUCHES_DEFAULT;
}

static const struct yaml_node *find_hours(const struct yaml_node *root)
{
    const struct yaml_node *sales = yaml_find(root, "sales");
    return sales && sales->kind == YAML_MAPPING ? yaml_find(sales, "hours") : NULL;
}

static void read_parts(struct building *building, const struct yaml_node *root)
{
    struct key keys[PARTS];
    for (size_t i = 0; i < PARTS; i++)
        keys[i] = parts[i].key;
    (void)value_keys(building, root, "an agreement", keys, PARTS);
    for (size_t i = 0; i < PARTS; i++) {
        const struct yaml_node *node = yaml_find(root, parts[i].key.name);
        if (!node)
            continue;
        if (parts[i].read)
            parts[i].read(building, node);
        if (parts[i].force != IN_FORCE)
            word_not_in_force(building, node->key, parts[i].force == CHANGES_SCORES);
    }
}

static void build(struct building *building, const struct baton_zone_offset *zone,
                  uint32_t zone_count)
{
    struct agreement *agreement = building->agreement;
    const struct yaml_node *root = agreement->root;
    if (root->kind != YAML_MAPPING) {
        error_at(building, root, "an agreement must be a mapping of keys to values, not %s",
                 yaml_kind_name(root));
        return;
    }
    building->hours = find_hours(root);
    set_defaults(&agreement->compiled);
    read_zone(building, root, zone, zone_count);
    read_dates(building, root);
    read_parts(building, root);
    if (building->findings->errors)
        return;
    rules_index(building);
    reach_warn(building, yaml_find(root, "gates"));
    const char *hash = canonical_hash(building->arena, root);
    agreement->compiled.hash = (struct baton_text){hash, (uint32_t)strlen(hash)};
}

enum status agreement_parse(const char *file_name, const char *text, size_t size,
                            const struct baton_zone_offset *zone, uint32_t zone_count,
                            struct agreement **out, struct text_buffer *messages)
{
    struct agreement *agreement = memory_take_zeroed(1, sizeof *agreement);
    arena_init(&agreement->arena, 16384);
    struct arena scratch;
    arena_init(&scratch, 16384);
    struct building building = {.agreement = agreement, .arena = &agreement->arena};
    building.findings = arena_take(&scratch, sizeof *building.findings);
    building.names = arena_take(&scratch, 2 * BATON_RULES_MAX * sizeof *building.names);
    findings_init(building.findings, &scratch);
    agreement->root = yaml_parse(&agreement->arena, text, size, building.findings);
    if (agreement->root)
        build(&building, zone, zone_count);
    else if (!building.findings->errors)
        findings_error(building.findings, 1, 1,
                       "the file is empty; an agreement begins with `agreement: NAME`");
    bool good = building.findings->errors == 0;
    findings_print(building.findings, file_name, messages);
    arena_fini(&scratch);
    if (good) /* a text that is too large is not copied */
        agreement->text =
            (struct baton_text){arena_copy(&agreement->arena, text, size), (uint32_t)size};
    else
        agreement_destroy(agreement);
    *out = good ? agreement : NULL;
    return good ? STATUS_OK : STATUS_STOP;
}

enum status agreement_load(const char *path, struct agreement **out, struct text_buffer *messages)
{
    struct text_buffer text;
    text_buffer_init(&text);
    *out = NULL;
    enum status status = STATUS_STOP;
    if (yaml_read_file(path, &text, messages))
        status =
            agreement_parse(path, text.data ? text.data : "", text.size, NULL, 0, out, messages);
    text_buffer_fini(&text);
    return status;
}

void agreement_destroy(struct agreement *agreement)
{
    if (!agreement)
        return;
    arena_fini(&agreement->arena);
    free(agreement);
}

/* ---- What it is ------------------------------------------------------------------------------ */

const struct baton_agreement *agreement_compiled(const struct agreement *agreement)
{
    return &agreement->compiled;
}

struct baton_text agreement_text(const struct agreement *agreement)
{
    return agreement->text;
}

const char *agreement_name(const struct agreement *agreement)
{
    return agreement->compiled.name.data;
}

uint32_t agreement_version(const struct agreement *agreement)
{
    return agreement->compiled.version;
}

const char *agreement_hash(const struct agreement *agreement)
{
    return agreement->compiled.hash.data;
}

const char *agreement_zone_name(const struct agreement *agreement)
{
    return agreement->zone_name;
}

const struct agreement_word *agreement_refused(const struct agreement *agreement, size_t *count)
{
    *count = agreement->refused_count;
    return agreement->refused;
}

const struct agreement_word *agreement_idle(const struct agreement *agreement, size_t *count)
{
    *count = agreement->idle_count;
    return agreement->idle;
}

bool agreement_in_force(const struct agreement *agreement, int64_t time_ms, struct text_buffer *why)
{
    if (time_ms < agreement->compiled.effective_ms) {
        if (why)
            text_buffer_print(why, "is not in force before %s", agreement->effective);
        return false;
    }
    if (time_ms >= agreement->compiled.expires_ms) {
        if (why)
            text_buffer_print(why, "expired at the end of %s", agreement->expires);
        return false;
    }
    return true;
}
