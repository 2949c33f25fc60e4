#include "base/arena.h"
#include "base/printable.h"
#include "cli/session.h"
#include "cli/session_describe.h"
#include "train/grid.h"
#include "train/scatter.h"
#include "store/trace.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct option_spec option[] = {
    OPTION_DB,
    {"count", 'n', "N", "how many samples; the config's grid unless told"},
    {"output", 'o', "FILE", "the PNG to write; samples.png unless told"},
    {"save", 0, "FILE", "write noise and samples as tensors too (safetensors)"},
    {"columns", 'c', "N", "columns of the grid; near square unless told"},
    {"seed", 's', "N", "of the noise; the run's unless told"},
    {"threads", 't', "N", "cores to use; all unless told"},
    OPTION_END,
};

static bool has_classes(const struct samples *grid)
{
    return grid->n_by && grid->by->noise->kind->classes;
}

static bool read_layout(struct options *o, struct experiment *e)
{
    struct samples *grid = &e->samples;
    int64_t n = grid->rows * grid->columns, columns = 0;
    if (!option_int(o, "count", 1, 4096, &n) || !option_int(o, "columns", 1, 4096, &columns) ||
        !option_int(o, "seed", INT64_MIN, INT64_MAX, &e->seed))
        return false;
    if (!columns)
        columns = n == grid->rows * grid->columns ? grid->columns
                  : has_classes(grid)             ? grid->by->noise->size[0]
                                                  : (int64_t)ceil(sqrt((double)n));
    grid->columns = columns < n ? columns : n;
    grid->rows = (n + grid->columns - 1) / grid->columns;
    ASSERT(grid->columns >= 1 && grid->rows * grid->columns >= n);
    return true;
}

static bool cmd_sample_save(struct options *o, const struct grid *grid)
{
    return !option_given(o, "save") || trace_grid(grid, option_text(o, "save", NULL), o->diag);
}

static bool drawn_finite(const struct grid *grid, const struct scatter *points)
{
    int n = 0;
    struct sampler *const *s = grid ? grid_samplers(grid, &n) : NULL;
    bool finite = !points || scatter_finite(points);
    for (int i = 0; i < n; i++)
        finite &= s[i]->finite;
    return finite;
}

// A grid where what is sampled is a picture, else points.
static bool cmd_sample_draw(struct session *s, const char *to)
{
    struct options *o = s->options;
    struct grid *grid = grid_new(o->arena, s->experiment, s->trainer->slab, o->diag);
    struct scatter *points = grid ? NULL
                                  : scatter_new(o->arena, s->experiment, s->trainer->slab, o->diag);
    if (!grid && (!points || option_given(o, "save")))
        return !diag_errors(o->diag) &&
               fail(o->diag, s->experiment->samples.where,
                    points ? "points are drawn, not saved\nleave out --save"
                           : "what is sampled is no picture of 1 or 3 channels");
    const bool drawn = grid ? grid_write(grid, to, o->arena)
                            : scatter_write(points, to, o->arena, o->diag);
    if (!drawn)
        return fail(o->diag, (struct place){0}, "cannot write %s: %s", to, strerror(errno));
    if (!drawn_finite(grid, points))
        warn(o->diag, WARNING_samples_not_finite, (struct place){0},
             "some samples hold NaN or Inf, which are drawn as black");
    return !grid || cmd_sample_save(o, grid);
}

static int cmd_sample_run(struct options *o)
{
    struct session s;
    int threads;
    if (!session_threads(o, 0, &threads))
        return EXIT_USAGE;
    const int opened = session_open_trained(&s, o, o->word[0]);
    if (opened != EXIT_DONE)
        return opened;
    if (!session_same_model(&s, "samples"))
        return EXIT_USAGE;
    const char *to = option_text(o, "output", "samples.png");
    s.trainer = trainer_new(o->arena, s.experiment, TRAINER_TRAINS, o->diag);
    if (!s.trainer)
        return EXIT_USAGE;
    if (!session_restore_last(&s))
        return EXIT_FAILED;
    if (!read_layout(o, s.experiment))
        return EXIT_USAGE;
    if (!cmd_sample_draw(&s, to)) {
        session_tell_moved(&s);
        return EXIT_FAILED;
    }
    printf("%s\n", printable(o->arena, to));
    return EXIT_DONE;
}

const struct command cmd_sample = {
    .name = "sample",
    .group = GROUP_SAMPLES,
    .usage = "[options] RUN [key=value …]",
    .help =
        "draw samples of a run's last checkpoint into a picture, or points where they are "
        "none\nWhere the config lays classes "
        "along the columns, so does the picture. samples.… can be said anew: samples.grid=[2,4].\n"
        "Data are opened only where what is drawn reads them; data.NAME.path=DIR says where they "
        "are now.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_sample_run,
};
