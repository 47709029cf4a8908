#include "fetch/connection.h"

#include "base/arena.h"
#include "base/big_endian.h"
#include "fetch/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (UINT64_C(1) << 30)
#define ANSWER_FIRST (UINT32_C(1) << 16)

void fetch_connection_init(struct fetch_connection *connection)
{
    *connection = (struct fetch_connection){.socket = -1};
}

void fetch_connection_close(struct fetch_connection *connection)
{
    if (connection->socket >= 0) {
        (void)close(connection->socket);
        connection->address += !connection->connected;
    }
    connection->socket = -1;
    connection->connected = false;
    connection->out_size = connection->out_sent = connection->in_size = connection->in_got = 0;
}

void fetch_connection_fini(struct fetch_connection *connection)
{
    fetch_connection_close(connection);
    free(connection->out);
    free(connection->in);
}

static int begin_to_connect(const struct addrinfo *address)
{
    const int yes = 1;
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return -1;
    (void)setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    (void)setsockopt(made, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    if (connect(made, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)
        return made;
    (void)close(made);
    return -1;
}

enum status fetch_connection_open(struct fetch_connection *connection, const char *host, int port,
                                  struct error *error)
{
    struct addrinfo *found, hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[16];
    fetch_connection_close(connection);
    (void)snprintf(service, sizeof service, "%d", port);
    int code = getaddrinfo(host, service, &hints, &found);
    if (code)
        return error_set(error, STATUS_RETRY, "broker %s:%d: %s", host, port, gai_strerror(code));
    size_t count = 0;
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        count++;
    for (size_t i = 0; i < count && connection->socket < 0; i++) {
        const struct addrinfo *at = found;
        for (size_t skip = (connection->address + i) % count; skip > 0; skip--)
            at = at->ai_next;
        connection->socket = begin_to_connect(at);
    }
    code = errno;
    freeaddrinfo(found);
    if (connection->socket < 0)
        return error_set(error, STATUS_RETRY, "broker %s:%d: %s", host, port, strerror(code));
    return STATUS_OK;
}

uint8_t *fetch_connection_request(struct fetch_connection *connection, size_t size)
{
    if (size > connection->out_room) {
        connection->out = memory_resize(connection->out, size);
        connection->out_room = size;
    }
    return connection->out;
}

void fetch_connection_send(struct fetch_connection *connection, size_t size)
{
    connection->out_size = size;
    connection->out_sent = connection->in_size = connection->in_got = 0;
}

static enum status lost(struct fetch_connection *connection, const char *why, struct error *error)
{
    fetch_connection_close(connection);
    return error_set(error, STATUS_RETRY, "the connection to a broker is lost: %s", why);
}

/* Not yet connected afterwards: not now. */
static enum status finish_connecting(struct fetch_connection *connection, struct error *error)
{
    struct pollfd poll_for = {.fd = connection->socket, .events = POLLOUT};
    int code = 0;
    socklen_t size = sizeof code;
    if (poll(&poll_for, 1, 0) <= 0)
        return STATUS_OK;
    if (getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
        code = errno;
    if (code)
        return lost(connection, strerror(code), error);
    connection->connected = true;
    return STATUS_OK;
}

static enum status send_rest(struct fetch_connection *connection, struct error *error)
{
    while (connection->out_sent < connection->out_size) {
        ssize_t sent = send(connection->socket, connection->out + connection->out_sent,
                            connection->out_size - connection->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return STATUS_OK;
        if (sent < 0)
            return lost(connection, strerror(errno), error);
        connection->out_sent += (size_t)sent;
    }
    return STATUS_OK;
}

static enum status read_frame(struct fetch_connection *connection, struct error *error)
{
    struct byte_reader frame = {.at = connection->in, .end = connection->in + FETCH_FRAME};
    uint64_t size = big_endian_read(&frame, FETCH_FRAME);
    if (size == 0 || size > ANSWER_MAX)
        return lost(connection, "an answer of an impossible size", error);
    connection->in_size = FETCH_FRAME + (size_t)size;
    return STATUS_OK;
}

/* Bytes that can be taken in now. Room grows with what has come: a size that is a lie costs none.
 */
static size_t make_room(struct fetch_connection *connection, size_t wanted)
{
    if (connection->in_got == connection->in_room) {
        size_t room = connection->in_room ? 2 * connection->in_room : ANSWER_FIRST;
        connection->in_room = wanted < room && wanted > ANSWER_FIRST ? wanted : room;
        connection->in = memory_resize(connection->in, connection->in_room);
    }
    size_t room = connection->in_room < wanted ? connection->in_room : wanted;
    return room - connection->in_got;
}

/* The frame alone, then the rest of the answer: never a byte of what follows. */
static enum status take_in(struct fetch_connection *connection, bool *whole, struct error *error)
{
    for (;;) {
        size_t wanted = connection->in_size ? connection->in_size : FETCH_FRAME;
        size_t room = make_room(connection, wanted);
        ssize_t got = recv(connection->socket, connection->in + connection->in_got, room, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return STATUS_OK;
        if (got <= 0)
            return lost(connection, got ? strerror(errno) : "it was closed", error);
        connection->in_got += (size_t)got;
        if (connection->in_got < wanted)
            continue;
        *whole = connection->in_size != 0;
        if (*whole)
            return STATUS_OK;
        enum status status = read_frame(connection, error);
        if (status != STATUS_OK)
            return status;
    }
}

enum status fetch_connection_push(struct fetch_connection *connection, struct error *error)
{
    enum status status = STATUS_OK;
    if (!connection->connected)
        status = finish_connecting(connection, error);
    return status == STATUS_OK && connection->connected ? send_rest(connection, error) : status;
}

enum status fetch_connection_pull(struct fetch_connection *connection, bool *whole,
                                  struct error *error)
{
    *whole = false;
    if (!connection->connected || connection->out_sent < connection->out_size)
        return STATUS_OK;
    return take_in(connection, whole, error);
}

short fetch_connection_events(const struct fetch_connection *connection)
{
    bool sends = !connection->connected || connection->out_sent < connection->out_size;
    return sends ? POLLOUT : POLLIN;
}
