// Where the files of data sets are looked for.
#ifndef DATA_LOCATE_H
#define DATA_LOCATE_H

#include "base/diag.h"

struct arena;

struct places {
    const char *folder[2];
    int n;
    bool said; // the user gave `path:`
};

// `path` alone where it is given; else $GANEXP_DATA/NAME where that is set; else ./data/NAME and
// then $XDG_DATA_HOME/ganexp/NAME or ~/.local/share/ganexp/NAME.
struct places data_places(struct arena *a, const char *path, const char *name);
// The first of the names (NULL-terminated) in the first of the places that has one; NULL when none
// has. A folder by that name is found only when there is no file.
const char *data_find(struct arena *a, const struct places *p, const char *const *name);
// "the files of mnist were not found", with the places, what is wanted and the way to do without.
// False.
bool fail_not_found(struct diag *d, struct place where, const char *name, const struct places *p,
                    const char *wanted);

#endif
