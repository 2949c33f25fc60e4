// What a loss wants of a critic is the loss's to say, what a network can say is bounded by its ops: nothing here knows a word.
#include "program/warnings.h"

#include "base/arena.h"
#include "ir/op.h"
#include "lang/meaning.h"

#include <math.h>
#include <string.h>

// --- what can be said -----------------------------------------------------------------------------

// The value that bounds v: what only moves it comes after that.
static const struct value *bounded_by(const struct value *v)
{
    while (v->op->flags & OP_MOVES && v->n_in == 1)
        v = v->in[0];
    return v;
}

static const char *bounds_text(struct arena *a, struct bounds is)
{
    if (isinf(is.low) && isinf(is.high))
        return "any number";
    if (isinf(is.high))
        return arena_printf(a, "at least %g", is.low);
    if (isinf(is.low))
        return arena_printf(a, "at most %g", is.high);
    return arena_printf(a, "from %g to %g", is.low, is.high);
}

static void warn_of_end(struct warning_look *w, const struct value *v, const struct bounds *is,
                        struct bounds wanted, const char *who, const char *whose, const char *end)
{
    if (bounds_hold(is[v->id], wanted))
        return;
    warn(w->d, WARNING_critic_ends_in_sigmoid, bounded_by(v)->where,
         "%s gives %s from here on, but %s wants %s\nexpected an end without this layer%s", who,
         bounds_text(w->scratch, is[v->id]), whose, bounds_text(w->scratch, wanted), end);
}

static void warn_of_critic(struct warning_look *w, const struct game *game)
{
    const struct application *app = look_at_network(w, game->critic.network, false);
    const struct bounds any = {-INFINITY, INFINITY};
    if (!app)
        return;
    const struct value *v = app->output[game->critic.head];
    warn_of_end(
        w, v, graph_bounds(v->graph, NULL, w->scratch),
        game->loss->wants ? game->loss->wants(game->loss_params) : any,
        arena_printf(w->scratch, "critic '%s'", game->name),
        arena_printf(w->scratch, "loss '%s'", game->loss->word.name),
        arena_printf(w->scratch,
                     ", or a loss with targets that it reaches: games.%d.loss=least_squares",
                     (int)(game - w->e->game)));
}

// The expression in a sampling program; NULL where it is none.
static const struct program *look_at_expression(struct warning_look *w, const struct expression *is)
{
    return program_sampling_of(w->e, w->scratch, 2, is, false, diag_new(w->scratch));
}

static void warn_of_logits(struct warning_look *w, const struct game_term *term)
{
    const struct bounds any = {-INFINITY, INFINITY};
    for (int i = 0; i < TERM_ARGUMENTS; i++) {
        if (!(term->is->logits >> i & 1) || !term->argument[i])
            continue;
        const struct program *p = look_at_expression(w, term->argument[i]);
        const struct value *v = p ? graph_find_root(p->graph, "sample") : NULL;
        if (v)
            warn_of_end(w, v, graph_bounds(v->graph, NULL, w->scratch), any,
                        arena_printf(w->scratch, "argument %d", i + 1),
                        arena_printf(w->scratch, "term '%s'", term->is->word.name),
                        ": the term has it inside");
    }
}

// --- sides ---------------------------------------------------------------------------------------

// Whether a network that is trained and is no critic of this game makes some of it.
static bool made(const struct experiment *e, const struct game *game,
                 struct expression *const *side)
{
    for (int i = 0; i < e->n_network; i++) {
        const struct target all = {e->network[i], -1, {0}};
        if (e->network[i] != game->critic.network && !e->network[i]->frozen &&
            expressions_depend(e, side, game->n, &all, 1))
            return true;
    }
    return false;
}

static void warn_of_sides(struct warning_look *w, const struct game *game)
{
    if (made(w->e, game, game->real) && !made(w->e, game, game->fake))
        warn(w->d, WARNING_sides_exchanged, game->real[0]->where,
             "what is called real comes from a trained network, and what is called fake does not\n"
             "expected `real:` and `fake:` the other way round");
}

// --- slopes ---------------------------------------------------------------------------------------

static void warn_of_slope(struct warning_look *w, const struct game *game)
{
    const int i = (int)(game - w->e->game);
    if (game->loss->flags & LOSS_SLOPE && !game->clip && !game->n_penalty &&
        !game->critic.network->spectral)
        warn(w->d, WARNING_wasserstein_without_clip, game->where,
             "loss '%s' of a critic that nothing holds back: it falls without end as weights grow\n"
             "expected a penalty or a clip: games.%d.penalty=gradient, games.%d.clip=0.01",
             game->loss->word.name, i, i);
}

static void warn_of_penalised(struct warning_look *w, const struct game *game)
{
    const struct application *app = game->n_penalty ? look_at_network(w, game->critic.network, true)
                                                    : NULL;
    for (int i = 0; app && i < app->n_row; i++) {
        const struct layer_row *row = &app->row[i];
        const char *penalty = game->penalty[0].is->word.name;
        if (row->flags & LAYER_COUPLES)
            warn(w->d, WARNING_penalty_with_batch_norm, row->where,
                 "'%s' couples the samples of a batch, but penalty '%s' looks at each sample's own "
                 "slope\n"
                 "expected layer_norm, instance_norm or nothing in a critic with a penalty",
                 row->word, penalty);
        if (row->flags & LAYER_DRAWS)
            warn(w->d, WARNING_penalty_with_dropout, row->where,
                 "'%s' draws anew at each application: penalty '%s' holds back the slope of "
                 "another critic than "
                 "the one that judges\nexpected a critic with a penalty without it",
                 row->word, penalty);
    }
}

// --- ranges ---------------------------------------------------------------------------------------

enum { LOOKED_AT = 16 };

static struct bounds look_at_examples(struct warning_look *w, const struct data_source *s,
                                      int field)
{
    const struct dataset *set = s->dataset;
    if (set->unread)
        return (struct bounds){-1, 1}; // of any picture's file
    const int64_t n = dataset_field_size(set, field), step = set->count / LOOKED_AT;
    float *image = NEW_ARRAY(w->scratch, float, dataset_field_size(set, FIELD_IMAGE)),
          *x = field == FIELD_IMAGE ? image : NEW_ARRAY(w->scratch, float, n);
    struct bounds is = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < set->count && i < LOOKED_AT; i++) {
        float *to[FIELDS_MAX] = {NULL};
        to[field] = x;
        if (!dataset_get(set, step ? i * step : i, to, image))
            continue;
        for (int64_t k = 0; k < n; k++)
            is = (struct bounds){fmin(is.low, x[k]), fmax(is.high, x[k])};
    }
    return is.low <= is.high ? is : (struct bounds){-INFINITY, INFINITY};
}

// Once a field: reading an example may be reading a photograph.
static struct bounds bounds_of_data(struct warning_look *w, const struct data_source *s, int field)
{
    struct data_bounds *data = &w->data[s - w->e->data][field];
    if (!data->known)
        *data = (struct data_bounds){true, look_at_examples(w, s, field)};
    return data->is;
}

static struct bounds bounds_of_argument(struct warning_look *w, const struct expression *expression)
{
    const struct program *p = look_at_expression(w, expression);
    const struct bounds any = {-INFINITY, INFINITY};
    if (!p || p->sample.classes)
        return any;
    struct bounds *given = NEW_ARRAY(w->scratch, struct bounds, p->graph->n + 1);
    for (int i = 0; i < p->graph->n; i++) {
        const char *name = p->graph->value[i]->attr.name;
        given[i] = any;
        for (int j = 0; name && j < p->n_input; j++)
            if (p->input[j].source && !strcmp(p->input[j].name, name))
                given[i] = bounds_of_data(w, p->input[j].source, p->input[j].field);
    }
    return graph_bounds(p->graph, given, w->scratch)[graph_find_root(p->graph, "sample")->id];
}

static void warn_of_range(struct warning_look *w, const struct expression *real,
                          const struct expression *fake)
{
    const struct bounds f = bounds_of_argument(w, fake), r = bounds_of_argument(w, real);
    const double near = 0.02 * (r.high - r.low);
    if (!isfinite(near))
        return;
    if (f.low > r.low + near || f.high < r.high - near)
        warn(w->d, WARNING_generator_cannot_reach, fake->where,
             "fakes are %s, but real data go from %.3g to %.3g: the critic tells them apart by "
             "that\n"
             "expected an end that reaches them, such as tanh for [-1, 1] and sigmoid for [0, 1]",
             bounds_text(w->scratch, f), r.low, r.high);
    else if (r.low >= 0 && isfinite(f.low) && f.low < -near)
        warn(w->d, WARNING_generator_range_unused, fake->where,
             "fakes are %s, but real data are never below 0: they go from %.3g to %.3g\n"
             "expected data in the range of the fakes, or an end such as sigmoid",
             bounds_text(w->scratch, f), r.low, r.high);
}

void warn_of_games(struct warning_look *w)
{
    for (const struct game *g = w->e->game; g < w->e->game + w->e->n_game; g++) {
        warn_of_critic(w, g);
        warn_of_sides(w, g);
        warn_of_slope(w, g);
        warn_of_penalised(w, g);
        for (int i = 0; i < g->n && made(w->e, g, g->fake); i++)
            warn_of_range(w, g->real[i], g->fake[i]);
    }
    for (int i = 0; i < w->e->n_term; i++)
        warn_of_logits(w, &w->e->term[i]);
}
