// Part of a graph as work to be timed alone, for questions (ir/choice.h). For opt/ alone.
#ifndef OPT_REGION_H
#define OPT_REGION_H

#include "ir/choice.h"

struct region {
    const struct graph *graph;
    bool *inside; // by id: what is part of it; sources and effects are not
    // by id: of what is read outside, what that is taken for; NULL: for read by maps
    const enum region_read { REGION_BY_MAPS, REGION_AS_IT_IS, REGION_NOT } * read;
};

// The part alone.
struct graph *region_graph(const struct region *r, struct arena *a);
// "WORDS 32x64x7x7 128x64x3x3 /2 1,1,1,1": images, weights, and the window of `conv`.
const char *region_conv(struct arena *a, const char *words, struct shape x, struct shape w,
                        const struct value *conv);
// Asks `pass` whether it should rewrite, for all values at once that get equal words, of which one
// of each op is the example; its rule is yes. `work` gives the words of what v would be rewritten
// from, by shape, or NULL where it would not be, and marks that where `inside` is given. By id:
// whether the answer is no.
typedef const char *region_work(const struct value *v, bool *inside, struct arena *a);
bool *region_declined(const struct graph *g, const char *pass, region_work *work, struct arena *a);

#endif
