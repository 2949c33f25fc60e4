#include "cli/session.h"

#include "base/arena.h"
#include "base/file.h"
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

static bool open_file(struct session *s, struct options *o, bool looking)
{
    *s = (struct session){.options = o, .arena = o->arena, .diag = o->diag};
    s->config = config_load(o->arena, o->word[0], o->override, o->n_override, o->diag);
    if (s->config)
        s->config->looking = looking;
    return read_experiment(s);
}

// The config that the newest checkpoint that can be read was trained under; where there is none, the
// one in the database. *from says which.
static const char *kept_config(struct session *s, const char **from)
{
    int n;
    const int64_t *step = checkpoints_steps(s->arena, s->dir, &n);
    for (int i = n; i--;) {
        const char *path = checkpoints_path(s->arena, s->dir, step[i]);
        const struct safetensors *file = safetensors_open(s->arena, path, diag_new(s->arena));
        *from = path;
        if (file && safetensors_metadata(file, "config"))
            return safetensors_metadata(file, "config");
    }
    *from = "the database";
    return s->stored.config_yaml;
}

static struct config *config_of_run(struct session *s)
{
    const struct options *o = s->options;
    const char *path = arena_printf(s->arena, "%s/config.yaml", s->dir), *from;
    if (!file_is_blank(path))
        return config_load(s->arena, path, o->override, o->n_override, s->diag);
    const char *text = kept_config(s, &from);
    fprintf(stderr, "%s is %s; the config is taken from %s\n", path,
            access(path, F_OK) ? "gone" : "empty", from);
    return config_parse(s->arena, path, text, o->override, o->n_override, s->diag);
}

bool session_open(struct session *s, struct options *o) { return open_file(s, o, false); }

bool session_look(struct session *s, struct options *o) { return open_file(s, o, true); }

static int find_run(struct session *s, struct options *o, const char *name)
{
    *s = (struct session){.options = o, .arena = o->arena, .diag = o->diag};
    struct reader *reader = reader_open_run(o->arena, options_db(o), name, o->diag);
    if (!reader)
        return EXIT_FAILED;
    if (!reader_find(reader, name, &s->stored, o->diag))
        return EXIT_NOT_FOUND;
    s->reader = reader;
    s->dir = s->stored.dir;
    s->config = config_of_run(s);
    return s->config ? EXIT_DONE : EXIT_USAGE;
}

// Where a relative path was when the run was begun; PATH where nothing is there now.
static const char *place_then(struct session *s, const char *path)
{
    struct reader *r = reader_open(s->arena, options_db(s->options), false, diag_new(s->arena));
    const char *folder = r ? reader_began_in(r, &s->stored) : NULL;
    const char *then = folder ? arena_printf(s->arena, "%s/%s", folder, path) : "";
    return *path != '/' && !access(then, F_OK) ? then : "PATH";
}

static void tell_if_moved(struct session *s, const struct entry *source, const struct entry *e)
{
    const struct param *p = param_find(source->value->table, e->key);
    if (p && p->type == PARAM_PATH && e->value->text && access(e->value->text, F_OK))
        fail(s->diag, (struct place){0},
             "the data of run %s are not at '%s'\nif they have moved, say where they are: "
             "data.%s.%s=%s",
             uid_short(s->stored.uid), e->value->text, source->key, e->key,
             place_then(s, e->value->text));
}

void session_tell_moved(struct session *s)
{
    const struct node *data = node_get(s->config->root, "data");
    for (int i = 0; data && i < data->n; i++)
        for (int k = 0; k < data->entry[i].value->n; k++)
            if (data->entry[i].value->kind == NODE_MAP)
                tell_if_moved(s, &data->entry[i], &data->entry[i].value->entry[k]);
}

static int read_stored(struct session *s)
{
    if (read_experiment(s))
        return EXIT_DONE;
    session_tell_moved(s);
    return EXIT_USAGE;
}

int session_open_run(struct session *s, struct options *o, const char *name)
{
    const int found = find_run(s, o, name);
    return found == EXIT_DONE ? read_stored(s) : found;
}

// NULL where the checkpoint does not say it.
static const struct node *data_of(struct session *s, const char *path)
{
    struct source *source = NEW(s->arena, struct source);
    struct diag *quiet = diag_new(s->arena);
    const struct safetensors *file = safetensors_open(s->arena, path, quiet);
    *source = (struct source){path, file ? safetensors_metadata(file, "data") : NULL};
    return source->text ? node_parse(s->arena, source, quiet) : NULL;
}

int session_open_trained(struct session *s, struct options *o, const char *name)
{
    struct last_checkpoint last;
    const int found = find_run(s, o, name);
    if (found != EXIT_DONE)
        return found;
    if (!session_last_checkpoint(s, &last))
        return EXIT_FAILED;
    if (!last.path) {
        fail(s->diag, (struct place){0}, "%s has no checkpoint", s->dir);
        return EXIT_FAILED;
    }
    s->config->seen = data_of(s, last.path);
    return read_stored(s);
}

static struct last_checkpoint *look_for_checkpoint(struct session *s)
{
    ASSERT(s->dir && s->stored.uid);
    struct diag *trouble = diag_new(s->arena);
    int n;
    const int64_t *step = checkpoints_steps(s->arena, s->dir, &n);
    struct last_checkpoint *last = NEW(s->arena, struct last_checkpoint);
    for (int i = n; i-- && !last->path;) {
        const char *path = checkpoints_path(s->arena, s->dir, step[i]);
        if (checkpoint_sound(s->arena, path, reader_sha256(s->reader, &s->stored, path), trouble))
            last->path = path;
        else
            APPEND(s->arena, last->damaged, last->n_damaged, step[i]);
    }
    diag_print(trouble, stderr);
    if (n && !last->path)
        fail(s->diag, (struct place){0},
             "no checkpoint of run %s can be used\nremove them from %s/checkpoints, and `ganexp "
             "resume` begins again at step 0",
             uid_short(s->stored.uid), s->dir);
    return !n || last->path ? last : NULL;
}

bool session_last_checkpoint(struct session *s, struct last_checkpoint *last)
{
    if (!s->last)
        s->last = look_for_checkpoint(s);
    *last = s->last ? *s->last : (struct last_checkpoint){0};
    return s->last != NULL;
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
