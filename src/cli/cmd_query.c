// SQL over the results.
#include "base/arena.h"
#include "base/text.h"
#include "cli/command.h"
#include "store/query.h"
#include "view/table.h"

#include <errno.h>
#include <string.h>

static const struct place nowhere;

static const char *read_sql(struct options *o, const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return fail(o->diag, nowhere, "cannot read %s: %s", path, strerror(errno)), NULL;
    struct text sql;
    text_init(&sql);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        text_add_n(&sql, part, n);
    fclose(f);
    const char *kept = arena_strdup(o->arena, sql.s);
    text_release(&sql);
    return kept;
}

// SQL as it is, or a file of it.
static const char *sql_of(struct options *o)
{
    const char *word = o->word[0];
    const size_t n = strlen(word);
    return n > 4 && !strcmp(word + n - 4, ".sql") ? read_sql(o, word) : word;
}

static int cmd_query_run(struct options *o)
{
    const char *sql = sql_of(o);
    if (!sql)
        return EXIT_USAGE;
    struct reader *reader = reader_open(o->arena, options_db(o), true, o->diag);
    if (!reader)
        return EXIT_FAILED;
    const struct table *t = query_sql(reader, sql, o->diag);
    if (!t)
        return EXIT_USAGE;
    if (option_given(o, "json"))
        tables_json(&t, 1, stdout);
    else
        table_draw(t, stdout, 0);
    return EXIT_DONE;
}

static const struct option_spec options[] = {
    OPTION_JSON,
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_query = {
    .name = "query",
    .group = GROUP_RESULTS,
    .usage = "[options] 'SELECT …' | FILE.sql",
    .help = "SQL over the results; the database is opened read-only\n\n"
            "Views made to be read: runs, metrics, summary, evals, best_evals, leaderboard, "
            "param_variants.\n"
            "results/queries/ has examples; results/schema/1.sql says what the columns are.",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_query_run,
};
