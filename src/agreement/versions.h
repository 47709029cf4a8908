/* The versions of one agreement, each in force from its day on: of a file, one; of a folder, those
 * of all its files. A set is made once and then only read, by any thread. */
#ifndef AGREEMENT_VERSIONS_H
#define AGREEMENT_VERSIONS_H

#include "agreement/agreement.h"

struct versions;

/* A file, or a folder of *.yaml. STATUS_STOP: *out is NULL. `messages` gets what agreement_load
 * says of every file, and what is wrong with the set: the same day or the same version number
 * twice, another agreement's name, a file without `effective` beside others, an empty folder. */
enum status versions_load(const char *path, struct versions **out, struct text_buffer *messages);
/* The same in steps, for who looks at each text: the paths of its files, by name (NULL with a
 * message: it is a folder without agreements), an empty set that takes agreements over, and what is
 * wrong with the set of at least one, which is in order of its days from then on. */
char **versions_files(const char *path, size_t *count, struct text_buffer *messages);
void versions_files_free(char **files, size_t count);
struct versions *versions_create(void);
void versions_add(struct versions *versions, struct agreement *owned, const char *file);
bool versions_fit(struct versions *versions, struct text_buffer *messages);
/* A set of this one, which is borrowed. */
struct versions *versions_of(const struct agreement *agreement);
void versions_destroy(struct versions *versions);

size_t versions_count(const struct versions *versions); /* at least 1 */
/* By the day from which on they are in force. */
const struct agreement *versions_get(const struct versions *versions, size_t index);
const char *versions_file(const struct versions *versions, size_t index);
/* In force at a time: the newest whose day has come; before the first day the first. */
const struct agreement *versions_at(const struct versions *versions, int64_t time_ms);
/* When the next one behind it is in force; INT64_MAX: there is none. */
int64_t versions_next_ms(const struct versions *versions, int64_t time_ms);
/* NULL: none has this hash. */
const struct agreement *versions_find(const struct versions *versions, const char *hash);
/* Takes the one in force at the time out of the set, and destroys the others with the set. */
struct agreement *versions_take(struct versions *versions, int64_t time_ms);

#endif
