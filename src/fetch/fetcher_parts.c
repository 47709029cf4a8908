#include "fetch/fetcher_private.h"

#include <assert.h>

static void next_part(struct fetcher *fetcher, struct peer *peer)
{
    uint32_t unit = peer->answer.parts[peer->part].unit;
    if (unit != FETCHER_NO_UNIT)
        fetcher->units[unit].unread_of = NULL;
    peer->is_open = false;
    peer->has_answer = ++peer->part < peer->answer.count;
}

static void pause_unit(struct fetched_unit *unit, int64_t ms)
{
    unit->ask = unit->next;
    unit->pause_until_ms = fetcher_now_ms() + ms;
}

static void tell_error(struct fetcher *fetcher, uint32_t unit, int error)
{
    fetcher->out->error = error;
    fetcher->out->unit = unit;
}

static void take_error(struct fetcher *fetcher, struct peer *peer, const struct fetch_part *part)
{
    struct fetched_unit *unit = &fetcher->units[part->unit];
    pause_unit(unit, part->error == ERROR_CORRUPT ? FETCHER_CORRUPT_PAUSE_MS : FETCHER_PAUSE_MS);
    switch (part->error) {
    case ERROR_UNKNOWN_PARTITION:
    case ERROR_LEADER_NOT_AVAILABLE:
    case ERROR_NOT_LEADER:
    case ERROR_REPLICA_NOT_AVAILABLE:
    case ERROR_STORAGE:
    case ERROR_FENCED_EPOCH:
    case ERROR_UNKNOWN_EPOCH:
        if (unit->broker == peer->broker)
            unit->broker = FETCHER_NO_BROKER;
        break;
    case ERROR_OFFSET_NOT_AVAILABLE: break; /* a new leader does not know yet */
    case ERROR_UNSUPPORTED_VERSION:
        fetcher->unsupported = "a broker that takes back the version of Fetch that it told";
        break;
    default: tell_error(fetcher, part->unit, part->error);
    }
    next_part(fetcher, peer);
}

/* The part is read to its end. The end of the log is told again when only what is not handed out,
 * as marks of transactions, lies between: a replay waits for a position behind those. */
static void close_part(struct fetcher *fetcher, struct peer *peer, uint32_t number)
{
    struct fetched_unit *unit = &fetcher->units[number];
    unit->next = peer->open.position;
    if (unit->end >= 0 && unit->next >= unit->end && unit->end_told != unit->next) {
        fetcher->records[fetcher->out->count++] =
            (struct record){.unit = number, .is_end = true, .offset = unit->next};
        unit->end_told = unit->next;
    }
    next_part(fetcher, peer);
}

static void stop_part(struct fetcher *fetcher, struct peer *peer, uint32_t number,
                      enum fetch_read read)
{
    struct fetched_unit *unit = &fetcher->units[number];
    unit->next = peer->open.position;
    if (read == FETCH_UNKNOWN) {
        fetcher->unsupported = "record batches of an old version, or packed with another codec "
                               "than LZ4";
        return;
    }
    pause_unit(unit, FETCHER_CORRUPT_PAUSE_MS);
    tell_error(fetcher, number, ERROR_CORRUPT);
    next_part(fetcher, peer);
}

static bool may_go_on(const struct fetcher *fetcher)
{
    return fetcher->out->count < fetcher->room && !fetcher->out->error && !fetcher->unsupported &&
           !fetcher->full;
}

static void open_part(struct peer *peer, const struct fetch_part *part, struct fetched_unit *unit)
{
    unit->end = part->stable;
    fetch_records_init(&peer->open, unit->next, part->records, part->size, part->aborted,
                       part->aborting, part->aborted_count);
    peer->is_open = true;
}

static void read_part(struct fetcher *fetcher, struct peer *peer)
{
    const struct fetch_part *part = &peer->answer.parts[peer->part];
    if (part->unit == FETCHER_NO_UNIT) {
        next_part(fetcher, peer);
        return;
    }
    struct fetched_unit *unit = &fetcher->units[part->unit];
    assert(unit->unread_of == peer && unit->next >= 0);
    if (part->error) {
        take_error(fetcher, peer, part);
        return;
    }
    if (!peer->is_open)
        open_part(peer, part, unit);
    enum fetch_read read = FETCH_READ;
    while (may_go_on(fetcher) && read == FETCH_READ) {
        struct record *record = &fetcher->records[fetcher->out->count];
        read = fetch_records_next(&peer->open, peer->unpacker, &fetcher->headers, record);
        if (read != FETCH_READ)
            continue;
        record->unit = part->unit;
        fetcher->out->count++;
        unit->next = peer->open.position;
    }
    if (read == FETCH_END)
        close_part(fetcher, peer, part->unit);
    else if (read == FETCH_FULL && !fetcher->out->count)
        fetch_unpacker_reuse(peer->unpacker);
    else if (read == FETCH_FULL)
        fetcher->full = true;
    else if (read != FETCH_READ)
        stop_part(fetcher, peer, part->unit, read);
}

void fetcher_read_answers(struct fetcher *fetcher)
{
    fetcher->turn++;
    for (size_t i = 0; i < fetcher->peer_count; i++) {
        struct peer *peer = fetcher->peers[(fetcher->turn + i) % fetcher->peer_count];
        while (peer->has_answer && may_go_on(fetcher))
            read_part(fetcher, peer);
    }
}
