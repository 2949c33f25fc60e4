// Where the time of an iteration goes, and how near that is to what the machine could do. Steps are
// timed one by one over several iterations; a step's figure is its median, so what else the machine
// does is left out as far as that goes.
//
// A step, or a group of them, is held against its own floor: its operations at the measured peak or
// its bytes at the measured bandwidth, whichever takes longer. The iteration is held against
// another one: that of the graph before any convolution was rewritten, pointwise chains fused,
// nothing computed twice. An implementation by the direct algorithm cannot be faster than that;
// this one can.
#include "base/arena.h"
#include "base/clock.h"
#include "cli/session.h"
#include "cli/tuning.h"
#include "codegen/compile.h"
#include "codegen/plan.h"
#include "codegen/roofline.h"
#include "store/bench_record.h"
#include "store/environment.h"
#include "view/table.h"

#include <stdlib.h>
#include <string.h>

static const struct option_spec option[] = {
    {"steps", 'n', "N", "iterations to time; 30 unless told"},
    {"by", 'b', "WHAT",
     "group by `op` (the default), by `line` of the config, or list every `step`"},
    {"threads", 't', "N", "cores to use; all unless told"},
    OPTION_NO_TUNE,
    OPTION_REPLAY,
    OPTION_DB,
    OPTION_JSON,
    OPTION_END,
};

struct cmd_bench_group {
    const char *name;
    double seconds, floor;
    struct work work;
    int n;
};

struct bench_result {
    struct session *session;
    struct plan *plan;
    const double *seconds; // of each step
    double whole;          // of an iteration, steps not timed
    struct work direct;    // an iteration's, by the direct algorithm
    struct roofline roofline;
    int64_t rss;
};

static int cmd_bench_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int slowest_first(const void *a, const void *b)
{
    const struct cmd_bench_group *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

// Medians of each step over `rounds` iterations, and of the whole, after two that warm up.
static double *time_steps(struct arena *a, struct plan *plan, int rounds, double *whole)
{
    const int n = plan_steps(plan);
    ASSERT(n > 0 && rounds > 0);
    double *all = NEW_ARRAY(a, double, n *rounds), *one = NEW_ARRAY(a, double, n),
           *median = NEW_ARRAY(a, double, n);
    double *column = NEW_ARRAY(a, double, rounds), *total = NEW_ARRAY(a, double, rounds);
    for (int r = -2; r < rounds; r++) {
        plan_profile(plan, (uint64_t)(r + 2), one);
        for (int i = 0; r >= 0 && i < n; i++)
            all[r * n + i] = one[i];
    }
    for (int r = 0; r < rounds; r++) {
        const double start = clock_now();
        plan_run(plan, (uint64_t)(rounds + r));
        total[r] = clock_now() - start;
    }
    for (int i = 0; i < n; i++) {
        for (int r = 0; r < rounds; r++)
            column[r] = all[r * n + i];
        qsort(column, (size_t)rounds, sizeof *column, cmd_bench_ascending);
        median[i] = column[rounds / 2];
    }
    qsort(total, (size_t)rounds, sizeof *total, cmd_bench_ascending);
    *whole = total[rounds / 2];
    return median;
}

static const char *group_name(struct arena *a, const struct plan *plan, int i, const char *by)
{
    const struct value *v = plan_step_value(plan, i);
    if (!strcmp(by, "step"))
        return arena_printf(a, "%d %s%s%s", i, plan_step_name(plan, i), v->label ? ", " : "",
                            v->label ? v->label : "");
    if (!strcmp(by, "op"))
        return plan_step_name(plan, i);
    return v->where.source ? arena_printf(a, "%s:%d", v->where.source->name, v->where.line) : "";
}

// The work of a value counts once, with the last of its steps.
static struct work step_work(const struct plan *plan, int i)
{
    const struct value *v = plan_step_value(plan, i);
    const bool last = i + 1 == plan_steps(plan) || plan_step_value(plan, i + 1) != v;
    return last ? work_of(v) : (struct work){0};
}

static struct cmd_bench_group *find_groups(struct arena *a, const struct bench_result *r,
                                           const char *by, int *n)
{
    struct cmd_bench_group *group = NULL;
    *n = 0;
    for (int i = 0; i < plan_steps(r->plan); i++) {
        const char *name = group_name(a, r->plan, i, by);
        const struct work w = step_work(r->plan, i);
        int k = 0;
        while (k < *n && strcmp(group[k].name, name))
            k++;
        if (k == *n)
            APPEND(a, group, *n, ((struct cmd_bench_group){.name = name}));
        group[k].seconds += r->seconds[i];
        group[k].work.flops += w.flops;
        group[k].work.bytes += w.bytes;
        group[k].floor += work_floor(w, &r->roofline);
        group[k].n++;
    }
    qsort(group, (size_t)*n, sizeof *group, slowest_first);
    return group;
}

static void cmd_bench_add_row(struct table *t, const struct cmd_bench_group *g, double sum)
{
    table_text(t, g->name);
    table_int(t, g->n);
    table_real(t, 1e3 * g->seconds);
    table_real(t, 100 * g->seconds / sum);
    table_real(t, 1e-9 * g->work.flops);
    table_real(t, 1e-6 * g->work.bytes);
    table_real(t, 1e3 * g->floor);
    if (g->floor > 0)
        table_real(t, g->seconds / g->floor);
    else
        table_null(t);
}

static struct table *tabulate(struct arena *a, const struct bench_result *r, const char *by)
{
    int n;
    struct cmd_bench_group *group = find_groups(a, r, by, &n);
    struct table *t = table_new(a, "bench");
    static const char *const column[] = {"what",  "steps", "ms",       "share %",
                                         "GFLOP", "MB",    "floor ms", "of floor"};
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += group[i].seconds;
    for (int i = 0; i < n; i++)
        cmd_bench_add_row(t, &group[i], sum);
    const struct cmd_bench_group all = {.name = "iteration",
                                        .n = plan_steps(r->plan),
                                        .seconds = r->whole,
                                        .work = r->direct,
                                        .floor = work_floor(r->direct, &r->roofline)};
    cmd_bench_add_row(t, &all, r->whole);
    return t;
}

// An iteration whose convolutions are not rewritten.
static bool direct_work(struct session *s, struct work *work)
{
    struct program *p = program_training(s->experiment, 0, s->arena, s->diag);
    if (!p)
        return false;
    passes_run(p->graph, "simplify");
    pass_fuse(p->graph);
    *work = work_of_graph(p->graph);
    return true;
}

static struct bench cmd_bench_describe(const struct bench_result *r, int threads)
{
    const struct experiment *e = r->session->experiment;
    return (struct bench){
        .name = e->name,
        .config_hash = config_hash(r->session->arena, r->session->config, false),
        .precision = e->precision == PRECISION_BF16 ? "bf16" : "f32",
        .environment = environment_capture(r->session->arena, plan_isa(), plan_library_version(),
                                           config_library_version()),
        .threads = threads,
        .iteration_ms = 1e3 * r->whole,
        .floor_ms = 1e3 * work_floor(r->direct, &r->roofline),
        .gflop = 1e-9 * r->direct.flops,
        .peak_gflops = 1e-9 * r->roofline.flops,
        .bandwidth_gb = 1e-9 * r->roofline.bytes,
        .activation_bytes = (int64_t)plan_activation_bytes(r->plan),
        .slot_bytes = 4 * (int64_t)e->slots.floats,
        .rss_bytes = r->rss,
    };
}

static struct table *machine_table(struct arena *a, const struct bench *b)
{
    struct table *t = table_new(a, "machine");
    static const char *const column[] = {
        "steps_per_second", "precision",    "threads",          "isa",        "onednn",
        "peak_gflops",      "bandwidth_gb", "activation_bytes", "slot_bytes", "rss_bytes"};
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    table_real(t, 1e3 / b->iteration_ms);
    table_text(t, b->precision);
    table_int(t, b->threads);
    table_text(t, b->environment->isa);
    table_text(t, b->environment->onednn);
    table_real(t, b->peak_gflops);
    table_real(t, b->bandwidth_gb);
    table_int(t, b->activation_bytes);
    table_int(t, b->slot_bytes);
    table_int(t, b->rss_bytes);
    return t;
}

static void cmd_bench_print(const struct table *table, const struct bench *b)
{
    table_draw(table, stdout, 0);
    printf("%.1f steps/s, %s on %d threads, %s, %s; peak %.0f GFLOP/s, copy %.1f GB/s\n"
           "the iteration's floor is the direct algorithm's: %.1f GFLOP, %.1f ms\n"
           "activations %.1f MB, slots %.1f MB, resident at most %.1f MB\n",
           1e3 / b->iteration_ms, b->precision, b->threads, b->environment->isa,
           b->environment->onednn, b->peak_gflops, b->bandwidth_gb, b->gflop, b->floor_ms,
           1e-6 * (double)b->activation_bytes, 1e-6 * (double)b->slot_bytes,
           1e-6 * (double)b->rss_bytes);
}

static int report(struct options *o, const struct bench_result *r, const char *by, int threads)
{
    const struct bench b = cmd_bench_describe(r, threads);
    const struct table *table = tabulate(o->arena, r, by);
    if (option_given(o, "json"))
        tables_json((const struct table *const[]){table, machine_table(o->arena, &b)}, 2, stdout);
    else
        cmd_bench_print(table, &b);
    return bench_record(options_db(o), &b, o->diag) ? EXIT_DONE : EXIT_FAILED;
}

static int cmd_bench_run(struct options *o)
{
    struct session s;
    int64_t rounds = 30;
    int threads;
    const char *by = option_text(o, "by", "op");
    if (strcmp(by, "op") && strcmp(by, "line") && strcmp(by, "step")) {
        fail(o->diag, (struct place){0}, "--by takes op, line or step");
        return EXIT_USAGE;
    }
    if (!option_int(o, "steps", 1, 100000, &rounds))
        return EXIT_USAGE;
    const int opened = tuning_open(&s, o, TUNING_MEASURE, &threads);
    if (opened != EXIT_DONE)
        return opened;
    struct trainer *t = trainer_new(o->arena, s.experiment, TRAINER_TRAINS, o->diag);
    if (!t)
        return EXIT_USAGE;
    tuning_tell(&s);
    struct bench_result r = {.session = &s, .plan = trainer_plan(t, 0)};
    r.seconds = time_steps(o->arena, r.plan, (int)rounds, &r.whole);
    r.rss = environment_peak_rss();
    if (!direct_work(&s, &r.direct))
        return EXIT_USAGE;
    r.roofline = roofline_measure();
    return report(o, &r, by, threads);
}

const struct command cmd_bench = {
    .name = "bench",
    .group = GROUP_TOOLS,
    .usage = "[options] CONFIG|--replay RUN [key=value …]",
    .help =
        "time a training iteration, step by step, against what the machine could do\n"
        "Data is not read: the figures are those of the compiled iteration alone. `floor ms` is "
        "operations at the\n"
        "measured peak or bytes at the measured bandwidth, of each step as it is; of the "
        "iteration, what the direct\n"
        "algorithm takes. `of floor` is time over floor. A row goes to the table `bench` of the "
        "database.\n"
        "--replay times the plan that a run was recorded with.",
    .options = option,
    .overrides = true,
    .min_words = 0,
    .max_words = 1,
    .run = cmd_bench_run,
};
