#include "base/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <xxhash.h>

Test(hash, every_size_up_to_300_is_xxh64_of_the_library)
{
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + (i >> 3));
    for (size_t size = 0; size <= sizeof bytes; size++)
        cr_assert_eq(hash64(bytes, size, 0), XXH64(bytes, size, 0), "size %zu", size);
}

Test(hash, seeds_are_those_of_the_library)
{
    static const uint64_t seeds[] = {0, 1, 0x9E3779B1, UINT64_MAX};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        for (size_t size = 0; size < 70; size++) {
            const char *text =
                "the quick brown fox jumps over the lazy dog, and does so once again";
            size_t use = size < 67 ? size : 67;
            cr_assert_eq(hash64(text, use, seeds[i]), XXH64(text, use, seeds[i]));
        }
}

Test(hash, unaligned_bytes_hash_alike)
{
    uint8_t bytes[80] = {0};
    for (size_t shift = 1; shift < 9; shift++) {
        for (size_t i = 0; i < 64; i++)
            bytes[shift + i] = (uint8_t)i;
        cr_assert_eq(hash64(bytes + shift, 64, 7), XXH64(bytes + shift, 64, 7));
    }
}

Test(hash, no_bytes_need_no_memory)
{
    cr_assert_eq(hash64(NULL, 0, 0), XXH64("", 0, 0));
}

Test(hash, every_bit_of_a_quick_one_changes_both_of_its_halves)
{
    for (size_t size = 1; size <= 100; size++) {
        uint8_t bytes[100] = {0};
        uint64_t before = hash_quick(bytes, size, 3);
        cr_assert_neq((uint32_t)hash_quick(bytes, size - 1, 3), (uint32_t)before);
        cr_assert_neq((uint32_t)hash_quick(bytes, size, 4), (uint32_t)before);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            uint64_t after = hash_quick(bytes, size, 3);
            cr_assert_neq((uint32_t)after, (uint32_t)before, "size %zu, bit %zu", size, bit);
            cr_assert_neq(after >> 32, before >> 32, "size %zu, bit %zu", size, bit);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    cr_assert_eq(hash_quick(NULL, 0, 5), hash_quick("", 0, 5));
}

/* 16 on average: by chance none has more than 45. */
Test(hash, quick_ones_of_ids_in_a_row_spread_evenly)
{
    enum { IDS = 65536, PLACES = IDS / 16 };
    static const char *const forms[] = {"%d", "lead-%06d", "00000000-0000-4000-8000-%012d"};
    for (size_t form = 0; form < sizeof forms / sizeof *forms; form++) {
        unsigned low[PLACES] = {0}, high[PLACES] = {0};
        for (int i = 0; i < IDS; i++) {
            char id[64];
            int size = snprintf(id, sizeof id, forms[form], i);
            uint64_t hash = hash_quick(id, (size_t)size, 1);
            low[hash % PLACES]++;
            high[(hash >> 32) % PLACES]++;
        }
        for (int i = 0; i < PLACES; i++) {
            cr_assert_leq(low[i], 45);
            cr_assert_leq(high[i], 45);
        }
    }
}
