/* What a message and a schema may be at most. The limits decide verdicts: they are part of the
 * input configuration's hash, and a change of one is a change of DECODER_VERSION. */
#ifndef CODEC_LIMITS_H
#define CODEC_LIMITS_H

#define DECODER_VERSION 5

#define MESSAGE_BYTES_MAX (64u * 1024 * 1024)
#define DECODE_DEPTH_MAX 64      /* levels of nesting in a message */
#define DECODE_ITEMS_MAX 1000000 /* items of all arrays and maps of a message together */
#define SCHEMA_BYTES_MAX (256u * 1024)
#define SCHEMA_DEPTH_MAX 64         /* levels of nesting in a schema */
#define SCHEMA_NAMED_TYPES_MAX 1000 /* records, enums and fixeds of a schema */
#define SCHEMA_FIXED_MAX (1 << 20)  /* bytes of a fixed */
#define FIELD_PATH_DEPTH_MAX 16     /* segments of a configured field name */

#endif
