#include "base/base64.h"

#include <criterion/criterion.h>
#include <string.h>

Test(base64, the_vectors_of_rfc_4648)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[16] = "";
        uint8_t bytes[16];
        size_t size = strlen(pairs[i][0]), read;
        base64_write(pairs[i][0], size, text);
        cr_assert_str_eq(text, pairs[i][1]);
        cr_assert_eq(base64_text_size(size), strlen(pairs[i][1]));
        cr_assert(base64_read(text, strlen(text), bytes, &read));
        cr_assert(read == size && memcmp(bytes, pairs[i][0], size) == 0);
    }
}

Test(base64, what_is_none_is_refused)
{
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm9\n"};
    uint8_t bytes[16];
    size_t size;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(base64_read(bad[i], strlen(bad[i]), bytes, &size), "%s", bad[i]);
}
