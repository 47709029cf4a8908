/* Who reads an agreement aloud, line by line: for sentences.c and sentence_pact.c. */
#ifndef AGREEMENT_READER_H
#define AGREEMENT_READER_H

#include "agreement/building.h"

struct reader {
    const struct agreement *agreement;
    const struct baton_agreement *compiled;
    struct speech speech;
};

static inline const char *text_of(const struct yaml_node *mapping, const char *key)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    return node ? node->text.data : "";
}

static inline const struct yaml_node *part(const struct reader *reader, const char *key)
{
    return yaml_find(reader->agreement->root, key);
}

static inline void end_line(struct reader *reader)
{
    text_buffer_add_text(reader->speech.out, "\n");
}

/* Lines of a paragraph stand a little to the right. */
static inline void begin_item(struct reader *reader)
{
    text_buffer_add_text(reader->speech.out, "  ");
}

#define say_line(reader, id, ...)                                                                  \
    do {                                                                                           \
        say(&(reader)->speech, id, __VA_ARGS__);                                                   \
        end_line(reader);                                                                          \
    } while (0)
#define say_item(reader, id, ...)                                                                  \
    do {                                                                                           \
        begin_item(reader);                                                                        \
        say_line(reader, id, __VA_ARGS__);                                                         \
    } while (0)

/* A line without holes. */
static inline void say_sentence(struct reader *reader, enum message_id id)
{
    say_plain(&reader->speech, id);
    end_line(reader);
}

static inline void say_head(struct reader *reader, enum message_id id)
{
    end_line(reader);
    say_sentence(reader, id);
}

/* sentence_pact.c: what both sides promised. */
void sentences_pact(struct reader *reader);

#endif
