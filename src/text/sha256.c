#include "text/sha256.h"

#include <assert.h>
#include <openssl/evp.h>

void sha256_hex(const void *data, size_t size, char hex[SHA256_HEX_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int sum_size = 0;
    int done = EVP_Digest(data, size, sum, &sum_size, EVP_sha256(), NULL);
    assert(done == 1 && 2 * sum_size == SHA256_HEX_SIZE);
    (void)done;
    for (unsigned i = 0; i < sum_size; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[SHA256_HEX_SIZE] = 0;
}
