/* The agreement read aloud. It walks the tree of the text, so that values sound as they were
 * written. */
#include "agreement/building.h"
#include "agreement/sentence_parts.h"

#include <string.h>

static void add(struct text_buffer *out, const char *text)
{
    text_buffer_add_text(out, text);
}

static const char *text_of(const struct yaml_node *mapping, const char *key)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    return node ? node->text.data : "";
}

static const struct yaml_node *part(const struct agreement *agreement, const char *key)
{
    return yaml_find(agreement->root, key);
}

/* ---- Header ---- */

static void say_header(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *root = agreement->root;
    text_buffer_print(out, "Agreement %s, version %s.\n", text_of(root, "agreement"),
                      text_of(root, "version"));
    if (agreement->effective && agreement->expires)
        text_buffer_print(out, "It is in force from %s to %s, both days included.\n",
                          agreement->effective, agreement->expires);
    else if (agreement->effective)
        text_buffer_print(out, "It is in force from %s on.\n", agreement->effective);
    else if (agreement->expires)
        text_buffer_print(out, "It is in force to the end of %s.\n", agreement->expires);
    text_buffer_print(out, "Days, weeks and months are those of %s.\n", agreement->zone_name);
    const struct yaml_node *list = part(agreement, "signed");
    for (const struct yaml_node *node = list ? list->first : NULL; node; node = node->next)
        text_buffer_print(out, "Signed for %s by %s on %s.\n", text_of(node, "side"),
                          text_of(node, "by"), text_of(node, "date"));
}

/* ---- Rules ---- */

static void say_points(struct text_buffer *out, int32_t points)
{
    text_buffer_print(out, "%d %s", points, points == 1 || points == -1 ? "point" : "points");
}

static void say_fit(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *list = part(agreement, "fit");
    uint32_t index = 0;
    if (!list)
        return;
    add(out, "\nWho the lead is (fit):\n");
    for (const struct yaml_node *node = list->first; node; node = node->next, index++) {
        text_buffer_print(out, "  %s: ", text_of(node, "id"));
        say_points(out, agreement->compiled.fit[index].points);
        add(out, " while ");
        sentence_where(yaml_find(node, "where"), out);
        add(out, ".\n");
    }
}

static void say_cap(const struct yaml_node *cap, struct text_buffer *out)
{
    const char *times = text_of(cap, "times"), *per = text_of(cap, "per");
    bool once = strcmp(times, "1") == 0;
    text_buffer_print(out, ", at most %s%s", once ? "once" : times, once ? "" : " times");
    if (strcmp(per, "ever") == 0)
        add(out, " in all");
    else
        text_buffer_print(out, " per %s", per);
}

/* 14d → 14 days. */
static void say_duration(const char *text, struct text_buffer *out)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] == 'd' ? "day" : text[digits] == 'h' ? "hour" : "minute";
    if (!text[digits] || text[digits + 1]) /* `4 working hours` */
        add(out, text);
    else
        text_buffer_print(out, "%.*s %s%s", (int)digits, text, unit,
                          digits == 1 && text[0] == '1' ? "" : "s");
}

static void say_behaviour_rule(const struct yaml_node *node,
                               const struct baton_behaviour_rule *rule, struct text_buffer *out)
{
    const struct yaml_node *where = yaml_find(node, "where"), *cap = yaml_find(node, "at_most");
    const struct yaml_node *half_life = yaml_find(node, "half_life"),
                           *held = yaml_find(node, "while");
    text_buffer_print(out, "  %s: ", text_of(node, "id"));
    say_points(out, rule->points);
    if (held)
        text_buffer_print(out, " as long as there were %s or more events in the last ",
                          text_of(held, "times"));
    if (held)
        say_duration(text_of(held, "within"), out);
    text_buffer_print(out, held ? " of this kind: %s" : " for every %s",
                      sentence_event(rule->kind));
    if (where) {
        add(out, " where ");
        sentence_where(where, out);
    }
    if (cap)
        say_cap(cap, out);
    if (half_life) {
        add(out, "; after ");
        say_duration(half_life->text.data, out);
        add(out, " they are worth half, and so on");
    }
    add(out, ".\n");
}

static void say_behaviour(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *list = part(agreement, "behaviour");
    uint32_t index = 0;
    if (!list)
        return;
    add(out, "\nWhat the lead does (behaviour):\n");
    for (const struct yaml_node *node = list->first; node; node = node->next, index++)
        say_behaviour_rule(node, &agreement->compiled.behaviour[index], out);
}

static void say_limits(const struct agreement *agreement, struct text_buffer *out)
{
    const struct baton_agreement *compiled = &agreement->compiled;
    add(out, "\nThe score is fit and behaviour together");
    if (compiled->limit_behaviour != BATON_NO_LIMIT)
        text_buffer_print(out, "; behaviour counts up to %d", compiled->limit_behaviour);
    if (compiled->limit_fit != BATON_NO_LIMIT)
        text_buffer_print(out, "; fit counts up to %d", compiled->limit_fit);
    add(out, ".\n");
}

/* ---- Gates ---- */

static void say_gate(const struct yaml_node *gate, struct text_buffer *out)
{
    static const char *const names[] = {"score", "fit", "behaviour"};
    static const char *const texts[] = {"a score of at least %s", "%s or more points of fit",
                                        "%s or more points of behaviour"};
    const struct yaml_node *one = yaml_find(gate, "needs_one_of"),
                           *all = yaml_find(gate, "needs_all_of");
    uint32_t said = 0;
    for (size_t i = 0; i < 3; i++) {
        if (!yaml_find(gate, names[i]))
            continue;
        sentence_and(gate->count, said++, out);
        text_buffer_add(out, texts[i], strcspn(texts[i], "%"));
        add(out, text_of(gate, names[i]));
        add(out, strchr(texts[i], '%') + 2);
    }
    if (one) {
        sentence_and(gate->count, said++, out);
        add(out, one->count > 1 ? "a hit of one of " : "a hit of ");
        sentence_list(one, "or", out);
    }
    if (all) {
        sentence_and(gate->count, said, out);
        add(out, all->count > 1 ? "hits of all of " : "a hit of ");
        sentence_list(all, "and", out);
    }
    add(out, ".\n");
}

static void say_gates(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *gates = part(agreement, "gates"), *never = part(agreement, "never");
    add(out, "\nA lead becomes an MQL with ");
    say_gate(yaml_find(gates, "mql"), out);
    add(out, "An MQL becomes an SQL, and is promoted to sales, with ");
    say_gate(yaml_find(gates, "sql"), out);
    add(out, "A score that falls later takes nothing back.\n");
    for (const struct yaml_node *item = never ? never->first : NULL; item; item = item->next) {
        add(out, "A lead is never promoted while ");
        sentence_where(item, out);
        add(out, ".\n");
    }
}

static void say_handover(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *share = part(agreement, "share");
    uint32_t touches = agreement->compiled.touches;
    add(out, "\nA promotion tells sales the rules that gave points");
    if (touches)
        text_buffer_print(out, ", the last %u scored events", touches);
    if (share) {
        add(out, ", and of the profile: ");
        sentence_list(share, "and", out);
        add(out, ".\n");
    } else {
        add(out, ", and nothing of the profile but what gave fit points.\n");
    }
}

/* ---- What is not in force yet ---- */

static void say_owner(const struct yaml_node *node, struct text_buffer *out)
{
    const struct yaml_node *owner = yaml_find(node, "owner");
    if (owner)
        text_buffer_print(out, " (owner: %s)", owner->text.data);
}

static void say_goals(const struct yaml_node *goals, struct text_buffer *out)
{
    const struct yaml_node *customers = yaml_find(goals, "customers"),
                           *conversion = yaml_find(goals, "conversion");
    const struct yaml_node *others = yaml_find(goals, "others");
    if (customers) {
        text_buffer_print(out, "  Goal: at least %s customers per %s",
                          text_of(customers, "at_least"), text_of(customers, "per"));
        say_owner(customers, out);
        add(out, ".\n");
    }
    if (conversion) {
        text_buffer_print(out, "  Goal: one customer in %s SQLs", text_of(conversion, "one_in"));
        if (yaml_find(conversion, "judge_after")) {
            add(out, ", judged after ");
            say_duration(text_of(conversion, "judge_after"), out);
        }
        say_owner(conversion, out);
        add(out, ".\n");
    }
    int64_t count, one_in;
    if (customers && conversion && yaml_whole(yaml_find(customers, "at_least"), &count) &&
        yaml_whole(yaml_find(conversion, "one_in"), &one_in))
        text_buffer_print(out, "  So marketing owes %lld SQLs per %s.\n",
                          (long long)(count * one_in), text_of(customers, "per"));
    for (const struct yaml_node *goal = others ? others->first : NULL; goal; goal = goal->next) {
        text_buffer_print(out, "  Goal %s: %s at least %s per %s", text_of(goal, "id"),
                          text_of(goal, "measure"), text_of(goal, "at_least"),
                          text_of(goal, "per"));
        say_owner(goal, out);
        add(out, ".\n");
    }
}

static void say_promise(const struct yaml_node *promise, const char *what, struct text_buffer *out)
{
    const struct yaml_node *remind = promise ? yaml_find(promise, "remind") : NULL;
    const struct yaml_node *escalate = promise ? yaml_find(promise, "escalate_to") : NULL;
    if (!promise)
        return;
    text_buffer_print(out, "  Sales owes %s within ", what);
    say_duration(text_of(promise, "within"), out);
    if (remind) {
        add(out, ", with a reminder ");
        say_duration(remind->text.data, out);
        add(out, " before");
    }
    if (escalate)
        text_buffer_print(out, ", escalated to %s", escalate->text.data);
    say_owner(promise, out);
    add(out, ".\n");
}

static void say_sales(const struct yaml_node *sales, struct text_buffer *out)
{
    const struct yaml_node *hours = yaml_find(sales, "hours"),
                           *reasons = yaml_find(sales, "reasons");
    if (hours) {
        const struct yaml_node *days = yaml_find(hours, "days"),
                               *holidays = yaml_find(hours, "holidays");
        add(out, "  Sales works ");
        sentence_list(days, "and", out);
        text_buffer_print(out, " from %s to %s", text_of(hours, "from"), text_of(hours, "to"));
        if (holidays) {
            add(out, ", but not on ");
            sentence_list(holidays, "and", out);
        }
        add(out, ".\n");
    }
    say_promise(yaml_find(sales, "first_contact"), "the first contact", out);
    say_promise(yaml_find(sales, "verdict"), "a verdict", out);
    say_promise(yaml_find(sales, "next_update"), "the next update", out);
    if (reasons) {
        add(out, "  A lead may be rejected for: ");
        sentence_list(reasons, "or", out);
        add(out, ".\n");
    }
}

static void say_review(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *review = part(agreement, "review"),
                           *meeting = part(agreement, "meeting");
    if (review) {
        text_buffer_print(out, "  Both sides review it every %s", text_of(review, "every"));
        if (yaml_find(review, "next"))
            text_buffer_print(out, ", next on %s", text_of(review, "next"));
        say_owner(review, out);
        add(out, ".\n");
    }
    if (meeting)
        text_buffer_print(out, "  Both sides meet every %s.\n", meeting->text.data);
}

static void say_ignore(const struct yaml_node *ignore, struct text_buffer *out)
{
    const struct yaml_node *bots = yaml_find(ignore, "bots"),
                           *agents = yaml_find(ignore, "user_agents");
    if (bots && yaml_is_text(bots, "true"))
        add(out, "  Events of known bots do not count.\n");
    if (agents) {
        add(out, "  Events of these user agents do not count: ");
        sentence_list(agents, "and", out);
        add(out, ".\n");
    }
}

static void say_recycle(const struct yaml_node *recycle, struct text_buffer *out)
{
    add(out, "  A rejected lead may come back after ");
    say_duration(text_of(recycle, "after"), out);
    text_buffer_print(out, ", with a score that is %s higher each time.\n",
                      text_of(recycle, "score"));
}

static void say_rest(const struct agreement *agreement, struct text_buffer *out)
{
    const struct yaml_node *goals = part(agreement, "goals"), *sales = part(agreement, "sales");
    const struct yaml_node *ignore = part(agreement, "ignore"),
                           *recycle = part(agreement, "recycle");
    if (!goals && !sales && !ignore && !recycle && !part(agreement, "review") &&
        !part(agreement, "meeting"))
        return;
    add(out, "\nWritten down, and not in force in this version:\n");
    say_review(agreement, out);
    if (ignore)
        say_ignore(ignore, out);
    if (goals)
        say_goals(goals, out);
    if (sales)
        say_sales(sales, out);
    if (recycle)
        say_recycle(recycle, out);
}

void agreement_sentences(const struct agreement *agreement, struct text_buffer *out)
{
    say_header(agreement, out);
    say_fit(agreement, out);
    say_behaviour(agreement, out);
    say_limits(agreement, out);
    say_gates(agreement, out);
    say_handover(agreement, out);
    say_rest(agreement, out);
}
