// Which values are the same op, and what reads what. For opt/ alone.
#ifndef OPT_ALIKE_H
#define OPT_ALIKE_H

#include "ir/value.h"

// Whether two values are the same op, of the same shapes; not whether of the same inputs.
bool alike(const struct value *a, const struct value *b);

struct readers {          // by id
    struct value ***user; // each once
    int *n_user;
    bool *is_root;
};
struct readers readers_of(const struct graph *g, struct arena *a);

// The values that are products, or larger than an input of theirs, in order: few of a graph. *n of them.
struct value **growing_values(const struct graph *g, struct arena *a, int *n);

#endif
