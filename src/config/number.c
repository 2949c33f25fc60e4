// A number is read in two steps: our own scan decides what is one and where its unit is, then
// strtod gets digits with the unit folded into the exponent, so 1.1k is the double nearest 1100 and
// 5% the one nearest 0.05. Handing the text to strtod alone fails both ways: it takes hexadecimal,
// "inf" and "nan", and it knows no units.
#include "config/number.h"

#include "base/diag.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 400, EXPONENT_MAX = 9999 };

struct numeral {
    char digits[DIGITS_MAX + 32]; // sign, digits, point
    int n;
    int exponent;
    bool plain; // digits only: no point, exponent or unit
};

static bool number_put(struct numeral *out, char c)
{
    if (out->n >= DIGITS_MAX)
        return false;
    out->digits[out->n++] = c;
    return true;
}

// One run of digits with single underscores between them. Returns its end, NULL where it is none.
static const char *scan_digits(const char *p, struct numeral *out)
{
    if (!isdigit((unsigned char)*p))
        return NULL;
    while (isdigit((unsigned char)*p) || (*p == '_' && isdigit((unsigned char)p[1]))) {
        if (*p != '_' && !number_put(out, *p))
            return NULL;
        p++;
    }
    return p;
}

static const char *scan_exponent(const char *p, struct numeral *out)
{
    const bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (!isdigit((unsigned char)*p))
        return NULL;
    int e = 0;
    for (; isdigit((unsigned char)*p); p++)
        e = e < EXPONENT_MAX ? 10 * e + (*p - '0') : e;
    out->exponent += negative ? -e : e;
    out->plain = false;
    return p;
}

// [+-] digits [. digits] [e exponent]. Returns its end, NULL where text begins with no number.
static const char *scan(const char *p, struct numeral *out)
{
    *out = (struct numeral){.plain = true};
    if (*p == '-' || *p == '+')
        number_put(out, *p++);
    if (*p != '.' && !(p = scan_digits(p, out)))
        return NULL;
    if (*p == '.') {
        out->plain = false;
        number_put(out, *p++);
        const bool leading = out->n > 1 && isdigit((unsigned char)out->digits[out->n - 2]);
        if (isdigit((unsigned char)*p) || !leading)
            p = scan_digits(p, out);
    }
    if (p && (*p == 'e' || *p == 'E'))
        p = scan_exponent(p + 1, out);
    return p;
}

static double value(struct numeral *n)
{
    ASSERT(n->n > 0 && n->n <= DIGITS_MAX);
    snprintf(n->digits + n->n, sizeof n->digits - (size_t)n->n, "e%d", n->exponent);
    return strtod(n->digits, NULL);
}

static const char *scan_unit(const char *p, struct numeral *out)
{
    static const struct {
        char unit;
        int exponent;
    } unit[] = {{'k', 3}, {'M', 6}, {'G', 9}, {'%', -2}};
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
        if (*p == unit[i].unit) {
            out->exponent += unit[i].exponent;
            out->plain = false;
            return p + 1;
        }
    return p;
}

enum number_fault number_read(const char *text, double *out)
{
    struct numeral n;
    const char *p = scan(text, &n);
    if (!p || *scan_unit(p, &n))
        return NUMBER_WRONG;
    *out = value(&n);
    return isfinite(*out) ? NUMBER_GOOD : NUMBER_HUGE;
}

enum number_fault whole_read(const char *text, int64_t *out)
{
    struct numeral n;
    const char *p = scan(text, &n);
    if (!p || *p == '%' || *scan_unit(p, &n))
        return NUMBER_WRONG;
    if (n.plain) {
        int64_t x = 0;
        for (int i = 0; i < n.n; i++)
            if (isdigit((unsigned char)n.digits[i]) &&
                (__builtin_mul_overflow(x, 10, &x) ||
                 __builtin_add_overflow(x, n.digits[i] - '0', &x)))
                return NUMBER_HUGE;
        *out = n.digits[0] == '-' ? -x : x;
        return NUMBER_GOOD;
    }
    const double x = value(&n);
    if (!(fabs(x) <= 0x1p53))
        return NUMBER_HUGE;
    if (x != floor(x))
        return NUMBER_FRACTION;
    *out = (int64_t)x;
    return NUMBER_GOOD;
}

enum number_fault duration_read(const char *text, double *out)
{
    static const struct {
        const char *name;
        double seconds;
    } unit[] = {{"d", 86400}, {"h", 3600}, {"ms", 1e-3}, {"m", 60}, {"s", 1}};
    *out = 0;
    if (!strcmp(text, "0"))
        return NUMBER_GOOD;
    double last = INFINITY;
    for (const char *p = text; p == text || *p;) {
        struct numeral n;
        if (*p == '-' || *p == '+' || !(p = scan(p, &n)))
            return NUMBER_WRONG;
        size_t u = 0;
        while (u < sizeof unit / sizeof *unit && strncmp(p, unit[u].name, strlen(unit[u].name)))
            u++;
        if (u == sizeof unit / sizeof *unit || unit[u].seconds >= last)
            return NUMBER_WRONG;
        last = unit[u].seconds;
        *out += value(&n) * last;
        p += strlen(unit[u].name);
    }
    return isfinite(*out) ? NUMBER_GOOD : NUMBER_HUGE;
}

void number_text(double x, char *out)
{
    ASSERT(isfinite(x));
    if (fabs(x) < 1e15 && x == floor(x)) {
        snprintf(out, 32, "%.0f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x)
            return;
    }
}
