// The functions of expressions, a row each: what they take, and how they are built.
#include "base/arena.h"
#include "program/builder.h"
#include "lang/sections.h"
#include "lang/vocabulary.h"

#include <math.h>
#include <string.h>

static bool fail_argument(struct builder *b, const struct expression *is, int i, const char *wanted)
{
    return fail(b->d, is->arg[i]->where, "argument %d of '%s' does not fit\nexpected %s", i + 1,
                is->name, wanted);
}

// Along the channels, the first dimension after the batch; labels do not join.
static bool build_concat(struct builder *b, const struct expression *is, const struct operand *x,
                         struct operand *out)
{
    struct value **v = NEW_ARRAY(b->arena, struct value *, is->n_arg);
    for (int i = 0; i < is->n_arg; i++) {
        v[i] = x[i].value;
        if (!v[i] || v[i]->shape.rank < 2 || x[i].is.classes)
            return fail_argument(b, is, i, "a tensor with channels");
        if (v[i]->shape.rank != v[0]->shape.rank)
            return fail_argument(b, is, i, "the same number of dimensions as the first");
        for (int d = 2; d < v[0]->shape.rank; d++)
            if (v[i]->shape.dim[d] != v[0]->shape.dim[d])
                return fail(b->d, is->arg[i]->where,
                            "'concat' of %s and %s\nexpected equal heights and widths",
                            signature_text(b->arena, x[0].is), signature_text(b->arena, x[i].is));
    }
    *out = operand_of(concat(v, is->n_arg, 1));
    return true;
}

// Numbers take the shape of the other side; the condition may be 1 where it repeats.
static bool build_where(struct builder *b, const struct expression *is, const struct operand *x,
                        struct operand *out)
{
    const struct operand *like = x[1].value ? &x[1] : &x[2];
    struct shape fits;
    if (!x[0].value)
        return fail_argument(
            b, is, 0, "a tensor: where it is not 0 the second argument is taken, else the third");
    if (!like->value)
        return fail_argument(b, is, 1, "a tensor on one side at least");
    if (!shape_broadcast(x[0].value->shape, like->value->shape, &fits) ||
        !shape_equal(fits, like->value->shape))
        return fail(
            b->d, is->arg[0]->where,
            "'where' of %s chooses between %s\nexpected the same shape, or 1 where it repeats",
            signature_text(b->arena, x[0].is), signature_text(b->arena, like->is));
    struct value *yes = builder_tensor(b, &x[1], like->value->shape, is->arg[1]->where,
                                       "the second argument of 'where'");
    struct value *no = builder_tensor(b, &x[2], like->value->shape, is->arg[2]->where,
                                      "the third argument of 'where'");
    if (!yes || !no)
        return false;
    *out = operand_of(select_value(x[0].value, yes, no));
    return true;
}

static bool build_detach(struct builder *b, const struct expression *is, const struct operand *x,
                         struct operand *out)
{
    if (!x[0].value)
        return fail_argument(b, is, 0, "a tensor");
    *out = (struct operand){detach(x[0].value), 0, x[0].is};
    return true;
}

static bool build_mean(struct builder *b, const struct expression *is, const struct operand *x,
                       struct operand *out)
{
    if (!x[0].value)
        return fail_argument(b, is, 0, "a tensor");
    *out = operand_of(mean(x[0].value));
    return true;
}

// Whole factors only: nearest up, the mean of blocks down.
static bool build_resize(struct builder *b, const struct expression *is, const struct operand *x,
                         struct operand *out)
{
    struct value *v = x[0].value;
    if (!v || v->shape.rank != 4 || v->shape.dim[2] != v->shape.dim[3])
        return fail_argument(b, is, 0, "a square image");
    const int64_t size = v->shape.dim[2], to = (int64_t)x[1].number;
    if (x[1].value || to < 1 || (double)to != x[1].number || (size % to && to % size))
        return fail(b->d, is->arg[1]->where,
                    "'resize' of images of %d by %d\n"
                    "expected a size that is a whole multiple or part of it",
                    (int)size, (int)size);
    const double block = (double)(size / to * (size / to));
    *out = operand_of(to >= size ? upsample(v, to / size)
                                 : affine(pool_sum(v, size / to), 1 / block, 0));
    return true;
}

// x(r, c) becomes y(r, c) = x(c, n − 1 − r): a quarter turn against the clock.
static bool build_rotate90(struct builder *b, const struct expression *is, const struct operand *x,
                           struct operand *out)
{
    struct value *v = x[0].value;
    if (!v || v->shape.rank != 4)
        return fail_argument(b, is, 0, "an image");
    const int64_t n = v->shape.dim[3];
    struct value **column = NEW_ARRAY(b->arena, struct value *, n);
    for (int64_t i = 0; i < n; i++)
        column[i] = slice(v, 3, n - 1 - i, 1);
    *out = operand_of(transpose(concat(column, (int)n, 3), (const int[]){0, 1, 3, 2}));
    return true;
}

// [x > 0]
static struct value *positive(struct value *x)
{
    struct shape ones = {.rank = x->shape.rank, .dim = {1, 1, 1, 1, 1, 1}};
    return greater(x, constant(x->graph, 0, ones));
}

static bool build_sign(struct builder *b, const struct expression *is, const struct operand *x,
                       struct operand *out)
{
    if (!x[0].value || x[0].is.classes)
        return fail_argument(b, is, 0, "a tensor");
    *out = operand_of(affine(positive(x[0].value), 2, -1));
    return true;
}

// A whole number given as an argument; 0 where it is none.
static int64_t function_whole(const struct operand *x)
{
    enum { TIMES_MAX = 4096 };
    return !x->value && x->number >= 1 && x->number <= TIMES_MAX && x->number == floor(x->number)
               ? (int64_t)x->number
               : 0;
}

// (N, …) to (N·n, …), the n of a sample beside each other
static bool build_repeat(struct builder *b, const struct expression *is, const struct operand *x,
                         struct operand *out)
{
    struct value *v = x[0].value;
    const int64_t n = function_whole(&x[1]);
    if (!v || !v->shape.rank || v->shape.rank == RANK_MAX)
        return fail_argument(b, is, 0, "a tensor");
    if (!n)
        return fail_argument(b, is, 1, "how often: a whole number from 1 to 4096");
    struct shape one = {.rank = v->shape.rank + 1, .dim = {v->shape.dim[0], 1}}, all = v->shape;
    memcpy(one.dim + 2, v->shape.dim + 1, sizeof *one.dim * (size_t)(v->shape.rank - 1));
    struct shape many = one;
    many.dim[1] = n;
    all.dim[0] *= n;
    *out = (struct operand){reshape(broadcast(reshape(v, one), many), all), 0, x[0].is};
    return true;
}

// (N·n, F) to (N, n·F)
static bool build_fold(struct builder *b, const struct expression *is, const struct operand *x,
                       struct operand *out)
{
    struct value *v = x[0].value;
    const int64_t n = function_whole(&x[1]);
    if (!v || v->shape.rank != 2)
        return fail_argument(b, is, 0, "numbers in a row for each sample");
    if (!n || v->shape.dim[0] % n)
        return fail_argument(b, is, 1, "the number that the samples were repeated by");
    *out = operand_of(reshape(v, SHAPE(v->shape.dim[0] / n, n * v->shape.dim[1])));
    return true;
}

// Σ log P(x), P(1) = 1 / (1 + e^−l): −Σ log(1 + e^{−l}) where x > 0, −Σ log(1 + e^l) elsewhere
static bool build_log_bernoulli(struct builder *b, const struct expression *is,
                                const struct operand *x, struct operand *out)
{
    struct value *v = x[0].value, *logits = x[1].value;
    if (!v || v->shape.rank < 2)
        return fail_argument(b, is, 0, "draws of a layer `bernoulli`");
    if (!logits || !shape_equal(v->shape, logits->shape))
        return fail_argument(b, is, 1, "logits, as many as draws");
    struct value *against = mul(affine(positive(v), -2, 1), logits);
    struct value *total = reduce_sum(softplus(against),
                                     AXES_ALL & ~1u & ((1u << v->shape.rank) - 1));
    *out = operand_of(affine(reshape(total, SHAPE(v->shape.dim[0], 1)), -1, 0));
    return true;
}

#define FUNCTION(name, arguments, least, most, help)                            \
    {                                                                           \
        {#name, NULL, help, #name "(" arguments ")"}, least, most, build_##name \
    }
static const struct function function[] = {
    FUNCTION(concat, "a, b, …", 2, 16, "joins along the channels"),
    FUNCTION(where, "condition, a, b", 3, 3, "a where the condition is not 0, else b"),
    FUNCTION(detach, "x", 1, 1, "x, with gradients stopped"),
    FUNCTION(mean, "x", 1, 1, "one number: the mean of all of x, batch included"),
    FUNCTION(resize, "x, size", 2, 2, "square images to size × size, by a whole factor"),
    FUNCTION(rotate90, "x", 1, 1, "images, a quarter turn against the clock"),
    FUNCTION(sign, "x", 1, 1, "1 where x is above 0, else −1"),
    FUNCTION(repeat, "x, n", 2, 2, "each sample n times: a batch n times as long"),
    FUNCTION(fold, "x, n", 2, 2, "the numbers of n samples in one row: repeat's way back"),
    FUNCTION(log_bernoulli, "x, logits", 2, 2,
             "log-probability of draws of the layer bernoulli, by sample"),
};

const struct vocabulary functions = {
    "function", (const struct word *const[]){
                    &function[0].word, &function[1].word, &function[2].word, &function[3].word,
                    &function[4].word, &function[5].word, &function[6].word, &function[7].word,
                    &function[8].word, &function[9].word, NULL}};

const struct function *function_find(const char *name)
{
    return (const struct function *)word_find(&functions, name);
}

bool function_takes(const struct function *f, int n) { return n >= f->least && n <= f->most; }

// --- counting and boxes --------------------------------------------------------------------------

struct value *count_up(struct graph *g, int64_t n)
{
    struct value **each = NEW_ARRAY(g->arena, struct value *, n);
    for (int64_t i = 0; i < n; i++)
        each[i] = constant(g, (double)i, SHAPE(1));
    return n == 1 ? each[0] : concat(each, (int)n, 0);
}

// 1 where from <= i < from + size: at (batch, 1) against i (1, n)
static struct value *span(struct graph *g, struct value *from, int64_t n, int64_t size)
{
    struct value *i = reshape(count_up(g, n), SHAPE(1, n));
    return mul(greater(affine(i, 1, 0.5), from), greater(affine(from, 1, (double)size - 0.5), i));
}

struct value *draw_box(struct graph *g, int64_t batch, const struct noise *n, int stream)
{
    enum { SECOND = 1 << 15 }; // of the two streams of a draw
    const int64_t H = n->is.shape.dim[1], W = n->is.shape.dim[2];
    struct value *top = random_value(g, RANDOM_LABEL, (double)(H - n->size[0] + 1), 0, stream,
                                     SHAPE(batch, 1));
    struct value *left = random_value(g, RANDOM_LABEL, (double)(W - n->size[1] + 1), 0,
                                      stream + SECOND, SHAPE(batch, 1));
    struct value *rows = reshape(span(g, top, H, n->size[0]), SHAPE(batch, 1, H, 1));
    struct value *columns = reshape(span(g, left, W, n->size[1]), SHAPE(batch, 1, 1, W));
    return mul(rows, columns);
}
