// Choosing by measuring, with clocks that say what the test wants; and the file that remembers.
#include "base/arena.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/op.h"
#include "codegen/compile.h"
#include "codegen/tuner.h"
#include "codegen/plan.h"
#include "store/tuner_cache.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h> // last: its fail() is another

// --- searching, by a clock that knows
// -------------------------------------------------------------

static double (*time_of)(const int *answer);
static int n_run;

static void *fake_ready(const struct question *q, const int answer[CHOICE_AXES], struct arena *a)
{
    int *kept = NEW_ARRAY(a, int, CHOICE_AXES);
    memcpy(kept, answer, sizeof *kept * (size_t)q->n_axes);
    return kept;
}

static double fake_seconds(void *ready)
{
    n_run++;
    return time_of(ready);
}

static const struct tuner_clock fake = {fake_ready, fake_seconds};

// Sharing: axes that differ cost extra. 3 is best of the uniform ones, and a direct third axis
// still better.
static double shared(const int *a)
{
    static const double one[] = {5, 9, 4.5, 3, 4};
    return one[a[0]] + one[a[1]] + (a[2] == 0 ? 1 : one[a[2]]) + (a[0] != a[1]) + (a[1] != a[2]);
}

static double rule_is_as_good(const int *a)
{
    return a[0] == 2 && a[1] == 2 && a[2] == 2 ? 1 : 0.98;
}

// Something else runs once, beside the rule and the last of three challengers.
static int n_rule;

static double disturbed_once(const int *a)
{
    const bool rule = a[0] == 2 && a[1] == 2 && a[2] == 2;
    return !rule ? 1.5 : ++n_rule == 4 ? 2 : 1;
}

static const char *kept_answer, *known_answer;

static bool recall(void *context, const char *key, const char **answer)
{
    (void)key;
    *answer = known_answer;
    return context != NULL;
}

static void keep(void *context, const char *key, const char *answer)
{
    (void)context, (void)key;
    kept_answer = answer;
}

static const struct question question = {
    .key = "a question", .n_axes = 3, .n_options = 4, .option = {0, 2, 3, 4}, .rule = {2, 2, 2}};

// The answer as text, "… origin".
static const char *ask(struct arena *a, const struct tuner_memory *memory, const char *told)
{
    int answer[CHOICE_AXES] = {2, 2, 2};
    struct tuner *c = tuner_new(a);
    c->memory = *memory;
    c->stopwatch = &fake;
    if (told)
        tuner_know(c, "a question", told, "told");
    c->chooser.answer(&c->chooser, &question, answer);
    assert_int_equal(c->n, 1);
    assert_true(c->choice[0].asked);
    assert_string_equal(c->choice[0].answer,
                        arena_printf(a, "%d %d %d", answer[0], answer[1], answer[2]));
    return arena_printf(a, "%s %s", c->choice[0].answer, c->choice[0].origin);
}

static void the_search_finds_the_fastest_and_remembers_it(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct tuner_memory none = {0}, writable = {"", recall, keep},
                              full = {NULL, recall, keep};
    known_answer = NULL;
    time_of = shared;
    assert_string_equal(ask(a, &none, NULL), "2 2 2 rule");
    assert_string_equal(ask(a, &full, NULL), "2 2 2 rule");
    assert_int_equal(n_run, 0);
    assert_string_equal(ask(a, &writable, NULL), "3 3 0 measured");
    assert_string_equal(kept_answer, "3 3 0");
    time_of = rule_is_as_good;
    assert_string_equal(ask(a, &writable, NULL), "2 2 2 measured");
    time_of = disturbed_once;
    assert_string_equal(ask(a, &writable, NULL), "2 2 2 measured");
    n_run = 0;
    known_answer = "4 0 4";
    assert_string_equal(ask(a, &writable, NULL), "4 0 4 remembered");
    assert_string_equal(ask(a, &writable, "0 0 0"), "0 0 0 told");
    known_answer = "4 4 1";
    assert_string_equal(ask(a, &writable, NULL), "2 2 2 rule");
    known_answer = NULL;
    assert_string_equal(ask(a, &none, "4 4"), "2 2 2 rule");
    assert_string_equal(ask(a, &none, "4 4 4 4"), "2 2 2 rule");
    assert_string_equal(ask(a, &none, "4 4 x"), "2 2 2 rule");
    assert_int_equal(n_run, 0);
    arena_free(a);
}

// --- convolutions
// ---------------------------------------------------------------------------------

static double number(const struct value *v, int64_t i)
{
    return sin((double)(i + 1) * 12.9898 + v->attr.name[0]);
}

static void feed(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = (float)number(v, i);
}

// y = conv(x, w) and both gradients of (y, d); x is read by a second convolution.
static struct graph *convolutions(void)
{
    const struct window window = {{2, 2}, {1, 1, 1, 1}};
    struct graph *g = graph_new(arena_new(NULL));
    struct value *x = input(g, "x", SHAPE(2, 12, 10, 10)), *w = input(g, "w", SHAPE(20, 12, 4, 4)),
                 *other = input(g, "other", SHAPE(20, 12, 4, 4));
    struct value *y = conv(x, w, window), *d = input(g, "d", y->shape);
    graph_root(g, "y", y);
    graph_root(g, "z", conv(x, other, window));
    graph_root(g, "dx", conv_data_grad(d, w, window, 10, 10));
    graph_root(g, "dw", conv_weight_grad(x, d, window, 4, 4));
    g->minimal_filtering = true;
    return g;
}

static const char key[] = "conv 2x12x10x10 20x12x4x4 /2 1,1,1,1: x0w0 x0w1 y0w0 x0y0";

static int count(const struct plan *p, const char *word)
{
    int n = 0;
    for (int i = 0; i < plan_steps(p); i++)
        n += !strncmp(plan_step_name(p, i), word, strlen(word));
    return n;
}

// Every answer is taken as it was given, and computes the same.
static void every_answer_computes_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int matmuls, maps; // two images and three weights are transformed; four results back
    } of[] = {{"0 0 0", 0, 0}, {"2 2 2", 4, 8}, {"4 0 0", 2, 5}, {"3 4 0", 3, 8}, {"0 2 4", 2, 6}};
    for (size_t i = 0; i < LENGTH(of); i++) {
        struct graph *g = convolutions(), *exact = convolutions();
        struct tuner *c = tuner_new(g->arena);
        tuner_know(c, key, of[i].answer, "told");
        g->chooser = &c->chooser;
        passes_run(g, NULL);
        assert_int_equal(c->n, 1);
        struct plan *p = plan_new(g->arena, g, NULL, 0);
        assert_int_equal(count(p, "matmul"), of[i].matmuls);
        assert_int_equal(count(p, "winograd_transform"), of[i].maps);
        for (int k = 0; k < g->n; k++) {
            const struct value *v = g->value[k];
            float *to = v->attr.name ? plan_input(p, v->attr.name) : NULL;
            for (int64_t j = 0, n = to ? shape_size(v->shape) : 0; j < n; j++)
                to[j] = (float)number(v, j);
        }
        plan_run(p, 0);
        double **want = graph_reference(exact, &(struct reference){feed, NULL}, exact->arena);
        for (int k = 0; k < exact->n_root; k++) {
            const struct value *v = exact->root[k].value;
            for (int64_t j = 0; j < shape_size(v->shape); j++)
                assert_true(fabs(plan_output(p, exact->root[k].name)[j] - want[v->id][j]) < 1e-2);
        }
        arena_free(g->arena);
        arena_free(exact->arena);
    }
}

// What is timed is the family and nothing else, and takes the answer that it is timed with.
static void check_example(struct chooser *chooser, const struct question *q,
                          int answer[CHOICE_AXES])
{
    (void)chooser, (void)answer;
    assert_string_equal(q->key, key);
    assert_int_equal(q->n_axes, 3);
    for (int i = 0; i < 2; i++) {
        struct arena *a = arena_new(NULL);
        const int told[CHOICE_AXES] = {i ? 3 : 0, i ? 3 : 0, i ? 3 : 0};
        struct plan *p = stopwatch.ready(q, told, a);
        assert_int_equal(count(p, "matmul"), i ? 4 : 0);
        assert_int_equal(count(p, "conv"), i ? 0 : 4);
        assert_true(stopwatch.seconds(p) > 0);
        arena_free(a);
    }
}

static void an_example_is_compiled_as_each_answer_says(void **state)
{
    (void)state;
    struct chooser checks = {check_example};
    struct graph *g = convolutions();
    g->chooser = &checks;
    assert_true(passes_run(g, "winograd"));
    arena_free(g->arena);
}

// --- yes or no
// -----------------------------------------------------------------------------------

static const struct window same = {{1, 1}, {1, 1, 1, 1}};

// A convolution of an upsampled image, and both its gradients.
static void upsampled(struct graph *g)
{
    struct value *x = leaky_relu(input(g, "x", SHAPE(4, 16, 8, 8)), 0.2),
                 *w = input(g, "w", SHAPE(16, 16, 3, 3)), *dx[2];
    struct value *y = conv(upsample(x, 2), w, same);
    gradient(sum(square(y)), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "y", y);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
}

// A convolution and a bias, then means of blocks, and both gradients.
static void averaged(struct graph *g)
{
    struct value *x = leaky_relu(input(g, "x", SHAPE(4, 16, 16, 16)), 0.2),
                 *w = input(g, "w", SHAPE(16, 16, 3, 3)), *b = input(g, "b", SHAPE(1, 16, 1, 1)),
                 *dx[2];
    struct value *y = pool_sum(add(conv(x, w, same), b), 2);
    gradient(sum(square(y)), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "y", y);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
}

// A last layer of one channel.
static void grey(struct graph *g)
{
    struct value *x = leaky_relu(input(g, "x", SHAPE(4, 16, 8, 8)), 0.2),
                 *w = input(g, "w", SHAPE(1, 16, 3, 3));
    graph_root(g, "y", conv(x, w, same));
}

static const struct yes_or_no {
    const char *pass;
    void (*build)(struct graph *g);
    const char *key;            // as far as the words go
    const char *only_no, *both; // steps of the examples
    bool no_is_marked;
} yes_or_no[] = {
    {"fold_upsample", upsampled, "upsample 2 of 4x16x8x8 16x16x3x3 /1 1,1,1,1 #", "pool_sum",
     "conv"},
    {"fold_pool", averaged, "pool 2 of 4x16x16x16 16x16x3x3 /1 1,1,1,1 #", "pool_sum", "conv"},
    {"select_kernel", grey, "conv 4x16x8x8 1x16x3x3 /1 1,1,1,1 #", "conv forward ", "conv forward",
     true},
};

// Says no to one pass; what it is asked is checked.
struct refuser {
    struct chooser chooser;
    const struct yes_or_no *of;
    int asked;
};

static void refuse(struct chooser *chooser, const struct question *q, int answer[CHOICE_AXES])
{
    struct refuser *r = (struct refuser *)chooser;
    if (strcmp(q->pass, r->of->pass) != 0)
        return;
    assert_int_equal(strncmp(q->key, r->of->key, strlen(r->of->key)), 0);
    assert_int_equal(answer[0], 1);
    for (int yes = 0; yes < 2; yes++) {
        struct arena *a = arena_new(NULL);
        struct plan *p = stopwatch.ready(q, (int[CHOICE_AXES]){yes}, a);
        assert_int_equal(count(p, r->of->only_no) > 0, !yes);
        assert_true(count(p, r->of->both) > 0);
        assert_true(stopwatch.seconds(p) > 0);
        arena_free(a);
    }
    r->asked++;
    answer[0] = 0;
}

static const char *text_of(const struct graph *g)
{
    struct text t;
    text_init(&t);
    graph_print(g, &t);
    const char *kept = arena_strdup(g->arena, t.s);
    text_release(&t);
    return kept;
}

// All that is alike is one question; a no leaves the graph as it was, or is marked in it.
static void what_is_alike_is_one_question(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(yes_or_no); i++)
        for (int no = 0; no < 2; no++) {
            const struct yes_or_no *of = &yes_or_no[i];
            struct refuser refuser = {{refuse}, of, 0};
            struct graph *g = graph_new(arena_new(NULL));
            of->build(g);
            passes_run(g, "simplify");
            const char *before = text_of(g);
            g->chooser = no ? &refuser.chooser : NULL;
            passes_run_between(g, of->pass, of->pass);
            assert_int_equal(refuser.asked, no);
            assert_int_equal(!strcmp(text_of(g), before), of->no_is_marked != no);
            arena_free(g->arena);
        }
}

// --- remembering
// ----------------------------------------------------------------------------------

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_cache_keeps_answers_for_each_machine(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    char dir[] = "/tmp/choices-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *path = arena_printf(a, "%s/below/choices", dir), *answer;
    struct tuner_cache *c = tuner_cache_open(a, path, "a machine");
    assert_true(tuner_cache_recall(c, "key", &answer));
    assert_null(answer);
    tuner_cache_keep(c, "key", "1 2");
    // one opened before somebody else kept an answer finds it all the same
    struct tuner_cache *late = tuner_cache_open(a, path, "a machine");
    assert_true(tuner_cache_recall(c, "other", &answer));
    tuner_cache_keep(c, "other", "3");
    assert_null(tuner_cache_get(late, "other"));
    assert_true(tuner_cache_recall(late, "other", &answer));
    assert_string_equal(answer, "3");
    assert_string_equal(tuner_cache_get(late, "key"), "1 2");
    assert_null(tuner_cache_get(tuner_cache_open(a, path, "another machine"), "key"));
    assert_null(tuner_cache_notice(late));
    static const char *const damaged[] = {"",
                                          "\n",
                                          "ganexp choices 1\nkey",
                                          "PK\3\4",
                                          "ganexp choices 1\na machine\tkey\t1 2",
                                          "ganexp choices 1\na machine\tkey\tone\n"};
    for (size_t i = 0; i < LENGTH(damaged); i++) {
        write_file(path, damaged[i]);
        c = tuner_cache_open(a, path, "a machine");
        assert_null(tuner_cache_get(c, "key"));
        assert_non_null(tuner_cache_notice(c));
    }
    assert_true(tuner_cache_recall(c, "key", &answer));
    tuner_cache_keep(c, "key", "4");
    c = tuner_cache_open(a, path, "a machine");
    assert_string_equal(tuner_cache_get(c, "key"), "4");
    assert_null(tuner_cache_notice(c));
    c = tuner_cache_open(a, "/dev/null/choices", "a machine");
    assert_false(tuner_cache_recall(c, "key", &answer));
    assert_non_null(tuner_cache_notice(c));
    assert_false(tuner_cache_recall(tuner_cache_open(a, NULL, ""), "key", &answer));
    unlink(path);
    unlink(arena_printf(a, "%s.lock", path));
    rmdir(arena_printf(a, "%s/below", dir));
    rmdir(dir);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_the_fastest_and_remembers_it),
        cmocka_unit_test(every_answer_computes_the_same),
        cmocka_unit_test(an_example_is_compiled_as_each_answer_says),
        cmocka_unit_test(what_is_alike_is_one_question),
        cmocka_unit_test(the_cache_keeps_answers_for_each_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
