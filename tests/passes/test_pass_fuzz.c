// Random iterations of random GANs: a generator and a critic of random layers, a loss on real and
// fake, a penalty on the critic's slope, both updates. Compiled with all passes on and run in
// float32, against the reference kernels on the graph as it was built: losses, first and second
// derivatives, and the losses of the second update, which reads the weights that the first wrote.
//
//   PASS_FUZZ=N        how many (48 unless told); PASS_FUZZ_SEED=S: from which on
// One in eight runs on all cores; with all of them, waiting for threads would be most of the time.
// A failure is tried again with shorter networks, and the passes are gone through one by one in
// float64, to name the first that changes the meaning.
#include "ir/choice.h"
#include "codegen/compile.h"
#include "codegen/plan.h"
#include "codegen/tasks.h"
#include "support/random_gan.h"
#include "support/sources.h"
#include "support/packed_copies.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 9 };

static double given(const struct value *v, int64_t i)
{
    const char *name = v->attr.slot ? v->attr.slot->name : v->attr.name;
    if (!strcmp(name, "hyper"))
        return i ? 1 : 0.02;
    if (!strcmp(name, "index"))
        return (double)(i * 3 % 5);
    uint64_t s = (uint64_t)i;
    for (const char *c = name; *c; c++)
        s = s * 31 + (unsigned char)*c;
    s = (s + 1) * 0x9E3779B97F4A7C15u;
    s = (s ^ (s >> 29)) * 0x94D049BB133111EBu;
    s ^= s >> 32;
    return (double)(s >> 40 & 0xffffff) / (1 << 23) - 1;
}

static const struct reference source = {feed, NULL};

// Where there is a choice, what the letters of the question say; direct convolutions seldom.
static void any(struct chooser *chooser, const struct question *q, int answer[CHOICE_AXES])
{
    unsigned s = 0;
    const int others = q->n_options - 1;
    (void)chooser;
    for (const char *c = q->key; *c; c++)
        s = s * 31 + (unsigned char)*c;
    for (int i = 0; i < q->n_axes; i++) {
        s = s * 1664525 + 1013904223;
        answer[i] = q->option[others && (s >> 16 & 7) ? 1 + (int)(s >> 19) % others : 0];
    }
}

static struct gan *build(uint64_t seed, int length)
{
    struct arena *a = arena_new(NULL);
    struct gan *c = NEW(a, struct gan);
    static struct chooser chooser = {any};
    *c = (struct gan){.arena = a, .g = graph_new(a), .seed = seed, .length = length};
    c->g->chooser = &chooser;
    slots_init(&c->slots, a);
    build_iteration(c);
    return c;
}

// Where a slope is undefined, and a number is so near to that that rounding decides.
static bool undecided(const struct value *v, double *const *result)
{
    const bool two = is_pointwise(v, PW_MAX) || is_pointwise(v, PW_MIN) ||
                     is_pointwise(v, PW_GREATER);
    const bool one = is_pointwise(v, PW_LEAKY_RELU) || is_pointwise(v, PW_STEP) ||
                     is_pointwise(v, PW_ABS) || is_pointwise(v, PW_SIGN);
    for (int64_t i = 0; (one || two) && i < shape_size(v->in[0]->shape); i++) {
        const double x = result[v->in[0]->id][i] - (two ? result[v->in[1]->id][i] : 0);
        if (x != 0 && fabs(x) < 1e-5)
            return true;
    }
    return false;
}

struct verdict {
    bool skipped, wrong;
    double allowed; // differences, relative to a root's largest number
    char what[256];
};

static int packed_copies;
static double worst;
static char worst_at[64];

// How far root k is from what it should be, relative to its largest number: in a plan that has run,
// or by the reference.
static double off_by(const struct gan *c, int k, const struct plan *p, double **result,
                     const double *want)
{
    const struct root *r = &c->g->root[k];
    const float *got = p ? plan_output(p, r->name) : NULL;
    double off = 0, largest = 1e-3;
    for (int64_t i = 0, n = shape_size(r->value->shape); i < n; i++) {
        const double y = p ? got[i] : result[r->value->id][i];
        off = isfinite(y) ? fmax(off, fabs(y - want[i])) : INFINITY;
        largest = fmax(largest, fabs(want[i]));
    }
    return off / largest;
}

static double furthest(const struct gan *c, const struct plan *p, double **result,
                       const double *const *want, const char **name)
{
    double most = 0;
    for (int k = 0; k < c->g->n_root; k++) {
        const double off = c->g->root[k].name ? off_by(c, k, p, result, want[k]) : 0;
        if (off > most)
            *name = c->g->root[k].name;
        most = fmax(most, off);
    }
    return most;
}

static void judge(struct verdict *to, const char *stage, const char *root, double off,
                  double allowed)
{
    to->wrong = off > allowed;
    snprintf(to->what, sizeof to->what, "%s: %s is off by %g of its largest", stage, root, off);
}

static double run(struct gan *c, const double *const *want, const char **name)
{
    float *slab = NEW_ARRAY(c->arena, float, c->slots.floats);
    struct plan *p = plan_new(c->arena, c->g, slab, SEED);
    write_sources(c->g, p, slab);
    plan_run(p, STEP);
    packed_copies += check_packed(&c->slots, slab);
    return furthest(c, p, NULL, want, name);
}

// Float32 without passes says what rounding does to these numbers, and whether they are worth
// comparing at all. Winograd's algorithm loses up to two digits more.
static const double *const *wanted(struct gan *c, struct verdict *to)
{
    double **result = graph_reference(c->g, &source, c->arena);
    const double **want = NEW_ARRAY(c->arena, const double *, c->g->n_root);
    const char *name = "";
    for (int i = 0; i < c->g->n; i++)
        to->skipped |= undecided(c->g->value[i], result);
    for (int k = 0; k < c->g->n_root; k++)
        want[k] = result[c->g->root[k].value->id];
    pass_assign_memory(c->g);
    const double off = run(c, want, &name);
    to->skipped |= off > 1e-5;
    to->allowed = 100 * fmax(off, 3e-6);
    return want;
}

// The first pass behind which the reference says something else.
static void blame(struct verdict *to, uint64_t seed, int length, const double *const *want)
{
    for (int i = 0; compile_pass(i) && !to->wrong; i++) {
        const struct pass *p = compile_pass(i);
        const char *name = "";
        struct gan *c = build(seed, length);
        passes_run(c->g, p->name);
        const double off = furthest(c, NULL, graph_reference(c->g, &source, c->arena), want, &name);
        judge(to, p->name, name, off, to->allowed);
        arena_free(c->arena);
    }
}

// What rewrites make of the graph means the same, but for float64's rounding.
static void check_rewrites(struct verdict *to, uint64_t seed, int length, const double *const *want)
{
    const char *name = "";
    struct gan *c = build(seed, length);
    passes_run(c->g, "winograd");
    const double off = furthest(c, NULL, graph_reference(c->g, &source, c->arena), want, &name);
    judge(to, "rewrites, in float64", name, off, 1e-8);
    arena_free(c->arena);
}

static struct verdict check(uint64_t seed, int length, bool closely)
{
    struct verdict to = {0};
    struct gan *c = build(seed, length), *passed = build(seed, length);
    const double *const *want = wanted(c, &to);
    const char *name = "";
    passes_run(passed->g, NULL);
    const double off = to.skipped ? 0 : run(passed, want, &name);
    if (off > worst) {
        worst = off;
        snprintf(worst_at, sizeof worst_at, "%d %s", (int)seed, name);
    }
    if (!to.skipped)
        check_rewrites(&to, seed, length, want);
    if (closely && off > to.allowed)
        blame(&to, seed, length, want);
    if (!to.wrong)
        judge(&to, "plan", name, off, to.allowed);
    arena_free(passed->arena);
    arena_free(c->arena);
    return to;
}

static int number_from(const char *name, int otherwise)
{
    const char *s = getenv(name);
    return s ? atoi(s) : otherwise;
}

static void report(uint64_t seed)
{
    for (int length = 0; length <= LONGEST; length++) {
        const struct verdict v = check(seed, length, true);
        if (v.wrong)
            fail_msg("seed %d, networks of %d layers: %s", (int)seed, length, v.what);
    }
    fail_msg("seed %d failed, and does no longer", (int)seed);
}

static void passes_keep_the_numbers_of_random_gans(void **state)
{
    (void)state;
    const int n = number_from("PASS_FUZZ", 48), first = number_from("PASS_FUZZ_SEED", 1);
    const int threads = omp_get_max_threads();
    int skipped = 0;
    for (int i = 0; i < n; i++) {
        const uint64_t seed = (uint64_t)(first + i);
        omp_set_num_threads(seed % 8 ? 1 : threads);
        const struct verdict v = check(seed, LONGEST, false);
        skipped += v.skipped;
        if (v.wrong)
            report(seed);
    }
    print_message("%d of %d compared, with %d packed copies; furthest off %g at %s\n", n - skipped,
                  n, packed_copies, worst, worst_at);
    assert_true(n < 10 || skipped < n / 2);
}

// Laid out, with second copies of weights or with reorders; how many copies.
static int lay_and_run(struct gan *c, bool copies, struct plan **p)
{
    c->g->precision = plan_multiplies(TYPE_BF16) ? TYPE_BF16 : TYPE_F32;
    passes_run(c->g, "select_kernel");
    pass_assign_layouts(c->g);
    if (copies)
        pass_packed_copy(c->g);
    pass_assign_memory(c->g);
    float *slab = NEW_ARRAY(c->arena, float, c->slots.floats);
    *p = plan_new(c->arena, c->g, slab, SEED);
    write_sources(c->g, *p, slab);
    plan_run(*p, STEP);
    return check_packed(&c->slots, slab);
}

// A second copy holds what a reorder would have made, rounded or not: to the bit.
static void a_packed_copy_holds_what_a_reorder_makes(void **state)
{
    (void)state;
    const int n = number_from("PASS_FUZZ", 48) / 4, first = number_from("PASS_FUZZ_SEED", 1);
    int copies = 0;
    for (int i = 0; i < n; i++) {
        struct gan *c[2];
        struct plan *p[2];
        omp_set_num_threads(1);
        for (int k = 0; k < 2; k++) {
            c[k] = build((uint64_t)(first + i), LONGEST);
            copies += lay_and_run(c[k], k, &p[k]);
        }
        for (int k = 0; k < c[0]->g->n_root; k++) {
            const struct root *r = &c[0]->g->root[k];
            if (r->name && memcmp(plan_output(p[0], r->name), plan_output(p[1], r->name),
                                  sizeof(float) * (size_t)shape_size(r->value->shape)) != 0)
                fail_msg("seed %d: %s is another with copies of weights", first + i, r->name);
        }
        for (int k = 0; k < 2; k++)
            arena_free(c[k]->arena);
    }
    assert_true(n < 10 || copies > n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_keep_the_numbers_of_random_gans),
        cmocka_unit_test(a_packed_copy_holds_what_a_reorder_makes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
