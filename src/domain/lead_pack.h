/* The packed form of a lead, version 2. Numbers are LEB128 varints unless said otherwise; a word
 * stands as its id; a time `t` as newest_ms - t, and where it may be newer than that, zigzag.
 *
 *   u8   version
 *   u32  checksum, little-endian: low half of XXH64 of all that follows, seed = version
 *   size of the whole form, these three included
 *   flags (PACK_…)
 *   applied, newest_ms, events
 *   [first_ms] [generation] [conversions] [stage_offset] [mql_ms zigzag]
 *   recent_count × 7 bytes, little-endian
 *   [first_channel, first_channel_ms, last_channel, last_channel_ms]
 *   [number of tallies, each: u32 rule_hash little-endian, count << 3 | parts;
 *       with a bucket: bucket (zigzag), bucket_count, before_count;
 *       with a weight: weight, weight_ms;
 *       with a window: newest_day (zigzag), number of days up to the last that is not 0, counts]
 *   [number of touches, each: kind | PACK_TOUCH_BY_PAGE, time before the touch before it (the
 *       first: before newest_ms), page, campaign, channel, rules]
 *   [number of profile values, each: field | PACK_OWN_FOLDED, time, [size and bytes of a
 *       property's name,] size and bytes of the value, [size and bytes of the folded text, if it
 *       differs]]
 *   [history: its flags (PACK_HISTORY_…), then, those that are there:
 *       sql_ms zigzag; stage_ms zigzag; adjusted zigzag;
 *       sales: report, report_ms zigzag, seller, reason, obstacle; contact_ms zigzag;
 *       deal zigzag, currency;
 *       mail: counts, opened_ms zigzag + 1 or 0, clicked_ms the same (0: never);
 *       forms: number, each: time, form, fields; earlier: number, each: promoted_ms zigzag,
 *       ended_ms zigzag, reason, generation, stage; aliases: number, each: size and bytes;
 *       into: size and bytes;
 *       pact: reports_seen, u8 (bits 0 to 2: which clocks, bits 4 to 6: which are estimated), each
 *       clock: start_ms zigzag, due - start, due - remind (0: none), u8 0 or, stopped, 1 + the
 *       report that did it and then stop - start zigzag; shadow: u32 `of` little-endian, three
 *       times: u8 0 or 1 and then the time zigzag]
 *
 * What stands in front of `events` stands there in every version.
 *
 * Version 1 is read, and not written: its flags stood otherwise (PACK1_…), count << 2 | parts, no
 * first_ms, stage_offset, windows and history; behind generation and conversions stood [stage_ms]
 * [mql_ms] [sql_ms]. */
#ifndef DOMAIN_LEAD_PACK_H
#define DOMAIN_LEAD_PACK_H

#include <baton/lead.h>

#define PACK_VERSION 2u
#define PACK_CHECKED_AT 5u /* where the bytes under the checksum begin */

/* By how often they are there: each seven of them are a byte. */
#define PACK_STAGE 0x7u /* the stage itself */
#define PACK_RECENT_SHIFT 3u
#define PACK_RECENT 0xFu /* four bits: recent_count */
#define PACK_TALLIES 0x80u
#define PACK_CHANNELS 0x100u
#define PACK_FIRST_MS 0x200u /* it is not newest_ms */
#define PACK_TOUCHES 0x400u
#define PACK_CONVERSIONS 0x800u
#define PACK_PROFILE 0x1000u
#define PACK_MQL_MS 0x2000u
#define PACK_STAGE_OFFSET 0x4000u
#define PACK_HISTORY 0x8000u
#define PACK_GENERATION 0x10000u
#define PACK_MERGED 0x20000u
#define PACK_EMPTIED 0x40000u
#define PACK_ERASED 0x80000u
#define PACK_FLAGS_END 0x100000u

#define PACK1_STAGE 0x3u
#define PACK1_GENERATION 0x4u
#define PACK1_TALLIES 0x8u
#define PACK1_CHANNELS 0x10u
#define PACK1_TOUCHES 0x20u
#define PACK1_CONVERSIONS 0x40u
#define PACK1_PROFILE 0x80u
#define PACK1_STAGE_MS 0x100u
#define PACK1_MQL_MS 0x200u
#define PACK1_SQL_MS 0x400u
#define PACK1_RECENT_SHIFT 11u
#define PACK1_FLAGS_END 0x8000u

#define PACK_TOUCH_BY_PAGE 0x80u /* of a touch's first byte */

#define PACK_FIELD 0xFu /* of a profile value's first byte */
#define PACK_OWN_FOLDED 0x10u

#define PACK_HISTORY_SALES 0x1u
#define PACK_HISTORY_MAIL 0x2u
#define PACK_HISTORY_FORMS 0x4u
#define PACK_HISTORY_SQL_MS 0x8u
#define PACK_HISTORY_STAGE_MS 0x10u
#define PACK_HISTORY_CONTACT 0x20u
#define PACK_HISTORY_DEAL 0x40u
#define PACK_HISTORY_ADJUSTED 0x80u
#define PACK_HISTORY_EARLIER 0x100u
#define PACK_HISTORY_ALIASES 0x200u
#define PACK_HISTORY_INTO 0x400u
#define PACK_HISTORY_PACT 0x800u
#define PACK_HISTORY_SHADOW 0x1000u
#define PACK_HISTORY_END 0x2000u

#define PACK_CLOCKS_ESTIMATED_SHIFT 4u /* of the byte that says which clocks are there */

size_t history_pack_bound(const struct baton_history *history);
uint8_t *history_pack(uint8_t *at, const struct baton_lead *lead);

#endif
