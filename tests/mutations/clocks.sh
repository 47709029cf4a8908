#!/usr/bin/env bash
# The same for clocks: tests/mutations/pipeline.sh with the storm in which hours go by.
# Seen by test_pipeline_clocks: clock_unconfirmed (the_store_never_knows_of_a_time_that_is_not_committed), and
# clock_lingers (what_another_owner_told_is_not_in_the_index_any_more).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export BATON_SIMULATION=${BATON_CLOCK_STORM:-$root/build/asan/tests/unit/test_pipeline_clock_storm}
exec "$root/tests/mutations/pipeline.sh" "$@" clock_ahead clock_twice clock_forget clock_unindexed \
    clock_ended_by_c
