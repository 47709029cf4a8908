/* A log kept as files, so that it can be folded again and again without a broker: every record as
 * it was, whatever an agreement makes of it. A folder holds it whole or is not there.
 *
 * The folder has a file per partition, 00000.log and so on; numbers are big-endian, as Kafka's:
 *
 *   file    "batonlog", then blocks: its head, any number of blocks of records, its end
 *   block   bytes u32, records u32, so many bytes, CRC-32C u32 of all that
 *   head    format u32 (1), when it was saved i64 (the same in all files), partitions u32, number
 *           u32, first and end offset i64, largest event in bytes u64, topic
 *   record  offset i64, timestamp i64 in ms, bytes of key and value i32 (-1: none), headers u32,
 *           then per header bytes of name u32 and of value i32 (-1: none), name, value; then key
 * and value end     no records, but how many the file has u64 */
#ifndef BACKTEST_SAVED_LOG_H
#define BACKTEST_SAVED_LOG_H

#include "backtest/backtest.h"

/* Of a saved log, from the log that it was made of. */
struct saved_facts {
    const char *topic;
    size_t event_bytes; /* see struct backtest_config */
    int64_t saved_ms;   /* log_saver_create sets it itself: it is that moment */
};

/* ---- keeping one */

struct log_saver;
/* `log` is borrowed. REJECT: there is something of that name. */
enum status log_saver_create(const char *folder, const struct backtest_log *log,
                             const struct saved_facts *facts, struct log_saver **out,
                             struct error *error);
/* Reads as `log` does, and keeps what is read. A reader's errors are those of `log`, or of the
 * disk (STOP). */
const struct backtest_log *log_saver_log(const struct log_saver *saver);
/* The folder gets its name. Only where every partition was read to its end. If the name is what
 * fails, the log stays under the name with .part, which the text says. */
enum status log_saver_finish(struct log_saver *saver, struct error *error);
/* Without log_saver_finish nothing of it is left. */
void log_saver_destroy(struct log_saver *saver);

/* ---- reading one */

struct saved_log;
bool saved_log_is_folder(const char *path);
bool saved_log_is_file(int file); /* one of a folder's, open; where it stands it stays */
/* REJECT: it is none, or not whole; the text says what to do. */
enum status saved_log_open(const char *folder, struct saved_log **out, struct error *error);
void saved_log_close(struct saved_log *saved); /* after its readers */
struct saved_facts saved_log_facts(const struct saved_log *saved);
/* A block that is damaged is a STOP, and nothing of it is handed out. */
const struct backtest_log *saved_log_log(const struct saved_log *saved);

#endif
