#include "base/nearest.h"

#include <string.h>

#define WORD_MAX 48

static char plain(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c == '-' || c == ' ' ? '_' : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table of distances. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t k = 0; k <= b_size; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= b_size; k++) {
            size_t change = plain(a[i - 1]) == plain(b[k - 1]) ? 0 : 1;
            row[k] = least(least(above[k] + 1, row[k - 1] + 1), above[k - 1] + change);
            if (i > 1 && k > 1 && plain(a[i - 1]) == plain(b[k - 2]) &&
                plain(a[i - 2]) == plain(b[k - 1]))
                row[k] = least(row[k], rows[(i - 2) % 3][k - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

const char *nearest_word(const char *word, size_t size, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t best_distance = size <= 3 ? 2 : size <= 6 ? 3 : 4; /* nothing as far as this */
    if (!size || size > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i])
            continue;
        size_t candidate_size = strlen(candidates[i]);
        if (candidate_size > WORD_MAX || candidate_size < 2)
            continue;
        size_t found = distance(word, size, candidates[i], candidate_size);
        if (found < best_distance) {
            best = candidates[i];
            best_distance = found;
        }
    }
    return best;
}
