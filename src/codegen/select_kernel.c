// Whose kernel computes a convolution that we have one for as well as oneDNN: ours, where few
// channels are on one side, or whose is faster here. It is asked once for all of one shape, and
// after fusion, when nothing but layouts is left to choose. The rule is ours: with oneDNN's, an
// iteration of acgan takes 12 % longer, dcgan 9 %, wgan_gp 12 % (two AVX-512 cores).
//
// Deciding where steps are made would be later still, and too late: oneDNN's kernel wants its
// weights in a layout of its own.
#include "codegen/compile.h"
#include "codegen/lowering.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "opt/region.h"

static const char *select_kernel_work(const struct value *v, bool *inside, struct arena *a)
{
    const struct lowering *l = lowering_of(v->op);
    if (!l->own_kernel || !l->own_kernel(v))
        return NULL;
    const bool data = conv_is(v, CONV_DATA_GRAD), weight = conv_is(v, CONV_WEIGHT_GRAD);
    if (inside)
        inside[v->id] = true;
    return region_conv(a, v->op->name, data ? v->shape : v->in[0]->shape,
                       weight ? v->shape : v->in[1]->shape, v);
}

bool pass_select_kernel(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    const bool *declined = region_declined(g, "select_kernel", select_kernel_work, a);
    bool any = false;
    for (int i = 0; i < g->n; i++)
        any |= g->value[i]->by_library = declined[i];
    arena_free(a);
    return any;
}
