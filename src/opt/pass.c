// The machine-free half of the compiler, as a list to read; codegen/compile.c goes on. "clean" is simplify, cse and dce until nothing changes: each
// makes work for the others.
#include "opt/pass.h"

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

const struct pass optimizations[] = {
    {"simplify", clean},
    {"fold_upsample", pass_fold_upsample, .cleans = true},
    {"fold_pool", pass_fold_pool, .cleans = true},
    {"share_backward", pass_share_backward, .cleans = true},
    {"batch_siblings", pass_batch_siblings, .cleans = true},
    {"conv_to_matmul", pass_conv_to_matmul, .cleans = true},
    {"winograd", pass_winograd, .cleans = true},
    {"fuse_post_ops", pass_fuse_post_ops},
    {"fuse_mean_var", pass_fuse_mean_var},
    {"fuse", pass_fuse},
    {"fuse_reductions", pass_fuse_reductions},
    {0},
};

bool pass_run(const struct pass *p, struct graph *g)
{
    const bool changed = p->run(g);
    if (changed && p->cleans)
        clean(g);
    graph_verify(g, p->name);
    return changed;
}

void optimize_graph(struct graph *g)
{
    graph_verify(g, "graph");
    for (const struct pass *p = optimizations; p->name; p++)
        pass_run(p, g);
}
