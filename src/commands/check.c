#include "commands/json_out.h"
#include "commands/setup.h"

#include <stdio.h>
#include <string.h>

struct findings_of_check {
    struct text_buffer messages;
    struct config *config;
    struct agreement *agreement;
    bool bad;
};

static void check_files(const struct invocation *invocation, struct findings_of_check *found)
{
    const char *path = invocation->argument_count ? invocation->arguments[0] : NULL;
    if (!path) {
        found->bad =
            config_load(invocation->config_path, &found->config, &found->messages) != STATUS_OK;
        if (found->bad)
            return;
        path = found->config->agreement;
    }
    found->bad = agreement_load(path, &found->agreement, &found->messages) != STATUS_OK;
}

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

static void print_json(const struct findings_of_check *found, const struct text_buffer *sentences)
{
    json_t *object = json_object();
    json_object_set_new(object, "ok", json_boolean(!found->bad));
    json_object_set_new(object, "messages", lines_of(&found->messages));
    if (found->agreement) {
        json_object_set_new(object, "agreement", json_string(agreement_name(found->agreement)));
        json_object_set_new(object, "version", json_integer(agreement_version(found->agreement)));
        json_object_set_new(object, "hash", json_string(agreement_hash(found->agreement)));
        json_object_set_new(object, "sentences", lines_of(sentences));
    }
    json_print_line_take(object);
}

int command_check(const struct invocation *invocation)
{
    struct findings_of_check found = {0};
    struct text_buffer sentences;
    text_buffer_init(&found.messages);
    text_buffer_init(&sentences);
    check_files(invocation, &found);
    if (found.agreement)
        agreement_sentences(found.agreement, &sentences);
    if (invocation->json) {
        print_json(&found, &sentences);
    } else {
        if (found.messages.size)
            (void)fwrite(found.messages.data, 1, found.messages.size, stderr);
        if (sentences.size)
            (void)fwrite(sentences.data, 1, sentences.size, stdout);
        if (found.agreement)
            setup_tell_dates(found.agreement);
    }
    if (found.agreement)
        agreement_destroy(found.agreement);
    if (found.config)
        config_destroy(found.config);
    text_buffer_fini(&found.messages);
    text_buffer_fini(&sentences);
    return found.bad ? EXIT_CODE_BAD_INPUT : EXIT_CODE_OK;
}
