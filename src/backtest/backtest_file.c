/* A file of events over threads: blocks of lines are decoded by whoever is free, and folded in
 * their order, by one thread at a time under each agreement. Who does what makes no difference. */
#include "backtest/backtest_private.h"
#include "backtest/file_run.h"
#include "backtest/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 2
#define BLOCK_BYTES (1u << 18)
#define BLOCKS_PER_THREAD 3

enum block_state { BLOCK_FREE, BLOCK_READING, BLOCK_READ, BLOCK_DECODING, BLOCK_DECODED };

struct block {
    enum block_state state;
    uint64_t number;    /* of the file's blocks */
    unsigned runs_left; /* that have not folded it */
    char *bytes;
    size_t size, room;
    int64_t first_line;
    struct arena arena;
    struct file_line *lines;
    size_t count, line_room;
};

struct crew {
    struct backtest *backtest;
    FILE *file;
    struct block *blocks;
    size_t block_count;
    struct file_run runs[RUNS_MAX];
    size_t run_count;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* the file */
    bool reading, at_end;
    uint64_t blocks_read;
    int64_t lines_read;
    char *rest; /* of a line that the block before could not take whole */
    size_t rest_size, rest_room;
    /* the folds */
    uint64_t folded[RUNS_MAX]; /* blocks */
    bool folding[RUNS_MAX];
    enum status status;
    struct error error;
};

static void fail(struct crew *crew, const struct error *error)
{
    if (crew->status == STATUS_OK)
        crew->error = *error;
    crew->status = STATUS_STOP;
}

/* ---- reading: one thread at a time, without the mutex
 * -------------------------------------------- */

static void make_room(struct block *block, size_t room)
{
    if (block->room >= room)
        return;
    block->bytes = memory_resize(block->bytes, room);
    block->room = room;
}

static const char *last_end(const struct block *block)
{
    for (size_t i = block->size; i > 0; i--)
        if (block->bytes[i - 1] == '\n')
            return block->bytes + i - 1;
    return NULL;
}

static void keep_rest(struct crew *crew, struct block *block, size_t from)
{
    size_t size = block->size - from;
    if (size > crew->rest_room) {
        crew->rest = memory_resize(crew->rest, size);
        crew->rest_room = size;
    }
    if (size)
        memcpy(crew->rest, block->bytes + from, size);
    crew->rest_size = size;
    block->size = from;
}

static int64_t lines_in(const struct block *block)
{
    int64_t lines = 0;
    const char *end = block->bytes + block->size;
    for (const char *at = block->bytes; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

/* Whole lines; the last one of the file may have no end. False: nothing follows. */
static bool read_block(struct crew *crew, struct block *block)
{
    bool more = false;
    make_room(block, crew->rest_size + BLOCK_BYTES);
    if (crew->rest_size)
        memcpy(block->bytes, crew->rest, crew->rest_size);
    block->size = crew->rest_size;
    crew->rest_size = 0;
    const char *end = NULL;
    do { /* a line may be longer than a block */
        make_room(block, block->size + BLOCK_BYTES);
        size_t size = fread(block->bytes + block->size, 1, BLOCK_BYTES, crew->file);
        block->size += size;
        more = size == BLOCK_BYTES;
        end = last_end(block);
    } while (more && !end);
    if (more)
        keep_rest(crew, block, (size_t)(end + 1 - block->bytes));
    block->first_line = crew->lines_read;
    crew->lines_read += lines_in(block);
    return more;
}

/* ---- decoding
 * ------------------------------------------------------------------------------------ */

static struct file_line *add_line(struct block *block)
{
    if (block->count == block->line_room) {
        block->line_room = block->line_room ? block->line_room * 2 : 1024;
        block->lines = memory_resize(block->lines, block->line_room * sizeof *block->lines);
    }
    return &block->lines[block->count++];
}

static const char *why_unread(const struct decode_result *result, struct arena *arena)
{
    char why[sizeof result->detail + 64];
    bool dead = result->outcome == DECODE_DEAD;
    int size = snprintf(why, sizeof why, "%s: %s",
                        dead ? dead_reason_name(result->reason) : "unknown_schema",
                        dead ? result->detail : "nobody knows the schema that it names");
    return arena_copy(arena, why, (size_t)size + 1);
}

static enum status decode(struct block *block, struct reading *reading, struct error *error)
{
    int64_t number = block->first_line;
    const char *end = block->bytes + block->size;
    enum status status = STATUS_OK;
    arena_reset(&block->arena);
    block->count = 0;
    for (const char *at = block->bytes, *stop; at < end && status == STATUS_OK; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        int64_t this_one = number++;
        if (stop == at)
            continue;
        struct file_line *line = add_line(block);
        line->value = (const uint8_t *)at;
        line->size = (size_t)(stop - at);
        line->number = this_one;
        struct message message = file_line_message(line);
        status =
            reading_take(reading, &message, &block->arena, &line->event, &line->outcome, error);
        line->why = NULL;
        if (status == STATUS_OK && line->outcome == READ_EVENT)
            line->hash = lead_table_hash(0, line->event.lead_id);
        else if (status == STATUS_OK)
            line->why = why_unread(&reading->result, &block->arena);
    }
    return status;
}

/* By the first run alone, which takes the lines in their order. */
static void keep_unread(struct backtest *backtest, const struct file_line *line)
{
    struct backtest_result *result = &backtest->result;
    if (!line->why || result->unread_count == BACKTEST_UNREAD_MAX)
        return;
    const char *why = arena_copy(&backtest->texts, line->why, strlen(line->why) + 1);
    result->unread[result->unread_count++] = (struct backtest_unread){line->number + 1, why};
}

static enum status fold(struct crew *crew, struct block *block, struct file_run *run,
                        struct error *error)
{
    struct backtest_progress *progress = &crew->backtest->progress;
    for (size_t i = 0; i < block->count; i++) {
        enum status status = file_run_take(run, &block->lines[i], error);
        if (status != STATUS_OK)
            return status;
        if (run == &crew->runs[0])
            keep_unread(crew->backtest, &block->lines[i]);
    }
    if (run != &crew->runs[0])
        return STATUS_OK;
    atomic_fetch_add_explicit(&progress->events, block->count, memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->done, block->size, memory_order_relaxed);
    return STATUS_OK;
}

/* ---- one thread
 * ---------------------------------------------------------------------------------- */

static struct block *find_block(struct crew *crew, enum block_state state, uint64_t number)
{
    for (size_t i = 0; i < crew->block_count; i++)
        if (crew->blocks[i].state == state &&
            (state != BLOCK_DECODED || crew->blocks[i].number == number))
            return &crew->blocks[i];
    return NULL;
}

static struct block *oldest_read(struct crew *crew)
{
    struct block *oldest = NULL;
    for (size_t i = 0; i < crew->block_count; i++)
        if (crew->blocks[i].state == BLOCK_READ &&
            (!oldest || crew->blocks[i].number < oldest->number))
            oldest = &crew->blocks[i];
    return oldest;
}

static bool fold_next(struct crew *crew)
{
    for (size_t i = 0; i < crew->run_count; i++) {
        struct block *block =
            crew->folding[i] ? NULL : find_block(crew, BLOCK_DECODED, crew->folded[i]);
        if (!block)
            continue;
        struct error error;
        crew->folding[i] = true;
        (void)pthread_mutex_unlock(&crew->mutex);
        enum status status = fold(crew, block, &crew->runs[i], &error);
        (void)pthread_mutex_lock(&crew->mutex);
        crew->folding[i] = false;
        crew->folded[i]++;
        if (--block->runs_left == 0)
            block->state = BLOCK_FREE;
        if (status != STATUS_OK)
            fail(crew, &error);
        return true;
    }
    return false;
}

static bool decode_next(struct crew *crew, struct reading *reading)
{
    struct block *block = oldest_read(crew);
    struct error error;
    if (!block)
        return false;
    block->state = BLOCK_DECODING;
    (void)pthread_mutex_unlock(&crew->mutex);
    enum status status = decode(block, reading, &error);
    (void)pthread_mutex_lock(&crew->mutex);
    block->state = BLOCK_DECODED;
    block->runs_left = (unsigned)crew->run_count;
    if (status != STATUS_OK)
        fail(crew, &error);
    return true;
}

static bool read_next(struct crew *crew)
{
    struct block *block = crew->reading || crew->at_end ? NULL : find_block(crew, BLOCK_FREE, 0);
    struct error error;
    if (!block)
        return false;
    crew->reading = true;
    block->state = BLOCK_READING;
    block->number = crew->blocks_read;
    (void)pthread_mutex_unlock(&crew->mutex);
    bool more = read_block(crew, block);
    (void)pthread_mutex_lock(&crew->mutex);
    crew->reading = false;
    crew->at_end = !more;
    crew->blocks_read++;
    block->state = BLOCK_READ;
    if (ferror(crew->file)) {
        (void)error_set(&error, STATUS_STOP, "cannot read the events: %s", strerror(errno));
        fail(crew, &error);
    }
    return true;
}

static bool is_done(const struct crew *crew)
{
    if (crew->status != STATUS_OK)
        return true;
    if (!crew->at_end || crew->reading)
        return false;
    for (size_t i = 0; i < crew->run_count; i++)
        if (crew->folded[i] < crew->blocks_read)
            return false;
    return true;
}

/* What is nearest to its end goes first, so that blocks become free. */
static void work(struct crew *crew, struct reading *reading)
{
    while (!is_done(crew)) {
        if (fold_next(crew) || read_next(crew) || decode_next(crew, reading))
            (void)pthread_cond_broadcast(&crew->changed);
        else
            (void)pthread_cond_wait(&crew->changed, &crew->mutex);
    }
}

static void fold_blocks(void *argument)
{
    struct crew *crew = argument;
    struct reading reading;
    struct error error;
    enum status status = reading_init(&reading, &crew->backtest->config, &error);
    (void)pthread_mutex_lock(&crew->mutex);
    if (status != STATUS_OK)
        fail(crew, &error);
    work(crew, &reading);
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
    reading_fini(&reading);
}

/* ---- the crew
 * ------------------------------------------------------------------------------------ */

static void find_size(struct crew *crew)
{
    long here = ftell(crew->file);
    if (here < 0 || fseek(crew->file, 0, SEEK_END) != 0)
        return; /* a pipe */
    long end = ftell(crew->file);
    if (fseek(crew->file, here, SEEK_SET) == 0 && end > here)
        atomic_store(&crew->backtest->progress.total, (uint64_t)(end - here));
}

static void make(struct crew *crew, unsigned threads)
{
    (void)pthread_mutex_init(&crew->mutex, NULL);
    (void)pthread_cond_init(&crew->changed, NULL);
    crew->block_count = (size_t)threads * BLOCKS_PER_THREAD + 1;
    crew->blocks = memory_take_zeroed(crew->block_count, sizeof *crew->blocks);
    for (size_t i = 0; i < crew->block_count; i++)
        arena_init(&crew->blocks[i].arena, 1 << 16);
    for (size_t i = 0; i < crew->run_count; i++) {
        struct error error;
        if (file_run_init(&crew->runs[i], &crew->backtest->config, i == 0, &error) != STATUS_OK)
            fail(crew, &error);
    }
}

static void unmake(struct crew *crew)
{
    for (size_t i = 0; i < crew->block_count; i++) {
        free(crew->blocks[i].bytes);
        free(crew->blocks[i].lines);
        arena_fini(&crew->blocks[i].arena);
    }
    for (size_t i = 0; i < crew->run_count; i++)
        file_run_fini(&crew->runs[i]);
    free(crew->blocks);
    free(crew->rest);
    (void)pthread_cond_destroy(&crew->changed);
    (void)pthread_mutex_destroy(&crew->mutex);
}

static void harvest(struct crew *crew)
{
    backtest_make_harvests(crew->backtest, crew->run_count);
    for (size_t i = 0; i < crew->run_count; i++) {
        harvest_fini(&crew->backtest->harvests[i]);
        harvest_take(&crew->backtest->harvests[i], &crew->runs[i].fold);
    }
    reading_figures_add(&crew->runs[0].figures, &crew->backtest->result);
}

enum status backtest_fold_file(struct backtest *backtest, FILE *file, backtest_tick *tick,
                               void *context, int tick_ms, struct error *error)
{
    struct crew crew = {
        .backtest = backtest, .file = file, .run_count = backtest->config.against ? RUNS_MAX : 1};
    unsigned count = backtest_threads(backtest);
    find_size(&crew);
    make(&crew, count);
    if (!threads_run(count, fold_blocks, &crew, tick, context, tick_ms))
        crew.status = error_set(&crew.error, STATUS_STOP, "no thread can be started");
    if (crew.status == STATUS_OK)
        harvest(&crew);
    else
        *error = crew.error;
    unmake(&crew);
    return crew.status;
}
