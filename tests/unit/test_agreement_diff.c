/* What a second text of an agreement changes, rule by rule and word by word. */
#include "agreement/diff.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "agreement: test\nversion: 1\n"
#define RULES "behaviour: [{id: v, event: visit, where: {page: /a*}, points: 1}]\n"
#define GATES "gates: {mql: {score: 5}, sql: {score: 10, needs_one_of: [v]}}\n"

static struct agreement *parse(const char *text)
{
    struct agreement *agreement;
    struct text_buffer messages = {0};
    enum status status = agreement_parse("t", text, strlen(text), NULL, 0, &agreement, &messages);
    cr_assert_eq(status, STATUS_OK, "%s\n%s", messages.data ? messages.data : "", text);
    text_buffer_fini(&messages);
    return agreement;
}

/* Changes as "kind word before > after", a line each. */
static void differs(const char *before, const char *after, const char *expected)
{
    struct agreement *old = parse(before), *new = parse(after);
    struct agreement_changes changes;
    struct text_buffer out = {0};
    text_buffer_add_text(&out, "");
    agreement_changes_init(&changes, old, new, LANGUAGE_EN);
    for (size_t i = 0; i < changes.count; i++) {
        const struct agreement_change *change = &changes.items[i];
        text_buffer_print(&out, "%s %s %s > %s\n", agreement_change_name(change->kind),
                          change->word, change->before ? change->before : "-",
                          change->after ? change->after : "-");
        cr_expect(change->text && *change->text);
    }
    cr_expect_str_eq(out.data, expected);
    text_buffer_fini(&out);
    agreement_changes_fini(&changes);
    agreement_destroy(old);
    agreement_destroy(new);
}

static void says(const char *before, const char *after, enum language language,
                 const char *expected)
{
    struct agreement *old = parse(before), *new = parse(after);
    struct text_buffer out = {0};
    agreement_diff(old, new, language, "| ", &out);
    cr_expect_str_eq(out.data, expected);
    text_buffer_fini(&out);
    agreement_destroy(old);
    agreement_destroy(new);
}

Test(diff, comments_style_and_signatures_are_no_change)
{
    static const char other[] =
        "{version: 1, agreement: 'test', # c\n" /* keys in another order */
        " behaviour: [{points: 1, id: v, where: {page: [/a*]}, event: visit}],\n"
        " signed: [{side: sales, by: A, date: 2026-11-01}],\n"
        " gates: {sql: {needs_one_of: [v], score: 10}, mql: {score: 5}}}\n";
    says(HEAD RULES GATES, HEAD RULES "# x\n" GATES, LANGUAGE_EN,
         "| Nothing has changed: both say the same.\n");
    differs(HEAD RULES GATES, other, "");
    /* [/a*] is written otherwise than /a*, so the hash is another */
    says(HEAD RULES GATES, other, LANGUAGE_EN, "| Both say the same, in another order.\n");
}

Test(diff, other_points_price_a_rule_anew)
{
    static const char after[] =
        HEAD "behaviour: [{id: v, event: visit, where: {page: /a*}, points: -12}]\n" GATES;
    differs(HEAD RULES GATES, after, "rule_priced behaviour.v.points 1 > -12\n");
    says(HEAD RULES GATES, after, LANGUAGE_EN,
         "| v gives -12 points, before 1; what was counted already has the new price at once.\n");
    says(HEAD RULES GATES, after, LANGUAGE_PT,
         "| v dá -12 pontos, antes 1; o que já foi contado vale logo pelo novo preço.\n");
    says(HEAD RULES GATES, after, LANGUAGE_ES,
         "| v da -12 puntos, antes 1; lo ya contado vale enseguida al nuevo precio.\n");
}

Test(diff, another_meaning_counts_anew)
{
    static const char after[] =
        HEAD "behaviour: [{id: v, event: visit, where: {page: /b*}, points: 2}]\n" GATES;
    says(HEAD RULES GATES, after, LANGUAGE_EN,
         "| v means something else, so it counts anew from the turn on; the points that it gave "
         "go.\n"
         "|   before: v: 1 point for every visit where the page begins with /a.\n"
         "|   now: v: 2 points for every visit where the page begins with /b.\n");
    static const char *const meanings[] = {"event: click", "event: visit, half_life: 3d",
                                           "event: visit, at_most: {times: 1, per: day}",
                                           "event: visit, while: {times: 2, within: 7d}"};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 HEAD "behaviour: [{id: v, %s, where: {page: /a*}, points: 1}]\n" GATES,
                 meanings[i]);
        struct agreement *old = parse(HEAD RULES GATES), *new = parse(text);
        struct agreement_changes changes;
        agreement_changes_init(&changes, old, new, LANGUAGE_EN);
        cr_expect(changes.count == 1 && changes.items[0].kind == CHANGE_RULE_ANEW, "%s",
                  meanings[i]);
        agreement_changes_fini(&changes);
        agreement_destroy(old);
        agreement_destroy(new);
    }
}

Test(diff, rules_come_and_go)
{
    static const char after[] =
        HEAD "behaviour:\n  - {id: w, event: click, points: 3}\n"
             "  - {id: v, event: visit, where: {page: /a*}, points: 1}\n" GATES;
    differs(HEAD RULES GATES, after, "rule_new behaviour.w - > w: 3 points for every click.\n");
    differs(after, HEAD RULES GATES, "rule_gone behaviour.w w: 3 points for every click. > -\n");
}

Test(diff, rules_on_the_profile_have_changes_of_their_own)
{
    static const char before[] = HEAD RULES GATES "fit: [{id: a, where: {sector: x}, points: 1},\n"
                                                  "      {id: b, where: {sector: y}, points: 1},\n"
                                                  "      {id: c, where: {sector: z}, points: 1}]\n";
    static const char after[] = HEAD RULES GATES "fit: [{id: c, where: {sector: w}, points: 1},\n"
                                                 "      {id: d, where: {sector: y}, points: 1},\n"
                                                 "      {id: b, where: {sector: y}, points: 5}]\n";
    differs(before, after,
            "fit_anew fit.c c: 1 point while the sector is z. > c: 1 point while the sector is w.\n"
            "fit_new fit.d - > d: 1 point while the sector is y.\n"
            "fit_priced fit.b.points 1 > 5\n"
            "fit_gone fit.a a: 1 point while the sector is x. > -\n");
}

Test(diff, gates_limits_and_who_is_never_promoted)
{
    differs(
        HEAD RULES GATES "limits: {behaviour: 100}\nnever: [{consent: false}, {age: {to: 17}}]\n",
        HEAD RULES "gates: {mql: {score: 5}, sql: {score: 12, needs_all_of: [v]}}\n"
                   "limits: {fit: 20}\nnever: [{age: {to: 17}}, {sector: x}]\n",
        "limit limits.behaviour 100 > -\n"
        "limit limits.fit - > 20\n"
        "gate gates.sql a score of at least 10 and a hit of v > a score of at least 12 and a hit "
        "of v\n"
        "never never - > the sector is x\n"
        "never never the lead has refused consent > -\n");
}

Test(diff, promises_change_word_by_word)
{
    static const char promises[] =
        "goals:\n  customers: {at_least: 20, per: working day, owner: A}\n"
        "  others: [{id: m, measure: meeting_rate, at_least: 30%, per: month, owner: B},\n"
        "           {id: n, measure: mqls, at_least: 3, per: day, owner: B}]\n"
        "sales:\n  hours: {days: mon-fri, from: 09:00, to: 18:00, holidays: [2026-12-25]}\n"
        "  first_contact: {within: 4 working hours, owner: A}\n  reasons: [no budget, no need]\n"
        "review: {every: month, next: 2026-12-01, owner: A}\n";
    static const char others[] =
        "goals:\n  customers: {at_least: 25, per: working day, owner: A}\n"
        "  others: [{id: n, measure: mqls, at_least: 3, per: week, owner: B}]\n"
        "sales:\n  hours: {days: mon-fri, from: 09:00, to: 18:00, holidays: [2026-12-25, "
        "2027-01-01]}\n"
        "  first_contact: {within: 4 working hours, remind: 1 working hour, owner: A}\n"
        "  reasons: [no need, too early]\n"
        "review: {every: quarter, next: 2026-12-01, owner: A}\nmeeting: week\n";
    struct text_buffer before = {0}, after = {0};
    text_buffer_print(&before, "%s%s", HEAD RULES GATES, promises);
    text_buffer_print(&after, "%s%s", HEAD RULES GATES, others);
    differs(before.data, after.data,
            "clock sales.hours.holidays - > 2027-01-01\n"
            "clock sales.first_contact.remind - > 1 working hour\n"
            "other_word sales.reasons - > too early\n"
            "other_word sales.reasons no budget > -\n"
            "other_word review.every month > quarter\n"
            "other_word meeting - > week\n"
            "goal goals.customers.at_least 20 > 25\n"
            "goal goals.others.n.per day > week\n"
            "goal goals.others.m {id: m, measure: meeting_rate, at_least: 30%, per: month, owner: "
            "B} > -\n");
    text_buffer_fini(&before);
    text_buffer_fini(&after);
}

Test(diff, the_head_and_whom_a_promotion_goes_to)
{
    differs(HEAD RULES GATES "zone: UTC\nassign: [{where: {sector: a}, to: x}, {to: y}]\n",
            "agreement: other\nversion: 2\n" RULES GATES
            "effective: 2026-11-01\nassign: [{where: {sector: b}, to: x}, {to: y}]\nforget: 10d\n",
            "other_word agreement test > other\n"
            "other_word version 1 > 2\n"
            "other_word zone UTC > -\n"
            "other_word effective - > 2026-11-01\n"
            "other_word assign - > {where: {sector: b}, to: x}\n"
            "other_word assign {where: {sector: a}, to: x} > -\n"
            "other_word forget - > 10d\n");
    differs(HEAD RULES GATES "assign: [{where: {sector: a}, to: x}, {where: {sector: b}, to: y}]\n",
            HEAD RULES GATES "assign: [{where: {sector: b}, to: y}, {where: {sector: a}, to: x}]\n",
            "other_word assign - > -\n");
}

Test(diff, a_persona_changes_by_its_rules_and_gates)
{
#define PERSONA(id, rules, gates) "{id: " id ", fit: [" rules "]" gates "}"
    static const char before[] = HEAD RULES GATES "personas: [" PERSONA(
        "p", "{id: a, where: {sector: x}, points: 1}",
        ", gates: {mql: {score: 3}}") ", " PERSONA("q", "{id: b, where: {sector: x}, points: 1}",
                                                   "") "]\n";
    static const char after[] = HEAD RULES GATES
        "personas: [" PERSONA("q", "{id: b, where: {sector: x}, points: 1}", "") ", " PERSONA(
            "p", "{id: a, where: {sector: x}, points: 4}",
            ", gates: {mql: {score: 4}}") ", " PERSONA("r",
                                                       "{id: c, where: {sector: x}, points: 1}",
                                                       "") "]\n";
    differs(before, after,
            "fit_priced personas.p.a.points 1 > 4\n"
            "gate personas.p.gates.mql.score 3 > 4\n"
            "other_word personas.r - > {id: r, fit: [{id: c, where: {sector: x}, points: 1}]}\n"
            "other_word personas - > -\n");
    differs(HEAD RULES GATES, before,
            "other_word personas.p - > {id: p, fit: [{id: a, where: {sector: x}, points: 1}], "
            "gates: {mql: {score: 3}}}\n"
            "other_word personas.q - > {id: q, fit: [{id: b, where: {sector: x}, points: 1}]}\n");
}
