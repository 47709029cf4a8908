#include "common/result.h"
#include "stages/stages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *key, *name, *units;
    bool broker, redis; /* take part */
} names[STAGES] = {
    [STAGE_POLL] = {"count", "counting consumer, one by one", "events", true, false},
    [STAGE_CALLBACK] = {"count_callback", "  by callback (to compare)", "events", true, false},
    [STAGE_SOURCE] = {"source", "  by baton's source", "events", true, false},
    [STAGE_DECODE] = {"decode", "decode", "events", false, false},
    [STAGE_FOLD] = {"fold", "lead table and fold, as popular", "events", false, false},
    [STAGE_FOLD_UNIFORM] = {"fold_uniform", "  all leads alike", "events", false, false},
    [STAGE_ENCODE] = {"encode", "encode promotions, stage changes", "messages", false, false},
    [STAGE_LOOP] = {"loop", "worker's loop without Kafka, Redis", "events", false, false},
    [STAGE_PACK] = {"pack", "pack leads for a checkpoint", "leads", false, false},
    [STAGE_CHECKPOINT] = {"checkpoint", "checkpoint to Redis", "leads", false, true},
    [STAGE_LOAD] = {"load", "load from Redis", "leads", false, true},
    [STAGE_LOAD_NEW] = {"load_new", "  leads that are not there", "leads", false, true},
    [STAGE_TRANSACTION] = {"transactions", "transactions", "commits", true, false},
};

/* ---- for people ---- */

static void print_cpu(FILE *out, bool takes_part, double cpu)
{
    if (!takes_part)
        (void)fprintf(out, "  %7s", "");
    else if (cpu < 0)
        (void)fprintf(out, "  %7s", "?");
    else
        (void)fprintf(out, "  %7.3f", cpu * 1e6);
}

static void print_rate(FILE *out, double rate)
{
    if (rate >= 1e6)
        (void)fprintf(out, "%8.2f M", rate / 1e6);
    else if (rate >= 1e4)
        (void)fprintf(out, "%8.0f k", rate / 1e3);
    else
        (void)fprintf(out, "%8.0f  ", rate);
}

void report_head(const struct stages *stages)
{
    FILE *out = result_text(stages->options.common.json);
    (void)fprintf(out,
                  "%u workers, %u partitions, each stage alone. CPU seconds per million (= "
                  "microseconds each) of the unit.\n\n"
                  "%-35s %21s  %7s  %7s  %7s  %14s\n",
                  stages->workers, (unsigned)stages->partitions, "stage", "per second", "program",
                  "broker", "Redis", "events/s alone");
}

void report_stage(const struct stages *stages, enum stage stage)
{
    const struct stage_figures *figures = &stages->figures[stage];
    FILE *out = result_text(stages->options.common.json);
    if (!figures->measured)
        return;
    (void)fprintf(out, "%-35s ", names[stage].name);
    print_rate(out, figures->per_second);
    (void)fprintf(out, " %-9s", names[stage].units);
    print_cpu(out, true, figures->workers_cpu + figures->others_cpu);
    print_cpu(out, names[stage].broker, figures->broker_cpu);
    print_cpu(out, names[stage].redis, figures->redis_cpu);
    double alone = stage_allows(stages, stage);
    (void)fputs("  ", out);
    if (alone > 0)
        print_rate(out, alone);
    else
        (void)fputs("     any", out);
    (void)fputc('\n', out);
    (void)fflush(out);
}

static void print_facts(FILE *out, const struct stages *stages)
{
    (void)fprintf(out,
                  "\n%" PRIu64 " messages of %" PRIu64 " leads, %" PRIu64
                  " unreadable; a transaction with %zu messages takes %.1f ms (median), %.1f "
                  "(90 %%), %.1f (99 %%)\n",
                  stages->messages, stages->leads_known, stages->dead, stages->transaction_messages,
                  stages->transaction_ms[0], stages->transaction_ms[1], stages->transaction_ms[2]);
}

static void print_parts(FILE *out, const struct limit_input *input, const struct limit *limit)
{
    static const char *const who[LIMIT_PLACES] = {"program", "program", "program", "Redis",
                                                  "broker"};
    double sum = 0;
    for (int place = 0; place < LIMIT_PLACES; place++)
        sum += limit->cpu[place];
    for (size_t i = 0; i < input->part_count; i++) {
        const struct limit_part *part = &input->parts[i];
        double cpu = limit_part_cpu(input, part, limit->per_second) * 1e6;
        (void)fprintf(out, "  %-8s %-24s %6.3f  %3.0f %%\n", who[part->place], part->name, cpu,
                      100 * cpu / sum);
    }
    (void)fprintf(out, "  %-33s %6.3f\n", "together", sum);
}

/* The part that takes most of what holds the whole. */
static const struct limit_part *largest_part(const struct limit_input *input,
                                             const struct limit *limit)
{
    const struct limit_part *largest = NULL;
    double most = -1;
    for (size_t i = 0; i < input->part_count; i++) {
        double cpu = limit_part_cpu(input, &input->parts[i], limit->per_second);
        if (!limit_holds(limit->holder, input->parts[i].place) || cpu <= most)
            continue;
        largest = &input->parts[i];
        most = cpu;
    }
    return largest;
}

static void print_holders(FILE *out, const struct limit_input *input, const struct limit *limit)
{
    (void)fprintf(out,
                  "\nlimit: %s, at about %.2f M events/s; most of it goes into: %s\n"
                  "alone they would allow:",
                  limit_holder_name(limit->holder), limit->per_second / 1e6,
                  largest_part(input, limit)->name);
    for (int holder = 0; holder < LIMIT_HOLDERS; holder++) {
        (void)fprintf(out, " %s", limit_holder_name((enum limit_holder)holder));
        if (limit->by_holder[holder] > 0.99e9)
            (void)fputs(" any rate;", out);
        else
            (void)fprintf(out, " %.2f M;", limit->by_holder[holder] / 1e6);
    }
    (void)fprintf(out, "\n%.3f lead writes per event at that rate, checkpoints every %.0f ms\n",
                  limit->writes_per_event, input->interval_s * 1000);
}

static void print_baton(FILE *out, const struct stages *stages, const struct limit *limit)
{
    const struct stages_options *options = &stages->options;
    if (options->baton_rate <= 0)
        return;
    (void)fprintf(out,
                  "baton as a whole was measured with %.2f M events/s: %.2f of the counting "
                  "consumer, %.2f of the limit. CPU seconds per million: program %.2f, broker "
                  "%.2f, Redis %.2f\n",
                  options->baton_rate / 1e6,
                  options->baton_rate / stages->figures[STAGE_POLL].per_second,
                  options->baton_rate / limit->per_second, options->baton_program,
                  options->baton_broker, options->baton_redis);
}

/* ---- as JSON ---- */

static json_t *number_or_null(double value, bool known)
{
    return known ? json_real(value) : json_null();
}

static json_t *stage_json(const struct stages *stages, enum stage stage)
{
    const struct stage_figures *figures = &stages->figures[stage];
    double alone = stage_allows(stages, stage);
    return json_pack(
        "{s:s, s:f, s:f, s:f, s:o, s:o, s:o}", "unit", names[stage].units, "per_second",
        figures->per_second, "workers", figures->workers_cpu * 1e6, "others",
        figures->others_cpu * 1e6, "broker",
        number_or_null(figures->broker_cpu * 1e6, names[stage].broker && figures->broker_cpu >= 0),
        "redis",
        number_or_null(figures->redis_cpu * 1e6, names[stage].redis && figures->redis_cpu >= 0),
        "events_per_second", number_or_null(alone, alone > 0));
}

static json_t *limit_json(const struct limit_input *input, const struct limit *limit)
{
    static const char *const places[LIMIT_PLACES] = {"workers", "clients", "helpers", "redis",
                                                     "broker"};
    json_t *holders = json_object(), *parts = json_array();
    for (int holder = 0; holder < LIMIT_HOLDERS; holder++)
        (void)json_object_set_new(
            holders, limit_holder_name((enum limit_holder)holder),
            number_or_null(limit->by_holder[holder], limit->by_holder[holder] < 0.99e9));
    for (size_t i = 0; i < input->part_count; i++) {
        const struct limit_part *part = &input->parts[i];
        (void)json_array_append_new(
            parts, json_pack("{s:s, s:s, s:f}", "part", part->name, "place", places[part->place],
                             "cpu_seconds_per_million",
                             limit_part_cpu(input, part, limit->per_second) * 1e6));
    }
    return json_pack("{s:s, s:s, s:f, s:f, s:o, s:o}", "name", limit_holder_name(limit->holder),
                     "largest", largest_part(input, limit)->name, "events_per_second",
                     limit->per_second, "writes_per_event", limit->writes_per_event, "alone",
                     holders, "parts", parts);
}

static json_t *curve_json(const struct limit_curve *curve)
{
    json_t *points = json_array();
    for (size_t i = 0; i < curve->count; i++)
        (void)json_array_append_new(
            points, json_pack("[f, f]", curve->points[i].events, curve->points[i].leads));
    return points;
}

static json_t *baton_json(const struct stages_options *options)
{
    if (options->baton_rate <= 0)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:f}", "events_per_second", options->baton_rate, "program",
                     options->baton_program, "broker", options->baton_broker, "redis",
                     options->baton_redis);
}

static json_t *all_json(const struct stages *stages, const struct limit_input *input,
                        const struct limit *limit)
{
    json_t *measured = json_object();
    for (int stage = 0; stage < STAGES; stage++)
        if (stages->figures[stage].measured)
            (void)json_object_set_new(measured, names[stage].key,
                                      stage_json(stages, (enum stage)stage));
    return json_pack("{s:i, s:f, s:i, s:I, s:I, s:I, s:o, s:{s:f, s:f, s:f}, s:o, s:o, s:o}",
                     "workers", (int)stages->workers, "cores", input->cores, "partitions",
                     (int)stages->partitions, "messages", (json_int_t)stages->messages, "leads",
                     (json_int_t)stages->leads_known, "unreadable", (json_int_t)stages->dead,
                     "stages", measured, "transaction_ms", "p50", stages->transaction_ms[0], "p90",
                     stages->transaction_ms[1], "p99", stages->transaction_ms[2],
                     "leads_among_events", curve_json(&stages->writes), "limit",
                     limit_json(input, limit), "baton", baton_json(&stages->options));
}

int report_take(const struct stages *stages, json_t *result)
{
    struct limit_part room[STAGE_PARTS_MAX];
    struct limit_input input;
    struct limit limit;
    stage_parts(stages, room, &input);
    limit_find(&input, &limit);
    FILE *out = result_text(stages->options.common.json);
    print_facts(out, stages);
    (void)fprintf(out, "\nCPU seconds per million events of the whole, made of its parts:\n");
    print_parts(out, &input, &limit);
    print_holders(out, &input, &limit);
    print_baton(out, stages, &limit);
    return result_finish(result, all_json(stages, &input, &limit), stages->options.common.results,
                         stages->options.common.json);
}
