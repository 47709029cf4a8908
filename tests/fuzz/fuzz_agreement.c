/* Any bytes as an agreement: findings or a checked agreement, which can be read aloud and parses
 * again to the same hash. */
#include "agreement/agreement.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agreement *agreement, *again;
    struct text_buffer messages = {0};
    enum status status =
        agreement_parse("f", (const char *)data, size, NULL, 0, &agreement, &messages);
    assert((status == STATUS_OK) == (agreement != NULL));
    assert(agreement || messages.size > 0);
    if (agreement) {
        const struct baton_agreement *compiled = agreement_compiled(agreement);
        struct text_buffer sentences = {0};
        for (int language = 0; language < LANGUAGES; language++)
            agreement_sentences(agreement, (enum language)language, &sentences);
        text_buffer_clear(&messages);
        struct baton_text text = agreement_text(agreement);
        status = agreement_parse("f", text.data, text.size, compiled->zone, compiled->zone_count,
                                 &again, &messages);
        assert(status == STATUS_OK &&
               strcmp(agreement_hash(agreement), agreement_hash(again)) == 0);
        agreement_destroy(again);
        text_buffer_fini(&sentences);
    }
    agreement_destroy(agreement);
    text_buffer_fini(&messages);
    return 0;
}
