#include "pipeline/timers.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void swap(struct timer *a, struct timer *b)
{
    struct timer former = *a;
    *a = *b;
    *b = former;
}

void timers_push(struct timers *timers, int64_t due_ms, struct baton_text id)
{
    if (timers->count == timers->room) {
        timers->room = timers->room ? timers->room * 2 : 64;
        timers->heap = memory_resize(timers->heap, timers->room * sizeof *timers->heap);
    }
    char *own = memory_take(id.size ? id.size : 1);
    memcpy(own, id.data, id.size);
    struct timer *heap = timers->heap;
    size_t at = timers->count++;
    heap[at] = (struct timer){due_ms, {own, id.size}};
    for (; at && heap[(at - 1) / 2].due_ms > heap[at].due_ms; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
}

const struct timer *timers_first(const struct timers *timers)
{
    return timers->count ? &timers->heap[0] : NULL;
}

struct timer timers_take(struct timers *timers)
{
    assert(timers->count);
    struct timer *heap = timers->heap, first = heap[0];
    heap[0] = heap[--timers->count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < timers->count; child++)
            if (heap[child].due_ms < heap[least].due_ms)
                least = child;
        if (least == at)
            return first;
        swap(&heap[at], &heap[least]);
        at = least;
    }
}

void timer_free(struct timer *timer)
{
    free((void *)(uintptr_t)timer->id.data);
    timer->id = (struct baton_text){0};
}

void timers_clear(struct timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        timer_free(&timers->heap[i]);
    timers->count = 0;
}

void timers_fini(struct timers *timers)
{
    timers_clear(timers);
    free(timers->heap);
    *timers = (struct timers){0};
}
