#include "domain/profile.h"

#include "domain/memory.h"
#include "domain/text.h"

int profile_value_compare(const struct baton_profile_value *value, uint8_t field,
                          struct baton_text name)
{
    if (value->field != field)
        return value->field < field ? -1 : 1;
    return field == BATON_PROPERTY ? text_compare(value->name, name) : 0;
}

/* The first place whose value does not come before field and name. */
static uint16_t find_place(const struct baton_lead *lead, uint8_t field, struct baton_text name,
                           bool *found)
{
    uint16_t place = 0;
    *found = false;
    for (; place < lead->profile_count; place++) {
        int order = profile_value_compare(&lead->profile[place], field, name);
        *found = order == 0;
        if (order >= 0)
            break;
    }
    return place;
}

static const struct baton_profile_value *find(const struct baton_lead *lead, uint8_t field,
                                              struct baton_text name)
{
    bool found;
    uint16_t place = find_place(lead, field, name, &found);
    return found ? &lead->profile[place] : NULL;
}

struct baton_text baton_profile_get(const struct baton_lead *lead, enum baton_profile_field field,
                                    struct baton_text name)
{
    const struct baton_profile_value *value = find(lead, (uint8_t)field, name);
    return value ? value->value : (struct baton_text){NULL, 0};
}

struct baton_text profile_folded(const struct baton_lead *lead, uint8_t field,
                                 struct baton_text name)
{
    const struct baton_profile_value *value = find(lead, field, name);
    return value ? value->folded : (struct baton_text){NULL, 0};
}

/* Only of a value that owns its bytes. */
static size_t owned_size(const struct baton_profile_value *value)
{
    bool shared = value->folded.data == value->value.data;
    return (size_t)value->name.size + value->value.size + (shared ? 0 : value->folded.size);
}

static struct baton_text copy_to(char **at, struct baton_text text)
{
    struct baton_text copy = {*at, text.size};
    if (text.size) {
        memcpy(*at, text.data, text.size);
        *at += text.size;
    }
    return copy;
}

/* One piece: name, value, and the folded text where it differs from the value. `name.data` is its
 * start. */
bool profile_value_own(struct baton_profile_value *value, struct baton_allocator *allocator)
{
    bool shared = text_equal(value->folded, value->value);
    size_t size = (size_t)value->name.size + value->value.size + (shared ? 0 : value->folded.size);
    char *to = NULL;
    if (size && !(to = memory_new(allocator, size)))
        return false;
    value->name = copy_to(&to, value->name);
    value->value = copy_to(&to, value->value);
    value->folded = shared ? value->value : copy_to(&to, value->folded);
    return true;
}

void profile_value_free(struct baton_profile_value *value, struct baton_allocator *allocator)
{
    memory_free(allocator, (void *)(uintptr_t)value->name.data, owned_size(value));
}

static bool is_named(const struct baton_agreement *agreement, struct baton_text name)
{
    for (uint32_t i = 0; i < agreement->property_count; i++)
        if (text_equal(agreement->properties[i], name))
            return true;
    return false;
}

static void remove_at(struct baton_lead *lead, uint16_t place, struct baton_allocator *allocator)
{
    profile_value_free(&lead->profile[place], allocator);
    lead->profile_count--;
    memmove(&lead->profile[place], &lead->profile[place + 1],
            (lead->profile_count - place) * sizeof *lead->profile);
}

/* Drops the oldest property that the agreement does not name, if there are as many as may be kept.
 */
static bool limit_properties(struct baton_lead *lead, const struct baton_agreement *agreement,
                             struct baton_allocator *allocator)
{
    uint32_t properties = 0;
    int oldest = -1;
    for (uint16_t i = 0; i < lead->profile_count; i++) {
        const struct baton_profile_value *value = &lead->profile[i];
        if (value->field != BATON_PROPERTY)
            continue;
        properties++;
        if ((oldest < 0 || value->time_ms < lead->profile[oldest].time_ms) &&
            !is_named(agreement, value->name))
            oldest = i;
    }
    if (properties < BATON_PROPERTIES_MAX)
        return true;
    if (oldest >= 0)
        remove_at(lead, (uint16_t)oldest, allocator);
    return oldest >= 0;
}

static bool insert(struct baton_lead *lead, uint16_t place, const struct baton_profile_value *value,
                   struct baton_allocator *allocator)
{
    if (lead->profile_count == lead->profile_room) {
        struct baton_profile_value *grown =
            memory_grow(allocator, lead->profile, &lead->profile_room, sizeof *lead->profile);
        if (!grown)
            return false;
        lead->profile = grown;
    }
    memmove(&lead->profile[place + 1], &lead->profile[place],
            (lead->profile_count - place) * sizeof *lead->profile);
    lead->profile[place] = *value;
    lead->profile_count++;
    return true;
}

static enum profile_outcome replace(struct baton_profile_value *old,
                                    struct baton_profile_value *value,
                                    struct baton_allocator *allocator)
{
    if (value->time_ms < old->time_ms)
        return PROFILE_IGNORED;
    if (!profile_value_own(value, allocator))
        return PROFILE_NO_MEMORY;
    profile_value_free(old, allocator);
    *old = *value;
    return PROFILE_TAKEN;
}

static struct baton_profile_value value_of(const struct baton_profile_update *update,
                                           int64_t time_ms)
{
    struct baton_profile_value value = {.time_ms = time_ms, .field = (uint8_t)update->field};
    if (update->field == BATON_PROPERTY)
        value.name = update->name;
    value.value = text_cut(update->value, BATON_TEXT_MAX);
    if (value.value.size)
        value.folded = text_cut(update->folded, BATON_FOLDED_MAX);
    return value;
}

enum profile_outcome profile_take(struct baton_lead *lead,
                                  const struct baton_profile_update *update, int64_t time_ms,
                                  const struct baton_agreement *agreement,
                                  struct baton_allocator *allocator)
{
    bool property = update->field == BATON_PROPERTY, found;
    if (property && !is_named(agreement, update->name))
        return PROFILE_IGNORED;
    struct baton_profile_value value = value_of(update, time_ms);
    uint16_t place = find_place(lead, value.field, value.name, &found);
    if (found)
        return replace(&lead->profile[place], &value, allocator);
    if (property && !limit_properties(lead, agreement, allocator))
        return PROFILE_IGNORED;
    place = find_place(lead, value.field, value.name, &found);
    if (!profile_value_own(&value, allocator))
        return PROFILE_NO_MEMORY;
    if (insert(lead, place, &value, allocator))
        return PROFILE_TAKEN;
    profile_value_free(&value, allocator);
    return PROFILE_NO_MEMORY;
}

/* A stub, and who was forgotten, is nobody that a rule with `not` could hold for: else its score
 * would be another one as soon as it is loaded again. */
bool baton_fit_holds(const struct baton_fit_rule *rule, const struct baton_lead *lead)
{
    return lead->events && baton_profile_matches(&rule->where, lead);
}

static int32_t fit_of(const struct baton_lead *lead, const struct baton_fit_rule *rules,
                      uint32_t count)
{
    int32_t points = 0; /* of at most 1,000 rules of at most 10,000 points */
    for (uint32_t i = 0; i < count; i++)
        if (baton_fit_holds(&rules[i], lead))
            points += rules[i].points;
    return points;
}

void profile_refit(struct baton_lead *lead, const struct baton_agreement *agreement)
{
    int32_t best = 0;
    lead->persona = 0;
    for (uint32_t i = 0; i < agreement->persona_count; i++) {
        const struct baton_persona *persona = &agreement->personas[i];
        int32_t points = fit_of(lead, persona->fit, persona->fit_count);
        if (points <= best)
            continue;
        best = points;
        lead->persona = (uint16_t)(i + 1);
    }
    lead->fit_points = fit_of(lead, agreement->fit, agreement->fit_count) + best;
}
