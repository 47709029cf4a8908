#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(words, .init = start, .fini = end);

static uint32_t id_of(const char *text)
{
    return baton_words_id(&world.words, text_of(text), BATON_WORD_TEXT);
}

static void limit_to(uint32_t capacity)
{
    baton_words_fini(&world.words);
    baton_words_init(&world.words, capacity, world.allocator);
}

Test(words, an_absent_text_is_id_zero)
{
    cr_assert_eq(id_of(""), BATON_WORD_NONE);
    cr_assert_eq(baton_words_text(&world.words, BATON_WORD_NONE).size, 0);
}

Test(words, the_same_text_has_the_same_id)
{
    uint32_t pricing = id_of("/pricing");
    cr_assert_eq(pricing, 2);
    cr_assert_eq(id_of("/docs"), 3);
    cr_assert_eq(id_of("/pricing"), pricing);
    cr_assert(word_is(&world, pricing, "/pricing"));
    cr_assert_eq(world.words.count, 4);
}

Test(words, ids_that_are_not_in_use_are_absent_texts)
{
    cr_assert_eq(baton_words_text(&world.words, 2).size, 0);
    cr_assert_eq(baton_words_text(&world.words, UINT32_MAX).size, 0);
}

Test(words, thousands_of_texts_keep_their_ids)
{
    char text[16];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 3000; i++) {
            snprintf(text, sizeof text, "/page/%u", i);
            cr_assert_eq(id_of(text), i + 2);
            cr_assert(word_is(&world, i + 2, text));
        }
}

Test(words, the_table_owns_its_bytes)
{
    char text[] = "/pricing";
    uint32_t id = id_of(text);
    text[1] = 'x';
    cr_assert(word_is(&world, id, "/pricing"));
}

Test(words, a_full_table_gives_other_and_counts_it)
{
    limit_to(34);
    char text[16];
    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "t%d", i);
        cr_assert_eq(id_of(text), i + 2);
    }
    cr_assert_eq(id_of("more"), BATON_WORD_OTHER);
    cr_assert_eq(id_of("more"), BATON_WORD_OTHER);
    cr_assert_eq(world.words.overflowed, 2);
    cr_assert(word_is(&world, BATON_WORD_OTHER, "(other)"));
    cr_assert_eq(id_of("t3"), 5, "what is there is still found");
    cr_assert_not(world.words.starved);
}

Test(words, the_last_sixteenth_is_kept_for_rules)
{
    limit_to(32);
    char text[16];
    for (int i = 0; i < 28; i++) {
        snprintf(text, sizeof text, "t%d", i);
        cr_assert_eq(id_of(text), i + 2);
    }
    cr_assert_eq(id_of("page"), BATON_WORD_OTHER);
    cr_assert_eq(baton_words_id(&world.words, TEXT("a,b"), BATON_WORD_RULES), 30);
    cr_assert_eq(baton_words_id(&world.words, TEXT("a"), BATON_WORD_RULES), 31);
    cr_assert_eq(baton_words_id(&world.words, TEXT("b"), BATON_WORD_RULES), BATON_WORD_OTHER);
}

Test(words, a_long_text_is_cut_at_the_border_of_a_character)
{
    char text[210];
    memset(text, 'a', sizeof text);
    memcpy(text + 198, "\xE2\x82\xAC", 3); /* bytes 198 to 200: a limit of 200 falls into it */
    uint32_t id =
        baton_words_id(&world.words, (struct baton_text){text, sizeof text}, BATON_WORD_TEXT);
    cr_assert_eq(baton_words_text(&world.words, id).size, 198);
    memcpy(text + 197,
           "\xE2\x82\xAC"
           "a",
           4); /* ends just there */
    id = baton_words_id(&world.words, (struct baton_text){text, sizeof text}, BATON_WORD_TEXT);
    cr_assert_eq(baton_words_text(&world.words, id).size, 200);
    cr_assert_eq(baton_words_id(&world.words, (struct baton_text){text, 200}, BATON_WORD_TEXT), id);
}

Test(words, bytes_that_are_no_characters_are_cut_anyhow)
{
    char text[210];
    memset(text, 0x80, sizeof text);
    uint32_t id =
        baton_words_id(&world.words, (struct baton_text){text, sizeof text}, BATON_WORD_TEXT);
    cr_assert_eq(baton_words_text(&world.words, id).size, 197);
}

Test(words, ids_of_rules_are_cut_between_two_of_them)
{
    char text[220];
    memset(text, 'a', sizeof text);
    text[90] = text[180] = text[205] = ',';
    uint32_t id =
        baton_words_id(&world.words, (struct baton_text){text, sizeof text}, BATON_WORD_RULES);
    cr_assert_eq(baton_words_text(&world.words, id).size, 180);
    text[200] = ',';
    id = baton_words_id(&world.words, (struct baton_text){text, sizeof text}, BATON_WORD_RULES);
    cr_assert_eq(baton_words_text(&world.words, id).size, 200);
}

Test(words, stored_words_come_back_under_their_ids)
{
    cr_assert(baton_words_restore(&world.words, 2, TEXT("/pricing")));
    cr_assert(baton_words_restore(&world.words, 3, TEXT("/docs")));
    cr_assert_eq(id_of("/docs"), 3);
    cr_assert_eq(id_of("/new"), 4);
}

Test(words, stored_words_with_a_gap_or_twice_are_refused)
{
    limit_to(6);
    cr_assert_not(baton_words_restore(&world.words, 0, TEXT("a")));
    cr_assert_not(baton_words_restore(&world.words, 1, TEXT("a")));
    cr_assert_not(baton_words_restore(&world.words, 3, TEXT("a")));
    cr_assert_not(baton_words_restore(&world.words, 2, (struct baton_text){NULL, 0}));
    cr_assert(baton_words_restore(&world.words, 2, TEXT("a")));
    cr_assert_not(baton_words_restore(&world.words, 2, TEXT("b")));
    cr_assert_not(baton_words_restore(&world.words, 3, TEXT("a")));
    char text[BATON_WORD_MAX + 1];
    memset(text, 'x', sizeof text);
    cr_assert_not(baton_words_restore(&world.words, 3, (struct baton_text){text, sizeof text}));
    cr_assert(baton_words_restore(&world.words, 3, (struct baton_text){text, BATON_WORD_MAX}));
    cr_assert(baton_words_restore(&world.words, 4, TEXT("c")));
    cr_assert(baton_words_restore(&world.words, 5, TEXT("d")));
    cr_assert_not(baton_words_restore(&world.words, 6, TEXT("e")), "beyond the capacity");
}

Test(words, without_memory_the_table_says_so_and_stays_whole)
{
    for (long left = 0; left < 12; left++) {
        limit_to(4096);
        world.memory.left = left;
        char text[16];
        for (int i = 0; i < 70; i++) {
            snprintf(text, sizeof text, "t%d", i);
            uint32_t id = id_of(text);
            cr_assert(id == BATON_WORD_OTHER ? world.words.starved : word_is(&world, id, text));
        }
        cr_assert(world.words.starved);
        world.memory.left = -1;
    }
}
