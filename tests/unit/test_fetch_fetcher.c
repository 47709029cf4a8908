/* The fetcher against brokers in good health, and ones that tell errors. */
#include "fetch_world.h"

TestSuite(fetch_fetcher, .timeout = 110);

static struct world world;

/* ---- in good health ---- */

Test(fetch_fetcher, records_come_and_the_end_is_told_once)
{
    open_world(&world, 1, 0);
    fake_append(&world.logs[2], 3, 40, 0);
    fake_append(&world.logs[2], 3, 400, LZ4);
    expect(&world, 2, 17);
    cr_expect_eq(fetcher_next(world.fetcher, 2), 17);
    cr_expect_eq(fetcher_next(world.fetcher, 5), -1);
    read_to_end(&world, 2);
    cr_expect_eq(world.next[2], 1320);
    cr_expect_eq(world.ends, 1);
    cr_expect_eq(fetcher_waiting(world.fetcher), 0);
    unsigned before = fake_fetches(&world.brokers[0]);
    while (fake_fetches(&world.brokers[0]) < before + 4)
        cr_assert_eq(take_some(&world, 20, ROOM), 0);
    fake_with(&world.brokers[0], fake_append(&world.logs[2], 1, 1, 0));
    read_to_end(&world, 2);
    cr_expect_eq(world.ends, 2);
    cr_expect_eq(fake_connections(&world.brokers[0]), 1);
    cr_expect_eq(world.asked_leaders, 1);
    close_world(&world);
}

Test(fetch_fetcher, every_version_is_spoken)
{
    for (int version = FETCH_VERSION_MIN; version <= FETCH_VERSION_MAX; version++) {
        open_world(&world, 1, 0);
        world.brokers[0].versions[1] = version;
        fake_append(&world.logs[0], 2, 10, LZ4);
        expect(&world, 0, 0);
        read_to_end(&world, 0);
        close_world(&world);
    }
}

Test(fetch_fetcher, units_of_two_brokers_come_evenly)
{
    open_world(&world, 2, 0);
    world.leaders[1] = world.leaders[3] = 1;
    for (uint32_t unit = 0; unit < 4; unit++) {
        fake_append(&world.logs[unit], 40, 500, unit & 1 ? LZ4 : 0);
        expect(&world, unit, 0);
    }
    /* Before one of them is at its end, the other one has had its turns. */
    while (world.next[0] + world.next[2] < 30000 && world.next[1] + world.next[3] < 30000)
        (void)take_some(&world, 50, 100);
    int64_t first = world.next[0] + world.next[2], second = world.next[1] + world.next[3];
    cr_expect(first > 5000 && second > 5000, "%lld and %lld", (long long)first, (long long)second);
    for (uint32_t unit = 0; unit < 4; unit++)
        read_to_end(&world, unit);
    close_world(&world);
}

Test(fetch_fetcher, each_unit_comes_first_in_turn)
{
    open_world(&world, 1, 0);
    world.brokers[0].answer = only_the_first_is_whole;
    for (uint32_t unit = 0; unit < 5; unit++) {
        fake_append(&world.logs[unit], 10, 300, 0);
        expect(&world, unit, 0);
    }
    while (world.next[0] < 1500)
        (void)take_some(&world, 50, ROOM);
    for (uint32_t unit = 0; unit < 5; unit++)
        cr_expect_geq(world.next[unit], 900, "unit %u is left behind", unit);
    for (uint32_t unit = 0; unit < 5; unit++)
        read_to_end(&world, unit);
    close_world(&world);
}

/* A replay may wait for a position behind marks. */
Test(fetch_fetcher, the_end_is_told_again_behind_marks_alone)
{
    open_world(&world, 1, 0);
    struct fake_log *log = &world.logs[0];
    fake_append(log, 1, 3, 0);
    expect(&world, 0, 0);
    read_to_end(&world, 0);
    fake_with(&world.brokers[0], {
        add_mark(&log->bytes, 3, 9, true);
        add_simple_batch(&log->bytes, 4, 2, IN_TRANSACTION, 8);
        add_mark(&log->bytes, 6, 8, false);
        log->aborted[0] = (struct fetch_aborted){8, 4};
        log->aborted_count = 1;
        log->stable = 7;
    });
    read_to_end(&world, 0);
    cr_expect_eq(world.ends, 2);
    cr_expect_eq(world.next[0], 3, "and nothing else came");
    close_world(&world);
}

Test(fetch_fetcher, what_was_forgotten_does_not_come)
{
    open_world(&world, 1, 0);
    for (uint32_t unit = 0; unit < 3; unit++)
        fake_append(&world.logs[unit], 10, 100, 0);
    for (int round = 0; round < 60; round++) {
        forget_all(&world);
        cr_assert_eq(fetcher_waiting(world.fetcher), 0);
        for (uint32_t unit = 0; unit < 3; unit++) {
            cr_assert_eq(fetcher_next(world.fetcher, unit), -1);
            if ((round >> unit) & 1)
                expect(&world, unit, round * 7 + unit);
        }
        /* In the middle of anything: nothing asked yet, asked, an answer half read. */
        for (int takes = 0; takes < round % 5; takes++)
            (void)take_some(&world, takes, 20);
    }
    forget_all(&world);
    expect(&world, 1, 990);
    read_to_end(&world, 1);
    close_world(&world);
}

/* Its answer would come late, and is to a question of before. */
Test(fetch_fetcher, a_unit_is_forgotten_while_a_request_is_under_way)
{
    open_world(&world, 1, 1000000); /* its silence does not help us */
    fake_append(&world.logs[0], 5, 10, 0);
    world.brokers[0].answer = silence;
    expect(&world, 0, 0);
    while (!fake_fetches(&world.brokers[0]))
        cr_assert_eq(take_some(&world, 20, ROOM), 0);
    forget_all(&world);
    fake_with(&world.brokers[0], world.brokers[0].answer = fake_serve);
    expect(&world, 0, 31);
    read_to_end(&world, 0);
    cr_expect_eq(fake_connections(&world.brokers[0]), 2);
    close_world(&world);
}

/* ---- leaders ---- */

static bool not_the_leader(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    struct made_part parts[FAKE_WISHES];
    for (size_t i = 0; i < request->count; i++) {
        parts[i] = fake_part(fake, &request->wishes[i]);
        if (request->wishes[i].unit == 0)
            parts[i] = (struct made_part){.error = 6, .stable = -1, .size = -1};
    }
    *out = made_answer(request->version, request->correlation, 0, 0, parts, request->count);
    return true;
}

Test(fetch_fetcher, a_unit_follows_its_leader)
{
    open_world(&world, 2, 0);
    fake_append(&world.logs[0], 5, 50, 0);
    fake_append(&world.logs[1], 5, 50, 0);
    expect(&world, 0, 0);
    expect(&world, 1, 0);
    read_to_end(&world, 0);
    read_to_end(&world, 1);
    cr_expect_eq(fake_connections(&world.brokers[1]), 0);
    fake_with(&world.brokers[0], {
        world.brokers[0].answer = not_the_leader;
        fake_append(&world.logs[0], 5, 50, LZ4);
        fake_append(&world.logs[1], 5, 50, LZ4);
    });
    world.leaders[0] = 1;
    read_to_end(&world, 0);
    read_to_end(&world, 1);
    cr_expect_eq(world.fetched.error, 0, "it is not the reader's affair");
    cr_expect_eq(fake_connections(&world.brokers[0]), 1, "unit 1 stays");
    cr_expect_eq(fake_connections(&world.brokers[1]), 1);
    close_world(&world);
}

Test(fetch_fetcher, a_leader_is_looked_for_until_there_is_one)
{
    static const int32_t nobody[] = {-1, 7}; /* none; one that is not among the brokers */
    for (size_t i = 0; i < 2; i++) {
        open_world(&world, 1, 0);
        fake_append(&world.logs[0], 1, 5, 0);
        world.leaders[0] = nobody[i];
        expect(&world, 0, 0);
        while (world.asked_leaders < 3)
            cr_assert_eq(take_some(&world, 20, ROOM), 0);
        world.leaders[0] = 0;
        read_to_end(&world, 0);
        close_world(&world);
    }
}

Test(fetch_fetcher, a_broker_may_move)
{
    open_world(&world, 2, 0);
    fake_append(&world.logs[0], 5, 50, 0);
    expect(&world, 0, 0);
    read_to(&world, 0, 250);
    fake_with(&world.brokers[0], fake_append(&world.logs[0], 5, 50, 0));
    fetcher_set_broker(world.fetcher, 0, "127.0.0.1", world.brokers[1].port);
    read_to_end(&world, 0);
    cr_expect_eq(fake_connections(&world.brokers[1]), 1);
    close_world(&world);
}

Test(fetch_fetcher, a_host_may_have_addresses_where_nobody_listens)
{
    open_world(&world, 1, 0);
    world.host = "localhost"; /* ::1 as well, on most machines */
    fake_append(&world.logs[0], 5, 50, 0);
    expect(&world, 0, 0);
    read_to_end(&world, 0);
    close_world(&world);
}

Test(fetch_fetcher, a_broker_that_is_not_there_is_tried_again)
{
    open_world(&world, 1, 0);
    int port = world.brokers[0].port;
    fake_append(&world.logs[0], 5, 50, 0);
    world.brokers[0].port = 1;
    expect(&world, 0, 0);
    while (world.asked_leaders < 3)
        cr_assert_eq(take_some(&world, 20, ROOM), 0);
    world.brokers[0].port = port;
    read_to_end(&world, 0);
    close_world(&world);
}

/* ---- errors ---- */

static int told; /* by the broker, of unit 1 */

static bool one_error(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    struct made_part parts[FAKE_WISHES];
    for (size_t i = 0; i < request->count; i++) {
        parts[i] = fake_part(fake, &request->wishes[i]);
        if (told && request->wishes[i].unit == 1)
            parts[i] = (struct made_part){.unit = 1, .error = told, .stable = -1, .size = -1};
    }
    *out = made_answer(request->version, request->correlation, 0, 0, parts, request->count);
    return true;
}

Test(fetch_fetcher, an_error_of_a_unit_is_told_and_it_is_asked_again)
{
    static const int errors[] = {1, 2, -1, 29};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_world(&world, 1, 0);
        told = errors[i];
        world.brokers[0].answer = one_error;
        fake_append(&world.logs[0], 5, 50, 0);
        fake_append(&world.logs[1], 5, 50, 0);
        expect(&world, 0, 0);
        expect(&world, 1, 100);
        for (int times = 0; times < 2; times++) {
            cr_assert_eq(await_error(&world), errors[i]);
            cr_assert_eq(world.fetched.unit, 1);
            cr_assert_eq(world.next[1], 100);
        }
        read_to(&world, 0, 250);
        fake_with(&world.brokers[0], told = 0);
        read_to_end(&world, 1);
        cr_expect_eq(fake_connections(&world.brokers[0]), 1);
        close_world(&world);
    }
}

Test(fetch_fetcher, what_a_new_leader_does_not_know_yet_is_no_error)
{
    open_world(&world, 1, 0);
    told = 78;
    world.brokers[0].answer = one_error;
    fake_append(&world.logs[1], 5, 50, 0);
    expect(&world, 1, 0);
    while (fake_fetches(&world.brokers[0]) < 3) {
        cr_assert_eq(take_some(&world, 20, ROOM), 0);
        cr_assert_eq(world.fetched.error, 0);
    }
    fake_with(&world.brokers[0], told = 0);
    read_to_end(&world, 1);
    close_world(&world);
}

/* Records before it come, and nothing behind it until it is whole. */
Test(fetch_fetcher, a_damaged_batch_is_told_and_asked_for_again)
{
    open_world(&world, 1, 0);
    fake_append(&world.logs[0], 5, 50, 0);
    fake_append(&world.logs[3], 1, 10, 0);
    world.logs[0].bytes.at[world.logs[0].bytes.size / 2] ^= 1; /* in the third one */
    expect(&world, 0, 0);
    expect(&world, 3, 0);
    cr_assert_eq(await_error(&world), 2);
    cr_expect_eq(world.fetched.unit, 0);
    cr_expect_eq(world.next[0], 100);
    cr_expect_eq(fetcher_next(world.fetcher, 0), 100);
    cr_assert_eq(await_error(&world), 2, "and again");
    cr_expect_eq(world.next[0], 100);
    read_to_end(&world, 3);
    fake_with(&world.brokers[0], world.logs[0].bytes.at[world.logs[0].bytes.size / 2] ^= 1);
    read_to_end(&world, 0);
    close_world(&world);
}

/* As much as a broker gives at once: the next question is under way while this is read. */
static bool twelve_batches(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    struct made_part part = fake_part(fake, request->wishes);
    size_t size = 0;
    for (int i = 0; i < 12; i++)
        size += fetch_records_first(part.records + size, (size_t)part.size - size);
    part.size = (int32_t)size;
    *out = made_answer(request->version, request->correlation, 0, 0, &part, 1);
    return true;
}

Test(fetch_fetcher, what_lies_behind_a_damaged_batch_waits)
{
    open_world(&world, 1, 0);
    world.brokers[0].answer = twelve_batches;
    fake_append(&world.logs[0], 40, 500, 0);
    uint8_t *damaged = world.logs[0].bytes.at + world.logs[0].bytes.size / 8;
    *damaged ^= 1;
    expect(&world, 0, 0);
    for (int times = 0; times < 2; times++) {
        cr_assert_eq(await_error(&world), 2);
        cr_assert_eq(world.next[0] % 500, 0);
        cr_assert_lt(world.next[0], 12 * 500);
    }
    fake_with(&world.brokers[0], *damaged ^= 1);
    read_to_end(&world, 0);
    close_world(&world);
}

static bool nothing_is_whole(struct fake *fake, const struct fake_request *request,
                             struct bytes *out)
{
    struct made_part part = fake_part(fake, request->wishes);
    part.size /= 2;
    *out = made_answer(request->version, request->correlation, 0, 0, &part, 1);
    return true;
}

Test(fetch_fetcher, a_batch_that_never_comes_whole_is_told)
{
    open_world(&world, 1, 0);
    world.brokers[0].answer = nothing_is_whole;
    fake_append(&world.logs[0], 1, 50, 0);
    expect(&world, 0, 0);
    cr_assert_eq(await_error(&world), 2);
    cr_expect_eq(world.next[0], 0);
    fake_with(&world.brokers[0], world.brokers[0].answer = fake_serve);
    read_to_end(&world, 0);
    close_world(&world);
}

/* ---- what another reader has to read ---- */

Test(fetch_fetcher, other_versions_and_codecs_are_told)
{
    struct bytes none = {0};
    open_world(&world, 1, 0);
    world.brokers[0].versions[0] = 12;
    expect(&world, 0, 3);
    cr_expect_str_eq(await_unsupported(&world),
                     "a broker whose versions of Fetch are others than 4 to 11");
    cr_expect_eq(fetcher_next(world.fetcher, 0), 3);
    close_world(&world);

    open_world(&world, 1, 0);
    told = 35;
    world.brokers[0].answer = one_error;
    expect(&world, 1, 3);
    cr_expect(strstr(await_unsupported(&world), "takes back the version"));
    close_world(&world);

    open_world(&world, 1, 0);
    fake_append(&world.logs[0], 2, 10, 0);
    add_batch(&world.logs[0].bytes,
              &(struct made_batch){.base = 20, .count = 1, .attributes = ZSTD}, &none);
    world.logs[0].stable = 21;
    fake_append(&world.logs[0], 2, 10, 0);
    fake_append(&world.logs[1], 2, 10, 0);
    expect(&world, 0, 4);
    expect(&world, 1, 6);
    cr_expect(strstr(await_unsupported(&world), "another codec than LZ4"));
    cr_expect_eq(world.next[0], 20, "all that comes before it was handed out");
    for (uint32_t unit = 0; unit < 2; unit++)
        cr_expect_eq(fetcher_next(world.fetcher, unit), world.next[unit]);
    /* From now on nothing comes. */
    cr_expect_eq(take_some(&world, 50, ROOM), 0);
    cr_expect_not_null(world.fetched.unsupported);
    close_world(&world);
}
