/* Codes of currencies, as in ISO 4217: three letters. */
#ifndef TEXT_CURRENCY_H
#define TEXT_CURRENCY_H

#include <baton/event.h>

#include <stdbool.h>

/* `code` gets it in capitals, with a 0 behind; false: it is none, and code is "". */
bool currency_code(struct baton_text text, char code[4]);

#endif
