#include "train/sampler.h"

#include "base/arena.h"
#include "base/finite.h"
#include "codegen/compile.h"
#include "codegen/plan.h"

#include <string.h>

static struct sampler *compile(struct arena *a, struct program *p, float *slab, int64_t batch)
{
    if (!p)
        return NULL;
    ASSERT(slab && batch > 0);
    passes_run(p->graph, NULL);
    struct sampler *s = NEW(a, struct sampler);
    *s = (struct sampler){
        .experiment = p->experiment, .arena = a, .program = p, .batch = batch, .is = p->sample};
    s->set = NEW_ARRAY(a, struct dataset *, 2 * p->experiment->n_data + 1);
    s->plan = plan_new_in(a, p->graph, slab, p->experiment->workspace,
                          (uint64_t)p->experiment->seed);
    s->sample = plan_output(s->plan, "sample");
    ASSERT(s->sample);
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
    s->draw = draw;
    for (int i = 0; i < s->program->n_input; i++) {
        const struct program_input *in = &s->program->input[i];
        float *to = in->noise ? plan_input(s->plan, in->name) : NULL;
        if (to)
            noise_fill(in->noise, seed, draw, s->batch, to);
    }
}

const float *sampler_draw(struct sampler *s)
{
    plan_run(s->plan, s->draw);
    s->finite = floats_finite(s->sample, (size_t)(s->batch * shape_size(s->is.shape)));
    return s->sample;
}

const struct dataset *sampler_split(struct sampler *s, const struct data_source *source,
                                    enum split split, struct diag *d)
{
    const struct experiment *e = s->experiment;
    ASSERT(source >= e->data && source < e->data + e->n_data);
    struct dataset **set = &s->set[split * e->n_data + (source - e->data)];
    if (!*set)
        *set = dataset_open_split(s->arena, source->dataset, split, d);
    return *set;
}

// Row i of every input that reads the source.
static void sampler_place(struct sampler *s, const struct data_source *source, int64_t i,
                          float *const field[FIELDS_MAX])
{
    for (int k = 0; k < s->program->n_input; k++) {
        const struct program_input *in = &s->program->input[k];
        float *to = in->source == source ? plan_input(s->plan, in->name) : NULL;
        const int64_t size = to ? dataset_field_size(source->dataset, in->field) : 0;
        if (to)
            memcpy(to + i * size, field[in->field], sizeof *to * (size_t)size);
    }
}

static bool fill_source(struct sampler *s, const struct data_source *source, enum split split,
                        int64_t from, struct diag *d)
{
    const struct dataset *set = sampler_split(s, source, split, d);
    struct arena *scratch = arena_new(NULL);
    float *field[FIELDS_MAX] = {NULL};
    bool good = set != NULL;
    if (set)
        field[FIELD_IMAGE] = NEW_ARRAY(scratch, float, dataset_field_size(set, FIELD_IMAGE));
    for (int k = 0; set && k < s->program->n_input; k++) {
        const struct program_input *in = &s->program->input[k];
        if (in->source == source)
            field[in->field] = NEW_ARRAY(scratch, float, dataset_field_size(set, in->field));
    }
    for (int64_t i = 0; good && i < s->batch; i++) {
        const int64_t index = (from + i) % set->count;
        if (dataset_get(set, index, field, NULL))
            sampler_place(s, source, i, field);
        else
            good = fail(d, source->where, "example %d of '%s' could not be read", (int)index,
                        source->name);
    }
    arena_free(scratch);
    return good;
}

static bool sampler_reads(const struct sampler *s, const struct data_source *source)
{
    for (int i = 0; i < s->program->n_input; i++)
        if (s->program->input[i].source == source)
            return true;
    return false;
}

bool sampler_data(struct sampler *s, enum split split, int64_t from, struct diag *d)
{
    const struct experiment *e = s->experiment;
    bool good = true;
    for (int i = 0; good && i < e->n_data; i++)
        good = !sampler_reads(s, &e->data[i]) || fill_source(s, &e->data[i], split, from, d);
    return good;
}
