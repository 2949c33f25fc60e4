// Shows what it would remove, and removes it only when told to: a folder of a run may be all that is
// left of it.
#include "base/arena.h"
#include "cli/command.h"
#include "store/leftovers.h"
#include "view/table.h"

#include <errno.h>
#include <string.h>

static double megabytes(const struct leftover *l, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += 1e-6 * (double)l[i].bytes;
    return sum;
}

static struct table *table_of(struct arena *a, const struct leftover *l, int n)
{
    struct table *t = table_new(a, "leftovers");
    table_column(t, "megabytes");
    table_column(t, "path");
    table_column(t, "what");
    for (int i = 0; i < n; i++) {
        table_real(t, 1e-6 * (double)l[i].bytes);
        table_text(t, l[i].path);
        table_text(t, l[i].what);
    }
    return t;
}

static int remove_all(struct options *o, const struct leftover *l, int n)
{
    int left = 0;
    for (int i = 0; i < n; i++) {
        const bool removed = leftover_remove(&l[i]);
        left += !removed;
        if (removed)
            printf("removed %s\n", l[i].path);
        else if (errno == EBUSY)
            fail(o->diag, (struct place){0}, "%s stays: a process works on it", l[i].path);
        else
            fail(o->diag, (struct place){0}, "cannot remove %s: %s", l[i].path, strerror(errno));
    }
    return left ? EXIT_FAILED : EXIT_DONE;
}

static int cmd_gc_run(struct options *o)
{
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    int n;
    const struct leftover *l = leftovers(reader, true, &n);
    if (option_given(o, "yes") && !leftovers_are_certain(reader)) {
        fail(o->diag, (struct place){0},
             "%s does not exist, so each of its runs seems to be left over\nnothing was removed",
             options_db(o));
        return EXIT_REFUSED;
    }
    if (option_given(o, "yes"))
        return remove_all(o, l, n);
    struct table *t = table_of(o->arena, l, n);
    if (option_given(o, "json"))
        tables_json((const struct table *const *)&t, 1, stdout);
    else if (n) {
        table_draw(t, stdout, 0);
        printf("%d in all, %.1f MB; nothing was removed: `ganexp gc --yes` does that\n", n,
               megabytes(l, n));
    } else
        puts("nothing is left over");
    return EXIT_DONE;
}

static const struct option_spec options[] = {
    {"yes", 'y', NULL, "remove what would be shown"},
    OPTION_JSON,
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_gc = {
    .name = "gc",
    .group = GROUP_RESULTS,
    .usage = "[options]",
    .help = "show, or remove, what is left over in results\n\n"
            "Files that a killed process had not finished, logs of a database that is gone, and "
            "folders of runs that have no\n"
            "row in the database. A folder with a journal is the whole run: `ganexp resume "
            "DIRECTORY` gives it its rows back.\n"
            "What a live run has is never among it. Nothing is removed without --yes.",
    .options = options,
    .run = cmd_gc_run,
};
