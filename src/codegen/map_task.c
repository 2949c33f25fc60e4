// Prepares map tasks: chooses the order of the loops, merges dimensions that lie next to each other
// in every operand, cuts blocks, assigns registers. Storing walks memory as the output lies. A
// reduction walks it as its largest operand lies, with the kept dimensions outside the reduced
// ones, except that a kept innermost dimension stays innermost (channels-last statistics: rows are
// added to a vector). Walking in logical order instead would read channels-last images with a
// stride of C floats: a cache line a number.
#include "codegen/tasks.h"

#include "base/arena.h"
#include "codegen/lowering.h"

#include <string.h>

static void swap_dims(struct map_task *t, int i, int j)
{
    ASSERT(i >= 0 && i < t->rank && j >= 0 && j < t->rank);
#define SWAP(a)                   \
    do {                          \
        const int64_t x = (a)[i]; \
        (a)[i] = (a)[j];          \
        (a)[j] = x;               \
    } while (0)
    SWAP(t->dim);
    SWAP(t->out_stride);
    for (int k = 0; k < t->n_in; k++)
        SWAP(t->in_stride[k]);
#undef SWAP
}

// Insertion sort by stride, largest first: stable, so that equal strides stay in logical order.
static void sort_dims(struct map_task *t, const int64_t *stride)
{
    for (int i = 1; i < t->rank; i++)
        for (int j = i; j > 0 && stride[j - 1] < stride[j]; j--)
            swap_dims(t, j - 1, j);
}

static void drop_dim(struct map_task *t, int d)
{
    ASSERT(d >= 0 && d < t->rank);
    for (; d + 1 < t->rank; d++)
        swap_dims(t, d, d + 1);
    t->rank--;
}

static bool merges(const struct map_task *t, int d)
{
    if (t->out_stride[d] != t->out_stride[d + 1] * t->dim[d + 1])
        return false;
    for (int k = 0; k < t->n_in; k++)
        if (t->in_stride[k][d] != t->in_stride[k][d + 1] * t->dim[d + 1])
            return false;
    return true;
}

static void merge_dims(struct map_task *t)
{
    for (int d = t->rank - 2; d >= 0; d--)
        if (merges(t, d)) {
            t->dim[d + 1] *= t->dim[d];
            drop_dim(t, d);
        }
}

// The operand with the most dimensions of its own.
static const int64_t *lead(const struct map_task *t)
{
    int best = 0, most = -1;
    for (int k = 0; k < t->n_in; k++) {
        int own = 0;
        for (int d = 0; d < t->rank; d++)
            own += t->in_stride[k][d] != 0;
        if (own > most) {
            most = own;
            best = k;
        }
    }
    return t->in_stride[best];
}

static void append_unit_dim(struct map_task *t)
{
    const int d = t->rank++;
    t->dim[d] = 1;
    t->out_stride[d] = 0;
    for (int k = 0; k < t->n_in; k++)
        t->in_stride[k][d] = 0;
}

// Kept dimensions but the innermost go outside the reduced ones.
static void group_dims(struct map_task *t)
{
    if (t->out_stride[t->rank - 1] == 0)
        append_unit_dim(t);
    t->kept = 0;
    for (int d = 0; d + 1 < t->rank; d++)
        if (t->out_stride[d] != 0) {
            for (int j = d; j > t->kept; j--)
                swap_dims(t, j - 1, j);
            t->kept++;
        }
}

static bool dense(const struct map_task *t, const int64_t *stride)
{
    int64_t n = 1;
    for (int d = t->rank - 1; d >= t->split; d--) {
        const int64_t extent = d == t->split ? t->rows : t->dim[d];
        if (stride[d] != n && extent != 1)
            return false;
        n *= extent;
    }
    return true;
}

static int64_t map_task_product(const struct map_task *t, int from, int to)
{
    int64_t n = 1;
    for (int d = from; d < to; d++)
        n *= t->dim[d];
    return n;
}

// Elements of a block: all buffers of one together should stay in the first-level cache.
static int64_t tile_for(const struct map_task *t)
{
    const int64_t last = t->dim[t->rank - 1], tall = last * MAP_ROWS;
    if (t->gated || (t->reduce == MAP_SUM_VAR && t->n_in + t->n_step == 1 && last <= MAP_TILE))
        return tall < MAP_TILE ? MAP_TILE : tall < MAP_TALL ? tall : MAP_TALL;
    int buffers = t->n_in;
    for (int i = 0; i < t->n_step; i++)
        if (t->step[i].to != MAP_OUT && t->step[i].to >= buffers)
            buffers = t->step[i].to + 1;
    return buffers * MAP_TILE > MAP_NEAR ? MAP_TILE / 2 : MAP_TILE;
}

// Blocks: as many whole inner dimensions (not beyond `outermost`) as fit in a tile.
static void map_task_cut(struct map_task *t, int outermost)
{
    t->split = t->rank - 1;
    t->inner = 1;
    while (t->split > outermost && t->inner * t->dim[t->split] <= t->tile)
        t->inner *= t->dim[t->split--];
    const int64_t fit = t->tile / t->inner;
    t->rows = t->dim[t->split] < fit ? t->dim[t->split] : fit;
    for (int k = 0; k < t->n_in; k++)
        t->in_dense[k] = dense(t, t->in_stride[k]);
    t->out_dense = dense(t, t->out_stride);
}

static int64_t pieces(const struct map_task *t)
{
    return (t->dim[t->split] + t->rows - 1) / t->rows;
}

static void plan_store(struct map_task *t)
{
    sort_dims(t, t->out_stride);
    merge_dims(t);
    t->tile = tile_for(t);
    map_task_cut(t, 0);
    t->blocks = map_task_product(t, 0, t->split) * pieces(t);
}

// Whether input k is a number a column, or else all numbers, one behind the other.
static bool map_task_lies(const struct map_task *t, int k, bool column)
{
    int64_t n = 1;
    for (int d = t->rank - 1; d >= 0; d--) {
        if (d >= t->kept && t->in_stride[k][d] != (column && n > 1 ? 0 : n))
            return false;
        n *= t->dim[d];
    }
    return t->in_type[k] == TYPE_F32;
}

static bool gate_lies(const struct map_task *t)
{
    const struct map_gate *g = &t->gate;
    const int64_t width = t->dim[t->rank - 1];
    return width > 1 && width <= MAP_TILE && t->rank - t->kept > 1 &&
           map_task_lies(t, g->dy, false) && map_task_lies(t, g->x, false) &&
           map_task_lies(t, g->mean, true) && map_task_lies(t, g->scale, true) &&
           map_task_lies(t, g->shift, true);
}

static void plan_reduce(struct map_task *t, struct arena *a)
{
    sort_dims(t, lead(t));
    merge_dims(t);
    group_dims(t);
    t->gated = t->gated && gate_lies(t);
    t->tile = tile_for(t);
    const int last = t->rank - 1;
    t->by_row = t->dim[last] == 1 && t->kept > 0 &&
                map_task_product(t, t->kept, last) <= t->tile / 2;
    map_task_cut(t, t->by_row ? t->kept - 1 : t->kept);
    if (t->by_row && t->split == t->kept - 1) {
        t->blocks = map_task_product(t, 0, t->split) * pieces(t);
        return;
    }
    t->by_row = false;
    const bool columns = t->split == last;
    t->blocks = columns ? map_task_product(t, t->kept, last)
                        : map_task_product(t, t->kept, t->split) * pieces(t);
    t->width = columns ? t->rows : t->dim[last];
    t->chunks = (t->dim[last] + t->width - 1) / t->width;
    t->units = map_task_product(t, 0, t->kept) * t->chunks;
    t->shared = t->threads > 1 && t->units < 4 * t->threads && t->blocks >= t->threads;
    t->state = t->n_result * t->width + 1;
    if (t->shared)
        t->partial = NEW_ARRAY(a, double, t->threads * t->units * t->state);
}

// Gives each instruction a buffer that no later reader waits for; the last one writes the output of
// a store, those that are reduced keep theirs.
static void assign_registers(struct map_task *t, const struct map_program *p)
{
    ASSERT(p->n <= MAP_LENGTH);
    int last_use[MAP_BUFFERS] = {0};
    uint8_t place[MAP_BUFFERS];
    bool used[MAP_BUFFERS] = {false};
    for (int i = 0; i < p->n; i++)
        last_use[p->inst[i].a] = last_use[p->inst[i].b] = last_use[p->inst[i].c] = i;
    for (int i = 0; i < map_results(p); i++)
        last_use[map_result(p, i)] = p->n;
    for (int i = 0; i < p->n_in; i++)
        place[i] = (uint8_t)i;
    for (int i = 0; i < p->n; i++) {
        const struct map_inst *in = &p->inst[i];
        uint8_t to = (uint8_t)p->n_in;
        while (used[to])
            to++;
        t->step[i] = (struct map_step){in->code,     to,     place[in->a], place[in->b],
                                       place[in->c], in->f0, in->f1};
        place[p->n_in + i] = to;
        used[to] = true;
        for (int k = p->n_in; k < p->n_in + i; k++)
            if (last_use[k] == i)
                used[place[k]] = false;
    }
    if (p->n > 0 && p->reduce == MAP_STORE)
        t->step[p->n - 1].to = MAP_OUT;
    for (int i = 0; i < t->n_result; i++)
        t->result[i] = place[map_result(p, i)];
}

// --- contraction ---------------------------------------------------------------------------------

// The operand of `in`, its first or second, that is instruction `code` and read by nothing else; -1.
static int sole(const struct map_program *p, const struct map_inst *in, int code, const int *uses,
                int *place)
{
    for (*place = 1; *place >= 0; --*place) {
        const int k = (*place ? in->b : in->a) - p->n_in;
        if (k >= 0 && p->inst[k].code == code && uses[p->n_in + k] == 1)
            return k;
    }
    return -1;
}

// in, with what computes one of its operands if the kernels have both as one; that instruction's
// number, or -1.
static int contracted(const struct map_program *p, struct map_inst *in, const int *uses)
{
    int place;
    const bool sums = in->code == PW_ADD || in->code == PW_SUB;
    const int k = sums                 ? sole(p, in, PW_MUL, uses, &place)
                  : in->code == PW_MUL ? sole(p, in, PW_STEP, uses, &place)
                                       : -1;
    if (k < 0)
        return -1;
    const struct map_inst *of = &p->inst[k];
    const uint8_t other = place ? in->a : in->b;
    if (sums)
        *in = (struct map_inst){.a = of->a,
                                .b = of->b,
                                .c = other,
                                .code = in->code == PW_ADD ? MAP_MUL_ADD
                                        : place            ? MAP_SUB_MUL
                                                           : MAP_MUL_SUB};
    else
        *in = (struct map_inst){.code = MAP_GATE, .a = other, .b = of->a, .f0 = of->f0};
    return k;
}

static void count_uses(const struct map_program *p, int *uses)
{
    for (int i = 0; i < p->n; i++) {
        const uint8_t operand[] = {p->inst[i].a, p->inst[i].b, p->inst[i].c};
        for (int k = 0; k < pointwise_operands(p->inst[i].code); k++)
            uses[operand[k]]++;
    }
    for (int i = 0; i < map_results(p); i++)
        uses[map_result(p, i)]++;
}

// A program of fewer instructions: each is a loop over the block, whatever it does.
static void contract(struct map_program *p)
{
    int uses[MAP_BUFFERS] = {0}, n = 0;
    // 0: what no instruction reads, though an operand beyond an op's arity may name it
    uint8_t now[MAP_BUFFERS] = {0};
    bool taken[MAP_LENGTH] = {false};
    count_uses(p, uses);
    for (int i = 0; i < p->n; i++) {
        const int k = contracted(p, &p->inst[i], uses);
        if (k >= 0)
            taken[k] = true;
    }
    for (int i = 0; i < p->n_in; i++)
        now[i] = (uint8_t)i;
    for (int i = 0; i < p->n; i++) {
        if (taken[i])
            continue;
        const struct map_inst in = p->inst[i];
        now[p->n_in + i] = (uint8_t)(p->n_in + n);
        p->inst[n] = in;
        p->inst[n].a = now[in.a];
        p->inst[n].b = now[in.b];
        p->inst[n++].c = now[in.c];
    }
    p->n = n;
    for (int i = 0; i < p->n_result; i++)
        p->result[i] = now[p->result[i]];
}

// Whether a contracted program sums what a map_gate does.
static bool is_gate(const struct map_program *p, struct map_gate *g)
{
    const struct map_inst *d = p->inst, *u = d + 1, *gate = d + 2, *by = d + 3;
    const int at = p->n_in;
    if (p->reduce != MAP_SUM || p->n != 4 || p->n_result != 2 || d->code != PW_SUB ||
        u->code != MAP_MUL_ADD || gate->code != MAP_GATE || by->code != PW_MUL)
        return false;
    *g = (struct map_gate){
        gate->a, d->a, d->b, u->a == at ? u->b : u->a, u->c, gate->f0, p->result[0] == at + 3};
    return d->a < at && d->b < at && (u->a == at || u->b == at) && g->scale < at && u->c < at &&
           gate->a < at && gate->b == at + 1 && by->a + by->b == 2 * at + 2 &&
           (by->a == at || by->b == at) && p->result[0] + p->result[1] == 2 * at + 5 &&
           (g->transposed || p->result[0] == at + 2);
}

// Nothing to reduce over, or nothing to compute.
static struct map_program map_task_normal(const struct map_program *p, const struct map_task *t)
{
    struct map_program q = *p;
    bool reduces = false;
    for (int d = 0; d < t->rank; d++)
        reduces |= t->out_stride[d] == 0;
    if (!reduces && !q.n_result)
        q.reduce = MAP_STORE;
    if (q.reduce == MAP_STORE && q.n == 0)
        q.inst[q.n++] = (struct map_inst){.code = PW_AFFINE, .f0 = 1};
    return q;
}

struct map_task *map_task(struct arena *a, const struct map_program *program, const void *const *in,
                          const struct view *view, void *out, struct view to)
{
    ASSERT(program->n_in <= MAP_INPUTS && program->n <= MAP_LENGTH);
    ASSERT(program->space.rank < MAP_RANK);
    struct map_task *t = NEW(a, struct map_task);
    t->n_in = program->n_in;
    t->out = out;
    t->out_type = to.type;
    for (int k = 0; k < t->n_in; k++)
        t->in_type[k] = view[k].type;
    for (int d = 0; d < program->space.rank; d++) {
        if (program->space.dim[d] == 1)
            continue;
        const int r = t->rank++;
        t->dim[r] = program->space.dim[d];
        t->out_stride[r] = d < to.rank && to.dim[d] != 1 ? to.stride[d] : 0;
        for (int k = 0; k < t->n_in; k++)
            t->in_stride[k][r] = d < view[k].rank && view[k].dim[d] != 1 ? view[k].stride[d] : 0;
    }
    memcpy(t->in, in, sizeof *in * (size_t)t->n_in);
    struct map_program p = map_task_normal(program, t);
    contract(&p);
    if (t->rank == 0)
        append_unit_dim(t);
    t->n_step = p.n;
    t->reduce = p.reduce;
    t->n_result = map_results(&p);
    t->next_result = shape_size(p.space);
    for (int d = 0; d < p.space.rank; d++)
        t->next_result /= p.reduce != MAP_STORE && (p.axes >> d & 1) ? p.space.dim[d] : 1;
    t->threads = kernel_threads(shape_size(program->space));
    assign_registers(t, &p);
    t->gated = is_gate(&p, &t->gate);
    if (t->reduce == MAP_STORE)
        plan_store(t);
    else
        plan_reduce(t, a);
    return t;
}

void map_run(const void *map_task)
{
    const struct map_task *t = map_task;
    (t->reduce == MAP_STORE ? kernels()->map_store : kernels()->map_reduce)(t);
}
