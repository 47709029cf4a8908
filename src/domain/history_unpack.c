#include "domain/lead_pack.h"
#include "domain/memory.h"
#include "domain/unpack.h"

static void read_sales(struct unpack *in, struct baton_sales *sales)
{
    sales->report = (uint8_t)unpack_number(in, BATON_REPORTS - 1);
    sales->report_ms = unpack_time(in);
    sales->seller = unpack_word(in);
    sales->reason = unpack_word(in);
    sales->obstacle = unpack_word(in);
    in->bytes.failed |= !sales->report && !sales->seller && !sales->reason && !sales->obstacle;
}

static int64_t read_when(struct unpack *in)
{
    int64_t newest_ms = in->lead->newest_ms;
    uint64_t before = unpack_number(in, (uint64_t)newest_ms + 1);
    return before ? newest_ms - (int64_t)(before - 1) : 0;
}

static void read_mail(struct unpack *in, struct baton_mail *mail)
{
    for (unsigned i = 0; i < BATON_MAIL_KINDS; i++)
        mail->counts[i] = (uint32_t)unpack_number(in, UINT32_MAX);
    mail->opened_ms = read_when(in);
    mail->clicked_ms = read_when(in);
}

/* A number of things of which there is at least one. */
static uint8_t read_count(struct unpack *in, uint8_t most)
{
    uint8_t count = (uint8_t)unpack_number(in, most);
    in->bytes.failed |= count == 0;
    return count;
}

static void read_forms(struct unpack *in, struct baton_history *history)
{
    history->form_count = read_count(in, BATON_FORMS_MAX);
    for (uint8_t i = 0; i < history->form_count; i++) {
        history->forms[i].time_ms = unpack_before(in, in->lead->newest_ms);
        history->forms[i].form = unpack_word(in);
        history->forms[i].fields =
            (uint32_t)unpack_number(in, 2 * (uint64_t)BATON_FORM_BY_PAGE - 1);
    }
}

static void read_earlier(struct unpack *in, struct baton_history *history)
{
    history->earlier_count = read_count(in, BATON_EARLIER_MAX);
    for (uint8_t i = 0; i < history->earlier_count; i++) {
        struct baton_earlier *earlier = &history->earlier[i];
        earlier->promoted_ms = unpack_time(in);
        earlier->ended_ms = unpack_time(in);
        earlier->reason = unpack_word(in);
        earlier->generation = (uint16_t)unpack_number(in, UINT16_MAX);
        earlier->stage = (uint8_t)unpack_number(in, BATON_STAGES - 1);
    }
}

/* A text of its own, or none with a failure noted. */
static struct baton_text read_id(struct unpack *in)
{
    struct baton_text read = unpack_text(in, BATON_ID_MAX);
    in->bytes.failed |= read.size == 0;
    if (unpack_failed(in))
        return (struct baton_text){NULL, 0};
    char *bytes = memory_new(in->allocator, read.size);
    in->no_memory |= !bytes;
    if (bytes)
        memcpy(bytes, read.data, read.size);
    return (struct baton_text){bytes, bytes ? read.size : 0};
}

/* The count grows with what is there, so that a half-read list can be given back: its room is
 * kept equal. */
static void read_aliases(struct unpack *in, struct baton_history *history)
{
    uint8_t count = read_count(in, BATON_ALIASES_MAX);
    for (uint8_t i = 0; i < count && !unpack_failed(in); i++) {
        struct baton_text alias = read_id(in);
        if (!alias.size)
            return;
        struct baton_text *grown = in->allocator->resize(in->allocator->context, history->aliases,
                                                         i * sizeof alias, (i + 1u) * sizeof alias);
        if (!grown) {
            memory_free(in->allocator, (void *)(uintptr_t)alias.data, alias.size);
            in->no_memory = true;
            return;
        }
        grown[i] = alias;
        history->aliases = grown;
        history->alias_count = (uint8_t)(i + 1);
    }
}

/* A presence byte. */
static bool is_there(struct unpack *in)
{
    uint8_t there = bytes_u8(&in->bytes);
    in->bytes.failed |= there > 1;
    return there == 1;
}

/* A time that says by being 0 that there is none; it was written, so it is there. */
static int64_t read_given(struct unpack *in)
{
    int64_t time_ms = unpack_time(in);
    in->bytes.failed |= time_ms == 0;
    return time_ms;
}

static void read_clock(struct unpack *in, struct baton_clock *clock)
{
    clock->start_ms = read_given(in);
    uint64_t most = (uint64_t)(BATON_TIME_MAX_MS - clock->start_ms);
    clock->due_ms = clock->start_ms + (int64_t)unpack_number(in, most);
    /* between start and due, both left out */
    uint64_t before = unpack_number(in, (uint64_t)(clock->due_ms - clock->start_ms));
    in->bytes.failed |= before && before == (uint64_t)(clock->due_ms - clock->start_ms);
    clock->remind_ms = before ? clock->due_ms - (int64_t)before : 0;
    uint8_t stopped = bytes_u8(&in->bytes);
    in->bytes.failed |= stopped > BATON_REPORTS;
    if (!stopped)
        return;
    clock->stop_report = (uint8_t)(stopped - 1);
    clock->stop_ms = clock->start_ms + unpack_signed(in, -clock->start_ms, (int64_t)most);
    in->bytes.failed |= clock->stop_ms == 0;
}

static void read_pact(struct unpack *in, struct baton_history *history)
{
    history->reports_seen = (uint16_t)unpack_number(in, (1u << BATON_REPORTS) - 1);
    unsigned there = bytes_u8(&in->bytes), clocks = (1u << BATON_CLOCKS) - 1;
    unsigned estimated = there >> PACK_CLOCKS_ESTIMATED_SHIFT;
    in->bytes.failed |= (there & ~(clocks | clocks << PACK_CLOCKS_ESTIMATED_SHIFT)) != 0 ||
                        (estimated & ~there) != 0 || (!there && !history->reports_seen);
    for (unsigned i = 0; i < BATON_CLOCKS && !unpack_failed(in); i++) {
        if (!(there >> i & 1))
            continue;
        read_clock(in, &history->clocks[i]);
        history->clocks[i].estimated = estimated >> i & 1;
    }
}

static void read_shadow(struct unpack *in, struct baton_shadowed *shadow)
{
    shadow->of = bytes_u32_le(&in->bytes);
    in->bytes.failed |= shadow->of == 0;
    shadow->mql_ms = is_there(in) ? read_given(in) : 0;
    shadow->sql_ms = is_there(in) ? read_given(in) : 0;
    shadow->live_ms = is_there(in) ? read_given(in) : 0;
}

static void read_parts(struct unpack *in, struct baton_history *history, uint32_t flags)
{
    if (flags & PACK_HISTORY_SQL_MS)
        history->sql_ms = unpack_time(in);
    if (flags & PACK_HISTORY_STAGE_MS)
        history->stage_ms = unpack_time(in);
    if (flags & PACK_HISTORY_ADJUSTED)
        history->adjusted = (int32_t)unpack_signed(in, -BATON_SCORE_MAX, BATON_SCORE_MAX);
    if (flags & PACK_HISTORY_SALES)
        read_sales(in, &history->sales);
    if (flags & PACK_HISTORY_CONTACT)
        history->sales.contact_ms = unpack_time(in);
    if (flags & PACK_HISTORY_DEAL) {
        history->sales.has_deal = true;
        history->sales.deal = unpack_signed(in, -BATON_DEAL_MAX, BATON_DEAL_MAX);
        history->sales.currency = unpack_word(in);
    }
    if (flags & PACK_HISTORY_MAIL)
        read_mail(in, &history->mail);
    if (flags & PACK_HISTORY_FORMS)
        read_forms(in, history);
    if (flags & PACK_HISTORY_EARLIER)
        read_earlier(in, history);
    if (flags & PACK_HISTORY_ALIASES)
        read_aliases(in, history);
    if (flags & PACK_HISTORY_INTO && !unpack_failed(in))
        history->into = read_id(in);
    if (flags & PACK_HISTORY_PACT)
        read_pact(in, history);
    if (flags & PACK_HISTORY_SHADOW)
        read_shadow(in, &history->shadow);
}

void unpack_history(struct unpack *in)
{
    uint32_t flags = (uint32_t)unpack_number(in, PACK_HISTORY_END - 1);
    struct baton_history *history = baton_lead_history(in->lead, in->allocator);
    in->no_memory |= !history;
    if (!unpack_failed(in))
        read_parts(in, history, flags);
}
