#include "commands/commands.h"

#include <dlfcn.h>
#include <jansson.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The library is asked at run time, by the function that it has for that; one that has none is
 * known by the file that was loaded. No header is needed for it: those stay in the rooms that wrap
 * them. */
struct library {
    const char *name;
    const char *function; /* const char *(*)(void); NULL: none */
    const char *file;     /* how the name of its file begins */
};

static const struct library libraries[] = {
    {"librdkafka", "rd_kafka_version_str", NULL},
    {"liblz4", "LZ4_versionString", NULL},
    {"hiredis", NULL, "libhiredis.so"},
    {"libavro", NULL, "libavro.so"},
    {"libfyaml", "fy_library_version", NULL},
    {"utf8proc", "utf8proc_version", NULL},
    {"jansson", "jansson_version_str", NULL},
    {"libcurl", "curl_version", NULL},
    {"OpenSSL", NULL, "libcrypto.so"},
};

struct search {
    const char *file;
    char found[PATH_MAX];
};

static int look_at_file(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct search *search = context;
    char path[PATH_MAX];
    if (!strstr(info->dlpi_name, search->file) || !realpath(info->dlpi_name, path))
        return 0;
    const char *name = strstr(path, ".so.");
    (void)snprintf(search->found, sizeof search->found, "%s", name ? name + 4 : path);
    return 1;
}

static void library_version(const struct library *library, char *room, size_t size)
{
    (void)snprintf(room, size, "not loaded");
    if (!library->function) {
        struct search search = {.file = library->file};
        if (dl_iterate_phdr(look_at_file, &search))
            (void)snprintf(room, size, "%.32s (its file)", search.found);
        return;
    }
    void *symbol = dlsym(RTLD_DEFAULT, library->function);
    if (!symbol)
        return;
    const char *(*ask)(void);
    memcpy(&ask, &symbol, sizeof ask); /* ISO C has no cast from object to function */
    (void)snprintf(room, size, "%s", ask());
    /* "libcurl/7.88.1 OpenSSL/3.0.17 …" */
    char *slash = strchr(room, '/'), *space = strchr(room, ' ');
    if (space)
        *space = 0;
    if (slash && (!space || slash < space))
        memmove(room, slash + 1, strlen(slash + 1) + 1);
}

static void print_json(void)
{
    json_t *object = json_object(), *versions = json_object();
    json_object_set_new(object, "baton", json_string(BATON_VERSION));
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        char version[64];
        library_version(&libraries[i], version, sizeof version);
        json_object_set_new(versions, libraries[i].name, json_string(version));
    }
    json_object_set_new(object, "libraries", versions);
    json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(object);
}

int command_version(const struct invocation *invocation)
{
    if (invocation->json) {
        print_json();
        return EXIT_CODE_OK;
    }
    (void)printf("baton %s\n", BATON_VERSION);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        char version[64];
        library_version(&libraries[i], version, sizeof version);
        (void)printf("  %-11s %s\n", libraries[i].name, version);
    }
    return EXIT_CODE_OK;
}
