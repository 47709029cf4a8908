#include "direct/lz4_frame.h"

#include "base/bytes.h"

#include <dlfcn.h>
#include <pthread.h>

#define BLOCK_BYTES 65536
#define STORED UINT32_C(0x80000000) /* of a block's size: it is not compressed */
#define HEADER_BYTES 7
#define END_BYTES 4

/* int LZ4_compress_fast(const char *from, char *to, int size, int room, int acceleration) */
typedef int (*compressor)(const char *, char *, int, int, int);

static compressor compress;
static pthread_once_t found = PTHREAD_ONCE_INIT;

static void find_compressor(void)
{
    void *symbol = dlsym(RTLD_DEFAULT, "LZ4_compress_fast");
    memcpy(&compress, &symbol, sizeof compress);
}

bool lz4_frame_available(void)
{
    (void)pthread_once(&found, find_compressor);
    return compress != NULL;
}

size_t lz4_frame_bound(size_t size)
{
    /* A block that does not become smaller is stored as it is. */
    return HEADER_BYTES + size + (size / BLOCK_BYTES + 1) * 4 + END_BYTES;
}

size_t lz4_frame_write(const uint8_t *data, size_t size, uint8_t *room)
{
    /* Magic number; version 1 with independent blocks; blocks of 64 KiB at most; check byte. */
    static const uint8_t header[HEADER_BYTES] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82};
    (void)pthread_once(&found, find_compressor);
    uint8_t *at = bytes_put(room, header, sizeof header);
    while (size > 0) {
        uint32_t piece = size < BLOCK_BYTES ? (uint32_t)size : BLOCK_BYTES;
        int packed = compress((const char *)data, (char *)at + 4, (int)piece, (int)piece - 1, 1);
        if (packed > 0) {
            (void)bytes_put_u32_le(at, (uint32_t)packed);
            at += 4 + packed;
        } else {
            (void)bytes_put_u32_le(at, piece | STORED);
            at = bytes_put(at + 4, data, piece);
        }
        data += piece;
        size -= piece;
    }
    at = bytes_put_u32_le(at, 0);
    return (size_t)(at - room);
}
