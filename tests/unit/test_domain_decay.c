#include "domain_support.h"

#include <math.h>

static long double exact(uint64_t weight, int64_t age_ms, int64_t half_life_ms)
{
    return (long double)weight * exp2l(-(long double)age_ms / (long double)half_life_ms);
}

Test(decay, after_whole_half_lives_exactly_a_half_a_quarter_and_so_on)
{
    static const int64_t half_lives[] = {1,       2,      3,           1000,
                                         HOUR_MS, DAY_MS, 14 * DAY_MS, 3660 * DAY_MS};
    for (size_t i = 0; i < sizeof half_lives / sizeof *half_lives; i++)
        for (int n = 0; n <= 40; n++)
            cr_assert_eq(baton_decay(BATON_WEIGHT_ONE, n * half_lives[i], half_lives[i]),
                         BATON_WEIGHT_ONE >> n);
}

Test(decay, without_age_nothing_is_lost)
{
    cr_assert_eq(baton_decay(UINT64_MAX, 0, DAY_MS), UINT64_MAX);
    cr_assert_eq(baton_decay(1, 0, 1), 1);
    cr_assert_eq(baton_decay(0, 0, DAY_MS), 0);
}

Test(decay, halves_round_to_the_nearest)
{
    cr_assert_eq(baton_decay(3, DAY_MS, DAY_MS), 2);
    cr_assert_eq(baton_decay(1, DAY_MS, DAY_MS), 1);
    cr_assert_eq(baton_decay(1, 2 * DAY_MS, DAY_MS), 0);
    cr_assert_eq(baton_decay(UINT64_MAX, DAY_MS, DAY_MS), UINT64_C(1) << 63);
}

Test(decay, very_old_hits_are_worth_nothing)
{
    cr_assert_eq(baton_decay(UINT64_MAX, 64 * DAY_MS, DAY_MS), 0);
    cr_assert_eq(baton_decay(UINT64_MAX, 63 * DAY_MS, DAY_MS), 2, "the last step still rounds");
    cr_assert_eq(baton_decay(UINT64_MAX, BATON_TIME_MAX_MS, 1), 0);
    cr_assert_eq(baton_decay(UINT64_MAX, BATON_TIME_MAX_MS, BATON_HALF_LIFE_MAX_MS), 0);
}

Test(decay, agrees_with_real_powers_of_two)
{
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        int64_t half_life = 1 + (int64_t)below(&seed, (uint64_t)BATON_HALF_LIFE_MAX_MS);
        int64_t age = (int64_t)below(&seed, (uint64_t)half_life * 30);
        uint64_t weight = next_random(&seed) >> below(&seed, 30);
        long double expected = exact(weight, age, half_life);
        long double off = fabsl((long double)baton_decay(weight, age, half_life) - expected);
        cr_assert(off <= 1 + expected * 0x1p-46L, "weight %llu age %lld half-life %lld: off by %Lg",
                  (unsigned long long)weight, (long long)age, (long long)half_life, off);
    }
}

Test(decay, short_half_lives_agree_as_well)
{
    for (int64_t half_life = 1; half_life < 200; half_life++)
        for (int64_t age = 0; age < 5 * half_life; age++) {
            long double expected = exact(BATON_WEIGHT_ONE, age, half_life);
            long double got = (long double)baton_decay(BATON_WEIGHT_ONE, age, half_life);
            cr_assert(fabsl(got - expected) <= 1, "age %lld of %lld", (long long)age,
                      (long long)half_life);
        }
}

Test(decay, a_greater_age_is_never_worth_more)
{
    uint64_t before = BATON_WEIGHT_ONE;
    for (int64_t age = 0; age < 20 * DAY_MS; age += 61003) {
        uint64_t worth = baton_decay(BATON_WEIGHT_ONE, age, 3 * DAY_MS + 7);
        cr_assert_leq(worth, before);
        before = worth;
    }
}

/* Computed with docs/scoring.md in hand, in exact integers outside of this program. */
Test(decay, known_values_to_the_last_bit)
{
    cr_assert_eq(baton_decay(BATON_WEIGHT_ONE, DAY_MS, 14 * DAY_MS), UINT64_C(1046399886833));
    cr_assert_eq(baton_decay(UINT64_MAX, 5 * DAY_MS + 1, 2 * DAY_MS + 12345),
                 UINT64_C(3261358138292961532));
    cr_assert_eq(baton_decay(UINT64_C(123456789012345), 1, 3), UINT64_C(97987718375406));
    cr_assert_eq(baton_decay(BATON_WEIGHT_ONE, BATON_HALF_LIFE_MAX_MS - 1, BATON_HALF_LIFE_MAX_MS),
                 UINT64_C(549755813889));
}
