// All that is known of one run.
#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/command.h"
#include "store/query.h"
#include "view/table.h"
#include "view/terminal.h"

#include <string.h>

static void cmd_show_draw(struct table *const *t)
{
    for (int i = 0; i < RUN_TABLES; i++) {
        if (!table_rows(t[i]))
            continue;
        if (i)
            printf("\n%s\n", t[i]->title);
        if (i < 2)
            table_draw_fields(t[i], stdout);
        else
            table_draw(t[i], stdout, 0);
    }
}

static void draw_curve(struct reader *r, const struct stored_run *run, const char *metric,
                       bool json)
{
    int64_t n;
    const struct curve_point *p = query_curve(r, run, metric, &n);
    struct arena *a = arena_new(NULL);
    struct table *t = table_new(a, metric);
    table_column(t, "step");
    table_column(t, "value");
    for (int64_t i = 0; i < n; i++) {
        table_int(t, p[i].step);
        table_real(t, p[i].value);
    }
    if (json)
        tables_json((const struct table *const *)&t, 1, stdout);
    else
        table_draw(t, stdout, 0);
    arena_free(a);
}

// To the byte, but for a terminal.
static void print_config(const char *yaml)
{
    struct text shown;
    text_init(&shown);
    if (terminal_is(stdout))
        text_add_printable(&shown, yaml, strlen(yaml), "\n\t");
    else
        text_add(&shown, yaml);
    fputs(shown.s, stdout);
    text_release(&shown);
}

static int cmd_show_run(struct options *o)
{
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    struct stored_run stored;
    if (!reader_find(reader, o->n_word ? o->word[0] : "@last", &stored, o->diag))
        return EXIT_NOT_FOUND;
    const char *metric = option_text(o, "metric", NULL);
    if (option_given(o, "config")) {
        print_config(stored.config_yaml);
    } else if (metric) {
        draw_curve(reader, &stored, metric, option_given(o, "json"));
    } else {
        struct table *t[RUN_TABLES];
        query_run(reader, &stored, t);
        if (option_given(o, "json"))
            tables_json((const struct table *const *)t, RUN_TABLES, stdout);
        else
            cmd_show_draw(t);
    }
    return EXIT_DONE;
}

static const struct option_spec options[] = {
    {"config", 0, NULL, "the resolved config only, ready to be run again"},
    {"metric", 'm', "NAME", "the points of one metric only"},
    OPTION_JSON,
    OPTION_DB,
    OPTION_END,
};

const struct command cmd_show = {
    .name = "show",
    .group = GROUP_RESULTS,
    .usage = "[options] [RUN]",
    .help =
        "everything about one run\n\n"
        "State, environment, parameters with where each came from, metrics, evaluations, files,\n"
        "attempts and events. Without RUN: the newest.",
    .options = options,
    .max_words = 1,
    .run = cmd_show_run,
};
