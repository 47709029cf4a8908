#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(arena, pieces_are_aligned_and_apart)
{
    struct arena arena;
    arena_init(&arena, 256);
    unsigned char *before = arena_take(&arena, 1);
    for (size_t size = 1; size < 200; size++) {
        unsigned char *piece = arena_take(&arena, size);
        cr_assert_eq((uintptr_t)piece % 16, 0);
        memset(piece, 0xff, size);
        cr_assert_neq(piece, before);
        before = piece;
    }
    arena_fini(&arena);
}

Test(arena, pieces_keep_their_bytes_until_the_reset)
{
    struct arena arena;
    arena_init(&arena, 64);
    char *pieces[50];
    for (int i = 0; i < 50; i++) {
        char text[8] = {(char)i, (char)(i + 1)};
        pieces[i] = arena_copy(&arena, text, sizeof text);
    }
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(pieces[i][0], i);
        cr_assert_eq(pieces[i][1], i + 1);
    }
    arena_fini(&arena);
}

Test(arena, a_piece_may_be_larger_than_a_block)
{
    struct arena arena;
    arena_init(&arena, 64);
    memset(arena_take(&arena, 10000), 1, 10000);
    memset(arena_take(&arena, 10), 2, 10);
    arena_fini(&arena);
}

Test(arena, after_a_reset_the_same_memory_serves_again)
{
    struct arena arena;
    arena_init(&arena, 128);
    for (int batch = 0; batch < 100; batch++) {
        for (int i = 0; i < 20; i++)
            memset(arena_take(&arena, 100), i, 100);
        memset(arena_take(&arena, 500), 7, 500);
        arena_reset(&arena);
        static size_t total;
        if (batch == 0)
            total = arena.total_bytes;
        cr_assert_eq(arena.total_bytes, total, "batch %d takes more than the first", batch);
    }
    arena_fini(&arena);
}

Test(arena, batches_of_growing_pieces_stay_apart)
{
    struct arena arena;
    arena_init(&arena, 64);
    for (size_t batch = 1; batch < 40; batch++) {
        unsigned char *pieces[8];
        for (size_t i = 0; i < 8; i++) {
            pieces[i] = arena_take(&arena, batch * 5 * (i + 1));
            memset(pieces[i], (int)i, batch * 5 * (i + 1));
        }
        for (size_t i = 0; i < 8; i++)
            cr_assert_eq(pieces[i][batch * 5 * (i + 1) - 1], i);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

Test(arena, nothing_may_be_taken_and_copied)
{
    struct arena arena;
    arena_init(&arena, 64);
    cr_assert_not_null(arena_take(&arena, 0));
    cr_assert_not_null(arena_copy(&arena, NULL, 0));
    arena_fini(&arena);
}

Test(arena, what_is_trimmed_is_taken_again)
{
    struct arena arena;
    arena_init(&arena, 1024);
    unsigned char *first = arena_take(&arena, 800);
    arena_trim(&arena, first, 17);
    unsigned char *second = arena_take(&arena, 900);
    cr_assert_eq(second, first + 32);
    cr_assert_eq(arena.total_bytes, 1024);
    arena_fini(&arena);
}
