#include "commands/run_agreements.h"

#include "agreement/signing.h"
#include "base/hash.h"
#include "base/log.h"
#include "commands/system_clock.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_EVERY_US 5000000

static int64_t wall_ms(void)
{
    return system_clock()->wall_ms(system_clock());
}

/* ---- What stands in their texts ---- */

/* Words of the language whose effect is not built yet. */
static bool words_are_good(const struct versions *versions, size_t index)
{
    size_t count;
    const struct agreement *agreement = versions_get(versions, index);
    const char *file = versions_file(versions, index);
    const struct agreement_word *refused = agreement_refused(agreement, &count);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr,
                      "%s:%u:%u: error: `%s` is not in force in this version, and would change "
                      "scores or promotions: take it out\n",
                      file, refused[i].line, refused[i].column, refused[i].word);
    bool good = count == 0;
    const struct agreement_word *idle = agreement_idle(agreement, &count);
    for (size_t i = 0; i < count; i++)
        log_warn("%s:%u:%u: `%s` is not in force in this version", file, idle[i].line,
                 idle[i].column, idle[i].word);
    return good;
}

/* What to type, so that the text is signed. */
static void tell_unsigned(const struct agreement *agreement, const char *file)
{
    for (int side = 0; side < SIGNING_SIDES; side++) {
        const char *name = signing_side_name((enum signing_side)side);
        const struct signature *signature = agreement_signature(agreement, (enum signing_side)side);
        if (agreement_is_signed(agreement, signature))
            continue;
        const char *why = !signature        ? "has not signed it"
                          : signature->hash ? "signed another text (baton check tells what has "
                                              "changed since)"
                                            : "has signed nothing: a name alone stands there";
        (void)fprintf(stderr, "%s: error: %s %s; to sign: baton sign --as %s --by NAME %s\n", file,
                      name, why, name, file);
    }
}

/* Those that are in force now, or will be. */
static bool all_are_signed(const struct versions *versions)
{
    const struct agreement *now = versions_at(versions, wall_ms());
    int64_t from_ms = agreement_compiled(now)->effective_ms;
    bool good = true;
    for (size_t i = 0; i < versions_count(versions); i++) {
        const struct agreement *agreement = versions_get(versions, i);
        if (agreement_compiled(agreement)->effective_ms < from_ms || agreement_is_agreed(agreement))
            continue;
        tell_unsigned(agreement, versions_file(versions, i));
        good = false;
    }
    if (!good)
        (void)fprintf(stderr, "An agreement is in force when both sides have signed it; to try one "
                              "that is not signed: baton run --unsigned\n");
    return good;
}

static void warn_of_dates(const struct versions *versions)
{
    struct text_buffer why;
    struct speech speech;
    text_buffer_init(&why);
    speech_init(&speech, LANGUAGE_EN, &why);
    if (!agreement_in_force(versions_at(versions, wall_ms()), wall_ms(), &speech))
        log_warn("%s", why.data);
    speech_fini(&speech);
    text_buffer_fini(&why);
}

/* NULL: what is wrong stands on stderr. */
static struct versions *load(const struct run_agreements *agreements)
{
    struct text_buffer messages;
    struct versions *versions;
    text_buffer_init(&messages);
    bool good = versions_load(agreements->path, &versions, &messages) == STATUS_OK;
    if (!good && messages.data)
        (void)fputs(messages.data, stderr);
    text_buffer_fini(&messages);
    for (size_t i = 0; good && i < versions_count(versions); i++)
        good = words_are_good(versions, i);
    good = good && (agreements->unsigned_too || all_are_signed(versions));
    if (good)
        return versions;
    versions_destroy(versions);
    return NULL;
}

/* ---- The set in force ---- */

static void put_in_force(struct run_agreements *agreements, struct versions *versions)
{
    agreements->sets =
        memory_resize(agreements->sets, (agreements->set_count + 1) * sizeof *agreements->sets);
    agreements->sets[agreements->set_count++] = versions;
    atomic_store_explicit(&agreements->current, versions, memory_order_release); /* it is whole */
    warn_of_dates(versions);
}

const struct versions *run_agreements_set(const struct run_agreements *agreements)
{
    return agreements->sets[agreements->set_count - 1];
}

const struct agreement *run_agreements_now(const struct run_agreements *agreements)
{
    return versions_at(run_agreements_set(agreements), wall_ms());
}

bool run_agreements_have_pact(const struct versions *versions)
{
    for (size_t i = 0; i < versions_count(versions); i++)
        if (agreement_compiled(versions_get(versions, i))->pact)
            return true;
    return false;
}

static bool is_same(const struct versions *one, const struct versions *other)
{
    bool same = versions_count(one) == versions_count(other);
    for (size_t i = 0; same && i < versions_count(one); i++)
        same = versions_find(other, agreement_hash(versions_get(one, i))) != NULL;
    return same;
}

void run_agreements_tell_moved(const struct config *config)
{
    struct text_buffer ignored;
    struct config *now;
    text_buffer_init(&ignored);
    if (config_load(config->file_name, &now, &ignored) == STATUS_OK) {
        if (strcmp(now->agreement, config->agreement) != 0)
            log_warn("%s: `agreement` says %s now, and said %s at the start: the configuration is "
                     "read at the start only, so this takes a restart",
                     config->file_name, now->agreement, config->agreement);
        config_destroy(now);
    }
    text_buffer_fini(&ignored);
}

void run_agreements_reload(struct run_agreements *agreements,
                           bool (*good)(void *context, const struct versions *versions),
                           void *context)
{
    struct versions *versions = load(agreements);
    if (versions && is_same(versions, run_agreements_set(agreements))) {
        log_info("%s: read anew, and nothing in it has changed", agreements->path);
        versions_destroy(versions);
        return;
    }
    if (!versions || !good(context, versions)) {
        log_error("%s: what stands there now is not taken over: the former agreement stays in "
                  "force until this is mended%s",
                  agreements->path,
                  agreements->watched ? " (the folder is watched)" : " and read anew (SIGHUP)");
        versions_destroy(versions);
        return;
    }
    put_in_force(agreements, versions);
    const struct agreement *now = run_agreements_now(agreements);
    log_info("%s: read anew: %zu versions, in force now is %s version %" PRIu32 " (%.8s)",
             agreements->path, versions_count(versions), agreement_name(now),
             agreement_version(now), agreement_hash(now));
}

/* ---- A folder that is watched ---- */

/* Of all its files together, whatever their order. */
static uint64_t look_at(const char *path)
{
    DIR *folder = opendir(path);
    uint64_t all = 0;
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat found;
        if (fstatat(dirfd(folder), entry->d_name, &found, 0) != 0 || !S_ISREG(found.st_mode))
            continue;
        const int64_t parts[] = {found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
                                 (int64_t)found.st_ino};
        all += hash64(parts, sizeof parts, hash64(entry->d_name, strlen(entry->d_name), 0));
    }
    (void)closedir(folder);
    return all;
}

bool run_agreements_changed(struct run_agreements *agreements)
{
    int64_t now = system_clock()->monotonic_us(system_clock());
    if (!agreements->watched || now < agreements->look_us)
        return false;
    agreements->look_us = now + LOOK_EVERY_US;
    uint64_t seen = look_at(agreements->path);
    bool changed = seen != agreements->seen;
    agreements->seen = seen;
    return changed;
}

/* ---- A life ---- */

bool run_agreements_init(struct run_agreements *agreements, const char *path, bool watch,
                         bool unsigned_too)
{
    struct stat found;
    *agreements = (struct run_agreements){.path = path, .unsigned_too = unsigned_too};
    agreements->watched = watch && stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    agreements->seen = look_at(path); /* before it is read: a later change is seen */
    agreements->look_us = system_clock()->monotonic_us(system_clock()) + LOOK_EVERY_US;
    struct versions *versions = load(agreements);
    if (versions)
        put_in_force(agreements, versions);
    return versions != NULL;
}

void run_agreements_fini(struct run_agreements *agreements)
{
    for (size_t i = 0; i < agreements->set_count; i++)
        versions_destroy(agreements->sets[i]);
    free(agreements->sets);
}
