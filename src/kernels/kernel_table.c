// The kernels of one instruction set.
#include "kernels/kernel.h"

#define KERNEL_ENTRY(name, task) void KERNEL(name)(const void *task);
#include "kernels/kernels.def"
#undef KERNEL_ENTRY
update_part *KERNEL(update_part)(const char *rule);

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

extern const struct kernels KERNEL(kernels);
const struct kernels KERNEL(kernels) = {
    .isa = TEXT(ISA),
#define KERNEL_ENTRY(name, task) .name = KERNEL(name),
#include "kernels/kernels.def"
#undef KERNEL_ENTRY
    .update_part = KERNEL(update_part),
};
