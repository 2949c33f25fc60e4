// Prepares copies between views: the loops go as the destination lies, dimensions that lie next to
// each other in both are merged, and the two innermost are worked on together. Where the source is
// contiguous along another dimension than the destination (plain to channels-last), that one comes
// second and eight by eight numbers are transposed in registers: a plain loop would touch a cache
// line a number on one side.
#include "codegen/tasks.h"

#include <string.h>

static void swap(struct copy_task *t, int i, int j)
{
    const int64_t d = t->dim[i], a = t->to_stride[i], b = t->from_stride[i];
    t->dim[i] = t->dim[j];
    t->to_stride[i] = t->to_stride[j];
    t->from_stride[i] = t->from_stride[j];
    t->dim[j] = d;
    t->to_stride[j] = a;
    t->from_stride[j] = b;
}

static void copy_task_sort(struct copy_task *t)
{
    for (int i = 1; i < t->rank; i++)
        for (int j = i; j > 0 && t->to_stride[j - 1] < t->to_stride[j]; j--)
            swap(t, j - 1, j);
}

static void copy_task_merge(struct copy_task *t)
{
    for (int d = t->rank - 2; d >= 0; d--)
        if (t->to_stride[d] == t->to_stride[d + 1] * t->dim[d + 1] &&
            t->from_stride[d] == t->from_stride[d + 1] * t->dim[d + 1]) {
            t->dim[d + 1] *= t->dim[d];
            for (int i = d; i + 1 < t->rank; i++)
                swap(t, i, i + 1);
            t->rank--;
        }
}

static void prepend(struct copy_task *t)
{
    ASSERT(t->rank < COPY_RANK);
    t->rank++;
    for (int i = t->rank - 1; i > 0; i--)
        swap(t, i - 1, i);
    t->dim[0] = 1;
    t->to_stride[0] = t->from_stride[0] = 0;
}

static enum copy_kind kind(struct copy_task *t)
{
    const int last = t->rank - 1;
    if (t->to_stride[last] == 1 && t->from_stride[last] == 1)
        return COPY_ROWS;
    if (t->to_stride[last] == 1 && t->from_stride[last] == 0)
        return COPY_FILL;
    for (int d = 0; d < last; d++)
        if (t->to_stride[last] == 1 && t->from_stride[d] == 1 && t->dim[d] > 1) {
            for (; d < last - 1; d++)
                swap(t, d, d + 1);
            return COPY_TRANSPOSE;
        }
    return COPY_NEST;
}

struct copy_task copy_task(float *to, struct view to_view, const float *from, struct view from_view)
{
    ASSERT(to_view.rank == from_view.rank && to_view.rank < COPY_RANK);
    ASSERT(to_view.type == TYPE_F32 && from_view.type == TYPE_F32);
    struct copy_task t = {.to = to, .from = from};
    int64_t n = 1;
    for (int d = 0; d < to_view.rank; d++) {
        n *= to_view.dim[d];
        if (to_view.dim[d] == 1)
            continue;
        t.dim[t.rank] = to_view.dim[d];
        t.to_stride[t.rank] = to_view.stride[d];
        t.from_stride[t.rank++] = from_view.stride[d];
    }
    copy_task_sort(&t);
    copy_task_merge(&t);
    while (t.rank < 2)
        prepend(&t);
    t.kind = kind(&t);
    const int64_t rows = t.dim[t.rank - 2], columns = t.dim[t.rank - 1];
    t.piece[1] = columns < 8192 ? columns : t.kind == COPY_TRANSPOSE ? 1024 : 8192;
    t.piece[0] = t.kind == COPY_TRANSPOSE ? 32 : t.piece[1] > 4096 ? 1 : 4096 / t.piece[1];
    t.pieces[0] = (rows + t.piece[0] - 1) / t.piece[0];
    t.pieces[1] = (columns + t.piece[1] - 1) / t.piece[1];
    t.units = t.pieces[0] * t.pieces[1];
    for (int d = 0; d < t.rank - 2; d++)
        t.units *= t.dim[d];
    t.threads = kernel_threads(n);
    return t;
}

void copy_views(float *to, struct view to_view, const float *from, struct view from_view)
{
    struct copy_task t = copy_task(to, to_view, from, from_view);
    kernels()->copy(&(struct copy_tasks){1, &t});
}
