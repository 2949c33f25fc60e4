// The linear maps that Winograd's convolutions are made of (see opt/winograd.c). An image is cut
// into tiles, each tile taken apart into phases (pixels a, a + s, a + 2s …), and each phase
// evaluated at q points along both axes:
//     y[(u, v), (n, ty, tx), (a, b, c)] = Σ_i,j m[u][i]·m[v][j]·x[n, c, Y, X]
//         Y = s·(t·ty + i) + a − top,   X = s·(t·tx + j) + b − left
// with zeros outside. The three tensors of a convolution differ in their matrix, and in:
//     coarse (its result):  s = 1, one phase, i < t
//     fine (its input):     i < q, tiles overlap by q − t
//     weight:               one tile, i < r, no padding
// The adjoint adds up where tiles overlap. Each is the gradient of the other.
#include "ir/post_ops.h"
#include "ir/build.h"
#include "ir/op.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/ops/op_winograd.h"

#include <inttypes.h>
#include <string.h>

static struct attr op_winograd_attr_of(enum winograd_role role, struct winograd_tiling t)
{
    if (role != TILE_FINE)
        t.pad[0] = t.pad[1] = 0;
    if (role == TILE_WEIGHT)
        t.count[0] = t.count[1] = 1;
    return (struct attr){.winograd = {role, t}};
}

static int op_winograd_taps(const struct winograd_tiling *t)
{
    return (int)((t->kernel + t->stride - 1) / t->stride);
}

static void fill_matrix(struct winograd_cut *c, const struct winograd_points *t,
                        enum winograd_role role)
{
    for (int i = 0; i < c->rows; i++)
        for (int j = 0; j < c->columns; j++)
            c->m[i * c->columns + j] = role == TILE_COARSE ? (double)t->coarse[i][j]
                                       : role == TILE_FINE
                                           ? (double)t->fine[i][j]
                                           : (double)t->weight[i][j] / (double)t->divisor[i];
}

struct winograd_cut winograd_cut_by(enum winograd_role role, struct winograd_tiling t)
{
    const struct winograd_points points = winograd_points_of((int)t.n, op_winograd_taps(&t));
    const int columns[] = {
        [TILE_COARSE] = points.n, [TILE_FINE] = points.q, [TILE_WEIGHT] = points.r};
    const int64_t s = role == TILE_COARSE ? 1 : t.stride;
    struct winograd_cut c = {.step = s,
                             .phases = s,
                             .n = t.n,
                             .count = {t.count[0], t.count[1]},
                             .pad = {t.pad[0], t.pad[1]},
                             .rows = points.q,
                             .columns = columns[role]};
    fill_matrix(&c, &points, role);
    return c;
}

struct winograd_cut winograd_cut_of(const struct value *v)
{
    return winograd_cut_by((enum winograd_role)v->attr.winograd.role, v->attr.winograd.tiling);
}

static struct shape op_winograd_planes(struct shape x, struct attr attr)
{
    const struct winograd_tiling *t = &attr.winograd.tiling;
    const int64_t q = t->n + op_winograd_taps(t) - 1,
                  s = attr.winograd.role == TILE_COARSE ? 1 : t->stride;
    return SHAPE(q * q, x.dim[0] * t->count[0] * t->count[1], s * s * x.dim[1]);
}

struct value *winograd_transform(struct value *x, enum winograd_role role, struct winograd_tiling t)
{
    const struct attr attr = op_winograd_attr_of(role, t);
    if (x->shape.rank != 4)
        BUG("winograd_transform wants rank 4");
    return graph_add(x->graph, &op_winograd_transform, op_winograd_planes(x->shape, attr), 1, &x,
                     attr);
}

struct value *winograd_transform_adjoint(struct value *y, enum winograd_role role,
                                         struct winograd_tiling t, struct shape shape)
{
    const struct attr attr = op_winograd_attr_of(role, t);
    if (shape.rank != 4 || !shape_equal(y->shape, op_winograd_planes(shape, attr)))
        BUG("winograd_transform_adjoint: shapes do not fit");
    return graph_add(y->graph, &op_winograd_transform_adjoint, shape, 1, &y, attr);
}

static void forward_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = winograd_transform_adjoint(dy, (enum winograd_role)v->attr.winograd.role,
                                           v->attr.winograd.tiling, v->in[0]->shape);
}

static void adjoint_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = winograd_transform(dy, (enum winograd_role)v->attr.winograd.role,
                                   v->attr.winograd.tiling);
}

// --- meaning -------------------------------------------------------------------------------------

// One column of all planes: (n, ty, tx), phase (a, b), channel c. Pixels and points meet in every
// pair.
struct column {
    int64_t n, ty, tx, a, b, c;
};

static void column_terms(const struct winograd_cut *k, struct shape image, const struct column *o,
                         double *planes_at, int64_t plane, const double *in, double *out)
{
    const int64_t *d = image.dim;
    for (int u = 0; u < k->rows * k->rows; u++)
        for (int i = 0; i < k->columns * k->columns; i++) {
            const int64_t y = k->step * (k->n * o->ty + i / k->columns) + o->a - k->pad[0];
            const int64_t x = k->step * (k->n * o->tx + i % k->columns) + o->b - k->pad[1];
            if (y < 0 || y >= d[2] || x < 0 || x >= d[3])
                continue;
            const double m = k->m[u / k->rows * k->columns + i / k->columns] *
                             k->m[u % k->rows * k->columns + i % k->columns];
            const int64_t at = ((o->n * d[1] + o->c) * d[2] + y) * d[3] + x;
            if (in)
                planes_at[u * plane] += m * in[at];
            else
                out[at] += m * planes_at[u * plane];
        }
}

// planes ← image where `in` is given, else image `out` ← planes.
static void meaning(const struct value *v, struct shape image, double *y, const double *in,
                    double *out)
{
    const struct winograd_cut k = winograd_cut_of(v);
    const int64_t C = image.dim[1], width = k.phases * k.phases * C, row = k.count[0] * k.count[1];
    const int64_t plane = image.dim[0] * row * width;
    for (int64_t i = 0; i < plane; i++) {
        const int64_t tile = i / width, phase = i % width / C;
        const struct column o = {tile / row,       tile % row / k.count[1], tile % k.count[1],
                                 phase / k.phases, phase % k.phases,        i % C};
        column_terms(&k, image, &o, y + i, plane, in, out);
    }
}

static void op_winograd_clear(const struct value *v, double *out)
{
    memset(out, 0, sizeof *out * (size_t)shape_size(v->shape));
}

static void forward_reference(const struct value *v, const double *const *in, double *out)
{
    op_winograd_clear(v, out);
    meaning(v, v->in[0]->shape, out, in[0], NULL);
}

static void adjoint_reference(const struct value *v, const double *const *in, double *out)
{
    op_winograd_clear(v, out);
    meaning(v, v->shape, (double *)(uintptr_t)in[0], NULL, out);
    post_ops_reference(v, in, out);
}

static void op_winograd_print(const struct value *v, struct text *out)
{
    static const char *const role[] = {"coarse", "fine", "weight"};
    const struct winograd_tiling t = v->attr.winograd.tiling;
    text_addf(out, "%s F(%" PRId64 ",%d) stride=%" PRId64, role[v->attr.winograd.role], t.n,
              op_winograd_taps(&t), t.stride);
    post_ops_print(v, out);
}

const struct op op_winograd_transform = {.name = "winograd_transform",
                                         .attr = ATTR_WINOGRAD,
                                         .linear_in = linear_in_one,
                                         .grad = forward_grad,
                                         .reference = forward_reference,
                                         .print = op_winograd_print};
const struct op op_winograd_transform_adjoint = {.name = "winograd_transform_adjoint",
                                                 .attr = ATTR_WINOGRAD,
                                                 .linear_in = linear_in_one,
                                                 .flags = OP_POST_OPS,
                                                 .grad = adjoint_grad,
                                                 .reference = adjoint_reference,
                                                 .print = op_winograd_print};
