#include "redis/redis_connection.h"

#include "base/arena.h"

#include <hiredis/hiredis.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 1000
#define SILENCE_MS 5000
#define READ_BYTES ((size_t)32 * 1024)

struct connection {
    const struct redis_config *config;
    char place[160];
    int fd;
    redisReader *reader;
    struct arena replies; /* of the answer that is being read or was given last */
    bool reply_given;
    uint8_t *out; /* queued: sent up to out_start */
    size_t out_start, out_end, out_room;
    uint64_t queued_bytes;
    size_t arguments_left; /* of the command that is being queued */
};

/* ---- Answers: hiredis parses, we keep what it finds in the arena
 * ---------------------------------- */

static struct reply *new_reply(const redisReadTask *task, enum reply_type type)
{
    struct arena *arena = task->privdata;
    struct reply *reply = arena_take(arena, sizeof *reply);
    *reply = (struct reply){.type = type};
    if (task->parent) {
        struct reply *parent = task->parent->obj;
        parent->items[task->idx] = reply;
    }
    return reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t size)
{
    struct reply *reply =
        new_reply(task, task->type == REDIS_REPLY_ERROR ? REPLY_ERROR : REPLY_TEXT);
    char *copy = arena_take(task->privdata, size + 1);
    memcpy(copy, text, size);
    copy[size] = 0;
    reply->data = copy;
    reply->size = size;
    return reply;
}

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static void *create_array(const redisReadTask *task, element_count count)
{
    struct reply *reply = new_reply(task, REPLY_LIST);
    reply->count = (size_t)count;
    reply->items = arena_take(task->privdata, reply->count * sizeof(struct reply *) + 1);
    return reply;
}

static void *create_integer(const redisReadTask *task, long long number)
{
    struct reply *reply = new_reply(task, REPLY_NUMBER);
    reply->number = number;
    return reply;
}

static void *create_nil(const redisReadTask *task)
{
    return new_reply(task, REPLY_NIL);
}

static void free_nothing(void *reply)
{
    (void)reply; /* the arena's */
}

static redisReplyObjectFunctions reply_functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_nothing,
};

bool reply_is_text(const struct reply *reply, const void *data, size_t size)
{
    return reply->type == REPLY_TEXT && reply->size == size && memcmp(reply->data, data, size) == 0;
}

bool reply_has_code(const struct reply *reply, const char *code)
{
    if (reply->type != REPLY_ERROR)
        return false;
    size_t size = strlen(code);
    if (strncmp(reply->data, code, size) == 0 &&
        (reply->data[size] == ' ' || reply->data[size] == 0))
        return true;
    /* Redis before 7 wraps the error of a command that a script calls. */
    return strncmp(reply->data, "ERR Error running script", 24) == 0 &&
           strstr(reply->data, code) != NULL;
}

/* ---- What an error means
 * -------------------------------------------------------------------------- */

static const struct {
    const char *code;
    enum status status;
    const char *advice;
} verdicts[] = {
    {"LOADING", STATUS_RETRY, "Redis is still loading its data"},
    {"MASTERDOWN", STATUS_RETRY, "Redis is a replica that has lost its master"},
    {"READONLY", STATUS_RETRY, "Redis is a read-only replica now: point redis.url at the master"},
    {"OOM", STATUS_RETRY, "Redis has no memory left: raise maxmemory"},
    {"BUSY", STATUS_RETRY, "Redis is busy with somebody's script"},
    {"NOREPLICAS", STATUS_RETRY, "Redis has too few replicas to accept writes"},
    {"MISCONF", STATUS_RETRY,
     "Redis cannot save its data and refuses writes: look at its log and its disk"},
    {"CLUSTERDOWN", STATUS_RETRY, "the Redis Cluster is down"},
    {"TRYAGAIN", STATUS_RETRY, "the Redis Cluster is moving our keys"},
    {"ERR max number of clients", STATUS_RETRY, "Redis takes no more clients: raise maxclients"},
    {"WRONGPASS", STATUS_STOP,
     "Redis refuses user or password: correct redis.url and redis.password"},
    {"ERR invalid password", STATUS_STOP, "Redis refuses the password: correct redis.password"},
    {"NOAUTH", STATUS_STOP, "Redis wants a password: set redis.password"},
    {"ERR Client sent AUTH", STATUS_STOP, "Redis has no password: remove redis.password"},
    {"ERR AUTH", STATUS_STOP,
     "Redis has no password for this user: remove redis.password or give the user in redis.url"},
    {"NOPERM", STATUS_STOP,
     "the Redis user may not do this: give it all commands on keys of redis.prefix"},
    {"ERR DB index is out of range", STATUS_STOP,
     "Redis has no such database: correct the number in redis.url"},
    {"WRONGTYPE", STATUS_STOP,
     "a key of ours holds something else: give baton a redis.prefix of its own"},
    {"MOVED", STATUS_STOP,
     "this is a Redis Cluster, which this version cannot use: point redis.url at a single server"},
    {"CROSSSLOT", STATUS_STOP,
     "this is a Redis Cluster, which this version cannot use: point redis.url at a single server"},
};

enum status connection_judge(const struct connection *connection, const struct reply *reply,
                             struct error *error)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        bool prefix = strncmp(reply->data, verdicts[i].code, strlen(verdicts[i].code)) == 0;
        if ((prefix && strchr(verdicts[i].code, ' ')) || reply_has_code(reply, verdicts[i].code))
            return error_set(error, verdicts[i].status, "Redis at %s: %s (%.200s)",
                             connection->place, verdicts[i].advice, reply->data);
    }
    return error_set(error, STATUS_STOP, "Redis at %s gave an unexpected error: %.300s",
                     connection->place, reply->data);
}

static enum status broken(const struct connection *connection, struct error *error,
                          const char *what)
{
    return error_set(error, STATUS_RETRY, "the connection to Redis at %s is gone: %s",
                     connection->place, what);
}

const char *connection_place(const struct connection *connection)
{
    return connection->place;
}

/* ---- Queueing
 * ------------------------------------------------------------------------------------- */

static uint8_t *make_room(struct connection *connection, size_t more)
{
    /* Moving pays only when it gains as much as it moves. */
    if (connection->out_room - connection->out_end < more &&
        connection->out_start > connection->out_room / 2) {
        memmove(connection->out, connection->out + connection->out_start,
                connection->out_end - connection->out_start);
        connection->out_end -= connection->out_start;
        connection->out_start = 0;
    }
    if (connection->out_room - connection->out_end < more) {
        size_t room = connection->out_room ? connection->out_room : (size_t)64 * 1024;
        while (room - connection->out_end < more)
            room *= 2;
        connection->out = memory_resize(connection->out, room);
        connection->out_room = room;
    }
    return connection->out + connection->out_end;
}

static void queued(struct connection *connection, size_t size)
{
    connection->out_end += size;
    connection->queued_bytes += size;
}

static uint8_t *put_head(uint8_t *at, char kind, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    *at++ = (uint8_t)kind;
    while (count)
        *at++ = (uint8_t)digits[--count];
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

#define HEAD_BYTES 24 /* kind, 20 digits, CR, LF */

void connection_command(struct connection *connection, size_t arguments)
{
    assert(connection->arguments_left == 0 && arguments > 0);
    connection->arguments_left = arguments;
    uint8_t *start = make_room(connection, HEAD_BYTES);
    queued(connection, (size_t)(put_head(start, '*', arguments) - start));
}

void connection_argument(struct connection *connection, const void *data, size_t size)
{
    assert(connection->arguments_left > 0);
    connection->arguments_left--;
    uint8_t *start = make_room(connection, size + HEAD_BYTES + 2);
    uint8_t *at = put_head(start, '$', size);
    if (size)
        memcpy(at, data, size);
    at[size] = '\r';
    at[size + 1] = '\n';
    queued(connection, (size_t)(at - start) + size + 2);
}

void connection_argument_text(struct connection *connection, const char *text)
{
    connection_argument(connection, text, strlen(text));
}

void connection_argument_number(struct connection *connection, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    connection_argument(connection, digits + at, sizeof digits - at);
}

void connection_words(struct connection *connection, size_t arguments, const char *const *words)
{
    connection_command(connection, arguments);
    for (size_t i = 0; i < arguments; i++)
        connection_argument_text(connection, words[i]);
}

uint64_t connection_queued_bytes(const struct connection *connection)
{
    return connection->queued_bytes;
}

/* ---- Sending and receiving
 * ------------------------------------------------------------------------ */

static enum status send_some(struct connection *connection, bool *progress, struct error *error)
{
    assert(connection->arguments_left == 0);
    while (connection->out_start < connection->out_end) {
        ssize_t sent = send(connection->fd, connection->out + connection->out_start,
                            connection->out_end - connection->out_start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return STATUS_OK;
        if (sent < 0)
            return broken(connection, error, strerror(errno));
        connection->out_start += (size_t)sent;
        *progress = true;
    }
    connection->out_start = connection->out_end = 0;
    return STATUS_OK;
}

static enum status receive_some(struct connection *connection, bool *progress, struct error *error)
{
    char bytes[READ_BYTES];
    for (;;) {
        ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return STATUS_OK;
        if (got < 0)
            return broken(connection, error, strerror(errno));
        if (got == 0)
            return broken(connection, error, "Redis closed it");
        if (redisReaderFeed(connection->reader, bytes, (size_t)got) != REDIS_OK)
            return broken(connection, error, connection->reader->errstr);
        *progress = true;
        if ((size_t)got < sizeof bytes)
            return STATUS_OK;
    }
}

static enum status pump(struct connection *connection, bool *progress, struct error *error)
{
    *progress = false;
    enum status status = send_some(connection, progress, error);
    /* What Redis had to say before it hung up is read all the same: it tells why. */
    enum status received = receive_some(connection, progress, error);
    return status == STATUS_OK ? received : status;
}

enum status connection_pump(struct connection *connection, struct error *error)
{
    bool progress;
    return pump(connection, &progress, error);
}

static enum status wait_for_socket(struct connection *connection, struct error *error)
{
    int silence_ms =
        connection->config->timeout_ms > 0 ? connection->config->timeout_ms : SILENCE_MS;
    short events = (short)(POLLIN | (connection->out_start < connection->out_end ? POLLOUT : 0));
    struct pollfd waiting = {.fd = connection->fd, .events = events};
    for (;;) {
        int ready = poll(&waiting, 1, silence_ms);
        if (ready > 0)
            return STATUS_OK;
        if (ready == 0)
            return error_set(error, STATUS_RETRY, "Redis at %s has not answered for %d ms",
                             connection->place, silence_ms);
        if (errno != EINTR)
            return broken(connection, error, strerror(errno));
    }
}

static enum status parsed_reply(struct connection *connection, const struct reply **reply,
                                struct error *error)
{
    void *found = NULL;
    if (connection->reply_given) {
        arena_reset(&connection->replies);
        connection->reply_given = false;
    }
    if (redisReaderGetReply(connection->reader, &found) != REDIS_OK)
        return broken(connection, error, connection->reader->errstr);
    *reply = found;
    connection->reply_given = found != NULL;
    return STATUS_OK;
}

enum status connection_next(struct connection *connection, bool wait, const struct reply **reply,
                            struct error *error)
{
    *reply = NULL;
    enum status gone = STATUS_OK;
    for (;;) {
        enum status status = parsed_reply(connection, reply, error);
        if (status != STATUS_OK || *reply)
            return status;
        if (gone != STATUS_OK)
            return gone;
        bool progress;
        gone = pump(connection, &progress, error);
        if (progress || gone != STATUS_OK)
            continue;
        if (!wait)
            return STATUS_OK;
        gone = wait_for_socket(connection, error);
    }
}

enum status connection_answer(struct connection *connection, const struct reply **reply,
                              struct error *error)
{
    enum status status = connection_next(connection, true, reply, error);
    if (status == STATUS_OK && (*reply)->type == REPLY_ERROR)
        return connection_judge(connection, *reply, error);
    return status;
}

/* ---- Opening
 * -------------------------------------------------------------------------------------- */

static bool given(const char *text)
{
    return text && *text;
}

static redisContext *connect_socket(const struct redis_config *config)
{
    struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_MS / 1000,
                              .tv_usec = CONNECT_TIMEOUT_MS % 1000 * 1000};
    if (given(config->unix_path))
        return redisConnectUnixWithTimeout(config->unix_path, timeout);
    return redisConnectWithTimeout(config->host, config->port, timeout);
}

static enum status open_socket(struct connection *connection, struct error *error)
{
    redisContext *context = connect_socket(connection->config);
    if (!context || context->err) {
        enum status status = error_set(error, STATUS_RETRY, "Redis at %s is away: %s",
                                       connection->place, context ? context->errstr : "no memory");
        if (context)
            redisFree(context);
        return status;
    }
    if (!given(connection->config->unix_path))
        (void)redisEnableKeepAlive(context);
    connection->fd = redisFreeKeepFd(context);
    int flags = fcntl(connection->fd, F_GETFL, 0);
    if (flags < 0 || fcntl(connection->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return broken(connection, error, strerror(errno));
    return STATUS_OK;
}

static enum status introduce(struct connection *connection, struct error *error)
{
    const struct redis_config *config = connection->config;
    const struct reply *reply;
    if (given(config->password)) {
        const char *with_user[] = {"AUTH", config->user, config->password};
        const char *without[] = {"AUTH", config->password};
        bool user = given(config->user);
        connection_words(connection, user ? 3 : 2, user ? with_user : without);
        enum status status = connection_answer(connection, &reply, error);
        if (status != STATUS_OK)
            return status;
    }
    connection_command(connection, 2);
    connection_argument_text(connection, "SELECT");
    connection_argument_number(connection, (uint64_t)config->database);
    return connection_answer(connection, &reply, error);
}

enum status connection_open(struct connection **out, const struct redis_config *config,
                            struct error *error)
{
    struct connection *connection = memory_take_zeroed(1, sizeof *connection);
    connection->config = config;
    connection->fd = -1;
    arena_init(&connection->replies, (size_t)64 * 1024);
    if (given(config->unix_path))
        (void)snprintf(connection->place, sizeof connection->place, "unix:%s", config->unix_path);
    else
        (void)snprintf(connection->place, sizeof connection->place, "%s:%d", config->host,
                       config->port);
    connection->reader = redisReaderCreateWithFunctions(&reply_functions);
    if (!connection->reader) {
        connection_close(connection);
        return error_set(error, STATUS_RETRY, "no memory for a connection to Redis");
    }
    connection->reader->privdata = &connection->replies;
    connection->reader->maxbuf = (size_t)1024 * 1024;
    enum status status = open_socket(connection, error);
    if (status == STATUS_OK)
        status = introduce(connection, error);
    if (status != STATUS_OK) {
        connection_close(connection);
        return status;
    }
    *out = connection;
    return STATUS_OK;
}

void connection_close(struct connection *connection)
{
    if (!connection)
        return;
    if (connection->fd >= 0)
        (void)close(connection->fd);
    if (connection->reader)
        redisReaderFree(connection->reader);
    arena_fini(&connection->replies);
    free(connection->out);
    free(connection);
}
