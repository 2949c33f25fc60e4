// c = op(a)·op(b)   da = dc·op(b)ᵀ   db = op(a)ᵀ·dc, transposed again where the input was
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"
#include "ir/post_ops.h"

static int64_t op_matmul_rows(const struct value *x, bool t)
{
    return x->shape.dim[x->shape.rank - (t ? 1 : 2)];
}
static int64_t op_matmul_columns(const struct value *x, bool t)
{
    return x->shape.dim[x->shape.rank - (t ? 2 : 1)];
}
static int64_t batch(const struct value *x) { return x->shape.rank == 3 ? x->shape.dim[0] : 1; }

struct value *matmul(struct value *a, struct value *b, bool ta, bool tb)
{
    const int rank = a->shape.rank;
    if (rank < 2 || rank > 3 || b->shape.rank != rank || batch(a) != batch(b) ||
        op_matmul_columns(a, ta) != op_matmul_rows(b, tb))
        BUG("matmul: shapes do not fit");
    const int64_t m = op_matmul_rows(a, ta), n = op_matmul_columns(b, tb);
    return graph_add(a->graph, &op_matmul, rank == 3 ? SHAPE(batch(a), m, n) : SHAPE(m, n), 2,
                     (struct value *[]){a, b}, (struct attr){.matmul = {ta, tb}});
}

static void matmul_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    struct value *a = v->in[0], *b = v->in[1];
    const bool ta = v->attr.matmul.ta, tb = v->attr.matmul.tb;
    if (want[0])
        dx[0] = ta ? matmul(b, dy, tb, true) : matmul(dy, b, false, !tb);
    if (want[1])
        dx[1] = tb ? matmul(dy, a, true, ta) : matmul(a, dy, !ta, false);
}

static void one_product(const struct value *v, const double *a, const double *b, double *out)
{
    const bool ta = v->attr.matmul.ta, tb = v->attr.matmul.tb;
    const int64_t M = op_matmul_rows(v, false), N = op_matmul_columns(v, false),
                  K = op_matmul_columns(v->in[0], ta);
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double s = 0;
            for (int64_t k = 0; k < K; k++)
                s += a[ta ? k * M + m : m * K + k] * b[tb ? n * K + k : k * N + n];
            out[m * N + n] = s;
        }
}

static void matmul_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t n = batch(v), a = shape_size(v->in[0]->shape) / n,
                  b = shape_size(v->in[1]->shape) / n, c = shape_size(v->shape) / n;
    for (int64_t i = 0; i < n; i++)
        one_product(v, in[0] + i * a, in[1] + i * b, out + i * c);
    post_ops_reference(v, in, out);
}

static void matmul_print(const struct value *v, struct text *out)
{
    text_addf(out, "%s·%s", v->attr.matmul.ta ? "aᵀ" : "a", v->attr.matmul.tb ? "bᵀ" : "b");
    post_ops_print(v, out);
}

static double matmul_multiply_adds(const struct value *v)
{
    return (double)shape_size(v->shape) * (double)op_matmul_columns(v->in[0], v->attr.matmul.ta);
}

// Matrices: (m, k), (k, n), (m, n), the first two perhaps stored transposed; and what is added to
// the last, (1, n) or (m, n).
static bool matmul_axis(const struct value *v, int known, int d, int *axis)
{
    static const char letters[3][2] = {"mk", "kn", "mn"};
    const bool transposed[] = {v->attr.matmul.ta, v->attr.matmul.tb, false};
    const int which = known < 0 || known > 2 ? 2 : known;
    const char letter = letters[which][d ^ transposed[which]];
    for (int i = 0; i <= v->n_in; i++) {
        const int of = i < 2 ? i : 2;
        axis[i] = letters[of][0] == letter   ? transposed[of]
                  : letters[of][1] == letter ? !transposed[of]
                                             : -1;
        if (i < v->n_in && axis[i] >= 0 && v->in[i]->shape.dim[axis[i]] == 1)
            axis[i] = -1;
    }
    return v->shape.rank == 2;
}

static enum batch_role matmul_batch_role(const struct value *v, int i)
{
    return v->shape.rank == 3  ? BATCH_EACH
           : v->attr.matmul.ta ? BATCH_COUPLED
           : i                 ? BATCH_SHARED
                               : BATCH_EACH;
}

static bool matmul_sums_batch(const struct value *v)
{
    return v->shape.rank == 2 && v->attr.matmul.ta && !v->attr.matmul.tb;
}

const struct op op_matmul = {.name = "matmul",
                             .flags = OP_PRODUCT | OP_POST_OPS,
                             .attr = ATTR_MATMUL,
                             .batch_role = matmul_batch_role,
                             .sums_batch = matmul_sums_batch,
                             .linear_in = linear_in_each,
                             .grad = matmul_grad,
                             .reference = matmul_reference,
                             .print = matmul_print,
                             .axis_rule = matmul_axis,
                             .multiply_adds = matmul_multiply_adds};
