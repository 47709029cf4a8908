/* Where Redis is and what our keys are called there. */
#ifndef REDIS_REDIS_CONFIG_H
#define REDIS_REDIS_CONFIG_H

struct redis_config {
    const char *host; /* used where unix_path is NULL or empty */
    int port;
    const char *unix_path;
    const char *user;     /* NULL or empty: the default user */
    const char *password; /* NULL or empty: none */
    int database;
    const char *prefix; /* of all keys; without braces */
    int timeout_ms;     /* silence for so long ends a connection; 0: 5,000 */
};

#endif
