#include "base/hash.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u,
                      P4 = 0x85EBCA77C2B2AE63u, P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t read64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static uint32_t read32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    return x;
}

static uint64_t round64(uint64_t sum, uint64_t input)
{
    return rotate(sum + input * P2, 31) * P1;
}

static uint64_t merge(uint64_t hash, uint64_t sum)
{
    return (hash ^ round64(0, sum)) * P1 + P4;
}

static uint64_t long_input(const uint8_t **at, const uint8_t *end, uint64_t seed)
{
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    const uint8_t *p = *at;
    do {
        a = round64(a, read64(p));
        b = round64(b, read64(p + 8));
        c = round64(c, read64(p + 16));
        d = round64(d, read64(p + 24));
        p += 32;
    } while (end - p >= 32);
    *at = p;
    uint64_t hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return merge(merge(merge(merge(hash, a), b), c), d);
}

uint64_t hash64(const void *data, size_t size, uint64_t seed)
{
    const uint8_t *p = data, *end = size ? p + size : p; /* of no bytes there may be no place */
    uint64_t hash = size >= 32 ? long_input(&p, end, seed) : seed + P5;
    hash += (uint64_t)size;
    for (; end - p >= 8; p += 8)
        hash = rotate(hash ^ round64(0, read64(p)), 27) * P1 + P4;
    if (end - p >= 4) {
        hash = rotate(hash ^ (read32(p) * P1), 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++)
        hash = rotate(hash ^ (*p * P5), 11) * P1;
    hash = (hash ^ (hash >> 33)) * P2;
    hash = (hash ^ (hash >> 29)) * P3;
    return hash ^ (hash >> 32);
}

/* ---- the quick one ---- */

static const uint64_t S0 = 0x2D358DCCAA6C78A5u, S1 = 0x8BB84B93962EACC9u;

static uint64_t near64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint64_t near32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* Both halves of the product. */
static void multiply(uint64_t *a, uint64_t *b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)*a * *b;
    *a = (uint64_t)product;
    *b = (uint64_t)(product >> 64);
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
    multiply(&a, &b);
    return a ^ b;
}

uint64_t hash_quick(const void *data, size_t size, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t a = 0, b = 0;
    seed ^= mixed(seed ^ S0, S1);
    if (size > 16) {
        size_t left = size;
        for (; left > 16; left -= 16, p += 16)
            seed = mixed(near64(p) ^ S1, near64(p + 8) ^ seed);
        a = near64(p + left - 16);
        b = near64(p + left - 8);
    } else if (size >= 4) {
        size_t second = size >> 3 << 2;
        a = near32(p) << 32 | near32(p + second);
        b = near32(p + size - 4) << 32 | near32(p + size - 4 - second);
    } else if (size) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[size >> 1] << 8 | p[size - 1];
    }
    a ^= S1;
    b ^= seed;
    multiply(&a, &b);
    return mixed(a ^ S0 ^ size, b ^ S1);
}
