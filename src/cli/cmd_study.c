#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "study/study.h"
#include "view/table.h"
#include "view/terminal.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>

static const struct option_spec option[] = {
    OPTION_DB,
    {"jobs", 'j', "N", "runs at once; the cores are divided among them; 1 unless told"},
    {"threads", 't', "N", "cores for each run"},
    {"table", 0, NULL, "run nothing, only print the table"},
    {"markdown", 0, NULL, "the table as Markdown, as its README has it"},
    OPTION_JSON,
    OPTION_END,
};

static volatile sig_atomic_t stop, stops;

static void cmd_study_on_signal(int signal)
{
    stop = signal;
    stops++;
}

// --- progress ------------------------------------------------------------------------------------

struct teller {
    const struct study_workers *workers;
    double told; // when the last line of how far it is was written
    bool open;   // that line is on the screen, to be written over
};

enum { TELL_SECONDS = 30 };

static void cmd_study_wipe(struct teller *y)
{
    if (y->open)
        fprintf(stderr, "\r%*s\r", terminal_width(stderr) - 1, "");
    y->open = false;
}

static void print_last_line(const char *path)
{
    char line[400], last[400] = "";
    FILE *f = file_stream(path);
    while (f && fgets(line, sizeof line, f))
        if (strspn(line, " \n") < strlen(line))
            strcpy(last, line);
    if (f)
        fclose(f);
    struct text shown;
    text_init(&shown);
    text_add_printable(&shown, path, strlen(path), "");
    text_add(&shown, ":\n    ");
    text_add_printable(&shown, last, strlen(last), "\n\t");
    fprintf(stderr, "    %s", shown.s);
    text_release(&shown);
}

static void told(void *context, const struct study *s, const struct trial *t, const char *what,
                 bool trouble)
{
    struct teller *y = context;
    struct arena *a = arena_new(NULL);
    cmd_study_wipe(y);
    fprintf(stderr, "%s, seed %" PRId64 ": %s\n", printable(a, s->variation[t->variation]), t->seed,
            printable(a, what));
    if (trouble)
        print_last_line(study_log(a, y->workers, s, t));
    arena_free(a);
}

static int finished(const struct study *s)
{
    return study_count(s, TRIAL_DONE) + study_count(s, TRIAL_DIVERGED);
}

// "7 of 18 done, about 12 min left"
static void tick(void *context, const struct study *s, double left)
{
    struct teller *y = context;
    const bool live = terminal_is(stderr);
    if (clock_now() - y->told < (live ? 0 : TELL_SECONDS) || isnan(left))
        return;
    cmd_study_wipe(y);
    fprintf(stderr, "%d of %d done, about ", finished(s), s->n_trial);
    if (left < 90)
        fprintf(stderr, "%.0f s left", left);
    else if (left < 90 * 60)
        fprintf(stderr, "%.0f min left", left / 60);
    else
        fprintf(stderr, "%.1f h left", left / 3600);
    fputs(live ? "" : "\n", stderr);
    fflush(stderr);
    y->open = live;
    y->told = clock_now();
}

static void tell_beginning(struct arena *a, const struct study *s, const struct study_workers *w)
{
    const int left = study_count(s, TRIAL_MISSING) + study_count(s, TRIAL_BROKEN_OFF),
              others = study_count(s, TRIAL_RUNNING);
    if (left || others)
        fprintf(stderr, "%s: %d trials, %d done, %d broken off, %d missing", printable(a, s->name),
                s->n_trial, finished(s), study_count(s, TRIAL_BROKEN_OFF),
                study_count(s, TRIAL_MISSING));
    if (others)
        fprintf(stderr, ", %d running elsewhere", others);
    if (left || others)
        fprintf(stderr, "; %d at once, %d core%s each\n", w->jobs, w->threads,
                w->threads > 1 ? "s" : "");
}

static void tell_end(const struct study *s)
{
    const int left = s->n_trial - finished(s);
    if (left)
        fprintf(stderr, "%d of %d trials %s not done; the same command goes on\n", left, s->n_trial,
                left > 1 ? "are" : "is");
}

// --- the command ---------------------------------------------------------------------------------

static int run_missing(struct options *o, struct study *s)
{
    int64_t jobs = 1, threads = 0;
    if (!option_int(o, "jobs", 1, 1024, &jobs) || !option_int(o, "threads", 1, 1024, &threads))
        return -1;
    const char *db = options_db(o), *slash = strrchr(db, '/');
    const int cores = omp_get_num_procs();
    struct teller y = {.told = clock_now()};
    const struct study_workers w = {
        .program = o->argv[0],
        .db = db,
        .jobs = (int)jobs,
        .stop = &stop,
        .stops = &stops,
        .context = &y,
        .told = told,
        .tick = tick,
        .threads = threads        ? (int)threads
                   : cores > jobs ? cores / (int)jobs
                                  : 1,
        .logs = arena_printf(o->arena, "%.*s%s.study", slash ? (int)(slash - db + 1) : 0, db,
                             s->name),
    };
    y.workers = &w;
    signals_handle(cmd_study_on_signal, 0);
    tell_beginning(o->arena, s, &w);
    const int failed = study_run(s, o->arena, &w);
    cmd_study_wipe(&y);
    tell_end(s);
    return failed;
}

static void print_markdown(const struct table *t)
{
    for (int row = -1; row < table_rows(t); row++) {
        for (int c = 0; c < t->n_column; c++) {
            struct text cell;
            text_init(&cell);
            if (row >= 0)
                cell_text(table_at(t, row, c), &cell);
            else
                text_add_printable(&cell, t->column[c], strlen(t->column[c]), "");
            printf("| %s ", cell.s);
            text_release(&cell);
        }
        puts("|");
        for (int c = 0; row < 0 && c < t->n_column; c++)
            fputs("|---", stdout);
        if (row < 0)
            puts("|");
    }
}

static void print_table(struct options *o, const struct study *s, const struct table *t)
{
    if (option_given(o, "json"))
        tables_json(&t, 1, stdout);
    else if (option_given(o, "markdown"))
        print_markdown(study_show(s, t));
    else
        table_draw(study_show(s, t), stdout, 0);
}

static int cmd_study_run(struct options *o)
{
    struct study *s = study_read(o->arena, o->word[0], o->override, o->n_override, o->diag);
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
    print_table(o, s, t);
    return stop ? 128 + stop : failed ? EXIT_FAILED : EXIT_DONE;
}

const struct command cmd_study = {
    .name = "study",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] STUDY [key=value …]",
    .help = "run what is missing of a study, and show its table\n"
            "STUDY is a study.yaml, or its folder: a base config, variations of it, and seeds. "
            "Trials are runs like any other, known by\n"
            "the hash of their config, so a study that was broken off, by Ctrl-C or kill -9, goes "
            "on where it was, and one that is done\n"
            "only prints: scores at the end of the runs, mean ± sample standard deviation over "
            "seeds, and the same score of real data.\n"
            "Overrides are of every run: data.real.dataset=mnist asks the same of other data. "
            "Each run's own words\n"
            "are in NAME.study/ beside the database.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_study_run,
};
