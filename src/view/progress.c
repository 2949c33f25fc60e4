// The rate is of the last seconds, not of the whole run: a run that slows down, or paused for an
// evaluation, should show it, and the time left follows. An average over everything since the start
// hides both. It decays with a time constant, in wall time, so that it does not depend on how often
// anyone asks.
#include "view/progress.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/printable.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "view/terminal.h"

enum { BAR = 20, SHOWN_MAX = 16 };

struct progress {
    struct arena *arena;
    FILE *to;
    bool live; // one line, redrawn
    bool colour;
    int64_t total, step, rate_step;
    double every, drawn, started, rate_time, rate;
    const char *name[SHOWN_MAX];
    double value[SHOWN_MAX];
    int n;
    bool line_open, ended;
};

struct progress *progress_new(struct arena *a, FILE *to, int64_t total, int64_t first)
{
    ASSERT(total >= 0 && first >= 0);
    struct progress *p = NEW(a, struct progress);
    p->arena = a;
    p->to = to;
    p->live = terminal_is(to);
    p->colour = terminal_has_colour(to);
    p->total = total;
    p->step = p->rate_step = first;
    p->every = p->live ? 0.1 : 10;
    p->started = p->rate_time = clock_now();
    p->drawn = p->live ? 0 : p->started;
    return p;
}

void progress_every(struct progress *p, double seconds)
{
    if (!p->live)
        p->every = seconds;
}

bool progress_due(const struct progress *p) { return clock_now() - p->drawn >= p->every; }

// rate ← rate + (1 − e^(−Δt/5 s))·(Δstep/Δt − rate)
static void progress_measure(struct progress *p, int64_t step)
{
    const double t = clock_now(), dt = t - p->rate_time;
    if (step <= p->rate_step || dt < 0.05)
        return;
    const double here = (double)(step - p->rate_step) / dt,
                 share = p->rate > 0 ? 1 - exp(-dt / 5) : 1;
    p->rate += share * (here - p->rate);
    p->rate_step = step;
    p->rate_time = t;
}

// "42s", "3m07s", "2h05m", "3d04h"
static void duration_text(double seconds, struct text *out)
{
    const int64_t s = (int64_t)(seconds + 0.5);
    if (s < 60)
        text_addf(out, "%" PRId64 "s", s);
    else if (s < 3600)
        text_addf(out, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
    else if (s < 86400)
        text_addf(out, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    else
        text_addf(out, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
}

static void bar_text(const struct progress *p, struct text *out)
{
    ASSERT(p->total > 0);
    const int64_t done = p->total > p->step ? p->step : p->total;
    const int full = (int)(done * BAR / p->total);
    text_add(out, p->colour ? "\033[32m" : "");
    for (int i = 0; i < full; i++)
        text_add(out, "━");
    text_add(out, p->colour ? "\033[90m" : "");
    for (int i = full; i < BAR; i++)
        text_add(out, p->colour ? "━" : "─");
    text_add(out, p->colour ? "\033[0m " : " ");
}

static void position_text(const struct progress *p, struct text *out)
{
    if (p->total)
        text_addf(out, "%3d%% %" PRId64 "/%" PRId64,
                  (int)(100.0 * (double)p->step / (double)p->total), p->step, p->total);
    else
        text_addf(out, "step %" PRId64, p->step);
    if (p->rate <= 0)
        return;
    text_addf(out, "  %.*f step/s", p->rate < 10 ? 2 : p->rate < 100 ? 1 : 0, p->rate);
    text_add(out, "  ");
    if (p->total > p->step && !p->ended) {
        duration_text((double)(p->total - p->step) / p->rate, out);
        text_add(out, " left");
    } else {
        duration_text(clock_now() - p->started, out);
    }
}

// Bytes of s that fit into `width` columns; every letter here is one column wide, escapes none.
static size_t fitting(const char *s, int width)
{
    size_t n = 0;
    for (int columns = 0; s[n];) {
        if (s[n] == '\033') {
            n += strcspn(s + n, "m") + 1;
            continue;
        }
        if (columns++ == width)
            break;
        n++;
        while ((s[n] & 0xc0) == 0x80)
            n++;
    }
    return n;
}

// To the beginning of an empty line; with blanks where escapes are not wanted.
static void progress_wipe(struct progress *p)
{
    if (p->colour)
        fputs("\r\033[K", p->to);
    else
        fprintf(p->to, "\r%*s\r", terminal_width(p->to) - 1, "");
}

static void progress_draw(struct progress *p)
{
    struct text line;
    text_init(&line);
    if (p->live && p->total)
        bar_text(p, &line);
    position_text(p, &line);
    for (int i = 0; i < p->n; i++) {
        text_add(&line, "  ");
        text_add_printable(&line, p->name[i], strlen(p->name[i]), "");
        text_addf(&line, " %.4g", p->value[i]);
    }
    if (p->live) {
        const size_t n = fitting(line.s, terminal_width(p->to) - 1);
        progress_wipe(p);
        fprintf(p->to, "%.*s%s", (int)n, line.s, p->colour ? "\033[0m" : "");
        p->line_open = true;
    } else {
        fprintf(p->to, "%s\n", line.s);
    }
    fflush(p->to);
    text_release(&line);
    p->drawn = clock_now();
}

void progress_update(struct progress *p, int64_t step, const char *const *name, const double *value,
                     int n)
{
    ASSERT(step >= 0 && n >= 0);
    p->step = step;
    p->n = n < SHOWN_MAX ? n : SHOWN_MAX;
    for (int i = 0; i < p->n; i++) {
        p->name[i] = name[i];
        p->value[i] = value[i];
    }
    if (!progress_due(p))
        return;
    progress_measure(p, step);
    progress_draw(p);
}

void progress_note(struct progress *p, const char *fmt, ...)
{
    va_list ap;
    struct text note, shown;
    text_init(&note);
    text_init(&shown);
    va_start(ap, fmt);
    text_vaddf(&note, fmt, ap);
    va_end(ap);
    text_add_printable(&shown, note.s, note.n, "\n\t");
    if (p->line_open)
        progress_wipe(p);
    fprintf(p->to, "%s\n", shown.s);
    text_release(&note);
    text_release(&shown);
    if (p->line_open)
        progress_draw(p);
    fflush(p->to);
}

void progress_end(struct progress *p)
{
    if (p->ended)
        return;
    progress_measure(p, p->step);
    p->ended = true;
    progress_draw(p);
    if (p->line_open)
        fputc('\n', p->to);
    p->line_open = false;
    fflush(p->to);
}
