#include "lang/function.h"

#include "base/arena.h"
#include "lang/meaning.h"
#include "losses/losses.h"
#include "registry_functions.h"

#include <math.h>
#include <string.h>

const struct vocabulary functions = {"function",
                                     (const struct word *const[]){REGISTRY_functions NULL}};

const struct function *function_find(const char *name)
{
    return (const struct function *)word_find(&functions, name);
}

bool function_takes_word(const struct function *f, const struct expression *is, int i, int *which)
{
    const struct expression *arg = is->arg[i];
    if (!f || !f->words || i < f->least || i + 1 != is->n_arg || arg->kind != EXPR_NAME)
        return false;
    *which = -1;
    for (int k = 0; f->words[k]; k++)
        if (!strcmp(f->words[k], arg->name))
            *which = k;
    return true;
}

bool fail_argument(const struct function_call *call, int i, const char *wanted)
{
    ASSERT(i >= 0 && i < call->is->n_arg);
    return fail(call->diag, call->is->arg[i]->where,
                "argument %d of '%s' does not fit\nexpected %s", i + 1, call->is->name, wanted);
}

// --- operands ------------------------------------------------------------------------------------

static struct signature signature_without_batch(struct shape s)
{
    struct signature is = {.shape = {.rank = s.rank ? s.rank - 1 : 0}};
    for (int i = 0; i < is.shape.rank; i++)
        is.shape.dim[i] = s.dim[i + 1];
    return is;
}

struct operand operand_of(struct value *v)
{
    ASSERT(v);
    return (struct operand){.value = v, .is = signature_without_batch(v->shape)};
}

struct value *operand_tensor(struct graph *g, const struct operand *x, struct shape shape,
                             struct place where, const char *what, struct diag *d)
{
    if (!x->value)
        return constant(g, x->number, shape);
    if (!x->value->shape.rank)
        return repeat_to(x->value, shape);
    if (shape_equal(x->value->shape, shape))
        return x->value;
    fail(d, where, "%s is %s, but the first argument is %s\nexpected equal shapes", what,
         signature_text(g->arena, x->is), signature_text(g->arena, signature_without_batch(shape)));
    return NULL;
}

int64_t operand_whole(const struct operand *x)
{
    enum { TIMES_MAX = 4096 };
    return !x->value && x->number >= 1 && x->number <= TIMES_MAX && x->number == floor(x->number)
               ? (int64_t)x->number
               : 0;
}

// --- what several are made of --------------------------------------------------------------------

struct value *positive(struct value *x)
{
    struct shape ones = {.rank = x->shape.rank, .dim = {1, 1, 1, 1, 1, 1}};
    return greater(x, constant(x->graph, 0, ones));
}
