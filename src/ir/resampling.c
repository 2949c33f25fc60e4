// A row is made in two steps: the taps that a rule names, which may reach over the border, then the
// row that those become once each lies inside, equal places added up. So a rule need not know what
// happens at a border, and the transpose is a plain exchange of rows and columns.
#include "ir/resampling.h"

#include "base/arena.h"
#include "base/diag.h"

#include <math.h>
#include <string.h>

static const char *const rule_name[RESAMPLE_RULES] = {
    [RESAMPLE_KEEP] = "keep",
    [RESAMPLE_REFLECT] = "reflect",
    [RESAMPLE_REVERSE] = "reverse",
    [RESAMPLE_NEAREST] = "nearest",
    [RESAMPLE_AREA] = "area",
    [RESAMPLE_BILINEAR] = "bilinear",
    [RESAMPLE_BICUBIC] = "bicubic",
    [RESAMPLE_BILINEAR_ANTIALIAS] = "bilinear_antialias",
    [RESAMPLE_BICUBIC_ANTIALIAS] = "bicubic_antialias",
};

const char *resampling_name(int64_t rule)
{
    ASSERT(rule >= 0 && rule < RESAMPLE_RULES);
    return rule_name[rule];
}

static double triangle(double x) { return fabs(x) < 1 ? 1 - fabs(x) : 0; }

// Keys 1981, equation 15 with a free a.
static double keys(double x, double a)
{
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

static double resampling_kernel(int64_t rule, double x)
{
    switch (rule) {
    case RESAMPLE_BICUBIC: return keys(x, -0.75);
    case RESAMPLE_BICUBIC_ANTIALIAS: return keys(x, -0.5);
    default: return triangle(x);
    }
}

static bool is_cubic(int64_t rule)
{
    return rule == RESAMPLE_BICUBIC || rule == RESAMPLE_BICUBIC_ANTIALIAS;
}

// --- a row as its rule says it -------------------------------------------------------------------

// Weights of consecutive places from `from`, which may lie outside.
struct row_taps {
    int64_t from, n;
    double *weight; // room for resampling_most
};

static void taps_at(struct row_taps *t, int64_t at)
{
    t->from = at;
    t->n = 1;
    t->weight[0] = 1;
}

static void taps_mirrored(struct row_taps *t, const struct resampling *r, int64_t o)
{
    const int64_t at = o - r->before, last = r->from - 1;
    taps_at(t, at < 0 ? -at : at > last ? 2 * last - at : at);
}

static void taps_of_area(struct row_taps *t, const struct resampling *r, int64_t o)
{
    const int64_t begin = o * r->from / r->to, end = ((o + 1) * r->from + r->to - 1) / r->to;
    t->from = begin;
    t->n = end - begin;
    for (int64_t i = 0; i < t->n; i++)
        t->weight[i] = 1 / (double)t->n;
}

static double centre(const struct resampling *r, int64_t o)
{
    return ((double)o + 0.5) * (double)r->from / (double)r->to - 0.5;
}

static void taps_of_kernel(struct row_taps *t, const struct resampling *r, int64_t o)
{
    const double at = centre(r, o);
    t->n = is_cubic(r->rule) ? 4 : 2;
    t->from = (int64_t)floor(at) - (t->n / 2 - 1);
    for (int64_t i = 0; i < t->n; i++)
        t->weight[i] = resampling_kernel(r->rule, (double)(t->from + i) - at);
}

// Places outside are left out, and the others' weights brought to a sum of 1.
static void taps_antialiased(struct row_taps *t, const struct resampling *r, int64_t o)
{
    const double at = centre(r, o), scale = fmax(1, (double)r->from / (double)r->to),
                 reach = (is_cubic(r->rule) ? 2 : 1) * scale;
    t->from = (int64_t)fmax(0, floor(at - reach + 1));
    const int64_t end = (int64_t)fmin((double)r->from, floor(at + reach + 1));
    t->n = end - t->from;
    double sum = 0;
    for (int64_t i = 0; i < t->n; i++)
        sum += t->weight[i] = resampling_kernel(r->rule, ((double)(t->from + i) - at) / scale);
    for (int64_t i = 0; i < t->n; i++)
        t->weight[i] /= sum;
}

static void taps_of(struct row_taps *t, const struct resampling *r, int64_t o)
{
    switch (r->rule) {
    case RESAMPLE_KEEP: taps_at(t, o); return;
    case RESAMPLE_REFLECT: taps_mirrored(t, r, o); return;
    case RESAMPLE_REVERSE: taps_at(t, r->from - 1 - o); return;
    case RESAMPLE_NEAREST: taps_at(t, (2 * o + 1) * r->from / (2 * r->to)); return;
    case RESAMPLE_AREA: taps_of_area(t, r, o); return;
    case RESAMPLE_BILINEAR:
    case RESAMPLE_BICUBIC: taps_of_kernel(t, r, o); return;
    case RESAMPLE_BILINEAR_ANTIALIAS:
    case RESAMPLE_BICUBIC_ANTIALIAS: taps_antialiased(t, r, o); return;
    default: BUG("no resampling rule %d", (int)r->rule);
    }
}

// --- rows ----------------------------------------------------------------------------------------

// Taps of a row at most.
static int64_t resampling_most(const struct resampling *r) { return 4 * (r->from / r->to + 2); }

// Places outside become the border's, zeros vanish.
static void row_add(struct resampling_rows *m, const struct row_taps *t)
{
    int64_t begin = m->first[m->n], end = begin;
    for (int64_t i = 0; i < t->n; i++) {
        int64_t at = t->from + i;
        at = at < 0 ? 0 : at >= m->from ? m->from - 1 : at;
        if (end > begin && m->at[end - 1] == at)
            m->weight[end - 1] += t->weight[i];
        else if (t->weight[i] != 0) {
            m->at[end] = at;
            m->weight[end++] = t->weight[i];
        }
    }
    m->first[++m->n] = end;
}

static struct resampling_rows rows_room(struct arena *a, int64_t n, int64_t from, int64_t entries)
{
    return (struct resampling_rows){.from = from,
                                    .first = NEW_ARRAY(a, int64_t, n + 1),
                                    .at = NEW_ARRAY(a, int64_t, entries),
                                    .weight = NEW_ARRAY(a, double, entries)};
}

static struct resampling_rows rows_transposed(struct arena *a, const struct resampling_rows *m)
{
    const int64_t entries = m->first[m->n];
    struct resampling_rows t = rows_room(a, m->from, m->n, entries);
    t.n = m->from;
    for (int64_t i = 0; i < entries; i++)
        t.first[m->at[i] + 1]++;
    for (int64_t c = 0; c < t.n; c++)
        t.first[c + 1] += t.first[c];
    int64_t *next = NEW_ARRAY(a, int64_t, t.n);
    memcpy(next, t.first, sizeof *next * (size_t)t.n);
    for (int64_t o = 0; o < m->n; o++)
        for (int64_t i = m->first[o]; i < m->first[o + 1]; i++) {
            const int64_t to = next[m->at[i]]++;
            t.at[to] = o;
            t.weight[to] = m->weight[i];
        }
    return t;
}

struct resampling_rows resampling_rows(struct arena *a, struct resampling r, bool adjoint)
{
    ASSERT(r.from > 0 && r.to > 0);
    const int64_t most = resampling_most(&r);
    struct row_taps t = {.weight = NEW_ARRAY(a, double, most)};
    struct resampling_rows m = rows_room(a, r.to, r.from, r.to * most);
    for (int64_t o = 0; o < r.to; o++) {
        taps_of(&t, &r, o);
        ASSERT(t.n > 0 && t.n <= most);
        row_add(&m, &t);
    }
    return adjoint ? rows_transposed(a, &m) : m;
}
