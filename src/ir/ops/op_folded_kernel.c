// Kernels whose taps are spread over f pixels, and their adjoints; indices outside w are dropped.
// The kernel that a convolution of an upsampled image is equal to (see opt/fold_upsample.c):
//   w' (C, K, k+f−1, k+f−1) of w (K, C, k, k):  w'[c,o,t] = Σ_{d<f} w[o,c,k−1−t+d]   on each axis
// w is flipped along both axes, each tap is spread over f, and the roles of the two channels are exchanged:
// that is a transposed convolution's kernel. And the kernel that the block sums of a convolution
// are equal to (see opt/fold_pool.c), which is w spread and no more:
//   w' (K, C, k+f−1, k+f−1):  w'[o,c,t] = Σ_{d<f} w[o,c,t−d]
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"
#include "ir/ops/op_folded_kernel.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static struct value *op_folded_kernel_spread(const struct op *op, struct value *w, int64_t factor,
                                             int64_t more, bool pooled)
{
    const int64_t *d = w->shape.dim;
    if (w->shape.rank != 4 || factor < 1 || d[2] + more < 1 || d[3] + more < 1)
        BUG("%s wants a kernel (K, C, kh, kw)", op->name);
    const int64_t first = d[pooled ? 0 : 1], second = d[pooled ? 1 : 0];
    return graph_add(w->graph, op, SHAPE(first, second, d[2] + more, d[3] + more), 1, &w,
                     (struct attr){.factor = {factor, pooled}});
}

struct value *upsampled_kernel(struct value *w, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel, w, factor, factor - 1, false);
}

struct value *upsampled_kernel_grad(struct value *dw, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel_grad, dw, factor, 1 - factor, false);
}

struct value *pooled_kernel(struct value *w, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel, w, factor, factor - 1, true);
}

struct value *pooled_kernel_grad(struct value *dw, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel_grad, dw, factor, 1 - factor, true);
}

static void spread_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = op_folded_kernel_spread(&op_upsampled_kernel_grad, dy, v->attr.factor.by,
                                        1 - v->attr.factor.by, v->attr.factor.pooled);
}

static void unspread_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = op_folded_kernel_spread(&op_upsampled_kernel, dy, v->attr.factor.by,
                                        v->attr.factor.by - 1, v->attr.factor.pooled);
}

DEFINE_TAPS(double)

static void spread_reference(const struct value *v, const double *const *in, double *out)
{
    const struct folded_cut k = folded_cut_of(v, v->in[0]);
    for (int64_t o = 0; o < k.K; o++)
        for (int64_t c = 0; c < k.C; c++)
            taps_double(&k, (double *)(uintptr_t)(in[0] + folded_small_at(&k, o, c)),
                        out + folded_wide_at(&k, o, c), true);
}

static void unspread_reference(const struct value *v, const double *const *in, double *out)
{
    const struct folded_cut k = folded_cut_of(v, v);
    for (int64_t o = 0; o < k.K; o++)
        for (int64_t c = 0; c < k.C; c++)
            taps_double(&k, out + folded_small_at(&k, o, c),
                        (double *)(uintptr_t)(in[0] + folded_wide_at(&k, o, c)), false);
}

static void spread_print(const struct value *v, struct text *out)
{
    text_addf(out, "factor=%" PRId64 "%s", v->attr.factor.by,
              v->attr.factor.pooled ? " pooled" : "");
}

const struct op op_upsampled_kernel = {.name = "upsampled_kernel",
                                       .attr = ATTR_FACTOR,
                                       .linear_in = linear_in_one,
                                       .grad = spread_grad,
                                       .reference = spread_reference,
                                       .print = spread_print};
const struct op op_upsampled_kernel_grad = {.name = "upsampled_kernel_grad",
                                            .attr = ATTR_FACTOR,
                                            .linear_in = linear_in_one,
                                            .grad = unspread_grad,
                                            .reference = unspread_reference,
                                            .print = spread_print};
