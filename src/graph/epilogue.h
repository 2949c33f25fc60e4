// What a product, or the last map of minimal filtering, does to each number of its result before it
// writes it: some pointwise ops in a row, each of what the one before has made and, where it takes
// two, of an operand that stands behind its own: a number for each channel or column, or a tensor
// like the result.
// Only pass/epilogue.c makes them, after differentiation.
#ifndef GRAPH_EPILOGUE_H
#define GRAPH_EPILOGUE_H

#include "graph/op.h"

enum { EPILOGUE_STEPS = 4 };

struct epilogue_step {
    enum pointwise op;  // PW_ADD, which has an operand; PW_AFFINE without a shift; others of one
    double number;      // attr.f[0] of the op
    struct value *with; // NULL: none
};

// n: 0 where there is none.
struct epilogue {
    int n;
    struct epilogue_step step[EPILOGUE_STEPS];
};
struct epilogue epilogue_of(const struct value *product);
// How many operands v has of its own.
int epilogue_behind(const struct value *v);
// "bias, leaky_relu 0.2"
void epilogue_text(const struct epilogue *e, struct shape result, struct text *out);
// The same product, which has none yet, with one.
struct value *epilogue_added(struct value *product, const struct epilogue *e);
// Whether v, a product without one, can be computed with it, by whoever would compute it anyway.
bool epilogue_fits(const struct value *v, const struct epilogue *e);

// Whether a step has an operand that is a number for each channel of an image or column of a
// matrix.
bool epilogue_is_bias(const struct epilogue_step *step, struct shape result);

#endif
