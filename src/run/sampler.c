#include "run/sampler.h"

#include "base/arena.h"
#include "base/image.h"
#include "pass/pass.h"
#include "plan/plan.h"

#include <string.h>

struct sampler *sampler_new(struct arena *a, struct experiment *e, float *slab, int64_t batch, const char *expression, bool ema, struct diag *d)
{
    struct program *p = program_sampling(e, a, batch, expression, ema, d);
    if (!p)
        return NULL;
    passes_run(p->graph, NULL);
    struct sampler *s = NEW(a, struct sampler);
    *s = (struct sampler){.experiment = e, .program = p, .batch = batch, .is = p->sample};
    s->plan = plan_new(a, p->graph, slab, (uint64_t)e->seed);
    s->sample = plan_output(s->plan, "sample");
    return s;
}

float *sampler_input(struct sampler *s, const char *name)
{
    return plan_input(s->plan, name);
}

void sampler_noise(struct sampler *s, uint64_t seed, uint64_t draw)
{
    for (int i = 0; i < s->program->n_input; i++) {
        const struct program_input *in = &s->program->input[i];
        float *to = in->noise ? plan_input(s->plan, in->name) : NULL;
        if (to)
            noise_fill(in->noise, seed, draw, s->batch, to);
    }
}

const float *sampler_draw(struct sampler *s)
{
    plan_run(s->plan, 0);
    return s->sample;
}

// Column c shows class c mod K.
static void classes_along_columns(struct sampler *s, const struct noise *by, int64_t columns)
{
    float *to = plan_input(s->plan, by->name);
    if (!to)
        return;
    const int64_t K = by->size[0];
    if (by->kind == NOISE_ONE_HOT)
        memset(to, 0, sizeof *to * (size_t)(s->batch * K));
    for (int64_t i = 0; i < s->batch; i++) {
        const int64_t class = i % columns % K;
        if (by->kind == NOISE_ONE_HOT)
            to[i * K + class] = 1;
        else
            to[i] = (float)class;
    }
}

bool sampler_grid(struct sampler *s, const char *path, struct arena *scratch)
{
    const struct samples *how = &s->experiment->samples;
    sampler_noise(s, (uint64_t)s->experiment->seed, 0);
    if (how->by)
        classes_along_columns(s, how->by, how->columns);
    const float *x = sampler_draw(s);
    const int64_t *d = s->is.shape.dim;
    struct image grid = image_grid(scratch, x, (int)(s->batch / how->columns), (int)how->columns, (int)d[0], (int)d[1], (int)d[2], 2);
    return image_write_png(&grid, path);
}
