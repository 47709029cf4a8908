/* Writes a first agreement: by what is asked on a terminal, or by options alone. */
#include "commands/init_text.h"
#include "commands/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000

struct question {
    const char *option;
    enum message_id text;
    bool wanted, only_with_goal;
    /* Why the answer will not do, from the speech; NULL: it does. May be NULL. */
    const char *(*problem)(struct speech *speech, const char *answer);
};

struct init {
    const struct invocation *invocation;
    struct speech speech;
    struct arena arena;
    struct init_answers answers;
};

/* ---- What may be answered ---- */

static const char *text_problem(struct speech *speech, const char *answer)
{
    size_t size = strlen(answer), commas = 0;
    for (const char *at = answer; *at; at++) {
        commas += *at == ',';
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return phrase_plain(speech, MESSAGE_INIT_WANTED);
    }
    if (size > LINE_MAX_BYTES || commas >= INIT_LIST_MAX)
        return phrase(speech, MESSAGE_INIT_TOO_MANY,
                      {"count", speech_count(speech, INIT_LIST_MAX)});
    return NULL;
}

static const char *number_problem(struct speech *speech, const char *answer)
{
    size_t digits = strspn(answer, "0123456789");
    bool good = !answer[digits] && digits <= 6 && strtol(answer, NULL, 10) >= 1;
    return !*answer || good ? NULL : phrase_plain(speech, MESSAGE_INIT_WHOLE);
}

static const char *period_problem(struct speech *speech, const char *answer)
{
    static const char *const names[] = {"working day", "day", "week", "month", "quarter", "year"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], answer) == 0)
            return NULL;
    return phrase_plain(speech, MESSAGE_INIT_ONE_OF_THESE);
}

static const struct question questions[INIT_ANSWERS] = {
    [INIT_NAME] = {"--name", MESSAGE_INIT_NAME, true, false, text_problem},
    [INIT_FORM] = {"--form", MESSAGE_INIT_FORM, true, false, text_problem},
    [INIT_PAGE] = {"--page", MESSAGE_INIT_PAGE, false, false, text_problem},
    [INIT_TITLE] = {"--title", MESSAGE_INIT_TITLE, false, false, text_problem},
    [INIT_GOAL] = {"--goal", MESSAGE_INIT_GOAL, false, false, number_problem},
    [INIT_PER] = {"--per", MESSAGE_INIT_PER, true, true, period_problem},
    [INIT_ONE_IN] = {"--one-in", MESSAGE_INIT_ONE_IN, true, true, number_problem},
    [INIT_ZONE] = {"--zone", MESSAGE_INIT_ZONE, true, false, text_problem},
};

/* ---- Asking ---- */

/* The zone of the machine, as its tz database calls it. */
static const char *system_zone(struct init *init)
{
    char path[512];
    ssize_t size = readlink("/etc/localtime", path, sizeof path - 1);
    if (size <= 0)
        return "UTC";
    path[size] = 0;
    const char *name = strstr(path, "/zoneinfo/");
    if (!name)
        return "UTC";
    name += strlen("/zoneinfo/");
    if (strncmp(name, "posix/", 6) == 0 || strncmp(name, "right/", 6) == 0)
        name += 6; /* no agreement may name these … */
    if (strcmp(name, "Factory") == 0 || strcmp(name, "localtime") == 0)
        return "UTC"; /* … nor what nobody has set */
    return arena_copy(&init->arena, name, strlen(name) + 1);
}

static const char *initial_of(struct init *init, enum init_answer which, bool terminal)
{
    switch (which) {
    case INIT_NAME: return "first-agreement";
    case INIT_PAGE: return terminal ? "/pricing*" : "";
    case INIT_PER: return "month";
    case INIT_ONE_IN: return "5";
    case INIT_ZONE: return terminal ? system_zone(init) : "UTC";
    default: return "";
    }
}

static const char *trim(struct init *init, const char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size && strchr(" \t\r\n", text[size - 1]))
        size--;
    char *kept = arena_take(&init->arena, size + 1);
    memcpy(kept, text, size);
    kept[size] = 0;
    return kept;
}

static const char *problem_of(struct init *init, const struct question *question,
                              const char *answer)
{
    if (question->wanted && !*answer)
        return phrase_plain(&init->speech, MESSAGE_INIT_WANTED);
    return question->problem(&init->speech, answer);
}

/* NULL: there is nobody left to answer. */
static const char *ask(struct init *init, const struct question *question, const char *initial)
{
    char *line = NULL;
    size_t room = 0;
    const char *answer = NULL;
    while (!answer) {
        (void)fprintf(stderr, "%s%s%s%s ", phrase_plain(&init->speech, question->text),
                      *initial ? " [" : "", initial, *initial ? "]" : "");
        if (getline(&line, &room, stdin) < 0)
            break;
        answer = trim(init, line);
        if (!*answer)
            answer = initial;
        const char *why = problem_of(init, question, answer);
        if (!why)
            continue;
        (void)fprintf(stderr, "%s\n", phrase(&init->speech, MESSAGE_INIT_AGAIN, {"why", why}));
        answer = NULL;
    }
    free(line);
    return answer;
}

static int answer_one(struct init *init, enum init_answer which, bool terminal)
{
    const struct question *question = &questions[which];
    const char *given = invocation_option(init->invocation, question->option);
    const char *initial = initial_of(init, which, terminal);
    if (question->only_with_goal && !*init->answers.texts[INIT_GOAL]) {
        init->answers.texts[which] = "";
        return EXIT_CODE_OK;
    }
    const char *answer = given      ? trim(init, given)
                         : terminal ? ask(init, question, initial)
                                    : initial;
    if (!answer)
        return command_fail(init->invocation, EXIT_CODE_FAILED, "%s",
                            phrase_plain(&init->speech, MESSAGE_INIT_NOTHING));
    const char *why = problem_of(init, question, answer);
    if (why && !given)
        return command_fail(
            init->invocation, EXIT_CODE_USAGE, "%s",
            phrase(&init->speech, MESSAGE_INIT_NEEDS, {"option", question->option}));
    if (why)
        return command_fail(init->invocation, EXIT_CODE_USAGE, "%s %s: %s", question->option,
                            answer, why);
    init->answers.texts[which] = answer;
    return EXIT_CODE_OK;
}

static int answer_all(struct init *init)
{
    bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    int code = EXIT_CODE_OK;
    if (terminal)
        (void)fprintf(stderr, "%s\n\n", phrase_plain(&init->speech, MESSAGE_INIT_BEGIN));
    for (int i = 0; i < INIT_ANSWERS && code == EXIT_CODE_OK; i++)
        code = answer_one(init, (enum init_answer)i, terminal);
    return code;
}

/* ---- Writing ---- */

static int write_file(struct init *init, const char *path, const struct text_buffer *text)
{
    bool force = invocation_option(init->invocation, "--force") != NULL;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0666);
    if (descriptor < 0 && errno == EEXIST)
        return command_fail(init->invocation, EXIT_CODE_FAILED, "%s",
                            phrase(&init->speech, MESSAGE_INIT_THERE, {"file", path}));
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!file || fwrite(text->data, 1, text->size, file) != text->size || fclose(file) != 0)
        return command_fail(init->invocation, EXIT_CODE_FAILED, "%s: %s", path, strerror(errno));
    (void)fprintf(stderr, "%s\n", phrase(&init->speech, MESSAGE_INIT_DONE, {"file", path}));
    return EXIT_CODE_OK;
}

/* What is written has been checked: an answer that makes no agreement is told. */
static int check_and_write(struct init *init)
{
    const struct invocation *invocation = init->invocation;
    const char *path = invocation->argument_count ? invocation->arguments[0] : "agreement.yaml";
    struct text_buffer text, messages;
    struct agreement *agreement;
    struct findings findings;
    findings_init(&findings, init->speech.language);
    text_buffer_init(&text);
    text_buffer_init(&messages);
    init_text(&init->speech, &init->answers, &text);
    int code = EXIT_CODE_OK;
    if (agreement_read(text.data, text.size, NULL, 0, &agreement, &findings) == STATUS_OK)
        agreement_destroy(agreement);
    else
        code = EXIT_CODE_USAGE;
    findings_print(&findings, path, &messages);
    findings_fini(&findings);
    if (messages.size)
        (void)fwrite(messages.data, 1, messages.size, stderr);
    if (code == EXIT_CODE_OK && strcmp(path, "-") == 0)
        (void)fwrite(text.data, 1, text.size, stdout);
    else if (code == EXIT_CODE_OK)
        code = write_file(init, path, &text);
    text_buffer_fini(&text);
    text_buffer_fini(&messages);
    return code;
}

int command_init(const struct invocation *invocation)
{
    enum language language;
    struct init init = {.invocation = invocation};
    if (!setup_language(invocation, NULL, &language))
        return EXIT_CODE_USAGE;
    arena_init(&init.arena, 4096);
    speech_init(&init.speech, language, NULL);
    int code = answer_all(&init);
    if (code == EXIT_CODE_OK)
        code = check_and_write(&init);
    speech_fini(&init.speech);
    arena_fini(&init.arena);
    return code;
}
