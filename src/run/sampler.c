#include "run/sampler.h"

#include "base/arena.h"
#include "pass/pass.h"
#include "plan/plan.h"

#include <string.h>

static struct sampler *compile(struct arena *a, struct program *p, float *slab, int64_t batch)
{
    if (!p)
        return NULL;
    passes_run(p->graph, NULL);
    struct sampler *s = NEW(a, struct sampler);
    *s = (struct sampler){
        .experiment = p->experiment, .arena = a, .program = p, .batch = batch, .is = p->sample};
    s->plan = plan_new(a, p->graph, slab, (uint64_t)p->experiment->seed);
    s->sample = plan_output(s->plan, "sample");
    return s;
}

struct sampler *sampler_new(struct arena *a, struct experiment *e, float *slab, int64_t batch,
                            const char *expression, bool ema, struct diag *d)
{
    if (!expression && e->evaluate.of)
        return sampler_new_of(a, e, slab, batch, e->evaluate.of, ema, d);
    return compile(a, program_sampling(e, a, batch, expression, ema, d), slab, batch);
}

struct sampler *sampler_new_of(struct arena *a, struct experiment *e, float *slab, int64_t batch,
                               const struct expression *is, bool ema, struct diag *d)
{
    return compile(a, program_sampling_of(e, a, batch, is, ema, d), slab, batch);
}

float *sampler_input(struct sampler *s, const char *name) { return plan_input(s->plan, name); }

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

// One field of the first examples of a split, over and over where it has fewer.
static bool fill_field(struct sampler *s, const struct program_input *in, const struct dataset *set,
                       struct diag *d)
{
    float *to = plan_input(s->plan, in->name);
    float *image = NEW_ARRAY(s->arena, float, set->channels * set->height * set->width);
    const int64_t size = in->field == FIELD_IMAGE ? set->channels * set->height * set->width : 1;
    for (int64_t i = 0; to && i < s->batch; i++) {
        int32_t label = 0;
        if (!set->kind->get(set, i % set->count, image, &label))
            return fail(d, in->source->where, "example %d of '%s' could not be read",
                        (int)(i % set->count), in->source->name);
        const float number = in->field == FIELD_LABEL ? (float)label : (float)(i % set->count);
        memcpy(to + i * size, in->field == FIELD_IMAGE ? image : &number,
               sizeof *to * (size_t)size);
    }
    return true;
}

bool sampler_data(struct sampler *s, struct diag *d)
{
    const struct dataset *set = NULL;
    const struct data_source *of = NULL;
    for (int i = 0; i < s->program->n_input; i++) {
        const struct program_input *in = &s->program->input[i];
        if (in->noise)
            continue;
        if (of != in->source)
            set = dataset_open(s->arena, in->source->node, SPLIT_TEST, d);
        of = in->source;
        if (!set || !fill_field(s, in, set, d))
            return false;
    }
    return true;
}
