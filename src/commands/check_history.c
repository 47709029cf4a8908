#include "commands/check_history.h"

#include "commands/setup.h"
#include "commands/system_clock.h"
#include "commands/unit_counters.h"
#include "pact/best.h"
#include "pact/periods.h"

#define MS_OF_A_HUNDREDTH INT64_C(864000) /* of a day */

static const char *amount_text(struct speech *speech, const struct baton_goal *goal, int64_t amount)
{
    if (goal_is_rate(goal->measure))
        return speech_percent(speech, amount);
    if (goal->measure == BATON_GOAL_SALES_CYCLE)
        return speech_duration(speech, amount * MS_OF_A_HUNDREDTH);
    if (goal->measure == BATON_GOAL_REVENUE)
        return speech_money(speech, amount, goal->currency.data);
    return speech_count(speech, amount / 100);
}

static void warn(const struct agreement *agreement, uint32_t index, const struct goal_best *best,
                 struct findings *findings)
{
    const struct baton_goal *goal = &agreement_compiled(agreement)->pact->goals[index];
    struct speech *speech = &findings->speech;
    char when[PERIOD_NAME_MAX];
    period_name(goal->per, best->span, when);
    findings_add(
        findings, true, agreement_goal_place(agreement, index),
        goal->at_most ? MESSAGE_FINDING_GOAL_BELOW_BEST : MESSAGE_FINDING_GOAL_ABOVE_BEST,
        (const struct message_hole[]){{"period", agreement_period_word(speech, goal->per)},
                                      {"best", amount_text(speech, goal, best->amount)},
                                      {"measure", baton_measure_name(goal->measure)},
                                      {"when", when},
                                      {"promised", amount_text(speech, goal, best->promised)},
                                      {NULL, NULL}});
}

/* What has not been counted yet by a unit is not over. */
static void compare(const struct agreement *agreement, const struct unit_counters *counters,
                    struct findings *findings)
{
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    int64_t now_ms = system_clock()->wall_ms(system_clock());
    now_ms = counters->passed_ms < now_ms ? counters->passed_ms : now_ms;
    for (uint32_t i = 0; i < compiled->pact->goal_count; i++) {
        struct goal_best best;
        goal_find_best(compiled, &compiled->pact->goals[i], counters->sums, counters->complete_from,
                       now_ms, &best);
        if (best.known && best.beaten)
            warn(agreement, i, &best, findings);
    }
}

static enum status read_counters(const struct config *config, struct unit_counters *counters,
                                 struct error *error)
{
    struct redis_config redis;
    struct redis_inspector *inspector;
    setup_redis(config, &redis);
    enum status status = redis_inspect_open(&inspector, &redis, error);
    if (status != STATUS_OK)
        return status;
    status = unit_counters_read(counters, inspector, error);
    redis_inspect_close(inspector);
    return status;
}

static void say_none(struct findings *findings, const char *reason, struct text_buffer *note)
{
    text_buffer_add_text(note, phrase(&findings->speech, MESSAGE_HISTORY_NONE, {"reason", reason}));
}

void check_history(const struct config *config, const struct agreement *agreement,
                   struct findings *findings, struct text_buffer *note)
{
    const struct baton_pact *pact = agreement_compiled(agreement)->pact;
    struct unit_counters counters;
    struct error error;
    if (!pact || !pact->goal_count)
        return;
    unit_counters_init(&counters);
    if (read_counters(config, &counters, &error) != STATUS_OK)
        say_none(findings, error.text, note);
    else if (counters.counted_from == INT32_MIN)
        say_none(findings, findings_word(findings, MESSAGE_HISTORY_NOT_YET), note);
    else
        compare(agreement, &counters, findings);
    unit_counters_fini(&counters);
}
