#include "stages/limit.h"

#include <math.h>

#define RATE_LEAST 1.0
#define RATE_MOST 1e9
#define HALVINGS 100

double limit_leads_among(const struct limit_curve *curve, double events)
{
    if (curve->count == 0 || events <= 0)
        return 0;
    const struct limit_point *points = curve->points;
    if (events <= points[0].events || curve->count == 1)
        return points[0].leads * events / points[0].events;
    size_t next = 1;
    while (next + 1 < curve->count && events > points[next].events)
        next++;
    const struct limit_point *from = &points[next - 1], *to = &points[next];
    double way = log(events / from->events) / log(to->events / from->events);
    return from->leads * pow(to->leads / from->leads, way);
}

double limit_writes(const struct limit_input *input, double per_second)
{
    double events = per_second * input->interval_s / input->workers;
    return events > 0 ? limit_leads_among(input->writes, events) / events : 0;
}

double limit_part_cpu(const struct limit_input *input, const struct limit_part *part,
                      double per_second)
{
    switch (part->unit) {
    case LIMIT_PER_WRITE: return part->cpu * limit_writes(input, per_second);
    case LIMIT_PER_SECOND: return part->cpu / per_second;
    case LIMIT_PER_EVENT: break;
    }
    return part->cpu;
}

/* CPU seconds that a second at this rate takes at the places whose bit is set. */
static double demand(const struct limit_input *input, unsigned places, double per_second)
{
    double sum = 0;
    for (size_t i = 0; i < input->part_count; i++)
        if (places >> input->parts[i].place & 1)
            sum += limit_part_cpu(input, &input->parts[i], per_second) * per_second;
    return sum;
}

static unsigned places_of(enum limit_holder holder)
{
    switch (holder) {
    case LIMIT_BY_WORKERS: return 1u << LIMIT_WORKERS;
    case LIMIT_BY_CLIENTS: return 1u << LIMIT_CLIENTS;
    case LIMIT_BY_REDIS: return 1u << LIMIT_REDIS;
    default: return (1u << LIMIT_PLACES) - 1;
    }
}

static double room_of(const struct limit_input *input, enum limit_holder holder)
{
    switch (holder) {
    case LIMIT_BY_WORKERS:
    case LIMIT_BY_CLIENTS: return input->workers < input->cores ? input->workers : input->cores;
    case LIMIT_BY_REDIS: return 1;
    default: return input->cores;
    }
}

/* Demand grows with the rate, also where writes per event shrink: a lead more is never a write
 * less. */
static double highest_rate(const struct limit_input *input, enum limit_holder holder)
{
    double low = RATE_LEAST, high = RATE_MOST;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = sqrt(low * high);
        if (demand(input, places_of(holder), middle) <= room_of(input, holder))
            low = middle;
        else
            high = middle;
    }
    return low;
}

void limit_find(const struct limit_input *input, struct limit *limit)
{
    *limit = (struct limit){.holder = LIMIT_BY_CORES};
    for (int holder = 0; holder < LIMIT_HOLDERS; holder++) {
        limit->by_holder[holder] = highest_rate(input, (enum limit_holder)holder);
        if (limit->by_holder[holder] < limit->by_holder[limit->holder])
            limit->holder = (enum limit_holder)holder;
    }
    limit->per_second = limit->by_holder[limit->holder];
    limit->writes_per_event = limit_writes(input, limit->per_second);
    for (size_t i = 0; i < input->part_count; i++)
        limit->cpu[input->parts[i].place] +=
            limit_part_cpu(input, &input->parts[i], limit->per_second) * 1e6;
}

bool limit_holds(enum limit_holder holder, enum limit_place place)
{
    return places_of(holder) >> place & 1;
}

const char *limit_holder_name(enum limit_holder holder)
{
    static const char *const names[LIMIT_HOLDERS] = {"all cores", "workers", "Kafka clients",
                                                     "Redis"};
    return names[holder];
}
