// Choices: where a pass could go several ways and only the machine knows which is best. The pass
// asks; the compiler has given the graph a chooser (codegen/tuner.h), or the pass's own rule
// decides.
#ifndef IR_CHOICE_H
#define IR_CHOICE_H

#include "ir/value.h"

enum { CHOICE_AXES = 3, CHOICE_OPTIONS = 12 };

// An answer is one of `option` for each axis.
struct question {
    const char *key; // what is to be computed, in words: equal keys are one question
    int n_axes, n_options, option[CHOICE_OPTIONS];
    int rule[CHOICE_AXES]; // what the pass takes by itself
    bool cold;             // timed with nothing of it in the caches, as it is between other work
    const char *pass;      // the one that asks
    // The work alone, as that pass would find it, for timing; what the pass asks of it gets the
    // answer that is timed.
    struct graph *(*example)(const struct question *q, struct arena *a);
    const void *about; // the pass's own, for `example`
};

struct chooser {
    void (*answer)(struct chooser *c, const struct question *q, int answer[CHOICE_AXES]);
};

// The chooser's answer, or the rule's where the graph has none.
void choose(const struct graph *g, const struct question *q, int answer[CHOICE_AXES]);

#endif
