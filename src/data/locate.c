// A user who said where the data is meant that place and no other: finding another copy elsewhere
// would train on something else than the file says. Only where nothing is said is there a list,
// nearest first.
#include "data/locate.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/text.h"

struct places data_places(struct arena *a, const char *path, const char *name)
{
    const char *data = getenv("GANEXP_DATA"), *share = getenv("XDG_DATA_HOME"),
               *home = getenv("HOME");
    if (path && *path)
        return (struct places){{path}, 1, true};
    if (data && *data)
        return (struct places){{arena_printf(a, "%s/%s", data, name)}, 1, false};
    struct places p = {{arena_printf(a, "data/%s", name)}, 1, false};
    if (share && *share)
        p.folder[p.n++] = arena_printf(a, "%s/ganexp/%s", share, name);
    else if (home && *home)
        p.folder[p.n++] = arena_printf(a, "%s/.local/share/ganexp/%s", home, name);
    return p;
}

const char *data_find(struct arena *a, const struct places *p, const char *const *name)
{
    const char *folder = NULL;
    for (int i = 0; i < p->n; i++)
        for (const char *const *s = name; *s; s++) {
            const char *path = arena_printf(a, "%s/%s", p->folder[i], *s);
            struct stat st;
            if (stat(path, &st))
                continue;
            if (!S_ISDIR(st.st_mode))
                return path;
            folder = folder ? folder : path;
        }
    return folder;
}

bool fail_not_found(struct diag *d, struct place where, const char *name, const struct places *p,
                    const char *wanted)
{
    struct text looked;
    text_init(&looked);
    for (int i = 0; i < p->n; i++)
        text_addf(&looked, "%s'%s'", i ? " and " : "", p->folder[i]);
    fail(d, where,
         "the files of %s were not found\nlooked in %s\nexpected %s\n"
         "data.real.dataset=digits%s (for a source named real) uses the built-in digits instead",
         name, looked.s, wanted, p->said ? " with data.real.path=!unset" : "");
    text_release(&looked);
    return false;
}
