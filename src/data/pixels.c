// Examples lie anywhere in memory, so all lines of one are asked for before the first is waited
// for: what is wanted of a shuffled set is mostly that waiting.
#include "data/pixels.h"

enum { LINE = 64 };

void pixels_float(const uint8_t *byte, int64_t n, float *x)
{
    for (int64_t i = 0; i < n; i += LINE)
        __builtin_prefetch(byte + i);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)byte[i] / 127.5f - 1;
}
