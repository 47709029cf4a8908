#include "demo/answers.h"

#include "base/arena.h"
#include "base/hash.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
    struct message *next;
    char *key, *value;
};

struct answers {
    const struct baton_agreement *agreement;
    struct message *first, **last, *given; /* given: out of the list, lent to the caller */
};

struct answers *answers_create(const struct baton_agreement *agreement)
{
    struct answers *answers = memory_take_zeroed(1, sizeof *answers);
    answers->agreement = agreement;
    answers->last = &answers->first;
    return answers;
}

static void message_destroy(struct message *message)
{
    if (!message)
        return;
    free(message->key);
    free(message->value);
    free(message);
}

void answers_destroy(struct answers *answers)
{
    while (answers->first) {
        struct message *message = answers->first;
        answers->first = message->next;
        message_destroy(message);
    }
    message_destroy(answers->given);
    free(answers);
}

bool answers_next(struct answers *answers, const char **key, const char **value)
{
    struct message *message = answers->first;
    message_destroy(answers->given);
    answers->given = message;
    if (!message)
        return false;
    answers->first = message->next;
    if (!answers->first)
        answers->last = &answers->first;
    *key = message->key;
    *value = message->value;
    return true;
}

/* ---- What is said ---- */

static void say(struct answers *answers, const json_t *promotion, const char *report,
                uint64_t chance, int64_t time_ms)
{
    const char *lead = json_string_value(json_object_get(promotion, "lead_id"));
    json_t *generation = json_object_get(promotion, "generation"),
           *seller = json_object_get(promotion, "owner");
    char id[320];
    (void)snprintf(id, sizeof id, "%.200s/%" JSON_INTEGER_FORMAT "/%s", lead,
                   json_integer_value(generation), report);
    json_t *event = json_pack("{s:s, s:s, s:s, s:I, s:s}", "kind", "feedback", "event_id", id,
                              "lead_id", lead, "time", (json_int_t)time_ms, "report", report);
    if (json_is_integer(generation))
        json_object_set(event, "generation", generation);
    if (json_is_string(seller))
        json_object_set(event, "seller", seller);
    if (strcmp(report, "rejected") == 0 && answers->agreement->reason_count) {
        struct baton_text reason =
            answers->agreement->reasons[chance / 64 % answers->agreement->reason_count];
        json_object_set_new(event, "reason", json_stringn(reason.data, reason.size));
    }
    struct message *message = memory_take_zeroed(1, sizeof *message);
    message->key = memory_copy_text(lead);
    message->value = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (!message->value) {
        message_destroy(message);
        return;
    }
    *answers->last = message;
    answers->last = &message->next;
}

void answers_promoted(struct answers *answers, const void *json, size_t size, int64_t time_ms)
{
    static const char *const courses[][4] = {{"assigned", NULL},
                                             {"assigned", "contacted", "accepted", NULL},
                                             {"contacted", "rejected", NULL},
                                             {"contacted", "accepted", "customer", NULL},
                                             {NULL}};
    static const unsigned char shares[] = {25, 60, 80, 90, 100};
    json_t *promotion = json_loadb(json, size, 0, NULL);
    const char *lead = json_string_value(json_object_get(promotion, "lead_id"));
    if (lead) {
        uint64_t chance = hash64(lead, strlen(lead), 11);
        size_t course = 0;
        while (chance % 100 >= shares[course])
            course++;
        for (const char *const *report = courses[course]; *report; report++)
            say(answers, promotion, *report, chance, time_ms);
    }
    json_decref(promotion);
}
