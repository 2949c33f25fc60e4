// Texts from outside (paths, arguments, host names) need not be UTF-8, JSON texts must be: bytes
// that are not are replaced by '?', because losing a run's record over a letter in its path would
// be worse.
#include "store/describe.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/environment.h"
#include "store/record.h"

static json_t *text(const char *s)
{
    if (!s)
        return json_null();
    json_t *j = json_string(s);
    if (j)
        return j;
    char *copy = strdup(s);
    for (char *p = copy; p && *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    j = json_string(copy ? copy : "?");
    free(copy);
    return j;
}

static void describe_put(json_t *j, const char *key, const char *s)
{
    json_object_set_new(j, key, text(s));
}

static void put_int(json_t *j, const char *key, int64_t x)
{
    json_object_set_new(j, key, json_integer(x));
}

static void put_real(json_t *j, const char *key, double x)
{
    json_object_set_new(j, key, record_number(x));
}

// A step below zero is no step.
static json_t *record_of(const char *what, int64_t step)
{
    json_t *j = json_object();
    describe_put(j, "what", what);
    put_int(j, "t_ms", now_ms());
    json_object_set_new(j, "step", step < 0 ? json_null() : json_integer(step));
    return j;
}

static json_t *params_of(const struct run_description *run)
{
    json_t *list = json_array();
    for (int i = 0; i < run->n_param; i++) {
        const struct run_param *p = &run->param[i];
        json_t *j = json_object();
        describe_put(j, "key", p->key);
        describe_put(j, "type", p->type);
        describe_put(j, "text", p->text);
        put_real(j, "num", p->num);
        describe_put(j, "origin", p->origin);
        json_array_append_new(list, j);
    }
    return list;
}

json_t *describe_run(const struct run_description *run, const char *uid, const char *dir)
{
    json_t *j = record_of("run", -1);
    describe_put(j, "uid", uid);
    describe_put(j, "dir", dir);
    describe_put(j, "experiment", run->experiment ? run->experiment : "default");
    describe_put(j, "name", run->name);
    describe_put(j, "note", run->note ? run->note : "");
    describe_put(j, "model", run->model);
    describe_put(j, "dataset", run->dataset);
    put_int(j, "seed", run->seed);
    describe_put(j, "config_yaml", run->config_yaml);
    describe_put(j, "config_hash", run->config_hash);
    describe_put(j, "group_hash", run->group_hash);
    json_object_set_new(j, "total_steps",
                        run->total_steps ? json_integer(run->total_steps) : json_null());
    json_object_set_new(j, "params", params_of(run));
    return j;
}

static void put_environment(json_t *j, const struct environment *e)
{
    describe_put(j, "ganexp", e->ganexp);
    describe_put(j, "git_commit", e->git_commit);
    describe_put(j, "git_branch", e->git_branch);
    json_object_set_new(j, "git_dirty",
                        e->git_dirty < 0 ? json_null() : json_integer(e->git_dirty));
    describe_put(j, "host", e->host);
    describe_put(j, "os", e->os);
    describe_put(j, "kernel", e->kernel);
    describe_put(j, "cpu", e->cpu);
    put_int(j, "cores", e->cores);
    put_int(j, "mem_bytes", e->mem_bytes);
    describe_put(j, "isa", e->isa);
    describe_put(j, "compiler", e->compiler);
    describe_put(j, "cflags", e->cflags);
    describe_put(j, "onednn", e->onednn);
    describe_put(j, "sqlite", e->sqlite);
    describe_put(j, "libyaml", e->libyaml);
    char *all = json_dumps(j, JSON_SORT_KEYS), hash[SHA256_DIGEST_STRING_LENGTH];
    describe_put(j, "hash", SHA256Data((const uint8_t *)all, strlen(all), hash));
    free(all);
}

// The 22nd field of /proc/self/stat; the second, the program's name, may hold blanks but ends with
// the last ')'.
static int64_t process_start(void)
{
    char line[1024] = "";
    FILE *f = fopen("/proc/self/stat", "re");
    if (!f)
        return 0;
    const char *at = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : 0;
}

static void put_boot(json_t *j)
{
    char id[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f && fgets(id, sizeof id, f))
        id[strcspn(id, "\n")] = '\0';
    if (f)
        fclose(f);
    describe_put(j, "boot_id", id);
    put_int(j, "proc_start", process_start());
}

static void put_arguments(json_t *j, const struct run_description *run)
{
    json_t *list = json_array();
    for (int i = 0; i < run->argc; i++)
        json_array_append_new(list, text(run->argv[i]));
    char *s = json_dumps(list, JSON_COMPACT);
    describe_put(j, "argv", s);
    free(s);
    json_decref(list);
}

json_t *describe_attempt(const struct run_description *run, int64_t first_step)
{
    static const struct environment unknown = {.ganexp = "", .host = "", .git_dirty = -1};
    char cwd[PATH_MAX];
    json_t *j = json_object();
    put_environment(j, run->environment ? run->environment : &unknown);
    json_t *attempt = record_of("attempt", first_step);
    json_object_update_missing(j, attempt);
    json_decref(attempt);
    put_arguments(j, run);
    put_boot(j);
    describe_put(j, "cwd", getcwd(cwd, sizeof cwd) ? cwd : "");
    put_int(j, "pid", getpid());
    put_int(j, "threads", run->threads);
    describe_put(j, "slurm_job", getenv("SLURM_JOB_ID"));
    return j;
}

json_t *describe_evaluation(const struct evaluation *e, int64_t step)
{
    const struct evaluator_record *by = &e->evaluator;
    json_t *j = record_of("evaluation", step);
    describe_put(j, "metric", e->name);
    describe_put(j, "direction", e->direction ? e->direction : "");
    put_real(j, "value", e->value);
    put_real(j, "std", e->std);
    describe_put(j, "weights", e->weights);
    put_real(j, "seconds", e->seconds);
    put_int(j, "seed", e->seed);
    describe_put(j, "fingerprint", by->fingerprint);
    describe_put(j, "name", by->name);
    describe_put(j, "extractor", by->extractor);
    describe_put(j, "extractor_sha256", by->extractor_sha256);
    describe_put(j, "real_split", by->real_split);
    describe_put(j, "real_stats_sha256", by->real_stats_sha256);
    put_int(j, "n_real", by->n_real);
    put_int(j, "n_fake", by->n_fake);
    describe_put(j, "preprocess", by->preprocess);
    describe_put(j, "version", by->version);
    return j;
}

json_t *describe_artifact(const char *path, const char *stored, const char *kind,
                          const char *format, int64_t step, const char *role)
{
    char hash[SHA256_DIGEST_STRING_LENGTH];
    struct stat st;
    if (stat(path, &st) || !SHA256File(path, hash))
        return NULL;
    json_t *j = record_of("artifact", step);
    describe_put(j, "kind", kind);
    describe_put(j, "path", stored);
    describe_put(j, "format", format);
    describe_put(j, "role", role ? role : "");
    put_int(j, "bytes", st.st_size);
    describe_put(j, "sha256", hash);
    return j;
}

json_t *describe_event(enum event_level level, const char *code, int64_t step, const char *words)
{
    static const char *const name[] = {"debug", "info", "warn", "error"};
    json_t *j = record_of("event", step);
    describe_put(j, "level", name[level]);
    describe_put(j, "code", code);
    describe_put(j, "text", words);
    return j;
}

json_t *describe_note(const char *note)
{
    json_t *j = record_of("note", -1);
    describe_put(j, "note", note);
    return j;
}

json_t *describe_end(enum run_status status, const char *reason, int exit_code)
{
    static const char *const name[] = {"done",   "failed",      "diverged",
                                       "pruned", "interrupted", "killed"};
    json_t *j = record_of("end", -1);
    describe_put(j, "status", name[status]);
    describe_put(j, "reason", reason ? reason : "");
    put_int(j, "exit_code", exit_code);
    return j;
}
