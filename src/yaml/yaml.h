/* YAML 1.2 as people write settings: mappings, lists and scalars with their places. The only room
 * that knows libfyaml. Anchors, aliases, tags, merge keys, directives and further documents are
 * errors that say what to do, and so is everything beyond the limits: hostile bytes end in a
 * finding. */
#ifndef YAML_YAML_H
#define YAML_YAML_H

#include "base/arena.h"
#include "yaml/findings.h"

#include <baton/event.h>

#define YAML_SIZE_MAX (1 << 20) /* bytes of a text */
#define YAML_DEPTH_MAX 24
#define YAML_NODES_MAX 200000

enum yaml_kind { YAML_SCALAR, YAML_MAPPING, YAML_LIST };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;           /* a scalar that is not plain: text whatever it looks like */
    bool flow;             /* written between brackets or braces; of a mapping or list */
    uint32_t line, column; /* from 1 */
    uint32_t begin, end;   /* bytes of the text that it takes, quotes, brackets and braces included;
                              0 and 0: a mapping or list in block style, or a text over lines */
    struct baton_text text;  /* of a scalar; a NUL stands behind it, none in it */
    struct yaml_node *first; /* child of a mapping or list; the others follow by `next`, in the
                                order of the text */
    struct yaml_node *next;
    struct yaml_node *key; /* of a mapping's child: a scalar */
    uint32_t count;        /* of children */
};

/* The tree, from the arena; NULL when the text is empty or no tree could be made of it. Every error
 * is in `findings`; where there is one, the tree may be incomplete. */
struct yaml_node *yaml_parse(struct arena *arena, const char *text, size_t size,
                             struct findings *findings);

/* Reads a file into `text`, up to YAML_SIZE_MAX + 1 bytes; false with a finding when it cannot. */
bool yaml_read_file(const char *path, struct text_buffer *text, struct findings *findings);

/* The value of a mapping's key, NULL if there is none. */
struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *key);
/* A plain scalar that stands for nothing: empty, ~, null. */
bool yaml_is_null(const struct yaml_node *node);
bool yaml_is_text(const struct yaml_node *node, const char *text);
/* "a mapping", "a list", "a text", "nothing". */
enum message_id yaml_kind_word(const struct yaml_node *node);
/* Whole numbers in decimal digits with an optional sign; false when it is none or does not fit. */
bool yaml_whole(const struct yaml_node *node, int64_t *value);

#endif
