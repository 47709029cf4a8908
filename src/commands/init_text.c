#include "commands/init_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX 48

struct writer {
    struct speech *speech;
    struct text_buffer *out;
    char ids[2 * INIT_LIST_MAX][ID_MAX + 16]; /* of the rules written so far */
    size_t id_count;
    size_t form_ids; /* the first so many are those of forms */
};

static void add(struct writer *writer, const char *text)
{
    text_buffer_add_text(writer->out, text);
}

static void comment(struct writer *writer, enum message_id id)
{
    text_buffer_print(writer->out, "# %s\n", phrase_plain(writer->speech, id));
}

/* Double quotes, so that whatever was answered is a text. */
static void add_quoted(struct writer *writer, const char *text, size_t size)
{
    add(writer, "\"");
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"' || text[i] == '\\')
            add(writer, "\\");
        text_buffer_add(writer->out, text + i, 1);
    }
    add(writer, "\"");
}

/* The next item of a list with commas, without blanks around it; size 0: there is none. */
static const char *next_item(const char **list, size_t *size)
{
    for (;;) {
        const char *item = *list + strspn(*list, " ,");
        *size = strcspn(item, ",");
        *list = item + *size;
        while (*size && item[*size - 1] == ' ')
            (*size)--;
        if (*size || !*item)
            return item;
    }
}

static bool id_is_taken(const struct writer *writer, const char *id)
{
    for (size_t i = 0; i < writer->id_count; i++)
        if (strcmp(writer->ids[i], id) == 0)
            return true;
    return false;
}

/* `/pricing*` → page-pricing, page-pricing-2 where that is taken. */
static const char *make_id(struct writer *writer, const char *prefix, const char *text, size_t size)
{
    char base[ID_MAX + 1];
    size_t at = strlen(prefix);
    memcpy(base, prefix, at);
    for (size_t i = 0; i < size && at < ID_MAX; i++) {
        char c = text[i];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (kept)
            base[at++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        else if (base[at - 1] != '-')
            base[at++] = '-';
    }
    while (base[at - 1] == '-')
        at--;
    base[at] = 0;
    char *id = writer->ids[writer->id_count];
    (void)strcpy(id, base);
    for (unsigned number = 2; id_is_taken(writer, id); number++)
        (void)snprintf(id, sizeof writer->ids[0], "%s-%u", base, number);
    writer->id_count++;
    return id;
}

/* ---- Parts ---- */

static void write_head(struct writer *writer, const struct init_answers *answers)
{
    const char *const *texts = answers->texts;
    comment(writer, MESSAGE_INIT_HEAD);
    add(writer, "agreement: ");
    add_quoted(writer, texts[INIT_NAME], strlen(texts[INIT_NAME]));
    add(writer, "\nversion: 1\nzone: ");
    add_quoted(writer, texts[INIT_ZONE], strlen(texts[INIT_ZONE]));
    text_buffer_print(writer->out, "   # %s\n",
                      phrase_plain(writer->speech, MESSAGE_INIT_ABOUT_ZONE));
}

static void write_fit(struct writer *writer, const char *titles)
{
    size_t size;
    bool first = true;
    if (!*titles)
        return;
    add(writer, "\n");
    comment(writer, MESSAGE_INIT_ABOUT_FIT);
    add(writer, "fit:\n  - {id: decision-maker, where: {job_title: {contains: [");
    for (const char *item = next_item(&titles, &size); size; item = next_item(&titles, &size)) {
        add(writer, first ? "" : ", ");
        add_quoted(writer, item, size);
        first = false;
    }
    add(writer, "]}}, points: 20}\n");
}

static void write_rules(struct writer *writer, const char *list, const char *prefix,
                        const char *before, const char *behind)
{
    size_t size;
    for (const char *item = next_item(&list, &size); size; item = next_item(&list, &size)) {
        text_buffer_print(writer->out, "  - {id: %s, ", make_id(writer, prefix, item, size));
        add(writer, before);
        add_quoted(writer, item, size);
        add(writer, behind);
    }
}

static void write_behaviour(struct writer *writer, const struct init_answers *answers)
{
    add(writer, "\n");
    comment(writer, MESSAGE_INIT_ABOUT_BEHAVIOUR);
    add(writer, "behaviour:\n");
    write_rules(writer, answers->texts[INIT_FORM], "form-", "event: form_fill, where: {form: ",
                "}, points: 40, at_most: {times: 1, per: ever}}\n");
    writer->form_ids = writer->id_count;
    write_rules(writer, answers->texts[INIT_PAGE], "page-", "event: visit, where: {page: ",
                "}, points: 10, at_most: {times: 3, per: day}, half_life: 14d}\n");
    add(writer, "  - {id: any-page, event: visit, points: 1, at_most: {times: 10, per: day}, "
                "half_life: 14d}\n"
                "  - {id: email-click, event: email_clicked, points: 3, at_most: {times: 5, per: "
                "week}, half_life: 14d}\n");
}

static void write_gates(struct writer *writer)
{
    add(writer, "\n");
    comment(writer, MESSAGE_INIT_ABOUT_GATES);
    add(writer, "gates:\n  mql: {score: 30, behaviour: 10}\n  sql: {score: 60, needs_one_of: [");
    for (size_t i = 0; i < writer->form_ids; i++)
        text_buffer_print(writer->out, "%s%s", i ? ", " : "", writer->ids[i]);
    add(writer, "]}\n\n");
    comment(writer, MESSAGE_INIT_ABOUT_SHARE);
    add(writer, "share: [name, email, phone, company, job_title]\n");
}

static const char *period_word(struct writer *writer, const char *name)
{
    static const struct {
        const char *name;
        enum message_id id;
    } words[] = {{"working day", MESSAGE_PERIOD_WORKING_DAY},
                 {"day", MESSAGE_PERIOD_DAY},
                 {"week", MESSAGE_PERIOD_WEEK},
                 {"month", MESSAGE_PERIOD_MONTH},
                 {"quarter", MESSAGE_PERIOD_QUARTER},
                 {"year", MESSAGE_PERIOD_YEAR}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].name, name) == 0)
            return phrase_plain(writer->speech, words[i].id);
    return name;
}

static void write_goals(struct writer *writer, const struct init_answers *answers)
{
    const char *goal = answers->texts[INIT_GOAL], *per = answers->texts[INIT_PER],
               *one_in = answers->texts[INIT_ONE_IN];
    if (!*goal)
        return;
    long long owed = strtoll(goal, NULL, 10) * strtoll(one_in, NULL, 10);
    text_buffer_print(writer->out, "\n# %s\n",
                      phrase(writer->speech, MESSAGE_INIT_ABOUT_GOALS,
                             {"count", speech_count(writer->speech, owed)},
                             {"period", period_word(writer, per)}));
    text_buffer_print(writer->out,
                      "# goals:\n#   customers: {at_least: %s, per: %s, owner: Head of Sales}\n"
                      "#   conversion: {one_in: %s, judge_after: 30d, owner: Head of Sales}\n",
                      goal, per, one_in);
}

void init_text(struct speech *speech, const struct init_answers *answers, struct text_buffer *out)
{
    struct writer writer = {.speech = speech, .out = out};
    write_head(&writer, answers);
    write_fit(&writer, answers->texts[INIT_TITLE]);
    write_behaviour(&writer, answers);
    write_gates(&writer);
    write_goals(&writer, answers);
}
