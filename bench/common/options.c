#include "common/options.h"

#include "base/nearest.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

struct unit {
    const char *name;
    double factor;
};
static const struct unit thousands[] = {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0}};
static const struct unit bytes[] = {{"B", 1},
                                    {"k", 1e3},
                                    {"kB", 1e3},
                                    {"M", 1e6},
                                    {"MB", 1e6},
                                    {"G", 1e9},
                                    {"GB", 1e9},
                                    {"KiB", 1024},
                                    {"MiB", 1024.0 * 1024},
                                    {"GiB", 1024.0 * 1024 * 1024},
                                    {NULL, 0}};
static const struct unit times[] = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60},
                                    {"h", 3600},  {"d", 86400}, {NULL, 0}};
static const struct unit percent[] = {{"%", 0.01}, {NULL, 0}};
static const struct unit none[] = {{NULL, 0}};

/* What is told of a kind: how it is called, examples, its units. */
static const struct kind {
    const char *placeholder, *meaning;
    const struct unit *units;
} kinds[] = {
    [OPTION_COUNT] = {"N", "a number such as 5000000, 200k or 5M", thousands},
    [OPTION_BYTES] = {"BYTES", "a size such as 240, 2KiB or 64MiB", bytes},
    [OPTION_DURATION] = {"TIME", "a time such as 500ms, 30s, 5m or 2h", times},
    [OPTION_RATE] = {"RATE", "a number per second such as 50000, 100k or 1.5M", thousands},
    [OPTION_SHARE] = {"SHARE", "a share from 0 to 1 such as 0.02 or 2%", percent},
    [OPTION_REAL] = {"NUMBER", "a number such as 1.0", none},
    [OPTION_TEXT] = {"TEXT", "a text", NULL},
    [OPTION_CHOICE] = {NULL, NULL, NULL},
    [OPTION_FLAG] = {NULL, NULL, NULL},
    [OPTION_PROPERTIES] = {"KEY=VALUE", "of the form key=value", NULL},
};

static void *place_of(const struct option *row, void *values)
{
    return (char *)values + row->offset;
}

/* ---- Values ---- */

static bool read_number(const char *text, const struct unit *units, double *number)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    if (end == text || errno != 0 || !isfinite(*number))
        return false;
    if (!*end)
        return true;
    for (const struct unit *unit = units; unit->name; unit++)
        if (strcmp(end, unit->name) == 0) {
            *number *= unit->factor;
            return true;
        }
    return false;
}

static bool take_number(const struct option *row, const char *text, void *place, char *why,
                        size_t size)
{
    double number, most = row->kind == OPTION_SHARE ? 1 : row->most;
    (void)snprintf(why, size, "is not %s", kinds[row->kind].meaning);
    if (!read_number(text, kinds[row->kind].units, &number))
        return false;
    bool whole = row->kind == OPTION_COUNT || row->kind == OPTION_BYTES;
    number = whole ? nearbyint(number * 1e6) / 1e6 : number; /* 1.1M is not quite whole */
    if (whole && (number < 0 || number > 9e15 || number != floor(number)))
        return false;
    if (number < row->least || (most > 0 && number > most)) {
        (void)(most > 0 ? snprintf(why, size, "is not from %.15g to %.15g", row->least, most)
                        : snprintf(why, size, "is less than %.15g", row->least));
        return false;
    }
    if (whole)
        *(uint64_t *)place = (uint64_t)number;
    else
        *(double *)place = number;
    return true;
}

static bool take_choice(const struct option *row, const char *text, void *place, char *why,
                        size_t size)
{
    size_t length = strlen(text);
    for (const char *at = row->choices; at && *at;) {
        size_t one = strcspn(at, "|");
        if (one == length && memcmp(at, text, one) == 0) {
            *(const char **)place = text;
            return true;
        }
        at += one + (at[one] == '|');
    }
    (void)snprintf(why, size, "is none of %s", row->choices);
    return false;
}

static bool take_property(const char *text, struct option_properties *properties, char *why,
                          size_t size)
{
    const char *equals = strchr(text, '=');
    (void)snprintf(why, size, "is not of the form key=value");
    if (!equals || equals == text)
        return false;
    (void)snprintf(why, size, "is one too many: %d are allowed", OPTION_PROPERTIES_MAX);
    if (properties->count == OPTION_PROPERTIES_MAX)
        return false;
    struct option_property *property = &properties->items[properties->count];
    size_t length = (size_t)(equals - text);
    (void)snprintf(why, size, "has a key that no property has");
    if (length >= sizeof property->key)
        return false;
    memcpy(property->key, text, length);
    property->key[length] = '\0';
    property->value = equals + 1;
    properties->count++;
    return true;
}

static bool take_value(const struct option *row, const char *text, void *values, char *why,
                       size_t size)
{
    void *place = place_of(row, values);
    switch (row->kind) {
    case OPTION_TEXT: *(const char **)place = text; return true;
    case OPTION_CHOICE: return take_choice(row, text, place, why, size);
    case OPTION_FLAG: *(bool *)place = true; return true;
    case OPTION_PROPERTIES: return take_property(text, place, why, size);
    default: return take_number(row, text, place, why, size);
    }
}

static void set_nothing(const struct option *row, void *place)
{
    switch (row->kind) {
    case OPTION_COUNT:
    case OPTION_BYTES: *(uint64_t *)place = 0; break;
    case OPTION_TEXT:
    case OPTION_CHOICE: *(const char **)place = NULL; break;
    case OPTION_FLAG: *(bool *)place = false; break;
    case OPTION_PROPERTIES: ((struct option_properties *)place)->count = 0; break;
    default: *(double *)place = 0; break;
    }
}

static void set_defaults(const struct options *options, void *values)
{
    char why[160];
    for (size_t i = 0; i < options->count; i++) {
        const struct option *row = &options->rows[i];
        set_nothing(row, place_of(row, values));
        if (row->initial && !take_value(row, row->initial, values, why, sizeof why)) {
            (void)fprintf(stderr, "the default of --%s: '%s' %s\n", row->name, row->initial, why);
            abort(); /* a mistake in a table of ours */
        }
    }
}

/* ---- Help ---- */

static const char *placeholder(const struct option *row)
{
    if (row->kind == OPTION_CHOICE)
        return row->choices;
    return kinds[row->kind].placeholder ? kinds[row->kind].placeholder : "";
}

static void print_help(const struct options *options)
{
    (void)printf("usage: baton-bench %s [options]\n\n%s\n\n", options->command, options->summary);
    for (size_t i = 0; i < options->count; i++) {
        const struct option *row = &options->rows[i];
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s %s", row->name[1] ? "--" : "-", row->name,
                       placeholder(row));
        (void)printf("  %-22s %s", left, row->help);
        if (row->initial)
            (void)printf(" (default %s)", row->initial);
        (void)putchar('\n');
    }
    (void)printf("  %-22s %s\n", "--help", "this text");
}

/* ---- Errors ---- */

static int wrong(const struct options *options, const char *option, const char *value,
                 const char *why)
{
    (void)fprintf(stderr, "baton-bench %s: %s%s%s%s %s (see baton-bench %s --help)\n",
                  options->command, option, value ? ": '" : "", value ? value : "",
                  value ? "'" : ":", why, options->command);
    return EXIT_USAGE;
}

static int unknown(const struct options *options, const char *word)
{
    const char *names[128];
    size_t count = 0;
    for (size_t i = 0; i < options->count && count < sizeof names / sizeof *names; i++)
        if (options->rows[i].name[1])
            names[count++] = options->rows[i].name;
    const char *name = word + strspn(word, "-");
    const char *meant = *word == '-' ? nearest_word(name, strcspn(name, "="), names, count) : NULL;
    char why[160];
    if (meant)
        (void)snprintf(why, sizeof why, "there is no such option; did you mean --%s?", meant);
    else
        (void)snprintf(why, sizeof why, "there is no such option");
    return wrong(options, word, NULL, why);
}

/* ---- Reading ---- */

/* The row that argument `word` names; *value is behind its `=`, or NULL. */
static const struct option *find_row(const struct options *options, const char *word,
                                     const char **value)
{
    *value = NULL;
    if (word[0] != '-')
        return NULL;
    bool is_long = word[1] == '-';
    const char *name = word + 1 + is_long;
    size_t size = is_long ? strcspn(name, "=") : 1;
    for (size_t i = 0; i < options->count; i++) {
        const struct option *row = &options->rows[i];
        if (strlen(row->name) != size || memcmp(row->name, name, size) != 0 ||
            (row->name[1] == '\0') == is_long)
            continue;
        if (is_long && name[size] == '=')
            *value = name + size + 1;
        else if (!is_long && name[1])
            *value = name + 1;
        return row;
    }
    return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int options_read(const struct options *options, int argc, char **argv, void *values)
{
    char why[160];
    set_defaults(options, values);
    if (asks_for_help(argc, argv)) {
        print_help(options);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        const char *value, *word = argv[i];
        const struct option *row = find_row(options, word, &value);
        if (!row)
            return unknown(options, word);
        if (row->kind == OPTION_FLAG && value)
            return wrong(options, word, NULL, "takes no value");
        if (row->kind != OPTION_FLAG && !value) {
            if (i + 1 >= argc)
                return wrong(options, word, NULL, "a value is missing");
            value = argv[++i];
        }
        if (!take_value(row, value ? value : "", values, why, sizeof why)) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s%s", row->name[1] ? "--" : "-", row->name);
            return wrong(options, name, value, why);
        }
    }
    return -1;
}

bool options_mention(int argc, char **argv, const char *name)
{
    size_t size = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--", 2) == 0 && strncmp(argv[i] + 2, name, size) == 0 &&
            (argv[i][2 + size] == '\0' || argv[i][2 + size] == '='))
            return true;
    return false;
}
