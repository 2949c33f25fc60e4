// Sums and products of sizes that come from numbers somebody wrote. What does not fit in 64 bits is
// SIZE_TOO_LARGE, and stays so in further sums and products: a caller computes to the end and looks
// once. Never negative where the operands are not.
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdint.h>

// A function whose unsigned arithmetic is meant to wrap: a hash, a random number.
#if defined __clang__
#define WRAPS __attribute__((no_sanitize("unsigned-integer-overflow")))
#else
#define WRAPS
#endif

#define SIZE_TOO_LARGE INT64_MAX

static inline int64_t size_sum(int64_t a, int64_t b)
{
    int64_t n;
    return __builtin_add_overflow(a, b, &n) ? SIZE_TOO_LARGE : n;
}

static inline int64_t size_product(int64_t a, int64_t b)
{
    int64_t n;
    return __builtin_mul_overflow(a, b, &n) ? SIZE_TOO_LARGE : n;
}

#endif
