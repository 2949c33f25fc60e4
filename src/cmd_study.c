#include "base/arena.h"
#include "base/text.h"
#include "command.h"
#include "study/study.h"
#include "view/table.h"

#include <inttypes.h>
#include <omp.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec option[] = {
    OPTION_DB,
    {"jobs", 'j', "N", "runs at once; the cores are divided among them; 1 unless told"},
    {"threads", 't', "N", "cores for each run"},
    {"table", 0, NULL, "run nothing, only print the table"},
    {"markdown", 0, NULL, "the table as Markdown, as its README has it"},
    OPTION_JSON,
    OPTION_END,
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
    stop = signal;
}

static void told(void *context, const struct study *s, const struct trial *t, const char *what)
{
    (void)context;
    fprintf(stderr, "%s, seed %" PRId64 ": %s\n", s->variation[t->variation], t->seed, what);
}

static int run_missing(struct options *o, struct study *s)
{
    int64_t jobs = 1, threads = 0;
    char program[4096];
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (!option_int(o, "jobs", 1, 1024, &jobs) || !option_int(o, "threads", 1, 1024, &threads))
        return -1;
    if (n < 0) {
        fail(o->diag, (struct place){0}, "cannot find out which program this is");
        return -1;
    }
    program[n] = '\0';
    const char *db = options_db(o), *slash = strrchr(db, '/');
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    const int cores = omp_get_num_procs();
    const struct study_workers w = {
        .program = program,
        .db = db,
        .jobs = (int)jobs,
        .stop = &stop,
        .told = told,
        .threads = threads        ? (int)threads
                   : cores > jobs ? cores / (int)jobs
                                  : 1,
        .logs = arena_printf(o->arena, "%.*s%s.study", slash ? (int)(slash - db + 1) : 0, db,
                             s->name),
    };
    return study_run(s, o->arena, &w);
}

static void print_markdown(const struct table *t)
{
    for (int row = -1; row < table_rows(t); row++) {
        for (int c = 0; c < t->n_column; c++) {
            struct text cell;
            text_init(&cell);
            if (row >= 0)
                cell_text(table_at(t, row, c), &cell);
            printf("| %s ", row < 0 ? t->column[c] : cell.s);
            text_release(&cell);
        }
        puts("|");
        for (int c = 0; row < 0 && c < t->n_column; c++)
            fputs("|---", stdout);
        if (row < 0)
            puts("|");
    }
}

static int run(struct options *o)
{
    struct study *s = study_read(o->arena, o->word[0], o->diag);
    if (!s)
        return EXIT_USAGE;
    study_look(s, o->arena, options_db(o));
    const int failed = option_given(o, "table") ? 0 : run_missing(o, s);
    if (failed < 0)
        return EXIT_USAGE;
    study_look(s, o->arena, options_db(o));
    const struct table *t = study_table(s, o->arena, options_db(o), o->diag);
    if (diag_errors(o->diag))
        return EXIT_FAILED;
    if (option_given(o, "json"))
        tables_json(&t, 1, stdout);
    else if (option_given(o, "markdown"))
        print_markdown(t);
    else
        table_draw(t, stdout, 0);
    return stop ? 128 + stop : failed ? EXIT_FAILED : EXIT_DONE;
}

const struct command cmd_study = {
    .name = "study",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] STUDY",
    .help = "run what is missing of a study, and show its table\n"
            "STUDY is a study.yaml, or its folder: a base config, variations of it, and seeds. "
            "Trials are runs like any other, known by\n"
            "the hash of their config, so a study that was broken off goes on, and one that is "
            "done only prints.",
    .options = option,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
