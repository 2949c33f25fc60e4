// The sections of a config, and the maps within them: what each is for, how it is written, and by which table its keys are read.
// The tables stand where they are read; here is only what leads to them, for `ganexp help`.
#include "data/dataset.h"
#include "lang/sections.h"

static const char config_help[] = "all of a file: its sections, in any order";
static const char extends_help[] = "files this one starts from";
static const char data_help[] = "batches that arrive from outside";
static const char noise_help[] = "what is drawn afresh at every iteration";
static const char networks_help[] = "the graphs";
static const char templates_help[] = "parametric blocks of layers";
static const char values_help[] = "names for expressions";
static const char games_help[] = "critics, what they call real and fake, and the loss";
static const char terms_help[] = "every other loss";
static const char train_help[] = "steps, optimizers, the order of updates";
static const char evaluate_help[] = "scores";
static const char samples_help[] = "picture grids";
static const char silence_help[] = "warnings that are not told, by their names";
static const char compile_help[] = "rewrites that round differently";
// Within sections.
static const char layers_help[] = "in a network: layers in order, and what stands beside them";
static const char repeat_help[] = "in `layers:`: a block several times, with weights of its own";
static const char iteration_help[] = "in `train:` or a phase: its updates, in order";
static const char simultaneous_help[] =
    "in `iteration:`: updates that all read what was there before any of them";
static const char phases_help[] = "in `train:`: stretches, each with its own steps and iteration";
static const char ema_help[] = "in `train:`: averages of weights";
static const char checkpoint_help[] = "in `train:`: how often, and how many are kept";
static const char scores_help[] = "in `evaluate:`: words, and what stands beside them";

static const char *const precision_word[] = {"f32", "bf16", NULL};

#define SECTION(field, form)                                                                \
    {                                                                                       \
#field, PARAM_NODE, offsetof(struct root_options, field), "", .help = field##_help, \
                                                                      .takes = form         \
    }
const struct param root_params[] = {
    {"name", PARAM_TEXT, offsetof(struct root_options, name),
     .help = "for tables and run directories"},
    {"about", PARAM_TEXT, offsetof(struct root_options, about), "",
     .help = "what this is, in a sentence"},
    {"paper", PARAM_TEXT, offsetof(struct root_options, paper), "", .help = "where it comes from"},
    {"seed", PARAM_INT, offsetof(struct root_options, seed), "0", 0, 0x1p63,
     .help = "of weights, noise and the order of data"},
    {"precision", PARAM_WORD, offsetof(struct root_options, precision), "f32",
     .words = precision_word,
     .help = "of convolutions and products; weights, sums and statistics are always f32"},
    SECTION(extends, "file, or list"),
    SECTION(data, "map"),
    SECTION(noise, "map"),
    SECTION(networks, "map"),
    SECTION(templates, "map"),
    SECTION(values, "map"),
    SECTION(games, "list"),
    SECTION(terms, "list"),
    SECTION(train, "map"),
    SECTION(evaluate, "map"),
    SECTION(samples, "map"),
    SECTION(compile, "map"),
    SECTION(silence, "warning, or list"),
    PARAM_END};

#define WORD(field, usage, table) \
    &(const struct word) { #field, NULL, field##_help, usage, table, 0 }
static const struct word *const words[] = {
    WORD(config, NULL, root_params),
    WORD(extends, "extends: gan.yaml, or [gan.yaml, other.yaml]", NULL),
    WORD(data, "data: {real: {dataset: digits, batch: 64}}: real.image, real.label, real.index",
         source_params),
    WORD(noise, "noise: {z: {normal: 100}, y: {label: 10}}", NULL),
    WORD(networks, "networks: {critic: {inputs: {image: [1, 28, 28]}, layers: […]}}",
         network_params),
    WORD(layers,
         "layers: [{dense: 64, as: code}, relu, {repeat: {times: 2, layers: […]}}, {use: down}]",
         layer_entry_params),
    WORD(repeat, "- repeat: {times: 3, layers: [dense: 64, relu]}", repeat_params),
    WORD(templates, "templates: {down: {with: {filters: 64}, layers: […]}}, then {use: down}",
         template_params),
    WORD(values, "values: {fake: \"generator(z)\", n: 20}", NULL),
    WORD(games, "games: [{critic: critic, real: real.image, fake: fake, loss: hinge}]",
         game_params),
    WORD(terms, "terms: [{l1: {x: fake, y: real.image}, weight: 100, for: generator}]",
         term_params),
    WORD(train, NULL, train_params),
    WORD(iteration, "iteration: [{update: critic, repeat: 5}, {update: generator, fresh: [z]}]",
         update_params),
    WORD(simultaneous, "iteration: [{simultaneous: [update: critic, update: generator]}]",
         simultaneous_params),
    WORD(phases, NULL, phase_params),
    WORD(ema, NULL, ema_params),
    WORD(checkpoint, NULL, checkpoint_params),
    WORD(evaluate, NULL, evaluate_params),
    WORD(scores,
         "scores: [fid, {precision: {k: 5}}, {accuracy: {of: critic(real.image), as: NAME}}]",
         beside_score),
    WORD(samples, NULL, sample_params),
    WORD(compile, NULL, compile_params),
    WORD(silence, "silence: frozen_without_load, or [frozen_without_load, rate_too_high]", NULL),
    NULL};

const struct vocabulary sections = {"section", words};
