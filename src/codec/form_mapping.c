#include "codec/event_checks.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    struct baton_text x = ((const struct form_target *)a)->name;
    struct baton_text y = ((const struct form_target *)b)->name;
    int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
    return order ? order : (x.size > y.size) - (x.size < y.size);
}

static void fill_auto(struct form_mapping *mapping)
{
    mapping->count = BATON_PROFILE_FIELDS;
    mapping->targets = memory_take_zeroed(mapping->count, sizeof *mapping->targets);
    for (size_t i = 0; i < mapping->count; i++) {
        enum baton_profile_field field = (enum baton_profile_field)i;
        mapping->targets[i] = (struct form_target){
            .name = text_from(baton_profile_field_name(field)), .field = field};
    }
}

static bool read_target(struct baton_text to, struct form_target *target)
{
    static const char prefix[] = "properties.";
    uint32_t size = sizeof prefix - 1;
    int field = profile_field_of_name(to);
    if (field >= 0) {
        target->field = (enum baton_profile_field)field;
        return true;
    }
    target->field = BATON_PROPERTY;
    target->property = (struct baton_text){to.data + size, to.size - size};
    return to.size > size && memcmp(to.data, prefix, size) == 0;
}

static enum status fill_configured(struct form_mapping *mapping, const struct input_config *config,
                                   struct error *error)
{
    mapping->targets = memory_take_zeroed(config->form_field_count, sizeof *mapping->targets);
    for (size_t i = 0; i < config->form_field_count; i++) {
        const struct name_pair *pair = &config->form_fields[i];
        struct form_target *target = &mapping->targets[mapping->count++];
        target->name = pair->from;
        if (!read_target(pair->to, target))
            return error_set(error, STATUS_STOP,
                             "input.form_profile: '%.*s' is mapped to '%.*s', which is not a field "
                             "of a profile (free ones are written properties.NAME)",
                             (int)pair->from.size, pair->from.data, (int)pair->to.size,
                             pair->to.data);
    }
    return STATUS_OK;
}

enum status form_mapping_build(struct form_mapping *mapping, const struct input_config *config,
                               struct error *error)
{
    enum status status = STATUS_OK;
    *mapping = (struct form_mapping){0};
    if (config->form_profile == FORM_PROFILE_AUTO)
        fill_auto(mapping);
    else if (config->form_profile == FORM_PROFILE_MAPPED)
        status = fill_configured(mapping, config, error);
    if (mapping->count)
        qsort(mapping->targets, mapping->count, sizeof *mapping->targets, by_name);
    for (size_t i = 1; i < mapping->count && status == STATUS_OK; i++)
        if (text_equal(mapping->targets[i - 1].name, mapping->targets[i].name))
            status = error_set(error, STATUS_STOP,
                               "input.form_profile: the form field '%.*s' is mapped twice",
                               (int)mapping->targets[i].name.size, mapping->targets[i].name.data);
    if (status != STATUS_OK)
        form_mapping_fini(mapping);
    return status;
}

void form_mapping_fini(struct form_mapping *mapping)
{
    free(mapping->targets);
    *mapping = (struct form_mapping){0};
}
