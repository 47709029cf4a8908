/* Why a message cannot be read. The order is the order of the checks, so that one message has one
 * reason; the numbers are part of the digest and never change. */
#ifndef CODEC_DEAD_LETTER_H
#define CODEC_DEAD_LETTER_H

enum dead_reason {
    DEAD_EMPTY = 1,
    DEAD_UNKNOWN_FRAMING,
    DEAD_UNKNOWN_SCHEMA,
    DEAD_BAD_SCHEMA,
    DEAD_UNREADABLE,
    DEAD_UNKNOWN_KIND,
    DEAD_NO_EVENT_ID,
    DEAD_EVENT_ID_TOO_LONG,
    DEAD_EVENT_ID_NOT_UTF8,
    DEAD_NO_LEAD_ID,
    DEAD_LEAD_ID_TOO_LONG,
    DEAD_LEAD_ID_NOT_UTF8,
    DEAD_KEY_MISMATCH,
    DEAD_BAD_TIME,
    DEAD_FUTURE_TIME,
    DEAD_BAD_CONTENT,
    DEAD_MERGE_INTO_ITSELF,
    DEAD_MERGE_CYCLE,
    DEAD_TOO_LARGE,
    DEAD_REASONS
};

/* "empty", "unknown_framing", …; as in the header of the dead letter. NULL for no reason. */
const char *dead_reason_name(enum dead_reason reason);

#endif
