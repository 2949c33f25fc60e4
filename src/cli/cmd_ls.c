// Lists runs, newest first.
#include "base/arena.h"
#include "cli/command.h"
#include "store/leftovers.h"
#include "view/table.h"

enum { SHOWN = 40, NAMED = 3 };

// On the other stream: what reads the list is not to meet it.
static void name_leftovers(struct reader *reader)
{
    int n, n_lost = 0;
    const struct leftover *l = leftovers(reader, false, &n);
    for (int i = 0; i < n; i++) {
        if (l[i].records && n_lost++ < NAMED)
            fprintf(stderr, "%s is a run without a row: `ganexp resume %s` brings it back\n",
                    l[i].path, l[i].path);
    }
    if (n_lost > NAMED)
        fprintf(stderr, "… and %d more such folders\n", n_lost - NAMED);
    if (n)
        fprintf(stderr, "%d left over in all: `ganexp gc` lists them\n", n);
}

static int cmd_ls_run(struct options *o)
{
    struct run_filter filter = {.model = option_text(o, "model", NULL),
                                .dataset = option_text(o, "dataset", NULL),
                                .status = option_text(o, "status", NULL),
                                .experiment = option_text(o, "experiment", NULL)};
    const bool json = option_given(o, "json"), all = option_given(o, "all") || json;
    int64_t shown = all ? INT32_MAX : SHOWN;
    if (!option_int(o, "number", 1, INT32_MAX, &shown))
        return EXIT_USAGE;
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    filter.limit = shown + 1; // one more, to know whether there are more
    struct table *t = query_runs(reader, &filter);
    const bool more = table_rows(t) > shown;
    if (more)
        t->n_cell = (int)shown * t->n_column;
    if (json) {
        tables_json((const struct table *const *)&t, 1, stdout);
    } else if (table_rows(t)) {
        table_draw(t, stdout, 0);
        if (more)
            puts("… and older ones: --all, or -n N");
    } else {
        fputs("no runs\n", stderr);
    }
    name_leftovers(reader);
    return EXIT_DONE;
}

static const struct option_spec options[] = {
    {"number", 'n', "N", "at most N runs (default 40)"},
    {"all", 'a', NULL, "all runs"},
    {"model", 0, "NAME", "only of this model"},
    {"dataset", 0, "NAME", "only on this data set"},
    {"status", 0, "WORD",
     "only: queued running lost done failed diverged pruned interrupted killed"},
    {"experiment", 0, "NAME", "only of this experiment"},
    OPTION_JSON,
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_ls = {
    .name = "ls",
    .group = GROUP_RESULTS,
    .usage = "[options]",
    .help = "list runs, newest first, with their best scores\n\n"
            "A run is addressed by the beginning of its id, by its name, or as @last, @last~1.\n"
            "`lost`: the run says it is running, but no process is working on it.",
    .options = options,
    .run = cmd_ls_run,
};
