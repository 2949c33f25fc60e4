// Spectral normalisation: w / σ(w), σ the largest singular value, so that a layer stretches nothing
// by more than 1. u and v come near the singular vectors by one step of power iteration a training
// step, which is enough because weights move little in a step; the exact σ would cost a
// decomposition each time. Outside training u and v are those of the checkpoint, as in PyTorch, so
// that both give the same pictures. Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957.
#include "nn/network.h"

#include "base/arena.h"

// x / ‖x‖
static struct value *spectral_unit(struct value *x)
{
    return mul(x, rsqrt_value(affine(reduce_sum(square(x), AXES_ALL & 3), 1, 1e-24)));
}

// w as a matrix (rows, rest), a row for each output
static struct value *as_matrix(struct value *w, int out)
{
    if (out == 1 && w->shape.rank == 4)
        w = transpose(w, (int[]){1, 0, 2, 3});
    return reshape(w, SHAPE(w->shape.dim[0], shape_size(w->shape) / w->shape.dim[0]));
}

// v = unit(mᵀ·u), u = unit(m·v), σ = uᵀ·m·v; the gradient takes u and v for constants
struct value *ctx_spectral(struct layer_ctx *ctx, const char *name, struct shape shape,
                           int64_t fan_in, int64_t fan_out, int out)
{
    struct arena *a = ctx->graph->arena;
    ctx->application->network->spectral = true;
    ASSERT(out >= 0 && out < shape.rank);
    struct value *w = ctx_weight(ctx, arena_printf(a, "%s_orig", name), shape, fan_in, fan_out);
    struct value *m = as_matrix(w, out), *fixed = detach(m);
    const int64_t rows = m->shape.dim[0], columns = m->shape.dim[1];
    const struct init normal = {INIT_NORMAL, 0, 1};
    struct value *old = ctx_buffer(ctx, arena_printf(a, "%s_u", name), SHAPE(rows), normal);
    struct value *kept = ctx_buffer(ctx, arena_printf(a, "%s_v", name), SHAPE(columns), normal);
    struct value *u = reshape(old, SHAPE(1, rows)), *v = reshape(kept, SHAPE(1, columns));
    if (ctx->training) {
        v = spectral_unit(matmul(u, fixed, false, false));
        u = spectral_unit(matmul(v, fixed, false, true));
        ctx_track(ctx, old, reshape(u, old->shape), 1);
        ctx_track(ctx, kept, reshape(v, kept->shape), 1);
    }
    struct value *sigma = matmul(matmul(u, m, false, false), v, false, true); // (1, 1)
    struct shape scalar = {.rank = shape.rank, .dim = {1, 1, 1, 1, 1, 1}};
    return divide(w, reshape(sigma, scalar));
}
