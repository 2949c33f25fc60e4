// What the readers of sections share: the tables that they read by, and what they ask of one another.
#ifndef LANG_SECTIONS_H
#define LANG_SECTIONS_H

#include "base/hash_map.h"
#include "lang/experiment.h"
#include "lang/meaning.h"

struct section_reader {
    struct experiment *e;
    struct arena *arena;
    struct diag *d;
    // of sources, noise, networks and values: they share one space of names
    struct hash_map names;
    // by index, by anything that is trained, sampled or scored
    bool *network_used, *noise_used, *value_used;
    int *value_state; // 0 not looked at, 1 being looked at, 2 done
    int deep;         // how many expressions are being looked at
};

// Each reads one section of the experiment; false after errors, reported.
bool read_data(struct section_reader *r, const struct node *data);
bool read_noise(struct section_reader *r, const struct node *noise);
bool read_values(struct section_reader *r, const struct node *values);
bool read_games(struct section_reader *r, const struct node *games);
bool read_terms(struct section_reader *r, const struct node *terms);
bool read_schedules(struct section_reader *r, const struct node *node, struct phase *phase);
bool read_train(struct section_reader *r, const struct node *train, struct place where);
bool read_evaluate(struct section_reader *r, const struct node *evaluate);
bool read_samples(struct section_reader *r, const struct node *samples);

// The tables that they and networks_read read by.
extern const struct vocabulary sections; // and the maps within them, for help
extern const struct param root_params[], network_params[], template_params[], repeat_params[],
    beside_layer[], layer_entry_params[], game_params[], term_params[], train_params[],
    phase_params[], update_params[], simultaneous_params[], ema_params[], checkpoint_params[],
    evaluate_params[], beside_score[], sample_params[], compile_params[];
// What network_params and template_params fill.
struct network_keys {
    const struct node *with, *inputs, *layers, *outputs, *init, *like, *use;
    const char *load;
    bool frozen;
};
// What root_params fills: a config as a whole.
struct root_options {
    const char *name, *about, *paper;
    int64_t seed;
    int precision;
    const struct node *extends, *data, *noise, *networks, *templates, *values, *games, *terms;
    const struct node *train, *evaluate, *samples, *compile, *silence;
};

// Each update may take each game and each term, so what is read at most a thousand times is built at most a million times.
enum { SEVERAL_MAX = 1000 };
// Whether so many may stand there; reported if not.
bool few(struct section_reader *r, struct place where, int64_t n, const char *what);
// The name is new and can be written in an expression.
bool claim(struct section_reader *r, const struct entry *entry, const char *what);
// One expression, or a list of them (n of them; NULL after errors).
struct expression **read_expressions(struct section_reader *r, const struct node *node, int *n);
// "generator", "discriminator.code", or a list of these.
struct target *read_targets(struct section_reader *r, const struct node *node, int *n);
// is it a map (or absent)
bool read_map(struct section_reader *r, const struct node *node, const char *what);
bool read_list(struct section_reader *r, const struct node *node, const char *what);

// Names, arguments, heads and arities of all expressions; marks what is used. False after errors.
bool check_expressions(struct section_reader *r);
// What is in the config and does nothing, or cannot work. False after errors.
bool check_experiment(struct section_reader *r);

#endif
