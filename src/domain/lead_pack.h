/* The packed form of a lead, version 1. Numbers are LEB128 varints unless said otherwise.
 *
 *   u8   version
 *   u32  checksum, little-endian: low half of XXH64 of all that follows, seed = version
 *   size of the whole form, these three included
 *   flags (PACK_…)
 *   applied, newest_ms, events
 *   [generation] [conversions]
 *   [stage_ms] [mql_ms] [sql_ms]       newest_ms - it, zigzag: a restored stage may be newer than
 * all events recent_count × 7 bytes, little-endian [first_channel, newest_ms - first_channel_ms,
 * last_channel, newest_ms - last_channel_ms] [number of tallies, each: u32 rule_hash little-endian,
 * count << 2 | parts, with a bucket: bucket (zigzag), bucket_count, before_count; with a weight:
 * weight, newest_ms - weight_ms] [number of touches, each: kind |
 * PACK_TOUCH_BY_PAGE, time before the touch before it
 * (the first: before newest_ms), page, campaign, channel, rules] [number of profile values, each:
 * field | PACK_OWN_FOLDED, newest_ms - time_ms, [size and bytes of a property's name,] size and
 * bytes of the value, [size and bytes of the folded text, if it differs]] */
#ifndef DOMAIN_LEAD_PACK_H
#define DOMAIN_LEAD_PACK_H

#include <baton/lead.h>

#define PACK_VERSION 1u
#define PACK_CHECKED_AT 5u /* where the bytes under the checksum begin */

#define PACK_STAGE 0x3u /* the stage itself */
#define PACK_GENERATION 0x4u
#define PACK_TALLIES 0x8u
#define PACK_CHANNELS 0x10u
#define PACK_TOUCHES 0x20u
#define PACK_CONVERSIONS 0x40u
#define PACK_PROFILE 0x80u
#define PACK_STAGE_MS 0x100u
#define PACK_MQL_MS 0x200u
#define PACK_SQL_MS 0x400u
#define PACK_RECENT_SHIFT 11u /* four bits: recent_count */
#define PACK_FLAGS_END 0x8000u

#define PACK_TOUCH_BY_PAGE 0x80u /* of a touch's first byte */

#define PACK_FIELD 0xFu /* of a profile value's first byte */
#define PACK_OWN_FOLDED 0x10u

/* The time that stage_ms has where it is not written down: that of entering the stage. */
static inline int64_t pack_usual_stage_ms(const struct baton_lead *lead)
{
    return lead->stage == BATON_SQL ? lead->sql_ms : lead->stage == BATON_MQL ? lead->mql_ms : 0;
}

#endif
