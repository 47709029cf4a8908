/* Brokers that break off, lie, are silent, and all of that by chance. */
#include "fetch_world.h"

TestSuite(fetch_faults, .timeout = 110);

static struct world world;

/* ---- answers that are none ---- */

/* Every second answer goes wrong in the way that a test names. */
static fake_answer *wrong;

static bool closed_at_once(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    (void)fake;
    (void)request;
    (void)out;
    return false;
}

static bool closed_in_the_middle(struct fake *fake, const struct fake_request *request,
                                 struct bytes *out)
{
    (void)fake_serve(fake, request, out);
    out->size = request->number % 4 ? out->size / 2 : 3;
    return false;
}

static bool of_an_impossible_size(struct fake *fake, const struct fake_request *request,
                                  struct bytes *out)
{
    static const uint32_t sizes[] = {0, UINT32_MAX, INT32_MAX, UINT32_C(1) << 31};
    (void)fake_serve(fake, request, out);
    (void)big_endian_put32(out->at, sizes[request->number / 2 % 4]);
    return true;
}

/* Memory for it is not taken before it comes. */
static bool of_a_size_that_is_a_lie(struct fake *fake, const struct fake_request *request,
                                    struct bytes *out)
{
    (void)fake_serve(fake, request, out);
    (void)big_endian_put32(out->at, (UINT32_C(1) << 30) - 1);
    return false;
}

static bool to_another_question(struct fake *fake, const struct fake_request *request,
                                struct bytes *out)
{
    struct fake_request other = *request;
    other.correlation += request->number % 4 ? 1 : UINT32_MAX;
    return fake_serve(fake, &other, out);
}

static bool of_another_version(struct fake *fake, const struct fake_request *request,
                               struct bytes *out)
{
    struct fake_request other = *request;
    other.version = request->number % 4 ? 4 : 9;
    if (other.version == 9)
        (void)bytes_put(more(out, 9), "\0\0\0\5hello", 9);
    else
        (void)fake_serve(fake, &other, out);
    return true;
}

static bool with_an_error(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    (void)fake;
    *out = made_answer(request->version, request->correlation, 0, 70, NULL, 0);
    return true;
}

static bool of_other_units(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    struct made_part parts[4];
    for (int i = 0; i < 4; i++) {
        static const uint32_t units[] = {5, 70000, UINT32_MAX, 6};
        parts[i] = fake_part(fake, request->wishes);
        parts[i].unit = units[i];
    }
    *out = made_answer(request->version, request->correlation, 0, 0, parts, 4);
    return true;
}

static bool of_a_unit_twice(struct fake *fake, const struct fake_request *request,
                            struct bytes *out)
{
    struct made_part parts[3];
    for (int i = 0; i < 3; i++)
        parts[i] = fake_part(fake, request->wishes);
    size_t first = fetch_records_first(parts[0].records, (size_t)parts[0].size);
    parts[0].size = (int32_t)first;
    *out = made_answer(request->version, request->correlation, 0, 0, parts, 3);
    return true;
}

static bool of_nothing(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    (void)fake;
    *out = made_answer(request->version, request->correlation, 0, 0, NULL, 0);
    return true;
}

static fake_answer *const wrongs[] = {
    closed_at_once,      closed_in_the_middle, of_an_impossible_size, of_a_size_that_is_a_lie,
    to_another_question, of_another_version,   with_an_error,         of_other_units,
    of_a_unit_twice,     of_nothing,
};

static bool one_batch_at_a_time(struct fake *fake, const struct fake_request *request,
                                struct bytes *out)
{
    struct made_part parts[FAKE_WISHES];
    if (request->number % 2 == 0)
        return wrong(fake, request, out);
    for (size_t i = 0; i < request->count; i++) {
        parts[i] = fake_part(fake, &request->wishes[i]);
        parts[i].size = (int32_t)fetch_records_first(parts[i].records, (size_t)parts[i].size);
    }
    *out = made_answer(request->version, request->correlation, 0, 0, parts, request->count);
    return true;
}

Test(fetch_faults, an_answer_that_is_none_costs_nothing_but_time)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        open_world(&world, 1, 0);
        wrong = wrongs[i];
        world.brokers[0].answer = one_batch_at_a_time;
        fake_append(&world.logs[0], 4, 20, LZ4);
        fake_append(&world.logs[1], 4, 20, 0);
        expect(&world, 0, 0);
        expect(&world, 1, 5);
        read_to_end(&world, 0);
        read_to_end(&world, 1);
        close_world(&world);
    }
}

static bool always_wrong(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    return wrong(fake, request, out);
}

Test(fetch_faults, what_can_never_be_read_is_left_to_another_reader)
{
    open_world(&world, 1, 0);
    wrong = to_another_question;
    world.brokers[0].answer = always_wrong;
    fake_append(&world.logs[0], 4, 20, 0);
    expect(&world, 0, 7);
    cr_expect_str_eq(await_unsupported(&world), "answers of a broker that it cannot read");
    cr_expect_eq(fetcher_next(world.fetcher, 0), 7);
    close_world(&world);
}

/* ---- silence ---- */

static bool silent_once(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    return request->number == 2 ? silence(fake, request, out)
                                : only_the_first_is_whole(fake, request, out);
}

Test(fetch_faults, a_silent_broker_is_asked_anew)
{
    open_world(&world, 1, 300);
    world.brokers[0].answer = silent_once;
    fake_append(&world.logs[0], 4, 20, 0);
    expect(&world, 0, 0);
    read_to_end(&world, 0);
    cr_expect_geq(fake_connections(&world.brokers[0]), 2);
    close_world(&world);
}

/* All of it takes longer than silence may. */
Test(fetch_faults, a_slow_answer_is_awaited)
{
    open_world(&world, 1, ANSWER_MS);
    world.brokers[0].pace_ms = ANSWER_MS / 6;
    fake_append(&world.logs[0], 1, 200, 0);
    expect(&world, 0, 0);
    read_to(&world, 0, 200);
    cr_expect_eq(fake_connections(&world.brokers[0]), 1);
    close_world(&world);
}

static bool throttled(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    struct made_part part = fake_part(fake, request->wishes);
    *out = made_answer(request->version, request->correlation, request->number == 1 ? 400 : -400, 0,
                       &part, 1);
    return true;
}

/* It is not asked before the time is up; how long after does not matter. */
Test(fetch_faults, a_broker_that_wants_rest_gets_it)
{
    open_world(&world, 1, 0);
    world.brokers[0].answer = throttled;
    fake_append(&world.logs[0], 1, 200, 0);
    expect(&world, 0, 0);
    read_to_end(&world, 0);
    while (fake_fetches(&world.brokers[0]) < 3)
        cr_assert_eq(take_some(&world, 20, ROOM), 0);
    struct fake *broker = &world.brokers[0];
    int64_t rest_ms;
    fake_with(broker, rest_ms = broker->asked_ms[1] - broker->asked_ms[0]);
    cr_expect_geq(rest_ms, 395);
    close_world(&world);
}

/* ---- everything at once ---- */

static unsigned roll(struct fake *fake, unsigned limit)
{
    fake->dice = fake->dice * 1103515245u + 12345u;
    return (fake->dice >> 16) % limit;
}

/* Any number of batches of each unit, the last one cut; errors; what is wrong. */
static bool anything(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    struct made_part parts[FAKE_WISHES];
    bool had = false;
    if (roll(fake, 12) == 0) {
        fake_answer *answer = wrongs[roll(fake, sizeof wrongs / sizeof *wrongs)];
        /* Five in a row that cannot be read end it. */
        return (answer == to_another_question || answer == of_another_version
                    ? of_nothing
                    : answer)(fake, request, out);
    }
    for (size_t i = 0; i < request->count; i++) {
        parts[i] = fake_part(fake, &request->wishes[i]);
        size_t whole = 0, left = (size_t)parts[i].size;
        for (unsigned batches = roll(fake, 6) + !had; batches > 0; batches--)
            whole += fetch_records_first(parts[i].records + whole, left - whole);
        had = had || whole;
        size_t more = left - whole ? roll(fake, (unsigned)(left - whole)) : 0;
        parts[i].size = (int32_t)(whole + (whole ? more : 0));
        if (roll(fake, 15) == 0)
            parts[i] = (struct made_part){
                .unit = parts[i].unit, .error = roll(fake, 2) ? 6 : 1, .stable = -1, .size = -1};
    }
    *out = made_answer(request->version, request->correlation, roll(fake, 20) ? 0 : 3, 0, parts,
                       request->count);
    return roll(fake, 20) != 0;
}

/* Leaders move at any time, whoever was asked and whatever is half read. */
Test(fetch_faults, no_gap_and_no_double_in_a_storm)
{
    for (unsigned seed = 1; seed <= 6; seed++) {

        open_world(&world, 2, 0);
        world.brokers[0].answer = world.brokers[1].answer = anything;
        world.brokers[0].dice = seed * 7919;
        world.brokers[1].dice = seed * 15485863;
        for (uint32_t unit = 0; unit < 4; unit++) {
            fake_append(&world.logs[unit], 60, 500, unit & 1 ? LZ4 : 0);
            expect(&world, unit, 0);
        }
        unsigned moves = seed * 104729;
        int64_t left = 1;
        for (int i = 0; i < 100000 && left; i++) {
            (void)take_some(&world, 20, 1 + (moves >> 16) % (ROOM - 1));
            cr_assert_null(world.fetched.unsupported, "%s", world.fetched.unsupported);
            cr_assert(!world.fetched.error || world.fetched.error == 1, "%d", world.fetched.error);
            moves = moves * 1103515245u + 12345u;
            if ((moves >> 16) % 4 == 0) {
                uint32_t unit = (moves >> 20) % 4;
                world.leaders[unit] = (moves >> 24) & 1;
                fetcher_set_leader(world.fetcher, unit, world.leaders[unit]);
            }
            left = 0;
            for (uint32_t unit = 0; unit < 4; unit++)
                left += world.logs[unit].stable - world.next[unit];
        }
        cr_assert_eq(left, 0, "seed %u: %lld are left", seed, (long long)left);
        close_world(&world);
    }
}
