// Writing a slot's second copy; kernel_copy.c does it, for kernels alone.
#ifndef PRIM_KERNEL_TWIN_H
#define PRIM_KERNEL_TWIN_H

#include "prim/kernel.h"

// Elements from … to − 1 of the slot's memory p; both at the beginning of a block, or the end.
void KERNEL(write_twin)(const struct twin_task *t, const float *p, int64_t from, int64_t to);

#endif
