#include "codec/spend.h"

#include "base/number.h"
#include "domain/span_text.h"
#include "text/currency.h"

#include <baton/lead.h>

#define HUNDREDTH (BATON_NUMBER_SCALE / 100)

/* ---- The event ------------------------------------------------------------------------------- */

static bool bad(struct decode_result *result, const char *what, struct baton_text text,
                const char *wanted)
{
    decode_result_dead(result, DEAD_BAD_CONTENT, "%s is '%.*s', and must be %s", what,
                       (int)(text.size > 60 ? 60 : text.size), text.data ? text.data : "", wanted);
    return false;
}

/* Texts that stand as they are: they name something. */
static bool is_name(struct decode_result *result, struct baton_text text, const char *what,
                    bool required)
{
    if (!text.size && required)
        decode_result_dead(result, DEAD_BAD_CONTENT, "%s is missing or empty", what);
    else if (text.size > BATON_WORD_MAX)
        decode_result_dead(result, DEAD_BAD_CONTENT, "%s has %u bytes, at most %d are kept", what,
                           (unsigned)text.size, BATON_WORD_MAX);
    else
        return true;
    return false;
}

/* The value's channel, else the message's key. */
static struct baton_text channel_of(const struct message *message, const struct raw_event *raw)
{
    struct baton_text channel = raw->texts[TARGET_CHANNEL];
    if (channel.size || !message->key || message->key_size > UINT32_MAX)
        return channel;
    struct baton_text key = {(const char *)message->key, (uint32_t)message->key_size};
    return raw_text_is_utf8(key) ? key : channel;
}

/* Hundredths, towards zero. */
static bool read_amount(struct decode_result *result, struct baton_text text, int64_t *amount)
{
    int64_t millionths;
    if (!text.size || !number_parse(text.data, text.size, &millionths) || millionths < 0)
        return bad(result, "`amount`", text, "a number, 0 or more, like 1200.50");
    *amount = millionths / HUNDREDTH;
    return true;
}

bool currency_read(struct baton_text text, struct arena *arena, struct baton_text *currency)
{
    char code[4];
    if (!currency_code(text, code))
        return false;
    *currency = (struct baton_text){arena_copy(arena, code, sizeof code), 3};
    return true;
}

bool spend_read(const struct message *message, const struct raw_event *raw, struct arena *arena,
                struct baton_event *event, struct decode_result *result)
{
    struct baton_spend *spend = arena_take(arena, sizeof *spend);
    *spend = (struct baton_spend){.channel = channel_of(message, raw),
                                  .campaign = raw->texts[TARGET_CAMPAIGN],
                                  .period = raw_event_rare(raw, TARGET_PERIOD),
                                  .currency = raw_event_rare(raw, TARGET_CURRENCY)};
    if (!is_name(result, spend->channel, "the channel (`channel`, or the key)", true) ||
        !is_name(result, spend->campaign, "`campaign`", false) ||
        !is_name(result, spend->currency, "`currency`", true) ||
        !read_amount(result, raw_event_rare(raw, TARGET_AMOUNT), &spend->amount))
        return false;
    if (!currency_read(spend->currency, arena, &spend->currency))
        return bad(result, "`currency`", spend->currency, CURRENCY_WANTED);
    struct calendar_span span;
    if (!span_text_read(spend->period, &span))
        return bad(result, "`period`", spend->period,
                   "like 2026-11-03, 2026-W45, 2026-11, 2026-Q4, 2026 or "
                   "2026-11-03..2026-11-16, of at most 400 days");
    spend->first_day = span.first;
    spend->end_day = span.end;
    event->spend = spend;
    return true;
}
