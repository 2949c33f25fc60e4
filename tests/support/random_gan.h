// Random iterations of random GANs, built by constructors: what test_pass_fuzz compiles.
#ifndef TESTS_RANDOM_GAN_H
#define TESTS_RANDOM_GAN_H

#include "base/arena.h"
#include "base/philox.h"
#include "ir/build.h"
#include "ir/op.h"
#include "support/optimizers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

enum { SLOTS = 256 };

// What a seed makes. Networks are drawn again, from their own streams, each time they are applied.
struct gan {
    struct arena *arena;
    struct graph *g;
    struct slots slots;
    struct value *version[SLOTS];
    uint64_t seed;
    int length;   // of networks
    bool smooth;  // no layer has a kink
    bool couples; // the critic may have batch statistics
};

struct net {
    struct gan *gan;
    struct rng rng;
    const char *name;
    int n_weights;
};

static int below(struct net *n, int k) { return (int)rng_below(&n->rng, (uint32_t)k); }

// One value an input, since the host fills one.
static struct value *fed(struct graph *g, const char *name, struct shape shape)
{
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->attr.name && !strcmp(g->value[i]->attr.name, name))
            return g->value[i];
    return input(g, name, shape);
}

// --- weights -------------------------------------------------------------------------------------

static struct value *version_of(struct gan *c, struct slot *s)
{
    if (!c->version[s->index])
        c->version[s->index] = param(c->g, s);
    return c->version[s->index];
}

static struct value *weight(struct net *n, struct shape shape)
{
    struct gan *c = n->gan;
    const char *name = arena_printf(c->arena, "%s.%d", n->name, n->n_weights++);
    struct slot *s = slots_find(&c->slots, name);
    if (!s)
        s = slots_add(&c->slots, name, SLOT_PARAM, shape, (struct init){0}, (struct place){0});
    assert_true(s->index < SLOTS);
    return version_of(c, s);
}

// Weights are about 1 in size: what they make is brought back to that.
static struct value *calmed(struct value *y, int64_t fan_in)
{
    return affine(y, 1.7 / sqrt((double)fan_in), 0);
}

// --- layers of images ----------------------------------------------------------------------------

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static struct window random_window(struct net *n, struct shape x, int64_t kh, int64_t kw)
{
    struct window w = {{1 + below(n, 2), 0}, {0}};
    w.stride[1] = below(n, 5) ? w.stride[0] : 1 + below(n, 3);
    const bool odd = !below(n, 4);
    for (int side = 0; side < 4; side++) {
        const int64_t k = side < 2 ? kh : kw;
        w.pad[side] = odd ? below(n, (int)k) : (k - side % 2) / 2;
    }
    while (x.dim[2] + w.pad[0] + w.pad[1] < kh)
        w.pad[0]++;
    while (x.dim[3] + w.pad[2] + w.pad[3] < kw)
        w.pad[2]++;
    return w;
}

static struct value *random_conv(struct net *n, struct value *x)
{
    const int64_t kh = 1 + below(n, 5), kw = below(n, 4) ? kh : 1 + below(n, 5);
    const int64_t C = x->shape.dim[1], K = 1 + below(n, 6);
    const struct window w = random_window(n, x->shape, kh, kw);
    return calmed(conv(x, weight(n, SHAPE(K, C, kh, kw)), w), C * kh * kw);
}

static struct value *random_transposed(struct net *n, struct value *x)
{
    const int64_t k = 1 + below(n, 5), s = 1 + below(n, 2);
    const int64_t K = x->shape.dim[1], C = 1 + below(n, 6);
    struct window w = {{s, s}, {0}};
    int64_t size[2];
    for (int a = 0; a < 2; a++) {
        const int64_t most = (x->shape.dim[2 + a] - 1) * s + k, spare = below(n, (int)s);
        w.pad[2 * a] = smaller(below(n, (int)k), most - 1);
        w.pad[2 * a + 1] = smaller(below(n, (int)k), most - 1 - w.pad[2 * a]);
        size[a] = most - w.pad[2 * a] - w.pad[2 * a + 1] + spare;
    }
    return calmed(conv_data_grad(x, weight(n, SHAPE(K, C, k, k)), w, size[0], size[1]), K * k);
}

static struct value *upsampled_conv(struct net *n, struct value *x)
{
    const int64_t f = 2 + below(n, 2), C = x->shape.dim[1], K = 1 + below(n, 6);
    if (x->shape.dim[2] * f > 16 || x->shape.dim[3] * f > 16)
        return x;
    const int64_t kh = 1 + below(n, 5), kw = below(n, 4) ? kh : 1 + below(n, 5);
    struct window w = {{1, 1}, {0}};
    for (int side = 0; side < 4; side++)
        w.pad[side] = below(n, (int)(side < 2 ? kh : kw));
    x = upsample(x, f);
    while (x->shape.dim[2] + w.pad[0] + w.pad[1] < kh)
        w.pad[0]++;
    while (x->shape.dim[3] + w.pad[2] + w.pad[3] < kw)
        w.pad[2]++;
    return calmed(conv(x, weight(n, SHAPE(K, C, kh, kw)), w), C * kh * kw);
}

static struct value *pooled(struct net *n, struct value *x)
{
    const int64_t f = 2 + below(n, 2);
    return x->shape.dim[2] % f || x->shape.dim[3] % f
               ? x
               : affine(pool_sum(x, f), 1.0 / (double)(f * f), 0);
}

// A convolution of stride 1, a bias now and then, and means of blocks.
static struct value *pooled_conv(struct net *n, struct value *x)
{
    const int64_t k = 1 + below(n, 3), C = x->shape.dim[1], K = 1 + below(n, 6),
                  p = below(n, (int)k);
    const struct window w = {{1, 1}, {p, k - 1 - p, k - 1 - p, p}};
    x = conv(x, weight(n, SHAPE(K, C, k, k)), w);
    if (below(n, 2))
        x = add(x, weight(n, SHAPE(1, K, 1, 1)));
    return calmed(pooled(n, x), C * k * k);
}

static struct value *padded(struct net *n, struct value *x)
{
    const int64_t before[] = {0, below(n, 2), below(n, 2), below(n, 3)},
                  after[] = {0, 0, below(n, 2), below(n, 2)};
    return pad(x, before, after);
}

static struct value *sliced(struct net *n, struct value *x)
{
    const int axis = 1 + below(n, x->shape.rank - 1);
    const int64_t length = 1 + below(n, (int)x->shape.dim[axis]);
    return slice(x, axis, below(n, (int)(x->shape.dim[axis] - length + 1)), length);
}

static struct value *transposed(struct net *n, struct value *x)
{
    static const int perm[][4] = {{0, 1, 3, 2}, {0, 2, 3, 1}, {0, 3, 2, 1}};
    return transpose(x, perm[below(n, 3)]);
}

// Channels side by side with some of their own, done otherwise.
static struct value *joined(struct net *n, struct value *x)
{
    struct value *both[] = {x, tanh_value(sliced(n, x))};
    for (int d = 2; d < x->shape.rank; d++)
        if (both[1]->shape.dim[d] != x->shape.dim[d])
            both[1] = square(x);
    return concat(both, 2, 1);
}

// All of an image to one pixel, and back to an image now and then.
static struct value *whole_conv(struct net *n, struct value *x)
{
    const struct window w = {{1 + below(n, 2), 1}, {0}};
    const int64_t *dim = x->shape.dim, K = 1 + below(n, 4), C = 1 + below(n, 4);
    const int64_t H = dim[2], W = dim[3], fan_in = dim[1] * H * W;
    x = calmed(conv(x, weight(n, SHAPE(K, dim[1], H, W)), w), fan_in);
    return below(n, 2) ? x : calmed(conv_data_grad(x, weight(n, SHAPE(K, C, H, W)), w, H, W), K);
}

static struct value *image_layer(struct net *n, struct value *x)
{
    switch (below(n, 12)) {
    case 0:
    case 1:
    case 2: return random_conv(n, x);
    case 3:
    case 4: return random_transposed(n, x);
    case 5: return upsampled_conv(n, x);
    case 6: return pooled(n, x);
    case 7: return padded(n, x);
    case 8: return transposed(n, x);
    case 9: return pooled_conv(n, x);
    case 10: return whole_conv(n, x);
    default: return mul(x, tanh_value(mean_axes(x, 1 << 2 | 1 << 3)));
    }
}

// --- layers of features --------------------------------------------------------------------------

static struct value *dense(struct net *n, struct value *x, int64_t K)
{
    const int64_t F = x->shape.dim[1];
    const bool turn = below(n, 2);
    struct value *w = weight(n, turn ? SHAPE(F, K) : SHAPE(K, F));
    return calmed(add(matmul(x, w, false, !turn), weight(n, SHAPE(1, K))), F);
}

static struct value *softmaxed(struct value *x)
{
    struct value *e = exp_value(sub(x, reduce_max(x, 1 << 1)));
    return divide(e, reduce_sum(e, 1 << 1));
}

static struct value *embedded(struct net *n, struct value *x)
{
    struct value *label = fed(n->gan->g, "index", SHAPE(x->shape.dim[0]));
    return mul(x, gather(weight(n, SHAPE(5, x->shape.dim[1])), label));
}

static struct value *feature_layer(struct net *n, struct value *x)
{
    switch (below(n, 4)) {
    case 0: return n->gan->smooth ? embedded(n, x) : softmaxed(x);
    case 1: return embedded(n, x);
    default: return dense(n, x, 1 + below(n, 12));
    }
}

// --- layers of either ----------------------------------------------------------------------------

// A moving average of what a batch has, which only the end of the iteration reads.
static void average(struct net *n, struct value *x)
{
    struct gan *c = n->gan;
    const char *name = arena_printf(c->arena, "average of %s.%d", n->name, n->n_weights++);
    struct slot *s = slots_find(&c->slots, name);
    if (!s)
        s = slots_add(&c->slots, name, SLOT_BUFFER, x->shape, (struct init){0}, (struct place){0});
    assert_true(s->index < SLOTS);
    c->version[s->index] = lerp_slot(version_of(c, s), x, 0.1);
}

static struct value *normalised(struct net *n, struct value *x)
{
    const unsigned space = x->shape.rank == 4 ? 1 << 2 | 1 << 3 : 1 << 1;
    const bool batch = n->gan->couples && !below(n, 2);
    const unsigned axes = batch ? (x->shape.rank == 4 ? space | 1 : 1) : space | 1 << 1;
    struct value *middle = mean_axes(x, axes), *centred = sub(x, middle);
    if (batch && below(n, 2))
        average(n, middle);
    return mul(centred, rsqrt_value(affine(mean_axes(square(centred), axes), 1, 0.3)));
}

static struct value *activated(struct net *n, struct value *x)
{
    switch (n->gan->smooth ? below(n, 6) : below(n, 10)) {
    case 0: return tanh_value(x);
    case 1: return sigmoid(x);
    case 2: return softplus(x);
    case 3: return divide(x, affine(square(x), 0.5, 1));
    case 4:
        return sub(exp_value(tanh_value(x)), affine(log_value(affine(square(x), 1, 0.5)), 1, 0));
    case 5: return mul(tanh_value(x), sqrt_value(affine(square(x), 1, 1)));
    case 6: return leaky_relu(x, 0.2);
    case 7: return elu(x, 0.7);
    case 8: return maximum(x, affine(tanh_value(x), -0.5, 0.1));
    default:
        return select_value(greater(x, affine(x, -1, 0.3)), abs_value(x), minimum(x, square(x)));
    }
}

static struct value *dropped(struct net *n, struct value *x)
{
    struct graph *g = n->gan->g;
    return mul(
        x, affine(random_value(g, RANDOM_BERNOULLI, 0.7, 0, g->next_stream++, x->shape), 1.4, 0));
}

static struct value *layer(struct net *n, struct value *x)
{
    if (n->gan->couples && !below(n, 6))
        return normalised(n, x);
    switch (below(n, 12)) {
    case 0: return normalised(n, x);
    case 1: return dropped(n, x);
    case 2: return joined(n, x);
    case 3: return sliced(n, x);
    case 4:
    case 5:
    case 6: return activated(n, x);
    default: return x->shape.rank == 4 ? image_layer(n, x) : feature_layer(n, x);
    }
}

static struct value *flattened(struct value *x)
{
    const int64_t N = x->shape.dim[0];
    return x->shape.rank == 2 ? x : reshape(x, SHAPE(N, shape_size(x->shape) / N));
}

static struct net network(struct gan *c, const char *name)
{
    struct net n = {.gan = c, .name = name};
    rng_init(&n.rng, c->seed, (uint64_t)name[0]);
    return n;
}

// Layers, with a residual now and then.
static struct value *body(struct net *n, struct value *x)
{
    for (int i = 0; i < n->gan->length; i++) {
        struct value *y = layer(n, x);
        if (shape_size(y->shape) > 4000)
            continue;
        x = shape_equal(x->shape, y->shape) && !below(n, 4) ? add(x, y) : y;
        if (x->shape.rank == 4 && !below(n, 12))
            x = flattened(x);
    }
    return x;
}

static struct value *generator(struct gan *c, struct value *z, struct shape image)
{
    struct net n = network(c, "generator");
    struct value *x = tanh_value(dense(&n, z, 48));
    x = flattened(body(&n, reshape(x, SHAPE(z->shape.dim[0], 3, 4, 4))));
    return reshape(tanh_value(dense(&n, x, shape_size(image) / image.dim[0])), image);
}

// (N, 1)
static struct value *critic(struct gan *c, struct value *x)
{
    struct net n = network(c, "critic");
    x = body(&n, x);
    return dense(&n, flattened(x), 1);
}

// --- an iteration --------------------------------------------------------------------------------

static int trained(struct gan *c, const char *name, struct value **w)
{
    int n = 0;
    for (int i = 0; i < c->slots.n; i++)
        if (c->slots.slot[i]->name[0] == name[0])
            w[n++] = version_of(c, c->slots.slot[i]);
    return n;
}

static void name_root(struct gan *c, const char *what, int i, struct value *v)
{
    graph_root(c->g, arena_printf(c->arena, "%s.%d", what, i), v);
}

struct slope {
    struct value *w[SLOTS], *dw[SLOTS];
    int n;
};

// The gradient of `loss` for the weights of a network.
static struct slope differentiate(struct gan *c, const char *name, struct value *loss)
{
    struct slope s;
    s.n = trained(c, name, s.w);
    gradient(loss, s.w, s.n, s.dw);
    graph_root(c->g, arena_printf(c->arena, "loss of %s", name), loss);
    for (int i = 0; i < s.n; i++)
        name_root(c, name, i, s.dw[i]);
    return s;
}

static void step(struct gan *c, const struct slope *s)
{
    struct value *hyper = fed(c->g, "hyper", SHAPE(4));
    for (int i = 0; i < s->n; i++)
        c->version[s->w[i]->attr.slot->index] = descend(s->w[i], s->dw[i], hyper);
}

// ((|d critic/dx| of each sample) − 1)², the mean of it
static struct value *penalty(struct gan *c, struct value *x)
{
    struct value *slope;
    gradient(sum(critic(c, x)), &x, 1, &slope);
    graph_root(c->g, "slope", slope);
    struct value *norm = sqrt_value(affine(reduce_sum(square(flattened(slope)), 1 << 1), 1, 1e-3));
    return mean(square(affine(norm, 1, -1)));
}

static struct value *interpolated(struct value *a, struct value *b)
{
    struct graph *g = a->graph;
    struct value *t = random_value(g, RANDOM_UNIFORM, 0, 1, g->next_stream++,
                                   SHAPE(a->shape.dim[0], 1, 1, 1));
    return add(b, mul(t, sub(a, b)));
}

static struct value *critic_loss(struct net *n, struct value *real, struct value *fake)
{
    switch (below(n, 3)) {
    case 0: return sub(mean(fake), mean(real));
    case 1: return mean(softplus(sub(fake, real)));
    default: return add(mean(softplus(affine(real, -1, 0))), mean(softplus(fake)));
    }
}

// Both read the networks as they are; which looks first says nothing.
static void update_at_once(struct gan *c, struct value *critic_loss, struct value *generator_loss,
                           bool transposed)
{
    struct slope of[2];
    for (int i = 0; i < 2; i++)
        of[i] = i != transposed ? differentiate(c, "generator", generator_loss)
                                : differentiate(c, "critic", critic_loss);
    step(c, &of[0]);
    step(c, &of[1]);
}

static void update(struct gan *c, const char *name, struct value *loss)
{
    const struct slope s = differentiate(c, name, loss);
    step(c, &s);
}

static void root_averages(struct gan *c)
{
    for (int i = 0; i < c->slots.n; i++)
        if (c->slots.slot[i]->name[0] == 'a')
            name_root(c, "average", i, square(version_of(c, c->slots.slot[i])));
}

static void build_iteration(struct gan *c)
{
    struct net n = network(c, "iteration");
    const struct shape image = SHAPE(2 + below(&n, 3), 1 + below(&n, 4), 4 + below(&n, 9),
                                     4 + below(&n, 9));
    c->smooth = below(&n, 2);
    c->couples = !below(&n, 3);
    c->g->minimal_filtering = c->smooth;
    struct value *real = input(c->g, "x", image), *z = input(c->g, "z", SHAPE(image.dim[0], 5));
    struct value *fake = generator(c, z, image), *said = critic(c, fake);
    struct value *y = critic_loss(&n, critic(c, real), said);
    const int kind = below(&n, 4);
    if (kind)
        y = add(y, affine(penalty(c, kind == 1 ? real : interpolated(real, fake)), 0.5, 0));
    const int order = below(&n, 4);
    if (order < 2)
        update_at_once(c, y,
                       order ? mean(softplus(affine(said, -1, 0))) : affine(mean(said), -1, 0),
                       below(&n, 2));
    else {
        update(c, "critic", y);
        update(c, "generator", affine(mean(critic(c, generator(c, z, image))), -1, 0));
    }
    graph_root(c->g, "after", mean(generator(c, z, image)));
    root_averages(c);
    graph_drop_unneeded(c->g);
}

#endif
