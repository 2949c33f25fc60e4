#include "base/text.h"

#include "base/arena.h"
#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char empty[1];

void text_init(struct text *t) { *t = (struct text){.s = empty}; }

void text_release(struct text *t)
{
    if (t->room)
        free(t->s);
    text_init(t);
}

void text_clear(struct text *t)
{
    t->n = 0;
    if (t->room)
        t->s[0] = '\0';
}

static void reserve(struct text *t, size_t more)
{
    if (t->n + more + 1 <= t->room)
        return;
    const size_t room = 2 * (t->n + more + 1);
    char *s = realloc(t->room ? t->s : NULL, room);
    if (!s)
        out_of_memory(room);
    s[t->n] = '\0';
    t->s = s;
    t->room = room;
}

void text_add_n(struct text *t, const char *s, size_t n)
{
    ASSERT(t->s && (s || !n));
    reserve(t, n);
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

void text_add(struct text *t, const char *s) { text_add_n(t, s, strlen(s)); }

void text_vaddf(struct text *t, const char *fmt, va_list ap)
{
    va_list measure;
    va_copy(measure, ap);
    const int n = vsnprintf(NULL, 0, fmt, measure);
    va_end(measure);
    reserve(t, (size_t)n);
    vsnprintf(t->s + t->n, (size_t)n + 1, fmt, ap);
    t->n += (size_t)n;
}

void text_addf(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(t, fmt, ap);
    va_end(ap);
}
