#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

const struct command_option command_common_options[] = {
    {"--config", 'c', "FILE", "the configuration, ./baton.yaml without it"},
    {"--json", 0, NULL, "print JSON, for programs"},
    {"--help", 'h', NULL, "print this"},
    {0}};
const char *const command_program_text =
    "baton hands leads from marketing to sales: it scores what people do, as both sides agreed,\n"
    "and publishes each promotion once, with its reasons.";
const char *const command_exit_codes =
    "0 fine, 1 failed at run time, 2 wrong command line, 3 wrong configuration, agreement or\n"
    "input, 4 stopped clean with something left to replay";

static void print_option(const char *name, char letter, const char *value, const char *help)
{
    char left[64];
    (void)snprintf(left, sizeof left, "%c%c%s%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
                   letter ? ", " : "  ", name, value ? " " : "", value ? value : "");
    (void)printf("  %-26s %s\n", left, help);
}

static void print_command(const struct command *command)
{
    (void)printf("baton %s%s%s: %s\n", command->name, command->arguments[0] ? " " : "",
                 command->arguments, command->summary);
    if (command->text && command->text[0])
        (void)printf("\n%s\n", command->text);
    (void)printf("\noptions:\n");
    for (size_t i = 0; command->options[i].name; i++)
        print_option(command->options[i].name, command->options[i].letter,
                     command->options[i].value, command->options[i].help);
    for (const struct command_option *option = command_common_options; option->name; option++)
        print_option(option->name, option->letter, option->value, option->help);
}

static void print_all(const struct invocation *invocation)
{
    (void)printf("%s\n\nusage: baton COMMAND [-c FILE] [--json] ...\n\n", command_program_text);
    for (size_t i = 0; i < invocation->command_count; i++)
        (void)printf("  %-11s %s\n", invocation->commands[i].name, invocation->commands[i].summary);
    (void)printf("\nbaton help COMMAND tells more.\n"
                 "exit codes: %s\n",
                 command_exit_codes);
}

int command_help(const struct invocation *invocation)
{
    if (invocation->argument_count == 0) {
        print_all(invocation);
        return EXIT_CODE_OK;
    }
    for (size_t i = 0; i < invocation->command_count; i++) {
        if (strcmp(invocation->commands[i].name, invocation->arguments[0]) == 0) {
            print_command(&invocation->commands[i]);
            return EXIT_CODE_OK;
        }
    }
    return command_fail(invocation, EXIT_CODE_USAGE,
                        "there is no command %s (baton help lists them)", invocation->arguments[0]);
}
