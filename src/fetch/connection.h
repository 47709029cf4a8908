/* A connection to one broker that never blocks: at most one request is under way. One thread. */
#ifndef FETCH_CONNECTION_H
#define FETCH_CONNECTION_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetch_connection {
    int socket; /* -1: closed */
    bool connected;
    size_t
        address; /* which of a host's addresses is tried next: one that does not answer is passed */
    /* the request that is being sent */
    uint8_t *out;
    size_t out_size, out_sent, out_room;
    /* the answer that is coming in, its frame first */
    uint8_t *in;
    size_t in_size, in_got, in_room; /* in_size 0: its frame is not here yet */
};

void fetch_connection_init(struct fetch_connection *connection);
void fetch_connection_fini(struct fetch_connection *connection);
/* Begins to connect. RETRY: the name is not known, or nobody listens there. Looking up a name may
 * take the time that the system's resolver takes. */
enum status fetch_connection_open(struct fetch_connection *connection, const char *host, int port,
                                  struct error *error);
void fetch_connection_close(struct fetch_connection *connection);
/* Room for a request of so many bytes; it is sent by `push`. The last answer stays in place. */
uint8_t *fetch_connection_request(struct fetch_connection *connection, size_t size);
void fetch_connection_send(struct fetch_connection *connection, size_t size);
/* Connects and sends as far as it goes without waiting. RETRY: the connection is lost, and closed.
 */
enum status fetch_connection_push(struct fetch_connection *connection, struct error *error);
/* Takes in what is there, in place of the answer before. `whole`: the answer is complete. RETRY: as
 * above. */
enum status fetch_connection_pull(struct fetch_connection *connection, bool *whole,
                                  struct error *error);
/* What to wait for: POLLIN, POLLOUT. */
short fetch_connection_events(const struct fetch_connection *connection);

#endif
