// A chooser that knows what was chosen before, and measures what was not: each candidate is
// compiled alone, run on random numbers, and timed. What a graph was answered is kept, so that it
// can be recorded with a run and given to another.
#ifndef CODEGEN_TUNER_H
#define CODEGEN_TUNER_H

#include "ir/choice.h"

// "4 4 0": an option an axis.
struct tuner_answer {
    const char *key, *answer;
    const char *origin; // "rule", "measured", "remembered", or whatever tuner_know was told
    bool asked;
};

// Where winners are remembered from run to run.
struct tuner_memory {
    void *context;
    // *answer: the winner, or NULL when there is none yet: then `keep` follows, and nobody else
    // measures in between. False: it is not known and could not be kept, so nothing is measured.
    bool (*recall)(void *context, const char *key, const char **answer);
    void (*keep)(void *context, const char *key, const char *answer);
};

// How candidates are timed.
struct tuner_clock {
    // Makes a candidate ready to run; lives as long as the arena.
    void *(*ready)(const struct question *q, const int answer[CHOICE_AXES], struct arena *a);
    double (*seconds)(void *ready);         // of one run
    bool (*room)(const struct question *q); // whether memory suffices; NULL: it does
};
extern const struct tuner_clock stopwatch; // the real one

struct tuner {
    struct chooser chooser; // what graphs are given
    struct arena *arena;
    struct tuner_answer *choice;
    int n;
    struct tuner_memory memory; // recall NULL: rules decide what is not known
    const struct tuner_clock *stopwatch;
    void (*measures)(void *context, const char *key); // told before each; may be NULL
    void *context;
    int n_measured;
};

// Knows nothing; rules decide.
struct tuner *tuner_new(struct arena *a);
// The answer of a key from now on. One that does not fit its question is passed over.
void tuner_know(struct tuner *c, const char *key, const char *answer, const char *origin);

#endif
