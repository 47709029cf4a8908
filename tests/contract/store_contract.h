/* What every store must do, whoever it talks to: the checks of ports.h that the store in memory and
 * the one on Redis both pass.
 *
 *   STORE_CONTRACT_TESTS(redis_contract, open_redis, close_redis)
 *
 * makes one Criterion test per check: open_redis(contract) fills in store_contract, for a store
 * that is empty, and close_redis(contract) ends it. */
#ifndef CONTRACT_STORE_CONTRACT_H
#define CONTRACT_STORE_CONTRACT_H

#include "contract/store_contract_fence.h"
#include "contract/store_contract_hashes.h"
#include "contract/store_contract_leads.h"
#include "contract/store_contract_loads.h"
#include "contract/store_contract_scan.h"

#define STORE_CONTRACT_CHECKS(X, suite, opens, closes)                                             \
    X(suite, opens, closes, a_new_unit_holds_nothing)                                              \
    X(suite, opens, closes, a_claim_gives_the_fields_written_before)                               \
    X(suite, opens, closes, an_empty_value_removes_a_field)                                        \
    X(suite, opens, closes, a_write_moves_the_step_by_one)                                         \
    X(suite, opens, closes, leads_of_all_sizes_come_back)                                          \
    X(suite, opens, closes, a_lead_that_shrinks_leaves_nothing_behind)                             \
    X(suite, opens, closes, a_removed_lead_is_as_if_it_had_never_been)                             \
    X(suite, opens, closes, a_stage_is_told_until_there_is_another)                                \
    X(suite, opens, closes, a_former_form_is_said_until_it_is_written_anew)                        \
    X(suite, opens, closes, a_write_may_hold_leads_of_every_form)                                  \
    X(suite, opens, closes, lead_ids_are_bytes)                                                    \
    X(suite, opens, closes, a_load_answers_in_the_order_of_the_ids)                                \
    X(suite, opens, closes, a_load_sees_the_writes_queued_before_it)                               \
    X(suite, opens, closes, loads_under_way_are_answered_in_their_turn)                            \
    X(suite, opens, closes, loads_of_several_units_are_under_way_at_once)                          \
    X(suite, opens, closes, a_load_asked_after_a_new_claim_is_refused)                             \
    X(suite, opens, closes, a_load_under_another_step_is_refused)                                  \
    X(suite, opens, closes, a_write_copies_what_it_is_given)                                       \
    X(suite, opens, closes, words_and_texts_come_back)                                             \
    X(suite, opens, closes, days_and_clocks_come_back)                                             \
    X(suite, opens, closes, an_empty_value_removes_a_day_or_clock)                                 \
    X(suite, opens, closes, days_and_clocks_are_fenced)                                            \
    X(suite, opens, closes, a_peek_needs_no_claim)                                                 \
    X(suite, opens, closes, clear_takes_days_and_clocks)                                           \
    X(suite, opens, closes, units_do_not_share_anything)                                           \
    X(suite, opens, closes, a_former_owner_can_neither_read_nor_write)                             \
    X(suite, opens, closes, fenced_is_said_until_the_unit_is_claimed_again)                        \
    X(suite, opens, closes, of_pipelined_writes_none_gets_past_a_new_claim)                        \
    X(suite, opens, closes, the_token_alone_is_no_fence)                                           \
    X(suite, opens, closes, the_step_alone_is_no_fence)                                            \
    X(suite, opens, closes, a_write_is_all_or_nothing)                                             \
    X(suite, opens, closes, clear_takes_leads_and_words_and_nothing_else)                          \
    X(suite, opens, closes, a_store_that_fell_back_fences_its_present_owner)                       \
    X(suite, opens, closes, a_scan_gives_every_lead)                                               \
    X(suite, opens, closes, a_scan_goes_on_by_its_cursor)                                          \
    X(suite, opens, closes, a_strange_cursor_begins_anew)                                          \
    X(suite, opens, closes, a_torn_lead_is_an_error_that_names_it)

#define STORE_CONTRACT_TEST(suite, opens, closes, check)                                           \
    Test(suite, check, .timeout = 60)                                                              \
    {                                                                                              \
        struct store_contract contract = {0};                                                      \
        opens(&contract);                                                                          \
        store_contract_##check(&contract);                                                         \
        closes(&contract);                                                                         \
    }

#define STORE_CONTRACT_TESTS(suite, opens, closes)                                                 \
    STORE_CONTRACT_CHECKS(STORE_CONTRACT_TEST, suite, opens, closes)

#endif
