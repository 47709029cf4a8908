/* Decimal numbers as conditions compare them: optional sign, 1 to 12 digits, optionally a point and
 * 1 to 6 digits; in millionths. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool number_parse(const char *text, size_t size, int64_t *millionths);

#endif
