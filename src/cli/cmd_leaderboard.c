// Which configuration does best, over its seeds.
#include "cli/command.h"
#include "store/query.h"
#include "view/table.h"

static int cmd_leaderboard_run(struct options *o)
{
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    const struct table *t = query_leaderboard(reader, o->n_word ? o->word[0] : NULL,
                                              option_text(o, "dataset", NULL));
    if (option_given(o, "json"))
        tables_json(&t, 1, stdout);
    else if (table_rows(t))
        table_draw(t, stdout, 0);
    else
        fputs("no scores\n", stderr);
    return EXIT_DONE;
}

static const struct option_spec options[] = {
    {"dataset", 0, "NAME", "only on this data set"},
    OPTION_JSON,
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_leaderboard = {
    .name = "leaderboard",
    .group = GROUP_RESULTS,
    .usage = "[options] [SCORE]",
    .help =
        "mean and standard deviation over seeds of each configuration's best score, best first\n\n"
        "Configurations that differ in nothing but their seed are one line. Different evaluators "
        "are\n"
        "different lists.",
    .options = options,
    .max_words = 1,
    .run = cmd_leaderboard_run,
};
