// Experiments from small configs: who is trained by what, what is computed once, what is drawn
// when.
#include "support/experiment.h"

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
#define ERRORS(...) \
    errors_of((const char *const[]){__VA_ARGS__}, (int)LENGTH(((const char *const[]){__VA_ARGS__})))

// --- the update rule -----------------------------------------------------------------------------

static void an_update_trains_its_networks_only(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    assert_int_equal(f.p->n_run, 2);
    assert_true(trains(&f.p->run[0], "critic.") && !trains(&f.p->run[0], "generator."));
    assert_true(trains(&f.p->run[1], "generator.") && !trains(&f.p->run[1], "critic."));
    assert_int_equal(f.p->run[0].n, 4);
    assert_int_equal(f.p->run[1].n, 4);
    assert_true(has_part(&f.p->run[0], "critic.critic") &&
                has_part(&f.p->run[1], "critic.generator"));
    assert_non_null(graph_find_root(f.p->graph, "loss/0"));
    assert_non_null(graph_find_root(f.p->graph, "loss/1/critic.generator"));
    assert_true(has_slot(f.e, "adam.m/generator.0.weight") &&
                has_slot(f.e, "adam.v/critic.3.bias"));
    arena_free(f.arena);
}

static void compile_reaches_the_graph(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    assert_true(f.p->graph->minimal_filtering);
    arena_free(f.arena);
    f = READ(head, game, train, "compile: {minimal_filtering: false}\n");
    assert_false(f.p->graph->minimal_filtering);
    arena_free(f.arena);
}

// Both updates read generator(z) with the same weights: it is computed once. The other way round
// the generator has changed before the critic reads it.
static void a_fake_of_the_same_weights_is_computed_once(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    passes_run(f.p->graph, "simplify");
    const int shared = count_op(f.p->graph, &op_pointwise[PW_TANH], "generator");
    assert_int_equal(shared, 1);
    arena_free(f.arena);
    f = READ(
        head, game,
        "train: {steps: 1, optimizer: adam, iteration: [update: generator, update: critic]}\n");
    passes_run(f.p->graph, "simplify");
    assert_int_equal(count_op(f.p->graph, &op_pointwise[PW_TANH], "generator"), 2);
    arena_free(f.arena);
}

// Dropout inside the fake is the same draw for both updates.
static void dropout_inside_a_fake_is_drawn_once(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train, "extends: []\n");
    const int before = count_op(f.p->graph, &op_random, NULL);
    arena_free(f.arena);
    f = READ(
        "name: small\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\n"
        "networks:\n"
        "  generator: {inputs: {z: 3}, layers: [{dense: 64}, {dropout: 0.5}, {reshape: [1, 8, "
        "8]}]}\n"
        "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 1}]}\n",
        game, train);
    assert_int_equal(count_op(f.p->graph, &op_random, NULL), before + 1);
    arena_free(f.arena);
}

// The generator's update has the gradient of the critic's input, and none of its weights: three
// products with its first layer's weight each way, and the weight gradients of the critic's own
// update.
static void gradients_that_no_update_needs_are_not_there(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    int weight_gradients = 0;
    passes_run(f.p->graph, "simplify");
    for (int i = 0; i < f.p->graph->n; i++) {
        const struct value *v = f.p->graph->value[i];
        weight_gradients += v->op == &op_matmul && v->label && strstr(v->label, "critic.1") &&
                            shape_equal(v->shape, SHAPE(5, 64));
    }
    assert_int_equal(weight_gradients, 2); // of the real batch and of the fake one
    arena_free(f.arena);
}

static void running_statistics_follow_their_networks_update(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    assert_int_equal(count_updates(f.p->graph, "lerp", "generator."),
                     2); // mean and variance, in the generator's update only
    assert_int_equal(count_updates(f.p->graph, "lerp", ""), 2);
    arena_free(f.arena);
}

static void a_repeated_update_clips_after_each(void **state)
{
    (void)state;
    struct fixture f = READ(
        head,
        "games: [{critic: critic, real: real.image, fake: generator(z), loss: wasserstein, clip: "
        "0.01}]\n",
        "train: {steps: 10, optimizer: rmsprop, iteration: [{update: critic, repeat: 3}, update: "
        "generator]}\n");
    assert_int_equal(f.p->n_run, 4);
    assert_int_equal(count_updates(f.p->graph, "rmsprop", ""), 3 * 4 + 4);
    assert_int_equal(count_updates(f.p->graph, "clip", "critic."), 3 * 4);
    assert_int_equal(count_updates(f.p->graph, "clip", ""), 3 * 4);
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

static void fresh_draws_anew(void **state)
{
    (void)state;
    struct fixture f = READ(
        head, game,
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, {update: generator, fresh: "
        "z}]}\n");
    passes_run(f.p->graph, "simplify");
    assert_int_equal(count_op(f.p->graph, &op_random, NULL), 2);
    arena_free(f.arena);
}

// A weight that two updates train has moments for each.
static void each_update_has_moments_of_its_own(void **state)
{
    (void)state;
    struct fixture f = READ(
        head, game,
        "terms: [{l1: {x: generator(z), y: 0}}]\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: generator, update: "
        "generator]}\n");
    assert_true(has_slot(f.e, "adam.m.1/generator.0.weight") &&
                has_slot(f.e, "adam.m.2/generator.0.weight"));
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
    "  judge: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 6}, relu], outputs: {valid: "
    "[{dense: 1}], code: [{dense: 4}]}}\n"
    "values: {fake: 'generator(concat(z, c))', judged: judge(fake)}\n"
    "games: [{critic: judge.valid, real: real.image, fake: fake, loss: log}]\n"
    "terms: [{cross_entropy: {logits: judged.code, label: c}, for: [generator, judge.code]}]\n"
    "samples: {of: fake, columns: c}\n";

// InfoGAN: the second update trains the generator and one head, not the trunk.
static void a_head_is_trained_without_the_trunk(void **state)
{
    (void)state;
    struct fixture f = READ(
        heads, "train: {steps: 1, optimizer: adam, iteration: [update: judge, update: [generator, "
               "judge.code]]}\n");
    assert_true(has_part(&f.p->run[0], "judge.valid.critic") &&
                !has_part(&f.p->run[0], "cross_entropy"));
    assert_true(has_part(&f.p->run[1], "judge.valid.generator") &&
                has_part(&f.p->run[1], "cross_entropy"));
    assert_true(trains(&f.p->run[0], "judge.valid.") && !trains(&f.p->run[0], "judge.code."));
    assert_true(trains(&f.p->run[1], "judge.code.") && trains(&f.p->run[1], "generator.") &&
                !trains(&f.p->run[1], "judge.valid."));
    assert_int_equal(f.p->run[1].n, 4);
    assert_string_equal(f.e->samples.by->noise->name, "c");
    arena_free(f.arena);
}

// BiGAN: the encoder stands on the real side, and is trained with the generator's side all the
// same.
static void what_stands_on_the_real_side_trains_with_the_fake(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: bigan\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\n"
        "networks:\n"
        "  encoder: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 3}]}\n"
        "  generator: {inputs: {z: 3}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {z: 3, image: [1, 8, 8]}, layers: [{flatten: {of: image}}, {concat: "
        "z}, {dense: 1}]}\n"
        "games: [{critic: critic, real: [encoder(real.image), real.image], fake: [z, "
        "generator(z)], loss: log}]\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: [generator, "
        "encoder]]}\n");
    assert_true(trains(&f.p->run[1], "encoder.") && trains(&f.p->run[1], "generator."));
    assert_int_equal(f.p->run[1].n, 4);
    assert_string_equal(f.e->samples.of[0]->name, "generator");
    arena_free(f.arena);
}

static void a_detached_fake_trains_nothing_and_is_refused(void **state)
{
    (void)state;
    assert_true(
        ERRORS(
            head,
            "games: [{critic: critic, real: real.image, fake: detach(generator(z)), loss: log}]\n",
            train) > 0);
    assert_int_equal(ERRORS(head, game, train), 0);
}

static void phases_have_steps_and_schedules_of_their_own(void **state)
{
    (void)state;
    struct fixture f = READ(
        head, game,
        "train:\n  optimizer: {adam: {lr: 0.1}}\n  lr_schedule: {linear: {from: 2}}\n  phases:\n"
        "    - {name: one, steps: 6, iteration: [update: critic, update: generator]}\n"
        "    - {name: two, epochs: 1, lr_schedule: constant, iteration: [update: generator, "
        "update: critic]}\n");
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

static struct schedule schedule(const char *word, double to, double final)
{
    return (struct schedule){(const struct schedule_kind *)word_find(&schedules, word), 0, to,
                             final};
}

static void schedules_multiply(void **state)
{
    (void)state;
    struct schedule s[] = {schedule("warmup", 10, 0), schedule("step", 100, 0.5)};
    const struct phase phase = {.schedule = s, .n_schedule = 2};
    assert_float_equal(phase_factor(&phase, 0), 0.1, 1e-9);
    assert_float_equal(phase_factor(&phase, 250), 0.25, 1e-9);
    s[0] = schedule("cosine", 100, 0.2);
    const struct phase cosine = {.schedule = s, .n_schedule = 1};
    assert_float_equal(phase_factor(&cosine, 50), 0.6, 1e-9);
    assert_float_equal(phase_factor(&cosine, 1000), 0.2, 1e-9);
}

// The same config twice has the same slots in the same places, whatever is built after.
static void slots_do_not_depend_on_what_is_built_later(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train, "samples: {every: 5}\n");
    const int n = f.e->slots.n;
    assert_non_null(program_sampling(f.e, f.arena, 9, NULL, false, f.diag));
    assert_non_null(program_training(f.e, 0, f.arena, f.diag));
    assert_int_equal(f.e->slots.n, n);
    arena_free(f.arena);
}

static void coupled_samples_under_a_penalty_are_warned_of(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: small\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\n"
        "networks:\n"
        "  generator: {inputs: {z: 3}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 5}, batch_norm, {dense: "
        "1}]}\n",
        penalised, train);
    warnings_look(f.e, f.diag);
    assert_true(diag_warnings(f.diag) > 0);
    arena_free(f.arena);
    f = READ(head, penalised, train);
    warnings_look(f.e, f.diag);
    assert_int_equal(diag_warnings(f.diag), 0);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_trains_its_networks_only),
        cmocka_unit_test(compile_reaches_the_graph),
        cmocka_unit_test(a_fake_of_the_same_weights_is_computed_once),
        cmocka_unit_test(dropout_inside_a_fake_is_drawn_once),
        cmocka_unit_test(gradients_that_no_update_needs_are_not_there),
        cmocka_unit_test(running_statistics_follow_their_networks_update),
        cmocka_unit_test(a_repeated_update_clips_after_each),
        cmocka_unit_test(fresh_draws_anew),
        cmocka_unit_test(each_update_has_moments_of_its_own),
        cmocka_unit_test(a_head_is_trained_without_the_trunk),
        cmocka_unit_test(what_stands_on_the_real_side_trains_with_the_fake),
        cmocka_unit_test(a_detached_fake_trains_nothing_and_is_refused),
        cmocka_unit_test(phases_have_steps_and_schedules_of_their_own),
        cmocka_unit_test(schedules_multiply),
        cmocka_unit_test(slots_do_not_depend_on_what_is_built_later),
        cmocka_unit_test(coupled_samples_under_a_penalty_are_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
