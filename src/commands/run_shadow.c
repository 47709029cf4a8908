#include "commands/run_shadow.h"

#include "agreement/shadow.h"
#include "base/log.h"
#include "commands/system_clock.h"

#include <inttypes.h>
#include <stdio.h>

static bool words_refused(const struct agreement *shadow, const char *path)
{
    size_t count;
    const struct agreement_word *refused = agreement_refused(shadow, &count);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr,
                      "%s:%u:%u: error: `%s` is not in force in this version, and would change "
                      "scores or promotions: take it out\n",
                      path, refused[i].line, refused[i].column, refused[i].word);
    return count > 0;
}

static bool read(struct agreement **shadow, const char *path)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = agreement_load(path, shadow, &messages);
    if (status != STATUS_OK && messages.data)
        (void)fputs(messages.data, stderr);
    text_buffer_fini(&messages);
    return status == STATUS_OK && !words_refused(*shadow, path);
}

const struct agreement *run_shadow_rests_beside(const struct agreement *shadow,
                                                const struct versions *live, struct error *error)
{
    struct shadow *made;
    struct clock *clock = system_clock();
    int64_t from_ms = agreement_compiled(versions_at(live, clock->wall_ms(clock)))->effective_ms;
    for (size_t i = 0; i < versions_count(live); i++) {
        const struct agreement *version = versions_get(live, i);
        if (agreement_compiled(version)->effective_ms < from_ms)
            continue;
        if (shadow_create(shadow, version, &made, error) != STATUS_OK)
            return version;
        shadow_destroy(made);
    }
    return NULL;
}

bool run_shadow_load(struct agreement **shadow, const struct config *config,
                     const struct versions *live)
{
    struct error error;
    *shadow = NULL;
    if (!*config->shadow)
        return true;
    if (!read(shadow, config->shadow))
        return false;
    const struct agreement *rests = run_shadow_rests_beside(*shadow, live, &error);
    if (rests) {
        (void)fprintf(stderr, "%s: error: beside version %" PRIu32 ": %s\n", config->shadow,
                      agreement_version(rests), error.text);
        return false;
    }
    log_info("shadow %s version %u (%.8s) runs beside it, and only reports",
             agreement_name(*shadow), agreement_version(*shadow), agreement_hash(*shadow));
    return true;
}

void run_shadow_warn(const struct agreement *shadow, const struct versions *live)
{
    struct error error;
    const struct agreement *rests = shadow ? run_shadow_rests_beside(shadow, live, &error) : NULL;
    if (rests)
        log_warn("the shadow %s will rest while version %" PRIu32 " is in force: %s",
                 agreement_name(shadow), agreement_version(rests), error.text);
}
