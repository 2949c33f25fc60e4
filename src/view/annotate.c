// A step belongs to the line of its value, and to that line's backward column when gradient() made
// it (or a pass, in place of such). A penalty's slope is backward, too, where it is computed, and
// the lines of the layers that it goes through show it. Updates of parameters are made for a line
// of the optimizer's, and changes of layout for a neighbour that is as often as not the other one:
// both stand below.
#include "view/annotate.h"

#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"
#include "ir/op.h"
#include "codegen/plan.h"
#include "train/trainer.h"

#include <string.h>

enum { FORWARD, BACKWARD, DIRECTIONS };

struct sheet {
    const struct source *source;
    int n;                      // lines
    double (*line)[DIRECTIONS]; // seconds; from 1
};

struct account {
    struct arena *arena;
    struct sheet *sheet;
    int n;
    double lines[DIRECTIONS], updates, layouts, nowhere;
};

static int count_lines(const char *text)
{
    int n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static struct sheet *sheet_of(struct account *a, const struct source *source)
{
    for (int i = 0; i < a->n; i++)
        if (a->sheet[i].source == source)
            return &a->sheet[i];
    struct sheet s = {.source = source, .n = count_lines(source->text)};
    s.line = arena_alloc(a->arena, sizeof *s.line * (size_t)(s.n + 1));
    APPEND(a->arena, a->sheet, a->n, s);
    return &a->sheet[a->n - 1];
}

static void annotate_add_step(struct account *a, const struct value *v, double seconds)
{
    const int direction = v->backward ? BACKWARD : FORWARD;
    if (v->op->flags & OP_EFFECT) {
        a->updates += seconds;
    } else if (v->op == &op_reorder) {
        a->layouts += seconds;
    } else if (!v->where.source || !v->where.line) {
        a->nowhere += seconds;
    } else {
        struct sheet *s = sheet_of(a, v->where.source);
        if (v->where.line <= s->n)
            s->line[v->where.line][direction] += seconds;
        a->lines[direction] += seconds;
    }
}

// Milliseconds an iteration; blank where there is nothing.
static void put_time(FILE *to, double seconds, const struct timing *t)
{
    if (seconds > 0)
        fprintf(to, "%9.3f", 1e3 * seconds / (double)t->n);
    else
        fprintf(to, "%9s", "");
}

static void draw_sheet(const struct sheet *s, const struct timing *t, FILE *to)
{
    const char *at = s->source->text;
    struct text line;
    text_init(&line);
    text_add_printable(&line, s->source->name, strlen(s->source->name), "");
    fprintf(to, "%9s%10s  %s, ms an iteration\n", "forward", "backward", line.s);
    for (int i = 1; i <= s->n && *at; i++) {
        const size_t length = strcspn(at, "\n");
        text_clear(&line);
        text_add_printable(&line, at, length, "\t");
        put_time(to, s->line[i][FORWARD], t);
        fputc(' ', to);
        put_time(to, s->line[i][BACKWARD], t);
        fprintf(to, "  %s\n", line.s);
        at += length + (at[length] == '\n');
    }
    fputc('\n', to);
    text_release(&line);
}

static void draw_row(double forward, double backward, const char *what, const struct timing *t,
                     FILE *to)
{
    put_time(to, forward, t);
    fputc(' ', to);
    put_time(to, backward, t);
    fprintf(to, "  %s\n", what);
}

static void draw_rest(const struct account *a, const struct timing *t, FILE *to)
{
    const double known = a->lines[FORWARD] + a->lines[BACKWARD] + a->updates + a->layouts +
                         a->nowhere + t->batches + t->recording + t->observer;
    draw_row(a->lines[FORWARD], a->lines[BACKWARD], "lines", t, to);
    draw_row(a->updates, 0, "updates of parameters and averages", t, to);
    draw_row(a->layouts, 0, "changes of layout", t, to);
    draw_row(a->nowhere, 0, "steps that come from no line", t, to);
    draw_row(t->batches, 0, "batches", t, to);
    draw_row(t->recording, 0, "results.db", t, to);
    draw_row(t->observer, 0, "progress, pictures, checkpoints, scores", t, to);
    draw_row(t->all - known, 0, "the loop itself", t, to);
    draw_row(t->all, 0, "in all", t, to);
    fprintf(to, "%s\n", timing_text(a->arena, t));
}

const char *timing_text(struct arena *a, const struct timing *t)
{
    const double iterations = t->all - t->observer, percent = 100 / iterations;
    return arena_printf(
        a,
        "%lld iterations of %.3f ms (median %.3f): batches %.2f %%, results.db %.2f %%; "
        "beside them %.2f %% of a core wrote results.db",
        (long long)t->n, 1e3 * iterations / (double)t->n, 1e3 * t->median, percent * t->batches,
        percent * t->recording, percent * t->recorder);
}

void annotate(const struct plan *p, const struct timing *t, const struct source *first, FILE *to)
{
    ASSERT(t->n > 0 && t->step);
    struct account a = {.arena = arena_new(NULL)};
    (void)sheet_of(&a, first);
    for (int i = 0; i < plan_steps(p); i++)
        annotate_add_step(&a, plan_step_value(p, i), t->step[i]);
    for (int i = 0; i < a.n; i++)
        draw_sheet(&a.sheet[i], t, to);
    draw_rest(&a, t, to);
    arena_free(a.arena);
}
