// What tests of kernels are fed, and how near a kernel has to come.
#ifndef TESTS_NEAR_H
#define TESTS_NEAR_H

#include "base/arena.h"
#include "base/philox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h> // last: its fail() is another

static struct rng rng;

static inline float *numbers(struct arena *a, int64_t n, double low, double high)
{
    float *x = NEW_ARRAY(a, float, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(low + (high - low) * rng_uniform(&rng));
    return x;
}

static inline void assert_near(const char *what, const char *isa, int64_t i, double got,
                               double want, double scale)
{
    const bool same = isnan(want)   ? isnan(got)
                      : isinf(want) ? got == want
                                    : fabs(got - want) <= 1e-6 * (scale + fabs(want));
    if (!same)
        fail_msg("%s, %s: element %d is %.9g, not %.9g", what, isa, (int)i, got, want);
}

#endif
