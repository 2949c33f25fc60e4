#include "train/footprint.h"

#include "base/arena.h"
#include "base/memory_left.h"
#include "base/size.h"
#include "codegen/compile.h"
#include "codegen/plan.h"

#include <omp.h>

// What one layer takes: its weights with all that is kept of them, or one of its values.
struct burden {
    struct place where;
    int64_t bytes;
    const char *what;
};

static void footprint_add(struct burden *most, struct burden p)
{
    if (p.bytes > most->bytes)
        *most = p;
}

// Libraries, their code made at run time, and a stack a thread.
static int64_t program_bytes(void)
{
    enum { LIBRARIES = 64 << 20, STACK = 9 << 20 };
    return LIBRARIES + (int64_t)omp_get_max_threads() * STACK;
}

static int64_t floats_bytes(int64_t n) { return size_product(n, (int64_t)sizeof(float)); }

// Without packed copies, which are as large again at most.
static int64_t slots_at(const struct slots *all, struct place where)
{
    int64_t bytes = 0;
    for (int i = 0; i < all->n; i++) {
        const struct slot *s = all->slot[i];
        if (s->where.source == where.source && s->where.line == where.line &&
            s->where.col == where.col)
            bytes = size_sum(bytes, floats_bytes(shape_size(s->shape)));
    }
    return bytes;
}

static struct burden largest(const struct experiment *e, const struct graph *g)
{
    struct burden most = {{0}, 0, ""};
    for (int i = 0; i < e->slots.n; i++) {
        const struct slot *s = e->slots.slot[i];
        footprint_add(&most, (struct burden){s->where, slots_at(&e->slots, s->where),
                                             "weights here, with moments and averages"});
    }
    for (int i = 0; g && i < g->n; i++) {
        const struct value *v = g->value[i];
        if (v->storage == v)
            footprint_add(&most, (struct burden){v->where, (int64_t)v->bytes, "one tensor here"});
    }
    return most;
}

bool footprint_fits(const struct experiment *e, const struct graph *g, struct diag *d)
{
    const int64_t values = g ? (int64_t)plan_values_bytes(g) : 0,
                  slots = floats_bytes((int64_t)e->slots.floats),
                  all = size_sum(program_bytes(), size_sum(slots, values));
    const struct memory_left left = memory_left();
    if (all <= left.bytes)
        return true;
    const struct burden most = largest(e, g);
    return fail(d, most.where,
                "this needs %.3g GB of memory in all, and %.3g GB are %s\n"
                "the most of it, %.3g GB, is for %s",
                1e-9 * (double)all, 1e-9 * (double)left.bytes, left.why, 1e-9 * (double)most.bytes,
                most.what);
}

// A program of samples, thrown away; `batch` of them at once.
static bool sampling_fits(struct experiment *e, const struct expression *of, int64_t batch,
                          struct diag *d)
{
    struct arena *scratch = arena_new(NULL);
    struct program *p = program_sampling_of(e, scratch, batch, of, e->ema_decay > 0, d);
    if (p)
        passes_run(p->graph, NULL);
    const bool fits = p && footprint_fits(e, p->graph, d);
    arena_free(scratch);
    return fits;
}

// Grids, and scores that draw more at once than a step does.
static bool samples_fit(struct experiment *e, struct diag *d)
{
    const struct samples *grid = &e->samples;
    bool fits = true;
    for (int i = 0; fits && i < grid->n_of && grid->rows * grid->columns > e->batch; i++)
        fits = sampling_fits(e, grid->of[i], grid->rows * grid->columns, d);
    if (fits && e->evaluate.n_score && e->evaluate.batch > e->batch && grid->n_of)
        fits = sampling_fits(e, e->evaluate.of ? e->evaluate.of : grid->of[0], e->evaluate.batch,
                             d);
    return fits;
}

bool footprint_fits_from(struct experiment *e, int phase, struct diag *d)
{
    bool fits = samples_fit(e, d);
    for (int i = phase; fits && i < e->n_phase; i++) {
        struct arena *scratch = arena_new(NULL);
        struct program *p = program_trial(e, i, scratch, d);
        if (p)
            passes_run(p->graph, NULL);
        fits = p && footprint_fits(e, p->graph, d);
        arena_free(scratch);
    }
    return fits;
}
