/* Who signed an agreement, and what: a signature names the hash of the text that was signed, so
 * that a text that has changed since is known to be another. Signing writes one item of `signed`;
 * every other byte of the text stays as it is. */
#ifndef AGREEMENT_SIGNING_H
#define AGREEMENT_SIGNING_H

#include "agreement/agreement.h"

#define AGREEMENT_HASH_SIZE 32 /* hex digits */
#define SIGNING_NAME_MAX 200   /* bytes of a name */

enum signing_side { SIGNING_MARKETING, SIGNING_SALES, SIGNING_SIDES };

struct yaml_node;
struct signature {
    enum signing_side side;
    const char *by, *date;        /* as written; the date is 2026-11-01 */
    const char *hash;             /* NULL: a name only, which signs nothing */
    const struct yaml_node *node; /* its item in the text */
};

const char *signing_side_name(enum signing_side side); /* "marketing", "sales": words of the text */
bool signing_side_find(const char *name, enum signing_side *side);

/* All items of `signed`, in the order of the text. */
const struct signature *agreement_signatures(const struct agreement *agreement, size_t *count);
/* What the side has signed: this text, where it has; else what it signed last, by its date; NULL:
 * nothing. */
const struct signature *agreement_signature(const struct agreement *agreement,
                                            enum signing_side side);
/* Is it a signature of this text? NULL is none. */
bool agreement_is_signed(const struct agreement *agreement, const struct signature *signature);
/* By both sides? */
bool agreement_is_agreed(const struct agreement *agreement);

/* The agreement's text with the side's signature of it, into `out`; an item of the side is written
 * anew (that of the same name, if there are several), else one is added. `date`: 2026-11-01.
 * REJECT: the text is written in a way that this cannot be put into, or the name cannot stand in a
 * text; the error says what to do. */
enum status signing_write(const struct agreement *agreement, enum signing_side side, const char *by,
                          const char *date, struct text_buffer *out, struct error *error);

/* signed/HASH.yaml in the folder of the file: where a text is kept when it is signed. */
void signing_kept_path(const char *file, const char *hash, struct text_buffer *path);
/* Keeps the text there, if it is not there yet, and writes it to the file at once: a reader sees
 * the one text or the other. REJECT: a file cannot be written; the error names it. */
enum status signing_save(const char *file, const char *hash, const struct text_buffer *text,
                         struct error *error);

#endif
