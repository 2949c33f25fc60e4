// Optimizers: how an update moves a weight along its gradient. One word a file, optimizer_*.c: its
// parameters, its moments, the numbers that change from step to step, and its rule (ir/update_rule.h).
#ifndef OPTIMIZERS_OPTIMIZER_H
#define OPTIMIZERS_OPTIMIZER_H

#include "config/param.h"
#include "ir/update.h"

struct optimizer_kind {
    struct word word; // usage: the formula
    double
        rate_high; // a weight moves by about the rate in a step, and beyond this nothing was seen to train; 0: it does not
    struct update_rule rule; // its options are the struct that the word's parameters fill
    // A moment is a slot "NAME.MOMENT/WEIGHT", zero at first: "adam.m/generator.0.weight". The rule
    // has them in this order.
    const char *moment[UPDATE_MOMENTS + 1]; // NULL-terminated
    int (*moments)(const void *options);    // how many of them; NULL: all
    // What the rule reads as number[] at the optimizer's t-th step, from 1: the learning rate, which
    // schedules multiply by `factor`, and what else depends on t.
    void (*numbers)(const void *options, double factor, int64_t t, float *number);
};

extern const struct vocabulary optimizers; // generated from the folder

// An optimizer with its options: what a config says with `adam: {lr: 1e-3}`.
struct optimizer {
    const struct optimizer_kind *kind;
    const void *options;
    struct place where; // of its word
};

// What `optimizer:` calls; false after mistakes, reported.
bool optimizer_read(struct arena *a, const struct node *node, struct optimizer *out,
                    struct diag *d);
int optimizer_moments(const struct optimizer *o);
// number[UPDATE_NUMBERS]; those that the rule does not read are 0.
void optimizer_numbers(const struct optimizer *o, double factor, int64_t t, float *number);
// The next version of p, a version of a slot, where its gradient is g; number: an input of shape
// (UPDATE_NUMBERS), moment: optimizer_moments(o) slots.
struct value *optimizer_step(const struct optimizer *o, struct value *p, struct value *g,
                             struct value *number, struct slot *const *moment);

#endif
