// The maps of Winograd's convolutions as numbers, for what computes them.
#ifndef IR_OPS_OP_WINOGRAD_H
#define IR_OPS_OP_WINOGRAD_H

#include "ir/build.h"
#include "ir/winograd_points.h"

// What the role makes of a tiling.
struct winograd_cut {
    int64_t step, phases, n, count[2], pad[2];
    int rows, columns;
    double m[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX];
};
struct winograd_cut winograd_cut_by(enum winograd_role role, struct winograd_tiling tiling);
struct winograd_cut winograd_cut_of(const struct value *v);

#endif
