// A value in memory, as nested loops.
#ifndef IR_VIEW_H
#define IR_VIEW_H

#include "ir/value.h"

// A value as nested loops: dims and strides in numbers, in logical order, according to its layout.
struct view {
    int rank;
    int64_t dim[RANK_MAX], stride[RANK_MAX];
    enum type type;
};
// Plain or channels-last. A transposed or blocked value as if it were plain: that is for ops that do not
// care for the order of elements in memory, whose operands all lie alike.
struct view view_of(const struct value *v);
// v seen with the shape of a larger iteration space: stride 0 where it repeats. Equal rank, or rank
// 0.
struct view view_broadcast(const struct value *v, struct shape to);

#endif
