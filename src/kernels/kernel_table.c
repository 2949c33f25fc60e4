// The kernels of one instruction set.
#include "kernels/kernel.h"

#define DECLARE(name) void KERNEL(name)(const void *task)
DECLARE(map_store);
DECLARE(map_reduce);
DECLARE(copy);
DECLARE(upsample);
DECLARE(pool_sum);
DECLARE(winograd_transform);
DECLARE(winograd_result);
DECLARE(winograd_weights);
DECLARE(few_result);
DECLARE(few_weight_grad);
DECLARE(taps_result);
DECLARE(taps_weight_grad);
DECLARE(taps_wide);
DECLARE(random);
DECLARE(update);
DECLARE(gather);
DECLARE(scatter_add);
DECLARE(one_hot);

update_part *KERNEL(update_part)(const char *rule);

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define ENTRY(name) .name = KERNEL(name)

extern const struct kernels KERNEL(kernels);
const struct kernels KERNEL(kernels) = {
    .isa = TEXT(ISA),
    ENTRY(map_store),
    ENTRY(map_reduce),
    ENTRY(copy),
    ENTRY(upsample),
    ENTRY(pool_sum),
    ENTRY(winograd_transform),
    ENTRY(winograd_result),
    ENTRY(winograd_weights),
    ENTRY(few_result),
    ENTRY(few_weight_grad),
    ENTRY(taps_result),
    ENTRY(taps_weight_grad),
    ENTRY(taps_wide),
    ENTRY(random),
    ENTRY(update),
    ENTRY(update_part),
    ENTRY(gather),
    ENTRY(scatter_add),
    ENTRY(one_hot),
};
