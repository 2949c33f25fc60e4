// Run directories: RUNS/<short id>-<name>/, with a file `lock` that the run's process holds with
// flock. The kernel releases it whatever way the process ends, so "can it be taken?" answers "is
// the run alive?" at once and for certain, on this machine.
#ifndef STORE_RUNDIR_H
#define STORE_RUNDIR_H

#include <stdbool.h>

#include "base/diag.h"

struct arena;

enum { UID_LENGTH = 26, SHORT_LENGTH = 8 };

// A ULID in small letters: 48 bits of milliseconds, 80 of randomness; sorts by time.
void uid_new(char uid[UID_LENGTH + 1]);
const char *uid_short(const char *uid); // its last 8 letters

// Makes RUNS and the directory and takes its lock; *lock is the descriptor. NULL, reported.
const char *rundir_make(struct arena *a, const char *runs, const char *uid, const char *name,
                        int *lock, struct diag *d);
// The lock of an existing directory; -1 when a process holds it (or it cannot be opened: errno,
// else 0).
int rundir_lock(const char *dir);
bool rundir_alive(const char *dir);

const char *path_parent(struct arena *a, const char *path); // "." for a bare name
const char *path_join(struct arena *a, const char *parent,
                      const char *path); // path itself when absolute
const char *path_inside(struct arena *a, const char *parent,
                        const char *path); // what follows "parent/"; else absolute
bool path_make(const char *path);          // a directory and those above it; false with errno

#endif
