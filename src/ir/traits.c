#include "ir/op.h"

bool is_pointwise(const struct value *v, enum pointwise op) { return v->op == &op_pointwise[op]; }

bool is_constant(const struct value *v) { return v->op == &op_constant; }

bool is_number(const struct value *v, double x) { return is_constant(v) && v->attr.number[0] == x; }

bool is_reduction(const struct value *v) { return v->op->attr == ATTR_AXES; }

enum batch_role batch_role(const struct value *v, int i)
{
    ASSERT(i >= 0 && i < v->n_in);
    return !v->op->batch_role || !v->shape.rank || !v->in[i]->shape.rank ? BATCH_COUPLED
                                                                         : v->op->batch_role(v, i);
}

bool sums_batch(const struct value *v) { return v->op->sums_batch && v->op->sums_batch(v); }

bool linear_in(const struct value *v, unsigned inputs)
{
    return v->op->linear_in && v->op->linear_in(v, inputs);
}

bool reads_weights(const struct value *v)
{
    return v->op->flags & OP_PRODUCT && batch_role(v, 0) == BATCH_EACH &&
           batch_role(v, 1) == BATCH_SHARED;
}

enum batch_role batch_role_each(const struct value *v, int i)
{
    (void)v, (void)i;
    return BATCH_EACH;
}

enum batch_role batch_role_repeated(const struct value *v, int i)
{
    return v->in[i]->shape.dim[0] == v->shape.dim[0] ? BATCH_EACH : BATCH_SHARED;
}

bool linear_in_one(const struct value *v, unsigned inputs)
{
    (void)v;
    return inputs == 1;
}

bool linear_in_each(const struct value *v, unsigned inputs)
{
    (void)v;
    return inputs == 1 || inputs == 2;
}

bool linear_in_all(const struct value *v, unsigned inputs) { return inputs == (1u << v->n_in) - 1; }
