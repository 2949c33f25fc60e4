// From a config to an experiment whose programs can all be built: each is built once and thrown away. So shapes are checked by the
// code that trains, and all slots come into being in one order. A second implementation of shape inference for checking would be
// simpler to call, and would sooner or later disagree with the first.
#include "base/arena.h"
#include "program/program.h"

// What is drawn and what is scored; `of` may be NULL.
static void build_sampling(struct experiment *e, struct arena *scratch, const struct expression *of,
                           struct diag *d)
{
    if (of)
        program_sampling_of(e, scratch, e->batch, of, e->ema_decay != 0, d);
}

static bool build_all(struct experiment *e, struct diag *d)
{
    struct arena *scratch = arena_new(e->arena);
    const int errors = diag_errors(d);
    for (int i = 0; i < e->n_phase; i++)
        program_trial(e, i, scratch, d);
    for (int i = 0; diag_errors(d) == errors && i < e->samples.n_of; i++)
        build_sampling(e, scratch, e->samples.of[i], d);
    for (int i = 0; diag_errors(d) == errors && i < e->samples.n_scatter; i++)
        build_sampling(e, scratch, e->samples.scatter[i], d);
    if (diag_errors(d) == errors)
        build_sampling(e, scratch, e->evaluate.of, d);
    for (int i = 0; diag_errors(d) == errors && i < e->evaluate.n_score; i++)
        build_sampling(e, scratch, e->evaluate.score[i].of, d);
    arena_free(scratch);
    return diag_errors(d) == errors;
}

struct experiment *experiment_read(struct arena *a, const struct config *config, struct diag *d)
{
    struct experiment *e = experiment_parse(a, config, d);
    return e && build_all(e, d) ? e : NULL;
}
