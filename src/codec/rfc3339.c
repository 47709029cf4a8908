#include "codec/rfc3339.h"

struct scan {
    const char *at, *end;
};

static bool digits(struct scan *scan, int count, int *out)
{
    int value = 0;
    if (scan->end - scan->at < count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = *scan->at++;
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *out = value;
    return true;
}

static bool one_of(struct scan *scan, char a, char b)
{
    if (scan->at == scan->end || (*scan->at != a && *scan->at != b))
        return false;
    scan->at++;
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so that the leap
 * day is a year's last. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static bool date(struct scan *scan, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!digits(scan, 4, &year) || !one_of(scan, '-', '-') || !digits(scan, 2, &month) ||
        !one_of(scan, '-', '-') || !digits(scan, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > lengths[month - 1] + (month == 2 && leap))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool fraction(struct scan *scan, int *ms)
{
    int count = 0, value = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++, count++)
        if (count < 3)
            value = value * 10 + (*scan->at - '0');
    for (int i = count; i < 3; i++)
        value *= 10;
    *ms = value;
    return count >= 1 && count <= 9;
}

static bool time_of_day(struct scan *scan, int64_t *time_ms)
{
    int hour, minute, second, ms = 0;
    if (!digits(scan, 2, &hour) || !one_of(scan, ':', ':') || !digits(scan, 2, &minute) ||
        !one_of(scan, ':', ':') || !digits(scan, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (one_of(scan, '.', '.') && !fraction(scan, &ms))
        return false;
    *time_ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
    return true;
}

static bool zone(struct scan *scan, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (one_of(scan, 'Z', 'z'))
        return true;
    int hours, minutes;
    bool west = scan->at < scan->end && *scan->at == '-';
    if (!one_of(scan, '+', '-') || !digits(scan, 2, &hours) || !one_of(scan, ':', ':') ||
        !digits(scan, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_ms = (hours * 60 + minutes) * INT64_C(60000) * (west ? -1 : 1);
    return true;
}

bool rfc3339_read(struct baton_text text, int64_t *time_ms)
{
    if (!text.size)
        return false; /* also where there are no bytes at all */
    struct scan scan = {text.data, text.data + text.size};
    int64_t days, of_day, offset;
    if (!date(&scan, &days) || !one_of(&scan, 'T', 't') || !time_of_day(&scan, &of_day) ||
        !zone(&scan, &offset) || scan.at != scan.end)
        return false;
    int64_t result = days * INT64_C(86400000) + of_day - offset;
    if (result < 0 || result > BATON_TIME_MAX_MS)
        return false;
    *time_ms = result;
    return true;
}
