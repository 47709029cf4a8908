/* Two texts beside each other. What a rule's change means for the points that leads have is told by
 * the rule's hash; everything else is walked word by word. */
#include "agreement/diff.h"

#include "agreement/building.h"
#include "agreement/diff_words.h"
#include "agreement/sentence_parts.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[CHANGE_KINDS] = {
    [CHANGE_RULE_NEW] = "rule_new",
    [CHANGE_RULE_GONE] = "rule_gone",
    [CHANGE_RULE_PRICED] = "rule_priced",
    [CHANGE_RULE_ANEW] = "rule_anew",
    [CHANGE_FIT_NEW] = "fit_new",
    [CHANGE_FIT_GONE] = "fit_gone",
    [CHANGE_FIT_PRICED] = "fit_priced",
    [CHANGE_FIT_ANEW] = "fit_anew",
    [CHANGE_GATE] = "gate",
    [CHANGE_LIMIT] = "limit",
    [CHANGE_NEVER] = "never",
    [CHANGE_GOAL] = "goal",
    [CHANGE_CLOCK] = "clock",
    [CHANGE_OTHER_WORD] = "other_word",
};

const char *agreement_change_name(enum agreement_change_kind kind)
{
    return kind_names[kind];
}

void changes_add(struct agreement_changes *changes, const struct agreement_change *change)
{
    if (changes->count == changes->room) {
        changes->room = changes->room ? 2 * changes->room : 16;
        changes->items = memory_resize(changes->items, changes->room * sizeof *changes->items);
    }
    changes->items[changes->count++] = *change;
}

const char *diff_both(struct speech *speech, const char *text, const char *before,
                      const char *after)
{
    return speech_print(speech, "%s\n  %s\n  %s", text,
                        phrase(speech, MESSAGE_DIFF_BEFORE, {"text", before}),
                        phrase(speech, MESSAGE_DIFF_NOW, {"text", after}));
}

/* ---- Rules, by their ids --------------------------------------------------------------------- */

/* A rule of either list, as this file needs it. */
struct rule {
    const struct yaml_node *node;
    const char *id;
    int32_t points;
    uint32_t hash; /* of a behaviour rule */
    const char *sentence;
    bool met; /* its like stands in the other text */
};

struct rules {
    struct rule *items;
    uint32_t count;
};

static struct rules take_rules(struct speech *speech, const struct yaml_node *list, uint32_t count)
{
    struct rules rules = {arena_take(&speech->arena, (count + 1) * sizeof *rules.items), count};
    const struct yaml_node *node = list ? list->first : NULL;
    for (uint32_t i = 0; i < count; i++, node = node->next)
        rules.items[i] = (struct rule){.node = node, .id = yaml_find(node, "id")->text.data};
    return rules;
}

static struct rules behaviour_of(struct speech *speech, const struct agreement *agreement)
{
    const struct baton_agreement *compiled = &agreement->compiled;
    struct rules rules =
        take_rules(speech, yaml_find(agreement->root, "behaviour"), compiled->behaviour_count);
    for (uint32_t i = 0; i < rules.count; i++) {
        const struct baton_behaviour_rule *rule = &compiled->behaviour[i];
        rules.items[i].points = rule->points;
        rules.items[i].hash = rule->hash;
        rules.items[i].sentence = sentence_behaviour_rule(speech, rules.items[i].node, rule);
    }
    return rules;
}

static struct rules fit_of(struct speech *speech, const struct yaml_node *list,
                           const struct baton_fit_rule *fit, uint32_t count)
{
    struct rules rules = take_rules(speech, list, count);
    for (uint32_t i = 0; i < rules.count; i++) {
        rules.items[i].points = fit[i].points;
        rules.items[i].sentence = sentence_fit_rule(speech, rules.items[i].node, &fit[i]);
    }
    return rules;
}

static struct rule *rule_find(const struct rules *rules, const char *id)
{
    for (uint32_t i = 0; i < rules->count; i++)
        if (strcmp(rules->items[i].id, id) == 0)
            return &rules->items[i];
    return NULL;
}

/* The two lists differ in their kinds of changes, and in the sentences that tell them. */
struct rule_words {
    bool behaviour;
    enum agreement_change_kind new, gone, priced, anew;
    enum message_id say_new, say_gone, say_priced, say_anew;
};
static const struct rule_words behaviour_words = {
    true,
    CHANGE_RULE_NEW,
    CHANGE_RULE_GONE,
    CHANGE_RULE_PRICED,
    CHANGE_RULE_ANEW,
    MESSAGE_DIFF_RULE_NEW,
    MESSAGE_DIFF_RULE_GONE,
    MESSAGE_DIFF_RULE_PRICED,
    MESSAGE_DIFF_RULE_ANEW,
};
static const struct rule_words fit_words = {
    false,
    CHANGE_FIT_NEW,
    CHANGE_FIT_GONE,
    CHANGE_FIT_PRICED,
    CHANGE_FIT_ANEW,
    MESSAGE_DIFF_FIT_NEW,
    MESSAGE_DIFF_FIT_GONE,
    MESSAGE_DIFF_FIT_PRICED,
    MESSAGE_DIFF_FIT_ANEW,
};

static bool same_meaning(const struct rule_words *words, const struct rule *before,
                         const struct rule *after)
{
    return words->behaviour
               ? before->hash == after->hash
               : same_value(yaml_find(before->node, "where"), yaml_find(after->node, "where"));
}

static void compare_rule(struct agreement_changes *changes, const struct rule_words *words,
                         const char *word, const struct rule *before, const struct rule *after)
{
    struct speech *speech = &changes->speech;
    struct agreement_change change = {.id = after->id, .word = word};
    if (!same_meaning(words, before, after)) {
        change.kind = words->anew;
        change.before = before->sentence;
        change.after = after->sentence;
        change.text = diff_both(speech, phrase(speech, words->say_anew, {"id", after->id}),
                                before->sentence, after->sentence);
    } else if (before->points != after->points) {
        change.kind = words->priced;
        change.word = speech_print(speech, "%s.points", word);
        change.before = sentence_points(speech, before->points);
        change.after = sentence_points(speech, after->points);
        change.text = phrase(speech, words->say_priced, {"id", after->id},
                             {"before", change.before}, {"after", change.after});
    } else {
        return;
    }
    changes_add(changes, &change);
}

static void compare_rules(struct agreement_changes *changes, const struct rule_words *words,
                          const char *word, const struct rules *before, const struct rules *after)
{
    struct speech *speech = &changes->speech;
    for (uint32_t i = 0; i < after->count; i++) {
        struct rule *now = &after->items[i], *was = rule_find(before, now->id);
        const char *place = speech_print(speech, "%s.%s", word, now->id);
        if (was)
            was->met = now->met = true;
        if (was)
            compare_rule(changes, words, place, was, now);
        else
            changes_add(changes,
                        &(struct agreement_change){
                            .kind = words->new,
                            .word = place,
                            .id = now->id,
                            .after = now->sentence,
                            .text = phrase(speech, words->say_new, {"rule", now->sentence})});
    }
    for (uint32_t i = 0; i < before->count; i++) {
        const struct rule *was = &before->items[i];
        if (!was->met)
            changes_add(changes,
                        &(struct agreement_change){
                            .kind = words->gone,
                            .word = speech_print(speech, "%s.%s", word, was->id),
                            .id = was->id,
                            .before = was->sentence,
                            .text = phrase(speech, words->say_gone, {"rule", was->sentence})});
    }
}

static void compare_behaviour(struct agreement_changes *changes, const struct agreement *before,
                              const struct agreement *after)
{
    struct rules was = behaviour_of(&changes->speech, before);
    struct rules now = behaviour_of(&changes->speech, after);
    compare_rules(changes, &behaviour_words, "behaviour", &was, &now);
}

static void compare_fit(struct agreement_changes *changes, const struct agreement *before,
                        const struct agreement *after)
{
    struct speech *speech = &changes->speech;
    struct rules was = fit_of(speech, yaml_find(before->root, "fit"), before->compiled.fit,
                              before->compiled.fit_count);
    struct rules now = fit_of(speech, yaml_find(after->root, "fit"), after->compiled.fit,
                              after->compiled.fit_count);
    compare_rules(changes, &fit_words, "fit", &was, &now);
}

/* ---- Gates, limits, who is never promoted ---------------------------------------------------- */

static void compare_gate(struct agreement_changes *changes, const char *name,
                         const struct yaml_node *before, const struct yaml_node *after)
{
    struct speech *speech = &changes->speech;
    if (same_value(before, after))
        return;
    struct agreement_change change = {.kind = CHANGE_GATE,
                                      .word = speech_print(speech, "gates.%s", name),
                                      .before = sentence_gate(speech, before),
                                      .after = sentence_gate(speech, after)};
    enum message_id id = strcmp(name, "mql") == 0 ? MESSAGE_DIFF_GATE_MQL : MESSAGE_DIFF_GATE_SQL;
    change.text = diff_both(speech, phrase_plain(speech, id), change.before, change.after);
    changes_add(changes, &change);
}

static void compare_gates(struct agreement_changes *changes, const struct agreement *before,
                          const struct agreement *after)
{
    static const char *const names[] = {"mql", "sql"};
    const struct yaml_node *was = yaml_find(before->root, "gates"),
                           *now = yaml_find(after->root, "gates");
    for (int i = 0; i < 2; i++)
        compare_gate(changes, names[i], yaml_find(was, names[i]), yaml_find(now, names[i]));
}

static void compare_limit(struct agreement_changes *changes, const char *word, enum message_id id,
                          int32_t before, int32_t after)
{
    struct speech *speech = &changes->speech;
    if (before == after)
        return;
    struct agreement_change change = {.kind = CHANGE_LIMIT, .word = word};
    const char *none = phrase_plain(speech, MESSAGE_DIFF_NO_LIMIT);
    if (before != BATON_NO_LIMIT)
        change.before = sentence_points(speech, before);
    if (after != BATON_NO_LIMIT)
        change.after = sentence_points(speech, after);
    change.text = phrase(speech, id, {"before", change.before ? change.before : none},
                         {"after", change.after ? change.after : none});
    changes_add(changes, &change);
}

static void compare_limits(struct agreement_changes *changes, const struct agreement *before,
                           const struct agreement *after)
{
    compare_limit(changes, "limits.behaviour", MESSAGE_DIFF_LIMIT_BEHAVIOUR,
                  before->compiled.limit_behaviour, after->compiled.limit_behaviour);
    compare_limit(changes, "limits.fit", MESSAGE_DIFF_LIMIT_FIT, before->compiled.limit_fit,
                  after->compiled.limit_fit);
}

static bool stands_in(const struct yaml_node *item, const struct yaml_node *list)
{
    for (const struct yaml_node *one = list ? list->first : NULL; one; one = one->next)
        if (same_value(item, one))
            return true;
    return false;
}

static void compare_never(struct agreement_changes *changes, const struct agreement *before,
                          const struct agreement *after)
{
    struct speech *speech = &changes->speech;
    const struct yaml_node *lists[2] = {yaml_find(before->root, "never"),
                                        yaml_find(after->root, "never")};
    for (int side = 1; side >= 0; side--) {
        const struct yaml_node *item = lists[side] ? lists[side]->first : NULL;
        for (; item; item = item->next) {
            if (stands_in(item, lists[!side]))
                continue;
            struct agreement_change change = {.kind = CHANGE_NEVER, .word = "never"};
            const char *text = sentence_where(speech, item);
            *(side ? &change.after : &change.before) = text;
            change.text = phrase(speech, side ? MESSAGE_DIFF_NEVER_NEW : MESSAGE_DIFF_NEVER_GONE,
                                 {"where", text});
            changes_add(changes, &change);
        }
    }
}

/* ---- Personas: their rules by id, the rest by its words -------------------------------------- */

static int persona_index(const struct agreement *agreement, const char *id)
{
    for (uint32_t i = 0; i < agreement->compiled.persona_count; i++)
        if (strcmp(agreement->compiled.personas[i].id.data, id) == 0)
            return (int)i;
    return -1;
}

static const struct yaml_node *persona_node(const struct agreement *agreement, int index)
{
    const struct yaml_node *node = yaml_find(agreement->root, "personas")->first;
    for (; index > 0; index--)
        node = node->next;
    return node;
}

static void compare_persona(struct agreement_changes *changes, const struct agreement *before,
                            int was_index, const struct agreement *after, int now_index)
{
    struct speech *speech = &changes->speech;
    const struct baton_persona *was = &before->compiled.personas[was_index],
                               *now = &after->compiled.personas[now_index];
    const struct yaml_node *was_node = persona_node(before, was_index),
                           *now_node = persona_node(after, now_index);
    const char *word = speech_print(speech, "personas.%s", now->id.data);
    struct rules was_rules = fit_of(speech, yaml_find(was_node, "fit"), was->fit, was->fit_count);
    struct rules now_rules = fit_of(speech, yaml_find(now_node, "fit"), now->fit, now->fit_count);
    compare_rules(changes, &fit_words, word, &was_rules, &now_rules);
    diff_words(changes, CHANGE_GATE, speech_print(speech, "%s.gates", word),
               yaml_find(was_node, "gates"), yaml_find(now_node, "gates"));
}

/* At a tie the first persona counts: their order is a word, too. */
static void compare_personas(struct agreement_changes *changes, const struct agreement *before,
                             const struct agreement *after)
{
    int last = -1;
    bool moved = false;
    for (uint32_t i = 0; i < after->compiled.persona_count; i++) {
        const char *id = after->compiled.personas[i].id.data;
        int was = persona_index(before, id);
        if (was < 0)
            diff_words(changes, CHANGE_OTHER_WORD,
                       speech_print(&changes->speech, "personas.%s", id), NULL,
                       persona_node(after, (int)i));
        else
            compare_persona(changes, before, was, after, (int)i);
        moved |= was >= 0 && was < last;
        last = was >= 0 ? was : last;
    }
    for (uint32_t i = 0; i < before->compiled.persona_count; i++) {
        const char *id = before->compiled.personas[i].id.data;
        if (persona_index(after, id) < 0)
            diff_words(changes, CHANGE_OTHER_WORD,
                       speech_print(&changes->speech, "personas.%s", id),
                       persona_node(before, (int)i), NULL);
    }
    if (moved)
        diff_order(changes, CHANGE_OTHER_WORD, "personas");
}

/* ---- The whole ------------------------------------------------------------------------------- */

static enum agreement_change_kind kind_of_sales(const char *word)
{
    return strcmp(word, "reasons") == 0 ? CHANGE_OTHER_WORD : CHANGE_CLOCK;
}

static void compare_sales_part(struct agreement_changes *changes, const struct agreement *before,
                               const struct agreement *after, const char *key)
{
    const struct yaml_node *was = yaml_find(before->root, "sales"),
                           *now = yaml_find(after->root, "sales");
    diff_pact(changes, kind_of_sales(key), speech_print(&changes->speech, "sales.%s", key), before,
              was ? yaml_find(was, key) : NULL, after, now ? yaml_find(now, key) : NULL);
}

static void compare_sales(struct agreement_changes *changes, const struct agreement *before,
                          const struct agreement *after)
{
    const struct yaml_node *was = yaml_find(before->root, "sales"),
                           *now = yaml_find(after->root, "sales");
    for (const struct yaml_node *part = now ? now->first : NULL; part; part = part->next)
        compare_sales_part(changes, before, after, part->key->text.data);
    for (const struct yaml_node *part = was ? was->first : NULL; part; part = part->next)
        if (!now || !yaml_find(now, part->key->text.data))
            compare_sales_part(changes, before, after, part->key->text.data);
}

static void compare_review(struct agreement_changes *changes, const struct agreement *before,
                           const struct agreement *after)
{
    static const char *const words[] = {"review", "meeting"};
    for (int i = 0; i < 2; i++)
        diff_pact(changes, CHANGE_OTHER_WORD, words[i], before, yaml_find(before->root, words[i]),
                  after, yaml_find(after->root, words[i]));
}

/* In the order in which an agreement is read aloud; NULL: word by word. */
static const struct {
    const char *word;
    void (*compare)(struct agreement_changes *changes, const struct agreement *before,
                    const struct agreement *after);
    enum agreement_change_kind kind;
} parts[] = {
    {"agreement", NULL, CHANGE_OTHER_WORD},
    {"version", NULL, CHANGE_OTHER_WORD},
    {"zone", NULL, CHANGE_OTHER_WORD},
    {"effective", NULL, CHANGE_OTHER_WORD},
    {"expires", NULL, CHANGE_OTHER_WORD},
    {"fit", compare_fit, CHANGE_FIT_NEW},
    {"behaviour", compare_behaviour, CHANGE_RULE_NEW},
    {"ignore", NULL, CHANGE_OTHER_WORD},
    {"limits", compare_limits, CHANGE_LIMIT},
    {"gates", compare_gates, CHANGE_GATE},
    {"never", compare_never, CHANGE_NEVER},
    {"personas", compare_personas, CHANGE_OTHER_WORD},
    {"share", NULL, CHANGE_OTHER_WORD},
    {"touches", NULL, CHANGE_OTHER_WORD},
    {"assign", NULL, CHANGE_OTHER_WORD},
    {"sales", compare_sales, CHANGE_CLOCK},
    {"recycle", NULL, CHANGE_OTHER_WORD},
    {"forget", NULL, CHANGE_OTHER_WORD},
    {"review", compare_review, CHANGE_OTHER_WORD}, /* and the meeting */
    {"goals", diff_goals, CHANGE_GOAL},
    {"meeting", NULL, CHANGE_KINDS},
    {"signed", NULL, CHANGE_KINDS}, /* is no part of what was agreed */
};
#define PARTS (sizeof parts / sizeof *parts)

static bool is_part(const char *word)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(parts[i].word, word) == 0)
            return true;
    return false;
}

/* Words of the language that this file does not know. */
static void compare_rest(struct agreement_changes *changes, const struct agreement *before,
                         const struct agreement *after)
{
    const struct yaml_node *node;
    for (node = after->root->first; node; node = node->next)
        if (!is_part(node->key->text.data))
            diff_words(changes, CHANGE_OTHER_WORD, node->key->text.data,
                       yaml_find(before->root, node->key->text.data), node);
    for (node = before->root->first; node; node = node->next)
        if (!is_part(node->key->text.data) && !yaml_find(after->root, node->key->text.data))
            diff_words(changes, CHANGE_OTHER_WORD, node->key->text.data, node, NULL);
}

void agreement_changes_init(struct agreement_changes *changes, const struct agreement *before,
                            const struct agreement *after, enum language language)
{
    *changes = (struct agreement_changes){0};
    speech_init(&changes->speech, language, NULL);
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i].compare)
            parts[i].compare(changes, before, after);
        else if (parts[i].kind != CHANGE_KINDS)
            diff_words(changes, parts[i].kind, parts[i].word,
                       yaml_find(before->root, parts[i].word),
                       yaml_find(after->root, parts[i].word));
    }
    compare_rest(changes, before, after);
}

void agreement_changes_fini(struct agreement_changes *changes)
{
    free(changes->items);
    speech_fini(&changes->speech);
}

/* Each line of a text behind the indent. */
static void add_lines(const char *text, const char *indent, struct text_buffer *out)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        text_buffer_print(out, "%s%.*s\n", indent, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void agreement_diff(const struct agreement *before, const struct agreement *after,
                    enum language language, const char *indent, struct text_buffer *out)
{
    struct agreement_changes changes;
    agreement_changes_init(&changes, before, after, language);
    bool same = strcmp(agreement_hash(before), agreement_hash(after)) == 0;
    for (size_t i = 0; i < changes.count; i++) /* what changed twice has one sentence */
        if (!i || strcmp(changes.items[i].text, changes.items[i - 1].text) != 0)
            add_lines(changes.items[i].text, indent, out);
    if (changes.count == 0)
        add_lines(
            phrase_plain(&changes.speech, same ? MESSAGE_DIFF_NOTHING : MESSAGE_DIFF_ORDER_ALONE),
            indent, out);
    agreement_changes_fini(&changes);
}
