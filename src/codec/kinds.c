#include "codec/kinds.h"

#include "codec/field_map.h"

int kind_of_text(const struct input_config *config, struct baton_text text)
{
    for (size_t i = 0; i < config->kind_count; i++)
        if (text_equal(config->kinds[i].from, text))
            return event_kind_of_name(config->kinds[i].to);
    return event_kind_of_name(text);
}

int kind_of_email(const struct input_config *config, struct baton_text action)
{
    static const char prefix[] = "email_";
    char name[64];
    int kind = kind_of_text(config, action);
    if (kind >= 0 || action.size > sizeof name - sizeof prefix)
        return kind;
    memcpy(name, prefix, sizeof prefix - 1);
    memcpy(name + sizeof prefix - 1, action.data, action.size);
    return kind_of_text(config,
                        (struct baton_text){name, (uint32_t)(sizeof prefix - 1) + action.size});
}

static bool upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

struct baton_text kind_snake_case(struct arena *arena, struct baton_text name)
{
    char *out = arena_take(arena, (size_t)name.size * 2);
    uint32_t size = 0;
    for (uint32_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool before_small = i + 1 < name.size && name.data[i + 1] >= 'a' && name.data[i + 1] <= 'z';
        /* A word begins at a capital after a small letter, and at the last of several capitals
         * (HTMLForm). */
        if (upper(c) && i > 0 && name.data[i - 1] != '_' &&
            (!upper(name.data[i - 1]) || before_small))
            out[size++] = '_';
        out[size++] = upper(c) ? (char)(c + 'a' - 'A') : c;
    }
    return (struct baton_text){out, size};
}
