// What passes ask about a batch: which ops treat each sample (dimension 0) by itself, which values
// are the same op, and who reads what. For pass/ alone.
#ifndef OPT_BATCH_ROLE_H
#define OPT_BATCH_ROLE_H

#include "ir/value.h"

enum role { SHARED, BATCHED, NEITHER };

// What input i of v is, where v computes each sample by itself: the same for all samples, or their
// batch; NEITHER where it does not.
enum role sample_role(const struct value *v, int i);
// Whether v sums over the batch of all its inputs.
bool sums_samples(const struct value *v);
// Whether two values are the same op, of the same shapes; not whether of the same inputs.
bool alike(const struct value *a, const struct value *b);

struct readers {          // by id
    struct value ***user; // each once
    int *n_user;
    bool *is_root;
};
struct readers readers_of(const struct graph *g, struct arena *a);

#endif
