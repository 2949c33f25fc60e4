#include "eval/near.h"

const struct param near_params[] = {{"within", PARAM_FLOAT, offsetof(struct near, within), "3", 0,
                                     1e9, .help = "deviations from a mode that still belong to it"},
                                    PARAM_END};
