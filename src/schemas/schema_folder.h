/* Schemas in the files of a folder. */
#ifndef SCHEMAS_SCHEMA_FOLDER_H
#define SCHEMAS_SCHEMA_FOLDER_H

#include "pipeline/ports.h"

struct schema_folder;
struct schema_folder *schema_folder_create(const char *path);
void schema_folder_destroy(struct schema_folder *folder);
enum status schema_folder_get(struct schema_folder *folder, struct schema_key key,
                              struct arena *arena, struct baton_text *text, struct error *error);

#endif
