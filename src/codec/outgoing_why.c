/* Why a lead was promoted, in sentences. They are told of the moment of its promotion: what the
 * lead is and did then, and what the agreement asks for. */
#include "codec/outgoing_handover.h"
#include "codec/outgoing_json.h"

#include <stdlib.h>

_Static_assert((int)MESSAGE_EVENT_PROFILE - (int)MESSAGE_EVENT_VISIT ==
                   (int)BATON_PROFILE - (int)BATON_VISIT,
               "the catalogue tells of kinds of events in their order");

struct telling {
    const struct stage_view *view;
    struct speech speech;
    struct text_buffer sentence;
    json_t *sentences;
};

static void end_sentence(struct telling *telling)
{
    struct text_buffer *sentence = &telling->sentence;
    add(telling->sentences, text((struct baton_text){sentence->data, (uint32_t)sentence->size}));
    text_buffer_clear(sentence);
}

#define tell(telling, id, ...)                                                                     \
    do {                                                                                           \
        say(&(telling)->speech, id, __VA_ARGS__);                                                  \
        end_sentence(telling);                                                                     \
    } while (0)

static const char *kept(struct telling *telling, struct baton_text from)
{
    return speech_print(&telling->speech, "%.*s", (int)from.size, from.size ? from.data : "");
}

static void tell_score(struct telling *telling)
{
    struct speech *speech = &telling->speech;
    const struct baton_score *score = &telling->view->transition->score;
    const struct baton_history *history = telling->view->lead->history;
    const char *by_hand = "";
    if (history && history->adjusted)
        by_hand = phrase(speech, MESSAGE_WHY_ADJUSTED,
                         {"points", speech_points(speech, (int64_t)history->adjusted * 100)});
    tell(telling, MESSAGE_WHY_SCORE, {"score", speech_points(speech, score->score)},
         {"fit", speech_points(speech, score->fit)},
         {"behaviour", speech_points(speech, score->behaviour)}, {"adjusted", by_hand});
}

/* ---- Rules that gave points ------------------------------------------------------------------ */

struct giver {
    int64_t points; /* hundredths, more than none */
    uint32_t order;
    const struct baton_fit_rule *fit; /* NULL: a behaviour rule */
    const struct baton_behaviour_rule *behaviour;
    const struct baton_tally *tally;
};

static int by_points(const void *left, const void *right)
{
    const struct giver *a = left, *b = right;
    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static uint32_t fit_givers(const struct stage_view *view, const struct baton_fit_rule *rules,
                           uint32_t rule_count, struct giver *givers, uint32_t count)
{
    for (uint32_t i = 0; i < rule_count; i++)
        if (rules[i].points > 0 && baton_fit_holds(&rules[i], view->lead)) {
            givers[count] = (struct giver){
                .points = (int64_t)rules[i].points * 100, .order = count, .fit = &rules[i]};
            count++;
        }
    return count;
}

static uint32_t behaviour_givers(const struct stage_view *view, struct giver *givers)
{
    const struct baton_lead *lead = view->lead;
    uint32_t count = 0;
    for (uint16_t i = 0; i < lead->tally_count; i++) {
        const struct baton_tally *tally = &lead->tallies[i];
        int64_t points = baton_tally_points(tally, view->agreement, lead->newest_ms);
        if (tally->rule >= 0 && points > 0)
            givers[count++] = (struct giver){.points = points,
                                             .order = (uint32_t)tally->rule,
                                             .behaviour = &view->agreement->behaviour[tally->rule],
                                             .tally = tally};
    }
    return count;
}

static void tell_giver(struct telling *telling, const struct giver *giver)
{
    struct speech *speech = &telling->speech;
    const char *points = speech_points(speech, giver->points);
    if (giver->fit) {
        tell(telling, MESSAGE_WHY_FIT_RULE, {"id", kept(telling, giver->fit->id)},
             {"points", points});
        return;
    }
    const struct baton_behaviour_rule *rule = giver->behaviour;
    const char *id = kept(telling, rule->id);
    bool held = rule->while_times > 0;
    const char *count = speech_count(speech, held ? rule->while_times : giver->tally->count);
    const char *event =
        phrase(speech, (enum message_id)((int)MESSAGE_EVENT_VISIT + (int)rule->kind),
               {"count", held ? "2" : count});
    if (held)
        tell(telling, MESSAGE_WHY_WHILE_RULE, {"id", id}, {"points", points}, {"times", count},
             {"event", event}, {"days", speech_count(speech, rule->while_days)});
    else
        tell(telling, MESSAGE_WHY_BEHAVIOUR_RULE, {"id", id}, {"points", points}, {"count", count},
             {"event", event});
}

static void tell_givers(struct telling *telling)
{
    const struct stage_view *view = telling->view;
    const struct baton_agreement *agreement = view->agreement;
    const struct baton_persona *persona =
        view->lead->persona ? &agreement->personas[view->lead->persona - 1] : NULL;
    size_t room =
        view->lead->tally_count + agreement->fit_count + (persona ? persona->fit_count : 0);
    struct giver *givers = memory_take((room + 1) * sizeof *givers);
    uint32_t behaviour = behaviour_givers(view, givers), count = 0;
    qsort(givers, behaviour, sizeof *givers, by_points);
    for (uint32_t i = 0; i < behaviour; i++)
        tell_giver(telling, &givers[i]);
    count = fit_givers(view, agreement->fit, agreement->fit_count, givers, 0);
    if (persona)
        count = fit_givers(view, persona->fit, persona->fit_count, givers, count);
    qsort(givers, count, sizeof *givers, by_points);
    for (uint32_t i = 0; i < count; i++)
        tell_giver(telling, &givers[i]);
    free(givers);
    if (persona)
        tell(telling, MESSAGE_WHY_PERSONA, {"id", kept(telling, persona->id)});
}

/* ---- What opened the gate -------------------------------------------------------------------- */

/* With what who comes back has to show more. */
static int64_t threshold(const struct stage_view *view)
{
    const struct baton_agreement *agreement = view->agreement;
    uint16_t number = view->lead->persona;
    const struct baton_gate *gate = number && agreement->personas[number - 1].has_sql
                                        ? &agreement->personas[number - 1].sql
                                        : &agreement->sql;
    int64_t more = (int64_t)agreement->recycle_score * (view->transition->generation - 1);
    int64_t least = (gate->score == BATON_NO_THRESHOLD ? 0 : gate->score) + more;
    return least < BATON_SCORE_MAX ? least : BATON_SCORE_MAX;
}

static void tell_gate(struct telling *telling)
{
    const struct baton_event *event = telling->view->event;
    if (event->kind == BATON_ADJUST && event->adjustment->has_stage &&
        event->adjustment->stage == BATON_SQL)
        tell(telling, MESSAGE_WHY_BY_HAND, {"by", kept(telling, event->adjustment->by)},
             {"reason", kept(telling, event->adjustment->reason)});
    else if (threshold(telling->view) > 0)
        tell(telling, MESSAGE_WHY_GATE,
             {"points", speech_points(&telling->speech, threshold(telling->view) * 100)});
}

static const enum message_id stage_words[BATON_STAGES] = {
    [BATON_LEAD] = MESSAGE_STAGE_LEAD,         [BATON_MQL] = MESSAGE_STAGE_MQL,
    [BATON_SQL] = MESSAGE_STAGE_SQL,           [BATON_ACCEPTED] = MESSAGE_STAGE_ACCEPTED,
    [BATON_CUSTOMER] = MESSAGE_STAGE_CUSTOMER, [BATON_REJECTED] = MESSAGE_STAGE_REJECTED,
    [BATON_RECYCLED] = MESSAGE_STAGE_RECYCLED,
};

static void tell_before(struct telling *telling)
{
    const struct baton_history *history = telling->view->lead->history;
    if (!history || !history->earlier_count)
        return;
    const struct baton_earlier *last = &history->earlier[0];
    const char *reason = "";
    if (last->reason)
        reason =
            phrase(&telling->speech, MESSAGE_WHY_BEFORE_REASON,
                   {"reason", kept(telling, baton_words_text(telling->view->words, last->reason))});
    tell(telling, MESSAGE_WHY_BEFORE,
         {"stage", phrase_plain(&telling->speech, stage_words[last->stage])}, {"reason", reason});
}

json_t *handover_why(const struct stage_view *view, enum language language)
{
    struct telling telling = {.view = view, .sentences = made(json_array())};
    text_buffer_init(&telling.sentence);
    speech_init(&telling.speech, language, &telling.sentence);
    tell_score(&telling);
    tell_gate(&telling);
    tell_givers(&telling);
    tell_before(&telling);
    speech_fini(&telling.speech);
    text_buffer_fini(&telling.sentence);
    return telling.sentences;
}
