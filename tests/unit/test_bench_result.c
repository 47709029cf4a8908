/* What a run leaves behind. */
#include "common/result.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct values {
    struct common_options common;
    uint64_t seed, events;
    double share;
};
static const struct option rows[] = {
    COMMON_OPTIONS(struct values, common),
    {"seed", OPTION_COUNT, offsetof(struct values, seed), "1", ""},
    {"events", OPTION_COUNT, offsetof(struct values, events), "1M", ""},
    {"share", OPTION_SHARE, offsetof(struct values, share), "0.25", ""},
    OUTPUT_OPTIONS(struct values, common, "none"),
};
static const struct options table = {"load", "", rows, sizeof rows / sizeof *rows};

static json_t *result_of(int argc, char **argv)
{
    struct values values;
    cr_assert_eq(options_read(&table, argc, argv, &values), -1);
    return result_create("load", &table, &values, argc, argv);
}

static json_t *read_lines(const char *folder, size_t *lines)
{
    char path[256], line[8192];
    (void)snprintf(path, sizeof path, "%s/load.jsonl", folder);
    FILE *file = fopen(path, "r");
    cr_assert(file);
    json_t *last = NULL;
    for (*lines = 0; fgets(line, sizeof line, file); ++*lines) {
        json_decref(last);
        last = json_loads(line, 0, NULL);
        cr_assert(last);
    }
    (void)fclose(file);
    (void)unlink(path);
    return last;
}

Test(bench_result, a_result_is_a_line_with_what_is_needed_to_repeat_it)
{
    char folder[] = "/tmp/bench-result-XXXXXX";
    cr_assert(mkdtemp(folder));
    char *words[] = {"load", "--events", "5k"};
    size_t lines;
    for (int i = 0; i < 2; i++)
        cr_assert_eq(
            result_finish(result_of(3, words), json_pack("{s:i}", "answer", 42), folder, false), 0);
    json_t *result = read_lines(folder, &lines);
    cr_expect_eq(lines, 2);
    const char *at = json_string_value(json_object_get(result, "at"));
    cr_expect(at && strlen(at) == 20 && at[10] == 'T' && at[19] == 'Z');
    cr_expect_str_eq(json_string_value(json_object_get(result, "kind")), "load");
    cr_expect_eq(json_integer_value(json_object_get(result, "seed")), 1);
    json_t *options = json_object_get(result, "options");
    cr_expect_eq(json_integer_value(json_object_get(options, "events")), 5000);
    cr_expect_eq(json_real_value(json_object_get(options, "share")), 0.25);
    cr_expect_str_eq(json_string_value(json_object_get(options, "topic")), "bench-events");
    cr_expect_eq(json_array_size(json_object_get(result, "arguments")), 3);
    json_t *machine = json_object_get(result, "machine");
    cr_expect_gt(json_integer_value(json_object_get(machine, "cores")), 0);
    cr_expect_gt(json_integer_value(json_object_get(machine, "memory_bytes")), 0);
    cr_expect(json_is_string(json_object_get(machine, "os")));
    cr_expect(json_is_string(json_object_get(json_object_get(result, "versions"), "librdkafka")));
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(result, "data"), "answer")),
                 42);
    json_decref(result);
    (void)rmdir(folder);
}

Test(bench_result, values_of_properties_are_not_kept)
{
    char *words[] = {"load", "-X", "sasl.password=secret", "-Xssl.key.password=secret"};
    json_t *result = result_of(4, words);
    char *text = json_dumps(result, 0);
    cr_expect_null(strstr(text, "secret"), "%s", text);
    cr_expect_not_null(strstr(text, "sasl.password"));
    cr_expect_not_null(strstr(text, "ssl.key.password"));
    free(text);
    json_decref(result);
}

Test(bench_result, a_folder_that_cannot_be_written_is_an_error)
{
    char *words[] = {"load"};
    cr_expect_eq(result_finish(result_of(1, words), json_object(), "/proc/no/such", false), 1);
    cr_expect_eq(result_finish(result_of(1, words), json_object(), "none", false), 0);
}
