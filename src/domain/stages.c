#include "domain/clocks.h"

#include <assert.h>
#include <string.h>

unsigned baton_stage_rank(enum baton_stage stage)
{
    return stage == BATON_RECYCLED ? 0 : (unsigned)stage;
}

/* ---- The table of transitions ---------------------------------------------------------------- */

static const char not_handed_over[] = "was not handed over to sales";
static const char no_customer[] = "is no customer";
static const char is_customer[] = "is a customer already";
static const char is_rejected[] = "was rejected already";
static const char is_accepted[] = "was accepted already";

static struct baton_ruling to(enum baton_stage stage)
{
    return (struct baton_ruling){.allowed = true, .stage = stage};
}

static struct baton_ruling refuse(enum baton_stage stage, const char *why)
{
    return (struct baton_ruling){.stage = stage, .why = why};
}

/* With sales: sql or accepted. */
static struct baton_ruling rule_open(enum baton_stage stage, enum baton_report report)
{
    switch (report) {
    case BATON_REPORT_ACCEPTED:
        return stage == BATON_ACCEPTED ? refuse(stage, is_accepted) : to(BATON_ACCEPTED);
    case BATON_REPORT_NEGOTIATING: return to(BATON_ACCEPTED);
    case BATON_REPORT_CUSTOMER: return to(BATON_CUSTOMER);
    case BATON_REPORT_REJECTED: return to(BATON_REJECTED);
    case BATON_REPORT_CHURNED: return refuse(stage, no_customer);
    default: return to(stage);
    }
}

struct baton_ruling baton_rule_report(enum baton_stage stage, enum baton_report report)
{
    switch (stage) {
    case BATON_SQL:
    case BATON_ACCEPTED: return rule_open(stage, report);
    case BATON_CUSTOMER:
        return report == BATON_REPORT_CHURNED ? to(BATON_REJECTED) : refuse(stage, is_customer);
    case BATON_REJECTED: return refuse(stage, is_rejected);
    default: return refuse(stage, not_handed_over);
    }
}

/* ---- Entering -------------------------------------------------------------------------------- */

/* What is to be told of the generation that ends, if it was handed over. */
static void keep_earlier(struct baton_lead *lead)
{
    struct baton_history *history = lead->history;
    if (!history || !history->sql_ms)
        return;
    if (history->earlier_count < BATON_EARLIER_MAX)
        history->earlier_count++;
    memmove(&history->earlier[1], &history->earlier[0],
            (size_t)(history->earlier_count - 1) * sizeof *history->earlier);
    history->earlier[0] = (struct baton_earlier){.promoted_ms = history->sql_ms,
                                                 .ended_ms = history->stage_ms,
                                                 .reason = history->sales.reason,
                                                 .generation = lead->generation,
                                                 .stage = lead->stage};
}

static void begin_generation(struct baton_lead *lead)
{
    keep_earlier(lead);
    if (lead->generation < UINT16_MAX)
        lead->generation++;
    lead->mql_ms = 0;
    if (lead->history) {
        lead->history->sql_ms = 0;
        lead->history->sales = (struct baton_sales){0};
        clocks_end_generation(lead->history);
    }
}

/* False if there is no memory. */
static bool enter(struct baton_lead *lead, enum baton_stage stage, int64_t time_ms, int64_t offset,
                  struct baton_allocator *allocator)
{
    if (stage >= BATON_SQL && !baton_lead_history(lead, allocator))
        return false;
    if (baton_stage_rank(stage) <= baton_stage_rank((enum baton_stage)lead->stage))
        begin_generation(lead);
    lead->stage = (uint8_t)stage;
    lead->stage_offset = offset;
    if (stage == BATON_MQL)
        lead->mql_ms = time_ms;
    if (lead->history)
        lead->history->stage_ms = stage >= BATON_SQL ? time_ms : 0;
    if (stage == BATON_SQL)
        lead->history->sql_ms = time_ms ? time_ms : 1; /* 0 says that there is none */
    return true;
}

bool stage_enter(const struct folding *folding, enum baton_stage stage,
                 const struct baton_score *score)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_fold_context *context = folding->context;
    struct baton_fold_result *result = folding->result;
    enum baton_stage from = (enum baton_stage)lead->stage;
    uint32_t n = result->transition_count;
    assert(n < BATON_TRANSITIONS_MAX);
    if (!enter(lead, stage, folding->event->time_ms, folding->event->offset, context->allocator))
        return false;
    if (context->gates_closed)
        lead->generation = context->entered[n].generation;
    result->transitions[n] = (struct baton_transition){
        .from = from, .to = stage, .generation = lead->generation, .score = *score};
    result->transition_count = n + 1;
    return true;
}

bool stage_may_enter(const struct folding *folding, enum baton_stage stage)
{
    const struct baton_fold_context *context = folding->context;
    uint32_t n = folding->result->transition_count;
    return !context->gates_closed ||
           (n < context->entered_count && context->entered[n].stage == stage);
}

bool baton_lead_restore(struct baton_lead *lead, struct baton_entered entered, int64_t time_ms,
                        int64_t offset, struct baton_allocator *allocator)
{
    if (entered.generation < lead->generation ||
        (entered.generation == lead->generation &&
         baton_stage_rank(entered.stage) <= baton_stage_rank((enum baton_stage)lead->stage)))
        return true;
    bool begins =
        baton_stage_rank(entered.stage) <= baton_stage_rank((enum baton_stage)lead->stage);
    if (!begins && entered.generation > lead->generation)
        begin_generation(lead); /* of one in between nothing is known */
    if (!enter(lead, entered.stage, time_ms, offset, allocator))
        return false;
    lead->generation = entered.generation;
    return true;
}

bool stage_recycle(const struct folding *folding)
{
    const struct baton_lead *lead = folding->lead;
    const struct baton_agreement *agreement = folding->context->agreement;
    int64_t after_ms = agreement->recycle_after_ms, now_ms = folding_now_ms(folding);
    if (lead->stage != BATON_REJECTED || !after_ms ||
        now_ms - baton_lead_stage_ms(lead) < after_ms || !stage_may_enter(folding, BATON_RECYCLED))
        return true;
    struct baton_score score;
    baton_lead_score(lead, agreement, now_ms, &score);
    return stage_enter(folding, BATON_RECYCLED, &score);
}

/* What was entered for a reason that is not seen any more: under another agreement, or by events
 * that the log no longer holds. */
static bool enter_the_rest(const struct folding *folding)
{
    const struct baton_fold_context *context = folding->context;
    struct baton_score score = {0};
    while (folding->result->transition_count < context->entered_count &&
           folding->result->transition_count < BATON_TRANSITIONS_MAX)
        if (!stage_enter(folding, context->entered[folding->result->transition_count].stage,
                         &score))
            return false;
    return true;
}

bool stage_pass_gates(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_fold_context *context = folding->context;
    if (context->gates_closed)
        return enter_the_rest(folding);
    if (lead->stage >= BATON_SQL && lead->stage != BATON_RECYCLED)
        return true;
    struct score_now now = {
        .lead = lead, .agreement = context->agreement, .at_ms = folding_now_ms(folding)};
    if (lead->stage != BATON_MQL && !score_opens_mql(&now))
        return true;
    if (lead->stage != BATON_MQL && !stage_enter(folding, BATON_MQL, &now.score))
        return false;
    return !score_opens_sql(&now) || stage_enter(folding, BATON_SQL, &now.score);
}

void stage_ignore(const struct folding *folding, const char *why)
{
    folding->result->notice = BATON_IGNORED;
    folding->result->why = why;
}
