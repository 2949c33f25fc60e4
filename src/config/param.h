// A table of parameters: name, type, range, default, help. The table parses, checks, gives
// defaults, prints help and writes the resolved form. One table a word: a layer's, a loss's, a data
// set's, a section's.
#ifndef CONFIG_PARAM_H
#define CONFIG_PARAM_H

#include <stddef.h>
#include <stdint.h>

#include "config/word.h"

enum param_type {
    PARAM_INT,   // int64_t: 64, 64k, 1_000
    PARAM_FLOAT, // double: 1e-4, 5%
    PARAM_BOOL,  // bool: true, false
    PARAM_TEXT,  // const char *
    PARAM_PATH,  // the same: where a file or folder lies, which may differ from machine to machine
    PARAM_WORD,  // int: index into words
    PARAM_INTS,  // struct ints: a list of whole numbers; one number is a list of one
    PARAM_DURATION, // double seconds: 30m, 1h30m, 45s
    PARAM_NODE,     // const struct node *: read by what owns the table
    PARAM_TENSOR,   // the same: an expression
    PARAM_LABEL,    // the same: an expression of a class
    PARAM_NAMES,    // the same: the name of an input or layer, or a list of them
};

enum { INTS_MAX = 8 };
struct ints {
    int n;
    int64_t v[INTS_MAX];
};

struct param {
    const char *name;
    enum param_type type;
    size_t offset;            // of the field in the struct
    const char *fallback;     // the default as the user would write it; NULL: must be given;
                              // "": stays zero when absent
    double min, max;          // of numbers, both inclusive: each has a range
    const char *const *words; // PARAM_WORD, NULL-terminated
    const char *help;
    const char *takes; // PARAM_NODE: what is read, for help
};
#define PARAM_END \
    {             \
        0         \
    } // ends a table

// Fills the struct at `into` from a node: NULL or NODE_NULL takes all defaults, a scalar or list
// goes to the first parameter, a map is read by key. `what` names the word in messages ("layer
// 'dense'"). All mistakes are reported, each with its place; false when there was one.
bool param_read(const struct param *table, const struct node *node, struct place where,
                const char *what, void *into, struct arena *a, struct diag *d);
// "filters    whole number ≥ 1, required   output channels", a line a parameter.
void param_help(const struct param *table, struct text *out);
// "whole number from 1 to 4096, default 64"
void param_kind(const struct param *p, struct text *out);
// Whether min and max are said.
bool param_is_number(enum param_type type);
// NULL when absent, or when the table is NULL.
const struct param *param_find(const struct param *table, const char *name);

// One scalar by type, for what reads a node by hand; `what` names it in the message.
bool scalar_int(const struct node *node, const char *what, int64_t min, int64_t max, int64_t *out,
                struct diag *d);
bool scalar_float(const struct node *node, const char *what, double min, double max, double *out,
                  struct diag *d);
bool scalar_bool(const struct node *node, const char *what, bool *out, struct diag *d);

#endif
