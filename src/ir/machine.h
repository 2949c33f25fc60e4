// What passes may ask about the machine that a graph is compiled for. Passes know no machine: what
// compiles gives the graph an answerer (codegen/compile.c). Without one, what asks does nothing.
#ifndef IR_MACHINE_H
#define IR_MACHINE_H

#include "ir/post_ops.h"

struct machine {
    // Whether v, a product without post-ops, can be computed with them, by what would compute it
    // anyway.
    bool (*post_ops_fit)(const struct value *v, const struct post_ops *e);
    // What a product will round its operands to.
    enum type (*product_takes)(const struct value *v);
    // Whether a convolution can be computed by Winograd's algorithm in blocks.
    bool (*has_winograd_blocks)(const struct value *conv);
};

#endif
