/* Every file of tests/agreements: bad ones give exactly the errors that their comments tell,
 * good ones exactly the warnings; and in every language the same findings at the same places. */
#include "agreement/agreement.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER BATON_SOURCE_DIR "/tests/agreements/"

static void read_file(const char *path, struct text_buffer *text)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    char block[4096];
    size_t size;
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        text_buffer_add(text, block, size);
    fclose(file);
}

/* Lines `# error 3:7 text` of a file as the parser prints them. */
static void expected_lines(const char *name, const char *text, const char *severity,
                           struct text_buffer *out)
{
    char begin[32];
    int begin_size = snprintf(begin, sizeof begin, "# %s ", severity);
    for (const char *line = text; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, begin, (size_t)begin_size) != 0)
            continue;
        const char *place = line + begin_size;
        int place_size = (int)strcspn(place, " "), rest = (int)strcspn(place + place_size, "\n");
        text_buffer_print(out, "%s:%.*s: %s:%.*s\n", name, place_size, place, severity, rest,
                          place + place_size);
    }
}

static void found_lines(const char *messages, const char *severity, struct text_buffer *out)
{
    char sign[32];
    snprintf(sign, sizeof sign, ": %s: ", severity);
    for (const char *line = messages; *line;) {
        size_t size = strcspn(line, "\n") + 1;
        const char *found = strstr(line, sign);
        if (found && found < line + size)
            text_buffer_add(out, line, size);
        line += size;
    }
}

static void check_file(const char *folder, const char *name, const char *severity,
                       enum status status)
{
    struct text_buffer path = {0}, text = {0}, messages = {0}, expected = {0}, found = {0};
    struct agreement *agreement;
    text_buffer_print(&path, FOLDER "%s/%s", folder, name);
    read_file(path.data, &text);
    enum status got = agreement_parse(name, text.data, text.size, NULL, 0, &agreement, &messages);
    cr_expect_eq(got, status, "%s:\n%s", name, messages.data ? messages.data : "");
    cr_expect_eq(agreement != NULL, status == STATUS_OK, "%s", name);
    expected_lines(name, text.data, severity, &expected);
    found_lines(messages.data ? messages.data : "", severity, &found);
    cr_expect_str_eq(found.data ? found.data : "", expected.data ? expected.data : "");
    if (agreement) {
        static const char *const gates[LANGUAGES] = {
            "A lead becomes an MQL with ", "Um lead vira MQL com ", "Un lead pasa a MQL con "};
        for (int i = 0; i < LANGUAGES; i++) {
            struct text_buffer sentences = {0};
            agreement_sentences(agreement, (enum language)i, &sentences);
            cr_expect(strstr(sentences.data, gates[i]), "%s", name);
            cr_expect_not(strstr(sentences.data, "(null)"), "%s", name);
            cr_expect_not(strpbrk(sentences.data, "{}"), "%s", name);
            text_buffer_fini(&sentences);
        }
    }
    agreement_destroy(agreement);
    struct text_buffer *all[] = {&path, &text, &messages, &expected, &found};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        text_buffer_fini(all[i]);
}

static int check_folder(const char *folder, const char *severity, enum status status)
{
    char path[4096];
    snprintf(path, sizeof path, FOLDER "%s", folder);
    DIR *open_folder = opendir(path);
    cr_assert(open_folder, "%s", path);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        size_t size = strlen(entry->d_name);
        if (size > 5 && strcmp(entry->d_name + size - 5, ".yaml") == 0) {
            check_file(folder, entry->d_name, severity, status);
            count++;
        }
    }
    closedir(open_folder);
    return count;
}

Test(agreement_cases, bad_files_give_all_their_errors_at_their_places)
{
    cr_assert_geq(check_folder("bad", "error", STATUS_STOP), 114);
}

Test(agreement_cases, good_files_give_only_the_warnings_that_they_tell)
{
    cr_assert_geq(check_folder("good", "warning", STATUS_OK), 16);
}

/* ---- In every language ---- */

static bool seen[MESSAGES];

static bool same_finding(const struct finding *one, const struct finding *other)
{
    return one->id == other->id && one->warning == other->warning &&
           one->place.line == other->place.line && one->place.column == other->place.column;
}

static void compare_languages(const char *folder, const char *name)
{
    struct text_buffer path = {0}, text = {0};
    text_buffer_print(&path, FOLDER "%s/%s", folder, name);
    read_file(path.data, &text);
    struct findings found[LANGUAGES];
    for (int i = 0; i < LANGUAGES; i++) {
        struct agreement *agreement;
        findings_init(&found[i], (enum language)i);
        agreement_read(text.data ? text.data : "", text.size, NULL, 0, &agreement, &found[i]);
        agreement_destroy(agreement);
        findings_sort(&found[i]);
        cr_expect_eq(found[i].count, found[0].count, "%s", name);
        for (uint32_t k = 0; k < found[i].count && k < found[0].count; k++) {
            const struct finding *finding = &found[i].items[k], *english = &found[0].items[k];
            seen[finding->id] = true;
            cr_expect(same_finding(finding, english), "%s: %s", name, finding->text);
            cr_expect(i == 0 || strcmp(finding->text, english->text) != 0, "%s: %s in %s", name,
                      finding->text, language_name((enum language)i));
        }
    }
    for (int i = 0; i < LANGUAGES; i++)
        findings_fini(&found[i]);
    text_buffer_fini(&path);
    text_buffer_fini(&text);
}

static void compare_folder(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, FOLDER "%s", folder);
    DIR *open_folder = opendir(path);
    cr_assert(open_folder, "%s", path);
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        const char *end = strrchr(entry->d_name, '.');
        if (end && strcmp(end, ".yaml") == 0)
            compare_languages(folder, entry->d_name);
    }
    closedir(open_folder);
}

/* What only a path or a large file shows, or a machine without its tz database; and what this
 * libfyaml says of nothing that we know; and no word waits for a later version now. */
static const enum message_id without_a_file[] = {
    MESSAGE_FINDING_NO_FILE,          MESSAGE_FINDING_UNREADABLE,   MESSAGE_FINDING_TOO_LARGE,
    MESSAGE_FINDING_TOO_MANY_VALUES,  MESSAGE_FINDING_AND_MORE,     MESSAGE_FINDING_ZONE_UNREADABLE,
    MESSAGE_FINDING_ZONE_NO_DATABASE, MESSAGE_FINDING_ONE_HASH,     MESSAGE_FINDING_NOT_YAML,
    MESSAGE_FINDING_NOT_UNDERSTOOD,   MESSAGE_FINDING_NOT_IN_FORCE,
};

static bool needs_a_file(enum message_id id)
{
    for (size_t i = 0; i < sizeof without_a_file / sizeof *without_a_file; i++)
        if (without_a_file[i] == id)
            return false;
    return true;
}

Test(agreement_cases, every_finding_is_shown_by_a_file_in_every_language)
{
    compare_folder("bad");
    compare_folder("good");
#define EXPECT_SEEN(name)                                                                          \
    cr_expect(seen[MESSAGE_##name] == needs_a_file(MESSAGE_##name), "%s",                          \
              message_name(MESSAGE_##name));
    FINDING_LIST(EXPECT_SEEN)
#undef EXPECT_SEEN
}
