// Memory plans: drawn, for a small graph; and played through, for many random ones: every read must
// find what was written.
#include "base/arena.h"
#include "base/philox.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/slot.h"
#include "codegen/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const int transposed[] = {1, 0};

static struct value *turn(struct value *x) { return transpose(x, transposed); }

static const struct value *content(const struct value *v)
{
    return v->op->flags & OP_ALIAS ? content(v->in[0]) : v;
}

// What each 64-byte unit of the slab holds after each position; v->id of the content, or -1.
struct play {
    struct arena *arena;
    int *unit, units;
    const char *trouble;
};

static void expect(struct play *p, const struct value *v)
{
    const struct value *s = v->storage;
    if (!s)
        return;
    for (size_t i = s->offset / 64; i < (s->offset + s->bytes + 63) / 64; i++)
        if (p->unit[i] != content(v)->id)
            p->trouble = arena_printf(p->arena, "%%%d is gone from unit %d: there is %%%d", v->id,
                                      (int)i, p->unit[i]);
}

static void put(struct play *p, const struct value *v)
{
    const struct value *s = v->storage;
    for (size_t i = s ? s->offset / 64 : 0; s && i < (s->offset + s->bytes + 63) / 64; i++)
        p->unit[i] = content(v)->id;
}

// Whether anything reads the content of value `id` at or after a position.
static bool alive(const struct graph *g, int id, int position)
{
    if (g->value[id]->op->flags & OP_PINNED)
        return true;
    for (int i = 0; i < g->n_root; i++)
        if (content(g->root[i].value)->id == id)
            return true;
    for (int i = position; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++)
            if (content(g->value[i]->in[j])->id == id && !(g->value[i]->op->flags & OP_ALIAS))
                return true;
    return false;
}

static void draw_row(const struct play *p, const struct graph *g, int position, struct text *out)
{
    for (int i = 0; i < p->units; i++) {
        const int id = p->unit[i];
        text_addf(out, "%c",
                  id < 0 || !alive(g, id, position)
                      ? '.'
                      : "0123456789abcdefghijklmnopqrstuvwxyz"[id % 36]);
    }
    text_add(out, "\n");
}

// Plays the program; NULL when every read finds what was written. A row of the drawing is what must
// lie where while a value is computed.
static const char *play(struct graph *g, struct arena *a, struct text *drawing)
{
    struct play p = {.arena = a, .units = (int)(memory_plan(g) / 64)};
    p.unit = NEW_ARRAY(a, int, p.units + 1);
    for (int i = 0; i < p.units; i++)
        p.unit[i] = -1;
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->op->flags & OP_PINNED)
            put(&p, g->value[i]);
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        for (int j = 0; j < v->n_in; j++)
            expect(&p, v->in[j]);
        if (!(v->op->flags & (OP_PINNED | OP_ALIAS)))
            put(&p, v);
        if (drawing)
            draw_row(&p, g, i, drawing);
    }
    for (int i = 0; i < g->n_root; i++)
        expect(&p, g->root[i].value);
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->op->flags & OP_PINNED)
            expect(&p, g->value[i]);
    return p.trouble;
}

static void a_small_graph_lies_as_drawn(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(4, 8)); // %0: 2 units
    struct value *t = turn(x);                    // %1: 2 units
    // %2 is %1; %3: 6 units
    struct value *wide = broadcast(reshape(t, SHAPE(1, 32)), SHAPE(3, 32));
    struct value *s = reduce_sum(wide, 2); // %4: 1 unit
    // %5 over %3; %6: 2 units
    struct value *row = reduce_sum(tanh_value(wide), 1);
    // %7: 6 units, of (3, 32)
    graph_root(g, "y", mul(s, row));
    struct text drawing;
    text_init(&drawing);
    assert_null(play(g, a, &drawing));
    // the input and the root have places of their own
    assert_int_equal(g->kept, 8 * 64);
    assert_string_equal(drawing.s, "......00.........\n"
                                   "......00......11.\n"
                                   "......00......11.\n"
                                   "......0033333311.\n"
                                   "......00333333..4\n"
                                   "......00555555..4\n"
                                   "......00555555664\n"
                                   "77777700......664\n");
    text_release(&drawing);
    arena_free(a);
}

static void pointwise_writes_over_what_dies(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(16, 16)), *row = turn(input(g, "row", SHAPE(16, 1)));
    struct value *t = turn(x), *u = tanh_value(t), *v = mul(row, u), *kept = exp_value(v),
                 *w = add(v, kept), *y = tanh_value(x);
    struct value *twice = mul(y, reduce_sum(reshape(y, SHAPE(16, 16)), 1));
    graph_root(g, "kept", kept);
    graph_root(g, "w", w);
    graph_root(g, "twice", twice);
    memory_plan(g);
    assert_ptr_equal(u->storage, t); // t is read for the last time
    // the second input will do; the first has another shape
    assert_ptr_equal(v->storage, t);
    assert_ptr_equal(kept->storage, kept); // v is read again
    assert_ptr_equal(w->storage, t);       // and here no more
    assert_ptr_equal(y->storage, y);       // the host's input is not ours
    assert_ptr_equal(twice->storage, y);
    arena_free(a);
}

static void another_layout_does_not_share_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    static const int perm[] = {0, 1, 3, 2};
    struct value *t = transpose(input(g, "x", SHAPE(2, 3, 4, 5)), perm), *y = tanh_value(t);
    graph_root(g, "y", y);
    y->layout = LAYOUT_CHANNELS_LAST;
    memory_plan(g);
    assert_ptr_equal(y->storage, y);
    const struct blocked_layout o = {.bytes = 1000};
    y->layout = LAYOUT_BLOCKED;
    y->blocked = &o;
    memory_plan(g);
    assert_int_equal(y->bytes, 1000);
    arena_free(a);
}

static void slots_need_no_room(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct slots slots;
    slots_init(&slots, a);
    struct value *p = param(
        g, slots_add(&slots, "w", SLOT_PARAM, SHAPE(4, 4), (struct init){0}, (struct place){0}));
    struct value *flat = reshape(p, SHAPE(16)), *y = tanh_value(flat),
                 *next = assign_slot(p, reshape(y, SHAPE(4, 4)));
    assert_int_equal(memory_plan(g), 64);
    assert_null(p->storage);
    assert_null(flat->storage);
    assert_null(next->storage);
    assert_ptr_equal(y->storage, y);
    arena_free(a);
}

// A random program on squares and columns, with roots here and there.
static void grow(struct graph *g, struct rng *r, int n)
{
    input(g, "x", SHAPE(8, 8));
    for (int i = 0; i < n; i++) {
        struct value *x = g->value[g->n - 1 - (int)rng_below(r, g->n < 6 ? (uint32_t)g->n : 6)];
        struct value *y = g->value[rng_below(r, (uint32_t)g->n)], *v = NULL;
        struct shape fit;
        switch (rng_below(r, 7)) {
        case 0: v = tanh_value(x); break;
        case 1:
            v = x->shape.rank == 2 ? turn(x) : reshape(x, SHAPE(shape_size(x->shape), 1));
            break;
        case 2: v = reduce_sum(x, 1); break;
        case 3:
            v = reshape(x, x->shape.rank == 2 ? SHAPE(shape_size(x->shape))
                                              : SHAPE(1, shape_size(x->shape)));
            break;
        case 4: v = constant(g, 2, SHAPE(8, 8)); break;
        default:
            v = x->shape.rank == y->shape.rank && shape_broadcast(x->shape, y->shape, &fit) &&
                        shape_size(fit) < 5000
                    ? mul(x, y)
                    : square(x);
        }
        if (rng_below(r, 12) == 0)
            graph_root(g, "r", v);
    }
    graph_root(g, "end", g->value[g->n - 1]);
}

static void no_value_of_a_random_graph_is_overwritten(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a);
        struct rng r;
        rng_init(&r, seed, 0);
        grow(g, &r, 40);
        if (seed % 2)
            graph_drop_unneeded(g);
        const char *trouble = play(g, a, NULL);
        if (trouble)
            fail_msg("program %d: %s", (int)seed, trouble);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_graph_lies_as_drawn),
        cmocka_unit_test(pointwise_writes_over_what_dies),
        cmocka_unit_test(another_layout_does_not_share_memory),
        cmocka_unit_test(slots_need_no_room),
        cmocka_unit_test(no_value_of_a_random_graph_is_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
