/* The schemas of incoming messages: files of a folder, and a schema registry over HTTP. Adapters of
 * the pipeline's port; one thread each. */
#ifndef SCHEMAS_SCHEMAS_H
#define SCHEMAS_SCHEMAS_H

#include "pipeline/ports.h"

/* Either may be NULL or empty; the folder is asked first. Nothing is read or connected to yet.
 *
 * Folder: the schema in every *.avsc is known by its fingerprint; one in a file that is called by a
 * number, N.avsc or N.json, by that registry id as well. Looked through again when it does not hold
 * what is asked for, at most once a second; RETRY while it cannot be read.
 * Registry: GET URL/schemas/ids/N, user and password in the URL if it wants them. 404 and a schema
 * that cannot be used (references, another type than Avro) are REJECT; any other failure is RETRY.
 */
struct schema_source *schemas_create(const char *directory, const char *registry_url);

#endif
