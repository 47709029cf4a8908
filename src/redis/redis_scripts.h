/* The scripts that run inside Redis. Only for redis/. */
#ifndef REDIS_REDIS_SCRIPTS_H
#define REDIS_REDIS_SCRIPTS_H

#include "redis/redis_connection.h"

enum script { SCRIPT_CLAIM, SCRIPT_WRITE, SCRIPTS };

struct scripts {
    char sha[SCRIPTS][41];
};

/* Seeded fault for tests of the tests: neither scripts nor reads look at the fence. Never true in a
 * release build. */
bool fence_is_ignored(void);
/* Gives the scripts to the server; nothing else may be outstanding on the connection. */
enum status scripts_load(struct scripts *scripts, struct connection *connection,
                         struct error *error);

/* Chunks of a lead in the write script's short form: at most. */
#define SCRIPT_SHORT_CHUNKS 8u
/* In place of the number of fields to set: the key is removed. */
#define WRITE_REMOVES_KEY "-1"

#endif
