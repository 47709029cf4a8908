#include "report/build.h"

#include <stdio.h>
#include <string.h>

/* ---- How a figure of a goal is written ---- */

static struct report_value amount_value(struct build *build, const struct baton_goal *goal,
                                        int64_t hundredths)
{
    if (goal_is_rate(goal->measure))
        return cell_percent(hundredths);
    if (goal->measure == BATON_GOAL_SALES_CYCLE)
        return cell_days(hundredths);
    if (goal->measure == BATON_GOAL_REVENUE)
        return cell_money(hundredths, build_keep_text(build, goal->currency));
    return hundredths % 100 == 0 ? cell_count(hundredths / 100) : cell_points(hundredths);
}

static bool is_count(const struct baton_goal *goal)
{
    return !goal_is_rate(goal->measure) && goal->measure != BATON_GOAL_SALES_CYCLE;
}

static struct report_value promise_name(struct build *build, const struct baton_goal *goal)
{
    static const struct {
        const char *id;
        enum message_id word;
    } known[] = {{"customers", MESSAGE_REPORT_P_CUSTOMERS},
                 {"conversion", MESSAGE_REPORT_P_CONVERSION},
                 {"delivery", MESSAGE_REPORT_P_DELIVERY}};
    const char *id = build_keep_text(build, goal->id);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].id, id) == 0)
            return cell_word(known[i].word, id, TONE_PLAIN);
    return cell_text(id);
}

static struct report_value owner_of(struct build *build, struct baton_text owner)
{
    return owner.size ? cell_text(build_keep_text(build, owner)) : cell_none();
}

/* ---- States ---- */

enum state { STATE_NOTHING, STATE_KEPT, STATE_MISSED, STATE_ON_COURSE, STATE_BEHIND };

static struct report_value state_value(enum state state)
{
    static const struct {
        enum message_id word;
        const char *id;
        enum report_tone tone;
    } states[] = {{MESSAGE_REPORT_W_NOTHING, "nothing to judge", TONE_PLAIN},
                  {MESSAGE_REPORT_W_KEPT, "kept", TONE_GOOD},
                  {MESSAGE_REPORT_W_MISSED, "missed", TONE_BAD},
                  {MESSAGE_REPORT_W_ON_COURSE, "on course", TONE_PLAIN},
                  {MESSAGE_REPORT_W_BEHIND, "behind", TONE_PLAIN}};
    return cell_word(states[state].word, states[state].id, states[state].tone);
}

/* While more can come, only what cannot change any more is kept or missed. */
static enum state state_of(const struct build *build, const struct goal_figure *figure)
{
    const struct baton_goal *goal = figure->goal;
    bool running = build->in->now_ms < goal_ready_ms(build->in->agreement, goal, build->in->span);
    if (!figure->known)
        return STATE_NOTHING;
    if (!running)
        return figure->missed ? STATE_MISSED : STATE_KEPT;
    if (is_count(goal) && figure->missed == goal->at_most)
        return figure->missed ? STATE_MISSED : STATE_KEPT;
    if (!is_count(goal))
        return figure->missed ? STATE_BEHIND : STATE_ON_COURSE;
    bool enough = goal->at_most ? figure->projected <= figure->promised
                                : figure->projected >= figure->promised;
    return enough ? STATE_ON_COURSE : STATE_BEHIND;
}

/* What came of the promises of a side; those of both count for each. */
struct tally {
    int64_t promised, judged, kept;
};

static void note_state(struct tally tallies[2], enum baton_side side, enum state state)
{
    for (int i = BATON_MARKETING; i <= BATON_SALES; i++) {
        if (side != BATON_BOTH && (int)side != i)
            continue;
        tallies[i].promised++;
        tallies[i].judged += state == STATE_KEPT || state == STATE_MISSED;
        tallies[i].kept += state == STATE_KEPT;
    }
}

/* ---- The table of promises ---- */

static void add_goal(struct build *build, struct report_table *table, const struct baton_goal *goal,
                     struct tally tallies[2])
{
    struct goal_figure figure;
    goal_over(build->in->agreement, goal, build->in->sums, build->in->span, build->in->since,
              build->in->now_ms, &figure);
    enum state state = state_of(build, &figure);
    struct report_value *row = report_add_row(build->report, table);
    row[PROMISES_SIDE] = build_side(goal->side);
    row[PROMISES_PROMISE] = promise_name(build, goal);
    row[PROMISES_PER] = build_per(goal->per);
    row[PROMISES_PROMISED] = amount_value(build, goal, figure.promised);
    row[PROMISES_PROMISED].at_most = goal->at_most;
    row[PROMISES_STATE] = state_value(state);
    row[PROMISES_OWNER] = owner_of(build, goal->owner);
    note_state(tallies, goal->side, state);
    if (!figure.known)
        return;
    row[PROMISES_KEPT] = amount_value(build, goal, figure.actual);
    row[PROMISES_PERCENT] = cell_ratio(figure.actual, figure.promised);
    if (is_count(goal) && build->report->running)
        row[PROMISES_PROJECTED] = amount_value(build, goal, figure.projected);
}

static const enum message_id clock_words[BATON_CLOCKS] = {
    MESSAGE_REPORT_P_FIRST_CONTACT, MESSAGE_REPORT_P_VERDICT, MESSAGE_REPORT_P_NEXT_UPDATE};

static struct report_value clock_name(int clock)
{
    return cell_word(clock_words[clock], baton_clock_name((enum baton_clock_id)clock), TONE_PLAIN);
}

/* What is due in the period: each clock is one promise. */
static void add_clock(struct build *build, struct report_table *table, int clock,
                      struct tally tallies[2])
{
    const char second[2] = {(char)('0' + clock), 0};
    struct calendar_span span = build->in->span;
    int64_t kept = sums_get(build->in->sums, PACT_KEPT, PACT_ALL, "", second, span),
            broken = sums_get(build->in->sums, PACT_BROKEN, PACT_ALL, "", second, span);
    enum state state = kept + broken == 0       ? STATE_NOTHING
                       : broken > 0             ? STATE_MISSED
                       : build->report->running ? STATE_ON_COURSE
                                                : STATE_KEPT;
    struct report_value *row = report_add_row(build->report, table);
    row[PROMISES_SIDE] = build_side(BATON_SALES);
    row[PROMISES_PROMISE] = clock_name(clock);
    row[PROMISES_PROMISED] = cell_count(kept + broken);
    row[PROMISES_STATE] = state_value(state);
    row[PROMISES_OWNER] = owner_of(build, build->pact->clocks[clock].owner);
    note_state(tallies, BATON_SALES, state);
    if (state == STATE_NOTHING)
        return;
    row[PROMISES_KEPT] = cell_count(kept);
    row[PROMISES_PERCENT] = cell_ratio(kept, kept + broken);
}

static void add_headline(struct build *build, enum baton_side side, const struct tally *tally)
{
    if (tally->promised == 0)
        return;
    struct report_note *note = report_add_note(
        build->report, tally->judged ? MESSAGE_REPORT_SIDE_KEPT : MESSAGE_REPORT_SIDE_RUNNING);
    note->headline = true;
    note->holes[0] = (struct report_hole){"side", build_side(side)};
    note->holes[1] = (struct report_hole){"kept", cell_count(tally->kept)};
    note->holes[2] = (struct report_hole){"all", cell_count(tally->judged)};
    if (tally->judged)
        note->tone = tally->kept == tally->judged ? TONE_GOOD : TONE_BAD;
}

static void add_promises(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_promises);
    struct tally tallies[2] = {{0}};
    for (int side = BATON_MARKETING; side <= BATON_BOTH; side++) {
        for (uint32_t i = 0; i < build->pact->goal_count; i++)
            if ((int)build->pact->goals[i].side == side)
                add_goal(build, table, &build->pact->goals[i], tallies);
        for (int clock = 0; side == BATON_SALES && clock < BATON_CLOCKS; clock++)
            if (build->pact->clocks[clock].within.amount)
                add_clock(build, table, clock, tallies);
    }
    add_headline(build, BATON_MARKETING, &tallies[BATON_MARKETING]);
    add_headline(build, BATON_SALES, &tallies[BATON_SALES]);
}

/* ---- Rates, and clocks by seller ---- */

static void add_rates(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_rates);
    for (uint32_t i = 0; i < build->pact->goal_count; i++) {
        const struct baton_goal *goal = &build->pact->goals[i];
        struct goal_figure figure;
        if (!goal_is_rate(goal->measure))
            continue;
        goal_over(build->in->agreement, goal, build->in->sums, build->in->span, build->in->since,
                  build->in->now_ms, &figure);
        struct report_value *row = report_add_row(build->report, table);
        row[RATES_RATE] = promise_name(build, goal);
        row[RATES_AGREED] = cell_percent(figure.promised);
        row[RATES_AGREED].at_most = goal->at_most;
        if (figure.known)
            row[RATES_ACTUAL] = cell_percent(figure.actual);
        if (figure.needed >= 0)
            row[RATES_NEEDED] = cell_count(figure.needed / 100);
    }
}

static void add_clock_row(struct build *build, struct report_table *table, int clock,
                          struct report_value seller, int64_t kept, int64_t broken)
{
    struct report_value *row = report_add_row(build->report, table);
    row[CLOCKS_PROMISE] = clock_name(clock);
    row[CLOCKS_SELLER] = seller;
    row[CLOCKS_KEPT] = cell_count(kept);
    row[CLOCKS_BROKEN] = cell_count(broken);
    row[CLOCKS_PERCENT] = cell_ratio(kept, kept + broken);
}

static void add_clocks(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_clocks);
    for (int clock = 0; clock < BATON_CLOCKS; clock++) {
        const char second[2] = {(char)('0' + clock), 0};
        struct groups sellers = {.build = build};
        int64_t kept = 0, broken = 0;
        groups_add(&sellers, 0, PACT_KEPT, PACT_SELLER, second);
        groups_add(&sellers, 1, PACT_BROKEN, PACT_SELLER, second);
        for (size_t i = 0; i < sellers.count; i++) {
            kept += sellers.rows[i].figures[0];
            broken += sellers.rows[i].figures[1];
        }
        if (sellers.count)
            add_clock_row(build, table, clock, cell_because(MESSAGE_REPORT_W_TOTAL), kept, broken);
        for (size_t i = 0; i < sellers.count; i++)
            add_clock_row(build, table, clock, build_name(build, sellers.rows[i].name),
                          sellers.rows[i].figures[0], sellers.rows[i].figures[1]);
    }
}

void build_promises(struct build *build)
{
    add_promises(build);
    add_rates(build);
    add_clocks(build);
}
