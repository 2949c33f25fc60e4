// Trained scorers, kept in a folder by the key of their recipe and data, as checkpoints. Of several
// processes that want the same one at the same time, one trains it and the others wait for it.
#ifndef STORE_SCORERS_H
#define STORE_SCORERS_H

#include <signal.h>

#include "base/diag.h"
#include "eval/scorer.h"

struct scorers {
    struct arena *arena;
    const char *dir;                   // made when the first is kept
    const volatile sig_atomic_t *stop; // ends the waiting
    void *context;
    void (*note)(void *context, const char *text); // for the user
    struct diag *diag;
    const char *lock_path; // own
    int lock;              // own; -1: none
};

// What scorer_open wants; s lives as long.
struct scorer_cache scorers_cache(struct scorers *s);
// After scorer_open: lets others train what was not kept.
void scorers_end(struct scorers *s);

#endif
