/* The website that the traffic is of: its pages, what is clicked on them, where people come from.
 */
#ifndef BENCH_TRAFFIC_SITE_H
#define BENCH_TRAFFIC_SITE_H

#include <stddef.h>

#define SITE_ADDRESS "https://www.example.com"

enum {
    SITE_INTERESTS = 4,
    SITE_PAGES_EACH = 6, /* pages of an interest */
    SITE_PAGES = SITE_INTERESTS * SITE_PAGES_EACH,
    SITE_TARGETS = 8,
    SITE_FORMS = 4,
    SITE_SOURCES = 10,
    SITE_AGENTS = 6,
    SITE_PEOPLE = 16 /* of each list below */
};

extern const char *const site_pages[SITE_PAGES]; /* by interest */
extern const char *const site_targets[SITE_TARGETS];
extern const char *const site_forms[SITE_FORMS];

struct site_source {
    const char *referrer, *channel, *campaign; /* NULL: none */
};
extern const struct site_source site_sources[SITE_SOURCES];
extern const char *const site_agents[SITE_AGENTS];

extern const char *const site_first_names[SITE_PEOPLE], *const site_last_names[SITE_PEOPLE];
extern const char *const site_companies[SITE_PEOPLE], *const site_job_titles[SITE_PEOPLE];
extern const char *const site_sectors[SITE_PEOPLE], *const site_countries[SITE_PEOPLE];

#endif
