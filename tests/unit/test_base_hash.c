#include "base/hash.h"

#include <criterion/criterion.h>
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
