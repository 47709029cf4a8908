#include "commands/times.h"

#include "config/units.h"

#include <string.h>
#include <time.h>

bool time_read(const char *text, int64_t *time_ms)
{
    struct tm parts = {0};
    if (strspn(text, "0123456789") != 4) /* 26-11-01 would be of the year 26 */
        return false;
    const char *rest = strptime(text, "%Y-%m-%d", &parts);
    if (rest && (*rest == 'T' || *rest == ' '))
        rest = strptime(rest + 1, "%H:%M:%S", &parts);
    if (!rest)
        return false;
    int64_t fraction = 0;
    if (*rest == '.') {
        int64_t worth = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, worth /= 10)
            fraction += (*rest - '0') * worth;
    }
    const struct tm said = parts; /* timegm makes of a day that is not there another one */
    *time_ms = (int64_t)timegm(&parts) * 1000 + fraction;
    if (parts.tm_mday != said.tm_mday || parts.tm_sec != said.tm_sec)
        return false;
    return *rest == 0 || strcmp(rest, "Z") == 0;
}

bool time_since(const char *text, int64_t now_ms, int64_t *time_ms)
{
    int64_t back_ms;
    if (!units_duration(text, &back_ms))
        return time_read(text, time_ms);
    *time_ms = now_ms - back_ms;
    return true;
}
