// The registries of losses, penalties and terms, and the few shapes of formula that several of them
// share. All work on logits: log(sigmoid(s)) underflows where a saturated critic is exactly the
// interesting case, softplus(−s) does not.
#include "losses/losses.h"

#include "base/arena.h"
#include "registry_losses.h"
#include "registry_penalties.h"
#include "registry_terms.h"

#include <string.h>

const struct vocabulary losses = {"loss", (const struct word *const[]){REGISTRY_losses NULL}};
const struct vocabulary penalties = {"penalty",
                                     (const struct word *const[]){REGISTRY_penalties NULL}};
const struct vocabulary terms = {"term", (const struct word *const[]){REGISTRY_terms NULL}};

const struct loss *loss_find(const char *name)
{
    return (const struct loss *)word_find(&losses, name);
}

const struct penalty *penalty_find(const char *name)
{
    return (const struct penalty *)word_find(&penalties, name);
}

const struct term *term_find(const char *name)
{
    return (const struct term *)word_find(&terms, name);
}

int term_argument_count(const struct term *is)
{
    int n = 0;
    while (is->word.params[n].type == PARAM_TENSOR || is->word.params[n].type == PARAM_LABEL)
        n++;
    ASSERT(n > 0 && n <= TERM_ARGUMENTS && is->word.size >= sizeof(struct term_arguments));
    return n;
}

struct value *repeat_to(struct value *x, struct shape shape)
{
    if (shape_equal(x->shape, shape))
        return x;
    ASSERT(x->shape.rank == 0 || x->shape.rank == shape.rank);
    if (x->shape.rank == 0) {
        struct shape ones = shape;
        for (int i = 0; i < ones.rank; i++)
            ones.dim[i] = 1;
        x = reshape(x, ones);
    }
    return shape_equal(x->shape, shape) ? x : broadcast(x, shape);
}

// x − m − log Σ exp(x − m), m = max x. m may be held fixed: the value does not depend on it.
struct value *log_softmax(struct value *logits)
{
    ASSERT(logits->shape.rank == 2);
    struct value *shifted = sub(logits, reduce_max(logits, 1u << 1)); // (N, K)
    return sub(shifted, log_value(reduce_sum(exp_value(shifted), 1u << 1)));
}

// mean(log(1 + e^{−r})) + mean(log(1 + e^f)); a target 1 − s for real data adds s·mean(r)
struct value *log_critic(const void *params, struct value *real, struct value *fake, double smooth)
{
    (void)params;
    struct value *loss = add(mean(softplus(affine(real, -1, 0))), mean(softplus(fake)));
    return smooth != 0 ? add(loss, affine(mean(real), smooth, 0)) : loss;
}

struct value *mean_generator(const void *params, struct value *real, struct value *fake)
{
    ASSERT(real || fake);
    (void)params;
    return sum_terms(fake ? affine(mean(fake), -1, 0) : NULL, real ? mean(real) : NULL);
}

struct value *sum_terms(struct value *a, struct value *b)
{
    ASSERT(!a || !b || shape_equal(a->shape, b->shape));
    return !a ? b : !b ? a : add(a, b);
}
