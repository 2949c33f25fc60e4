// The kernels of updates, in every instruction set this machine has, against formulas in float64, and
// against the optimizers' rules in double; and what they write of packed copies.
#include "base/bf16.h"
#include "codegen/tasks.h"
#include "support/optimizers.h"
#include "support/near.h"

#include <string.h>

enum { SLOT = 50021 };

struct update_case {
    float *p, *g, *moment[UPDATE_MOMENTS];
    float number[UPDATE_NUMBERS];
};

static struct update_case update_case(struct arena *a)
{
    struct update_case c = {numbers(a, SLOT, -1, 1),
                            numbers(a, SLOT, -1, 1),
                            {numbers(a, SLOT, -1, 1), numbers(a, SLOT, 0, 1)},
                            {0.01f, 1.7f, 3.1f, 0}};
    for (int i = 2; i < UPDATE_MOMENTS; i++)
        c.moment[i] = numbers(a, SLOT, 0, 1);
    return c;
}

static struct update_case copy_case(struct arena *a, const struct update_case *of)
{
    struct update_case c = *of;
    c.p = memcpy(NEW_ARRAY(a, float, SLOT), of->p, sizeof(float[SLOT]));
    for (int i = 0; i < UPDATE_MOMENTS; i++)
        c.moment[i] = memcpy(NEW_ARRAY(a, float, SLOT), of->moment[i], sizeof(float[SLOT]));
    return c;
}

static void run_rule(const struct kernels *k, const char *rule, const void *options,
                     const struct update_case *c)
{
    struct update_task t = {.part = k->update_part(rule),
                            .options = options,
                            .p = c->p,
                            .g = c->g,
                            .number = c->number,
                            .n = SLOT,
                            .threads = 2,
                            .chunk = 16};
    assert_non_null(t.part);
    memcpy(t.moment, c->moment, sizeof t.moment);
    k->update(&t);
}

// What the word's kernel makes of a case; the second moment is a mean square.
static struct update_case stepped(struct arena *a, const struct kernels *k, const char *word,
                                  const char *params, const struct update_case *old)
{
    struct update_case c = copy_case(a, old);
    const struct optimizer o = optimizer_of(a, word, params);
    if (optimizer_moments(&o) == 1 && strcmp(word, "sgd"))
        c.moment[0] = c.moment[1];
    if (!optimizer_moments(&o))
        c.moment[0] = NULL;
    run_rule(k, word, o.options, &c);
    return c;
}

static void check_adam(const struct kernels *k, bool keras)
{
    struct arena *a = arena_new(NULL);
    const struct update_case old = update_case(a),
                             c = stepped(a, k, "adam",
                                         keras ? "{beta1: 0.5, beta2: 0.9, epsilon: 1e-3, "
                                                 "weight_decay: 0.1, convention: keras}"
                                               : "{beta1: 0.5, beta2: 0.9, epsilon: 1e-3, "
                                                 "weight_decay: 0.1}",
                                         &old);
    for (int i = 0; i < SLOT; i++) {
        const double g = c.g[i] + 0.1 * old.p[i], m = 0.5 * old.moment[0][i] + 0.5 * g,
                     v = 0.9 * old.moment[1][i] + 0.1 * g * g;
        const double step = keras ? 0.01 * 1.7 / sqrt(3.1) * m / (sqrt(v) + 1e-3)
                                  : 0.01 * 1.7 * m / (sqrt(v * 3.1) + 1e-3);
        assert_near("adam", k->isa, i, c.p[i], old.p[i] - step, 1);
        assert_near("adam m", k->isa, i, c.moment[0][i], m, 1);
        assert_near("adam v", k->isa, i, c.moment[1][i], v, 1);
    }
    arena_free(a);
}

static void check_rmsprop(const struct kernels *k, bool keras)
{
    struct arena *a = arena_new(NULL);
    const struct update_case old = update_case(a),
                             c = stepped(a, k, "rmsprop",
                                         keras ? "{rho: 0.9, epsilon: 1e-3, convention: keras}"
                                               : "{rho: 0.9, epsilon: 1e-3}",
                                         &old);
    for (int i = 0; i < SLOT; i++) {
        const double v = 0.9 * old.moment[1][i] + 0.1 * c.g[i] * c.g[i];
        const double root = keras ? sqrt(v + 1e-3) : sqrt(v) + 1e-3;
        assert_near("rmsprop", k->isa, i, c.p[i], old.p[i] - 0.01 * c.g[i] / root, 1);
        assert_near("rmsprop v", k->isa, i, c.moment[0][i], v, 1);
    }
    arena_free(a);
}

static void check_sgd(const struct kernels *k)
{
    struct arena *a = arena_new(NULL);
    const struct update_case old = update_case(a), plain = stepped(a, k, "sgd", "{lr: 1}", &old),
                             heavy = stepped(a, k, "sgd", "{lr: 1, momentum: 0.9}", &old),
                             ahead = stepped(a, k, "sgd", "{lr: 1, momentum: 0.9, nesterov: true}",
                                             &old);
    for (int i = 0; i < SLOT; i++) {
        const double m = 0.9 * old.moment[0][i] + old.g[i];
        assert_near("sgd", k->isa, i, plain.p[i], old.p[i] - 0.01 * old.g[i], 1);
        assert_near("sgd m", k->isa, i, heavy.moment[0][i], m, 1);
        assert_near("sgd", k->isa, i, heavy.p[i], old.p[i] - 0.01 * m, 1);
        assert_near("nesterov", k->isa, i, ahead.p[i], old.p[i] - 0.01 * (old.g[i] + 0.9 * m), 1);
    }
    arena_free(a);
}

static void check_slot_rules(const struct kernels *k)
{
    struct arena *a = arena_new(NULL);
    const struct update_case old = update_case(a);
    struct update_case c = copy_case(a, &old);
    c.p[0] = NAN;
    run_rule(k, "clip", (double[]){-0.1, 0.2}, &c);
    assert_true(isnan(c.p[0]));
    for (int i = 1; i < SLOT; i++)
        assert_near("clip", k->isa, i, c.p[i], fmin(fmax(old.p[i], -0.1F), 0.2F), 1);
    c = copy_case(a, &old);
    run_rule(k, "lerp", (double[]){0.25}, &c);
    for (int i = 0; i < SLOT; i++)
        assert_near("lerp", k->isa, i, c.p[i], old.p[i] + 0.25 * (old.g[i] - old.p[i]), 1);
    run_rule(k, "assign", NULL, &c);
    assert_memory_equal(c.p, old.g, sizeof(float[SLOT]));
    assert_null(k->update_part("no such rule"));
    arena_free(a);
}

// Every optimizer's kernel does what its rule does in double.
static void check_rule(const struct kernels *k, const char *word)
{
    struct arena *a = arena_new(NULL);
    const struct optimizer o = optimizer_of(a, word, "{lr: 0.01}");
    struct update_case c = update_case(a);
    double *p = NEW_ARRAY(a, double, SLOT), *g = NEW_ARRAY(a, double, SLOT),
           *m[UPDATE_MOMENTS] = {NULL}, number[UPDATE_NUMBERS];
    optimizer_numbers(&o, 1, 3, c.number);
    for (int n = 0; n < UPDATE_NUMBERS; n++)
        number[n] = c.number[n];
    for (int j = 0; j < UPDATE_MOMENTS; j++) {
        if (j >= optimizer_moments(&o)) {
            c.moment[j] = NULL;
            continue;
        }
        c.moment[j] = numbers(a, SLOT, 0.5, 1);
        m[j] = NEW_ARRAY(a, double, SLOT);
    }
    for (int i = 0; i < SLOT; i++) {
        p[i] = c.p[i];
        g[i] = c.g[i];
        for (int j = 0; j < optimizer_moments(&o); j++)
            m[j][i] = c.moment[j][i];
    }
    o.kind->rule.update(o.options, p, g, m, number, 0, SLOT);
    run_rule(k, o.kind->rule.name, o.options, &c);
    for (int i = 0; i < SLOT; i++) {
        assert_near(word, k->isa, i, c.p[i], p[i], 1);
        for (int j = 0; j < optimizer_moments(&o); j++)
            assert_near(word, k->isa, i, c.moment[j][i], m[j][i], 1);
    }
    arena_free(a);
}

static void updates_give_the_reference(void **state)
{
    (void)state;
    for (int isa = 0; kernels_at(isa); isa++) {
        for (int keras = 0; keras < 2; keras++) {
            check_adam(kernels_at(isa), keras);
            check_rmsprop(kernels_at(isa), keras);
        }
        check_sgd(kernels_at(isa));
        check_slot_rules(kernels_at(isa));
        for (const struct word *const *w = optimizers.word; *w; w++)
            check_rule(kernels_at(isa), (*w)->name);
    }
}

// Where number j of the slot's memory goes.
static int64_t place(const struct packed_task *t, int64_t j)
{
    const int64_t d = t->apart, word = d ? j / (2 * d) * d + j % d : j, c = word % t->columns,
                  r = word / t->columns % t->rows,
                  at = t->at[word / t->columns / t->rows] + r * t->row_step + c * t->column_step;
    return d ? 2 * at + j / d % 2 : at;
}

// Blocks of rows and columns to where they lie in the packed copies, and nothing beside them.
static void check_packed(const struct kernels *k, const struct packed_task *like, int n_like)
{
    enum { BLOCKS = 5, CHUNK = 2 * 16 * 9 * 16, N = CHUNK * BLOCKS, ROOM = 1 << 19 };
    struct arena *a = arena_new(NULL);
    struct packed_task packed_copy[16];
    float *p = numbers(a, N, -1, 1), *g = numbers(a, N, -1, 1);
    assert_true(n_like <= 16);
    for (int i = 0; i < n_like; i++) {
        const int64_t blocks = N / packed_block(&like[i]);
        int32_t *at = NEW_ARRAY(a, int32_t, blocks);
        packed_copy[i] = like[i];
        packed_copy[i].to = NEW_ARRAY(a, float, ROOM);
        packed_copy[i].at = at;
        for (int64_t b = 0; b < blocks; b++)
            at[b] = (int32_t)((blocks - 1 - b) * (ROOM / blocks));
    }
    k->update(&(struct update_task){.part = k->update_part("lerp"),
                                    .options = (double[]){0.5},
                                    .p = p,
                                    .g = g,
                                    .n = N,
                                    .threads = 2,
                                    .chunk = CHUNK,
                                    .n_packed = n_like,
                                    .packed_copy = packed_copy});
    for (int i = 0; i < n_like; i++) {
        const struct packed_task *t = &packed_copy[i];
        const float *whole = t->to;
        const uint16_t *half = t->to;
        const bool rounds = t->type == TYPE_BF16;
        int64_t written = 0;
        for (int64_t j = 0; j < N; j++)
            assert_near("packed", k->isa, j,
                        rounds ? of_bf16(half[place(t, j)]) : whole[place(t, j)],
                        rounds ? of_bf16(bf16_of(p[j])) : p[j], 0);
        for (int64_t j = 0; j < (rounds ? 2 : 1) * ROOM; j++)
            written += rounds ? half[j] != 0 : whole[j] != 0;
        assert_int_equal(written, N);
    }
    arena_free(a);
}

static void updates_write_packed_copies(void **state)
{
    (void)state;
    static const struct packed_task like[] = {
        {.rows = 16, .columns = 16, .row_step = 1, .column_step = 16},
        {.rows = 16, .columns = 9, .row_step = 1, .column_step = 40},
        {.rows = 3, .columns = 16, .row_step = 1, .column_step = 64},
        {.rows = 9, .columns = 16, .row_step = 100, .column_step = 1},
        {.rows = 6, .columns = 8, .row_step = 2, .column_step = 13},
        {.rows = 1, .columns = 1, .row_step = 1, .column_step = 1},
        {.type = TYPE_BF16, .rows = 16, .columns = 8, .row_step = 1, .column_step = 16, .apart = 1},
        {.type = TYPE_BF16,
         .rows = 8,
         .columns = 16,
         .row_step = 64,
         .column_step = 1,
         .apart = 16},
        {.type = TYPE_BF16, .rows = 3, .columns = 3, .row_step = 3, .column_step = 1, .apart = 9},
        {.type = TYPE_BF16, .rows = 1, .columns = 16, .row_step = 1, .column_step = 2, .apart = 1},
        {.type = TYPE_BF16, .rows = 4, .columns = 12, .row_step = 3, .column_step = 12},
    };
    for (int isa = 0; kernels_at(isa); isa++)
        check_packed(kernels_at(isa), like, LENGTH(like));
}

int main(void)
{
    rng_init(&rng, 12, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_give_the_reference),
        cmocka_unit_test(updates_write_packed_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
