/* The leads of all partitions, and who of them are one person: a lead that was given up counts with
 * the one that it became. One thread. */
#ifndef BACKTEST_PERSONS_H
#define BACKTEST_PERSONS_H

#include "backtest/harvest.h"

struct persons;
struct persons *persons_create(void);
void persons_destroy(struct persons *persons);
/* Borrows from the harvest. To be added in the order of the partitions. */
void persons_add(struct persons *persons, const struct harvest *harvest);
/* Fills the groups and the rules; result->rules stands. */
void persons_judge(struct persons *persons, const struct baton_agreement *candidate,
                   struct backtest_result *result);

#endif
