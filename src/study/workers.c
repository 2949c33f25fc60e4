// Trials are processes of this same program: a run that crashes, diverges or is killed takes nobody
// with it, and what a study does can be done by hand. The database says what is left; nothing else
// is remembered, so a killed study goes on where it was.
#include "study/study.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char **command(struct arena *a, const struct study *s, const struct trial *t,
                            const struct study_workers *w)
{
    const char **argv = NULL;
    int n = 0;
    const char *threads = arena_printf(a, "%d", w->threads);
    const bool resume = t->state == TRIAL_BROKEN_OFF;
    const char *head[] = {w->program,
                          resume ? "resume" : "run",
                          resume ? t->run : s->base,
                          "--db",
                          w->db,
                          "--threads",
                          threads};
    for (size_t i = 0; i < LENGTH(head); i++)
        APPEND(a, argv, n, head[i]);
    if (!resume) {
        APPEND(a, argv, n, "--experiment");
        APPEND(a, argv, n, s->name);
        for (int i = 0; i < t->n_override; i++)
            APPEND(a, argv, n, t->override[i]);
    }
    APPEND(a, argv, n, NULL);
    return argv;
}

static bool start(struct study *s, struct trial *t, struct arena *a, const struct study_workers *w)
{
    const char *log = arena_printf(a, "%s/%s-%" PRId64 ".log", w->logs, s->variation[t->variation],
                                   t->seed);
    posix_spawn_file_actions_t files;
    pid_t pid;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    const int error = posix_spawn(&pid, w->program, &files, NULL,
                                  (char *const *)command(a, s, t, w), environ);
    posix_spawn_file_actions_destroy(&files);
    w->told(w->context, s, t,
            error                          ? strerror(error)
            : t->state == TRIAL_BROKEN_OFF ? "goes on"
                                           : "starts");
    t->pid = error ? 0 : pid;
    return !error;
}

static struct trial *next_trial(struct study *s, const bool *tried)
{
    for (int i = 0; i < s->n_trial; i++)
        if (!tried[i] && !s->trial[i].pid &&
            (s->trial[i].state == TRIAL_MISSING || s->trial[i].state == TRIAL_BROKEN_OFF))
            return &s->trial[i];
    return NULL;
}

static struct trial *trial_of(struct study *s, pid_t pid)
{
    for (int i = 0; i < s->n_trial; i++)
        if (s->trial[i].pid == pid)
            return &s->trial[i];
    return NULL;
}

static const char *verdict(struct arena *a, int status)
{
    if (WIFSIGNALED(status))
        return arena_printf(a, "was ended by %s", strsignal(WTERMSIG(status)));
    switch (WEXITSTATUS(status)) {
    case 0: return "is done";
    case 3: return "diverged";
    case 130:
    case 143: return "was interrupted, and saved";
    }
    return arena_printf(a, "failed with exit code %d; see its log", WEXITSTATUS(status));
}

// Somebody else's: it will be done, or be left to us.
static bool wait_for_others(struct study *s, struct arena *a, const struct study_workers *w)
{
    int others = 0;
    for (int i = 0; i < s->n_trial; i++)
        others += s->trial[i].state == TRIAL_RUNNING;
    if (!others || (w->stop && *w->stop))
        return false;
    sleep(1);
    study_look(s, a, w->db);
    return true;
}

int study_run(struct study *s, struct arena *a, const struct study_workers *w)
{
    bool *tried = NEW_ARRAY(a, bool, s->n_trial);
    int running = 0, failed = 0;
    mkdir(w->logs, 0777);
    for (;;) {
        struct trial *t;
        while (running < w->jobs && !(w->stop && *w->stop) && (t = next_trial(s, tried))) {
            tried[t - s->trial] = true;
            if (start(s, t, a, w))
                running++;
            else
                failed++;
        }
        if (!running) {
            if (wait_for_others(s, a, w))
                continue;
            return failed;
        }
        int status;
        const pid_t pid = waitpid(-1, &status, 0);
        t = pid > 0 ? trial_of(s, pid) : NULL;
        if (!t)
            continue;  // a signal came, or a child of somebody else
        t->pid = 0;
        running--;
        failed += !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3);
        w->told(w->context, s, t, verdict(a, status));
    }
}
