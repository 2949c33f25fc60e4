// Programs: graphs made from an experiment. A whole training iteration is one graph; what the host
// feeds and reads is listed beside it.
//
// Inputs of a training program
//   SOURCE.image@D, SOURCE.label@D, SOURCE.index@D   draw D, one batch for all fields: `feed`
//   hyper/U@R                                        of update U, see optimizer_numbers: `run`
// Roots
//   loss/U          total of update U in its last repetition
//   loss/U/NAME     its parts, weights included: "discriminator.critic", "discriminator.generator",
//                   "discriminator.gradient" (a penalty), "cross_entropy", "cross_entropy.2"
// Noise is drawn inside, from streams fixed by (noise, draw); draw 0 is the iteration's own.
// Roots of a traced program beside these, R being the repetition of update U, D the draw
//   loss/U@R, loss/U/PART@R    the same of every repetition
//   grad/U/PARAM@R             the gradient that the update takes a step along
//   value/U/NAME@R             a named value, as the update's losses read it
//   noise/NAME@D
//   random/U/WHERE.I@R         the I-th draw that WHERE, a layer ("critic.2"), a penalty
//                              ("gradient") or a history of fakes ("critic.pool": a place, coins),
//                              makes for this update. A layer draws for each of its
//                              network's applications to something new, in the order of asking:
//                              games before terms, real before fake before penalties.
// Values that no update needs are not there.
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include "lang/experiment.h"

// A batch the host prepares for each step. Names are NULL for fields the program does not read.
struct feed {
    const struct data_source *source;
    int draw;
    const char *name[FIELDS_MAX];
};

struct part {
    const char *name;
    struct value *value;
};

// One repetition of one update, in order of running.
struct update_run {
    const struct update *update;
    int repetition;    // 0 … repeat − 1
    const char *hyper; // name of its input
    struct part *part;
    int n_part;
    // these values are the graph's as built: passes replace them, so make roots of them before
    struct value *loss;
    struct slot **slot; // what it trains
    struct value **before, **gradient, **after;
    int n;
};

// What the host gives a sampling program: noise "z" (batch, 100), data "real.image" (batch, C, H,
// W).
struct program_input {
    const char *name;
    struct shape shape;
    const struct noise *noise; // NULL: data
    const struct data_source *source;
    int field;
};

struct program {
    struct experiment *experiment;
    const struct phase *phase; // NULL: a sampling program
    struct graph *graph;       // swept, verified; passes come next
    struct feed *feed;
    int n_feed;
    struct update_run *run;
    int n_run;
    struct program_input *input; // of a sampling program
    int n_input;
    // of a sampling program: what its root "sample" is, without batch
    struct signature sample;
};

// Reads everything (experiment_parse) and builds every program once, so that all mistakes are found now and all slots exist, in an
// order that does not depend on what is asked for later. NULL after errors; every error has its place.
struct experiment *experiment_read(struct arena *a, const struct config *config, struct diag *d);
// All that program_training reports and all slots that it makes, at no more than two repetitions of each update: they need as much
// room as more do. An iteration that would be too large unrolled is refused. NULL after errors.
struct program *program_trial(struct experiment *e, int phase, struct arena *a, struct diag *d);
// Tells what a config that is well formed probably does not mean: base/warnings.def.
void warnings_look(struct experiment *e, struct diag *d);
// One iteration of phase number `phase`. NULL after errors.
struct program *program_training(struct experiment *e, int phase, struct arena *a, struct diag *d);
// The same iteration, with what is drawn and computed on the way as roots.
struct program *program_traced(struct experiment *e, int phase, struct arena *a, struct diag *d);
// The expression (NULL: the first of samples.of) in evaluation mode: running statistics, no
// dropout, with averaged weights where `ema` and the experiment keeps them. Noise and data are
// inputs, so fixed grids can be fed. Root "sample" (batch, …). NULL after errors.
struct program *program_sampling(struct experiment *e, struct arena *a, int64_t batch,
                                 const char *expression, bool ema, struct diag *d);
// The same for an expression of the experiment: e->samples.of[i], e->evaluate.of.
struct program *program_sampling_of(struct experiment *e, struct arena *a, int64_t batch,
                                    const struct expression *is, bool ema, struct diag *d);
// Fills the input of a noise by draw number `draw` of the host stream (seed, noise): what grids and
// scores are drawn with.
void noise_fill(const struct noise *n, uint64_t seed, uint64_t draw, int64_t batch, float *to);

#endif
