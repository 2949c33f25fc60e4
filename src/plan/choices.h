// A chooser that knows what was chosen before, and measures what was not: each candidate is
// compiled alone, run on random numbers, and timed. What a graph was answered is kept, so that it
// can be recorded with a run and given to another.
#ifndef PLAN_CHOICES_H
#define PLAN_CHOICES_H

#include "graph/choice.h"

// "4 4 0": an option an axis.
struct choice {
    const char *key, *answer;
    const char *origin; // "rule", "measured", "remembered", or whatever choices_know was told
    bool asked;
};

// Where winners are remembered from run to run.
struct memory {
    void *context;
    // *answer: the winner, or NULL when there is none yet: then `keep` follows, and nobody else
    // measures in between. False: it is not known and could not be kept, so nothing is measured.
    bool (*recall)(void *context, const char *key, const char **answer);
    void (*keep)(void *context, const char *key, const char *answer);
};

// How candidates are timed.
struct stopwatch {
    // Makes a candidate ready to run; lives as long as the arena.
    void *(*ready)(const struct question *q, const int answer[CHOICE_AXES], struct arena *a);
    double (*seconds)(void *ready); // of one run
};
extern const struct stopwatch stopwatch; // the real one

struct choices {
    struct chooser chooser; // what graphs are given
    struct arena *arena;
    struct choice *choice;
    int n;
    struct memory memory; // recall NULL: rules decide what is not known
    const struct stopwatch *stopwatch;
    void (*measures)(void *context, const char *key); // told before each; may be NULL
    void *context;
    int n_measured;
};

// Knows nothing; rules decide.
struct choices *choices_new(struct arena *a);
// The answer of a key from now on. One that does not fit its question is passed over.
void choices_know(struct choices *c, const char *key, const char *answer, const char *origin);

#endif
