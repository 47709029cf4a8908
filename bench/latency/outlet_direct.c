#include "base/arena.h"
#include "direct/direct.h"
#include "latency/outlet.h"

#include <stdio.h>
#include <stdlib.h>

struct direct_outlet {
    struct outlet port;
    struct outlet_settings settings;
    struct direct *direct;
};

static struct direct_outlet *self_of(struct outlet *outlet)
{
    return (struct direct_outlet *)(void *)outlet; /* port is the first member */
}

static void answered(void *context, uint64_t mark, int32_t partition, int64_t offset)
{
    struct direct_outlet *self = context;
    if (offset >= 0)
        self->settings.acked(self->settings.context, mark, partition);
}

static void send_event(struct outlet *outlet, const struct traffic_event *event, uint64_t mark)
{
    (void)direct_send(self_of(outlet)->direct, event->key, event->key_size, event->value,
                      event->value_size, mark);
}

static void note_failures(struct direct_outlet *self)
{
    self->port.failed = direct_counts(self->direct).failed;
    (void)snprintf(self->port.refusal, sizeof self->port.refusal, "%s",
                   direct_refusal(self->direct));
}

static enum status poll_answers(struct outlet *outlet, struct error *error)
{
    struct direct_outlet *self = self_of(outlet);
    enum status status = direct_poll(self->direct, 0, error);
    note_failures(self);
    return status;
}

static void flush(struct outlet *outlet, double seconds)
{
    struct error error;
    struct direct_outlet *self = self_of(outlet);
    enum status status = direct_flush(self->direct, seconds, &error);
    note_failures(self);
    if (status != STATUS_OK && !*self->port.refusal)
        (void)snprintf(self->port.refusal, sizeof self->port.refusal, "%.190s", error.text);
}

static void destroy(struct outlet *outlet)
{
    direct_destroy(self_of(outlet)->direct);
    free(outlet);
}

struct outlet *outlet_direct(const struct common_options *common,
                             const struct outlet_settings *settings, struct error *error)
{
    struct direct_outlet *self = memory_take_zeroed(1, sizeof *self);
    /* Whoever has a plan does not wait for room. */
    const struct direct_settings its = {.linger = settings->linger,
                                        .room_bytes = UINT64_MAX,
                                        .answered = answered,
                                        .context = self};
    self->port.send = send_event;
    self->port.poll = poll_answers;
    self->port.flush = flush;
    self->port.destroy = destroy;
    self->settings = *settings;
    self->direct = direct_create(common, &its, error);
    if (self->direct)
        return &self->port;
    free(self);
    return NULL;
}
