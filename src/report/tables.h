/* The tables of a report, in the order in which they stand, and the columns of each. Ids are those
 * of JSON: they stay. Private to this room (and to its tests). */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include "report/report.h"

enum promises_column {
    PROMISES_SIDE,
    PROMISES_PROMISE,
    PROMISES_PER,
    PROMISES_PROMISED,
    PROMISES_KEPT,
    PROMISES_PERCENT,
    PROMISES_STATE,
    PROMISES_PROJECTED,
    PROMISES_OWNER
};
enum rates_column { RATES_RATE, RATES_AGREED, RATES_ACTUAL, RATES_NEEDED };
enum clocks_column { CLOCKS_PROMISE, CLOCKS_SELLER, CLOCKS_KEPT, CLOCKS_BROKEN, CLOCKS_PERCENT };
enum funnel_column { FUNNEL_STAGE, FUNNEL_COUNT, FUNNEL_TO_NEXT, FUNNEL_FROM_FIRST };
enum days_column { DAYS_FROM, DAYS_LEADS, DAYS_MQL, DAYS_SQL, DAYS_ACCEPTED, DAYS_CUSTOMERS };
/* of channels, and of campaigns */
enum sources_column {
    SOURCES_NAME,
    SOURCES_CURRENCY,
    SOURCES_SPEND,
    SOURCES_MQL,
    SOURCES_SQL,
    SOURCES_CUSTOMERS,
    SOURCES_COST_MQL,
    SOURCES_COST_SQL,
    SOURCES_COST_CUSTOMER,
    SOURCES_REVENUE
};
enum cheapest_column {
    CHEAPEST_NAME,
    CHEAPEST_KIND,
    CHEAPEST_CURRENCY,
    CHEAPEST_SPEND,
    CHEAPEST_CUSTOMERS,
    CHEAPEST_COST
};
enum best_column { BEST_NAME, BEST_KIND, BEST_SQL, BEST_CUSTOMERS, BEST_RATE };
/* of segments, and of sectors */
enum groups_column {
    GROUPS_NAME,
    GROUPS_MQL,
    GROUPS_SQL,
    GROUPS_WON,
    GROUPS_LOST,
    GROUPS_WIN_RATE,
    GROUPS_CONTACT,
    GROUPS_PROPOSAL,
    GROUPS_CUSTOMER
};
enum reasons_column { REASONS_REASON, REASONS_COUNT, REASONS_SHARE };
/* by page, and by campaign */
enum obstacles_column { OBSTACLES_OBSTACLE, OBSTACLES_WHERE, OBSTACLES_COUNT };
enum rules_column {
    RULES_RULE,
    RULES_LEADS,
    RULES_SQL,
    RULES_WON,
    RULES_LOST,
    RULES_PRECISION,
    RULES_RECALL,
    RULES_LIFT
};
enum silent_column { SILENT_NAME, SILENT_KIND };
enum shadow_column { SHADOW_GROUP, SHADOW_LEADS, SHADOW_WON, SHADOW_LOST, SHADOW_HOURS };

extern const struct report_shape table_promises, table_rates, table_clocks, table_funnel,
    table_days, table_channels, table_campaigns, table_cheapest, table_best, table_segments,
    table_sectors, table_reasons, table_obstacles_pages, table_obstacles_campaigns, table_rules,
    table_silent, table_shadow;

#endif
