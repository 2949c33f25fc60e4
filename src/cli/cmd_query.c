// SQL over the results.
#include "base/arena.h"
#include "base/file.h"
#include "cli/command.h"
#include "store/query.h"
#include "view/table.h"

#include <string.h>

enum { SQL_MAX = 1 << 20 };

static const struct place nowhere;

static const char *read_sql(struct options *o, const char *path)
{
    size_t n;
    const char *why, *sql = file_text(o->arena, path, SQL_MAX, &n, &why);
    if (sql && (n > SQL_MAX || strlen(sql) < n))
        why = n > SQL_MAX ? "it is larger than 1 MiB" : "it is no text", sql = NULL;
    if (!sql)
        fail(o->diag, nowhere, "cannot read %s: %s", path, why);
    return sql;
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
