/* Records of the topic of breaches. */
#include "codec/outgoing_encoder.h"
#include "codec/outgoing_json.h"

#include <inttypes.h>
#include <stdio.h>

static const char *state_name(enum breach_state state)
{
    static const char *const names[BREACH_STATES] = {
        [BREACH_REMINDER] = "reminder", [BREACH_BROKEN] = "broken",
        [BREACH_KEPT] = "kept",         [BREACH_MISSED] = "missed",
        [BREACH_MET] = "met",           [BREACH_ANNOUNCED] = "announced"};
    return names[state];
}

static const char *type_of(enum breach_state state)
{
    switch (state) {
    case BREACH_REMINDER: return "baton.reminder";
    case BREACH_KEPT:
    case BREACH_MET: return "baton.correction";
    case BREACH_ANNOUNCED: return "baton.announcement";
    default: return "baton.breach";
    }
}

static json_t *figure(const struct breach_view *view, int64_t hundredths, enum content_style style)
{
    return view->unit ? points(hundredths, style) : json_null();
}

/* The fields of Breach.avsc. */
static json_t *content(const struct breach_view *view, enum content_style style)
{
    json_t *record = made(json_object());
    bool clock = view->lead_id.size > 0;
    put(record, "promise", c_text(view->promise));
    put(record, "state", c_text(state_name(view->state)));
    put(record, "side", c_text(baton_side_name(view->side)));
    put(record, "owner", text_or_null(view->owner));
    put(record, "escalate_to", text_or_null(view->escalate_to));
    put(record, "time", moment(view->time_ms, style));
    put(record, "lead_id", text_or_null(view->lead_id));
    put(record, "generation", clock ? json_integer(view->generation) : json_null());
    put(record, "seller", clock ? text_or_null(view->seller) : json_null());
    put(record, "started", clock ? moment(view->started_ms, style) : json_null());
    put(record, "due", clock ? moment(view->due_ms, style) : json_null());
    put(record, "estimated", clock ? json_boolean(view->estimated) : json_null());
    put(record, "period", c_text_or_null(view->period));
    put(record, "unit", c_text_or_null(view->unit));
    put(record, "promised", figure(view, view->promised, style));
    put(record, "actual", figure(view, view->actual, style));
    put(record, "needed", view->has_needed ? figure(view, view->needed, style) : json_null());
    put(record, "revision", json_integer(view->revision));
    put(record, "agreement", text(view->agreement->name));
    put(record, "agreement_version", json_integer(view->agreement->version));
    put(record, "agreement_hash", text(view->agreement->hash));
    return record;
}

/* Of a promise that begins anew within a generation the start tells one time from the next. */
static void add_clock_id(struct header_list *list, const struct breach_view *view)
{
    const char *lead_id = percent_encoded(list->arena, view->lead_id.data, view->lead_id.size);
    char start[32] = "";
    bool again = strcmp(view->promise, baton_clock_name(BATON_CLOCK_UPDATE)) == 0;
    bool plain = view->state == BREACH_BROKEN;
    if (again)
        (void)snprintf(start, sizeof start, "/%" PRId64, view->started_ms);
    header_list_print(list, "ce_id", "%s/%u/%s%s%s%s", lead_id, (unsigned)view->generation,
                      view->promise, start, plain ? "" : "/", plain ? "" : state_name(view->state));
}

static void add_period_id(struct header_list *list, const struct breach_view *view)
{
    const struct baton_text name = view->agreement->name;
    const char *agreement = percent_encoded(list->arena, name.data, name.size);
    const char *promise = percent_encoded(list->arena, view->promise, strlen(view->promise));
    char revision[16] = "";
    if (view->revision)
        (void)snprintf(revision, sizeof revision, "/%" PRId32, view->revision);
    header_list_print(list, "ce_id", "%s/%s/%s%s", agreement, promise,
                      view->period ? view->period : "", revision);
}

void encoder_breach(struct encoder *encoder, struct arena *arena, const struct breach_view *view,
                    struct outgoing_message *out)
{
    struct baton_text subject =
        view->lead_id.size ? view->lead_id
                           : (struct baton_text){view->promise, (uint32_t)strlen(view->promise)};
    struct header_list list;
    *out = (struct outgoing_message){.topic = TOPIC_BREACHES,
                                     .key = arena_copy(arena, subject.data, subject.size),
                                     .key_size = subject.size};
    json_region_begin(encoder->region);
    encoder_write_value(encoder, content(view, encoder_style(encoder)), arena, out);
    json_region_end(encoder->region);
    header_list_init(&list, arena, 9);
    header_list_add_text(&list, "ce_specversion", "1.0");
    if (view->lead_id.size)
        add_clock_id(&list, view);
    else
        add_period_id(&list, view);
    encoder_add_headers(encoder, &list, type_of(view->state), view->time_ms, subject);
    if (view->origin)
        header_list_forward_trace(&list, view->origin->headers, view->origin->header_count);
    out->headers = list.at;
    out->header_count = list.count;
}
