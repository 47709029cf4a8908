/* Drawings of a table as inline SVG. Lengths are parts of the width that the page has, so that a
 * drawing fits a telephone and its texts keep their size. Private to this room. */
#ifndef REPORT_DRAWING_H
#define REPORT_DRAWING_H

#include "report/say.h"

/* Nothing where the table has no drawing or nothing to draw. */
void drawing_svg(const struct report_table *table, struct speech *speech);
/* Text between tags and in attributes. */
void html_escape(struct text_buffer *out, const char *text);

#endif
