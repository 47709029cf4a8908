/* What sales reports of a lead that it was given. */
#include "domain/clocks.h"
#include "domain/text.h"

static bool is_known_reason(const struct baton_agreement *agreement, struct baton_text reason)
{
    for (uint32_t i = 0; i < agreement->reason_count; i++)
        if (text_equal(agreement->reasons[i], reason))
            return true;
    return agreement->reason_count == 0;
}

/* NULL: the report stands. Where it is known what came of it, that speaks alone. */
static const char *objection(const struct folding *folding, const struct baton_ruling *ruling)
{
    const struct baton_feedback *feedback = folding->event->feedback;
    bool moves = ruling->allowed && ruling->stage != (enum baton_stage)folding->lead->stage;
    if (folding->context->gates_closed && moves)
        return stage_may_enter(folding, ruling->stage) ? NULL : "changed nothing then";
    if (feedback->generation && feedback->generation != folding->lead->generation)
        return "is in another generation than the one that the report speaks of";
    if (!ruling->allowed)
        return ruling->why;
    if (feedback->report == BATON_REPORT_REJECTED &&
        !is_known_reason(folding->context->agreement, feedback->reason_folded))
        return feedback->reason.size ? "is not rejected: the agreement does not list the reason"
                                     : "is not rejected without a reason";
    return NULL;
}

static uint32_t word_or(uint32_t before, struct baton_text text, struct baton_words *words)
{
    return text.size ? baton_words_id(words, text, BATON_WORD_TEXT) : before;
}

/* Why a lead was rejected. That it churned is a reason of its own, whatever else was said. */
static struct baton_text rejected_for(const struct baton_feedback *feedback)
{
    static const char churned[] = "churned";
    if (feedback->report == BATON_REPORT_CHURNED)
        return (struct baton_text){churned, sizeof churned - 1};
    return feedback->report == BATON_REPORT_REJECTED ? feedback->reason : (struct baton_text){0};
}

static void note(struct baton_sales *sales, const struct baton_feedback *feedback,
                 struct baton_words *words)
{
    bool contact = feedback->report >= BATON_REPORT_CONTACTED;
    sales->report = (uint8_t)feedback->report;
    sales->report_ms = feedback->at_ms;
    if (contact && (!sales->contact_ms || feedback->at_ms < sales->contact_ms))
        sales->contact_ms = feedback->at_ms;
    sales->seller = word_or(sales->seller, feedback->seller, words);
    sales->obstacle = word_or(sales->obstacle, feedback->obstacle, words);
    sales->reason = word_or(sales->reason, rejected_for(feedback), words);
    if (feedback->has_deal) {
        sales->has_deal = true;
        sales->deal = feedback->deal;
        sales->currency = word_or(0, feedback->currency, words);
    }
}

/* What is counted once in a generation is counted at the first report of its kind. */
static void see(const struct folding *folding, enum baton_report report)
{
    struct baton_history *history = folding->lead->history;
    if (!folding->context->agreement->pact)
        return;
    folding->result->reports_before = history->reports_seen;
    folding->result->first_report = !(history->reports_seen & 1u << report);
    history->reports_seen |= (uint16_t)(1u << report);
}

bool verdict_take(const struct folding *folding)
{
    const struct baton_feedback *feedback = folding->event->feedback;
    const struct baton_fold_context *context = folding->context;
    struct baton_lead *lead = folding->lead;
    struct baton_ruling ruling = baton_rule_report((enum baton_stage)lead->stage, feedback->report);
    const char *why = objection(folding, &ruling);
    if (why) {
        stage_ignore(folding, why);
        return true;
    }
    if (!baton_lead_history(lead, context->allocator))
        return false;
    uint32_t seller_before = lead->history->sales.seller;
    note(&lead->history->sales, feedback, context->words);
    see(folding, feedback->report);
    if (ruling.stage != (enum baton_stage)lead->stage) {
        struct baton_score score;
        baton_lead_score(lead, context->agreement, lead->newest_ms, &score);
        if (!stage_enter(folding, ruling.stage, &score))
            return false;
    }
    clocks_report(folding, seller_before);
    return true;
}
