#include "latency/plan.h"

#include "base/arena.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PROMOTED_AT 100
#define LEADS_MAX UINT32_C(200000000)

/* SplitMix64: well mixed bits of any number. */
static uint64_t mixed(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static uint32_t window_of(const struct plan_options *options)
{
    double leads = options->rate * options->rising * options->rise_s / PLAN_EVENTS_OF_A_RISING_LEAD;
    return leads > 1 ? (uint32_t)leads : 1;
}

enum status plan_init(struct plan *plan, const struct plan_options *options, struct error *error)
{
    *plan = (struct plan){.options = *options,
                          .first_lead = (uint32_t)mixed(options->seed),
                          .window = window_of(options)};
    plan->events = (uint64_t)(options->rate * options->seconds);
    double leads = (double)plan->events * options->rising / PLAN_EVENTS_OF_A_RISING_LEAD * 1.1 +
                   plan->window + options->leads + 16;
    if (plan->events == 0)
        return error_set(error, STATUS_STOP, "no event is due within so short a time");
    if (leads > LEADS_MAX)
        return error_set(error, STATUS_STOP,
                         "that takes %.0f leads; choose a lower rate, share of "
                         "rising leads or time",
                         leads);
    plan->lead_count = (uint32_t)leads;
    struct traffic_options traffic = {.seed = options->seed,
                                      .leads = options->leads,
                                      .zipf = options->zipf,
                                      .event_bytes = options->event_bytes,
                                      .events_per_second = options->rate};
    plan->traffic = traffic_create(&traffic, error);
    if (!plan->traffic)
        return STATUS_STOP;
    plan->scores = memory_take_zeroed(plan->lead_count, 1);
    plan->promotion_of = memory_take_zeroed(plan->lead_count, sizeof *plan->promotion_of);
    memset(plan->promotion_of, 0xff, plan->lead_count * sizeof *plan->promotion_of);
    return STATUS_OK;
}

void plan_fini(struct plan *plan)
{
    if (plan->traffic)
        traffic_destroy(plan->traffic);
    free(plan->scores);
    free(plan->promotion_of);
    free(plan->promotions);
    *plan = (struct plan){0};
}

double plan_due(const struct plan *plan, uint64_t sequence)
{
    return (double)sequence / plan->options.rate;
}

int64_t plan_time_ms(const struct plan *plan, uint64_t sequence)
{
    return plan->start_ms + (int64_t)((double)sequence * 1000 / plan->options.rate);
}

uint64_t plan_count(const struct plan *plan, double seconds)
{
    if (seconds < 0)
        return 0;
    double count = seconds * plan->options.rate + 1; /* the first is due at once */
    return count < (double)plan->events ? (uint64_t)count : plan->events;
}

/* Counted from first_lead: the known leads come first, then the rising ones. */
static uint32_t choose_lead(struct plan *plan, uint64_t sequence)
{
    uint64_t dice = mixed(plan->options.seed ^ mixed(sequence));
    bool rising = (double)(dice >> 32) < plan->options.rising * 4294967296.0;
    if (!rising)
        return traffic_lead(plan->traffic, sequence);
    uint64_t window = plan->rising_events++ / PLAN_EVENTS_OF_A_RISING_LEAD;
    uint64_t lead = plan->options.leads + window + (uint32_t)dice % plan->window;
    /* a share is a matter of chance, the room for its leads is not */
    return lead < plan->lead_count ? (uint32_t)lead : plan->lead_count - 1;
}

static uint8_t points_of(enum traffic_kind kind)
{
    switch (kind) {
    case TRAFFIC_VISIT: return 1;
    case TRAFFIC_CLICK: return 3;
    case TRAFFIC_FORM_FILL: return 10;
    default: return 0;
    }
}

static uint32_t add_promotion(struct plan *plan, uint64_t sequence)
{
    if (plan->promotion_count == plan->promotion_room) {
        plan->promotion_room = plan->promotion_room ? plan->promotion_room * 2 : 4096;
        plan->promotions =
            memory_resize(plan->promotions, plan->promotion_room * sizeof *plan->promotions);
    }
    plan->promotions[plan->promotion_count] = (struct plan_promotion){.sequence = sequence};
    return plan->promotion_count++;
}

uint32_t plan_make(struct plan *plan, uint64_t sequence, struct traffic_event *event)
{
    uint32_t lead = choose_lead(plan, sequence);
    traffic_make_of(plan->traffic, sequence, plan->first_lead + lead, plan_time_ms(plan, sequence),
                    event);
    unsigned score = plan->scores[lead];
    if (score >= PROMOTED_AT)
        return PLAN_NONE;
    score += points_of(event->kind);
    plan->scores[lead] = (uint8_t)score;
    if (score < PROMOTED_AT)
        return PLAN_NONE;
    return plan->promotion_of[lead] = add_promotion(plan, sequence);
}

bool plan_knows(const struct plan *plan, uint32_t number, struct plan_promotion **promotion)
{
    uint32_t lead = number - plan->first_lead; /* around the end of the numbers, if need be */
    *promotion = NULL;
    if (lead >= plan->lead_count)
        return false;
    if (plan->promotion_of[lead] != PLAN_NONE)
        *promotion = &plan->promotions[plan->promotion_of[lead]];
    return true;
}
