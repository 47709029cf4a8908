#include "backtest/saved_log.h"
#include "backtest/saved_log_format.h"
#include "base/big_endian.h"
#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct log_saver {
    const struct backtest_log *from;
    struct backtest_log log;
    char *folder; /* what it will be called … */
    char *part;   /* … and is called until it is whole */
    char *topic;
    size_t event_bytes;
    int64_t saved_ms;
    bool *whole; /* by partition; each is written by the thread that reads it */
    bool finished;
};

/* A partition under way. */
struct saving {
    struct log_saver *saver;
    void *reader; /* of the log that it comes from */
    uint32_t number;
    int file, wrong; /* errno of what went wrong first */
    uint8_t *block;  /* begins with room for its head */
    size_t size, room;
    uint32_t records;
    uint64_t kept; /* records in the blocks that were written */
};

static void path_of(const struct log_saver *saver, uint32_t number, char path[SAVED_PATH_MAX])
{
    (void)snprintf(path, SAVED_PATH_MAX, "%s/%05u.log", saver->part, number);
}

/* ---- blocks
 * -------------------------------------------------------------------------------------- */

static void need(struct saving *saving, size_t more)
{
    size_t wanted = saving->size + more + SAVED_BLOCK_TAIL;
    if (wanted <= saving->room)
        return;
    saving->room = wanted > SAVED_BLOCK_BYTES * 2 ? wanted : SAVED_BLOCK_BYTES * 2;
    saving->block = memory_resize(saving->block, saving->room);
}

static void write_all(struct saving *saving, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size && !saving->wrong) {
        ssize_t written = write(saving->file, at, size);
        if (written < 0 && errno != EINTR)
            saving->wrong = errno;
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
}

static void begin_block(struct saving *saving)
{
    saving->size = 0;
    saving->records = 0;
    need(saving, SAVED_BLOCK_HEAD);
    saving->size = SAVED_BLOCK_HEAD;
}

static void end_block(struct saving *saving)
{
    uint8_t *at = big_endian_put32(saving->block, (uint32_t)(saving->size - SAVED_BLOCK_HEAD));
    (void)big_endian_put32(at, saving->records);
    uint32_t sum = crc32c(saving->block, saving->size);
    (void)big_endian_put32(saving->block + saving->size, sum);
    write_all(saving, saving->block, saving->size + SAVED_BLOCK_TAIL);
    saving->kept += saving->records;
    begin_block(saving);
}

static uint8_t *put_bytes(uint8_t *at, const void *data, size_t size)
{
    if (size)
        memcpy(at, data, size);
    return at + size;
}

static void write_head(struct saving *saving)
{
    const struct log_saver *saver = saving->saver;
    int64_t first, end;
    size_t size = strlen(saver->topic);
    saver->from->range(saver->from->context, saving->number, &first, &end);
    begin_block(saving);
    need(saving, size + 64);
    uint8_t *at = saving->block + saving->size;
    at = big_endian_put32(at, SAVED_FORMAT);
    at = big_endian_put64(at, (uint64_t)saver->saved_ms);
    at = big_endian_put32(at, saver->from->partitions);
    at = big_endian_put32(at, saving->number);
    at = big_endian_put64(at, (uint64_t)first);
    at = big_endian_put64(at, (uint64_t)end);
    at = big_endian_put64(at, saver->event_bytes);
    at = put_bytes(at, saver->topic, size);
    saving->size = (size_t)(at - saving->block);
    write_all(saving, SAVED_MAGIC, SAVED_MAGIC_SIZE);
    end_block(saving);
}

static size_t size_of(const struct record *record)
{
    size_t size = SAVED_RECORD_HEAD + record->key_size + record->value_size;
    for (size_t i = 0; i < record->header_count; i++)
        size += 8 + strlen(record->headers[i].name) + record->headers[i].value_size;
    return size;
}

static void keep(struct saving *saving, const struct record *record)
{
    size_t size = size_of(record);
    if (saving->records && saving->size + size > SAVED_BLOCK_BYTES)
        end_block(saving);
    need(saving, size);
    uint8_t *at = saving->block + saving->size;
    at = big_endian_put64(at, (uint64_t)record->offset);
    at = big_endian_put64(at, (uint64_t)record->timestamp_ms);
    at = big_endian_put32(at, record->key ? (uint32_t)record->key_size : UINT32_MAX);
    at = big_endian_put32(at, record->value ? (uint32_t)record->value_size : UINT32_MAX);
    at = big_endian_put32(at, (uint32_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        size_t name = strlen(header->name);
        at = big_endian_put32(at, (uint32_t)name);
        at = big_endian_put32(at, header->value ? (uint32_t)header->value_size : UINT32_MAX);
        at = put_bytes(at, header->name, name);
        at = put_bytes(at, header->value, header->value ? header->value_size : 0);
    }
    at = put_bytes(at, record->key, record->key ? record->key_size : 0);
    at = put_bytes(at, record->value, record->value ? record->value_size : 0);
    saving->size = (size_t)(at - saving->block);
    saving->records++;
}

/* ---- the log that keeps what is read
 * ------------------------------------------------------------- */

static void saver_range(void *context, uint32_t partition, int64_t *first, int64_t *end)
{
    const struct log_saver *saver = context;
    saver->from->range(saver->from->context, partition, first, end);
}

/* A partition may be opened again: then it is kept anew. */
static void *saver_open(void *context, uint32_t partition)
{
    struct log_saver *saver = context;
    struct saving *saving = memory_take_zeroed(1, sizeof *saving);
    char path[SAVED_PATH_MAX];
    path_of(saver, partition, path);
    saving->saver = saver;
    saving->number = partition;
    saving->reader = saver->from->open(saver->from->context, partition);
    saver->whole[partition] = false;
    saving->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (saving->file < 0)
        saving->wrong = errno;
    write_head(saving);
    return saving;
}

static void end_file(struct saving *saving)
{
    if (saving->records)
        end_block(saving);
    need(saving, sizeof saving->kept);
    saving->size =
        (size_t)(big_endian_put64(saving->block + saving->size, saving->kept) - saving->block);
    end_block(saving);
    if (saving->file >= 0 && fsync(saving->file) != 0 && !saving->wrong)
        saving->wrong = errno;
    if (saving->file >= 0 && close(saving->file) != 0 && !saving->wrong)
        saving->wrong = errno;
    saving->file = -1;
    saving->saver->whole[saving->number] = !saving->wrong;
}

static enum status saver_next(void *reader, struct record *records, size_t room, size_t *count,
                              struct error *error)
{
    struct saving *saving = reader;
    const struct log_saver *saver = saving->saver;
    enum status status = saver->from->next(saving->reader, records, room, count, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < *count; i++)
        keep(saving, &records[i]);
    if (!*count)
        end_file(saving);
    return saving->wrong ? error_set(error, STATUS_STOP, "cannot write %s/%05u.log: %s",
                                     saver->part, saving->number, strerror(saving->wrong))
                         : STATUS_OK;
}

static void saver_close(void *reader)
{
    struct saving *saving = reader;
    saving->saver->from->close(saving->reader);
    if (saving->file >= 0)
        (void)close(saving->file);
    free(saving->block);
    free(saving);
}

/* ---- the folder
 * ---------------------------------------------------------------------------------- */

static enum status make_folder(struct log_saver *saver, struct error *error)
{
    struct stat found;
    if (!*saver->folder)
        return error_set(error, STATUS_REJECT, "the folder to keep the log in has no name");
    if (lstat(saver->folder, &found) == 0)
        return error_set(error, STATUS_REJECT,
                         "%s is there already: name a folder that is not, and the log is kept in "
                         "it",
                         saver->folder);
    if (strlen(saver->part) + 16 > SAVED_PATH_MAX)
        return error_set(error, STATUS_REJECT, "the name of the folder is too long");
    if (mkdir(saver->part, 0700) == 0)
        return STATUS_OK;
    return errno == EEXIST
               ? error_set(error, STATUS_REJECT,
                           "%s is there already: the log is being kept there just now, or that "
                           "broke off; then remove it",
                           saver->part)
               : error_set(error, STATUS_REJECT, "cannot make the folder %s: %s", saver->part,
                           strerror(errno));
}

static void let_go(struct log_saver *saver)
{
    free(saver->folder);
    free(saver->part);
    free(saver->topic);
    free(saver->whole);
    free(saver);
}

enum status log_saver_create(const char *folder, const struct backtest_log *log,
                             const struct saved_facts *facts, struct log_saver **out,
                             struct error *error)
{
    struct log_saver *saver = memory_take_zeroed(1, sizeof *saver);
    struct timespec now;
    *out = NULL;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    saver->from = log;
    saver->folder = memory_copy_text(folder);
    for (size_t size = strlen(folder); size > 1 && folder[size - 1] == '/'; size--)
        saver->folder[size - 1] = '\0';
    saver->part = memory_take(strlen(saver->folder) + sizeof ".part");
    (void)sprintf(saver->part, "%s.part", saver->folder);
    saver->topic = memory_copy_text(facts->topic);
    saver->event_bytes = facts->event_bytes;
    saver->saved_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    saver->whole = memory_take_zeroed(log->partitions + 1, sizeof *saver->whole);
    saver->log = (struct backtest_log){.context = saver,
                                       .partitions = log->partitions,
                                       .range = saver_range,
                                       .open = saver_open,
                                       .next = saver_next,
                                       .close = saver_close};
    enum status status = make_folder(saver, error);
    if (status == STATUS_OK)
        *out = saver;
    else
        let_go(saver);
    return status;
}

const struct backtest_log *log_saver_log(const struct log_saver *saver)
{
    return &saver->log;
}

/* Names, as content, are to be there after a loss of power. Not every file system can do it. */
static void sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        (void)fsync(folder);
        (void)close(folder);
    }
}

enum status log_saver_finish(struct log_saver *saver, struct error *error)
{
    for (uint32_t i = 0; i < saver->from->partitions; i++)
        if (!saver->whole[i])
            return error_set(error, STATUS_STOP, "%s: partition %u was not read to its end",
                             saver->folder, i);
    saver->finished = true;
    sync_folder(saver->part);
    if (rename(saver->part, saver->folder) != 0)
        return error_set(error, STATUS_STOP, "cannot rename %s to %s: %s; the whole log is in %s",
                         saver->part, saver->folder, strerror(errno), saver->part);
    char *parent = memory_copy_text(saver->folder);
    sync_folder(dirname(parent));
    free(parent);
    return STATUS_OK;
}

void log_saver_destroy(struct log_saver *saver)
{
    char path[SAVED_PATH_MAX];
    for (uint32_t i = 0; !saver->finished && i < saver->from->partitions; i++) {
        path_of(saver, i, path);
        (void)unlink(path);
    }
    if (!saver->finished)
        (void)rmdir(saver->part);
    let_go(saver);
}
