// Networks as configs have them: parameter counts against the arithmetic of the references,
// PyTorch's names, the words `repeat`, `use`, `like`, `as`, `of`, and what is said about mistakes.
#include "program/program.h"

#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct diag *diag;
    struct slots *slots; // they know where they are, so they stay there
    struct network **net;
    int n;
    struct text said;
};

static void fixture_read(struct fixture *l, const struct config *config)
{
    l->slots = NEW(l->arena, struct slots);
    slots_init(l->slots, l->arena);
    if (config)
        l->net = networks_read(l->arena, node_get(config->root, "networks"),
                               node_get(config->root, "templates"), NULL, l->slots, &l->n, l->diag);
    text_init(&l->said);
    diag_text(l->diag, &l->said);
}

static struct fixture fixture_new(void)
{
    struct fixture l = {.arena = arena_new(NULL)};
    l.diag = diag_new(l.arena);
    return l;
}

static struct fixture fixture_text(const char *yaml)
{
    struct fixture l = fixture_new();
    fixture_read(&l, config_parse(l.arena, "test.yaml", yaml, NULL, 0, l.diag));
    return l;
}

static struct fixture fixture_file(const char *path, const char *override)
{
    struct fixture l = fixture_new();
    fixture_read(&l, config_load(l.arena, path, &override, override ? 1 : 0, l.diag));
    return l;
}

static void fixture_free(struct fixture *l)
{
    text_release(&l->said);
    arena_free(l->arena);
}

static struct network *find(const struct fixture *l, const char *name)
{
    for (int i = 0; i < l->n && l->net; i++)
        if (!strcmp(l->net[i]->name, name))
            return l->net[i];
    fail_msg("no network '%s':\n%s", name, l->said.s);
    return NULL;
}

static int64_t count(const struct network *net)
{
    int64_t n = 0;
    for (int i = 0; i < net->n_param; i++)
        n += shape_size(net->param[i]->shape);
    return n;
}

// --- the references' arithmetic ------------------------------------------------------------------

static const struct expected {
    const char *config, *override, *network;
    int64_t params;
} expected[] = {
    {"gan", NULL, "generator", 1489936},
    {"gan", NULL, "discriminator", 533505},
    {"lsgan", NULL, "generator", 1489936},
    {"lsgan", NULL, "discriminator", 533505},
    {"bgan", NULL, "generator", 1489936},
    {"bgan", NULL, "discriminator", 533505},
    {"dcgan", NULL, "generator", 855809},
    {"dcgan", NULL, "discriminator", 392833},
    {"wgan", NULL, "generator", 1028289},
    {"wgan", NULL, "critic", 99649 - 2 * (32 + 64 + 128)}, // without batch norm
    {"wgan_gp", NULL, "generator", 1028289},
    {"wgan_gp", NULL, "critic", 99649 - 2 * (32 + 64 + 128)},
    {"cgan", "templates.fuse=multiply", "generator", 1490936},
    {"cgan", "templates.fuse=multiply", "discriminator", 935585},
    {"cgan", NULL, "generator", 1490936 + 100 * 256}, // twice as long an input
    {"cgan", NULL, "discriminator", 935585 + 784 * 512},
    {"acgan", NULL, "generator", 856065 + 1000},
    {"acgan", NULL, "discriminator", 119883},
    // kernels of 4 × 4 instead of 3 × 3
    {"dcgan_transposed", NULL, "generator", 855809 + (128 + 64) * 128 * (16 - 9)},
    {"dcgan_transposed", NULL, "discriminator", 392833},
    {"patchgan", NULL, "generator", 855809 + 28 * 6272}, // 128 numbers of noise
    {"patchgan", NULL, "discriminator", 1088 + 131200 + 256 + 524544 + 512 + 4097},
    // 1 876 293 with 200 numbers of noise, 8 × 8 planes at first and three channels at last
    {"cgan_conv", NULL, "generator",
     1876293 - 201 * 8192 + 101 * 6272 - 65 * (64 - 49) - 2 * (64 * 9 + 1)},
    {"cgan_conv", "noise.z.normal=500", "generator",
     1876293 - 201 * 8192 + 501 * 6272 - 65 * (64 - 49) - 2 * (64 * 9 + 1)},
    {"cgan_conv", NULL, "discriminator", 392833 + 32 * 9 + 640 + 65 * 784},
    {"cgan_conv", "templates.fuse=multiply", "generator", 855809 + 256 + 490},
    {"cgan_conv", "templates.fuse=multiply", "discriminator", 392833 + 7840},
    {"wgan_gp_conditional", NULL, "generator", 14293737},
    {"wgan_gp_conditional", NULL, "critic", 2805569},
    {"bigan", NULL, "encoder", 717924},
    {"bigan", NULL, "generator", 718608},
    {"bigan", NULL, "discriminator", 3006465},
    {"aae", NULL, "encoder", 674836},
    {"aae", NULL, "decoder", 670480},
    {"aae", NULL, "code_critic", 137217},
    {"infogan", NULL, "generator", 680449 + 2 * 6272}, // two codes more
    {"infogan", NULL, "discriminator", 1551616 + 2049 + 263562 + (128 * 2049 + 2 * 129)},
    {"cogan", NULL, "generator", 158976 + 2 * 1330960},
    {"cogan", NULL, "discriminator", 533248 + 2 * 257},
    // a block of F channels: two convolutions of 9·F² + F, a third of F² + F, two batch norms
    {"sngan", NULL, "generator", 129 * 4096 + 3 * (19 * 65536 + 7 * 256) + 2 * 256 + 2305},
    {"sngan", NULL, "discriminator",
     (10 * 128 + 9 * 16384 + 3 * 128) + (19 * 16384 + 3 * 128) + 2 * (18 * 16384 + 2 * 128) + 129},
    {"sgan", NULL, "generator", 856065},
    // one head of ten logits instead of one logit and eleven
    {"sgan", NULL, "discriminator", 437388 - 4097 - 11 * 4097 + 10 * 4097},
    {"sgan", NULL, "supervised", 437388 - 4097 - 11 * 4097 + 10 * 4097},
    {"bgan_discrete", NULL, "generator", 1489936},
    {"bgan_discrete", NULL, "discriminator", 533505},
    {"bgan_discrete", NULL, "pixels", 0},
    // what PyTorch's DCGAN tutorial prints: no biases
    {"dcgan64", NULL, "generator", 3576704},
    {"dcgan64", NULL, "discriminator", 2765568},
    {"acgan_minibatch", NULL, "generator", 856065 + 1000},
    {"acgan_minibatch", NULL, "discriminator", 119883 + 2048 * 64 * 32 + 64 * 11},
};

static void configs_have_as_many_weights_as_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(expected); i++) {
        const struct expected *e = &expected[i];
        char path[64];
        snprintf(path, sizeof path, "configs/%s.yaml", e->config);
        struct arena *a = arena_new(NULL);
        struct diag *d = diag_new(a);
        const struct config *c = config_load(a, path, &e->override, e->override ? 1 : 0, d);
        struct experiment *is = c ? experiment_read(a, c, d) : NULL;
        if (!is)
            fail_msg("%s is refused", path);
        const int64_t n = count(experiment_network(is, e->network));
        if (n != e->params)
            fail_msg("%s %s: %lld parameters, not %lld", e->config, e->network, (long long)n,
                     (long long)e->params);
        arena_free(a);
    }
}

// No critic of a Wasserstein game couples samples or draws masks.
static void wasserstein_critics_couple_no_samples(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture l = fixture_file(i ? "configs/wgan.yaml" : "configs/wgan_gp.yaml", NULL);
        assert_int_equal(find(&l, "critic")->n_buffer, 0);
        assert_int_equal(find(&l, "critic")->n_param, 10);
        fixture_free(&l);
    }
}

// --- applying ------------------------------------------------------------------------------------

static struct application *apply(struct fixture *l, struct network *net, int64_t batch,
                                 bool training)
{
    struct graph *g = graph_new(l->arena);
    struct versions *v = NEW(l->arena, struct versions);
    v->graph = g;
    struct value **argument = NEW_ARRAY(l->arena, struct value *, net->n_input);
    for (int i = 0; i < net->n_input; i++) {
        struct shape s = {.rank = net->input[i].is.shape.rank + 1, .dim = {batch}};
        memcpy(s.dim + 1, net->input[i].is.shape.dim,
               sizeof *s.dim * (size_t)net->input[i].is.shape.rank);
        argument[i] = input(g, net->input[i].name, s);
    }
    struct application *app = network_apply(net, v, argument, training, l->diag);
    assert_non_null(app);
    return app;
}

static void assert_shape(struct shape s, const char *text)
{
    struct text t;
    text_init(&t);
    shape_text(s, &t);
    assert_string_equal(t.s, text);
    text_release(&t);
}

static void heads_give_one_output_each(void **state)
{
    (void)state;
    struct fixture l = fixture_file("configs/acgan.yaml", NULL);
    struct network *net = find(&l, "discriminator");
    struct application *app = apply(&l, net, 7, true);
    assert_int_equal(net->n_output, 2);
    assert_string_equal(net->output[1], "class");
    assert_shape(app->output[0]->shape, "(7, 1)");
    assert_shape(app->output[1]->shape, "(7, 10)");
    const struct slot *last = net->param[net->n_param - 1];
    assert_string_equal(last->name, "discriminator.class.0.bias");
    assert_int_equal(net->param_head[net->n_param - 1], 1);
    assert_string_equal(net->param[0]->name, "discriminator.0.weight");
    assert_int_equal(net->param_head[0], -1);
    assert_non_null(slots_find(l.slots, "discriminator.7.running_var"));
    assert_int_equal(app->n_tracked, 4);
    assert_int_equal(apply(&l, net, 7, false)->n_tracked, 0);
    fixture_free(&l);
}

static void rows_tell_shape_and_cost_of_a_layer(void **state)
{
    (void)state;
    struct fixture l = fixture_file("configs/dcgan.yaml", NULL);
    struct application *app = apply(&l, find(&l, "discriminator"), 5, true);
    const struct layer_row *row = &app->row[3];
    assert_string_equal(row->layer, "3 conv2d");
    assert_shape(row->output, "(64, 7, 7)");
    assert_int_equal(row->params, 64 * 32 * 9 + 64);
    assert_true(row->multiply_adds == 7.0 * 7 * 64 * 32 * 9);
    assert_shape(app->row[4].output, "(64, 8, 8)");
    fixture_free(&l);
}

static void all_applications_share_their_slots(void **state)
{
    (void)state;
    struct fixture l = fixture_file("configs/gan.yaml", NULL);
    const int slots = l.slots->n;
    apply(&l, find(&l, "generator"), 3, true);
    apply(&l, find(&l, "generator"), 4, false);
    assert_int_equal(l.slots->n, slots);
    fixture_free(&l);
}

// --- the language --------------------------------------------------------------------------------

static void templates_of_blocks_expand(void **state)
{
    (void)state;
    struct fixture l = fixture_text(
        "templates:\n"
        "  down: {with: {filters: , slope: 0.2}, layers: [conv2d: {filters: $filters, "
        "stride: 2}, leaky_relu: $slope]}\n"
        "  alias: down\n"
        "networks:\n"
        "  a:\n"
        "    inputs: {x: [3, 8, 8]}\n"
        "    layers:\n"
        "      - {use: alias, filters: 4, as: first}\n"
        "      - repeat: {times: 2, layers: [{conv2d: 4, as: c}, relu, add: [input, c]]}\n"
        "      - concat: first\n"
        "      - {flatten: , as: flat}\n"
        "    outputs: {features: flat, says: [dense: 1]}\n"
        "  b: {like: a, init: {normal: 0.02}}\n");
    assert_string_equal(l.said.s, "");
    struct application *app = apply(&l, find(&l, "b"), 2, true);
    assert_int_equal(app->n_row, 2 + 6 + 2 + 1);
    assert_shape(app->output[0]->shape, "(2, 128)");
    assert_string_equal(app->row[8].layer, "8 concat");
    const struct slot *weight = slots_find(l.slots, "b.5.weight");
    assert_non_null(weight);
    assert_non_null(slots_find(l.slots, "a.5.weight"));
    assert_int_equal(weight->init.kind, INIT_NORMAL);
    assert_int_equal(slots_find(l.slots, "a.5.weight")->init.kind, INIT_UNIFORM);
    fixture_free(&l);
}

static void templates_of_networks_expand(void **state)
{
    (void)state;
    struct fixture l = fixture_text(
        "templates:\n"
        "  mlp: {with: {in: 4, depth: 1}, inputs: {x: $in}, layers: [repeat: "
        "{times: $depth, layers: [dense: 3]}]}\n"
        "networks:\n"
        "  a: {use: mlp, depth: 2, frozen: true}\n"
        "  b: {use: mlp, in: 7, load: weights.safetensors}\n");
    assert_string_equal(l.said.s, "");
    assert_int_equal(count(find(&l, "a")), 4 * 3 + 3 + 3 * 3 + 3);
    assert_int_equal(count(find(&l, "b")), 7 * 3 + 3);
    assert_true(find(&l, "a")->frozen);
    assert_string_equal(find(&l, "b")->load, "weights.safetensors");
    fixture_free(&l);
}

// --- mistakes ------------------------------------------------------------------------------------

#define NET(inputs, layers) "networks:\n  a:\n    inputs: {" inputs "}\n    layers:\n" layers

static const struct mistake {
    const char *yaml, *said;
} mistakes[] = {
    {NET("x: [1, 4, 4]", "      - flatten\n      - conv2d: 4\n"),
     "test.yaml:6:9: error: conv2d wants (C, H, W) but 'flatten' above (line 5) gives (16)"},
    {NET("x: [1, 4, 4]", "      - dense: 4\n"),
     "dense wants (features) but input 'x' (line 3) gives (1, 4, 4)"},
    {NET("y: label(10)", "      - dense: 4\n"),
     "'dense' wants no label but input 'y' (line 3) gives a label"},
    {NET("y: label(10)", "      - relu\n"), "'relu' wants no label"},
    {NET("x: [4096, 4096, 4096]", "      - relu\n"), "expected up to"},
    {NET("x: [1, 4096, 4096]", "      - upsample: 64\n"), "numbers a sample"},
    {NET("x: [1, 4096, 4096]", "      - zero_pad: 1000000\n"), "numbers a sample"},
    {NET("z: 10", "      - embedding: 4\n"),
     "embedding wants a label but input 'z' (line 3) gives (10)"},
    {NET("z: 10", "      - Conv2D: 4\n"), "did you mean 'conv2d'?"},
    {NET("z: 10", "      - linear: 4\n"), "unknown layer 'linear'"},
    {NET("z: 10", "      - linear: 4\n"), "did you mean 'dense'?"},
    {NET("z: 10", "      - lrelu\n"), "did you mean 'leaky_relu'?"},
    {NET("z: 10", "      - ConvTranspose2d: 4\n"), "did you mean 'conv2d_transpose'?"},
    {NET("z: 10, y: 3", "      - dense: 4\n"), "input 'y' is read by no layer"},
    {NET("z: 10", "      - {dense: 4, as: a}\n      - {dense: 4, of: z}\n"),
     "nothing reads what 'dense' gives"},
    {NET("z: 10", "      - {dense: 4, of: zz}\n"), "unknown input or layer 'zz'"},
    {NET("z: 10", "      - {dense: 4, as: z}\n"), "the name 'z' is taken by line 3"},
    {NET("z: 10", "      - dense: {units: 4, init: glort}\n"), "did you mean 'glorot'?"},
    {NET("z: 10, x: [1, 4, 4]", "      - add: x\n"),
     "add wants equal shapes: input 'x' (line 3) gives (1, 4, 4), but input 'z' (line 3) gives "
     "(10)"},
    {NET("z: 10", "      - reshape: [3, 4]\n"),
     "reshape wants as many elements as its shape has, but input 'z'"},
    {NET("x: [1, 2, 2]", "      - conv2d: {filters: 1, kernel: 5, padding: valid}\n"),
     "conv2d's kernel is larger than the padded image"},
    {NET("x: [1, 2, 2]", "      - conv2d: {filters: 1, padding: sane}\n"), "did you mean 'same'?"},
    {NET("x: lable(3)", "      - dense: 4\n"), "'lable(3)' is no kind of input"},
    {"networks:\n  a: {inputs: {z: 3}, layers: []}\n", "network 'a' has no layers"},
    {"networks:\n  a: {inputs: {z: 3}, layer: [dense: 3]}\n", "did you mean 'layers'?"},
    {"networks:\n  a: {like: b}\n  b: {like: a}\n", "leads back to itself"},
    {"networks:\n  a: {like: c}\n", "unknown network 'c'"},
    {"networks:\n  a: {inputs: {z: 3}, layers: [use: t]}\ntemplates:\n  t: {layers: [use: t]}\n",
     "a template may not use itself"},
    {"networks:\n  a: {inputs: {z: 3}, layers: [use: t]}\ntemplates:\n  t: {with: {n: }, layers: "
     "[dense: $n]}\n",
     "the template needs 'n'"},
    {"networks:\n  a: {inputs: {z: 3}, layers: [{use: t, m: 3}]}\ntemplates:\n  t: {with: {n: 1}, "
     "layers: [dense: $n]}\n",
     "unknown parameter of the template 'm'"},
    {"networks:\n  a: {inputs: {z: 3}, layers: [use: t]}\ntemplates:\n  t: {layers: [dense: $n]}\n",
     "unknown parameter of the template 'n'"},
    {"networks:\n  a: {inputs: {z: 3}, layers: [use: u]}\ntemplates:\n  t: u\n",
     "unknown template 'u'"},
};

static void wrong_networks_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(mistakes); i++) {
        struct fixture l = fixture_text(mistakes[i].yaml);
        assert_null(l.net);
        if (!strstr(l.said.s, mistakes[i].said))
            fail_msg("%s\nexpected: %s\nsaid: %s", mistakes[i].yaml, mistakes[i].said, l.said.s);
        fixture_free(&l);
    }
}

// Both mistakes of both networks, in one go.
static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    struct fixture l = fixture_text(
        "networks:\n  a: {inputs: {z: 3}, layers: [dens: 3, {relu: 4}]}\n"
        "  b: {inputs: {z: 3}, layers: [conv2d: 3]}\n");
    assert_int_equal(diag_errors(l.diag), 3);
    fixture_free(&l);
}

// --- damage --------------------------------------------------------------------------------------

static char *slurp(struct arena *a, const char *path)
{
    char *text = arena_alloc(a, 1 << 16);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

// A config without one of its lines, colons or digits is read to an end: to networks or to
// messages.
static void read_damaged(const char *text, const char *line, size_t length)
{
    static char damaged[1 << 17];
    snprintf(damaged, sizeof damaged, "%.*s%s", (int)(line - text), text, line + length);
    struct fixture l = fixture_text(damaged);
    assert_true(l.net || diag_errors(l.diag));
    fixture_free(&l);
}

static void no_damaged_config_crashes_the_reader(void **state)
{
    static const char *const paths[] = {"configs/acgan.yaml", "configs/cgan.yaml",
                                        "configs/wgan.yaml"};
    (void)state;
    for (size_t i = 0; i < LENGTH(paths); i++) {
        struct arena *a = arena_new(NULL);
        const char *text = slurp(a, paths[i]);
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
            read_damaged(text, line, strcspn(line, "\n") + 1);
            read_damaged(text, line + strcspn(line, ":"), 1);
            read_damaged(text, line + strcspn(line, "0123456789$,"), 1);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs_have_as_many_weights_as_counted),
        cmocka_unit_test(wasserstein_critics_couple_no_samples),
        cmocka_unit_test(heads_give_one_output_each),
        cmocka_unit_test(rows_tell_shape_and_cost_of_a_layer),
        cmocka_unit_test(all_applications_share_their_slots),
        cmocka_unit_test(templates_of_blocks_expand),
        cmocka_unit_test(templates_of_networks_expand),
        cmocka_unit_test(wrong_networks_are_named),
        cmocka_unit_test(no_damaged_config_crashes_the_reader),
        cmocka_unit_test(all_mistakes_are_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
