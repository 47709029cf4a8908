#include "text/currency.h"

bool currency_code(struct baton_text text, char code[4])
{
    bool good = text.size == 3;
    for (int i = 0; i < 3 && good; i++) {
        char c = text.data[i];
        code[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        good = code[i] >= 'A' && code[i] <= 'Z';
    }
    code[good ? 3 : 0] = '\0';
    return good;
}
