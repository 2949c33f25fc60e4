// What a result depends on beside its config, as far as it is known.
#include "store/environment.h"

#include "base/arena.h"
#include "store/git.h"
#include "version.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

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
    const struct git_state git = git_ask(a);
    e->git_commit = git.commit;
    e->git_branch = git.branch;
    e->git_dirty = git.dirty;
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
