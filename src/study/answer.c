// What a study answers: scores at the end of its runs, over seeds. Only equals are averaged: trials
// of a variation whose evaluators differ, by another number of samples, say, or a scorer trained on
// another machine, are rows of their own.
#include "study/study.h"

#include "base/arena.h"

#include <math.h>
#include <string.h>

struct answer {
    int variation, n, diverged;
    int64_t steps;
    const char *fingerprint, *evaluator, *data;
    double sum, squares, best, seconds, real;
};

static struct answer *answer_of(struct arena *a, struct answer **list, int *n,
                                const struct trial *t, const char *fingerprint)
{
    for (int i = 0; i < *n; i++)
        if ((*list)[i].variation == t->variation && !strcmp((*list)[i].fingerprint, fingerprint))
            return &(*list)[i];
    APPEND(a, *list, *n,
           ((struct answer){.variation = t->variation,
                            .steps = t->steps,
                            .fingerprint = arena_strdup(a, fingerprint),
                            .best = NAN}));
    return &(*list)[*n - 1];
}

// The last score of a run; its seconds are those that somebody was at it. An attempt that was
// killed has no end: it is counted to what it last logged.
static const char score_of_run[] =
    "SELECT e.value, e.direction, e.fingerprint, e.evaluator, e.dataset, (SELECT x.value FROM "
    "evals x WHERE x.run_id = e.run_id AND x.step = e.step AND x.fingerprint = e.fingerprint AND "
    "x.weights = e.weights AND x.metric = e.metric || '_real') AS real, (SELECT "
    "sum(coalesce(t.ended_ms, (SELECT max(k.t_ms) FROM tick k WHERE k.run_id = t.run_id AND k.t_ms "
    "> t.started_ms AND k.t_ms < coalesce((SELECT min(u.started_ms) FROM attempt u WHERE u.run_id "
    "= t.run_id AND u.n > t.n), k.t_ms + 1)), t.started_ms) - t.started_ms) / 1000.0 FROM attempt "
    "t WHERE t.run_id = e.run_id) AS seconds FROM evals e JOIN run r ON r.id = e.run_id WHERE "
    "r.uid = '%s' AND e.metric = '%s' ORDER BY e.step DESC LIMIT 1";
enum { VALUE, DIRECTION, FINGERPRINT, EVALUATOR, DATA, REAL, SECONDS };

static double answer_number(const struct table *t, int column)
{
    const struct cell *c = table_at(t, 0, column);
    return c->type == CELL_REAL ? c->real : c->type == CELL_INT ? (double)c->integer : NAN;
}

static void add_answer(const struct study *s, const struct trial *t, struct arena *a,
                       struct reader *r, struct answer **list, int *n, struct diag *d)
{
    const struct table *found = query_sql(r, arena_printf(a, score_of_run, t->run, s->score), d);
    if (!found || !table_rows(found) || isnan(answer_number(found, VALUE)))
        return;
    const double x = answer_number(found, VALUE);
    const bool low = !strcmp(table_at(found, 0, DIRECTION)->text, "min");
    struct answer *answer = answer_of(a, list, n, t, table_at(found, 0, FINGERPRINT)->text);
    answer->evaluator = arena_strdup(a, table_at(found, 0, EVALUATOR)->text);
    answer->data = arena_strdup(a, table_at(found, 0, DATA)->text);
    answer->n++;
    answer->sum += x;
    answer->squares += x * x;
    answer->seconds += answer_number(found, SECONDS);
    answer->real += answer_number(found, REAL);
    if (isnan(answer->best) || (low ? x < answer->best : x > answer->best))
        answer->best = x;
}

static void add_real(struct table *t, double x)
{
    if (isnan(x))
        table_null(t);
    else
        table_real(t, x);
}

static const char *const column[] = {"variation", "steps", "seeds", "diverged", "seconds",  "mean",
                                     "std",       "best",  "real",  "data",     "evaluator"};
enum {
    OF_VARIATION,
    OF_STEPS,
    OF_SEEDS,
    OF_DIVERGED,
    OF_SECONDS,
    OF_MEAN,
    OF_STD,
    OF_BEST,
    OF_REAL,
    OF_DATA,
    OF_EVALUATOR
};

static void answer_add_row(struct table *t, const struct study *s, const struct answer *answer)
{
    ASSERT(t->n_column == (int)LENGTH(column));
    const double n = answer->n, mean = answer->sum / n;
    table_text(t, s->variation[answer->variation]);
    table_int(t, answer->steps);
    table_int(t, answer->n);
    table_int(t, answer->diverged);
    add_real(t, answer->seconds / n);
    add_real(t, mean);
    add_real(t, n > 1 ? sqrt(fmax(0, (answer->squares - n * mean * mean) / (n - 1))) : NAN);
    add_real(t, answer->best);
    add_real(t, answer->real / n);
    table_text(t, answer->data);
    table_text(t, answer->n
                      ? arena_printf(t->arena, "%.8s: %s", answer->fingerprint, answer->evaluator)
                      : NULL);
}

static void answer_add_rows(struct table *t, const struct study *s, int variation, struct arena *a,
                            struct reader *r, struct diag *d)
{
    struct answer *list = NULL;
    const struct trial *last = NULL;
    int n = 0, diverged = 0;
    for (int i = 0; i < s->n_trial; i++) {
        const struct trial *trial = &s->trial[i];
        if (trial->variation != variation)
            continue;
        last = trial;
        diverged += trial->state == TRIAL_DIVERGED;
        if (r && trial->state == TRIAL_DONE)
            add_answer(s, trial, a, r, &list, &n, d);
    }
    ASSERT(last);
    if (!n)
        answer_of(a, &list, &n, last, "");
    list[0].diverged = diverged;
    for (int i = 0; i < n; i++)
        answer_add_row(t, s, &list[i]);
}

struct table *study_table(const struct study *s, struct arena *a, const char *db, struct diag *d)
{
    struct table *t = table_new(a, s->name);
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    struct reader *r = study_count(s, TRIAL_MISSING) < s->n_trial ? reader_open(a, db, false, d)
                                                                  : NULL;
    for (int v = 0; v < s->n_variation; v++)
        answer_add_rows(t, s, v, a, r, d);
    return t;
}

// --- for people ----------------------------------------------------------------------------------

// Four digits of the mean, and as many places of the deviation: "9.846 ± 0.024".
static int answer_places(double x)
{
    const int whole = x == 0 ? 0 : (int)floor(log10(fabs(x)));
    return whole > 3 ? 0 : whole < -3 ? 6 : 3 - whole;
}

static void show_score(struct table *out, const struct cell *mean, const struct cell *std)
{
    if (mean->type == CELL_NULL)
        table_null(out);
    else if (!std || std->type == CELL_NULL)
        table_text(out, arena_printf(out->arena, "%.*f", answer_places(mean->real), mean->real));
    else
        table_text(out, arena_printf(out->arena, "%.*f ± %.*f", answer_places(mean->real),
                                     mean->real, answer_places(mean->real), std->real));
}

static bool any_diverged(const struct table *t)
{
    for (int i = 0; i < table_rows(t); i++)
        if (table_at(t, i, OF_DIVERGED)->integer)
            return true;
    return false;
}

static bool several(const struct table *t, int c)
{
    const char *first = NULL;
    for (int i = 0; i < table_rows(t); i++) {
        const struct cell *cell = table_at(t, i, c);
        if (cell->type != CELL_TEXT)
            continue;
        if (first && strcmp(first, cell->text))
            return true;
        first = cell->text;
    }
    return false;
}

static bool says_something(const struct study *s, const struct table *t, int c)
{
    switch (c) {
    case OF_SEEDS: return s->n_trial > s->n_variation;
    case OF_DIVERGED: return any_diverged(t);
    case OF_STD:  // stands beside the mean
    case OF_BEST: // of few seeds, luck
        return false;
    case OF_DATA:
    case OF_EVALUATOR: return several(t, c);
    default: return true;
    }
}

static void show_cell(struct table *out, const struct table *t, int row, int c)
{
    struct cell cell = *table_at(t, row, c);
    switch (c) {
    case OF_SECONDS:
        if (cell.type == CELL_REAL)
            cell = (struct cell){CELL_INT, {.integer = llround(cell.real)}};
        table_cell(out, cell);
        return;
    case OF_MEAN: show_score(out, &cell, table_at(t, row, OF_STD)); return;
    case OF_REAL: show_score(out, &cell, NULL); return;
    case OF_EVALUATOR:
        table_text(out,
                   cell.type == CELL_TEXT ? arena_printf(out->arena, "%.8s", cell.text) : NULL);
        return;
    default: table_cell(out, cell);
    }
}

struct table *study_show(const struct study *s, const struct table *t)
{
    struct table *out = table_new(t->arena, t->title);
    bool shown[LENGTH(column)];
    const char *heading[LENGTH(column)];
    memcpy(heading, column, sizeof heading);
    heading[OF_VARIATION] = s->column;
    heading[OF_MEAN] = s->score;
    heading[OF_REAL] = "of real data";
    for (int c = 0; c < t->n_column; c++) {
        shown[c] = says_something(s, t, c);
        if (shown[c])
            table_column(out, heading[c]);
    }
    for (int row = 0; row < table_rows(t); row++)
        for (int c = 0; c < t->n_column; c++)
            if (shown[c])
                show_cell(out, t, row, c);
    return out;
}
