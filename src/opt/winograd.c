// Convolutions by fewer products. A convolution of kernel k and stride s, on each axis, with
// t = s·σ + a:
//     T = Σ_o,t coarse[o]·fine[s·o + t − p]·w[t] = Σ_a Σ_j fine_a[j]·(Σ_{o+σ=j} coarse[o]·w_a[σ])
//         fine_a[j] = fine[s·j + a − p]
// Each of the s phases is a product of polynomials. Toom–Cook (ir/winograd_points.c) takes
// q = n + r − 1 products a tile of n, where n·r are due. T is what all three ops are derivatives of,
// so the three maps are the same in each of them:
//     conv             coarse = Cᵀ(F(x) · W(w)ᵀ)
//     conv_data_grad   fine   = Fᵀ(C(dy) · W(w))
//     conv_weight_grad w      = Wᵀ(C(dy)ᵀ · F(x))
// all of them batched matmuls over the q² points. Phases are beside the channels of F and W, so
// their sum is inside the matmul. An activation that two ops read is transformed once: cse sees to
// it, since both ask for the same map of the same value.
//
// Square kernels of 2 to 5 pixels, both strides 1 or both 2, any padding; tiles of n with
// n + ⌈k/s⌉ − 1 ≤ WINOGRAD_POINTS_MAX. Whether it pays, and with which tiles, is chosen for all
// convolutions together that share operands (opt/winograd_family.c): by measuring, or by a rule of
// shapes. Or in blocks, without planes: the convolution stays, and is told its tiles.
//
// Three algorithms, one an op, each with the matrices that the literature gives for it, is the
// usual way. It shares nothing: the forward pass would cut its input into other tiles than the
// weight gradient.
#include "opt/winograd.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "opt/pass.h"

struct winograd winograd_of(const struct value *v)
{
    ASSERT(is_conv(v));
    const struct conv_parts p = conv_parts(v);
    struct winograd f = {p.x->shape, p.w->shape, p.y->shape,
                         .stride = v->attr.conv.window.stride[0]};
    f.kernel = f.weight.dim[2];
    return f;
}

static int64_t winograd_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool winograd_fits(const struct value *v)
{
    if (!is_conv(v))
        return false;
    const int64_t *stride = v->attr.conv.window.stride;
    const struct winograd f = winograd_of(v);
    return stride[0] == stride[1] && stride[0] <= 2 && f.weight.dim[2] == f.weight.dim[3] &&
           f.kernel >= 2 && f.kernel <= 5;
}

static struct value *planes_product(struct value *v, struct winograd f, struct winograd_tiling t)
{
    ASSERT(f.kernel >= 2 && t.n >= 1);
    struct value *a = v->in[0], *b = v->in[1];
    switch (conv_role(v)) {
    case CONV_FORWARD:
        b = winograd_transform(b, TILE_WEIGHT, t), a = winograd_transform(a, TILE_FINE, t);
        return winograd_transform_adjoint(matmul(a, b, false, true), TILE_COARSE, t, f.coarse);
    case CONV_DATA_GRAD:
        b = winograd_transform(b, TILE_WEIGHT, t), a = winograd_transform(a, TILE_COARSE, t);
        return winograd_transform_adjoint(matmul(a, b, false, false), TILE_FINE, t, f.fine);
    case CONV_WEIGHT_GRAD: break;
    }
    a = winograd_transform(a, TILE_FINE, t), b = winograd_transform(b, TILE_COARSE, t);
    return winograd_transform_adjoint(matmul(b, a, true, false), TILE_WEIGHT, t, f.weight);
}

static struct value *winograd_rewrite(struct value *v, void *context)
{
    const int *tile = context;
    const int64_t n = tile[v->id];
    if (!n)
        return NULL;
    if (n > WINOGRAD_BLOCKED)
        return conv_winograd(v, (int)n / WINOGRAD_BLOCKED, (int)n % WINOGRAD_BLOCKED);
    const struct winograd f = winograd_of(v);
    return planes_product(v, f,
                          (struct winograd_tiling){
                              n,
                              f.stride,
                              f.kernel,
                              {v->attr.conv.window.pad[0], v->attr.conv.window.pad[2]},
                              {winograd_up(f.coarse.dim[2], n), winograd_up(f.coarse.dim[3], n)}});
}

bool pass_winograd(struct graph *g)
{
    if (!g->minimal_filtering)
        return false;
    struct arena *scratch = arena_new(NULL);
    const bool any = graph_rewrite(g, winograd_rewrite, winograd_tiles(g, scratch));
    arena_free(scratch);
    return any;
}
