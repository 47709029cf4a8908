/* Trees in a region, beside trees that are not, and larger than the region. */
#include "codec/json_region.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *make(int items)
{
    json_t *list = json_array();
    for (int i = 0; i < items; i++) {
        char name[16];
        snprintf(name, sizeof name, "item %d", i);
        json_array_append_new(list, json_pack("{s:s, s:i}", "name", name, "number", i));
    }
    return list;
}

static void expect(const json_t *list, int items)
{
    cr_assert_eq(json_array_size(list), (size_t)items);
    for (int i = 0; i < items; i++) {
        char name[16];
        snprintf(name, sizeof name, "item %d", i);
        const json_t *item = json_array_get(list, (size_t)i);
        cr_assert_str_eq(json_string_value(json_object_get(item, "name")), name);
        cr_assert_eq(json_integer_value(json_object_get(item, "number")), i);
    }
}

/* More than there is room for comes from the C library, and goes back to it. */
static void trees_hold(size_t room)
{
    json_t *before = make(20);
    struct json_region *region = json_region_create(room);
    for (int round = 0; round < 3; round++) {
        json_region_begin(region);
        json_t *within = make(200);
        expect(within, 200);
        expect(before, 20);
        json_decref(within);
        json_region_end(region);
    }
    json_t *behind = make(20);
    expect(before, 20);
    expect(behind, 20);
    json_decref(before);
    json_decref(behind);
    json_region_destroy(region);
}

Test(json_region, trees_hold_while_there_is_room)
{
    trees_hold((size_t)1024 * 1024);
}

Test(json_region, a_tree_may_be_larger_than_the_region)
{
    trees_hold(10000);
    trees_hold(0);
}

Test(json_region, what_is_made_in_it_lies_in_it)
{
    struct json_region *region = json_region_create(4096);
    json_region_begin(region);
    json_t *first = json_integer(1), *second = json_integer(2);
    json_region_end(region);
    json_region_begin(region);
    json_t *again = json_integer(3);
    cr_assert_eq(again, first);
    cr_assert_neq(again, second);
    json_decref(again);
    json_region_end(region);
    json_region_destroy(region);
}
