// Where the time of an iteration goes. Steps are timed one by one over several iterations; a step's
// figure is its median, so what else the machine does is left out as far as that goes.
#include "base/arena.h"
#include "laboratory.h"
#include "plan/plan.h"
#include "tuning.h"
#include "view/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct option_spec option[] = {
    {"steps", 'n', "N", "iterations to time; 30 unless told"},
    {"by", 'b', "WHAT",
     "group by `op` (the default), by `line` of the config, or list every `step`"},
    {"threads", 't', "N", "cores to use; all unless told"},
    OPTION_NO_TUNE,
    OPTION_JSON,
    OPTION_END,
};

struct group {
    const char *name;
    double seconds;
    int n;
};

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int slowest_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

// Medians of each step over `rounds` iterations, and of the whole, after two that warm up.
static double *time_steps(struct arena *a, struct plan *plan, int rounds, double *whole)
{
    const int n = plan_steps(plan);
    double *all = NEW_ARRAY(a, double, n *rounds), *one = NEW_ARRAY(a, double, n),
           *median = NEW_ARRAY(a, double, n);
    double *column = NEW_ARRAY(a, double, rounds), *total = NEW_ARRAY(a, double, rounds);
    for (int r = -2; r < rounds; r++) {
        plan_profile(plan, (uint64_t)(r + 2), one);
        for (int i = 0; r >= 0 && i < n; i++)
            all[r * n + i] = one[i];
    }
    for (int r = 0; r < rounds; r++) {
        struct timespec t0, t1;
        clock_gettime(CLOCK_MONOTONIC, &t0);
        plan_run(plan, (uint64_t)(rounds + r));
        clock_gettime(CLOCK_MONOTONIC, &t1);
        total[r] = (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
    }
    for (int i = 0; i < n; i++) {
        for (int r = 0; r < rounds; r++)
            column[r] = all[r * n + i];
        qsort(column, (size_t)rounds, sizeof *column, ascending);
        median[i] = column[rounds / 2];
    }
    qsort(total, (size_t)rounds, sizeof *total, ascending);
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

static struct table *tabulate(struct options *o, const struct plan *plan, const double *seconds,
                              double whole, const char *by)
{
    struct group *group = NULL;
    int n = 0;
    double sum = 0;
    for (int i = 0; i < plan_steps(plan); i++) {
        const char *name = group_name(o->arena, plan, i, by);
        int k = 0;
        while (k < n && strcmp(group[k].name, name))
            k++;
        if (k == n)
            APPEND(o->arena, group, n, ((struct group){.name = name}));
        group[k].seconds += seconds[i];
        group[k].n++;
        sum += seconds[i];
    }
    qsort(group, (size_t)n, sizeof *group, slowest_first);
    struct table *t = table_new(o->arena, "bench");
    static const char *const column[] = {"what", "steps", "ms", "share %"};
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    for (int i = 0; i < n; i++) {
        table_text(t, group[i].name);
        table_int(t, group[i].n);
        table_real(t, 1e3 * group[i].seconds);
        table_real(t, 100 * group[i].seconds / sum);
    }
    table_text(t, "iteration");
    table_int(t, plan_steps(plan));
    table_real(t, 1e3 * whole);
    table_real(t, 100);
    return t;
}

static int run(struct options *o)
{
    struct laboratory lab;
    int64_t rounds = 30;
    int threads;
    const char *by = option_text(o, "by", "op");
    if (strcmp(by, "op") && strcmp(by, "line") && strcmp(by, "step")) {
        fail(o->diag, (struct place){0}, "--by takes op, line or step");
        return EXIT_USAGE;
    }
    if (!option_int(o, "steps", 1, 100000, &rounds) || !laboratory_threads(o, 0, &threads) ||
        !laboratory_open(&lab, o))
        return EXIT_USAGE;
    tuning_open(&lab, option_given(o, "no-tune") ? TUNING_RULES : TUNING_MEASURE, threads);
    struct trainer *t = trainer_new(o->arena, lab.experiment, o->diag);
    if (!t)
        return EXIT_USAGE;
    tuning_tell(&lab);
    struct plan *plan = trainer_plan(t, 0);
    double whole;
    const double *seconds = time_steps(o->arena, plan, (int)rounds, &whole);
    struct table *table = tabulate(o, plan, seconds, whole, by);
    if (option_given(o, "json")) {
        tables_json((const struct table *const[]){table}, 1, stdout);
        return EXIT_DONE;
    }
    table_draw(table, stdout, 0);
    printf("%.1f steps/s on %d threads, %s, %s; activations %.1f MB, slots %.1f MB\n", 1 / whole,
           threads, plan_isa(), plan_library_version(), 1e-6 * (double)plan_activation_bytes(plan),
           4e-6 * (double)lab.experiment->slots.floats);
    return EXIT_DONE;
}

const struct command cmd_bench = {
    .name = "bench",
    .group = GROUP_TOOLS,
    .usage = "[options] CONFIG [key=value …]",
    .help = "time a training iteration, step by step\nData is not read: the figures are those of "
            "the compiled iteration alone.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
