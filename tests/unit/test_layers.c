// Every layer of the registry, on an input that it takes and by small examples of its use: the shape, and the first and second
// derivatives in its input and in each of its parameters against central differences, all in float64 by the reference kernels.
#include "nn/network.h"

#include "base/arena.h"
#include "base/philox.h"
#include "base/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3 };

static const struct example {
    const char *layer, *inputs, *layers, *shape; // the shape is without batch
    bool evaluation;                             // not in training
} examples[] = {
    {"dense", "x: 5", "[dense: 4]", "(4)"},
    {"dense", "x: 5", "[dense: {units: 4, bias: false}]", "(4)"},
    {"conv2d", "x: [2, 5, 4]", "[conv2d: {filters: 3, kernel: 3}]", "(3, 5, 4)"},
    {"conv2d", "x: [1, 6, 6]", "[conv2d: {filters: 2, kernel: 3, stride: 2}]", "(2, 3, 3)"},
    {"conv2d", "x: [1, 7, 6]", "[conv2d: {filters: 2, kernel: 4}]", "(2, 7, 6)"},
    {"conv2d", "x: [1, 6, 7]",
     "[conv2d: {filters: 2, kernel: [4, 3], stride: [2, 1], padding: 1, bias: false}]",
     "(2, 3, 7)"},
    {"conv2d", "x: [1, 5, 5]", "[conv2d: {filters: 2, kernel: 3, padding: valid}]", "(2, 3, 3)"},
    {"conv2d", "x: [1, 4, 4]", "[conv2d: {filters: 2, kernel: 2, padding: [0, 1, 1, 0]}]",
     "(2, 4, 4)"},
    {"conv2d_transpose", "x: [2, 3, 3]", "[conv2d_transpose: {filters: 2, kernel: 4, stride: 2}]",
     "(2, 6, 6)"},
    {"conv2d_transpose", "x: [2, 3, 3]",
     "[conv2d_transpose: {filters: 2, kernel: 4, stride: 2, padding: 1}]", "(2, 6, 6)"},
    {"conv2d_transpose", "x: [2, 1, 1]",
     "[conv2d_transpose: {filters: 2, kernel: 4, padding: valid}]", "(2, 4, 4)"},
    {"conv2d_transpose", "x: [1, 3, 2]",
     "[conv2d_transpose: {filters: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1}]",
     "(2, 6, 4)"},
    {"conv2d_transpose", "x: [1, 3, 3]", "[conv2d_transpose: {filters: 2, kernel: 1, stride: 2}]",
     "(2, 6, 6)"},
    {"upsample", "x: [2, 2, 3]", "[upsample: 2]", "(2, 4, 6)"},
    {"upsample", "x: [2, 2, 3]", "[upsample: {factor: [3, 2], method: bicubic}]", "(2, 6, 6)"},
    {"slice", "x: [4, 2, 3]", "[slice: [1, 3]]", "(2, 2, 3)"},
    {"avg_pool", "x: [2, 4, 4]", "[avg_pool: 2]", "(2, 2, 2)"},
    {"avg_pool", "x: [2, 4, 5]", "[avg_pool: 2]", "(2, 2, 2)"},
    {"avg_pool", "x: [1, 5, 6]", "[avg_pool: {kernel: 3, stride: 2}]", "(1, 2, 2)"},
    {"avg_pool", "x: [1, 5, 6]", "[avg_pool: {kernel: 3, stride: 2, padding: same}]", "(1, 3, 3)"},
    {"avg_pool", "x: [1, 4, 4]",
     "[avg_pool: {kernel: 3, stride: 1, padding: 1, count_padding: true}]", "(1, 4, 4)"},
    {"batch_norm", "x: 4", "[batch_norm]", "(4)"},
    {"batch_norm", "x: [2, 3, 2]", "[batch_norm: {momentum: 0.8, epsilon: 1e-3}]", "(2, 3, 2)"},
    {"batch_norm", "x: [2, 3, 2]", "[batch_norm]", "(2, 3, 2)", .evaluation = true},
    {"batch_norm", "x: [2, 3, 2]", "[batch_norm: {statistics: batch}]", "(2, 3, 2)",
     .evaluation = true},
    {"layer_norm", "x: 6", "[layer_norm]", "(6)"},
    {"layer_norm", "x: [2, 3, 2]", "[layer_norm]", "(2, 3, 2)"},
    {"layer_norm", "x: [2, 3, 2]", "[layer_norm: {affine: channel}]", "(2, 3, 2)"},
    {"layer_norm", "x: [2, 3, 2]", "[layer_norm: {affine: scalar}]", "(2, 3, 2)"},
    {"layer_norm", "x: [2, 3, 2]", "[layer_norm: {affine: none}]", "(2, 3, 2)"},
    {"instance_norm", "x: [2, 3, 2]", "[instance_norm]", "(2, 3, 2)"},
    {"instance_norm", "x: [2, 3, 2]", "[instance_norm: true]", "(2, 3, 2)"},
    {"instance_norm", "x: [2, 3, 2], w: 3", "[instance_norm: {by: w}]", "(2, 3, 2)"},
    {"batch_norm", "x: 4, y: label(3)", "[batch_norm: {by: y}]", "(4)"},
    {"batch_norm", "x: [2, 3, 2], y: label(3)", "[batch_norm: {by: y}]", "(2, 3, 2)",
     .evaluation = true},
    {"batch_norm", "x: 4", "[batch_norm: {affine: false}]", "(4)"},
    {"group_norm", "x: [4, 2, 2], w: 3", "[group_norm: {groups: 2, by: w}]", "(4, 2, 2)"},
    {"relu", "x: [2, 2, 2]", "[relu]", "(2, 2, 2)"},
    {"leaky_relu", "x: 7", "[leaky_relu: 0.1]", "(7)"},
    {"elu", "x: 7", "[elu]", "(7)"},
    {"tanh", "x: 7", "[tanh]", "(7)"},
    {"sigmoid", "x: 7", "[sigmoid]", "(7)"},
    {"softmax", "x: 5", "[softmax]", "(5)"},
    {"softmax", "x: [3, 2, 2]", "[softmax]", "(3, 2, 2)"},
    {"dropout", "x: 9", "[dropout: 0.25]", "(9)"},
    {"dropout", "x: [4, 2, 2]", "[dropout: {rate: 0.5, channels: true}]", "(4, 2, 2)"},
    {"dropout", "x: 9", "[dropout]", "(9)", .evaluation = true},
    {"dropout", "x: 9", "[dropout: {always: true}]", "(9)", .evaluation = true},
    {"gaussian_noise", "x: 9", "[gaussian_noise: 0.3]", "(9)"},
    {"flatten", "x: [2, 3, 2]", "[flatten]", "(12)"},
    {"reshape", "x: 12", "[reshape: [3, 2, 2]]", "(3, 2, 2)"},
    {"reshape", "x: [3, 4]", "[reshape: [2, -1]]", "(2, 6)"},
    {"zero_pad", "x: [2, 2, 3]", "[zero_pad: [0, 1, 2, 0]]", "(2, 3, 5)"},
    {"crop", "x: [2, 5, 4]", "[crop: [1, 2, 0, 1]]", "(2, 2, 3)"},
    {"embedding", "y: label(4)", "[embedding: 3]", "(3)"},
    {"one_hot", "y: label(4), x: 4", "[one_hot, multiply: x]", "(4)"},
    {"self_attention", "x: [4, 2, 3]", "[self_attention: 2]", "(4, 2, 3)"},
    {"concat", "x: [2, 2, 2], w: [1, 2, 2], v: [3, 2, 2]", "[concat: [w, v]]", "(6, 2, 2)"},
    {"add", "x: [2, 2, 2], w: [2, 2, 2], v: [2, 1, 1]", "[add: [w, v]]", "(2, 2, 2)"},
    {"multiply", "x: 5, w: 5", "[multiply: w]", "(5)"},
    {"dot", "x: [2, 2, 2], w: [2, 2, 2]", "[dot: w]", "(1)"},
    {"prelu", "x: [2, 2, 2]", "[prelu]", "(2, 2, 2)"},
    {"prelu", "x: [2, 2, 2]", "[prelu: true]", "(2, 2, 2)"},
    {"glu", "x: 6", "[glu]", "(3)"},
    {"pixel_shuffle", "x: [4, 2, 3]", "[pixel_shuffle: 2]", "(1, 4, 6)"},
    {"reflection_pad", "x: [2, 3, 3]", "[reflection_pad: [1, 2, 0, 1]]", "(2, 6, 4)"},
    {"max_pool", "x: [2, 4, 5]", "[max_pool: 2]", "(2, 2, 2)"},
    {"max_pool", "x: [1, 5, 6]", "[max_pool: {kernel: 3, stride: 2}]", "(1, 2, 2)"},
    {"max_pool", "x: [1, 5, 6]", "[max_pool: {kernel: 3, stride: 2, padding: same}]", "(1, 3, 3)"},
    {"max_pool", "x: [1, 3, 5]", "[max_pool: {kernel: [2, 3], stride: 1, padding: [1, 0, 2, 1]}]",
     "(1, 3, 6)"},
    {"max_pool", "x: [1, 5, 5]", "[max_pool: {kernel: 2, stride: 3}]", "(1, 2, 2)"},
    {"global_avg_pool", "x: [3, 2, 4]", "[global_avg_pool]", "(3)"},
    {"minibatch_discrimination", "x: 4", "[minibatch_discrimination: {kernels: 3, dim: 2}]", "(7)"},
    {"tile", "x: 3", "[tile: [2, 4]]", "(3, 2, 4)"},
    {"bernoulli", "x: 6", "[bernoulli: {low: -1}]", "(6)"},
    {"log_sum_exp", "x: 5", "[log_sum_exp]", "(1)"},
    {"gaussian", "x: 4, w: 4", "[gaussian: w]", "(4)"},
};

// --- the network of an example, and the numbers it is fed
// -------------------------------------------

struct trial {
    struct arena *arena;
    struct diag *diag;
    struct graph *graph;
    struct network *net;
    struct application *app;
    struct value **x; // what is differentiated: inputs that are no labels, parameters
    int n;
    const struct value *moved; // and where it is moved for a difference
    int64_t at;
    double by;
};

// Numbers between 0.1 and 1.1, some negative: differences do not step over the kinks at 0.
static double number(uint64_t stream, int64_t i)
{
    const struct philox p = philox(7, stream, (uint64_t)i);
    return (0.1 + p.word[0] / 4294967296.0) * (p.word[1] & 1 ? 1 : -1);
}

static bool is(const struct value *v, const char *op) { return !strcmp(v->op->name, op); }

static double source(const struct trial *t, const struct value *v, int64_t i)
{
    if (is(v, "random"))
        return v->attr.random.kind == RANDOM_BERNOULLI
                   ? i % 3 != 0
                   : number(1000 + (uint64_t)v->attr.random.stream, i);
    if (is(v, "param") && strstr(v->attr.slot->name, "running_var"))
        return fabs(number(500, i));
    if (is(v, "param"))
        return number(100 + (uint64_t)v->attr.slot->index, i);
    for (int k = 0; k < t->net->n_input; k++)
        if (!strcmp(t->net->input[k].name, v->attr.name) && t->net->input[k].is.classes)
            return (double)(i * 2 % t->net->input[k].is.classes);
    return number((uint64_t)v->attr.name[0], i);
}

static void feed(void *context, const struct value *v, double *out)
{
    const struct trial *t = context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = source(t, v, i);
    if (v == t->moved)
        out[t->at] += t->by;
}

static struct value *make_input(struct trial *t, int i)
{
    const struct network_input *in = &t->net->input[i];
    struct shape s = {.rank = in->is.shape.rank + 1, .dim = {BATCH}};
    memcpy(s.dim + 1, in->is.shape.dim, sizeof *s.dim * (size_t)in->is.shape.rank);
    struct value *v = input(t->graph, in->name, s);
    if (!in->is.classes)
        APPEND(t->arena, t->x, t->n, v);
    return v;
}

// False where the layer refuses such an input.
static bool trial_try(struct trial *t, const struct example *e)
{
    char yaml[512];
    int n = 0;
    struct slots *slots;
    *t = (struct trial){.arena = arena_new(NULL)};
    t->diag = diag_new(t->arena);
    slots = NEW(t->arena, struct slots);
    slots_init(slots, t->arena);
    snprintf(yaml, sizeof yaml, "networks:\n  net: {inputs: {%s}, layers: %s}\n", e->inputs,
             e->layers);
    struct config *config = config_parse(t->arena, e->layer, yaml, NULL, 0, t->diag);
    struct network **nets = config ? networks_read(t->arena, node_get(config->root, "networks"),
                                                   NULL, NULL, slots, &n, t->diag)
                                   : NULL;
    if (!nets)
        return false;
    t->net = nets[0];
    t->graph = graph_new(t->arena);
    struct versions *versions = NEW(t->arena, struct versions);
    versions->graph = t->graph;
    struct value **argument = NEW_ARRAY(t->arena, struct value *, t->net->n_input);
    for (int i = 0; i < t->net->n_input; i++)
        argument[i] = make_input(t, i);
    t->app = network_apply(t->net, versions, argument, !e->evaluation, t->diag);
    for (int i = 0; i < t->net->n_param; i++)
        APPEND(t->arena, t->x, t->n, versions_read(versions, t->net->param[i]));
    return true;
}

static void trial_make(struct trial *t, const struct example *e)
{
    if (trial_try(t, e))
        return;
    diag_print(t->diag, stderr);
    fail_msg("%s %s", e->layer, e->layers);
}

// --- derivatives ---------------------------------------------------------------------------------

// Only what y needs is computed, in an arena of its own.
static double evaluate(struct trial *t, const struct value *y, struct arena *a, double ***all)
{
    const struct reference r = {feed, t};
    double **result = graph_reference(t->graph, &r, a);
    if (all)
        *all = result;
    return result[y->id][0];
}

static double difference(struct trial *t, const struct value *y, const struct value *x, int64_t at)
{
    const double h = 1e-5;
    double side[2];
    t->moved = x;
    t->at = at;
    for (int i = 0; i < 2; i++) {
        struct arena *a = arena_new(NULL);
        t->by = i ? -h : h;
        side[i] = evaluate(t, y, a, NULL);
        arena_free(a);
    }
    t->moved = NULL;
    return (side[0] - side[1]) / (2 * h);
}

// dy/dx_i as built, against central differences, element by element.
static void check(struct trial *t, const struct example *e, struct value *y,
                  struct value *const *dx, const char *order)
{
    struct arena *a = arena_new(NULL);
    double **result;
    evaluate(t, y, a, &result);
    for (int i = 0; i < t->n; i++)
        for (int64_t j = 0, n = shape_size(t->x[i]->shape); j < n; j++) {
            const double is_ = result[dx[i]->id][j], expected = difference(t, y, t->x[i], j);
            if (fabs(is_ - expected) > 1e-5 * (1 + fabs(expected)))
                fail_msg(
                    "%s %s: %s derivative in argument %d, element %d is %.9g, by differences %.9g",
                    e->layer, e->layers, order, i, (int)j, is_, expected);
        }
    arena_free(a);
}

static void check_shape(const struct trial *t, const struct example *e)
{
    struct text row;
    text_init(&row);
    shape_text(t->app->row[0].output, &row);
    if (e->shape && strcmp(row.s, e->shape))
        fail_msg("%s %s: the shape is %s, not %s", e->layer, e->layers, row.s, e->shape);
    text_release(&row);
    const struct shape s = t->app->output[0]->shape;
    assert_int_equal(s.dim[0], BATCH);
    assert_int_equal(shape_size(s), BATCH * shape_size(t->app->row[0].output));
}

// y = Σ out·r with fixed numbers r; then s = Σ ‖dy/dx‖²
static void check_derivatives(struct trial *t, const struct example *e)
{
    check_shape(t, e);
    struct value *out = t->app->output[0];
    struct value *y = sum(mul(out, input(t->graph, "r", out->shape)));
    struct value **dx = NEW_ARRAY(t->arena, struct value *, t->n),
                 **ddx = NEW_ARRAY(t->arena, struct value *, t->n);
    gradient(y, t->x, t->n, dx);
    struct value *s = sum(square(dx[0]));
    for (int k = 1; k < t->n; k++)
        s = add(s, sum(square(dx[k])));
    gradient(s, t->x, t->n, ddx);
    graph_root(t->graph, "y", y);
    graph_root(t->graph, "s", s);
    check(t, e, y, dx, "first");
    check(t, e, s, ddx, "second");
}

static void derivatives_of_layers_are_the_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(examples); i++) {
        struct trial t;
        trial_make(&t, &examples[i]);
        check_derivatives(&t, &examples[i]);
        arena_free(t.arena);
    }
}

// --- the registry --------------------------------------------------------------------------------

static bool has_example(const struct word *layer)
{
    for (size_t k = 0; k < LENGTH(examples); k++)
        if (!strcmp(examples[k].layer, layer->name))
            return true;
    return false;
}

// "[group_norm: {groups: 2}]": what must be given, of small numbers and of the name of an input.
static const char *generic_layers(struct arena *a, const struct word *layer)
{
    const char *params = "";
    for (const struct param *p = layer->params; p && p->name; p++)
        if (!p->fallback)
            params = arena_printf(a, "%s%s%s: %s", params, *params ? ", " : "", p->name,
                                  p->type == PARAM_NODE ? "x" : "2");
    return arena_printf(a, "[%s: {%s}]", layer->name, params);
}

// An image, numbers in a row or a label: whichever it takes.
static bool try_generic(struct trial *t, const struct word *layer)
{
    static const char *const inputs[] = {"x: [4, 4, 2]", "x: 4", "x: label(3)"};
    for (size_t i = 0; i < LENGTH(inputs); i++) {
        struct arena *a = arena_new(NULL);
        const struct example e = {layer->name, inputs[i], generic_layers(a, layer), NULL};
        const bool taken = trial_try(t, &e);
        if (taken && !has_example(layer))
            check_derivatives(t, &e);
        arena_free(t->arena);
        arena_free(a);
        if (taken)
            return true;
    }
    return false;
}

// Those without an example are differentiated on the first input that they take; the others have examples of few numbers.
static void every_layer_is_tried_and_has_help(void **state)
{
    (void)state;
    int n_generic = 0;
    for (int i = 0; layers.word[i]; i++) {
        const struct word *layer = layers.word[i];
        struct trial t;
        const bool generic = try_generic(&t, layer);
        n_generic += generic;
        if (!generic && !has_example(layer))
            fail_msg("layer '%s' takes none of the inputs it was tried on: give an example in %s",
                     layer->name, __FILE__);
        assert_ptr_equal(layer_find(layer->name), layer);
        assert_non_null(layer->help);
        assert_non_null(layer->group);
        for (const struct param *p = layer->params; p && p->name; p++)
            assert_non_null(p->help);
    }
    assert_true(n_generic > 30);
}

// --- values that the shape does not show
// ----------------------------------------------------------

// The layer's output for the inputs of `feed`.
static const double *output(struct trial *t)
{
    const struct reference r = {feed, t};
    return graph_reference(t->graph, &r, t->arena)[t->app->output[0]->id];
}

// TensorFlow pads a 3 × 3 kernel of stride 2 over an even image at the bottom and right only.
static void same_padding_is_asymmetric(void **state)
{
    (void)state;
    const struct example e = {"conv2d", "x: [1, 4, 4]",
                              "[conv2d: {filters: 1, kernel: 3, stride: 2, bias: false}]", NULL};
    struct trial t;
    trial_make(&t, &e);
    const struct value *conv = t.app->output[0];
    assert_int_equal(conv->attr.conv.window.pad[0], 0);
    assert_int_equal(conv->attr.conv.window.pad[1], 1);
    assert_int_equal(conv->attr.conv.window.pad[2], 0);
    assert_int_equal(conv->attr.conv.window.pad[3], 1);
    arena_free(t.arena);
}

// batch_norm's tracked statistics: the mean, and the variance over n − 1, with 1 − momentum.
static void running_statistics_are_tracked_as_pytorch_does(void **state)
{
    (void)state;
    const struct example e = {"batch_norm", "x: 1", "[batch_norm: {momentum: 0.8}]", NULL};
    struct trial t;
    trial_make(&t, &e);
    const struct reference r = {feed, &t};
    double **all = graph_reference(t.graph, &r, t.arena), mean_is = 0, var = 0;
    for (int i = 0; i < BATCH; i++)
        mean_is += number('x', i) / BATCH;
    for (int i = 0; i < BATCH; i++)
        var += pow(number('x', i) - mean_is, 2) / (BATCH - 1);
    assert_int_equal(t.app->n_tracked, 2);
    assert_string_equal(t.app->tracked[0].buffer->name, "net.0.running_mean");
    assert_true(fabs(all[t.app->tracked[0].x->id][0] - mean_is) < 1e-12);
    assert_true(fabs(all[t.app->tracked[1].x->id][0] - var) < 1e-12);
    assert_true(fabs(t.app->tracked[1].t - 0.2) < 1e-12);
    arena_free(t.arena);
}

static void dropout_keeps_the_mean(void **state)
{
    (void)state;
    const struct example e = {"dropout", "x: 6", "[dropout: 0.25]", NULL};
    struct trial t;
    trial_make(&t, &e);
    const double *y = output(&t);
    for (int i = 0; i < 6; i++)
        assert_true(fabs(y[i] - (i % 3 ? number('x', i) / 0.75 : 0)) < 1e-12);
    arena_free(t.arena);
}

// A transposed convolution of one pixel is the kernel times the pixel: PyTorch's layout (in, out,
// kh, kw), not flipped.
static void a_transposed_convolution_has_pytorchs_weights(void **state)
{
    (void)state;
    const struct example e = {
        "conv2d_transpose", "x: [1, 1, 1]",
        "[conv2d_transpose: {filters: 2, kernel: 2, padding: 0, bias: false}]", NULL};
    struct trial t;
    trial_make(&t, &e);
    const double *y = output(&t);
    assert_true(shape_equal(t.net->param[0]->shape, SHAPE(1, 2, 2, 2)));
    for (int i = 0; i < 8; i++)
        assert_true(fabs(y[i] - number('x', 0) *
                                    number(100 + (uint64_t)t.net->param[0]->index, i)) < 1e-12);
    arena_free(t.arena);
}

// Power iteration finds the singular vectors of a matrix of one row at once: y = x·w / ‖w‖, and the
// gradient sees the norm.
static void spectral_norm_divides_by_the_largest_singular_value(void **state)
{
    (void)state;
    const struct example e = {"dense", "x: 4",
                              "[dense: {units: 1, bias: false, spectral_norm: true}]", NULL};
    struct trial t;
    trial_make(&t, &e);
    const uint64_t slot = 100 + (uint64_t)t.net->param[0]->index;
    double norm = 0, dot = 0;
    for (int i = 0; i < 4; i++) {
        norm += number(slot, i) * number(slot, i);
        dot += number(slot, i) * number('x', i);
    }
    assert_string_equal(t.net->param[0]->name, "net.0.weight_orig");
    assert_int_equal(t.app->n_tracked, 2);
    assert_true(fabs(output(&t)[0] - dot / sqrt(norm)) < 1e-9);
    struct value *y = sum(square(t.app->output[0])), *dx[2];
    gradient(y, t.x, t.n, dx);
    check(&t, &e, y, dx, "first");
    arena_free(t.arena);
}

// What a pass that trains the network does to its buffers.
static struct application *again(struct trial *t, struct versions *v,
                                 const struct application *last, bool training)
{
    for (int i = 0; i < last->n_tracked; i++) {
        const struct tracked *k = &last->tracked[i];
        versions_write(v, k->buffer, lerp_slot(versions_read(v, k->buffer), k->x, k->t));
    }
    return network_apply(t->net, v, &t->x[0], training, t->diag);
}

// Each application goes on from what the last one tracked: after many, another one changes nothing.
static void converges(const char *layer)
{
    const struct example e = {"conv2d", "x: [2, 3, 3]", layer, NULL};
    struct trial t;
    trial_make(&t, &e);
    struct versions v = {.graph = t.graph};
    struct application *app = t.app;
    for (int i = 0; i < 60; i++)
        app = again(&t, &v, app, true);
    const struct value *last = again(&t, &v, app, false)->output[0];
    const struct reference r = {feed, &t};
    double **all = graph_reference(t.graph, &r, t.arena), apart = 0, moved = 0;
    for (int64_t i = 0; i < shape_size(last->shape); i++) {
        apart = fmax(apart, fabs(all[last->id][i] - all[app->output[0]->id][i]));
        moved = fmax(moved, fabs(all[last->id][i] - all[t.app->output[0]->id][i]));
    }
    assert_true(apart < 1e-6);
    assert_true(moved > 1e-3);
    arena_free(t.arena);
}

static void spectral_norm_converges(void **state)
{
    (void)state;
    converges("[conv2d: {filters: 3, kernel: 2, bias: false, spectral_norm: true}]");
    converges("[conv2d_transpose: {filters: 3, kernel: 2, bias: false, spectral_norm: true}]");
}

static void weights_are_initialised_as_pytorch_does(void **state)
{
    (void)state;
    static const struct {
        const char *layer;
        enum init_kind kind;
        double a, b;
    } expected[] = {
        {"[dense: 4]", INIT_UNIFORM, -0.25, 0.25},
        {"[dense: {units: 4, init: glorot}]", INIT_UNIFORM, -0.54772255750516607,
         0.54772255750516607},
        {"[dense: {units: 4, init: {glorot: normal}}]", INIT_NORMAL, 0, 0.31622776601683794},
        {"[{dense: 4, init: he}]", INIT_NORMAL, 0, 0.35355339059327379},
        {"[{dense: 4, init: normal}]", INIT_NORMAL, 0, 0.02},
        {"[{dense: 4, init: {truncated: 0.1}}]", INIT_TRUNCATED, 0, 0.1},
        {"[{dense: 4, init: {uniform: 0.3}}]", INIT_UNIFORM, -0.3, 0.3},
        {"[{dense: 4, init: {orthogonal: 2}}]", INIT_ORTHOGONAL, 0, 2},
        {"[{batch_norm: , init: {normal: {mean: 1, std: 0.02}}}]", INIT_NORMAL, 1, 0.02},
        {"[batch_norm]", INIT_CONSTANT, 1, 0},
    };
    for (size_t i = 0; i < LENGTH(expected); i++) {
        const struct example e = {"dense", "x: 16", expected[i].layer, NULL};
        struct trial t;
        trial_make(&t, &e);
        const struct init init = t.net->param[0]->init;
        assert_int_equal(init.kind, expected[i].kind);
        assert_true(fabs(init.a - expected[i].a) < 1e-12 && fabs(init.b - expected[i].b) < 1e-12);
        arena_free(t.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_tried_and_has_help),
        cmocka_unit_test(derivatives_of_layers_are_the_differences),
        cmocka_unit_test(same_padding_is_asymmetric),
        cmocka_unit_test(running_statistics_are_tracked_as_pytorch_does),
        cmocka_unit_test(dropout_keeps_the_mean),
        cmocka_unit_test(a_transposed_convolution_has_pytorchs_weights),
        cmocka_unit_test(weights_are_initialised_as_pytorch_does),
        cmocka_unit_test(spectral_norm_divides_by_the_largest_singular_value),
        cmocka_unit_test(spectral_norm_converges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
