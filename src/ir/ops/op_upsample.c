// upsample repeats each pixel factor × factor times; pool_sum adds up factor × factor blocks. Each
// is the other's adjoint; average pooling is pool_sum and a scale.
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

struct value *upsample(struct value *x, int64_t factor)
{
    struct shape s = x->shape;
    if (s.rank != 4 || factor < 1)
        BUG("upsample wants (N, C, H, W)");
    s.dim[2] *= factor;
    s.dim[3] *= factor;
    return graph_add(x->graph, &op_upsample, s, 1, &x, (struct attr){.factor = {factor, false}});
}

struct value *pool_sum(struct value *x, int64_t factor)
{
    struct shape s = x->shape;
    if (s.rank != 4 || factor < 1 || s.dim[2] % factor || s.dim[3] % factor)
        BUG("pool_sum wants (N, C, H, W) with H and W multiples of the factor");
    s.dim[2] /= factor;
    s.dim[3] /= factor;
    return graph_add(x->graph, &op_pool_sum, s, 1, &x, (struct attr){.factor = {factor, false}});
}

static void upsample_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = pool_sum(dy, v->attr.factor.by);
}

static void pool_sum_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = upsample(dy, v->attr.factor.by);
}

// Walks every fine pixel beside the coarse one it belongs to.
static void pairs(struct shape fine, int64_t f, const double *in, double *out, bool up)
{
    const int64_t planes = fine.dim[0] * fine.dim[1], H = fine.dim[2], W = fine.dim[3];
    for (int64_t p = 0; p < planes; p++)
        for (int64_t y = 0; y < H; y++)
            for (int64_t x = 0; x < W; x++) {
                const int64_t at = (p * H + y) * W + x,
                              coarse = (p * (H / f) + y / f) * (W / f) + x / f;
                if (up)
                    out[at] = in[coarse];
                else
                    out[coarse] += in[at];
            }
}

static void upsample_reference(const struct value *v, const double *const *in, double *out)
{
    pairs(v->shape, v->attr.factor.by, in[0], out, true);
}

static void pool_sum_reference(const struct value *v, const double *const *in, double *out)
{
    memset(out, 0, sizeof *out * (size_t)shape_size(v->shape));
    pairs(v->in[0]->shape, v->attr.factor.by, in[0], out, false);
}

static void factor_print(const struct value *v, struct text *out)
{
    text_addf(out, "factor=%" PRId64, v->attr.factor.by);
}

const struct op op_upsample = {.name = "upsample",
                               .flags = OP_MOVES | OP_IN_ORDER,
                               .batch_role = batch_role_each,
                               .linear_in = linear_in_one,
                               .attr = ATTR_FACTOR,
                               .grad = upsample_grad,
                               .reference = upsample_reference,
                               .print = factor_print};
const struct op op_pool_sum = {.name = "pool_sum",
                               .flags = OP_ADDS_UP | OP_IN_ORDER,
                               .batch_role = batch_role_each,
                               .linear_in = linear_in_one,
                               .attr = ATTR_FACTOR,
                               .grad = pool_sum_grad,
                               .reference = pool_sum_reference,
                               .print = factor_print};
