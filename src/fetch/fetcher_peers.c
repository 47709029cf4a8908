#include "fetch/fetcher_private.h"

#include "base/log.h"

#include <string.h>

enum {
    ANSWER_MS = 10000, /* how long a broker may be silent that owes an answer */
    UNREADABLE_MAX = 5,
    THROTTLE_MAX_MS = 10000, /* a broker that wants less holds its answers back itself */
    /* An answer with few bytes is not asked for again at once: at every event a broker would do
     * nothing but answer. */
    FEW_BYTES = 65536,
    FEW_PAUSE_MS = 4
};

/* ---- asking
 * ------------------------------------------------------------------------------------------ */

void fetcher_close_peer(struct fetcher *fetcher, struct peer *peer)
{
    fetch_connection_close(&peer->connection);
    peer->state = PEER_CLOSED;
    for (size_t i = 0; i < fetcher->unit_room; i++) {
        struct fetched_unit *unit = &fetcher->units[i];
        if (unit->asked_of != peer)
            continue;
        unit->asked_of = NULL;
        if (!unit->unread_of)
            unit->ask = unit->next;
    }
}

/* Its units may be led by another one by now. */
static void lose_peer(struct fetcher *fetcher, struct peer *peer, const char *why)
{
    log_debug("broker %s:%d: %s", peer->host, peer->port, why);
    fetcher_close_peer(fetcher, peer);
    peer->version = 0;
    peer->pause_until_ms = fetcher_now_ms() + peer->pause_ms;
    peer->pause_ms =
        peer->pause_ms * 2 < FETCHER_PAUSE_MAX_MS ? peer->pause_ms * 2 : FETCHER_PAUSE_MAX_MS;
    for (size_t i = 0; i < fetcher->unit_room; i++)
        if (fetcher->units[i].broker == peer->broker)
            fetcher->units[i].broker = FETCHER_NO_BROKER;
}

static bool is_askable(const struct fetched_unit *unit, const struct peer *peer, int64_t now)
{
    return unit->next >= 0 && unit->broker == peer->broker && now >= unit->pause_until_ms &&
           !unit->asked_of && (!unit->unread_of || unit->unread_of == peer);
}

static size_t list_wishes(struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    size_t count = 0, units = fetcher->unit_room;
    for (size_t i = 0; i < units; i++) {
        size_t number = (peer->turn + i) % units;
        struct fetched_unit *unit = &fetcher->units[number];
        if (!is_askable(unit, peer, now))
            continue;
        fetcher->wishes[count++] = (struct fetch_wish){(uint32_t)number, unit->ask};
        unit->asked = unit->ask;
        unit->asked_of = peer;
    }
    if (count) {
        peer->first = fetcher->wishes[0].unit;
        peer->turn = (size_t)peer->first + 1;
    }
    return count;
}

static void await_answer(const struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    int silent_ms = fetcher->settings.answer_ms ? fetcher->settings.answer_ms : ANSWER_MS;
    peer->moved = 0;
    peer->until_ms = now + fetcher->settings.limits.wait_ms + silent_ms;
}

static void request(struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    size_t count = list_wishes(fetcher, peer, now);
    if (!count)
        return;
    const struct fetcher_settings *settings = &fetcher->settings;
    uint8_t *out = fetch_connection_request(
        &peer->connection,
        fetch_request_bound(strlen(settings->client), strlen(settings->topic), count));
    fetch_connection_send(&peer->connection,
                          fetch_request(peer->version, settings->client, ++peer->correlation,
                                        settings->topic, &settings->limits, fetcher->wishes, count,
                                        out));
    peer->state = PEER_ASKED;
    await_answer(fetcher, peer, now);
}

static bool is_leader(const struct fetcher *fetcher, const struct peer *peer)
{
    for (size_t i = 0; i < fetcher->unit_room; i++)
        if (fetcher->units[i].next >= 0 && fetcher->units[i].broker == peer->broker)
            return true;
    return false;
}

static void open_peer(struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    struct error error;
    if (now < peer->pause_until_ms || !is_leader(fetcher, peer))
        return;
    if (fetch_connection_open(&peer->connection, peer->host, peer->port, &error) != STATUS_OK) {
        lose_peer(fetcher, peer, error.text);
        return;
    }
    peer->state = PEER_IDLE;
    if (peer->version)
        return;
    const char *client = fetcher->settings.client;
    uint8_t *out =
        fetch_connection_request(&peer->connection, fetch_request_bound(strlen(client), 0, 0));
    fetch_connection_send(&peer->connection,
                          fetch_versions_request(client, ++peer->correlation, out));
    peer->state = PEER_ASKED_VERSIONS;
    await_answer(fetcher, peer, now);
}

/* ---- answers
 * ----------------------------------------------------------------------------------------- */

/* What is no answer of Kafka's at all may have come from a broker that was just going down; again
 * and again it is one that librdkafka may understand. */
static void cannot_read(struct fetcher *fetcher, struct peer *peer)
{
    if (++peer->unreadable >= UNREADABLE_MAX)
        fetcher->unsupported = "answers of a broker that it cannot read";
    lose_peer(fetcher, peer, "its answer cannot be read");
}

static void take_versions(struct fetcher *fetcher, struct peer *peer)
{
    const struct fetch_connection *connection = &peer->connection;
    int version;
    if (!fetch_versions_read(connection->in + FETCH_FRAME, connection->in_size - FETCH_FRAME,
                             peer->correlation, &version)) {
        cannot_read(fetcher, peer);
        return;
    }
    if (version < 0) {
        fetcher->unsupported = "a broker whose versions of Fetch are others than 4 to 11";
        return;
    }
    peer->version = version;
    peer->state = PEER_IDLE;
}

/* Returns the bytes of its records. */
static size_t take_part(struct fetcher *fetcher, struct peer *peer, struct fetch_part *part)
{
    struct fetched_unit *unit =
        part->unit < fetcher->unit_room ? &fetcher->units[part->unit] : NULL;
    if (!unit || unit->asked_of != peer || unit->asked != unit->next) {
        part->unit = FETCHER_NO_UNIT;
        return part->size;
    }
    unit->asked_of = NULL;
    unit->unread_of = peer;
    unit->ask = unit->next;
    if (part->error)
        return part->size;
    unit->ask = fetch_records_end(unit->next, part->records, part->size);
    /* Brokers make sure of one whole batch, however great: without, we would ask for ever. */
    if (part->unit == peer->first && part->size && !fetch_records_first(part->records, part->size))
        part->error = ERROR_CORRUPT;
    return part->size;
}

/* What was asked and is not answered, or was for another place than where we are by now, is asked
 * again. */
static void ask_again(struct fetcher *fetcher, const struct peer *peer)
{
    for (size_t i = 0; i < fetcher->unit_room; i++) {
        struct fetched_unit *unit = &fetcher->units[i];
        if (unit->asked_of != peer)
            continue;
        unit->asked_of = NULL;
        unit->ask = unit->next;
    }
}

static void take_answer(struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    const struct fetch_connection *connection = &peer->connection;
    arena_reset(&peer->arena);
    if (!fetch_answer_read(peer->version, connection->in + FETCH_FRAME,
                           connection->in_size - FETCH_FRAME, peer->correlation, &peer->arena,
                           &peer->answer)) {
        cannot_read(fetcher, peer);
        return;
    }
    if (peer->answer.error) {
        lose_peer(fetcher, peer, "it answers with an error");
        return;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < peer->answer.count; i++)
        bytes += take_part(fetcher, peer, &peer->answer.parts[i]);
    ask_again(fetcher, peer);
    peer->has_answer = peer->answer.count > 0;
    peer->is_open = false;
    peer->part = 0;
    peer->state = PEER_IDLE;
    peer->pause_ms = FETCHER_PAUSE_MS;
    peer->unreadable = 0;
    /* Nothing and at once is no answer to a question that may wait. */
    int64_t pause = bytes < FEW_BYTES ? FEW_PAUSE_MS : 0;
    if (peer->answer.throttle_ms > pause)
        pause =
            peer->answer.throttle_ms < THROTTLE_MAX_MS ? peer->answer.throttle_ms : THROTTLE_MAX_MS;
    peer->pause_until_ms = now + pause;
}

/* A slow answer may take as long as it likes, a silent broker may not. */
static enum status check_silence(const struct fetcher *fetcher, struct peer *peer, int64_t now,
                                 struct error *error)
{
    size_t moved = peer->connection.out_sent + peer->connection.in_got;
    if (moved != peer->moved) {
        await_answer(fetcher, peer, now);
        peer->moved = moved;
    }
    return now < peer->until_ms ? STATUS_OK : error_set(error, STATUS_RETRY, "no answer");
}

static void ask_and_push(struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    struct error error;
    request(fetcher, peer, now);
    if (peer->state == PEER_ASKED && fetch_connection_push(&peer->connection, &error) != STATUS_OK)
        lose_peer(fetcher, peer, error.text);
}

void fetcher_drive_peer(struct fetcher *fetcher, struct peer *peer, int64_t now)
{
    struct error error;
    bool whole = false;
    if (peer->state == PEER_CLOSED)
        open_peer(fetcher, peer, now);
    if (peer->state == PEER_IDLE && now >= peer->pause_until_ms)
        request(fetcher, peer, now);
    if (peer->state == PEER_CLOSED || peer->state == PEER_IDLE)
        return;
    enum status status = fetch_connection_push(&peer->connection, &error);
    if (status == STATUS_OK && !peer->has_answer) {
        status = fetch_connection_pull(&peer->connection, &whole, &error);
        if (status == STATUS_OK && !whole)
            status = check_silence(fetcher, peer, now, &error);
    }
    if (status != STATUS_OK) {
        lose_peer(fetcher, peer, error.text);
        return;
    }
    if (!whole)
        return;
    if (peer->state == PEER_ASKED_VERSIONS)
        take_versions(fetcher, peer);
    else
        take_answer(fetcher, peer, now);
    if (peer->state == PEER_IDLE && now >= peer->pause_until_ms)
        ask_and_push(fetcher, peer, now); /* on its way while this answer is read */
}
