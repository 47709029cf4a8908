#include "pipeline/tombstones.h"

#include "base/arena.h"
#include "base/crash_point.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tombstones_fini(struct tombstones *tombstones)
{
    free(tombstones->items);
    free(tombstones->unsaved);
    *tombstones = (struct tombstones){0};
}

uint64_t tombstones_lead(struct baton_text lead_id)
{
    return hash64(lead_id.data, lead_id.size, 0);
}

/* The first one that does not come before lead and offset. */
static size_t place_of(const struct tombstones *tombstones, uint64_t lead, int64_t offset)
{
    size_t low = 0, high = tombstones->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct tombstone *item = &tombstones->items[middle];
        if (item->lead < lead || (item->lead == lead && item->offset < offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool tombstones_know(const struct tombstones *tombstones, uint64_t lead)
{
    size_t place = place_of(tombstones, lead, INT64_MIN);
    return place < tombstones->count && tombstones->items[place].lead == lead;
}

bool tombstones_cover(const struct tombstones *tombstones, uint64_t lead, int64_t offset,
                      int64_t time_ms)
{
    for (size_t i = place_of(tombstones, lead, INT64_MIN);
         i < tombstones->count && tombstones->items[i].lead == lead &&
         (tombstones->items[i].offset < offset || SEEDED_FAULT("erase_backwards"));
         i++)
        if (time_ms <= tombstones->items[i].erased_ms)
            return true;
    return false;
}

static void mark_unsaved(struct tombstones *tombstones, uint64_t lead)
{
    for (size_t i = 0; i < tombstones->unsaved_count; i++)
        if (tombstones->unsaved[i] == lead)
            return;
    if (tombstones->unsaved_count == tombstones->unsaved_room) {
        tombstones->unsaved_room = tombstones->unsaved_room ? tombstones->unsaved_room * 2 : 16;
        tombstones->unsaved = memory_resize(tombstones->unsaved,
                                            tombstones->unsaved_room * sizeof *tombstones->unsaved);
    }
    tombstones->unsaved[tombstones->unsaved_count++] = lead;
}

/* False: it is there. */
static bool insert(struct tombstones *tombstones, const struct tombstone *item)
{
    size_t place = place_of(tombstones, item->lead, item->offset);
    if (place < tombstones->count && tombstones->items[place].lead == item->lead &&
        tombstones->items[place].offset == item->offset)
        return false;
    if (tombstones->count == tombstones->room) {
        tombstones->room = tombstones->room ? tombstones->room * 2 : 16;
        tombstones->items =
            memory_resize(tombstones->items, tombstones->room * sizeof *tombstones->items);
    }
    memmove(&tombstones->items[place + 1], &tombstones->items[place],
            (tombstones->count - place) * sizeof *tombstones->items);
    tombstones->items[place] = *item;
    tombstones->count++;
    return true;
}

void tombstones_add(struct tombstones *tombstones, uint64_t lead, int64_t erased_ms, int64_t offset)
{
    struct tombstone item = {.lead = lead, .erased_ms = erased_ms, .offset = offset};
    size_t place = place_of(tombstones, lead, offset);
    if (place > 0 && tombstones->items[place - 1].lead == lead &&
        tombstones->items[place - 1].erased_ms > erased_ms)
        item.erased_ms = tombstones->items[place - 1].erased_ms;
    if (insert(tombstones, &item))
        mark_unsaved(tombstones, lead);
}

void tombstones_forget(struct tombstones *tombstones, uint64_t lead, int64_t from)
{
    size_t place = place_of(tombstones, lead, INT64_MIN), newest = place_of(tombstones, lead, from);
    if (newest <= place + 1)
        return;
    size_t gone = newest - 1 - place;
    memmove(&tombstones->items[place], &tombstones->items[place + gone],
            (tombstones->count - place - gone) * sizeof *tombstones->items);
    tombstones->count -= gone;
}

/* ---- fields ---------------------------------------------------------------------------------- */

void tombstones_print_name(uint64_t lead, char name[TOMBSTONE_FIELD_SIZE + 1])
{
    (void)snprintf(name, TOMBSTONE_FIELD_SIZE + 1, "e:%016" PRIx64, lead);
}

void tombstones_print(const struct tombstones *tombstones, uint64_t lead, struct text_buffer *text)
{
    size_t first = place_of(tombstones, lead, INT64_MIN);
    for (size_t i = first; i < tombstones->count && tombstones->items[i].lead == lead; i++)
        text_buffer_print(text, "%s%" PRId64 " %" PRId64, i > first ? "," : "",
                          tombstones->items[i].erased_ms, tombstones->items[i].offset);
}

bool tombstones_is_field(struct baton_text name)
{
    return name.size > 2 && name.data[0] == 'e' && name.data[1] == ':';
}

static bool read_number(const char **at, int base, uint64_t *value)
{
    char *end;
    size_t digits = strspn(*at, base == 16 ? "0123456789abcdef" : "0123456789");
    if (digits == 0 || digits > (base == 16 ? 16 : 18))
        return false;
    *value = strtoull(*at, &end, base);
    *at = end;
    return true;
}

static bool read_one(const char **at, struct tombstone *item)
{
    uint64_t erased_ms, offset;
    if (!read_number(at, 10, &erased_ms) || *(*at)++ != ' ' || !read_number(at, 10, &offset))
        return false;
    item->erased_ms = (int64_t)erased_ms;
    item->offset = (int64_t)offset;
    return true;
}

bool tombstones_read(struct tombstones *tombstones, struct baton_text name, struct baton_text value)
{
    struct text_buffer copy;
    struct tombstone item;
    text_buffer_init(&copy);
    text_buffer_add(&copy, name.data + 2, name.size - 2);
    text_buffer_add_text(&copy, " ");
    text_buffer_add(&copy, value.data, value.size);
    const char *at = copy.data;
    bool good = read_number(&at, 16, &item.lead) && *at == ' ';
    while (good && *at) {
        at++;
        good = read_one(&at, &item) && (*at == ',' || *at == 0);
        if (good)
            (void)insert(tombstones, &item);
    }
    text_buffer_fini(&copy);
    return good;
}
