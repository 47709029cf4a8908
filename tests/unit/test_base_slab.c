#include "base/slab.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 3000, ROUNDS = 200000 };

struct held {
    unsigned char *bytes;
    size_t size;
    unsigned char mark;
};

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void expect(const struct held *held, size_t size)
{
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(held->bytes[i], held->mark);
}

/* Sizes around every border, and larger than any piece. */
Test(slab, pieces_of_all_sizes_keep_their_bytes_while_others_come_and_go)
{
    struct slab slab;
    static struct held held[PIECES];
    uint64_t seed = 88172645463325252u;
    slab_init(&slab);
    for (int round = 0; round < ROUNDS; round++) {
        struct held *one = &held[next(&seed) % PIECES];
        size_t most = next(&seed) % 8 ? 300 : 3000, size = next(&seed) % most;
        if (next(&seed) % 4 == 0)
            size = 0;
        unsigned char *bytes = slab_resize(&slab, one->bytes, one->size, size);
        cr_assert_eq(bytes == NULL, size == 0);
        cr_assert_eq((uintptr_t)bytes % 16, 0);
        one->bytes = bytes;
        expect(one, size < one->size ? size : one->size);
        one->size = size;
        one->mark = (unsigned char)next(&seed);
        if (size)
            memset(bytes, one->mark, size);
    }
    for (int i = 0; i < PIECES; i++) {
        expect(&held[i], held[i].size);
        (void)slab_resize(&slab, held[i].bytes, held[i].size, 0);
    }
    slab_fini(&slab);
}

Test(slab, what_is_given_back_serves_again_for_the_same_size)
{
    struct slab slab;
    slab_init(&slab);
    for (size_t size = 1; size <= SLAB_LARGEST; size += 7) {
        void *first = slab_resize(&slab, NULL, 0, size);
        (void)slab_resize(&slab, first, size, 0);
        void *again = slab_resize(&slab, NULL, 0, size);
#ifndef __SANITIZE_ADDRESS__ /* it keeps what is given back for a while */
        cr_assert_eq(again, first);
#endif
        (void)slab_resize(&slab, again, size, 0);
    }
    slab_fini(&slab);
}

Test(slab, a_piece_stays_where_it_is_while_it_still_fits)
{
#ifndef __SANITIZE_ADDRESS__
    struct slab slab;
    slab_init(&slab);
    void *piece = slab_resize(&slab, NULL, 0, 65);
    cr_assert_eq(slab_resize(&slab, piece, 65, 128), piece);
    void *larger = slab_resize(&slab, piece, 128, 129);
    cr_assert_neq(larger, piece);
    (void)slab_resize(&slab, larger, 129, 0);
    slab_fini(&slab);
#endif
}

Test(slab, what_a_piece_takes_is_told)
{
    cr_assert_eq(slab_piece_bytes(0), 0);
    cr_assert_eq(slab_piece_bytes(1), 16);
    cr_assert_eq(slab_piece_bytes(48), 48);
    cr_assert_eq(slab_piece_bytes(49), 64);
    cr_assert_eq(slab_piece_bytes(64), 64);
    cr_assert_eq(slab_piece_bytes(65), 128);
    cr_assert_eq(slab_piece_bytes(SLAB_LARGEST), SLAB_LARGEST);
    cr_assert_eq(slab_piece_bytes(SLAB_LARGEST + 1), SLAB_LARGEST + 1);
}
