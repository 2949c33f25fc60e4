// The list of passes goes on here where opt/pass.c, which knows no machine, ends; and the questions
// that its passes ask of a machine are answered.
#include "codegen/compile.h"

#include "codegen/lowering.h"
#include "ir/machine.h"

#include <string.h>

static bool layouts_and_copies(struct graph *g)
{
    const bool any = pass_assign_layouts(g);
    return pass_packed_copy(g) || any;
}

static const struct pass for_machine[] = {
    {"bf16", pass_bf16},
    {"select_kernel", pass_select_kernel},
    {"layout", layouts_and_copies},
    {"memory", pass_assign_memory},
    {0},
};

const struct pass *compile_pass(int i)
{
    for (const struct pass *p = optimizations; p->name; p++)
        if (i-- == 0)
            return p;
    return i < (int)(sizeof for_machine / sizeof *for_machine) - 1 ? &for_machine[i] : NULL;
}

static bool post_ops_fit(const struct value *v, const struct post_ops *e)
{
    const struct lowering *l = lowering_of(v->op);
    return l->post_ops_fit && l->post_ops_fit(v, e);
}

static const struct machine this_machine = {post_ops_fit, bf16_takes, winograd_has_blocks};

void compile_for_this_machine(struct graph *g) { g->machine = &this_machine; }

bool passes_run(struct graph *g, const char *last)
{
    return passes_run_between(g, optimizations->name, last);
}

bool passes_run_between(struct graph *g, const char *first, const char *last)
{
    const struct pass *p;
    int i = 0;
    compile_for_this_machine(g);
    graph_verify(g, "graph");
    while ((p = compile_pass(i)) && strcmp(p->name, first) != 0)
        i++;
    for (; (p = compile_pass(i)); i++) {
        pass_run(p, g);
        if (last && !strcmp(p->name, last))
            return true;
    }
    return !last;
}
