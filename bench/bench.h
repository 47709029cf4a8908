/* The load-test harness: one file per subcommand, and what they share. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>

struct bench_options {
    const char *brokers, *topic;
    uint64_t events;
    uint32_t leads;
    uint64_t seed;
};

/* Sends `events` visits, clicks and form fills of `leads` leads with Zipf popularity (exponent 1)
 * as registry-framed Avro (ids 1: Visit, 2: Click, 3: FormFill) of about 240 bytes, lz4. */
int bench_load(const struct bench_options *options);
/* Reads the topic from its beginning with the call that takes single messages, read_committed, and
 * only counts: the ceiling of what any consumer does here. */
int bench_count(const struct bench_options *options);

double bench_seconds(void);     /* monotonic */
double bench_cpu_seconds(void); /* of this process so far, user and system */

#endif
