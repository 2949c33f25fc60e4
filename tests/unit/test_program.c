// Training programs, interpreted in float64: gradients against central differences, a step by hand,
// and what is sampled.
#include "support/experiment.h"

// Everything the update holds is kept by making roots of it: sweeping has dropped what only the
// tests look at.
static void gradients_of_an_update_are_the_differences(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    check_gradients(&f, &f.p->run[0]);
    arena_free(f.arena);
}

static void gradients_through_a_penalty_are_the_differences(void **state)
{
    (void)state;
    struct fixture f = READ(head, penalised, train);
    assert_true(has_part(&f.p->run[0], "critic.gradient") &&
                !has_part(&f.p->run[1], "critic.gradient"));
    check_gradients(&f, &f.p->run[0]);
    arena_free(f.arena);
}

// Adam's first step by hand: m̂ = g, v̂ = g², p ← p − lr·g/(|g| + ε).
static void the_first_step_of_adam_is_known(void **state)
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

// Adversarial autoencoder: the code is the fake, noise is real; weights are as written.
static void an_adversarial_autoencoder_trains_as_written(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: aae\ndata: {real: {dataset: digits, size: 8, batch: 4}}\nnoise: {z: {normal: 3}}\n"
        "networks:\n"
        "  encoder: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 6}], outputs: {code: "
        "[{dense: 3}], spare: [{dense: 1}]}}\n"
        "  decoder: {inputs: {z: 3}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  critic: {inputs: {z: 3}, layers: [{dense: 4}, tanh, {dense: 1}]}\n"
        "values: {code: encoder(real.image).code}\n"
        "games: [{critic: critic, real: z, fake: code, loss: log, weight: 0.001}]\n"
        "terms: [{mse: {x: decoder(code), y: real.image}, weight: 0.999, for: [encoder, "
        "decoder]}]\n"
        "samples: {of: [decoder(z), decoder(code), real.image]}\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: [encoder, "
        "decoder]]}\n");
    const struct update_run *run = &f.p->run[1];
    assert_true(trains(run, "encoder.") && trains(run, "decoder.") &&
                !trains(run, "encoder.spare.") && !trains(run, "critic."));
    struct arena *a = arena_new(NULL);
    double **result = interpret(&f, a), total = 0;
    for (int i = 0; i < run->n_part; i++)
        total += result[run->part[i].value->id][0];
    assert_float_equal(result[run->loss->id][0], total, 1e-12);
    arena_free(a);
    const struct program *p = program_sampling_of(f.e, f.arena, 5, f.e->samples.of[1], false,
                                                  f.diag);
    assert_int_equal(p->n_input, 1);
    assert_string_equal(p->input[0].name, "real.image");
    assert_ptr_equal(p->input[0].source, &f.e->data[0]);
    arena_free(f.arena);
}

// CycleGAN between digits and digits transposed: terms without `for:` go to the generators, never to
// critics.
static void terms_without_for_go_to_the_generators(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: cycle\ndata: {a: {dataset: digits, size: 8, batch: 2}, b: {dataset: digits, size: "
        "8, batch: 2}}\nnetworks:\n"
        "  a_to_b: {inputs: {image: [1, 8, 8]}, layers: [{conv2d: {filters: 1, kernel: 3}}, "
        "tanh]}\n"
        "  b_to_a: {like: a_to_b}\n"
        "  critic_a: {inputs: {image: [1, 8, 8]}, layers: [{conv2d: {filters: 1, kernel: 4, "
        "stride: 2}}]}\n"
        "  critic_b: {like: critic_a}\n"
        "values: {turned: rotate90(b.image), fake_b: a_to_b(a.image), fake_a: b_to_a(turned)}\n"
        "games:\n  - {critic: critic_a, real: a.image, fake: fake_a, loss: least_squares, pool: "
        "50}\n"
        "  - {critic: critic_b, real: turned, fake: fake_b, loss: least_squares, pool: 50}\n"
        "terms:\n  - {cycle: {x: a.image, back: b_to_a(fake_b)}, weight: 10}\n"
        "  - {cycle: {x: turned, back: a_to_b(fake_a)}, weight: 10}\n"
        "  - {l1: {x: b_to_a(a.image), y: a.image}, weight: 5}\n"
        "samples: {of: [a.image, fake_b, b_to_a(fake_b)]}\n"
        "train:\n  epochs: 4\n  optimizer: {adam: {lr: 2e-4, beta1: 0.5}}\n"
        "  lr_schedule: {linear: {from: 2 epochs, to: 4 epochs}}\n"
        "  iteration:\n    - update: [a_to_b, b_to_a]\n    - update: critic_a\n"
        "    - update: critic_b\n");
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
static void a_mismatched_pair_counts_as_wrong(void **state)
{
    (void)state;
    struct fixture f = READ(
        head,
        "games: [{critic: critic, real: real.image, fake: generator(z), mismatched: real.image * "
        "0.5, loss: log, "
        "smooth: 0.1}]\n",
        train);
    check_gradients(&f, &f.p->run[0]);
    arena_free(f.arena);
}

static void every_loss_gives_an_iteration(void **state)
{
    (void)state;
    for (size_t i = 0; losses.word[i]; i++) {
        struct arena *a = arena_new(NULL);
        const char *text = arena_printf(
            a, "games: [{critic: critic, real: real.image, fake: generator(z), loss: %s}]\n",
            losses.word[i]->name);
        struct fixture f = READ(head, text, train);
        check_gradients(&f, &f.p->run[0]);
        arena_free(f.arena);
        arena_free(a);
    }
}

// A generator of black and white: draws stop gradients, and the policy gradient of 3 draws a noise,
// by log-probabilities, is what trains it.
static void draws_stop_gradients_and_policy_gradients_train(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: discrete\ndata: {real: {dataset: digits, size: 8, batch: 4}}\n"
        "noise: {z: {normal: 3}}\nnetworks:\n"
        "  generator: {inputs: {z: z}, layers: [{dense: 64}, {reshape: [1, 8, 8]}]}\n"
        "  pixels: {inputs: {x: [1, 8, 8]}, layers: [bernoulli: {low: -1}]}\n"
        "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 1}]}\n"
        "values: {many: 'repeat(generator(z), 3)', draws: pixels(many)}\n"
        "games: [{critic: critic, real: sign(real.image), fake: draws, loss: log, weight: 0}]\n"
        "terms: [{policy_gradient: {critic: 'fold(critic(draws), 3)', log_probability: "
        "'fold(log_bernoulli(draws, many), 3)'}}]\n",
        train);
    const struct update_run *run = &f.p->run[1];
    assert_true(has_part(run, "policy_gradient") && !has_part(&f.p->run[0], "policy_gradient"));
    assert_true(trains(run, "generator.") && !trains(run, "critic."));
    check_gradients(&f, run);
    struct arena *a = arena_new(NULL);
    double **result = interpret(&f, a), greatest = 0;
    for (int i = 0; i < run->n; i++)
        for (int64_t k = 0; k < shape_size(run->slot[i]->shape); k++)
            greatest = fmax(greatest, fabs(result[run->gradient[i]->id][k]));
    assert_true(greatest > 0.01);
    arena_free(a);
    arena_free(f.arena);
}

static void sampling_reads_averages_and_running_statistics(void **state)
{
    (void)state;
    struct fixture f = READ(
        head, game,
        "train: {steps: 1, ema: 0.9, optimizer: adam, iteration: [update: critic, update: "
        "generator]}\n");
    assert_true(has_slot(f.e, "ema/generator.0.weight") && !has_slot(f.e, "ema/critic.1.weight"));
    assert_int_equal(count_updates(f.p->graph, "lerp", "ema/"), 4);
    struct program *p = program_sampling(f.e, f.arena, 6, NULL, true, f.diag);
    assert_int_equal(p->n_input, 1);
    assert_string_equal(p->input[0].name, "z");
    assert_true(shape_equal(p->input[0].shape, SHAPE(6, 3)) &&
                shape_equal(p->sample.shape, SHAPE(1, 8, 8)));
    assert_true(shape_equal(graph_find_root(p->graph, "sample")->shape, SHAPE(6, 1, 8, 8)));
    for (int i = 0; i < p->graph->n; i++)
        if (p->graph->value[i]->op == &op_param &&
            p->graph->value[i]->attr.slot->kind != SLOT_BUFFER)
            assert_int_equal(p->graph->value[i]->attr.slot->kind, SLOT_AVERAGE);
    const struct slot *average = slots_find(&f.e->slots, "ema/generator.0.weight"),
                      *weight = slots_find(&f.e->slots, "generator.0.weight");
    assert_memory_equal(f.slab + average->offset, f.slab + weight->offset,
                        sizeof(float) * (size_t)shape_size(weight->shape));
    assert_non_null(program_sampling(f.e, f.arena, 2, "generator(z * 0.5)", false, f.diag));
    assert_null(program_sampling(f.e, f.arena, 2, "generator(w)", false, f.diag));
    arena_free(f.arena);
}

// While it fills, the history takes every fake and shows it; it never loses track of how many it
// has.
static void a_history_fills_and_shows_every_fake(void **state)
{
    (void)state;
    struct fixture f = READ(
        head,
        "games: [{critic: critic, real: real.image, fake: generator(z), loss: least_squares, pool: "
        "10}]\n",
        train);
    const struct slot *filled = slots_find(&f.e->slots, "pool.0.0.filled"),
                      *history = slots_find(&f.e->slots, "pool.0.0");
    assert_true(shape_equal(history->shape, SHAPE(8, 64)));
    for (int step = 0; step < 4; step++) {
        struct arena *a = arena_new(NULL);
        double **result = interpret(&f, a);
        for (int i = 0; i < f.p->graph->n; i++) {
            const struct value *v = f.p->graph->value[i];
            if (update_rule_of(v) != &rule_assign)
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

// A head's running statistics are of what that head was asked about: here of one batch in two.
static void a_heads_statistics_are_of_its_own_batches(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: heads\ndata: {a: {dataset: digits, size: 8, batch: 4}, b: {dataset: digits, size: "
        "8, "
        "batch: 4}}\nnetworks:\n"
        "  reader: {inputs: {image: [1, 8, 8]}, layers: [flatten, batch_norm], outputs: {a: "
        "[batch_norm, {dense: 1}], b: [batch_norm, {dense: 1}]}}\n"
        "terms: [{mse: {x: reader(a.image).a, y: 1}}, {mse: {x: reader(b.image).b, y: 1}}]\n"
        "samples: {of: reader(a.image).a}\n",
        "train: {steps: 1, optimizer: adam, iteration: [update: reader]}\n");
    assert_int_equal(count_updates(f.p->graph, "lerp", "reader.1."), 4);
    assert_int_equal(count_updates(f.p->graph, "lerp", "reader.a.0."), 2);
    assert_int_equal(count_updates(f.p->graph, "lerp", "reader.b.0."), 2);
    arena_free(f.arena);
}

static double *run_root(struct fixture *f, struct arena *a, const struct value *v)
{
    return interpret(f, a)[v->id];
}

static void a_box_has_as_many_ones_as_its_area(void **state)
{
    (void)state;
    struct fixture f = READ(
        "name: hole\ndata: {real: {dataset: digits, size: 8, batch: 4}}\n"
        "noise: {hole: {box: [3, 2]}}\nnetworks:\n"
        "  painter: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 64}, {reshape: [1, 8, "
        "8]}]}\n"
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

// A step of both networks from where they are, by the text of an iteration.
static double *step_of_both(const char *iteration, struct arena *to, int *n)
{
    struct arena *a = arena_new(NULL);
    const char *text = arena_printf(a, "train: {steps: 1, optimizer: adam, iteration: [%s]}\n",
                                    iteration);
    struct fixture f = READ(head, game, text);
    double **result = interpret(&f, a);
    double *after = NEW_ARRAY(to, double, f.e->slots.floats);
    for (int i = 0; i < f.p->n_run; i++)
        for (int j = 0; j < f.p->run[i].n; j++) {
            const struct slot *slot = f.p->run[i].slot[j];
            memcpy(after + slot->offset, result[f.p->run[i].after[j]->id],
                   sizeof *after * (size_t)shape_size(slot->shape));
        }
    *n = (int)f.e->slots.floats;
    arena_free(f.arena);
    arena_free(a);
    return after;
}

static bool same_steps(const char *one, const char *other)
{
    struct arena *a = arena_new(NULL);
    int n[2];
    const double *x = step_of_both(one, a, &n[0]), *y = step_of_both(other, a, &n[1]);
    bool same = n[0] == n[1];
    for (int i = 0; same && i < n[0]; i++)
        same = fabs(x[i] - y[i]) <= 1e-12 * (1 + fabs(x[i]));
    arena_free(a);
    return same;
}

// Simultaneous updates read what was there before any of them, so their order says nothing; and
// each comes to what it would alone at first.
static void simultaneous_updates_do_not_depend_on_their_order(void **state)
{
    (void)state;
    assert_true(same_steps("simultaneous: [update: critic, update: generator]",
                           "simultaneous: [update: generator, update: critic]"));
    assert_false(
        same_steps("update: critic, update: generator", "update: generator, update: critic"));
    assert_false(same_steps("simultaneous: [update: critic, update: generator]",
                            "update: critic, update: generator"));
    static const char both[] =
        "train: {steps: 1, optimizer: adam, iteration: [{simultaneous: [update: critic, update: "
        "generator], repeat: %d}]}\n";
    struct arena *a = arena_new(NULL);
    struct fixture f = READ(head, game, arena_printf(a, both, 1));
    check_gradients(&f, &f.p->run[0]);
    check_gradients(&f, &f.p->run[1]);
    arena_free(f.arena);
    f = READ(head, game, arena_printf(a, both, 2));
    assert_int_equal(f.p->n_run, 4);
    assert_true(f.p->run[1].update == &f.e->phase->update[1] && f.p->run[2].repetition == 1);
    assert_int_equal(f.p->n_feed, 2);
    assert_int_equal(count_updates(f.p->graph, "lerp", "generator.2.running_mean"), 2);
    arena_free(f.arena);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_an_update_are_the_differences),
        cmocka_unit_test(gradients_through_a_penalty_are_the_differences),
        cmocka_unit_test(the_first_step_of_adam_is_known),
        cmocka_unit_test(an_adversarial_autoencoder_trains_as_written),
        cmocka_unit_test(terms_without_for_go_to_the_generators),
        cmocka_unit_test(a_mismatched_pair_counts_as_wrong),
        cmocka_unit_test(every_loss_gives_an_iteration),
        cmocka_unit_test(draws_stop_gradients_and_policy_gradients_train),
        cmocka_unit_test(sampling_reads_averages_and_running_statistics),
        cmocka_unit_test(a_history_fills_and_shows_every_fake),
        cmocka_unit_test(a_heads_statistics_are_of_its_own_batches),
        cmocka_unit_test(a_box_has_as_many_ones_as_its_area),
        cmocka_unit_test(simultaneous_updates_do_not_depend_on_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
