// Weight initialisation: a rule turns the fans of a tensor into the numbers of a distribution,
// once, when its slot is made. PyTorch's own rule is the default, because a config that says
// nothing should train like the PyTorch program it is compared with. Glorot, Bengio 2010; He,
// Zhang, Ren, Sun 2015, arXiv:1502.01852; Saxe, McClelland, Ganguli 2014, arXiv:1312.6120.
#include "nn/body.h"

#include "base/arena.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum distribution { DISTRIBUTION_UNIFORM, DISTRIBUTION_NORMAL };

struct init_params {
    double mean, std, bound, gain, value;
    int distribution;
};

struct init_rule {
    const struct init_word *is;
    const struct init_params *params;
};

struct init_word {
    struct word word;
    struct init (*weight)(const struct init_params *p, double fan_in, double fan_out);
};

static struct init init_uniform(double bound) { return (struct init){INIT_UNIFORM, -bound, bound}; }

// U(±1/√fan_in): kaiming_uniform with a = √5, as nn.Linear and nn.Conv2d have it
static struct init torch_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)p, (void)fan_out;
    return init_uniform(1 / sqrt(fan_in));
}

// a variance of v: U(±√(3v)) or N(0, v)
static struct init of_variance(const struct init_params *p, double v)
{
    return p->distribution == DISTRIBUTION_NORMAL ? (struct init){INIT_NORMAL, 0, sqrt(v)}
                                                  : init_uniform(sqrt(3 * v));
}

static struct init glorot_weight(const struct init_params *p, double fan_in, double fan_out)
{
    return of_variance(p, 2 / (fan_in + fan_out));
}

static struct init he_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)fan_out;
    return of_variance(p, 2 / fan_in);
}

static struct init normal_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return (struct init){INIT_NORMAL, p->mean, p->std};
}

static struct init truncated_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return (struct init){INIT_TRUNCATED, p->mean, p->std};
}

static struct init uniform_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return init_uniform(p->bound);
}

static struct init orthogonal_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return (struct init){INIT_ORTHOGONAL, 0, p->gain};
}

static struct init constant_weight(const struct init_params *p, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return (struct init){INIT_CONSTANT, p->value, 0};
}

static const char *const distribution[] = {"uniform", "normal", NULL};
#define DISTRIBUTION(otherwise)                                                            \
    {                                                                                      \
        "distribution", PARAM_WORD, offsetof(struct init_params, distribution), otherwise, \
            .words = distribution, .help = "its shape"                                     \
    }
#define FLOAT(name, otherwise, low, about)                                                         \
    {                                                                                              \
#name, PARAM_FLOAT, offsetof(struct init_params, name), otherwise, low, 1e6, .help = about \
    }

static const struct param glorot_params[] = {DISTRIBUTION("uniform"), PARAM_END};
static const struct param he_params[] = {DISTRIBUTION("normal"), PARAM_END};
static const struct param normal_params[] = {FLOAT(std, "0.02", 0, "standard deviation"),
                                             FLOAT(mean, "0", -1e6, "mean"), PARAM_END};
static const struct param uniform_params[] = {FLOAT(bound, "0.05", 0, "drawn from [-bound, bound)"),
                                              PARAM_END};
static const struct param orthogonal_params[] = {FLOAT(gain, "1", 0, "length of its rows"),
                                                 PARAM_END};
static const struct param constant_params[] = {FLOAT(value, NULL, -1e6, "of every element"),
                                               PARAM_END};

#define INIT(name, help, table)                                   \
    {                                                             \
        name, NULL, help, NULL, table, sizeof(struct init_params) \
    }
static const struct init_word words[] = {
    {INIT("torch", "U(±1/√fan_in), biases too: PyTorch's own, and the default", NULL),
     torch_weight},
    {INIT("glorot", "a variance of 2 / (fan_in + fan_out)", glorot_params), glorot_weight},
    {INIT("he", "a variance of 2 / fan_in", he_params), he_weight},
    {INIT("normal", "N(mean, std²)", normal_params), normal_weight},
    {INIT("truncated", "N(mean, std²), cut off at two deviations", normal_params),
     truncated_weight},
    {INIT("uniform", "U(±bound)", uniform_params), uniform_weight},
    {INIT("orthogonal", "rows, or columns, that are orthogonal, of length gain", orthogonal_params),
     orthogonal_weight},
    {INIT("constant", "the same number everywhere", constant_params), constant_weight},
};
const struct vocabulary initialisations = {
    "initialisation", (const struct word *const[]){&words[0].word, &words[1].word, &words[2].word,
                                                   &words[3].word, &words[4].word, &words[5].word,
                                                   &words[6].word, &words[7].word, NULL}};

const struct init_rule *init_read(struct arena *a, const struct node *node, struct diag *d)
{
    struct init_rule *rule = NEW(a, struct init_rule);
    rule->is = &words[0];
    if (!node || node->kind == NODE_NULL)
        return rule;
    struct word_call call;
    const struct word *word = word_choose(&initialisations, node, NULL, &call, d);
    rule->is = (const struct init_word *)word;
    return word && (rule->params = word_params(&initialisations, word, &call, a, d)) ? rule : NULL;
}

struct init init_weight(const struct init_rule *rule, int64_t fan_in, int64_t fan_out)
{
    return rule->is->weight(rule->params, (double)fan_in, (double)fan_out);
}

// PyTorch draws biases like weights; everybody else starts them at 0.
struct init init_bias(const struct init_rule *rule, int64_t fan_in)
{
    return rule->is == &words[0] ? torch_weight(NULL, (double)fan_in, 0)
                                 : (struct init){INIT_CONSTANT, 0, 0};
}
