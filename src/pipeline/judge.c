#include "pipeline/judge.h"

#include "pact/dates.h"
#include "pact/goals.h"
#include "pact/periods.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GRACE_MS 600000                    /* for what is late on its way to Kafka */
#define REVISED_MS (INT64_C(7) * 86400000) /* a judgement stands from then on */
#define LOOK_AGAIN_MS 3600000              /* at a period that was looked at */
#define TURN_US 1000000                    /* between two looks for what is due … */
#define WAIT_US 10000000                   /* … where a unit is behind */
#define UNITS_A_TURN 64

/* A goal and a period of it that may be judged now. */
struct due {
    const struct baton_goal *goal; /* of the agreement in force */
    struct calendar_span span;
    int64_t ready_ms;
    int64_t looked_ms; /* when it was last judged here; 0: never */
    int64_t asked_ms;  /* a judgement of it was written then, and is not folded yet; or 0 */
    bool wanted;       /* in this round */
    char period[PERIOD_NAME_MAX]; /* its name */
};

struct asked_date {
    int64_t asked_ms; /* 0: it was not */
    int32_t day, before;
};

enum judge_phase { JUDGE_IDLE, JUDGE_POSITIONS, JUDGE_SUMS };

struct judge {
    enum judge_phase phase;
    uint32_t next_unit; /* of the phase */
    int64_t next_us;
    const struct baton_agreement *agreement; /* that the list below is of */
    struct due *dues;
    size_t count, room;
    struct asked_date dates[ANNOUNCEMENTS_MAX]; /* by kind */
    /* of the round */
    struct arena arena;
    struct pact_sums *sums;
    struct calendar_span wide; /* all days that it needs */
    int64_t passed_ms, seen;   /* the least of all units; positions together */
    struct counted_since counted;
    int64_t *positions; /* of each unit, as seen: they never go back */
    uint32_t position_count;
};

struct judge *judge_create(void)
{
    struct judge *judge = memory_take_zeroed(1, sizeof *judge);
    arena_init(&judge->arena, 65536);
    return judge;
}

void judge_destroy(struct judge *judge)
{
    if (!judge)
        return;
    if (judge->sums)
        sums_destroy(judge->sums);
    arena_fini(&judge->arena);
    free(judge->dues);
    free(judge->positions);
    free(judge);
}

static void end_round(struct judge *judge, int64_t next_us)
{
    if (judge->sums)
        sums_destroy(judge->sums);
    judge->sums = NULL;
    judge->phase = JUDGE_IDLE;
    judge->next_unit = 0;
    judge->next_us = next_us;
    arena_reset(&judge->arena);
}

void judge_forget(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++)
        judge->dues[i].asked_ms = judge->dues[i].looked_ms = 0;
    memset(judge->dates, 0, sizeof judge->dates);
    end_round(judge, 0);
}

static struct baton_text text_of(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static const char *arena_text(struct arena *arena, struct baton_text text)
{
    char *copy = arena_take(arena, (size_t)text.size + 1);
    if (text.size)
        memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    return copy;
}

static bool same(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

/* ---- What is due
 * --------------------------------------------------------------------------------- */

/* Keeps what is known of a period that stays on the list. */
static void add_due(struct judge *judge, const struct due *former, size_t former_count,
                    struct due due)
{
    for (size_t i = 0; i < former_count; i++)
        if (same(former[i].goal->id, due.goal->id) && strcmp(former[i].period, due.period) == 0) {
            due.looked_ms = former[i].looked_ms;
            due.asked_ms = former[i].asked_ms;
        }
    if (judge->count == judge->room) {
        judge->room = judge->room ? 2 * judge->room : 16;
        judge->dues = memory_resize(judge->dues, judge->room * sizeof *judge->dues);
    }
    judge->dues[judge->count++] = due;
}

static void list_dues(struct judge *judge, const struct baton_agreement *agreement, int64_t now_ms)
{
    const struct baton_pact *pact = agreement->pact;
    size_t former_count = agreement == judge->agreement ? judge->count : 0;
    struct due *former = arena_copy(&judge->arena, judge->dues, former_count * sizeof *former);
    judge->agreement = agreement;
    judge->count = 0;
    for (uint32_t i = 0; i < pact->goal_count; i++) {
        struct calendar_span spans[DATES_SPANS];
        size_t count = dates_ready_spans(agreement, &pact->goals[i], now_ms - GRACE_MS, spans);
        for (size_t k = 0; k < count; k++) {
            struct due due = {.goal = &pact->goals[i], .span = spans[k]};
            due.ready_ms = goal_ready_ms(agreement, due.goal, due.span) + GRACE_MS;
            period_name(due.goal->per, due.span, due.period);
            add_due(judge, former, former_count, due);
        }
    }
    arena_reset(&judge->arena);
}

static bool is_wanted(const struct due *due, const struct unit *unit, int64_t now_ms)
{
    const struct judged *stands = judged_find(unit->judged, due->goal->id, text_of(due->period));
    if (due->asked_ms && now_ms < due->asked_ms + LOOK_AGAIN_MS)
        return false;
    if (stands && now_ms > stands->first_ms + REVISED_MS)
        return false;
    return !due->looked_ms || now_ms >= due->looked_ms + LOOK_AGAIN_MS;
}

static void widen(struct judge *judge, const struct due *due)
{
    struct calendar_span *wide = &judge->wide;
    int32_t first = due->goal->measure == BATON_GOAL_CHURN ? INT32_MIN : due->span.first;
    wide->first = first < wide->first ? first : wide->first;
    wide->end = due->span.end > wide->end ? due->span.end : wide->end;
}

/* False: nothing is. */
static bool choose(struct judge *judge, const struct unit *unit, int64_t now_ms)
{
    size_t wanted = 0;
    judge->wide = (struct calendar_span){INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < judge->count; i++) {
        struct due *due = &judge->dues[i];
        due->wanted = is_wanted(due, unit, now_ms);
        if (!due->wanted)
            continue;
        widen(judge, due);
        wanted++;
    }
    return wanted > 0;
}

/* ---- What the units have
 * ------------------------------------------------------------------------- */

static enum status peek(struct worker *worker, uint32_t unit, enum store_hash hash,
                        struct field **fields, size_t *count, struct error *error)
{
    return worker->ports.store->peek(worker->ports.store, unit, hash, &worker->judge->arena, fields,
                                     count, error);
}

/* False: it cannot be judged by this unit now. */
static bool look_at_unit(struct worker *worker, uint32_t number)
{
    struct judge *judge = worker->judge;
    struct field *fields;
    size_t count;
    struct error error;
    struct unit_record *record = arena_take(&judge->arena, sizeof *record);
    if (peek(worker, number, STORE_UNIT, &fields, &count, &error) != STATUS_OK ||
        unit_record_read(fields, count, record, &error) != STATUS_OK)
        return false;
    int64_t position = record->aggregates.position;
    if (position < judge->positions[number]) /* the store fell back: it will be made up for */
        return false;
    judge->positions[number] = position;
    judge->seen += position;
    if (record->passed_ms < judge->passed_ms)
        judge->passed_ms = record->passed_ms;
    counted_since_add(&judge->counted, record);
    return true;
}

static bool add_unit(struct worker *worker, uint32_t number)
{
    struct judge *judge = worker->judge;
    struct field *days, *words;
    size_t day_count, word_count;
    struct error error;
    if (peek(worker, number, STORE_DAYS, &days, &day_count, &error) != STATUS_OK ||
        peek(worker, number, STORE_WORDS, &words, &word_count, &error) != STATUS_OK)
        return false;
    if (sums_add_unit(judge->sums, days, day_count, words, word_count, judge->wide))
        return true;
    log_warn("worker=%u goals are not judged: the counters of unit %" PRIu32
             " are damaged in Redis; its owner says what to do",
             worker->config.number, number);
    return false;
}

static void begin_positions(struct worker *worker)
{
    struct judge *judge = worker->judge;
    if (judge->position_count < worker->partitions) {
        free(judge->positions);
        judge->positions = memory_take_zeroed(worker->partitions, sizeof *judge->positions);
        judge->position_count = worker->partitions;
    }
    judge->phase = JUDGE_POSITIONS;
    judge->next_unit = 0;
    judge->passed_ms = INT64_MAX;
    judge->counted = COUNTED_SINCE_NEVER;
    judge->seen = 0;
}

static struct goal_since owed_since(const struct worker *worker)
{
    const struct judge *judge = worker->judge;
    const struct baton_agreement *first = agreement_compiled(versions_get(worker->versions, 0));
    return goal_since_of(judge->agreement, first->effective_ms, counted_since_day(&judge->counted));
}

/* Of a period that began before anything was counted, or before the agreement, nothing will be
 * known in ten seconds, either. */
static bool begin_sums(struct worker *worker, int64_t now_ms)
{
    struct judge *judge = worker->judge;
    struct goal_since since = owed_since(worker);
    bool any = false;
    for (size_t i = 0; i < judge->count; i++) {
        struct due *due = &judge->dues[i];
        due->wanted = due->wanted && judge->passed_ms >= due->ready_ms;
        if (due->wanted && !goal_is_owed(judge->agreement, due->span, since)) {
            due->wanted = false;
            due->looked_ms = now_ms;
        }
        any = any || due->wanted;
    }
    judge->phase = JUDGE_SUMS;
    judge->next_unit = 0;
    judge->sums = sums_create();
    return any;
}

/* ---- Judging
 * ------------------------------------------------------------------------------------- */

/* The agreement whose promise is judged: that of the last moment of the period. */
static const struct baton_agreement *in_force_at(const struct worker *worker, int64_t time_ms)
{
    return agreement_compiled(versions_at(worker->versions, time_ms));
}

static const struct baton_goal *find_goal(const struct baton_agreement *agreement,
                                          const struct baton_goal *wanted)
{
    const struct baton_pact *pact = agreement->pact;
    for (uint32_t i = 0; pact && i < pact->goal_count; i++)
        if (same(pact->goals[i].id, wanted->id) && pact->goals[i].per == wanted->per)
            return &pact->goals[i];
    return NULL;
}

static struct baton_text unit_of(const struct baton_goal *goal)
{
    if (goal->measure == BATON_GOAL_REVENUE)
        return goal->currency;
    if (goal->measure == BATON_GOAL_SALES_CYCLE)
        return text_of("days");
    return text_of(goal_is_rate(goal->measure) ? "percent" : "leads");
}

static void set_agreement(struct judgement *judgement, const struct baton_agreement *agreement)
{
    judgement->texts[JUDGEMENT_AGREEMENT] = agreement->name;
    judgement->texts[JUDGEMENT_HASH] = agreement->hash;
    judgement->version = agreement->version;
}

static void write_judgement(struct worker *worker, struct unit *unit,
                            const struct judgement *judgement, int64_t now_ms)
{
    outbox_add_judged(worker, unit, judgement, now_ms);
    worker->commit_wanted = true;
}

static void judge_due(struct worker *worker, struct unit *unit, struct due *due, int64_t now_ms)
{
    struct judge *judge = worker->judge;
    struct goal_figure figure;
    int64_t end_ms = calendar_instant(judge->agreement, due->span.end, 0);
    const struct baton_agreement *agreement = in_force_at(worker, end_ms - 1);
    const struct baton_goal *goal = find_goal(agreement, due->goal);
    due->looked_ms = now_ms;
    if (!goal)
        return;
    goal_judge(agreement, goal, judge->sums, due->span, now_ms, &figure);
    if (!figure.known)
        return;
    struct judgement judgement = {.side = goal->side,
                                  .time_ms = end_ms,
                                  .promised = figure.promised,
                                  .actual = figure.actual,
                                  .needed = figure.needed,
                                  .missed = figure.missed,
                                  .seen = judge->seen};
    judgement.texts[JUDGEMENT_PROMISE] = goal->id;
    judgement.texts[JUDGEMENT_PERIOD] = text_of(due->period);
    judgement.texts[JUDGEMENT_OWNER] = goal->owner;
    judgement.texts[JUDGEMENT_UNIT] = unit_of(goal);
    set_agreement(&judgement, agreement);
    const struct judged *stands = judged_find(unit->judged, goal->id, text_of(due->period));
    if (stands && !judged_differs(stands, &judgement))
        return;
    due->asked_ms = now_ms;
    write_judgement(worker, unit, &judgement, now_ms);
}

/* ---- Dates
 * --------------------------------------------------------------------------------------- */

static bool is_told(const struct unit *unit, const struct announcement *date, const char *period)
{
    const struct judged *stands =
        judged_find(unit->judged, text_of(announcement_name(date->kind)), text_of(period));
    return stands && stands->promised <= date->before; /* not before it once told on the day */
}

/* It is on its way through the log. Should it get lost, it is written again. */
static bool is_asked(struct judge *judge, const struct announcement *date, int64_t now_ms)
{
    struct asked_date *asked = &judge->dates[date->kind];
    if (asked->asked_ms && asked->day == date->day && asked->before == date->before &&
        now_ms < asked->asked_ms + LOOK_AGAIN_MS)
        return true;
    *asked = (struct asked_date){now_ms, date->day, date->before};
    return false;
}

static void announce(struct worker *worker, struct unit *unit, int64_t now_ms)
{
    const struct baton_agreement *agreement = unit_agreement(unit);
    struct announcement dates[ANNOUNCEMENTS_MAX];
    size_t count = dates_announced(agreement, now_ms, dates);
    for (size_t i = 0; i < count; i++) {
        char period[PERIOD_NAME_MAX];
        struct calendar_span day = {dates[i].day, dates[i].day + 1};
        period_name(BATON_SPAN_DAY, day, period);
        if (is_told(unit, &dates[i], period) || is_asked(worker->judge, &dates[i], now_ms))
            continue;
        struct judgement judgement = {.side = BATON_BOTH,
                                      .time_ms = calendar_instant(agreement, dates[i].day, 0),
                                      .promised = dates[i].before,
                                      .needed = -1};
        judgement.texts[JUDGEMENT_PROMISE] = text_of(announcement_name(dates[i].kind));
        judgement.texts[JUDGEMENT_PERIOD] = text_of(period);
        judgement.texts[JUDGEMENT_OWNER] = agreement->pact->review_owner;
        set_agreement(&judgement, agreement);
        write_judgement(worker, unit, &judgement, now_ms);
    }
}

/* ---- The turn
 * ------------------------------------------------------------------------------------ */

static bool has_work(const struct unit *unit)
{
    const struct baton_pact *pact = unit->state == UNIT_LIVE ? unit_agreement(unit)->pact : NULL;
    return pact != NULL;
}

static void begin_round(struct worker *worker, struct unit *unit, int64_t now_ms)
{
    struct judge *judge = worker->judge;
    announce(worker, unit, now_ms);
    list_dues(judge, unit_agreement(unit), now_ms);
    if (choose(judge, unit, now_ms))
        begin_positions(worker);
    else
        end_round(judge, worker_now_us(worker) + TURN_US);
}

/* A few units of the phase. False: one of them holds it up. */
static bool look_on(struct worker *worker, bool (*look)(struct worker *, uint32_t))
{
    struct judge *judge = worker->judge;
    for (int i = 0; i < UNITS_A_TURN && judge->next_unit < worker->partitions; i++) {
        if (!look(worker, judge->next_unit))
            return false;
        judge->next_unit++;
        arena_reset(&judge->arena);
    }
    return true;
}

static void judge_all(struct worker *worker, struct unit *unit, int64_t now_ms)
{
    struct judge *judge = worker->judge;
    for (size_t i = 0; i < judge->count; i++)
        if (judge->dues[i].wanted)
            judge_due(worker, unit, &judge->dues[i], now_ms);
    end_round(judge, worker_now_us(worker) + TURN_US);
}

static void go_on(struct worker *worker, struct unit *unit, int64_t now_ms)
{
    struct judge *judge = worker->judge;
    bool sums = judge->phase == JUDGE_SUMS;
    if (!look_on(worker, sums ? add_unit : look_at_unit)) {
        end_round(judge, worker_now_us(worker) + WAIT_US);
        return;
    }
    if (judge->next_unit < worker->partitions)
        return;
    if (sums)
        judge_all(worker, unit, now_ms);
    else if (!begin_sums(worker, now_ms))
        end_round(judge, worker_now_us(worker) + WAIT_US);
}

void judge_turn(struct worker *worker)
{
    struct judge *judge = worker->judge;
    struct unit *unit = worker->by_number[0];
    if (!unit || !has_work(unit) || worker->store_away)
        return;
    /* what it points into may have been replaced */
    if (judge->phase != JUDGE_IDLE && judge->agreement != unit_agreement(unit))
        end_round(judge, 0);
    if (worker_now_us(worker) < judge->next_us)
        return;
    int64_t now_ms = worker->ports.clock->wall_ms(worker->ports.clock);
    if (judge->phase == JUDGE_IDLE)
        begin_round(worker, unit, now_ms);
    else
        go_on(worker, unit, now_ms);
}

/* ---- What stands
 * --------------------------------------------------------------------------------- */

static void tell(struct worker *worker, struct unit *unit, const struct item *item,
                 const struct judgement *judgement, int32_t revision)
{
    const struct baton_text *texts = judgement->texts;
    struct arena *arena = &unit->outbox->arena;
    struct origin origin = {.topic = worker->config.events_topic,
                            .partition = item->record->unit,
                            .offset = item->record->offset};
    bool date = judgement_is_date(judgement);
    struct baton_agreement agreement = {.name = texts[JUDGEMENT_AGREEMENT],
                                        .hash = texts[JUDGEMENT_HASH],
                                        .version = judgement->version};
    struct breach_view view = {.promise = arena_text(arena, texts[JUDGEMENT_PROMISE]),
                               .state = date                ? BREACH_ANNOUNCED
                                        : judgement->missed ? BREACH_MISSED
                                                            : BREACH_MET,
                               .side = judgement->side,
                               .owner = texts[JUDGEMENT_OWNER],
                               .time_ms = judgement->time_ms,
                               .period = arena_text(arena, texts[JUDGEMENT_PERIOD]),
                               .unit = date ? NULL : arena_text(arena, texts[JUDGEMENT_UNIT]),
                               .promised = judgement->promised,
                               .actual = judgement->actual,
                               .has_needed = judgement->needed >= 0,
                               .needed = judgement->needed,
                               .revision = revision,
                               .agreement = &agreement,
                               .origin = &origin};
    outbox_add_breach(worker, unit, &view);
}

static void note_folded(struct judge *judge, const struct judgement *judgement)
{
    for (size_t i = 0; i < judge->count; i++) {
        struct due *due = &judge->dues[i];
        if (same(due->goal->id, judgement->texts[JUDGEMENT_PROMISE]) &&
            same(text_of(due->period), judgement->texts[JUDGEMENT_PERIOD]))
            due->asked_ms = 0;
    }
}

void judge_fold(struct worker *worker, const struct item *item)
{
    struct unit *unit = item->unit;
    struct baton_text state = item->event.judgement->state;
    struct judgement judgement;
    int32_t revision;
    bool told;
    if (!unit->judged) /* not the unit that they belong to */
        return;
    if (!judgement_unpack(&judgement, (const uint8_t *)state.data, state.size)) {
        log_warn("worker=%u unit=%u the judgement at offset %" PRId64
                 " does not decode and is passed over: did another version of baton write it?",
                 worker->config.number, unit->number, item->record->offset);
        return;
    }
    note_folded(worker->judge, &judgement);
    if (counting_is_new(unit, item->record->offset) &&
        judged_take(unit->judged, &judgement, item->event.time_ms, &revision, &told) && told &&
        unit->state == UNIT_LIVE)
        tell(worker, unit, item, &judgement, revision);
}
