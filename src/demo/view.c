#include "demo/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PLAIN_INTERVAL_MS = 5000,
    REASONS = 5,
    PROMOTIONS_MAX = 24, /* that are shown … */
    PROMOTIONS_NEW = 16, /* … among them for what is new in them */
    PROMOTION_INTERVAL_MS = 5000
};

void view_init(struct view *view, FILE *out)
{
    const char *term = getenv("TERM");
    *view = (struct view){.out = out};
    view->told = json_object();
    view->terminal = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
    view->colours = view->terminal && !getenv("NO_COLOR");
    (void)setvbuf(out, NULL, _IOFBF, 65536); /* a block in one write does not flicker */
}

static const char *colour(const struct view *view, const char *code)
{
    return view->colours ? code : "";
}

#define BOLD(view) colour(view, "\033[1m")
#define GREEN(view) colour(view, "\033[32m")
#define PLAIN(view) colour(view, "\033[0m")

static void draw_block(struct view *view);

static void erase_block(struct view *view)
{
    if (view->drawn)
        (void)fprintf(view->out, "\033[%dA\033[J", view->drawn);
    view->drawn = 0;
}

void view_end(struct view *view)
{
    erase_block(view);
    (void)fflush(view->out);
    json_decref(view->told);
    view->told = NULL;
}

void view_line(struct view *view, const char *format, ...)
{
    va_list arguments;
    erase_block(view);
    va_start(arguments, format);
    (void)vfprintf(view->out, format, arguments);
    va_end(arguments);
    (void)fputc('\n', view->out);
    (void)fflush(view->out);
}

/* ---- A promotion ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double points_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* "pricing 19.5, demo 40": the rules with most points. */
static void add_rules(FILE *out, const json_t *rules)
{
    bool told[64] = {false};
    size_t count = json_array_size(rules) < 64 ? json_array_size(rules) : 64;
    for (size_t shown = 0; shown < REASONS && shown < count; shown++) {
        size_t best = count;
        for (size_t i = 0; i < count; i++)
            if (!told[i] && (best == count || points_of(json_array_get(rules, i), "points") >
                                                  points_of(json_array_get(rules, best), "points")))
                best = i;
        told[best] = true;
        const json_t *rule = json_array_get(rules, best);
        (void)fprintf(out, "%s%s %g", shown ? ", " : "", text_of(rule, "id"),
                      points_of(rule, "points"));
    }
}

/* "fit 40 (fleet 20, nearby 15)"; "fit at most 40 (…)" where a limit takes points away. */
static void add_side(FILE *out, const json_t *promotion, const char *side, const char *key)
{
    const json_t *rules = json_object_get(promotion, key), *rule;
    size_t i;
    double sum = 0, points = points_of(promotion, side);
    json_array_foreach(rules, i, rule) sum += points_of(rule, "points");
    (void)fprintf(out, "%s %s%g (", side, sum > points + 0.005 ? "at most " : "", points);
    add_rules(out, rules);
    (void)fputc(')', out);
}

static void add_person(FILE *out, const json_t *promotion)
{
    static const char *const fields[] = {"name", "job_title", "company"};
    const char *persona = text_of(promotion, "persona"), *owner = text_of(promotion, "owner");
    const json_t *profile = json_object_get(promotion, "profile");
    (void)fputs(text_of(promotion, "lead_id"), out);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (*text_of(profile, fields[i]))
            (void)fprintf(out, "%s%s", i ? ", " : " ", text_of(profile, fields[i]));
    if (*persona)
        (void)fprintf(out, " (%s)", persona);
    if (*owner)
        (void)fprintf(out, ", to %s", owner);
}

static const json_t *newest_touch(const json_t *touches)
{
    const json_t *newest = json_array_get(touches, 0);
    for (size_t i = 1; i < json_array_size(touches);
         i++) /* RFC 3339 in UTC: the order of the texts */
        if (strcmp(text_of(json_array_get(touches, i), "time"), text_of(newest, "time")) > 0)
            newest = json_array_get(touches, i);
    return newest;
}

static void add_path(FILE *out, const json_t *promotion)
{
    if (*text_of(promotion, "first_channel"))
        (void)fprintf(out, "\n         came by %s", text_of(promotion, "first_channel"));
    const json_t *touch = newest_touch(json_object_get(promotion, "touches"));
    const char *what = *text_of(touch, "form") ? text_of(touch, "form") : text_of(touch, "page");
    if (*what)
        (void)fprintf(out, "%s last touch %s",
                      *text_of(promotion, "first_channel") ? "," : "\n        ", what);
}

static bool is_new(struct view *view, const char *name)
{
    if (!*name || json_object_get(view->told, name))
        return false;
    json_object_set_new(view->told, name, json_true());
    return true;
}

static bool has_new_rule(struct view *view, const json_t *rules)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(rules); i++)
        found |= is_new(view, text_of(json_array_get(rules, i), "id"));
    return found;
}

static bool says_something_new(struct view *view, const json_t *promotion)
{
    bool found = is_new(view, text_of(promotion, "persona"));
    found |= is_new(view, text_of(promotion, "owner"));
    found |= has_new_rule(view, json_object_get(promotion, "fit_rules"));
    return has_new_rule(view, json_object_get(promotion, "rules")) || found;
}

static bool is_worth_showing(struct view *view, const json_t *promotion)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (!view->told || view->promotions_shown >= PROMOTIONS_MAX)
        return false;
    bool news = view->promotions_shown < PROMOTIONS_NEW && says_something_new(view, promotion);
    if (!news && now_ms < view->next_promotion_ms)
        return false;
    view->next_promotion_ms = now_ms + PROMOTION_INTERVAL_MS;
    view->promotions_shown++;
    return true;
}

void view_promotion(struct view *view, const void *json, size_t size)
{
    json_t *promotion = json_loadb(json, size, 0, NULL);
    if (!promotion || !is_worth_showing(view, promotion)) {
        json_decref(promotion);
        return;
    }
    bool below = view->drawn > 0;
    erase_block(view);
    (void)fprintf(view->out, "%s→ sales%s  ", GREEN(view), PLAIN(view));
    add_person(view->out, promotion);
    (void)fprintf(view->out, "\n         %s%g points%s: ", BOLD(view),
                  points_of(promotion, "score"), PLAIN(view));
    add_side(view->out, promotion, "fit", "fit_rules");
    (void)fputs(", ", view->out);
    add_side(view->out, promotion, "behaviour", "rules");
    add_path(view->out, promotion);
    (void)fputc('\n', view->out);
    json_decref(promotion);
    if (below)
        draw_block(view);
    (void)fflush(view->out);
}

/* ---- The figures ---- */

static void draw_plain(struct view *view, const struct view_figures *f)
{
    (void)fprintf(view->out,
                  "%3" PRId64 " s  sent %" PRIu64 "  counted %" PRIu64 " (%.0f/s)  leads %" PRIu64
                  "  mql %" PRIu64 "  sql %" PRIu64 "  promotions %" PRIu64 "  repeats %" PRIu64
                  "  dead letters %" PRIu64 "\n",
                  f->elapsed_ms / 1000, f->messages_sent, f->events_counted, f->rate, f->leads,
                  f->mql, f->sql, f->promotions, f->duplicates, f->dead_letters);
    (void)fflush(view->out);
}

static void draw_bar(const struct view *view, const char *name, uint64_t value, uint64_t of)
{
    enum { WIDTH = 40 };
    uint64_t filled = of ? (value * WIDTH + of - 1) / of : 0;
    (void)fprintf(view->out, "  %-5s %8" PRIu64 "  %s", name, value, GREEN(view));
    for (uint64_t i = 0; i < filled && i < WIDTH; i++)
        (void)fputs("█", view->out);
    (void)fprintf(view->out, "%s\n", PLAIN(view));
}

/* No line wider than 80 columns: one that wraps could not be taken back. */
static void draw_block(struct view *view)
{
    const struct view_figures *f = &view->figures;
    erase_block(view);
    (void)fprintf(view->out,
                  "\n%sbaton demo%s  %02" PRId64 ":%02" PRId64 " of %02" PRId64 ":%02" PRId64 "\n",
                  BOLD(view), PLAIN(view), f->elapsed_ms / 60000, f->elapsed_ms / 1000 % 60,
                  f->total_ms / 60000, f->total_ms / 1000 % 60);
    (void)fprintf(view->out,
                  "  sent %" PRIu64 " messages, counted %" PRIu64 " events, %s%.0f events/s%s\n",
                  f->messages_sent, f->events_counted, BOLD(view), f->rate, PLAIN(view));
    uint64_t below_mql = f->leads > f->mql + f->sql ? f->leads - f->mql - f->sql : 0;
    draw_bar(view, "lead", below_mql, f->leads);
    draw_bar(view, "mql", f->mql, f->leads);
    draw_bar(view, "sql", f->sql, f->leads);
    (void)fprintf(view->out,
                  "  repeated: %" PRIu64 " sent, %" PRIu64 " dropped    late: %" PRIu64 " sent\n",
                  f->repeats_sent, f->duplicates, f->late_sent);
    (void)fprintf(view->out, "  unreadable: %" PRIu64 " sent, %" PRIu64 " dead letters\n",
                  f->unreadable_sent, f->dead_letters);
    view->drawn = 8;
}

void view_figures(struct view *view, const struct view_figures *figures, int64_t now_ms)
{
    if (view->terminal) {
        view->figures = *figures;
        draw_block(view);
        (void)fflush(view->out);
    } else if (now_ms >= view->next_plain_ms) {
        view->next_plain_ms = now_ms + PLAIN_INTERVAL_MS;
        draw_plain(view, figures);
    }
}
