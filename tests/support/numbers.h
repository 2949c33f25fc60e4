// Numbers for inputs, made from their names, and what the reference kernels make of a graph of them.
#include "ir/value.h"

static double number(const struct value *v, int64_t i)
{
    uint64_t z = ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u +
                 (uint64_t)v->attr.name[0] * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 29)) * 0x94D049BB133111EBu;
    return (double)(z >> 40) / (1 << 23) - 1;
}

static void feed(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = (float)number(v, i);
}
