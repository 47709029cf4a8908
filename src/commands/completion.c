/* What a shell completes, from the table of commands. */
#include "base/text_buffer.h"
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

/* What stands for a value or an argument, by what the help calls it. NULL: nothing to offer; "":
 * files. */
static const char *words_of(const char *value)
{
    static const struct {
        const char *value, *words;
    } known[] = {
        {"LANGUAGE", "en pt es"},
        {"STAGE", "lead mql sql accepted customer rejected recycled"},
        {"STAGES", "lead mql sql accepted customer rejected recycled"},
        {"CHANGES", "promotion stage ignored adjusted merged erased reminder breach correction "
                    "announcement dead"},
        {"GATE", "mql sql"},
        {"DAYS", "today yesterday this-week last-week this-month last-month this-quarter "
                 "last-quarter this-year last-year"},
        {"HOW", "first last linear"},
        {"FORMAT", "text markdown json html"},
        {"PERIOD", "\"working day\" day week month quarter year"},
        {"SHELL", "bash zsh fish"},
        {"FILE", ""},
        {"FOLDER", ""},
        {"[AGREEMENT]", ""},
        {"[FOLDER | EVENTS.jsonl]", ""},
        {"AGREEMENT EVENTS.jsonl", ""},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].value, value) == 0)
            return known[i].words;
    return NULL;
}

static void add_verbs(struct text_buffer *out, const struct invocation *invocation)
{
    for (size_t i = 0; i < invocation->command_count; i++)
        text_buffer_print(out, "%s%s", i ? " " : "", invocation->commands[i].name);
}

/* Words for the verb's argument, in `room` where they are made. */
static const char *argument_words(const struct invocation *invocation,
                                  const struct command *command, struct text_buffer *room)
{
    if (strcmp(command->arguments, "[COMMAND]") != 0)
        return words_of(command->arguments);
    text_buffer_clear(room);
    add_verbs(room, invocation);
    return room->data;
}

static void each_option(const struct command *command,
                        void (*each)(struct text_buffer *out, const struct command *command,
                                     const struct command_option *option),
                        struct text_buffer *out)
{
    for (size_t i = 0; command->options[i].name; i++)
        each(out, command, &command->options[i]);
    for (size_t i = 0; command_common_options[i].name; i++)
        each(out, command, &command_common_options[i]);
}

/* ---- bash ---- */

static void bash_name(struct text_buffer *out, const struct command *command,
                      const struct command_option *option)
{
    (void)command;
    text_buffer_print(out, "%s ", option->name);
}

/* A case of the word before: what its value may be. */
static void bash_value(struct text_buffer *out, const struct command *command,
                       const struct command_option *option)
{
    const char *words = option->value ? words_of(option->value) : NULL;
    if (!option->value)
        return;
    text_buffer_print(out, "    \"%s %s\"", command->name, option->name);
    if (option->letter)
        text_buffer_print(out, " | \"%s -%c\"", command->name, option->letter);
    if (words && !*words)
        text_buffer_add_text(out, ") compopt -o default; return ;;\n");
    else
        text_buffer_print(out, ") COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n",
                          words ? words : "");
}

static void add_bash(struct text_buffer *out, const struct invocation *invocation)
{
    struct text_buffer room;
    text_buffer_init(&room);
    text_buffer_add_text(out, "# bash completion for baton: source <(baton completion bash)\n"
                              "_baton() {\n"
                              "  local word=\"${COMP_WORDS[COMP_CWORD]}\" options= words= files=\n"
                              "  COMPREPLY=()\n"
                              "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                              "    COMPREPLY=($(compgen -W '");
    add_verbs(out, invocation);
    text_buffer_add_text(out, "' -- \"$word\")); return\n  fi\n"
                              "  case \"${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}\" in\n");
    for (size_t i = 0; i < invocation->command_count; i++)
        each_option(&invocation->commands[i], bash_value, out);
    text_buffer_add_text(out, "  esac\n  case \"${COMP_WORDS[1]}\" in\n");
    for (size_t i = 0; i < invocation->command_count; i++) {
        const struct command *command = &invocation->commands[i];
        const char *words = argument_words(invocation, command, &room);
        text_buffer_print(out, "    %s) options='", command->name);
        each_option(command, bash_name, out);
        text_buffer_print(out, "' words='%s'%s ;;\n", words ? words : "",
                          words && !*words ? " files=1" : "");
    }
    text_buffer_add_text(out, "  esac\n"
                              "  case \"$word\" in\n"
                              "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
                              "    *) COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                              "       [ -z \"$files\" ] || compopt -o default ;;\n"
                              "  esac\n}\n"
                              "complete -F _baton baton\n");
    text_buffer_fini(&room);
}

/* ---- zsh ---- */

/* Within single quotes; what _arguments reads as its own gets a backslash. */
static void zsh_text(struct text_buffer *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\'')
            text_buffer_add_text(out, "'\\''");
        else if (strchr("[]:\\", *at))
            text_buffer_print(out, "\\%c", *at);
        else
            text_buffer_add(out, at, 1);
    }
}

static void zsh_action(struct text_buffer *out, const char *what, const char *words)
{
    text_buffer_add_text(out, ":");
    zsh_text(out, what);
    if (!words)
        text_buffer_add_text(out, ":");
    else if (*words)
        text_buffer_print(out, ":(%s)", words);
    else
        text_buffer_add_text(out, ":_files");
}

static void zsh_spec(struct text_buffer *out, const char *name, const struct command_option *option)
{
    const char *joint = !option->value ? "" : name[1] == '-' ? "=" : "+";
    text_buffer_print(out, " \\\n        '%s%s[", name, joint);
    zsh_text(out, option->help);
    text_buffer_add_text(out, "]");
    if (option->value)
        zsh_action(out, option->value, words_of(option->value));
    text_buffer_add_text(out, "'");
}

static void zsh_option(struct text_buffer *out, const struct command *command,
                       const struct command_option *option)
{
    (void)command;
    zsh_spec(out, option->name, option);
    char letter[3] = {'-', option->letter, 0};
    if (option->letter)
        zsh_spec(out, letter, option);
}

static void add_zsh(struct text_buffer *out, const struct invocation *invocation)
{
    struct text_buffer room;
    text_buffer_init(&room);
    text_buffer_add_text(
        out, "#compdef baton\n"
             "# zsh completion for baton: baton completion zsh > _baton, in a folder of $fpath\n"
             "_baton() {\n  local -a verbs\n  verbs=(\n");
    for (size_t i = 0; i < invocation->command_count; i++) {
        text_buffer_print(out, "    '%s:", invocation->commands[i].name);
        zsh_text(out, invocation->commands[i].summary);
        text_buffer_add_text(out, "'\n");
    }
    text_buffer_add_text(out, "  )\n"
                              "  if (( CURRENT == 2 )); then\n"
                              "    _describe 'command' verbs\n"
                              "    return\n"
                              "  fi\n"
                              "  shift words\n"
                              "  (( CURRENT-- ))\n"
                              "  case $words[1] in\n");
    for (size_t i = 0; i < invocation->command_count; i++) {
        const struct command *command = &invocation->commands[i];
        text_buffer_print(out, "    %s)\n      _arguments", command->name);
        each_option(command, zsh_option, out);
        if (*command->arguments) {
            text_buffer_add_text(out, " \\\n        '*");
            zsh_action(out, command->arguments, argument_words(invocation, command, &room));
            text_buffer_add_text(out, "'");
        }
        text_buffer_add_text(out, "\n      ;;\n");
    }
    text_buffer_add_text(
        out,
        "  esac\n}\n"
        "if [ \"$funcstack[1]\" = _baton ]; then _baton \"$@\"; else compdef _baton baton; fi\n");
    text_buffer_fini(&room);
}

/* ---- fish ---- */

static void fish_text(struct text_buffer *out, const char *text)
{
    text_buffer_add_text(out, "'");
    for (const char *at = text; *at; at++) {
        if (*at == '\'' || *at == '\\')
            text_buffer_add_text(out, "\\");
        text_buffer_add(out, at, 1);
    }
    text_buffer_add_text(out, "'");
}

static void fish_option(struct text_buffer *out, const struct command *command,
                        const struct command_option *option)
{
    const char *words = option->value ? words_of(option->value) : NULL;
    text_buffer_print(out, "complete -c baton -n '__fish_seen_subcommand_from %s' -l %s",
                      command->name, option->name + 2);
    if (option->letter)
        text_buffer_print(out, " -s %c", option->letter);
    if (option->value)
        text_buffer_add_text(out, words && !*words ? " -r -F" : " -x");
    if (words && *words) {
        text_buffer_add_text(out, " -a ");
        fish_text(out, words);
    }
    text_buffer_add_text(out, " -d ");
    fish_text(out, option->help);
    text_buffer_add_text(out, "\n");
}

static void add_fish(struct text_buffer *out, const struct invocation *invocation)
{
    struct text_buffer room;
    text_buffer_init(&room);
    text_buffer_add_text(out, "# fish completion for baton: baton completion fish | source\n"
                              "complete -c baton -f\n");
    for (size_t i = 0; i < invocation->command_count; i++) {
        const struct command *command = &invocation->commands[i];
        const char *words = argument_words(invocation, command, &room);
        text_buffer_print(out, "complete -c baton -n __fish_use_subcommand -a %s -d ",
                          command->name);
        fish_text(out, command->summary);
        text_buffer_add_text(out, "\n");
        each_option(command, fish_option, out);
        if (!words)
            continue;
        text_buffer_print(out, "complete -c baton -n '__fish_seen_subcommand_from %s'",
                          command->name);
        text_buffer_add_text(out, *words ? " -a " : " -F");
        if (*words)
            fish_text(out, words);
        text_buffer_add_text(out, "\n");
    }
    text_buffer_fini(&room);
}

int command_completion(const struct invocation *invocation)
{
    const char *shell = invocation->arguments[0];
    struct text_buffer out;
    text_buffer_init(&out);
    if (strcmp(shell, "bash") == 0)
        add_bash(&out, invocation);
    else if (strcmp(shell, "zsh") == 0)
        add_zsh(&out, invocation);
    else if (strcmp(shell, "fish") == 0)
        add_fish(&out, invocation);
    else
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "there is completion for bash, zsh and fish, not for %s", shell);
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
    return EXIT_CODE_OK;
}
