// The compiler, as a list to read. "clean" is simplify, cse and dce until nothing changes: each
// makes work for the others.
#include "opt/pass.h"

#include <string.h>

static bool clean(struct graph *g)
{
    bool any = false;
    for (int round = 0; round < 16; round++) {
        bool changed = pass_simplify(g);
        changed |= pass_cse(g);
        changed |= pass_dce(g);
        graph_verify(g, "clean");
        any |= changed;
        if (!changed)
            break;
    }
    return any;
}

static bool fold_upsample(struct graph *g) { return pass_fold_upsample(g) && (clean(g), true); }

static bool fold_pool(struct graph *g) { return pass_fold_pool(g) && (clean(g), true); }

static bool share_backward(struct graph *g) { return pass_share_backward(g) && (clean(g), true); }

static bool batch_siblings(struct graph *g) { return pass_batch_siblings(g) && (clean(g), true); }

static bool conv_to_matmul(struct graph *g) { return pass_conv_to_matmul(g) && (clean(g), true); }

static bool winograd(struct graph *g)
{
    return g->minimal_filtering && pass_winograd(g) && (clean(g), true);
}

static bool pass_layout(struct graph *g)
{
    const bool any = pass_assign_layouts(g);
    return pass_packed_copy(g) || any;
}

const struct pass passes[] = {
    {"simplify", clean},
    {"fold_upsample", fold_upsample},
    {"fold_pool", fold_pool},
    {"share_backward", share_backward},
    {"batch_siblings", batch_siblings},
    {"conv_to_matmul", conv_to_matmul},
    {"winograd", winograd},
    {"fuse_post_ops", pass_fuse_post_ops},
    {"fuse_mean_var", pass_fuse_mean_var},
    {"fuse", pass_fuse},
    {"fuse_reductions", pass_fuse_reductions},
    {"bf16", pass_bf16},
    {"select_kernel", pass_select_kernel},
    {"layout", pass_layout},
    {"memory", pass_assign_memory},
    {0},
};

bool passes_run(struct graph *g, const char *last)
{
    return passes_run_between(g, passes->name, last);
}

bool passes_run_between(struct graph *g, const char *first, const char *last)
{
    const struct pass *p = passes;
    graph_verify(g, "graph");
    while (p->name && strcmp(p->name, first) != 0)
        p++;
    for (; p->name; p++) {
        p->run(g);
        graph_verify(g, p->name);
        if (last && !strcmp(p->name, last))
            return true;
    }
    return !last;
}
