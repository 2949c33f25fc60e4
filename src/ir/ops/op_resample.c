// Images made larger, smaller, mirrored or turned over, by a sparse matrix down and one across
// (ir/resampling.h). The adjoint is the same op with both matrices transposed.
#include "ir/build.h"
#include "ir/op.h"

#include "base/arena.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static struct value *resample_or_adjoint(struct value *x, struct resampling down,
                                         struct resampling across, bool adjoint)
{
    struct shape s = x->shape;
    ASSERT(s.rank == 4);
    ASSERT(s.dim[2] == (adjoint ? down.to : down.from));
    ASSERT(s.dim[3] == (adjoint ? across.to : across.from));
    s.dim[2] = adjoint ? down.from : down.to;
    s.dim[3] = adjoint ? across.from : across.to;
    return graph_add(x->graph, &op_resample, s, 1, &x,
                     (struct attr){.resample = {{down, across}, adjoint}});
}

struct value *resample(struct value *x, struct resampling down, struct resampling across)
{
    return resample_or_adjoint(x, down, across, false);
}

static void resample_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    const struct resampling *axis = v->attr.resample.axis;
    if (want[0])
        dx[0] = resample_or_adjoint(dy, axis[0], axis[1], !v->attr.resample.adjoint);
}

static double resample_dot(const struct resampling_rows *m, int64_t row, const double *x,
                           int64_t step)
{
    double sum = 0;
    for (int64_t i = m->first[row]; i < m->first[row + 1]; i++)
        sum += m->weight[i] * x[m->at[i] * step];
    return sum;
}

// Down first: rows of the result, as wide as the operand.
static void resample_reference(const struct value *v, const double *const *in, double *out)
{
    struct arena *a = arena_new(NULL);
    const bool adjoint = v->attr.resample.adjoint;
    const struct resampling_rows down = resampling_rows(a, v->attr.resample.axis[0], adjoint),
                                 across = resampling_rows(a, v->attr.resample.axis[1], adjoint);
    const int64_t planes = v->shape.dim[0] * v->shape.dim[1], wide = across.from;
    double *row = NEW_ARRAY(a, double, wide);
    for (int64_t p = 0; p < planes; p++)
        for (int64_t y = 0; y < down.n; y++) {
            for (int64_t x = 0; x < wide; x++)
                row[x] = resample_dot(&down, y, in[0] + p * down.from * wide + x, wide);
            for (int64_t x = 0; x < across.n; x++)
                out[(p * down.n + y) * across.n + x] = resample_dot(&across, x, row, 1);
        }
    arena_free(a);
}

static void resample_axis_print(const struct resampling *r, const char *axis, struct text *out)
{
    if (r->rule == RESAMPLE_KEEP)
        return;
    text_addf(out, " %s=%s(%" PRId64 "→%" PRId64, axis, resampling_name(r->rule), r->from, r->to);
    if (r->rule == RESAMPLE_REFLECT)
        text_addf(out, ",%" PRId64, r->before);
    text_add(out, ")");
}

static void resample_print(const struct value *v, struct text *out)
{
    text_add(out, v->attr.resample.adjoint ? "adjoint" : "forward");
    resample_axis_print(&v->attr.resample.axis[0], "down", out);
    resample_axis_print(&v->attr.resample.axis[1], "across", out);
}

const struct op op_resample = {.name = "resample",
                               .batch_role = batch_role_each,
                               .linear_in = linear_in_one,
                               .attr = ATTR_RESAMPLE,
                               .grad = resample_grad,
                               .reference = resample_reference,
                               .print = resample_print};
