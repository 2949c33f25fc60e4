// Scores on cases whose answer is known, and what an evaluator makes of an experiment: which data a
// score is measured on, what it refuses.
#include "eval/evaluator.h"
#include "support/experiment.h"

static struct score take(const char *name, struct evidence e, const void *params)
{
    const struct metric *m = metric_find(name);
    assert_non_null(m);
    return m->compute(&e, params);
}

static const struct dataset *open_data(struct arena *a, const char *yaml, enum split split)
{
    struct diag *d = diag_new(a);
    struct source *text = NEW(a, struct source);
    *text = (struct source){"test.yaml", yaml};
    const struct dataset *s = dataset_open(a, node_parse(a, text, d), split, d);
    assert_non_null(s);
    return s;
}

// --- points --------------------------------------------------------------------------------------

// Modes at (1, 0), (0, 1), (−1, 0), (0, −1); deviation 0.1, so 0.3 away is near and 0.31 is not.
static void modes_within_three_deviations_count(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_data(a, "{dataset: ring, n: 4, deviation: 0.1}", SPLIT_TEST);
    static const float x[] = {1,     0,     1.29f,    0, 0.71f, 0, // three near the first
                              0,     1.31f, 0,        0,           // near none
                              -0.8f, 0.2f,                         // near the third
                              NAN,   0,     INFINITY, 0};          // near none
    const struct evidence e = {.of = {.n = 8, .size = 2, .x = x}, .data = s};
    const double three = 3, wide = 20, none = 0;
    assert_true(take("modes", e, &three).value == 2);
    assert_true(take("high_quality", e, &three).value == 4.0 / 8);
    assert_true(isnan(take("modes", e, &three).std));
    assert_true(take("modes", e, &wide).value == 3); // the second and the origin's, too
    assert_true(take("high_quality", e, &wide).value == 6.0 / 8);
    assert_true(take("high_quality", e, &none).value == 1.0 / 8);
    arena_free(a);
}

// All modes, and 1 − exp(−9/2) of the points.
static void real_data_have_all_modes(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_data(a, "grid", SPLIT_TEST);
    const double three = 3;
    float *x = NEW_ARRAY(a, float, 2 * N);
    int32_t label;
    for (int i = 0; i < N; i++)
        assert_true(s->kind->get(s, i, x + 2 * i, &label));
    const struct evidence e = {.of = {.n = N, .size = 2, .x = x}, .data = s};
    assert_true(take("modes", e, &three).value == 25);
    assert_true(fabs(take("high_quality", e, &three).value - (1 - exp(-4.5))) < 0.004);
    arena_free(a);
}

// --- examples ------------------------------------------------------------------------------------

// Three classes and a fourth number that is no class.
static void accuracy_takes_the_first_of_equals(void **state)
{
    (void)state;
    const struct dataset three = {.classes = 3};
    static const float x[] = {9,   1,   2,   99, // 0
                              1,   9,   2,   99, // 1
                              5,   5,   1,   0,  // 0: the first of equals
                              NAN, -2,  -3,  0,  // 1
                              NAN, NAN, NAN, 0}; // none
    static const int32_t label[] = {0, 1, 1, 1, 0};
    const struct evidence e = {.of = {5, 4, x, label}, .data = &three};
    assert_true(take("accuracy", e, NULL).value == 3.0 / 5);
}

static void the_nearest_example_gives_its_label(void **state)
{
    (void)state;
    static const float training[] = {0, 0, 10, 0, 0, 10}, x[] = {1, 1, 6, 0, 4, 5, 5, 0, NAN, 0};
    static const int32_t training_label[] = {4, 5, 6}, label[] = {4, 5, 4, 4, 4};
    const struct evidence e = {.of = {5, 2, x, label},
                               .training = {3, 2, training, training_label}};
    // (4, 5) is as far from (0, 0) as from (0, 10), (5, 0) from (0, 0) as from (10, 0)
    assert_true(take("neighbour_accuracy", e, NULL).value == 4.0 / 5);
}

// Against the plain search, for sizes that fill neither tiles nor lanes.
static void the_blocked_search_finds_the_same_neighbours(void **state)
{
    (void)state;
    enum { N = 150, M = 70, SIZE = 19 };
    static float x[N * SIZE], y[M * SIZE];
    static int32_t label[N], training_label[M];
    struct rng r;
    int right = 0;
    rng_init(&r, 1, 1);
    for (int i = 0; i < N * SIZE; i++)
        x[i] = (float)rng_normal(&r);
    for (int i = 0; i < M * SIZE; i++)
        y[i] = (float)rng_normal(&r);
    for (int i = 0; i < M; i++)
        training_label[i] = i % 5;
    for (int i = 0; i < N; i++) {
        double least = INFINITY;
        int nearest = 0;
        label[i] = i % 5;
        for (int j = 0; j < M; j++) {
            double away = 0;
            for (int k = 0; k < SIZE; k++)
                away += pow((double)x[i * SIZE + k] - y[j * SIZE + k], 2);
            if (away < least)
                least = away, nearest = j;
        }
        right += training_label[nearest] == label[i];
    }
    const struct evidence e = {.of = {N, SIZE, x, label}, .training = {M, SIZE, y, training_label}};
    assert_true(take("neighbour_accuracy", e, NULL).value == (double)right / N);
}

// --- evaluators ----------------------------------------------------------------------------------

static struct evaluator *evaluator_of(struct fixture *f)
{
    struct evaluator *v = evaluator_new(f->arena, f->e, f->slab, NULL, NULL, NULL, NULL, f->diag);
    if (!v)
        show(f);
    assert_non_null(v);
    assert_true(evaluator_run(v));
    return v;
}

static const char classified[] =
    "name: classified\n"
    "data:\n"
    "  real: {dataset: digits, size: 8, batch: 4}\n"
    "  few: {dataset: digits, size: 8, batch: 4, per_class: 2}\n"
    "networks:\n"
    "  classifier: {inputs: {image: [1, 8, 8]}, layers: [flatten, dense: 10]}\n"
    "terms:\n"
    "  - cross_entropy: {logits: classifier(few.image), label: few.label}\n"
    "train: {steps: 1, optimizer: adam, iteration: [update: classifier]}\n"
    "samples: {of: classifier(real.image)}\n";

// The first N of the test split, whichever source the expression reads.
static double accuracy_by_hand(struct fixture *f, int n)
{
    struct sampler *s = sampler_new(f->arena, f->e, f->slab, n, "classifier(real.image)", false,
                                    f->diag);
    assert_true(sampler_data(s, SPLIT_TEST, 0, f->diag));
    const struct dataset *test = sampler_split(s, &f->e->data[0], SPLIT_TEST, f->diag);
    const float *x = sampler_draw(s);
    int right = 0;
    for (int i = 0; i < n; i++) {
        float image[64];
        int32_t label;
        int best = 0;
        assert_true(test->kind->get(test, i, image, &label));
        for (int k = 1; k < 10; k++)
            best = x[10 * i + k] > x[10 * i + best] ? k : best;
        right += best == label;
    }
    return (double)right / n;
}

static void accuracy_is_of_the_test_split(void **state)
{
    (void)state;
    enum { N = 90 };
    struct fixture f = READ(classified,
                            "evaluate:\n"
                            "  samples: 90\n"
                            "  batch: 16\n"
                            "  scores:\n"
                            "    - accuracy\n"
                            "    - accuracy: {of: classifier(few.image), as: few}\n"
                            "    - {neighbour_accuracy: , of: classifier(few.image)}\n");
    const struct evaluator *v = evaluator_of(&f);
    const double wanted = accuracy_by_hand(&f, N);
    assert_int_equal(v->n_taken, 3);
    assert_string_equal(v->taken[1].name, "few");
    assert_int_equal(v->taken[0].n_real, N);
    assert_int_equal(v->taken[0].n_fake, 0);
    assert_true(v->taken[0].sample.value == wanted && v->taken[1].sample.value == wanted);
    assert_false(v->taken[0].has_real);
    assert_string_equal(v->taken[0].split, "test");
    // what a network is trained on is no part of what measures it, unless neighbours are taken
    // there
    assert_string_equal(v->taken[0].fingerprint, v->taken[1].fingerprint);
    assert_string_not_equal(v->taken[1].fingerprint, v->taken[2].fingerprint);
    assert_int_equal(v->taken[2].subject->evidence.training.n, 20);
    assert_int_equal(evaluator_numbers(f.e), 3);
    arena_free(f.arena);
}

static const char points[] =
    "name: points\n"
    "data: {real: {dataset: ring, batch: 8}}\n"
    "noise: {z: {normal: 2}}\n"
    "networks:\n"
    "  generator: {inputs: {z: 2}, layers: [dense: 2]}\n"
    "  critic: {inputs: {x: 2}, layers: [dense: 1]}\n"
    "games: [{critic: critic, real: real.point, fake: generator(z), loss: log}]\n"
    "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: generator]}\n";

// Scores of one expression look at one draw; the same noise each time; real data beside them.
static void scores_of_one_expression_share_a_draw(void **state)
{
    (void)state;
    struct fixture f = READ(points, "evaluate: {samples: 2500, scores: [modes, high_quality, "
                                    "{modes: {within: 4}, as: wide}]}\n");
    struct evaluator *v = evaluator_of(&f);
    const struct score first = v->taken[1].sample;
    assert_true(evaluator_run(v));
    assert_true(v->taken[1].sample.value == first.value);
    assert_int_equal(v->n_subject, 1);
    assert_null(v->scorer);
    assert_true(v->taken[0].real.value == 8);
    assert_true(fabs(v->taken[1].real.value - (1 - exp(-4.5))) < 0.01);
    assert_string_not_equal(v->taken[0].fingerprint, v->taken[2].fingerprint);
    assert_int_equal(evaluator_numbers(f.e), 6);
    arena_free(f.arena);
}

static void check_refused(const char *experiment, const char *evaluate, const char *wanted)
{
    struct fixture f = READ(experiment, evaluate);
    struct text said;
    text_init(&said);
    assert_false(evaluator_check(f.e, f.diag));
    diag_text(f.diag, &said);
    if (!strstr(said.s, wanted))
        fail_msg("wanted '%s', said:\n%s", wanted, said.s);
    text_release(&said);
    arena_free(f.arena);
}

static void scores_that_cannot_be_taken_are_refused(void **state)
{
    (void)state;
    check_refused(points, "evaluate: {scores: [inception_score]}\n", "'real' has points");
    check_refused(points, "evaluate: {scores: [accuracy]}\n", "reads none");
    check_refused(points, "evaluate: {scores: [{modes: {of: critic(real.point)}}]}\n",
                  "two numbers");
    check_refused(points, "evaluate: {scores: [{modes: {near: 3}}]}\n", "no parameter 'near'");
    check_refused(points, "evaluate: {scores: [mode]}\n", "did you mean 'modes'?");
    check_refused(classified, "evaluate: {scores: [modes]}\n", "ring or grid");
    check_refused(classified, "evaluate: {scores: [inception_score]}\n",
                  "not the shape of the data");
    check_refused(classified,
                  "evaluate: {scores: [{accuracy: , of: 'classifier(real.image) + "
                  "classifier(few.image)'}]}\n",
                  "several sources");
}

// A score that names nothing else is of the numbers of samples, and they are brought.
static void a_score_of_nothing_else_is_of_the_samples_numbers(void **state)
{
    (void)state;
    const struct metric plain = {.looks_at = 0}, split = {.looks_at = METRIC_SPLITS},
                        features = {.looks_at = METRIC_FEATURES},
                        examples = {.looks_at = METRIC_EXAMPLES | METRIC_TRAINING};
    assert_int_equal(metric_looks_at(&plain), METRIC_NUMBERS);
    assert_int_equal(metric_looks_at(&split), METRIC_SPLITS | METRIC_NUMBERS);
    assert_int_equal(metric_looks_at(&features), METRIC_FEATURES);
    assert_int_equal(metric_looks_at(&examples), METRIC_EXAMPLES | METRIC_TRAINING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_within_three_deviations_count),
        cmocka_unit_test(real_data_have_all_modes),
        cmocka_unit_test(accuracy_takes_the_first_of_equals),
        cmocka_unit_test(the_nearest_example_gives_its_label),
        cmocka_unit_test(the_blocked_search_finds_the_same_neighbours),
        cmocka_unit_test(accuracy_is_of_the_test_split),
        cmocka_unit_test(scores_of_one_expression_share_a_draw),
        cmocka_unit_test(scores_that_cannot_be_taken_are_refused),
        cmocka_unit_test(a_score_of_nothing_else_is_of_the_samples_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
