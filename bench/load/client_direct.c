#include "base/arena.h"
#include "direct/direct.h"
#include "load/client.h"

#include <stdio.h>
#include <stdlib.h>

#define WAIT_SECONDS 0.01 /* for room */

struct direct_client {
    struct client port;
    struct direct *direct;
};

static struct direct_client *self_of(struct client *client)
{
    return (struct direct_client *)(void *)client; /* port is the first member */
}

struct direct *client_direct_inner(struct client *client)
{
    return self_of(client)->direct;
}

static void send_event(struct client *client, const struct traffic_event *event)
{
    (void)direct_send(self_of(client)->direct, event->key, event->key_size, event->value,
                      event->value_size, 0);
}

static void note_failures(struct direct_client *self)
{
    atomic_store_explicit(&self->port.failed, direct_counts(self->direct).failed,
                          memory_order_relaxed);
    (void)snprintf(self->port.refusal, sizeof self->port.refusal, "%s",
                   direct_refusal(self->direct));
}

static enum status poll_answers(struct client *client, struct error *error)
{
    struct direct_client *self = self_of(client);
    enum status status = direct_poll(self->direct, 0, error);
    while (status == STATUS_OK && !direct_has_room(self->direct))
        status = direct_poll(self->direct, WAIT_SECONDS, error);
    note_failures(self);
    return status;
}

static enum status flush(struct client *client, double seconds, struct error *error)
{
    struct direct_client *self = self_of(client);
    enum status status = direct_flush(self->direct, seconds, error);
    note_failures(self);
    if (status != STATUS_OK && !*self->port.refusal)
        (void)snprintf(self->port.refusal, sizeof self->port.refusal, "%.190s", error->text);
    return status;
}

static void destroy(struct client *client)
{
    direct_destroy(self_of(client)->direct);
    free(client);
}

struct client *client_direct(const struct common_options *common, bool paced, struct error *error)
{
    /* The broker slows down who sends as fast as it goes, and nobody who has a plan. */
    const struct direct_settings settings = {.batch_bytes = paced ? 0 : 200000,
                                             .linger = paced ? 0.005 : 0.02,
                                             .room_bytes = paced ? UINT64_MAX : 8 * 1024 * 1024};
    struct direct_client *self = memory_take_zeroed(1, sizeof *self);
    self->port.send = send_event;
    self->port.poll = poll_answers;
    self->port.flush = flush;
    self->port.destroy = destroy;
    self->direct = direct_create(common, &settings, error);
    if (self->direct)
        return &self->port;
    free(self);
    return NULL;
}
