#include "agreement/building.h"

#include "text/sha256.h"

#include <stdlib.h>
#include <string.h>

/* Keys are sorted, but for those of conditions: a promotion tells their fields in the order of the
 * text. */
static int by_key(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left,
                           *b = *(const struct yaml_node *const *)right;
    return strcmp(a->key->text.data, b->key->text.data);
}

static void render_text(const struct yaml_node *node, struct text_buffer *out)
{
    text_buffer_print(out, "%u:", node->text.size);
    text_buffer_add(out, node->text.data, node->text.size);
}

static bool is_condition(const struct yaml_node *key)
{
    return yaml_is_text(key, "where") || yaml_is_text(key, "never");
}

static void render(const struct yaml_node *node, bool keep_order, bool is_root,
                   struct text_buffer *out)
{
    if (node->kind == YAML_SCALAR) {
        render_text(node, out);
        return;
    }
    const struct yaml_node **children = memory_take((node->count + 1) * sizeof *children);
    uint32_t count = 0;
    for (const struct yaml_node *child = node->first; child; child = child->next)
        if (!is_root || !yaml_is_text(child->key, "signed"))
            children[count++] = child;
    if (node->kind == YAML_MAPPING && !keep_order && count)
        qsort(children, count, sizeof *children, by_key);
    text_buffer_print(out, "%c%u(", node->kind == YAML_MAPPING ? 'm' : 'l', count);
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *key = node->kind == YAML_MAPPING ? children[i]->key : NULL;
        if (key)
            render_text(key, out);
        render(children[i], keep_order || (key && is_condition(key)), false, out);
    }
    text_buffer_add_text(out, ")");
    free(children);
}

void canonical_value(const struct yaml_node *node, struct text_buffer *out)
{
    render(node, node->key && is_condition(node->key), false, out);
}

const char *canonical_hash(struct arena *arena, const struct yaml_node *root)
{
    struct text_buffer text;
    char hex[SHA256_HEX_SIZE + 1];
    text_buffer_init(&text);
    text_buffer_add_text(&text, "agreement 1 ");
    render(root, false, true, &text);
    sha256_hex(text.data, text.size, hex);
    text_buffer_fini(&text);
    hex[32] = 0;
    return arena_copy(arena, hex, 33);
}
