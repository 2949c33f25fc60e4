// Every pass on a small graph, as text: tests/golden/CASE.txt is the graph before the pass and
// after it. After a change that is meant, `GOLDEN=write build/tests/test_golden` writes them again;
// the diff is what to read.
#include "base/arena.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/choice.h"
#include "ir/op.h"
#include "codegen/compile.h"
#include "support/optimizers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static const struct window same = {{1, 1}, {1, 1, 1, 1}};

// What differentiation leaves behind: zeros, ones, broadcasts, sums of broadcasts.
static void algebra(struct graph *g)
{
    struct value *x = input(g, "x", SHAPE(4, 8)), *b = input(g, "b", SHAPE(1, 8)), *dx[2];
    struct value *y = tanh_value(add(affine(x, 2, 0), b));
    gradient(mean(y), (struct value *[]){x, b}, 2, dx);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "db", dx[1]);
}

static struct slot *weights(struct graph *g, struct shape shape)
{
    struct slots *slots = NEW(g->arena, struct slots);
    slots_init(slots, g->arena);
    return slots_add(slots, "w", SLOT_PARAM, shape, (struct init){0}, (struct place){0});
}

// generator(z) before its update, twice, and after it.
static void versions(struct graph *g)
{
    struct slot *w = weights(g, SHAPE(8, 8));
    struct value *z = input(g, "z", SHAPE(4, 8)), *w0 = param(g, w);
    struct value *fake = matmul(z, w0, false, true), *again = matmul(z, param(g, w), false, true);
    struct value *w1 = lerp_slot(w0, matmul(again, z, true, false), 0.1);
    graph_root(g, "fake", fake);
    graph_root(g, "after", matmul(z, w1, false, true));
}

// A weight gradient that no update takes.
static void unwanted(struct graph *g)
{
    struct value *x = input(g, "x", SHAPE(4, 8)), *w = input(g, "w", SHAPE(8, 8)), *dx[2];
    gradient(sum(square(matmul(x, w, false, true))), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "dx", dx[0]);
}

// A convolution of an upsampled image, and both its gradients.
static void upsampled(struct graph *g)
{
    struct value *x = input(g, "x", SHAPE(2, 8, 7, 7)), *w = input(g, "w", SHAPE(4, 8, 3, 3));
    struct value *y = conv(upsample(x, 2), w, same), *dx[2];
    gradient(sum(square(y)), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "y", y);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
}

// A convolution and a bias, then means of blocks, and both its gradients.
static void averaged(struct graph *g)
{
    struct value *x = input(g, "x", SHAPE(2, 8, 8, 8)), *w = input(g, "w", SHAPE(4, 8, 3, 3)),
                 *b = input(g, "b", SHAPE(1, 4, 1, 1)), *dx[2];
    struct value *y = affine(pool_sum(add(conv(x, w, same), b), 2), 0.25, 0);
    gradient(sum(square(y)), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "y", y);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
}

// A critic on real and on fake, with a mask each, and the gradient of its weights.
static void two_batches(struct graph *g)
{
    struct value *w = input(g, "w", SHAPE(8, 16)), *v = input(g, "v", SHAPE(1, 8)), *y[2], *dw[2];
    for (int i = 0; i < 2; i++) {
        struct value *h = matmul(input(g, i ? "fake" : "real", SHAPE(2, 16)), w, false, true);
        struct value *mask = random_value(g, RANDOM_BERNOULLI, 0.5, 0, i, SHAPE(2, 8));
        y[i] = mean(matmul(mul(leaky_relu(h, 0.2), mask), v, false, true));
    }
    gradient(sub(y[1], y[0]), (struct value *[]){w, v}, 2, dw);
    graph_root(g, "dw", dw[0]);
    graph_root(g, "dv", dw[1]);
    graph_root(g, "fake", y[1]);
    passes_run(g, "simplify");
}

// A critic on real and on one fake for both players: its gradients, and that of the fake.
static void two_players(struct graph *g)
{
    struct value *w = input(g, "w", SHAPE(256, 64)), *v = input(g, "v", SHAPE(256, 256)),
                 *a = input(g, "a", SHAPE(1, 256)), *y[2], *x[2], *d[3];
    for (int i = 0; i < 2; i++) {
        x[i] = input(g, i ? "fake" : "real", SHAPE(2, 64));
        struct value *h = tanh_value(matmul(x[i], w, false, true));
        y[i] = matmul(leaky_relu(matmul(h, v, false, true), 0.2), a, false, true);
    }
    struct value *critic = add(mean(softplus(affine(y[0], -1, 0))), mean(softplus(y[1])));
    gradient(critic, (struct value *[]){w, v, a}, 3, d);
    for (int i = 0; i < 3; i++)
        graph_root(g, (char[]){'d', "wva"[i], 0}, d[i]);
    gradient(mean(softplus(affine(y[1], -1, 0))), x + 1, 1, d);
    graph_root(g, "dfake", d[0]);
    passes_run(g, "simplify");
}

// An image made of one pixel, and an answer made of an image: one kernel covers each.
static void projected(struct graph *g)
{
    const struct window win = {{1, 1}, {0}};
    struct value *z = input(g, "z", SHAPE(2, 8, 1, 1)), *w = input(g, "w", SHAPE(8, 16, 4, 4)),
                 *v = input(g, "v", SHAPE(1, 16, 4, 4)), *dw[2];
    struct value *y = conv(leaky_relu(conv_data_grad(z, w, win, 4, 4), 0), v, win);
    gradient(sum(square(y)), (struct value *[]){w, v}, 2, dw);
    graph_root(g, "y", y);
    graph_root(g, "dw", dw[0]);
    graph_root(g, "dv", dw[1]);
    passes_run(g, "simplify");
}

// A convolution that is worth it, and both its gradients.
static void strided(struct graph *g)
{
    const struct window win = {{2, 2}, {1, 1, 1, 1}};
    struct value *x = input(g, "x", SHAPE(16, 64, 32, 32)),
                 *w = input(g, "w", SHAPE(128, 64, 4, 4)), *dx[2];
    struct value *y = conv(x, w, win);
    gradient(sum(square(y)), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "y", y);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
}

// A convolution whose planes would be large.
static void wide(struct graph *g)
{
    const struct window win = {{1, 1}, {1, 1, 1, 1}};
    graph_root(g, "y",
               conv(input(g, "x", SHAPE(64, 64, 32, 32)), input(g, "w", SHAPE(64, 64, 3, 3)), win));
}

// A batch normalised: two reductions, and one loop over it.
static void normalised(struct graph *g)
{
    const unsigned batch = 1 << 0 | 1 << 2 | 1 << 3;
    struct value *x = input(g, "x", SHAPE(8, 16, 4, 4));
    struct value *centred = sub(x, mean_axes(x, batch));
    struct value *scale = rsqrt_value(affine(mean_axes(square(centred), batch), 1, 1e-3));
    graph_root(g, "y", leaky_relu(mul(centred, scale), 0.2));
}

// What normalising and an activation leave of their gradients: two sums that work out the same.
static void normalised_back(struct graph *g)
{
    const unsigned batch = 1 << 0 | 1 << 2 | 1 << 3;
    struct value *x = input(g, "x", SHAPE(8, 16, 4, 4)), *w = input(g, "w", SHAPE(1, 16, 1, 1)),
                 *b = input(g, "b", SHAPE(1, 16, 1, 1)), *dx[3];
    struct value *centred = sub(x, mean_axes(x, batch));
    struct value *scale = rsqrt_value(affine(mean_axes(square(centred), batch), 1, 1e-3));
    struct value *y = leaky_relu(add(mul(mul(centred, scale), w), b), 0.2);
    gradient(sum(mul(y, input(g, "dy", y->shape))), (struct value *[]){x, w, b}, 3, dx);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
    graph_root(g, "db", dx[2]);
    passes_run(g, "fuse");
}

// Three convolutions, the last to one channel, and a gradient: what is read by products that are
// worth it alone is kept as bf16.
static void rounded(struct graph *g)
{
    struct value *h = input(g, "x", SHAPE(8, 16, 16, 16)), *w[3], *dw;
    for (int i = 0; i < 3; i++) {
        w[i] = input(g, graph_name(g, "w"), SHAPE(i < 2 ? 32 : 1, i ? 32 : 16, 3, 3));
        h = leaky_relu(conv(h, w[i], same), 0.2);
    }
    gradient(mean(square(h)), w + 1, 1, &dw);
    graph_root(g, "y", h);
    graph_root(g, "dw", dw);
    g->precision = TYPE_BF16;
    passes_run(g, "simplify");
}

// Two convolutions in blocks: what both read is kept as bf16, their weights and results are not.
static void rounded_blocks(struct graph *g)
{
    struct value *h = input(g, "x", SHAPE(8, 16, 16, 16));
    for (int i = 0; i < 2; i++)
        h = conv_winograd(conv(leaky_relu(h, 0.2),
                               input(g, graph_name(g, "w"), SHAPE(32, i ? 32 : 16, 3, 3)), same),
                          3, 2);
    graph_root(g, "y", h);
    g->precision = TYPE_BF16;
    passes_run(g, "simplify");
}

static void say_no(struct chooser *c, const struct question *q, int answer[CHOICE_AXES])
{
    (void)c, (void)q;
    answer[0] = 0;
}

// A convolution to one channel and both its gradients, where a chooser wants oneDNN's kernels: the
// gradient of the wide image is theirs anyway.
static void grey(struct graph *g)
{
    static struct chooser chooser = {say_no};
    struct value *x = input(g, "x", SHAPE(2, 16, 8, 8)), *w = input(g, "w", SHAPE(1, 16, 3, 3)),
                 *dx[2];
    struct value *y = conv(x, w, same);
    gradient(sum(square(y)), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "y", y);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
    g->chooser = &chooser;
}

// Planes of an image want it channels-last; so the weights of the dense layer behind it live transposed,
// and so does what changes them. A root, and a slice of what is flat, have to be plain.
static void laid(struct graph *g)
{
    const struct winograd_tiling t = {2, 1, 3, {1, 1}, {4, 4}};
    struct value *x = input(g, "x", SHAPE(2, 8, 4, 4)), *w = param(g, weights(g, SHAPE(1, 512))),
                 *dw;
    struct value *h = leaky_relu(upsample(x, 2), 0.2), *flat = reshape(square(h), SHAPE(2, 512));
    graph_root(g, "planes", winograd_transform(h, TILE_FINE, t));
    struct value *y = mean(matmul(flat, w, false, true));
    gradient(y, &w, 1, &dw);
    descend(w, dw, input(g, "hyper", SHAPE(4)));
    graph_root(g, "y", y);
    graph_root(g, "some", slice(flat, 1, 0, 4));
}

// Weights of a dense layer that live transposed, and are read as they are in another place, before and
// after an update: a packed copy. What the host reads is a copy of its own, and serves for both.
static void both_ways(struct graph *g)
{
    const struct winograd_tiling t = {2, 1, 3, {1, 1}, {4, 4}};
    struct value *x = leaky_relu(input(g, "x", SHAPE(2, 8, 8, 8)), 0.2),
                 *w = param(g, weights(g, SHAPE(1, 512)));
    graph_root(g, "planes", winograd_transform(x, TILE_FINE, t));
    for (int i = 0; i < 2; i++) {
        struct value *y = mean(matmul(reshape(x, SHAPE(2, 512)), w, false, true)), *dw;
        graph_root(g, i ? "y after" : "y", y);
        graph_root(g, i ? "some after" : "some", slice(w, 1, 0, 4));
        gradient(y, &w, 1, &dw);
        if (!i)
            graph_root(g, "w", w);
        w = descend(w, dw, input(g, "hyper", SHAPE(4)));
    }
}

// Weights of a dense layer whose products take bf16, before and after an update: one copy, rounded,
// for the product and its gradient. What is computed from weights is rounded in the graph.
static void rounded_copy(struct graph *g)
{
    struct value *x = input(g, "x", SHAPE(64, 64)), *w = param(g, weights(g, SHAPE(64, 64)));
    for (int i = 0; i < 2; i++) {
        struct value *y = mean(
                         square(matmul(tanh_value(matmul(x, w, false, true)), w, false, true))),
                     *dw;
        graph_root(g, i ? "y after" : "y", y);
        gradient(y, &w, 1, &dw);
        w = descend(w, dw, input(g, "hyper", SHAPE(4)));
    }
    graph_root(g, "of a square", matmul(x, square(w), false, true));
    g->precision = TYPE_BF16;
    passes_run(g, "simplify");
    pass_bf16(g);
}

// Chains written over themselves, and rooms used again.
static void chain(struct graph *g)
{
    struct value *x = input(g, "x", SHAPE(8, 16)), *w = input(g, "w", SHAPE(16, 16));
    for (int i = 0; i < 3; i++)
        x = tanh_value(matmul(x, w, false, false));
    graph_root(g, "y", reshape(x, SHAPE(128)));
}

// A critic's first layer, a convolution beside which nothing is done, and a dense layer; and
// gradients, of which one asks for the sign of sums.
static void layers(struct graph *g)
{
    const struct window win = {{2, 2}, {1, 1, 1, 1}};
    struct value *x = input(g, "x", SHAPE(4, 3, 16, 16)), *w = input(g, "w", SHAPE(16, 3, 4, 4)),
                 *v = input(g, "v", SHAPE(16, 16, 3, 3)), *b = input(g, "b", SHAPE(1, 16, 1, 1)),
                 *dx[2];
    struct value *h = leaky_relu(add(conv(x, w, win), b), 0.2);
    h = add(conv(affine(h, 2, 0), v, same), h);
    struct value *y = matmul(reshape(h, SHAPE(4, 1024)), input(g, "u", SHAPE(10, 1024)), false,
                             true);
    y = tanh_value(add(affine(y, 0.5, 0), input(g, "c", SHAPE(1, 10))));
    gradient(sum(y), (struct value *[]){x, w}, 2, dx);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
    passes_run(g, "simplify");
}

static const struct golden {
    const char *name, *pass;
    void (*build)(struct graph *g);
} golden[] = {
    {"simplify", "simplify", algebra},
    {"cse", "cse", versions},
    {"dce", "dce", unwanted},
    {"fold_upsample", "fold_upsample", upsampled},
    {"fold_pool", "fold_pool", averaged},
    {"share_backward", "share_backward", two_players},
    {"batch_siblings", "batch_siblings", two_batches},
    {"conv_to_matmul", "conv_to_matmul", projected},
    {"winograd", "winograd", strided},
    {"winograd_blocks", "winograd", wide},
    {"fuse_mean_var", "fuse_mean_var", normalised},
    {"fuse", "fuse", normalised},
    {"fuse_reductions", "fuse_reductions", normalised_back},
    {"bf16", "bf16", rounded},
    {"bf16_blocks", "bf16", rounded_blocks},
    {"select_kernel", "select_kernel", grey},
    {"fuse_post_ops", "fuse_post_ops", layers},
    {"layout", "layout", laid},
    {"packed_copy", "layout", both_ways},
    {"packed_copy_bf16", "layout", rounded_copy},
    {"memory", "memory", chain},
};

static const struct pass *pass_named(const char *name)
{
    static const struct pass alone[] = {{"cse", pass_cse}, {"dce", pass_dce}};
    for (int i = 0; compile_pass(i); i++)
        if (!strcmp(compile_pass(i)->name, name))
            return compile_pass(i);
    return &alone[!strcmp(name, "dce")];
}

// Where values lie: in memory of their own, or in another's.
static void print_places(const struct graph *g, struct text *out)
{
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        if (v->storage == v)
            text_addf(out, "%%%d at %zu, %zu bytes\n", i, v->offset, v->bytes);
        else if (v->storage)
            text_addf(out, "%%%d in %%%d\n", i, v->storage->id);
    }
}

static void run(const struct golden *c, struct text *out)
{
    struct graph *g = graph_new(arena_new(NULL));
    g->minimal_filtering = true;
    c->build(g);
    graph_verify(g, "graph");
    text_add(out, "before\n");
    graph_print(g, out);
    text_addf(out, "after %s\n", c->pass);
    compile_for_this_machine(g);
    assert_true(pass_run(pass_named(c->pass), g));
    graph_print(g, out);
    if (!strcmp(c->pass, "memory"))
        print_places(g, out);
    arena_free(g->arena);
}

static void write_file(const char *path, const struct text *t)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(t->s, 1, t->n, f), t->n);
    assert_int_equal(fclose(f), 0);
}

static void read_file(const char *path, struct text *t)
{
    FILE *f = fopen(path, "r");
    char part[4096];
    if (!f)
        fail_msg("no %s; GOLDEN=write makes it", path);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        text_add_n(t, part, n);
    fclose(f);
}

static void test_golden(void **state)
{
    const struct golden *c = *state;
    const char *mode = getenv("GOLDEN");
    char path[256];
    struct text got, want;
    text_init(&got);
    text_init(&want);
    snprintf(path, sizeof path, "tests/golden/%s.txt", c->name);
    run(c, &got);
    if (mode && !strcmp(mode, "write"))
        write_file(path, &got);
    read_file(path, &want);
    assert_string_equal(got.s, want.s);
    text_release(&got);
    text_release(&want);
}

int main(void)
{
    struct CMUnitTest tests[LENGTH(golden)];
    for (size_t i = 0; i < LENGTH(golden); i++)
        tests[i] = (struct CMUnitTest){golden[i].name, test_golden, NULL, NULL,
                                       (void *)(uintptr_t)&golden[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
