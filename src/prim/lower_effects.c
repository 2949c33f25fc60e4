// Effects run in place: on the slot's memory, which all its versions share, and on the moments that
// come as inputs.
#include "base/arena.h"
#include "prim/kernel.h"
#include "prim/lower.h"

static struct update_task *update(struct plan *p, const struct value *v)
{
    struct update_task *t = NEW(plan_arena(p), struct update_task);
    t->p = plan_data(p, v);
    t->g = v->n_in > 1 ? plan_data(p, v->in[1]) : NULL;
    t->n = shape_size(v->shape);
    for (int i = 0; i < 4; i++)
        t->f[i] = (float)v->attr.f[i];
    t->flag = v->attr.i[0] != 0;
    t->threads = kernel_threads(t->n);
    return t;
}

void lower_adam(struct plan *p, const struct value *v)
{
    struct update_task *t = update(p, v);
    t->hyper = plan_data(p, v->in[2]);
    t->m = plan_data(p, v->in[3]);
    t->v = plan_data(p, v->in[4]);
    plan_step(p, v, "adam", kernels()->adam, t);
}

void lower_rmsprop(struct plan *p, const struct value *v)
{
    struct update_task *t = update(p, v);
    t->hyper = plan_data(p, v->in[2]);
    t->v = plan_data(p, v->in[3]);
    plan_step(p, v, "rmsprop", kernels()->rmsprop, t);
}

void lower_sgd(struct plan *p, const struct value *v)
{
    struct update_task *t = update(p, v);
    t->hyper = plan_data(p, v->in[2]);
    t->m = v->n_in == 4 ? plan_data(p, v->in[3]) : NULL;
    plan_step(p, v, "sgd", kernels()->sgd, t);
}

void lower_clip_slot(struct plan *p, const struct value *v)
{
    plan_step(p, v, "clip", kernels()->clip, update(p, v));
}

void lower_lerp_slot(struct plan *p, const struct value *v)
{
    plan_step(p, v, "lerp", kernels()->lerp, update(p, v));
}

void lower_assign_slot(struct plan *p, const struct value *v)
{
    const int64_t n = shape_size(v->shape);
    const struct view flat = {1, {n}, {1}};
    struct copy_tasks *t = NEW(plan_arena(p), struct copy_tasks);
    t->n = 1;
    t->task = NEW(plan_arena(p), struct copy_task);
    *t->task = copy_task(plan_data(p, v), flat, plan_data(p, v->in[1]), flat);
    plan_step(p, v, "assign", kernels()->copy, t);
}
