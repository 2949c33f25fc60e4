// The registry of optimizers, and what each of them is asked.
#include "optimizers/optimizer.h"

#include "registry_optimizers.h"

#include <string.h>

const struct vocabulary optimizers = {"optimizer",
                                      (const struct word *const[]){REGISTRY_optimizers NULL}};

bool optimizer_read(struct arena *a, const struct node *node, struct optimizer *out, struct diag *d)
{
    struct word_call call;
    const struct word *word = word_choose(&optimizers, node, NULL, &call, d);
    out->kind = (const struct optimizer_kind *)word;
    out->where = word ? call.where : node->where;
    return word && (out->options = word_params(&optimizers, word, &call, a, d));
}

int optimizer_moments(const struct optimizer *o)
{
    int all = 0;
    while (o->kind->moment[all])
        all++;
    const int n = o->kind->moments ? o->kind->moments(o->options) : all;
    ASSERT(n >= 0 && n <= all);
    return n;
}

void optimizer_numbers(const struct optimizer *o, double factor, int64_t t, float *number)
{
    ASSERT(t >= 1);
    memset(number, 0, sizeof *number * UPDATE_NUMBERS);
    o->kind->numbers(o->options, factor, t, number);
}

struct value *optimizer_step(const struct optimizer *o, struct value *p, struct value *g,
                             struct value *number, struct slot *const *moment)
{
    ASSERT(g && number);
    return update_slot(&o->kind->rule, o->options, o->kind->word.size, p, g, number, moment,
                       optimizer_moments(o));
}
