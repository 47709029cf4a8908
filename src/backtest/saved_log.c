#include "backtest/saved_log.h"
#include "backtest/saved_log_format.h"
#include "base/big_endian.h"
#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct saved_range {
    int64_t first, end;
};

struct saved_log {
    char *folder, *topic;
    struct backtest_log log;
    size_t event_bytes;
    int64_t saved_ms;
    struct saved_range *ranges; /* by partition */
};

/* A file of it, block by block. */
struct saved_file {
    const struct saved_log *saved;
    uint32_t number;
    int file;
    uint64_t size, at; /* bytes of it, and where the next block begins */
    uint8_t *block;
    size_t room;
    struct byte_reader content;
    uint32_t records;     /* of the block, still to come */
    uint64_t seen;        /* records of it and of those before */
    int64_t position;     /* the lowest offset that may come */
    struct arena headers; /* of the records that were handed out */
    bool begun, ended;    /* its head was read; its last block was */
};

static void path_of(const struct saved_log *saved, uint32_t number, char path[SAVED_PATH_MAX])
{
    (void)snprintf(path, SAVED_PATH_MAX, "%s/%05u.log", saved->folder, number);
}

/* ---- blocks
 * -------------------------------------------------------------------------------------- */

static enum status damaged(const struct saved_file *file, const char *what, struct error *error)
{
    return error_set(error, STATUS_STOP,
                     "%s/%05u.log: %s at byte %" PRIu64 "; save the log again, or take another "
                     "copy of it",
                     file->saved->folder, file->number, what, file->at);
}

/* False: it ends before, or cannot be read. */
static bool read_all(const struct saved_file *file, uint8_t *to, size_t size, uint64_t from)
{
    while (size) {
        ssize_t taken = pread(file->file, to, size, (off_t)from);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken <= 0)
            return false;
        to += taken;
        from += (uint64_t)taken;
        size -= (size_t)taken;
    }
    return true;
}

/* Of several records only an ordinary one is written, and of none a head or an end. */
static uint64_t largest_block(uint32_t records)
{
    return records == 0 ? SAVED_HEAD_MAX : records == 1 ? UINT64_MAX : SAVED_BLOCK_BYTES;
}

static enum status next_block(struct saved_file *file, struct error *error)
{
    uint8_t head[SAVED_BLOCK_HEAD];
    if (file->size - file->at < sizeof head || !read_all(file, head, sizeof head, file->at))
        return damaged(file, "it ends", error);
    struct byte_reader numbers = {.at = head, .end = head + sizeof head};
    uint64_t whole = SAVED_BLOCK_HEAD + big_endian_read(&numbers, 4);
    uint32_t records = (uint32_t)big_endian_read(&numbers, 4);
    if (whole > largest_block(records))
        return damaged(file, "the size of a block makes no sense", error);
    if (file->size - file->at < whole + SAVED_BLOCK_TAIL)
        return damaged(file, "it ends within the block", error);
    if (file->room < whole + SAVED_BLOCK_TAIL) {
        file->room = whole + SAVED_BLOCK_TAIL;
        file->block = memory_resize(file->block, file->room);
    }
    if (!read_all(file, file->block, whole + SAVED_BLOCK_TAIL, file->at))
        return damaged(file, "it cannot be read", error);
    struct byte_reader tail = {.at = file->block + whole,
                               .end = file->block + whole + SAVED_BLOCK_TAIL};
    if (big_endian_read(&tail, 4) != crc32c(file->block, whole))
        return damaged(file, "the check sum differs in the block", error);
    file->content =
        (struct byte_reader){.at = file->block + SAVED_BLOCK_HEAD, .end = file->block + whole};
    file->records = records;
    file->at += whole + SAVED_BLOCK_TAIL;
    return STATUS_OK;
}

/* ---- records
 * ------------------------------------------------------------------------------------- */

static uint32_t load32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t load64(const uint8_t *at)
{
    return (int64_t)((uint64_t)load32(at) << 32 | load32(at + 4));
}

static const uint8_t *take_bytes(struct byte_reader *reader, uint32_t size, size_t *taken)
{
    *taken = size == UINT32_MAX ? 0 : size;
    return size == UINT32_MAX ? NULL : bytes_take(reader, size);
}

static void read_headers(struct saved_file *file, struct record *record)
{
    struct byte_reader *reader = &file->content;
    struct header *headers = NULL;
    /* a header takes eight bytes at least: so no number makes it take more than there is */
    if (record->header_count > bytes_left(reader) / 8)
        reader->failed = true;
    else if (record->header_count)
        headers = arena_take(&file->headers, record->header_count * sizeof *headers);
    record->headers = headers;
    for (size_t i = 0; headers && i < record->header_count && !reader->failed; i++) {
        size_t name_size = (size_t)big_endian_read(reader, 4);
        uint32_t value_size = (uint32_t)big_endian_read(reader, 4);
        const uint8_t *name = bytes_take(reader, name_size);
        headers[i].value = take_bytes(reader, value_size, &headers[i].value_size);
        char *text = arena_take(&file->headers, name ? name_size + 1 : 1);
        if (name)
            memcpy(text, name, name_size);
        text[name ? name_size : 0] = '\0';
        headers[i].name = text;
    }
}

static bool read_record(struct saved_file *file, struct record *record)
{
    struct byte_reader *reader = &file->content;
    const uint8_t *head = bytes_take(reader, SAVED_RECORD_HEAD);
    if (!head)
        return false;
    *record = (struct record){.unit = file->number,
                              .offset = load64(head),
                              .timestamp_ms = load64(head + 8),
                              .header_count = load32(head + 24)};
    if (record->header_count)
        read_headers(file, record);
    record->key = take_bytes(reader, load32(head + 16), &record->key_size);
    record->value = take_bytes(reader, load32(head + 20), &record->value_size);
    bool in_order =
        record->offset >= file->position && record->offset < file->saved->ranges[file->number].end;
    file->position = record->offset + (record->offset < INT64_MAX);
    return in_order && !reader->failed;
}

/* ---- a file
 * -------------------------------------------------------------------------------------- */

static enum status open_file(struct saved_file *file, struct error *error)
{
    char path[SAVED_PATH_MAX], magic[SAVED_MAGIC_SIZE];
    struct stat found;
    path_of(file->saved, file->number, path);
    file->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe of that name is no file */
    if (file->file < 0 && errno == ENOENT)
        return file->number
                   ? error_set(error, STATUS_REJECT,
                               "%s is not whole: there is no %05u.log; save the log again, or take "
                               "another copy of it",
                               file->saved->folder, file->number)
                   : error_set(error, STATUS_REJECT,
                               "%s is a folder without a saved log (there is no 00000.log in it): "
                               "name one that `baton replay --save` has made, or a file of events",
                               file->saved->folder);
    if (file->file < 0 || fstat(file->file, &found) != 0)
        return error_set(error, STATUS_REJECT, "cannot read %s: %s", path, strerror(errno));
    file->size = S_ISREG(found.st_mode) ? (uint64_t)found.st_size : 0;
    file->at = SAVED_MAGIC_SIZE;
    if (file->size < SAVED_MAGIC_SIZE || !read_all(file, (uint8_t *)magic, SAVED_MAGIC_SIZE, 0) ||
        memcmp(magic, SAVED_MAGIC, SAVED_MAGIC_SIZE) != 0)
        return error_set(error, STATUS_REJECT, "%s is no file of a saved log: save the log again",
                         path);
    (void)posix_fadvise(file->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    return STATUS_OK;
}

static void close_file(struct saved_file *file)
{
    if (file->file >= 0)
        (void)close(file->file);
    free(file->block);
    arena_fini(&file->headers);
}

static struct saved_file file_of(const struct saved_log *saved, uint32_t number)
{
    struct saved_file file = {.saved = saved, .number = number, .file = -1};
    arena_init(&file.headers, 1 << 12);
    return file;
}

/* ---- heads
 * --------------------------------------------------------------------------------------- */

struct saved_head {
    uint32_t format, partitions, number;
    int64_t saved_ms, first, end;
    uint64_t event_bytes;
    const uint8_t *topic;
    size_t topic_size;
};

static enum status read_head(struct saved_file *file, struct saved_head *head, struct error *error)
{
    enum status status = open_file(file, error);
    if (status == STATUS_OK)
        status = next_block(file, error);
    if (status != STATUS_OK)
        return status;
    struct byte_reader *reader = &file->content;
    head->format = (uint32_t)big_endian_read(reader, 4);
    if (head->format != SAVED_FORMAT)
        return error_set(error, STATUS_REJECT,
                         "%s/%05u.log is of format %u, and this baton reads format %d: save the "
                         "log again",
                         file->saved->folder, file->number, head->format, SAVED_FORMAT);
    head->saved_ms = (int64_t)big_endian_read(reader, 8);
    head->partitions = (uint32_t)big_endian_read(reader, 4);
    head->number = (uint32_t)big_endian_read(reader, 4);
    head->first = (int64_t)big_endian_read(reader, 8);
    head->end = (int64_t)big_endian_read(reader, 8);
    head->event_bytes = big_endian_read(reader, 8);
    head->topic_size = bytes_left(reader);
    head->topic = bytes_take(reader, head->topic_size);
    file->records = 0;
    bool sound = !reader->failed && head->partitions > 0 &&
                 head->partitions <= SAVED_PARTITIONS_MAX && head->first >= 0 &&
                 head->end >= head->first && head->topic_size > 0;
    return sound ? STATUS_OK : damaged(file, "its head makes no sense before the block", error);
}

static bool is_of(const struct saved_log *saved, const struct saved_head *head, uint32_t number)
{
    return head->number == number && head->partitions == saved->log.partitions &&
           head->saved_ms == saved->saved_ms && head->topic_size == strlen(saved->topic) &&
           memcmp(head->topic, saved->topic, head->topic_size) == 0;
}

static enum status take_head(struct saved_log *saved, uint32_t number, struct error *error)
{
    struct saved_file file = file_of(saved, number);
    struct saved_head head;
    enum status status = read_head(&file, &head, error);
    if (status == STATUS_OK && number == 0) {
        saved->log.partitions = head.partitions;
        saved->saved_ms = head.saved_ms;
        saved->event_bytes = (size_t)head.event_bytes;
        saved->topic = memory_take(head.topic_size + 1);
        memcpy(saved->topic, head.topic, head.topic_size);
        saved->topic[head.topic_size] = '\0';
        saved->ranges = memory_take_zeroed(head.partitions, sizeof *saved->ranges);
    }
    if (status == STATUS_OK && !is_of(saved, &head, number))
        status = error_set(error, STATUS_REJECT,
                           "%s/%05u.log is of another saved log than 00000.log: save the log "
                           "again, or take another copy of it",
                           saved->folder, number);
    if (status == STATUS_OK)
        saved->ranges[number] = (struct saved_range){head.first, head.end};
    close_file(&file);
    return status == STATUS_OK ? STATUS_OK : STATUS_REJECT;
}

/* ---- as a log
 * ------------------------------------------------------------------------------------ */

static void saved_range(void *context, uint32_t partition, int64_t *first, int64_t *end)
{
    const struct saved_log *saved = context;
    *first = saved->ranges[partition].first;
    *end = saved->ranges[partition].end;
}

static void *saved_open(void *context, uint32_t partition)
{
    const struct saved_log *saved = context;
    struct saved_file *file = memory_take(sizeof *file);
    *file = file_of(saved, partition);
    file->position = saved->ranges[partition].first;
    return file;
}

/* The next block with records, unless the last one was read. */
static enum status go_on(struct saved_file *file, struct error *error)
{
    struct saved_head head;
    enum status status = STATUS_OK;
    if (!file->begun)
        status = read_head(file, &head, error);
    if (status == STATUS_OK && !file->begun && !is_of(file->saved, &head, file->number))
        return error_set(error, STATUS_STOP,
                         "%s/%05u.log was exchanged since the folder was opened; begin again",
                         file->saved->folder, file->number);
    file->begun = true;
    if (status != STATUS_OK || file->ended)
        return status;
    status = next_block(file, error);
    file->ended = status == STATUS_OK && !file->records;
    file->seen += file->records;
    if (file->ended && (big_endian_read(&file->content, 8) != file->seen || file->content.failed))
        return damaged(file, "records are missing before its end", error);
    if (file->ended && (bytes_left(&file->content) || file->at != file->size))
        return damaged(file, "there is more behind its end", error);
    return status;
}

static enum status saved_next(void *reader, struct record *records, size_t room, size_t *count,
                              struct error *error)
{
    struct saved_file *file = reader;
    *count = 0;
    arena_reset(&file->headers);
    enum status status = file->records ? STATUS_OK : go_on(file, error);
    if (status != STATUS_OK)
        return status == STATUS_REJECT ? STATUS_STOP : status;
    for (; *count < room && file->records; file->records--)
        if (!read_record(file, &records[(*count)++]))
            return damaged(file, "a record makes no sense in the block before", error);
    if (!file->records && bytes_left(&file->content))
        return damaged(file, "there is more than its records in the block before", error);
    return STATUS_OK;
}

static void saved_close(void *reader)
{
    close_file(reader);
    free(reader);
}

bool saved_log_is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

bool saved_log_is_file(int file)
{
    char magic[SAVED_MAGIC_SIZE];
    return pread(file, magic, sizeof magic, 0) == sizeof magic &&
           memcmp(magic, SAVED_MAGIC, sizeof magic) == 0;
}

enum status saved_log_open(const char *folder, struct saved_log **out, struct error *error)
{
    *out = NULL;
    if (strlen(folder) + 16 > SAVED_PATH_MAX)
        return error_set(error, STATUS_REJECT, "the name of the folder is too long");
    struct saved_log *saved = memory_take_zeroed(1, sizeof *saved);
    saved->folder = memory_copy_text(folder);
    saved->log = (struct backtest_log){.context = saved,
                                       .partitions = 1,
                                       .range = saved_range,
                                       .open = saved_open,
                                       .next = saved_next,
                                       .close = saved_close};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < saved->log.partitions; i++)
        status = take_head(saved, i, error);
    if (status == STATUS_OK)
        *out = saved;
    else
        saved_log_close(saved);
    return status;
}

void saved_log_close(struct saved_log *saved)
{
    free(saved->folder);
    free(saved->topic);
    free(saved->ranges);
    free(saved);
}

struct saved_facts saved_log_facts(const struct saved_log *saved)
{
    return (struct saved_facts){
        .topic = saved->topic, .event_bytes = saved->event_bytes, .saved_ms = saved->saved_ms};
}

const struct backtest_log *saved_log_log(const struct saved_log *saved)
{
    return &saved->log;
}
