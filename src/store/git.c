// git is asked in a process of its own, because linking a git library for three facts would cost
// more than the facts. The folder may have come from anybody, and its .git/config can name programs
// that `git status` runs: a file system monitor, hooks, filters that bring a file into the form that
// is compared, and transports, where an object is missing that another place promised. Looking at a
// folder is to run none of them. Values in the environment outrank those of the folder; filters have
// any name, so they are listed first. What the user has configured for all folders holds. Parsing
// .git here would run nothing either, but whether a file has changed takes most of git to tell.
//
// GIT_DIR and the like would make it tell of another folder than this one, as in a hook of git's, so
// they are not passed on; and it is looked for in PATH's absolute folders only, since a relative one
// is the folder itself.
#include "store/git.h"

#include "base/arena.h"
#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { KEYS_MAX = 1000 };

// How git is run: where it is, and the environment it gets.
struct git_call {
    struct arena *arena;
    char *program;
    char **variable;
    int n_variable, n_key;
};

static void git_set(struct git_call *g, const char *name, const char *value)
{
    APPEND(g->arena, g->variable, g->n_variable, arena_printf(g->arena, "%s=%s", name, value));
}

// A value of its configuration that outranks the folder's.
static void git_configure(struct git_call *g, const char *key, const char *value)
{
    git_set(g, arena_printf(g->arena, "GIT_CONFIG_KEY_%d", g->n_key), key);
    git_set(g, arena_printf(g->arena, "GIT_CONFIG_VALUE_%d", g->n_key), value);
    g->n_key++;
}

// "NAME=value" is the user's own word on where to look and what to read, and stays.
static bool is_passed_on(const char *variable)
{
    static const char *const own[] = {
        "GIT_CEILING_DIRECTORIES=", "GIT_DISCOVERY_ACROSS_FILESYSTEM=", "GIT_CONFIG_GLOBAL=",
        "GIT_CONFIG_SYSTEM=", "GIT_CONFIG_NOSYSTEM="};
    for (size_t i = 0; i < LENGTH(own); i++)
        if (!strncmp(variable, own[i], strlen(own[i])))
            return true;
    return strncmp(variable, "GIT_", 4) && strncmp(variable, "LC_ALL=", 7);
}

static char *find_git(struct arena *a)
{
    const char *path = getenv("PATH");
    char *rest = arena_strdup(a, path ? path : "/usr/bin:/bin"), *folder;
    while ((folder = strsep(&rest, ":"))) {
        char *program = arena_printf(a, "%s/git", folder);
        if (*folder == '/' && !access(program, X_OK))
            return program;
    }
    return NULL;
}

static void git_prepare(struct git_call *g)
{
    for (char **v = environ; *v; v++)
        if (is_passed_on(*v))
            APPEND(g->arena, g->variable, g->n_variable, *v);
    git_set(g, "LC_ALL", "C");
    git_set(g, "GIT_OPTIONAL_LOCKS", "0"); // nothing is written, so no hook tells of it
    git_set(g, "GIT_TERMINAL_PROMPT", "0");
    git_set(g, "GIT_NO_LAZY_FETCH", "1"); // since git 2.44
    git_set(g, "GIT_ALLOW_PROTOCOL", "none");
    git_configure(g, "core.fsmonitor", "false");
    git_configure(g, "core.hooksPath", "/dev/null");
}

static void git_read_all(int fd, struct text *out)
{
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        text_add_n(out, part, (size_t)n);
}

// Starts it with standard output into `to`, nothing to read, nowhere to complain, and the signals
// that this program ignores as they are by themselves.
static bool git_spawn(struct git_call *g, char *const *argv, int to, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, to, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const bool spawned = !posix_spawn(pid, g->program, &actions, &attributes, argv, g->variable);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return spawned;
}

// What git prints; false when it could not be run or failed. The environment ends here: with how
// many values of configuration there are.
static bool git_output(const struct git_call *prepared, char *const *argv, struct text *out)
{
    struct git_call g = *prepared;
    int pipe_fd[2], status = -1;
    if (pipe2(pipe_fd, O_CLOEXEC))
        return false;
    g.variable = NEW_ARRAY(g.arena, char *, g.n_variable + 2);
    memcpy(g.variable, prepared->variable, sizeof *g.variable * (size_t)g.n_variable);
    g.variable[g.n_variable] = arena_printf(g.arena, "GIT_CONFIG_COUNT=%d", g.n_key);
    pid_t pid;
    const bool spawned = git_spawn(&g, argv, pipe_fd[1], &pid);
    close(pipe_fd[1]);
    if (spawned) {
        git_read_all(pipe_fd[0], out);
        waitpid(pid, &status, 0);
    }
    close(pipe_fd[0]);
    return spawned && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The next text of several that each end in '\0'; NULL at the end.
static const char *next_of(const char **at, const char *end)
{
    const char *text = *at;
    const char *zero = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
    *at = zero ? zero + 1 : end;
    return zero ? text : NULL;
}

// Filters that the folder's own configuration names are made to do nothing. False where it cannot be
// told what it names, or names too much.
static bool disarm_filters(struct git_call *g)
{
    char *const argv[] = {g->program,     "config",      "--includes",
                          "--show-scope", "--name-only", "-z",
                          "--get-regexp", "^filter\\.",  NULL};
    struct text out;
    text_init(&out);
    git_output(g, argv, &out); // fails where there is none
    const char *at = out.s, *scope, *key;
    while ((scope = next_of(&at, out.s + out.n)) && (key = next_of(&at, out.s + out.n)) &&
           g->n_key < KEYS_MAX)
        if (!strcmp(scope, "local") || !strcmp(scope, "worktree"))
            git_configure(g, key, strcmp(strrchr(key, '.'), ".required") ? "" : "false");
    text_release(&out);
    return g->n_key < KEYS_MAX;
}

// "# branch.oid 1234…", "# branch.head main", and a line a changed file.
static void read_status(struct arena *a, char *rest, struct git_state *s)
{
    char *line;
    s->dirty = 0;
    while ((line = strsep(&rest, "\n"))) {
        if (!strncmp(line, "# branch.oid ", 13) && line[13] != '(')
            s->commit = arena_strdup(a, line + 13);
        else if (!strncmp(line, "# branch.head ", 14))
            s->branch = arena_strdup(a, line + 14);
        else if (*line && *line != '#')
            s->dirty = 1;
    }
}

struct git_state git_ask(struct arena *a)
{
    struct arena *scratch = arena_new(NULL);
    struct git_call g = {.arena = scratch, .program = find_git(scratch)};
    struct git_state s = {.dirty = -1};
    struct text out;
    text_init(&out);
    char *const argv[] = {g.program,
                          "--no-pager",
                          "status",
                          "--porcelain=v2",
                          "--branch",
                          "--no-renames",
                          "--untracked-files=no",
                          "--ignore-submodules=all",
                          NULL};
    if (g.program) {
        git_prepare(&g);
        if (disarm_filters(&g) && git_output(&g, argv, &out))
            read_status(a, out.s, &s);
    }
    text_release(&out);
    arena_free(scratch);
    return s;
}
