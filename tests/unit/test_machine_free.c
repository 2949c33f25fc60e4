// The rooms that know no machine, linked without oneDNN and without kernels: configs/wgan_gp.yaml is read, its iteration built (the
// gradient penalty differentiates twice), every machine-free pass run, and the iteration interpreted in float64.
//
//   test_machine_free                      draws made up here: passes must not change the losses
//   test_machine_free TRACE                draws and weights of `ganexp trace`: losses must be those of the run that wrote it
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/text.h"
#include "ir/op.h"
#include "ir/slot.h"
#include "opt/pass.h"
#include "program/program.h"

#include <cmocka.h> // last: its fail() is another

static const char config[] = "configs/wgan_gp.yaml";
// Small enough for reference kernels.
static const char *const small[] = {
    "data.real.batch=3",
    "networks.generator.layers.0.dense=392",
    "networks.generator.layers.2.reshape=[8, 7, 7]",
    "networks.generator.layers.4.conv2d.filters=8",
    "networks.generator.layers.8.conv2d.filters=4",
    "networks.critic.layers.0.conv2d.filters=4",
    "networks.critic.layers.2.conv2d.filters=4",
    "networks.critic.layers.5.conv2d.filters=8",
    "networks.critic.layers.7.conv2d.filters=8",
};

// --- a trace -------------------------------------------------------------------------------------

struct trace_file {
    json_t *header;
    char *data;
};

static const char *trace_path;

static struct trace_file trace_open(struct arena *a, const char *path)
{
    struct trace_file t = {0};
    FILE *f = fopen(path, "rb");
    uint64_t n = 0;
    assert_non_null(f);
    assert_int_equal(fread(&n, 1, sizeof n, f), sizeof n);
    assert_true(n < 1 << 24);
    char *text = arena_alloc(a, n);
    assert_int_equal(fread(text, 1, n, f), n);
    t.header = json_loadb(text, n, 0, NULL);
    assert_non_null(t.header);
    const long begin = ftell(f);
    fseek(f, 0, SEEK_END);
    const size_t size = (size_t)(ftell(f) - begin);
    fseek(f, begin, SEEK_SET);
    t.data = arena_alloc(a, size);
    assert_int_equal(fread(t.data, 1, size, f), size);
    fclose(f);
    return t;
}

// The trace's name of a source or root of iteration 0: "noise/z@1" is "noise/z@0.1" there.
static const char *trace_name(struct arena *a, const char *name)
{
    const char *at = strrchr(name, '@');
    assert_non_null(at);
    const bool data = strncmp(name, "hyper/", 6) && strncmp(name, "noise/", 6) &&
                      strncmp(name, "random/", 7) && strncmp(name, "loss/", 5);
    return arena_printf(a, "%s%.*s@0.%s", data ? "data/" : "", (int)(at - name), name, at + 1);
}

static void trace_get(const struct trace_file *t, const char *name, double *out, int64_t n)
{
    json_t *tensor = json_object_get(t->header, name);
    if (!tensor)
        fail_msg("the trace has no %s", name);
    const char *type = json_string_value(json_object_get(tensor, "dtype"));
    json_t *at = json_object_get(tensor, "data_offsets");
    const int64_t from = json_integer_value(json_array_get(at, 0)),
                  bytes = json_integer_value(json_array_get(at, 1)) - from;
    const bool whole = !strcmp(type, "I64");
    assert_int_equal(bytes, n * (whole ? 8 : 4));
    for (int64_t i = 0; i < n; i++) {
        int64_t k;
        float x;
        memcpy(whole ? (void *)&k : (void *)&x, t->data + from + i * (whole ? 8 : 4),
               whole ? 8 : 4);
        out[i] = whole ? (double)k : (double)x;
    }
}

// --- an iteration --------------------------------------------------------------------------------

struct free_run {
    struct arena *arena;
    struct experiment *e;
    struct program *p;
    float *slab;
    struct trace_file trace;
};

// `further` is an override beside the small ones; NULL: none.
static struct free_run free_open(const char *further)
{
    const char *override[LENGTH(small) + 1];
    memcpy(override, small, sizeof small);
    override[LENGTH(small)] = further;
    struct free_run r = {.arena = arena_new(NULL)};
    struct diag *d = diag_new(r.arena);
    struct config *c = config_load(r.arena, config, override, LENGTH(small) + (further != NULL), d);
    r.e = c ? experiment_read(r.arena, c, d) : NULL;
    r.p = r.e ? program_traced(r.e, 0, r.arena, d) : NULL;
    diag_print(d, stderr);
    assert_non_null(r.p);
    r.slab = NEW_ARRAY(r.arena, float, r.e->slots.floats);
    experiment_fill(r.e, r.slab);
    return r;
}

static const char *root_name(const struct graph *g, const struct value *v)
{
    for (int i = 0; i < g->n_root; i++)
        if (g->root[i].value == v && g->root[i].name)
            return g->root[i].name;
    return NULL;
}

// Uniform in [0, 1), by name and place.
static double made_up(const char *name, int64_t i)
{
    uint64_t z = (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
    for (; *name; name++)
        z = (z ^ (unsigned char)*name) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 29)) * 0x94D049BB133111EBu;
    return (double)(z >> 40) / (1 << 24);
}

static void free_source(void *context, const struct value *v, double *out)
{
    const struct free_run *r = context;
    const int64_t n = shape_size(v->shape);
    if (v->op == &op_param) {
        const float *x = slot_get(v->attr.slot, r->slab, r->arena);
        for (int64_t i = 0; i < n; i++)
            out[i] = x[i];
        return;
    }
    const char *name = v->op == &op_random ? root_name(r->p->graph, v) : v->attr.name;
    assert_non_null(name);
    if (r->trace.header) {
        trace_get(&r->trace, trace_name(r->arena, name), out, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        out[i] = !strncmp(name, "hyper/", 6) ? (i ? 1 : 1e-4) : made_up(name, i);
}

static bool is_loss(const struct root *root)
{
    return root->name && !strncmp(root->name, "loss/", 5) && strchr(root->name, '@');
}

static double **interpret(struct free_run *r)
{
    return graph_reference(r->p->graph, &(struct reference){free_source, r}, r->arena);
}

// Convolutions of the backward pass: gradients of gradients of convolutions, and nothing else.
static int n_second(const char *penalty)
{
    struct free_run r = free_open(penalty);
    int n = 0;
    for (int i = 0; i < r.p->graph->n; i++) {
        const struct value *v = r.p->graph->value[i];
        n += v->backward && v->op == &op_conv;
    }
    assert_int_equal(r.p->n_run, 6); // five of the critic, one of the generator
    arena_free(r.arena);
    return n;
}

static void the_gradient_penalty_alone_is_differentiated_twice(void **state)
{
    (void)state;
    assert_true(n_second(NULL) > 0);
    assert_int_equal(n_second("games.0.penalty=!unset"), 0);
}

// Two updates of the critic, so that the second finds moments that the first has changed.
static void passes_leave_the_losses_of_an_iteration(void **state)
{
    (void)state;
    struct free_run r = free_open("train.iteration.0.repeat=2");
    struct graph *g = r.p->graph;
    double **before = interpret(&r), *kept = NEW_ARRAY(r.arena, double, g->n_root);
    int n_loss = 0;
    for (int i = 0; i < g->n_root; i++)
        kept[i] = before[g->root[i].value->id][0];
    const int n_value = g->n;
    optimize_graph(g);
    assert_true(g->n < n_value);
    double **after = interpret(&r);
    for (int i = 0; i < g->n_root; i++) {
        if (!is_loss(&g->root[i]))
            continue;
        const double is = after[g->root[i].value->id][0];
        n_loss++;
        if (!(fabs(is - kept[i]) <= 1e-6 * fmax(1, fabs(kept[i]))))
            fail_msg("%s is %.12g after the passes, %.12g before", g->root[i].name, is, kept[i]);
    }
    assert_int_equal(n_loss, 8); // three parts of two updates of the critic, two of the generator
    arena_free(r.arena);
}

static void losses_are_those_of_the_run_that_was_traced(void **state)
{
    (void)state;
    struct free_run r = free_open(NULL);
    struct graph *g = r.p->graph;
    int n_loss = 0;
    r.trace = trace_open(r.arena, trace_path);
    optimize_graph(g);
    double **is = interpret(&r);
    for (int i = 0; i < g->n_root; i++) {
        double run;
        if (!is_loss(&g->root[i]))
            continue;
        trace_get(&r.trace, trace_name(r.arena, g->root[i].name), &run, 1);
        const double free = is[g->root[i].value->id][0];
        printf("%-40s %.9g, compiled %.9g\n", g->root[i].name, free, run);
        n_loss++;
        if (!(fabs(free - run) <= 1e-4 * fmax(1, fabs(run))))
            fail_msg("%s is %.9g interpreted, %.9g compiled", g->root[i].name, free, run);
    }
    assert_true(n_loss >= 6);
    json_decref(r.trace.header);
    arena_free(r.arena);
}

// The overrides, for a trace of the same config.
static int print_overrides(void)
{
    for (size_t i = 0; i < LENGTH(small); i++)
        puts(small[i]);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(the_gradient_penalty_alone_is_differentiated_twice),
        cmocka_unit_test(passes_leave_the_losses_of_an_iteration),
    };
    const struct CMUnitTest beside_a_run[] = {
        cmocka_unit_test(losses_are_those_of_the_run_that_was_traced),
    };
    if (argc > 1 && !strcmp(argv[1], "--overrides"))
        return print_overrides();
    trace_path = argc > 1 ? argv[1] : NULL;
    return trace_path ? cmocka_run_group_tests(beside_a_run, NULL, NULL)
                      : cmocka_run_group_tests(alone, NULL, NULL);
}
