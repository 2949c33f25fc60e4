// What a result depends on beside its config. git is asked once, in a process of its own, because
// linking a git library for three facts would cost more than the facts; without git, or outside a
// repository, the facts are simply not known.
#include "store/environment.h"

#include "base/arena.h"
#include "base/text.h"
#include "version.h"

#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

extern char **environ;

static void environment_read_all(int fd, struct text *out)
{
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        text_add_n(out, part, (size_t)n);
}

// The standard output of a program; false when it could not be run or failed.
static bool output_of(char *const *argv, struct text *out)
{
    int pipe_fd[2], status = -1;
    if (pipe2(pipe_fd, O_CLOEXEC))
        return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    const bool spawned = !posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fd[1]);
    if (spawned) {
        environment_read_all(pipe_fd[0], out);
        waitpid(pid, &status, 0);
    }
    close(pipe_fd[0]);
    return spawned && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// "# branch.oid 1234…", "# branch.head main", and a line a changed file.
static void read_git(struct arena *a, struct environment *e)
{
    char *argv[] = {"git",      "--no-optional-locks",  "status", "--porcelain=v2",
                    "--branch", "--untracked-files=no", NULL};
    struct text out;
    text_init(&out);
    e->git_dirty = -1;
    if (output_of(argv, &out)) {
        e->git_dirty = 0;
        char *rest = out.s, *line;
        while ((line = strsep(&rest, "\n"))) {
            if (!strncmp(line, "# branch.oid ", 13) && line[13] != '(')
                e->git_commit = arena_strdup(a, line + 13);
            else if (!strncmp(line, "# branch.head ", 14))
                e->git_branch = arena_strdup(a, line + 14);
            else if (*line && *line != '#')
                e->git_dirty = 1;
        }
    }
    text_release(&out);
}

// What follows `key` in the first line of a file that starts with it, without quotes.
static const char *environment_line_of(struct arena *a, const char *path, const char *key,
                                       const char *strip)
{
    FILE *f = fopen(path, "re");
    char line[512];
    const char *found = NULL;
    while (f && !found && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        char *value = line + strlen(key);
        value += strspn(value, strip);
        size_t n = strlen(value);
        while (n && strchr(strip, value[n - 1]))
            n--;
        found = arena_strndup(a, value, n);
    }
    if (f)
        fclose(f);
    return found;
}

struct environment *environment_capture(struct arena *a, const char *isa, const char *onednn,
                                        const char *libyaml)
{
    struct environment *e = NEW(a, struct environment);
    struct utsname name;
    uname(&name);
    read_git(a, e);
    e->ganexp = GANEXP_VERSION;
    e->host = arena_strdup(a, name.nodename);
    e->kernel = arena_printf(a, "%s %s", name.sysname, name.release);
    e->os = environment_line_of(a, "/etc/os-release", "PRETTY_NAME=", "\"\n");
    e->cpu = environment_line_of(a, "/proc/cpuinfo", "model name", " \t:\n");
    e->cores = sysconf(_SC_NPROCESSORS_ONLN);
    e->mem_bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    e->compiler = COMPILER;
    e->cflags = GANEXP_CFLAGS;
    e->sqlite = sqlite3_libversion();
    e->isa = isa;
    e->onednn = onednn;
    e->libyaml = libyaml;
    return e;
}

int64_t environment_peak_rss(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (int64_t)u.ru_maxrss * 1024;
}
