/* From what each part costs to what the whole can do, and which part holds it. Pure.
 *
 * A part is work that some thread does: so many CPU seconds for each event, each lead written, or
 * each second. How many leads are written for an event depends on the rate: a
 * checkpoint writes a lead once, however often it changed in the interval. So the demand of a rate
 * is the sum over the parts, and the limit is the highest rate that no place is too small for. */
#ifndef STAGES_LIMIT_H
#define STAGES_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who does the work. */
enum limit_place {
    LIMIT_WORKERS, /* baton's own threads, one a worker */
    LIMIT_CLIENTS, /* the threads of the Kafka clients, one that counts a worker */
    LIMIT_HELPERS, /* what the program does beside: transactions */
    LIMIT_REDIS,   /* Redis has one thread for commands */
    LIMIT_BROKER,
    LIMIT_PLACES
};

enum limit_unit { LIMIT_PER_EVENT, LIMIT_PER_WRITE, LIMIT_PER_SECOND };

struct limit_part {
    const char *name;
    enum limit_place place;
    enum limit_unit unit;
    double cpu; /* seconds per unit */
};

/* Leads that differ among so many events of one worker in a row, by their number. */
#define LIMIT_CURVE_MAX 40
struct limit_curve {
    size_t count;
    struct limit_point {
        double events, leads;
    } points[LIMIT_CURVE_MAX]; /* ascending */
};
/* On straight lines of a log-log plot, the last one going on beyond its end. */
double limit_leads_among(const struct limit_curve *curve, double events);

struct limit_input {
    double cores;
    unsigned workers;
    double interval_s; /* between checkpoints */
    const struct limit_curve *writes;
    const struct limit_part *parts;
    size_t part_count;
};

/* What may hold it. */
enum limit_holder {
    LIMIT_BY_CORES,
    LIMIT_BY_WORKERS,
    LIMIT_BY_CLIENTS,
    LIMIT_BY_REDIS,
    LIMIT_HOLDERS
};
const char *limit_holder_name(enum limit_holder holder);
/* Does work at this place count for it? */
bool limit_holds(enum limit_holder holder, enum limit_place place);

struct limit {
    enum limit_holder holder;
    double per_second;               /* events */
    double by_holder[LIMIT_HOLDERS]; /* events per second that each alone would allow */
    double writes_per_event;         /* at that rate */
    double cpu[LIMIT_PLACES];        /* CPU seconds per million events at that rate, by place */
};

/* Lead writes per event at a rate. */
double limit_writes(const struct limit_input *input, double per_second);
/* CPU seconds per event of a part at a rate. */
double limit_part_cpu(const struct limit_input *input, const struct limit_part *part,
                      double per_second);
void limit_find(const struct limit_input *input, struct limit *limit);

#endif
