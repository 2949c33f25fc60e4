// Paths, names, notes and configs may come from anybody, in a folder or a results.db that was
// downloaded. Shown as they are, they can erase what stands above, retitle a window or, in some
// terminals, type. Removing such bytes would show two names as one, so they are written out.
#include "base/printable.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// The bytes of the UTF-8 character at s, of n bytes that are left; 0 where there is none.
static size_t letter_at(const char *s, size_t n, uint32_t *letter)
{
    const unsigned char *p = (const unsigned char *)s;
    const size_t length = *p < 0x80   ? 1
                          : *p < 0xC2 ? 0
                          : *p < 0xE0 ? 2
                          : *p < 0xF0 ? 3
                          : *p < 0xF5 ? 4
                                      : 0;
    static const uint32_t first[] = {0, 0x7F, 0x1F, 0x0F, 0x07},
                          least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!length || length > n)
        return 0;
    *letter = *p & first[length];
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *letter = *letter << 6 | (p[i] & 0x3F);
    }
    const bool surrogate = *letter >= 0xD800 && *letter < 0xE000;
    return *letter < least[length] || *letter > 0x10FFFF || surrogate ? 0 : length;
}

static bool is_obeyed(uint32_t c)
{
    return c < ' ' || (c >= 0x7F && c < 0xA0) ||        // control characters, both kinds
           c == 0x061C || c == 0x200E || c == 0x200F || // marks of direction
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void text_add_printable(struct text *to, const char *s, size_t n, const char *keep)
{
    for (size_t i = 0; i < n;) {
        uint32_t letter = 0;
        const size_t length = letter_at(s + i, n - i, &letter);
        const bool kept = letter && letter < 0x80 && strchr(keep, (int)letter);
        if (length && (kept || !is_obeyed(letter)))
            text_add_n(to, s + i, length);
        else
            for (size_t k = 0; k < (length ? length : 1); k++)
                text_addf(to, "\\x%02x", (unsigned char)s[i + k]);
        i += length ? length : 1;
    }
}

const char *printable(struct arena *a, const char *s)
{
    struct text t;
    text_init(&t);
    text_add_printable(&t, s, strlen(s), "");
    const char *kept = arena_strdup(a, t.s);
    text_release(&t);
    return kept;
}
