// A kernel that covers its image, unpadded, has one place to be in, so the convolution is a dense
// layer: with F = C·kh·kw, and images and weights read as rows,
//     conv              y (N, K) = x (N, F) · w (K, F)ᵀ
//     conv_data_grad    x (N, F) = y · w
//     conv_weight_grad  w (K, F) = yᵀ · x
// The second is a transposed convolution from one pixel, with which DCGAN's generators begin; the
// first ends their critics. oneDNN computes a convolution with blocks of output pixels, of which
// there is one here; its matrix products know no pixels. Nothing is moved for it: rows of a picture
// that lies channels-last are transposed, and so the weights, which keep their shape, live
// (codegen/assign_layouts.c).
//
// With K = 1, where a critic ends, there is no matrix left to multiply with: the data gradient is
// an outer product, a map, which its reader computes where it reads; the other two are sums
// of such maps, and what they sum over may be an activation that is thereby never written.
//
// After opt/batch_siblings.c, which joins convolutions of two batches as well as products, and before
// opt/winograd.c, which would cut the one pixel into tiles. Where layers are built would be
// simpler, the gradients following by themselves: but what pooling comes to (opt/fold_pool.c) is
// not seen there, and every layer that convolves would have to look.
#include "opt/pass.h"

#include "ir/build.h"
#include "ir/op.h"

// x and w have the same pixels, and y has one.
static bool conv_to_matmul_whole(const struct value *v)
{
    if (!is_conv(v))
        return false;
    const struct conv_parts p = conv_parts(v);
    const int64_t *x = p.x->shape.dim, *w = p.w->shape.dim, *y = p.y->shape.dim;
    return x[2] == w[2] && x[3] == w[3] && y[2] * y[3] == 1 &&
           window_is_unpadded(&v->attr.conv.window);
}

// (R, …) to (R, all of the rest)
static struct value *conv_to_matmul_rows(struct value *x)
{
    return reshape(x, SHAPE(x->shape.dim[0], shape_size(x->shape) / x->shape.dim[0]));
}

static struct value *conv_to_matmul_product(const struct value *v, struct value *a, struct value *b)
{
    ASSERT(conv_to_matmul_whole(v));
    switch (conv_role(v)) {
    case CONV_FORWARD: return matmul(a, b, false, true);
    case CONV_DATA_GRAD: return matmul(a, b, false, false);
    case CONV_WEIGHT_GRAD: break;
    }
    return matmul(b, a, true, false);
}

// y (N, 1, 1, 1), w (1, C, kh, kw)
static struct value *sums(const struct value *v)
{
    ASSERT(conv_parts(v).w->shape.dim[0] == 1 || v->shape.dim[0] == 1);
    struct value *all = mul(v->in[0], v->in[1]);
    switch (conv_role(v)) {
    case CONV_FORWARD: return reduce_sum(all, 1 << 1 | 1 << 2 | 1 << 3);
    case CONV_DATA_GRAD: return all;
    case CONV_WEIGHT_GRAD: break;
    }
    return reduce_sum(all, 1 << 0);
}

static struct value *conv_to_matmul_rewrite(struct value *v, void *context)
{
    (void)context;
    if (!conv_to_matmul_whole(v))
        return NULL;
    if (conv_parts(v).w->shape.dim[0] == 1)
        return sums(v);
    return reshape(
        conv_to_matmul_product(v, conv_to_matmul_rows(v->in[0]), conv_to_matmul_rows(v->in[1])),
        v->shape);
}

bool pass_conv_to_matmul(struct graph *g) { return graph_rewrite(g, conv_to_matmul_rewrite, NULL); }
