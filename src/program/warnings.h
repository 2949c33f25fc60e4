// The files of warnings, by what they look at. Each warning says why, and the override that ends it; its row is in base/warnings.def.
#ifndef PROGRAM_WARNINGS_H
#define PROGRAM_WARNINGS_H

#include "ir/bounds.h"
#include "program/program.h"

// For the time of one look: memory is the scratch arena's.
struct warning_look {
    struct experiment *e;
    struct arena *scratch;
    struct diag *d;
    struct data_bounds { // by source and field: what some examples lie between
        bool known;
        struct bounds is;
    } (*data)[FIELDS_MAX];
};

void warn_of_games(struct warning_look *w);    // losses, critics, penalties, the range of fakes
void warn_of_networks(struct warning_look *w); // what is in them and how they begin
void warn_of_training(struct warning_look *w); // rates, schedules, averages

// The network on two samples by itself, in training or not. NULL after an error, which is not reported.
struct application *look_at_network(struct warning_look *w, struct network *net, bool training);

#endif
