/* What a backtest found, for people and for programs. */
#ifndef COMMANDS_REPLAY_PRINT_H
#define COMMANDS_REPLAY_PRINT_H

#include "backtest/backtest.h"

struct replay_view {
    const struct backtest_result *result;
    const struct agreement *candidate, *against; /* against may be NULL */
    int64_t from_ms, to_ms;                      /* INT64_MIN, INT64_MAX: open */
};

#define REPLAY_VERDICTS_LEAST 30 /* fewer say nothing of a rule */
#define REPLAY_LIFT_BAND 500     /* of ten thousand: so near to 1 a lift says nothing */

/* Parts of ten thousand, rounded half up; -1: nothing to divide by. */
int64_t replay_share(uint64_t part, uint64_t whole);
/* How much more often leads with the rule become customers than leads do; 10000 is as often. -1:
 * there is no customer, or no verdict on a lead with the rule. */
int64_t replay_lift(const struct backtest_rule *rule, const struct backtest_group *judged);
bool replay_rule_is_silent(const struct backtest_rule *rule, const struct backtest_group *judged);

void replay_print(const struct replay_view *view, enum language language);
void replay_print_json(const struct replay_view *view);

#endif
