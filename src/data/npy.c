// The header of an .npy file is a Python dictionary in text. NumPy writes it in one way, with three
// keys in an order of its version's; that much grammar is read, each key once. Searching the text
// for "'shape':" fails on a file that was edited or made by another program, and silently: a key
// inside a string would be found too.
//
// Sizes are bounded before they are multiplied, and the file must be as long as they say.
#include "data/npy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"

static const struct kind {
    const char *descr;
    int size;
} kind[] = {
    [NPY_BOOL] = {"|b1", 1}, [NPY_U1] = {"|u1", 1}, [NPY_I1] = {"|i1", 1}, [NPY_U2] = {"<u2", 2},
    [NPY_I4] = {"<i4", 4},   [NPY_I8] = {"<i8", 8}, [NPY_F4] = {"<f4", 4}, [NPY_F8] = {"<f8", 8},
};

// What is left of the header's text.
struct cursor {
    const char *at, *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && isspace((unsigned char)*c->at))
        c->at++;
}

static bool npy_take(struct cursor *c, const char *word)
{
    const size_t n = strlen(word);
    skip_space(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n))
        return false;
    c->at += n;
    return true;
}

// 'text' into `to`; false when it is none or longer than the room.
static bool take_text(struct cursor *c, char *to, size_t room)
{
    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    const char quote = *c->at++;
    for (size_t n = 0; c->at < c->end && n < room; n++) {
        to[n] = *c->at++;
        if (to[n] == quote) {
            to[n] = 0;
            return true;
        }
    }
    return false;
}

static bool take_number(struct cursor *c, int64_t *to)
{
    skip_space(c);
    const char *first = c->at;
    for (*to = 0; c->at < c->end && isdigit((unsigned char)*c->at) && *to < INT64_C(1) << 50;
         c->at++)
        *to = 10 * *to + (*c->at - '0');
    return c->at > first;
}

static bool take_shape(struct cursor *c, struct npy *out)
{
    if (!npy_take(c, "("))
        return false;
    for (out->rank = 0; !npy_take(c, ")"); out->rank++) {
        if (out->rank == NPY_RANK_MAX || !take_number(c, &out->dim[out->rank]))
            return false;
        if (!npy_take(c, ",")) {
            out->rank++;
            return npy_take(c, ")");
        }
    }
    return true;
}

static bool take_type(struct arena *a, struct cursor *c, struct npy *out, const char **why)
{
    char descr[32];
    if (!take_text(c, descr, sizeof descr))
        return false;
    for (size_t i = 0; i < LENGTH(kind); i++)
        if (!strcmp(descr, kind[i].descr)) {
            out->type = (enum npy_type)i;
            return true;
        }
    *why = arena_printf(a, "holds numbers of type '%s'; read are |b1 |u1 |i1 <u2 <i4 <i8 <f4 <f8",
                        descr);
    return false;
}

static bool take_order(struct cursor *c, const char **why)
{
    if (npy_take(c, "False"))
        return true;
    if (npy_take(c, "True"))
        *why = "is in Fortran's order; numpy.ascontiguousarray(x) brings it into C's";
    return false;
}

enum { DESCR = 1, ORDER = 2, SHAPE = 4 };

// One key with its value; its bit, or 0.
static int take_entry(struct arena *a, struct cursor *c, struct npy *out, const char **why)
{
    char key[32];
    if (!take_text(c, key, sizeof key) || !npy_take(c, ":"))
        return 0;
    if (!strcmp(key, "descr"))
        return take_type(a, c, out, why) ? DESCR : 0;
    if (!strcmp(key, "fortran_order"))
        return take_order(c, why) ? ORDER : 0;
    return !strcmp(key, "shape") && take_shape(c, out) ? SHAPE : 0;
}

static bool take_header(struct arena *a, struct cursor *c, struct npy *out, const char **why)
{
    int seen = 0;
    if (!npy_take(c, "{"))
        return false;
    while (!npy_take(c, "}")) {
        const int bit = take_entry(a, c, out, why);
        if (!bit || (seen & bit))
            return false;
        seen |= bit;
        if (!npy_take(c, ",") && (skip_space(c), c->at < c->end) && *c->at != '}')
            return false;
    }
    skip_space(c);
    return seen == (DESCR | ORDER | SHAPE) && c->at == c->end;
}

static bool npy_count(struct arena *a, struct npy *out, size_t n, const char **why)
{
    const size_t size = (size_t)kind[out->type].size;
    out->count = 1;
    for (int i = 0; i < out->rank; i++) {
        if (out->dim[i] && out->count > (INT64_C(1) << 40) / out->dim[i]) {
            *why = "has a damaged header: it claims more than 2^40 numbers";
            return false;
        }
        out->count *= out->dim[i];
    }
    if ((size_t)out->count * size == n)
        return true;
    *why = arena_printf(a, "%s: %zu bytes of numbers where its header claims %zu",
                        (size_t)out->count * size > n ? "is cut short" : "is too long", n,
                        (size_t)out->count * size);
    return false;
}

bool npy_parse(struct arena *a, const uint8_t *byte, size_t n, struct npy *out, const char **why)
{
    *out = (struct npy){0};
    *why = NULL;
    if (n < 12 || memcmp(byte, "\x93NUMPY", 6) || byte[6] < 1 || byte[6] > 3) {
        *why = "is no .npy file";
        return false;
    }
    const size_t head = byte[6] == 1 ? 10 : 12;
    const size_t text = byte[6] == 1 ? byte[8] | (size_t)byte[9] << 8
                                     : byte[8] | (size_t)byte[9] << 8 | (size_t)byte[10] << 16 |
                                           (size_t)byte[11] << 24;
    if (text > n - head) {
        *why = "is cut short within its header";
        return false;
    }
    struct cursor c = {(const char *)byte + head, (const char *)byte + head + text};
    out->byte = byte + head + text;
    if (take_header(a, &c, out, why))
        return npy_count(a, out, n - head - text, why);
    *why = *why ? *why : "has a damaged header, or an array of more than 4 dimensions";
    return false;
}

double npy_number(const struct npy *x, int64_t i)
{
    ASSERT(i >= 0 && i < x->count);
    const uint8_t *p = x->byte + i * kind[x->type].size;
    uint16_t u2;
    int32_t i4;
    int64_t i8;
    float f4;
    double f8;
    switch (x->type) {
    case NPY_BOOL: return *p != 0;
    case NPY_U1: return *p;
    case NPY_I1: return (int8_t)*p;
    case NPY_U2: return memcpy(&u2, p, sizeof u2), u2;
    case NPY_I4: return memcpy(&i4, p, sizeof i4), i4;
    case NPY_I8: return memcpy(&i8, p, sizeof i8), (double)i8;
    case NPY_F4: return memcpy(&f4, p, sizeof f4), f4;
    case NPY_F8: return memcpy(&f8, p, sizeof f8), f8;
    }
    return 0;
}
