// What scores of samples around known modes share: how near is near.
#ifndef EVAL_NEAR_H
#define EVAL_NEAR_H

#include "eval/metric.h"

struct near {
    double within; // deviations of a mode
};
extern const struct param near_params[];

#endif
