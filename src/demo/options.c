#include "demo/options.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

#define DEFAULT_SECONDS 60
#define DEFAULT_RATE 1000
#define OWN_AGREEMENT "demo"

static const char help[] =
    "usage: deploy/demo [options]\n"
    "\n"
    "Builds baton, starts an embedded Kafka broker and a private Redis, runs baton on them, sends "
    "the visitors of a\n"
    "B2B product's site, and shows what comes of them. Leaves nothing behind.\n"
    "\n"
    "  --seconds N    how long to send (default 60)\n"
    "  --events N     how many events to send; repeated and unreadable messages come on top\n"
    "  --rate N       events per second (default 1000)\n"
    "  --agreement A  a file, or a name of deploy/agreements: language, car-dealer, b2b-personas. "
    "Its "
    "rules say what leads\n"
    "                 do, and sales answers what it is given; without it: demo, the visitors of "
    "one "
    "site\n"
    "  --kafka real   a real broker (deploy/kafka/start) in place of the embedded one\n"
    "  --json         the result as one JSON object, the last line of the output\n"
    "  --seed N       another story\n"
    "  --keep         leave the folder with configuration and logs\n"
    "\n"
    "Exit code 0: every event counted once. 1: not so, or something failed. 2: wrong usage.\n";

static int wrong(const char *what, const char *value)
{
    (void)fprintf(stderr, "demo: %s: %s (see --help)\n", what,
                  value ? value : "a value is missing");
    return EXIT_USAGE;
}

static bool read_number(const char *text, double least, double most, double *number)
{
    char *end;
    if (!text || !*text)
        return false;
    errno = 0;
    *number = strtod(text, &end);
    return errno == 0 && *end == '\0' && *number >= least && *number <= most;
}

struct numbers {
    double seconds, events, rate, seed, partitions;
};

/* Any two of seconds, events and rate give the third. */
static void settle(const struct numbers *given, struct demo_options *options)
{
    double seconds = given->seconds > 0 ? given->seconds : DEFAULT_SECONDS;
    double rate = given->rate > 0 ? given->rate : DEFAULT_RATE;
    if (given->events > 0 && given->rate <= 0 && given->seconds > 0)
        rate = given->events / seconds;
    double events = given->events > 0 ? given->events : floor(seconds * rate);
    options->events = events < 1 ? 1 : (uint64_t)events;
    options->rate = rate;
}

/* ---- The agreement ---- */

static void list_agreements(const char *folder)
{
    DIR *listing = opendir(folder);
    const char *between = " (there is ";
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".yaml") != 0)
            continue;
        (void)fprintf(stderr, "%s%.*s", between, (int)(end - entry->d_name), entry->d_name);
        between = ", ";
    }
    (void)fputs(listing && *between == ',' ? ")\n" : "\n", stderr);
    if (listing)
        (void)closedir(listing);
}

/* A name of the folder comes first; a file of that name is meant by ./NAME. */
static int find_agreement(struct demo_options *options)
{
    const char *given = options->agreement ? options->agreement : OWN_AGREEMENT;
    char folder[PATH_MAX / 2];
    (void)snprintf(folder, sizeof folder, "%s/deploy/agreements",
                   options->root ? options->root : ".");
    options->own_story = strcmp(given, OWN_AGREEMENT) == 0;
    int size = snprintf(options->agreement_path, PATH_MAX, "%s/%s.yaml", folder, given);
    if (!strchr(given, '/') && size < PATH_MAX && access(options->agreement_path, R_OK) == 0)
        return -1;
    (void)snprintf(options->agreement_path, PATH_MAX, "%s", given);
    if (access(given, R_OK) == 0)
        return -1;
    (void)fprintf(stderr,
                  "demo: --agreement: %s is neither a file that can be read nor a name of %s",
                  given, folder);
    list_agreements(folder);
    return EXIT_USAGE;
}

int demo_options_read(int argc, char **argv, struct demo_options *options)
{
    struct numbers numbers = {0};
    const struct {
        const char *name;
        double *number;
        double least, most;
    } known[] = {
        {"--seconds", &numbers.seconds, 1, 86400},  {"--events", &numbers.events, 1, 1e9},
        {"--rate", &numbers.rate, 0.1, 1e6},        {"--seed", &numbers.seed, 0, 9e15},
        {"--broker", &numbers.partitions, 1, 1000},
    };
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--root", &options->root},
                 {"--baton", &options->baton},
                 {"--agreement", &options->agreement}};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool taken = false;
        for (size_t k = 0; k < sizeof known / sizeof *known && !taken; k++) {
            if (strcmp(name, known[k].name) != 0)
                continue;
            taken = true;
            if (!read_number(value, known[k].least, known[k].most, known[k].number))
                return wrong(name, value);
            i++;
        }
        for (size_t k = 0; k < sizeof texts / sizeof *texts && !taken; k++) {
            if (strcmp(name, texts[k].name) != 0)
                continue;
            taken = true;
            if (!value)
                return wrong(name, value);
            *texts[k].text = value;
            i++;
        }
        if (taken)
            continue;
        if (strcmp(name, "--kafka") == 0) {
            if (!value || (strcmp(value, "real") != 0 && strcmp(value, "embedded") != 0))
                return wrong(name, value);
            options->real_kafka = strcmp(value, "real") == 0;
            i++;
        } else if (strcmp(name, "--json") == 0) {
            options->json = true;
        } else if (strcmp(name, "--keep") == 0) {
            options->keep = true;
        } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
            (void)fputs(help, stdout);
            return 0;
        } else {
            return wrong("not an option", name);
        }
    }
    options->seed = (uint64_t)numbers.seed;
    options->broker_partitions = (int)numbers.partitions;
    settle(&numbers, options);
    return options->broker_partitions > 0 ? -1 : find_agreement(options);
}
