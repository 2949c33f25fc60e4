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
// Whether it pays is decided by shape: `worth` weighs the products saved against the planes to be
// written and read. The rule gives the three ops of one convolution the same answer, or nothing
// would be shared.
//
// Three algorithms, one an op, each with the matrices that the literature gives for it, is the
// usual way. It shares nothing: the forward pass would cut its input into other tiles than the
// weight gradient.
#include "pass/pass.h"

#include "graph/build.h"
#include "graph/op.h"
#include "graph/toom.h"

// a number written to a plane and read back, in multiply-adds of a convolution
enum { PLANE_COST = 25 };

// fine (N, C, H, W), w (K, C, k, k), coarse (N, K, h, w)
struct filter {
    struct shape fine, weight, coarse;
    int64_t kernel, stride;
};

static struct filter filter_of(const struct value *v)
{
    struct filter f = {.stride = v->attr.i[0]};
    if (v->op == &op_conv)
        f.fine = v->in[0]->shape, f.weight = v->in[1]->shape, f.coarse = v->shape;
    else if (v->op == &op_conv_data_grad)
        f.fine = v->shape, f.weight = v->in[1]->shape, f.coarse = v->in[0]->shape;
    else
        f.fine = v->in[0]->shape, f.weight = v->shape, f.coarse = v->in[1]->shape;
    f.kernel = f.weight.dim[2];
    return f;
}

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

// What the convolution costs with tiles of n, in multiply-adds.
static double cost(const struct filter *f, int64_t n)
{
    const double q = (double)(n + up(f->kernel, f->stride) - 1);
    const double tiles = (double)(f->coarse.dim[0] * up(f->coarse.dim[2], n) *
                                  up(f->coarse.dim[3], n));
    const double K = (double)f->weight.dim[0],
                 C = (double)(f->stride * f->stride * f->weight.dim[1]);
    return q * q * (tiles * K * C + PLANE_COST * (tiles * K + tiles * C + K * C));
}

static bool filters(const struct value *v)
{
    const int64_t *i = v->attr.i;
    if (v->op != &op_conv && v->op != &op_conv_data_grad && v->op != &op_conv_weight_grad)
        return false;
    const struct filter f = filter_of(v);
    return i[0] == i[1] && i[0] <= 2 && f.weight.dim[2] == f.weight.dim[3] && f.kernel >= 2 &&
           f.kernel <= 5;
}

int minimal_filter_sizes(const struct value *v, int64_t size[3])
{
    int n = 0;
    if (!filters(v))
        return 0;
    const struct filter f = filter_of(v);
    for (int64_t s = 2; s <= 4 && s + up(f.kernel, f.stride) - 1 <= TOOM_MOST; s++)
        size[n++] = s;
    return n;
}

// The best size of tiles, or 0 where the direct way is as good.
static int64_t worth(const struct value *v, const struct filter *f)
{
    double best = (double)shape_size(f->coarse) *
                  (double)(f->weight.dim[1] * f->kernel * f->kernel);
    int64_t size[3], chosen = 0;
    for (int i = 0, n = minimal_filter_sizes(v, size); i < n; i++)
        if (cost(f, size[i]) < best) {
            best = cost(f, size[i]);
            chosen = size[i];
        }
    return chosen;
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
    const struct graph *g = v->graph;
    (void)context;
    if (!filters(v))
        return NULL;
    const struct filter f = filter_of(v);
    const int64_t n = g->tile_size ? g->tile_size(v, g->tile_context) : worth(v, &f);
    if (!n)
        return NULL;
    return planes_product(v, f, (struct tiling){n, f.stride, f.kernel, {v->attr.i[2], v->attr.i[4]},
                                                {up(f.coarse.dim[2], n), up(f.coarse.dim[3], n)}});
}

bool pass_minimal_filter(struct graph *g)
{
    return graph_rewrite(g, rewrite, NULL);
}
