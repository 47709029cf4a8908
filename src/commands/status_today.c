#include "commands/status_today.h"

#include "agreement/versions.h"
#include "base/log.h"
#include "commands/json_out.h"
#include "domain/calendar.h"
#include "pact/periods.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Asking
 * --------------------------------------------------------------------------------------- */

/* All days from the beginning of the longest span on; for a rate of customers won, all there are.
 */
static struct calendar_span wanted_days(int32_t today)
{
    return (struct calendar_span){today - PACT_DAYS_MAX, today + 1};
}

/* The days before the words: what they name is there by then. */
static enum status add_unit(struct pact_sums *sums, struct redis_inspector *inspector,
                            uint32_t unit, int32_t today, struct arena *arena, struct error *error)
{
    struct field *days, *words;
    size_t day_count, word_count;
    enum status status =
        redis_inspect_hash(inspector, unit, STORE_DAYS, arena, &days, &day_count, error);
    if (status != STATUS_OK || !day_count)
        return status;
    status = redis_inspect_words(inspector, unit, arena, &words, &word_count, error);
    if (status != STATUS_OK)
        return status;
    if (sums_add_unit(sums, days, day_count, words, word_count, wanted_days(today)))
        return STATUS_OK;
    return error_set(error, STATUS_STOP, "the counters of unit %" PRIu32 " are damaged", unit);
}

static enum status add_clocks(struct status_today *today, struct redis_inspector *inspector,
                              uint32_t unit, struct error *error)
{
    uint64_t count;
    enum status status = redis_inspect_hash_size(inspector, unit, STORE_CLOCKS, &count, error);
    if (status == STATUS_OK)
        today->open_clocks += count;
    return status;
}

static int64_t clock_count(const struct status_today *today, const struct pact_sums *sums,
                           enum pact_measure measure, int clock)
{
    char second[2] = {(char)('0' + clock), 0};
    struct calendar_span span = {today->day, today->day + 1};
    return sums_get(sums, measure, PACT_ALL, NULL, second, span);
}

static void take_figures(struct status_today *today, const struct pact_sums *sums, int64_t now_ms,
                         struct arena *arena)
{
    const struct baton_agreement *agreement = agreement_compiled(today->agreement);
    const struct baton_pact *pact = agreement->pact;
    struct calendar_span span = {today->day, today->day + 1};
    today->sqls = sums_get(sums, PACT_SQL, PACT_ALL, NULL, NULL, span);
    today->customers = sums_get(sums, PACT_CUSTOMER, PACT_ALL, NULL, NULL, span);
    today->figures = arena_take(arena, (pact->goal_count + 1) * sizeof *today->figures);
    today->figure_count = pact->goal_count;
    for (uint32_t i = 0; i < pact->goal_count; i++)
        goal_judge(agreement, &pact->goals[i], sums,
                   calendar_span_of(pact->goals[i].per, today->day, &pact->hours), now_ms,
                   &today->figures[i]);
    for (int clock = 0; clock < BATON_CLOCKS; clock++) {
        today->kept[clock] = clock_count(today, sums, PACT_KEPT, clock);
        today->broken[clock] = clock_count(today, sums, PACT_BROKEN, clock);
    }
}

void status_today_read(struct status_today *today, const char *agreement_path,
                       struct redis_inspector *inspector, uint32_t unit_count, int64_t now_ms,
                       struct arena *arena)
{
    struct text_buffer ignored; /* other verbs tell it */
    struct error error;
    *today = (struct status_today){0};
    text_buffer_init(&ignored);
    struct versions *versions;
    enum status status = versions_load(agreement_path, &versions, &ignored);
    text_buffer_fini(&ignored);
    if (status != STATUS_OK)
        return;
    today->agreement = versions_take(versions, now_ms);
    if (!agreement_compiled(today->agreement)->pact)
        return;
    today->day = calendar_day(agreement_compiled(today->agreement), now_ms);
    struct pact_sums *sums = sums_create();
    for (uint32_t unit = 0; unit < unit_count && status == STATUS_OK; unit++) {
        status = add_unit(sums, inspector, unit, today->day, arena, &error);
        if (status == STATUS_OK)
            status = add_clocks(today, inspector, unit, &error);
    }
    if (status == STATUS_OK)
        take_figures(today, sums, now_ms, arena);
    else
        log_warn("how today goes is not known: %s", error.text);
    today->known = status == STATUS_OK;
    sums_destroy(sums);
}

void status_today_fini(struct status_today *today)
{
    agreement_destroy(today->agreement);
}

/* ---- Telling
 * -------------------------------------------------------------------------------------- */

static json_t *goal_object(const struct goal_figure *figure)
{
    char period[PERIOD_NAME_MAX];
    json_t *object = json_object();
    period_name(figure->goal->per, figure->span, period);
    json_object_set_new(object, "goal", json_text(figure->goal->id));
    json_object_set_new(object, "side", json_string(baton_side_name(figure->goal->side)));
    json_object_set_new(object, "measure", json_string(baton_measure_name(figure->goal->measure)));
    json_object_set_new(object, "period", json_string(period));
    json_object_set_new(object, "promised", json_points(figure->promised));
    json_object_set_new(object, "actual",
                        figure->known ? json_points(figure->actual) : json_null());
    return object;
}

static void date_text(int32_t day, char text[16])
{
    int64_t year;
    unsigned month, of_month;
    calendar_date(day, &year, &month, &of_month);
    (void)snprintf(text, 16, "%04u-%02u-%02u", (unsigned)(year % 10000), month % 100,
                   of_month % 100);
}

json_t *status_today_json(const struct status_today *today)
{
    if (!today->known)
        return json_null();
    char date[16];
    json_t *object = json_object(), *goals = json_array(), *clocks = json_object();
    date_text(today->day, date);
    json_object_set_new(object, "date", json_string(date));
    json_object_set_new(object, "agreement", json_string(agreement_hash(today->agreement)));
    json_object_set_new(object, "sqls", json_integer(today->sqls));
    json_object_set_new(object, "customers", json_integer(today->customers));
    for (uint32_t i = 0; i < today->figure_count; i++)
        json_array_append_new(goals, goal_object(&today->figures[i]));
    json_object_set_new(object, "goals", goals);
    for (int clock = 0; clock < BATON_CLOCKS; clock++) {
        json_t *counts = json_object();
        json_object_set_new(counts, "kept", json_integer(today->kept[clock]));
        json_object_set_new(counts, "broken", json_integer(today->broken[clock]));
        json_object_set_new(clocks, baton_clock_name((enum baton_clock_id)clock), counts);
    }
    json_object_set_new(object, "clocks", clocks);
    json_object_set_new(object, "open_clocks", json_integer((json_int_t)today->open_clocks));
    return object;
}

/* ---- For people ---- */

static const char *side_of(struct speech *speech, enum baton_side side)
{
    static const enum message_id sides[] = {[BATON_MARKETING] = MESSAGE_SIDE_MARKETING,
                                            [BATON_SALES] = MESSAGE_SIDE_SALES,
                                            [BATON_BOTH] = MESSAGE_REPORT_W_BOTH};
    return phrase_plain(speech, sides[side]);
}

/* Goals that the program knows by their ids; the others have names that somebody gave them. */
static const char *name_of(struct speech *speech, const struct baton_goal *goal)
{
    static const struct {
        const char *id;
        enum message_id word;
    } known[] = {{"customers", MESSAGE_REPORT_P_CUSTOMERS},
                 {"conversion", MESSAGE_REPORT_P_CONVERSION},
                 {"delivery", MESSAGE_REPORT_P_DELIVERY}};
    const char *id = speech_print(speech, "%.*s", (int)goal->id.size, goal->id.data);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].id, id) == 0)
            return phrase_plain(speech, known[i].word);
    return id;
}

static const char *amount_of(struct speech *speech, const struct baton_goal *goal,
                             int64_t hundredths)
{
    if (goal_is_rate(goal->measure))
        return speech_percent(speech, hundredths);
    if (goal->measure == BATON_GOAL_REVENUE)
        return speech_money(
            speech, hundredths,
            speech_print(speech, "%.*s", (int)goal->currency.size, goal->currency.data));
    if (goal->measure == BATON_GOAL_SALES_CYCLE)
        return phrase(speech, MESSAGE_STATUS_DAYS, {"days", speech_points(speech, hundredths)});
    return speech_points(speech, hundredths);
}

/* Why a working day has more than came in on it. */
static const char *days_off_of(struct speech *speech, const struct goal_figure *figure)
{
    char from[16];
    if (figure->goal->per != BATON_SPAN_WORKING_DAY || figure->span.end - figure->span.first == 1)
        return "";
    date_text(figure->span.first, from);
    return phrase(speech, MESSAGE_STATUS_WITH_DAYS_OFF, {"from", speech_date(speech, from)});
}

static void say_goal(struct speech *speech, const struct goal_figure *figure)
{
    const struct baton_goal *goal = figure->goal;
    char period[PERIOD_NAME_MAX];
    period_name(goal->per, figure->span, period);
    speech_add(speech, goal->at_most ? MESSAGE_STATUS_GOAL_MOST : MESSAGE_STATUS_GOAL,
               (const struct message_hole[]){
                   {"side", side_of(speech, goal->side)},
                   {"promise", name_of(speech, goal)},
                   {"actual", figure->known ? amount_of(speech, goal, figure->actual)
                                            : phrase_plain(speech, MESSAGE_STATUS_NOTHING)},
                   {"promised", amount_of(speech, goal, figure->promised)},
                   {"period", period},
                   {"days_off", days_off_of(speech, figure)},
                   {NULL, NULL}});
}

static void say_clock(struct speech *speech, const struct status_today *today,
                      enum baton_clock_id clock)
{
    static const enum message_id names[BATON_CLOCKS] = {
        MESSAGE_REPORT_P_FIRST_CONTACT, MESSAGE_REPORT_P_VERDICT, MESSAGE_REPORT_P_NEXT_UPDATE};
    if (!agreement_compiled(today->agreement)->pact->clocks[clock].within.amount)
        return;
    say(speech, MESSAGE_STATUS_CLOCK, {"side", side_of(speech, BATON_SALES)},
        {"promise", phrase_plain(speech, names[clock])},
        {"kept", speech_count(speech, today->kept[clock])},
        {"broken", speech_count(speech, today->broken[clock])});
}

void status_today_say(const struct status_today *today, struct speech *speech)
{
    char date[16];
    if (!today->known)
        return;
    date_text(today->day, date);
    say(speech, MESSAGE_STATUS_TODAY, {"date", speech_date(speech, date)},
        {"sqls", speech_count(speech, today->sqls)},
        {"customers", speech_count(speech, today->customers)},
        {"leads", speech_count(speech, (int64_t)today->open_clocks)});
    for (int side = BATON_MARKETING; side <= BATON_BOTH; side++) {
        for (uint32_t i = 0; i < today->figure_count; i++)
            if ((int)today->figures[i].goal->side == side)
                say_goal(speech, &today->figures[i]);
        for (int clock = 0; side == BATON_SALES && clock < BATON_CLOCKS; clock++)
            say_clock(speech, today, (enum baton_clock_id)clock);
    }
}
