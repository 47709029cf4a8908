#include "common/progress.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TTY_SECONDS 0.2
#define LINE_SECONDS 5.0
#define BAR_CELLS 20

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
    double now = clock_seconds();
    *progress = (struct progress){.what = what,
                                  .total = total,
                                  .tty = isatty(STDERR_FILENO) == 1,
                                  .began = now,
                                  .shown = now};
}

/* "1234", "56.7 k", "1.24 M" */
static const char *amount(double number, char room[16])
{
    if (number >= 1e6)
        (void)snprintf(room, 16, "%.2f M", number / 1e6);
    else if (number >= 1e4)
        (void)snprintf(room, 16, "%.1f k", number / 1e3);
    else
        (void)snprintf(room, 16, "%.0f", number);
    return room;
}

static void draw_bar(double share, char bar[BAR_CELLS + 1])
{
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < (int)(share * BAR_CELLS) ? '#' : '.';
    bar[BAR_CELLS] = '\0';
}

static int head(const struct progress *progress, uint64_t done, double rate, char *line,
                size_t size)
{
    char count[16], total[16], speed[16], bar[BAR_CELLS + 1];
    (void)amount((double)done, count);
    (void)amount(rate, speed);
    if (!progress->total)
        return snprintf(line, size, "%s %s, %s/s", count, progress->what, speed);
    double share = (double)done / (double)progress->total;
    draw_bar(share < 1 ? share : 1, bar);
    return snprintf(line, size, "[%s] %3.0f %%  %s of %s %s, %s/s", bar, 100 * share, count,
                    amount((double)progress->total, total), progress->what, speed);
}

static void put_line(struct progress *progress, const char *line)
{
    if (!progress->tty) {
        (void)fprintf(stderr, "%s\n", line);
        return;
    }
    uint32_t width = (uint32_t)strlen(line);
    int rest = progress->width > width ? (int)(progress->width - width) : 0;
    (void)fprintf(stderr, "\r%s%*s", line, rest, "");
    progress->width = width;
}

void progress_show(struct progress *progress, uint64_t done, const char *format, ...)
{
    double now = clock_seconds(), since = now - progress->shown;
    if (since < (progress->tty ? TTY_SECONDS : LINE_SECONDS))
        return;
    char line[240];
    int used = head(progress, done, (double)(done - progress->shown_done) / since, line,
                    sizeof line - 120);
    if (*format && used > 0) {
        size_t at = (size_t)used < sizeof line - 120 ? (size_t)used : sizeof line - 121;
        line[at++] = ',';
        line[at++] = ' ';
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(line + at, sizeof line - at, format, arguments);
        va_end(arguments);
    }
    put_line(progress, line);
    progress->shown = now;
    progress->shown_done = done;
}

void progress_end(struct progress *progress)
{
    if (progress->tty && progress->width)
        (void)fprintf(stderr, "\r%*s\r", (int)progress->width, "");
    progress->width = 0;
}
