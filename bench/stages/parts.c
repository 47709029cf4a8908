#include "stages/stages.h"

#include <string.h>
#include <unistd.h>

static double known(double cpu)
{
    return cpu > 0 ? cpu : 0;
}

/* Of Redis, whose process nobody may have told: then it was busy all the time, at worst. */
static double redis_cpu(const struct stage_figures *figures)
{
    if (figures->redis_cpu >= 0 || figures->per_second <= 0)
        return known(figures->redis_cpu);
    return 1 / figures->per_second;
}

struct parts {
    struct limit_part *room;
    size_t count;
};

static void add(struct parts *parts, const char *name, enum limit_place place, enum limit_unit unit,
                double cpu)
{
    if (cpu > 0)
        parts->room[parts->count++] = (struct limit_part){name, place, unit, cpu};
}

static void add_kafka(struct parts *parts, const struct stages *stages)
{
    const struct stage_figures *source = &stages->figures[STAGE_SOURCE];
    add(parts, "taking messages", LIMIT_WORKERS, LIMIT_PER_EVENT, source->workers_cpu);
    add(parts, "Kafka client", LIMIT_CLIENTS, LIMIT_PER_EVENT, source->others_cpu);
    add(parts, "broker: reading", LIMIT_BROKER, LIMIT_PER_EVENT, known(source->broker_cpu));
}

/* The loop was measured as it is; decode and fold are parts of it that were measured alone, and
 * what it took for leads to write depends on how many there are. */
static void add_loop(struct parts *parts, const struct stages *stages)
{
    double decode = stages->figures[STAGE_DECODE].workers_cpu;
    double fold = stages->figures[STAGE_FOLD].workers_cpu;
    double packing = stages->figures[STAGE_PACK].workers_cpu;
    double rest =
        stages->figures[STAGE_LOOP].workers_cpu - packing * stages->loop_writes - decode - fold;
    add(parts, "decode", LIMIT_WORKERS, LIMIT_PER_EVENT, decode);
    add(parts, "lead table and fold", LIMIT_WORKERS, LIMIT_PER_EVENT, fold);
    add(parts, "rest of the loop", LIMIT_WORKERS, LIMIT_PER_EVENT, rest);
}

/* Loads are not among them: leads that are met for the first time after a unit began are not asked
 * for, the others are in memory. Where the table is smaller than the leads they come on top. */
static void add_redis(struct parts *parts, const struct stages *stages)
{
    const struct stage_figures *write = &stages->figures[STAGE_CHECKPOINT];
    double packing = stages->figures[STAGE_PACK].workers_cpu;
    add(parts, "packing leads", LIMIT_WORKERS, LIMIT_PER_WRITE, packing);
    add(parts, "sending leads", LIMIT_WORKERS, LIMIT_PER_WRITE, write->workers_cpu - packing);
    add(parts, "Redis: writing leads", LIMIT_REDIS, LIMIT_PER_WRITE, redis_cpu(write));
}

/* As many as the pace allows: under load there is always something to commit. A worker looks after
 * its transaction in passing; that the stage waits for it is not counted. */
static void add_transactions(struct parts *parts, const struct stages *stages)
{
    const struct stage_figures *figures = &stages->figures[STAGE_TRANSACTION];
    add(parts, "transactions", LIMIT_HELPERS, LIMIT_PER_SECOND,
        figures->others_cpu * figures->per_second);
    add(parts, "broker: transactions", LIMIT_BROKER, LIMIT_PER_SECOND,
        known(figures->broker_cpu) * figures->per_second);
}

void stage_parts(const struct stages *stages, struct limit_part room[STAGE_PARTS_MAX],
                 struct limit_input *input)
{
    struct parts parts = {.room = room};
    add_kafka(&parts, stages);
    add_loop(&parts, stages);
    add_redis(&parts, stages);
    add_transactions(&parts, stages);
    *input = (struct limit_input){.cores = (double)sysconf(_SC_NPROCESSORS_ONLN),
                                  .workers = stages->workers,
                                  .interval_s = stages->interval_s,
                                  .writes = &stages->writes,
                                  .parts = room,
                                  .part_count = parts.count};
}

/* ---- a stage beside the events ---- */

double stage_units_per_event(const struct stages *stages, enum stage stage, double per_second)
{
    struct limit_part room[STAGE_PARTS_MAX];
    struct limit_input input;
    switch (stage) {
    case STAGE_ENCODE: return (double)stages->outputs / (double)stages->messages;
    case STAGE_PACK:
    case STAGE_CHECKPOINT:
        stage_parts(stages, room, &input);
        return limit_writes(&input, per_second);
    case STAGE_LOAD: return 0; /* only where the table is smaller than the leads */
    case STAGE_LOAD_NEW: return stages->new_leads;
    case STAGE_TRANSACTION: return 0;
    default: return 1;
    }
}

double stage_allows(const struct stages *stages, enum stage stage)
{
    double units = stages->figures[stage].per_second;
    double low = 1, high = 1e9;
    for (int i = 0; i < 100; i++) { /* where writes are fewer the more events there are */
        double middle = (low + high) / 2;
        if (stage_units_per_event(stages, stage, middle) * middle <= units)
            low = middle;
        else
            high = middle;
    }
    return low > 0.99e9 ? 0 : low;
}
