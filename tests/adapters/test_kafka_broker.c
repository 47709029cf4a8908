/* The checks that the ports in memory pass too. */
#include "adapters/kafka_world.h"
#include "contract/broker_contract.h"

static struct source *contract_source(struct broker_contract *contract)
{
    return open_source(contract->context);
}

static struct sink *contract_sink(struct broker_contract *contract, struct source *source,
                                  const char *instance)
{
    struct world *world = contract->context;
    world->settings.instance = instance;
    return open_sink(world, source, 0);
}

static int64_t delivered_offset;

static void on_written(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    (void)opaque;
    cr_assert_eq(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
    delivered_offset = message->offset;
}

static int64_t contract_append(struct broker_contract *contract, const struct record *record)
{
    struct world *world = contract->context;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].name, -1, record->headers[i].value,
                            (ssize_t)record->headers[i].value_size);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        world->writer, RD_KAFKA_V_TOPIC(world->settings.events),
        RD_KAFKA_V_PARTITION((int32_t)record->unit), RD_KAFKA_V_TIMESTAMP(record->timestamp_ms),
        RD_KAFKA_V_KEY(record->key, record->key_size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value, record->value_size),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    cr_assert_eq(code, RD_KAFKA_RESP_ERR_NO_ERROR);
    cr_assert_eq(rd_kafka_flush(world->writer, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
    return delivered_offset;
}

static rd_kafka_t *committed_reader(const struct world *world, const char *topic)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", world->settings.brokers, reason, sizeof reason);
    rd_kafka_conf_set(conf, "group.id", "reader", reason, sizeof reason);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof reason);
    rd_kafka_t *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    rd_kafka_poll_set_consumer(reader);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 0;
    rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    return reader;
}

static void copy_message(const rd_kafka_message_t *from, struct arena *arena,
                         struct outgoing_message *to)
{
    *to = (struct outgoing_message){
        .key = from->key ? arena_copy(arena, from->key, from->key_len) : NULL,
        .key_size = from->key_len,
        .value = from->payload ? arena_copy(arena, from->payload, from->len) : NULL,
        .value_size = from->len};
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(from, &headers))
        return;
    to->header_count = rd_kafka_header_cnt(headers);
    struct header *copy = arena_take(arena, to->header_count * sizeof *copy);
    for (size_t i = 0; i < to->header_count; i++) {
        const char *name;
        const void *value;
        rd_kafka_header_get_all(headers, i, &name, &value, &copy[i].value_size);
        copy[i].name = arena_copy(arena, name, strlen(name) + 1);
        copy[i].value = value ? arena_copy(arena, value, copy[i].value_size) : NULL;
    }
    to->headers = copy;
}

static size_t contract_read_output(struct broker_contract *contract, enum outgoing_topic topic,
                                   struct arena *arena, struct outgoing_message *messages,
                                   size_t room)
{
    struct world *world = contract->context;
    rd_kafka_t *reader = committed_reader(world, world->settings.outputs[topic]);
    size_t count = 0;
    for (bool done = false; !done;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 10000);
        cr_assert_not_null(message);
        done = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (!message->err) {
            if (count < room) {
                copy_message(message, arena, &messages[count]);
                messages[count].topic = topic;
            }
            count++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return count;
}

static struct stage_log *contract_stage_log(struct broker_contract *contract)
{
    struct stage_log *log;
    struct error error;
    cr_assert_eq(
        kafka_stage_log_create(&((struct world *)contract->context)->settings, &log, &error),
        STATUS_OK);
    return log;
}

static void open_kafka(struct broker_contract *contract)
{
    static struct world world;
    world_open(&world, "contract", 3);
    rd_kafka_destroy(world.writer);
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", world.settings.brokers, reason, sizeof reason);
    rd_kafka_conf_set(conf, "linger.ms", "0", reason, sizeof reason);
    rd_kafka_conf_set(conf, "enable.idempotence", "true", reason, sizeof reason);
    rd_kafka_conf_set_dr_msg_cb(conf, on_written);
    world.writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cr_assert_not_null(world.writer, "%s", reason);
    *contract = (struct broker_contract){
        .context = &world,
        .partitions = 3,
        .open_source = contract_source,
        .open_sink = contract_sink,
        .append = contract_append,
        .read_output = contract_read_output,
        .open_stage_log = contract_stage_log,
    };
}

static void close_kafka(struct broker_contract *contract)
{
    world_close(contract->context);
}

BROKER_CONTRACT_TESTS(kafka_broker, open_kafka, close_kafka)
