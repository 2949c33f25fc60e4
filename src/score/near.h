// What scores of samples around known modes share: how near is near.
#ifndef SCORE_NEAR_H
#define SCORE_NEAR_H

#include "score/metric.h"

struct near {
    double within; // deviations of a mode
};
extern const struct param near_params[];

#endif
