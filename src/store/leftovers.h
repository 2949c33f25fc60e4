// What nobody needs any more: files that a killed process had not finished, folders of runs without a
// row. What a live run has is none of it.
#ifndef STORE_LEFTOVERS_H
#define STORE_LEFTOVERS_H

#include "store/query.h"

struct leftover {
    const char *path, *what; // what: a phrase
    int64_t bytes;
    bool folder;  // a run's
    bool records; // it has some that the database has not
};

// What is left beside the database and in runs/; deep: inside the folders of
// all runs too, and not only of those that were killed. *n of them.
struct leftover *leftovers(struct reader *r, bool deep, int *n);
// Whether there is a database at all. Where it is gone, each of its runs seems to be left over.
bool leftovers_are_certain(struct reader *r);
// False with errno; EBUSY where a process works on the run by now.
bool leftover_remove(const struct leftover *l);

#endif
