#include "text/fold.h"
#include "text/sha256.h"

#include <criterion/criterion.h>
#include <string.h>

static struct baton_text text(const char *data)
{
    return (struct baton_text){data, (uint32_t)strlen(data)};
}

static void folds_to(const char *in, const char *expected)
{
    struct arena arena;
    arena_init(&arena, 256);
    struct baton_text out = {0};
    cr_assert(text_fold(&arena, text(in), &out), "%s is UTF-8", in);
    cr_assert_eq(out.size, strlen(expected), "%s: %.*s", in, (int)out.size, out.data);
    cr_assert(memcmp(out.data, expected, out.size) == 0, "%s: %.*s", in, (int)out.size, out.data);
    arena_fini(&arena);
}

Test(fold, case_and_accents_do_not_matter)
{
    folds_to("DIRETORA", "diretora");
    folds_to("Jos\u00e9", "jose");
    folds_to("JOSE\u0301", "jose");
    folds_to("Stra\u00dfe", "strasse");
    folds_to("\u00c5ngstr\u00f6m", "angstrom");
    folds_to("plain text*", "plain text*");
    folds_to("\u0130stanbul", "istanbul");
    folds_to("\ufb03", "ffi");
    folds_to("\u0301", "");
    folds_to("\u0390", "\u03b9");
    folds_to("\uac01", "\u1100\u1161\u11a8");
    folds_to("", "");
}

Test(fold, a_text_that_is_not_utf8_is_refused)
{
    static const char *const bad[] = {"\xff",         "\xc0\x80",        "\xc3",
                                      "a\x80",        "\xed\xa0\x80",    "\xf4\x90\x80\x80",
                                      "\xe0\x80\x80", "\xf0\x80\x80\x80"};
    struct arena arena;
    arena_init(&arena, 256);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct baton_text out = {0};
        cr_expect_not(text_is_utf8(bad[i], strlen(bad[i])), "%zu", i);
        cr_expect_not(text_fold(&arena, text(bad[i]), &out), "%zu", i);
    }
    arena_fini(&arena);
}

Test(fold, nul_is_a_character)
{
    struct arena arena;
    arena_init(&arena, 256);
    struct baton_text out;
    cr_assert(text_fold(&arena, (struct baton_text){"A\0\xc3\x89", 4}, &out));
    cr_assert_eq(out.size, 3);
    cr_assert(memcmp(out.data, "a\0e", 3) == 0);
    arena_fini(&arena);
}

Test(fold, folding_twice_is_folding_once)
{
    struct arena arena;
    arena_init(&arena, 4096);
    for (uint32_t point = 0x80; point < 0x30000; point++) {
        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        char bytes[4];
        uint32_t size = 0;
        if (point >= 0x10000) {
            bytes[size++] = (char)(0xf0 | point >> 18);
            bytes[size++] = (char)(0x80 | (point >> 12 & 63));
        } else if (point >= 0x800) {
            bytes[size++] = (char)(0xe0 | point >> 12);
        }
        bytes[size++] =
            point >= 0x800 ? (char)(0x80 | (point >> 6 & 63)) : (char)(0xc0 | point >> 6);
        bytes[size++] = (char)(0x80 | (point & 63));
        struct baton_text once, twice;
        cr_assert(text_fold(&arena, (struct baton_text){bytes, size}, &once), "U+%04X", point);
        cr_assert(text_fold(&arena, once, &twice), "U+%04X", point);
        cr_expect(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0,
                  "U+%04X", point);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

Test(sha256, gives_the_published_vectors)
{
    char hex[SHA256_HEX_SIZE + 1];
    sha256_hex("abc", 3, hex);
    cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex("", 0, hex);
    cr_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
