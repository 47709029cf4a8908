/* What is said of a lead: reports of sales, adjustments by hand, and who it is. */
#include "base/base64.h"
#include "base/number.h"
#include "codec/event_checks.h"
#include "codec/number_text.h"
#include "codec/rfc3339.h"
#include "codec/spend.h"
#include "text/fold.h"

#include <baton/agreement.h>

#include <stdio.h>

#define HUNDREDTH (BATON_NUMBER_SCALE / 100)

struct details {
    const struct raw_event *raw;
    struct arena *arena;
    struct baton_event *event;
    struct decode_result *result;
};

static struct baton_text text_of(const struct details *details, enum target target)
{
    struct baton_text text = raw_event_rare(details->raw, target);
    if (text.size > BATON_TEXT_MAX) {
        text.size = BATON_TEXT_MAX;
        while (((unsigned char)text.data[text.size] & 0xC0) == 0x80)
            text.size--;
    }
    return text;
}

static bool is_missing(const struct details *details, struct baton_text text, const char *what)
{
    if (!text.size)
        decode_result_dead(details->result, DEAD_BAD_CONTENT, "%s is missing or empty", what);
    return !text.size;
}

static bool bad(const struct details *details, const char *what, struct baton_text text,
                const char *wanted)
{
    decode_result_dead(details->result, DEAD_BAD_CONTENT, "%s is '%.*s', and must be %s", what,
                       (int)(text.size > 60 ? 60 : text.size), text.data, wanted);
    return false;
}

/* A whole number, signed; true and no change where nothing is said. */
static bool read_whole(const struct details *details, enum target target, const char *what,
                       int64_t least, int64_t most, int64_t *out)
{
    struct baton_text text = text_of(details, target);
    int64_t millionths;
    if (!text.size)
        return true;
    if (!number_parse(text.data, text.size, &millionths) || millionths % BATON_NUMBER_SCALE ||
        millionths / BATON_NUMBER_SCALE < least || millionths / BATON_NUMBER_SCALE > most) {
        char wanted[80];
        (void)snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld", (long long)least,
                       (long long)most);
        return bad(details, what, text, wanted);
    }
    *out = millionths / BATON_NUMBER_SCALE;
    return true;
}

/* ---- Feedback -------------------------------------------------------------------------------- */

static bool find_report(struct baton_text text, enum baton_report *report)
{
    for (int i = BATON_REPORT_NONE + 1; i < BATON_REPORTS; i++) {
        if (text_equal(text, text_from(baton_report_name((enum baton_report)i)))) {
            *report = (enum baton_report)i;
            return true;
        }
    }
    return false;
}

/* `report` says it, or `verdict` where that is all that `report` says. */
static bool read_report(const struct details *details, struct baton_feedback *feedback)
{
    struct baton_text report = text_of(details, TARGET_REPORT);
    if (!report.size || text_equal(report, text_from("verdict")))
        report = text_of(details, TARGET_VERDICT);
    if (is_missing(details, report, "what is reported (`report`)"))
        return false;
    return find_report(report, &feedback->report) ||
           bad(details, "`report`", report,
               "assigned, contacted, meeting, proposal, accepted, negotiating, customer, rejected "
               "or churned");
}

/* `otherwise` where nothing is said. */
static bool read_moment(const struct details *details, enum target target, const char *what,
                        int64_t otherwise_ms, int64_t *at_ms)
{
    struct baton_text at = text_of(details, target);
    *at_ms = otherwise_ms;
    if (!at.size || rfc3339_read(at, at_ms))
        return true;
    if (number_whole_json(at, at_ms) && *at_ms >= 0 && *at_ms <= BATON_TIME_MAX_MS)
        return true;
    return bad(details, what, at, "a time from 1970 to 9999");
}

static bool read_at(const struct details *details, int64_t otherwise_ms, int64_t *at_ms)
{
    return read_moment(details, TARGET_AT, "`at`", otherwise_ms, at_ms);
}

/* Kept in hundredths, towards zero. */
static bool read_deal(const struct details *details, struct baton_feedback *feedback)
{
    struct baton_text value = text_of(details, TARGET_DEAL_VALUE);
    int64_t millionths;
    feedback->currency = text_of(details, TARGET_DEAL_CURRENCY);
    if (feedback->currency.size &&
        !currency_read(feedback->currency, details->arena, &feedback->currency))
        return bad(details, "`deal_currency`", feedback->currency, CURRENCY_WANTED);
    if (!value.size)
        return true;
    if (!number_parse(value.data, value.size, &millionths))
        return bad(details, "`deal_value`", value, "a number");
    feedback->has_deal = true;
    feedback->deal = millionths / HUNDREDTH;
    return true;
}

static bool read_feedback(const struct details *details)
{
    struct baton_feedback *feedback = arena_take(details->arena, sizeof *feedback);
    int64_t generation = 0;
    *feedback = (struct baton_feedback){.seller = text_of(details, TARGET_SELLER),
                                        .reason = text_of(details, TARGET_REASON),
                                        .obstacle = text_of(details, TARGET_OBSTACLE),
                                        .note = text_of(details, TARGET_NOTE)};
    if (!read_report(details, feedback) ||
        !read_at(details, details->event->time_ms, &feedback->at_ms) ||
        !read_deal(details, feedback) ||
        !read_whole(details, TARGET_GENERATION, "`generation`", 1, UINT16_MAX, &generation))
        return false;
    feedback->generation = (uint16_t)generation;
    if (feedback->reason.size)
        (void)text_fold(details->arena, feedback->reason, &feedback->reason_folded);
    details->event->feedback = feedback;
    return true;
}

/* ---- Adjust ---------------------------------------------------------------------------------- */

static bool read_stage(const struct details *details, struct baton_adjustment *adjustment)
{
    struct baton_text stage = text_of(details, TARGET_STAGE);
    if (!stage.size)
        return true;
    for (int i = 0; i < BATON_STAGES; i++) {
        if (text_equal(stage, text_from(baton_stage_name((enum baton_stage)i)))) {
            adjustment->has_stage = true;
            adjustment->stage = (enum baton_stage)i;
            return true;
        }
    }
    return bad(details, "`stage`", stage,
               "lead, mql, sql, accepted, customer, rejected or recycled");
}

static bool read_adjustment(const struct details *details)
{
    struct baton_adjustment *adjustment = arena_take(details->arena, sizeof *adjustment);
    int64_t points = 0;
    *adjustment = (struct baton_adjustment){.by = text_of(details, TARGET_BY),
                                            .reason = text_of(details, TARGET_REASON)};
    if (is_missing(details, adjustment->by, "who adjusts (`by`)") ||
        is_missing(details, adjustment->reason, "why (`reason`)") ||
        !read_whole(details, TARGET_POINTS, "`points`", -BATON_POINTS_MAX, BATON_POINTS_MAX,
                    &points) ||
        !read_stage(details, adjustment))
        return false;
    adjustment->points = (int32_t)points;
    if (!points && !adjustment->has_stage) {
        decode_result_dead(details->result, DEAD_BAD_CONTENT,
                           "it adjusts neither `points` nor `stage`");
        return false;
    }
    details->event->adjustment = adjustment;
    return true;
}

/* ---- Merge, Erase, transfer ------------------------------------------------------------------ */

/* Ids are whole, not cut. */
static bool read_id(const struct details *details, enum target target, const char *what,
                    struct baton_text *id)
{
    *id = raw_event_rare(details->raw, target);
    if (is_missing(details, *id, what))
        return false;
    if (id->size <= BATON_ID_MAX)
        return true;
    decode_result_dead(details->result, DEAD_BAD_CONTENT, "%s has %u bytes, at most %d are kept",
                       what, (unsigned)id->size, BATON_ID_MAX);
    return false;
}

static bool read_merge(const struct details *details)
{
    struct baton_merge *merge = arena_take(details->arena, sizeof *merge);
    merge->by = text_of(details, TARGET_BY);
    if (!read_id(details, TARGET_INTO, "the id that stays (`into`)", &merge->into))
        return false;
    /* One that was passed on may have come home: then it is so already. */
    if (!details->event->hop && text_equal(merge->into, details->event->lead_id)) {
        decode_result_dead(details->result, DEAD_MERGE_INTO_ITSELF, "`into` is the lead's own id");
        return false;
    }
    details->event->merge = merge;
    return true;
}

static bool read_erasure(const struct details *details)
{
    struct baton_erasure *erasure = arena_take(details->arena, sizeof *erasure);
    *erasure = (struct baton_erasure){.by = text_of(details, TARGET_BY),
                                      .reason = text_of(details, TARGET_REASON)};
    details->event->erasure = erasure;
    return true;
}

static bool read_state(const struct details *details, const char *what, struct baton_text *out)
{
    struct baton_text state = raw_event_rare(details->raw, TARGET_STATE);
    size_t size;
    if (is_missing(details, state, what))
        return false;
    uint8_t *bytes = arena_take(details->arena, base64_bytes_max(state.size));
    if (!base64_read(state.data, state.size, bytes, &size)) {
        decode_result_dead(details->result, DEAD_BAD_CONTENT, "`state` is not base64");
        return false;
    }
    *out = (struct baton_text){(const char *)bytes, (uint32_t)size};
    return true;
}

static bool read_transfer(const struct details *details)
{
    struct baton_transfer *transfer = arena_take(details->arena, sizeof *transfer);
    if (!read_id(details, TARGET_FROM, "the id that was given up (`from`)", &transfer->from) ||
        !read_state(details, "the lead's state (`state`)", &transfer->state) ||
        !read_at(details, 0, &transfer->clock_ms) ||
        !read_moment(details, TARGET_ARRIVED, "`arrived`", transfer->clock_ms,
                     &transfer->arrived_ms))
        return false;
    details->event->transfer = transfer;
    return true;
}

/* ---- What baton tells itself ----------------------------------------------------------------- */

static bool read_publication(const struct details *details)
{
    struct baton_publication *publication = arena_take(details->arena, sizeof *publication);
    int64_t generation = 0;
    if (!read_whole(details, TARGET_GENERATION, "`generation`", 1, UINT16_MAX, &generation))
        return false;
    if (!generation) {
        decode_result_dead(details->result, DEAD_BAD_CONTENT, "`generation` is missing or empty");
        return false;
    }
    publication->generation = (uint16_t)generation;
    details->event->publication = publication;
    return true;
}

static bool read_judgement(const struct details *details)
{
    struct baton_judgement_event *judgement = arena_take(details->arena, sizeof *judgement);
    if (!read_state(details, "the judgement (`state`)", &judgement->state))
        return false;
    details->event->judgement = judgement;
    return true;
}

bool event_detail_read(const struct message *message, const struct raw_event *raw,
                       struct arena *arena, struct baton_event *event, struct decode_result *result)
{
    struct details details = {raw, arena, event, result};
    switch (event->kind) {
    case BATON_FEEDBACK: return read_feedback(&details);
    case BATON_ADJUST: return read_adjustment(&details);
    case BATON_MERGE: return read_merge(&details);
    case BATON_ERASE: return read_erasure(&details);
    case BATON_TRANSFER: return read_transfer(&details);
    case BATON_PUBLISHED: return read_publication(&details);
    case BATON_SPEND: return spend_read(message, raw, arena, event, result);
    case BATON_JUDGED: return read_judgement(&details);
    default: return true;
    }
}
