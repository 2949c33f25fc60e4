#include "ir/shape.h"

#include "base/size.h"
#include "base/text.h"

#include <inttypes.h>

int64_t shape_size(struct shape s)
{
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n = size_product(n, s.dim[i]);
    return n;
}

bool shape_equal(struct shape a, struct shape b)
{
    if (a.rank != b.rank)
        return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i])
            return false;
    return true;
}

void shape_text(struct shape s, struct text *out)
{
    text_add(out, "(");
    for (int i = 0; i < s.rank; i++)
        text_addf(out, "%s%" PRId64, i ? ", " : "", s.dim[i]);
    text_add(out, ")");
}

void shape_strides(struct shape s, int64_t stride[RANK_MAX])
{
    int64_t n = 1;
    for (int i = s.rank - 1; i >= 0; i--) {
        stride[i] = n;
        n = size_product(n, s.dim[i]);
    }
}

bool shape_broadcast(struct shape a, struct shape b, struct shape *out)
{
    if (a.rank != b.rank)
        return false;
    *out = a;
    for (int i = 0; i < a.rank; i++) {
        if (a.dim[i] != b.dim[i] && a.dim[i] != 1 && b.dim[i] != 1)
            return false;
        out->dim[i] = a.dim[i] == 1 ? b.dim[i] : a.dim[i];
    }
    return true;
}
