// A growing text. `s` is never NULL and always ends in '\0'.
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

struct text {
    char *s;
    size_t n, room;
};

void text_init(struct text *t);
void text_release(struct text *t); // leaves an empty, usable text
void text_clear(struct text *t);
void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vaddf(struct text *t, const char *fmt, va_list ap);

#endif
