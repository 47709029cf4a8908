#include "pact/goals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define HUNDRED 100

struct judging {
    const struct baton_agreement *agreement;
    const struct baton_goal *goal;
    const struct pact_sums *sums;
    struct calendar_span span;
};

static int64_t count_of(const struct judging *j, enum pact_measure measure)
{
    return sums_get(j->sums, measure, PACT_ALL, "", "", j->span);
}

bool goal_is_rate(enum baton_measure measure)
{
    return measure == BATON_GOAL_MEETING_RATE || measure == BATON_GOAL_CONTACT_KEPT ||
           measure == BATON_GOAL_CHURN || measure == BATON_GOAL_CONVERSION;
}

/* ---- Counts ---- */

static int64_t revenue_of(const struct judging *j)
{
    char currency[64];
    size_t size = j->goal->currency.size;
    if (size >= sizeof currency)
        return 0;
    if (size)
        memcpy(currency, j->goal->currency.data, size);
    currency[size] = 0;
    return sums_get(j->sums, PACT_REVENUE, PACT_ALL, "", currency, j->span);
}

static int64_t amount_of(const struct judging *j)
{
    switch (j->goal->measure) {
    case BATON_GOAL_SQLS: return HUNDRED * count_of(j, PACT_SQL);
    case BATON_GOAL_MQLS: return HUNDRED * count_of(j, PACT_MQL);
    case BATON_GOAL_CUSTOMERS: return HUNDRED * count_of(j, PACT_CUSTOMER);
    case BATON_GOAL_PROPOSALS: return HUNDRED * count_of(j, PACT_PROPOSAL);
    case BATON_GOAL_EMAIL_CLICKS: return HUNDRED * count_of(j, PACT_EMAIL_CLICKED);
    case BATON_GOAL_REVENUE: return revenue_of(j);
    default: assert(false && "a count"); return 0;
    }
}

/* ---- Rates ---- */

struct part {
    int64_t part, of;
};

struct cohort {
    int64_t most_days, won;
};

static void add_cohort(void *context, const struct sum_row *row)
{
    struct cohort *cohort = context;
    if (strtoll(row->second, NULL, 10) <= cohort->most_days)
        cohort->won += row->amount;
}

/* SQLs of the span, and those of them that became customers in time. */
static struct part cohort_of(const struct judging *j)
{
    struct cohort cohort = {.most_days = j->goal->judge_after_ms / DAY_MS};
    sums_each(j->sums, PACT_COHORT_CUSTOMER, PACT_ALL, j->span, add_cohort, &cohort);
    return (struct part){cohort.won, count_of(j, PACT_SQL)};
}

static struct part contact_of(const struct judging *j)
{
    int64_t kept = sums_get(j->sums, PACT_KEPT, PACT_ALL, "", "0", j->span),
            broken = sums_get(j->sums, PACT_BROKEN, PACT_ALL, "", "0", j->span);
    return (struct part){kept, kept + broken};
}

/* Customers that left, of all that were won until then. */
static struct part churn_of(const struct judging *j)
{
    struct calendar_span since = {INT32_MIN, j->span.end};
    return (struct part){count_of(j, PACT_CHURNED),
                         sums_get(j->sums, PACT_CUSTOMER, PACT_ALL, "", "", since)};
}

static struct part rate_of(const struct judging *j)
{
    switch (j->goal->measure) {
    case BATON_GOAL_MEETING_RATE:
        return (struct part){count_of(j, PACT_MEETING), count_of(j, PACT_SQL)};
    case BATON_GOAL_CONTACT_KEPT: return contact_of(j);
    case BATON_GOAL_CHURN: return churn_of(j);
    case BATON_GOAL_CONVERSION: return cohort_of(j);
    default: assert(false && "a rate"); return (struct part){0, 0};
    }
}

/* Hundredths of a per cent, half up. The comparison is made with the parts themselves. */
static int64_t percent_of(struct part part)
{
    return part.of > 0 ? (part.part * 20000 + part.of) / (2 * part.of) : 0;
}

static void judge_rate(const struct judging *j, struct goal_figure *out)
{
    struct part part = rate_of(j);
    bool conversion = j->goal->measure == BATON_GOAL_CONVERSION;
    out->basis = part.of;
    out->known = part.of > 0;
    out->promised =
        conversion ? percent_of((struct part){HUNDRED, j->goal->amount}) : j->goal->amount;
    out->actual = out->projected = percent_of(part);
    if (!out->known)
        return;
    /* One in n: won × n < SQLs. Else part ÷ of < amount, in hundredths of a per cent. */
    int64_t is = conversion ? part.part * j->goal->amount : part.part * 10000,
            want = conversion ? part.of * HUNDRED : part.of * j->goal->amount;
    out->missed = j->goal->at_most ? is > want : is < want;
}

/* ---- Days ---- */

struct median {
    int64_t count[PACT_DAYS_MAX + 1], all;
};

static void add_days(void *context, const struct sum_row *row)
{
    struct median *median = context;
    long long days = strtoll(row->second, NULL, 10);
    if (days < 0 || days > PACT_DAYS_MAX || row->amount < 0)
        return;
    median->count[days] += row->amount;
    median->all += row->amount;
}

static void judge_cycle(const struct judging *j, struct goal_figure *out)
{
    struct median median = {.all = 0};
    sums_each(j->sums, PACT_DAYS_CUSTOMER, PACT_ALL, j->span, add_days, &median);
    out->basis = median.all;
    out->known = median.all > 0;
    out->promised = j->goal->amount;
    int64_t before = 0, days = 0;
    while (out->known && before + median.count[days] < (median.all + 1) / 2)
        before += median.count[days++];
    out->actual = out->projected = out->known ? days * HUNDRED : 0;
    out->missed = out->known &&
                  (j->goal->at_most ? out->actual > out->promised : out->actual < out->promised);
}

/* ---- Spans ---- */

static const struct baton_hours *hours_of(const struct baton_agreement *agreement)
{
    return agreement->pact ? &agreement->pact->hours : NULL;
}

static int64_t working_days(const struct baton_agreement *agreement, struct calendar_span span)
{
    int64_t count = 0;
    for (int32_t day = span.first; day < span.end; day++)
        count += calendar_is_working(hours_of(agreement), day);
    return count;
}

/* What is promised for the days: by spans, by the part of each that lies in them. */
static int64_t promised_over(const struct baton_agreement *agreement, const struct baton_goal *goal,
                             struct calendar_span wide)
{
    int64_t promised = 0;
    for (int32_t day = wide.first; day < wide.end;) {
        struct calendar_span span = calendar_span_of(goal->per, day, hours_of(agreement));
        struct calendar_span both = {day, span.end < wide.end ? span.end : wide.end};
        int64_t all = working_days(agreement, span), part = working_days(agreement, both);
        if (both.first == span.first && both.end == span.end)
            promised += goal->amount;
        else if (all > 0)
            promised += (goal->amount * part * 2 + all) / (2 * all);
        day = span.end;
    }
    return promised;
}

/* ---- What is owed ---- */

struct goal_since goal_since_of(const struct baton_agreement *agreement, int64_t effective_ms,
                                int32_t counted_from)
{
    bool always = effective_ms == INT64_MIN;
    return (struct goal_since){.effective =
                                   always ? INT32_MIN : calendar_day(agreement, effective_ms),
                               .counted = counted_from == INT32_MIN ? INT32_MAX : counted_from + 1};
}

bool goal_is_owed(const struct baton_agreement *agreement, struct calendar_span span,
                  struct goal_since since)
{
    int32_t day = span.first;
    while (day + 1 < span.end && !calendar_is_working(hours_of(agreement), day))
        day++;
    return since.counted <= span.first && since.effective <= day;
}

/* The day, with the days off right before it. */
static int32_t with_days_off(const struct judging *j, int32_t day)
{
    const struct baton_hours *hours = hours_of(j->agreement);
    int32_t first = calendar_span_of(j->goal->per, day, hours).first;
    while (day > first && !calendar_is_working(hours, day - 1))
        day--;
    return day;
}

/* The end of the last working day before. */
static int32_t without_days_off(const struct judging *j, int32_t end)
{
    const struct baton_hours *hours = hours_of(j->agreement);
    struct calendar_span span = calendar_span_of(j->goal->per, end - 1, hours);
    while (end < span.end && end > span.first && !calendar_is_working(hours, end - 1))
        end--;
    return end;
}

/* The first day of which all was counted. */
static int32_t counted_whole(const struct judging *j, int32_t counted)
{
    bool cut = with_days_off(j, counted) < counted;
    return cut ? calendar_span_of(BATON_SPAN_WORKING_DAY, counted, hours_of(j->agreement)).end
               : counted;
}

/* An empty span: nothing is. */
static struct calendar_span owed_of(const struct judging *j, struct calendar_span wide,
                                    bool with_days, struct goal_since since)
{
    struct calendar_span nothing = {wide.first, wide.first}, owed = wide;
    if (wide.first >= wide.end || since.counted >= wide.end || since.effective >= wide.end)
        return nothing;
    if (with_days)
        owed = (struct calendar_span){with_days_off(j, wide.first), without_days_off(j, wide.end)};
    if (since.effective > owed.first)
        owed.first = with_days_off(j, since.effective);
    if (since.counted > owed.first) {
        int32_t counted = counted_whole(j, since.counted);
        owed.first = counted > owed.first ? counted : owed.first;
    }
    return owed.first < owed.end ? owed : nothing;
}

/* ---- Projections ---- */

static int64_t amount_in(const struct judging *j, int32_t first, int32_t end)
{
    struct judging part = *j;
    part.span = (struct calendar_span){first, end};
    return first < end ? amount_of(&part) : 0;
}

/* `counted` came of so many days: what does it come to in all of them? */
static int64_t go_on(int64_t counted, int64_t days, int64_t all)
{
    if (days <= 0 || counted <= 0 || counted > INT64_MAX / (all + 1))
        return 0;
    return counted * all / days;
}

/* A day that is not over counts for nothing yet, so that a projection does not sink in the
 * morning; but for what it brought, if that is more than the days before it did. */
static int64_t project(const struct judging *j, int64_t actual, int64_t now_ms)
{
    int32_t today = calendar_day(j->agreement, now_ms), first = j->span.first;
    if (today < first || today >= j->span.end)
        return actual;
    struct calendar_span running =
        calendar_span_of(BATON_SPAN_WORKING_DAY, today, hours_of(j->agreement));
    struct calendar_span over = {first, running.first > first ? running.first : first};
    int64_t passed = working_days(j->agreement, over), all = working_days(j->agreement, j->span);
    int64_t by_passed = go_on(amount_in(j, first, over.end), passed, all), by_today = 0;
    if (running.end <= j->span.end)
        by_today = go_on(amount_in(j, first, today + 1), passed + 1, all);
    int64_t projected = by_passed > by_today ? by_passed : by_today;
    return projected > actual ? projected : actual;
}

static void judge_count(const struct judging *j, int64_t promised, int64_t now_ms,
                        struct goal_figure *out)
{
    out->promised = promised;
    out->actual = amount_of(j);
    out->projected = project(j, out->actual, now_ms);
    out->known = promised > 0 || j->goal->at_most;
    out->missed =
        out->known && (j->goal->at_most ? out->actual > promised : out->actual < promised);
}

static const struct baton_goal *customers_goal(const struct baton_agreement *agreement)
{
    const struct baton_pact *pact = agreement->pact;
    for (uint32_t i = 0; pact && i < pact->goal_count; i++) {
        const struct baton_goal *goal = &pact->goals[i];
        if (goal->id.size == 9 && memcmp(goal->id.data, "customers", 9) == 0)
            return goal;
    }
    return NULL;
}

/* ⌈customers × SQLs ÷ won⌉, in hundredths of SQLs. */
static int64_t needed_of(const struct judging *j)
{
    const struct baton_goal *customers = customers_goal(j->agreement);
    struct part cohort = cohort_of(j);
    if (!customers || cohort.part <= 0)
        return -1;
    int64_t owed = promised_over(j->agreement, customers, j->span), won = cohort.part * HUNDRED;
    if (cohort.of > 0 && owed > INT64_MAX / cohort.of - won)
        return -1;
    return (owed * cohort.of + won - 1) / won * HUNDRED;
}

static void judge(const struct judging *j, int64_t promised, int64_t now_ms,
                  struct goal_figure *out)
{
    *out = (struct goal_figure){.goal = j->goal, .span = j->span, .needed = -1};
    if (goal_is_rate(j->goal->measure))
        judge_rate(j, out);
    else if (j->goal->measure == BATON_GOAL_SALES_CYCLE)
        judge_cycle(j, out);
    else
        judge_count(j, promised, now_ms, out);
    if (j->goal->measure == BATON_GOAL_CONVERSION)
        out->needed = needed_of(j);
}

void goal_judge(const struct baton_agreement *agreement, const struct baton_goal *goal,
                const struct pact_sums *sums, struct calendar_span span, int64_t now_ms,
                struct goal_figure *out)
{
    struct judging j = {agreement, goal, sums, span};
    judge(&j, goal->amount, now_ms, out);
}

void goal_over(const struct baton_agreement *agreement, const struct baton_goal *goal,
               const struct pact_sums *sums, struct calendar_span wide, struct goal_since since,
               int64_t now_ms, struct goal_figure *out)
{
    struct judging j = {agreement, goal, sums, wide};
    bool counts = !goal_is_rate(goal->measure) && goal->measure != BATON_GOAL_SALES_CYCLE;
    j.span = owed_of(&j, wide, counts, since);
    judge(&j, counts ? promised_over(agreement, goal, j.span) : goal->amount, now_ms, out);
    if (j.span.first < j.span.end)
        return;
    out->known = out->missed = false;
    out->needed = -1;
}

int64_t goal_ready_ms(const struct baton_agreement *agreement, const struct baton_goal *goal,
                      struct calendar_span span)
{
    int64_t end = calendar_instant(agreement, span.end, 0);
    return goal->measure == BATON_GOAL_CONVERSION ? end + goal->judge_after_ms : end;
}
