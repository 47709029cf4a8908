/* redis://[user:password@]host[:port][/database], unix:///path[?db=N&password=…&user=…]. Private to
 * this room. */
#ifndef CONFIG_REDIS_URL_H
#define CONFIG_REDIS_URL_H

#include "base/arena.h"
#include "config/config.h"

/* NULL: the address is filled, its texts from the arena; otherwise what is wrong with the URL. */
const char *redis_url_parse(struct arena *arena, const char *url,
                            struct config_redis_address *address);

#endif
