// Effects change a slot: in[0] is its version before, the result its version after, in the same
// memory. Each is a root of its graph. Optimizer moments belong to the op that made them: they are
// read and written in place.
//   adam     m ← β₁m + (1−β₁)g   v ← β₂v + (1−β₂)g²   p ← p − lr·m̂/(√v̂ + ε)           Kingma, Ba
//   2015, arXiv:1412.6980
//   rmsprop  v ← ρv + (1−ρ)g²    p ← p − lr·g/(√v + ε)                                 Tieleman,
//   Hinton 2012
//   sgd      m ← μm + g          p ← p − lr·m   (nesterov: lr·(g + μm))                 Sutskever
//   et al. 2013
// keras_epsilon puts ε outside the bias correction: lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε); for rmsprop
// it is under the root.
#include "ir/build.h"
#include "ir/op.h"

#include "base/arena.h"
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static struct value *effect(const struct op *op, struct value *p, int n, struct value *const *in,
                            struct attr attr)
{
    if (!p->attr.slot)
        BUG("%s wants a version of a slot", op->name);
    attr.slot = p->attr.slot;
    struct value *v = graph_add(p->graph, op, p->shape, n, in, attr);
    graph_root(p->graph, NULL, v);
    return v;
}

static const void *op_effect_moments(struct graph *g, struct slot *a, struct slot *b)
{
    struct slot **pair = NEW_ARRAY(g->arena, struct slot *, 2);
    pair[0] = a;
    pair[1] = b;
    return pair;
}

struct value *adam(struct value *p, struct value *g, struct slot *m, struct slot *v,
                   struct value *hyper, struct adam_options o)
{
    struct value *in[] = {p, g, hyper, param(p->graph, m), param(p->graph, v)};
    return effect(&op_adam, p, 5, in,
                  (struct attr){.effect = {{o.beta1, o.beta2, o.epsilon, o.weight_decay},
                                           o.keras_epsilon,
                                           op_effect_moments(p->graph, m, v)}});
}

struct value *rmsprop(struct value *p, struct value *g, struct slot *v, struct value *hyper,
                      double rho, double epsilon, bool keras_epsilon)
{
    struct value *in[] = {p, g, hyper, param(p->graph, v)};
    return effect(
        &op_rmsprop, p, 4, in,
        (struct attr){
            .effect = {{rho, epsilon}, keras_epsilon, op_effect_moments(p->graph, v, NULL)}});
}

struct value *sgd(struct value *p, struct value *g, struct slot *m, struct value *hyper,
                  double momentum, bool nesterov)
{
    struct value *in[] = {p, g, hyper, m ? param(p->graph, m) : NULL};
    return effect(
        &op_sgd, p, m ? 4 : 3, in,
        (struct attr){.effect = {{momentum}, nesterov, op_effect_moments(p->graph, m, NULL)}});
}

struct value *clip_slot(struct value *p, double low, double high)
{
    return effect(&op_clip_slot, p, 1, &p, (struct attr){.effect = {{low, high}}});
}

struct value *lerp_slot(struct value *p, struct value *x, double t)
{
    if (shape_size(x->shape) != shape_size(p->shape))
        BUG("lerp_slot: sizes differ");
    return effect(&op_lerp_slot, p, 2, (struct value *[]){p, x}, (struct attr){.effect = {{t}}});
}

struct value *assign_slot(struct value *p, struct value *x)
{
    if (shape_size(x->shape) != shape_size(p->shape))
        BUG("assign_slot: sizes differ");
    return effect(&op_assign_slot, p, 2, (struct value *[]){p, x}, (struct attr){0});
}

// The reference interpreter keeps one array a slot, so moments are updated where they are read.
static double *in_place(const double *moment) { return (double *)(uintptr_t)moment; }

static void adam_reference(const struct value *u, const double *const *in, double *out)
{
    const double b1 = u->attr.effect.number[0], b2 = u->attr.effect.number[1],
                 eps = u->attr.effect.number[2], decay = u->attr.effect.number[3];
    const double lr = in[2][0], c1 = in[2][1], c2 = in[2][2];
    double *m = in_place(in[3]), *v = in_place(in[4]);
    for (int64_t i = 0, n = shape_size(u->shape); i < n; i++) {
        const double g = in[1][i] + decay * in[0][i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        if (u->attr.effect.flag)
            out[i] = in[0][i] - lr * c1 / sqrt(c2) * m[i] / (sqrt(v[i]) + eps);
        else
            out[i] = in[0][i] - lr * c1 * m[i] / (sqrt(v[i] * c2) + eps);
    }
}

static void rmsprop_reference(const struct value *u, const double *const *in, double *out)
{
    const double rho = u->attr.effect.number[0], eps = u->attr.effect.number[1], lr = in[2][0];
    double *v = in_place(in[3]);
    for (int64_t i = 0, n = shape_size(u->shape); i < n; i++) {
        const double g = in[1][i];
        v[i] = rho * v[i] + (1 - rho) * g * g;
        out[i] = in[0][i] - lr * g / (u->attr.effect.flag ? sqrt(v[i] + eps) : sqrt(v[i]) + eps);
    }
}

static void sgd_reference(const struct value *u, const double *const *in, double *out)
{
    const double mu = u->attr.effect.number[0], lr = in[2][0];
    double *m = u->n_in == 4 ? in_place(in[3]) : NULL;
    for (int64_t i = 0, n = shape_size(u->shape); i < n; i++) {
        double step = in[1][i];
        if (m) {
            m[i] = mu * m[i] + step;
            step = u->attr.effect.flag ? step + mu * m[i] : m[i];
        }
        out[i] = in[0][i] - lr * step;
    }
}

static void clip_reference(const struct value *u, const double *const *in, double *out)
{
    for (int64_t i = 0, n = shape_size(u->shape); i < n; i++)
        out[i] = fmin(fmax(in[0][i], u->attr.effect.number[0]), u->attr.effect.number[1]);
}

static void lerp_reference(const struct value *u, const double *const *in, double *out)
{
    for (int64_t i = 0, n = shape_size(u->shape); i < n; i++)
        out[i] = in[0][i] + u->attr.effect.number[0] * (in[1][i] - in[0][i]);
}

static void assign_reference(const struct value *u, const double *const *in, double *out)
{
    for (int64_t i = 0, n = shape_size(u->shape); i < n; i++)
        out[i] = in[1][i];
}

// --- packed copies ---------------------------------------------------------------------------------------

struct value *packed_copy(struct value *version, const char *why)
{
    if (!version->attr.slot)
        BUG("packed_copy wants a version of a slot");
    return graph_add(version->graph, &op_packed_copy, version->shape, 1, &version,
                     (struct attr){.why = why});
}

bool effect_writes_packed(const struct value *v, const struct packed_copy *t)
{
    const struct graph *g = v->graph;
    for (int i = v->id + 1; i < g->n; i++) {
        const struct value *u = g->value[i];
        if (u->n_in && u->in[0] == v && u->op == &op_packed_copy && u->blocked == t->layout &&
            u->type == t->type)
            return true;
        if (u->n_in && u->in[0] == v && u->attr.slot == v->attr.slot)
            return false;
    }
    return true;
}

static void packed_copy_reference(const struct value *v, const double *const *in, double *out)
{
    memcpy(out, in[0], sizeof *out * (size_t)shape_size(v->shape));
}

static void packed_copy_print(const struct value *v, struct text *out)
{
    text_addf(out, "since %s", v->attr.why);
}

const struct op op_packed_copy = {.name = "packed_copy",
                                  .attr = ATTR_WHY,
                                  .flags = OP_ALIAS,
                                  .reference = packed_copy_reference,
                                  .print = packed_copy_print};

#define EFFECT(word, meaning)                                                                    \
    {                                                                                            \
        .name = #word, .flags = OP_EFFECT, .attr = ATTR_EFFECT, .reference = meaning##_reference \
    }

const struct op op_adam = EFFECT(adam, adam);
const struct op op_rmsprop = EFFECT(rmsprop, rmsprop);
const struct op op_sgd = EFFECT(sgd, sgd);
const struct op op_clip_slot = EFFECT(clip_slot, clip);
const struct op op_lerp_slot = EFFECT(lerp_slot, lerp);
const struct op op_assign_slot = EFFECT(assign_slot, assign);
