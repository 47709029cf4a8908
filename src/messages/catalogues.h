/* The texts, one file per language. Private to this room. */
#ifndef MESSAGES_CATALOGUES_H
#define MESSAGES_CATALOGUES_H

#include "messages/messages.h"

extern const char *const catalogue_en[MESSAGES];
extern const char *const catalogue_pt[MESSAGES];
extern const char *const catalogue_es[MESSAGES];

#endif
