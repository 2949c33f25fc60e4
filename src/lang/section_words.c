// The sections of a config, and the maps within them: what each is for, how it is written, and by which table its keys are read.
// The tables stand where they are read; here is only what leads to them, for `ganexp help`.
#include "data/dataset.h"
#include "lang/sections.h"
#include "lang/vocabulary.h"

static const char *const precision_word[] = {"f32", "bf16", NULL};

#define SECTIONS(section)                                                                          \
    section(extends, "files this one starts from", "extends: gan.yaml, or [gan.yaml, other.yaml]", \
            NULL) section(data, "batches that arrive from outside",                                \
                          "data: {real: {dataset: digits, batch: 64}}: real.image, real.label, "   \
                          "real.index",                                                            \
                          source_params) section(noise, "what is drawn afresh at every iteration", \
                                                 "noise: {z: {normal: 100}, y: {label: 10}}",      \
                                                 NULL)                                             \
        section(networks, "the graphs",                                                            \
                "networks: {critic: {inputs: {image: [1, 28, 28]}, layers: […]}}", network_params) \
            section(templates, "parametric blocks of layers",                                      \
                    "templates: {down: {with: {filters: 64}, layers: […]}}, then {use: down}",     \
                    template_params) section(values, "names for expressions",                      \
                                             "values: {fake: \"generator(z)\", n: 20}", NULL)      \
                section(games, "critics, what they call real and fake, and the loss",              \
                        "games: [{critic: critic, real: real.image, fake: fake, loss: hinge}]",    \
                        game_params)                                                               \
                    section(                                                                       \
                        terms, "every other loss",                                                 \
                        "terms: [{l1: {x: fake, y: real.image}, weight: 100, for: generator}]",    \
                        term_params) section(train, "steps, optimizers, the order of updates",     \
                                             NULL, train_params)                                   \
                        section(evaluate, "scores", NULL, evaluate_params)                         \
                            section(samples, "picture grids", NULL, sample_params) section(        \
                                compile, "rewrites that round differently", NULL, compile_params)

#define ROOT(field, about, usage, table) \
    {#field, PARAM_NODE, offsetof(struct root_options, field), "", .help = about},
const struct param root_params[] = {
    {"name", PARAM_TEXT, offsetof(struct root_options, name),
     .help = "for tables and run directories"},
    {"about", PARAM_TEXT, offsetof(struct root_options, about), "",
     .help = "what this is, in a sentence"},
    {"paper", PARAM_TEXT, offsetof(struct root_options, paper), "", .help = "where it comes from"},
    {"seed", PARAM_INT, offsetof(struct root_options, seed), "0", 0, -1,
     .help = "of weights, noise and the order of data"},
    {"precision", PARAM_WORD, offsetof(struct root_options, precision), "f32",
     .words = precision_word,
     .help = "of convolutions and products; weights, sums and statistics are always f32"},
    SECTIONS(ROOT) PARAM_END};

#define WORD(field, about, usage, table) &(const struct word){#field, NULL, about, usage, table, 0},
const struct vocabulary sections = {
    "section",
    (const struct word *const[]){
        SECTIONS(WORD) //
        WORD(
            layers, "in a network: layers in order, and keys that every one of them takes",
            "layers: [{dense: 64, as: code}, relu, {repeat: {times: 2, layers: […]}}, {use: down}]",
            beside_layer) //
        WORD(repeat, "in `layers:`: a block of layers several times, with weights of their own",
             "- repeat: {times: 3, layers: [dense: 64, relu]}", repeat_params) //
        WORD(iteration, "in `train:` or a phase: the updates of an iteration, in order",
             "iteration: [{update: critic, repeat: 5}, {update: generator, fresh: [z]}]",
             update_params) //
        WORD(simultaneous,
             "in `iteration:`: updates that all read what was there before any of them",
             "iteration: [{simultaneous: [update: critic, update: generator]}]",
             simultaneous_params) //
        WORD(phases, "in `train:`: stretches of training, each with its own steps and iteration",
             NULL, phase_params)                                        //
        WORD(ema, "in `train:`: averages of weights", NULL, ema_params) //
        WORD(checkpoint, "in `train:`: how often, and how many are kept", NULL,
             checkpoint_params) //
        WORD(scores, "in `evaluate:`: words, and keys that every one of them takes",
             "scores: [fid, {precision: {k: 5}}, {accuracy: {of: critic(real.image), as: NAME}}]",
             beside_score) //
        NULL}};
