#include "pact/count.h"

#include "domain/calendar.h"
#include "domain/clocks.h"

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

struct counting {
    struct counters *counters; /* NULL: it is counted already */
    const struct pact_fold *fold;
    int32_t day;
    bool asked; /* for the words of the lead's profile */
    uint32_t segment, sector;
};

static void add(const struct counting *c, int32_t day, enum pact_measure measure,
                enum pact_dimension dimension, uint32_t value, uint32_t second, int64_t amount)
{
    if (c->counters)
        counters_add(c->counters, day, measure, dimension, value, second, amount);
}

/* ---- By channel, campaign and profile -------------------------------------------------------- */

static void ask_profile(struct counting *c)
{
    static const struct baton_text no_name = {NULL, 0};
    if (c->asked)
        return;
    const struct pact_fold *f = c->fold;
    c->asked = true;
    c->segment = baton_words_id(f->words, baton_profile_get(f->lead, BATON_SEGMENT, no_name),
                                BATON_WORD_TEXT);
    c->sector = baton_words_id(f->words, baton_profile_get(f->lead, BATON_SECTOR, no_name),
                               BATON_WORD_TEXT);
}

static uint32_t channel_of(const struct baton_touch *touch)
{
    return touch->channel;
}

static uint32_t campaign_of(const struct baton_touch *touch)
{
    return touch->campaign;
}

typedef uint32_t word_of(const struct baton_touch *touch);

/* Words of the oldest and the newest touch that has one. */
struct ends {
    uint32_t first, last, count;
};

static struct ends ends_of(const struct baton_lead *lead, word_of *of)
{
    struct ends ends = {0};
    for (uint16_t i = 0; i < lead->touch_count; i++) { /* newest first */
        uint32_t word = of(&lead->touches[i]);
        if (!word)
            continue;
        ends.first = word;
        ends.last = ends.count++ ? ends.last : word;
    }
    return ends;
}

/* The same for each touch that has one; the newest takes what is over. */
static void add_shares(const struct counting *c, enum pact_measure measure, uint32_t second,
                       int64_t amount, enum pact_dimension dimension, word_of *of)
{
    const struct baton_lead *lead = c->fold->lead;
    int64_t whole = measure == PACT_REVENUE ? amount : amount * PACT_SHARE;
    struct ends ends = ends_of(lead, of);
    if (!ends.count) {
        add(c, c->day, measure, dimension, BATON_WORD_NONE, second, whole);
        return;
    }
    int64_t share = whole / ends.count, rest = whole - share * ends.count;
    for (uint16_t i = 0; i < lead->touch_count; i++) {
        uint32_t word = of(&lead->touches[i]);
        if (!word)
            continue;
        add(c, c->day, measure, dimension, word, second, share + rest);
        rest = 0;
    }
}

static void add_profile(struct counting *c, enum pact_measure measure, uint32_t second,
                        int64_t amount)
{
    ask_profile(c);
    add(c, c->day, measure, PACT_ALL, 0, second, amount);
    add(c, c->day, measure, PACT_SEGMENT, c->segment, second, amount);
    add(c, c->day, measure, PACT_SECTOR, c->sector, second, amount);
}

static void add_everywhere(struct counting *c, enum pact_measure measure, uint32_t second,
                           int64_t amount)
{
    const struct baton_lead *lead = c->fold->lead;
    struct ends campaigns = ends_of(lead, campaign_of);
    add_profile(c, measure, second, amount);
    add(c, c->day, measure, PACT_CHANNEL_FIRST, lead->first_channel, second, amount);
    add(c, c->day, measure, PACT_CHANNEL_LAST, lead->last_channel, second, amount);
    add_shares(c, measure, second, amount, PACT_CHANNEL_LINEAR, channel_of);
    add(c, c->day, measure, PACT_CAMPAIGN_FIRST, campaigns.first, second, amount);
    add(c, c->day, measure, PACT_CAMPAIGN_LAST, campaigns.last, second, amount);
    add_shares(c, measure, second, amount, PACT_CAMPAIGN_LINEAR, campaign_of);
}

static void add_seller(const struct counting *c, enum pact_measure measure, uint32_t second,
                       int64_t amount)
{
    const struct baton_history *history = c->fold->lead->history;
    add(c, c->day, measure, PACT_SELLER, history ? history->sales.seller : BATON_WORD_NONE, second,
        amount);
}

/* ---- By rule --------------------------------------------------------------------------------- */

static void add_rule(const struct counting *c, enum pact_measure measure, struct baton_text id)
{
    uint32_t word = baton_words_id(c->fold->words, id, BATON_WORD_RULES);
    add(c, c->day, measure, PACT_RULE, word, 0, 1);
}

/* Rules that the lead has hit, and those of its profile that hold. */
static void add_rules(const struct counting *c, enum pact_measure measure)
{
    const struct baton_agreement *agreement = c->fold->agreement;
    const struct baton_lead *lead = c->fold->lead;
    for (uint16_t i = 0; i < lead->tally_count; i++)
        if (lead->tallies[i].rule >= 0 && lead->tallies[i].count)
            add_rule(c, measure, agreement->behaviour[lead->tallies[i].rule].id);
    for (uint32_t i = 0; i < agreement->fit_count; i++)
        if (baton_profile_matches(&agreement->fit[i].where, lead))
            add_rule(c, measure, agreement->fit[i].id);
}

static void count_first_hits(const struct counting *c)
{
    const struct pact_fold *f = c->fold;
    for (uint32_t i = 0; i < f->result->first_hit_count; i++)
        add_rule(c, PACT_RULE_LEADS, f->agreement->behaviour[f->first_hits[i]].id);
}

/* ---- What sales says ------------------------------------------------------------------------- */

/* When it happened, as far as it can be said: nothing happens after it was reported. */
static int64_t happened_ms(const struct baton_event *event)
{
    bool told = event->kind == BATON_FEEDBACK && event->feedback->at_ms < event->time_ms;
    return told ? event->feedback->at_ms : event->time_ms;
}

/* Whole days since the promotion. False: it is not known. */
static bool days_since_sql(const struct counting *c, uint32_t *days)
{
    const struct baton_history *history = c->fold->lead->history;
    if (!history || !history->sql_ms)
        return false;
    int64_t elapsed_ms = happened_ms(c->fold->event) - history->sql_ms;
    int64_t whole = elapsed_ms < 0 ? 0 : elapsed_ms / DAY_MS;
    *days = (uint32_t)(whole < PACT_DAYS_MAX ? whole : PACT_DAYS_MAX);
    return true;
}

static void add_days(struct counting *c, enum pact_measure measure)
{
    uint32_t days;
    if (days_since_sql(c, &days))
        add_profile(c, measure, days, 1);
}

static void add_obstacle(const struct counting *c)
{
    const struct pact_fold *f = c->fold;
    uint32_t obstacle = baton_words_id(f->words, f->event->feedback->obstacle, BATON_WORD_TEXT);
    const struct baton_touch *newest = f->lead->touch_count ? &f->lead->touches[0] : NULL;
    if (!obstacle)
        return;
    add(c, c->day, PACT_OBSTACLE, PACT_ALL, 0, obstacle, 1);
    add(c, c->day, PACT_OBSTACLE, PACT_BY_PAGE, newest ? newest->page : 0, obstacle, 1);
    add(c, c->day, PACT_OBSTACLE, PACT_BY_CAMPAIGN, newest ? newest->campaign : 0, obstacle, 1);
}

#define CONTACTS                                                                                   \
    (((1u << BATON_REPORTS) - 1) &                                                                 \
     ~((1u << BATON_REPORT_NONE) | (1u << BATON_REPORT_ASSIGNED))) /* from `contacted` on */

/* Verdicts that are stages are counted as those. */
static const enum pact_measure measure_of_report[BATON_REPORTS] = {
    [BATON_REPORT_ASSIGNED] = PACT_ASSIGNED, [BATON_REPORT_CONTACTED] = PACT_CONTACTED,
    [BATON_REPORT_MEETING] = PACT_MEETING,   [BATON_REPORT_PROPOSAL] = PACT_PROPOSAL,
    [BATON_REPORT_ACCEPTED] = PACT_MEASURES, [BATON_REPORT_NEGOTIATING] = PACT_NEGOTIATING,
    [BATON_REPORT_CUSTOMER] = PACT_MEASURES, [BATON_REPORT_REJECTED] = PACT_MEASURES,
    [BATON_REPORT_CHURNED] = PACT_CHURNED};

/* An allowed report, the first of its kind in the generation. */
static void count_report(struct counting *c)
{
    enum baton_report report = c->fold->event->feedback->report;
    uint32_t before = c->fold->result->reports_before;
    if (before & 1u << report)
        return;
    if (measure_of_report[report] != PACT_MEASURES) {
        add_everywhere(c, measure_of_report[report], 0, 1);
        add_seller(c, measure_of_report[report], 0, 1);
    }
    if (CONTACTS & 1u << report && !(before & CONTACTS))
        add_days(c, PACT_DAYS_CONTACT);
    if (report == BATON_REPORT_PROPOSAL)
        add_days(c, PACT_DAYS_PROPOSAL);
    add_obstacle(c);
}

/* ---- Stages ---------------------------------------------------------------------------------- */

static const enum pact_measure measure_of_stage[BATON_STAGES] = {
    [BATON_LEAD] = PACT_MEASURES,     [BATON_MQL] = PACT_MQL,
    [BATON_SQL] = PACT_SQL,           [BATON_ACCEPTED] = PACT_ACCEPTED,
    [BATON_CUSTOMER] = PACT_CUSTOMER, [BATON_REJECTED] = PACT_REJECTED,
    [BATON_RECYCLED] = PACT_RECYCLED,
};

/* Of a generation that may have ended by the same event. */
static uint32_t reason_of(const struct baton_lead *lead, uint16_t generation)
{
    const struct baton_history *history = lead->history;
    if (!history)
        return BATON_WORD_NONE;
    if (lead->generation == generation)
        return history->sales.reason;
    for (uint8_t i = 0; i < history->earlier_count; i++)
        if (history->earlier[i].generation == generation)
            return history->earlier[i].reason;
    return BATON_WORD_NONE;
}

/* Nothing came of the lead since then but what comes of it now. */
static bool is_first_outcome(const struct baton_history *history, uint16_t generation,
                             int64_t since_ms)
{
    for (uint8_t i = 0; i < history->earlier_count; i++)
        if (history->earlier[i].generation < generation && history->earlier[i].promoted_ms &&
            history->earlier[i].ended_ms >= since_ms)
            return false;
    return true;
}

/* Of the leads that are compared, each once, and on the day on which the lead is counted. */
static void count_shadow_outcome(const struct counting *c, uint16_t generation, bool won)
{
    const struct baton_history *history = c->fold->lead->history;
    if (!history || !history->shadow.of)
        return;
    int64_t shadow_ms = history->shadow.sql_ms, live_ms = history->shadow.live_ms;
    int64_t first_ms = !live_ms || (shadow_ms && shadow_ms < live_ms) ? shadow_ms : live_ms;
    if (!first_ms || !is_first_outcome(history, generation, first_ms))
        return;
    int32_t day = calendar_day(c->fold->agreement, first_ms);
    if (shadow_ms)
        add(c, day, won ? PACT_SHADOW_WON : PACT_SHADOW_LOST, PACT_ALL, 0, 0, 1);
    if (live_ms)
        add(c, day, won ? PACT_SHADOW_LIVE_WON : PACT_SHADOW_LIVE_LOST, PACT_ALL, 0, 0, 1);
}

static void count_outcome(struct counting *c, uint16_t generation, bool won)
{
    enum pact_measure measure = won ? PACT_WON : PACT_LOST;
    add_everywhere(c, measure, 0, 1);
    add_seller(c, measure, 0, 1);
    add_rules(c, won ? PACT_RULE_WON : PACT_RULE_LOST);
    count_shadow_outcome(c, generation, won);
}

static void count_customer(struct counting *c)
{
    const struct pact_fold *f = c->fold;
    const struct baton_sales *sales = f->lead->history ? &f->lead->history->sales : NULL;
    uint32_t days;
    if (sales && sales->has_deal && sales->currency) { /* of no currency it is no money */
        add_everywhere(c, PACT_REVENUE, sales->currency, sales->deal);
        add_seller(c, PACT_REVENUE, sales->currency, sales->deal);
    }
    if (!days_since_sql(c, &days))
        return;
    add_days(c, PACT_DAYS_CUSTOMER);
    add(c, calendar_day(f->agreement, f->lead->history->sql_ms), PACT_COHORT_CUSTOMER, PACT_ALL, 0,
        days, 1);
}

static void count_transition(struct counting *c, const struct baton_transition *transition)
{
    enum baton_stage to = transition->to;
    enum pact_measure measure = measure_of_stage[to];
    bool with_sales = transition->from == BATON_SQL || transition->from == BATON_ACCEPTED;
    if (transition->adopted || measure == PACT_MEASURES)
        return;
    if (to == BATON_CUSTOMER && transition->from == BATON_SQL) { /* it says so by the way */
        add_everywhere(c, PACT_ACCEPTED, 0, 1);
        add_seller(c, PACT_ACCEPTED, 0, 1);
    }
    add_everywhere(c, measure, 0, 1);
    if (to == BATON_SQL)
        add_rules(c, PACT_RULE_SQL);
    if (to == BATON_ACCEPTED || to == BATON_CUSTOMER || to == BATON_REJECTED)
        add_seller(c, measure, 0, 1);
    if (to == BATON_REJECTED)
        add(c, c->day, measure, PACT_REASON, reason_of(c->fold->lead, transition->generation), 0,
            1);
    if (to == BATON_CUSTOMER)
        count_customer(c);
    if (with_sales && (to == BATON_CUSTOMER || to == BATON_REJECTED))
        count_outcome(c, transition->generation, to == BATON_CUSTOMER);
}

/* ---- The shadow agreement -------------------------------------------------------------------- */

/* Both found it, at these times. */
static void shadow_agrees(const struct counting *c, const struct baton_shadowed *shadow)
{
    add(c,
        calendar_day(c->fold->agreement,
                     shadow->sql_ms < shadow->live_ms ? shadow->sql_ms : shadow->live_ms),
        PACT_SHADOW_BOTH, PACT_ALL, 0, 0, 1);
    add(c, c->day, PACT_SHADOW_EARLIER_H, PACT_ALL, 0, 0,
        (shadow->live_ms - shadow->sql_ms) / HOUR_MS);
}

/* The first promotion by either is what is compared. */
static void count_shadow(const struct counting *c)
{
    const struct pact_fold *f = c->fold;
    const struct baton_history *history = f->lead->history;
    if (!history || !history->shadow.of)
        return;
    const struct baton_shadowed *shadow = &history->shadow;
    bool found = f->result->shadow_sql, live = false;
    for (uint32_t i = 0; i < f->result->transition_count; i++)
        live = live || (f->result->transitions[i].to == BATON_SQL &&
                        !f->result->transitions[i].adopted && shadow->live_ms == f->event->time_ms);
    if (!found && !live)
        return;
    bool by_both = shadow->sql_ms && shadow->live_ms;
    if (by_both && !(found && live)) /* one of them had been alone */
        add(c, calendar_day(f->agreement, found ? shadow->live_ms : shadow->sql_ms),
            found ? PACT_SHADOW_LIVE_ONLY : PACT_SHADOW_ONLY, PACT_ALL, 0, 0, -1);
    if (by_both)
        shadow_agrees(c, shadow);
    else
        add(c, c->day, found ? PACT_SHADOW_ONLY : PACT_SHADOW_LIVE_ONLY, PACT_ALL, 0, 0, 1);
}

/* ---- Clocks ---------------------------------------------------------------------------------- */

static void add_verdict(struct counters *counters, const struct baton_agreement *agreement,
                        const struct baton_clock_move *move, enum clock_verdict verdict, bool after)
{
    if (verdict != CLOCK_KEPT && verdict != CLOCK_BROKEN)
        return;
    enum pact_measure measure = verdict == CLOCK_KEPT ? PACT_KEPT : PACT_BROKEN;
    int32_t day =
        calendar_day(agreement, after && !move->ended ? move->after.due_ms : move->before.due_ms);
    uint32_t seller = after ? move->seller_after : move->seller_before;
    int64_t amount = after ? 1 : -1;
    counters_add(counters, day, measure, PACT_ALL, 0, move->id, amount);
    counters_add(counters, day, measure, PACT_SELLER, seller, move->id, amount);
}

void count_clock(struct counters *counters, const struct baton_agreement *agreement,
                 const struct baton_clock_move *move, int64_t before_ms, int64_t after_ms)
{
    enum clock_verdict before = clock_verdict(&move->before, before_ms);
    enum clock_verdict after = clock_verdict(move->ended ? &move->before : &move->after, after_ms);
    bool stays = before == after && move->seller_before == move->seller_after &&
                 (move->ended || move->before.due_ms == move->after.due_ms);
    if (after == CLOCK_NONE || stays)
        return;
    add_verdict(counters, agreement, move, before, false);
    add_verdict(counters, agreement, move, after, true);
}

/* ---- An event -------------------------------------------------------------------------------- */

static void count_act(const struct counting *c)
{
    const struct pact_fold *f = c->fold;
    if (f->lead->events == 1 && f->event->kind <= BATON_ADJUST)
        add(c, c->day, PACT_LEADS, PACT_ALL, 0, 0, 1);
    if (f->event->kind == BATON_EMAIL_CLICKED)
        add(c, c->day, PACT_EMAIL_CLICKED, PACT_ALL, 0, 0, 1);
    if (f->event->kind == BATON_FORM_FILL)
        add(c, c->day, PACT_FORMS, PACT_ALL, 0, 0, 1);
}

/* Most events add nothing. */
static bool adds(const struct pact_fold *f)
{
    const struct baton_fold_result *result = f->result;
    enum baton_event_kind kind = f->event->kind;
    return result->outcome == BATON_FOLDED &&
           (f->lead->events == 1 || result->first_hit_count || result->transition_count ||
            result->clock_move_count || result->shadow_sql || kind == BATON_FORM_FILL ||
            kind == BATON_EMAIL_CLICKED || kind == BATON_FEEDBACK);
}

void count_fold(struct counters *counters, const struct pact_fold *fold)
{
    if (!adds(fold))
        return;
    const struct baton_fold_result *result = fold->result;
    struct counting c = {.counters = fold->counted ? counters : NULL,
                         .fold = fold,
                         .day = calendar_day(fold->agreement, fold->event->time_ms)};
    count_act(&c);
    count_first_hits(&c);
    if (fold->event->kind == BATON_FEEDBACK && result->notice != BATON_IGNORED)
        count_report(&c);
    for (uint32_t i = 0; i < result->transition_count; i++)
        count_transition(&c, &result->transitions[i]);
    count_shadow(&c);
    for (uint32_t i = 0; fold->counted && i < result->clock_move_count; i++) {
        const struct baton_clock_move *move = &result->clock_moves[i];
        count_clock(counters, fold->agreement, move, fold->clock_ms,
                    move->ended ? fold->arrived_ms : fold->clock_ms);
    }
}
