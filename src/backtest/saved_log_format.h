/* What the writer and the reader of a saved log share; see saved_log.h. */
#ifndef BACKTEST_SAVED_LOG_FORMAT_H
#define BACKTEST_SAVED_LOG_FORMAT_H

#include <limits.h>

#define SAVED_MAGIC "batonlog"
#define SAVED_FORMAT 1

enum {
    SAVED_MAGIC_SIZE = 8,
    SAVED_BLOCK_BYTES =
        1 << 18, /* of an ordinary block: it fits into a cache of the second level */
    SAVED_BLOCK_HEAD = 8,
    SAVED_BLOCK_TAIL = 4,
    SAVED_RECORD_HEAD = 28,
    SAVED_HEAD_MAX = 1024, /* of the block with the file's head: a topic's name has 249 at most */
    SAVED_PARTITIONS_MAX = 100000, /* five digits */
    SAVED_PATH_MAX = PATH_MAX
};

#endif
