/* Memory for the trees of outgoing records: jansson asks for some hundred small pieces for each,
 * and all go at once. Between begin and end what this thread asks jansson for is cut from the
 * region, as long as there is room; none of it may live longer. */
#ifndef CODEC_JSON_REGION_H
#define CODEC_JSON_REGION_H

#include <stddef.h>

struct json_region;

struct json_region *json_region_create(size_t bytes);
void json_region_destroy(struct json_region *region);
/* Not one within another. */
void json_region_begin(struct json_region *region);
void json_region_end(struct json_region *region);

#endif
