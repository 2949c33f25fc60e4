#include "ir/attr.h"

#include "base/diag.h"
#include "base/size.h"

#include <string.h>

// Bytes of the union that count.
static size_t attr_bytes(enum attr_kind kind)
{
#define SIZE(member) sizeof((struct attr *)0)->member
    static const size_t bytes[ATTR_KINDS] = {
        [ATTR_CONV] = SIZE(conv),
        [ATTR_MATMUL] = SIZE(matmul),
        [ATTR_PERMUTATION] = SIZE(permutation),
        [ATTR_SLICE] = SIZE(slice),
        [ATTR_PAD] = SIZE(pad),
        [ATTR_AXIS] = SIZE(axis),
        [ATTR_AXES] = SIZE(axes),
        [ATTR_FACTOR] = SIZE(factor),
        [ATTR_RESAMPLE] = SIZE(resample),
        [ATTR_WINOGRAD] = SIZE(winograd),
        [ATTR_RANDOM] = SIZE(random),
        [ATTR_NUMBERS] = SIZE(number),
        [ATTR_PART] = SIZE(part),
        [ATTR_PROGRAM] = SIZE(program),
        [ATTR_WHY] = SIZE(why),
        [ATTR_UPDATE] = SIZE(update),
    };
#undef SIZE
    ASSERT(kind >= ATTR_NONE && kind < ATTR_KINDS);
    if (kind != ATTR_NONE && !bytes[kind])
        BUG("ir/attr.c has no size of attribute kind %d", (int)kind);
    return bytes[kind];
}

bool attr_equal(enum attr_kind kind, const struct attr *a, const struct attr *b)
{
    return a->name == b->name && a->slot == b->slot && !memcmp(a->post, b->post, sizeof a->post) &&
           !memcmp(&a->conv, &b->conv, attr_bytes(kind));
}

WRAPS static uint64_t attr_mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211u;
    return h;
}

uint64_t attr_hash(enum attr_kind kind, const struct attr *a)
{
    uint64_t h = attr_mix(14695981039346656037u, &a->name, sizeof a->name);
    h = attr_mix(h, &a->slot, sizeof a->slot);
    h = attr_mix(h, a->post, sizeof a->post);
    return attr_mix(h, &a->conv, attr_bytes(kind));
}
