/* What both sides agreed on beside rules, goals and clocks: dates, signatures, reasons, recycling.
 */
#include "agreement/building.h"
#include "text/fold.h"

#include <string.h>
#include <strings.h>

static const char *const side_names[] = {"marketing", "sales"};
static const char *const rhythm_names[] = {"day", "week", "month", "quarter", "year"};
static const enum baton_span rhythms[] = {BATON_SPAN_DAY, BATON_SPAN_WEEK, BATON_SPAN_MONTH,
                                          BATON_SPAN_QUARTER, BATON_SPAN_YEAR};
#define RHYTHMS (sizeof rhythms / sizeof *rhythms)

struct baton_pact *pact_of(struct building *building)
{
    if (!building->pact) {
        building->pact = arena_take(building->arena, sizeof *building->pact);
        *building->pact = (struct baton_pact){.review_every = BATON_SPAN_NONE,
                                              .meeting_every = BATON_SPAN_NONE,
                                              .review_next = INT32_MIN};
        building->agreement->compiled.pact = building->pact;
    }
    return building->pact;
}

struct baton_text optional_text(struct building *building, const struct yaml_node *mapping,
                                const char *key, const char *what)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    if (node && value_text(building, node, what, TERM_TEXT_MAX))
        return node->text;
    return (struct baton_text){0};
}

/* ---- Header ---------------------------------------------------------------------------------- */

static bool is_weekday(const struct yaml_node *node)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    for (size_t i = 0; node->kind == YAML_SCALAR && i < 7; i++)
        if (node->text.size >= 3 && strncasecmp(node->text.data, names[i], node->text.size) == 0)
            return true;
    return false;
}

/* Who names a day of the week means every week. */
static void read_rhythm(struct building *building, const struct yaml_node *node, const char *what,
                        enum baton_span *every)
{
    size_t index;
    if (is_weekday(node))
        error_at(building, node, MESSAGE_FINDING_NOT_CHOICE, {"what", what},
                 {"text", shown(building, node->text.data)},
                 {"suggestion",
                  phrase(&building->findings->speech, MESSAGE_SUGGEST_NEAR, {"near", "week"})});
    else if (value_choice(building, node, what, rhythm_names, RHYTHMS, &index))
        *every = rhythms[index];
}

void terms_review(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"every", true}, {"next", false}, {"owner", true}};
    struct baton_pact *pact = pact_of(building);
    int64_t days;
    (void)value_keys(building, node, "`review`", keys, 3);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *every = yaml_find(node, "every"), *next = yaml_find(node, "next");
    if (every)
        read_rhythm(building, every, "`every`", &pact->review_every);
    if (next && value_date(building, next, "`next`", &days))
        pact->review_next = (int32_t)days;
    pact->review_owner = optional_text(building, node, "owner", "`owner`");
}

/* Both sides are called together by the owner of the review. */
void terms_meeting(struct building *building, const struct yaml_node *node)
{
    if (!yaml_find(building->agreement->root, "review"))
        error_at(building, node, MESSAGE_FINDING_MEETING_OWNER,
                 {"suggestion",
                  phrase(&building->findings->speech, MESSAGE_SUGGEST_EXAMPLE,
                         {"example", "review: {every: month, owner: Head of Marketing}"})});
    read_rhythm(building, node, "`meeting`", &pact_of(building)->meeting_every);
}

/* Of the text that was signed; an item without one is a name. */
static void read_signed_hash(struct building *building, const struct yaml_node *node,
                             struct signature *signature)
{
    if (node->kind == YAML_SCALAR && node->text.size == AGREEMENT_HASH_SIZE &&
        strspn(node->text.data, "0123456789abcdef") == AGREEMENT_HASH_SIZE)
        signature->hash = node->text.data;
    else
        error_plain_at(building, node, MESSAGE_FINDING_NOT_HASH);
}

static void read_signature(struct building *building, const struct yaml_node *node,
                           struct signature *signature)
{
    static const struct key keys[] = {
        {"side", true}, {"by", true}, {"date", true}, {"hash", false}};
    const struct yaml_node *side_node = yaml_find(node, "side"), *date = yaml_find(node, "date"),
                           *hash = yaml_find(node, "hash");
    size_t side = SIGNING_SALES;
    int64_t days;
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_SIGNATURE), keys, 4);
    if (side_node)
        (void)value_choice(building, side_node, "`side`", side_names, 2, &side);
    struct baton_text by = optional_text(building, node, "by", "`by`");
    if (side == SIGNING_MARKETING)
        building->marketing_by = by;
    if (date)
        (void)value_date(building, date, "`date`", &days);
    *signature = (struct signature){.side = (enum signing_side)side,
                                    .by = by.data ? by.data : "",
                                    .date = date ? date->text.data : "",
                                    .node = node};
    if (hash)
        read_signed_hash(building, hash, signature);
}

void terms_signed(struct building *building, const struct yaml_node *list)
{
    struct agreement *agreement = building->agreement;
    if (!value_list(building, list, "`signed`"))
        return;
    agreement->signatures =
        arena_take(building->arena, list->count * sizeof *agreement->signatures);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        if (value_mapping(building, node, word(building, MESSAGE_WHAT_SIGNATURE)))
            read_signature(building, node, &agreement->signatures[agreement->signature_count++]);
}

/* ---- Sales ----------------------------------------------------------------------------------- */

/* Without case and accents: as reports are compared with it. */
static void read_reason(struct building *building, const struct yaml_node *node,
                        struct baton_text *reasons, uint32_t *count)
{
    struct baton_text folded;
    if (!value_text(building, node, word(building, MESSAGE_WHAT_REASON), TERM_TEXT_MAX))
        return;
    if (!text_fold(building->arena, node->text, &folded) || folded.size == 0) {
        error_plain_at(building, node, MESSAGE_FINDING_REASON_EMPTY);
        return;
    }
    for (uint32_t i = 0; i < *count; i++) {
        if (reasons[i].size == folded.size &&
            memcmp(reasons[i].data, folded.data, folded.size) == 0) {
            error_at(building, node, MESSAGE_FINDING_REASON_TWICE,
                     {"text", shown(building, node->text.data)});
            return;
        }
    }
    reasons[(*count)++] = folded;
}

static void read_reasons(struct building *building, const struct yaml_node *list)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    uint32_t count = 0;
    if (!value_list(building, list, "`reasons`"))
        return;
    if (!value_few(building, list, BATON_REASONS_MAX, MESSAGE_THINGS_REASONS))
        return;
    struct baton_text *reasons = arena_take(building->arena, list->count * sizeof *reasons);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        read_reason(building, node, reasons, &count);
    compiled->reasons = reasons;
    compiled->reason_count = count;
}

static const struct {
    struct key key;
    void (*read)(struct building *building, const struct yaml_node *node);
} sales_parts[] = {
    {{"hours", false}, promises_hours},     {{"first_contact", false}, promises_first_contact},
    {{"verdict", false}, promises_verdict}, {{"next_update", false}, promises_next_update},
    {{"reasons", false}, read_reasons},
};
#define SALES_PARTS (sizeof sales_parts / sizeof *sales_parts)

void terms_sales(struct building *building, const struct yaml_node *node)
{
    struct key keys[SALES_PARTS];
    for (size_t i = 0; i < SALES_PARTS; i++)
        keys[i] = sales_parts[i].key;
    if (!value_keys(building, node, "`sales`", keys, SALES_PARTS))
        return;
    for (size_t i = 0; i < SALES_PARTS; i++) {
        const struct yaml_node *part = yaml_find(node, sales_parts[i].key.name);
        if (part)
            sales_parts[i].read(building, part);
    }
    promises_end(building, node);
}

void terms_recycle(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"after", true}, {"score", true}};
    struct baton_agreement *compiled = &building->agreement->compiled;
    int64_t value;
    (void)value_keys(building, node, "`recycle`", keys, 2);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *after = yaml_find(node, "after"), *score = yaml_find(node, "score");
    if (after && value_duration(building, after, "`after`", &value))
        compiled->recycle_after_ms = value;
    if (score && value_whole(building, score, "`score`", 0, BATON_SCORE_MAX, &value))
        compiled->recycle_score = (int32_t)value;
}
