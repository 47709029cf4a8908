#include "agreement/building.h"
void agreement_sentences(const struct agreement *agreement, struct text_buffer *out)
{
    text_buffer_print(out, "%s\n", agreement_name(agreement));
}
