/* The profile of a lead: each field with its newest value, sorted by field and name. */
#ifndef DOMAIN_PROFILE_H
#define DOMAIN_PROFILE_H

#include <baton/scoring.h>

/* The value without case and accents, as conditions compare it, or an empty text. */
struct baton_text profile_folded(const struct baton_lead *lead, uint8_t field,
                                 struct baton_text name);

enum profile_outcome { PROFILE_TAKEN, PROFILE_IGNORED, PROFILE_NO_MEMORY };
/* Takes one field of an event; IGNORED: what is there is newer, or no agreement asks for it. */
enum profile_outcome profile_take(struct baton_lead *lead,
                                  const struct baton_profile_update *update, int64_t time_ms,
                                  const struct baton_agreement *agreement,
                                  struct baton_allocator *allocator);
/* Copies the three texts into one piece of memory of the value's own; false if there is none. */
bool profile_value_own(struct baton_profile_value *value, struct baton_allocator *allocator);
void profile_value_free(struct baton_profile_value *value, struct baton_allocator *allocator);
/* Order in the lead's array. */
int profile_value_compare(const struct baton_profile_value *value, uint8_t field,
                          struct baton_text name);

/* Sets what is derived of the profile: the persona, and the points for fit. */
void profile_refit(struct baton_lead *lead, const struct baton_agreement *agreement);

#endif
