#include "cli/session.h"

#include "base/arena.h"
#include "codegen/plan.h"
#include "eval/evaluator.h"
#include "lang/silence.h"
#include "program/program.h"
#include "store/checkpoint.h"
#include "store/checkpoints.h"
#include "store/rundir.h"

#include <inttypes.h>
#include <omp.h>
#include <string.h>
#include <unistd.h>

// A step is some hundred short parallel loops. Threads that spin long between them are lost when
// another program wants their core: measured beside a busy compiler, an iteration of 31 ms takes
// seconds. Threads that spin briefly and then sleep cost 2 to 9 % on an idle machine (acgan, two
// AVX-512 cores) and take 0.2 s on that busy one. GNU OpenMP reads its environment before main, so
// the program starts itself again.
static void spin_briefly(const struct options *o)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    setenv("GOMP_SPINCOUNT", "1000", 1);
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    if (n > 0)
        execv(path, o->argv);
}

bool session_threads(struct options *o, int usual, int *threads)
{
    spin_briefly(o);
    int64_t n = usual ? usual : omp_get_num_procs();
    if (!option_int(o, "threads", 1, 1024, &n))
        return false;
    *threads = (int)n;
    omp_set_num_threads((int)n);
    omp_set_dynamic(0);
    return true;
}

// oneDNN can imitate bf16 where the processor lacks it, several times slower than float32.
static bool precise_here(struct session *s)
{
    if (s->experiment->precision != PRECISION_BF16 || plan_multiplies(TYPE_BF16))
        return true;
    return fail(s->diag, node_get(s->config->root, "precision")->where,
                "bf16 wants the instructions avx512_core_bf16, and %s finds %s here\n"
                "expected f32, which runs anywhere, or another machine",
                plan_library_version(), plan_isa());
}

// -W no-NAME,error
static bool take_warnings(struct session *s)
{
    const char *rest = option_text(s->options, "warn", "");
    bool good = true;
    while (*rest) {
        const size_t n = strcspn(rest, ",");
        const char *which = arena_strndup(s->arena, rest, n);
        if (!strcmp(which, "error"))
            diag_warnings_are_errors(s->diag);
        else if (!strncmp(which, "no-", 3))
            good &= silence_named(s->diag, (struct place){0}, which + 3);
        else
            good = fail(s->diag, (struct place){0},
                        "option '--warn': '%s' is neither 'error' nor 'no-' and a warning\n"
                        "`ganexp help` lists the warnings",
                        which);
        rest += n + (rest[n] == ',');
    }
    return good;
}

// Warnings are for who asks about a config, or begins to train it.
static bool read_experiment(struct session *s)
{
    const bool warned = option_known(s->options, "warn");
    if (warned && !take_warnings(s))
        return false;
    if (s->config)
        s->experiment = experiment_read(s->arena, s->config, s->diag);
    if (!s->experiment || !evaluator_check(s->experiment, s->diag) || !precise_here(s))
        return false;
    if (warned)
        warnings_look(s->experiment, s->diag);
    return !diag_errors(s->diag);
}

bool session_open(struct session *s, struct options *o)
{
    *s = (struct session){.options = o, .arena = o->arena, .diag = o->diag};
    s->config = config_load(o->arena, o->word[0], o->override, o->n_override, o->diag);
    return read_experiment(s);
}

int session_open_run(struct session *s, struct options *o, const char *name)
{
    *s = (struct session){.options = o, .arena = o->arena, .diag = o->diag};
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    if (!reader_find(reader, name, &s->stored, o->diag))
        return EXIT_NOT_FOUND;
    s->dir = s->stored.dir;
    s->config = config_load(o->arena, arena_printf(o->arena, "%s/config.yaml", s->dir), o->override,
                            o->n_override, o->diag);
    return read_experiment(s) ? EXIT_DONE : EXIT_USAGE;
}

bool session_last_checkpoint(struct session *s, struct last_checkpoint *last)
{
    ASSERT(s->dir && s->stored.uid);
    struct diag *trouble = diag_new(s->arena);
    struct reader *r = reader_open(s->arena, options_db(s->options), false, s->diag);
    int n;
    const int64_t *step = checkpoints_steps(s->arena, s->dir, &n);
    *last = (struct last_checkpoint){0};
    for (int i = n; r && i-- && !last->path;) {
        const char *path = checkpoints_path(s->arena, s->dir, step[i]);
        if (checkpoint_sound(s->arena, path, reader_sha256(r, &s->stored, path), trouble))
            last->path = path;
        else
            APPEND(s->arena, last->damaged, last->n_damaged, step[i]);
    }
    diag_print(trouble, stderr);
    if (r && n && !last->path)
        fail(s->diag, (struct place){0},
             "no checkpoint of run %s can be used\nremove them from %s/checkpoints, and `ganexp "
             "resume` begins again at step 0",
             uid_short(s->stored.uid), s->dir);
    return r && (!n || last->path);
}

bool session_restore_last(struct session *s)
{
    ASSERT(s->trainer);
    struct last_checkpoint last;
    struct checkpoint c;
    if (!session_last_checkpoint(s, &last))
        return false;
    if (!last.path)
        return fail(s->diag, (struct place){0}, "%s has no checkpoint", s->dir);
    if (!checkpoint_read(s->arena, last.path, s->experiment, s->trainer->slab, &c, s->diag))
        return false;
    if (last.n_damaged)
        fprintf(stderr, "taking the checkpoint of step %" PRId64 "\n", c.step);
    s->trainer->step = c.step;
    return true;
}
