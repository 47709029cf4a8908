#include "stages/own_source.h"

#include "common/clock.h"
#include "kafka/kafka_source.h"

#include <stdio.h>
#include <stdlib.h>

#define JOIN_S 30
#define LOOKS 10

void own_source_group(char *room, size_t size, const struct stages *stages, const char *what,
                      unsigned worker)
{
    (void)snprintf(room, size, "%s-%s-%u", stages->name, what, worker);
}

static enum status join(struct own_source *source, struct error *error)
{
    double until = clock_seconds() + JOIN_S;
    while (clock_seconds() < until) {
        struct record record;
        size_t count;
        struct source_news news;
        enum status status =
            source->port->fetch(source->port, 100, &record, 1, &count, &news, error);
        if (news.kind == SOURCE_ASSIGNED)
            return STATUS_OK;
        if (status != STATUS_OK && status != STATUS_RETRY)
            return status;
    }
    return error_set(error, STATUS_STOP, "group %s gave us no partitions within %d seconds",
                     source->group, JOIN_S);
}

enum status own_source_open(struct own_source *source, const struct stage_worker *worker,
                            const char *what, struct error *error)
{
    source->kafka = worker->stages->kafka;
    own_source_group(source->group, sizeof source->group, worker->stages, what, worker->number);
    source->kafka.group = source->group;
    enum status status = kafka_source_create(&source->kafka, &source->port, error);
    return status == STATUS_OK ? join(source, error) : status;
}

static enum status look_at_range(struct source *port, uint32_t unit, int64_t *first, int64_t *end,
                                 struct error *error)
{
    enum status status = STATUS_RETRY;
    for (int i = 0; i < LOOKS && status == STATUS_RETRY; i++)
        status = port->range(port, unit, first, end, error);
    return status;
}

enum status own_source_start(struct own_source *source, const struct stage_worker *worker,
                             uint64_t *messages, struct error *error)
{
    struct unit_position *positions = memory_take(worker->unit_count * sizeof *positions);
    enum status status = STATUS_OK;
    *messages = 0;
    for (uint32_t i = 0; i < worker->unit_count && status == STATUS_OK; i++) {
        int64_t first = 0, end = 0;
        status = look_at_range(source->port, worker->first_unit + i, &first, &end, error);
        positions[i] = (struct unit_position){worker->first_unit + i, first};
        *messages += (uint64_t)(end - first);
    }
    if (status == STATUS_OK)
        status = source->port->start(source->port, positions, worker->unit_count, error);
    free(positions);
    return status;
}

void own_source_close(struct own_source *source)
{
    if (source->port)
        source->port->destroy(source->port);
    source->port = NULL;
}
