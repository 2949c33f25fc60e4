// Writing a slot's second copy; kernel_copy.c does it, for kernels alone.
#ifndef KERNELS_KERNEL_PACKED_H
#define KERNELS_KERNEL_PACKED_H

#include "kernels/kernel.h"

// Elements from … to − 1 of the slot's memory p; both at the beginning of a block, or the end.
void KERNEL(write_packed)(const struct packed_task *t, const float *p, int64_t from, int64_t to);

#endif
