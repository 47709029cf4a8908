#include "demo/demo.h"

#include "agreement/agreement.h"
#include "base/log.h"
#include "demo/answers.h"
#include "demo/options.h"
#include "demo/readback.h"
#include "demo/stage.h"
#include "demo/story.h"
#include "demo/view.h"
#include "kafka/kafka_embedded.h"
#include "kafka/kafka_feed.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    UNITS_MS = 250,   /* how often counts are read from Redis */
    LEADS_MS = 3000,  /* a scan of all leads is dearer */
    RATE_MS = 2000,   /* over which the rate is measured */
    DRAIN_MS = 60000, /* longest wait for the last events to be counted */
    QUIET_MS = 400,   /* so long without a record: the topics are read */
    SEND_AT_A_TIME = 2000
};

struct sent {
    uint64_t messages, events, repeats, late, unreadable;
    uint64_t reports; /* what sales said of promotions; events as well, but not of the story */
};

struct demo {
    struct demo_options options;
    struct stage stage;
    struct agreement *agreement;
    struct story *story;
    struct story_plan plan;
    struct answers *answers; /* NULL: sales says nothing */
    struct kafka_feed *feed;
    struct readback *readback;
    struct view view;
    struct sent sent;
    int64_t began_ms, next_units_ms, next_leads_ms;
    int64_t rate_since_ms;
    uint64_t rate_from;
    double rate;
    bool told_all;
    bool open; /* sales may still answer: what it says will be counted */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Sending ---- */

static void count_sent(struct sent *sent, enum story_kind kind)
{
    sent->messages++;
    sent->events += kind == STORY_EVENT || kind == STORY_LATE;
    sent->late += kind == STORY_LATE;
    sent->repeats += kind == STORY_REPEAT;
    sent->unreadable += kind == STORY_UNREADABLE;
}

static enum status write_message(struct demo *demo, const struct story_message *message,
                                 struct error *error)
{
    enum status status;
    struct kafka_feed_counts counts;
    while ((status = kafka_feed_send(demo->feed, message->key, message->key_size, message->value,
                                     message->value_size, error)) == STATUS_RETRY &&
           !interrupted)
        kafka_feed_poll(demo->feed, 50, &counts);
    return status;
}

static enum status send_one(struct demo *demo, const struct story_message *message,
                            struct error *error)
{
    enum status status = write_message(demo, message, error);
    if (status == STATUS_OK)
        count_sent(&demo->sent, message->kind);
    return status;
}

static enum status send_answers(struct demo *demo, struct error *error)
{
    struct story_message message = {.kind = STORY_EVENT};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && demo->answers &&
           answers_next(demo->answers, &message.key, &message.value)) {
        message.key_size = strlen(message.key);
        message.value_size = strlen(message.value);
        status = write_message(demo, &message, error);
        demo->sent.messages += status == STATUS_OK;
        demo->sent.reports += status == STATUS_OK;
    }
    return status;
}

static enum status send_due(struct demo *demo, int64_t now, struct error *error)
{
    double due = (double)(now - demo->began_ms) / 1000 * demo->options.rate;
    for (int i = 0; i < SEND_AT_A_TIME && !demo->told_all && (double)demo->sent.events < due; i++) {
        struct story_message message;
        if (!story_next(demo->story, &message)) {
            demo->told_all = true;
            break;
        }
        enum status status = send_one(demo, &message, error);
        if (status != STATUS_OK)
            return status;
    }
    /* What follows the last event without being one. */
    while (!demo->told_all && demo->sent.events == demo->plan.events) {
        struct story_message message;
        demo->told_all = !story_next(demo->story, &message);
        if (!demo->told_all && send_one(demo, &message, error) != STATUS_OK)
            return STATUS_STOP;
    }
    struct kafka_feed_counts counts;
    kafka_feed_poll(demo->feed, 0, &counts);
    return counts.failed ? error_set(error, STATUS_STOP,
                                     "%" PRIu64 " messages could not be written", counts.failed)
                         : STATUS_OK;
}

/* ---- Watching ---- */

static void on_promotion(void *context, const void *json, size_t size)
{
    struct demo *demo = context;
    view_promotion(&demo->view, json, size);
    if (demo->answers && demo->open)
        answers_promoted(demo->answers, json, size, story_time_ms(demo->story));
}

static void show(struct demo *demo, int64_t now)
{
    const struct readback_counts *counts = readback_counts(demo->readback);
    /* Between two scans a lead is known to have moved on by the stages topic. */
    uint64_t sql = counts->became_sql > counts->sql ? counts->became_sql : counts->sql;
    uint64_t entered = counts->became_mql > sql ? counts->became_mql - sql : 0;
    struct view_figures figures = {
        .elapsed_ms = now - demo->began_ms,
        .total_ms = (int64_t)((double)demo->plan.events / demo->options.rate * 1000),
        .messages_sent = demo->sent.messages,
        .events_sent = demo->sent.events,
        .repeats_sent = demo->sent.repeats,
        .late_sent = demo->sent.late,
        .unreadable_sent = demo->sent.unreadable,
        .events_counted = counts->events,
        .duplicates = counts->duplicates,
        .dead_letters = counts->dead_letters,
        .too_late = counts->too_late,
        .leads = counts->leads,
        .mql = entered,
        .sql = sql,
        .promotions = counts->promotions,
        .rate = demo->rate,
    };
    view_figures(&demo->view, &figures, now);
}

static void measure_rate(struct demo *demo, int64_t now)
{
    uint64_t events = readback_counts(demo->readback)->events;
    if (now - demo->rate_since_ms < RATE_MS)
        return;
    demo->rate = (double)(events - demo->rate_from) * 1000 / (double)(now - demo->rate_since_ms);
    demo->rate_from = events;
    demo->rate_since_ms = now;
}

static enum status watch(struct demo *demo, int64_t now, struct error *error)
{
    enum status status = readback_topics(demo->readback, 10, on_promotion, demo, error);
    if (status == STATUS_OK && !interrupted)
        status = stage_check(&demo->stage, error);
    if (status == STATUS_OK && now >= demo->next_leads_ms) {
        demo->next_leads_ms = now + LEADS_MS;
        status = readback_leads(demo->readback, error);
    }
    if (status == STATUS_OK && now >= demo->next_units_ms) {
        demo->next_units_ms = now + UNITS_MS;
        status = readback_units(demo->readback, error);
        measure_rate(demo, now);
        show(demo, now);
    }
    return status;
}

static bool all_counted(const struct demo *demo)
{
    const struct readback_counts *counts = readback_counts(demo->readback);
    return counts->events + counts->duplicates + counts->dead_in_redis >= demo->sent.messages;
}

static enum status play(struct demo *demo, struct error *error)
{
    enum status status = STATUS_OK;
    demo->began_ms = demo->rate_since_ms = now_ms(CLOCK_MONOTONIC);
    demo->open = true;
    while (status == STATUS_OK && !demo->told_all && !interrupted) {
        int64_t now = now_ms(CLOCK_MONOTONIC);
        status = send_due(demo, now, error);
        if (status == STATUS_OK)
            status = send_answers(demo, error);
        if (status == STATUS_OK)
            status = watch(demo, now, error);
    }
    if (status == STATUS_OK)
        status = kafka_feed_flush(demo->feed, 30000, error);
    int64_t until = now_ms(CLOCK_MONOTONIC) + DRAIN_MS;
    while (status == STATUS_OK && !all_counted(demo) && now_ms(CLOCK_MONOTONIC) < until &&
           !interrupted) {
        status = watch(demo, now_ms(CLOCK_MONOTONIC), error);
        if (status == STATUS_OK)
            status = send_answers(demo, error);
    }
    demo->open = false;
    return status;
}

/* ---- The result ---- */

/* After the clean stop: everything is committed and checkpointed. */
static enum status read_result(struct demo *demo, struct error *error)
{
    uint64_t before;
    enum status status;
    do {
        const struct readback_counts *counts = readback_counts(demo->readback);
        before =
            counts->promotions + counts->dead_letters + counts->became_mql + counts->became_sql;
        status = readback_topics(demo->readback, QUIET_MS, on_promotion, demo, error);
        if (status == STATUS_OK && before == counts->promotions + counts->dead_letters +
                                                 counts->became_mql + counts->became_sql)
            break;
    } while (status == STATUS_OK);
    if (status == STATUS_OK)
        status = readback_units(demo->readback, error);
    return status == STATUS_OK ? readback_leads(demo->readback, error) : status;
}

static bool expect(struct demo *demo, const char *what, uint64_t found, uint64_t wanted)
{
    if (found != wanted)
        view_line(&demo->view, "NOT AS IT SHOULD BE: %s: %" PRIu64 ", expected %" PRIu64, what,
                  found, wanted);
    return found == wanted;
}

static bool judge(struct demo *demo)
{
    const struct readback_counts *counts = readback_counts(demo->readback);
    bool good =
        expect(demo, "events counted", counts->events, demo->sent.events + demo->sent.reports);
    good &= expect(demo, "repeated messages dropped", counts->duplicates, demo->sent.repeats);
    good &= expect(demo, "dead letters", counts->dead_letters, demo->sent.unreadable);
    good &= expect(demo, "promotions, beside changes to the stage sql", counts->promotions,
                   counts->became_sql);
    if (!demo->answers) /* nobody has gone on from there */
        good &=
            expect(demo, "promotions, beside leads in stage sql", counts->promotions, counts->sql);
    return good;
}

static void print_promise(void *context, const char *text)
{
    struct demo *demo = context;
    view_line(&demo->view, "%s", text);
}

/* From the counters in Redis, as `baton status` reads them. */
static void print_promises(struct demo *demo)
{
    if (!agreement_compiled(demo->agreement)->pact)
        return;
    view_line(&demo->view, "\nWhat both sides promised, and what came of it so far:");
    stage_promises(&demo->stage, print_promise, demo);
}

static void print_result(struct demo *demo, double seconds)
{
    const struct readback_counts *counts = readback_counts(demo->readback);
    char reasons[512];
    readback_reasons(demo->readback, reasons, sizeof reasons);
    view_line(&demo->view, "\nsent      %" PRIu64 " messages in %.1f s", demo->sent.messages,
              seconds);
    view_line(&demo->view,
              "counted   %" PRIu64 " of %" PRIu64 " events (%" PRIu64 " of them came late)",
              counts->events, demo->sent.events + demo->sent.reports, demo->sent.late);
    view_line(&demo->view, "dropped   %" PRIu64 " of %" PRIu64 " repeated messages",
              counts->duplicates, demo->sent.repeats);
    view_line(&demo->view, "dead      %" PRIu64 " of %" PRIu64 " unreadable messages%s%s",
              counts->dead_letters, demo->sent.unreadable, *reasons ? ": " : "", reasons);
    view_line(&demo->view, "leads     %" PRIu64 ": %" PRIu64 " mql, %" PRIu64 " sql", counts->leads,
              counts->mql, counts->sql);
    view_line(&demo->view,
              "to sales  %" PRIu64 " promotions, each with its reasons; %" PRIu64 " of them shown",
              counts->promotions, demo->view.promotions_shown);
    if (demo->answers)
        view_line(&demo->view,
                  "answers   %" PRIu64 " from sales: %" PRIu64 " leads accepted, %" PRIu64
                  " customers, %" PRIu64 " rejected",
                  demo->sent.reports, counts->accepted, counts->customers, counts->rejected);
    print_promises(demo);
}

static void print_json(const struct demo *demo, double seconds)
{
    const struct readback_counts *counts = readback_counts(demo->readback);
    (void)printf(
        "{\"messages_sent\":%" PRIu64 ",\"events_sent\":%" PRIu64 ",\"events_counted\":%" PRIu64
        ",\"duplicates\":%" PRIu64 ",\"dead_letters\":%" PRIu64 ",\"leads\":%" PRIu64
        ",\"promotions\":%" PRIu64 ",\"reports\":%" PRIu64 ",\"accepted\":%" PRIu64
        ",\"customers\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"seconds\":%.1f}\n",
        demo->sent.messages, demo->sent.events + demo->sent.reports, counts->events,
        counts->duplicates, counts->dead_letters, counts->leads, counts->promotions,
        demo->sent.reports, counts->accepted, counts->customers, counts->rejected, seconds);
    (void)fflush(stdout);
}

/* ---- From beginning to end ---- */

static int refuse_too_much(const struct demo *demo)
{
    /* Keys spread over the partitions not quite evenly: four fifths are sure to fit. */
    const uint64_t most =
        (uint64_t)STAGE_PARTITIONS * KAFKA_EMBEDDED_PARTITION_BYTES / STORY_MESSAGE_BYTES * 4 / 5;
    uint64_t wanted = story_plan_messages(&demo->plan);
    if (demo->options.real_kafka || wanted <= most)
        return 0;
    (void)fprintf(stderr,
                  "demo: the embedded broker holds about %" PRIu64 " messages, not %" PRIu64
                  "; use fewer --events, --seconds or --rate, or --kafka real\n",
                  most, wanted);
    return EXIT_USAGE;
}

static void introduce(struct demo *demo)
{
    if (demo->options.own_story)
        view_line(&demo->view, "Visitors of a B2B product's site.");
    else
        view_line(&demo->view,
                  "People who make the agreement %s live, version %u, and what sales says of them.",
                  agreement_name(demo->agreement), agreement_version(demo->agreement));
    view_line(&demo->view,
              "%.0f %s told in %.0f s, %" PRIu64 " events.\nOn top %" PRIu64
              " repeated and %" PRIu64 " unreadable messages; %" PRIu64 " events come hours late.",
              demo->plan.days, demo->plan.days < 1.5 ? "day" : "days",
              (double)demo->plan.events / demo->options.rate, demo->plan.events, demo->plan.repeats,
              demo->plan.unreadable, demo->plan.late);
    view_line(&demo->view, "%s\n",
              demo->options.real_kafka ? "A real Kafka broker, a private Redis, the real baton run."
                                       : "An embedded broker, whose transactions are not real ones "
                                         "(tests/run proves those on a real "
                                         "Kafka),\na private Redis, the real baton run.");
}

static enum status perform(struct demo *demo, double *seconds, struct error *error)
{
    enum status status = stage_open(&demo->stage, &demo->options, &interrupted, error);
    if (status == STATUS_OK)
        status = kafka_feed_create(&demo->stage.kafka, &demo->feed, error);
    for (int i = 0; status == STATUS_OK && !demo->readback && i < 20; i++) {
        enum status opened = readback_open(&demo->stage, &demo->readback, error);
        status = opened == STATUS_RETRY && i < 19 ? STATUS_OK : opened;
    }
    if (status != STATUS_OK)
        return status;
    status = play(demo, error);
    *seconds = (double)(now_ms(CLOCK_MONOTONIC) - demo->began_ms) / 1000;
    if (status != STATUS_OK)
        return status;
    int code = stage_stop_baton(&demo->stage);
    if (code != 0)
        return error_set(error, STATUS_STOP, "baton run ended with %d in place of a clean stop",
                         code);
    return read_result(demo, error);
}

static int run(struct demo *demo)
{
    struct error error = {""};
    double seconds = 0;
    introduce(demo);
    enum status status = perform(demo, &seconds, &error);
    view_end(&demo->view);
    bool good = false;
    if (status == STATUS_OK) {
        print_result(demo, seconds);
        if (interrupted)
            view_line(&demo->view,
                      "ended early by a signal: what was still on its way is not counted");
        else
            good = judge(demo);
        if (demo->options.json)
            print_json(demo, seconds);
    } else {
        (void)fprintf(stderr, "demo: %s\n", error.text);
    }
    if (demo->readback)
        readback_close(demo->readback);
    if (demo->feed)
        kafka_feed_destroy(demo->feed);
    stage_close(&demo->stage);
    if (demo->options.keep)
        (void)fprintf(stderr, "demo: configuration and logs are in %s\n", demo->stage.folder);
    return interrupted ? 128 + interrupted : good ? 0 : EXIT_FAILED;
}

static void take_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        (void)sigaction(numbers[i], &action, NULL);
    (void)signal(
        SIGPIPE,
        SIG_IGN); /* a reader of our output that has gone is no reason to leave servers behind */
}

static bool load_agreement(struct demo *demo)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    bool good =
        agreement_load(demo->options.agreement_path, &demo->agreement, &messages) == STATUS_OK;
    if (!good)
        (void)fputs(messages.data, stderr);
    text_buffer_fini(&messages);
    return good;
}

int demo_main(int argc, char **argv)
{
    struct demo demo = {0};
    int code = demo_options_read(argc, argv, &demo.options);
    if (code >= 0)
        return code;
    log_set_level(LOG_ERROR);
    if (demo.options.broker_partitions > 0)
        return stage_run_broker(demo.options.broker_partitions);
    demo.plan = story_plan_for(demo.options.events, now_ms(CLOCK_REALTIME), demo.options.seed);
    code = refuse_too_much(&demo);
    if (code)
        return code;
    if (!load_agreement(&demo))
        return EXIT_USAGE;
    const struct baton_agreement *rules =
        demo.options.own_story ? NULL : agreement_compiled(demo.agreement);
    demo.answers = rules ? answers_create(rules) : NULL;
    take_signals();
    view_init(&demo.view, demo.options.json ? stderr : stdout);
    demo.story = story_create(&demo.plan, rules);
    code = run(&demo);
    story_destroy(demo.story);
    if (demo.answers)
        answers_destroy(demo.answers);
    agreement_destroy(demo.agreement);
    return code;
}
