// What penalties have in common: the slope of the critic at a point, sample by sample. The slope is
// an ordinary value, made by gradient() while the loss is being built, so that the update
// differentiates it like anything else. The norm is taken over each sample's flattened gradient; a
// norm over the whole batch, seen in the wild, makes the penalty depend on the batch size.
#include "losses/losses.h"

#include "base/arena.h"

// (N, …) to (N, 1): Σ x² of each sample
static struct value *squared_norm(struct value *x)
{
    const int64_t n = x->shape.dim[0];
    return reduce_sum(square(reshape(x, SHAPE(n, shape_size(x->shape) / n))), 1u << 1);
}

struct value *penalty_slope(struct penalty_ctx *ctx, struct value *const *x)
{
    struct arena *a = ctx->graph->arena;
    struct value **free_argument = NEW_ARRAY(a, struct value *, ctx->n),
                 **slope = NEW_ARRAY(a, struct value *, ctx->n);
    int n = 0;
    for (int i = 0; i < ctx->n; i++)
        if (!ctx->held[i])
            free_argument[n++] = x[i];
    ASSERT(n > 0);
    // A sample's output depends on that sample alone, so the gradient of the sum is each sample's
    // own.
    gradient(sum(ctx->critic(ctx, x)), free_argument, n, slope);
    struct value *total = NULL;
    for (int i = 0; i < n; i++)
        total = sum_terms(total, squared_norm(slope[i]));
    return total;
}

struct value *penalty_distance(struct value *s, double target)
{
    ASSERT(s->shape.rank == 2 && s->shape.dim[1] == 1);
    return mean(square(affine(sqrt_value(affine(s, 1, 1e-12)), 1, -target)));
}

struct value *penalty_alpha(const struct value *x)
{
    ASSERT(x->shape.rank > 0);
    struct shape shape = x->shape;
    for (int i = 1; i < shape.rank; i++)
        shape.dim[i] = 1;
    return random_value(x->graph, RANDOM_UNIFORM, 0, 1, x->graph->next_stream++, shape);
}
