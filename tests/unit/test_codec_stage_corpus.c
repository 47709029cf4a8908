/* The records that fuzz_stage_record starts from are records: a fuzzer that starts from bytes that
 * are refused at once learns little. The first word of a file's name is what it tells of. */
#include "codec/embedded.h"
#include "codec/outgoing.h"
#include "codec/outgoing_content.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

#define FOLDER BATON_SOURCE_DIR "/tests/fuzz/corpus/stage_record"
#define FILE_MAX 4096

static size_t read_file(const char *name, uint8_t room[FILE_MAX])
{
    char path[1024];
    snprintf(path, sizeof path, FOLDER "/%s", name);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    size_t size = fread(room, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

/* As fuzz_stage_record puts something in front of its bytes. */
static bool reads_behind(const void *front, size_t front_size, const char *name,
                         struct stage_record *record, struct arena *arena)
{
    static uint8_t bytes[16 + FILE_MAX];
    struct error error;
    memcpy(bytes, front, front_size);
    size_t size = front_size + read_file(name, bytes + front_size);
    return stage_record_read(bytes, size, arena, record, &error) == STATUS_OK;
}

static bool reads(const char *name, struct stage_record *record, struct arena *arena)
{
    const struct embedded_text *schema = embedded_find("StageChange.avsc");
    uint8_t single_object[10] = {0xc3, 0x01};
    struct error error;
    uint64_t print = 0;
    cr_assert_eq(schema_fingerprint(schema->text, schema->size, &print, &error), STATUS_OK);
    for (int i = 0; i < 8; i++)
        single_object[2 + i] = (uint8_t)(print >> (8 * i));
    if (strstr(name, "_body"))
        return reads_behind(single_object, 10, name, record, arena) &&
               reads_behind("\0\0\0\0\1", 5, name, record, arena);
    if (strstr(name, "_json_rest"))
        return reads_behind("{\"lead_id\":\"l\",", 15, name, record, arena);
    return reads_behind("", 0, name, record, arena);
}

static bool tells_of(const struct stage_record *record, const char *name)
{
    const char *kind = stage_record_name(record->kind);
    kind = kind ? kind : "stage";
    return strncmp(name, kind, strlen(kind)) == 0 && name[strlen(kind)] == '_';
}

Test(stage_corpus, every_file_is_a_record_of_what_its_name_says)
{
    unsigned seen[STAGE_RECORD_KINDS] = {0};
    struct arena arena;
    arena_init(&arena, 4096);
    DIR *folder = opendir(FOLDER);
    cr_assert(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stage_record record;
        if (entry->d_name[0] == '.')
            continue;
        cr_assert(reads(entry->d_name, &record, &arena), "%s is not read", entry->d_name);
        cr_assert(tells_of(&record, entry->d_name), "%s", entry->d_name);
        seen[record.kind]++;
    }
    closedir(folder);
    for (int kind = 0; kind < STAGE_RECORD_KINDS; kind++)
        cr_assert_geq(seen[kind], 3, "of %s there are %u, in each framing one is wanted",
                      kind ? stage_record_name((enum stage_record_kind)kind) : "stage", seen[kind]);
    arena_fini(&arena);
}
