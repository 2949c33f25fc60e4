// Optimizers for tests: by word, with parameters as a config has them.
#ifndef TESTS_OPTIMIZERS_H
#define TESTS_OPTIMIZERS_H

#include "base/arena.h"
#include "optimizers/optimizer.h"

#include <string.h>

// optimizer_of(a, "adam", "{beta1: 0.5}")
static inline struct optimizer optimizer_of(struct arena *a, const char *word, const char *params)
{
    struct diag *d = diag_new(a);
    struct source *source = NEW(a, struct source);
    *source = (struct source){"the test", params};
    for (int i = 0; optimizers[i]; i++) {
        const struct optimizer_kind *kind = optimizers[i];
        if (strcmp(kind->name, word))
            continue;
        void *options = arena_alloc(a, kind->rule.size);
        if (!param_read(kind->params, node_parse(a, source, d), (struct place){0}, word, options, a,
                        d))
            BUG("'%s' takes no %s", word, params);
        return (struct optimizer){kind, options};
    }
    BUG("no optimizer '%s'", word);
}

// A step of plain gradient descent.
static inline struct value *descend(struct value *w, struct value *dw, struct value *number)
{
    const struct optimizer sgd = optimizer_of(w->graph->arena, "sgd", "{lr: 1}");
    return optimizer_step(&sgd, w, dw, number, NULL);
}

#endif
