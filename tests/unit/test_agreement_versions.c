/* A folder of agreements: which one is in force when, and what is wrong with a set. */
#include "agreement/versions.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define NOVEMBER (INT64_C(20758) * DAY_MS) /* 2026-11-01 */
#define REST                                                                                       \
    "behaviour: [{id: visit, event: visit, points: 1}]\n"                                          \
    "gates: {mql: {score: 5}, sql: {score: 10}}\n"

struct folder {
    char path[64];
    struct versions *versions;
    struct text_buffer messages;
};

static void setup(struct folder *folder)
{
    *folder = (struct folder){.path = "/tmp/baton-versions-XXXXXX"};
    cr_assert(mkdtemp(folder->path));
}

static void put(const struct folder *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static enum status load(struct folder *folder)
{
    return versions_load(folder->path, &folder->versions, &folder->messages);
}

static void end(struct folder *folder)
{
    char command[128];
    versions_destroy(folder->versions);
    text_buffer_fini(&folder->messages);
    snprintf(command, sizeof command, "rm -r %s", folder->path);
    cr_expect_eq(system(command), 0);
}

static uint32_t at(const struct folder *folder, int64_t time_ms)
{
    return agreement_version(versions_at(folder->versions, time_ms));
}

Test(versions, each_is_in_force_from_its_day_on)
{
    struct folder folder;
    setup(&folder);
    put(&folder, "a.yaml",
        "agreement: x\nversion: 3\neffective: 2026-11-03\nexpires: 2026-11-04\n" REST);
    put(&folder, "b.yaml", "agreement: x\nversion: 1\neffective: 2026-11-01\n" REST);
    put(&folder, "c.yaml", "agreement: x\nversion: 2\neffective: 2026-11-02\n" REST);
    put(&folder, "notes.txt", "not an agreement");
    put(&folder, ".hidden.yaml", "not one, either");
    cr_assert_eq(load(&folder), STATUS_OK, "%s", folder.messages.data);
    cr_expect_eq(versions_count(folder.versions), 3);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(agreement_version(versions_get(folder.versions, i)), i + 1);
    cr_expect(strstr(versions_file(folder.versions, 0), "/b.yaml"));
    cr_expect_eq(at(&folder, 0), 1); /* before the first day the first */
    cr_expect_eq(at(&folder, NOVEMBER), 1);
    cr_expect_eq(at(&folder, NOVEMBER + DAY_MS - 1), 1);
    cr_expect_eq(at(&folder, NOVEMBER + DAY_MS), 2);
    cr_expect_eq(at(&folder, NOVEMBER + 2 * DAY_MS), 3);
    cr_expect_eq(at(&folder, NOVEMBER + 100 * DAY_MS), 3); /* expired, and none is next */
    cr_expect_eq(versions_next_ms(folder.versions, 0), NOVEMBER + DAY_MS);
    cr_expect_eq(versions_next_ms(folder.versions, NOVEMBER + DAY_MS), NOVEMBER + 2 * DAY_MS);
    cr_expect_eq(versions_next_ms(folder.versions, NOVEMBER + 2 * DAY_MS), INT64_MAX);
    const struct agreement *second = versions_get(folder.versions, 1);
    cr_expect_eq(versions_find(folder.versions, agreement_hash(second)), second);
    cr_expect_null(versions_find(folder.versions, "00"));
    end(&folder);
}

Test(versions, a_day_begins_where_the_agreement_is)
{
    struct folder folder;
    setup(&folder);
    put(&folder, "a.yaml", "agreement: x\nversion: 1\neffective: 2026-10-01\n" REST);
    put(&folder, "b.yaml",
        "agreement: x\nversion: 2\neffective: 2026-11-01\nzone: America/Sao_Paulo\n" REST);
    cr_assert_eq(load(&folder), STATUS_OK, "%s", folder.messages.data);
    cr_expect_eq(versions_next_ms(folder.versions, 0), NOVEMBER + 3 * DAY_MS / 24);
    end(&folder);
}

Test(versions, a_file_is_a_set_of_one)
{
    struct folder folder;
    setup(&folder);
    put(&folder, "a.yaml", "agreement: x\nversion: 1\n" REST);
    char path[128];
    snprintf(path, sizeof path, "%s/a.yaml", folder.path);
    cr_assert_eq(versions_load(path, &folder.versions, &folder.messages), STATUS_OK);
    cr_expect_eq(versions_count(folder.versions), 1);
    cr_expect_eq(at(&folder, 0), 1);
    cr_expect_eq(versions_next_ms(folder.versions, 0), INT64_MAX);
    struct versions *same = versions_of(versions_get(folder.versions, 0));
    cr_expect_eq(versions_at(same, 0), versions_at(folder.versions, 0));
    versions_destroy(same);
    struct agreement *taken = versions_take(folder.versions, 0);
    folder.versions = NULL;
    cr_expect_eq(agreement_version(taken), 1);
    agreement_destroy(taken);
    end(&folder);
}

static void refuses(const char *second, const char *why)
{
    struct folder folder;
    setup(&folder);
    put(&folder, "a.yaml", "agreement: x\nversion: 1\neffective: 2026-11-01\n" REST);
    put(&folder, "b.yaml", second);
    cr_expect_eq(load(&folder), STATUS_STOP);
    cr_expect_null(folder.versions);
    cr_expect(strstr(folder.messages.data, why), "%s", folder.messages.data);
    cr_expect(strstr(folder.messages.data, "/b.yaml"), "%s", folder.messages.data);
    end(&folder);
}

Test(versions, what_is_wrong_with_a_set_is_told)
{
    refuses("agreement: x\nversion: 2\neffective: 2026-11-01\n" REST,
            "in force from 2026-11-01 on is");
    refuses("agreement: x\nversion: 1\neffective: 2026-11-02\n" REST, "version 1 is");
    refuses("agreement: y\nversion: 2\neffective: 2026-11-02\n" REST, "have one name");
    refuses("agreement: x\nversion: 2\n" REST, "`effective` is missing");
    refuses("agreement: x\nversion: 2\neffective: 2026-11-02\n", "b.yaml:1:1: error");
}

static size_t lines_with(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

Test(versions, many_that_clash_are_told_in_a_few_lines)
{
    static const char *const heads[] = {
        "agreement: x\nversion: 1\neffective: 2026-11-01\n" REST,
        "agreement: x\nversion: 1\n" REST,
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct folder folder;
        char name[16], last[160];
        setup(&folder);
        for (int k = 0; k < 300; k++) {
            snprintf(name, sizeof name, "%03d.yaml", k);
            put(&folder, name, heads[i]);
        }
        cr_expect_eq(load(&folder), STATUS_STOP);
        cr_expect_eq(lines_with(folder.messages.data, "\n"), 11, "%zu", folder.messages.size);
        snprintf(last, sizeof last, "%s: error: and %d more files like these\n", folder.path,
                 i == 0 ? 289 : 290);
        cr_expect_eq(lines_with(folder.messages.data, last), 1, "%.900s", folder.messages.data);
        cr_expect_eq(lines_with(folder.messages.data, "/005.yaml: error: "), 1);
        end(&folder);
    }
}

Test(versions, an_empty_folder_or_none)
{
    struct folder folder;
    setup(&folder);
    cr_expect_eq(load(&folder), STATUS_STOP);
    cr_expect(strstr(folder.messages.data, "has no agreement"), "%s", folder.messages.data);
    text_buffer_clear(&folder.messages);
    cr_expect_eq(versions_load("/nowhere/x", &folder.versions, &folder.messages), STATUS_STOP);
    cr_expect(folder.messages.size > 0);
    end(&folder);
}
