#include "common/result.h"

#include "common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define DIGITS JSON_REAL_PRECISION(9) /* more than any measurement has */

FILE *result_text(bool json)
{
    return json ? stderr : stdout;
}

/* ---- What is needed to repeat a run ---- */

/* The rest of the first line of a file that begins with `key`, after blanks, `:`, `=` and quotes.
 */
static json_t *line_of(const char *path, const char *key)
{
    char line[512];
    FILE *file = fopen(path, "re");
    json_t *found = NULL;
    while (file && !found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        char *text = line + strlen(key);
        text += strspn(text, " \t:=\"");
        text[strcspn(text, "\"\n")] = '\0';
        found = json_string(text);
    }
    if (file)
        (void)fclose(file);
    return found ? found : json_null();
}

static json_t *machine(void)
{
    struct utsname names;
    bool named = uname(&names) == 0;
    return json_pack("{s:o, s:I, s:I, s:s, s:o}", "cpu", line_of("/proc/cpuinfo", "model name"),
                     "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes",
                     (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGE_SIZE),
                     "kernel", named ? names.release : "unknown", "os",
                     line_of("/etc/os-release", "PRETTY_NAME"));
}

/* The first line of what a command says; "" when it fails. */
static void ask(const char *command, char *room, size_t size)
{
    *room = '\0';
    FILE *pipe = popen(command, "re"); /* NOLINT(bugprone-command-processor): a text of ours */
    if (!pipe)
        return;
    if (!fgets(room, (int)size, pipe))
        *room = '\0';
    room[strcspn(room, "\n")] = '\0';
    (void)pclose(pipe);
}

static void put_commit(json_t *result)
{
    char commit[64], changes[256];
    ask("git -C '" BENCH_SOURCE_DIR "' rev-parse --short HEAD 2>/dev/null", commit, sizeof commit);
    ask("git -C '" BENCH_SOURCE_DIR
        "' status --porcelain --untracked-files=no -- .. ':!results' 2>/dev/null",
        changes, sizeof changes);
    json_object_set_new(result, "commit", *commit ? json_string(commit) : json_null());
    json_object_set_new(result, "dirty", json_boolean(*changes));
}

static json_t *value_of(const struct option *row, const void *values)
{
    const void *place = (const char *)values + row->offset;
    const char *text;
    switch (row->kind) {
    case OPTION_COUNT:
    case OPTION_BYTES: return json_integer((json_int_t) * (const uint64_t *)place);
    case OPTION_TEXT:
    case OPTION_CHOICE:
        text = *(const char *const *)place;
        return text ? json_string(text) : json_null();
    case OPTION_FLAG: return json_boolean(*(const bool *)place);
    case OPTION_PROPERTIES: {
        /* Names alone: a value may be a password. */
        const struct option_properties *properties = place;
        json_t *names = json_array();
        for (size_t i = 0; i < properties->count; i++)
            json_array_append_new(names, json_string(properties->items[i].key));
        return names;
    }
    default: return json_real(*(const double *)place);
    }
}

/* The value of -X stands in the arguments, too. */
static json_t *arguments_of(int argc, char **argv)
{
    json_t *list = json_array();
    bool property = false;
    for (int i = 0; i < argc; i++) {
        bool joined = strncmp(argv[i], "-X", 2) == 0 && argv[i][2];
        const char *equals = property || joined ? strchr(argv[i], '=') : NULL;
        json_array_append_new(list, equals
                                        ? json_sprintf("%.*s=…", (int)(equals - argv[i]), argv[i])
                                        : json_string(argv[i]));
        property = strcmp(argv[i], "-X") == 0;
    }
    return list;
}

static void put_time(json_t *result)
{
    char text[32];
    time_t now = time(NULL);
    struct tm parts;
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    json_object_set_new(result, "at", json_string(text));
}

json_t *result_create(const char *kind, const struct options *options, const void *values, int argc,
                      char **argv)
{
    json_t *result = json_object(), *given = json_object();
    json_object_set_new(result, "kind", json_string(kind));
    put_time(result);
    put_commit(result);
    json_object_set_new(result, "machine", machine());
    json_object_set_new(
        result, "versions",
        json_pack("{s:s, s:s}", "baton", BATON_VERSION, "librdkafka", rd_kafka_version_str()));
    json_object_set_new(result, "arguments", arguments_of(argc, argv));
    for (size_t i = 0; i < options->count; i++)
        json_object_set_new(given, options->rows[i].name, value_of(&options->rows[i], values));
    json_t *seed = json_object_get(given, "seed");
    if (seed)
        json_object_set(result, "seed", seed);
    json_object_set_new(result, "options", given);
    return result;
}

/* ---- Keeping it ---- */

static int cannot(const char *what, const char *path)
{
    (void)fprintf(stderr, "baton-bench: cannot %s %s: %s\n", what, path, strerror(errno));
    return 1;
}

static int append_line(const json_t *result, const char *folder)
{
    char path[4096];
    char *line = json_dumps(result, JSON_COMPACT | DIGITS);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        free(line);
        return cannot("make the folder", folder);
    }
    (void)snprintf(path, sizeof path, "%s/%s.jsonl", folder,
                   json_string_value(json_object_get(result, "kind")));
    FILE *file = fopen(path, "ae");
    bool kept = file && line && fprintf(file, "%s\n", line) > 0;
    kept = file && fclose(file) == 0 && kept;
    free(line);
    return kept ? 0 : cannot("write to", path);
}

int result_finish(json_t *result, json_t *data, const char *folder, bool json)
{
    int code = 0;
    json_object_set(result, "data", data);
    if (!folder || strcmp(folder, "none") != 0)
        code = append_line(result, folder ? folder : BENCH_SOURCE_DIR "/results");
    if (json) {
        char *text = json_dumps(data, DIGITS);
        (void)printf("%s\n", text ? text : "null");
        (void)fflush(stdout);
        free(text);
    }
    json_decref(data);
    json_decref(result);
    return code;
}
