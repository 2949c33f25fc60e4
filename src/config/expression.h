// Expressions: how a config says which tensor is meant. Names, calls, dots, numbers, + - * / and
// parentheses; no more.
//
//     sum      = product {("+" | "-") product}
//     product  = sign {("*" | "/") sign}
//     sign     = ["-"] field
//     field    = atom {"." name}
//     atom     = number | name | name "(" [argument {"," argument}] ")" | "(" sum ")"
//     argument = [name "="] sum
#ifndef CONFIG_EXPRESSION_H
#define CONFIG_EXPRESSION_H

#include "config/node.h"

enum expression_kind {
    EXPR_NUMBER,
    EXPR_NAME,  // z, real; `real.image` is FIELD image of NAME real
    EXPR_CALL,  // name(arg …); arguments by position come before those by name
    EXPR_FIELD, // arg[0].name
    EXPR_BINARY // arg[0] op arg[1], op one of + - * /; -x is 0 - x, -2 a number
};

struct expression {
    enum expression_kind kind;
    // Into the user's text: the name, the callee, the field's name, the operator, the number. The
    // scalar's place where that is quoted or folded over lines.
    struct place where;
    double number;
    const char *name; // NAME; CALL: the callee; FIELD: the field
    char op;
    struct expression **arg;
    const char **arg_name; // CALL: f(label=y) gives "label"; NULL for one by position
    int n_arg;
};

// Parses the text of a scalar. NULL after a mistake, reported at its column; lists are the caller's
// to take apart.
struct expression *expression_parse(struct arena *a, const struct node *node, struct diag *d);
// The canonical text: "generator(z, label=y).image - 0.5 * x"; equal expressions have equal texts,
// and the text parses back.
void expression_text(const struct expression *e, struct text *out);

#endif
