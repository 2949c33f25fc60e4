// One element of each transcendental, without branches, so that a loop over it becomes vector code
// on every instruction set: libm's vector variants exist on some machines only and differ between
// them. Errors are a few units in the last place. The polynomials are minimax fits on the ranges
// named (relative error below 2e-8). The files are built with IEEE's NaN and infinity intact:
// divergence is found by looking for them.
#ifndef KERNELS_KERNEL_MATH_H
#define KERNELS_KERNEL_MATH_H

#include "base/bf16.h"

#include <math.h>

// c ? a : b with both worked out: as an ordinary choice the dear side would move into a branch.
static inline float either(int c, float a, float b)
{
    const uint32_t mask = -(uint32_t)c;
    return float_of((bits_of(a) & mask) | (bits_of(b) & ~mask));
}

static inline float power_of_2(int32_t n) // n in [-126, 127]
{
    return float_of((uint32_t)(n + 127) << 23);
}

// x = n·ln 2 + r, |r| ≤ ln 2 / 2; returns e^r − 1
static inline float exp_core(float x, int32_t *n)
{
    const float z = x * 1.44269504f;
    *n = (int32_t)(z + copysignf(0.5f, z));
    const float k = (float)*n, r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    float q = 0.00139475781f;
    q = q * r + 0.008367247636f;
    q = q * r + 0.04166626682f;
    q = q * r + 0.1666653801f;
    q = q * r + 0.5000000066f;
    return r + r * r * q;
}

// x brought into [-most, most]; NaN stays. One comparison: two in a row become a branch, and the
// loop no vectors.
static inline float clamp(float x, float most) { return fabsf(x) > most ? copysignf(most, x) : x; }

static inline float exp_(float x)
{
    int32_t n;
    const float y = exp_core(clamp(x, 104), &n) + 1;
    // 2^n in two factors: n runs from -150 (through the denormals to zero) to 150 (to infinity)
    const int32_t half = n >> 1;
    return y * power_of_2(half) * power_of_2(n - half);
}

// e^x − 1 for x clamped to [-87, 87], exact to the last places near 0
static inline float expm1_(float x)
{
    int32_t n;
    const float y = exp_core(clamp(x, 87), &n), s = power_of_2(n);
    return s * y + (s - 1);
}

static inline float log_(float x)
{
    const float big = x < 1.17549435e-38f ? x * 8388608.0f : x;
    const uint32_t bits = bits_of(big) - 0x3f3504f3u; // √½: the mantissa is taken in [√½, √2)
    const int32_t e = (int32_t)bits >> 23;
    const float m = float_of((bits & 0x7fffffu) + 0x3f3504f3u) - 1;
    const float k = (float)(x < 1.17549435e-38f ? e - 23 : e);
    float q = 0.06919250856f;
    q = q * m - 0.1179177831f;
    q = q * m + 0.1187219572f;
    q = q * m - 0.1238392623f;
    q = q * m + 0.1421871185f;
    q = q * m - 0.1666927815f;
    q = q * m + 0.2000222488f;
    q = q * m - 0.2499998612f;
    q = q * m + 0.3333331046f;
    const float z = m * m;
    float y = m * z * q - k * 2.12194440e-4f;
    y = (y - 0.5f * z) + m + k * 0.693359375f;
    y = x > 3.40282347e38f ? x : y;
    y = x > 0 ? y : float_of(0x7fc00000u);
    return x == 0 ? float_of(0xff800000u) : y;
}

// log(1 + u), u in [0, 1]: what rounding 1 + u loses is made good by the factor u / ((1 + u) − 1)
static inline float log1p_(float u)
{
    const float w = 1 + u, d = w - 1;
    return d == 0 ? u : log_(w) * (u / d);
}

// tanh x = t / (t + 2), t = e^2x − 1
static inline float tanh_(float x)
{
    const float t = expm1_(2 * clamp(x, 10));
    return t / (t + 2);
}

static inline float sigmoid_(float x) { return 1 / (1 + exp_(-x)); }

static inline float softplus_(float x) { return (x > 0 ? x : 0) + log1p_(exp_(x > 0 ? -x : x)); }

// cos 2πv and sin 2πv for v in [0, 1)
static inline void turn(float v, float *cosine, float *sine)
{
    const int32_t q = (int32_t)(v * 4 + 0.5f);
    const float f = v - (float)q * 0.25f, z = f * f;
    float s = -75.40206722f;
    s = s * z + 81.59255352f;
    s = s * z - 41.34166263f;
    s = (s * z + 6.283185288f) * f;
    float c = 59.22040693f;
    c = c * z - 85.44285211f;
    c = c * z + 64.93931621f;
    c = c * z - 19.73920865f;
    c = c * z + 1;
    const float x = q & 1 ? s : c, y = q & 1 ? c : s;
    *cosine = (q + 1) & 2 ? -x : x;
    *sine = q & 2 ? -y : y;
}

#endif
