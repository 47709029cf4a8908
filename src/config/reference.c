/* `baton config`: the table of parameters as a page, or as JSON. */
#include "config/parameters.h"
#include "config/units.h"

#include <inttypes.h>
#include <string.h>

static const char *type_name(const struct parameter *parameter)
{
    static const char *const names[] = {"text", "path", "true or false", "whole number",
                                        "time", "size", "choice",        "mapping"};
    return names[parameter->type];
}

static const char *unit_name(const struct parameter *parameter)
{
    switch (parameter->type) {
    case PARAMETER_DURATION: return "ms, s, m, h, d";
    case PARAMETER_SIZE: return "KB, MB, GB (1 KB = 1024 bytes)";
    default: return "";
    }
}

static void add_limits(struct text_buffer *out, const struct parameter *parameter)
{
    switch (parameter->type) {
    case PARAMETER_DURATION:
        units_add_duration(out, parameter->least);
        text_buffer_add_text(out, " to ");
        units_add_duration(out, parameter->most);
        break;
    case PARAMETER_SIZE:
        units_add_size(out, parameter->least);
        text_buffer_add_text(out, " to ");
        units_add_size(out, parameter->most);
        break;
    case PARAMETER_WHOLE:
        text_buffer_print(out, "%" PRId64 " to %" PRId64, parameter->least, parameter->most);
        break;
    case PARAMETER_TEXT:
    case PARAMETER_PATH:
        text_buffer_print(out, "%" PRId64 " to %" PRId64 " bytes", parameter->least,
                          parameter->most);
        break;
    case PARAMETER_FLAG: text_buffer_add_text(out, "true | false"); break;
    case PARAMETER_CHOICE:
        for (int i = 0; parameter->choices[i]; i++)
            text_buffer_print(out, "%s%s", i ? " | " : "", parameter->choices[i]);
        text_buffer_add_text(out, parameter->or_pairs ? " | a mapping" : "");
        break;
    case PARAMETER_PAIRS: text_buffer_add_text(out, "texts to texts"); break;
    }
}

static const char *initial_of(const struct parameter *parameter)
{
    if (parameter->type == PARAMETER_PAIRS)
        return "{}";
    return *parameter->initial ? parameter->initial : "\"\"";
}

static void print_plain(FILE *out, const struct parameter *parameter, const char *limits)
{
    (void)fprintf(out, "%s: %s\n", parameter->name, initial_of(parameter));
    (void)fprintf(out, "    %s; %s%s%s\n", type_name(parameter), limits,
                  *unit_name(parameter) ? "; units: " : "", unit_name(parameter));
    (void)fprintf(out, "    %s\n", parameter->text);
}

static void print_json_text(FILE *out, const char *name, const char *text, const char *end)
{
    (void)fprintf(out, "\"%s\":\"", name);
    for (const char *c = text; *c; c++)
        (void)fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    (void)fprintf(out, "\"%s", end);
}

static void print_json(FILE *out, const struct parameter *parameter, const char *limits, bool last)
{
    (void)fputs("  {", out);
    print_json_text(out, "name", parameter->name, ",");
    print_json_text(out, "type", type_name(parameter), ",");
    print_json_text(out, "default", parameter->initial, ",");
    print_json_text(out, "limits", limits, ",");
    print_json_text(out, "unit", unit_name(parameter), ",");
    print_json_text(out, "text", parameter->text, last ? "}\n" : "},\n");
}

void config_print_reference(FILE *out, bool json)
{
    struct text_buffer limits;
    text_buffer_init(&limits);
    (void)fputs(json ? "[\n" : "", out);
    for (size_t i = 0; i < parameter_count; i++) {
        text_buffer_clear(&limits);
        add_limits(&limits, &parameters[i]);
        if (json)
            print_json(out, &parameters[i], limits.data, i + 1 == parameter_count);
        else
            print_plain(out, &parameters[i], limits.data);
    }
    (void)fputs(json ? "]\n" : "", out);
    text_buffer_fini(&limits);
}
