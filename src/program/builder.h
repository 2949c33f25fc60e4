// From expressions to values in a graph. The same expression is the same value until an update
// changes a network in it or a draw is taken anew: everything is remembered under what it is made
// of.
#ifndef PROGRAM_BUILDER_H
#define PROGRAM_BUILDER_H

#include "base/hash_map.h"
#include "lang/function.h"
#include "program/program.h"

// Streams of layers and penalties count up from 0; those of noise are far above, by noise and draw.
enum { NOISE_STREAMS = 1 << 24, NOISE_DRAWS = 1 << 16 };

struct source_input { // an input or a noise that was asked for
    const struct data_source *source;
    const struct noise *noise;
    int field; // of the source
    int draw;
    struct value *value;
};

struct builder {
    struct experiment *e;
    struct graph *graph;
    struct arena *arena; // the graph's
    struct diag *d;
    struct versions versions;
    int64_t batch; // of noise
    bool training;
    bool host;                   // noise and data are inputs under their own names
    int *stamp;                  // by network: how many updates have changed it
    int *noise_draw, *data_draw; // by index: the draw that is current
    struct hash_map memo;        // what a value is made of → struct operand or application
    struct source_input *input;
    int n_input;
    struct application **touched; // since touched was last emptied
    int n_touched;
    bool traced;
    bool trial;        // further repetitions are counted and not built
    bool refused;      // the iteration is too large
    int64_t not_built; // how many values they would be
    // By index: what a named value is in the current look, in which no network and no draw changes.
    struct known_value {
        int look; // the one it was built in; 0: none
        struct operand is;
    } * known;
    int look;
    struct part *named; // the named values that the current run has read
    int n_named;
    struct part *pending; // of the traced: roots of what is still there after the sweep
    int n_pending;
};

void builder_init(struct builder *b, struct experiment *e, struct graph *g, int64_t batch,
                  bool training, struct diag *d);
// What was touched and named so far is forgotten: networks or draws may have changed.
void builder_look(struct builder *b);
// False after an error, reported in the expression.
bool builder_value(struct builder *b, const struct expression *is, struct operand *out);
// The network on arguments that fit its inputs; the same application for the same arguments.
struct application *builder_apply(struct builder *b, struct network *net,
                                  const struct operand *argument, struct place where);
// A history of fakes in slots, which are made when first asked for; see fake_history.c. x: the
// critic's arguments, (N, …), which become the fakes that it is shown.
void fake_history_pass(struct builder *b, const struct game *game, struct operand *x);

// The optimizer's step for one slot, which belongs to `what`; moments are slots made when first
// asked for.
struct value *optimize(struct builder *b, const struct update *u, struct slot *slot,
                       struct target what, struct value *gradient, struct value *hyper);
// All losses of one update, added up, each part in run->part. NULL after errors.
struct value *build_losses(struct builder *b, struct update_run *run);

// Roots of a traced program: of a run that is built, from value number `from` on; and, after the
// sweep, of what has survived it.
void trace_run(struct builder *b, const struct update_run *run, int from);
void trace_draws(struct builder *b);
bool survives(const struct graph *g, const struct value *v);

// Averages follow the weights: the end of an iteration.
void average(struct builder *b);
struct slot *average_slot(struct experiment *e, const struct slot *of);

#endif
