// Measuring is the default, because a plan that nobody asked for is never fast; and it does not
// cost the promise that a run can be had again, because a winner is measured once: what is
// remembered is taken without a look, and what a run was answered is recorded with it. So the same
// command gives the same bits as long as its cache lives, `--replay` gives them after that, and
// `--no-tune` gives the same plan with any cache, or none. Where nothing can be remembered nothing
// is measured.
//
// Measuring afresh at every start would find the same winners nearly always, and other last digits
// the one time it does not.
#include "tuning.h"

#include "base/arena.h"
#include "graph/choice.h"
#include "model/program.h"
#include "pass/pass.h"
#include "plan/choices.h"
#include "plan/plan.h"
#include "store/choice_cache.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "plan.";
static const char speed_version[] = {
#include "speed_version.inc"
    0};

static bool recall(void *context, const char *key, const char **answer)
{
    return choice_cache_recall(context, key, answer);
}

static bool look_up(void *context, const char *key, const char **answer)
{
    *answer = choice_cache_get(context, key);
    return *answer != NULL;
}

static void keep(void *context, const char *key, const char *answer)
{
    choice_cache_keep(context, key, answer);
}

static void say_measuring(void *context, const char *key)
{
    struct laboratory *lab = context;
    if (!lab->choices->n_measured)
        fprintf(stderr, "measuring what is fastest on this machine; it is remembered in %s\n",
                choice_cache_path(lab->arena));
    fprintf(stderr, "  %.*s\n", (int)strcspn(key, ":#"), key);
}

static void start(struct laboratory *lab)
{
    lab->choices = choices_new(lab->arena);
    lab->choices->measures = say_measuring;
    lab->choices->context = lab;
    lab->experiment->chooser = &lab->choices->chooser;
}

static void open_cache(struct laboratory *lab, enum tuning how, int threads)
{
    start(lab);
    const char *off = getenv("GANEXP_NO_TUNE");
    if (how == TUNING_RULES || (off && *off))
        return;
    const char *machine = arena_printf(lab->arena, "%s, %d threads, %s, kernels %s", plan_isa(),
                                       threads, plan_library_version(), speed_version);
    lab->cache = choice_cache_open(lab->arena, choice_cache_path(lab->arena), machine);
    lab->choices->memory = (struct memory){lab->cache, how == TUNING_MEASURE ? recall : look_up,
                                           keep};
}

bool tuning_replay(struct laboratory *lab, const struct stored_run *run)
{
    int n;
    struct reader *r = reader_open(lab->arena, options_db(lab->options), false, lab->diag);
    if (!r)
        return false;
    start(lab);
    const struct run_param *p = reader_params(r, run, prefix, &n);
    for (int i = 0; i < n; i++)
        choices_know(lab->choices, p[i].key + strlen(prefix), p[i].text, p[i].origin);
    return true;
}

static int open_config(struct laboratory *lab, struct options *o, enum tuning how, int *threads)
{
    if (!laboratory_threads(o, 0, threads))
        return EXIT_USAGE;
    if (!o->n_word) {
        fail(o->diag, (struct place){0}, "`ganexp %s` needs a config\nor --replay RUN",
             o->command->name);
        return EXIT_USAGE;
    }
    if (!laboratory_open(lab, o))
        return EXIT_USAGE;
    open_cache(lab, how, *threads);
    return EXIT_DONE;
}

static int open_run(struct laboratory *lab, struct options *o, int *threads)
{
    const int opened = laboratory_open_run(lab, o, option_text(o, "replay", ""));
    if (opened != EXIT_DONE)
        return opened;
    if (!laboratory_threads(o, lab->stored.threads, threads))
        return EXIT_USAGE;
    if (!tuning_replay(lab, &lab->stored))
        return EXIT_FAILED;
    lab->stored = (struct stored_run){0};
    return EXIT_DONE;
}

int tuning_open(struct laboratory *lab, struct options *o, enum tuning how, int *threads)
{
    const bool by_rules = how != TUNING_RULES && option_given(o, "no-tune");
    if (!option_given(o, "replay"))
        return open_config(lab, o, by_rules ? TUNING_RULES : how, threads);
    if (!o->n_word && !by_rules)
        return open_run(lab, o, threads);
    fail(o->diag, (struct place){0},
         "--replay takes config and plan from the run\nleave out the config%s",
         how != TUNING_RULES ? " and --no-tune" : "");
    return EXIT_USAGE;
}

// Later phases are compiled when their time comes; what they will ask is asked now.
static void ask_later_phases(struct laboratory *lab)
{
    for (int i = 1; i < lab->experiment->n_phase; i++) {
        struct arena *scratch = arena_new(NULL);
        struct program *p = program_training(lab->experiment, i, scratch, lab->diag);
        if (p)
            passes_run(p->graph, NULL);
        arena_free(scratch);
    }
}

void tuning_params(struct laboratory *lab, struct run_param **list, int *n)
{
    if (lab->choices)
        ask_later_phases(lab);
    for (int i = 0; lab->choices && i < lab->choices->n; i++) {
        const struct choice *c = &lab->choices->choice[i];
        const struct run_param p = {arena_printf(lab->arena, "%s%s", prefix, c->key), "str",
                                    c->answer, NAN, c->origin};
        if (c->asked)
            APPEND(lab->arena, *list, *n, p);
    }
}

void tuning_tell(struct laboratory *lab)
{
    const char *notice = lab->cache ? choice_cache_notice(lab->cache) : NULL;
    if (notice)
        fprintf(stderr, "%s\n", notice);
}
