#include "base/number.h"

#include <criterion/criterion.h>
#include <string.h>

static void is_number(const char *text, int64_t millionths)
{
    int64_t value = 1;
    cr_assert(number_parse(text, strlen(text), &value), "%s", text);
    cr_assert_eq(value, millionths, "%s is %lld", text, (long long)value);
}

static void is_none(const char *text)
{
    int64_t value = 77;
    cr_assert_not(number_parse(text, strlen(text), &value), "%s", text);
    cr_assert_eq(value, 77, "what is no number changes nothing");
}

Test(number, whole_numbers_of_up_to_twelve_digits)
{
    is_number("0", 0);
    is_number("7", 7000000);
    is_number("007", 7000000);
    is_number("999999999999", INT64_C(999999999999000000));
    is_none("1000000000000");
    is_none("0000000000001");
}

Test(number, signs_stand_in_front)
{
    is_number("+5", 5000000);
    is_number("-5", -5000000);
    is_number("-0", 0);
    is_number("-999999999999.999999", INT64_C(-999999999999999999));
    is_none("+");
    is_none("-");
    is_none("--5");
    is_none("5-");
}

Test(number, fractions_have_one_to_six_digits)
{
    is_number("1.5", 1500000);
    is_number("0.000001", 1);
    is_number("-0.5", -500000);
    is_none("1.");
    is_none(".5");
    is_none("-.5");
    is_none("1.0000000");
    is_none("1.2.3");
}

Test(number, anything_else_is_none)
{
    is_none("");
    is_none(" 1");
    is_none("1 ");
    is_none("1e3");
    is_none("1,5");
    is_none("0x10");
    is_none("\xD9\xA1");
    is_none("ten");
    int64_t value;
    cr_assert_not(number_parse("1\0", 2, &value));
    cr_assert_not(number_parse(NULL, 0, &value));
}

Test(number, only_the_bytes_given_are_read)
{
    int64_t value;
    cr_assert(number_parse("123456", 3, &value));
    cr_assert_eq(value, 123000000);
}
