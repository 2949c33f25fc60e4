// Texts of other people's on their way to a terminal, which obeys control characters.
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include <stddef.h>

struct arena;
struct text;

// Adds n bytes of s. What a terminal would obey, or show as something else than it is (control
// characters, marks that turn the direction of writing, bytes that are no UTF-8), becomes \x1b, a byte
// at a time; the characters in `keep`, such as "\n\t", stay.
void text_add_printable(struct text *to, const char *s, size_t n, const char *keep);
const char *printable(struct arena *a, const char *s); // the same of a whole text, nothing kept

#endif
