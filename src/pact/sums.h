/* The counters of many units together, by text: words are numbers of their unit alone. */
#ifndef PACT_SUMS_H
#define PACT_SUMS_H

#include "domain/calendar.h"
#include "domain/field.h"
#include "pact/counters.h"

struct pact_sums;
struct pact_sums *sums_create(void);
void sums_destroy(struct pact_sums *sums);
/* Adds a unit's days that lie in the span, as the store holds them: `days` by decimal day (other
 * names are passed over) and `words` by decimal id, read after the days. False: damaged, and the
 * sums are worth nothing any more. */
bool sums_add_unit(struct pact_sums *sums, const struct field *days, size_t day_count,
                   const struct field *words, size_t word_count, struct calendar_span span);

/* Values and seconds as texts: of PACT_ALL "" (of PACT_OTHER the dimension's number), of other
 * dimensions the word, "(none)" or "(other)"; a second that is a number in decimal digits, one that
 * is a word as a value, else "". NULL is "". */
int64_t sums_get(const struct pact_sums *sums, enum pact_measure measure,
                 enum pact_dimension dimension, const char *value, const char *second,
                 struct calendar_span span);
struct sum_row {
    const char *value, *second; /* as long as the sums */
    int64_t amount;             /* not 0 */
};
/* In the order of the bytes of `value`, then of `second`. */
void sums_each(const struct pact_sums *sums, enum pact_measure measure,
               enum pact_dimension dimension, struct calendar_span span,
               void (*each)(void *context, const struct sum_row *row), void *context);

#endif
