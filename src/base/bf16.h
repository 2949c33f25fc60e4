// bfloat16, the upper half of a float32.
#ifndef BASE_BF16_H
#define BASE_BF16_H

#include <stdint.h>
#include <string.h>

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// The upper half, rounded to the nearest, ties to even; a NaN stays one.
static inline uint16_t bf16_of(float x)
{
    const uint32_t bits = bits_of(x), quiet = bits >> 16 | 0x40,
                   near = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : near);
}

static inline float of_bf16(uint16_t half) { return float_of((uint32_t)half << 16); }

#endif
