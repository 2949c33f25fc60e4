// What the readers of sections share, between experiment.c and the files experiment_*.c. Nobody
// else includes this.
#ifndef LANG_SECTIONS_H
#define LANG_SECTIONS_H

#include "base/hash_map.h"
#include "lang/experiment.h"

struct section_reader {
    struct experiment *e;
    struct arena *arena;
    struct diag *d;
    // of sources, noise, networks and values: they share one space of names
    struct hash_map names;
    // by index, by anything that is trained, sampled or scored
    bool *network_used, *noise_used, *value_used;
    int *value_state; // 0 not looked at, 1 being looked at, 2 done
};

// Each reads one section of the experiment; false after errors, reported.
bool read_data(struct section_reader *r, const struct node *data);
bool read_noise(struct section_reader *r, const struct node *noise);
bool read_values(struct section_reader *r, const struct node *values);
bool read_games(struct section_reader *r, const struct node *games);
bool read_terms(struct section_reader *r, const struct node *terms);
bool read_train(struct section_reader *r, const struct node *train, struct place where);
bool read_evaluate(struct section_reader *r, const struct node *evaluate);
bool read_samples(struct section_reader *r, const struct node *samples);

// The tables that they and networks_read read by.
extern const struct param root_params[], network_params[], template_params[], repeat_params[],
    beside_layer[], game_params[], term_params[], train_params[], phase_params[], update_params[],
    simultaneous_params[], ema_params[], checkpoint_params[], evaluate_params[], beside_score[],
    sample_params[], compile_params[];
// What root_params fills: a config as a whole.
struct root_options {
    const char *name, *about, *paper;
    int64_t seed;
    int precision;
    const struct node *extends, *data, *noise, *networks, *templates, *values, *games, *terms;
    const struct node *train, *evaluate, *samples, *compile;
};

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
// The same for one expression that came later.
bool check_expression(struct experiment *e, const struct expression *is, struct diag *d);
// What is in the config and does nothing, or cannot work. False after errors.
bool check_experiment(struct section_reader *r);
// Warns of layers that couple the samples of a batch in a critic with a gradient penalty.
void check_coupling(struct experiment *e, const struct application *app, struct diag *d);

// --- what expressions mean, without building them ------------------------------------------------
// Follows names of values to what they stand for.
const struct expression *expression_behind(const struct experiment *e, const struct expression *is);
// Does the gradient of `is` reach what `to` names? detach() stops it.
bool expression_depends(const struct experiment *e, const struct expression *is, struct target to);
bool expressions_depend(const struct experiment *e, struct expression *const *is, int n,
                        const struct target *to, int n_to);
// `inner` is `outer`, or a head of it.
bool target_covers(struct target outer, struct target inner);
bool update_trains(const struct update *u, struct target what); // all of it, or that head
// Which losses belong to an update: language.md, "Games, terms and updates".
bool update_takes_critic(const struct update *u, const struct game *game);
bool update_takes_fake(const struct experiment *e, const struct update *u, const struct game *game);
bool update_takes_real(const struct experiment *e, const struct update *u, const struct game *game);
bool update_takes_term(const struct experiment *e, const struct update *u,
                       const struct game_term *term);
int network_head(const struct network *net, const char *name); // -1 when absent
// "(1, 28, 28)", "a label of 10 classes"
const char *signature_text(struct arena *a, struct signature is);

// The functions of expressions: concat, where, detach, mean, resize, rotate90.
struct function;
const struct function *function_find(const char *name);
bool function_takes(const struct function *f, int n); // that many arguments

#endif
