// γ and β are one of three things: a number a channel that is learned; of a label, a learned row for
// each class (conditional batch norm: Dumoulin et al. 2017, arXiv:1610.07629; de Vries et al. 2017,
// arXiv:1707.00683); of a vector, linear functions of it (AdaIN: Huang, Belongie 2017,
// arXiv:1703.06868). All begin at γ = 1, β = 0, but for what a vector's weights add.
#include "nn/layer.h"

#include "base/arena.h"

static struct value *affine_of_label(struct layer_ctx *ctx, const char *name, struct value *label,
                                     int64_t channels, double start)
{
    const char *weight = arena_printf(ctx->graph->arena, "%s.weight", name);
    return gather(ctx_param(ctx, weight, SHAPE(ctx_classes(ctx, label), channels),
                            (struct init){INIT_CONSTANT, start, 0}),
                  label);
}

static struct value *affine_of_vector(struct layer_ctx *ctx, const char *name, struct value *by,
                                      int64_t channels, double start)
{
    struct arena *a = ctx->graph->arena;
    const int64_t size = by->shape.dim[1];
    struct value *w = ctx_weight(ctx, arena_printf(a, "%s.weight", name), SHAPE(channels, size),
                                 size, channels);
    struct value *b = ctx_param(ctx, arena_printf(a, "%s.bias", name), SHAPE(channels),
                                (struct init){INIT_CONSTANT, start, 0});
    return add(matmul(by, w, false, true), along_channels(b, 2));
}

// (N, C, 1, …) of a value beside the layer.
static struct value *affine_by(struct layer_ctx *ctx, const char *name, struct value *by,
                               struct shape unit, double start)
{
    struct shape s = {.rank = unit.rank, .dim = {unit.dim[0], unit.dim[1], 1, 1, 1, 1}};
    return reshape(by->shape.rank == 1 ? affine_of_label(ctx, name, by, unit.dim[1], start)
                                       : affine_of_vector(ctx, name, by, unit.dim[1], start),
                   s);
}

static struct value *affine_learned(struct layer_ctx *ctx, const char *name, struct shape unit,
                                    double start)
{
    return along_channels(
        ctx_param(ctx, name, SHAPE(unit.dim[1]), (struct init){INIT_CONSTANT, start, 0}),
        unit.rank);
}

bool ctx_affine(struct layer_ctx *ctx, struct shape unit, bool wanted, struct channel_affine *to)
{
    ASSERT(unit.rank >= 2);
    *to = (struct channel_affine){0};
    if (ctx->n_other) {
        struct value *by = ctx->other[0];
        if (ctx->n_other > 1 || by->shape.rank > 2)
            return ctx_fail(ctx, "`by:` wants the name of one label or vector,");
        to->gamma = affine_by(ctx, "gamma", by, unit, 1);
        to->beta = affine_by(ctx, "beta", by, unit, 0);
    } else if (wanted) {
        to->gamma = affine_learned(ctx, "weight", unit, 1);
        to->beta = affine_learned(ctx, "bias", unit, 0);
    }
    return true;
}

struct value *channel_affine(struct channel_affine a, struct value *unit)
{
    return a.gamma ? add(mul(unit, a.gamma), a.beta) : unit;
}
