// Trials are processes of this same program: a run that crashes, diverges or is killed takes nothing
// else with it, and what a study does can be done by hand. The database says what is left; nothing else
// is remembered, so a killed study goes on where it was.
//
// Workers have a process group each, so that a terminal's Ctrl-C reaches them once, through the study:
// to a run a second signal means "at once, without saving". And the kernel signals them when the
// study is gone, even by SIGKILL: a worker without its parent would hold its trial and the cores for
// hours.
#include "study/study.h"

#include "base/arena.h"
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_SECONDS = 2 };

// --- a worker ------------------------------------------------------------------------------------

static const char **command(struct arena *a, const struct study *s, const struct trial *t,
                            const struct study_workers *w)
{
    const char **argv = NULL;
    int n = 0;
    const bool resume = t->state == TRIAL_BROKEN_OFF;
    ASSERT(!resume || t->run);
    const char *head[] = {
        w->program,  resume ? "resume" : "run",        resume ? t->run : t->base, "--db", w->db,
        "--threads", arena_printf(a, "%d", w->threads)};
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

const char *study_log(struct arena *a, const struct study_workers *w, const struct study *s,
                      const struct trial *t)
{
    char *name = arena_strdup(a, s->variation[t->variation]);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '_';
    return arena_printf(a, "%s/%s-%" PRId64 ".log", w->logs, name, t->seed);
}

static bool is_open(const struct trial *t)
{
    return t->state == TRIAL_MISSING || t->state == TRIAL_BROKEN_OFF;
}

// A trial belongs to the process that holds the lock of its log: the worker, for as long as it
// lives. Two studies at once so share the work, where the database alone would show a run only once
// it has begun. −1: another process works on it, or its log cannot be made.
static int workers_claim(struct study *s, struct trial *t, struct arena *a,
                         const struct study_workers *w)
{
    const int log = open(study_log(a, w, s, t), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log >= 0 && flock(log, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        t->state = TRIAL_RUNNING;
        close(log);
        return -1;
    }
    study_look(s, a, w->db);
    if (log >= 0 && !is_open(t)) {
        close(log);
        return -1;
    }
    return log;
}

// In the child: nothing but system calls. /proc/self/exe is the program that the study is, even
// where its file has been built anew meanwhile.
static void become_worker(int log, const char *const *argv, pid_t parent)
{
    const int null = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    if (null < 0 || getppid() != parent)
        _exit(127);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    execv("/proc/self/exe", (char *const *)argv);
    _exit(127);
}

static bool workers_start(struct study *s, struct trial *t, struct arena *a,
                          const struct study_workers *w, int log)
{
    ASSERT(is_open(t) && !t->pid);
    const char **argv = command(a, s, t, w);
    const pid_t parent = getpid(), pid = log < 0 ? -1 : fork();
    if (!pid)
        become_worker(log, argv, parent);
    close(log);
    t->pid = pid > 0 ? pid : 0;
    t->began = clock_now();
    t->first = t->step;
    w->told(w->context, s, t,
            log < 0                        ? "cannot write its log"
            : pid < 0                      ? strerror(errno)
            : t->state == TRIAL_BROKEN_OFF ? "goes on"
                                           : "starts",
            false);
    return pid > 0;
}

// A seed of every variation before the next seed: what is there early can be compared.
static struct trial *next_trial(struct study *s, const bool *tried)
{
    ASSERT(s->n_trial % s->n_variation == 0);
    const int n_seed = s->n_trial / s->n_variation;
    for (int i = 0; i < s->n_trial; i++) {
        const int at = i % s->n_variation * n_seed + i / s->n_variation;
        if (!tried[at] && !s->trial[at].pid && is_open(&s->trial[at]))
            return &s->trial[at];
    }
    return NULL;
}

static struct trial *trial_of(struct study *s, pid_t pid)
{
    for (int i = 0; i < s->n_trial; i++)
        if (s->trial[i].pid == pid)
            return &s->trial[i];
    return NULL;
}

static const char *verdict(struct arena *a, const struct trial *t, int status)
{
    const int seconds = (int)(t->seconds + 0.5);
    if (WIFSIGNALED(status))
        return arena_printf(a, "was ended by a signal (%s)", strsignal(WTERMSIG(status)));
    switch (WEXITSTATUS(status)) {
    case 0: return arena_printf(a, "is done, %d s", seconds);
    case 3: return arena_printf(a, "diverged, %d s", seconds);
    case 130:
    case 143: return "was interrupted, and saved";
    }
    return arena_printf(a, "failed with exit code %d", WEXITSTATUS(status));
}

// --- how long ------------------------------------------------------------------------------------

// Far enough that beginning and compiling weigh little.
static bool tells_pace(const struct trial *t)
{
    return (t->pid || t->seconds > 0) && (t->step - t->first) * 20 >= t->steps;
}

// Seconds a step of the variation's trials takes here, from those that ran or run now; of all
// variations for −1. NAN: not known yet.
static double pace(const struct study *s, int variation)
{
    double seconds = 0;
    int64_t steps = 0;
    for (int i = 0; i < s->n_trial; i++) {
        const struct trial *t = &s->trial[i];
        if ((variation >= 0 && t->variation != variation) || !tells_pace(t))
            continue;
        seconds += t->pid ? clock_now() - t->began : t->seconds;
        steps += t->step - t->first;
    }
    return steps ? seconds / (double)steps : NAN;
}

static bool is_left(const struct trial *t) { return t->pid || is_open(t); }

// All that is left shared among the workers, but no less than the longest trial.
static double seconds_left(const struct study *s, int jobs)
{
    const double any = pace(s, -1);
    double sum = 0, longest = 0;
    for (int i = 0; i < s->n_trial; i++) {
        const struct trial *t = &s->trial[i];
        if (!is_left(t))
            continue;
        const double own = pace(s, t->variation),
                     left = (isnan(own) ? any : own) * (double)(t->steps - t->step);
        sum += left;
        longest = fmax(longest, left);
    }
    return fmax(sum / jobs, longest);
}

// --- all of them ---------------------------------------------------------------------------------

static int workers_fill(struct study *s, struct arena *a, const struct study_workers *w,
                        bool *tried, int running, int *failed)
{
    struct trial *t;
    while (running < w->jobs && !*w->stop && (t = next_trial(s, tried))) {
        const int log = workers_claim(s, t, a, w);
        if (log < 0 && !is_open(t))
            continue;
        tried[t - s->trial] = true;
        if (workers_start(s, t, a, w, log))
            running++;
        else
            ++*failed;
    }
    return running;
}

static void pass_on(const struct study *s, const struct study_workers *w, int *passed)
{
    for (; *passed < *w->stops; ++*passed)
        for (int i = 0; i < s->n_trial; i++)
            if (s->trial[i].pid)
                kill((pid_t)s->trial[i].pid, *w->stop);
}

// Takes in the workers that have ended; how many are running then.
static int workers_gather(struct study *s, struct arena *a, const struct study_workers *w,
                          int running, int *failed)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct trial *t = trial_of(s, pid);
        if (!t)
            continue;
        ASSERT(running > 0);
        t->pid = 0;
        t->seconds = clock_now() - t->began;
        running--;
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        *failed += code != 0 && code != 3;
        study_look(s, a, w->db);
        w->told(w->context, s, t, verdict(a, t, status), code > 0 && code < 128);
    }
    return running;
}

int study_run(struct study *s, struct arena *a, const struct study_workers *w)
{
    ASSERT(w->jobs >= 1 && w->threads >= 1);
    bool *tried = NEW_ARRAY(a, bool, s->n_trial);
    int running = 0, failed = 0, passed = 0;
    double looked = clock_now();
    mkdir(w->logs, 0777);
    for (;;) {
        running = workers_fill(s, a, w, tried, running, &failed);
        // what others run will be done, or be left to us
        if (!running && (*w->stop || !study_count(s, TRIAL_RUNNING)))
            return failed;
        nanosleep(&(struct timespec){0, 100 * 1000 * 1000}, NULL);
        pass_on(s, w, &passed);
        running = workers_gather(s, a, w, running, &failed);
        if (clock_now() - looked < LOOK_SECONDS)
            continue;
        study_look(s, a, w->db);
        looked = clock_now();
        if (running)
            w->tick(w->context, s, seconds_left(s, w->jobs));
    }
}
