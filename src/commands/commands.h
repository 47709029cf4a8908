/* The verbs of the program, one file each, and what they share: the command line as it was given,
 * exit codes, errors as one line on stderr.
 *
 * A verb is a row of the table in main.c and a function here. It returns an exit code. */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,        /* at run time: a unit has stopped, a server is away */
    EXIT_CODE_USAGE = 2,         /* the command line is wrong */
    EXIT_CODE_BAD_INPUT = 3,     /* the configuration, the agreement or a file to read is wrong */
    EXIT_CODE_LEFT_TO_REPLAY = 4 /* a clean stop that leaves something to be folded again */
};

/* One more than the three that every verb has (-c, --json, --help). */
struct command_option {
    const char *name;  /* "--rebuild" */
    char letter;       /* 'n' for -n; 0: none */
    const char *value; /* what its value is called in the help; NULL: it has none */
    const char *help;
};
#define COMMAND_OPTIONS_MAX 12
/* The three; the last has no name. help.c */
extern const struct command_option command_common_options[];
extern const char *const command_program_text, *const command_exit_codes;

struct invocation;

struct command {
    const char *name;
    int (*run)(const struct invocation *invocation);
    const char *arguments; /* as the help shows them: "LEAD" */
    size_t arguments_least, arguments_most;
    const char *summary;                                    /* one line */
    const char *text;                                       /* the rest of `baton help VERB` */
    struct command_option options[COMMAND_OPTIONS_MAX + 1]; /* the first without a name ends them */
};

struct invocation {
    const struct command *commands; /* the whole table */
    size_t command_count;
    const struct command *command;
    const char *config_path; /* -c, ./baton.yaml without it */
    bool config_given;
    bool json;
    const char *const *arguments;
    size_t argument_count;
    const char
        *values[COMMAND_OPTIONS_MAX]; /* by option; NULL: not given, "": given, without a value */
};

/* Finds the verb, reads its command line and runs it. */
int commands_main(const struct command *commands, size_t count, int argc, char **argv);

/* The value of an option of the verb; NULL: not given. "" for one without a value. */
const char *invocation_option(const struct invocation *invocation, const char *name);
/* The same; NULL where the verb does not have the option. */
const char *invocation_option_if(const struct invocation *invocation, const char *name);
/* A whole number from least to most; false with a line on stderr when the text is none. */
bool invocation_number(const char *option, const char *text, long long least, long long most,
                       long long *number);

/* "baton VERB: text" on stderr; returns the code. */
__attribute__((format(printf, 3, 4))) int command_fail(const struct invocation *invocation,
                                                       int code, const char *format, ...);
/* The same for a status that is not OK: RETRY and the others → EXIT_CODE_FAILED. */
int command_fail_status(const struct invocation *invocation, const struct error *error);

int command_run(const struct invocation *invocation);
int command_topics(const struct invocation *invocation);
int command_status(const struct invocation *invocation);
int command_report(const struct invocation *invocation);
int command_check(const struct invocation *invocation);
int command_sign(const struct invocation *invocation);
int command_diff(const struct invocation *invocation);
int command_show(const struct invocation *invocation);
int command_init(const struct invocation *invocation);
int command_completion(const struct invocation *invocation);
int command_man(const struct invocation *invocation);
int command_tail(const struct invocation *invocation);
int command_leads(const struct invocation *invocation);
int command_explain(const struct invocation *invocation);
int command_top(const struct invocation *invocation);
int command_try(const struct invocation *invocation);
int command_replay(const struct invocation *invocation);
int command_config(const struct invocation *invocation);
int command_accept(const struct invocation *invocation);
int command_help(const struct invocation *invocation);
int command_version(const struct invocation *invocation);

#endif
