#include "fetch/fetcher_private.h"

#include "base/log.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PEERS_MAX 1024

int64_t fetcher_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is wanted
 * ---------------------------------------------------------------------------------- */

struct fetcher *fetcher_create(const struct fetcher_settings *settings)
{
    struct fetcher *fetcher = memory_take_zeroed(1, sizeof *fetcher);
    fetcher->settings = *settings;
    fetcher->leaders_pause_ms = FETCHER_PAUSE_MS;
    arena_init(&fetcher->headers, 1 << 14);
    return fetcher;
}

void fetcher_destroy(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    for (size_t i = 0; i < fetcher->peer_count; i++) {
        fetch_connection_fini(&fetcher->peers[i]->connection);
        fetch_unpacker_destroy(fetcher->peers[i]->unpacker);
        arena_fini(&fetcher->peers[i]->arena);
        free(fetcher->peers[i]);
    }
    free(fetcher->peers);
    free(fetcher->units);
    free(fetcher->wishes);
    arena_fini(&fetcher->headers);
    free(fetcher);
}

static struct peer *find_peer(const struct fetcher *fetcher, int32_t broker)
{
    for (size_t i = 0; i < fetcher->peer_count; i++)
        if (fetcher->peers[i]->broker == broker)
            return fetcher->peers[i];
    return NULL;
}

void fetcher_set_broker(struct fetcher *fetcher, int32_t broker, const char *host, int port)
{
    struct peer *peer = find_peer(fetcher, broker);
    if (!peer && fetcher->peer_count == PEERS_MAX)
        return;
    if (!peer) {
        peer = memory_take_zeroed(1, sizeof *peer);
        peer->broker = broker;
        peer->pause_ms = FETCHER_PAUSE_MS;
        peer->unpacker = fetch_unpacker_create();
        fetch_connection_init(&peer->connection);
        arena_init(&peer->arena, 1 << 12);
        fetcher->peers =
            memory_resize(fetcher->peers, (fetcher->peer_count + 1) * sizeof *fetcher->peers);
        fetcher->peers[fetcher->peer_count++] = peer;
    } else if (strcmp(peer->host, host) == 0 && peer->port == port) {
        return;
    } else {
        fetcher_close_peer(fetcher, peer);
        peer->version = 0;
    }
    (void)snprintf(peer->host, sizeof peer->host, "%s", host);
    peer->port = port;
}

static struct fetched_unit *make_unit(struct fetcher *fetcher, uint32_t unit)
{
    if (unit >= fetcher->unit_room) {
        size_t room = (size_t)unit + 1;
        fetcher->units = memory_resize(fetcher->units, room * sizeof *fetcher->units);
        fetcher->wishes = memory_resize(fetcher->wishes, room * sizeof *fetcher->wishes);
        for (size_t i = fetcher->unit_room; i < room; i++)
            fetcher->units[i] = (struct fetched_unit){.next = -1, .broker = FETCHER_NO_BROKER};
        fetcher->unit_room = room;
    }
    return &fetcher->units[unit];
}

void fetcher_set_leader(struct fetcher *fetcher, uint32_t unit, int32_t broker)
{
    if (unit < fetcher->unit_room)
        fetcher->units[unit].broker = find_peer(fetcher, broker) ? broker : FETCHER_NO_BROKER;
}

void fetcher_expect(struct fetcher *fetcher, uint32_t unit, int64_t offset)
{
    struct fetched_unit *wanted = make_unit(fetcher, unit);
    assert(wanted->next < 0 && offset >= 0);
    *wanted = (struct fetched_unit){
        .next = offset, .ask = offset, .end = -1, .end_told = -1, .broker = wanted->broker};
}

/* What is under way is of no use any more. A new connection is sooner there than an answer that
 * waits for events. */
void fetcher_forget(struct fetcher *fetcher)
{
    for (size_t i = 0; i < fetcher->peer_count; i++) {
        struct peer *peer = fetcher->peers[i];
        if (peer->state == PEER_ASKED)
            fetcher_close_peer(fetcher, peer);
        peer->has_answer = peer->is_open = false;
    }
    for (size_t i = 0; i < fetcher->unit_room; i++) {
        fetcher->units[i].next = -1;
        fetcher->units[i].asked_of = fetcher->units[i].unread_of = NULL;
    }
}

int64_t fetcher_next(const struct fetcher *fetcher, uint32_t unit)
{
    return unit < fetcher->unit_room ? fetcher->units[unit].next : -1;
}

size_t fetcher_units(const struct fetcher *fetcher)
{
    return fetcher->unit_room;
}

uint64_t fetcher_waiting(const struct fetcher *fetcher)
{
    uint64_t waiting = 0;
    for (size_t i = 0; i < fetcher->unit_room; i++) {
        const struct fetched_unit *unit = &fetcher->units[i];
        if (unit->next >= 0 && unit->end > unit->next)
            waiting += (uint64_t)(unit->end - unit->next);
    }
    return waiting;
}

/* ---- one take
 * ---------------------------------------------------------------------------------------- */

static void find_leaders(struct fetcher *fetcher, int64_t now)
{
    bool missing = false;
    for (size_t i = 0; i < fetcher->unit_room && !missing; i++)
        missing = fetcher->units[i].next >= 0 && fetcher->units[i].broker == FETCHER_NO_BROKER;
    if (!missing || now < fetcher->leaders_due_ms)
        return;
    struct error error;
    enum status status = fetcher->settings.leaders(fetcher->settings.context, fetcher, &error);
    if (status != STATUS_OK)
        log_debug("who leads %s: %s", fetcher->settings.topic, error.text);
    int64_t pause = status == STATUS_OK ? FETCHER_PAUSE_MS : fetcher->leaders_pause_ms * 2;
    fetcher->leaders_pause_ms = pause < FETCHER_PAUSE_MAX_MS ? pause : FETCHER_PAUSE_MAX_MS;
    fetcher->leaders_due_ms = fetcher_now_ms() + fetcher->leaders_pause_ms;
}

#define POLLED_MAX 64

static void wait_for_peers(const struct fetcher *fetcher, int64_t wait_ms, int64_t now)
{
    struct pollfd polled[POLLED_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < fetcher->peer_count; i++) {
        const struct peer *peer = fetcher->peers[i];
        if (peer->state == PEER_ASKED || peer->state == PEER_ASKED_VERSIONS) {
            if (count < POLLED_MAX)
                polled[count++] =
                    (struct pollfd){.fd = peer->connection.socket,
                                    .events = fetch_connection_events(&peer->connection)};
        } else if (peer->pause_until_ms > now && peer->pause_until_ms - now < wait_ms) {
            wait_ms = peer->pause_until_ms - now;
        }
    }
    if (!count && wait_ms > FETCHER_PAUSE_MS)
        wait_ms = FETCHER_PAUSE_MS; /* leaders, and pauses of units */
    (void)poll(polled, count, (int)wait_ms);
}

void fetcher_take(struct fetcher *fetcher, int timeout_ms, struct record *records, size_t room,
                  struct fetched *out)
{
    int64_t now = fetcher_now_ms(), until = now + timeout_ms;
    *out = (struct fetched){0};
    fetcher->records = records;
    fetcher->room = room;
    fetcher->out = out;
    fetcher->full = false;
    arena_reset(&fetcher->headers);
    for (size_t i = 0; i < fetcher->peer_count; i++)
        fetch_unpacker_reuse(fetcher->peers[i]->unpacker);
    for (;;) {
        find_leaders(fetcher, now);
        /* What was lent in this call may lie where an answer would be taken in. */
        for (size_t i = 0; i < fetcher->peer_count && !fetcher->unsupported; i++)
            fetcher_drive_peer(fetcher, fetcher->peers[i], now);
        fetcher_read_answers(fetcher);
        now = fetcher_now_ms();
        out->unsupported = fetcher->unsupported;
        if (out->count || out->error || out->unsupported || now >= until)
            return;
        wait_for_peers(fetcher, until - now, now);
        now = fetcher_now_ms();
    }
}
