// Schedules: factors of the learning rate. Each is one file, words/schedule_NAME.c, that ends in its descriptor.
#ifndef LANG_SCHEDULE_H
#define LANG_SCHEDULE_H

#include "config/param.h"

struct schedule { // of a phase; in steps of it, epochs already converted
    const struct schedule_kind *kind;
    double from, to; // where it begins and where it ends; what they mean beside that is the kind's
    double final;    // the factor at its end
    struct place where;
};

struct schedule_options {
    const struct node *from, *to; // absent: 0, and the end of the phase
    double final;
};

struct schedule_kind {
    struct word word; // its parameters fill a struct schedule_options
    double (*factor)(const struct schedule *s, double step); // `step` counts from 0
};

extern const struct vocabulary schedules; // generated from the folder
// How far `step` is between from and to: 0 … 1.
double schedule_share(const struct schedule *s, double step);

// Parameters of a fall from `from` to `to`.
extern const struct param schedule_fall_params[];

#endif
