/* Which user agents are known to be crawlers: the list of data/crawlers, which travels in the
 * program. Any thread may read a list. */
#ifndef CRAWLERS_CRAWLERS_H
#define CRAWLERS_CRAWLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crawlers;

/* The list that travels in the program. */
struct crawlers *crawlers_create(void);
/* A list as data/crawlers/README.md describes; it is borrowed, and outlives what is returned. NULL:
 * a line begins with fewer than CRAWLER_HEAD_MIN bytes before its first `*`. */
#define CRAWLER_HEAD_MIN 3
struct crawlers *crawlers_create_from(const char *list, size_t size);
void crawlers_destroy(struct crawlers *crawlers);

/* Is a line of the list found in the user agent? */
bool crawlers_know(const struct crawlers *crawlers, const char *agent, size_t size);

/* A hash over the bytes of the program's list. */
uint64_t crawlers_version(void);

#endif
