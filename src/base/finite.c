// An exponent of all ones is NaN or Inf; adding one to it carries into the sign, which is or-ed over
// all. Whole-number arithmetic, so that a compiler may reorder it into vectors; a sum of x·0, or
// isfinite in a loop that ends early, stays scalar.
#include "base/finite.h"

#include <stdint.h>
#include <string.h>

enum { BITS_WORTH_THREADS = 1 << 18 };

bool floats_finite(const float *x, size_t n)
{
    uint32_t all = 0;
#pragma omp parallel for simd schedule(static) reduction(| : all) if (n > BITS_WORTH_THREADS)
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        all |= (bits & 0x7f800000u) + 0x00800000u;
    }
    return !(all >> 31);
}
