// Says something of a run afterwards.
#include "cli/command.h"
#include "store/late.h"
#include "store/query.h"

static int cmd_note_run(struct options *o)
{
    struct stored_run run;
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    if (!reader_find(reader, o->word[0], &run, o->diag))
        return EXIT_NOT_FOUND;
    return late_note(options_db(o), &run, o->word[1], o->diag) ? EXIT_DONE : EXIT_FAILED;
}

static const struct option_spec options[] = {
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_note = {
    .name = "note",
    .group = GROUP_RESULTS,
    .usage = "[options] RUN TEXT",
    .help = "replace the note of a run\n\n"
            "`ganexp show` prints it, `ganexp run -m TEXT` writes the first one. An empty TEXT "
            "removes it. The run may be\n"
            "alive.",
    .options = options,
    .min_words = 2,
    .max_words = 2,
    .run = cmd_note_run,
};
