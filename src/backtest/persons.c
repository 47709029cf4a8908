#include "backtest/persons.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX
#define NEVER INT64_MAX
#define STEPS_MAX 1000 /* of merges that lead from one to another */

struct verdict {
    enum backtest_outcome outcome;
    int64_t time_ms;
    const uint64_t *rules; /* that had been hit by then; NULL: not known */
};

struct person {
    struct baton_text id;
    uint32_t into;          /* the person that it became; NOBODY */
    int64_t promoted_ms[2]; /* first one by the candidate, by the other; NEVER */
    /* What took effect under either; what would have, had the candidate handed the lead over; and
     * what was said at all, by outcome. */
    struct verdict in_effect, unhanded, said[OUTCOME_CUSTOMER + 1];
};

struct persons {
    struct person *items;
    size_t count, room;
    uint32_t *slots; /* open addressing: index + 1; 0: free */
    size_t slot_count;
    bool has_against;
};

struct persons *persons_create(void)
{
    struct persons *persons = memory_take_zeroed(1, sizeof *persons);
    persons->slot_count = 1024;
    persons->slots = memory_take_zeroed(persons->slot_count, sizeof *persons->slots);
    return persons;
}

void persons_destroy(struct persons *persons)
{
    free(persons->items);
    free(persons->slots);
    free(persons);
}

/* ---- who
 * ----------------------------------------------------------------------------------------- */

static uint32_t *slot_of(const struct persons *persons, struct baton_text id)
{
    size_t mask = persons->slot_count - 1, at = hash64(id.data, id.size, 0) & mask;
    for (; persons->slots[at]; at = (at + 1) & mask) {
        struct baton_text known = persons->items[persons->slots[at] - 1].id;
        if (known.size == id.size && memcmp(known.data, id.data, id.size) == 0)
            break;
    }
    return &persons->slots[at];
}

static void double_slots(struct persons *persons)
{
    free(persons->slots);
    persons->slot_count *= 2;
    persons->slots = memory_take_zeroed(persons->slot_count, sizeof *persons->slots);
    for (size_t i = 0; i < persons->count; i++)
        *slot_of(persons, persons->items[i].id) = (uint32_t)i + 1;
}

static uint32_t find_person(struct persons *persons, struct baton_text id)
{
    uint32_t *slot = slot_of(persons, id);
    if (*slot)
        return *slot - 1;
    if (persons->count == persons->room) {
        persons->room = persons->room ? persons->room * 2 : 1024;
        persons->items = memory_resize(persons->items, persons->room * sizeof *persons->items);
    }
    persons->items[persons->count] =
        (struct person){.id = id, .into = NOBODY, .promoted_ms = {NEVER, NEVER}};
    *slot = (uint32_t)++persons->count;
    if (persons->count * 2 > persons->slot_count)
        double_slots(persons);
    return (uint32_t)persons->count - 1;
}

/* A customer stays one, whatever was said before or later; else the first verdict stands. */
static void take_verdict(struct verdict *known, const struct verdict *verdict)
{
    if (verdict->outcome < known->outcome || verdict->outcome == OUTCOME_NONE)
        return;
    if (verdict->outcome == known->outcome && verdict->time_ms >= known->time_ms)
        return;
    *known = *verdict;
}

static void take_fact(struct person *person, const struct fact *fact, bool is_candidate)
{
    struct verdict verdict = {fact->outcome, fact->time_ms, fact->rules};
    if (fact->weight == VERDICT_IN_EFFECT)
        take_verdict(&person->in_effect, &verdict);
    if (!is_candidate)
        return;
    take_verdict(&person->said[fact->outcome], &verdict);
    if (fact->weight == VERDICT_UNHANDED)
        take_verdict(&person->unhanded, &verdict);
}

/* Where no other agreement says what the lead was handed over by, sales may have had it by one that
 * is not folded here: so a lead that the candidate misses is known to be one. */
static struct verdict verdict_of(const struct persons *persons, const struct person *person)
{
    struct verdict verdict = person->in_effect;
    if (verdict.outcome == OUTCOME_NONE && !persons->has_against && person->promoted_ms[0] == NEVER)
        verdict = person->unhanded;
    if (!verdict.rules)
        verdict.rules = person->said[verdict.outcome].rules;
    return verdict;
}

static void take_promotion(struct person *person, int by, int64_t time_ms)
{
    if (time_ms < person->promoted_ms[by])
        person->promoted_ms[by] = time_ms;
}

void persons_add(struct persons *persons, const struct harvest *harvest)
{
    persons->has_against = persons->has_against || !harvest->is_candidate;
    for (size_t i = 0; i < harvest->count; i++) {
        const struct fact *fact = &harvest->facts[i];
        uint32_t at = find_person(persons, fact->id), into;
        switch (fact->kind) {
        case FACT_PROMOTED:
            take_promotion(&persons->items[at], !harvest->is_candidate, fact->time_ms);
            break;
        case FACT_JUDGED: take_fact(&persons->items[at], fact, harvest->is_candidate); break;
        case FACT_MERGED:
            into = find_person(persons, fact->into); /* items may move */
            persons->items[at].into = into;
            break;
        }
    }
}

/* ---- what
 * ---------------------------------------------------------------------------------------- */

static uint32_t end_of(const struct persons *persons, uint32_t at)
{
    for (int steps = 0; persons->items[at].into != NOBODY && steps < STEPS_MAX; steps++)
        at = persons->items[at].into;
    return at;
}

static void unite(struct persons *persons)
{
    for (uint32_t i = 0; i < persons->count; i++) {
        uint32_t end = end_of(persons, i);
        if (end == i)
            continue;
        const struct person *from = &persons->items[i];
        struct person *to = &persons->items[end];
        for (int by = 0; by < 2; by++)
            take_promotion(to, by, from->promoted_ms[by]);
        take_verdict(&to->in_effect, &from->in_effect);
        take_verdict(&to->unhanded, &from->unhanded);
        for (size_t said = 0; said < sizeof to->said / sizeof *to->said; said++)
            take_verdict(&to->said[said], &from->said[said]);
    }
}

static void count(struct backtest_group *group, enum backtest_outcome outcome)
{
    group->leads++;
    group->customers += outcome == OUTCOME_CUSTOMER;
    group->rejected += outcome == OUTCOME_REJECTED;
}

static void count_rules(const struct verdict *verdict, struct backtest_result *result)
{
    for (size_t i = 0; verdict->rules && i < result->rule_count; i++) {
        if (!(verdict->rules[i / 64] >> i % 64 & 1))
            continue;
        result->rules[i].customers += verdict->outcome == OUTCOME_CUSTOMER;
        result->rules[i].rejected += verdict->outcome == OUTCOME_REJECTED;
    }
}

/* Returns whether both promote it. */
static bool judge(const struct persons *persons, const struct person *person,
                  struct backtest_result *result)
{
    bool candidate = person->promoted_ms[0] != NEVER, against = person->promoted_ms[1] != NEVER;
    struct verdict verdict = verdict_of(persons, person);
    if (verdict.outcome != OUTCOME_NONE) {
        count(&result->judged, verdict.outcome);
        count_rules(&verdict, result);
    }
    if (candidate)
        count(&result->candidate.leads, verdict.outcome);
    if (against)
        count(&result->against.leads, verdict.outcome);
    if (candidate || against)
        count(candidate && against ? &result->both
              : candidate          ? &result->only_candidate
                                   : &result->only_against,
              verdict.outcome);
    return candidate && against;
}

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Lower quartiles of what is sorted. */
static void take_quartiles(int64_t *times, size_t times_count, int64_t quartiles[3])
{
    qsort(times, times_count, sizeof *times, by_size);
    for (size_t i = 0; i < 3 && times_count; i++)
        quartiles[i] = times[(times_count - 1) * (i + 1) / 4];
}

/* The times are sorted. */
static void take_order(const int64_t *times, size_t times_count, struct backtest_result *result)
{
    size_t later = 0, from;
    while (later < times_count && times[later] < 0)
        later++;
    for (from = later; from < times_count && times[from] == 0;)
        from++;
    result->later = later;
    result->at_once = from - later;
    result->sooner = times_count - from;
    result->sooner_half_ms = result->sooner ? times[from + (result->sooner - 1) / 2] : 0;
}

static void make_rules(const struct baton_agreement *candidate, struct backtest_result *result)
{
    result->rule_count = (size_t)candidate->behaviour_count + candidate->fit_count;
    result->rules = memory_take_zeroed(result->rule_count + 1, sizeof *result->rules);
    for (uint32_t i = 0; i < candidate->behaviour_count; i++)
        result->rules[i].id = candidate->behaviour[i].id;
    for (uint32_t i = 0; i < candidate->fit_count; i++)
        result->rules[candidate->behaviour_count + i] =
            (struct backtest_rule){.id = candidate->fit[i].id, .is_fit = true};
}

void persons_judge(struct persons *persons, const struct baton_agreement *candidate,
                   struct backtest_result *result)
{
    int64_t *sooner = memory_take((persons->count + 1) * sizeof *sooner);
    size_t both = 0;
    make_rules(candidate, result);
    unite(persons);
    for (uint32_t i = 0; i < persons->count; i++) {
        const struct person *person = &persons->items[i];
        if (end_of(persons, i) == i && judge(persons, person, result))
            sooner[both++] = person->promoted_ms[1] - person->promoted_ms[0];
    }
    take_quartiles(sooner, both, result->sooner_ms);
    take_order(sooner, both, result);
    free(sooner);
}
