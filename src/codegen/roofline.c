// The best of a few runs, not the median: a roofline is what nothing rises above. The product goes
// through the same library that plans use, so that "peak" means what this build could reach; the
// copy is far larger than the caches.
#include "codegen/roofline.h"
#include "codegen/lowering.h"

#include "base/arena.h"
#include "base/clock.h"
#include "codegen/onednn/dnn.h"

#include <string.h>

enum { SIDE = 1536, TRIES = 6, COPY = 1 << 24, PIECE = 1 << 14 };

static float *filled(struct arena *a, size_t n)
{
    float *x = arena_alloc(a, n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 13) * 0.125f;
    return x;
}

static double product_seconds(struct arena *a)
{
    const size_t n = (size_t)SIDE * SIDE;
    const struct dnn_primitive *p = dnn_matmul(
        &(struct dnn_matmul){.batch = 1, .m = SIDE, .k = SIDE, .n = SIDE});
    struct dnn_call *call = dnn_bind(
        a, p, (struct dnn_args){.x = filled(a, n), .w = filled(a, n), .y = filled(a, n)});
    dnn_call_room(call, arena_alloc(a, dnn_scratch(p) + 64));
    double best = 1e9;
    for (int i = 0; i < TRIES; i++) {
        const double start = clock_now();
        dnn_run(call);
        const double took = clock_now() - start;
        best = took < best ? took : best;
    }
    return best;
}

static double copy_seconds(struct arena *a)
{
    const float *from = filled(a, COPY);
    float *to = filled(a, COPY);
    double best = 1e9;
    for (int i = 0; i < TRIES; i++) {
        const double start = clock_now();
#pragma omp parallel for schedule(static)
        for (int k = 0; k < COPY; k += PIECE)
            memcpy(to + k, from + k, PIECE * sizeof *to);
        const double took = clock_now() - start;
        best = took < best ? took : best;
    }
    return best;
}

struct roofline roofline_measure(void)
{
    struct arena *a = arena_new(NULL);
    const struct roofline r = {.flops = 2.0 * SIDE * SIDE * SIDE / product_seconds(a),
                               .bytes = 2.0 * COPY * sizeof(float) / copy_seconds(a)};
    arena_free(a);
    return r;
}

struct work work_of(const struct value *v)
{
    struct work w = {0};
    if (!lowering_of(v->op)->lower || (v->op->flags & (OP_ALIAS | OP_SOURCE)))
        return w;
    w.flops = v->op->multiply_adds ? 2 * v->op->multiply_adds(v) : 0;
    w.bytes = (double)shape_size(v->shape) * sizeof(float);
    for (int i = 0; i < v->n_in; i++)
        w.bytes += (double)shape_size(v->in[i]->shape) * sizeof(float);
    return w;
}

struct work work_of_graph(const struct graph *g)
{
    struct work sum = {0};
    for (int i = 0; i < g->n; i++) {
        const struct work w = work_of(g->value[i]);
        sum.flops += w.flops;
        sum.bytes += w.bytes;
    }
    return sum;
}

double work_floor(struct work w, const struct roofline *r)
{
    ASSERT(r->flops > 0 && r->bytes > 0);
    const double flops = w.flops / r->flops, bytes = w.bytes / r->bytes;
    return flops > bytes ? flops : bytes;
}
