// The functions of expressions. Each is one file, words/function_NAME.c, made of graph constructors, that ends in its descriptor.
#ifndef LANG_FUNCTION_H
#define LANG_FUNCTION_H

#include "config/expression.h"
#include "ir/build.h"
#include "nn/network.h"

// What an expression has given.
struct operand {
    // (N, …); NULL: a number. A value of rank 0 is one number for the batch.
    struct value *value;
    double number;
    struct signature is; // of one sample
};
struct operand operand_of(struct value *v);
// The operand as a value of the shape: numbers are repeated. NULL and reported where it does not fit.
struct value *operand_tensor(struct graph *g, const struct operand *x, struct shape shape,
                             struct place where, const char *what, struct diag *d);

struct function_call {
    struct graph *graph;
    struct diag *diag;
    const struct expression *is;
};

struct function {
    struct word word; // usage: "where(condition, a, b)"
    int least, most;  // arguments
    // what the last argument may be, where it is a name; NULL-terminated. The operand's number is
    // which. NULL: no words.
    const char *const *words;
    // False and reported where an argument does not fit.
    bool (*build)(const struct function_call *call, const struct operand *x, struct operand *out);
};

extern const struct vocabulary functions; // generated from the folder
const struct function *function_find(const char *name);
// Whether argument i of a call stands for one of the function's words; *which: -1 when unknown.
bool function_takes_word(const struct function *f, const struct expression *is, int i, int *which);
// "argument 1 of 'resize' does not fit" + "expected a square image"; false.
bool fail_argument(const struct function_call *call, int i, const char *wanted);
// A whole number from 1 to 4096 given as an argument; 0 where it is none.
int64_t operand_whole(const struct operand *x);

// [x > 0], 1 or 0
struct value *positive(struct value *x);

#endif
