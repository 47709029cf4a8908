#include "pipeline/breaches.h"

#include "domain/clocks.h"

size_t breaches_due(const struct baton_lead *lead, int64_t from_ms, int64_t to_ms, int64_t now_ms,
                    struct clock_news *out)
{
    size_t count = 0;
    for (enum baton_clock_id id = 0; lead->history && id < BATON_CLOCKS; id++) {
        const struct baton_clock *clock = &lead->history->clocks[id];
        struct clock_news news = {.id = id,
                                  .clock = *clock,
                                  .seller = lead->history->sales.seller,
                                  .generation = lead->generation};
        if (clock_verdict(clock, from_ms) == CLOCK_OPEN &&
            clock_verdict(clock, to_ms) == CLOCK_BROKEN)
            news.state = BREACH_BROKEN;
        else if (clock_reminds(clock, from_ms, to_ms) && clock->due_ms > now_ms)
            news.state = BREACH_REMINDER;
        else
            continue;
        out[count++] = news;
    }
    return count;
}

static bool is_told_of_end(const struct baton_clock_move *move, const struct clock_cause *cause,
                           struct clock_news *out)
{
    bool told = clock_verdict(&move->before, cause->clock_ms) == CLOCK_BROKEN,
         counted = clock_verdict(&move->before, cause->arrived_ms) == CLOCK_BROKEN;
    if (told == counted || cause->kind == BATON_ERASE || (told && cause->kind == BATON_MERGE))
        return false;
    out->clock = move->before;
    out->state = counted ? BREACH_BROKEN : BREACH_KEPT;
    return true;
}

bool breaches_of_move(const struct baton_clock_move *move, const struct clock_cause *cause,
                      struct clock_news *out)
{
    enum clock_verdict before = clock_verdict(&move->before, cause->clock_ms),
                       after = clock_verdict(&move->after, cause->clock_ms);
    *out = (struct clock_news){.id = move->id,
                               .clock = move->after,
                               .seller = move->seller_after,
                               .generation = move->generation};
    if (move->told)
        return false;
    if (move->ended)
        return is_told_of_end(move, cause, out);
    if (after == CLOCK_BROKEN && before != CLOCK_BROKEN)
        out->state = BREACH_BROKEN;
    else if (after == CLOCK_KEPT && before == CLOCK_BROKEN)
        out->state = BREACH_KEPT;
    else if (before == CLOCK_NONE && clock_reminds(&move->after, 0, cause->clock_ms))
        out->state = BREACH_REMINDER;
    else
        return false;
    return true;
}

void breaches_view(struct baton_text lead_id, const struct clock_news *news,
                   const struct baton_agreement *agreement, const struct baton_words *words,
                   struct breach_view *out)
{
    const struct baton_clock *clock = &news->clock;
    *out = (struct breach_view){.promise = baton_clock_name(news->id),
                                .state = news->state,
                                .side = BATON_SALES,
                                .time_ms = news->state == BREACH_REMINDER ? clock->remind_ms
                                                                          : clock->due_ms,
                                .lead_id = lead_id,
                                .generation = news->generation,
                                .seller = baton_words_text(words, news->seller),
                                .started_ms = clock->start_ms,
                                .due_ms = clock->due_ms,
                                .estimated = clock->estimated,
                                .agreement = agreement};
    if (agreement->pact) {
        out->owner = agreement->pact->clocks[news->id].owner;
        out->escalate_to = agreement->pact->clocks[news->id].escalate_to;
    }
}
