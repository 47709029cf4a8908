/* The agreement read aloud. It walks the tree of the text, so that values sound as they were
 * written. */
#include "agreement/reader.h"
#include "agreement/sentence_parts.h"
#include "agreement/stage_table.h"

#include <assert.h>
#include <string.h>

/* ---- Header ---- */

static void say_dates(struct reader *reader)
{
    const char *from = reader->agreement->effective, *to = reader->agreement->expires;
    struct speech *speech = &reader->speech;
    if (from && to)
        say_line(reader, MESSAGE_FORCE_FROM_TO, {"from", speech_date(speech, from)},
                 {"to", speech_date(speech, to)});
    else if (from)
        say_line(reader, MESSAGE_FORCE_FROM, {"from", speech_date(speech, from)});
    else if (to)
        say_line(reader, MESSAGE_FORCE_TO, {"to", speech_date(speech, to)});
}

static void say_header(struct reader *reader)
{
    const struct yaml_node *root = reader->agreement->root, *list = part(reader, "signed");
    struct speech *speech = &reader->speech;
    say_line(reader, MESSAGE_AGREEMENT, {"name", text_of(root, "agreement")},
             {"version", text_of(root, "version")});
    say_dates(reader);
    say_line(reader, MESSAGE_ZONE, {"zone", reader->agreement->zone_name});
    for (const struct yaml_node *node = list ? list->first : NULL; node; node = node->next) {
        bool sales = strcmp(text_of(node, "side"), "sales") == 0;
        const struct yaml_node *hash = yaml_find(node, "hash");
        bool other = hash && strcmp(hash->text.data, agreement_hash(reader->agreement)) != 0;
        say_line(
            reader, other ? MESSAGE_SIGNED_CHANGED : MESSAGE_SIGNED,
            {"side", phrase_plain(speech, sales ? MESSAGE_SIDE_SALES : MESSAGE_SIDE_MARKETING)},
            {"by", text_of(node, "by")}, {"date", speech_date(speech, text_of(node, "date"))});
    }
}

/* ---- Rules ---- */

static void say_fit_rule(struct reader *reader, const struct yaml_node *node,
                         const struct baton_fit_rule *rule)
{
    begin_item(reader);
    text_buffer_add_text(reader->speech.out, sentence_fit_rule(&reader->speech, node, rule));
    end_line(reader);
}

static void say_fit(struct reader *reader)
{
    const struct yaml_node *list = part(reader, "fit");
    uint32_t index = 0;
    if (!list)
        return;
    say_head(reader, MESSAGE_FIT_HEAD);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        say_fit_rule(reader, node, &reader->compiled->fit[index++]);
}

static void say_behaviour_rule(struct reader *reader, const struct yaml_node *node,
                               const struct baton_behaviour_rule *rule)
{
    begin_item(reader);
    text_buffer_add_text(reader->speech.out, sentence_behaviour_rule(&reader->speech, node, rule));
    end_line(reader);
}

static void say_behaviour(struct reader *reader)
{
    const struct yaml_node *list = part(reader, "behaviour");
    uint32_t index = 0;
    if (!list)
        return;
    say_head(reader, MESSAGE_BEHAVIOUR_HEAD);
    for (const struct yaml_node *node = list->first; node; node = node->next, index++)
        say_behaviour_rule(reader, node, &reader->compiled->behaviour[index]);
}

static void say_ignore(struct reader *reader)
{
    const struct yaml_node *ignore = part(reader, "ignore");
    const struct yaml_node *agents = ignore ? yaml_find(ignore, "user_agents") : NULL;
    bool bots = reader->compiled->ignore_bots;
    if (!bots && !agents)
        return;
    say_head(reader, MESSAGE_IGNORE_HEAD);
    if (bots) {
        begin_item(reader);
        say_plain(&reader->speech, MESSAGE_IGNORE_BOTS);
        end_line(reader);
    }
    if (agents)
        say_item(reader, MESSAGE_IGNORE_AGENTS,
                 {"agents", sentence_list(&reader->speech, agents, SPEECH_OR)});
}

static void say_limits(struct reader *reader)
{
    struct speech *speech = &reader->speech;
    int32_t behaviour = reader->compiled->limit_behaviour, fit = reader->compiled->limit_fit;
    const char *first = "", *second = "";
    if (behaviour != BATON_NO_LIMIT)
        first =
            phrase(speech, MESSAGE_LIMIT_BEHAVIOUR, {"points", sentence_points(speech, behaviour)});
    if (fit != BATON_NO_LIMIT)
        second = phrase(speech, MESSAGE_LIMIT_FIT, {"points", sentence_points(speech, fit)});
    end_line(reader);
    say_line(reader, MESSAGE_SCORE, {"limits", speech_print(speech, "%s%s", first, second)});
}

/* ---- Gates ---- */

static void say_gates(struct reader *reader)
{
    const struct yaml_node *gates = part(reader, "gates"), *never = part(reader, "never");
    struct speech *speech = &reader->speech;
    end_line(reader);
    say_line(reader, MESSAGE_MQL_GATE, {"needs", sentence_gate(speech, yaml_find(gates, "mql"))});
    say_line(reader, MESSAGE_SQL_GATE, {"needs", sentence_gate(speech, yaml_find(gates, "sql"))});
    say_sentence(reader, MESSAGE_NO_WAY_BACK);
    for (const struct yaml_node *item = never ? never->first : NULL; item; item = item->next)
        say_line(reader, MESSAGE_NEVER, {"where", sentence_where(speech, item)});
}

/* ---- Buyer personas, and whom a promotion goes to ---- */

static void say_persona(struct reader *reader, const struct yaml_node *node,
                        const struct baton_persona *persona)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *gates = yaml_find(node, "gates"), *rule = yaml_find(node, "fit")->first;
    say_item(reader, MESSAGE_PERSONA, {"id", text_of(node, "id")});
    for (uint32_t i = 0; rule; rule = rule->next) {
        begin_item(reader);
        say_fit_rule(reader, rule, &persona->fit[i++]);
    }
    if (persona->has_mql) {
        begin_item(reader);
        say_item(reader, MESSAGE_PERSONA_MQL_GATE,
                 {"needs", sentence_gate(speech, yaml_find(gates, "mql"))});
    }
    if (persona->has_sql) {
        begin_item(reader);
        say_item(reader, MESSAGE_PERSONA_SQL_GATE,
                 {"needs", sentence_gate(speech, yaml_find(gates, "sql"))});
    }
}

static void say_personas(struct reader *reader)
{
    const struct yaml_node *list = part(reader, "personas");
    uint32_t index = 0;
    if (!list)
        return;
    say_head(reader, MESSAGE_PERSONAS_HEAD);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        say_persona(reader, node, &reader->compiled->personas[index++]);
}

static void say_route(struct reader *reader, const struct yaml_node *item, bool only)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *where = yaml_find(item, "where"), *to = yaml_find(item, "to");
    const char *names = sentence_list(speech, to, SPEECH_AND), *turns = "";
    if (to->kind == YAML_LIST && to->count > 1)
        turns = phrase_plain(speech, MESSAGE_ASSIGN_TURNS);
    if (where)
        say_item(reader, MESSAGE_ASSIGN, {"names", names}, {"turns", turns},
                 {"where", sentence_where(speech, where)});
    else if (only)
        say_item(reader, MESSAGE_ASSIGN_ALL, {"names", names}, {"turns", turns});
    else
        say_item(reader, MESSAGE_ASSIGN_REST, {"names", names}, {"turns", turns});
}

static void say_assign(struct reader *reader)
{
    const struct yaml_node *list = part(reader, "assign"), *last = NULL;
    if (!list)
        return;
    say_head(reader, MESSAGE_ASSIGN_HEAD);
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        say_route(reader, item, list->count == 1);
        last = item;
    }
    if (!yaml_find(last, "where"))
        return;
    begin_item(reader);
    say_sentence(reader, MESSAGE_ASSIGN_NOBODY);
}

static const char *shared_fields(struct speech *speech, const struct yaml_node *share)
{
    const char **fields = arena_take(&speech->arena, (share->count + 1) * sizeof *fields);
    size_t count = 0;
    for (const struct yaml_node *item = share->first; item; item = item->next)
        fields[count++] = sentence_field(speech, item->text.data);
    return speech_list(speech, fields, count, SPEECH_AND);
}

static void say_handover(struct reader *reader)
{
    const struct yaml_node *share = part(reader, "share");
    struct speech *speech = &reader->speech;
    uint32_t kept = reader->compiled->touches;
    const char *touches = "", *profile;
    if (kept)
        touches = phrase(speech, MESSAGE_HANDOVER_TOUCHES, {"count", speech_count(speech, kept)});
    profile = share
                  ? phrase(speech, MESSAGE_HANDOVER_SHARE, {"fields", shared_fields(speech, share)})
                  : phrase_plain(speech, MESSAGE_HANDOVER_NO_SHARE);
    end_line(reader);
    say_line(reader, MESSAGE_HANDOVER, {"touches", touches}, {"profile", profile});
}

/* ---- What sales reports ---- */

static void say_recycle(struct reader *reader)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *recycle = part(reader, "recycle");
    const char *higher = "";
    if (!recycle) {
        say_sentence(reader, MESSAGE_RECYCLE_NEVER);
        return;
    }
    if (reader->compiled->recycle_score)
        higher = phrase(speech, MESSAGE_RECYCLE_HIGHER,
                        {"points", sentence_number(speech, yaml_find(recycle, "score"))});
    say_line(reader, MESSAGE_RECYCLE,
             {"time", sentence_duration(speech, text_of(recycle, "after"))}, {"higher", higher});
}

static void say_forget(struct reader *reader)
{
    const struct yaml_node *forget = part(reader, "forget");
    end_line(reader);
    if (forget)
        say_line(reader, MESSAGE_FORGET,
                 {"time", sentence_duration(&reader->speech, forget->text.data)});
    else
        say_sentence(reader, MESSAGE_FORGET_NEVER);
}

static void say_reports(struct reader *reader)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *sales = part(reader, "sales");
    const struct yaml_node *reasons = sales ? yaml_find(sales, "reasons") : NULL;
    say_head(reader, MESSAGE_REPORTS_HEAD);
    stage_table_say(speech);
    begin_item(reader);
    say_sentence(reader, MESSAGE_REPORT_NOTHING);
    if (reasons)
        say_line(reader, MESSAGE_REASONS, {"reasons", sentence_list(speech, reasons, SPEECH_OR)});
    else
        say_sentence(reader, MESSAGE_REASONS_ANY);
    say_recycle(reader);
}

void agreement_sentences(const struct agreement *agreement, enum language language,
                         struct text_buffer *out)
{
    struct reader reader = {.agreement = agreement, .compiled = &agreement->compiled};
    speech_init(&reader.speech, language, out);
    say_header(&reader);
    say_fit(&reader);
    say_behaviour(&reader);
    say_ignore(&reader);
    say_limits(&reader);
    say_gates(&reader);
    say_personas(&reader);
    say_handover(&reader);
    say_assign(&reader);
    say_reports(&reader);
    say_forget(&reader);
    sentences_pact(&reader);
    speech_fini(&reader.speech);
}
