// How far a run is. On a terminal one line that is redrawn, at most 10 times a
// second: bar, step, rate, time left, losses. Elsewhere a plain line every now and then. NO_COLOR
// and TERM=dumb are respected.
#ifndef VIEW_PROGRESS_H
#define VIEW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct arena;
struct progress;

// total 0: not known. first: the step a resumed run goes on from, so that rate and time left are
// this process's.
struct progress *progress_new(struct arena *a, FILE *to, int64_t total, int64_t first);
// Seconds between plain lines when `to` is no terminal; 10 unless told.
void progress_every(struct progress *p, double seconds);
// Is it time to draw? Cheap; lets the loop skip gathering values.
bool progress_due(const struct progress *p);
// `step` steps are done; the n values are shown behind their names, which live as long as p. Draws
// only when due.
void progress_update(struct progress *p, int64_t step, const char *const *name, const double *value,
                     int n);
// A line of text that stays, above the bar.
void progress_note(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Draws the last state and leaves it on the screen.
void progress_end(struct progress *p);

#endif
