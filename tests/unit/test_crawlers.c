#include "crawlers/crawlers.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static bool known(const char *list, const char *agent)
{
    struct crawlers *crawlers = crawlers_create_from(list, strlen(list));
    cr_assert(crawlers);
    bool found = crawlers_know(crawlers, agent, strlen(agent));
    crawlers_destroy(crawlers);
    return found;
}

Test(crawlers, a_line_may_stand_anywhere)
{
    cr_expect(known("abc\nxyz\n", "abc"));
    cr_expect(known("abc\nxyz\n", "..abc.."));
    cr_expect(known("abc\nxyz", "..xyz"));
    cr_expect(!known("abc\nxyz\n", "ab"));
    cr_expect(!known("abc\nxyz\n", "ab c xy z"));
    cr_expect(!known("abc\n", ""));
}

Test(crawlers, capital_and_small_letters_differ)
{
    cr_expect(!known("Fetch/\n", "node-fetch/1.0"));
    cr_expect(known("Fetch/\n", "node-Fetch/1.0"));
}

Test(crawlers, an_anchored_line_stands_at_its_end_only)
{
    cr_expect(known("^curl\n", "curl/8.0"));
    cr_expect(!known("^curl\n", "not curl/8.0"));
    cr_expect(known("SSL Labs$\n", "by SSL Labs"));
    cr_expect(!known("SSL Labs$\n", "by SSL Labs."));
    cr_expect(known("SSL Labs$\n", "SSL Labs, by SSL Labs"));
    cr_expect(known("^abc$\n", "abc"));
    cr_expect(!known("^abc$\n", "abcabc"));
}

Test(crawlers, a_star_stands_for_any_run)
{
    cr_expect(known("abc*xyz\n", "abcxyz"));
    cr_expect(known("abc*xyz\n", "-abc, xyz-"));
    cr_expect(!known("abc*xyz\n", "xyz abc"));
    cr_expect(!known("abc*xyz\n", "abc"));
    cr_expect(!known("abcd*dxyz\n", "abcdxyz"), "pieces do not overlap");
    cr_expect(known("abc*.*xyz\n", "abc1.2xyz"));
    cr_expect(!known("abc*.*xyz\n", "abc12xyz"));
    cr_expect(known("abc*xyz$\n", "abcxyz xyz"));
    cr_expect(!known("abc*xyz$\n", "abcxyz xy"));
}

Test(crawlers, spaces_count_and_comments_do_not)
{
    cr_expect(known("^LCC \n", "LCC (+http://corpora)"));
    cr_expect(!known("^LCC \n", "LCCX"));
    cr_expect(!known("#abc\n\nxyz\n", "#abc"));
}

Test(crawlers, bytes_of_any_value_are_compared)
{
    cr_expect(known("caf\xC3\xA9\n", "un caf\xC3\xA9!"));
    struct crawlers *crawlers = crawlers_create_from("abc", 3);
    cr_expect(crawlers_know(crawlers, "\0\xFF\0abc", 6));
    crawlers_destroy(crawlers);
}

Test(crawlers, nothing_is_read_behind_the_end) /* the sanitizer sees to it */
{
    struct crawlers *crawlers = crawlers_create_from("abc\nxyz$\nhead*tail", 18);
    static const char *const agents[] = {"ab", "xy", "headtai", "a", "hea"};
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
        size_t size = strlen(agents[i]);
        char *exact = memcpy(malloc(size), agents[i], size);
        cr_expect(!crawlers_know(crawlers, exact, size), "%s", agents[i]);
        free(exact);
    }
    crawlers_destroy(crawlers);
}

Test(crawlers, a_line_that_begins_with_too_little_is_refused)
{
    cr_expect(crawlers_create_from("ab\n", 3) == NULL);
    cr_expect(crawlers_create_from("good\n^ab*cdef\n", 13) == NULL);
}

Test(crawlers, the_list_of_the_program_tells_a_browser_from_a_crawler)
{
    static const char browser[] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
                                  "(KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
    static const char crawler[] =
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    struct crawlers *crawlers = crawlers_create();
    cr_expect(!crawlers_know(crawlers, browser, sizeof browser - 1));
    cr_expect(crawlers_know(crawlers, crawler, sizeof crawler - 1));
    cr_expect(crawlers_version() != 0 && crawlers_version() == crawlers_version());
    crawlers_destroy(crawlers);
}
