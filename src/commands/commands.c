#include "commands/commands.h"

#include "base/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *find_command(const struct command *commands, size_t count,
                                          const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int command_fail(const struct invocation *invocation, int code, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    (void)fflush(stdout);
    (void)fprintf(stderr, "baton %s: %s\n", invocation->command->name, text);
    return code;
}

int command_fail_status(const struct invocation *invocation, const struct error *error)
{
    return command_fail(invocation, EXIT_CODE_FAILED, "%s", error->text);
}

/* -1: the verb does not have it. */
static int option_index(const struct command *command, const char *name)
{
    for (int i = 0; command->options[i].name; i++)
        if (strcmp(command->options[i].name, name) == 0)
            return i;
    return -1;
}

const char *invocation_option(const struct invocation *invocation, const char *name)
{
    int index = option_index(invocation->command, name);
    if (index < 0)
        abort(); /* the table in main.c does not have it */
    return invocation->values[index];
}

const char *invocation_option_if(const struct invocation *invocation, const char *name)
{
    int index = option_index(invocation->command, name);
    return index < 0 ? NULL : invocation->values[index];
}

bool invocation_number(const char *option, const char *text, long long least, long long most,
                       long long *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (*text && *end == 0 && errno == 0 && *number >= least && *number <= most)
        return true;
    (void)fprintf(stderr, "baton: %s must be a whole number from %lld to %lld, not \"%s\"\n",
                  option, least, most, text);
    return false;
}

/* ---- Reading the command line
 * --------------------------------------------------------------------- */

struct reading {
    struct invocation *invocation;
    int argc, at; /* at: the next word */
    char **argv;
    const char **arguments;
    bool help;
};

static int wrong(const struct reading *reading, const char *what, const char *word)
{
    const char *name = reading->invocation->command->name;
    (void)fprintf(stderr, "baton %s: %s %s (baton help %s)\n", name, what, word, name);
    return EXIT_CODE_USAGE;
}

static int unknown_option(const struct reading *reading, const char *word, size_t size)
{
    const struct command *command = reading->invocation->command;
    const char *candidates[COMMAND_OPTIONS_MAX + 3] = {"--config", "--json", "--help"};
    size_t count = 3;
    for (size_t i = 0; command->options[i].name; i++)
        candidates[count++] = command->options[i].name;
    const char *near = nearest_word(word, size, candidates, count);
    (void)fprintf(stderr, "baton %s: there is no option %.*s%s%s%s (baton help %s)", command->name,
                  (int)size, word, near ? ", did you mean " : "", near ? near : "", near ? "?" : "",
                  command->name);
    if (!near && command->arguments_most)
        (void)fprintf(stderr,
                      "; what begins with - and is no option stands behind --: baton %s -- %s",
                      command->name, word);
    (void)fputc('\n', stderr);
    return EXIT_CODE_USAGE;
}

/* The value of an option: behind `=`, in the same word as its letter, or the next word. */
static const char *take_value(struct reading *reading, const char *attached)
{
    if (attached)
        return attached;
    return reading->at < reading->argc ? reading->argv[reading->at++] : NULL;
}

static int take_own_option(struct reading *reading, size_t index, const char *word,
                           const char *attached)
{
    const struct command_option *option = &reading->invocation->command->options[index];
    if (!option->value && attached)
        return wrong(reading, "takes no value:", word);
    const char *value = option->value ? take_value(reading, attached) : "";
    if (!value)
        return wrong(reading, "wants a value:", word);
    reading->invocation->values[index] = value;
    return EXIT_CODE_OK;
}

static int take_config(struct reading *reading, const char *word, const char *attached)
{
    const char *value = take_value(reading, attached);
    if (!value || !*value)
        return wrong(reading, "wants a file:", word);
    reading->invocation->config_path = value;
    reading->invocation->config_given = true;
    return EXIT_CODE_OK;
}

static int take_long(struct reading *reading, const char *word)
{
    const char *equals = strchr(word, '='), *attached = equals ? equals + 1 : NULL;
    size_t size = equals ? (size_t)(equals - word) : strlen(word);
    const struct command_option *options = reading->invocation->command->options;
    for (size_t i = 0; options[i].name; i++)
        if (strlen(options[i].name) == size && memcmp(options[i].name, word, size) == 0)
            return take_own_option(reading, i, word, attached);
    if (size == 8 && memcmp(word, "--config", 8) == 0)
        return take_config(reading, word, attached);
    if (strcmp(word, "--json") == 0)
        reading->invocation->json = true;
    else if (strcmp(word, "--help") == 0)
        reading->help = true;
    else
        return unknown_option(reading, word, size);
    return EXIT_CODE_OK;
}

static int take_short(struct reading *reading, const char *word)
{
    const char *attached = word[2] ? word + 2 : NULL;
    const struct command_option *options = reading->invocation->command->options;
    for (size_t i = 0; options[i].name; i++)
        if (options[i].letter == word[1])
            return take_own_option(reading, i, word, attached);
    if (word[1] == 'c')
        return take_config(reading, word, attached);
    if (strcmp(word, "-h") != 0)
        return unknown_option(reading, word, strlen(word));
    reading->help = true;
    return EXIT_CODE_OK;
}

static int read_words(struct reading *reading)
{
    bool options = true;
    int code = EXIT_CODE_OK;
    while (reading->at < reading->argc && code == EXIT_CODE_OK) {
        const char *word = reading->argv[reading->at++];
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && word[0] == '-' && word[1] == '-')
            code = take_long(reading, word);
        else if (options && word[0] == '-' && word[1])
            code = take_short(reading, word);
        else
            reading->arguments[reading->invocation->argument_count++] = word;
    }
    return code;
}

static int check_arguments(const struct reading *reading)
{
    const struct command *command = reading->invocation->command;
    size_t count = reading->invocation->argument_count;
    if (count < command->arguments_least)
        return wrong(reading, "wants", command->arguments[0] ? command->arguments : command->name);
    if (count > command->arguments_most)
        return wrong(reading, "does not know what to do with",
                     reading->arguments[command->arguments_most]);
    return EXIT_CODE_OK;
}

static int unknown_command(const struct command *commands, size_t count, const char *word)
{
    const char *names[32];
    size_t known = count < 32 ? count : 32;
    for (size_t i = 0; i < known; i++)
        names[i] = commands[i].name;
    const char *near = nearest_word(word, strlen(word), names, known);
    (void)fprintf(stderr, "baton: there is no command %s%s%s%s (baton help)\n", word,
                  near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    return EXIT_CODE_USAGE;
}

static const char *command_word(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
        return "help";
    if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)
        return "version";
    return argv[1];
}

/* A closed standard descriptor would be given to the next file that is opened, and our lines would
 * be written into it. */
static void open_standard_descriptors(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0)
        (void)close(descriptor);
}

int commands_main(const struct command *commands, size_t count, int argc, char **argv)
{
    open_standard_descriptors();
    struct invocation invocation = {
        .commands = commands, .command_count = count, .config_path = "baton.yaml"};
    const char *word = command_word(argc, argv);
    invocation.command = find_command(commands, count, word);
    if (!invocation.command)
        return unknown_command(commands, count, word);
    const char **arguments = calloc((size_t)argc + 1, sizeof *arguments);
    if (!arguments)
        return EXIT_CODE_FAILED;
    struct reading reading = {&invocation, argc, 2, argv, arguments, false};
    int code = read_words(&reading);
    invocation.arguments = arguments;
    if (code == EXIT_CODE_OK && reading.help) {
        arguments[0] = invocation.command->name;
        invocation.argument_count = 1;
        invocation.command = find_command(commands, count, "help");
    } else if (code == EXIT_CODE_OK) {
        code = check_arguments(&reading);
    }
    if (code == EXIT_CODE_OK)
        code = invocation.command->run(&invocation);
    if (fflush(stdout) != 0 || ferror(stdout)) { /* a pipe that was closed, a disk that is full */
        (void)fprintf(stderr, "baton: cannot write the output: %s\n", strerror(errno));
        code = code == EXIT_CODE_OK ? EXIT_CODE_FAILED : code;
    }
    free(arguments);
    return code;
}
