// For products: what an epilogue (graph/epilogue.h) means, reads as, and is told oneDNN.
#ifndef PRIM_EPILOGUE_H
#define PRIM_EPILOGUE_H

#include "graph/epilogue.h"
#include "plan/dnn.h"

struct image_end;
struct plan;
struct text;

void epilogue_reference(const struct value *v, const double *const *in, double *out);
void epilogue_print(const struct value *v, struct text *out); // " then bias, leaky_relu 0.2"
void epilogue_post_ops(const struct epilogue *e, struct shape result, struct dnn_after *after);
// What is added, in memory.
void epilogue_bind(struct plan *p, const struct value *v, struct dnn_args *args);
// Whether it is a factor, then a bias or a tensor or both, then a leaky_relu; each may be missing. p
// may be NULL: then nothing is said of where they are.
bool epilogue_ends(struct plan *p, const struct value *v, const struct epilogue *e,
                   struct image_end *end);

#endif
