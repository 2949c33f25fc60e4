// Typed constructors: each infers the shape, asserts that its arguments fit (the caller has checked
// what the user wrote) and appends one value. Each is defined in ir/ops/ beside its gradient
// and its reference.
#ifndef IR_BUILD_H
#define IR_BUILD_H

#include "ir/slot.h"
#include "ir/value.h"

// --- sources ---------------------------------------------------------------------------------
// What the host feeds before a step: "real.image@0" (field, repetition), "lr/0".
struct value *input(struct graph *g, const char *name, struct shape shape);
struct value *constant(struct graph *g, double x, struct shape shape);
struct value *count_up(struct graph *g, int64_t n); // 0, 1, …, n − 1 as (n)
// the slot's version at the start of the program
struct value *param(struct graph *g, struct slot *slot);
// Philox keyed by the run's seed, the step, and the stream number. UNIFORM: [a, b). NORMAL: mean a,
// deviation b. BERNOULLI: 1 with probability a, else 0. LABEL: whole numbers in [0, a).
// Equal streams are equal draws: take g->next_stream++ for a new one.
struct value *random_value(struct graph *g, enum random_kind kind, double a, double b, int stream,
                           struct shape shape);

// --- pointwise: shapes equal, or of equal rank with 1 where one side repeats ---------------------
//   add sub mul divide maximum minimum(a, b)    greater(a, b): 1 where a > b, else 0
//   select_value(c, a, b): a where c != 0, else b
//   affine(x, scale, shift): scale·x + shift    leaky_relu(x, slope): x > 0 ? x : slope·x
//   step_value(x, slope): x > 0 ? 1 : slope     elu(x, alpha)     softplus: log(1 + e^x), stable
//   exp_value log_value sqrt_value rsqrt_value tanh_value sigmoid square abs_value sign_value(x)
// and whatever else ir/ops/pointwise.def has.
#define POINTWISE_ARGUMENTS_1_0 struct value *a
#define POINTWISE_ARGUMENTS_1_1 struct value *a, double f
#define POINTWISE_ARGUMENTS_1_2 struct value *a, double f, double g
#define POINTWISE_ARGUMENTS_2_0 struct value *a, struct value *b
#define POINTWISE_ARGUMENTS_3_0 struct value *a, struct value *b, struct value *c
#define POINTWISE(code, make, word, arity, numbers, ...) \
    struct value *make(POINTWISE_ARGUMENTS_##arity##_##numbers);
#include "ir/ops/pointwise.def"
#undef POINTWISE
struct value *detach(struct value *x); // x, gradient stopped

// --- shape ---------------------------------------------------------------------------------------
struct value *reshape(struct value *x, struct shape shape);
struct value *transpose(struct value *x, const int *perm); // out.dim[i] = x.dim[perm[i]]
struct value *slice(struct value *x, int axis, int64_t from, int64_t length);
// zeros; a pair per dimension
struct value *pad(struct value *x, const int64_t *before, const int64_t *after);
struct value *concat(struct value *const *x, int n, int axis);
// repeats dimensions of size 1; equal rank
struct value *broadcast(struct value *x, struct shape shape);
struct value *upsample(struct value *x, int64_t factor); // (N, C, H, W), nearest
// (N, C, H, W): sum of factor × factor blocks; upsample's adjoint
struct value *pool_sum(struct value *x, int64_t factor);
// (N, C, H, W): rows by `down`, columns by `across`, whose `from` are H and W
struct value *resample(struct value *x, struct resampling down, struct resampling across);
// x (N, C, H, W) moved by whole pixels, zeros coming in; by (N, 2): down, right. No gradient in `by`.
struct value *shift(struct value *x, struct value *by);

// --- reductions: reduced dimensions become 1 -----------------------------------------------------
enum { AXES_ALL = 63 };
struct value *reduce_sum(struct value *x, unsigned axes); // bit i: dimension i
// reduce_sum of x, and behind it along dimension 0 that of (x − mean)²; only opt/fuse_mean_var.c makes
// them, after differentiation.
struct value *sum_var(struct value *x, unsigned axes);
struct value *reduce_max(struct value *x, unsigned axes); // gradient stopped
// of all elements; a scalar of rank 0
struct value *mean(struct value *x);
// of all elements; a scalar of rank 0
struct value *sum(struct value *x);
struct value *mean_axes(struct value *x, unsigned axes); // keeps rank

// --- linear --------------------------------------------------------------------------------------
// op(a)·op(b), rank 2, or rank 3 with a batch in front: op transposes where ta, tb. (M, K)·(K, N) =
// (M, N)
struct value *matmul(struct value *a, struct value *b, bool ta, bool tb);
// x (N, C, H, W), w (K, C, kh, kw): cross-correlation, (N, K, oh, ow),
//     oh = (H + top + bottom − kh) / sh + 1
struct value *conv(struct value *x, struct value *w, struct window win);
// The adjoint in x: dy (N, K, oh, ow), w (K, C, kh, kw) to (N, C, H, W). Also the forward of a
// transposed convolution.
struct value *conv_data_grad(struct value *dy, struct value *w, struct window win, int64_t H,
                             int64_t W);
// The adjoint in w: (K, C, kh, kw)
struct value *conv_weight_grad(struct value *x, struct value *dy, struct window win, int64_t kh,
                               int64_t kw);
// Whether v is conv or one of its gradients.
static inline bool is_conv(const struct value *v) { return v->op->attr == ATTR_CONV; }
// Which of the three; v is one.
enum conv_role { CONV_FORWARD, CONV_DATA_GRAD, CONV_WEIGHT_GRAD };
enum conv_role conv_role(const struct value *v);
bool conv_is(const struct value *v, enum conv_role role); // of any v
bool window_is_unpadded(const struct window *w);
// x, w and y of y = conv(x, w), whichever of them v is.
struct conv_parts {
    const struct value *x, *w, *y;
};
struct conv_parts conv_parts(const struct value *v);
// The same convolution, in any direction, to be computed by Winograd's algorithm with tiles of so many
// results; whether one is, and its tiles down (axis 0) or across (1). Made by
// opt/winograd.c.
struct value *conv_winograd(struct value *conv, int down, int across);
bool conv_is_winograd(const struct value *v);
int conv_winograd_tile(const struct value *v, int axis);
// The kernel of the transposed convolution that upsampling by `factor` and then convolving with w
// (K, C, kh, kw) comes to: (C, K, kh + factor − 1, kw + factor − 1); and its adjoint. Made by
// opt/fold_upsample.c.
struct value *upsampled_kernel(struct value *w, int64_t factor);
struct value *upsampled_kernel_grad(struct value *dw, int64_t factor);
// The kernel (K, C, kh + factor − 1, kw + factor − 1) of the convolution with stride `factor` that
// convolving with w (K, C, kh, kw) and then pool_sum comes to; and its adjoint. Made by
// opt/fold_pool.c.
struct value *pooled_kernel(struct value *w, int64_t factor);
struct value *pooled_kernel_grad(struct value *dw, int64_t factor);

// What Winograd's convolutions are made of: a convolution's result, input or weights, cut into tiles and
// evaluated at the q points of ir/winograd_points.h, to (q², rows, columns); rows are tiles (of weights:
// filters), columns channels, beside each other for each phase of the stride. And the adjoint, to
// an image of `shape`. Made by opt/winograd.c; ir/ops/op_winograd.c has the formula.
struct value *winograd_transform(struct value *x, enum winograd_role role,
                                 struct winograd_tiling t);
struct value *winograd_transform_adjoint(struct value *y, enum winograd_role role,
                                         struct winograd_tiling t, struct shape shape);

// --- labels --------------------------------------------------------------------------------------
struct value *one_hot(struct value *label, int64_t classes);    // (N) to (N, classes)
struct value *gather(struct value *table, struct value *index); // (R, D), (N) to (N, D)
// (N, D), (N) to (rows, D): gather's adjoint
struct value *scatter_add(struct value *x, struct value *index, int64_t rows);

// --- effects: p is a version of a slot; the result is its next version, a root; more in ir/update.h
struct value *clip_slot(struct value *p, double low, double high);
// p ← p + t·(x − p): running statistics, EMA
struct value *lerp_slot(struct value *p, struct value *x, double t);
struct value *assign_slot(struct value *p, struct value *x); // p ← x

// --- layout: for passes --------------------------------------------------------------------------
// x in another layout, which the pass sets: the same value for autodiff and reference. attr.why is
// why, for people; it lives as long as the graph.
struct value *reorder(struct value *x, const char *why);
// The second copy of a slot's version, in the layout that the pass sets: one that the slot has a
// packed copy in. May be read as long as the version may. attr.why is why.
struct value *packed_copy(struct value *version, const char *why);
// Whether an effect of that slot has to write that packed copy: a later value of its graph reads it before
// the next version, or there is no next one, and what comes after the graph may.
bool effect_writes_packed(const struct value *v, const struct packed_copy *t);

// --- differentiation -----------------------------------------------------------------------------
// dy/dx_i for a scalar y, appended to the graph; zero where y does not depend on x_i. The results
// are ordinary values: differentiate them again for a second derivative.
void gradient(struct value *y, struct value *const *x, int n, struct value **dx);

#endif
