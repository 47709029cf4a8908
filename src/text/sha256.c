#include "text/sha256.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static void write_hex(const unsigned char *sum, unsigned int sum_size,
                      char hex[SHA256_HEX_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < sum_size; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[SHA256_HEX_SIZE] = 0;
}

void sha256_hex(const void *data, size_t size, char hex[SHA256_HEX_SIZE + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int sum_size = 0;
    int done = EVP_Digest(data, size, sum, &sum_size, EVP_sha256(), NULL);
    assert(done == 1 && 2 * sum_size == SHA256_HEX_SIZE);
    (void)done;
    write_hex(sum, sum_size, hex);
}

void hmac_sha256_hex(const void *key, size_t key_size, const void *data, size_t size,
                     char hex[SHA256_HEX_SIZE + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int sum_size = 0;
    const unsigned char *done = HMAC(EVP_sha256(), key, (int)key_size, data, size, sum, &sum_size);
    assert(done && 2 * sum_size == SHA256_HEX_SIZE);
    (void)done;
    write_hex(sum, sum_size, hex);
}
