#!/usr/bin/env bash
# The simulation is worth something only if it goes red: each seeded fault of the pipeline and of its
# ports in memory must be seen within some seeds, and the same seeds stay green without one.
# usage: tests/mutations/pipeline.sh [--seeds N] [FAULT…]     BATON_SIMULATION: the program
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${BATON_SIMULATION:-$root/build/asan/tests/unit/test_pipeline_simulation}
seeds=200
if [ "${1:-}" = --seeds ]; then
    seeds=$2
    shift 2
fi
faults=(no_fence no_read_check ignore_applied ahead keep late_r digest_last days_last regress
    forget_switch forget_verdict pass_over emit_replayed
    go_past forget_erasure erase_backwards forget_removal)
[ $# -gt 0 ] && faults=("$@")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export ASAN_OPTIONS=detect_leaks=0 # a test that fails leaves its world behind
passed=0 failed=0

# One seed under the fault in BATON_FAULT: does it stay green? A name that does not exist is no red.
green() {
    BATON_SIMULATION_SEED=$1 timeout 120 "$program" >"$log" 2>&1 && return 0
    if grep -q 'which does not exist' "$log"; then
        echo "FAIL $BATON_FAULT is not a fault of this build"
        exit 1
    fi
    return 1
}

if [ ! -x "$program" ]; then
    echo "FAIL $program is not built"
    exit 1
fi
red=
for seed in $(seq 1 20); do
    BATON_FAULT='' green "$seed" || red="$red $seed"
done
if [ -z "$red" ]; then
    echo "ok   without a fault 20 seeds stay green"
    passed=$((passed + 1))
else
    echo "FAIL without a fault: seeds$red"
    failed=$((failed + 1))
fi
for fault in "${faults[@]}"; do
    seen=
    for seed in $(seq 1 "$seeds"); do
        if ! BATON_FAULT=$fault green "$seed"; then
            seen=$seed
            break
        fi
    done
    if [ -n "$seen" ]; then
        echo "ok   $fault is seen at seed $seen: $(grep -A2 -m1 -i 'assertion' "$log" | grep -v '\] *$' | tail -n 1 | sed 's/^\[----\] *//' | cut -c1-110)"
        passed=$((passed + 1))
    else
        echo "FAIL $fault is not seen in $seeds seeds"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
