/* Manual pages from the table of commands: the same text as `baton help`. */
#include "base/text_buffer.h"
#include "commands/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A character beyond ASCII by its number, which every roff knows. Returns its last byte. */
static const char *add_character(struct text_buffer *page, const char *at)
{
    unsigned char lead = (unsigned char)*at;
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t code = lead & (0x3fu >> more);
    for (; more > 0 && at[1]; more--)
        code = code << 6 | ((unsigned char)*++at & 0x3fu);
    text_buffer_print(page, "\\[u%04X]", code);
    return at;
}

/* Text of a page: what roff would take for a command or a hyphen stays as it is. */
static void add(struct text_buffer *page, const char *text)
{
    for (const char *at = text; *at; at++) {
        bool begins = at == text || at[-1] == '\n';
        if (begins && (*at == '.' || *at == '\''))
            text_buffer_add_text(page, "\\&");
        if ((unsigned char)*at >= 0x80)
            at = add_character(page, at);
        else if (*at == '\\')
            text_buffer_add_text(page, "\\e");
        else if (*at == '-')
            text_buffer_add_text(page, "\\-");
        else
            text_buffer_add(page, at, 1);
    }
}

static void add_head(struct text_buffer *page, const char *name, const char *summary)
{
    text_buffer_print(page, ".TH \"BATON%s", *name ? "\\-" : "");
    for (const char *c = name; *c; c++)
        text_buffer_print(page, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    text_buffer_print(page, "\" 1 \"\" \"baton %s\" \"baton\"\n.SH NAME\nbaton%s%s \\- ",
                      BATON_VERSION, *name ? "\\-" : "", name);
    add(page, summary);
    text_buffer_add_text(page, "\n");
}

static void add_option(struct text_buffer *page, const struct command_option *option)
{
    text_buffer_add_text(page, ".TP\n");
    if (option->letter)
        text_buffer_print(page, "\\fB\\-%c\\fR, ", option->letter);
    text_buffer_add_text(page, "\\fB");
    add(page, option->name);
    text_buffer_add_text(page, "\\fR");
    if (option->value) {
        text_buffer_add_text(page, " \\fI");
        add(page, option->value);
        text_buffer_add_text(page, "\\fR");
    }
    text_buffer_add_text(page, "\n");
    add(page, option->help);
    text_buffer_add_text(page, "\n");
}

static void add_command(struct text_buffer *page, const struct command *command)
{
    add_head(page, command->name, command->summary);
    text_buffer_print(page, ".SH SYNOPSIS\n\\fBbaton %s\\fR [\\fIoptions\\fR]", command->name);
    text_buffer_add_text(page, *command->arguments ? " \\fI" : "");
    add(page, command->arguments);
    text_buffer_add_text(page, *command->arguments ? "\\fR\n" : "\n");
    if (command->text && *command->text) {
        text_buffer_add_text(page, ".SH DESCRIPTION\n");
        add(page, command->text);
        text_buffer_add_text(page, "\n");
    }
    text_buffer_add_text(page, ".SH OPTIONS\n");
    for (size_t i = 0; command->options[i].name; i++)
        add_option(page, &command->options[i]);
    for (size_t i = 0; command_common_options[i].name; i++)
        add_option(page, &command_common_options[i]);
    text_buffer_add_text(page, ".SH \"EXIT STATUS\"\n");
    add(page, command_exit_codes);
    text_buffer_add_text(page, ".\n.SH \"SEE ALSO\"\n.BR baton (1)\n");
}

static void add_program(struct text_buffer *page, const struct invocation *invocation)
{
    add_head(page, "", "hands leads from marketing to sales");
    text_buffer_add_text(page, ".SH SYNOPSIS\n\\fBbaton\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n"
                               ".SH DESCRIPTION\n");
    add(page, command_program_text);
    text_buffer_add_text(page, "\n.SH COMMANDS\n");
    for (size_t i = 0; i < invocation->command_count; i++) {
        text_buffer_print(page, ".TP\n.BR baton\\-%s (1)\n", invocation->commands[i].name);
        add(page, invocation->commands[i].summary);
        text_buffer_add_text(page, "\n");
    }
    text_buffer_add_text(page, ".SH \"EXIT STATUS\"\n");
    add(page, command_exit_codes);
    text_buffer_add_text(page, ".\n.SH FILES\n.TP\n\\fIbaton.yaml\\fR\nThe configuration; "
                               "\\fBbaton config\\fR prints every parameter.\n");
}

/* NULL: the program's own page. */
static const struct command *find(const struct invocation *invocation, const char *name)
{
    for (size_t i = 0; i < invocation->command_count; i++)
        if (strcmp(invocation->commands[i].name, name) == 0)
            return &invocation->commands[i];
    return NULL;
}

static bool write_page(const char *folder, const char *name, const struct text_buffer *page)
{
    struct text_buffer path;
    text_buffer_init(&path);
    text_buffer_print(&path, "%s/baton%s%s.1", folder, *name ? "-" : "", name);
    FILE *file = fopen(path.data, "w");
    bool good = file && fwrite(page->data, 1, page->size, file) == page->size;
    good = file && fclose(file) == 0 && good;
    text_buffer_fini(&path);
    return good;
}

static int write_all(const struct invocation *invocation, const char *folder)
{
    struct text_buffer page;
    text_buffer_init(&page);
    (void)mkdir(folder, 0777);
    add_program(&page, invocation);
    bool good = write_page(folder, "", &page);
    for (size_t i = 0; i < invocation->command_count && good; i++) {
        text_buffer_clear(&page);
        add_command(&page, &invocation->commands[i]);
        good = write_page(folder, invocation->commands[i].name, &page);
    }
    text_buffer_fini(&page);
    return good ? EXIT_CODE_OK
                : command_fail(invocation, EXIT_CODE_FAILED, "%s: %s", folder, strerror(errno));
}

int command_man(const struct invocation *invocation)
{
    const char *folder = invocation_option(invocation, "--all");
    if (folder)
        return write_all(invocation, folder);
    const char *name = invocation->argument_count ? invocation->arguments[0] : NULL;
    const struct command *command = name ? find(invocation, name) : NULL;
    if (name && !command)
        return command_fail(invocation, EXIT_CODE_USAGE,
                            "there is no command %s (baton help lists them)", name);
    struct text_buffer page;
    text_buffer_init(&page);
    if (command)
        add_command(&page, command);
    else
        add_program(&page, invocation);
    (void)fwrite(page.data, 1, page.size, stdout);
    text_buffer_fini(&page);
    return EXIT_CODE_OK;
}
