/* A broker of one thread on 127.0.0.1 that keeps logs of a few partitions and answers as a test
 * wants it to. */
#ifndef TESTS_FAKE_BROKER_H
#define TESTS_FAKE_BROKER_H

#include "fetch_answers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FAKE_UNITS = 8, FAKE_CONNECTIONS = 64, FAKE_WISHES = 16 };

struct fake_log {
    struct bytes bytes; /* batches */
    int64_t stable;
    struct fetch_aborted aborted[8];
    int32_t aborted_count;
};

struct fake_request {
    int version;
    uint32_t correlation;
    unsigned number; /* of the fetches, from 1 on */
    struct fetch_wish wishes[FAKE_WISHES];
    size_t count;
};

struct fake;
/* Writes the answer to a fetch; none: the broker is silent. Returns whether the connection stays
 * open. On the broker's thread, which holds the lock. */
typedef bool fake_answer(struct fake *fake, const struct fake_request *request, struct bytes *out);

struct fake {
    pthread_t thread;
    pthread_mutex_t lock;
    int listener, stop[2], port;
    int sockets[FAKE_CONNECTIONS];
    size_t count; /* of the connections so far */
    unsigned fetches;
    struct fake_log *logs;
    fake_answer *answer;
    int versions[2], versions_error;
    int64_t asked_ms[256]; /* when the fetches came */
    unsigned dice;         /* for answers by chance */
    int pace_ms;           /* answers are sent in ten pieces with such pauses */
};

static inline int64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The batches that hold something from the offset on. */
static inline void fake_find(const struct fake_log *log, int64_t offset, const uint8_t **at,
                             size_t *size)
{
    *at = log->bytes.at;
    *size = log->bytes.size;
    for (size_t first; (first = fetch_records_first(*at, *size)) != 0; *at += first, *size -= first)
        if (fetch_records_end(-1, *at, first) > offset)
            return;
}

static inline struct made_part fake_part(const struct fake *fake, const struct fetch_wish *wish)
{
    const struct fake_log *log = &fake->logs[wish->unit];
    const uint8_t *at;
    size_t size;
    fake_find(log, wish->offset, &at, &size);
    return (struct made_part){.unit = wish->unit,
                              .stable = log->stable,
                              .aborted = log->aborted,
                              .aborted_count = log->aborted_count,
                              .records = at,
                              .size = (int32_t)size};
}

/* As a broker in good health. */
static inline bool fake_serve(struct fake *fake, const struct fake_request *request,
                              struct bytes *out)
{
    struct made_part parts[FAKE_WISHES];
    for (size_t i = 0; i < request->count; i++)
        parts[i] = fake_part(fake, &request->wishes[i]);
    *out = made_answer(request->version, request->correlation, 0, 0, parts, request->count);
    return true;
}

/* ---- its thread ---- */

static inline bool fake_read(int socket, void *to, size_t size)
{
    return recv(socket, to, size, MSG_WAITALL) == (ssize_t)size;
}

static inline bool fake_send(const struct fake *fake, int socket, const struct bytes *out)
{
    size_t pieces = fake->pace_ms ? 10 : 1, sent = 0;
    for (size_t i = 1; i <= pieces; i++) {
        size_t to = out->size * i / pieces;
        if (i > 1)
            (void)usleep((useconds_t)fake->pace_ms * 1000);
        if (send(socket, out->at + sent, to - sent, MSG_NOSIGNAL) != (ssize_t)(to - sent))
            return false;
        sent = to;
    }
    return true;
}

static inline void fake_parse(struct byte_reader *reader, struct fake_request *request)
{
    (void)bytes_take(reader, 17 + (request->version >= 7 ? 8 : 0) + 4);
    (void)bytes_take(reader, big_endian_read(reader, 2)); /* topic */
    size_t count = (size_t)big_endian_read(reader, 4);
    for (request->count = 0; request->count < count && request->count < FAKE_WISHES;
         request->count++) {
        struct fetch_wish *wish = &request->wishes[request->count];
        wish->unit = (uint32_t)big_endian_read(reader, 4);
        (void)bytes_take(reader, request->version >= 9 ? 4 : 0);
        wish->offset = (int64_t)big_endian_read(reader, 8);
        (void)bytes_take(reader, request->version >= 5 ? 12 : 4);
    }
}

static inline bool fake_handle(struct fake *fake, int socket)
{
    uint8_t head[4], body[4096];
    if (!fake_read(socket, head, 4))
        return false;
    struct byte_reader frame = {.at = head, .end = head + 4};
    size_t size = (size_t)big_endian_read(&frame, 4);
    if (size > sizeof body || !fake_read(socket, body, size))
        return false;
    struct byte_reader reader = {.at = body, .end = body + size};
    struct fake_request request = {0};
    struct bytes out = {0};
    bool stays = true, versions = big_endian_read(&reader, 2) == 18;
    request.version = (int)big_endian_read(&reader, 2);
    request.correlation = (uint32_t)big_endian_read(&reader, 4);
    (void)bytes_take(&reader, big_endian_read(&reader, 2));
    (void)pthread_mutex_lock(&fake->lock);
    if (versions) {
        out = made_versions(request.correlation, fake->versions_error, fake->versions[0],
                            fake->versions[1]);
    } else {
        fake_parse(&reader, &request);
        fake->asked_ms[fake->fetches % 256] = clock_ms();
        request.number = ++fake->fetches;
        stays = !reader.failed && fake->answer(fake, &request, &out);
    }
    (void)pthread_mutex_unlock(&fake->lock);
    if (out.size)
        stays = fake_send(fake, socket, &out) && stays;
    free(out.at);
    return stays;
}

static inline void *fake_run(void *context)
{
    struct fake *fake = context;
    for (;;) {
        struct pollfd polled[2 + FAKE_CONNECTIONS] = {{.fd = fake->stop[0], .events = POLLIN},
                                                      {.fd = fake->listener, .events = POLLIN}};
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
            polled[2 + i] = (struct pollfd){.fd = fake->sockets[i], .events = POLLIN};
        (void)poll(polled, 2 + FAKE_CONNECTIONS, -1);
        if (polled[0].revents)
            return NULL;
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
            if (polled[2 + i].revents && !fake_handle(fake, fake->sockets[i])) {
                (void)close(fake->sockets[i]);
                fake->sockets[i] = -1;
            }
        if (!polled[1].revents)
            continue;
        (void)pthread_mutex_lock(&fake->lock);
        size_t place = fake->count++ % FAKE_CONNECTIONS;
        (void)pthread_mutex_unlock(&fake->lock);
        if (fake->sockets[place] >= 0)
            (void)close(fake->sockets[place]);
        fake->sockets[place] = accept(fake->listener, NULL, NULL);
    }
}

/* ---- for the test ---- */

/* The logs may be those of another broker, too. */
static inline void fake_open(struct fake *fake, struct fake_log *logs)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *fake = (struct fake){.logs = logs, .answer = fake_serve, .versions = {0, 17}};
    for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
        fake->sockets[i] = -1;
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fake->listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(fake->listener, 16), 0);
    cr_assert_eq(getsockname(fake->listener, (struct sockaddr *)&address, &size), 0);
    fake->port = ntohs(address.sin_port);
    cr_assert_eq(pipe(fake->stop), 0);
    cr_assert_eq(pthread_mutex_init(&fake->lock, NULL), 0);
    cr_assert_eq(pthread_create(&fake->thread, NULL, fake_run, fake), 0);
}

static inline void fake_close(struct fake *fake)
{
    cr_assert_eq(write(fake->stop[1], "", 1), 1);
    (void)pthread_join(fake->thread, NULL);
    for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
        if (fake->sockets[i] >= 0)
            (void)close(fake->sockets[i]);
    (void)close(fake->listener);
    (void)close(fake->stop[0]);
    (void)close(fake->stop[1]);
}

/* Under the broker's lock. */
#define fake_with(fake, ...)                                                                       \
    do {                                                                                           \
        (void)pthread_mutex_lock(&(fake)->lock);                                                   \
        __VA_ARGS__;                                                                               \
        (void)pthread_mutex_unlock(&(fake)->lock);                                                 \
    } while (0)

static inline unsigned fake_fetches(struct fake *fake)
{
    unsigned fetches;
    fake_with(fake, fetches = fake->fetches);
    return fetches;
}

static inline size_t fake_connections(struct fake *fake)
{
    size_t count;
    fake_with(fake, count = fake->count);
    return count;
}

/* Batches of `size` records from the end of the log on. */
static inline void fake_append(struct fake_log *log, int batches, int size, unsigned codec)
{
    for (int i = 0; i < batches; i++) {
        add_simple_batch(&log->bytes, log->stable, size, codec, -1);
        log->stable += size;
    }
}

#endif
