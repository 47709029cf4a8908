#include "latency/figures.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdlib.h>

/* With fewer values beyond it, a percentile says more of chance than of what was measured. */
#define ENOUGH_BEYOND 10
#define SLOWEST_TOLD 10
#define SERIES_STEPS 5

static const char *const part_names[PARTS] = {"acknowledged", "made", "visible"};
static const struct {
    uint32_t millionths;
    const char *name;
} told[] = {{HISTOGRAM_P(50), "50 %"},
            {HISTOGRAM_P(90), "90 %"},
            {HISTOGRAM_P(99), "99 %"},
            {HISTOGRAM_P(99.9), "99.9 %"},
            {HISTOGRAM_P(99.99), "99.99 %"}};
enum { TOLD = sizeof told / sizeof *told };

/* ---- Holding one against the other ---- */

static void match(struct figures *figures, const struct plan *plan, const struct receiver *receiver)
{
    figures->others = receiver->others;
    figures->unreadable = receiver->unreadable;
    for (size_t i = 0; i < receiver->item_count; i++) {
        const struct received *item = &receiver->items[i];
        struct plan_promotion *promotion;
        if (!plan_knows(plan, item->lead, &promotion)) {
            figures->others++;
        } else if (!promotion || promotion->sequence != item->sequence) {
            figures->wrong++;
        } else if (promotion->seen > 0) {
            figures->repeated++;
        } else {
            promotion->seen = item->at;
            promotion->made_ms = item->made_ms;
        }
    }
}

static uint64_t between_us(double from, double to)
{
    return to > from ? (uint64_t)((to - from) * 1e6) : 0;
}

/* The client's stamp on a promotion is cut to a millisecond: its middle is what is taken. The
 * answer to the sender may come later than the promotion does. */
static void add(struct figures *figures, const struct plan_promotion *promotion, double due,
                double due_at, double unix_at_zero)
{
    double made = ((double)promotion->made_ms + 0.5) / 1e3 - unix_at_zero;
    made = made < due_at ? due_at : made > promotion->seen ? promotion->seen : made;
    double acked = promotion->acked < made && promotion->acked > 0 ? promotion->acked : made;
    struct measured *one = &figures->measured[figures->measured_count++];
    *one = (struct measured){.due = due,
                             .total_us = between_us(due_at, promotion->seen),
                             .parts_us = {between_us(due_at, acked), between_us(acked, made),
                                          between_us(made, promotion->seen)}};
    histogram_record(&figures->total, one->total_us);
    for (unsigned i = 0; i < PARTS; i++)
        histogram_record(&figures->parts[i], one->parts_us[i]);
}

static int slowest_first(const void *a, const void *b)
{
    uint64_t left = ((const struct measured *)a)->total_us,
             right = ((const struct measured *)b)->total_us;
    return left > right ? -1 : left < right;
}

void figures_init(struct figures *figures, struct plan *plan, const struct sender *sender,
                  const struct receiver *receiver, double unix_at_zero)
{
    *figures = (struct figures){.warm_up = sender->warm_up,
                                .seconds = plan->options.seconds - sender->warm_up,
                                .sent = sender->sent,
                                .failed = sender->failed,
                                .expected = plan->promotion_count,
                                .sender = sender};
    figures->second_count = (size_t)plan->options.seconds + 1;
    figures->seconds_of = memory_take_zeroed(figures->second_count, sizeof *figures->seconds_of);
    figures->measured = memory_take_zeroed(figures->expected + 1, sizeof *figures->measured);
    match(figures, plan, receiver);
    for (uint32_t i = 0; i < plan->promotion_count; i++) {
        const struct plan_promotion *promotion = &plan->promotions[i];
        double due = plan_due(plan, promotion->sequence), due_at = sender->start + due;
        if (promotion->seen == 0) {
            figures->missing++;
            continue;
        }
        histogram_record(&figures->seconds_of[(size_t)due], between_us(due_at, promotion->seen));
        if (due >= figures->warm_up)
            add(figures, promotion, due, due_at, unix_at_zero);
    }
    qsort(figures->measured, figures->measured_count, sizeof *figures->measured, slowest_first);
}

void figures_fini(struct figures *figures)
{
    free(figures->seconds_of);
    free(figures->measured);
}

bool figures_are_right(const struct figures *figures)
{
    if (figures->failed)
        (void)fprintf(stderr,
                      "baton-bench latency: %" PRIu64 " events did not reach the broker: %s\n",
                      figures->failed, figures->sender->refusal);
    if (figures->missing || figures->repeated || figures->wrong || figures->unreadable)
        (void)fprintf(stderr,
                      "baton-bench latency: of %" PRIu64 " promotions %" PRIu64
                      " are missing; %" PRIu64 " came again, %" PRIu64
                      " name another event than the one that had to make them, %" PRIu64
                      " cannot be read (is bench/agreements/simple.yaml in force, and is the seed "
                      "new to this baton?)\n",
                      figures->expected, figures->missing, figures->repeated, figures->wrong,
                      figures->unreadable);
    if (figures->has_freshness && figures->freshness.lost)
        (void)fprintf(stderr,
                      "baton-bench latency: %" PRIu64 " of %" PRIu64
                      " events that were looked for never reached their score in Redis (are these "
                      "baton's Redis and prefix?)\n",
                      figures->freshness.lost, figures->freshness.looked_for);
    if (!figures->measured_count)
        (void)fputs("baton-bench latency: no promotion was due after the warm-up\n", stderr);
    return figures->measured_count && !figures->failed && !figures->missing && !figures->repeated &&
           !figures->wrong && !figures->unreadable &&
           !(figures->has_freshness && figures->freshness.lost);
}

/* ---- For people ---- */

static void print_row(FILE *out, const char *name, const struct histogram *histogram)
{
    (void)fprintf(out, "  %-34s %9" PRIu64, name, histogram->total);
    for (size_t i = 0; i < TOLD; i++) {
        bool enough = histogram_beyond(histogram, told[i].millionths) >= ENOUGH_BEYOND;
        (void)fprintf(out, " %8.1f%c",
                      (double)histogram_percentile(histogram, told[i].millionths) / 1e3,
                      enough ? ' ' : '?');
    }
    (void)fprintf(out, " %8.1f\n", (double)histogram->most_us / 1e3);
}

static bool is_scarce(const struct histogram *histogram)
{
    return histogram_beyond(histogram, told[TOLD - 1].millionths) < ENOUGH_BEYOND;
}

/* The mean parts of the slowest ones. */
static void mean_parts(const struct figures *figures, uint32_t millionths, double mean_s[PARTS + 1])
{
    size_t count = (size_t)histogram_beyond(&figures->total, millionths);
    count = count ? count : 1;
    for (unsigned part = 0; part <= PARTS; part++)
        mean_s[part] = 0;
    for (size_t i = 0; i < count; i++) {
        for (unsigned part = 0; part < PARTS; part++)
            mean_s[part] += (double)figures->measured[i].parts_us[part] / 1e6 / (double)count;
        mean_s[PARTS] += (double)figures->measured[i].total_us / 1e6 / (double)count;
    }
}

static void print_slow(const struct figures *figures, uint32_t millionths, FILE *out)
{
    double mean_s[PARTS + 1];
    mean_parts(figures, millionths, mean_s);
    (void)fprintf(out,
                  "  beyond %g %%, on average %.1f ms: %.1f to the broker, %.1f until baton wrote "
                  "the promotion, %.1f until it was visible\n",
                  millionths / 1e4, mean_s[PARTS] * 1e3, mean_s[PART_ACKED] * 1e3,
                  mean_s[PART_MADE] * 1e3, mean_s[PART_VISIBLE] * 1e3);
}

void figures_print(const struct figures *figures, FILE *out)
{
    (void)fprintf(out,
                  "\n%" PRIu64 " events, %.0f s of warm-up left out, %.0f s measured\n\n"
                  "  milliseconds                               n",
                  figures->sent, figures->warm_up, figures->seconds);
    for (size_t i = 0; i < TOLD; i++)
        (void)fprintf(out, " %8s ", told[i].name);
    (void)fputs("      max\n", out);
    print_row(out, "event due -> promotion visible", &figures->total);
    print_row(out, "  due -> broker has the event", &figures->parts[PART_ACKED]);
    print_row(out, "  -> baton writes the promotion", &figures->parts[PART_MADE]);
    print_row(out, "  -> it is visible", &figures->parts[PART_VISIBLE]);
    if (figures->has_freshness)
        print_row(out, "event due -> score in Redis", &figures->freshness.ages);
    print_row(out, "sender behind its plan", &figures->sender->lag);
    if (is_scarce(&figures->total) ||
        (figures->has_freshness && is_scarce(&figures->freshness.ages)))
        (void)fprintf(out, "  ? fewer than %d values lie beyond: chance has a say\n",
                      ENOUGH_BEYOND);
    if (!figures->measured_count)
        return;
    print_slow(figures, HISTOGRAM_P(99), out);
    print_slow(figures, HISTOGRAM_P(99.9), out);
}

/* ---- For programs ---- */

static json_t *pair(double share, double seconds)
{
    return json_pack("[f, f]", share, seconds);
}

/* {"count", "mean", "least", "most", "percentiles": [[share, seconds], …], "reliable_to": share} */
static json_t *distribution(const struct histogram *histogram)
{
    json_t *percentiles = json_array();
    double reliable_to = 0;
    for (size_t i = 0; i < TOLD; i++) {
        uint32_t at = told[i].millionths;
        json_array_append_new(percentiles,
                              pair(at / 1e6, (double)histogram_percentile(histogram, at) / 1e6));
        if (histogram_beyond(histogram, at) >= ENOUGH_BEYOND)
            reliable_to = at / 1e6;
    }
    return json_pack("{s:I, s:f, s:f, s:f, s:o, s:f}", "count", (json_int_t)histogram->total,
                     "mean", histogram_mean_us(histogram) / 1e6, "least",
                     (double)histogram->least_us / 1e6, "most", (double)histogram->most_us / 1e6,
                     "percentiles", percentiles, "reliable_to", reliable_to);
}

static json_t *with_series(json_t *distribution, const struct histogram *histogram)
{
    struct histogram_point points[HISTOGRAM_POINTS(SERIES_STEPS)];
    size_t count =
        histogram_series(histogram, SERIES_STEPS, points, HISTOGRAM_POINTS(SERIES_STEPS));
    json_t *series = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(series,
                              pair(points[i].millionths / 1e6, (double)points[i].value_us / 1e6));
    json_object_set_new(distribution, "series", series);
    return distribution;
}

static json_t *seconds_json(const struct figures *figures)
{
    json_t *list = json_array();
    for (size_t i = 0; i < figures->second_count; i++) {
        const struct histogram *one = &figures->seconds_of[i];
        if (one->total)
            json_array_append_new(
                list,
                json_pack("{s:I, s:b, s:I, s:f, s:f, s:f, s:f}", "second", (json_int_t)i, "warm_up",
                          (double)i < figures->warm_up, "promotions", (json_int_t)one->total, "p50",
                          (double)histogram_percentile(one, HISTOGRAM_P(50)) / 1e6, "p99",
                          (double)histogram_percentile(one, HISTOGRAM_P(99)) / 1e6, "most",
                          (double)one->most_us / 1e6, "sender_lag",
                          (double)figures->sender->lag_by_second[i] / 1e6));
    }
    return list;
}

static json_t *slow_json(const struct figures *figures, uint32_t millionths)
{
    double mean_s[PARTS + 1];
    mean_parts(figures, millionths, mean_s);
    json_t *object = json_pack("{s:f, s:f}", "beyond", millionths / 1e6, "seconds", mean_s[PARTS]);
    for (unsigned i = 0; i < PARTS; i++)
        json_object_set_new(object, part_names[i], json_real(mean_s[i]));
    return object;
}

static json_t *slowest_json(const struct figures *figures)
{
    json_t *list = json_array();
    for (size_t i = 0; i < figures->measured_count && i < SLOWEST_TOLD; i++) {
        const struct measured *one = &figures->measured[i];
        json_t *object =
            json_pack("{s:f, s:f}", "due", one->due, "seconds", (double)one->total_us / 1e6);
        for (unsigned part = 0; part < PARTS; part++)
            json_object_set_new(object, part_names[part],
                                json_real((double)one->parts_us[part] / 1e6));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *freshness_json(const struct freshness_figures *freshness)
{
    json_t *object = with_series(distribution(&freshness->ages), &freshness->ages);
    json_object_set_new(object, "resolution", json_real(FRESHNESS_LOOK_MS / 1e3));
    json_object_set_new(object, "lost", json_integer((json_int_t)freshness->lost));
    return object;
}

json_t *figures_json(const struct figures *figures)
{
    json_t *data = json_pack("{s:f, s:f, s:I}", "warm_up", figures->warm_up, "seconds",
                             figures->seconds, "events", (json_int_t)figures->sent);
    json_object_set_new(
        data, "promotions",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "expected", (json_int_t)figures->expected,
                  "measured", (json_int_t)figures->measured_count, "missing",
                  (json_int_t)figures->missing, "repeated", (json_int_t)figures->repeated, "wrong",
                  (json_int_t)figures->wrong, "others", (json_int_t)figures->others));
    json_object_set_new(data, "latency",
                        with_series(distribution(&figures->total), &figures->total));
    json_t *parts = json_object();
    for (unsigned i = 0; i < PARTS; i++)
        json_object_set_new(parts, part_names[i], distribution(&figures->parts[i]));
    json_object_set_new(data, "parts", parts);
    if (figures->measured_count) {
        json_object_set_new(data, "slow",
                            json_pack("[o, o]", slow_json(figures, HISTOGRAM_P(99)),
                                      slow_json(figures, HISTOGRAM_P(99.9))));
        json_object_set_new(data, "slowest", slowest_json(figures));
    }
    json_object_set_new(data, "per_second", seconds_json(figures));
    json_object_set_new(data, "sender_lag", distribution(&figures->sender->lag));
    if (figures->has_freshness)
        json_object_set_new(data, "freshness", freshness_json(&figures->freshness));
    return data;
}
