// The compiler, as a list to read. "clean" is simplify, cse and dce until nothing changes: each
// makes work for the others.
#include "pass/pass.h"

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

static bool upsample_conv(struct graph *g)
{
    return pass_upsample_conv(g) && (clean(g), true);
}

static bool conv_pool(struct graph *g)
{
    return pass_conv_pool(g) && (clean(g), true);
}

static bool one_backward(struct graph *g)
{
    return pass_one_backward(g) && (clean(g), true);
}

static bool one_batch(struct graph *g)
{
    return pass_one_batch(g) && (clean(g), true);
}

static bool whole_kernel(struct graph *g)
{
    return pass_whole_kernel(g) && (clean(g), true);
}

static bool minimal_filter(struct graph *g)
{
    return g->minimal_filtering && pass_minimal_filter(g) && (clean(g), true);
}

static bool layout(struct graph *g)
{
    const bool any = pass_layout(g);
    return pass_twin(g) || any;
}

const struct pass passes[] = {
    {"simplify", clean},
    {"upsample_conv", upsample_conv},
    {"conv_pool", conv_pool},
    {"one_backward", one_backward},
    {"one_batch", one_batch},
    {"whole_kernel", whole_kernel},
    {"minimal_filter", minimal_filter},
    {"epilogue", pass_epilogue},
    {"moments", pass_moments},
    {"fuse", pass_fuse},
    {"join", pass_join},
    {"bf16", pass_bf16},
    {"own_kernel", pass_own_kernel},
    {"layout", layout},
    {"memory", pass_memory},
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
