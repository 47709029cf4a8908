/* The command line of a subcommand, read and explained from one table.
 *
 * A row says what an option is called, what it takes, where its value goes in the subcommand's own
 * struct and what it means; --help, the errors and the list of options in a result come from it.
 *
 *     struct count_options {
 *         struct common_options common;
 *         uint64_t events;
 *     };
 *     static const struct option rows[] = {
 *         COMMON_OPTIONS(struct count_options, common),
 *         {"events", OPTION_COUNT, offsetof(struct count_options, events), "1M", "how many", .least
 * = 1},
 *     };
 */
#ifndef BENCH_COMMON_OPTIONS_H
#define BENCH_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_COUNT,     /* uint64_t: 5000000, 200k, 1.5M, 2G (thousands) */
    OPTION_BYTES,     /* uint64_t: 240, 2KiB, 64MiB, 1GiB; k and M are thousands */
    OPTION_DURATION,  /* double, seconds: 500ms, 30s, 5m, 2h, 3d; without a unit: seconds */
    OPTION_RATE,      /* double, per second: 50000, 100k, 1.5M */
    OPTION_SHARE,     /* double, 0 to 1: 0.02, 2% */
    OPTION_REAL,      /* double */
    OPTION_TEXT,      /* const char *, borrowed from argv or the table; NULL: not given */
    OPTION_CHOICE,    /* const char *: one of `choices` */
    OPTION_FLAG,      /* bool; takes no value */
    OPTION_PROPERTIES /* struct option_properties: key=value, may come again */
};

struct option {
    const char *name; /* without dashes; one letter: -X, else --name */
    enum option_kind kind;
    size_t offset;       /* of the value in the subcommand's struct */
    const char *initial; /* as a user would write it; NULL: 0, NULL, false */
    const char *help;
    double least, most;  /* of a number, both allowed; most 0: no upper limit */
    const char *choices; /* of OPTION_CHOICE: "avro|json" */
};

#define OPTION_PROPERTIES_MAX 64
struct option_properties {
    size_t count;
    struct option_property {
        char key[96];
        const char *value; /* borrowed from argv */
    } items[OPTION_PROPERTIES_MAX];
};

/* What every subcommand of a Kafka topic takes. */
struct common_options {
    const char *brokers, *topic, *results;
    struct option_properties properties; /* for librdkafka, after our own */
    bool json;
};

#define COMMON_OPTIONS(type, member)                                                               \
    {"brokers", OPTION_TEXT, offsetof(type, member.brokers), "127.0.0.1:19092",                    \
     "Kafka's addresses: HOST:PORT, several with commas"},                                         \
        {"topic", OPTION_TEXT, offsetof(type, member.topic), "bench-events", "the topic"},         \
    {                                                                                              \
        "X", OPTION_PROPERTIES, offsetof(type, member.properties), NULL,                           \
            "a property of librdkafka, such as security.protocol=ssl; may come again"              \
    }
/* The default of --results differs: NULL is results/ of the source tree, "none" keeps nothing. */
#define OUTPUT_OPTIONS(type, member, results_default)                                              \
    {"results", OPTION_TEXT, offsetof(type, member.results), results_default,                      \
     "folder that the result is kept in, as a JSON line; none: not kept"},                         \
    {                                                                                              \
        "json", OPTION_FLAG, offsetof(type, member.json), NULL,                                    \
            "end with the result as one JSON object on stdout; text for people goes to stderr"     \
    }

struct options {
    const char *command; /* "load" */
    const char *summary; /* what it does, one or more lines, for --help */
    const struct option *rows;
    size_t count;
};

/* argv[0] is the subcommand's name. Fills `values`, defaults first. Returns -1 to go on, 0 after
 * --help (on stdout), 2 after one line on stderr that says what is wrong. */
int options_read(const struct options *options, int argc, char **argv, void *values);

/* Is the option there, as --name or --name=…? For a choice before the table is read. */
bool options_mention(int argc, char **argv, const char *name);

#endif
