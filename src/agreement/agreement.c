#include "agreement/agreement.h"

#include "agreement/building.h"
#include "agreement/zone.h"
#include "domain/calendar.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 200
#define VERSION_MAX 999999999
#define TOUCHES_DEFAULT 8
#define FORGET_LEAST_MS INT64_C(86400000)

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

static void read_forget(struct building *building, const struct yaml_node *node)
{
    int64_t after_ms;
    if (!value_duration(building, node, "`forget`", &after_ms))
        return;
    if (after_ms < FORGET_LEAST_MS)
        error_plain_at(building, node, MESSAGE_FINDING_FORGET_SHORT);
    else
        building->agreement->compiled.forget_ms = after_ms;
}

static void look_up_zone(struct building *building, const struct yaml_node *node)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    struct baton_zone_offset *zone;
    enum message_id problem =
        zone_load(building->arena, building->agreement->zone_name, &zone, &compiled->zone_count);
    if (problem == MESSAGES) {
        compiled->zone = zone;
        return;
    }
    const char *near = zone_nearest(building->arena, building->agreement->zone_name);
    const char *suggestion = "";
    if (near)
        suggestion = phrase(&building->findings->speech, MESSAGE_SUGGEST_NEAR, {"near", near});
    error_at(building, node, problem, {"zone", shown(building, building->agreement->zone_name)},
             {"suggestion", suggestion});
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
        compiled->effective_ms = calendar_start_of_day(compiled->zone, compiled->zone_count, first);
    }
    if (has_last) {
        agreement->expires = expires->text.data;
        compiled->expires_ms =
            calendar_start_of_day(compiled->zone, compiled->zone_count, last + 1);
    }
    if (has_first && has_last && last < first)
        error_at(building, expires, MESSAGE_FINDING_ENDS_FIRST, {"date", agreement->effective});
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
    {{"review", false}, terms_review, IN_FORCE},
    {{"meeting", false}, terms_meeting, IN_FORCE},
    {{"signed", false}, terms_signed, IN_FORCE},
    {{"never", false}, gates_never, IN_FORCE},
    {{"ignore", false}, ignore_read, IN_FORCE},
    {{"fit", false}, rules_fit, IN_FORCE},
    {{"behaviour", false}, rules_behaviour, IN_FORCE},
    {{"limits", false}, gates_limits, IN_FORCE},
    {{"gates", true}, gates_read, IN_FORCE},
    {{"personas", false}, personas_read, IN_FORCE},
    {{"assign", false}, assign_read, IN_FORCE},
    {{"share", false}, gates_share, IN_FORCE},
    {{"touches", false}, read_touches, IN_FORCE},
    {{"goals", false}, goals_read, IN_FORCE},
    {{"sales", false}, terms_sales, IN_FORCE},
    {{"recycle", false}, terms_recycle, IN_FORCE},
    {{"forget", false}, read_forget, IN_FORCE},
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
    (void)value_keys(building, root, word(building, MESSAGE_WHAT_AGREEMENT), keys, PARTS);
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
        (void)value_mapping(building, root, word(building, MESSAGE_WHAT_AGREEMENT));
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
    reach_warn(building, yaml_find(root, "gates"), yaml_find(root, "personas"));
    const char *hash = canonical_hash(building->arena, root);
    agreement->compiled.hash = (struct baton_text){hash, (uint32_t)strlen(hash)};
}

enum status agreement_read(const char *text, size_t size, const struct baton_zone_offset *zone,
                           uint32_t zone_count, struct agreement **out, struct findings *findings)
{
    struct agreement *agreement = memory_take_zeroed(1, sizeof *agreement);
    arena_init(&agreement->arena, 16384);
    struct arena scratch;
    arena_init(&scratch, 16384);
    struct building building = {
        .agreement = agreement, .arena = &agreement->arena, .findings = findings};
    building.names = arena_take(&scratch, 2 * BATON_RULES_MAX * sizeof *building.names);
    agreement->root = yaml_parse(&agreement->arena, text, size, findings);
    if (agreement->root)
        build(&building, zone, zone_count);
    else if (!findings->errors)
        find_plain(findings, ((struct finding_place){1, 1}), MESSAGE_FINDING_EMPTY_FILE);
    arena_fini(&scratch);
    bool good = findings->errors == 0;
    if (good) /* a text that is too large is not copied */
        agreement->text =
            (struct baton_text){arena_copy(&agreement->arena, text, size), (uint32_t)size};
    else
        agreement_destroy(agreement);
    *out = good ? agreement : NULL;
    return good ? STATUS_OK : STATUS_STOP;
}

enum status agreement_read_file(const char *path, struct agreement **out, struct findings *findings)
{
    struct text_buffer text;
    text_buffer_init(&text);
    *out = NULL;
    enum status status = STATUS_STOP;
    if (yaml_read_file(path, &text, findings))
        status = agreement_read(text.data ? text.data : "", text.size, NULL, 0, out, findings);
    text_buffer_fini(&text);
    return status;
}

enum status agreement_parse(const char *file_name, const char *text, size_t size,
                            const struct baton_zone_offset *zone, uint32_t zone_count,
                            struct agreement **out, struct text_buffer *messages)
{
    struct findings findings;
    findings_init(&findings, LANGUAGE_EN);
    enum status status = agreement_read(text, size, zone, zone_count, out, &findings);
    findings_print(&findings, file_name, messages);
    findings_fini(&findings);
    return status;
}

enum status agreement_load(const char *path, struct agreement **out, struct text_buffer *messages)
{
    struct findings findings;
    findings_init(&findings, LANGUAGE_EN);
    enum status status = agreement_read_file(path, out, &findings);
    findings_print(&findings, path, messages);
    findings_fini(&findings);
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

static void say_out_of_force(const struct agreement *agreement, struct speech *speech,
                             enum message_id id, const char *date)
{
    say(speech, id, {"name", agreement_name(agreement)},
        {"version", speech_print(speech, "%u", agreement_version(agreement))},
        {"date", speech_date(speech, date)});
}

bool agreement_in_force(const struct agreement *agreement, int64_t time_ms, struct speech *speech)
{
    bool before = time_ms < agreement->compiled.effective_ms;
    bool after = time_ms >= agreement->compiled.expires_ms;
    if (before && speech)
        say_out_of_force(agreement, speech, MESSAGE_DATES_BEFORE, agreement->effective);
    else if (after && speech)
        say_out_of_force(agreement, speech, MESSAGE_DATES_AFTER, agreement->expires);
    return !before && !after;
}
