/* What both sides promised, read aloud. */
#include "agreement/reader.h"
#include "agreement/sentence_parts.h"

#include <string.h>

static const char *owner_part(struct speech *speech, const struct yaml_node *node)
{
    const struct yaml_node *owner = yaml_find(node, "owner");
    return owner ? phrase(speech, MESSAGE_OWNER, {"owner", owner->text.data}) : "";
}

static const char *period_of(struct speech *speech, const struct yaml_node *node, const char *key)
{
    return sentence_period(speech, text_of(node, key));
}

static void say_conversion(struct reader *reader, const struct yaml_node *conversion)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *after = yaml_find(conversion, "judge_after");
    const char *time = after ? sentence_duration(speech, after->text.data)
                             : speech_duration(speech, GOAL_JUDGE_AFTER_DEFAULT_MS);
    const char *judged =
        phrase(speech, after ? MESSAGE_GOAL_JUDGED : MESSAGE_GOAL_JUDGED_DEFAULT, {"time", time});
    say_item(reader, MESSAGE_GOAL_CONVERSION,
             {"count", sentence_number(speech, yaml_find(conversion, "one_in"))},
             {"judged", judged}, {"owner", owner_part(speech, conversion)});
}

static void say_owed(struct reader *reader, const struct yaml_node *customers,
                     const struct yaml_node *conversion)
{
    int64_t count, one_in;
    if (customers && conversion && yaml_whole(yaml_find(customers, "at_least"), &count) &&
        yaml_whole(yaml_find(conversion, "one_in"), &one_in))
        say_item(reader, MESSAGE_GOAL_OWED,
                 {"count", speech_count(&reader->speech, count * one_in)},
                 {"period", period_of(&reader->speech, customers, "per")});
}

static void say_other(struct reader *reader, const struct yaml_node *goal)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *most = yaml_find(goal, "at_most"),
                           *bound = most ? most : yaml_find(goal, "at_least"),
                           *currency = yaml_find(goal, "currency");
    int64_t number;
    const char *amount = yaml_whole(bound, &number) ? sentence_number(speech, bound)
                         : strchr(bound->text.data, '%')
                             ? bound->text.data
                             : sentence_duration(speech, bound->text.data);
    if (currency)
        amount = speech_money(speech, yaml_whole(bound, &number) ? 100 * number : 0,
                              currency->text.data);
    say_item(reader, most ? MESSAGE_GOAL_OTHER_MOST : MESSAGE_GOAL_OTHER,
             {"id", text_of(goal, "id")}, {"measure", text_of(goal, "measure")}, {"amount", amount},
             {"period", period_of(speech, goal, "per")}, {"owner", owner_part(speech, goal)});
}

static void say_customers(struct reader *reader, const struct yaml_node *customers)
{
    struct speech *speech = &reader->speech;
    say_item(reader, MESSAGE_GOAL_CUSTOMERS,
             {"count", sentence_number(speech, yaml_find(customers, "at_least"))},
             {"period", period_of(speech, customers, "per")},
             {"owner", owner_part(speech, customers)});
}

static void say_goals(struct reader *reader, const struct yaml_node *goals)
{
    const struct yaml_node *customers = yaml_find(goals, "customers"),
                           *conversion = yaml_find(goals, "conversion"),
                           *others = yaml_find(goals, "others");
    if (customers)
        say_customers(reader, customers);
    if (conversion)
        say_conversion(reader, conversion);
    say_owed(reader, customers, conversion);
    for (const struct yaml_node *goal = others ? others->first : NULL; goal; goal = goal->next)
        say_other(reader, goal);
}

/* That of a clock is compiled in: it may be named by the clock before it. */
static void say_promise(struct reader *reader, const struct yaml_node *promise,
                        enum baton_clock_id clock, enum message_id id)
{
    struct speech *speech = &reader->speech;
    const struct baton_pact *pact = reader->compiled->pact;
    const struct yaml_node *remind = promise ? yaml_find(promise, "remind") : NULL;
    const struct yaml_node *escalate = promise ? yaml_find(promise, "escalate_to") : NULL;
    const char *reminder = "", *escalation = "";
    if (!promise)
        return;
    if (remind)
        reminder =
            phrase(speech, MESSAGE_REMIND, {"time", sentence_duration(speech, remind->text.data)});
    if (escalate)
        escalation = phrase(speech, MESSAGE_ESCALATE, {"who", escalate->text.data});
    say_item(reader, id, {"time", sentence_duration(speech, text_of(promise, "within"))},
             {"remind", reminder}, {"escalate", escalation},
             {"owner", phrase(speech, MESSAGE_OWNER, {"owner", pact->clocks[clock].owner.data})});
}

static void say_hours(struct reader *reader, const struct yaml_node *hours)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *holidays = yaml_find(hours, "holidays");
    const char *except = "";
    if (holidays && holidays->count)
        except =
            phrase(speech, MESSAGE_SALES_HOLIDAYS, {"dates", sentence_dates(speech, holidays)});
    say_item(reader, MESSAGE_SALES_HOURS, {"days", sentence_days(speech, yaml_find(hours, "days"))},
             {"from", text_of(hours, "from")}, {"to", text_of(hours, "to")}, {"holidays", except});
}

static void say_sales(struct reader *reader, const struct yaml_node *sales)
{
    const struct yaml_node *hours = yaml_find(sales, "hours");
    if (hours)
        say_hours(reader, hours);
    say_promise(reader, yaml_find(sales, "first_contact"), BATON_CLOCK_CONTACT,
                MESSAGE_OWES_CONTACT);
    say_promise(reader, yaml_find(sales, "verdict"), BATON_CLOCK_VERDICT, MESSAGE_OWES_VERDICT);
    say_promise(reader, yaml_find(sales, "next_update"), BATON_CLOCK_UPDATE, MESSAGE_OWES_UPDATE);
}

static void say_review(struct reader *reader, const struct yaml_node *review)
{
    struct speech *speech = &reader->speech;
    const struct yaml_node *next = yaml_find(review, "next");
    const char *when = "";
    if (next)
        when = phrase(speech, MESSAGE_REVIEW_NEXT, {"date", speech_date(speech, next->text.data)});
    say_item(reader, MESSAGE_REVIEW, {"period", period_of(speech, review, "every")}, {"next", when},
             {"owner", owner_part(speech, review)});
}

static void say_meeting(struct reader *reader, const struct yaml_node *meeting)
{
    say_item(reader, MESSAGE_MEETING,
             {"period", sentence_period(&reader->speech, meeting->text.data)});
}

static bool has_clocks(const struct yaml_node *sales)
{
    return yaml_find(sales, "hours") || yaml_find(sales, "first_contact") ||
           yaml_find(sales, "verdict") || yaml_find(sales, "next_update");
}

void sentences_pact(struct reader *reader)
{
    const struct yaml_node *goals = part(reader, "goals"), *sales = part(reader, "sales");
    if (sales && has_clocks(sales)) {
        say_head(reader, MESSAGE_PROMISES_HEAD);
        say_sales(reader, sales);
    }
    if (!goals && !part(reader, "review") && !part(reader, "meeting"))
        return;
    say_head(reader, MESSAGE_GOALS_HEAD);
    if (part(reader, "review"))
        say_review(reader, part(reader, "review"));
    if (part(reader, "meeting"))
        say_meeting(reader, part(reader, "meeting"));
    if (goals)
        say_goals(reader, goals);
}

/* ---- One of them, for who compares two texts ------------------------------------------------- */

static void say_contact(struct reader *reader, const struct yaml_node *node)
{
    say_promise(reader, node, BATON_CLOCK_CONTACT, MESSAGE_OWES_CONTACT);
}

static void say_verdict(struct reader *reader, const struct yaml_node *node)
{
    say_promise(reader, node, BATON_CLOCK_VERDICT, MESSAGE_OWES_VERDICT);
}

static void say_update(struct reader *reader, const struct yaml_node *node)
{
    say_promise(reader, node, BATON_CLOCK_UPDATE, MESSAGE_OWES_UPDATE);
}

static const struct {
    const char *word;
    void (*tell)(struct reader *reader, const struct yaml_node *node);
} pact_parts[] = {
    {"sales.hours", say_hours},
    {"sales.first_contact", say_contact},
    {"sales.verdict", say_verdict},
    {"sales.next_update", say_update},
    {"review", say_review},
    {"meeting", say_meeting},
    {"goals.customers", say_customers},
    {"goals.conversion", say_conversion},
    {"goals.others.", say_other},
};

const char *sentence_pact_part(struct speech *speech, const struct agreement *agreement,
                               const char *word, const struct yaml_node *node)
{
    struct text_buffer out;
    struct reader reader = {.agreement = agreement, .compiled = &agreement->compiled};
    text_buffer_init(&out);
    speech_init(&reader.speech, speech->language, &out);
    for (size_t i = 0; i < sizeof pact_parts / sizeof *pact_parts; i++) {
        size_t size = strlen(pact_parts[i].word);
        if (strncmp(pact_parts[i].word, word, size) == 0 &&
            (!word[size] || pact_parts[i].word[size - 1] == '.'))
            pact_parts[i].tell(&reader, node);
    }
    const char *text =
        out.size > 3 ? speech_print(speech, "%.*s", (int)(out.size - 3), out.data + 2) : NULL;
    speech_fini(&reader.speech);
    text_buffer_fini(&out);
    return text;
}
