#include "base/bytes.h"
#include "domain/lead_pack.h"

#define PACT_BYTES (BYTES_VARINT_MAX + 1 + BATON_CLOCKS * (4 * BYTES_VARINT_MAX + 1))
#define SHADOW_BYTES (4 + 3 * (BYTES_VARINT_MAX + 1))
#define FIXED_BYTES (18 * BYTES_VARINT_MAX + PACT_BYTES + SHADOW_BYTES)
#define MAIL_BYTES ((BATON_MAIL_KINDS + 2) * BYTES_VARINT_MAX)
#define FORM_BYTES (3 * BYTES_VARINT_MAX)
#define EARLIER_BYTES (5 * BYTES_VARINT_MAX)

size_t history_pack_bound(const struct baton_history *history)
{
    if (!history)
        return 0;
    size_t size = FIXED_BYTES + MAIL_BYTES + history->form_count * (size_t)FORM_BYTES +
                  history->earlier_count * (size_t)EARLIER_BYTES + history->into.size;
    for (uint8_t i = 0; i < history->alias_count; i++)
        size += BYTES_VARINT_MAX + history->aliases[i].size;
    return size;
}

static bool has_mail(const struct baton_mail *mail)
{
    for (unsigned i = 0; i < BATON_MAIL_KINDS; i++)
        if (mail->counts[i])
            return true;
    return false;
}

static bool has_sales(const struct baton_sales *sales)
{
    return sales->report || sales->seller || sales->reason || sales->obstacle;
}

static bool has_pact(const struct baton_history *history)
{
    for (unsigned i = 0; i < BATON_CLOCKS; i++)
        if (history->clocks[i].start_ms)
            return true;
    return history->reports_seen != 0;
}

static uint32_t flags_of(const struct baton_history *history)
{
    const struct baton_sales *sales = &history->sales;
    uint32_t flags = 0;
    flags |= has_sales(sales) ? PACK_HISTORY_SALES : 0;
    flags |= has_mail(&history->mail) ? PACK_HISTORY_MAIL : 0;
    flags |= history->form_count ? PACK_HISTORY_FORMS : 0;
    flags |= history->sql_ms ? PACK_HISTORY_SQL_MS : 0;
    flags |= history->stage_ms ? PACK_HISTORY_STAGE_MS : 0;
    flags |= sales->contact_ms ? PACK_HISTORY_CONTACT : 0;
    flags |= sales->has_deal ? PACK_HISTORY_DEAL : 0;
    flags |= history->adjusted ? PACK_HISTORY_ADJUSTED : 0;
    flags |= history->earlier_count ? PACK_HISTORY_EARLIER : 0;
    flags |= history->alias_count ? PACK_HISTORY_ALIASES : 0;
    flags |= history->into.size ? PACK_HISTORY_INTO : 0;
    flags |= has_pact(history) ? PACK_HISTORY_PACT : 0;
    flags |= history->shadow.of ? PACK_HISTORY_SHADOW : 0;
    return flags;
}

static uint8_t *put_sales(uint8_t *at, const struct baton_sales *sales, int64_t newest_ms)
{
    at = bytes_put_varint(at, sales->report);
    at = bytes_put_zigzag(at, newest_ms - sales->report_ms);
    at = bytes_put_varint(at, sales->seller);
    at = bytes_put_varint(at, sales->reason);
    return bytes_put_varint(at, sales->obstacle);
}

/* 0: never. A time of mails is never beyond newest_ms. */
static uint8_t *put_when(uint8_t *at, int64_t time_ms, int64_t newest_ms)
{
    return bytes_put_varint(at, time_ms ? (uint64_t)(newest_ms - time_ms) + 1 : 0);
}

static uint8_t *put_mail(uint8_t *at, const struct baton_mail *mail, int64_t newest_ms)
{
    for (unsigned i = 0; i < BATON_MAIL_KINDS; i++)
        at = bytes_put_varint(at, mail->counts[i]);
    at = put_when(at, mail->opened_ms, newest_ms);
    return put_when(at, mail->clicked_ms, newest_ms);
}

static uint8_t *put_forms(uint8_t *at, const struct baton_history *history, int64_t newest_ms)
{
    at = bytes_put_varint(at, history->form_count);
    for (uint8_t i = 0; i < history->form_count; i++) {
        at = bytes_put_varint(at, (uint64_t)(newest_ms - history->forms[i].time_ms));
        at = bytes_put_varint(at, history->forms[i].form);
        at = bytes_put_varint(at, history->forms[i].fields);
    }
    return at;
}

static uint8_t *put_earlier(uint8_t *at, const struct baton_history *history, int64_t newest_ms)
{
    at = bytes_put_varint(at, history->earlier_count);
    for (uint8_t i = 0; i < history->earlier_count; i++) {
        const struct baton_earlier *earlier = &history->earlier[i];
        at = bytes_put_zigzag(at, newest_ms - earlier->promoted_ms);
        at = bytes_put_zigzag(at, newest_ms - earlier->ended_ms);
        at = bytes_put_varint(at, earlier->reason);
        at = bytes_put_varint(at, earlier->generation);
        at = bytes_put_varint(at, earlier->stage);
    }
    return at;
}

static uint8_t *put_text(uint8_t *at, struct baton_text text)
{
    return bytes_put(bytes_put_varint(at, text.size), text.data, text.size);
}

static uint8_t *put_clock(uint8_t *at, const struct baton_clock *clock, int64_t newest_ms)
{
    at = bytes_put_zigzag(at, newest_ms - clock->start_ms);
    at = bytes_put_varint(at, (uint64_t)(clock->due_ms - clock->start_ms));
    at = bytes_put_varint(at, clock->remind_ms ? (uint64_t)(clock->due_ms - clock->remind_ms) : 0);
    *at++ = clock->stop_ms ? (uint8_t)(1 + clock->stop_report) : 0;
    return clock->stop_ms ? bytes_put_zigzag(at, clock->stop_ms - clock->start_ms) : at;
}

static uint8_t *put_pact(uint8_t *at, const struct baton_history *history, int64_t newest_ms)
{
    unsigned there = 0;
    for (unsigned i = 0; i < BATON_CLOCKS; i++) {
        there |= (history->clocks[i].start_ms ? 1u : 0) << i;
        there |= (history->clocks[i].estimated ? 1u : 0) << (i + PACK_CLOCKS_ESTIMATED_SHIFT);
    }
    at = bytes_put_varint(at, history->reports_seen);
    *at++ = (uint8_t)there;
    for (unsigned i = 0; i < BATON_CLOCKS; i++)
        if (history->clocks[i].start_ms)
            at = put_clock(at, &history->clocks[i], newest_ms);
    return at;
}

static uint8_t *put_presence(uint8_t *at, int64_t time_ms, int64_t newest_ms)
{
    *at++ = time_ms ? 1 : 0;
    return time_ms ? bytes_put_zigzag(at, newest_ms - time_ms) : at;
}

static uint8_t *put_shadow(uint8_t *at, const struct baton_shadowed *shadow, int64_t newest_ms)
{
    at = bytes_put_u32_le(at, shadow->of);
    at = put_presence(at, shadow->mql_ms, newest_ms);
    at = put_presence(at, shadow->sql_ms, newest_ms);
    return put_presence(at, shadow->live_ms, newest_ms);
}

uint8_t *history_pack(uint8_t *at, const struct baton_lead *lead)
{
    const struct baton_history *history = lead->history;
    uint32_t flags = flags_of(history);
    at = bytes_put_varint(at, flags);
    if (flags & PACK_HISTORY_SQL_MS)
        at = bytes_put_zigzag(at, lead->newest_ms - history->sql_ms);
    if (flags & PACK_HISTORY_STAGE_MS)
        at = bytes_put_zigzag(at, lead->newest_ms - history->stage_ms);
    if (flags & PACK_HISTORY_ADJUSTED)
        at = bytes_put_zigzag(at, history->adjusted);
    if (flags & PACK_HISTORY_SALES)
        at = put_sales(at, &history->sales, lead->newest_ms);
    if (flags & PACK_HISTORY_CONTACT)
        at = bytes_put_zigzag(at, lead->newest_ms - history->sales.contact_ms);
    if (flags & PACK_HISTORY_DEAL) {
        at = bytes_put_zigzag(at, history->sales.deal);
        at = bytes_put_varint(at, history->sales.currency);
    }
    if (flags & PACK_HISTORY_MAIL)
        at = put_mail(at, &history->mail, lead->newest_ms);
    if (flags & PACK_HISTORY_FORMS)
        at = put_forms(at, history, lead->newest_ms);
    if (flags & PACK_HISTORY_EARLIER)
        at = put_earlier(at, history, lead->newest_ms);
    if (flags & PACK_HISTORY_ALIASES) {
        at = bytes_put_varint(at, history->alias_count);
        for (uint8_t i = 0; i < history->alias_count; i++)
            at = put_text(at, history->aliases[i]);
    }
    if (flags & PACK_HISTORY_INTO)
        at = put_text(at, history->into);
    if (flags & PACK_HISTORY_PACT)
        at = put_pact(at, history, lead->newest_ms);
    return flags & PACK_HISTORY_SHADOW ? put_shadow(at, &history->shadow, lead->newest_ms) : at;
}
