#include "report/tables.h"

/* clang-format off */
#define COLUMNS(...)                       \
    .columns = (const struct report_column[]){__VA_ARGS__}, \
    .column_count = sizeof((const struct report_column[]){__VA_ARGS__}) / sizeof(struct report_column)

const struct report_shape table_promises = {
    .id = "promises", .section = MESSAGE_REPORT_SECTION_PROMISES, .title = MESSAGE_REPORT_T_PROMISES,
    .note = MESSAGES, .labels = 2, .drawing = DRAW_AGAINST, .drawn = PROMISES_PERCENT, .judged = 1 + PROMISES_STATE,
    COLUMNS({"side", MESSAGE_REPORT_H_SIDE}, {"promise", MESSAGE_REPORT_H_PROMISE},
            {"per", MESSAGE_REPORT_H_PER}, {"promised", MESSAGE_REPORT_H_PROMISED},
            {"kept", MESSAGE_REPORT_H_KEPT}, {"percent", MESSAGE_REPORT_H_PERCENT},
            {"state", MESSAGE_REPORT_H_STATE}, {"projected", MESSAGE_REPORT_H_PROJECTED},
            {"owner", MESSAGE_REPORT_H_OWNER})};

const struct report_shape table_rates = {
    .id = "rates", .section = MESSAGE_REPORT_SECTION_PROMISES, .title = MESSAGE_REPORT_T_RATES,
    .note = MESSAGE_REPORT_N_RATES, .labels = 1,
    COLUMNS({"rate", MESSAGE_REPORT_H_RATE}, {"agreed", MESSAGE_REPORT_H_AGREED},
            {"actual", MESSAGE_REPORT_H_ACTUAL}, {"sqls_needed", MESSAGE_REPORT_H_NEEDED})};

const struct report_shape table_clocks = {
    .id = "clocks", .section = MESSAGE_REPORT_SECTION_PROMISES, .title = MESSAGE_REPORT_T_CLOCKS,
    .note = MESSAGES, .labels = 2,
    COLUMNS({"promise", MESSAGE_REPORT_H_PROMISE}, {"seller", MESSAGE_REPORT_H_SELLER},
            {"kept", MESSAGE_REPORT_H_KEPT}, {"broken", MESSAGE_REPORT_H_BROKEN},
            {"percent", MESSAGE_REPORT_H_PERCENT})};

const struct report_shape table_funnel = {
    .id = "funnel", .section = MESSAGE_REPORT_SECTION_FUNNEL, .title = MESSAGE_REPORT_T_FUNNEL,
    .note = MESSAGE_REPORT_N_FUNNEL, .labels = 1, .drawing = DRAW_FUNNEL, .drawn = FUNNEL_COUNT,
    COLUMNS({"stage", MESSAGE_REPORT_H_STAGE}, {"count", MESSAGE_REPORT_H_COUNT},
            {"to_next", MESSAGE_REPORT_H_TO_NEXT}, {"from_first", MESSAGE_REPORT_H_FROM_FIRST})};

const struct report_shape table_days = {
    .id = "days", .section = MESSAGE_REPORT_SECTION_FUNNEL, .title = MESSAGE_REPORT_T_DAYS,
    .note = MESSAGES, .labels = 1, .drawing = DRAW_TIME, .drawn = DAYS_LEADS,
    COLUMNS({"from", MESSAGE_REPORT_H_FROM}, {"leads", MESSAGE_REPORT_H_LEADS},
            {"mql", MESSAGE_REPORT_H_MQL}, {"sql", MESSAGE_REPORT_H_SQL},
            {"accepted", MESSAGE_REPORT_H_ACCEPTED}, {"customers", MESSAGE_REPORT_H_CUSTOMERS})};

const struct report_shape table_channels = {
    .id = "channels", .section = MESSAGE_REPORT_SECTION_CHANNELS, .title = MESSAGE_REPORT_T_CHANNELS,
    .note = MESSAGE_REPORT_N_COSTS, .labels = 2, .drawing = DRAW_BARS, .drawn = SOURCES_SQL,
    COLUMNS({"channel", MESSAGE_REPORT_H_CHANNEL}, {"currency", MESSAGE_REPORT_H_CURRENCY},
            {"spend", MESSAGE_REPORT_H_SPEND}, {"mql", MESSAGE_REPORT_H_MQL},
            {"sql", MESSAGE_REPORT_H_SQL}, {"customers", MESSAGE_REPORT_H_CUSTOMERS},
            {"cost_per_mql", MESSAGE_REPORT_H_COST_MQL},
            {"cost_per_sql", MESSAGE_REPORT_H_COST_SQL},
            {"cost_per_customer", MESSAGE_REPORT_H_COST_CUSTOMER},
            {"revenue", MESSAGE_REPORT_H_REVENUE})};

const struct report_shape table_campaigns = {
    .id = "campaigns", .section = MESSAGE_REPORT_SECTION_CHANNELS, .title = MESSAGE_REPORT_T_CAMPAIGNS,
    .note = MESSAGES, .labels = 2,
    COLUMNS({"campaign", MESSAGE_REPORT_H_CAMPAIGN}, {"currency", MESSAGE_REPORT_H_CURRENCY},
            {"spend", MESSAGE_REPORT_H_SPEND}, {"mql", MESSAGE_REPORT_H_MQL},
            {"sql", MESSAGE_REPORT_H_SQL}, {"customers", MESSAGE_REPORT_H_CUSTOMERS},
            {"cost_per_mql", MESSAGE_REPORT_H_COST_MQL},
            {"cost_per_sql", MESSAGE_REPORT_H_COST_SQL},
            {"cost_per_customer", MESSAGE_REPORT_H_COST_CUSTOMER},
            {"revenue", MESSAGE_REPORT_H_REVENUE})};

const struct report_shape table_cheapest = {
    .id = "cheapest", .section = MESSAGE_REPORT_SECTION_CHANNELS, .title = MESSAGE_REPORT_T_CHEAPEST,
    .note = MESSAGES, .labels = 2,
    COLUMNS({"name", MESSAGE_REPORT_H_NAME}, {"kind", MESSAGE_REPORT_H_KIND},
            {"currency", MESSAGE_REPORT_H_CURRENCY}, {"spend", MESSAGE_REPORT_H_SPEND},
            {"customers", MESSAGE_REPORT_H_CUSTOMERS},
            {"cost_per_customer", MESSAGE_REPORT_H_COST_CUSTOMER})};

const struct report_shape table_best = {
    .id = "best", .section = MESSAGE_REPORT_SECTION_CHANNELS, .title = MESSAGE_REPORT_T_BEST,
    .note = MESSAGE_REPORT_N_BEST, .labels = 2, .drawing = DRAW_BARS, .drawn = BEST_RATE,
    COLUMNS({"name", MESSAGE_REPORT_H_NAME}, {"kind", MESSAGE_REPORT_H_KIND},
            {"sql", MESSAGE_REPORT_H_SQL}, {"customers", MESSAGE_REPORT_H_CUSTOMERS},
            {"customers_per_sql", MESSAGE_REPORT_H_PER_SQL})};

const struct report_shape table_segments = {
    .id = "segments", .section = MESSAGE_REPORT_SECTION_QUALITY, .title = MESSAGE_REPORT_T_SEGMENTS,
    .note = MESSAGE_REPORT_N_WIN_RATE, .labels = 1, .drawing = DRAW_BARS, .drawn = GROUPS_WIN_RATE,
    COLUMNS({"segment", MESSAGE_REPORT_H_SEGMENT}, {"mql", MESSAGE_REPORT_H_MQL},
            {"sql", MESSAGE_REPORT_H_SQL}, {"won", MESSAGE_REPORT_H_WON},
            {"lost", MESSAGE_REPORT_H_LOST}, {"win_rate", MESSAGE_REPORT_H_WIN_RATE},
            {"days_to_contact", MESSAGE_REPORT_H_DAYS_CONTACT},
            {"days_to_proposal", MESSAGE_REPORT_H_DAYS_PROPOSAL},
            {"days_to_customer", MESSAGE_REPORT_H_DAYS_CUSTOMER})};

const struct report_shape table_sectors = {
    .id = "sectors", .section = MESSAGE_REPORT_SECTION_QUALITY, .title = MESSAGE_REPORT_T_SECTORS,
    .note = MESSAGES, .labels = 1, .drawing = DRAW_BARS, .drawn = GROUPS_WIN_RATE,
    COLUMNS({"sector", MESSAGE_REPORT_H_SECTOR}, {"mql", MESSAGE_REPORT_H_MQL},
            {"sql", MESSAGE_REPORT_H_SQL}, {"won", MESSAGE_REPORT_H_WON},
            {"lost", MESSAGE_REPORT_H_LOST}, {"win_rate", MESSAGE_REPORT_H_WIN_RATE},
            {"days_to_contact", MESSAGE_REPORT_H_DAYS_CONTACT},
            {"days_to_proposal", MESSAGE_REPORT_H_DAYS_PROPOSAL},
            {"days_to_customer", MESSAGE_REPORT_H_DAYS_CUSTOMER})};

const struct report_shape table_reasons = {
    .id = "reasons", .section = MESSAGE_REPORT_SECTION_SALES, .title = MESSAGE_REPORT_T_REASONS,
    .note = MESSAGES, .labels = 1, .drawing = DRAW_BARS, .drawn = REASONS_COUNT,
    COLUMNS({"reason", MESSAGE_REPORT_H_REASON}, {"count", MESSAGE_REPORT_H_COUNT},
            {"share", MESSAGE_REPORT_H_FROM_FIRST})};

const struct report_shape table_obstacles_pages = {
    .id = "obstacles_pages", .section = MESSAGE_REPORT_SECTION_SALES, .title = MESSAGE_REPORT_T_OBSTACLES_PAGES,
    .note = MESSAGES, .labels = 2,
    COLUMNS({"obstacle", MESSAGE_REPORT_H_OBSTACLE}, {"page", MESSAGE_REPORT_H_PAGE},
            {"count", MESSAGE_REPORT_H_COUNT})};

const struct report_shape table_obstacles_campaigns = {
    .id = "obstacles_campaigns", .section = MESSAGE_REPORT_SECTION_SALES, .title = MESSAGE_REPORT_T_OBSTACLES_CAMPAIGNS,
    .note = MESSAGES, .labels = 2,
    COLUMNS({"obstacle", MESSAGE_REPORT_H_OBSTACLE}, {"campaign", MESSAGE_REPORT_H_CAMPAIGN},
            {"count", MESSAGE_REPORT_H_COUNT})};

const struct report_shape table_rules = {
    .id = "rules", .section = MESSAGE_REPORT_SECTION_RULES, .title = MESSAGE_REPORT_T_RULES,
    .note = MESSAGE_REPORT_N_RULES, .labels = 1,
    COLUMNS({"rule", MESSAGE_REPORT_H_RULE}, {"leads", MESSAGE_REPORT_H_LEADS},
            {"sql", MESSAGE_REPORT_H_SQL}, {"won", MESSAGE_REPORT_H_WON},
            {"lost", MESSAGE_REPORT_H_LOST}, {"precision", MESSAGE_REPORT_H_PRECISION},
            {"recall", MESSAGE_REPORT_H_RECALL}, {"lift", MESSAGE_REPORT_H_LIFT})};

const struct report_shape table_silent = {
    .id = "silent", .section = MESSAGE_REPORT_SECTION_RULES, .title = MESSAGE_REPORT_T_SILENT,
    .note = MESSAGE_REPORT_N_SILENT, .labels = 1,
    COLUMNS({"name", MESSAGE_REPORT_H_NAME}, {"kind", MESSAGE_REPORT_H_KIND})};

const struct report_shape table_shadow = {
    .id = "shadow", .section = MESSAGE_REPORT_SECTION_RULES, .title = MESSAGE_REPORT_T_SHADOW,
    .note = MESSAGE_REPORT_N_SHADOW, .labels = 1,
    COLUMNS({"group", MESSAGE_REPORT_H_GROUP}, {"leads", MESSAGE_REPORT_H_LEADS},
            {"won", MESSAGE_REPORT_H_WON}, {"lost", MESSAGE_REPORT_H_LOST},
            {"hours_earlier", MESSAGE_REPORT_H_HOURS_EARLIER})};
/* clang-format on */
