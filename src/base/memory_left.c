// What one asks for in vain is found out too late: Linux promises memory that it does not have, and
// ends the process that uses it. So the places that know are asked: /proc/meminfo, the control groups
// above this process (version 2, else 1), and the limits of the process itself.
#include "base/memory_left.h"

#include "base/size.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH_ROOM = 512 };

static void less(struct memory_left *m, int64_t bytes, const char *why)
{
    if (bytes < m->bytes)
        *m = (struct memory_left){bytes > 0 ? bytes : 0, why};
}

// The number behind `key` at the beginning of a line, or the first of the file; −1: none is there.
static int64_t number_in(const char *path, const char *key)
{
    FILE *f = fopen(path, "re");
    char line[256];
    long long n = -1;
    while (f && n < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), " %lld", &n) != 1)
            n = -1;
    if (f)
        fclose(f);
    return n;
}

static void ask_machine(struct memory_left *m)
{
    const int64_t kilobytes = number_in("/proc/meminfo", "MemAvailable:");
    if (kilobytes >= 0)
        less(m, kilobytes * 1024, "free on this machine");
}

// One group's limit; pages of files that it can drop do not count as used.
static void ask_group(struct memory_left *m, const char *group, const char *limit, const char *used)
{
    char path[2 * PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", group, limit);
    const int64_t most = number_in(path, "");
    snprintf(path, sizeof path, "%s/%s", group, used);
    const int64_t taken = number_in(path, "");
    snprintf(path, sizeof path, "%s/memory.stat", group);
    const int64_t files = number_in(path, "inactive_file ");
    if (most >= 0 && taken >= 0)
        less(m, size_sum(most - taken, files > 0 ? files : 0), "left to its control group");
}

// The groups from this process's up to the root of the hierarchy.
static void ask_groups_above(struct memory_left *m, const char *root, char *below, bool second)
{
    char group[PATH_ROOM];
    for (;;) {
        snprintf(group, sizeof group, "%.200s%.250s", root, below);
        ask_group(m, group, second ? "memory.max" : "memory.limit_in_bytes",
                  second ? "memory.current" : "memory.usage_in_bytes");
        char *slash = strrchr(below, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

// "0::/user.slice/a.scope" of version 2, "9:memory:/a" of version 1
static void ask_control_groups(struct memory_left *m)
{
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH_ROOM];
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *memory = strstr(line, ":memory:");
        if (!strncmp(line, "0::", 3))
            ask_groups_above(m, "/sys/fs/cgroup", line + 3, true);
        else if (memory)
            ask_groups_above(m, "/sys/fs/cgroup/memory", memory + strlen(":memory:"), false);
    }
    if (f)
        fclose(f);
}

static void ask_limit(struct memory_left *m, int resource, long long pages, const char *why)
{
    struct rlimit limit;
    if (!getrlimit(resource, &limit) && limit.rlim_cur != RLIM_INFINITY)
        less(m, (int64_t)limit.rlim_cur - pages * sysconf(_SC_PAGESIZE), why);
}

static void ask_process(struct memory_left *m)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long long all = 0, data = 0;
    if (f && fscanf(f, "%lld %*d %*d %*d %*d %lld", &all, &data) != 2)
        all = data = 0;
    if (f)
        fclose(f);
    ask_limit(m, RLIMIT_AS, all, "left by `ulimit -v`");
    ask_limit(m, RLIMIT_DATA, data, "left by `ulimit -d`");
}

struct memory_left memory_left(void)
{
    struct memory_left m = {INT64_MAX, "free"};
    ask_machine(&m);
    ask_control_groups(&m);
    ask_process(&m);
    return m;
}
