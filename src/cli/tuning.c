// Measuring is the default, because a fast plan must not have to be asked for; and it does not
// cost the promise that a run can be had again, because a winner is measured once: what is
// remembered is taken without a look, and what a run was answered is recorded with it. So the same
// command gives the same bits as long as its cache lives, `--replay` gives them after that, and
// `--no-tune` gives the same plan with any cache, or none. Where nothing can be remembered nothing
// is measured.
//
// Measuring afresh at every start would find the same winners nearly always, and other last digits
// the one time it does not.
#include "cli/tuning.h"

#include "base/arena.h"
#include "base/printable.h"
#include "cli/session.h"
#include "codegen/plan.h"
#include "codegen/tuner.h"
#include "ir/choice.h"
#include "store/recorder.h"
#include "store/tuner_cache.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "plan.";
static const char speed_version[] = {
#include "speed_version.inc"
    0};

static bool tuning_recall(void *context, const char *key, const char **answer)
{
    return tuner_cache_recall(context, key, answer);
}

static bool look_up(void *context, const char *key, const char **answer)
{
    *answer = tuner_cache_get(context, key);
    return *answer != NULL;
}

static void tuning_keep(void *context, const char *key, const char *answer)
{
    tuner_cache_keep(context, key, answer);
}

static void say_measuring(void *context, const char *key)
{
    struct session *s = context;
    if (!s->tuner->n_measured)
        fprintf(stderr, "measuring what is fastest on this machine; it is remembered in %s\n",
                printable(s->arena, tuner_cache_path(s->arena)));
    fprintf(stderr, "  %.*s\n", (int)strcspn(key, ":#"), key);
}

static void tuning_start(struct session *s)
{
    ASSERT(s->experiment && !s->tuner);
    s->tuner = tuner_new(s->arena);
    s->tuner->measures = say_measuring;
    s->tuner->context = s;
    s->experiment->chooser = &s->tuner->chooser;
}

static void open_cache(struct session *s, enum tuning how, int threads)
{
    tuning_start(s);
    const char *off = getenv("GANEXP_NO_TUNE");
    if (how == TUNING_RULES || (off && *off))
        return;
    const char *machine = arena_printf(s->arena, "%s, %d threads, %s, kernels %s", plan_isa(),
                                       threads, plan_library_version(), speed_version);
    s->cache = tuner_cache_open(s->arena, tuner_cache_path(s->arena), machine);
    s->tuner->memory = (struct tuner_memory){
        s->cache, how == TUNING_MEASURE ? tuning_recall : look_up, tuning_keep};
}

bool tuning_replay(struct session *s, const struct stored_run *run)
{
    int n;
    tuning_start(s);
    const struct run_param *p = reader_params(s->reader, run, prefix, &n);
    for (int i = 0; i < n; i++)
        tuner_know(s->tuner, p[i].key + strlen(prefix), p[i].text, p[i].origin);
    return true;
}

static int open_config(struct session *s, struct options *o, enum tuning how, int *threads)
{
    if (!session_threads(o, 0, threads))
        return EXIT_USAGE;
    if (!o->n_word) {
        fail(o->diag, (struct place){0}, "`ganexp %s` needs a config\nor --replay RUN",
             o->command->name);
        return EXIT_USAGE;
    }
    if (!(how == TUNING_REMEMBERED ? session_look : session_open)(s, o))
        return EXIT_USAGE;
    open_cache(s, how, *threads);
    return EXIT_DONE;
}

static int open_run(struct session *s, struct options *o, int *threads)
{
    const int opened = session_open_run(s, o, option_text(o, "replay", ""));
    if (opened != EXIT_DONE)
        return opened;
    if (!session_threads(o, s->stored.threads, threads))
        return EXIT_USAGE;
    if (!tuning_replay(s, &s->stored))
        return EXIT_FAILED;
    s->stored = (struct stored_run){0};
    return EXIT_DONE;
}

int tuning_open(struct session *s, struct options *o, enum tuning how, int *threads)
{
    const bool by_rules = how != TUNING_RULES && option_given(o, "no-tune");
    if (!option_given(o, "replay"))
        return open_config(s, o, by_rules ? TUNING_RULES : how, threads);
    if (!o->n_word && !by_rules)
        return open_run(s, o, threads);
    fail(o->diag, (struct place){0},
         "--replay takes config and plan from the run\nleave out the config%s",
         how != TUNING_RULES ? " and --no-tune" : "");
    return EXIT_USAGE;
}

void tuning_params(struct session *s, struct run_param **list, int *n)
{
    for (int i = 0; s->tuner && i < s->tuner->n; i++) {
        const struct tuner_answer *c = &s->tuner->choice[i];
        const struct run_param p = {arena_printf(s->arena, "%s%s", prefix, c->key), "str",
                                    c->answer, NAN, c->origin};
        ASSERT(!c->asked || c->answer);
        if (c->asked)
            APPEND(s->arena, *list, *n, p);
    }
}

void tuning_tell(struct session *s)
{
    const char *notice = s->cache ? tuner_cache_notice(s->cache) : NULL;
    if (notice)
        fprintf(stderr, "%s\n", printable(s->arena, notice));
}
