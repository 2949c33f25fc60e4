// Runs side by side: what differs, and how well they did.
#include "base/arena.h"
#include "cli/command.h"
#include "store/query.h"
#include "store/rundir.h"
#include "view/table.h"

#include <string.h>

static struct table *names_of(struct arena *a, const struct stored_run *run, int n)
{
    struct table *t = table_new(a, "runs");
    static const char *const column[] = {"run",  "name",   "model", "dataset",
                                         "seed", "status", "step"};
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    for (int i = 0; i < n; i++) {
        table_text(t, uid_short(run[i].uid));
        table_text(t, run[i].name);
        table_text(t, run[i].model);
        table_text(t, run[i].dataset);
        table_int(t, run[i].seed);
        table_text(t, run[i].status);
        table_int(t, run[i].step);
    }
    return t;
}

// A column that is empty everywhere says nothing.
static struct table *without_empty_note(struct table *t)
{
    const int note = table_find(t, "note");
    if (note < 0 || note != t->n_column - 1)
        return t;
    for (int i = 0; i < table_rows(t); i++)
        if (*table_at(t, i, note)->text)
            return t;
    struct table *out = table_new(t->arena, t->title);
    for (int j = 0; j < note; j++)
        table_column(out, t->column[j]);
    for (int i = 0; i < table_rows(t); i++)
        for (int j = 0; j < note; j++)
            table_cell(out, *table_at(t, i, j));
    return out;
}

static void cmd_compare_draw(struct table *const *t, int n)
{
    static const char *const empty[] = {NULL, "parameters are the same", "no scores", "no metrics"};
    for (int i = 0; i < n; i++) {
        if (i)
            printf("\n%s\n", t[i]->title);
        if (table_rows(t[i]))
            table_draw(without_empty_note(t[i]), stdout, 0);
        else
            printf("(%s)\n", empty[i]);
    }
}

static bool twice(const struct stored_run *run, int n)
{
    for (int i = 0; i < n; i++)
        if (run[i].id == run[n].id)
            return true;
    return false;
}

static int cmd_compare_run(struct options *o)
{
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    struct stored_run *stored = NEW_ARRAY(o->arena, struct stored_run, o->n_word);
    int n = 0;
    bool ok = true;
    for (int i = 0; i < o->n_word; i++) {
        const bool found = reader_find(reader, o->word[i], &stored[n], o->diag);
        ok &= found;
        n += found && !twice(stored, n);
    }
    if (!ok)
        return EXIT_NOT_FOUND;
    struct table *t[1 + COMPARE_TABLES] = {names_of(o->arena, stored, n)};
    query_compare(reader, stored, n, option_given(o, "all"), t + 1);
    if (option_given(o, "json"))
        tables_json((const struct table *const *)t, 1 + COMPARE_TABLES, stdout);
    else
        cmd_compare_draw(t, 1 + COMPARE_TABLES);
    return EXIT_DONE;
}

static const struct option_spec options[] = {
    {"all", 'a', NULL, "all parameters, not only those that differ"},
    OPTION_JSON,
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_compare = {
    .name = "compare",
    .group = GROUP_RESULTS,
    .usage = "[options] RUN RUN…",
    .help = "runs side by side: what differs, and how well they did\n\n"
            "Scores stand in one row only when the same evaluator gave them: the same network, the "
            "same\n"
            "real images, as many samples.",
    .options = options,
    .min_words = 2,
    .max_words = 64,
    .run = cmd_compare_run,
};
