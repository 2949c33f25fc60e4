// A graph's plan against its reference kernels: sources get numbers made from their names, and
// every named root is compared.
#include "base/arena.h"
#include "ir/build.h"
#include "ir/slot.h"
#include "codegen/compile.h"
#include "codegen/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static double number(uint64_t i, uint64_t seed)
{
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u + seed * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 29)) * 0x94D049BB133111EBu;
    return (double)(z >> 40) / (1 << 23) - 1;
}

static uint64_t seed_of(const struct value *v)
{
    uint64_t seed = 0;
    for (const char *c = v->attr.slot ? v->attr.slot->name : v->attr.name; *c; c++)
        seed = 31 * seed + (unsigned char)*c;
    return seed;
}

// Second moments, "v/…", are no less than zero.
static float element(const struct value *v, int64_t i)
{
    const double x = number((uint64_t)i, seed_of(v));
    return (float)(v->attr.slot && v->attr.slot->name[0] == 'v' ? fabs(x) : x);
}

static void feed(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = element(v, i);
}

static void fill(struct plan *p, const struct graph *g)
{
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        float *to = v->attr.name ? plan_input(p, v->attr.name) : NULL;
        for (int64_t j = 0, n = shape_size(v->shape); to && j < n; j++)
            to[j] = element(v, j);
    }
}

static void compare(const struct graph *g, const struct plan *p, struct arena *a, const char *what)
{
    const struct reference source = {feed, NULL};
    double **expect = graph_reference(g, &source, a);
    for (int i = 0; i < g->n_root; i++) {
        const struct root *r = &g->root[i];
        if (!r->name)
            continue;
        const float *got = plan_output(p, r->name);
        const double *e = expect[r->value->id];
        double most = 1;
        for (int64_t j = 0, n = shape_size(r->value->shape); j < n; j++)
            most = fmax(most, fabs(e[j]));
        for (int64_t j = 0, n = shape_size(r->value->shape); j < n; j++)
            if (!(fabs(e[j] - got[j]) <= 1e-5 * most))
                fail_msg("%s: %s[%d] is %g, not %g", what, r->name, (int)j, got[j], e[j]);
    }
}

static void check(struct graph *g, bool laid, struct arena *a, const char *what)
{
    if (laid)
        pass_assign_layouts(g);
    graph_verify(g, "layout");
    pass_assign_memory(g);
    struct plan *p = plan_new(a, g, NULL, 0);
    for (int i = 0; i < 2; i++) {
        fill(p, g);
        plan_run(p, 0);
        compare(g, p, a, what);
    }
}
