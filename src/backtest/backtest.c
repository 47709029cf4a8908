#include "backtest/backtest_private.h"
#include "backtest/persons.h"

#include <stdlib.h>
#include <unistd.h>

struct backtest *backtest_create(const struct backtest_config *config)
{
    struct backtest *backtest = memory_take_zeroed(1, sizeof *backtest);
    backtest->config = *config;
    backtest->result.first_ms = INT64_MAX;
    backtest->result.last_ms = INT64_MIN;
    arena_init(&backtest->texts, 4096);
    return backtest;
}

void backtest_destroy(struct backtest *backtest)
{
    for (size_t i = 0; i < backtest->harvest_count; i++)
        harvest_fini(&backtest->harvests[i]);
    free(backtest->harvests);
    free(backtest->result.rules);
    arena_fini(&backtest->texts);
    free(backtest);
}

const struct backtest_progress *backtest_progress(const struct backtest *backtest)
{
    return &backtest->progress;
}

void backtest_make_harvests(struct backtest *backtest, size_t count)
{
    backtest->harvests = memory_take_zeroed(count + 1, sizeof *backtest->harvests);
    backtest->harvest_count = count;
    for (size_t i = 0; i < count; i++) {
        arena_init(&backtest->harvests[i].arena, 64);
        lines_init(&backtest->harvests[i].lines);
    }
}

unsigned backtest_threads(const struct backtest *backtest)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = backtest->config.threads;
    return wanted ? wanted : cores > 1 ? (unsigned)cores : 1;
}

const struct backtest_result *backtest_finish(struct backtest *backtest)
{
    struct backtest_result *result = &backtest->result;
    struct persons *persons = persons_create();
    for (size_t i = 0; i < backtest->harvest_count; i++) {
        const struct harvest *harvest = &backtest->harvests[i];
        persons_add(persons, harvest);
        (harvest->is_candidate ? &result->candidate : &result->against)->promotions +=
            harvest->promotions;
    }
    persons_judge(persons, agreement_compiled(backtest->config.candidate), result);
    persons_destroy(persons);
    return result;
}

bool backtest_write(struct backtest *backtest, FILE *out)
{
    for (size_t i = 0; i < backtest->harvest_count; i++)
        if (backtest->harvests[i].is_candidate && !lines_write(&backtest->harvests[i].lines, out))
            return false;
    return true;
}
