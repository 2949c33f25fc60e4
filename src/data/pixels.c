// Examples lie anywhere in memory, so all lines of one are asked for before the first is waited
// for: what is wanted of a shuffled set is mostly that waiting.
#include "data/pixels.h"

#include "config/param.h"

enum { LINE = 64 };

bool pixels_range(const struct node *node, double range[2], struct diag *d)
{
    double x[2];
    if (!node)
        return true;
    if (node->kind != NODE_LIST || node->n != 2)
        return fail(d, node->where,
                    "`range:` is not two numbers\nexpected [low, high]: what becomes "
                    "-1 and what becomes 1");
    for (int i = 0; i < 2; i++)
        if (!scalar_float(node->entry[i].value, "'range'", -1e30, 1e30, &x[i], d))
            return false;
    if (x[0] == x[1])
        return fail(d, node->where,
                    "`range:` is empty\nexpected [low, high]: what becomes -1 and "
                    "what becomes 1");
    range[0] = x[0];
    range[1] = x[1];
    return true;
}

void pixels_float(const uint8_t *byte, int64_t n, float *x)
{
    for (int64_t i = 0; i < n; i += LINE)
        __builtin_prefetch(byte + i);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)byte[i] / 127.5f - 1;
}
