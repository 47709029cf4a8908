/* baton check: what is wrong with an agreement, or with the versions of one in a folder, and with
 * what the configuration names beside it; and the one in force in sentences. */
#include "agreement/signing.h"
#include "agreement/versions.h"
#include "commands/check_history.h"
#include "commands/json_out.h"
#include "commands/run_shadow.h"
#include "commands/setup.h"
#include "commands/signatures.h"
#include "commands/system_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_MS INT64_C(86400000)

/* A text that was looked at. */
struct looked_at {
    const char *path; /* borrowed */
    struct findings findings;
};

struct check {
    const struct invocation *invocation;
    enum language language;
    const char *path; /* of the agreement; NULL: there is none to look at */
    bool folder;      /* … or of its versions */
    struct config *config;
    bool configured; /* the configuration is meant: what it names is looked at, its Redis asked */
    struct text_buffer messages; /* of the configuration, in English, then of the agreements */
    char **files;
    size_t file_count;
    struct looked_at *texts; /* an agreement of each file, and the shadow */
    size_t text_count;
    struct versions *versions;         /* NULL: there is an error in them */
    const struct agreement *agreement; /* the one of them that is in force now */
    struct agreement *shadow;
    struct text_buffer history; /* why there is none; empty: there is, or nobody asks */
    bool bad;
};

/* The configuration, where the agreement's path or its language may come from. */
static void check_configuration(struct check *check)
{
    const struct invocation *invocation = check->invocation;
    check->path = invocation->argument_count ? invocation->arguments[0] : NULL;
    if (check->path && !invocation->config_given) {
        setup_config_quietly(invocation, &check->config);
        return;
    }
    check->bad =
        config_load(invocation->config_path, &check->config, &check->messages) != STATUS_OK;
    check->configured = !check->bad;
    if (check->bad)
        check->path = NULL;
    else if (!check->path)
        check->path = check->config->agreement;
    if (check->configured && !setup_schemas_are_there(check->config, &check->messages))
        check->bad = true;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static struct agreement *read_text(struct check *check, const char *path)
{
    struct looked_at *text = &check->texts[check->text_count++];
    struct agreement *agreement;
    text->path = path;
    findings_init(&text->findings, check->language);
    if (agreement_read_file(path, &agreement, &text->findings) != STATUS_OK)
        check->bad = true;
    return agreement;
}

static bool is_to_come(const struct check *check, const struct agreement *agreement)
{
    return agreement_compiled(agreement)->effective_ms >=
           agreement_compiled(check->agreement)->effective_ms;
}

static struct findings *findings_of(struct check *check, const char *path)
{
    size_t i = 0;
    while (check->texts[i].path != path && strcmp(check->texts[i].path, path) != 0)
        i++;
    return &check->texts[i].findings;
}

/* What `baton run` would take the configured agreement, or this folder, for. */
static void warn_of_unsigned(struct check *check)
{
    for (size_t i = 0; i < versions_count(check->versions); i++) {
        const struct agreement *agreement = versions_get(check->versions, i);
        if (is_to_come(check, agreement) && !agreement_is_agreed(agreement))
            findings_add(findings_of(check, versions_file(check->versions, i)), true,
                         (struct finding_place){0, 0}, MESSAGE_FINDING_NOT_AGREED, NULL);
    }
}

static void warn_of_reviews(struct check *check)
{
    int64_t now_ms = system_clock()->wall_ms(system_clock());
    for (size_t i = 0; i < versions_count(check->versions); i++) {
        const struct agreement *agreement = versions_get(check->versions, i);
        const struct baton_pact *pact = agreement_compiled(agreement)->pact;
        if (pact && pact->review_next != INT32_MIN && is_to_come(check, agreement) &&
            pact->review_next < agreement_local_ms(agreement, now_ms) / DAY_MS)
            findings_add(findings_of(check, versions_file(check->versions, i)), true,
                         agreement_review_place(agreement), MESSAGE_FINDING_REVIEW_OVER, NULL);
    }
}

static void check_versions(struct check *check)
{
    struct versions *versions = versions_create();
    bool good = check->file_count > 0;
    for (size_t i = 0; i < check->file_count; i++) {
        struct agreement *agreement = read_text(check, check->files[i]);
        good &= agreement != NULL;
        if (agreement)
            versions_add(versions, agreement, check->files[i]);
    }
    if (versions_count(versions))
        good = versions_fit(versions, &check->messages) && good;
    check->bad |= !good;
    if (!good) {
        versions_destroy(versions);
        return;
    }
    check->versions = versions;
    check->agreement = versions_at(versions, system_clock()->wall_ms(system_clock()));
    warn_of_reviews(check);
    if (check->folder || check->configured)
        warn_of_unsigned(check);
}

static void check_shadow(struct check *check)
{
    struct error error;
    if (!check->configured || !*check->config->shadow)
        return;
    check->shadow = read_text(check, check->config->shadow);
    const struct agreement *rests = NULL;
    if (check->shadow && check->versions)
        rests = run_shadow_rests_beside(check->shadow, check->versions, &error);
    if (!rests)
        return;
    text_buffer_print(&check->messages, "%s: error: beside version %" PRIu32 ": %s\n",
                      check->config->shadow, agreement_version(rests), error.text);
    check->bad = true;
}

/* The file of the version in force. */
static const char *file_in_force(const struct check *check)
{
    size_t i = 0;
    while (versions_get(check->versions, i) != check->agreement)
        i++;
    return versions_file(check->versions, i);
}

static void check_agreements(struct check *check)
{
    struct stat found;
    if (!check->path)
        return;
    check->folder = stat(check->path, &found) == 0 && S_ISDIR(found.st_mode);
    check->files = versions_files(check->path, &check->file_count, &check->messages);
    check->bad |= !check->files;
    check->texts = memory_take_zeroed(check->file_count + 1, sizeof *check->texts);
    check_versions(check);
    check_shadow(check);
    if (check->agreement && check->configured)
        check_history(check->config, check->agreement, findings_of(check, file_in_force(check)),
                      &check->history);
    for (size_t i = 0; i < check->text_count; i++)
        findings_print(&check->texts[i].findings, check->texts[i].path, &check->messages);
}

/* ---- Versions -------------------------------------------------------------------------------- */

enum version_state { VERSION_BEFORE, VERSION_NOW, VERSION_NEXT };

static enum version_state state_of(const struct check *check, const struct agreement *agreement)
{
    if (agreement == check->agreement)
        return VERSION_NOW;
    return is_to_come(check, agreement) ? VERSION_NEXT : VERSION_BEFORE;
}

/* The day from which on it is in force, where it counts its days; "": from ever. */
static const char *day_of(const struct agreement *agreement, struct speech *speech)
{
    int64_t effective_ms = agreement_compiled(agreement)->effective_ms;
    struct text_buffer time;
    if (effective_ms == INT64_MIN)
        return "";
    text_buffer_init(&time);
    text_buffer_add_time(&time, agreement_local_ms(agreement, effective_ms));
    const char *day = speech_print(speech, "%.10s", time.data);
    text_buffer_fini(&time);
    return day;
}

static void say_version(const struct check *check, size_t index, struct speech *speech)
{
    const struct agreement *agreement = versions_get(check->versions, index);
    enum version_state state = state_of(check, agreement);
    const char *day = day_of(agreement, speech);
    int64_t now_ms = system_clock()->wall_ms(system_clock());
    bool early = agreement_compiled(agreement)->effective_ms > now_ms;
    text_buffer_add_text(speech->out, "  ");
    say(speech,
        state == VERSION_BEFORE ? MESSAGE_VERSION_WAS
        : state == VERSION_NEXT ? MESSAGE_VERSION_NEXT
        : early                 ? MESSAGE_VERSION_FIRST
                                : MESSAGE_VERSION_NOW,
        {"file", versions_file(check->versions, index)},
        {"version", speech_print(speech, "%" PRIu32, agreement_version(agreement))},
        {"date", *day ? speech_date(speech, day) : ""});
    text_buffer_add_text(speech->out, "\n");
}

/* Which is in force, and which takes over when. */
static void say_versions(const struct check *check, struct text_buffer *out)
{
    struct speech speech;
    speech_init(&speech, check->language, out);
    say(&speech, MESSAGE_VERSIONS_HEAD, {"path", check->path});
    text_buffer_add_text(out, "\n");
    for (size_t i = 0; i < versions_count(check->versions); i++)
        say_version(check, i, &speech);
    text_buffer_add_text(out, "\n");
    speech_fini(&speech);
}

static void say_signatures(const struct check *check, struct text_buffer *out)
{
    struct speech speech;
    speech_init(&speech, check->language, out);
    for (size_t i = 0; i < versions_count(check->versions); i++) {
        const char *file = versions_file(check->versions, i);
        const struct agreement *agreement = versions_get(check->versions, i);
        text_buffer_add_text(out, "\n");
        if (check->folder) {
            say(&speech, MESSAGE_VERSION_SIGNATURES, {"file", file});
            text_buffer_add_text(out, "\n");
        }
        signatures_say(agreement, file, check->language, out);
        if (agreement_is_agreed(agreement) || !is_to_come(check, agreement))
            continue;
        say_plain(&speech, MESSAGE_SIGNED_REFUSED);
        text_buffer_add_text(out, "\n");
    }
    speech_fini(&speech);
}

static json_t *version_object(const struct check *check, size_t index)
{
    static const char *const states[] = {"before", "now", "next"};
    const struct agreement *agreement = versions_get(check->versions, index);
    const char *file = versions_file(check->versions, index);
    struct speech speech;
    speech_init(&speech, check->language, NULL);
    const char *day = day_of(agreement, &speech);
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(file));
    json_object_set_new(object, "version", json_integer(agreement_version(agreement)));
    json_object_set_new(object, "hash", json_string(agreement_hash(agreement)));
    json_object_set_new(object, "effective", *day ? json_string(day) : json_null());
    json_object_set_new(object, "state", json_string(states[state_of(check, agreement)]));
    json_object_set_new(object, "agreed", json_boolean(agreement_is_agreed(agreement)));
    json_object_set_new(object, "signatures", signatures_json(agreement, file, check->language));
    speech_fini(&speech);
    return object;
}

/* ---- To people and programs ------------------------------------------------------------------ */

static json_t *lines_of(const struct text_buffer *text)
{
    json_t *lines = json_array();
    for (const char *at = text->data; at && *at;) {
        size_t size = strcspn(at, "\n");
        json_array_append_new(lines, json_stringn(at, size));
        at += size + (at[size] == '\n');
    }
    return lines;
}

/* What a program may act on: its code does not change with the language. */
static json_t *finding_object(struct looked_at *text, const struct finding *finding)
{
    json_t *object = json_object();
    json_object_set_new(object, "severity", json_string(finding_severity(finding)));
    json_object_set_new(object, "code", json_string(finding_code(&text->findings, finding)));
    json_object_set_new(object, "file", json_string(text->path));
    if (finding->place.line) {
        json_object_set_new(object, "line", json_integer(finding->place.line));
        json_object_set_new(object, "column", json_integer(finding->place.column));
    }
    json_object_set_new(object, "text", json_string(finding->text));
    return object;
}

static json_t *all_findings(struct check *check)
{
    json_t *list = json_array();
    for (size_t i = 0; i < check->text_count; i++)
        for (uint32_t k = 0; k < check->texts[i].findings.count; k++)
            json_array_append_new(
                list, finding_object(&check->texts[i], &check->texts[i].findings.items[k]));
    return list;
}

static void set_agreement(const struct check *check, json_t *object)
{
    struct text_buffer sentences;
    json_t *versions = json_array();
    text_buffer_init(&sentences);
    agreement_sentences(check->agreement, check->language, &sentences);
    for (size_t i = 0; i < versions_count(check->versions); i++)
        json_array_append_new(versions, version_object(check, i));
    json_object_set_new(object, "agreement", json_string(agreement_name(check->agreement)));
    json_object_set_new(object, "version", json_integer(agreement_version(check->agreement)));
    json_object_set_new(object, "hash", json_string(agreement_hash(check->agreement)));
    json_object_set_new(object, "sentences", lines_of(&sentences));
    json_object_set_new(object, "history",
                        check->history.size ? json_string(check->history.data) : json_null());
    json_object_set_new(object, "signatures",
                        signatures_json(check->agreement, file_in_force(check), check->language));
    json_object_set_new(object, "versions", versions);
    text_buffer_fini(&sentences);
}

static void print_json(struct check *check)
{
    json_t *object = json_object();
    json_object_set_new(object, "ok", json_boolean(!check->bad));
    json_object_set_new(object, "messages", lines_of(&check->messages));
    json_object_set_new(object, "findings", all_findings(check));
    if (check->agreement)
        set_agreement(check, object);
    json_print_line_take(object);
}

static void print_text(struct check *check)
{
    struct text_buffer out;
    if (check->messages.size)
        (void)fwrite(check->messages.data, 1, check->messages.size, stderr);
    if (!check->agreement)
        return;
    text_buffer_init(&out);
    if (check->folder)
        say_versions(check, &out);
    agreement_sentences(check->agreement, check->language, &out);
    if (check->history.size)
        text_buffer_print(&out, "\n%s\n", check->history.data);
    say_signatures(check, &out);
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
    setup_tell_dates(check->agreement, check->language);
}

static int look(struct check *check)
{
    check_configuration(check);
    if (!setup_language(check->invocation, check->config, &check->language))
        return EXIT_CODE_USAGE;
    check_agreements(check);
    check->invocation->json ? print_json(check) : print_text(check);
    return check->bad ? EXIT_CODE_BAD_INPUT : EXIT_CODE_OK;
}

int command_check(const struct invocation *invocation)
{
    struct check check = {.invocation = invocation};
    text_buffer_init(&check.messages);
    text_buffer_init(&check.history);
    int code = look(&check);
    for (size_t i = 0; i < check.text_count; i++)
        findings_fini(&check.texts[i].findings);
    free(check.texts);
    versions_files_free(check.files, check.file_count);
    versions_destroy(check.versions);
    agreement_destroy(check.shadow);
    if (check.config)
        config_destroy(check.config);
    text_buffer_fini(&check.messages);
    text_buffer_fini(&check.history);
    return code;
}
