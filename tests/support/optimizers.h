// Optimizers for tests: by word, with parameters as a config has them.
#ifndef TESTS_OPTIMIZERS_H
#define TESTS_OPTIMIZERS_H

#include "base/arena.h"
#include "optimizers/optimizer.h"

// optimizer_of(a, "adam", "{beta1: 0.5}")
static inline struct optimizer optimizer_of(struct arena *a, const char *word, const char *params)
{
    struct diag *d = diag_new(a);
    struct source *source = NEW(a, struct source);
    *source = (struct source){"the test", params};
    const struct word_call call = {word, {0}, node_parse(a, source, d)};
    const struct word *is = word_called(&optimizers, &call, d);
    const void *options = is ? word_params(&optimizers, is, &call, a, d) : NULL;
    if (!options)
        BUG("no optimizer '%s' with %s", word, params);
    return (struct optimizer){(const struct optimizer_kind *)is, options};
}

// A step of plain gradient descent.
static inline struct value *descend(struct value *w, struct value *dw, struct value *number)
{
    const struct optimizer sgd = optimizer_of(w->graph->arena, "sgd", "{lr: 1}");
    return optimizer_step(&sgd, w, dw, number, NULL);
}

#endif
