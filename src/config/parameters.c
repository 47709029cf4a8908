#include "config/parameters.h"

#include <baton/event.h>
#include <string.h>

#define KB INT64_C(1024)
#define MB (1024 * KB)
#define GB (1024 * MB)
#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

#define AT(field) offsetof(struct config, field)

static const char *const lead_id_choices[] = {"value", "key", NULL};
static const char *const partitioner_choices[] = {"auto", "murmur2", "crc32", NULL};
static const char *const hash_choices[] = {"none", "sha256", NULL};
static const char *const form_choices[] = {"auto", "none", NULL};
static const char *const output_choices[] = {"avro", "json", "registry", NULL};
static const char *const language_choices[] = {"en", "pt", "es", NULL};

static const char *topic_problem(const char *value)
{
    if (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
        strlen(value))
        return "must have letters, digits, `.`, `_` and `-` only";
    if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
        return "cannot be a topic's name";
    return NULL;
}

static const char *prefix_problem(const char *value)
{
    if (strpbrk(value, "{}"))
        return "cannot hold braces: the hash tag of a key is the number of its unit";
    if (strpbrk(value, " \t*?[]\\\"'"))
        return "cannot hold blanks, quotes or characters of patterns: a scan finds the keys by it";
    return NULL;
}

static const char *slot_problem(const char *value)
{
    if (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
        strlen(value))
        return "must have letters, digits, `.`, `_` and `-` only: it becomes part of a "
               "transactional id and "
               "of a file's name";
    return NULL;
}

static const char *registry_problem(const char *value)
{
    if (*value && strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
        return "must begin with http:// or https://";
    return NULL;
}

static const char *identity_problem(const char *value)
{
    static const char property[] = "properties.";
    if (strcmp(value, "none") == 0 || strcmp(value, "email") == 0 ||
        (strncmp(value, property, sizeof property - 1) == 0 && value[sizeof property - 1]))
        return NULL;
    return "must be `none`, `email` or `properties.NAME`";
}

static size_t profile_fields(const char **names)
{
    for (int i = 0; i < BATON_PROFILE_FIELDS; i++)
        names[i] = baton_profile_field_name((enum baton_profile_field)i);
    return BATON_PROFILE_FIELDS;
}

/* What a message may say: the fields of an event that are not read out of its URL, and the
 * profile's. */
static size_t message_fields(const char **names)
{
    static const char *const others[] = {"event_id", "lead_id", "time", "fields", "properties"};
    size_t count = profile_fields(names);
    for (int i = 0; i < BATON_EVENT_FIELDS; i++)
        if (i != BATON_HOST && i < BATON_UTM_SOURCE)
            names[count++] = baton_event_field_name((enum baton_event_field)i);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        names[count++] = others[i];
    return count;
}

static size_t event_kinds(const char **names)
{
    for (int i = 0; i < BATON_EVENT_KINDS; i++)
        names[i] = baton_event_kind_name((enum baton_event_kind)i);
    return BATON_EVENT_KINDS;
}

/* n name, f field, v default, lo and hi limits, t what it means */
#define ENTRY(n, kind, f, v, t)                                                                    \
    .name = n, .type = PARAMETER_##kind, .offset = AT(f), .initial = v, .text = t
#define RANGED(n, kind, f, v, lo, hi, t)                                                           \
    {                                                                                              \
        ENTRY(n, kind, f, v, t), .least = lo, .most = hi                                           \
    }
#define TEXT(n, f, v, lo, hi, check, t)                                                            \
    {                                                                                              \
        ENTRY(n, TEXT, f, v, t), .least = lo, .most = hi, .problem = check                         \
    }
#define PATH(n, f, v, lo, t) RANGED(n, PATH, f, v, lo, 4000, t)
#define FLAG(n, f, v, t)                                                                           \
    {                                                                                              \
        ENTRY(n, FLAG, f, v, t)                                                                    \
    }
#define WHOLE(n, f, v, lo, hi, t) RANGED(n, WHOLE, f, v, lo, hi, t)
#define DURATION(n, f, v, lo, hi, t) RANGED(n, DURATION, f, v, lo, hi, t)
#define SIZE(n, f, v, lo, hi, t) RANGED(n, SIZE, f, v, lo, hi, t)
#define CHOICE(n, f, v, list, t)                                                                   \
    {                                                                                              \
        ENTRY(n, CHOICE, f, v, t), .choices = list                                                 \
    }
#define PAIRS(n, f, check, values, t)                                                              \
    {                                                                                              \
        ENTRY(n, PAIRS, f, "", t), .pair_problem = check, .pair_values = values                    \
    }

const struct parameter parameters[] = {
    PATH("agreement", agreement, "agreement.yaml", 1,
         "The agreement in force, or a folder of its versions, relative to the folder of this "
         "file."),
    PATH("shadow", shadow, "", 0,
         "Another agreement that runs beside it and only reports whom it would have promoted, and "
         "when; empty: none."),
    FLAG(
        "watch", watch, "true",
        "Look every five seconds whether the folder of versions has changed, and take the new ones "
        "over (a file is read anew at SIGHUP only)."),
    TEXT("kafka.brokers", kafka.brokers, "127.0.0.1:9092", 1, 4000, NULL,
         "Brokers to begin with: host:port, separated by commas."),
    TEXT("kafka.group", kafka.group, "baton", 1, 200, NULL,
         "Consumer group. Processes of one group share the partitions; positions are kept under "
         "it."),
    TEXT("kafka.instance", kafka.instance, "", 0, 200, slot_problem,
         "Slot of this process, stable over restarts and never used by two at once. "
         "Empty: the host's name and the lowest number that is free on it."),
    PAIRS("kafka.properties", kafka.properties, config_refused_property, NULL,
          "librdkafka properties of all clients."),
    PAIRS("kafka.consumer", kafka.consumer, config_refused_property, NULL,
          "librdkafka properties of consumers only."),
    PAIRS("kafka.producer", kafka.producer, config_refused_property, NULL,
          "librdkafka properties of producers only."),
    FLAG("kafka.direct_reads", kafka.direct_reads, "true",
         "true: events come straight from the brokers, at half of the cost of librdkafka's "
         "consumer, where that can be: no TLS, SASL, client.rack or plug-ins, and batches that are "
         "plain or packed with LZ4. Elsewhere, and from the first batch of another codec on, "
         "librdkafka reads, and the log says so. false: librdkafka always reads."),
    FLAG("kafka.embedded", kafka.embedded, "false",
         "The broker is librdkafka's mock cluster (demo only; loopback addresses only): its "
         "transactions are not real ones."),
    TEXT("topics.events", topics.events, "lead-events", 1, 249, topic_problem,
         "Input: all kinds of events, keyed by lead id."),
    TEXT("topics.promotions", topics.promotions, "lead-promotions", 1, 249, topic_problem,
         "Output: promotions from MQL to SQL."),
    TEXT("topics.stages", topics.stages, "lead-stages", 1, 249, topic_problem,
         "Output: every change of stage."),
    TEXT("topics.dead", topics.dead, "lead-events-dead", 1, 249, topic_problem,
         "Output: what could not be read, with the reason."),
    TEXT("topics.breaches", topics.breaches, "lead-breaches", 1, 249, topic_problem,
         "Output: promises of the agreement that were not kept. Needed only where the agreement "
         "promises something."),
    CHOICE(
        "topics.partitioner", topics.partitioner, "auto", partitioner_choices,
        "How the writers of events find the partition of a key, which baton must do alike when "
        "it passes something on to another lead: `murmur2` (Java clients), `crc32` (librdkafka), "
        "or `auto`: seen from where events are."),
    WHOLE("topics.partitions", topics.partitions, "8", 1, 10000,
          "Partitions that `baton topics --create` gives a topic."),
    WHOLE("topics.replication", topics.replication, "1", 1, 100,
          "Replication factor that `baton topics --create` gives a topic."),
    DURATION("topics.retention", topics.retention_ms, "30d", H, 36500 * D,
             "How long `baton topics --create` has events kept; a rebuild reaches back no further. "
             "Outputs are kept for 365d."),
    CHOICE(
        "input.lead_id", input.lead_id, "value", lead_id_choices,
        "Where the lead id stands: in the value (and the key must equal it), or in the key alone."),
    DURATION("input.max_ahead", input.max_ahead_ms, "5m", 0, 365 * D,
             "How far an event's time may be ahead of Kafka's record timestamp; beyond it the "
             "message is a dead letter."),
    PAIRS("input.fields", input.fields, NULL, message_fields,
          "The writer's name of a field → the event's field, for example `ts: time`."),
    TEXT("input.kind.field", input.kind.field, "", 0, 200, NULL,
         "Field that tells the kind of an event. Empty: the record's name, or `kind` in JSON."),
    PAIRS("input.kind.values", input.kind.values, NULL, event_kinds,
          "Value of that field → kind, for example `form_submit: form_fill`."),
    {ENTRY("input.form_profile", CHOICE, input.form_profile, "auto",
           "Which fields of a form update the profile: those of the same name, none, or a mapping "
           "of form field → profile "
           "field."),
     .choices = form_choices, .or_pairs = true, .pairs_offset = AT(input.form_fields),
     .pair_values = profile_fields},
    PATH("schemas.directory", schemas.directory, "", 0,
         "Folder of writer schemas: `ID.avsc` or `*.avsc`. Empty: none."),
    TEXT("schemas.registry", schemas.registry, "", 0, 2000, registry_problem,
         "Schema registry, with its base path if it has one. Empty: none."),
    DURATION("schemas.unknown_wait", schemas.unknown_wait_ms, "30s", 0, H,
             "How long a schema id that the registry does not know is asked for again before its "
             "messages are dead letters."),
    TEXT(
        "identity.field", identity.field, "none", 1, 200, identity_problem,
        "Profile field that tells who a visitor is: `email`, or `properties.NAME`. The first event "
        "that names it has the lead merged into the one of that id. `none`: only merges that "
        "somebody else writes."),
    CHOICE("identity.hash", identity.hash, "none", hash_choices,
           "What the field's value becomes as an id: itself, or its SHA-256 in hexadecimal."),
    TEXT("identity.prefix", identity.prefix, "", 0, 100, NULL, "Put in front of that id."),
    CHOICE("output.format", output.format, "avro", output_choices,
           "Values of the outputs: Avro single-object, JSON, or Avro with the registry's ids."),
    TEXT("output.source", output.source, "/baton", 1, 500, NULL, "`ce_source` of the outputs."),
    CHOICE("output.lang", output.language, "en", language_choices,
           "Language of sentences: English, Portuguese or Spanish."),
    TEXT("redis.url", redis.url, "redis://127.0.0.1:6379/0", 1, 2000, NULL,
         "redis://[user:password@]host:port/database, or unix:///path/to.sock?db=0 (&password=…, "
         "&user=…)."),
    TEXT("redis.password", redis.password, "", 0, 500, NULL,
         "Password of Redis, if it is not in the URL."),
    TEXT("redis.prefix", redis.prefix, "baton", 1, 100, prefix_problem, "Begin of every key."),
    WHOLE("workers", workers, "2", 1, 256,
          "Worker threads, each with its own Kafka clients, Redis connection and lead table."),
    DURATION("emit.linger", emit.linger_ms, "5ms", 0, 10 * S,
             "How long a promotion waits for others to share a transaction."),
    DURATION("emit.pace", emit.pace_ms, "15ms", 0, 10 * S,
             "Least pause between a commit and the next transaction; without it brokers make them "
             "slower, not faster."),
    DURATION("emit.pace_behind", emit.pace_behind_ms, "500ms", 0, 10 * S,
             "The same while more events wait than can be read at once: promotions are late then "
             "anyway, and every transaction costs the broker some milliseconds."),
    DURATION("commit.interval", commit.interval_ms, "500ms", 10, M,
             "Longest time between commits while events come."),
    DURATION("checkpoint.interval", checkpoint.interval_ms, "500ms", 10, M,
             "Time between checkpoints to Redis while leads change."),
    DURATION("checkpoint.interval_behind", checkpoint.interval_behind_ms, "3s", 10, M,
             "The same while more events wait than can be read at once: leads that are met again "
             "and again are written less often."),
    WHOLE("checkpoint.dirty", checkpoint.dirty, "200000", 100, 10000000,
          "A checkpoint is due, too, when so many leads of the process changed; at twice as many "
          "it stops reading until they are written."),
    SIZE("leads.memory", leads.memory_bytes, "512MB", 16 * MB, 1024 * GB,
         "Limit of the lead tables of the process; a sixteenth of it is set aside for copies of "
         "leads on their way to Redis."),
    DURATION("stats.interval", stats.interval_ms, "10s", 100, H,
             "Time between lines of statistics."),
    DURATION("sweep.every", sweep.every_ms, "24h", M, 366 * D,
             "Time between two passes over all leads, which have those looked at that the time has "
             "done something to: rejected ones whose time is over, gates that open, leads to be "
             "forgotten. A new agreement begins one at once."),
    WHOLE("sweep.share", sweep.share, "5", 0, 50,
          "At most so many hundredths of a worker's time go into these passes, and none while it "
          "is behind. 0: there are none."),
    DURATION("shutdown.timeout", shutdown.timeout_ms, "5s", 100, 10 * M,
             "Within this time a stop commits and checkpoints; what is left is replayed at the "
             "next start."),
};

const size_t parameter_count = sizeof parameters / sizeof *parameters;
