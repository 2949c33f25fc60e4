// The handwritten digits of LeCun, Cortes and Burges: 60000 to train on, 10000 to test on.
#include "data/idx_set.h"

const struct dataset_kind dataset_mnist = {
    .word = {.name = "mnist",
             .help = "handwritten digits, 28 × 28 grey (LeCun, Cortes, Burges), from IDX files",
             .params = idx_params,
             .size = sizeof(struct idx_params)},
    .open = idx_set_open,
    .get = idx_set_get,
};
