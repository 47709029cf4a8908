/* What a run found, with what is needed to repeat it: one JSON line per run in FOLDER/KIND.jsonl.
 *
 *     {"kind": "count", "at": "2026-11-22T11:00:00Z", "commit": "8ffbd26", "dirty": false,
 *      "machine": {cpu, cores, memory_bytes, kernel, os}, "versions": {baton, librdkafka, …},
 *      "arguments": […], "options": {all of them, defaults too}, "seed": 1, "data": {…}} */
#ifndef BENCH_COMMON_RESULT_H
#define BENCH_COMMON_RESULT_H

#include "common/options.h"

#include <jansson.h>
#include <stdio.h>

/* Where text for people goes: stderr with --json, else stdout. */
FILE *result_text(bool json);

/* Everything but "data". `kind` names the file. argv[0] is the subcommand. */
json_t *result_create(const char *kind, const struct options *options, const void *values, int argc,
                      char **argv);

/* Takes over both. Appends the result with its data to FOLDER/KIND.jsonl (NULL: results/ of the
 * source tree; "none": nothing is kept), and with `json` prints the data as the last line of
 * stdout. Returns 0, or 1 after a line on stderr. */
int result_finish(json_t *result, json_t *data, const char *folder, bool json);

#endif
