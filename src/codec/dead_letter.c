#include "codec/dead_letter.h"

#include <stddef.h>

const char *dead_reason_name(enum dead_reason reason)
{
    static const char *const names[DEAD_REASONS] = {
        [DEAD_EMPTY] = "empty",
        [DEAD_UNKNOWN_FRAMING] = "unknown_framing",
        [DEAD_UNKNOWN_SCHEMA] = "unknown_schema",
        [DEAD_BAD_SCHEMA] = "bad_schema",
        [DEAD_UNREADABLE] = "unreadable",
        [DEAD_UNKNOWN_KIND] = "unknown_kind",
        [DEAD_NO_EVENT_ID] = "no_event_id",
        [DEAD_EVENT_ID_TOO_LONG] = "event_id_too_long",
        [DEAD_EVENT_ID_NOT_UTF8] = "event_id_not_utf8",
        [DEAD_NO_LEAD_ID] = "no_lead_id",
        [DEAD_LEAD_ID_TOO_LONG] = "lead_id_too_long",
        [DEAD_LEAD_ID_NOT_UTF8] = "lead_id_not_utf8",
        [DEAD_KEY_MISMATCH] = "key_mismatch",
        [DEAD_BAD_TIME] = "bad_time",
        [DEAD_FUTURE_TIME] = "future_time",
        [DEAD_BAD_CONTENT] = "bad_content",
        [DEAD_MERGE_INTO_ITSELF] = "merge_into_itself",
        [DEAD_MERGE_CYCLE] = "merge_cycle",
        [DEAD_TOO_LARGE] = "too_large",
    };
    return (unsigned)reason < DEAD_REASONS ? names[reason] : NULL;
}
