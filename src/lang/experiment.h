// An experiment: all that a config says, read by closed tables and checked as far as that goes
// without running. The training and sampling programs (program.h) are made from it.
#ifndef LANG_EXPERIMENT_H
#define LANG_EXPERIMENT_H

#include "base/hash_map.h"
#include "config/expression.h"
#include "data/loader.h"
#include "lang/noise.h"
#include "lang/schedule.h"
#include "losses/losses.h"
#include "optimizers/optimizer.h"
#include "nn/network.h"

struct chooser;
struct text;
struct workspace;

// A named source of batches. Its fields in expressions: NAME.image, … (data/dataset.h).
struct data_source {
    const char *name;
    struct place where;
    const struct node *node; // for dataset_open of another split
    struct dataset *dataset; // the training split
    int64_t batch;
    enum sampling sampling;
};

struct named_value {
    const char *name;
    struct place where;
    struct expression *is;
    // From check_expressions on: the first expression that is no name of a value, and how deep `is` goes.
    const struct expression *behind;
    int height;
    uint64_t asked; // the last question of lang/meaning.c that looked at it
};

// A network, or one head of it.
struct target {
    struct network *network;
    int head; // -1: all of it
    struct place where;
};

struct game {
    const char *name; // the critic as written: "discriminator.valid"
    struct place where;
    struct target critic; // head is never -1
    // the critic's arguments, n of each; mismatched NULL without
    struct expression **real, **fake, **mismatched;
    int n;
    const struct loss *loss;
    void *loss_params;
    struct game_penalty {
        const struct penalty *is;
        void *params;
        struct place where;
    } * penalty;
    int n_penalty;
    // of all images that the critic is shown, in order
    struct game_augmentation {
        const struct augmentation *is;
        void *params;
    } * augmentation;
    int n_augmentation;
    // 0: none. After each step of the critic its weights are clipped to ±clip
    double clip;
    double smooth; // one-sided label smoothing
    double weight; // of the generator's side against the other losses of its update
    int64_t pool;  // image history: 0, none
};

struct game_term {
    const char *name; // the word; a second one of the same word is "word.2"
    struct place where;
    const struct term *is;
    void *params;
    struct expression *argument[TERM_ARGUMENTS]; // NULL: optional and absent
    double weight;
    struct target *to; // `for:`; NULL without
    int n_to;
};

struct update {
    int number; // counts through all phases, from 0
    struct place where;
    struct target *train;
    int n_train;
    int repeat;                     // as its turn
    bool *fresh_noise, *fresh_data; // by index: draws of its own, not its turn's
    struct optimizer optimizer;
};

// An entry of `iteration:`: one update, or simultaneous ones, which all read every network as it
// was before any of them.
struct turn {
    struct update *update; // of the phase's
    int n_update, repeat;
    bool *fresh_noise, *fresh_data; // by index: drawn anew for it
};

// Of all phases together. Products of steps, draws a step and batch stay within 64 bits.
enum { STEPS_MAX = 1000 * 1000 * 1000 };

// A stretch of training with its own updates. Without `phases:` there is one, named "".
struct phase {
    const char *name;
    struct place where;
    int64_t steps;             // epochs already converted; of all phases at most STEPS_MAX
    struct schedule *schedule; // their product is the factor of every learning rate
    int n_schedule;
    struct update *update; // in order
    int n_update;
    struct turn *turn; // the same, by what reads the same networks
    int n_turn;
};

// A score that is asked for.
struct scored {
    struct word_call word;       // its own parameters, read by the score of that name
    const struct expression *of; // what is looked at; NULL: evaluate.of
    const char *as;              // what its number is called
};

struct evaluate {
    struct scored *score;
    int n_score;
    int64_t samples, splits, every, batch;
    const struct expression *of; // NULL: as `samples.of`
    struct place where;          // line 0 when there is no such section
};

// What varies along the columns of a grid while all else is held.
struct sweep {
    const struct noise *noise; // LABEL, ONE_HOT: the class; NORMAL, UNIFORM: one number
    int64_t element;           // of it
};

struct samples {
    int64_t every, rows, columns;
    const struct sweep *by;       // rows take turns
    int n_by;                     // 0: every cell has a draw of its own
    const struct expression **of; // what is drawn; default: the fake of the first game
    int n_of;
    const struct expression **scatter; // drawn as points, later ones over earlier
    int n_scatter;
    struct place where;
};

enum precision { PRECISION_F32, PRECISION_BF16 };

struct experiment {
    struct arena *arena;
    const struct config *config;
    const char *name, *about, *paper;
    int64_t seed;
    int precision;
    bool minimal_filtering;      // `compile:`
    struct workspace *workspace; // what its programs run in, one at a time
    struct chooser *chooser;     // of training programs; what compiles sets it, or leaves rules
    // parameters and buffers; after experiment_read moments and averages too
    struct slots slots;
    struct data_source *data;
    int n_data;
    struct noise *noise;
    int n_noise;
    struct network **network;
    int n_network;
    struct named_value *value;
    int n_value;
    struct hash_map by_name[4]; // lang/experiment.c's
    uint64_t *questions;        // lang/meaning.c's: how many it was asked
    struct game *game;
    int n_game;
    struct game_term *term;
    int n_term;
    struct phase *phase;
    int n_phase;
    int n_update;                              // of all phases
    double ema_decay;                          // 0: no averages are kept
    bool *ema;                                 // by network
    int64_t checkpoint_every, checkpoint_keep; // every 0: only at the end
    int64_t log_every;
    struct evaluate evaluate;
    struct samples samples;
    int64_t batch; // of the first source: what noise is drawn for
};

// Reads everything, opens the data sets and checks all that can be checked without building a program (program/program.h's
// experiment_read does that too, and makes the slots of moments and averages). NULL after errors; every error has its place.
struct experiment *experiment_parse(struct arena *a, const struct config *config, struct diag *d);
// Fills the slab of e->slots.floats floats for the first step: slots_fill, and averages start at
// their weights.
void experiment_fill(const struct experiment *e, float *slab);
// Steps in one pass over the first source; at least 1.
int64_t experiment_epoch(const struct experiment *e);

// What its sources of data are, where those come from files: "{real: {…}}", for config->seen of one
// who wants the networks and has not the data.
void data_remember(const struct experiment *e, struct text *out);

// NULL when absent
struct network *experiment_network(const struct experiment *e, const char *name);
struct data_source *experiment_source(const struct experiment *e, const char *name);
struct noise *experiment_noise(const struct experiment *e, const char *name);
struct named_value *experiment_value(const struct experiment *e, const char *name);

// The product of the phase's schedules; `step` counts from 0 in the phase.
double phase_factor(const struct phase *phase, int64_t step);

#endif
