// Each image moved by whole pixels of its own, zeros coming in: y[n, c, i, j] = x[n, c, i − d, j − r]
// with (d, r) = by[n]. The adjoint moves back, so it is the same op with the offsets' signs turned.
#include "ir/build.h"
#include "ir/op.h"

#include <math.h>

struct value *shift(struct value *x, struct value *by)
{
    ASSERT(x->shape.rank == 4);
    ASSERT(shape_equal(by->shape, SHAPE(x->shape.dim[0], 2)));
    return graph_add(x->graph, &op_shift, x->shape, 2, (struct value *[]){x, by}, (struct attr){0});
}

// Offsets are whole numbers: there is nothing to differentiate.
static void shift_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = shift(dy, affine(v->in[1], -1, 0));
}

static bool shift_is_inside(double at, int64_t size) { return at >= 0 && at < (double)size; }

static void shift_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t *d = v->shape.dim, plane = d[2] * d[3];
    for (int64_t p = 0; p < d[0] * d[1]; p++) {
        const double down = in[1][p / d[1] * 2], right = in[1][p / d[1] * 2 + 1];
        for (int64_t i = 0; i < d[2]; i++)
            for (int64_t j = 0; j < d[3]; j++) {
                const double y = (double)i - down, x = (double)j - right;
                const bool inside = shift_is_inside(y, d[2]) && shift_is_inside(x, d[3]);
                out[p * plane + i * d[3] + j] =
                    inside ? in[0][p * plane + (int64_t)y * d[3] + (int64_t)x] : 0;
            }
    }
}

const struct op op_shift = {.name = "shift",
                            .batch_role = batch_role_each,
                            .linear_in = linear_in_one,
                            .grad = shift_grad,
                            .reference = shift_reference};
