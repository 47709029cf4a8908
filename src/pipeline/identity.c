#include "pipeline/identity.h"

#include "domain/text.h"
#include "text/sha256.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct baton_text trimmed(struct baton_text text)
{
    while (text.size && is_blank(text.data[text.size - 1]))
        text.size--;
    while (text.size && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    return text;
}

static const struct baton_profile_update *find_update(const struct identity_config *config,
                                                      const struct baton_event *event)
{
    for (uint32_t i = 0; i < event->update_count; i++) {
        const struct baton_profile_update *update = &event->updates[i];
        if (update->field == config->field &&
            (update->field != BATON_PROPERTY || text_equal(update->name, config->name)))
            return update;
    }
    return NULL;
}

/* One person writes an address in many ways: without case. */
static struct baton_text normal(const struct identity_config *config, struct baton_text value,
                                struct arena *arena)
{
    value = trimmed(value);
    if (config->field != BATON_EMAIL || !value.size)
        return value;
    char *lower = arena_copy(arena, value.data, value.size);
    for (uint32_t i = 0; i < value.size; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    return (struct baton_text){lower, value.size};
}

static struct baton_text with_prefix(const struct identity_config *config, struct baton_text value,
                                     struct arena *arena)
{
    char *id = arena_take(arena, (size_t)config->prefix.size + value.size + 1);
    if (config->prefix.size)
        memcpy(id, config->prefix.data, config->prefix.size);
    memcpy(id + config->prefix.size, value.data, value.size);
    return (struct baton_text){id, config->prefix.size + value.size};
}

static bool is_its_own(const struct baton_event *event, const struct baton_lead *lead,
                       struct baton_text id)
{
    bool own = text_equal(id, event->lead_id);
    for (uint8_t i = 0; !own && lead->history && i < lead->history->alias_count; i++)
        own = text_equal(id, lead->history->aliases[i]);
    return own;
}

bool identity_of(const struct identity_config *config, const struct baton_event *event,
                 const struct baton_lead *lead, struct arena *arena, struct baton_text *id)
{
    char hex[SHA256_HEX_SIZE + 1];
    const struct baton_profile_update *update = find_update(config, event);
    if (!update)
        return false;
    struct baton_text value = normal(config, update->value, arena);
    if (!value.size)
        return false;
    if (config->hashed) {
        sha256_hex(value.data, value.size, hex);
        value = (struct baton_text){hex, SHA256_HEX_SIZE};
    }
    if (config->prefix.size + value.size > BATON_ID_MAX)
        return false;
    *id = with_prefix(config, value, arena);
    return !is_its_own(event, lead, *id);
}
