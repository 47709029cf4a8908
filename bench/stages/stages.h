/* What the parts of `baton-bench stages` share. Private to this folder.
 *
 * Each part of baton is run by itself, by as many threads as baton has workers, over the same
 * messages, which are read from the topic once and kept in memory; its time and CPU are measured by
 * team.h. limit.h then tells from the parts what the whole can do. */
#ifndef STAGES_STAGES_H
#define STAGES_STAGES_H

#include "agreement/agreement.h"
#include "common/options.h"
#include "config/config.h"
#include "kafka/kafka_settings.h"
#include "pipeline/lead_table.h"
#include "pipeline/ports.h"
#include "redis/redis_config.h"
#include "stages/kept.h"
#include "stages/limit.h"
#include "stages/team.h"

#include <jansson.h>

#define STAGES_BATCH 512   /* records that are taken at a time, as a worker does */
#define STAGES_WORDS 65536 /* capacity of a unit's dictionary, as baton has it */
#define STAGE_OUTPUTS 64   /* encoded messages that are kept to be sent again and again */

struct stages_options {
    struct common_options common;
    const char *redis, *agreement, *schemas, *only;
    uint64_t events, leads, workers;
    double seconds;
    uint64_t broker_pid, redis_pid;
    double baton_rate, baton_program, baton_broker, baton_redis;
};

enum stage {
    STAGE_POLL,
    STAGE_CALLBACK,
    STAGE_SOURCE,
    STAGE_DECODE,
    STAGE_FOLD,
    STAGE_FOLD_UNIFORM,
    STAGE_ENCODE,
    STAGE_LOOP,
    STAGE_PACK,
    STAGE_CHECKPOINT,
    STAGE_LOAD,
    STAGE_LOAD_NEW,
    STAGE_TRANSACTION,
    STAGES
};

/* What was measured of a stage; CPU seconds are per unit, negative where nobody told. */
struct stage_figures {
    bool measured;
    double per_second;              /* units, of all workers together */
    double workers_cpu, others_cpu; /* of the program: the workers' threads, and all its others */
    double broker_cpu, redis_cpu;
    uint64_t units;
};

struct stages;

/* One worker's share of the topic and what is known of it. */
struct stage_worker {
    struct stages *stages;
    unsigned number;
    uint32_t first_unit, unit_count; /* its partitions */
    struct kept kept;
    /* the state after folding all kept messages once (known.c) */
    struct lead_table table;
    struct baton_words *words; /* by unit, from first_unit on */
    uint64_t dead;
    uint64_t messages_out; /* promotions and stage changes */
    uint64_t new_late;     /* leads that were first seen behind the first tenth */
    struct outgoing_message outputs[STAGE_OUTPUTS]; /* some of them */
    size_t output_count;
    struct limit_curve writes;
};

struct stages {
    struct stages_options options;
    struct config *config; /* baton's defaults */
    struct agreement *agreement;
    struct arena arena;
    struct input_config input;
    struct kafka_settings kafka;
    struct redis_config redis;
    char name[64]; /* of this run: group, instance, prefix in Redis, topic of outputs */
    uint32_t partitions;
    uint64_t topic_messages;
    unsigned workers; /* at most one a partition */
    struct stage_worker *worker;
    struct team_servers servers;
    struct stage_figures figures[STAGES];
    double pace_s, interval_s; /* of transactions and of checkpoints under load */
    size_t transaction_messages;
    double transaction_ms[3]; /* median, 90 %, 99 % */
    double loop_writes;       /* lead writes per event in the loop */
    struct limit_curve writes;
    uint64_t messages, leads_known, dead, outputs; /* of all workers */
    double new_leads;                              /* per event, behind the first tenth */
};

/* Runs a stage with one member a worker, whose context is its stage_worker, and keeps its figures.
 */
enum status stage_run(struct stages *stages, enum stage stage,
                      enum status (*run)(struct team_member *member, struct error *error),
                      double limit_s, struct error *error);
/* Keeps what was measured of a stage. */
void stage_take(struct stages *stages, enum stage stage, const struct team_figures *figures);

/* Takes away what the stages have made in Kafka and Redis; says nothing when it cannot. */
void stage_clean_up(struct stages *stages);

/* report.c: a line of the table as soon as it is known; at the end the limit, and all of it as a
 * result, which it takes. Returns an exit code. */
void report_head(const struct stages *stages);
void report_stage(const struct stages *stages, enum stage stage);
int report_take(const struct stages *stages, json_t *result);

/* parts.c: what was measured, as parts of a whole. The parts live as long as `room`. */
#define STAGE_PARTS_MAX 16
void stage_parts(const struct stages *stages, struct limit_part room[STAGE_PARTS_MAX],
                 struct limit_input *input);
/* Units of a stage that an event takes at a rate of events; 0: none of them. */
double stage_units_per_event(const struct stages *stages, enum stage stage, double per_second);
/* Events per second that a stage alone would allow; 0: as many as one likes. */
double stage_allows(const struct stages *stages, enum stage stage);

/* Each measures its stage or stages. */
enum status stage_count(struct stages *stages, struct error *error);
enum status stage_keep(struct stages *stages, struct error *error);  /* reads the messages */
enum status stage_known(struct stages *stages, struct error *error); /* folds them all once */
enum status stage_decode(struct stages *stages, struct error *error);
enum status stage_fold(struct stages *stages, struct error *error);
enum status stage_loop(struct stages *stages, struct error *error);
enum status stage_redis(struct stages *stages, struct error *error);
enum status stage_transactions(struct stages *stages, struct error *error);

/* A decoder that knows the schemas of the topic's messages. */
enum status stage_decoder(struct stages *stages, struct decoder **decoder, struct error *error);
/* The port over the same schemas; one thread. */
struct schema_source *stage_schemas(struct stages *stages);

#endif
