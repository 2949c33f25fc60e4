// Small experiments for tests: read from text, looked at, and interpreted in float64.
#ifndef TESTS_EXPERIMENT_H
#define TESTS_EXPERIMENT_H

#include "base/arena.h"
#include "base/philox.h"
#include "base/text.h"
#include "ir/op.h"
#include "ir/update.h"
#include "program/program.h"
#include "codegen/compile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static const char head[] __attribute__((unused)) =
    "name: small\n"
    "data: {real: {dataset: digits, size: 8, batch: 4}}\n"
    "noise: {z: {normal: 3}}\n"
    "networks:\n"
    "  generator:\n"
    "    inputs: {z: 3}\n"
    "    layers: [{dense: 64}, {reshape: [1, 8, 8]}, {batch_norm: {momentum: 0.9}}, tanh]\n"
    "  critic:\n"
    "    inputs: {image: [1, 8, 8]}\n"
    "    layers: [flatten, {dense: 5}, tanh, {dense: 1}]\n";
static const char game[] __attribute__((
    unused)) = "games: [{critic: critic, real: real.image, fake: generator(z), loss: log}]\n";
static const char train[] __attribute__((unused)) =
    "train: {steps: 10, optimizer: {adam: {lr: 0.01, beta1: 0.5}}, iteration: [update: critic, "
    "update: generator]}\n";

struct fixture {
    struct arena *arena;
    struct diag *diag;
    struct experiment *e;
    struct program *p;
    float *slab;               // of the slots, where one is wanted
    const struct slot *nudged; // one element of a slot is moved by h
    int64_t element;
    double h;
};

static inline void show(struct fixture *f)
{
    struct text t;
    text_init(&t);
    diag_text(f->diag, &t);
    print_error("%s", t.s);
    text_release(&t);
}

static inline struct fixture read_text(const char *const *part, int n)
{
    struct fixture f = {.arena = arena_new(NULL)};
    const char *all = "";
    for (int i = 0; i < n; i++)
        all = arena_printf(f.arena, "%s%s", all, part[i]);
    f.diag = diag_new(f.arena);
    const struct config *c = config_parse(f.arena, "test.yaml", all, NULL, 0, f.diag);
    f.e = c ? experiment_read(f.arena, c, f.diag) : NULL;
    f.p = f.e ? program_training(f.e, 0, f.arena, f.diag) : NULL;
    if (!f.p) {
        show(&f);
        fail_msg("the config was refused");
    }
    f.slab = NEW_ARRAY(f.arena, float, f.e->slots.floats);
    experiment_fill(f.e, f.slab);
    return f;
}
#define READ(...) \
    read_text((const char *const[]){__VA_ARGS__}, (int)LENGTH(((const char *const[]){__VA_ARGS__})))

static inline bool trains(const struct update_run *run, const char *prefix)
{
    for (int i = 0; i < run->n; i++)
        if (!strncmp(run->slot[i]->name, prefix, strlen(prefix)))
            return true;
    return false;
}

static inline bool has_part(const struct update_run *run, const char *name)
{
    for (int i = 0; i < run->n_part; i++)
        if (!strcmp(run->part[i].name, name))
            return true;
    return false;
}

static inline int count_op(const struct graph *g, const struct op *op, const char *label)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += g->value[i]->op == op &&
             (!label || (g->value[i]->label && strstr(g->value[i]->label, label)));
    return n;
}

// Updates by the rule of a name, of slots whose names begin so.
static inline int count_updates(const struct graph *g, const char *rule, const char *slot)
{
    int n = 0;
    for (int i = 0; i < g->n; i++) {
        const struct update_rule *is = update_rule_of(g->value[i]);
        n += is && !strcmp(is->name, rule) &&
             !strncmp(g->value[i]->attr.slot->name, slot, strlen(slot));
    }
    return n;
}

static inline bool has_slot(const struct experiment *e, const char *name)
{
    return slots_find(&e->slots, name) != NULL;
}

static inline void give(void *context, const struct value *v, double *out)
{
    const struct fixture *f = context;
    const int64_t n = shape_size(v->shape);
    struct rng r;
    rng_init(&r, 5,
             v->op == &op_random ? (uint64_t)v->attr.random.stream
                                 : 77 + (uint64_t)(v->attr.name ? v->attr.name[0] : 0));
    for (int64_t i = 0; i < n; i++) {
        if (v->op == &op_param)
            out[i] = f->slab[v->attr.slot->offset + (size_t)i] +
                     (v->attr.slot == f->nudged && i == f->element ? f->h : 0);
        else if (v->op == &op_random)
            out[i] = v->attr.random.kind == RANDOM_NORMAL
                         ? v->attr.random.a + v->attr.random.b * rng_normal(&r)
                     : v->attr.random.kind == RANDOM_UNIFORM
                         ? v->attr.random.a +
                               (v->attr.random.b - v->attr.random.a) * rng_uniform(&r)
                     : v->attr.random.kind == RANDOM_LABEL
                         ? floor(v->attr.random.a * rng_uniform(&r))
                         : rng_uniform(&r) < v->attr.random.a;
        else if (!strncmp(v->attr.name, "hyper/", 6))
            out[i] = (const double[]){0.01, 2, 1000, 0}[i];
        else
            out[i] = rng_uniform(&r);
    }
}

static inline double **interpret(struct fixture *f, struct arena *a)
{
    return graph_reference(f->p->graph, &(struct reference){give, f}, a);
}

static inline double loss_at(struct fixture *f, const struct update_run *run)
{
    struct arena *a = arena_new(NULL);
    const double y = interpret(f, a)[run->loss->id][0];
    arena_free(a);
    return y;
}

// The gradients the update uses are those of its loss, by central differences in the weights.
static inline void check_gradients(struct fixture *f, const struct update_run *run)
{
    struct arena *a = arena_new(NULL);
    double **result = interpret(f, a);
    for (int i = 0; i < run->n; i++) {
        const int64_t size = shape_size(run->slot[i]->shape), every = size > 12 ? size / 12 : 1;
        f->nudged = run->slot[i];
        for (f->element = 0; f->element < size; f->element += every) {
            const double h = f->h = 1e-4, up = loss_at(f, run);
            f->h = -h;
            const double down = loss_at(f, run), numeric = (up - down) / (2 * h);
            const double analytic = result[run->gradient[i]->id][f->element];
            if (!(fabs(numeric - analytic) <= 1e-5 * (1 + fabs(numeric))))
                fail_msg("%s[%d]: %g by differences, %g by gradient", run->slot[i]->name,
                         (int)f->element, numeric, analytic);
        }
    }
    f->nudged = NULL;
    arena_free(a);
}

static const char penalised[] __attribute__((unused)) =
    "games: [{critic: critic, real: real.image, fake: generator(z), loss: wasserstein, penalty: "
    "{gradient: 10}}]\n";

#endif
