#include "report/report.h"

#include "agreement/versions.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "commands/unit_counters.h"
#include "pact/periods.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_ELSEWHERE 100 /* characters, where no terminal says how many it has */

enum report_format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON, FORMAT_HTML, FORMATS };
static const char *const format_names[FORMATS] = {"text", "markdown", "json", "html"};

struct reporting {
    const struct invocation *invocation;
    struct config *config;
    struct versions *versions;
    const struct baton_agreement *agreement; /* in force at the end of the period, or now */
    enum language language;
    enum report_format format;
    const char *path; /* --out; NULL: standard output */
    struct calendar_span span;
    char period[PERIOD_NAME_MAX];
    enum attribution attribution;
    int64_t now_ms;
    struct unit_counters counters;
};

/* ---- The command line ---- */

/* What a file is called says what is to stand in it. */
static enum report_format format_of_file(const char *path)
{
    static const struct {
        const char *end;
        enum report_format format;
    } ends[] = {{".md", FORMAT_MARKDOWN}, {".json", FORMAT_JSON}, {".html", FORMAT_HTML}};
    for (size_t i = 0; path && i < sizeof ends / sizeof *ends; i++) {
        size_t size = strlen(path), end = strlen(ends[i].end);
        if (size > end && strcmp(path + size - end, ends[i].end) == 0)
            return ends[i].format;
    }
    return FORMAT_TEXT;
}

static int read_format(struct reporting *r)
{
    const char *name = invocation_option(r->invocation, "--format");
    r->path = invocation_option(r->invocation, "--out");
    r->format = r->invocation->json ? FORMAT_JSON : format_of_file(r->path);
    for (int i = 0; name && i < FORMATS; i++) {
        if (strcmp(name, format_names[i]) != 0)
            continue;
        r->format = (enum report_format)i;
        if (r->invocation->json && r->format != FORMAT_JSON)
            return command_fail(r->invocation, EXIT_CODE_USAGE,
                                "--json and --format %s ask for two formats: leave one out", name);
        return EXIT_CODE_OK;
    }
    return name ? command_fail(r->invocation, EXIT_CODE_USAGE,
                               "--format wants text, markdown, json or html, not %s", name)
                : EXIT_CODE_OK;
}

static int read_attribution(struct reporting *r)
{
    const char *name = invocation_option(r->invocation, "--attribution");
    if (!name || attribution_find(name, &r->attribution))
        return EXIT_CODE_OK;
    return command_fail(r->invocation, EXIT_CODE_USAGE,
                        "--attribution wants first, last or linear, not %s", name);
}

static int read_period(struct reporting *r)
{
    const char *text = invocation_option(r->invocation, "--period");
    bool meeting = invocation_option(r->invocation, "--since-last-meeting") != NULL;
    int32_t today = calendar_day(r->agreement, r->now_ms);
    if (meeting && text)
        return command_fail(r->invocation, EXIT_CODE_USAGE,
                            "--period and --since-last-meeting exclude each other");
    if (meeting && r->agreement->pact->meeting_every == BATON_SPAN_NONE)
        return command_fail(r->invocation, EXIT_CODE_BAD_INPUT,
                            "--since-last-meeting: %s has no `meeting`; name a --period",
                            r->config->agreement);
    if (meeting)
        r->span = meeting_last(r->agreement->pact, today);
    else if (!period_read(text ? text : "this-month", today, &r->span))
        return command_fail(r->invocation, EXIT_CODE_USAGE,
                            "--period wants 2026-11-03, 2026-W45, 2026-11, 2026-Q4, 2026, "
                            "2026-11-03..2026-11-20, this-month, last-week or the like, not %s",
                            text);
    period_find_name(r->span, r->period);
    return EXIT_CODE_OK;
}

/* ---- Reading Redis ---- */

static int read_redis(struct reporting *r)
{
    struct redis_config redis;
    struct redis_inspector *inspector;
    struct error error;
    setup_redis(r->config, &redis);
    if (redis_inspect_open(&inspector, &redis, &error) != STATUS_OK)
        return command_fail_status(r->invocation, &error);
    enum status status = unit_counters_read(&r->counters, inspector, &error);
    redis_inspect_close(inspector);
    if (status == STATUS_OK && r->counters.units == 0)
        status = error_set(&error, STATUS_STOP,
                           "Redis knows no unit 0 under the prefix %s: baton run has not been here "
                           "yet",
                           r->config->redis.prefix);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail_status(r->invocation, &error);
}

/* ---- Printing ---- */

static unsigned terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return WIDTH_ELSEWHERE;
}

static void print_report(const struct reporting *r, const struct report *report,
                         struct text_buffer *out)
{
    struct speech speech;
    speech_init(&speech, r->language, out);
    if (r->format == FORMAT_TEXT)
        report_print_terminal(report, &speech, r->path ? WIDTH_ELSEWHERE : terminal_width());
    else if (r->format == FORMAT_MARKDOWN)
        report_print_markdown(report, &speech);
    else if (r->format == FORMAT_HTML)
        report_print_html(report, &speech);
    speech_fini(&speech);
    if (r->format != FORMAT_JSON)
        return;
    json_t *json = report_json(report);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    text_buffer_add_text(out, text);
    text_buffer_add_text(out, "\n");
    free(text);
    json_decref(json);
}

static int write_out(const struct reporting *r, const struct text_buffer *text)
{
    FILE *file = r->path ? fopen(r->path, "w") : stdout;
    if (!file)
        return command_fail(r->invocation, EXIT_CODE_FAILED, "cannot write %s: %s", r->path,
                            strerror(errno));
    bool written = fwrite(text->data, 1, text->size, file) == text->size;
    written = (r->path ? fclose(file) : fflush(file)) == 0 && written;
    return written ? EXIT_CODE_OK
                   : command_fail(r->invocation, EXIT_CODE_FAILED, "cannot write %s: %s",
                                  r->path ? r->path : "standard output", strerror(errno));
}

/* Of a folder the first version is the one that it began with. */
static struct goal_since since_of(const struct reporting *r)
{
    const struct baton_agreement *first = agreement_compiled(versions_get(r->versions, 0));
    return goal_since_of(r->agreement, first->effective_ms, r->counters.counted_from);
}

static int make_and_print(struct reporting *r)
{
    struct report report;
    struct text_buffer out;
    struct report_input input = {.agreement = r->agreement,
                                 .sums = r->counters.sums,
                                 .spend = r->counters.spend,
                                 .span = r->span,
                                 .period = r->period,
                                 .now_ms = r->now_ms,
                                 .counted_from = r->counters.counted_from,
                                 .since = since_of(r),
                                 .attribution = r->attribution,
                                 .too_few = REPORT_TOO_FEW};
    text_buffer_init(&out);
    report_make(&report, &input);
    print_report(r, &report, &out);
    int code = write_out(r, &out);
    report_fini(&report);
    text_buffer_fini(&out);
    return code;
}

/* ---- The verb ---- */

/* Warnings are told by `check`; errors in any file of a folder are errors here. */
static int read_agreements(struct reporting *r)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = versions_load(r->config->agreement, &r->versions, &messages);
    if (status != STATUS_OK && messages.size)
        (void)fwrite(messages.data, 1, messages.size, stderr);
    text_buffer_fini(&messages);
    if (status != STATUS_OK)
        return EXIT_CODE_BAD_INPUT;
    r->agreement = agreement_compiled(versions_at(r->versions, r->now_ms));
    return EXIT_CODE_OK;
}

static int promises_something(const struct reporting *r)
{
    if (r->agreement->pact)
        return EXIT_CODE_OK;
    return command_fail(r->invocation, EXIT_CODE_BAD_INPUT,
                        "%s promises nothing (no `goals`, no times under `sales`), and where "
                        "nothing is promised nothing is counted",
                        r->config->agreement);
}

/* The period is one of the present's days; who promised what in it, is a matter of its own. */
static int take_version(struct reporting *r)
{
    int64_t last_ms = calendar_instant(r->agreement, r->span.end, 0) - 1;
    int64_t at_ms = last_ms < r->now_ms ? last_ms : r->now_ms;
    r->agreement = agreement_compiled(versions_at(r->versions, at_ms));
    return promises_something(r);
}

static int read_inputs(struct reporting *r)
{
    int code = read_format(r);
    if (code == EXIT_CODE_OK)
        code = read_attribution(r);
    if (code == EXIT_CODE_OK)
        code = setup_config(r->invocation, &r->config);
    if (code == EXIT_CODE_OK && !setup_out_is_free(r->invocation, r->config, NULL, 0))
        code = EXIT_CODE_USAGE;
    if (code != EXIT_CODE_OK)
        return code;
    if (!setup_language(r->invocation, r->config, &r->language))
        return EXIT_CODE_USAGE;
    code = read_agreements(r);
    if (code == EXIT_CODE_OK)
        code = promises_something(r);
    if (code == EXIT_CODE_OK)
        code = read_period(r);
    return code == EXIT_CODE_OK ? take_version(r) : code;
}

int command_report(const struct invocation *invocation)
{
    struct reporting reporting = {.invocation = invocation,
                                  .now_ms = system_clock()->wall_ms(system_clock())};
    unit_counters_init(&reporting.counters);
    int code = read_inputs(&reporting);
    if (code == EXIT_CODE_OK)
        code = read_redis(&reporting);
    if (code == EXIT_CODE_OK)
        code = make_and_print(&reporting);
    unit_counters_fini(&reporting.counters);
    if (reporting.versions)
        versions_destroy(reporting.versions);
    if (reporting.config)
        config_destroy(reporting.config);
    return code;
}
