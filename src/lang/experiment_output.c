// What an experiment shows of itself: picture grids and scores.
#include "base/arena.h"
#include "lang/sections.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// --- samples -------------------------------------------------------------------------------------

struct sample_options {
    int64_t every;
    struct ints grid;
    const struct node *columns, *of, *scatter;
};

#define AT(field) offsetof(struct sample_options, field)
const struct param sample_params[] = {
    {"every", PARAM_INT, AT(every), "", 0, STEPS_MAX,
     .help = "steps between grids; 0: only at the end"},
    {"grid", PARAM_INTS, AT(grid), "", 1, 1024, .help = "rows and columns; [8, 8] unless said"},
    {"columns", PARAM_NODE, AT(columns), "", .takes = "name, or list",
     .help = "what alone varies along a row: a label or one_hot, column c its class c; or one "
             "number of a noise (u.0), from −1 to 1, of a normal noise from −2 to 2; of a list, "
             "rows take turns"},
    {"of", PARAM_NODE, AT(of), "", .takes = "expression, or list",
     .help = "the expression drawn, the fake of the first game unless said; of a list, each has a "
             "row below the other, of the same draws"},
    {"scatter", PARAM_NODE, AT(scatter), "", .takes = "list of expressions",
     .help = "drawn as points where each is two numbers, the last coloured by class: [z, code]"},
    PARAM_END};

// The first argument of the first game's fake that some network makes.
static bool default_sample(struct section_reader *r)
{
    struct experiment *e = r->e;
    if (!e->n_game)
        return fail(r->d, e->config->root->where,
                    "nothing to sample\nexpected `samples:` with `of:`, or a game");
    const struct game *game = &e->game[0];
    if (!game->fake)
        return false;
    e->samples.of = NEW_ARRAY(r->arena, const struct expression *, 1);
    e->samples.n_of = 1;
    e->samples.of[0] = game->fake[0];
    for (int i = game->n - 1; i >= 0; i--) {
        const struct expression *is = expression_behind(e, game->fake[i]);
        if (is->kind == EXPR_CALL || is->kind == EXPR_FIELD)
            e->samples.of[0] = game->fake[i];
    }
    return true;
}

// The noise of `name`, "u" or "u.0".
static const struct noise *find_noise(struct section_reader *r, const struct node *node,
                                      const char *name)
{
    struct experiment *e = r->e;
    const struct noise *noise = experiment_noise(e, name);
    const char **known = NEW_ARRAY(r->arena, const char *, e->n_noise + 1);
    for (int i = 0; i < e->n_noise; i++)
        known[i] = e->noise[i].name;
    if (!noise)
        fail_unknown(r->d, node->where, "noise", name, known, (size_t)e->n_noise);
    return noise;
}

static bool read_sweep(struct section_reader *r, const struct node *node, struct sweep *by)
{
    if (node->kind != NODE_SCALAR)
        return fail(r->d, node->where, "no name here\nexpected a noise, such as y or u.0");
    const size_t length = strcspn(node->text, ".");
    const char *number = node->text[length] ? node->text + length + 1 : NULL;
    const struct noise *n = find_noise(r, node,
                                       arena_printf(r->arena, "%.*s", (int)length, node->text));
    if (!n)
        return false;
    by->noise = n;
    if (n->kind->classes)
        return !number || fail(r->d, node->where,
                               "the classes of '%s' vary as one\nexpected its name alone", n->name);
    char *end = NULL;
    by->element = number ? strtol(number, &end, 10) : -1;
    if (!n->kind->vary || !number || end == number || *end || by->element < 0 ||
        by->element >= n->size[0])
        return fail(r->d, node->where,
                    "noise '%s' has no classes to vary\n"
                    "expected a noise of kind label or one_hot, or one number of another, such as "
                    "u.0",
                    n->name);
    return true;
}

static bool read_columns(struct section_reader *r, const struct node *node)
{
    struct samples *is = &r->e->samples;
    const bool list = node->kind == NODE_LIST;
    const int n = list ? node->n : 1;
    struct sweep *by = NEW_ARRAY(r->arena, struct sweep, n + 1);
    bool good = true;
    for (int i = 0; i < n; i++)
        good &= read_sweep(r, list ? node->entry[i].value : node, &by[i]);
    is->by = by;
    is->n_by = n;
    return good;
}

bool read_samples(struct section_reader *r, const struct node *node)
{
    struct experiment *e = r->e;
    struct sample_options o = {0};
    if (!param_read(sample_params, node, node ? node->where : e->config->root->where, "`samples:`",
                    &o, r->arena, r->d))
        return false;
    if (o.grid.n > 2)
        return fail(r->d, node_get(node, "grid")->where,
                    "a grid has rows and columns\nexpected [8, 8]");
    ASSERT(o.grid.n >= 0 && o.every >= 0);
    e->samples.every = o.every;
    e->samples.rows = o.grid.n ? o.grid.v[0] : 8;
    e->samples.columns = o.grid.n ? o.grid.v[o.grid.n - 1] : 8;
    if (node)
        e->samples.where = node->where;
    bool good = !o.columns || read_columns(r, o.columns);
    if (o.scatter)
        good &= (e->samples.scatter = (const struct expression **)read_expressions(
                     r, o.scatter, &e->samples.n_scatter)) != NULL;
    if (!o.of)
        return default_sample(r) && good;
    e->samples.of = (const struct expression **)read_expressions(r, o.of, &e->samples.n_of);
    return e->samples.of && good;
}

// --- scores --------------------------------------------------------------------------------------

struct evaluate_options {
    const struct node *scores, *of;
    int64_t samples, splits, every, batch;
};

#define IN(field) offsetof(struct evaluate_options, field)
const struct param evaluate_params[] = {
    {"scores", PARAM_NODE, IN(scores), .takes = "score, or list",
     .help = "the words: inception_score, {accuracy: {of: classifier(real.image), as: NAME}}, …"},
    {"samples", PARAM_INT, IN(samples), "10k", 1, 10 * 1000 * 1000,
     .help = "how many are drawn, and of how many examples at most"},
    {"splits", PARAM_INT, IN(splits), "10", 1, 1000, .help = "of the inception score"},
    {"every", PARAM_INT, IN(every), "", 0, STEPS_MAX, .help = "steps; 0: only at the end"},
    {"batch", PARAM_INT, IN(batch), "", 1, 65536,
     .help = "of sampling; the training batch, unless said"},
    {"of", PARAM_TENSOR, IN(of), "", .help = "what is scored; as samples.of, unless said"},
    PARAM_END};

// Beside a score's own parameters.
struct beside_score {
    const struct node *of;
    const char *as;
};
const struct param beside_score[] = {
    {"of", PARAM_TENSOR, offsetof(struct beside_score, of), "",
     .help = "the expression looked at; as evaluate.of, unless said"},
    {"as", PARAM_TEXT, offsetof(struct beside_score, as), "", .help = "what its number is called"},
    PARAM_END};

// In the word's braces, or beside the word where that has none.
static const struct node *score_beside(const struct node *node, const struct word_call *word,
                                       const char *key)
{
    const struct node *own = node_get(word->params, key);
    return own ? own : node_get(node, key);
}

// The parameters without what belongs to every score.
static struct node *own_params(struct section_reader *r, struct node *params)
{
    if (!params || params->kind != NODE_MAP)
        return params;
    struct node *own = NEW(r->arena, struct node);
    *own = *params;
    own->entry = NULL;
    own->index = NULL;
    own->n = 0;
    for (int i = 0; i < params->n; i++)
        if (!param_find(beside_score, params->entry[i].key))
            APPEND(r->arena, own->entry, own->n, params->entry[i]);
    return own;
}

static bool name_score(struct section_reader *r, const struct node *as, struct scored *s)
{
    const struct evaluate *is = &r->e->evaluate;
    const struct place where = as ? as->where : s->word.where;
    if (as && (as->kind != NODE_SCALAR || !is_name(as->text)))
        return fail(r->d, where, "no name here\nexpected letters, digits and _, such as as: %s_all",
                    s->word.name);
    s->as = as ? as->text : s->word.name;
    for (int i = 0; i < is->n_score; i++)
        if (!strcmp(is->score[i].as, s->as))
            return fail(r->d, where,
                        "two scores are called '%s'\nexpected another name for one of them: "
                        "{%s: …, as: NAME}",
                        s->as, s->word.name);
    return true;
}

static bool read_score(struct section_reader *r, const struct node *node, struct scored *s)
{
    if (!word_read(node, beside_score, "score", &s->word, r->d))
        return false;
    const struct node *of = score_beside(node, &s->word, "of"),
                      *as = score_beside(node, &s->word, "as");
    s->word.params = own_params(r, s->word.params);
    if (of && !(s->of = expression_parse(r->arena, of, r->d)))
        return false;
    return name_score(r, as, s);
}

static bool read_scores(struct section_reader *r, const struct node *node)
{
    struct evaluate *is = &r->e->evaluate;
    const bool list = node->kind == NODE_LIST;
    const int n = list ? node->n : 1;
    bool good = true;
    is->score = NEW_ARRAY(r->arena, struct scored, n + 1);
    for (int i = 0; i < n; i++) {
        if (read_score(r, list ? node->entry[i].value : node, &is->score[is->n_score]))
            is->n_score++;
        else
            good = false;
    }
    return good;
}

bool read_evaluate(struct section_reader *r, const struct node *node)
{
    struct evaluate *is = &r->e->evaluate;
    struct evaluate_options o = {0};
    if (!node || node->kind == NODE_NULL)
        return true;
    if (!param_read(evaluate_params, node, node->where, "`evaluate:`", &o, r->arena, r->d))
        return false;
    *is = (struct evaluate){
        .samples = o.samples, .splits = o.splits, .every = o.every, .where = node->where};
    is->batch = o.batch ? o.batch : r->e->batch;
    bool good = read_scores(r, o.scores);
    if (o.of)
        good &= (is->of = expression_parse(r->arena, o.of, r->d)) != NULL;
    if (is->samples < is->splits)
        good = fail(r->d, node->where,
                    "%" PRId64 " samples do not make %" PRId64
                    " splits\nexpected at least one sample a split",
                    is->samples, is->splits);
    return good;
}
