/* What the Kafka adapters need to know. The texts belong to the caller and outlive the adapters. */
#ifndef KAFKA_SETTINGS_H
#define KAFKA_SETTINGS_H

#include "codec/outgoing.h"

#include <stdbool.h>
#include <stddef.h>

/* A librdkafka property. Those that exactly-once depends on are set after these and win. */
struct kafka_property {
    const char *name, *value;
};

struct kafka_properties {
    const struct kafka_property *items;
    size_t count;
};

struct kafka_settings {
    const char *brokers;
    const char *group;
    const char *instance; /* process slot; "" where only one-shot verbs run */
    const char *events;   /* input topic */
    const char *outputs[OUTGOING_TOPICS];
    struct kafka_properties common, consumer, producer;
    const char *config_path; /* for the commands that error texts name */
    bool direct_reads;       /* events by the reader of fetch/, wherever it can */
    bool embedded; /* librdkafka's mock cluster: no topic settings, transactions are hollow */
    size_t max_message_bytes; /* that any of our topics takes, from kafka_admin; 0: librdkafka's
                                 default */
    size_t max_batch_bytes;   /* … that all of them take; 0: librdkafka's default */
};

/* "2.0.2": librdkafka as found at run time. */
const char *kafka_library_version(void);
/* An embedded broker is for this machine only: STOP when an address of `brokers` is not a loopback
 * one. */
enum status kafka_check_embedded(const struct kafka_settings *settings, struct error *error);

#endif
