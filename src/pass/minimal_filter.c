// Convolutions by fewer products. A convolution of kernel k and stride s, per axis, with t = s·σ +
// a:
//     T = Σ_o,t  coarse[o]·fine[s·o + t − p]·w[t] = Σ_a Σ_j fine_a[j] · (Σ_{o+σ=j}
//     coarse[o]·w_a[σ]),   fine_a[j] = fine[s·j + a − p]
// so each of the s phases sees a product of polynomials, which Toom–Cook (graph/toom.c) takes q = n
// + r − 1 products a tile of n for, where n·r are due. T is what all three ops are derivatives of,
// so the three maps are the same three maps in each of them:
//     conv             coarse = Cᵀ(F(x) · W(w)ᵀ)
//     conv_data_grad   fine   = Fᵀ(C(dy) · W(w))
//     conv_weight_grad w      = Wᵀ(C(dy)ᵀ · F(x))
// all of them batched matmuls over the q² points. Phases are beside the channels of F and W, so
// their sum is inside the matmul. An activation that two ops read is transformed once: cse sees to
// it, since both ask for the same map of the same value.
//
// Square kernels of 2 to 5 pixels, both strides 1 or both 2, any padding. TOOM_MOST points allow
// tiles of n with n + ⌈k/s⌉ − 1 ≤ 8:
//     stride 1:  k = 2, 3: n = 2 to 6    k = 4: n = 2 to 5    k = 5: n = 2, 3, 4
//     stride 2:  k = 2 to 5: n = 2 to 6
//
// Whether it pays, and with which tiles, is chosen for all convolutions together that share
// operands (pass/filter_family.c): by measuring, or by a rule of shapes.
//
// Or in blocks, without planes: the convolution stays, and is told its tiles (prim/kernel_filter.c).
//
// Three algorithms, one an op, each with the matrices that the literature gives for it, is the
// usual way. It shares nothing: the forward pass would cut its input into other tiles than the
// weight gradient.
#include "pass/filter.h"

#include "base/arena.h"
#include "graph/build.h"
#include "graph/op.h"
#include "pass/pass.h"

struct filter filter_of(const struct value *v)
{
    const struct conv_parts p = conv_parts(v);
    struct filter f = {p.x->shape, p.w->shape, p.y->shape, .stride = v->attr.i[0]};
    f.kernel = f.weight.dim[2];
    return f;
}

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

bool filter_fits(const struct value *v)
{
    const int64_t *i = v->attr.i;
    if (v->op != &op_conv && v->op != &op_conv_data_grad && v->op != &op_conv_weight_grad)
        return false;
    const struct filter f = filter_of(v);
    return i[0] == i[1] && i[0] <= 2 && f.weight.dim[2] == f.weight.dim[3] && f.kernel >= 2 &&
           f.kernel <= 5;
}

static struct value *planes_product(struct value *v, struct filter f, struct tiling t)
{
    struct value *a = v->in[0], *b = v->in[1];
    if (v->op == &op_conv)
        return tile_map_adjoint(
            matmul(tile_map(a, TILE_FINE, t), tile_map(b, TILE_WEIGHT, t), false, true),
            TILE_COARSE, t, f.coarse);
    if (v->op == &op_conv_data_grad)
        return tile_map_adjoint(
            matmul(tile_map(a, TILE_COARSE, t), tile_map(b, TILE_WEIGHT, t), false, false),
            TILE_FINE, t, f.fine);
    return tile_map_adjoint(
        matmul(tile_map(b, TILE_COARSE, t), tile_map(a, TILE_FINE, t), true, false), TILE_WEIGHT, t,
        f.weight);
}

static struct value *rewrite(struct value *v, void *context)
{
    const int *tile = context;
    const int64_t n = tile[v->id];
    if (!n)
        return NULL;
    if (n > FILTER_BLOCKED)
        return conv_tiled(v, (int)n / FILTER_BLOCKED, (int)n % FILTER_BLOCKED);
    const struct filter f = filter_of(v);
    return planes_product(v, f, (struct tiling){n, f.stride, f.kernel, {v->attr.i[2], v->attr.i[4]},
                                                {up(f.coarse.dim[2], n), up(f.coarse.dim[3], n)}});
}

bool pass_minimal_filter(struct graph *g)
{
    struct arena *scratch = arena_new(NULL);
    const bool any = graph_rewrite(g, rewrite, filter_tiles(g, scratch));
    arena_free(scratch);
    return any;
}
