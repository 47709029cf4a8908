/* One connection to Redis: commands are queued into a buffer, sent as the socket takes them, and
 * answered in order. The socket never blocks: whoever waits, waits for both directions at once, so
 * that no amount of queued commands and unread answers can hold the two sides up. The only file
 * beside it that knows hiredis is its .c. Used by one thread. */
#ifndef REDIS_REDIS_CONNECTION_H
#define REDIS_REDIS_CONNECTION_H

#include "base/status.h"
#include "redis/redis_config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_type { REPLY_TEXT, REPLY_NUMBER, REPLY_NIL, REPLY_LIST, REPLY_ERROR };

/* Borrowed until the next call of connection_next. */
struct reply {
    enum reply_type type;
    int64_t number;
    const char *data; /* text or error, with a NUL behind it that size does not count */
    size_t size;
    struct reply **items;
    size_t count;
};

struct connection;

/* Connects within a second, gives name and password, selects the database. RETRY: Redis is away or
 * still loading. STOP: it refuses us (password, user, database). The configuration is borrowed for
 * the connection's life. */
enum status connection_open(struct connection **connection, const struct redis_config *config,
                            struct error *error);
void connection_close(struct connection *connection); /* NULL is fine */

/* Queues a command of so many arguments, then its arguments one by one. Nothing is sent yet. */
void connection_command(struct connection *connection, size_t arguments);
void connection_argument(struct connection *connection, const void *data, size_t size);
void connection_argument_text(struct connection *connection, const char *text);
void connection_argument_number(struct connection *connection, uint64_t number);
/* A command whose arguments are texts. */
void connection_words(struct connection *connection, size_t arguments, const char *const *words);
/* Bytes ever queued. */
uint64_t connection_queued_bytes(const struct connection *connection);

/* Sends and receives what can be without waiting. RETRY: the connection is gone, close it. */
enum status connection_pump(struct connection *connection, struct error *error);
/* The next answer; *reply NULL when there is none yet and `wait` is false. RETRY: the connection is
 * gone, close it. */
enum status connection_next(struct connection *connection, bool wait, const struct reply **reply,
                            struct error *error);
/* Queues nothing; waits for the one answer that is outstanding and judges an error of it. */
enum status connection_answer(struct connection *connection, const struct reply **reply,
                              struct error *error);

/* The family of an answer that is an error, with a line for a person: RETRY (loading, read-only,
 * out of memory, …) or STOP. */
enum status connection_judge(const struct connection *connection, const struct reply *reply,
                             struct error *error);
/* Does the error text carry this code, at its beginning or quoted by a script? */
bool reply_has_code(const struct reply *reply, const char *code);
bool reply_is_text(const struct reply *reply, const void *data, size_t size);
/* "unix:/run/redis.sock" or "127.0.0.1:6379" */
const char *connection_place(const struct connection *connection);

#endif
