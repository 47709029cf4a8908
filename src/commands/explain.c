#include "commands/explain_parts.h"
#include "commands/lead_lookup.h"
#include "commands/setup.h"

#include <stdio.h>
#include <string.h>

/* In the order in which they are told. */
static void (*const parts[])(const struct explanation *lead) = {
    explain_stage, explain_clocks, explain_points, explain_gate, explain_touches,
};

static json_t *lines_of(const struct text_buffer *text)
{
    json_t *lines = json_array();
    for (const char *at = text->data; at && *at;) {
        size_t size = strcspn(at, "\n"), blanks = strspn(at, " ");
        if (size)
            json_array_append_new(lines, json_stringn(at + blanks, size - blanks));
        at += size + (at[size] == '\n');
    }
    return lines;
}

static void explain(const struct lead_lookup *found, enum language language)
{
    const struct baton_lead *lead = &found->lead;
    struct text_buffer out;
    struct speech speech;
    struct explanation explanation = {
        .source = found->source,
        .agreement = agreement_compiled(found->source),
        .lead = lead,
        .words = &found->words,
        .id = found->id,
        .told_ms = found->told_ms,
        .erased = found->erased,
        .erased_ms = found->erased_ms,
        .at_ms = found->at_ms > lead->newest_ms ? found->at_ms : lead->newest_ms,
        .speech = &speech,
        .data = json_object(),
    };
    text_buffer_init(&out);
    speech_init(&speech, language, &out);
    baton_lead_score(lead, explanation.agreement, explanation.at_ms, &explanation.score);
    bool whose = explain_whose(&explanation);
    for (size_t i = 0; !whose && i < sizeof parts / sizeof *parts; i++)
        parts[i](&explanation);
    if (found->invocation->json) {
        json_object_set_new(explanation.data, "sentences", lines_of(&out));
        json_print_line_take(explanation.data);
    } else {
        (void)fwrite(out.data, 1, out.size, stdout);
        json_decref(explanation.data);
    }
    speech_fini(&speech);
    text_buffer_fini(&out);
}

int command_explain(const struct invocation *invocation)
{
    enum language language;
    struct lead_lookup found;
    if (!setup_language(invocation, NULL, &language))
        return EXIT_CODE_USAGE;
    int code = lead_lookup(invocation, &found);
    if (code == EXIT_CODE_OK) {
        explain(&found, found.language);
        setup_tell_dates(found.source, found.language);
    }
    lead_lookup_fini(&found);
    return code;
}
