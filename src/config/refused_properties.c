/* Properties that "exactly once" depends on: the program sets them, nobody else. */
#include "config/config.h"

#include <string.h>

static const struct {
    const char *name, *reason;
} refused[] = {
    {"bootstrap.servers", "write `kafka.brokers`, which every client uses"},
    {"metadata.broker.list", "write `kafka.brokers`, which every client uses"},
    {"group.id", "write `kafka.group`: the transactional ids are made of it, too"},
    {"group.instance.id", "a static member keeps its partitions while it is away, and a second "
                          "owner would never be told; "
                          "leave it out"},
    {"group.protocol", "take-over is proven for the classic protocol only; leave it out"},
    {"group.protocol.type", "take-over is proven for the classic protocol only; leave it out"},
    {"group.remote.assignor", "take-over is proven for the assignor `range` only; leave it out"},
    {"partition.assignment.strategy",
     "take-over is proven for the assignor `range` only; leave it out"},
    {"enable.auto.commit",
     "offsets are committed in the transaction that publishes what came of them, never beside it"},
    {"auto.commit.enable",
     "offsets are committed in the transaction that publishes what came of them, never beside it"},
    {"auto.commit.interval.ms",
     "nothing is committed automatically; `commit.interval` is the interval of transactions"},
    {"enable.auto.offset.store",
     "the position that is committed is the one folded, not the last one delivered"},
    {"offset.store.method",
     "offsets live in Kafka, in the transaction that publishes what came of them"},
    {"auto.offset.reset",
     "a position that is gone must stop the unit; jumping elsewhere would lose or repeat events"},
    {"isolation.level",
     "what an aborted transaction wrote is not there; only `read_committed` hides it"},
    {"enable.partition.eof",
     "the end of a partition tells when a silent replay is over, so it is always on"},
    {"max.poll.records", "it has no meaning here; leave it out"},
    {"transactional.id", "it is made of `kafka.group`, the instance and the worker, so that no two "
                         "that live share one"},
    {"enable.idempotence", "transactions need it; it is always on"},
    {"enable.gapless.guarantee", "transactions stand for it; leave it out"},
    {"transaction.timeout.ms",
     "it bounds how long a take-over waits, and the other time-outs are made to fit it"},
    {"message.timeout.ms", "it must stay below the transaction's time-out, and is set so"},
    {"delivery.timeout.ms", "it must stay below the transaction's time-out, and is set so"},
    {"acks", "transactions need `all`; leave it out"},
    {"request.required.acks", "transactions need `all`; leave it out"},
    {"max.in.flight",
     "more than the default would let messages of a transaction overtake each other"},
    {"max.in.flight.requests.per.connection",
     "more than the default would let messages of a transaction overtake each other"},
    {"retries", "a message that is not sent again is a lost promotion"},
    {"message.send.max.retries", "a message that is not sent again is a lost promotion"},
    {"linger.ms", "a transaction is sent at once; `emit.linger` says how long promotions may wait "
                  "for each other"},
    {"queue.buffering.max.ms", "a transaction is sent at once; `emit.linger` says how long "
                               "promotions may wait for each other"},
    {"queuing.strategy", "messages keep the order in which they were made"},
    {"partitioner",
     "promotions go to the partition of their key as every other client computes it"},
    {"test.mock.num.brokers",
     "write `kafka.embedded: true`, which also leaves out what the mock cluster cannot do"},
};

const char *config_refused_property(const char *name)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(refused[i].name, name) == 0)
            return refused[i].reason;
    return NULL;
}
