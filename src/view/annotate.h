// The user's text, with what each line costs beside it.
#ifndef VIEW_ANNOTATE_H
#define VIEW_ANNOTATE_H

#include <stdio.h>

struct arena;
struct plan;
struct source;
struct timing;

// Milliseconds an iteration of the plan that was timed, forward and backward, beside the lines that
// its steps come from: of `first`, and of all other texts that have such lines. Below, what no line
// has: optimizers, changes of layout, batches, observers.
void annotate(const struct plan *p, const struct timing *t, const struct source *first, FILE *to);

// "4000 iterations of 2.6 ms: …", in a line: what of an iteration batches and results.db take, and
// what they take of a core beside it. Of an iteration, not of what is drawn, saved and scored
// between them.
const char *timing_text(struct arena *a, const struct timing *t);

#endif
