// Whether numbers are numbers.
#ifndef BASE_FINITE_H
#define BASE_FINITE_H

#include <stdbool.h>
#include <stddef.h>

// False where one of n is NaN or ±Inf. As fast as memory is read.
bool floats_finite(const float *x, size_t n);

#endif
