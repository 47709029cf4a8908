#include "domain/clocks.h"

#include "domain/history.h"
#include "domain/worktime.h"

#include <assert.h>
#include <string.h>

/* ---- What came of it ------------------------------------------------------------------------- */

enum clock_verdict clock_verdict(const struct baton_clock *clock, int64_t clock_ms)
{
    if (!clock->start_ms)
        return CLOCK_NONE;
    if (clock->stop_ms)
        return clock->stop_ms <= clock->due_ms ? CLOCK_KEPT : CLOCK_BROKEN;
    return clock->due_ms <= clock_ms ? CLOCK_BROKEN : CLOCK_OPEN;
}

static int64_t sooner(int64_t time_ms, int64_t best_ms, int64_t clock_ms)
{
    return time_ms > clock_ms && time_ms < best_ms ? time_ms : best_ms;
}

int64_t clock_next_ms(const struct baton_lead *lead, int64_t clock_ms)
{
    int64_t next_ms = INT64_MAX;
    for (unsigned i = 0; lead->history && i < BATON_CLOCKS; i++) {
        const struct baton_clock *clock = &lead->history->clocks[i];
        if (!clock->start_ms || clock->stop_ms)
            continue;
        next_ms = sooner(clock->due_ms, next_ms, clock_ms);
        next_ms = sooner(clock->remind_ms, next_ms, clock_ms);
    }
    return next_ms;
}

bool clock_reminds(const struct baton_clock *clock, int64_t from_ms, int64_t to_ms)
{
    return !clock->stop_ms && clock->remind_ms > from_ms && clock->remind_ms <= to_ms &&
           clock->due_ms > to_ms;
}

/* ---- Moves ----------------------------------------------------------------------------------- */

static void push_move(struct baton_fold_result *result, const struct baton_clock_move *move)
{
    assert(result->clock_move_count < BATON_CLOCK_MOVES_MAX);
    result->clock_moves[result->clock_move_count++] = *move;
}

static void add_move(const struct folding *folding, enum baton_clock_id id,
                     const struct baton_clock *before, uint32_t seller_before)
{
    const struct baton_history *history = folding->lead->history;
    struct baton_clock_move move = {.id = id,
                                    .before = *before,
                                    .after = history->clocks[id],
                                    .seller_before = seller_before,
                                    .seller_after = history->sales.seller,
                                    .generation = folding->lead->generation};
    push_move(folding->result, &move);
}

static void set(struct baton_clock *clock, enum baton_clock_id id,
                const struct baton_agreement *agreement, int64_t start_ms)
{
    const struct baton_clock_rule *rule = &agreement->pact->clocks[id];
    *clock = (struct baton_clock){.start_ms = start_ms,
                                  .due_ms = worktime_after(agreement, start_ms, rule->within)};
    if (rule->remind.amount) {
        int64_t remind_ms = worktime_before(agreement, clock->due_ms, rule->remind);
        clock->remind_ms = remind_ms > start_ms && remind_ms < clock->due_ms ? remind_ms : 0;
    }
}

static void begin(const struct folding *folding, enum baton_clock_id id, int64_t start_ms)
{
    static const struct baton_clock none;
    struct baton_history *history = folding->lead->history;
    set(&history->clocks[id], id, folding->context->agreement, start_ms);
    add_move(folding, id, &none, history->sales.seller);
}

static bool is_promised(const struct baton_agreement *agreement, enum baton_clock_id id)
{
    return agreement->pact && agreement->pact->clocks[id].within.amount > 0;
}

/* A time of 0 would say that there is none. */
static int64_t not_zero(int64_t time_ms)
{
    return time_ms ? time_ms : 1;
}

/* ---- A promotion went out -------------------------------------------------------------------- */

static bool has_begun(const struct baton_history *history)
{
    return history->clocks[BATON_CLOCK_CONTACT].start_ms ||
           history->clocks[BATON_CLOCK_VERDICT].start_ms;
}

static bool is_of_this_generation(const struct folding *folding)
{
    const struct baton_event *event = folding->event;
    return event->publication->generation == folding->lead->generation ||
           (event->hop && event->hop->trail_count > 0); /* numbered by another lead */
}

static bool answers(enum baton_report report, enum baton_clock_id id)
{
    if (id == BATON_CLOCK_CONTACT)
        return report >= BATON_REPORT_CONTACTED;
    return report >= BATON_REPORT_ACCEPTED && report <= BATON_REPORT_REJECTED;
}

/* When what the clock waits for had been said before it began; 0: it was not. */
static int64_t said_before_ms(const struct baton_lead *lead, enum baton_clock_id id)
{
    const struct baton_history *history = lead->history;
    if (id == BATON_CLOCK_CONTACT)
        return history->sales.contact_ms;
    return lead->stage >= BATON_ACCEPTED ? not_zero(history->stage_ms) : 0;
}

/* Which report that was, where only one of those that would do was seen. */
static enum baton_report said_before(const struct baton_lead *lead, enum baton_clock_id id)
{
    enum baton_report said = BATON_REPORT_NONE;
    for (enum baton_report report = BATON_REPORT_ASSIGNED; report < BATON_REPORTS; report++) {
        if (!(lead->history->reports_seen >> report & 1) || !answers(report, id))
            continue;
        if (said != BATON_REPORT_NONE)
            return BATON_REPORT_NONE;
        said = report;
    }
    return said;
}

enum baton_fold_outcome published_take(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_agreement *agreement = folding->context->agreement;
    if (lead->stage < BATON_SQL || lead->stage == BATON_RECYCLED || !lead->history ||
        has_begun(lead->history) || !is_of_this_generation(folding))
        return BATON_UNCHANGED;
    for (enum baton_clock_id id = BATON_CLOCK_CONTACT; id <= BATON_CLOCK_VERDICT; id++) {
        if (!is_promised(agreement, id))
            continue;
        begin(folding, id, not_zero(folding->event->time_ms));
        struct baton_fold_result *result = folding->result;
        struct baton_clock *clock = &lead->history->clocks[id];
        clock->stop_ms = said_before_ms(lead, id);
        clock->stop_report = clock->stop_ms ? (uint8_t)said_before(lead, id) : BATON_REPORT_NONE;
        result->clock_moves[result->clock_move_count - 1].after = *clock;
    }
    return folding->result->clock_move_count ? BATON_FOLDED : BATON_UNCHANGED;
}

/* ---- Reports --------------------------------------------------------------------------------- */

/* The earliest answer counts, whenever it arrives. Which one it was may have to be told later: the
 * stages that a rebuild reads before the log know the time alone. */
static bool stop(struct baton_clock *clock, int64_t time_ms, enum baton_report report)
{
    if (!clock->start_ms)
        return false;
    if (clock->stop_ms == time_ms && !clock->stop_report)
        clock->stop_report = (uint8_t)report;
    if (clock->stop_ms && clock->stop_ms <= time_ms)
        return false;
    clock->stop_ms = time_ms;
    clock->stop_report = (uint8_t)report;
    return true;
}

static void take_answer(const struct folding *folding, enum baton_clock_id id, int64_t time_ms,
                        uint32_t seller_before)
{
    const struct baton_history *history = folding->lead->history;
    struct baton_clock *clock = &folding->lead->history->clocks[id], before = *clock;
    enum baton_report report = folding->event->feedback->report;
    bool stopped = answers(report, id) && stop(clock, time_ms, report);
    if (stopped || (clock->start_ms && seller_before != history->sales.seller))
        add_move(folding, id, &before, seller_before);
}

/* From negotiations on each report promises the next one, as long as the lead stays accepted. */
static void take_update(const struct folding *folding, int64_t time_ms, uint32_t seller_before)
{
    const struct baton_lead *lead = folding->lead;
    enum baton_report report = folding->event->feedback->report;
    struct baton_clock *clock = &lead->history->clocks[BATON_CLOCK_UPDATE], before = *clock;
    bool later = clock->start_ms && time_ms > clock->start_ms && report != BATON_REPORT_ASSIGNED;
    bool stopped = later && stop(clock, time_ms, report);
    if (stopped || (clock->start_ms && seller_before != lead->history->sales.seller))
        add_move(folding, BATON_CLOCK_UPDATE, &before, seller_before);
    bool begins = clock->start_ms ? later : report == BATON_REPORT_NEGOTIATING;
    if (begins && lead->stage == BATON_ACCEPTED &&
        is_promised(folding->context->agreement, BATON_CLOCK_UPDATE))
        begin(folding, BATON_CLOCK_UPDATE, time_ms);
}

void clocks_report(const struct folding *folding, uint32_t seller_before)
{
    const struct baton_event *event = folding->event;
    int64_t at_ms = event->feedback->at_ms,
            time_ms = not_zero(at_ms < event->time_ms ? at_ms : event->time_ms);
    take_answer(folding, BATON_CLOCK_CONTACT, time_ms, seller_before);
    take_answer(folding, BATON_CLOCK_VERDICT, time_ms, seller_before);
    take_update(folding, time_ms, seller_before);
}

/* ---- Generations and other leads ------------------------------------------------------------- */

void clocks_end_generation(struct baton_history *history)
{
    memset(history->clocks, 0, sizeof history->clocks);
    history->reports_seen = 0;
}

static bool runs(const struct baton_clock *clock)
{
    return clock->start_ms && !clock->stop_ms;
}

/* Told and not counted where it comes from: it was due when the merge was folded, and not yet when
 * the merge arrived. */
static bool is_told_alone(const struct baton_clock *clock, const struct baton_transfer *transfer)
{
    return runs(clock) && clock->due_ms > transfer->arrived_ms &&
           clock->due_ms <= transfer->clock_ms;
}

/* Told where it comes from: here it is as one that was answered too late, until an earlier answer
 * arrives. */
static void settle(struct baton_clock *clock, const struct baton_transfer *transfer)
{
    int64_t told_ms = transfer->clock_ms;
    if (clock->remind_ms && clock->remind_ms <= told_ms)
        clock->remind_ms = 0;
    if (transfer->arrived_ms > told_ms)
        told_ms = transfer->arrived_ms;
    if (clock_verdict(clock, told_ms) != CLOCK_BROKEN || clock->stop_ms)
        return;
    int64_t after_ms = told_ms > clock->due_ms ? told_ms : clock->due_ms + 1;
    clock->stop_ms = after_ms < BATON_TIME_MAX_MS ? after_ms : BATON_TIME_MAX_MS;
}

static void take_over(const struct folding *folding, enum baton_clock_id id)
{
    static const struct baton_clock none;
    const struct baton_transfer *transfer = folding->event->transfer;
    struct baton_history *history = folding->lead->history;
    struct baton_clock *clock = &history->clocks[id];
    bool alone = is_told_alone(clock, transfer);
    settle(clock, transfer);
    if (!alone && !runs(clock))
        return;
    add_move(folding, id, &none, history->sales.seller);
    folding->result->clock_moves[folding->result->clock_move_count - 1].told = alone;
}

void clocks_adopt(const struct folding *folding, const struct baton_history *from)
{
    struct baton_history *history = folding->lead->history;
    clocks_end_generation(history);
    if (!from)
        return;
    history->reports_seen = from->reports_seen;
    for (enum baton_clock_id id = 0; id < BATON_CLOCKS; id++) {
        history->clocks[id] = from->clocks[id];
        take_over(folding, id);
    }
}

void clocks_leave(const struct folding *folding, const struct baton_lead *from)
{
    const struct baton_history *history = from->history;
    const struct baton_transfer *transfer = folding->event->transfer;
    for (enum baton_clock_id id = 0; history && id < BATON_CLOCKS; id++) {
        if (!is_told_alone(&history->clocks[id], transfer))
            continue;
        struct baton_clock_move move = {.id = id,
                                        .after = history->clocks[id],
                                        .seller_before = history->sales.seller,
                                        .seller_after = history->sales.seller,
                                        .generation = from->generation,
                                        .told = true};
        settle(&move.after, transfer);
        push_move(folding->result, &move);
    }
}

/* ---- Those that end -------------------------------------------------------------------------- */

bool clocks_watch(const struct baton_lead *lead, const struct baton_agreement *agreement,
                  struct clocks_before *out)
{
    const struct baton_history *history = lead->history;
    if (!agreement->pact)
        return false;
    out->run = false;
    for (enum baton_clock_id id = 0; history && id < BATON_CLOCKS; id++)
        out->run = out->run || runs(&history->clocks[id]);
    if (!out->run)
        return true;
    memcpy(out->clocks, history->clocks, sizeof out->clocks);
    out->seller = history->sales.seller;
    out->generation = lead->generation;
    return true;
}

static void end_one(const struct folding *folding, const struct baton_clock_move *last)
{
    if (!runs(&last->after))
        return;
    struct baton_clock_move move = {.id = last->id,
                                    .before = last->after,
                                    .seller_before = last->seller_after,
                                    .seller_after = last->seller_after,
                                    .generation = last->generation,
                                    .ended = true};
    push_move(folding->result, &move);
}

static void end_those_of(const struct folding *folding, struct baton_clock_move last,
                         uint32_t move_count)
{
    static const struct baton_clock none;
    const struct baton_history *history = folding->lead->history;
    const struct baton_clock *left = history ? &history->clocks[last.id] : &none;
    for (uint32_t i = 0; i < move_count; i++) {
        const struct baton_clock_move *move = &folding->result->clock_moves[i];
        if (move->id != last.id || move->told)
            continue;
        if (!move->before.start_ms)
            end_one(folding, &last);
        last = *move;
    }
    if (left->start_ms != last.after.start_ms || left->stop_ms)
        end_one(folding, &last);
}

void clocks_end(const struct folding *folding, const struct clocks_before *before)
{
    uint32_t move_count = folding->result->clock_move_count;
    if (!before->run && !move_count)
        return;
    for (enum baton_clock_id id = 0; id < BATON_CLOCKS; id++) {
        struct baton_clock_move last = {.id = id};
        if (before->run) {
            last.after = before->clocks[id];
            last.seller_after = before->seller;
            last.generation = before->generation;
        }
        end_those_of(folding, last, move_count);
    }
}

/* ---- Rebuilds -------------------------------------------------------------------------------- */

void clocks_recall(struct baton_lead *lead, const struct baton_agreement *agreement,
                   int64_t time_ms, int64_t published_ms)
{
    for (enum baton_clock_id id = BATON_CLOCK_CONTACT; id <= BATON_CLOCK_VERDICT; id++) {
        struct baton_clock *clock = lead->history ? &lead->history->clocks[id] : NULL;
        if (!clock)
            return;
        if (lead->stage == BATON_SQL && published_ms && !clock->start_ms &&
            is_promised(agreement, id))
            set(clock, id, agreement, published_ms);
        if (lead->stage > BATON_SQL && lead->stage != BATON_RECYCLED)
            (void)stop(clock, not_zero(time_ms), BATON_REPORT_NONE);
    }
}
