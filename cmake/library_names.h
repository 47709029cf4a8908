/* In the installed library every symbol begins with baton_, so that it fits beside whatever else a
 * program links; tests/install/run.sh sees to it. */
#define decay_table baton_core_decay_table
#define profile_fit baton_core_profile_fit
#define profile_folded baton_core_profile_folded
#define profile_take baton_core_profile_take
#define profile_value_compare baton_core_profile_value_compare
#define profile_value_free baton_core_profile_value_free
#define profile_value_own baton_core_profile_value_own
#define score_opens_mql baton_core_score_opens_mql
#define score_opens_sql baton_core_score_opens_sql
#define tally_find baton_core_tally_find
#define tally_hit baton_core_tally_hit
#define tally_hundredths baton_core_tally_hundredths
#define tally_of baton_core_tally_of
#define tally_points baton_core_tally_points
#define touch_add baton_core_touch_add
#define hash64 baton_core_hash64
#define number_parse baton_core_number_parse
