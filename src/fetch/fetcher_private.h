/* What the files of the fetcher share: fetcher.c (what is wanted, one take), fetcher_peers.c
 * (asking the brokers) and fetcher_parts.c (handing out what they answer). */
#ifndef FETCH_FETCHER_PRIVATE_H
#define FETCH_FETCHER_PRIVATE_H

#include "fetch/connection.h"
#include "fetch/fetcher.h"

enum {
    FETCHER_PAUSE_MS = 100, /* after what went wrong, … */
    FETCHER_PAUSE_MAX_MS = 1000,
    FETCHER_CORRUPT_PAUSE_MS = 1000
};
#define FETCHER_NO_BROKER (-1)
#define FETCHER_NO_UNIT UINT32_MAX

/* Kafka's numbers: https://kafka.apache.org/protocol#protocol_error_codes */
enum {
    ERROR_CORRUPT = 2,
    ERROR_UNKNOWN_PARTITION = 3,
    ERROR_LEADER_NOT_AVAILABLE = 5,
    ERROR_NOT_LEADER = 6,
    ERROR_REPLICA_NOT_AVAILABLE = 9,
    ERROR_UNSUPPORTED_VERSION = 35,
    ERROR_STORAGE = 56,
    ERROR_FENCED_EPOCH = 74,
    ERROR_UNKNOWN_EPOCH = 75,
    ERROR_OFFSET_NOT_AVAILABLE = 78,
};

struct peer;

/* No gap and no double: an answer counts only when it is one to a question for `next`, and what it
 * holds is read before another peer is asked. So a unit has at most one request under way
 * (asked_of) and at most one answer that is being read (unread_of), and where it has both, they are
 * of one peer. */
struct fetched_unit {
    int64_t next;                 /* lowest offset that may still come; -1: none is wanted */
    int64_t ask;                  /* what the next request asks for: behind what is unread */
    int64_t asked;                /* what the request under way asks for */
    const struct peer *asked_of;  /* NULL: no request is under way */
    const struct peer *unread_of; /* NULL: no answer is being read */
    int64_t end;                  /* of its log, as last told */
    int64_t end_told;             /* where the reader was told that nothing follows; -1: nowhere */
    int64_t pause_until_ms;
    int32_t broker;
};

enum peer_state { PEER_CLOSED, PEER_ASKED_VERSIONS, PEER_IDLE, PEER_ASKED };

/* A broker. */
struct peer {
    int32_t broker;
    char host[256];
    int port, version; /* version 0: not known yet */
    enum peer_state state;
    struct fetch_connection connection;
    uint32_t correlation;
    size_t moved;     /* bytes of the request and of its answer so far, … */
    int64_t until_ms; /* … of which more have to come by then */
    int64_t pause_until_ms, pause_ms;
    unsigned unreadable; /* answers since the last one that could be read */
    size_t turn; /* whose unit comes first in a request: only of that one a whole batch is sure */
    uint32_t first; /* of the request under way */
    /* the answer that is read */
    bool has_answer, is_open;
    struct arena arena;
    struct fetch_answer answer;
    size_t part;
    struct fetch_records open;
    struct fetch_unpacker *unpacker;
};

struct fetcher {
    struct fetcher_settings settings;
    struct fetched_unit *units;
    size_t unit_room;
    struct peer **peers;
    size_t peer_count;
    size_t turn;               /* whose answer is read first */
    struct fetch_wish *wishes; /* room for unit_room */
    struct arena headers;
    int64_t leaders_due_ms, leaders_pause_ms;
    /* of the take under way */
    struct record *records;
    size_t room;
    struct fetched *out;
    bool full; /* of what can be unpacked */
    const char *unsupported;
};

int64_t fetcher_now_ms(void);
/* Ends what is under way; what was answered before is still read. */
void fetcher_close_peer(struct fetcher *fetcher, struct peer *peer);
/* Connects, asks and takes in, as far as it goes without waiting. */
void fetcher_drive_peer(struct fetcher *fetcher, struct peer *peer, int64_t now);
/* Hands out what the answers hold, as far as there is room. */
void fetcher_read_answers(struct fetcher *fetcher);

#endif
