/* baton sign: a side's signature of an agreement, into its text. */
#include "agreement/signing.h"

#include "commands/json_out.h"
#include "commands/setup.h"
#include "commands/signatures.h"
#include "commands/system_clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct sign {
    const struct invocation *invocation;
    struct config *config;
    enum language language;
    const char *path, *by;
    enum signing_side side;
    char date[11];
    struct agreement *agreement;
    struct text_buffer text, kept_path;
    bool same; /* the text has this very signature already */
};

/* ---- What was asked for ---------------------------------------------------------------------- */

static int read_options(struct sign *sign)
{
    const struct invocation *invocation = sign->invocation;
    const char *as = invocation_option(invocation, "--as");
    sign->by = invocation_option(invocation, "--by");
    if (!as || !signing_side_find(as, &sign->side))
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "--as wants marketing or sales: the side that signs%s%s",
                            as ? ", not " : "", as ? as : "");
    if (!sign->by)
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "--by wants the name of the person who signs for %s", as);
    return EXIT_CODE_OK;
}

static int find_file(struct sign *sign)
{
    const struct invocation *invocation = sign->invocation;
    sign->path = invocation->argument_count ? invocation->arguments[0] : NULL;
    if (sign->path)
        setup_config_quietly(invocation, &sign->config);
    else if (setup_config(invocation, &sign->config) != EXIT_CODE_OK)
        return EXIT_CODE_BAD_INPUT;
    if (!sign->path)
        sign->path = sign->config->agreement;
    struct stat found;
    if (stat(sign->path, &found) == 0 && S_ISDIR(found.st_mode))
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "%s is a folder of versions: name the file that is signed", sign->path);
    return setup_language(invocation, sign->config, &sign->language) ? EXIT_CODE_OK
                                                                     : EXIT_CODE_USAGE;
}

/* 2026-11-01, and a day that there is. */
static bool is_date(const char *text)
{
    struct tm day = {0};
    char again[16];
    const char *end = strptime(text, "%Y-%m-%d", &day);
    time_t time = timegm(&day);
    return end && !*end && gmtime_r(&time, &day) &&
           strftime(again, sizeof again, "%Y-%m-%d", &day) == 10 && strcmp(again, text) == 0;
}

/* Without --date the day is today's, where the agreement counts its days. */
static int read_date(struct sign *sign)
{
    const char *given = invocation_option(sign->invocation, "--date");
    if (given && !is_date(given))
        return command_fail(sign->invocation, EXIT_CODE_USAGE,
                            "--date wants a day like 2026-11-01, not %s", given);
    int64_t now = system_clock()->wall_ms(system_clock());
    struct text_buffer today;
    text_buffer_init(&today);
    text_buffer_add_time(&today, agreement_local_ms(sign->agreement, now));
    (void)snprintf(sign->date, sizeof sign->date, "%.10s", today.data);
    text_buffer_fini(&today);
    if (given && strcmp(given, sign->date) > 0)
        return command_fail(sign->invocation, EXIT_CODE_USAGE,
                            "--date wants a day that has come: %s is after today, %s", given,
                            sign->date);
    if (given)
        memcpy(sign->date, given, sizeof sign->date);
    return EXIT_CODE_OK;
}

/* ---- Signing --------------------------------------------------------------------------------- */

static int write_text(struct sign *sign)
{
    struct error error;
    const char *hash = agreement_hash(sign->agreement);
    struct baton_text source = agreement_text(sign->agreement);
    enum status status =
        signing_write(sign->agreement, sign->side, sign->by, sign->date, &sign->text, &error);
    if (status == STATUS_OK) {
        sign->same = source.size == sign->text.size &&
                     memcmp(source.data, sign->text.data, source.size) == 0;
        status = signing_save(sign->path, hash, &sign->text, &error);
        signing_kept_path(sign->path, hash, &sign->kept_path);
    }
    if (status != STATUS_OK)
        return command_fail(sign->invocation, EXIT_CODE_BAD_INPUT, "%s: %s", sign->path,
                            error.text);
    return EXIT_CODE_OK;
}

/* The text as it stands in the file now. */
static int read_again(struct sign *sign)
{
    agreement_destroy(sign->agreement);
    return setup_agreement(sign->path, sign->language, false, &sign->agreement);
}

static void say_other_side(const struct sign *sign, struct speech *speech)
{
    enum signing_side other = sign->side == SIGNING_SALES ? SIGNING_MARKETING : SIGNING_SALES;
    const char *name = signing_side_name(other);
    if (agreement_is_agreed(sign->agreement))
        say_plain(speech, MESSAGE_SIGN_AGREED);
    else
        say(speech, MESSAGE_SIGN_MISSING, {"side", signatures_side(speech, name)},
            {"command", signatures_command(speech, name, sign->path)});
    text_buffer_add_text(speech->out, "\n");
}

static void print_text(const struct sign *sign)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, sign->language, &out);
    say(&speech, sign->same ? MESSAGE_SIGN_SAME : MESSAGE_SIGN_DONE, {"file", sign->path},
        {"side", signatures_side(&speech, signing_side_name(sign->side))}, {"by", sign->by},
        {"date", speech_date(&speech, sign->date)}, {"hash", agreement_hash(sign->agreement)});
    text_buffer_add_text(&out, "\n");
    if (!sign->same) {
        say(&speech, MESSAGE_SIGN_KEPT, {"path", sign->kept_path.data});
        text_buffer_add_text(&out, "\n");
    }
    say_other_side(sign, &speech);
    (void)fwrite(out.data, 1, out.size, stdout);
    speech_fini(&speech);
    text_buffer_fini(&out);
}

static void print_json(const struct sign *sign)
{
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(sign->path));
    json_object_set_new(object, "hash", json_string(agreement_hash(sign->agreement)));
    json_object_set_new(object, "kept", json_string(sign->kept_path.data));
    json_object_set_new(object, "changed", json_boolean(!sign->same));
    json_object_set_new(object, "signatures",
                        signatures_json(sign->agreement, sign->path, sign->language));
    json_print_line_take(object);
}

static int act(struct sign *sign)
{
    int code = read_options(sign);
    if (code == EXIT_CODE_OK)
        code = find_file(sign);
    if (code == EXIT_CODE_OK)
        code = setup_agreement(sign->path, sign->language, false, &sign->agreement);
    if (code == EXIT_CODE_OK)
        code = read_date(sign);
    if (code == EXIT_CODE_OK)
        code = write_text(sign);
    if (code == EXIT_CODE_OK)
        code = read_again(sign);
    if (code == EXIT_CODE_OK)
        (sign->invocation->json ? print_json : print_text)(sign);
    return code;
}

int command_sign(const struct invocation *invocation)
{
    struct sign sign = {.invocation = invocation};
    text_buffer_init(&sign.text);
    text_buffer_init(&sign.kept_path);
    int code = act(&sign);
    agreement_destroy(sign.agreement);
    if (sign.config)
        config_destroy(sign.config);
    text_buffer_fini(&sign.text);
    text_buffer_fini(&sign.kept_path);
    return code;
}
