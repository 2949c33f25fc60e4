// The table of lowerings, found by the address of an op.
#include "codegen/lowering.h"

#include "base/arena.h"
#include "registry_lowerings.h"

static const struct lowering *const tables[] = {REGISTRY_lowerings};

const struct lowering *lowering_of(const struct op *op)
{
    static const struct lowering none;
    for (size_t i = 0; i < LENGTH(tables); i++)
        for (const struct lowering *l = tables[i]; l->op; l++)
            if (op >= l->op && op < l->op + (l->n ? l->n : 1))
                return l;
    return &none;
}

bool lowering_has(const struct value *v, enum lowering_flag flag)
{
    return lowering_of(v->op)->flags & (unsigned)flag;
}
