/* baton.yaml, checked: every parameter as a plain field. One table (config.c) parses it, gives the
 * defaults and limits, and prints the reference of `baton config`.
 *
 * A configuration is read once and then only read, by any thread. All texts end with NUL, are never
 * NULL ("" where there is none), and belong to the configuration. Paths of files are resolved
 * against the folder of the configuration file. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/status.h"
#include "base/text_buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config_pair {
    const char *name, *value;
};

struct config_pairs {
    const struct config_pair *items; /* in the order of the file */
    size_t count;
};

enum config_lead_id { CONFIG_LEAD_ID_VALUE, CONFIG_LEAD_ID_KEY };
enum config_form_profile { CONFIG_FORM_AUTO, CONFIG_FORM_NONE, CONFIG_FORM_MAPPED };
enum config_language { CONFIG_LANGUAGE_EN, CONFIG_LANGUAGE_PT, CONFIG_LANGUAGE_ES };
enum config_partitioner {
    CONFIG_PARTITIONER_AUTO,
    CONFIG_PARTITIONER_MURMUR2,
    CONFIG_PARTITIONER_CRC32
};
enum config_hash { CONFIG_HASH_NONE, CONFIG_HASH_SHA256 };
enum config_output { CONFIG_OUTPUT_AVRO, CONFIG_OUTPUT_JSON, CONFIG_OUTPUT_REGISTRY };

/* Where Redis is; filled from redis.url and redis.password. */
struct config_redis_address {
    const char *host; /* "" where a unix socket is used */
    uint16_t port;
    const char *socket_path; /* "" where TCP is used */
    int64_t database;
    const char *user, *password;
};

struct config {
    const char *file_name;
    const char *agreement; /* path of a file, or of a folder of versions */
    bool watch;
    const char *shadow; /* path; "": none */
    struct {
        const char *brokers;
        const char *group;
        const char *instance; /* "": host name and the lowest free number */
        struct config_pairs properties, consumer, producer;
        bool direct_reads;
        bool embedded;
    } kafka;
    struct {
        const char *events, *promotions, *stages, *dead, *breaches;
        int64_t partitions, replication;
        int partitioner;      /* config_partitioner */
        int64_t retention_ms; /* of events; the outputs keep 365 days */
    } topics;
    struct {
        int lead_id; /* config_lead_id */
        int64_t max_ahead_ms;
        struct config_pairs fields; /* writer's field name → baton's */
        struct {
            const char *field; /* "": the kind comes from the record's name or JSON's `kind` */
            struct config_pairs values;
        } kind;
        int form_profile;                /* config_form_profile */
        struct config_pairs form_fields; /* CONFIG_FORM_MAPPED: form field → profile field */
    } input;
    struct {
        const char *field; /* "none", "email", "properties.NAME" */
        int hash;          /* config_hash */
        const char *prefix;
    } identity;
    struct {
        const char *directory; /* path; "": none */
        const char *registry;  /* base URL; "": none */
        int64_t unknown_wait_ms;
    } schemas;
    struct {
        int format; /* config_output */
        const char *source;
        int language; /* config_language */
    } output;
    struct {
        const char *url, *password;
        const char *prefix;
        struct config_redis_address address;
    } redis;
    int64_t workers;
    struct {
        int64_t linger_ms, pace_ms, pace_behind_ms;
    } emit;
    struct {
        int64_t interval_ms;
    } commit;
    struct {
        int64_t interval_ms, interval_behind_ms;
        int64_t dirty; /* leads */
    } checkpoint;
    struct {
        int64_t memory_bytes; /* all workers together */
    } leads;
    struct {
        int64_t interval_ms;
    } stats;
    struct {
        int64_t every_ms;
        int64_t share; /* hundredths */
    } sweep;
    struct {
        int64_t timeout_ms;
    } shutdown;
};

/* STATUS_STOP: `messages` holds one line per error, `file:line:column: error: text`, and *out is
 * NULL. An empty text is all defaults. Lines of warnings may come with STATUS_OK. */
enum status config_parse(const char *file_name, const char *text, size_t size, struct config **out,
                         struct text_buffer *messages);
/* The same from a file. */
enum status config_load(const char *path, struct config **out, struct text_buffer *messages);
void config_destroy(struct config *config);

/* Every parameter with its type, default, limits, unit and meaning. */
void config_print_reference(FILE *out, bool json);

/* Why a librdkafka property cannot be given in kafka.properties, consumer or producer; NULL: it
 * can. */
const char *config_refused_property(const char *name);

#endif
