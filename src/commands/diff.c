/* baton diff: what a second text of an agreement changes. */
#include "agreement/diff.h"
#include "commands/json_out.h"
#include "commands/setup.h"
#include "commands/signatures.h"

#include <stdio.h>

static json_t *text_object(const struct agreement *agreement)
{
    json_t *object = json_object();
    json_object_set_new(object, "agreement", json_string(agreement_name(agreement)));
    json_object_set_new(object, "version", json_integer(agreement_version(agreement)));
    json_object_set_new(object, "hash", json_string(agreement_hash(agreement)));
    return object;
}

static void print_json(const struct agreement *before, const struct agreement *after,
                       enum language language)
{
    json_t *object = json_object();
    json_object_set_new(object, "before", text_object(before));
    json_object_set_new(object, "after", text_object(after));
    json_object_set_new(object, "changes", changes_json(before, after, language));
    json_print_line_take(object);
}

static void print_text(const struct agreement *before, const struct agreement *after,
                       enum language language)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, language, &out);
    say(&speech, MESSAGE_DIFF_HEAD, {"old", agreement_name(before)},
        {"before", speech_print(&speech, "%u", agreement_version(before))},
        {"new", agreement_name(after)},
        {"after", speech_print(&speech, "%u", agreement_version(after))});
    text_buffer_add_text(&out, "\n");
    agreement_diff(before, after, language, "  ", &out);
    (void)fwrite(out.data, 1, out.size, stdout);
    speech_fini(&speech);
    text_buffer_fini(&out);
}

int command_diff(const struct invocation *invocation)
{
    struct agreement *before = NULL, *after = NULL;
    struct config *config;
    enum language language;
    setup_config_quietly(invocation, &config);
    bool good = setup_language(invocation, config, &language);
    if (config)
        config_destroy(config);
    if (!good)
        return EXIT_CODE_USAGE;
    int code = setup_agreement(invocation->arguments[0], language, false, &before);
    if (setup_agreement(invocation->arguments[1], language, false, &after) != EXIT_CODE_OK)
        code = EXIT_CODE_BAD_INPUT;
    if (code == EXIT_CODE_OK)
        (invocation->json ? print_json : print_text)(before, after, language);
    agreement_destroy(before);
    agreement_destroy(after);
    return code;
}
