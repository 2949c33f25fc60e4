// What a layer is: a word of the language, as a composition of graph constructors. No gradients, no
// oneDNN. See layers/README.md.
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "config/param.h"
#include "ir/build.h"

struct application;

// One layer in one application of its network: where a layer's build function finds what it needs.
struct layer_ctx {
    struct graph *graph;
    struct diag *diag;
    struct place where; // of the layer's word
    // batch statistics, dropout; false when sampling and evaluating
    bool training;
    // the values named in parameters of PARAM_NAMES (`- concat: [a, b]`), already resolved
    struct value *const *other;
    int n_other;
    struct application *application; // nn/network.c's
};

enum layer_flag {
    LAYER_LABEL = 1 << 0,    // takes a label, (N), which no other layer does
    LAYER_BY_LABEL = 1 << 2, // takes one under a name of PARAM_NAMES
    // couples the samples of a batch in training (batch_norm): check warns inside a
    // gradient-penalised critic
    LAYER_COUPLES = 1 << 1,
    LAYER_DRAWS = 1 << 3 // draws in training (dropout): each application is another function
};

struct layer {
    // group: "linear", "shape", "activation", "normalisation", "noise", "join"
    struct word word;
    unsigned flags;
    // x is (N, …); the result likewise. NULL after ctx_fail.
    struct value *(*build)(struct layer_ctx *ctx, const void *params, struct value *x);
};

// A trainable tensor of this layer under PyTorch's name ("weight"), made at the network's first
// application, the same slot ever after, in its current version. fan_in and fan_out count as
// PyTorch counts; the rule that turns them into numbers is `init:` of the layer, or of the network,
// or PyTorch's. ctx_param takes its numbers from the layer; only `init:` of the layer itself, for
// "weight", overrules them.
struct value *ctx_weight(struct layer_ctx *ctx, const char *name, struct shape shape,
                         int64_t fan_in, int64_t fan_out);
// The same under PyTorch's spectral_norm: weight_orig, weight_u, weight_v; `out` is the dimension
// of the outputs.
struct value *ctx_spectral(struct layer_ctx *ctx, const char *name, struct shape shape,
                           int64_t fan_in, int64_t fan_out, int out);
struct value *ctx_bias(struct layer_ctx *ctx, const char *name, struct shape shape, int64_t fan_in);
struct value *ctx_param(struct layer_ctx *ctx, const char *name, struct shape shape,
                        struct init init);
// Untrained state (running statistics). ctx_track says what it becomes when a pass that trains
// this network has run: buffer ← buffer + t·(x − buffer).
struct value *ctx_buffer(struct layer_ctx *ctx, const char *name, struct shape shape,
                         struct init init);
void ctx_track(struct layer_ctx *ctx, struct value *buffer, struct value *x, double t);
// A new random stream for this layer in this application.
int ctx_stream(struct layer_ctx *ctx);
// Reports at the layer's place, naming both layers ("… but 'flatten' above (line 12) gives
// (6272)"); returns NULL.
struct value *ctx_fail(struct layer_ctx *ctx, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

// γ·unit + β by channel, which normalisations end in; unit is (N, C) or (N, C, H, W). Where `wanted`,
// γ and β are parameters "weight" and "bias"; with a name in `by:` (NORM_BY) they follow that value
// and are made of "gamma.weight", "gamma.bias" and so on; else there are none. False after ctx_fail.
struct channel_affine {
    struct value *gamma, *beta; // (1 or N, C, 1, …), or both NULL
};
bool ctx_affine(struct layer_ctx *ctx, struct shape unit, bool wanted, struct channel_affine *to);
struct value *channel_affine(struct channel_affine a, struct value *unit);
#define NORM_BY(offset)                                                                  \
    {                                                                                    \
        "by", PARAM_NAMES, (offset), "",                                                 \
            .help = "scale and shift follow this: a label (a row for each class), or a " \
                    "vector (linear in it)"                                              \
    }

// How many classes there are when x is a label input; else 0.
int64_t ctx_classes(const struct layer_ctx *ctx, const struct value *x);
// What joins share: the table of their one parameter, `with`, and x op a op b … of a pointwise op,
// for a word that wants equal shapes, or 1 where a side repeats. NULL after ctx_fail.
struct join {
    struct node *with;
};
extern const struct param join_params[];
struct value *ctx_fold(struct layer_ctx *ctx, const char *word, struct value *x,
                       struct value *(*op)(struct value *, struct value *));

// "'skip' (line 9) gives (64, 7, 7)": the i-th value beside the layer above, for messages of joins.
const char *ctx_other(const struct layer_ctx *ctx, int i);

// Kernel, stride and padding as a user writes them.
struct sliding {
    struct ints kernel, stride; // one number, or [height, width]
    // same, valid, a number, or [top, bottom, left, right]; NULL: same
    struct node *padding;
};
// The window that slides over an image of H × W (transposed: that gives rise to one of H × W).
// False after a mistake, reported.
bool ctx_window(struct layer_ctx *ctx, const struct sliding *how, int64_t H, int64_t W,
                bool transposed, int64_t kernel[2], struct window *win);
// The window of a pool: not transposed, the stride is the kernel and there is no padding unless
// said; a window holds a pixel at least. x is (N, C, H, W), or it is refused.
bool ctx_pool(struct layer_ctx *ctx, const char *word, const struct sliding *how,
              const struct value *x, int64_t kernel[2], struct window *win);
// x op … over each window along an axis (2: height, 3: width), `outside` where it is padded. Of
// equal values maximum() so takes the first, as PyTorch does.
struct value *fold_windows(struct value *x, int axis, int64_t kernel, const struct window *win,
                           double outside, struct value *(*op)(struct value *, struct value *));
#define POOL_PARAMS(slide)                                                                         \
    {"kernel", PARAM_INTS, (slide) + offsetof(struct sliding, kernel),    "2",                     \
     1,        1 << 10,    .help = "size of a window, or [height, width]"},                        \
        {"stride",                                                                                 \
         PARAM_INTS,                                                                               \
         (slide) + offsetof(struct sliding, stride),                                               \
         "",                                                                                       \
         1,                                                                                        \
         1 << 10,                                                                                  \
         .help = "step, or [down, right]; the kernel, unless said"},                               \
    {                                                                                              \
        "padding", PARAM_NODE, (slide) + offsetof(struct sliding, padding), "",                    \
            .takes = "word, number, or list",                                                      \
            .help =                                                                                \
                "valid (the default), same (TensorFlow's rule), a number, or [top, bottom, left, " \
                "right]"                                                                           \
    }
// A number or [top, bottom, left, right], none below zero.
bool ctx_borders(struct layer_ctx *ctx, const struct node *node, const char *what,
                 int64_t border[4]);
// (C) as (1, C, 1, …), to be added to or multiplied with a value of that rank.
struct value *along_channels(struct value *v, int rank);

extern const struct vocabulary layers;            // generated from the folder
const struct layer *layer_find(const char *name); // NULL when there is none
// "unknown layer …", naming the right word for a foreign one
bool fail_layer(struct diag *d, struct place where, const char *word);

#endif
