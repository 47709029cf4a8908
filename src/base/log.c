#include "base/log.h"

#include "base/text_buffer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&lowest, (int)level,
                          memory_order_relaxed); /* a hint: no other data hangs on it */
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed))
        return;
    char text[1536];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct text_buffer line;
    text_buffer_init(&line);
    text_buffer_add_time(&line, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    text_buffer_print(&line, " %s %s\n", names[level], text);
    (void)fwrite(line.data, 1, line.size, stderr);
    text_buffer_fini(&line);
}
