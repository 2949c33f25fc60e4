// A word of the language: whatever a config may name. A layer, a loss, a data set, a section: each struct that describes one
// begins with a struct word, so that finding, listing, help, reading of parameters and "did you mean" are written once.
#ifndef CONFIG_WORD_H
#define CONFIG_WORD_H

#include <stddef.h>

#include "config/node.h"

struct param;

struct word {
    const char *name;
    const char *group;          // within its kind: "activation"; NULL where a kind has no groups
    const char *help;           // a phrase
    const char *usage;          // a formula, or how it is written; may be NULL
    const struct param *params; // NULL: none; the first one takes a bare value
    size_t size;                // of the struct that the parameters fill
};

// All words of one kind.
struct vocabulary {
    const char *kind;               // "layer", "data set"
    const struct word *const *word; // NULL-terminated
};

const struct word *word_find(const struct vocabulary *of, const char *name); // NULL when absent
// Their names, NULL-terminated; *n without the NULL.
const char **word_names(struct arena *a, const struct vocabulary *of, int *n);

// A word as a config has it: `relu`, `{dense: 256}`, `{conv2d: {filters: 64}}`, or `{conv2d: {…}, as: c}` where extra keys are
// parameters of the table `beside`.
struct word_call {
    const char *name;
    struct place where;  // of the word
    struct node *params; // NULL when bare
};
// False and reported where node is none of these; `what` names the kind of word.
bool word_read(const struct node *node, const struct param *beside, const char *what,
               struct word_call *out, struct diag *d);
// The word that node calls; NULL after a mistake, reported.
const struct word *word_choose(const struct vocabulary *of, const struct node *node,
                               const struct param *beside, struct word_call *call, struct diag *d);
// The same of a call that is read.
const struct word *word_called(const struct vocabulary *of, const struct word_call *call,
                               struct diag *d);
// The struct of the word's parameters, filled from the call's. NULL after mistakes, reported.
void *word_params(const struct vocabulary *of, const struct word *word,
                  const struct word_call *call, struct arena *a, struct diag *d);

// "unknown layer 'conv2D'" + "expected a layer; did you mean 'conv2d'?" with the caret under the
// word.
bool fail_unknown(struct diag *d, struct place where, const char *what, const char *word,
                  const char *const *known, size_t n);

#endif
