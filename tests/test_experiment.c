// Experiments from small configs: who is trained by what, what is computed once, what is drawn when; and training itself, interpreted
// in float64 and held to formulas and to central differences.
#include "base/arena.h"
#include "base/philox.h"
#include "base/text.h"
#include "graph/op.h"
#include "model/program.h"
#include "pass/pass.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>  // last: its fail() is another

static const char head[] =
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
static const char game[] = "games: [{critic: critic, real: real.image, fake: generator(z), loss: log}]\n";
static const char train[] =
    "train: {steps: 10, optimizer: {adam: {lr: 0.01, beta1: 0.5}}, iteration: [update: critic, update: generator]}\n";

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

static void show(struct fixture *f)
{
    struct text t;
    text_init(&t);
    diag_text(f->diag, &t);
    print_error("%s", t.s);
    text_release(&t);
}

static struct fixture read_text(const char *const *part, int n)
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
#define READ(...) read_text((const char *const[]){__VA_ARGS__}, (int)LENGTH(((const char *const[]){__VA_ARGS__})))

// --- looking at a program ------------------------------------------------------------------------

static bool trains(const struct update_run *run, const char *prefix)
{
    for (int i = 0; i < run->n; i++)
        if (!strncmp(run->slot[i]->name, prefix, strlen(prefix)))
            return true;
    return false;
}

static bool has_part(const struct update_run *run, const char *name)
{
    for (int i = 0; i < run->n_part; i++)
        if (!strcmp(run->part[i].name, name))
            return true;
    return false;
}

static int count_op(const struct graph *g, const struct op *op, const char *label)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += g->value[i]->op == op && (!label || (g->value[i]->label && strstr(g->value[i]->label, label)));
    return n;
}

static int count_effects(const struct graph *g, const struct op *op, const char *slot)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += g->value[i]->op == op && !strncmp(g->value[i]->attr.slot->name, slot, strlen(slot));
    return n;
}

static bool has_slot(const struct experiment *e, const char *name)
{
    return slots_find(&e->slots, name) != NULL;
}

static int errors_of(const char *const *part, int n)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    const char *all = "";
    for (int i = 0; i < n; i++)
        all = arena_printf(a, "%s%s", all, part[i]);
    const struct config *c = config_parse(a, "test.yaml", all, NULL, 0, d);
    assert_non_null(c);
    const struct experiment *e = experiment_read(a, c, d);
    const int errors = diag_errors(d);
    assert_true(!e == (errors > 0));
    arena_free(a);
    return errors;
}
#define ERRORS(...) errors_of((const char *const[]){__VA_ARGS__}, (int)LENGTH(((const char *const[]){__VA_ARGS__})))

static double **interpret(struct fixture *f, struct arena *a);
static void check_gradients(struct fixture *f, const struct update_run *run);

// --- the update rule -----------------------------------------------------------------------------

static void test_who_trains(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    assert_int_equal(f.p->n_run, 2);
    assert_true(trains(&f.p->run[0], "critic.") && !trains(&f.p->run[0], "generator."));
    assert_true(trains(&f.p->run[1], "generator.") && !trains(&f.p->run[1], "critic."));
    assert_int_equal(f.p->run[0].n, 4);
    assert_int_equal(f.p->run[1].n, 4);
    assert_true(has_part(&f.p->run[0], "critic.critic") && has_part(&f.p->run[1], "critic.generator"));
    assert_non_null(graph_find_root(f.p->graph, "loss/0"));
    assert_non_null(graph_find_root(f.p->graph, "loss/1/critic.generator"));
    assert_true(has_slot(f.e, "adam.m/generator.0.weight") && has_slot(f.e, "adam.v/critic.3.bias"));
    arena_free(f.arena);
}

// Both updates read generator(z) with the same weights: it is computed once. The other way round the generator has
// changed before the critic reads it.
static void test_fake_is_shared(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    passes_run(f.p->graph, "simplify");
    const int shared = count_op(f.p->graph, &op_pointwise[PW_TANH], "generator");
    assert_int_equal(shared, 1);
    arena_free(f.arena);
    f = READ(head, game, "train: {steps: 1, optimizer: adam, iteration: [update: generator, update: critic]}\n");
    passes_run(f.p->graph, "simplify");
    assert_int_equal(count_op(f.p->graph, &op_pointwise[PW_TANH], "generator"), 2);
    arena_free(f.arena);
}

// Dropout inside the fake is the same draw for both updates.
static void test_dropout_is_shared(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train, "extends: []\n");
    const int before = count_op(f.p->graph, &op_random, NULL);
    arena_free(f.arena);
    f = READ("name: small\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\nnetworks:\n"
             "  generator: {inputs: {z: 3}, layers: [{dense: 64}, {dropout: 0.5}, {reshape: [1, 8, 8]}]}\n"
             "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 1}]}\n", game, train);
    assert_int_equal(count_op(f.p->graph, &op_random, NULL), before + 1);
    arena_free(f.arena);
}

// The generator's update has the gradient of the critic's input, and none of its weights: three products with its first layer's
// weight each way, and the weight gradients of the critic's own update.
static void test_no_unused_gradients(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    int weight_gradients = 0;
    passes_run(f.p->graph, "simplify");
    for (int i = 0; i < f.p->graph->n; i++) {
        const struct value *v = f.p->graph->value[i];
        weight_gradients += v->op == &op_matmul && v->label && strstr(v->label, "critic.1") && shape_equal(v->shape, SHAPE(5, 64));
    }
    assert_int_equal(weight_gradients, 2);  // of the real batch and of the fake one
    arena_free(f.arena);
}

static void test_running_statistics(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    assert_int_equal(count_effects(f.p->graph, &op_lerp_slot, "generator."), 2);  // mean and variance, in the generator's update only
    assert_int_equal(count_op(f.p->graph, &op_lerp_slot, NULL), 2);
    arena_free(f.arena);
}

static void test_repeat(void **state)
{
    (void)state;
    struct fixture f = READ(head, "games: [{critic: critic, real: real.image, fake: generator(z), loss: wasserstein, clip: 0.01}]\n",
                            "train: {steps: 10, optimizer: rmsprop, iteration: [{update: critic, repeat: 3}, update: generator]}\n");
    assert_int_equal(f.p->n_run, 4);
    assert_int_equal(count_op(f.p->graph, &op_rmsprop, NULL), 3 * 4 + 4);
    assert_int_equal(count_effects(f.p->graph, &op_clip_slot, "critic."), 3 * 4);
    assert_int_equal(count_op(f.p->graph, &op_clip_slot, NULL), 3 * 4);
    assert_int_equal(f.p->n_feed, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(f.p->feed[i].draw, i + 1);
    assert_string_equal(f.p->feed[0].name[FIELD_IMAGE], "real.image@1");
    assert_null(f.p->feed[0].name[FIELD_LABEL]);
    assert_string_equal(f.p->run[2].hyper, "hyper/0@2");
    passes_run(f.p->graph, "simplify");
    assert_int_equal(count_op(f.p->graph, &op_random, NULL), 4);
    arena_free(f.arena);
}

static void test_fresh(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, "train: {steps: 1, optimizer: adam, iteration: [update: critic, {update: generator, fresh: z}]}\n");
    passes_run(f.p->graph, "simplify");
    assert_int_equal(count_op(f.p->graph, &op_random, NULL), 2);
    arena_free(f.arena);
}

// A weight that two updates train has moments for each.
static void test_moments(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, "terms: [{l1: {x: generator(z), y: 0}}]\n"
                            "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: generator, update: generator]}\n");
    assert_true(has_slot(f.e, "adam.m.1/generator.0.weight") && has_slot(f.e, "adam.m.2/generator.0.weight"));
    assert_true(has_slot(f.e, "adam.m/critic.1.weight"));
    assert_true(has_part(&f.p->run[1], "l1") && !has_part(&f.p->run[0], "l1"));
    arena_free(f.arena);
}

static const char heads[] =
    "name: heads\n"
    "data: {real: {dataset: digits, size: 8, batch: 4}}\n"
    "noise: {z: {normal: 3}, c: {one_hot: 4}}\n"
    "networks:\n"
    "  generator: {inputs: {z: 7}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
    "  judge: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 6}, relu], outputs: {valid: [{dense: 1}], code: [{dense: 4}]}}\n"
    "values: {fake: 'generator(concat(z, c))', judged: judge(fake)}\n"
    "games: [{critic: judge.valid, real: real.image, fake: fake, loss: log}]\n"
    "terms: [{cross_entropy: {logits: judged.code, label: c}, for: [generator, judge.code]}]\n"
    "samples: {of: fake, columns: c}\n";

// InfoGAN: the second update trains the generator and one head, not the trunk.
static void test_heads(void **state)
{
    (void)state;
    struct fixture f = READ(heads, "train: {steps: 1, optimizer: adam, iteration: [update: judge, update: [generator, judge.code]]}\n");
    assert_true(has_part(&f.p->run[0], "judge.valid.critic") && !has_part(&f.p->run[0], "cross_entropy"));
    assert_true(has_part(&f.p->run[1], "judge.valid.generator") && has_part(&f.p->run[1], "cross_entropy"));
    assert_true(trains(&f.p->run[0], "judge.valid.") && !trains(&f.p->run[0], "judge.code."));
    assert_true(trains(&f.p->run[1], "judge.code.") && trains(&f.p->run[1], "generator.") && !trains(&f.p->run[1], "judge.valid."));
    assert_int_equal(f.p->run[1].n, 4);
    assert_string_equal(f.e->samples.by->name, "c");
    arena_free(f.arena);
}

// BiGAN: the encoder stands on the real side, and is trained with the generator's side all the same.
static void test_both_sides(void **state)
{
    (void)state;
    struct fixture f = READ("name: bigan\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\nnetworks:\n"
        "  encoder: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 3}]}\n"
        "  generator: {inputs: {z: 3}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {z: 3, image: [1, 8, 8]}, layers: [{flatten: {of: image}}, {concat: z}, {dense: 1}]}\n"
        "games: [{critic: critic, real: [encoder(real.image), real.image], fake: [z, generator(z)], loss: log}]\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: [generator, encoder]]}\n");
    assert_true(trains(&f.p->run[1], "encoder.") && trains(&f.p->run[1], "generator."));
    assert_int_equal(f.p->run[1].n, 4);
    assert_string_equal(f.e->samples.of[0]->name, "generator");
    arena_free(f.arena);
}

// Adversarial autoencoder: the code is the fake, noise is real; weights are as written.
static void test_adversarial_autoencoder(void **state)
{
    (void)state;
    struct fixture f = READ("name: aae\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\nnetworks:\n"
        "  encoder: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 6}], outputs: {code: [{dense: 3}], spare: [{dense: 1}]}}\n"
        "  decoder: {inputs: {z: 3}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {z: 3}, layers: [{dense: 4}, tanh, {dense: 1}]}\n"
        "values: {code: encoder(real.image).code}\n"
        "games: [{critic: critic, real: z, fake: code, loss: log, weight: 0.001}]\n"
        "terms: [{mse: {x: decoder(code), y: real.image}, weight: 0.999, for: [encoder, decoder]}]\n"
        "samples: {of: [decoder(z), decoder(code), real.image]}\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: [encoder, decoder]]}\n");
    const struct update_run *run = &f.p->run[1];
    assert_true(trains(run, "encoder.") && trains(run, "decoder.") && !trains(run, "encoder.spare.") && !trains(run, "critic."));
    struct arena *a = arena_new(NULL);
    double **result = interpret(&f, a), total = 0;
    for (int i = 0; i < run->n_part; i++)
        total += result[run->part[i].value->id][0];
    assert_float_equal(result[run->loss->id][0], total, 1e-12);
    arena_free(a);
    const struct program *p = program_sampling_of(f.e, f.arena, 5, f.e->samples.of[1], false, f.diag);
    assert_int_equal(p->n_input, 1);
    assert_string_equal(p->input[0].name, "real.image");
    assert_ptr_equal(p->input[0].source, &f.e->data[0]);
    arena_free(f.arena);
}

// CycleGAN between digits and digits turned: terms without `for:` go to the generators, never to critics.
static void test_cycle(void **state)
{
    (void)state;
    struct fixture f = READ("name: cycle\ndata: {a: {dataset: digits, size: 8, batch: 2}, b: {dataset: digits, size: 8, batch: 2}}\nnetworks:\n"
        "  a_to_b: {inputs: {image: [1, 8, 8]}, layers: [{conv2d: {filters: 1, kernel: 3}}, tanh]}\n"
        "  b_to_a: {like: a_to_b}\n"
        "  critic_a: {inputs: {image: [1, 8, 8]}, layers: [{conv2d: {filters: 1, kernel: 4, stride: 2}}]}\n"
        "  critic_b: {like: critic_a}\n"
        "values: {turned: rotate90(b.image), fake_b: a_to_b(a.image), fake_a: b_to_a(turned)}\n"
        "games:\n  - {critic: critic_a, real: a.image, fake: fake_a, loss: least_squares, pool: 50}\n"
        "  - {critic: critic_b, real: turned, fake: fake_b, loss: least_squares, pool: 50}\n"
        "terms:\n  - {cycle: {x: a.image, back: b_to_a(fake_b)}, weight: 10}\n  - {cycle: {x: turned, back: a_to_b(fake_a)}, weight: 10}\n"
        "  - {l1: {x: b_to_a(a.image), y: a.image}, weight: 5}\n"
        "samples: {of: [a.image, fake_b, b_to_a(fake_b)]}\n"
        "train:\n  epochs: 4\n  optimizer: {adam: {lr: 2e-4, beta1: 0.5}}\n  lr_schedule: {linear: {from: 2 epochs, to: 4 epochs}}\n"
        "  iteration:\n    - update: [a_to_b, b_to_a]\n    - update: critic_a\n    - update: critic_b\n");
    const int64_t epoch = experiment_epoch(f.e);
    assert_int_equal(f.p->run[0].n_part, 5);
    assert_true(has_part(&f.p->run[0], "cycle.2") && has_part(&f.p->run[0], "critic_a.generator"));
    assert_int_equal(f.p->run[1].n_part, 1);
    assert_int_equal(f.p->n_feed, 2);
    assert_int_equal(f.e->phase[0].steps, 4 * epoch);
    assert_float_equal(phase_factor(&f.e->phase[0], 3 * epoch), 0.5, 1e-9);
    assert_true(has_slot(f.e, "pool.1.0"));
    check_gradients(&f, &f.p->run[1]);
    arena_free(f.arena);
}

// The matching-aware critic: real against the mean of both kinds of wrong.
static void test_mismatched(void **state)
{
    (void)state;
    struct fixture f = READ(head, "games: [{critic: critic, real: real.image, fake: generator(z), mismatched: real.image * 0.5, loss: log, "
                            "smooth: 0.1}]\n", train);
    check_gradients(&f, &f.p->run[0]);
    arena_free(f.arena);
}

static void test_every_loss(void **state)
{
    (void)state;
    for (size_t i = 0; losses[i]; i++) {
        struct arena *a = arena_new(NULL);
        const char *text = arena_printf(a, "games: [{critic: critic, real: real.image, fake: generator(z), loss: %s}]\n", losses[i]->name);
        struct fixture f = READ(head, text, train);
        check_gradients(&f, &f.p->run[0]);
        arena_free(f.arena);
        arena_free(a);
    }
}

static void test_detached(void **state)
{
    (void)state;
    assert_true(ERRORS(head, "games: [{critic: critic, real: real.image, fake: detach(generator(z)), loss: log}]\n", train) > 0);
    assert_int_equal(ERRORS(head, game, train), 0);
}

static void test_phases(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, "train:\n  optimizer: {adam: {lr: 0.1}}\n  lr_schedule: {linear: {from: 2}}\n  phases:\n"
                            "    - {name: one, steps: 6, iteration: [update: critic, update: generator]}\n"
                            "    - {name: two, epochs: 1, lr_schedule: constant, iteration: [update: generator, update: critic]}\n");
    assert_int_equal(f.e->n_phase, 2);
    assert_int_equal(f.e->phase[1].steps, experiment_epoch(f.e));
    assert_float_equal(phase_factor(&f.e->phase[0], 4), 0.5, 1e-9);
    assert_float_equal(phase_factor(&f.e->phase[1], 4), 1, 1e-9);
    assert_int_equal(f.e->phase[1].update[0].number, 2);
    struct program *p = program_training(f.e, 1, f.arena, f.diag);
    assert_non_null(p);
    assert_true(trains(&p->run[0], "generator."));
    assert_true(has_slot(f.e, "adam.m.3/critic.1.weight"));
    arena_free(f.arena);
}

static void test_schedules(void **state)
{
    (void)state;
    struct schedule s[] = {{SCHEDULE_WARMUP, 0, 10, 0}, {SCHEDULE_STEP, 0, 100, 0.5}};
    const struct phase phase = {.schedule = s, .n_schedule = 2};
    assert_float_equal(phase_factor(&phase, 0), 0.1, 1e-9);
    assert_float_equal(phase_factor(&phase, 250), 0.25, 1e-9);
    s[0] = (struct schedule){SCHEDULE_COSINE, 0, 100, 0.2};
    const struct phase cosine = {.schedule = s, .n_schedule = 1};
    assert_float_equal(phase_factor(&cosine, 50), 0.6, 1e-9);
    assert_float_equal(phase_factor(&cosine, 1000), 0.2, 1e-9);
}

// The same config twice has the same slots in the same places, whatever is built after.
static void test_slots_are_settled(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train, "samples: {every: 5}\n");
    const int n = f.e->slots.n;
    assert_non_null(program_sampling(f.e, f.arena, 9, NULL, false, f.diag));
    assert_non_null(program_training(f.e, 0, f.arena, f.diag));
    assert_int_equal(f.e->slots.n, n);
    arena_free(f.arena);
}

// --- interpretation ------------------------------------------------------------------------------

static void give(void *context, const struct value *v, double *out)
{
    const struct fixture *f = context;
    const int64_t n = shape_size(v->shape);
    struct rng r;
    rng_init(&r, 5, v->op == &op_random ? (uint64_t)v->attr.i[1] : 77 + (uint64_t)(v->attr.name ? v->attr.name[0] : 0));
    for (int64_t i = 0; i < n; i++) {
        if (v->op == &op_param)
            out[i] = f->slab[v->attr.slot->offset + (size_t)i] + (v->attr.slot == f->nudged && i == f->element ? f->h : 0);
        else if (v->op == &op_random)
            out[i] = v->attr.i[0] == RANDOM_NORMAL    ? v->attr.f[0] + v->attr.f[1] * rng_normal(&r)
                     : v->attr.i[0] == RANDOM_UNIFORM ? v->attr.f[0] + (v->attr.f[1] - v->attr.f[0]) * rng_uniform(&r)
                     : v->attr.i[0] == RANDOM_LABEL   ? floor(v->attr.f[0] * rng_uniform(&r))
                                                      : rng_uniform(&r) < v->attr.f[0];
        else if (!strncmp(v->attr.name, "hyper/", 6))
            out[i] = (const double[]){0.01, 2, 1000, 0}[i];
        else
            out[i] = rng_uniform(&r);
    }
}

static double **interpret(struct fixture *f, struct arena *a)
{
    return graph_reference(f->p->graph, &(struct reference){give, f}, a);
}

static double loss_at(struct fixture *f, const struct update_run *run)
{
    struct arena *a = arena_new(NULL);
    const double y = interpret(f, a)[run->loss->id][0];
    arena_free(a);
    return y;
}

// The gradients the update uses are those of its loss, by central differences in the weights.
static void check_gradients(struct fixture *f, const struct update_run *run)
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
                fail_msg("%s[%d]: %g by differences, %g by gradient", run->slot[i]->name, (int)f->element, numeric, analytic);
        }
    }
    f->nudged = NULL;
    arena_free(a);
}

// Everything the update holds is kept by making roots of it: sweeping has dropped what only the tests look at.
static void test_gradients(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    check_gradients(&f, &f.p->run[0]);
    arena_free(f.arena);
}

static const char penalised[] =
    "games: [{critic: critic, real: real.image, fake: generator(z), loss: wasserstein, penalty: {gradient: 10}}]\n";

static void test_gradient_penalty(void **state)
{
    (void)state;
    struct fixture f = READ(head, penalised, train);
    assert_true(has_part(&f.p->run[0], "critic.gradient") && !has_part(&f.p->run[1], "critic.gradient"));
    check_gradients(&f, &f.p->run[0]);
    arena_free(f.arena);
}

// Adam's first step by hand: m̂ = g, v̂ = g², p ← p − lr·g/(|g| + ε).
static void test_first_step(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    struct arena *a = arena_new(NULL);
    double **result = interpret(&f, a);
    const struct update_run *run = &f.p->run[0];
    for (int i = 0; i < run->n; i++) {
        const double p = result[run->before[i]->id][0], g = result[run->gradient[i]->id][0];
        assert_float_equal(result[run->after[i]->id][0], p - 0.01 * g / (fabs(g) + 1e-8), 1e-6);
    }
    arena_free(a);
    arena_free(f.arena);
}

static void test_hyper(void **state)
{
    (void)state;
    const struct optimizer o = {.kind = OPTIMIZER_ADAM, .lr = 0.1, .beta1 = 0.5, .beta2 = 0.9};
    float h[4];
    optimizer_hyper(&o, 0.5, 2, h);
    assert_float_equal(h[0], 0.05, 1e-7);
    assert_float_equal(h[1], 1 / 0.75, 1e-6);
    assert_float_equal(h[2], 1 / 0.19, 1e-5);
}

static void test_sampling(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, "train: {steps: 1, ema: 0.9, optimizer: adam, iteration: [update: critic, update: generator]}\n");
    assert_true(has_slot(f.e, "ema/generator.0.weight") && !has_slot(f.e, "ema/critic.1.weight"));
    assert_int_equal(count_effects(f.p->graph, &op_lerp_slot, "ema/"), 4);
    struct program *p = program_sampling(f.e, f.arena, 6, NULL, true, f.diag);
    assert_int_equal(p->n_input, 1);
    assert_string_equal(p->input[0].name, "z");
    assert_true(shape_equal(p->input[0].shape, SHAPE(6, 3)) && shape_equal(p->sample.shape, SHAPE(1, 8, 8)));
    assert_true(shape_equal(graph_find_root(p->graph, "sample")->shape, SHAPE(6, 1, 8, 8)));
    for (int i = 0; i < p->graph->n; i++)
        if (p->graph->value[i]->op == &op_param && p->graph->value[i]->attr.slot->kind != SLOT_BUFFER)
            assert_int_equal(p->graph->value[i]->attr.slot->kind, SLOT_AVERAGE);
    const struct slot *average = slots_find(&f.e->slots, "ema/generator.0.weight"), *weight = slots_find(&f.e->slots, "generator.0.weight");
    assert_memory_equal(f.slab + average->offset, f.slab + weight->offset, sizeof(float) * (size_t)shape_size(weight->shape));
    assert_non_null(program_sampling(f.e, f.arena, 2, "generator(z * 0.5)", false, f.diag));
    assert_null(program_sampling(f.e, f.arena, 2, "generator(w)", false, f.diag));
    arena_free(f.arena);
}

// --- image history, boxes ------------------------------------------------------------------------

static double *run_root(struct fixture *f, struct arena *a, const struct value *v)
{
    return interpret(f, a)[v->id];
}

// While it fills, the history takes every fake and shows it; it never loses track of how many it has.
static void test_pool(void **state)
{
    (void)state;
    struct fixture f = READ(head, "games: [{critic: critic, real: real.image, fake: generator(z), loss: least_squares, pool: 10}]\n", train);
    const struct slot *filled = slots_find(&f.e->slots, "pool.0.0.filled"), *history = slots_find(&f.e->slots, "pool.0.0");
    assert_true(shape_equal(history->shape, SHAPE(8, 64)));
    for (int step = 0; step < 4; step++) {
        struct arena *a = arena_new(NULL);
        double **result = interpret(&f, a);
        for (int i = 0; i < f.p->graph->n; i++) {
            const struct value *v = f.p->graph->value[i];
            if (v->op != &op_assign_slot)
                continue;
            for (int64_t k = 0; k < shape_size(v->shape); k++)
                f.slab[v->attr.slot->offset + (size_t)k] = (float)result[v->id][k];
        }
        arena_free(a);
        assert_float_equal(f.slab[filled->offset], step == 0 ? 4 : 8, 0);
        for (int row = 0; row < (step == 0 ? 4 : 8); row++)
            assert_true(f.slab[history->offset + (size_t)row * 64] != 0);
    }
    arena_free(f.arena);
}

static void test_box(void **state)
{
    (void)state;
    struct fixture f = READ("name: hole\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {hole: {box: [3, 2]}}\nnetworks:\n"
        "  painter: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 1}]}\n"
        "values: {fake: 'painter(where(hole, 0, real.image))'}\n"
        "games: [{critic: critic, real: real.image, fake: fake, loss: log}]\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: painter]}\n");
    struct arena *a = arena_new(NULL);
    int boxes = 0;
    for (int i = 0; i < f.p->graph->n; i++) {
        const struct value *v = f.p->graph->value[i];
        if (v->op != &op_pointwise[PW_SELECT] || v->in[0]->shape.dim[1] != 1)
            continue;
        const double *mask = run_root(&f, a, v->in[0]);
        for (int64_t n = 0; n < 4; n++) {
            double inside = 0;
            for (int k = 0; k < 64; k++)
                inside += mask[n * 64 + k];
            assert_float_equal(inside, 6, 0);
        }
        boxes++;
    }
    assert_int_equal(boxes, 1);
    arena_free(a);
    float mask[64];
    noise_fill(&f.e->noise[0], 1, 2, 1, mask);
    double inside = 0;
    for (int k = 0; k < 64; k++)
        inside += mask[k];
    assert_float_equal(inside, 6, 0);
    arena_free(f.arena);
}

static void test_warning(void **state)
{
    (void)state;
    struct fixture f = READ("name: small\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\nnetworks:\n"
        "  generator: {inputs: {z: 3}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 5}, batch_norm, {dense: 1}]}\n", penalised, train);
    assert_true(diag_warnings(f.diag) > 0);
    arena_free(f.arena);
    f = READ(head, penalised, train);
    assert_int_equal(diag_warnings(f.diag), 0);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_trains), cmocka_unit_test(test_fake_is_shared), cmocka_unit_test(test_dropout_is_shared),
        cmocka_unit_test(test_no_unused_gradients), cmocka_unit_test(test_running_statistics), cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_fresh), cmocka_unit_test(test_moments), cmocka_unit_test(test_heads), cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_detached), cmocka_unit_test(test_phases), cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_slots_are_settled), cmocka_unit_test(test_gradients), cmocka_unit_test(test_gradient_penalty),
        cmocka_unit_test(test_first_step), cmocka_unit_test(test_hyper), cmocka_unit_test(test_sampling), cmocka_unit_test(test_pool),
        cmocka_unit_test(test_box), cmocka_unit_test(test_warning), cmocka_unit_test(test_adversarial_autoencoder),
        cmocka_unit_test(test_cycle), cmocka_unit_test(test_mismatched), cmocka_unit_test(test_every_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
