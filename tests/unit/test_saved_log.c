/* A log kept as files: it comes back as it was, or says what is wrong with it. */
#include "backtest/saved_log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTITIONS 3
#define RECORDS 4000

static struct record kept[PARTITIONS][RECORDS];
static size_t counts[PARTITIONS], fails_after;
static struct arena bytes;
static char folder[96], home[64];

struct reader {
    uint32_t partition;
    size_t next;
};

static void log_range(void *context, uint32_t partition, int64_t *first, int64_t *end)
{
    (void)context;
    *first = 100 * partition;
    *end = *first + 2 * (int64_t)counts[partition] + 7;
}

static void *log_open(void *context, uint32_t partition)
{
    (void)context;
    struct reader *reader = calloc(1, sizeof *reader);
    reader->partition = partition;
    return reader;
}

static enum status log_next(void *opaque, struct record *records, size_t room, size_t *count,
                            struct error *error)
{
    struct reader *reader = opaque;
    if (fails_after && reader->next >= fails_after)
        return error_set(error, STATUS_STOP, "the broker went away");
    for (*count = 0; *count < room && reader->next < counts[reader->partition];)
        records[(*count)++] = kept[reader->partition][reader->next++];
    return STATUS_OK;
}

static const struct backtest_log the_log = {.partitions = PARTITIONS,
                                            .range = log_range,
                                            .open = log_open,
                                            .next = log_next,
                                            .close = free};

static void append(uint32_t partition, const char *key, const void *value, size_t size,
                   size_t header_count)
{
    size_t number = counts[partition]++;
    struct header *headers = arena_take(&bytes, 3 * sizeof *headers);
    for (size_t i = 0; i < header_count; i++)
        headers[i] =
            (struct header){i ? "" : "baton-own", i == 1 ? NULL : "merge\0x", i == 1 ? 0 : i * 3};
    kept[partition][number] = (struct record){.unit = partition,
                                              .offset = 100 * partition + 2 * (int64_t)number,
                                              .timestamp_ms = (int64_t)number - 5,
                                              .key = (const uint8_t *)key,
                                              .key_size = key ? strlen(key) : 0,
                                              .value = value,
                                              .value_size = size,
                                              .headers = header_count ? headers : NULL,
                                              .header_count = header_count};
}

/* Partition 0 has all kinds of records, 1 none, 2 one. */
static void fill(size_t count)
{
    arena_init(&bytes, 1 << 16);
    memset(counts, 0, sizeof counts);
    char *large = calloc(1, 700000);
    append(0, NULL, NULL, 0, 0);
    append(0, "", "", 0, 2);
    append(0, "lead", large, 700000, 3);
    for (size_t i = 0; i < count; i++)
        append(0, "lead-1", "{\"kind\":\"visit\",\"page\":\"/a\"}", i % 28, i % 5 == 0);
    append(2, "lead", "x", 1, 1);
}

static void begin(size_t count)
{
    strcpy(home, "/tmp/baton-saved-XXXXXX");
    cr_assert(mkdtemp(home));
    snprintf(folder, sizeof folder, "%s/log", home);
    fails_after = 0;
    fill(count);
}

static void end(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", home);
    cr_assert_eq(system(command), 0);
}

static bool is_there(const char *suffix)
{
    char path[160];
    struct stat found;
    snprintf(path, sizeof path, "%s%s", folder, suffix);
    return stat(path, &found) == 0;
}

/* ---- going through a log ---- */

static enum status read_partition(const struct backtest_log *log, uint32_t partition, size_t room,
                                  size_t *seen, struct error *error)
{
    void *reader = log->open(log->context, partition);
    struct record *records = calloc(room, sizeof *records);
    enum status status;
    size_t count = 0;
    *seen = 0;
    while ((status = log->next(reader, records, room, &count, error)) == STATUS_OK && count)
        for (size_t i = 0; i < count; i++, ++*seen) {
            const struct record *got = &records[i], *want = &kept[partition][*seen];
            cr_assert_lt(*seen, counts[partition]);
            cr_assert_eq(got->offset, want->offset);
            cr_assert_eq(got->timestamp_ms, want->timestamp_ms);
            cr_assert_eq(got->unit, partition);
            cr_assert_eq(!got->key, !want->key);
            cr_assert_eq(got->key_size, want->key_size);
            cr_assert_eq(!got->value, !want->value);
            cr_assert_eq(got->value_size, want->value_size);
            cr_assert(!want->key || memcmp(got->key, want->key, want->key_size) == 0);
            cr_assert(!want->value || memcmp(got->value, want->value, want->value_size) == 0);
            cr_assert_eq(got->header_count, want->header_count);
            for (size_t h = 0; h < want->header_count; h++) {
                cr_assert_str_eq(got->headers[h].name, want->headers[h].name);
                cr_assert_eq(got->headers[h].value_size, want->headers[h].value_size);
                cr_assert_eq(!got->headers[h].value, !want->headers[h].value);
                cr_assert(!want->headers[h].value ||
                          memcmp(got->headers[h].value, want->headers[h].value,
                                 want->headers[h].value_size) == 0);
            }
        }
    free(records);
    log->close(reader);
    return status;
}

static enum status read_all(const struct backtest_log *log, size_t room, struct error *error)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < log->partitions && status == STATUS_OK; i++) {
        size_t seen;
        int64_t first, last, wanted_first, wanted_last;
        log->range(log->context, i, &first, &last);
        log_range(NULL, i, &wanted_first, &wanted_last);
        cr_assert_eq(first, wanted_first);
        cr_assert_eq(last, wanted_last);
        status = read_partition(log, i, room, &seen, error);
        cr_assert(status != STATUS_OK || seen == counts[i], "%zu of %zu", seen, counts[i]);
    }
    return status;
}

static const struct saved_facts facts = {.topic = "lead-events", .event_bytes = 999488};

static struct log_saver *save(struct error *error, enum status *status)
{
    struct log_saver *saver;
    *status = log_saver_create(folder, &the_log, &facts, &saver, error);
    if (*status == STATUS_OK)
        *status = read_all(log_saver_log(saver), 100, error);
    if (*status == STATUS_OK)
        *status = log_saver_finish(saver, error);
    return saver;
}

static void save_well(void)
{
    struct error error = {""};
    enum status status;
    struct log_saver *saver = save(&error, &status);
    cr_assert_eq(status, STATUS_OK, "%s", error.text);
    log_saver_destroy(saver);
}

/* Opens it and reads it to its end. */
static enum status look(struct error *error)
{
    struct saved_log *saved;
    enum status status = saved_log_open(folder, &saved, error);
    if (status != STATUS_OK)
        return status;
    status = read_all(saved_log_log(saved), 512, error);
    saved_log_close(saved);
    return status;
}

Test(saved_log, it_comes_back_as_it_was)
{
    struct error error = {""};
    struct saved_log *saved;
    begin(3000);
    save_well();
    cr_assert(!is_there(".part"));
    cr_assert_eq(saved_log_open(folder, &saved, &error), STATUS_OK, "%s", error.text);
    cr_expect_str_eq(saved_log_facts(saved).topic, "lead-events");
    cr_expect_eq(saved_log_facts(saved).event_bytes, 999488);
    cr_expect_eq(saved_log_log(saved)->partitions, PARTITIONS);
    for (size_t room = 1; room < 3000; room = room * 3 + 1)
        cr_assert_eq(read_all(saved_log_log(saved), room, &error), STATUS_OK, "%s", error.text);
    saved_log_close(saved);
    end();
}

Test(saved_log, a_partition_that_is_read_again_is_kept_once)
{
    struct error error = {""};
    struct log_saver *saver;
    size_t seen;
    begin(100);
    cr_assert_eq(log_saver_create(folder, &the_log, &facts, &saver, &error), STATUS_OK);
    cr_assert_eq(read_partition(log_saver_log(saver), 0, 10, &seen, &error), STATUS_OK);
    cr_assert_eq(read_all(log_saver_log(saver), 64, &error), STATUS_OK);
    cr_assert_eq(log_saver_finish(saver, &error), STATUS_OK, "%s", error.text);
    log_saver_destroy(saver);
    cr_expect_eq(look(&error), STATUS_OK, "%s", error.text);
    end();
}

Test(saved_log, it_takes_no_name_that_is_taken)
{
    struct error error = {""};
    enum status status;
    begin(1);
    cr_assert_eq(mkdir(folder, 0700), 0);
    cr_assert_null(save(&error, &status));
    cr_expect_eq(status, STATUS_REJECT);
    cr_expect(strstr(error.text, "is there already"), "%s", error.text);
    rmdir(folder);
    strcat(folder, ".part");
    cr_assert_eq(mkdir(folder, 0700), 0);
    folder[strlen(folder) - 5] = '\0';
    strcat(folder, "//");
    cr_assert_null(save(&error, &status));
    cr_expect_eq(status, STATUS_REJECT);
    cr_expect(strstr(error.text, "log.part is there already"), "%s", error.text);
    strcpy(folder, "/nowhere/at/all");
    cr_assert_null(save(&error, &status));
    cr_expect(strstr(error.text, "/nowhere/at/all.part: No such file"), "%s", error.text);
    *folder = '\0';
    cr_assert_null(save(&error, &status));
    cr_expect_eq(status, STATUS_REJECT);
    cr_expect(strstr(error.text, "has no name"), "%s", error.text);
    end();
}

Test(saved_log, nothing_is_left_of_one_that_broke_off)
{
    struct error error = {""};
    enum status status;
    begin(300);
    fails_after = 200;
    struct log_saver *saver = save(&error, &status);
    cr_expect_eq(status, STATUS_STOP);
    cr_expect_str_eq(error.text, "the broker went away");
    cr_expect(is_there(".part"));
    cr_expect_eq(log_saver_finish(saver, &error), STATUS_STOP);
    cr_expect(strstr(error.text, "partition 0 was not read to its end"), "%s", error.text);
    log_saver_destroy(saver);
    cr_expect(!is_there(".part"));
    cr_expect(!is_there(""));
    end();
}

Test(saved_log, a_name_that_is_taken_meanwhile_loses_nothing)
{
    struct error error = {""};
    struct log_saver *saver;
    begin(10);
    cr_assert_eq(log_saver_create(folder, &the_log, &facts, &saver, &error), STATUS_OK);
    cr_assert_eq(read_all(log_saver_log(saver), 64, &error), STATUS_OK);
    cr_assert_eq(mkdir(folder, 0700), 0);
    strcat(folder, "/x");
    cr_assert_eq(mkdir(folder, 0700), 0);
    cr_expect_eq(log_saver_finish(saver, &error), STATUS_STOP);
    cr_expect(strstr(error.text, "the whole log is in ") && strstr(error.text, "/log.part"), "%s",
              error.text);
    log_saver_destroy(saver);
    strcpy(strrchr(folder, '/'), ".part");
    cr_expect_eq(look(&error), STATUS_OK, "%s", error.text);
    end();
}

Test(saved_log, a_disk_that_is_full_is_told)
{
    struct error error = {""};
    enum status status;
    struct rlimit limit = {1 << 16, 1 << 16};
    begin(300);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct log_saver *saver = save(&error, &status);
    cr_expect_eq(status, STATUS_STOP);
    cr_expect(strstr(error.text, "cannot write ") &&
                  strstr(error.text, "/00000.log: File too large"),
              "%s", error.text);
    log_saver_destroy(saver);
    cr_expect(!is_there(".part"));
    end();
}

/* ---- what is wrong with one ---- */

static void path_of(unsigned number, char path[160])
{
    snprintf(path, 160, "%s/%05u.log", folder, number);
}

static uint8_t *read_file(unsigned number, size_t *size)
{
    char path[160];
    path_of(number, path);
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 21);
    *size = fread(data, 1, 1 << 21, file);
    fclose(file);
    return data;
}

static void write_file(unsigned number, const uint8_t *data, size_t size)
{
    char path[160];
    path_of(number, path);
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* In a small file every place, in a large one those about its blocks and some between. */
static size_t step_at(size_t at, size_t size)
{
    return at < 300 || at + 300 > size ? 1 : 997;
}

Test(saved_log, no_byte_can_change_unseen)
{
    begin(20);
    save_well();
    for (unsigned number = 0; number < PARTITIONS; number++) {
        size_t size;
        uint8_t *data = read_file(number, &size);
        for (size_t at = 0; at < size; at += step_at(at, size)) {
            struct error error = {""};
            data[at] ^= 1 << at % 8;
            write_file(number, data, size);
            enum status status = look(&error);
            cr_assert(status == STATUS_REJECT || status == STATUS_STOP, "byte %zu of %u", at,
                      number);
            cr_assert(strstr(error.text, "save the log again"), "byte %zu: %s", at, error.text);
            data[at] ^= 1 << at % 8;
        }
        write_file(number, data, size);
        free(data);
    }
    struct error error;
    cr_assert_eq(look(&error), STATUS_OK);
    end();
}

Test(saved_log, no_end_can_be_missing_unseen)
{
    begin(20);
    save_well();
    for (unsigned number = 0; number < PARTITIONS; number++) {
        size_t size;
        uint8_t *data = read_file(number, &size);
        for (size_t left = 0; left < size; left += step_at(left, size)) {
            struct error error = {""};
            write_file(number, data, left);
            cr_assert_neq(look(&error), STATUS_OK, "%zu of %zu bytes", left, size);
            cr_assert(strstr(error.text, "save the log again"), "%s", error.text);
        }
        struct error error = {""};
        data[size] = 0;
        write_file(number, data, size + 1);
        cr_assert_eq(look(&error), STATUS_STOP);
        cr_assert(strstr(error.text, "behind its end"), "%s", error.text);
        write_file(number, data, size);
        free(data);
    }
    end();
}

/* Reads the first partition to its end, or to what is wrong, whatever is in it. */
static enum status go_through(struct error *error)
{
    struct saved_log *saved;
    enum status status = saved_log_open(folder, &saved, error);
    if (status != STATUS_OK)
        return status;
    const struct backtest_log *log = saved_log_log(saved);
    struct record records[16];
    size_t count = 1;
    void *reader = log->open(log->context, 0);
    while (status == STATUS_OK && count)
        status = log->next(reader, records, 16, &count, error);
    log->close(reader);
    saved_log_close(saved);
    return status;
}

Test(saved_log, no_block_can_be_missing_unseen)
{
    begin(3000);
    save_well();
    size_t size, at = 8, after, missing = 0;
    uint8_t *data = read_file(0, &size), *copy = malloc(size);
    for (; at < size; at = after, missing++) {
        struct error error = {""};
        after = at + 12 +
                ((size_t)data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]);
        memcpy(copy, data, at);
        memcpy(copy + at, data + after, size - after);
        write_file(0, copy, size - (after - at));
        enum status status = go_through(&error);
        cr_expect_neq(status, STATUS_OK, "block %zu", missing);
        cr_expect(strstr(error.text, "save the log again"), "%s", error.text);
    }
    cr_expect_gt(missing, 4);
    free(data);
    free(copy);
    end();
}

Test(saved_log, files_of_two_are_told_apart)
{
    size_t size;
    struct error error = {""};
    char path[160];
    begin(5);
    save_well();
    uint8_t *data = read_file(1, &size);
    write_file(2, data, size);
    cr_expect_eq(look(&error), STATUS_REJECT);
    cr_expect(strstr(error.text, "00002.log is of another saved log"), "%s", error.text);
    path_of(2, path);
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(look(&error), STATUS_REJECT);
    cr_expect(strstr(error.text, "is not whole: there is no 00002.log"), "%s", error.text);
    strcat(folder, "-later");
    usleep(5000);
    save_well();
    write_file(1, data, size);
    cr_expect_eq(look(&error), STATUS_REJECT);
    cr_expect(strstr(error.text, "00001.log is of another saved log"), "%s", error.text);
    strcpy(folder, home);
    cr_expect_eq(look(&error), STATUS_REJECT);
    cr_expect(strstr(error.text, "is a folder without a saved log"), "%s", error.text);
    strcat(folder, "/none");
    cr_expect_eq(look(&error), STATUS_REJECT);
    free(data);
    end();
}

Test(saved_log, a_folder_that_is_exchanged_while_it_is_read_is_told)
{
    struct error error = {""};
    struct saved_log *saved;
    char aside[160];
    begin(5);
    save_well();
    cr_assert_eq(saved_log_open(folder, &saved, &error), STATUS_OK, "%s", error.text);
    snprintf(aside, sizeof aside, "%s-aside", folder);
    cr_assert_eq(rename(folder, aside), 0);
    usleep(5000);
    save_well();
    cr_expect_eq(read_all(saved_log_log(saved), 16, &error), STATUS_STOP);
    cr_expect(strstr(error.text, "00000.log was exchanged"), "%s", error.text);
    saved_log_close(saved);
    end();
}

/* The check sum is right, and what it guards makes no sense: nobody but a forger makes that. */
#include "base/crc32c.h"

static void seal(uint8_t *block)
{
    size_t size = 8 + ((size_t)block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3]);
    uint32_t sum = crc32c(block, size);
    for (int i = 0; i < 4; i++)
        block[size + i] = (uint8_t)(sum >> (24 - 8 * i));
}

Test(saved_log, a_forged_block_ends_in_an_error_and_never_in_a_crash)
{
    begin(6);
    counts[0] = 0;
    append(0, "lead", "value", 5, 2);
    append(0, "lead", "value", 5, 1);
    save_well();
    size_t size;
    uint8_t *data = read_file(0, &size);
    uint8_t *copy = malloc(size);
    size_t head = 8 + 8 + 4 + 8 + 4 + 4 + 8 + 8 + 8 + strlen("lead-events") + 4;
    cr_assert_lt(head, size);
    size_t wrong = 0;
    for (int turn = 0; turn < 4; turn++)
        for (size_t at = 8; at + 12 < size; at++) {
            struct error error = {""};
            static const uint8_t values[] = {0xff, 0x00, 0x7f, 0x01};
            memcpy(copy, data, size);
            bool of_head = at < head;
            size_t block = of_head ? 8 : head;
            if (at < block + 4)
                continue; /* the size itself: every cut is tried above */
            copy[at] ^= values[turn] ? values[turn] : 0x80;
            seal(copy + block);
            write_file(0, copy, size);
            enum status status = go_through(&error);
            wrong += status != STATUS_OK;
        }
    cr_expect_gt(wrong, 100);
    free(data);
    free(copy);
    end();
}

Test(saved_log, a_number_of_headers_takes_no_more_memory_than_there_is)
{
    begin(1);
    counts[0] = 0;
    append(0, "lead", "value", 5, 1);
    save_well();
    size_t size;
    struct error error = {""};
    uint8_t *data = read_file(0, &size);
    size_t head = 8 + 8 + 4 + 8 + 4 + 4 + 8 + 8 + 8 + strlen("lead-events") + 4;
    memset(data + head + 8 + 24, 0xff, 4);
    seal(data + head);
    write_file(0, data, size);
    struct saved_log *saved;
    cr_assert_eq(saved_log_open(folder, &saved, &error), STATUS_OK, "%s", error.text);
    const struct backtest_log *log = saved_log_log(saved);
    struct record records[4];
    size_t count;
    void *reader = log->open(log->context, 0);
    cr_expect_eq(log->next(reader, records, 4, &count, &error), STATUS_STOP);
    cr_expect(strstr(error.text, "a record makes no sense"), "%s", error.text);
    log->close(reader);
    saved_log_close(saved);
    free(data);
    end();
}
